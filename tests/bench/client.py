"""A browser's part: signs in, keeps a connection open, and takes the time. Knows nothing of the app's inside.

Plain sockets, because the client runs on the same machine as the server: what it costs is missing from
the figures. Every answer must be 200, or the measuring ends.
"""

import re
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlencode

from tests.bench.people import SignIn

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Job:
    """What one client asks, one after the other, from the start on."""

    port: int
    requests: tuple[bytes, ...]
    first: int = 0  # where in the requests it begins
    start: float = 0.0  # by the clock that all processes share
    seconds: float = 1.0


class Connection:
    """One connection, kept open."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, request: bytes) -> bytes:
        """The answer's body, once all of it is here."""
        self._socket.sendall(request)
        data = bytearray()
        while (head := data.find(b"\r\n\r\n")) < 0:
            self._receive(data, request)
        length = _LENGTH.search(data, 0, head + 2)
        assert length and data.startswith(b"HTTP/1.1 200"), f"{request!r}: {bytes(data[:head])!r}"  # noqa: PT018
        end = head + 4 + int(length[1])
        while len(data) < end:
            self._receive(data, request)
        return bytes(data[head + 4 : end])

    def _receive(self, data: bytearray, request: bytes) -> None:
        piece = self._socket.recv(1 << 18)
        assert piece, f"{request!r}: the server hung up"
        data += piece


def request_for(address: str, cookie: str = "", region: str = "") -> bytes:
    """A request as it goes over the wire, for a page or for the region that htmx would swap."""
    headers = {"Host": "127.0.0.1", "Accept": "text/html", "Cookie": cookie} | htmx(region)
    lines = [f"GET {address} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items() if value)]
    return "\r\n".join([*lines, "", ""]).encode()


def htmx(region: str) -> dict[str, str]:
    """The headers by which htmx asks for a region."""
    return {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": region} if region else {}


def sign_in(port: int, who: SignIn) -> str:
    """Sign in as a browser does; the cookie that it has once it was shown a page, with the token of its forms."""
    page, cookie = _exchange(port, "GET", "/sign-in")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    form = {"csrf_token": token[1], "username": who.username, "password": who.password}
    _, cookie = _exchange(port, "POST", "/sign-in", urlencode(form), cookie)
    _, cookie = _exchange(port, "GET", "/licenses", cookie=cookie)
    return cookie


def _exchange(port: int, method: str, path: str, form: str = "", cookie: str = "") -> tuple[str, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
        connection.request(method, path, form or None, headers)
        answer = connection.getresponse()
        assert answer.status == (303 if form else 200), f"{method} {path}: {answer.status}"
        cookies = [value.partition(";")[0] for value in answer.headers.get_all("Set-Cookie", [])]
        return answer.read().decode(), "; ".join(cookies)
    finally:
        connection.close()


def latencies(port: int, requests: Sequence[bytes], number: int, warm: int) -> list[float]:
    """Milliseconds from sending each request to having all of its answer, one at a time."""
    times = []
    with Connection(port) as connection:
        for place in range(-warm, number):
            begun = time.perf_counter()
            connection.ask(requests[place % len(requests)])
            times.append(1000 * (time.perf_counter() - begun))
    return times[warm:]


def pace(job: Job) -> float:
    """The answers a second that one client gets."""
    place, now = job.first, 0.0
    with Connection(job.port) as connection:
        time.sleep(max(0.0, job.start - time.time()))
        while (now := time.time()) < job.start + job.seconds:
            connection.ask(job.requests[place % len(job.requests)])
            place += 1
    return (place - job.first) / (now - job.start)
