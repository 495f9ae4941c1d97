"""How any CSV file is read and written: encoding, header, lines, and the formula guard.

Knows no column. Names the line of every fault; never lets a broken quote swallow rows unseen.
"""

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from webapp.licensing.errors import LicensingError, Problem

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(rf"{_DAY.pattern}[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_SEPARATORS = {";": ";", "\t": "tabs"}
_GUARDED = ("=", "+", "-", "@", "\t", "\r", "'")
_PIECE = 16_000  # characters


@dataclass(frozen=True)
class Row:
    """One row: the line it starts on, and its cells by column name. Missing cells are blank."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True)
class Table:
    """A file's rows, and the columns nobody asked for."""

    rows: tuple[Row, ...]
    ignored: tuple[str, ...]


def read(data: bytes, *, required: Collection[str], optional: Collection[str] = (), limit: int) -> Table:
    """The table in these bytes, its column names as ``required`` and ``optional`` spell them.

    UTF-8 with or without BOM; any column order and case. Raises LicensingError with every fault:
    encoding, header, shape, more than ``limit`` rows.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise LicensingError([Problem("file_encoding", "file")]) from None
    if separator := _other_separator(text, required):
        raise LicensingError([Problem("file_separator", "header", {"separator": separator}, 1)])
    lines = _lines(text)
    _, header = next(lines, (0, []))
    if not any(name.strip() for name in header):
        raise LicensingError([Problem("file_empty", "file")])
    spelled = {name.casefold(): name for name in (*required, *optional)}
    columns = [spelled.get(name.strip().casefold(), name.strip()) for name in header]
    faults = [
        Problem("column_missing", "header", {"column": name}, 1)
        for name in required if name not in columns
    ]  # fmt: skip
    faults += [
        Problem("column_twice", "header", {"column": name}, 1)
        for name in spelled.values() if columns.count(name) > 1
    ]  # fmt: skip
    if faults:
        raise LicensingError(faults)
    rows: list[Row] = []
    for line, cells in lines:
        if not any(cells):
            continue
        if any(cells[len(columns) :]):
            faults.append(Problem("cells_extra", "row", {}, line))
        for name, cell in zip(columns, cells, strict=False):
            if "\0" in cell:
                faults.append(Problem("cell_nul", name, {}, line))
        rows.append(Row(line, dict.fromkeys(spelled.values(), "") | _known(columns, cells, spelled)))
        if len(rows) > limit:
            raise LicensingError([Problem("file_long", "file", {"limit": f"{limit:,}"})])
    if faults:
        raise LicensingError(faults)
    if not rows:
        raise LicensingError([Problem("file_no_rows", "file")])
    return Table(tuple(rows), tuple(n for n in columns if n and n not in spelled.values()))


def _other_separator(text: str, required: Collection[str]) -> str | None:
    """What separates the cells instead of commas, if the header has required columns only so."""
    wanted = {name.casefold() for name in required}
    header, _, _ = text.partition("\n")
    for separator, word in _SEPARATORS.items():
        names = {name.strip(' "\r').casefold() for name in header.split(separator)}
        if len(names) > 1 and wanted & names:
            return word
    return None


def _known(columns: list[str], cells: list[str], spelled: dict[str, str]) -> dict[str, str]:
    wanted = set(spelled.values())
    return {name: unguard(cell).strip() for name, cell in zip(columns, cells, strict=False) if name in wanted}


def day(cell: str) -> date | None:
    """The day that a cell tells as YYYY-MM-DD, and in no other way."""
    try:
        return date.fromisoformat(cell) if _DAY.fullmatch(cell) else None
    except ValueError:
        return None


def moment(cell: str) -> datetime | None:
    """The moment that a cell tells as YYYY-MM-DD HH:MM, perhaps with seconds and a zone; none: UTC."""
    try:
        found = datetime.fromisoformat(cell) if _MOMENT.fullmatch(cell) else None
    except ValueError:
        return None
    return found.replace(tzinfo=found.tzinfo or UTC) if found else None


def unguard(cell: str) -> str:
    """Remove the one ``'`` that an export puts before what a spreadsheet would run."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_GUARDED) else cell


def guard(cell: str) -> str:
    """Put one ``'`` before what a spreadsheet would run, or what ``unguard`` would take for one."""
    return f"'{cell}" if cell.startswith(_GUARDED) else cell


def write(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The rows as guarded lines of a file, in pieces that are worth sending."""
    piece = io.StringIO()
    writer = csv.writer(piece)
    for row in rows:
        writer.writerow([guard(cell) for cell in row])
        if piece.tell() >= _PIECE:
            yield piece.getvalue()
            piece.seek(0)
            piece.truncate()
    yield piece.getvalue()


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line it starts on (a quoted cell may hold line breaks)."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    start = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problem = Problem("file_shape", "file", {"reason": str(error)}, start)
            raise LicensingError([problem]) from None
        yield start, cells
        start = reader.line_num + 1
