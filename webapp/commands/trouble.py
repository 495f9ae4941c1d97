"""What went wrong, as a terminal tells it: a line for each fault, what it is about and the way out."""

import errno
import sqlite3
from collections.abc import Sequence

from sqlalchemy.exc import DBAPIError, OperationalError

from webapp.database import means_busy
from webapp.licensing.errors import LicensingError, Problem, shown
from webapp.settings import SettingsError, read_settings

REFUSED, UNUSABLE = 1, 2
"""Exit codes: the rules or others said no, and nothing was changed; or it could not even begin."""

_MOST = 200  # problems; nobody reads more, and a file may have 100,000

_NO_DATABASE = "There is no database at {name}. Run: license-desk init"
_FOREIGN = "{name} is not a database. Move it away and run: license-desk init"
_EMPTY = "The database {name} has no tables yet. Run: license-desk init"
_OTHER_VERSION = "The database {name} is of another version: {reason}. Run: license-desk db upgrade"
_CLOSED = "The database {name} can't be opened: {reason}. Let this account read and write it and its folder."
_READ_ONLY = "The database {name} can't be written: {reason}. Let this account write it and its folder."
_FULL = "The database {name} has no room left: {reason}. Nothing was changed. Make room on its disk."
_UNREADABLE = "The database {name} can't be read or written: {reason}. Check its disk."
_DAMAGED = "The database {name} is damaged: {reason}. Put a backup in its place."
_CLASH = (
    "The database {name} refused it: {reason}. Nothing was changed. Try again: another may have been faster."
)
_UNREACHABLE = (
    "The database {name} can't be reached: {reason}. Start it, or correct LICENSE_DESK_DATABASE_URL."
)
_LOST = (
    "The connection to the database {name} was lost: {reason}. See whether it was done before trying again."
)
_OTHER = "The database {name} can't be used: {reason}."

# By SQLite's result codes and by SQLSTATE.
_DATABASE: dict[int | str, str] = {
    sqlite3.SQLITE_NOTADB: _FOREIGN, sqlite3.SQLITE_CANTOPEN: _CLOSED, "42501": _CLOSED,
    sqlite3.SQLITE_READONLY: _READ_ONLY, "25006": _READ_ONLY,
    sqlite3.SQLITE_FULL: _FULL, "53100": _FULL, sqlite3.SQLITE_IOERR: _UNREADABLE, "58030": _UNREADABLE,
    sqlite3.SQLITE_CORRUPT: _DAMAGED, "XX001": _DAMAGED, sqlite3.SQLITE_CONSTRAINT: _CLASH, "23505": _CLASH,
    "42P01": _EMPTY, "42703": _OTHER_VERSION,
}  # fmt: skip


def in_words(error: Exception) -> tuple[int, list[str]] | None:
    """The exit code and the lines; None for a fault of the program, which needs its traceback."""
    if isinstance(error, LicensingError):
        return REFUSED, _problems(error.problems)
    if isinstance(error, SettingsError):
        return UNUSABLE, [str(error)]
    if isinstance(error, DBAPIError) and not _waited(error):
        template = _template(error)
        return (REFUSED if template is _CLASH else UNUSABLE), [_filled(template, error)]
    if means_busy(error):
        return REFUSED, ["The database is busy. Nothing was changed. Try again in a few seconds."]
    if isinstance(error, OSError) and error.errno != errno.EPIPE:  # that one ends quietly: ``… | head``
        return UNUSABLE, [_operating_system(error)]
    if isinstance(error, UnicodeError):  # what it was stays untold: it may be a password
        return UNUSABLE, ["A name, file or input is not UTF-8 text. Write it in UTF-8 and try again."]
    return None


def _problems(problems: Sequence[Problem]) -> list[str]:
    lines = [str(problem) for problem in problems[:_MOST]]
    if more := len(problems) - len(lines):
        lines.append(f"… and {more:,} more {_plural(more)}.")
    return [*lines, f"{len(problems):,} {_plural(len(problems))}. Nothing was changed."]


def _plural(number: int) -> str:
    return "problem" if number == 1 else "problems"


def _operating_system(error: OSError) -> str:
    reason = error.strerror or str(error)
    if error.filename is None:  # what has a name says it
        return f"The output can't be written: {reason}."
    return (
        f"Can't use {shown(str(error.filename), 300)}: {reason}. "
        "Check that it is there, that this account may read and write it, and the room on the disk."
    )


def _waited(error: DBAPIError) -> bool:
    """Whether it only took too long; a server that can't be reached isn't busy."""
    return means_busy(error) and not _is_gone(error)


def _is_gone(error: DBAPIError) -> bool:
    return isinstance(error, OperationalError) and (_code(error) is None or error.connection_invalidated)


def _code(error: DBAPIError) -> int | str | None:
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code & 0xFF if code is not None else getattr(error.orig, "sqlstate", None)


def _template(error: DBAPIError) -> str:
    """What the code says; SQLite has one code for all that is wrong with a statement, and only words tell."""
    file = read_settings().sqlite_file
    if file and not file.exists():
        return _NO_DATABASE
    if _is_gone(error):
        return _UNREACHABLE if error.statement is None else _LOST
    reason = str(error.orig)
    if reason.startswith("no such table"):
        return _EMPTY
    if reason.startswith("no such column"):
        return _OTHER_VERSION
    return _DATABASE.get(_code(error) or "", _OTHER)


def _filled(template: str, error: DBAPIError) -> str:
    settings = read_settings()
    reason = next(iter(str(error.orig).splitlines()), "").strip().rstrip(".")
    return template.format(
        name=shown(str(settings.sqlite_file or settings.database_words), 300), reason=shown(reason, 300)
    )
