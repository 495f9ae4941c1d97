"""Clients that send a byte now and then: half of them never finish their headers, half never their form."""

import contextlib
import selectors
import socket
from collections.abc import Iterator

from tests.serving.raw import FORM

_HEADERS = b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
_BODY = f"POST /sign-in HTTP/1.1\r\nHost: localhost\r\n{FORM}\r\nContent-Length: 5000\r\n\r\n".encode()


@contextlib.contextmanager
def slow_clients(port: int, headers: int, bodies: int) -> Iterator[list[socket.socket]]:
    """So many of each kind, open until the block ends."""
    with contextlib.ExitStack() as stack:
        clients = []
        for beginning in (*[_HEADERS] * headers, *[_BODY] * bodies):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            client.sendall(beginning)
            clients.append(client)
        yield clients


def drip(clients: list[socket.socket]) -> None:
    """One byte more from each that is still connected."""
    for client in clients:
        with contextlib.suppress(OSError):
            client.send(b"x")


def still_open(clients: list[socket.socket]) -> int:
    """How many the server has not given up."""
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client, selectors.EVENT_READ)
        ended = {key.fileobj for key, _ in selector.select(timeout=0)}
    return len(clients) - len(ended)
