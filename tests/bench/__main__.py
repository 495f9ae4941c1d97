"""``python -m tests.bench [SIZES...]``: measures at each size, prints the tables, exits with 1 on a miss.

Progress goes to standard error, so that the output can be put into a document as it is.
"""

import sys
from collections.abc import Iterable

import click

from tests.bench import tables
from tests.bench.measuring import measure


@click.command()
@click.argument("sizes", nargs=-1, type=click.IntRange(300))
def main(sizes: tuple[int, ...]) -> None:
    """Measure the list pages at each of these numbers of users (1000 and 100000)."""
    runs = measure(sorted(sizes or (1_000, 100_000)), _progress)
    for run in runs:
        _print(tables.of_run(run))
    if len(runs) > 1:
        _print(tables.of_growth(runs[0], runs[-1]))
    _print(tables.of_machine())
    missed = list(tables.misses(runs))
    _print(
        [f"Missed at {runs[-1].size:,} users:", *(f"- {line}" for line in missed)]
        if missed
        else ["All targets are met."]
    )
    sys.exit(1 if missed else 0)


def _progress(text: str) -> None:
    click.echo(text, err=True)


def _print(lines: Iterable[str]) -> None:
    click.echo("\n".join([*lines, ""]))


if __name__ == "__main__":
    main()
