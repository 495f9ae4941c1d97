"""What has a time to keep, against the real server with two workers: nobody is found out by how long a refusal
takes, neither slow clients nor a locked database hold anybody up who reads, and the end comes in time.

Run by ``python -m tests.long`` with nothing beside it, never with the suite: a busy machine must fail no test.
"""

import os
import random
import re
import signal
import socket
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select, update

from tests import databases
from tests.counts import Counts
from tests.make import Made, Make
from tests.servers import Desk, Server, lay_out, running
from tests.serving.raw import FORM, parsed, post
from tests.serving.slow import drip, slow_clients, still_open
from tests.serving.visiting import PASSWORD, Got, Visitor
from webapp.database import db, now, transaction
from webapp.licensing import passwords
from webapp.licensing.sign_ins import NOTED
from webapp.models import Pool, SignIn, User
from webapp.web.passwords import hash_password, init_passwords, is_right

EACH = 100  # tries of each kind
NEAR, NEAR_PART = 0.020, 0.10  # how far medians may be apart: seconds, or a part of the shortest
SLOW = 200  # clients of each kind
ROUNDS = 60
PAGES = ("/licenses", "/users", "/users/new", "/static/app.css")
NEW = {"username": "late", "name": "Late", "email": "l@x.example", "license_vcc": "agent"}
LATE = 1.0  # seconds
HELD = 30  # seconds
TOLD = 6  # seconds, until a save is told to wait
IN_FLIGHT = 20
LONGEST = 30  # seconds, until slow headers are dropped and until the server has ended

Took = Mapping[str, Sequence[float]]  # seconds by kind


@contextmanager
def serving(folder: Path, url: str, **settings: str) -> Iterator[Server]:
    """``serve`` with two workers on this database."""
    desk = Desk(lay_out(folder / "site"), folder)
    variables = databases.without_prefix(databases.environment(url, **settings))
    with running(desk, "serve", "--workers", "2", **variables) as server:
        yield server


def interleaved(ask: Callable[[str], Got], names: Mapping[str, Sequence[str]]) -> Took:
    """Ask about all these names, one of each kind in turn. The answers must be the same to the byte."""
    took: dict[str, list[float]] = {kind: [] for kind in names}
    answers = set()
    for row in zip(*names.values(), strict=True):
        for kind, name in random.sample([*zip(names, row, strict=True)], len(names)):
            begun = time.perf_counter()
            got = ask(name)
            took[kind].append(time.perf_counter() - begun)
            answers.add(bare(got, name))
    assert len(answers) == 1, answers
    return took


def bare(got: Got, name: str) -> str:
    """An answer without what differs between any two: the date, tokens, and the name, which are of one length."""
    headers = sorted((key, value) for key, value in got.headers.items() if key.lower() != "date")
    return re.sub(r"[\w.-]{70,}", "", f"{got.status} {headers}\n{got.text}").replace(name, "")


def told(took: Took) -> str:
    """The medians."""
    return ", ".join(f"{kind} {1000 * median(times):.1f}" for kind, times in took.items())


def are_near(took: Took, near: float = NEAR) -> bool:
    """Whether the medians tell nothing."""
    medians = [median(times) for times in took.values()]
    return max(medians) - min(medians) <= max(near, NEAR_PART * min(medians))


@pytest.mark.case("AUTH-4")
def test_failing_sign_ins_take_as_long_for_whoever_exists_as_for_nobody(
    any_app: Flask, any_url: str, make: Make, tmp_path: Path, counts: Counts
) -> None:
    """Each try comes from an address of its own, as a proxy tells it, and is about another account: none is held."""
    init_passwords(any_app)  # at the cost at which the server hashes
    names = {
        "unknown": [f"nobody.{number:04}" for number in range(EACH)],
        "archived": with_password(make.users(EACH, "admin", active=False)),
        "agent": with_password(make.users(EACH, "agent")),
        "admin": with_password(make.users(EACH, "admin")),
    }
    addresses = count(1)
    with serving(tmp_path, any_url, PROXY_COUNT="1") as server:
        visitor = Visitor(server.port)
        visitor.ask("GET", "/sign-in")

        def fail(name: str) -> Got:
            number = next(addresses)
            got = visitor.post(
                "/sign-in",
                {"username": name, "password": "a wrong password of theirs"},
                X_Forwarded_For=f"10.0.{number >> 8}.{number & 255}",
            )
            assert got.status == 422
            return got

        took = interleaved(fail, names)
    counts.tell(
        f"{EACH} failing sign-ins of each kind in turn, medians in ms", f"{told(took)}; all alike, 422"
    )
    assert are_near(took, min(NEAR, one_hash() / 2))  # where hashing is fast, one left out must be seen too


