"""``python -m tests.long [--only PART] [--examples N]``: runs all, prints the table, exits with 1 on a miss.

Progress goes to standard error, so that the output can be put into a document as it is.
"""

import os
import platform
import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout

import click
import pytest

# Those at full length two at a time; what is timed alone, and one after the other.
PARTS = {
    "timing": ("tests/long/timing.py", "-n0"),
    "races": ("tests/races", "tests/licensing/test_machine.py"),
}
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


class Results:
    """A pytest plugin that keeps what came of each test: passed, or failed in any of its parts, or skipped."""

    def __init__(self) -> None:
        self.missed: list[str] = []
        self._rows: dict[tuple[str, str], str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called by pytest after the start, the run and the end of each test."""
        if not report.passed:
            self.missed.append(f"{report.outcome} ({report.when}): {report.nodeid}")
        if report.when != "call":
            return
        told = dict(report.user_properties)
        name, _, kind = report.nodeid.rpartition("::")[2].partition("[")
        what, came = told.get("what", name), told.get("came", "")
        if not report.passed:
            came = f"**FAILED** {came}".strip()
        database = next((DATABASES[word] for word in re.split(r"[\W_]", kind) if word in DATABASES), "")
        self._rows[name, kind] = f"| {what} | {database} | {came} | {report.duration / 60:.1f} |"

    def table(self) -> Iterator[str]:
        """A row for each test."""
        yield "| run | on | came out | minutes |"
        yield "|---|---|---|--:|"
        yield from (self._rows[key] for key in sorted(self._rows))


@click.command()
@click.option(
    "--examples", type=click.IntRange(1), default=200, show_default=True, help="Runs of the state machine."
)
@click.option("--only", type=click.Choice([*PARTS]), help="This part alone.")
def main(examples: int, only: str | None) -> None:
    """Run what is timed, and races, crashes and the state machine at full length, on SQLite and PostgreSQL."""
    results = Results()
    options = ("--long", f"--examples={examples}")
    with redirect_stdout(sys.stderr):
        codes = [
            pytest.main([*PARTS[part], *options], plugins=[results]) for part in ([only] if only else PARTS)
        ]
    lines = [*results.table(), "", _machine(), "", *(f"- {line}" for line in results.missed)]
    missed = bool(results.missed) or any(code != pytest.ExitCode.OK for code in codes)
    click.echo("\n".join([*lines, "Something was missed." if missed else "All as it must be."]))
    sys.exit(1 if missed else 0)


def _machine() -> str:
    """What it ran on; races two at a time on two cores."""
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}."


if __name__ == "__main__":
    main()
