"""What the commands share: the operator's act, and how trouble is told on a terminal."""

import sys
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup, FlaskGroup
from sqlalchemy.exc import DBAPIError

from webapp.database import clock, means_busy
from webapp.licensing.errors import LicensingError
from webapp.licensing.history import Act
from webapp.licensing.visibility import OPERATOR
from webapp.settings import SettingsError

DOOR = "command line"


def operator_act() -> Act:
    """The act of whoever runs the command line."""
    key = current_app.extensions["settings"].chain_key.encode()
    return Act(OPERATOR, DOOR, clock(), key)


class Commands(FlaskGroup):
    """Flask's command group; a refusal is printed line by line (exit 1), a wrong start too (exit 2)."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, without building the app: help is for those who have no settings yet."""
        self._load_plugin_commands()
        return AppGroup.list_commands(self, ctx)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; no expected trouble ends in a traceback."""
        try:
            return super().invoke(ctx)
        except LicensingError as error:
            number = len(error.problems)
            lines = [str(problem) for problem in error.problems]
            _end(1, *lines, f"{number:,} problem{'' if number == 1 else 's'}. Nothing was changed.")
        except SettingsError as error:
            _end(2, str(error))
        except Exception as error:
            if means_busy(error):
                _end(1, "The database is busy. Nothing was changed. Try again in a few seconds.")
            if isinstance(error, DBAPIError):
                reason = str(error.orig).splitlines()[0]
                _end(2, f"The database can't be used: {reason}. A new one is made by: license-desk init")
            raise


def _end(code: int, *lines: str) -> None:
    for line in lines:
        click.echo(line, err=True)
    sys.exit(code)
