"""HTMX-2 to HTMX-4: the sign-in, the server or the database is lost while a page is open, and comes back."""

import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, Dialog, Locator, Page, Route, expect

from tests import databases
from tests.browser import chromium, looks
from tests.browser.conftest import Visit
from tests.browser.test_form import tile
from tests.browser.test_licenses import chip, heading, product
from tests.browser.test_lists import more
from tests.browser.test_search import until
from tests.browser.test_session import UNAUTHORIZED, sign_out, whole_window_is_sign_in
from tests.make import Make
from tests.servers import Desk, Server, lay_out, running
from webapp.database import db
from webapp.factory import create_app
from webapp.licensing import history, ledger
from webapp.web.throttle import OF_PROBES

pytestmark = pytest.mark.xdist_group("looks")

SIGN_INS = {"admin": "ada", "supervisor": "sue", "another": "sam"}


class Place:
    """An installation with an admin, two supervisors and the 60 people of their group, that can be lost."""

    def __init__(self, folder: Path, site: Path, template: Path) -> None:
        url = databases.copy_of(template, folder)
        self.database = folder / "license-desk.db"
        self._desk = Desk(site, folder)
        self._settings = databases.without_prefix(databases.environment(url))
        self._app = create_app(databases.settings_for(url), cheap_passwords=True)
        self._running = ExitStack()
        with self._inside():
            _fill(Make())
        self.server = self._start()

    @contextmanager
    def _inside(self) -> Iterator[None]:
        with self._app.app_context():
            try:
                yield
            finally:
                db.session.remove()
                db.engine.dispose()

    def _start(self, port: int | None = None) -> Server:
        serving = running(self._desk, "serve", "--workers", "1", port=port, **self._settings)
        server = self._running.enter_context(serving)
        for role, username in SIGN_INS.items():
            server.sign_ins[role] = (username, f"the password of {username}")
        return server

    def end(self) -> None:
        """End the server; whatever was lost, the books are in order."""
        self._running.close()
        with self._inside():
            assert not ledger.recount(db.session())
            assert not history.verify(db.session(), self._app.extensions["settings"].chain_key.encode())

    @contextmanager
    def no_server(self) -> Iterator[None]:
        self._running.close()
        try:
            yield
        finally:
            self._start(self.server.port)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Another program writes all the while."""
        with FileLock(f"{self.database}.lock"):
            yield

    @contextmanager
    def broken(self) -> Iterator[None]:
        """A save gets half way: what it writes last is not there."""
        self._execute("ALTER TABLE change_entry RENAME TO lost")
        try:
            yield
        finally:
            self._execute("ALTER TABLE lost RENAME TO change_entry")

    @contextmanager
    def held(self) -> Iterator[None]:
        """The supervisor tried too many names that are taken."""
        self._execute(
            "INSERT INTO throttle (key, began, hits) "
            "SELECT 'taken values ' || id, ?, ? FROM user WHERE username = 'sue'",
            int(time.time()),
            OF_PROBES,
        )
        yield
        self._execute("DELETE FROM throttle")

    def _execute(self, statement: str, *values: int) -> None:
        with closing(sqlite3.connect(self.database, timeout=10)) as connection, connection:
            connection.execute(statement, values)


def _fill(make: Make) -> None:
    make.admin("ada")
    rights = ("access", "create", "edit")
    make.supervisor("sue", permissions=rights, write=("Billing",), groups=("Billing",))
    make.supervisor("sam", permissions=rights, write=("Billing",))
    for number in range(60):
        make.user(f"agent{number}", groups=("Billing",))
    for username in SIGN_INS.values():
        make.password(username)


@pytest.fixture(scope="module")
def place(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> Iterator[Place]:
    site = lay_out(tmp_path_factory.mktemp("lost-site"))
    place = Place(tmp_path_factory.mktemp("lost"), site, sqlite_template)
    yield place
    place.end()


class Saving:
    """The form of a user in which something was typed, and what the server knows of that user."""

    def __init__(self, page: Page, username: str) -> None:
        self.page = page
        self._address = f"/users/{username}"
        self._before = self.changes()
        self._old = page.locator("h1").inner_text()
        page.get_by_label("Name", exact=True).fill("Typed Name")
        page.get_by_label("Email").fill("typed@northwind.example")

    def changes(self) -> int:
        return self.page.request.get(f"{self._address}/history").text().count("data-change=")

    def tap(self) -> None:
        self.page.get_by_role("button", name="Save", exact=True).tap()

    def expect_told_and_kept(self, words: str) -> None:
        alert = self.page.get_by_role("alert")
        expect(alert).to_contain_text(words)
        expect(alert).to_be_in_viewport()
        expect(self.page).to_have_url(re.compile(f"{self._address}$"))
        expect(self.page.locator("h1")).to_have_text(self._old)
        expect(self.page.locator("main")).not_to_contain_text("Saved.")
        expect(self.page.get_by_label("Name", exact=True)).to_have_value("Typed Name")
        expect(self.page.get_by_label("Email")).to_have_value("typed@northwind.example")
        expect(self.page.get_by_role("button", name="Save", exact=True)).to_be_enabled()

    def expect_saved(self) -> None:
        expect(self.page.locator("main")).to_contain_text("Saved.")
        expect(self.page.locator("h1")).to_have_text("Typed Name")
        expect(self.page.locator("#message")).to_be_empty()
        assert self.changes() == self._before + 1

    def expect_nothing_done(self) -> None:
        assert self.changes() == self._before


def status(number: int) -> str:
    return f"the server responded with a status of {number}"


class Trouble(NamedTuple):
    """What happens to whom, what they are told, and what the browser writes into its console."""

    role: str
    begin: Callable[[Place], AbstractContextManager[None]]
    told: str
    logged: tuple[str, ...]


NO_ANSWER = (
    "The server can't be reached. It is not known whether it was done. Try again: it counts only once."
)
TROUBLES = {
    "429": Trouble("supervisor", Place.held, "Too many requests. Try again in", (status(429),)),
    "503": Trouble("admin", Place.locked, "The server is busy. Nothing was changed.", (status(503),)),
    "500": Trouble(
        "admin", Place.broken, "Something went wrong on the server. Nothing was changed.", (status(500),)
    ),
    "gone": Trouble(
        "admin", Place.no_server, NO_ANSWER, ("net::ERR_CONNECTION", "htmx:error: Failed to fetch")
    ),
}


@pytest.mark.case("HTMX-3")
@pytest.mark.parametrize("trouble", TROUBLES)
def test_HTMX_3_trouble_during_a_save_is_told_and_afterwards_the_same_form_saves_once(
    visit: Visit, place: Place, trouble: str
) -> None:
    it = TROUBLES[trouble]
    username = f"agent{list(TROUBLES).index(trouble)}"
    saving = Saving(visit(place.server, f"/users/{username}", it.role), username)
    for line in it.logged:
        visit.expect(line)
    with it.begin(place):
        saving.tap()
        saving.expect_told_and_kept(it.told)
    saving.expect_nothing_done()
    saving.tap()
    saving.expect_saved()


@pytest.mark.case("HTMX-3")
def test_HTMX_3_a_save_of_which_no_answer_comes_is_told_after_ten_seconds_and_done_once(
    visit: Visit, place: Place
) -> None:
    """The worst case: it is saved, and only the answer is lost."""
    page = visit(place.server, "/users/agent10", "admin")
    page.clock.install()
    page.reload()
    saving = Saving(page, "agent10")
    saved: list[int] = []

    def lose_the_answer(route: Route) -> None:
        saved.append(route.fetch(max_redirects=0).status)

    page.route(re.compile("/users/agent10$"), lose_the_answer, times=1)
    visit.expect("htmx:error")
    saving.tap()
    until(page, lambda: bool(saved))
    assert saved == [303]
    page.clock.fast_forward(10_000)
    saving.expect_told_and_kept("The server took too long to answer. It is not known whether it was done.")
    saving.tap()
    saving.expect_saved()
    expect(page.locator(".notice.ok")).to_have_count(1)  # the lost answer had brought the cookie that says it


@pytest.mark.case("HTMX-3", "SEAT-7")
@pytest.mark.parametrize("path", ["/users/new", "/users/agent11"])
def test_HTMX_3_a_form_changed_after_its_answer_was_lost_is_told_so_at_each_tap_and_led_to_what_was_saved(
    visit: Visit, place: Place, path: str
) -> None:
    page = visit(place.server, path, "admin")
    name = page.get_by_label("Name", exact=True)
    name.fill("First Try")
    if path == "/users/new":
        page.get_by_label("Username").fill("first.try")
        page.get_by_label("Email").fill("first.try@northwind.example")
        tile(page, "license_vcc-agent").tap()
        expect(page.locator("#plan")).to_contain_text("Takes 1 Agent seat")

    def lose_the_answer(route: Route) -> None:
        assert route.fetch(max_redirects=0).status == 303
        route.abort()

    def send() -> None:
        page.locator(".save-bar button.primary").tap()

    page.route(re.compile(f"{path}$"), lose_the_answer, times=1)
    visit.expect("net::ERR_FAILED")
    visit.expect("htmx:error")
    send()
    expect(page.get_by_role("alert")).to_contain_text("It is not known whether it was done.")
    visit.expect(status(422))
    for typed in ("Second Thought", "Third Thought"):
        name.fill(typed)
        with page.expect_response(re.compile(f"{path}$")) as answer:
            send()
        assert answer.value.status == 422
        expect(page.locator(".field-error")).to_contain_text("Your first try was saved.")
        expect(page.locator("#summary")).to_be_in_viewport()
        expect(page.locator(".notice.ok")).to_have_count(0)
        expect(name).to_have_value(typed)
    assert looks.faults(page) == []
    with page.context.expect_page() as opened:
        page.locator(".field-error").get_by_role("link", name="Open it").tap()
    expect(opened.value).to_have_url(re.compile("/users/(first.try|agent11)$"))
    expect(opened.value.locator("h1")).to_have_text("First Try")
    if path == "/users/new":  # leave the place as it was
        _archive(opened.value)
        expect(opened.value.locator("main")).to_contain_text("Archived.")


def _archive(tab: Page) -> None:
    tab.locator("#archive > summary").tap()
    tab.get_by_role("button", name="Archive", exact=True).tap()


def _link(tab: Page, name: str) -> Locator:
    return tab.get_by_role("link", name=name)


class Tap(NamedTuple):
    """One kind of what htmx does: where, what, and the address and heading after signing in again."""

    path: str
    do: Callable[[Page], object]
    address: str
    heading: str


TAPS = {
    "filter": Tap("/licenses", lambda tab: chip(tab, "agent").tap(), r"/licenses\?type=agent", "Vonage Contact Center"),
    "more": Tap("/users", lambda tab: more(tab).tap(), "/users", "Users"),
    "product": Tap("/licenses", lambda tab: product(tab, "ha").tap(), "/licenses/ha", "Historical Analytics"),
    "figures": Tap("/licenses/ha", lambda tab: _link(tab, "Refresh").tap(), "/licenses/ha", "Historical Analytics"),
    "archive": Tap("/users/agent20", _archive, "/users/agent20", "Person"),
    "log": Tap("/changes", lambda tab: _link(tab, "Show older").tap(), "/changes", "Changes"),
    "back": Tap("/licenses", lambda tab: tab.go_back(), "/licenses", "Vonage Contact Center"),
}  # fmt: skip


@pytest.mark.case("HTMX-2")
def test_HTMX_2_after_an_admin_ended_the_sign_in_each_tap_moves_the_window_to_sign_in_and_then_back(
    visit: Visit, place: Place
) -> None:
    first = visit(place.server, "/licenses", "another", alone=True)
    tabs = {tap: first.context.new_page() for tap in TAPS}
    for tap, tab in tabs.items():
        tab.goto(TAPS[tap].path)
    tabs["back"].bring_to_front()
    product(tabs["back"], "enc").tap()
    expect(tabs["back"]).to_have_url(re.compile("/licenses/enc$"))

    admin = visit(place.server, "/users/sam/sign-ins", "admin")
    admin.get_by_role("button", name="End all of them").tap()
    expect(admin.locator("main")).to_contain_text("Not signed in anywhere.")

    visit.expect(UNAUTHORIZED)
    for tap, tab in tabs.items():
        tab.bring_to_front()
        TAPS[tap].do(tab)
        whole_window_is_sign_in(tab)
        expect(tab.get_by_text("Your sign-in ended.")).to_be_visible()
    username, password = place.server.sign_ins["another"]
    tab, *others = tabs.values()
    tab.bring_to_front()
    tab.get_by_label("Username").fill(username)
    tab.get_by_label("Password", exact=True).fill(password)
    tab.get_by_role("button", name="Sign in", exact=True).tap()
    expect(tab.locator("h1")).not_to_have_text("Sign in")
    for tab in others:
        tab.reload()
    for tap, tab in tabs.items():
        expect(tab).to_have_url(re.compile(f"^{re.escape(place.server.url)}{TAPS[tap].address}$"))
        expect(tab.locator("h1")).to_contain_text(TAPS[tap].heading)


class Typed:
    """A new user's form in which a supervisor typed a name, that must stay; ``asked``: whether to leave it."""

    def __init__(self, visit: Visit, place: Place) -> None:
        self.page = visit(place.server, "/users/new", "another", alone=True)
        self.asked: list[str] = []
        self.page.on("dialog", self._stay)
        self.page.get_by_label("Name", exact=True).fill("Typed Before")

    def _stay(self, dialog: Dialog) -> None:
        self.asked.append(dialog.type)
        dialog.dismiss()

    def sign_out_beside(self) -> Page:
        beside = self.page.context.new_page()
        beside.goto("/licenses")
        sign_out(beside)
        self.page.bring_to_front()
        return beside

    def choose(self) -> None:
        tile(self.page, "license_vcc-agent").tap()

    def save(self) -> None:
        self.page.get_by_role("button", name="Create user").tap()

    def expect_told_and_kept(self, words: str) -> None:
        expect(self.page.locator("#message")).to_contain_text(words)
        expect(self.page).to_have_url(re.compile("/users/new$"))
        expect(self.page.get_by_label("Name", exact=True)).to_have_value("Typed Before")
        assert self.asked == []


