"""A visitor of the real server by name: signs in, keeps the cookie as it was set, reads whole answers."""

import http.client
import re
import ssl
from contextlib import closing
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from urllib.parse import urlencode

PASSWORD = "a long enough password"
CERT, KEY, OTHER_KEY = (
    Path(__file__).parent / name for name in ("localhost.crt", "localhost.key", "other.key")
)


@dataclass(frozen=True)
class Got:
    """An answer."""

    status: int
    headers: Message
    text: str


@dataclass
class Visitor:
    """Reaches the server on this machine under the name ``host``; ``sends`` goes with every request."""

    port: int
    host: str = "localhost"
    tls: bool = False
    sends: dict[str, str] = field(default_factory=dict)
    cookie: str = ""
    token: str = ""

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> Got:
        """One request; a cookie that is set is kept, a token that is shown too."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named = {"Host": self.host, **self.sends, **({"Cookie": self.cookie} if self.cookie else {}), **named}
        if body is not None:
            named["Content-Type"] = "application/x-www-form-urlencoded"
        with closing(self._connection()) as connection:
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            got = Got(answer.status, answer.headers, answer.read().decode())
        for set_ in got.headers.get_all("Set-Cookie") or ():
            if not set_.partition("=")[0].endswith("_device"):
                self.cookie = set_.partition(";")[0]
        if found := re.search(r'name="csrf_token" value="([^"]+)', got.text):
            self.token = found[1]
        return got

    def post(self, path: str, fields: dict[str, str], **headers: str) -> Got:
        """A form with the token of the last page."""
        return self.ask("POST", path, urlencode({"csrf_token": self.token, **fields}), **headers)

    def sign_in(self, username: str = "ada", password: str = PASSWORD, **headers: str) -> Got:
        """The form, and what sending it answers."""
        self.ask("GET", "/sign-in")
        return self.post("/sign-in", {"username": username, "password": password}, **headers)

    def _connection(self) -> http.client.HTTPConnection:
        if not self.tls:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        context = ssl.create_default_context(cafile=str(CERT))
        context.check_hostname = False  # it is reached by its number
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=context)
