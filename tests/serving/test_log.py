"""The log: a line for each request, that nobody can forge and in which no secret stands."""

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.servers import Desk, Server, running
from tests.serving.raw import ask, request
from tests.serving.visiting import PASSWORD, Visitor
from webapp.database import db
from webapp.web.log import Lines, event

ABOUT = ["time", "level", "event", "id", "method", "route", "actor", "address"]
TIME = r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
FORGED = "2026-01-01T00:00:00.000Z info request id=000000000000"
UNSAFE = ["\n", "\r\n", "\0", "\x1b[2J", "\x7f", "\x85", "\u2028", "\u202e", "\ud800", '"', "\\", " = ", "\t"]


def lines(server: Server) -> list[str]:
    """The log after the words of the start; while the server runs it may be a moment behind the answers."""
    return server.log.read_text("utf-8").partition(f":{server.port}/\n")[2].splitlines()


def record(message: str, error: BaseException | None = None, **facts: Any) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("license_desk", logging.INFO, __file__, 1, message, None, info)
    made.facts = facts
    return made


def walk(server: Server) -> list[str]:
    """What people do and what they should not; the secrets that went over the line."""
    visitor = Visitor(server.port, sends={"User-Agent": "the agent", "X-Request-Id": "chosen-by-the-client"})
    visitor.sign_in("ada", "the wrong password")
    visitor.sign_in(f"ada\n{FORGED}", "another wrong password")
    secrets = [visitor.cookie.partition("=")[2], visitor.token]
    assert visitor.sign_in().status == 303
    for path in (
        "/licenses?q=a+name+sought",
        "/users?q=a+name+sought",
        "/password/a-link-token",
        "/users/new",
        "/users.csv",
    ):
        visitor.ask("GET", path)
    secrets += [visitor.cookie.partition("=")[2], visitor.token]
    saved = visitor.post(
        "/users/new", {"username": "bob", "name": "Bob Typed", "email": "b@x.example", "license_vcc": "agent"}
    )
    assert saved.status == 303
    visitor.ask("GET", "/users/bob")
    other = Visitor(server.port)
    other.ask("POST", "/users/bob", "csrf_token=a-made-up-token", Cookie="license_desk=a-made-up-cookie")
    other.ask("GET", "/sign-in", Host=f"evil.example{'x' * 3000}")
    visitor.post("/sign-out", {}, Origin="https://evil.example")
    ask(server.port, request("GET /users/%0a" + FORGED.replace(" ", "%20") + " HTTP/1.1"))
    assert visitor.post("/sign-out", {}).status == 303
    return [
        *secrets, PASSWORD, "the wrong password", "another wrong", "a+name+sought", "a name sought", "a-link-token", "q=",
        "a-made-up-token", "a-made-up-cookie", "Bob Typed", "b@x.example", "chosen-by-the-client", "the agent", FORGED,
    ]  # fmt: skip


@pytest.mark.case("ASVS 16.2.1", "ASVS 16.2.2", "ASVS 16.2.4", "ASVS 16.2.5")
@pytest.mark.parametrize("format_", ["text", "json"])
def test_of_a_walk_each_request_is_one_line_and_no_secret_is_in_any(desk: Desk, format_: str) -> None:
    with running(desk, "serve", LOG_FORMAT=format_) as server:
        secrets = walk(server)
    log = lines(server)  # whole, since the server has ended
    for secret in secrets:
        assert secret not in "\n".join(log), secret
    if format_ == "text":
        shape = re.compile(rf'{TIME} (?:info|warning) \w+(?: [a-z]+=(?:[!#-<>-\[\]-~]+|"[ -~]*"))+')
        assert [line for line in log if not shape.fullmatch(line)] == []
        return
    found = [json.loads(line) for line in log]
    for one in found:
        assert list(one)[: len(ABOUT)] == ABOUT, one
        assert re.fullmatch(TIME, one["time"])
        assert re.fullmatch(r"[0-9a-f]{12}", one["id"])
        assert one["address"] == "127.0.0.1"
        assert all(len(str(value)) <= 1000 for value in one.values())
    requests = [one for one in found if one["event"] == "request"]
    assert all(list(one)[len(ABOUT) :] == ["status", "ms", "bytes"] for one in requests)
    assert len({one["id"] for one in requests}) == len(requests)
    saved = [
        one for one in requests if (one["method"], one["route"], one["status"]) == ("POST", "/users/new", 303)
    ]
    assert [one["actor"] for one in saved] == ["ada"]
    viewed = [one for one in requests if one["route"] == "/users/<username>" and one["status"] == 200]
    assert [one["actor"] for one in viewed] == ["ada"]
    assert {one["route"] for one in requests if one["status"] == 404} == {"/password/<token>"}
    (export,) = [one for one in requests if one["route"] == "/users.csv"]
    assert export["bytes"] > 100
    events = [one for one in found if one["event"] != "request"]
    assert [one["event"] for one in events] == [
        "sign_in_refused", "sign_in_refused", "signed_in", "csrf_refused", "host_refused", "origin_refused", "signed_out",
    ]  # fmt: skip
    assert events[2]["user"] == "ada"
    assert events[4]["host"].startswith("evil.examplexxx")
    assert events[5]["origin"] == "https://evil.example"
    assert {one["id"] for one in events} <= {one["id"] for one in requests}