STILL_HERE = "Your sign-in ended. Nothing was saved, and what you typed is still here."


@pytest.mark.case("HTMX-2")
def test_HTMX_2_a_form_that_was_not_saved_stays_where_it_is_when_the_sign_in_ended(
    visit: Visit, place: Place
) -> None:
    typed = Typed(visit, place)
    admin = visit(place.server, "/users/sam/sign-ins", "admin")
    admin.get_by_role("button", name="End all of them").tap()
    expect(admin.locator("main")).to_contain_text("Not signed in anywhere.")
    visit.expect(UNAUTHORIZED)
    for tap in (typed.choose, typed.save):
        with typed.page.expect_response(re.compile("/users/new")) as answer:
            tap()
        assert (answer.value.status, "hx-redirect" in answer.value.headers) == (401, True)
        typed.expect_told_and_kept(STILL_HERE)
        way = typed.page.locator("#message").get_by_role("link", name="Sign in")
        expect(way).to_have_attribute("target", "_blank")
        typed.page.locator("#message").get_by_role("button", name="Close").tap()


@pytest.mark.case("HTMX-2")
def test_HTMX_2_who_signed_in_again_beside_a_form_keeps_it_and_goes_on(visit: Visit, place: Place) -> None:
    typed = Typed(visit, place)
    chromium.sign_in(typed.sign_out_beside(), *place.server.sign_ins["another"])
    typed.page.bring_to_front()
    visit.expect(UNAUTHORIZED)
    with typed.page.expect_response(re.compile("/users/new")) as answer:
        typed.choose()
    assert (answer.value.status, answer.value.headers["hx-refresh"]) == (401, "true")
    typed.expect_told_and_kept("You signed in again meanwhile. What you typed is still here: save it now.")
    visit.expect(status(422))
    typed.save()
    expect(typed.page.locator("#summary")).to_contain_text("The username is missing.")
    expect(typed.page.get_by_label("Name", exact=True)).to_have_value("Typed Before")


