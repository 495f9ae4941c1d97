"""Databases for tests, made fast: migrate once, copy for each test.

Migrating takes longer than most tests, so each worker migrates one SQLite file and, only when a test
asks for PostgreSQL, one template database on a server of its own; each test gets a copy. The server is
the system's, started in a temporary folder and reachable by its unix socket alone.
"""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import psycopg
from flask_migrate import upgrade

from webapp.database import db, transaction
from webapp.factory import create_app
from webapp.licensing.catalog import parse_catalog
from webapp.licensing.history import Act, Clock
from webapp.licensing.installation import load_catalog
from webapp.licensing.visibility import OPERATOR
from webapp.settings import PREFIX, Settings, read_settings

SECRETS = {
    f"{PREFIX}SECRET_KEY": "a key for tests: 0123456789abcdef0123",
    f"{PREFIX}CHAIN_KEY": "a chain for tests: fedcba9876543210fed",
}


# Long before any moment of a test: no change is ever earlier than the one before.
LONG_AGO = Clock(lambda: datetime(2020, 1, 1, tzinfo=UTC), UTC)


class NoPostgresError(Exception):
    """This machine has no PostgreSQL server to start; the message says what is missing."""


def environment(url: str, **more: str) -> dict[str, str]:
    """The variables that make an app use this database; ``more`` without the prefix."""
    return SECRETS | {f"{PREFIX}{name}": value for name, value in {"DATABASE_URL": url, **more}.items()}


def without_prefix(variables: dict[str, str]) -> dict[str, str]:
    """The same variables as settings, for ``servers``."""
    return {name.removeprefix(PREFIX): value for name, value in variables.items()}


def settings_for(url: str, **more: str) -> Settings:
    """The settings of an app on this database."""
    return read_settings(environment(url, **more))


def prepare(url: str) -> None:
    """Migrate the database and load the shipped catalog; no connection stays open."""
    settings = settings_for(url)
    app = create_app(settings, cheap_passwords=True)
    with app.app_context():
        upgrade()
        act = Act(OPERATOR, "test", LONG_AGO, settings.chain_key.encode())
        with transaction() as session:
            load_catalog(session, parse_catalog(settings.catalog.read_text("utf-8")), act)
        db.session.remove()
        db.engine.dispose()


def sqlite_template(folder: Path) -> Path:
    """A prepared SQLite file that may be copied as it stands: nothing is left in its WAL."""
    file = folder / "template.db"
    prepare(f"sqlite:///{file}")
    connection = sqlite3.connect(file)
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    connection.close()
    assert busy == 0
    return file


def copy_of(template: Path, folder: Path) -> str:
    """The URL of a copy of the template."""
    return f"sqlite:///{shutil.copyfile(template, folder / 'license-desk.db')}"


class Postgres:
    """A running server; ``database`` gives a prepared database, ``empty`` one without tables."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._numbers = count(1)
        self._template = ""

    def _url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self._socket}"

    def _run(self, statement: str) -> None:
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a copy of the prepared template."""
        if not self._template:
            self._run("CREATE DATABASE prepared")
            prepare(self._url("prepared"))
            self._template = "TEMPLATE prepared STRATEGY FILE_COPY"
        with self._new(self._template) as url:
            yield url

    @contextmanager
    def empty(self) -> Iterator[str]:
        """The URL of a database without tables."""
        with self._new("") as url:
            yield url

    @contextmanager
    def _new(self, how: str) -> Iterator[str]:
        name = f"test_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name} {how}")
        try:
            yield self._url(name)
        finally:
            self._run(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    """Start a server, stop it at the end. Raises NoPostgresError."""
    programs = _programs()
    who = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # short: a socket's path has room for 107 characters
    try:
        if who:
            shutil.chown(folder, user="postgres")

        def run(program: str, *arguments: str) -> None:
            subprocess.run(
                [programs / program, "-D", folder / "data", *arguments],
                check=True, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **who,
            )  # fmt: skip

        run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        options = f"-k {folder} -c listen_addresses= -c fsync=off -c synchronous_commit=off"
        options += " -c full_page_writes=off -c max_connections=120"
        run("pg_ctl", "start", "-w", "-l", str(folder / "log"), "-o", options)
        try:
            yield Postgres(folder)
        finally:
            run("pg_ctl", "stop", "-m", "immediate", "-w")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    """The folder with the newest server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[-3]))
    on_path = shutil.which("initdb")
    if not found and not on_path:
        raise NoPostgresError("PostgreSQL is not installed: there is no initdb")
    return (found[-1] if found else Path(str(on_path)).resolve()).parent


def _unprivileged() -> dict[str, object]:
    """How to run the server: it refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    import pwd

    try:
        pwd.getpwnam("postgres")
    except KeyError:
        raise NoPostgresError("PostgreSQL can't run as root, and there is no user postgres") from None
    return {"user": "postgres", "group": "postgres", "extra_groups": []}
