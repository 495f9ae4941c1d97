"""HTMX-1: each address that a page gives htmx is a whole page when opened and for Back, a region when htmx asks.

From every route that shows a page the walk goes on through whatever htmx would ask, until nothing new comes up.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from flask import Flask

from tests.inspecting import Browser, Page, inspect_fragment
from tests.make import Make
from tests.routes import routes
from webapp.web.matrix import is_page

BESIDES = ("/users/ann", "/users/ann/history", "/users/sue", "/users/gone")
# What pages let htmx ask: the endpoints, each with the regions that its answer may replace.
ASKED = {
    "licenses.first": {"users"},
    "licenses.product": {"details", "products", "users", "more"},
    "users.everyone": {"users", "more"},
    "users.new": {"licensing"},
    "users.one": {"licensing"},
    "changes.every": {"changes", "more"},
    "changes.of_user": {"more"},
    "users.create": {"main"},
    "users.save": {"main"},
    "users.archive": {"main"},
    "users.reactivate": {"main"},
    "users.delete": {"main"},
    "users.password_link": {"main"},
    "groups.create": {"main"},
    "groups.rename": {"main"},
    "groups.remove": {"main"},
}


class Ask(NamedTuple):
    """What htmx would ask."""

    method: str
    address: str
    region: str

    @property
    def headers(self) -> dict[str, str]:
        return {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": f"div#{self.region}"}


def asks(page: Page) -> Iterator[Ask]:
    for element in page.all("[hx-get], [hx-post]"):
        for method in ("GET", "POST"):
            if address := str(element.get(f"hx-{method.lower()}", "")):
                here = page.url.partition("?")[0]  # what "?" means
                yield Ask(method, here if address == "?" else address, str(element["hx-target"]).lstrip("#"))


@pytest.fixture
def boss(app: Flask, make: Make, browse: Browser) -> Browser:
    """An admin where lists and logs go on beyond their first page, with somebody of each kind."""
    make.admin("boss", groups=("Billing",))
    make.user("ann")
    make.supervisor("sue", licenses={"ha": "viewer"}, write=("Billing",))
    make.user("gone", active=False)
    make.users(50)
    browse.sign_in("boss", make.password("boss"))
    for number in range(1, 27):
        browse.post("/users/ann", {"version": str(number), "name": f"Ann {number}"})
    return browse


@pytest.mark.case("HTMX-1")
def test_HTMX_1_what_htmx_may_ask_is_a_whole_page_when_opened_and_for_back(app: Flask, boss: Browser) -> None:
    adapter = app.url_map.bind("localhost")
    shown = [
        route.address for route in routes(app)
        if route.method == "GET" and is_page(route.endpoint) and route.endpoint != "licenses.start"
    ]  # fmt: skip
    pages = [boss.get(address) for address in (*shown, *BESIDES)]
    asked: set[Ask] = set()
    regions = defaultdict(set)
    while pages:
        for ask in set(asks(pages.pop())) - asked:
            asked.add(ask)
            path = ask.address.partition("?")[0]
            regions[adapter.match(path, method=ask.method)[0]].add(ask.region)
            if ask.method == "POST":
                refused(boss, ask)
            whole = boss.get(ask.address, status=200 if adapter.test(path, method="GET") else 405)
            if ask.method == "GET":
                part = boss._fetch("GET", ask.address, 200, headers=ask.headers)
                inspect_fragment(part, whole)
                pages.append(whole)
            for headers in (ask.headers, {"HX-Request-Type": "full", "HX-Target": "body"}):
                restores = {"HX-Request": "true", **headers, "HX-History-Restore-Request": "true"}
                restored = boss.client.get(ask.address, headers=restores)
                assert restored.status_code == whole.status
                assert restored.get_data(as_text=True).count("<html") == 1, ask
    assert dict(regions) == ASKED


def refused(boss: Browser, ask: Ask) -> None:
    """An empty form comes back: as a whole page, or as the region that htmx asked for."""
    whole = boss.post(ask.address, status=422)
    data = {"csrf_token": boss._token}
    inspect_fragment(boss._fetch("POST", ask.address, 422, data=data, headers=ask.headers), whole)
