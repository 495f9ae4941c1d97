"""What the database itself refuses, through the app's own connection."""

import contextlib
import sqlite3

import pytest
from flask import Flask
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from tests.make import Make
from webapp.database import db, transaction
from webapp.models import Change, ChangeEntry

COPY = {
    "change": Change.__table__.columns.keys(),
    "change_entry": ChangeEntry.__table__.columns.keys(),
}


def everything() -> list[list[tuple[object, ...]]]:
    """The change log as it is stored."""
    session = db.session()
    found = [
        [tuple(row) for row in session.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2"))]
        for table in COPY
    ]
    session.rollback()
    return found


def attempts(table: str) -> list[str]:
    """Every way to change or lose a row that is there."""
    columns = ", ".join(COPY[table])
    again = f"INTO {table} ({columns}) SELECT {columns} FROM {table}"
    ways = [
        f"UPDATE {table} SET cause = 'another'",
        f"UPDATE {table} SET cause = cause",
        f"DELETE FROM {table}",
        f"INSERT {again}",
    ]
    if db.engine.dialect.name == "sqlite":
        return [
            *ways,
            f"INSERT OR REPLACE {again}",
            f"REPLACE {again}",
            f"UPDATE OR REPLACE {table} SET cause = 'x'",
        ]
    key = "seq" if table == "change" else "change_seq, position"
    return [
        *ways,
        f"INSERT {again} ON CONFLICT ({key}) DO UPDATE SET cause = 'another'",
        f"TRUNCATE {table} CASCADE",
    ]


@pytest.mark.case("TRAIL-1")
@pytest.mark.parametrize("table", COPY)
def test_the_change_log_is_append_only_for_the_database_too(any_app: Flask, make: Make, table: str) -> None:
    make.users(2)
    before = everything()
    assert all(before)
    for statement in attempts(table):
        with pytest.raises(DBAPIError), transaction() as session:
            session.execute(text(statement))
        assert everything() == before, statement
    make.user()  # and it can still be added to
    assert len(everything()[0]) == len(before[0]) + 1


@pytest.mark.parametrize("table", COPY)
def test_the_change_log_is_append_only_for_another_program_too(
    app: Flask, sqlite_url: str, make: Make, table: str
) -> None:
    """One that leaves recursive triggers off: then REPLACE deletes without a DELETE trigger."""
    make.users(2)
    db.session.rollback()
    columns = ", ".join(COPY[table])
    with contextlib.closing(sqlite3.connect(make_url(sqlite_url).database or "")) as connection:
        assert connection.execute("PRAGMA recursive_triggers").fetchone() == (0,)
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(f"INSERT OR REPLACE INTO {table} ({columns}) SELECT {columns} FROM {table}")


def test_a_row_that_refers_to_nothing_is_refused(any_app: Flask) -> None:
    for statement in (
        "INSERT INTO membership (user_id, group_id) VALUES (1, 1)",
        "INSERT INTO pool (license_type_id, assigned, revision) VALUES (999, 0, 0)",
    ):
        with pytest.raises(IntegrityError), transaction() as session:
            session.execute(text(statement))


def test_a_row_that_is_referred_to_cannot_be_deleted(any_app: Flask, make: Make) -> None:
    make.user(groups=("Billing",))
    for table in ('"user"', '"group"', "license_type", "product"):
        with pytest.raises(IntegrityError), transaction() as session:
            session.execute(text(f"DELETE FROM {table}"))


def test_every_connection_to_sqlite_is_set_up(app: Flask) -> None:
    wanted = {
        "foreign_keys": 1, "journal_mode": "wal", "synchronous": 2, "busy_timeout": 5000, "recursive_triggers": 1,
    }  # fmt: skip
    connections = [db.engine.connect() for _ in range(3)]
    try:
        for connection in connections:
            found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted}
            assert found == wanted
    finally:
        for connection in connections:
            connection.close()


def test_s4_a_counter_below_zero_is_refused(any_app: Flask) -> None:
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(text("UPDATE pool SET assigned = -1"))


def test_v2_a_second_open_holding_of_a_product_is_refused(any_app: Flask, make: Make) -> None:
    make.user()
    again = (
        "INSERT INTO holding (user_id, license_type_id, product_id, starts_at, opened_by, name_fold, username_fold) "
        "SELECT user_id, license_type_id, product_id, starts_at, opened_by, name_fold, username_fold FROM holding"
    )
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(text(again))