@pytest.mark.case("HTMX-4")
def test_HTMX_4_of_a_form_typed_by_somebody_else_nothing_is_done_for_who_signed_in_meanwhile(
    visit: Visit, place: Place
) -> None:
    typed = Typed(visit, place)
    typed.page.get_by_label("Username").fill("not.of.sue")
    typed.page.get_by_label("Email").fill("not.of.sue@northwind.example")
    chromium.sign_in(typed.sign_out_beside(), *place.server.sign_ins["supervisor"])
    typed.page.bring_to_front()
    visit.expect(UNAUTHORIZED)
    visit.expect(status(400))
    for tap in (typed.choose, typed.save, typed.save):
        tap()
        typed.expect_told_and_kept("Somebody else signed in here meanwhile.")
        typed.page.locator("#message").get_by_role("button", name="Close").tap()
    assert typed.page.request.get("/users/not.of.sue").status == 404


def test_HTMX_2_who_stays_with_what_they_typed_signs_in_beside_it_and_saves(
    visit: Visit, place: Place
) -> None:
    page = visit(place.server, "/users/agent40", "another", alone=True)
    asked: list[str] = []
    page.on("dialog", lambda dialog: asked.append(dialog.type))
    page.get_by_label("Name", exact=True).fill("Typed Before")
    beside = page.context.new_page()
    beside.goto("/licenses")
    sign_out(beside)
    visit.expect(status(400))
    page.bring_to_front()
    page.get_by_role("button", name="Save", exact=True).tap()
    expect(page.locator("#message")).to_contain_text("what you typed is still here")
    with page.context.expect_page() as opened:
        page.locator("#message").get_by_role("link", name="Sign in").tap()
    chromium.sign_in(opened.value, *place.server.sign_ins["another"])
    opened.value.close()
    page.bring_to_front()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # no tab is ever hidden here
    expect(page.locator("#message")).to_contain_text("You signed in again meanwhile.")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Typed Before")
    page.get_by_role("button", name="Save", exact=True).tap()
    expect(page.locator("h1")).to_have_text("Typed Before")
    assert asked == []


