"""How a migration runs on SQLite and on PostgreSQL.

On SQLite a changed table is rebuilt: with foreign keys on, that would silently delete the rows
that refer to it, so they are off meanwhile and checked at the end. Two processes can't migrate at
once: the second waits for the first, and then finds nothing left to do.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import context
from filelock import FileLock, Timeout
from flask import current_app
from sqlalchemy import Connection

from webapp.database import PATIENCE, BusyError, db, writes_until
from webapp.models import Base
from webapp.models.base import made_by_hand

_LOCK = 4217  # PostgreSQL's advisory locks are numbers; this one is ours for migrating


def run() -> None:
    """Migrate inside one transaction that is rolled back whole if anything fails."""
    file = current_app.extensions["settings"].sqlite_file
    turn = writes_until.set(time.monotonic() + PATIENCE)
    try:
        if file:
            with _alone(file), db.engine.connect() as connection:
                _on_sqlite(connection)
        else:
            # What it waited for must be seen after the lock, where a snapshot would be older.
            with db.engine.connect().execution_options(isolation_level="READ COMMITTED") as connection:
                _on_postgresql(connection)
    finally:
        writes_until.reset(turn)


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Make the file if need be, the one act that does (``database._never_make_a_file``), and wait for
    whoever writes to it: the lock file is that of all writers.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    try:
        with FileLock(f"{file}.lock", timeout=PATIENCE, mode=0o600):
            yield
    except Timeout:
        raise BusyError from None


def _on_sqlite(connection: Connection) -> None:
    connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")
    try:
        with connection.begin():
            _migrate(connection)
            if connection.exec_driver_sql("PRAGMA foreign_key_check").all():
                raise RuntimeError("a migration would leave rows that refer to nothing")
    finally:
        connection.connection.driver_connection.execute("PRAGMA foreign_keys=ON")


def _on_postgresql(connection: Connection) -> None:
    with connection.begin():
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE:.0f}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        # Nobody who uses the tables may be kept waiting for long behind a migration that waits.
        connection.exec_driver_sql("SET LOCAL lock_timeout = '4s'")
        _migrate(connection)


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,
        compare_type=True,
        include_name=lambda name, _kind, _parents: not made_by_hand(name),
    )
    with context.begin_transaction():
        context.run_migrations()


run()
