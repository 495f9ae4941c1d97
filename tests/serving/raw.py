"""Requests as bytes, for what no client library would send; answers as they come."""

import socket
import ssl
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser

CLOSED = 0  # the status of a connection that is closed without an answer
FORM = "Content-Type: application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Answer:
    """The first answer on a connection; ``status`` is CLOSED if there was none."""

    status: int
    headers: Message
    body: bytes

    @property
    def is_guarded(self) -> bool:
        """Whether the app made it: the server's own refusals carry no headers."""
        return "Content-Security-Policy" in self.headers


def request(line: str, *headers: str, body: bytes = b"", host: str = "Host: localhost") -> bytes:
    """A request that asks to close the connection; each header a whole line."""
    lines = (line, *([host] if host else []), "Connection: close", *headers)
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def post(*headers: str, body: bytes = b"", path: str = "/sign-in") -> bytes:
    """A POST with just these headers."""
    return request(f"POST {path} HTTP/1.1", *headers, body=body)


def chunked(body: bytes) -> bytes:
    """A body in one chunk."""
    return b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"


def ask(port: int, data: bytes, *, hang_up: bool = False, tls: ssl.SSLContext | None = None) -> Answer:
    """Send it, read to the end. ``hang_up``: say that nothing more comes."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
        connection = tls.wrap_socket(plain, server_hostname="localhost") if tls else plain
        read = b""
        try:
            connection.sendall(data)
            if hang_up:
                connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65536):
                read += part
        except ConnectionError:  # closed while it was still sent
            pass
    return parsed(read)


def parsed(read: bytes) -> Answer:
    """The answer in these bytes."""
    head, _, body = read.partition(b"\r\n\r\n")
    first, _, rest = head.partition(b"\r\n")
    status = int(first.split()[1]) if first else CLOSED
    return Answer(status, BytesHeaderParser().parsebytes(rest), body)
