"""FAULT-1: the server is killed at random moments of mixed work; nothing that was acknowledged is lost.

What was cut off is whole or absent, and sent once more it has one effect.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from flask import Flask

from tests import servers
from tests.checking import Asked, Log, check
from tests.counts import Counts
from tests.make import Make
from tests.races.clerk import REFS, Clerk
from tests.races.client import Client
from webapp.database import db
from webapp.licensing import history, ledger

FIRST_DAY = date(2026, 1, 2)  # after that of the contract at the start; each line is of the day after


@contextmanager
def serving(installation: servers.Desk, settings: dict[str, str]) -> Iterator[int]:
    """``serve`` with two workers, killed with all its processes at the end of the block; its port."""
    port = servers.free_port()
    with (installation.folder / "serve.log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "webapp", "serve", "--workers", "2", "--port", str(port)],
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=installation.folder,
            env=installation.environment(**settings), start_new_session=True,
        )  # fmt: skip
    try:
        until = time.monotonic() + servers.PATIENCE
        while not servers.is_ready(port):
            assert process.poll() is None, f"left with {process.returncode}"
            assert time.monotonic() < until, "not ready"
            time.sleep(0.05)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=30)


def load_line(installation: servers.Desk, settings: dict[str, str], log: Log, number: int) -> None:
    """Load one contract line by the command line, of a day of its own."""
    ref, contracted = random.choice(REFS), random.randint(2, 12)
    overage, day = random.choice((0, 2, None)), FIRST_DAY + timedelta(days=number)
    row = f"{ref},{contracted},{'' if overage is None else overage},{day}"
    file = installation.write(f"line{number}.csv", f"License,Contracted,Max overage,Starts on\n{row}\n")
    limit = "no upper limit" if overage is None else f"max overage {overage}"
    begun = time.monotonic()
    ran = installation.run("contract", "load", file, **settings)
    assert ran.code == 0, ran.all
    log.asked.append(Asked(f"{contracted} contracted, {limit}, from {day}", begun, time.monotonic(), 303))


def assert_books_are_right(app: Flask, log: Log) -> None:
    session = db.session()
    session.rollback()
    assert check(session, log) == []
    assert ledger.recount(session) == []
    assert history.verify(session, app.extensions["settings"].chain_key.encode()) is None
    session.rollback()


@pytest.mark.case("FAULT-1", "ASVS 2.3.3")
def test_FAULT_1_killed_at_mixed_work_nothing_acknowledged_is_lost_and_the_books_are_right(
    any_app: Flask, make: Make, installation: servers.Desk, settings: dict[str, str], log: Log, counts: Counts
) -> None:
    make.contract(dict.fromkeys(REFS, (8, 2)))
    make.admin("boss")
    make.user("first")
    password = make.password("boss")
    names = {str(make.group(name)): name for name in ("Billing", "Floor")}
    log.first = history.newest(db.session())
    db.session.remove()
    clerks: list[Clerk] = []
    client: Client | None = None
    for number in range(counts.kills + 1):
        with ThreadPoolExecutor(5) as pool, serving(installation, settings) as port:
            if client is None:
                client = Client(port, "boss", password, log)
                client.groups, known = names, ["first"]
                clerks = [Clerk(client, f"clerk{n}", known) for n in range(4)]
            client.port = port
            for clerk in clerks:
                clerk.repeat()
            assert_books_are_right(any_app, log)
            if number == counts.kills:
                break
            work = [pool.submit(clerk.work) for clerk in clerks]
            work.append(pool.submit(load_line, installation, settings, log, number))
            time.sleep(random.uniform(0.3, 1.5))
        for one in work:
            one.result()
    for command in (("recount",), ("changes", "verify")):
        installation.must(*command, **settings)
    statuses = Counter(asked.status for asked in log.asked)
    assert statuses[303] > counts.kills, "hardly anything was saved"
    cut = statuses.pop(None, 0)
    answers = ", ".join(f"{n:,} × {status}" for status, n in sorted(statuses.items()))
    counts.tell(
        f"{counts.kills} × kill -9 of the server at mixed work",
        f"{answers}, {cut} cut off and sent again, {len(log.seen):,} pages seen",
    )
