"""A signed-in client that sends raw forms: answers are told by status and place, redirects not followed."""

import http.client
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

from bs4 import BeautifulSoup


@dataclass(frozen=True)
class Answer:
    """Status, where it leads, and the fields that have an error."""

    status: int
    location: str
    errors: tuple[str, ...]


class Client:
    """One sign-in on one server; its cookie and token may be used by many threads at once."""

    def __init__(self, port: int, username: str, password: str) -> None:
        self.port = port
        self._cookie = ""
        self._token = self._read("/sign-in")
        fields = {"username": username, "password": password}
        assert self.post("/sign-in", fields).status == 303
        self._token = self._read("/users/new")

    def post(self, path: str, fields: Mapping[str, str | Sequence[str]]) -> Answer:
        """Send a form with the token."""
        body = urllib.parse.urlencode({"csrf_token": self._token, **fields}, doseq=True)
        status, headers, text = self._ask("POST", path, body)
        soup = BeautifulSoup(text, "html5lib") if status == 422 else None
        errors = tuple(str(e["data-error"]) for e in soup.select("[data-error]")) if soup else ()
        return Answer(status, headers.get("Location", ""), errors)

    def _read(self, path: str) -> str:
        status, _, text = self._ask("GET", path)
        assert status == 200, f"{path} answered {status}"
        field = BeautifulSoup(text, "html5lib").select_one("main [name=csrf_token]")
        assert field is not None
        return str(field["value"])

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[int, Mapping[str, str], str]:
        headers = {"Cookie": self._cookie, "Content-Type": "application/x-www-form-urlencoded"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with closing(connection):
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            text = response.read().decode()
        if (cookie := response.headers.get("Set-Cookie")) and (method == "GET" or path == "/sign-in"):
            self._cookie = cookie.partition(";")[0]
        return response.status, {name.title(): value for name, value in response.headers.items()}, text


def at_once(*do: Callable[[], Answer]) -> list[Answer]:
    """All of them at the same time; their answers in order."""
    with ThreadPoolExecutor(len(do)) as pool:
        return [future.result() for future in [pool.submit(one) for one in do]]
