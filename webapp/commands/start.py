"""What must be right before anything is served; all that is wrong is told at once. Changes nothing."""

import os
import sqlite3
import ssl
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import ParamSpec, TypeVar

import click
from flask.helpers import get_debug_flag

from webapp.commands.trouble import in_words
from webapp.licensing.errors import shown
from webapp.pages.health import database_revision, head_revision, known_revisions
from webapp.settings import PREFIX, Settings, SettingsError, is_loopback

_P = ParamSpec("_P")
_R = TypeVar("_R")


class Faults:
    """Gathers what checks refuse; at the end of the block SettingsError tells all of it."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def of(self, check: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R | None:
        """What the check returns; None if it refused."""
        try:
            return check(*args, **kwargs)
        except Exception as error:
            told = in_words(error)
            if told is None:
                raise
            self._lines += told[1]
            return None

    def __enter__(self) -> "Faults":
        return self

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if error is None and self._lines:
            raise SettingsError("\n".join(self._lines))


def refuse_debugging() -> None:
    """Flask's own switches would show code and values to whoever meets an error."""
    if get_debug_flag() or os.environ.get("FLASK_ENV", "").lower() in ("development", "debug"):
        raise SettingsError("Debugging is on, which is not for serving. Unset FLASK_DEBUG and FLASK_ENV.")


def refuse_bad_certificate(cert: Path | None, key: Path | None) -> None:
    """Both or neither, readable, and belonging together."""
    if cert is None and key is None:
        return
    if cert is None or key is None:
        raise SettingsError("--tls-cert and --tls-key need each other: give both, or neither.")
    for file in (cert, key):
        file.read_bytes()
    try:
        # Asked for a password, it would wait for somebody to type one.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password=lambda: "")
    except (ssl.SSLError, ValueError) as error:
        raise SettingsError(_of_certificate(cert, key, getattr(error, "reason", None))) from None


def _of_certificate(cert: Path, key: Path, reason: str | None) -> str:
    names = f"{shown(str(cert), 300)} and {shown(str(key), 300)}"
    if reason == "KEY_VALUES_MISMATCH":
        return (
            f"The certificate and the key in {names} don't belong together. Give those made for each other."
        )
    return (
        f"Can't use {names} as certificate and key. Both must be PEM, the key without a password, and the "
        "server's own certificate first."
    )


def refuse_clear_text(host: str, tls: bool, settings: Settings) -> None:
    """Beyond this machine passwords travel over TLS, unless the settings say otherwise."""
    if not (tls or is_loopback(host) or settings.allow_insecure_http):
        raise SettingsError(
            f"Without TLS, {shown(host)} would send passwords in the clear. Give --tls-cert and --tls-key, "
            f"serve on 127.0.0.1 behind a proxy with TLS, or set {PREFIX}ALLOW_INSECURE_HTTP=1."
        )


def refuse_wrong_database(settings: Settings) -> None:
    """It must be there, writable, and of this version."""
    from webapp.factory import create_app

    if settings.sqlite_file:
        _refuse_unwritable(settings.sqlite_file)
    with create_app(settings).app_context():
        found, needed = database_revision(), head_revision()
    if found == needed:
        return
    if found is None:
        way = "Run: license-desk init"
    elif found in known_revisions():
        way = "Run: license-desk db upgrade"
    else:
        way = "It is of a newer version: install that one, or put the backup from before in its place."
    raise SettingsError(
        f"The database is at revision {shown(found or 'none')}, this version needs {needed}. {way}"
    )


def _refuse_unwritable(file: Path) -> None:
    if not file.is_file():
        raise SettingsError(f"There is no database at {shown(str(file), 300)}. Run: license-desk init")
    beside = [file.with_name(file.name + suffix) for suffix in ("", "-wal", "-shm", ".lock")]
    closed = [one for one in (*beside, file.parent) if one.exists() and not os.access(one, os.R_OK | os.W_OK)]
    if closed:
        raise SettingsError(
            f"This account can't write {shown(str(closed[0]), 300)}. Let it read and write the database and "
            "its folder."
        )


def warn_of_old_sqlite(settings: Settings) -> None:
    """Some versions can lose what was committed when two processes write."""
    if settings.sqlite_file and has_wal_reset_bug(sqlite3.sqlite_version_info):
        click.echo(
            f"SQLite {sqlite3.sqlite_version} has a fault that can, very rarely, lose a change (WAL reset). "
            "It runs on. Better: a Python built with SQLite 3.44.6, 3.50.7, 3.51.3 or newer, or PostgreSQL.",
            err=True,
        )


def has_wal_reset_bug(version: tuple[int, ...]) -> bool:
    """Whether it is 3.7.0 to 3.51.2 and not one of the two that were mended."""
    mended = (3, 44, 6) <= version < (3, 45) or (3, 50, 7) <= version < (3, 51)
    return (3, 7, 0) <= version <= (3, 51, 2) and not mended
