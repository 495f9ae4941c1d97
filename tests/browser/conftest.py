"""One Chromium and two servers for all browser tests: the demo, and one in odd states.

A page that logs an error or warning, breaks its Content-Security-Policy or asks another host
fails its test, whatever the test looked at.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect

from tests.browser import chromium, states
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
        self._watch = chromium.Watch()
        self._contexts: list[BrowserContext] = []

    def __call__(
        self, server: Server, path: str = "/licenses", role: str = "", *, alone: bool = False, **context: Any
    ) -> Page:
        if role and not alone:
            context["storage_state"] = self._sign_in_of(server, role)
        page = self._page(server, **context)
        if role and alone:
            chromium.sign_in(page, *server.sign_ins[role])
        page.goto(path)
        return page

    def expect(self, pattern: str) -> None:
        """This trouble will come and is meant, such as the console's line about a 503."""
        self._watch.allow(pattern)

    def end(self) -> None:
        for context in self._contexts:
            context.close()
        assert self._watch.troubles == []

    def _page(self, server: Server, **context: Any) -> Page:
        made = self._browser.new_context(**{**chromium.TABLET, "base_url": server.url, **context})
        self._contexts.append(made)
        self._watch.over(made, server.url)
        return made.new_page()

    def _sign_in_of(self, server: Server, role: str) -> StorageState:
        if (server.url, role) not in self._shared:
            page = self._page(server)
            chromium.sign_in(page, *server.sign_ins[role])
            self._shared[server.url, role] = page.context.storage_state()
        return self._shared[server.url, role]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if chromium.executable() is None:
        why = "no Chromium: install the package chromium, or name one in CHROMIUM"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(why, pytrace=False)
        pytest.skip(why)
    with chromium.launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def demo(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The worked example: 385 contracted, 305 assigned, 80 available."""
    desk = Desk(lay_out(tmp_path_factory.mktemp("demo-site")), tmp_path_factory.mktemp("demo"))
    with running(desk, "demo") as server:
        yield server


@pytest.fixture(scope="session")
def odd(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Full, over, without limit, archived, many groups, and names as long as they may be."""
    desk = Desk(lay_out(tmp_path_factory.mktemp("odd-site")), tmp_path_factory.mktemp("odd"))
    with states.serving(desk) as server:
        yield server


@pytest.fixture(scope="session")
def _shared() -> dict[tuple[str, str], StorageState]:
    return {}


@pytest.fixture
def visit(browser: Browser, _shared: dict[tuple[str, str], StorageState]) -> Iterator[Visit]:
    found = Visit(browser, _shared)
    yield found
    found.end()


@pytest.fixture
def page(visit: Visit, demo: Server) -> Page:
    """The demo's Licenses page on a touch tablet, its admin signed in."""
    return visit(demo, "/licenses", "admin")
