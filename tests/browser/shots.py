"""Pictures of the states that people should look at: ``python -m tests.browser.shots FOLDER``.

No test: nothing here is compared. Both servers are started, photographed and stopped.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, StorageState

from tests.browser import chromium, states
from tests.servers import Desk, Server, lay_out, running

_DESKTOP: dict[str, Any] = {
    "viewport": {"width": 1280, "height": 800},
    "has_touch": False,
    "is_mobile": False,
}
_SHAPES: dict[str, dict[str, Any]] = {
    "desktop": _DESKTOP,
    "tablet": chromium.TABLET,
    "portrait": {**chromium.TABLET, "viewport": {"width": 820, "height": 1180}},
    "phone": {**chromium.TABLET, "viewport": {"width": 390, "height": 844}},
    "dark": {**_DESKTOP, "color_scheme": "dark"},
    "dark-tablet": {**chromium.TABLET, "color_scheme": "dark"},
}
_DEMO = {
    "vcc": "/licenses",
    "ha": "/licenses/ha",
    "enc": "/licenses/enc",
    "not-purchased": "/licenses/accent",
    "filtered": "/licenses/vcc?type=agent&q=smith",
    "nobody": "/licenses/vcc?q=zzzz",
    "404": "/licenses/nothing",
    "users": "/users",
    "nobody-archived": "/users?status=archived",
}
_ODD = {
    "full-over": "/licenses/vcc",
    "no-limit": "/licenses/ha",
    "over": "/licenses/enc",
    "empty": "/licenses/accent",
    "long": "/licenses/long",
    "archived-match": "/licenses/vcc?q=gone0",
    "users": "/users",
    "archived": "/users?status=archived",
    "user-long": f"/users/{'a' * 100}",
    "user-archived": "/users/gone0",
}


class _Camera:
    """Opens a server's pages in every shape and keeps their pictures."""

    def __init__(self, browser: Browser, server: Server, folder: Path) -> None:
        self._browser = browser
        self._server = server
        self._folder = folder

    def signed_in(self, role: str) -> StorageState:
        with self._browser.new_context(**chromium.TABLET, base_url=self._server.url) as context:
            chromium.sign_in(context.new_page(), *self._server.sign_ins[role])
            return context.storage_state()

    def pages(self, state: StorageState | None) -> Iterator[tuple[str, Page]]:
        """A page in each shape."""
        for shape, options in _SHAPES.items():
            with self._browser.new_context(
                **options, base_url=self._server.url, storage_state=state
            ) as context:
                yield shape, context.new_page()

    def take(self, page: Page, name: str, shape: str) -> None:
        """What is in sight, and on the tablets nothing more: the first glance is what counts."""
        page.screenshot(path=self._folder / f"{name}-{shape}.png", full_page=shape in ("phone", "desktop"))

    def take_all(self, paths: dict[str, str], role: str, prefix: str = "") -> None:
        for shape, page in self.pages(self.signed_in(role)):
            for name, path in paths.items():
                page.goto(path)
                self.take(page, prefix + name, shape)

    def take_pickers(self, path: str, pickers: tuple[str, ...], prefix: str = "") -> None:
        """Each of them open, and the list after its first choice was tapped."""
        for shape, page in self.pages(self.signed_in("admin")):
            for picker in pickers:
                page.goto(path)
                page.locator(f"#{picker} > summary").click()
                page.locator(f"#{picker} fieldset").wait_for()
                self.take(page, f"{prefix}{picker}", shape)
                page.locator(".rows").evaluate("rows => { rows.dataset.old = 'yes' }")
                page.locator(f"#{picker} label:not(:has(:disabled))").nth(1).click()
                page.locator("[data-old]").wait_for(state="detached")
                self.take(page, f"{prefix}{picker}-chosen", shape)

    def take_sign_in(self) -> None:
        for shape, page in self.pages(None):
            page.goto("/sign-in")
            self.take(page, "sign-in", shape)
            page.get_by_label("Username").fill("nobody")
            page.get_by_label("Password", exact=True).fill("not the right password")
            page.get_by_role("button", name="Sign in", exact=True).click()
            page.locator('[data-error="form"]').wait_for()
            self.take(page, "sign-in-error", shape)

    def take_trouble(self) -> None:
        for shape, page in self.pages(self.signed_in("admin")):
            page.goto("/licenses")
            page.route("**/licenses/ha*", lambda route: route.fulfill(status=503, body=""))
            page.locator('[data-product="ha"]').click()
            page.locator("#message button").wait_for()
            self.take(page, "busy", shape)
            page.locator("#message button").click()
            page.locator(".menu > summary").click()
            self.take(page, "menu", shape)


def main(folder: Path) -> None:
    """Take them all."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, chromium.launched() as browser:
        base = Path(temporary)
        site = lay_out(base / "site")
        desks = [Desk(site, base / name) for name in ("demo", "odd")]
        for desk in desks:
            desk.folder.mkdir()
        with running(desks[0], "demo") as server:
            camera = _Camera(browser, server, folder)
            camera.take_all(_DEMO, "admin")
            camera.take_all({"supervisor": "/licenses", "supervisor-users": "/users"}, "supervisor")
            camera.take_all({"user": f"/users/{server.sign_ins['supervisor'][0]}"}, "admin")
            camera.take_pickers("/licenses", ("initials", "groups"))
            camera.take_sign_in()
            camera.take_trouble()
        with states.serving(desks[1]) as server:
            camera = _Camera(browser, server, folder)
            camera.take_all(_ODD, "admin", "odd-")
            camera.take_pickers("/users", ("licenses", "groups"), "odd-")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.browser.shots FOLDER")
    main(Path(sys.argv[1]))
