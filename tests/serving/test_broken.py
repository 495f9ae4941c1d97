"""The database is lost, replaced, damaged or locked while the real server runs: a plain page, and no word more."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from email.message import Message

import pytest
from filelock import FileLock

from tests.commands.database import usernames
from tests.inspecting import HEADERS
from tests.servers import Desk, running
from tests.serving.visiting import Got, Visitor

NEW = {"username": "bob", "name": "Bob", "email": "bob@desk.example", "license_vcc": "agent"}
PAGES = ("/licenses", "/users", "/users/ada", "/sign-in", "/nothing", "/users.csv")


def lost(desk: Desk) -> None:
    for file in desk.data.glob("license-desk.db*"):
        file.unlink()


def moved(desk: Desk) -> None:
    shutil.move(desk.data, desk.folder / "elsewhere")


def a_folder(desk: Desk) -> None:
    lost(desk)
    desk.database.mkdir()


def garbage(desk: Desk) -> None:
    lost(desk)
    desk.database.write_bytes(b"this was never a database\n" * 400)


def overwritten(desk: Desk) -> None:
    for file in desk.data.glob("license-desk.db*"):
        file.write_bytes(b"this was never a database\n" * 4000)


def empty(desk: Desk) -> None:
    lost(desk)
    desk.database.touch()


def without_a_table(desk: Desk) -> None:
    connection = sqlite3.connect(desk.database)
    connection.execute("DROP TABLE sign_in")
    connection.commit()
    connection.close()


def inspect_plain(got: Got, path: str, desk: Desk) -> None:
    assert got.status in (500, 503), path
    guarded(got.headers)
    assert f"Error {got.status}" in got.text
    assert "<h1>" in got.text
    for word in ("Traceback", "sqlite", "SELECT", ".py", ".db", str(desk.folder), "Ada"):
        assert word not in got.text, (path, word)


def guarded(headers: Message) -> None:
    for name, value in HEADERS.items():
        assert headers.get_all(name) == [value]
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.case("ASVS 16.5.1", "ASVS 16.5.2", "ASVS 16.5.4")
@pytest.mark.parametrize("breaks", [lost, moved, a_folder, garbage, overwritten, empty, without_a_table])
def test_without_its_database_every_page_is_the_plain_one(desk: Desk, breaks: Callable[[Desk], None]) -> None:
    with running(desk, "serve", "--workers", "1") as server:
        visitor = Visitor(server.port)
        assert visitor.sign_in().status == 303
        assert visitor.ask("GET", "/users/new").status == 200
        breaks(desk)
        for path in PAGES:
            inspect_plain(visitor.ask("GET", path), path, desk)
        inspect_plain(visitor.post("/users/new", NEW), "saving", desk)
        ready = visitor.ask("GET", "/readyz")
        assert ready.status == (200 if breaks is without_a_table else 503)
        guarded(ready.headers)
        assert visitor.ask("GET", "/healthz").text == "ok\n"
        assert visitor.ask("GET", "/static/app.css").status == 200
        log = server.log.read_text("utf-8")
    assert log.count(" error error id=") == len(PAGES) + 1
    assert "  | Traceback (most recent call last):" in log


def test_a_file_put_in_its_place_is_what_is_read_and_written_from_then_on(desk: Desk) -> None:
    """Whoever saves is never told "saved" by a file that nobody will find again."""
    kept = desk.copy(desk.folder / "kept")
    with running(desk, "serve", "--workers", "1") as server:
        visitor = Visitor(server.port)
        visitor.sign_in()
        visitor.ask("GET", "/users/new")
        assert visitor.post("/users/new", NEW).status == 303
        for suffix in ("-wal", "-shm"):
            desk.database.with_name(desk.database.name + suffix).unlink(missing_ok=True)
        os.replace(kept.database, desk.database)
        assert visitor.ask("GET", "/users/bob").status == 303  # that sign-in is not there either
        visitor.sign_in()
        assert visitor.ask("GET", "/users/bob").status == 404
        assert visitor.ask("GET", "/users/new").status == 200
        assert visitor.post("/users/new", NEW).status == 303
    assert usernames(desk) == ["ada", "bob"]
    desk.must("changes", "verify")


@pytest.mark.case("FAULT-2")
def test_FAULT_2_while_another_writes_pages_are_read_and_saving_is_told_to_wait(desk: Desk) -> None:
    with running(desk, "serve", "--workers", "1") as server:
        visitor = Visitor(server.port)
        visitor.sign_in()
        visitor.ask("GET", "/users/new")
        with FileLock(f"{desk.database}.lock"):
            assert visitor.ask("GET", "/licenses").status == 200
            busy = visitor.post("/users/new", NEW)
        outside = sqlite3.connect(desk.database, isolation_level=None)
        outside.execute("BEGIN IMMEDIATE")
        assert visitor.ask("GET", "/users").status == 200
        locked = visitor.post("/users/new", NEW)
        outside.execute("ROLLBACK")
        outside.close()
        for got in (busy, locked):
            inspect_plain(got, "saving", desk)
            assert (got.status, got.headers["Retry-After"]) == (503, "5")
            assert "Nothing was changed." in got.text
        assert visitor.post("/users/new", NEW).status == 303
    assert usernames(desk) == ["ada", "bob"]