@pytest.mark.case("ASVS 1.3.3", "ASVS 16.4.1")
@pytest.mark.parametrize("unsafe", UNSAFE)
@pytest.mark.parametrize("as_json", [False, True])
def test_no_value_makes_a_line_or_leaves_its_place(as_json: bool, unsafe: str) -> None:
    value = f"a{unsafe}{FORGED}"
    told = Lines(as_json).format(record("request", actor=value, status=200))
    assert told.isascii()
    assert told.isprintable()
    if as_json:
        assert json.loads(told)["actor"] == value
        return
    head, _, rest = told.partition(" actor=")
    quoted, status, _ = rest.rpartition(" status=")
    assert head.endswith(" info request")
    assert json.loads(quoted) == value
    assert status


def test_values_are_cut_at_1000_characters_and_numbers_stay_numbers() -> None:
    found = json.loads(Lines(True).format(record("request", route="x" * 5000, ms=1.5, status=200)))
    assert (len(found["route"]), found["ms"], found["status"]) == (1000, 1.5, 200)


@pytest.mark.case("ASVS 16.4.1")
@pytest.mark.parametrize("as_json", [False, True])
def test_others_records_and_tracebacks_cannot_be_taken_for_a_line_of_ours(as_json: bool) -> None:
    try:
        raise ValueError(f"typed\n{FORGED}\r{FORGED}")
    except ValueError as error:
        told = Lines(as_json).format(record(f"broken\n{FORGED}", error))
    if as_json:
        assert len(told.splitlines()) == 1
        assert "ValueError: typed" in json.loads(told)["trace"]
        return
    first, *rest = told.splitlines()
    assert re.fullmatch(rf"{TIME} info broken\\n.*", first)
    assert rest[0] == "  | Traceback (most recent call last):"
    assert all(line.startswith("  | ") for line in rest)


@pytest.mark.case("ASVS 16.2.5")
def test_the_error_of_a_statement_tells_no_value_of_it(any_app: Flask) -> None:
    """PostgreSQL repeats the whole row that it refuses."""
    values = {"hash": "$argon2id$the-hash"}
    try:
        db.session.execute(
            text("INSERT INTO credential (user_id, password_hash) VALUES (NULL, :hash)"), values
        )
    except DBAPIError as error:
        told = Lines().format(record("error", error))
    finally:
        db.session.rollback()
    assert "Error" in told
    assert "INSERT INTO credential" in told
    assert "the-hash" not in told
    assert "DETAIL" not in told


def test_an_event_may_be_told_outside_a_request_and_inside_it_names_who_asks(
    app: Flask, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    event("backup_made", file=str(tmp_path))
    with app.test_request_context(
        "/users/ann?q=sought", method="POST", environ_base={"REMOTE_ADDR": "192.0.2.1"}
    ):
        event("sign_in_refused", username="ann")
    outside, inside = (vars(one)["facts"] for one in caplog.records)
    assert outside == {"file": str(tmp_path)}
    assert inside.pop("id")
    assert inside == {
        "method": "POST", "route": "/users/<username>", "actor": "-", "address": "192.0.2.1", "username": "ann",
    }  # fmt: skip
