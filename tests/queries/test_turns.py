"""How long a transaction that writes waits for its turn on SQLite: as long as it may, all locks together."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from webapp.database import db, transaction


@pytest.mark.case("FAULT-2")
@pytest.mark.parametrize("wait", [0, 5, 60])
def test_inside_sqlite_it_waits_no_longer_than_is_left(app: Flask, wait: int) -> None:
    said: list[str] = []
    driver: Any = (
        db.session.connection().connection.driver_connection
    )  # there is but one while nobody else asks
    driver.set_trace_callback(said.append)
    with transaction(wait):
        pass
    driver.set_trace_callback(None)
    begun = said.index("BEGIN IMMEDIATE")
    name, _, most = said[begun - 1].partition("=")
    assert name == "PRAGMA busy_timeout"
    assert (int(most) == 0) if wait == 0 else (0 < int(most) <= wait * 1000)
    assert said[begun + 1] == "PRAGMA busy_timeout=5000"


@pytest.mark.case("FAULT-2")
def test_whoever_may_not_wait_goes_on_at_once_and_the_connection_waits_as_before(app: Flask) -> None:
    with closing(sqlite3.connect(str(db.engine.url.database), isolation_level=None)) as outside:
        outside.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="locked"), transaction(wait=0):
            pass
    assert db.session.connection().exec_driver_sql("PRAGMA busy_timeout").scalar_one() == 5000
    db.session.rollback()