def one_hash() -> float:
    """Seconds that comparing a password takes here."""
    took = []
    for _ in range(9):
        begun = time.perf_counter()
        is_right(PASSWORD, None)
        took.append(time.perf_counter() - begun)
    return median(took)


def with_password(people: Sequence[Made]) -> list[str]:
    """Give them all one password, hashed once; their usernames."""
    password_hash = hash_password(PASSWORD)
    with transaction() as session:
        for who in people:
            passwords.store(session, who.id, password_hash, now())
    return [who.username for who in people]


@pytest.mark.case("VIEW-3")
def test_whoever_is_out_of_view_is_refused_as_fast_as_whoever_is_not_there(
    any_app: Flask, any_url: str, make: Make, tmp_path: Path, counts: Counts
) -> None:
    names = {
        "foreign": [who.username for who in make.users(EACH, groups=("B",))],
        "missing": [f"nobody.{number:04}" for number in range(EACH)],
    }
    make.supervisor("sue", write=("A",), groups=("A",), permissions=("access", "edit"))
    form = {"version": "1", "name": "Somebody", "email": "x@x.example", "license_vcc": "agent"}
    with serving(tmp_path, any_url) as server:
        visitor = Visitor(server.port)
        assert visitor.sign_in("sue", make.password("sue")).status == 303
        visitor.ask("GET", "/users")
        doors: dict[str, Callable[[str], Got]] = {
            "page": lambda name: visitor.ask("GET", f"/users/{name}"),
            "history": lambda name: visitor.ask("GET", f"/users/{name}/history"),
            "edit": lambda name: visitor.post(f"/users/{name}", form),
            "archive": lambda name: visitor.post(f"/users/{name}/archive", {"version": "1"}),
        }

        def refused(name: str, door: Callable[[str], Got]) -> Got:
            got = door(name)
            assert got.status == 404
            return got

        took = {
            which: interleaved(lambda name, door=door: refused(name, door), names)
            for which, door in doors.items()
        }
    came = "; ".join(f"{which}: {told(times)}" for which, times in took.items())
    counts.tell(f"{EACH} foreign and {EACH} missing users in turn, medians in ms", f"{came}; all alike, 404")
    assert all(map(are_near, took.values()))


@pytest.mark.case("LOAD-2")
def test_beside_400_slow_clients_pages_come_within_a_second(
    any_app: Flask, any_url: str, make: Make, tmp_path: Path, counts: Counts
) -> None:
    make.admin("boss")
    with serving(tmp_path, any_url) as server:
        visitor = Visitor(server.port)
        assert visitor.sign_in("boss", make.password("boss")).status == 303
        alone, beside, dropped = percentile_95(visitor), [], None
        with slow_clients(server.port, SLOW, SLOW) as clients:
            begun = time.monotonic()
            while dropped is None and time.monotonic() - begun < LONGEST:
                drip(clients)
                beside.append(percentile_95(visitor))
                dropped = None if still_open(clients[:SLOW]) else time.monotonic() - begun
            open_bodies = still_open(clients[SLOW:])
            for client in clients:  # they hang up, and no answer is owed them
                client.close()
        after = percentile_95(visitor)
    counts.tell(
        f"pages beside {SLOW} slow headers and {SLOW} slow forms, p95 in ms",
        f"{1000 * alone:.0f} alone, {1000 * max(beside):.0f} beside, {1000 * after:.0f} after; slow headers "
        + (f"dropped after {dropped:.0f} s" if dropped else "**not dropped**")
        + f", {open_bodies} slow forms still waited for",
    )
    assert max(beside) < LATE
    assert dropped
    assert dropped <= LONGEST


