"""One Chromium and two servers for all browser tests: the demo, and one in odd states.

A page that logs an error or warning, breaks its Content-Security-Policy or asks another host
fails its test, whatever the test looked at.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect, sync_playwright

from tests.browser import chromium, states
from tests.servers import Desk, Server, lay_out, running

Visit = Callable[..., Page]

expect.set_options(timeout=10_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if chromium.executable() is None:
        why = "no Chromium: install the package chromium, or name one in CHROMIUM"
        (pytest.fail if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip)(why)
    with sync_playwright() as playwright:
        running_browser = chromium.launch(playwright)
        yield running_browser
        running_browser.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session")
def demo(browser: Browser, site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The worked example: 385 contracted, 305 assigned, 80 available."""
    with running(Desk(site, tmp_path_factory.mktemp("demo")), "demo") as server:
        yield server


@pytest.fixture(scope="session")
def odd(browser: Browser, site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Full, over, without limit, and names as long as they may be; ``ada`` is its admin."""
    desk = Desk(site, tmp_path_factory.mktemp("odd"))
    settings = states.fill(desk)
    with running(desk, "serve", **settings) as server:
        server.sign_ins["admin"] = ("ada", states.PASSWORD)
        yield server


@pytest.fixture
def watch() -> chromium.Watch:
    return chromium.Watch()


@pytest.fixture(scope="session")
def cookies() -> dict[tuple[str, str], StorageState]:
    """The sign-ins that tests share, by server and role; whoever signs out makes one of their own."""
    return {}


@pytest.fixture
def visit(
    browser: Browser, watch: chromium.Watch, cookies: dict[tuple[str, str], StorageState]
) -> Iterator[Visit]:
    """``visit(server, path, role=None, **context)``: a watched page, signed in if a role is named."""
    contexts = []

    def visit_(server: Server, path: str = "/", role: str | None = None, **options: Any) -> Page:
        own = {"base_url": server.url, **options}
        if role:
            own.setdefault("storage_state", _signed_in(browser, server, role, cookies))
        context = browser.new_context(**{**chromium.TABLET, **own})
        context.set_default_timeout(10_000)
        contexts.append(context)
        watch.over(context, server.url)
        page = context.new_page()
        page.goto(path)
        return page

    yield visit_
    for context in contexts:
        context.close()
    assert watch.troubles == []


@pytest.fixture
def page(visit: Visit, demo: Server) -> Page:
    """The demo's start page on a touch tablet, its admin signed in."""
    return visit(demo, "/licenses", "admin")


def _signed_in(
    browser: Browser, server: Server, role: str, cookies: dict[tuple[str, str], StorageState]
) -> StorageState:
    if (server.url, role) not in cookies:
        context = browser.new_context(base_url=server.url)
        fill_sign_in(context.new_page(), *server.sign_ins[role])
        cookies[server.url, role] = context.storage_state()
        context.close()
    return cookies[server.url, role]


def fill_sign_in(page: Page, username: str, password: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("Username").fill(username)
    page.locator("#password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/licenses")
