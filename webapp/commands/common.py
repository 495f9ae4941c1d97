"""What the commands share: the operator's act, and how a refusal is told on a terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import current_app

from webapp.database import clock, means_busy
from webapp.licensing.errors import LicensingError
from webapp.licensing.history import Act
from webapp.licensing.visibility import OPERATOR

DOOR = "command line"


def operator_act() -> Act:
    """The act of whoever runs the command line."""
    key = current_app.extensions["settings"].chain_key.encode()
    return Act(OPERATOR, DOOR, clock(), key)


@contextmanager
def refusals_told(nothing: str = "Nothing was changed.") -> Iterator[None]:
    """Print each refusal on a line of its own and exit with 1."""
    try:
        yield
    except LicensingError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        number = len(error.problems)
        click.echo(f"{number:,} problem{'' if number == 1 else 's'}. {nothing}", err=True)
        sys.exit(1)
    except Exception as error:
        if not means_busy(error):
            raise
        click.echo(f"The database is busy. {nothing} Try again in a few seconds.", err=True)
        sys.exit(1)
