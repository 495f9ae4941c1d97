"""``contract load`` and ``contract show``: the contract lines and what they give."""

from pathlib import Path

import click
from flask.cli import with_appcontext

from webapp.commands.common import operator_act, tell
from webapp.database import PATIENCE, clock, db, transaction
from webapp.licensing import contracts, ledger
from webapp.licensing.availability import Figures, state_in_words
from webapp.licensing.contracts import Line


@click.group()
def contract() -> None:
    """Contract lines: load them from a file, or show them."""


@contract.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_appcontext
def load(file: Path) -> None:
    """Load contract lines from a CSV FILE: License, Contracted, Max overage, Starts on."""
    lines = contracts.read_contract(file.read_bytes(), ledger.read_catalog(db.session()))
    with transaction(PATIENCE) as session:
        new = contracts.load(session, lines, operator_act())
    others = "; the others were there already" if len(new) < len(lines) else ""
    noun = "line" if len(lines) == 1 else "lines"
    tell([
        *(f"{line.type.ref}: {line.words}" for line in new),
        f"{len(new)} of {len(lines)} {noun} loaded{others}.",
    ])  # fmt: skip


@contract.command()
@with_appcontext
def show() -> None:
    """Show the figures of today and every contract line."""
    session = db.session()
    figures = ledger.figures(session, ledger.read_catalog(session).loaded, clock().today())
    _table(
        ("License", "Contracted", "Assigned", "Available", "State"),
        [
            (ref, f"{pool.contracted:,}", f"{pool.assigned:,}", _available(pool), state_in_words(pool))
            for ref, pool in figures.items()
        ],
    )
    click.echo()
    lines = contracts.standing_lines(session)
    _table(("License", "Contracted", "Max overage", "Starts on"), [_cells(line) for line in lines])


def _available(pool: Figures) -> str:
    return f"{pool.over:,} over" if pool.over else f"{pool.available:,}"


def _cells(line: Line) -> tuple[str, ...]:
    overage = "no limit" if line.max_overage is None else f"{line.max_overage:,}"
    return (line.type.ref, f"{line.contracted:,}", overage, str(line.starts_on))


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
