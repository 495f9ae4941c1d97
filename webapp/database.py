"""The database: one handle, how each connection begins, and the only commit in the app.

On SQLite a transaction that will write says so at once (BEGIN IMMEDIATE), after a lock that waits
without holding a connection: waiting inside SQLite would keep readers from their connections.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from filelock import FileLock, Timeout
from flask import Flask, current_app
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, event, func, select
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from webapp import resources
from webapp.licensing.history import Clock
from webapp.models import Base
from webapp.settings import Settings

WAIT = 5.0  # seconds a writer waits for the others, all locks together
# The same on the command line, where nobody looks at a page meanwhile. On PostgreSQL the statement
# limit below ends the wait at 25 s.
PATIENCE = 60.0
CACHE = 32 * 1024  # KiB that a connection to SQLite may keep of the file: most of what lists walk

db = SQLAlchemy(metadata=Base.metadata)
migrate = Migrate()

# Until when a transaction that is to write may wait for its turn, by ``time.monotonic``; None: it only reads.
writes_until: ContextVar[float | None] = ContextVar("writes_until", default=None)
_one_writer = threading.Lock()


class BusyError(Exception):
    """The database was locked for too long; nothing was changed. Trying again is safe."""


def now() -> datetime:
    """This moment in UTC: the clock that doors hand to the core."""
    return datetime.now(UTC)


def clock() -> Clock:
    """The clock with the installation's time zone."""
    return Clock(now, current_app.extensions["settings"].time_zone)


def init_database(app: Flask, settings: Settings) -> None:
    """Bind the app to its database."""
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    # What is bound to a statement may be a hash or a name: no error may tell it.
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"hide_parameters": True, **_engine_options(settings)}
    db.init_app(app)
    migrate.init_app(app, db, directory=str(resources.MIGRATIONS))
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            event.listen(db.engine, "do_connect", _never_make_a_file)
            event.listen(db.engine, "connect", _connect)
            event.listen(db.engine, "checkout", _leave_a_lost_file)
            event.listen(db.engine, "begin", _begin)


def _engine_options(settings: Settings) -> dict[str, Any]:
    if settings.sqlite_file:
        # The connection used last is used next: it has the most of the file at hand.
        return {"connect_args": {"timeout": WAIT, "uri": True}, "pool_use_lifo": True}
    limits = ("lock_timeout=5s", "statement_timeout=25s", "idle_in_transaction_session_timeout=30s")
    options = " ".join(f"-c {limit}" for limit in limits)
    # Readers see one moment, as on SQLite: else a page could mix figures of before and after a change.
    return {
        "connect_args": {"options": options}, "pool_pre_ping": True, "isolation_level": "REPEATABLE READ"
    }  # fmt: skip


def _never_make_a_file(_dialect: Any, _record: Any, arguments: list[str], _more: dict[str, Any]) -> None:
    """A lost database is an error, never a new empty one. Migrating makes the file."""
    arguments[0] = f"file:{quote(arguments[0])}?mode=rw"


def _connect(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # the driver must send no BEGIN of its own
    for pragma in (
        "foreign_keys=ON", "journal_mode=WAL", "synchronous=FULL",
        "recursive_triggers=ON", f"cache_size=-{CACHE}",
    ):  # fmt: skip
        connection.execute(f"PRAGMA {pragma}")
    _wait_at_most(connection, WAIT)


def _leave_a_lost_file(connection: sqlite3.Connection, record: ConnectionPoolEntry, _proxy: Any) -> None:
    """A file that was removed or replaced stays open, and what was saved there would be lost with it."""
    if "name" not in record.info:
        record.info["name"] = connection.execute("PRAGMA database_list").fetchone()[2]
    file = _file_of(record.info["name"])
    if record.info.setdefault("file", file) != file:
        raise DisconnectionError


def _file_of(name: str) -> tuple[int, int] | None:
    """Which file stands under the database's name now."""
    try:
        found = os.stat(name)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _begin(connection: Connection) -> None:
    until = writes_until.get()
    driver = connection.connection.driver_connection
    assert driver
    if until is None:
        driver.execute("BEGIN")  # it locks nothing, so it can't fail
        return
    _wait_at_most(driver, until - time.monotonic())
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        _wait_at_most(driver, WAIT)


def _wait_at_most(driver: Any, seconds: float) -> None:
    driver.execute(f"PRAGMA busy_timeout={max(0, int(seconds * 1000))}")


@contextmanager
def transaction(wait: float = WAIT) -> Iterator[Session]:
    """A writing transaction: commits at the end, rolls back on any error.

    Everything a decision needs is read inside it. ``wait``: seconds for its turn; 0: now or never.
    Raises BusyError if the others take longer, and RuntimeError if unsaved changes are about: they
    would be lost or slip in.
    """
    session = db.session()
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("unsaved changes before a transaction")
    session.rollback()  # ends the reading transaction: what it saw is old
    until = time.monotonic() + wait
    with _alone(current_app.extensions["settings"].sqlite_file, until):
        turn = writes_until.set(until)
        try:
            if db.engine.dialect.name == "sqlite":
                session.connection()
            else:
                # What it waited for is read afresh after the lock, where a snapshot would give up.
                session.connection(execution_options={"isolation_level": "READ COMMITTED"})
                limit = f"{max(wait, 0.01) * 1000:.0f}ms"  # 0 would wait for ever
                session.execute(select(func.set_config("lock_timeout", limit, True)))
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            writes_until.reset(turn)


def reader() -> Session:
    """A session of its own for what is read after the view has returned; close it.

    It sees the moment of its first question, however long it reads.
    """
    return Session(db.engine)


@contextmanager
def _alone(sqlite_file: Path | None, until: float) -> Iterator[None]:
    """On SQLite: this process's lock, then a lock file, both by then."""
    if sqlite_file is None:
        yield
        return
    if not _one_writer.acquire(timeout=max(0, until - time.monotonic())):
        raise BusyError
    try:
        lock = FileLock(f"{sqlite_file}.lock", mode=0o600)
        try:
            lock.acquire(timeout=max(0, until - time.monotonic()), poll_interval=0.01)
        except Timeout:
            raise BusyError from None
        try:
            yield
        finally:
            lock.release()
    finally:
        _one_writer.release()


def means_busy(error: Exception) -> bool:
    """Whether an error says "locked, try again": told by its code, never by its words."""
    if isinstance(error, (BusyError, PoolTimeout)):
        return True
    if not isinstance(error, DBAPIError):
        return False
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    state = getattr(error.orig, "sqlstate", None)
    gone = isinstance(error, OperationalError) and (state is None or error.connection_invalidated)
    return state in ("40001", "40P01", "55P03", "57014") or gone
