"""What the commands share: the operator's act, the catalog file, and how they speak to a terminal."""

import contextlib
import io
import os
import sys
from collections.abc import Iterable
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup, FlaskGroup

from webapp.commands.trouble import in_words
from webapp.database import clock
from webapp.licensing.catalog import Catalog, parse_catalog
from webapp.licensing.errors import shown
from webapp.licensing.history import Act
from webapp.licensing.visibility import OPERATOR
from webapp.settings import Settings, SettingsError, unknown_settings

DOOR = "command line"


def operator_act() -> Act:
    """The act of whoever runs the command line."""
    key = current_app.extensions["settings"].chain_key.encode()
    return Act(OPERATOR, DOOR, clock(), key)


def catalog_file(settings: Settings) -> Catalog:
    """The catalog in the file that the settings name."""
    try:
        return parse_catalog(settings.catalog.read_text("utf-8-sig"))
    except UnicodeDecodeError:
        name = shown(str(settings.catalog), 300)
        raise SettingsError(f"The catalog {name} is not UTF-8 text. Save it as UTF-8.") from None


def warn_of_unknown_settings() -> None:
    """A misspelled name must not look as if it had been heeded."""
    for name in unknown_settings():
        click.echo(f"{shown(name)} is not a setting; it is ignored.", err=True)


def tell(lines: Iterable[str]) -> None:
    """Print what a command does that changes something: that nobody can read it is no failure of it."""
    try:
        for line in lines:
            click.echo(line)
    except OSError as error:
        # From here on it goes nowhere: what is left would fail again, at the latest at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _complain(f"The output can't be written: {error.strerror}. The command goes on.")


class Commands(FlaskGroup):
    """Flask's command group; a refusal is printed line by line (exit 1), a wrong start too (exit 2)."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, without building the app: help is for those who have no settings yet."""
        self._load_plugin_commands()
        return AppGroup.list_commands(self, ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name; the app has none of its own to be asked for."""
        self._load_plugin_commands()
        return AppGroup.get_command(self, ctx, cmd_name)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run it all; a name that the terminal can't show is no reason to fail."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; no expected trouble ends in a traceback."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            told = in_words(error)
            if told is None:
                raise
        code, lines = told
        _complain(*lines)
        sys.exit(code)


def _complain(*lines: str) -> None:
    with contextlib.suppress(OSError):  # nobody is there to hear it
        for line in lines:
            click.echo(line, err=True)
