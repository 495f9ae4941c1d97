"""GET changes nothing: every page is asked on connections on which the database refuses to write."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from tests.inspecting import Browser
from tests.make import Make
from tests.routes import routes
from webapp.database import db

FILTERS = ("", "?q=per", "?type=agent", "?type=supervisor&q=p", "?after=WyJhIiwiYSJd", "?type=none&after=x")


@contextmanager
def read_only(app: Flask) -> Iterator[None]:
    """No connection can write, whatever statement, function or trigger would."""
    sqlite = db.engine.dialect.name == "sqlite"
    on = "PRAGMA query_only=ON" if sqlite else "SET default_transaction_read_only=on"
    off = "PRAGMA query_only=OFF" if sqlite else "SET default_transaction_read_only=off"

    def taken(connection: Any, *_: Any) -> None:
        _set(connection, on)

    def given_back(connection: Any, *_: Any) -> None:
        if connection is not None:
            _set(connection, off)

    db.session.remove()
    db.engine.dispose()
    event.listen(db.engine, "checkout", taken)
    event.listen(db.engine, "checkin", given_back)
    try:
        yield
    finally:
        event.remove(db.engine, "checkout", taken)
        event.remove(db.engine, "checkin", given_back)
        db.session.remove()
        db.engine.dispose()


def _set(connection: Any, statement: str) -> None:
    connection.execute(statement)
    connection.commit()


def everywhere(app: Flask) -> list[str]:
    """Every route that answers GET, and with filters where it has them."""
    asked = {route.address for route in routes(app) if route.method == "GET"}
    products = {f"/licenses/{key}" for key in ("vcc", "ha", "enc", "accent", "nothing")}
    lists = {address + filters for address in ("/licenses", *products) for filters in FILTERS}
    return sorted(asked | lists)


@pytest.mark.case("ASVS 3.5.3")
@pytest.mark.parametrize("role", ["admin", "supervisor", "nobody"])
def test_no_GET_writes_to_the_database(any_app: Flask, make: Make, browse: Browser, role: str) -> None:
    make.users(60, groups=("Billing",))
    make.admin("ann")
    make.supervisor("sue", read=("Billing",), groups=("Billing",))
    if role != "nobody":
        username = "ann" if role == "admin" else "sue"
        browse.sign_in(username, make.password(username))
    before = set()
    with read_only(any_app):
        for address in everywhere(any_app):
            for headers in ({}, {"HX-Request": "true", "HX-Target": "div#users"}):
                answer = browse.client.get(address, headers=headers, buffered=True)
                assert answer.status_code in (200, 303, 401, 403, 404), (address, answer.status_code)
                before.add((answer.status_code, role))
            browse.client.head(address, buffered=True)
    assert (200, role) in before


@pytest.mark.case("AUTH-1", "HEAD-2", "ASVS 16.5.3")
@pytest.mark.parametrize("signed_in", [False, True])
def test_nothing_is_written_by_an_unsafe_request_that_is_refused(
    any_app: Flask, make: Make, browse: Browser, signed_in: bool
) -> None:
    make.admin("ann")
    password = make.password("ann")
    if signed_in:
        browse.sign_in("ann", password)
    unsafe = [route for route in routes(any_app) if route.method != "GET"]
    assert unsafe
    with read_only(any_app):
        for route in unsafe:
            typed = {"username": "ann", "password": password, "csrf_token": "made up"}
            answer = browse.client.open(route.address, method=route.method, data=typed)
            assert answer.status_code == 400, route


def test_a_write_on_such_a_connection_is_refused(any_app: Flask, make: Make, browse: Browser) -> None:
    make.admin("ann")
    password = make.password("ann")
    browse.get("/sign-in")
    with read_only(any_app), pytest.raises(DBAPIError):
        browse.post("/sign-in", {"username": "ann", "password": password, "next": ""})
