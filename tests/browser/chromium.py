"""Chromium as a touch tablet: how it is found and started, and what it must never do.

The system's own Chromium is used; nothing is downloaded.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ARGUMENTS = (
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip

TABLET: dict[str, Any] = {
    "viewport": {"width": 1024, "height": 768},
    "has_touch": True,
    "is_mobile": True,
    "reduced_motion": "reduce",
}

_TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`Content-Security-Policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


def executable() -> str | None:
    """Chromium's path: ``CHROMIUM``, or what the system has."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


@contextmanager
def launched() -> Iterator[Browser]:
    """Chromium without a window, until the block ends."""
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=[*ARGUMENTS, *as_root])
        yield browser
        browser.close()


def sign_in(page: Page, username: str, password: str) -> None:
    """By the form, as a person does."""
    page.goto("/sign-in")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).tap()
    page.wait_for_url("**/licenses")


class Watch:
    """Collects whatever a good page never does: errors, warnings, violations, other hosts.

    A test that provokes an error names it with ``allow`` first.
    """

    def __init__(self) -> None:
        self._seen: list[str] = []
        self._allowed: list[str] = []

    def allow(self, pattern: str) -> None:
        """Expect trouble that matches; it must then come (``troubles`` tells if it did not)."""
        self._allowed.append(pattern)

    def over(self, context: BrowserContext, url: str) -> None:
        """Watch every page of this context, served at ``url``."""
        host = urlsplit(url).netloc
        context.add_init_script(_TELL_VIOLATIONS)
        context.on("console", lambda line: self._console(line.type, line.text, line.location))
        context.on("weberror", lambda trouble: self._seen.append(f"page error: {trouble.error}"))
        context.on("request", lambda request: self._host(request.url, host))

    def _console(self, kind: str, text: str, location: Any) -> None:
        if kind in ("error", "warning"):
            self._seen.append(f"console {kind}: {text} ({location.get('url', '')})")

    def _host(self, url: str, host: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "about", "blob") and parts.netloc != host:
            self._seen.append(f"request to another host: {url}")

    @property
    def troubles(self) -> list[str]:
        """What came and was not allowed, and what was allowed and never came."""
        bad = [line for line in self._seen if not any(re.search(p, line) for p in self._allowed)]
        idle = [p for p in self._allowed if not any(re.search(p, line) for line in self._seen)]
        return bad + [f"expected and not seen: {pattern}" for pattern in idle]
