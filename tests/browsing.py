"""Chromium as the tablet that License Desk is used on, watched for everything that must never happen.

A console message, a script error, a breach of the Content-Security-Policy or a request to another host
fails the test that caused it, though the test looked at something else. The policy is never bypassed:
what works here works for a visitor.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from tests.servers import Server

ARGUMENTS = (
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")

_TELL_BREACHES = """
    document.addEventListener("securitypolicyviolation", (event) => {
        console.error(`the policy refused ${event.violatedDirective}: ${event.blockedURI}`);
    });
"""


class NoBrowserError(Exception):
    """This machine has no Chromium; the message says how to name one."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium. Raises NoBrowserError."""
    program = shutil.which(os.environ.get("CHROMIUM") or "chromium")
    if not program:
        raise NoBrowserError("Chromium is not installed: name it in CHROMIUM, or install chromium")
    as_root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*ARGUMENTS, *as_root])
        yield browser
        browser.close()


class Visits:
    """Opens pages on one server, each in a browser context of its own; ``end`` tells what went wrong."""

    def __init__(self, browser: Browser, server: Server) -> None:
        self.server = server
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self._faults: list[str] = []
        self._expected: list[str] = []

    def open(self, role: str = "", path: str = "/") -> Page:
        """A page, signed in as the server's ``admin`` or ``supervisor``; with no role as nobody."""
        context = self._browser.new_context(
            base_url=self.server.url, viewport={"width": 1024, "height": 768},
            has_touch=True, is_mobile=True, reduced_motion="reduce",
        )  # fmt: skip
        self._contexts.append(context)
        context.add_init_script(_TELL_BREACHES)
        context.on("console", self._heard)
        context.on("weberror", lambda error: self._faults.append(f"script error: {error.error}"))
        context.on("request", self._asked)
        page = context.new_page()
        if role:
            self.sign_in(page, *self.server.sign_ins[role])
        if not role or path != "/":
            page.goto(path)
        return page

    def sign_in(self, page: Page, username: str, password: str) -> None:
        """By the form, as a person does."""
        page.goto("/sign-in")
        page.get_by_label("Username").fill(username)
        page.get_by_label("Password", exact=True).fill(password)
        page.get_by_role("button", name="Sign in", exact=True).tap()
        page.wait_for_url(lambda url: urlsplit(url).path != "/sign-in")

    def expect(self, pattern: str) -> None:
        """This message will come and is meant, such as the console's about an answer of 503."""
        self._expected.append(pattern)

    def end(self) -> None:
        """Close everything; fail on every fault not expected, and on every expectation not met."""
        for context in self._contexts:
            context.close()
        faults = [f for f in self._faults if not any(re.search(p, f) for p in self._expected)]
        unmet = [p for p in self._expected if not any(re.search(p, f) for f in self._faults)]
        assert not faults, "in the browser:\n" + "\n".join(faults)
        assert not unmet, "expected in the browser, but it never came:\n" + "\n".join(unmet)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._faults.append(f"console {message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme != "data" and address.netloc != urlsplit(self.server.url).netloc:
            self._faults.append(f"request to another host: {request.url}")


def axe(page: Page) -> None:
    """The page has nothing that WCAG 2.2 AA forbids, as far as a program can tell."""
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": list(WCAG)}})
    assert found.response["passes"], "axe looked at nothing"
    assert not found.violations_count, found.generate_report()