@pytest.mark.case("FAULT-2")
def test_while_another_holds_the_database_pages_come_in_time_and_saves_are_soon_told_to_wait(
    any_app: Flask, any_url: str, make: Make, tmp_path: Path, counts: Counts
) -> None:
    make.admin("boss")
    password = make.password("boss")
    with serving(tmp_path, any_url) as server, ThreadPoolExecutor(1) as pool:
        reader, writer = Visitor(server.port), Visitor(server.port)
        for visitor in (reader, writer):
            assert visitor.sign_in("boss", password).status == 303
        writer.ask("GET", "/users/new")
        pages, waits, answers = [], [], []
        with transaction() as session:  # so that each page has it to note that they were here
            session.execute(update(SignIn).values(seen_at=now() - 2 * NOTED))
        with held(any_url):
            until = time.monotonic() + HELD
            while time.monotonic() < until:
                saving = pool.submit(timed_save, writer)
                while not saving.done():
                    pages.append(percentile_95(reader))
                waited, got = saving.result()
                waits.append(waited)
                answers.append((got.status, got.headers["Retry-After"]))
        after, got = timed_save(writer)
    counts.tell(
        f"the database held for {HELD} s by another",
        f"{len(waits)} saves told to wait after at most {max(waits):.1f} s, pages meanwhile p95 "
        f"{1000 * max(pages):.0f} ms; then one saved in {1000 * after:.0f} ms",
    )
    assert set(answers) == {(503, "5")}
    assert max(waits) <= TOLD
    assert max(pages) < LATE / 2
    assert got.status == 303
    made = select(User.id).where(User.username == NEW["username"])
    assert len(db.session.scalars(made).all()) == 1


@contextmanager
def held(url: str) -> Iterator[None]:
    """Another program has what every save waits for."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as outside:
            outside.execute("BEGIN IMMEDIATE")
            yield
    else:
        with psycopg.connect(url) as outside:
            outside.execute("LOCK TABLE pool, chain_head IN EXCLUSIVE MODE")
            yield
            outside.rollback()


def timed_save(visitor: Visitor) -> tuple[float, Got]:
    """A new user; seconds, and the answer."""
    begun = time.monotonic()
    got = visitor.post("/users/new", NEW)
    return time.monotonic() - begun, got


def percentile_95(visitor: Visitor) -> float:
    """Seconds, over all pages and rounds."""
    took = []
    for number in range(ROUNDS * len(PAGES)):
        begun = time.perf_counter()
        status = visitor.ask("GET", PAGES[number % len(PAGES)]).status
        took.append(time.perf_counter() - begun)
        assert status == 200
    return sorted(took)[int(len(took) * 0.95)]


def test_at_SIGTERM_all_20_saves_under_way_are_answered_and_the_server_ends_in_time(
    any_app: Flask, any_url: str, make: Make, tmp_path: Path, counts: Counts
) -> None:
    make.admin("boss")
    password = make.password("boss")
    with serving(tmp_path, any_url) as server, ExitStack() as connections:
        visitor = Visitor(server.port)
        assert visitor.sign_in("boss", password).status == 303
        visitor.ask("GET", "/users/new")
        with transaction() as session:
            session.execute(select(Pool).with_for_update())  # every save waits for these
            sent = [
                connections.enter_context(begun_save(server.port, visitor, f"late{number}"))
                for number in range(IN_FLIGHT)
            ]
            time.sleep(2)  # until all of them wait
            begun = time.monotonic()
            os.kill(server.process.pid, signal.SIGTERM)
            time.sleep(1)
        answers = Counter(status_on(connection) for connection in sent)
        code = server.process.wait(timeout=2 * LONGEST)
        took = time.monotonic() - begun
    came = ", ".join(f"{number} × {status}" for status, number in sorted(answers.items()))
    counts.tell(
        f"{IN_FLIGHT} saves under way at SIGTERM, held up for a second after it",
        f"{came}; left with {code} after {took:.1f} s",
    )
    assert answers == {303: IN_FLIGHT}
    assert took <= LONGEST


def begun_save(port: int, visitor: Visitor, username: str) -> socket.socket:
    """A connection on which a save was sent."""
    body = urlencode({"csrf_token": visitor.token, **NEW, "username": username}).encode()
    cookie, length = f"Cookie: {visitor.cookie}", f"Content-Length: {len(body)}"
    connection = socket.create_connection(("127.0.0.1", port), timeout=LONGEST)
    connection.sendall(post(FORM, cookie, length, body=body, path="/users/new"))
    return connection


def status_on(connection: socket.socket) -> int:
    """The status of the answer on it; 0 if there is none."""
    found = b""
    while part := connection.recv(65536):
        found += part
    return parsed(found).status