def test_HTMX_2_if_the_server_is_gone_just_then_that_is_told_and_the_next_tap_asks_again(
    visit: Visit, place: Place
) -> None:
    page = visit(place.server, "/users/agent41", "another", alone=True)
    page.get_by_label("Name", exact=True).fill("Typed Before")
    beside = page.context.new_page()
    beside.goto("/licenses")
    sign_out(beside)
    page.bring_to_front()
    visit.expect(status(400))
    visit.expect("net::ERR_FAILED")
    page.route(
        re.compile("/users/agent41$"),
        lambda route: route.abort() if route.request.method == "GET" else route.fallback(),
    )
    page.get_by_role("button", name="Save", exact=True).tap()
    expect(page.locator("#message")).to_contain_text("The server can't be reached.")
    page.unroute_all()
    page.get_by_role("button", name="Save", exact=True).tap()
    expect(page.locator("#message")).to_contain_text("what you typed is still here")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Typed Before")


@pytest.mark.case("HTMX-4")
def test_HTMX_4_after_signing_out_neither_history_nor_an_old_tab_shows_or_does_anything_of_the_person_before(
    visit: Visit, place: Place
) -> None:
    tablet = visit(place.server, "/licenses", "admin", alone=True)
    product(tablet, "enc").tap()
    expect(tablet).to_have_url(re.compile("/licenses/enc$"))
    list_, form = tablet.context.new_page(), tablet.context.new_page()
    list_.goto("/users")
    heading(list_, 63)
    expect(list_.locator('[data-username="ada"]')).to_be_visible()
    form.goto("/users/agent30")
    saving = Saving(form, "agent30")

    tablet.bring_to_front()
    sign_out(tablet)
    for go in (tablet.go_back, tablet.go_back, tablet.go_forward):
        go()
        whole_window_is_sign_in(tablet)
    chromium.sign_in(tablet, *place.server.sign_ins["supervisor"])
    heading(tablet, 61)

    visit.expect(UNAUTHORIZED)
    list_.bring_to_front()
    more(list_).tap()
    expect(list_.locator(".menu-name + .menu-more")).to_have_text("sue")
    heading(list_, 61)
    expect(list_).to_have_url(re.compile("/users$"))
    expect(list_.locator('[data-username="ada"]')).to_have_count(0)
    visit.expect(status(400))
    form.bring_to_front()
    saving.tap()
    saving.expect_told_and_kept("Somebody else signed in here meanwhile.")
    saving.expect_nothing_done()
