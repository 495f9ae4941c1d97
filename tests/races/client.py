"""A signed-in client that sends raw forms: answers are told by status and place, redirects not followed.

Every form carries its own number, and all that is asked, answered and seen is noted in the run's log, for the
checker. Pages are read by their hooks alone.
"""

import http.client
import re
import secrets
import time
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

from tests.checking import Asked, Log, Seen

Form = Mapping[str, str | Sequence[str]]
TOLD = ("name", "email", "sso_external_id")
_DONE = {"archive": "archived", "reactivate": "active", "delete": "deleted"}


@dataclass(frozen=True)
class Answer:
    """Status, where it leads, and the fields that have an error."""

    status: int
    location: str
    errors: tuple[str, ...]


class Client:
    """One sign-in on one server; its cookie and token may be used by many threads at once."""

    def __init__(self, port: int, username: str, password: str, log: Log) -> None:
        self.port = port
        self.log = log
        self.groups: dict[str, str] = {}  # names by id, of those that nobody renames
        self._cookie = ""
        self._token = self._hidden("/sign-in", "csrf_token")
        fields = {"csrf_token": self._token, "username": username, "password": password}
        assert self._ask("POST", "/sign-in", _body(fields))[0] == 303
        self._token = self._hidden("/users", "csrf_token")

    def post(self, path: str, fields: Form) -> Answer:
        """Send a form with the token, and note what came of it. A connection that was cut is raised."""
        fields = {"op_id": secrets.token_urlsafe(16), **fields}
        begun, status, place, text = time.monotonic(), None, "", ""
        try:
            status, headers, text = self._ask("POST", path, _body({"csrf_token": self._token, **fields}))
            place = headers.get("Location", "")
        finally:
            person, wants = self._wanted(path, fields)
            mark = str(fields["op_id"])
            self.log.asked.append(Asked(mark, begun, time.monotonic(), status, place, person, wants))
        assert status is not None
        return Answer(status, place, tuple(dict.fromkeys(re.findall(r'data-error="([^"]+)"', text))))

    def look(self, product: str) -> None:
        """Read a product's Licenses page, and note its figures."""
        begun = time.monotonic()
        text = self._page(f"/licenses/{product}")
        ended = time.monotonic()
        cards = {
            told["license"]: (int(told["contracted"]), int(told["assigned"]), int(told["available"]))
            for told in _hooks(text, "license")
        }
        users = {told["product"]: int(told["users"]) for told in _hooks(text, "product")}
        assert cards and users, f"no figures on the page of {product}"  # noqa: PT018
        self.log.seen.append(Seen(begun, ended, cards, users))

    def version(self, username: str) -> str:
        """The version in a user's form; empty if they are not there any more."""
        _, _, text = self._ask("GET", f"/users/{username}")
        found = re.search(r'name="version" value="(\d+)"', text)
        return found[1] if found else ""

    def _wanted(self, path: str, fields: Form) -> tuple[str, dict[str, str | None] | None]:
        """Whom a form is about, and what the log must tell of them once it is done; nobody: it must differ."""
        _, _, rest = path.partition("/users/")
        person, _, what = rest.partition("/")
        if not person:
            return "", None
        wants: dict[str, str | None] = {"status": _DONE.get(what, "active")}
        lost = {loss.partition("/")[0] for loss in _values(fields, "confirm_losses")}
        for name, value in fields.items():
            if name in TOLD or (name.startswith("license_") and name.removeprefix("license_") not in lost):
                wants[name] = str(value) or None
        if "groups" in fields:
            wants["groups"] = ";".join(sorted(self.groups[key] for key in _values(fields, "groups"))) or None
        return str(fields["username"]) if person == "new" else person, wants

    def _hidden(self, path: str, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]*)"', self._page(path))
        assert found, f"no {name} on {path}"
        return found[1]

    def _page(self, path: str) -> str:
        status, _, text = self._ask("GET", path)
        assert status == 200, f"{path} answered {status}"
        return text

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[int, Mapping[str, str], str]:
        headers = {"Cookie": self._cookie, "Content-Type": "application/x-www-form-urlencoded"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with closing(connection):
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            text = response.read().decode()
        for cookie in response.headers.get_all("Set-Cookie") or ():
            if (method == "GET" or path == "/sign-in") and "_device=" not in cookie:
                self._cookie = cookie.partition(";")[0]
        return response.status, {name.title(): value for name, value in response.headers.items()}, text


def _body(fields: Form) -> str:
    return urllib.parse.urlencode(fields, doseq=True)


def _values(fields: Form, name: str) -> Sequence[str]:
    found = fields.get(name, ())
    return [found] if isinstance(found, str) else found


def _hooks(text: str, name: str) -> list[dict[str, str]]:
    """The ``data-`` attributes of each element that has this one."""
    return [
        dict(re.findall(r'data-([a-z]+)="([^"]*)"', tag))
        for tag in re.findall(rf"<[^>]*\sdata-{name}=[^>]*>", text)
    ]


def at_once(*do: Callable[[], Answer], most: int = 50) -> list[Answer]:
    """All of them at the same time, on so many connections at most; their answers in order."""
    with ThreadPoolExecutor(min(most, len(do))) as pool:
        return [future.result() for future in [pool.submit(one) for one in do]]
