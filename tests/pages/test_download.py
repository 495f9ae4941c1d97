"""Lists as files: streamed, a few at a time, and no place is lost however a download ends."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from tests.inspecting import Browser
from tests.make import Make
from webapp.database import db
from webapp.web import download

PIECES = 5


@pytest.fixture
def admin(any_app: Flask, make: Make, browse: Browser, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """An admin of an account whose list is read, and sent, a few rows at a time."""
    monkeypatch.setattr("webapp.licensing.exporting._AT_ONCE", 7)
    monkeypatch.setattr("webapp.licensing.csvfile._PIECE", 7 * 40)
    make.users(7 * PIECES, groups=("Billing",))
    make.admin("boss", name="Boss Zed")
    browse.sign_in("boss", make.password("boss"))
    return browse


def begin(admin: Browser, method: str = "GET") -> Any:
    """An answer of which nothing is read yet."""
    return admin.client.open("/users.csv", method=method, buffered=False)


@contextmanager
def asked() -> Iterator[list[str]]:
    """The statements that the database is asked meanwhile."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_a_file_is_read_while_it_is_sent(admin: Browser) -> None:
    with asked() as statements:
        answer = begin(admin)
        at_first = len(statements)
        assert "Content-Length" not in answer.headers
        text = b"".join(answer.iter_encoded()).decode()
        answer.close()
    assert len(text.splitlines()) == 7 * PIECES + 2
    assert len(statements) > at_first + PIECES


def test_to_ask_for_the_head_of_a_file_reads_none_of_it(admin: Browser) -> None:
    with asked() as statements:
        begin(admin).close()
        of_get = len(statements)
        begin(admin, "HEAD").close()
    assert any("LIMIT" in one for one in statements[:of_get])
    assert not any("LIMIT" in one for one in statements[of_get:])


@pytest.mark.case("ASVS 2.4.1", "ASVS 15.2.2")
def test_two_files_at_a_time_and_no_more(admin: Browser) -> None:
    under_way = [begin(admin) for _ in range(download.AT_ONCE)]
    refused = admin.get("/users.csv", status=503)
    assert refused.response.headers["Retry-After"] == "5"
    under_way[0].close()  # its reader went away
    for _ in range(2 * download.AT_ONCE):
        assert len(admin.get("/users.csv").text.splitlines()) == 7 * PIECES + 2
        begin(admin, "HEAD").close()
    under_way[1].close()
    places_are_free(admin)


def test_a_file_whose_reading_fails_breaks_off_and_gives_its_place_back(
    admin: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2 * download.AT_ONCE):
        answer = begin(admin)
        parts = answer.iter_encoded()
        next(parts)
        with broken_database():
            read_to_the_break(parts, OSError)
        answer.close()
    errors = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert [one.facts["route"] for one in errors] == ["/users.csv"] * 2 * download.AT_ONCE  # type: ignore[attr-defined]
    places_are_free(admin)


@contextmanager
def broken_database() -> Iterator[None]:
    def fail(*_: Any) -> None:
        raise OSError("the disk is gone")

    event.listen(db.engine, "before_cursor_execute", fail)
    try:
        yield
    finally:
        event.remove(db.engine, "before_cursor_execute", fail)


def test_a_file_that_nobody_reads_on_loses_its_place_and_never_looks_whole(
    admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "LONGEST", 0.2)
    under_way = [begin(admin) for _ in range(download.AT_ONCE)]
    readers = [one.iter_encoded() for one in under_way]
    for parts in readers:
        next(parts)
    for _ in under_way:  # waits for as long as it takes that one is over
        assert download._places.acquire(timeout=10)
    for _ in under_way:
        download._places.release()
    for parts in readers:
        read_to_the_break(parts, TimeoutError)
    for answer in under_way:
        answer.close()
    monkeypatch.undo()
    places_are_free(admin)


def read_to_the_break(parts: Iterator[bytes], error: type[Exception]) -> None:
    """Its last line says that it is not whole; an import would refuse it."""
    read: list[bytes] = []
    with pytest.raises(error):
        read.extend(parts)
    assert b"".join(read).decode().splitlines()[-1] == "This file is not complete. Export it again."


def places_are_free(admin: Browser) -> None:
    answers = [begin(admin) for _ in range(download.AT_ONCE)]
    assert [one.status_code for one in answers] == [200] * download.AT_ONCE
    for one in answers:
        one.close()
