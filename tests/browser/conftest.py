"""Pages in any browser context and on either of two servers: the demo, and one in odd states.

The watching is ``tests.browsing``'s: whatever the browser complains of fails the test.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect

from tests.browser import states
from tests.browsing import Visits
from tests.servers import Desk, Server, lay_out, running

expect.set_options(timeout=10_000)


class Visit:
    """``visit(server, path, role, **context)``: a watched page, signed in if a role is named.

    The context is a touch tablet's but for what ``context`` says otherwise. A role's sign-in is made
    once and shared; ``alone=True`` makes one that the test may end.
    """

    def __init__(self, browser: Browser, shared: dict[tuple[str, str], StorageState]) -> None:
        self._browser = browser
        self._shared = shared
        self._options: dict[str, Any] = {}
        self._visits: dict[str, Visits] = {}

    def __call__(
        self, server: Server, path: str = "/licenses", role: str = "", *, alone: bool = False, **context: Any
    ) -> Page:
        visits = self._visits.setdefault(server.url, Visits(self, server))  # type: ignore[arg-type]
        self._options = context
        if role and not alone:
            self._options["storage_state"] = self._sign_in_of(server, role)
        return visits.open(role if alone else "", path)

    def new_context(self, **usual: Any) -> BrowserContext:
        """What ``Visits`` asks of its browser."""
        return self._browser.new_context(**{**usual, **self._options})

    def expect(self, pattern: str) -> None:
        """This message of the browser will come and is meant."""
        for visits in self._visits.values():
            visits.expect(pattern)

    def end(self) -> None:
        for visits in self._visits.values():
            visits.end()

    def _sign_in_of(self, server: Server, role: str) -> StorageState:
        if (server.url, role) not in self._shared:
            first = Visits(self._browser, server)
            self._shared[server.url, role] = first.open(role, "/licenses").context.storage_state()
            first.end()
        return self._shared[server.url, role]


@pytest.fixture(scope="session")
def _shared() -> dict[tuple[str, str], StorageState]:
    return {}


@pytest.fixture
def visit(chromium: Browser, _shared: dict[tuple[str, str], StorageState]) -> Iterator[Visit]:
    found = Visit(chromium, _shared)
    yield found
    found.end()


@pytest.fixture
def page(visit: Visit, demo: Server) -> Page:
    """The demo's Licenses page on a touch tablet, its admin signed in."""
    return visit(demo, "/licenses", "admin")


@pytest.fixture(scope="session")
def odd(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Full, over, without limit, and names as long as they may be."""
    folder: Path = tmp_path_factory.mktemp("odd")
    desk = Desk(lay_out(tmp_path_factory.mktemp("odd-site")), folder)
    settings = states.fill(desk)
    with running(desk, "serve", **settings) as server:
        server.sign_ins["admin"] = ("ada", states.PASSWORD)
        yield server
