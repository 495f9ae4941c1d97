"""Contract lines: read from a file, loaded whole or not at all, never overwritten.

A line for a type and day that is there already supersedes it; both stay, and both are in the
change log. Loading locks the pools like any taker of seats, so nobody decides by an old limit.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from webapp.licensing import assignment, csvfile, history, ledger
from webapp.licensing.catalog import Catalog, LicenseType, enumerate_words
from webapp.licensing.errors import LicensingError, Problem, first_few
from webapp.licensing.history import Act, Entry
from webapp.models import ContractLine

_MOST = 10_000_000
_COLUMNS = ("License", "Contracted", "Max overage", "Starts on")


@dataclass(frozen=True)
class Line:
    """From ``starts_on`` on, so many seats of a type; ``max_overage`` None: no upper limit (S2)."""

    type: LicenseType
    contracted: int
    max_overage: int | None
    starts_on: date

    @property
    def words(self) -> str:
        """The line as the change log tells it."""
        overage = "no upper limit" if self.max_overage is None else f"max overage {self.max_overage}"
        return f"{self.contracted} contracted, {overage}, from {self.starts_on}"


def read_contract(data: bytes, catalog: Catalog) -> list[Line]:
    """The lines of a contract file. Raises LicensingError with every fault."""
    types = catalog.loaded.types
    table = csvfile.read(data, required=_COLUMNS, limit=10_000)
    problems: list[Problem] = []
    lines = []
    where: dict[tuple[str, date], list[int]] = defaultdict(list)
    for row in table.rows:
        cells = row.cells
        kind = types.get(cells["License"].casefold())
        if not kind:
            facts = {"value": cells["License"], "choices": enumerate_words(list(types))}
            problems.append(Problem("contract_license_unknown", "License", facts, row.line))
        contracted = _number(cells, "Contracted", row.line, problems)
        overage = _number(cells, "Max overage", row.line, problems) if cells["Max overage"] else None
        day = _day(cells["Starts on"], row.line, problems)
        if kind and day and contracted is not None:
            where[kind.ref, day].append(row.line)
            lines.append(Line(kind, contracted, overage, day))
    for (ref, day), numbers in where.items():
        if len(numbers) > 1:
            facts = {"license": ref, "day": str(day), "lines": first_few(numbers)}
            problems += [Problem("contract_twice", "License", facts, n) for n in numbers]
    if problems:
        raise LicensingError(sorted(problems, key=lambda problem: problem.line or 0))
    return lines


def _number(cells: dict[str, str], column: str, line: int, problems: list[Problem]) -> int | None:
    value = cells[column]
    if value.isascii() and value.isdigit() and len(value) <= 8 and int(value) <= _MOST:
        return int(value)
    way = "Write a whole number" + (", or nothing for no upper limit." if column != "Contracted" else ".")
    problems.append(Problem("contract_number", column, {"value": value, "way": way}, line))
    return None


def _day(value: str, line: int, problems: list[Problem]) -> date | None:
    day = csvfile.day(value)
    if not day:
        problems.append(Problem("contract_day", "Starts on", {"value": value}, line))
    return day


def load(session: Session, lines: Sequence[Line], act: Act) -> list[Line]:
    """Load these lines; the ones that differ from what is there. None of them: no change is made."""
    locks = assignment.lock(session, act)
    there = {(line.type.ref, line.starts_on): line for line in standing_lines(session)}
    new = [line for line in lines if _differs(line, there.get((line.type.ref, line.starts_on)))]
    if not new:
        return []
    entries = []
    for line in new:
        old = there.get((line.type.ref, line.starts_on))
        entries.append(
            Entry(
                None, line.type.ref, line.type.full_name, "contract_line",
                old.words if old else None, line.words,
            )
        )  # fmt: skip
        if old:
            session.execute(
                update(ContractLine)
                .where(
                    ContractLine.license_type_id == line.type.id,
                    ContractLine.starts_on == line.starts_on,
                    ContractLine.superseded_at.is_(None),
                )
                .values(superseded_at=locks.moment)
            )
    seq = history.append(session, locks.head, locks.moment, act, entries)
    session.execute(
        insert(ContractLine),
        [
            {
                "license_type_id": line.type.id, "contracted": line.contracted,
                "max_overage": line.max_overage, "starts_on": line.starts_on, "opened_by": seq,
            }
            for line in new
        ],
    )  # fmt: skip
    return new


def _differs(line: Line, old: Line | None) -> bool:
    return old is None or (old.contracted, old.max_overage) != (line.contracted, line.max_overage)


def standing_lines(session: Session) -> list[Line]:
    """Every line not superseded, past, present and coming, by license type and day."""
    types = {kind.id: kind for kind in ledger.read_catalog(session).types.values()}
    order = {type_id: position for position, type_id in enumerate(types)}
    rows = session.execute(
        select(
            ContractLine.license_type_id, ContractLine.contracted, ContractLine.max_overage,
            ContractLine.starts_on,
        ).where(ContractLine.superseded_at.is_(None))
    )  # fmt: skip
    lines = [Line(types[row.license_type_id], row.contracted, row.max_overage, row.starts_on) for row in rows]
    return sorted(lines, key=lambda line: (order[line.type.id], line.starts_on))
