"""SIGTERM: what is under way is answered, and a server that has only just begun ends too."""

import os
import signal
import socket
import time
from contextlib import ExitStack
from urllib.parse import urlencode

import pytest
from filelock import FileLock

from tests.commands.database import usernames
from tests.servers import Desk, running
from tests.serving.raw import FORM, parsed, post
from tests.serving.visiting import Visitor

IN_FLIGHT = 20
WHOM = ["to the server", "to all its processes"]


def read(connection: socket.socket) -> int:
    """The status of the answer on it."""
    found = b""
    while part := connection.recv(65536):
        found += part
    return parsed(found).status


@pytest.mark.parametrize("to_all", [False, True], ids=WHOM)
def test_SIGTERM_answers_all_20_that_are_under_way_and_the_server_leaves_with_0(
    desk: Desk, to_all: bool
) -> None:
    """Told once, or as a service manager tells it: each process, and the workers by the server once more."""
    with running(desk, "serve") as server, ExitStack() as connections:
        visitor = Visitor(server.port)
        visitor.sign_in()
        visitor.ask("GET", "/users/new")
        sent = []
        with FileLock(f"{desk.database}.lock"):
            for number in range(IN_FLIGHT):
                fields = {
                    "username": f"user{number}",
                    "name": "Late",
                    "email": "l@x.example",
                    "license_vcc": "agent",
                }
                body = urlencode({"csrf_token": visitor.token, **fields}).encode()
                form = post(
                    FORM,
                    f"Cookie: {visitor.cookie}",
                    f"Content-Length: {len(body)}",
                    body=body,
                    path="/users/new",
                )
                connection = socket.create_connection(("127.0.0.1", server.port), timeout=30)
                sent.append(connections.enter_context(connection))
                connection.sendall(form)
            time.sleep(2)  # until all of them wait for the lock
            (os.killpg if to_all else os.kill)(server.process.pid, signal.SIGTERM)
            time.sleep(1)
        answers = [read(connection) for connection in sent]
        assert server.process.wait(timeout=30) == 0
    assert set(answers) <= {303, 503}, "answered: done, or on a slow machine told to try again"
    assert len(usernames(desk)) == answers.count(303) + 1


@pytest.mark.parametrize("to_all", [False, True], ids=WHOM)
@pytest.mark.parametrize("moment", range(4))
def test_told_to_end_as_soon_as_it_answers_it_ends_with_0(desk: Desk, moment: int, to_all: bool) -> None:
    """Its second worker is being made then."""
    with running(desk, "serve") as server:
        time.sleep(moment / 50)
        (os.killpg if to_all else os.kill)(server.process.pid, signal.SIGTERM)
        assert server.process.wait(timeout=60) == 0
