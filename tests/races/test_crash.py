"""FAULT-1: the server is killed at a random moment of saving; nothing that was acknowledged is lost."""

import http.client
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from tests import databases, servers
from tests.make import Make
from tests.races.client import Client
from webapp.database import db
from webapp.licensing import history, ledger
from webapp.models import User

ROUNDS = 5


def started(desk: servers.Desk, port: int, settings: dict[str, str]) -> "subprocess.Popen[bytes]":
    with (desk.folder / "serve.log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "webapp", "serve", "--workers", "2", "--port", str(port)],
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=desk.folder,
            env=desk.environment(**settings), start_new_session=True,
        )  # fmt: skip
    until = time.monotonic() + servers.PATIENCE
    while time.monotonic() < until and process.poll() is None:
        if servers.is_ready(port):
            return process
        time.sleep(0.05)
    raise AssertionError(f"not ready: {process.poll()}")


def save_until_it_dies(client: Client, name: str, acknowledged: set[str]) -> None:
    """Create user after user; those that the server said were created are noted."""
    for number in range(10_000):
        username = f"{name}.{number}"
        fields = {
            "username": username, "name": "Crash", "email": "crash@x.example", "license_vcc": "agent",
            "license_enc": "enabled", "op_id": username,
        }  # fmt: skip
        try:
            answer = client.post("/users/new", fields)
        except (OSError, http.client.HTTPException):
            return
        if answer.status == 303:
            acknowledged.add(username)


def test_FAULT_1_killed_while_saving_nothing_acknowledged_is_lost_and_the_books_are_right(
    any_app: Flask, any_url: str, make: Make, tmp_path_factory: pytest.TempPathFactory
) -> None:
    make.contract()
    make.admin("boss")
    password = make.password("boss")
    db.session.remove()
    site: Path = servers.lay_out(tmp_path_factory.mktemp("site"))
    desk = servers.Desk(site, tmp_path_factory.mktemp("serve"))
    settings = databases.without_prefix(databases.environment(any_url))
    acknowledged: set[str] = set()
    for turn in range(ROUNDS):
        port = servers.free_port()
        process = started(desk, port, settings)
        try:
            client = Client(port, "boss", password)
            savers = [
                threading.Thread(target=save_until_it_dies, args=(client, f"r{turn}t{n}", acknowledged))
                for n in range(4)
            ]
            for saver in savers:
                saver.start()
            time.sleep(random.uniform(0.3, 1.2))
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=30)
        for saver in savers:
            saver.join(timeout=30)
        db.session.rollback()
        there = set(db.session.scalars(select(User.username)))
        assert acknowledged <= there
        assert ledger.recount(db.session()) == []
        key = any_app.extensions["settings"].chain_key.encode()
        assert history.verify(db.session(), key) is None
        db.session.rollback()
    assert len(acknowledged) > ROUNDS, "hardly anything was saved"
