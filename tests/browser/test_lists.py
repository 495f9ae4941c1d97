"""The filters of a list by touch, its address and history, and its end, also where the server is slow."""

import csv
import io
import random
import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect

from tests.browser.conftest import Visit
from tests.browser.test_licenses import card, chip, heading, names, product, rows
from tests.browser.test_search import expect_typed, until
from tests.servers import Server

pytestmark = pytest.mark.xdist_group("browser")


def exported(page: Page, path: str = "/licenses/vcc.csv") -> list[dict[str, str]]:
    """The list as its file has it, which knows nothing of letters and chips."""
    return list(csv.DictReader(io.StringIO(page.request.get(path).text().removeprefix("\ufeff"))))


def usernames(people: Iterable[dict[str, str]]) -> list[str]:
    return [person["Username"] for person in people]


def tap_choice(page: Page, picker: str, words: str) -> None:
    """Open a picker, tap a choice; it closes and says what was chosen."""
    page.locator(f"#{picker} > summary").tap()
    page.locator(f"#{picker} label", has_text=re.compile(f"^\\s*{words}\\s*$")).tap()
    expect_chosen(page, picker, words)


def expect_chosen(page: Page, picker: str, words: str) -> None:
    expect(page.locator(f"#{picker} .picker-chosen")).to_have_text(words)
    expect(page.locator(f"#{picker} fieldset")).to_be_hidden()


def asked(page: Page) -> dict[str, str]:
    """What the address asks for."""
    return dict(parse_qsl(urlsplit(page.url).query, strict_parsing="?" in page.url))


def group(page: Page, name: str) -> str:
    """The id of a group."""
    return str(page.get_by_role("radio", name=name, exact=True, include_hidden=True).get_attribute("value"))


def expect_address(page: Page, path: str, **query: str) -> None:
    until(page, lambda: urlsplit(page.url).path == path and asked(page) == query)


def more(page: Page) -> Locator:
    return page.get_by_role("link", name="Show more")


def show_more(page: Page) -> None:
    before = rows(page).count()
    more(page).tap()
    expect(rows(page).nth(before)).to_be_attached()


def test_type_group_letter_and_search_combine_and_whoever_gets_the_address_sees_the_same(
    page: Page, demo: Server
) -> None:
    length = page.evaluate("history.length")
    people = exported(page)
    billing = group(page, "Billing")

    def expect_list(page: Page, people: list[dict[str, str]]) -> None:
        heading(page, len(people))
        assert names(page) == usernames(people)[:50]

    tap_choice(page, "initials", "A")
    people = [person for person in people if person["Name"].startswith("A")]
    expect_list(page, people)
    expect_address(page, "/licenses", initial="A")
    tap_choice(page, "groups", "Billing")
    people = [person for person in people if "Billing" in person["Groups"].split(";")]
    expect_list(page, people)
    chip(page, "agent").tap()
    people = [person for person in people if person["License"] == "Agent"]
    expect_list(page, people)
    page.locator("#q").tap()
    page.keyboard.type("an")
    people = [person for person in people if person["Name"].startswith("An")]
    heading(page, 2)
    expect_list(page, people)
    query = {"type": "agent", "q": "an", "initial": "A", "group": billing}
    expect_address(page, "/licenses", **query)
    assert page.evaluate("history.length") == length

    def expect_all_of_it(page: Page) -> None:
        expect_list(page, people)
        expect_chosen(page, "initials", "A")
        expect_chosen(page, "groups", "Billing")
        expect(page.locator("#type-agent")).to_be_checked()
        expect(page.locator("#q")).to_have_value("an")
        expect(card(page, "vcc/agent")).to_have_attribute("aria-current", "true")
        assert asked(page) == query

    page.reload()
    expect_all_of_it(page)
    second = page.context.new_page()
    second.goto(page.url)
    expect_all_of_it(second)
    tap_choice(second, "initials", "All")
    tap_choice(second, "groups", "Any")
    expect_address(second, "/licenses", type="agent", q="an")


def test_a_letter_that_nobody_has_and_a_sign_are_told_apart(page: Page) -> None:
    people = exported(page)
    page.locator("#initials > summary").tap()
    letters = page.locator("#initials input")
    expect(letters).to_have_count(28)
    missing = page.locator("#initials input:disabled").evaluate_all("all => all.map((radio) => radio.value)")
    assert missing == [letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if letter not in folded(people)]
    page.get_by_role("radio", name="Another sign").locator("xpath=..").tap()
    expect_address(page, "/licenses", initial="#")
    expect(page.locator("h2")).to_contain_text("of 305 start with another sign")
    assert names(page) == usernames(person for person in people if person["Name"][0] in "م美")


def folded(people: Iterable[dict[str, str]]) -> str:
    """The first letters that the demo's names have, as a list sorts them."""
    plain = str.maketrans("ĐŁÖ", "DLO")
    return "".join({person["Name"][0].translate(plain) for person in people})


def test_a_choice_leaves_the_focus_at_what_it_was_chosen_from(page: Page) -> None:
    tap_choice(page, "initials", "A")
    expect(page.locator("#initials > summary")).to_be_focused()


def test_what_opens_a_choice_stays_under_the_finger_and_a_tap_beside_it_closes_it(page: Page) -> None:
    opener, letters = page.locator("#initials > summary"), page.locator("#initials fieldset")
    place, list_place = opener.bounding_box(), page.locator(".rows").bounding_box()
    opener.tap()
    expect(letters).to_be_visible()
    assert (opener.bounding_box(), page.locator(".rows").bounding_box()) == (place, list_place)
    page.locator("h2").tap()
    expect(letters).to_be_hidden()
    opener.tap()
    page.keyboard.press("Escape")
    expect(letters).to_be_hidden()
    expect(opener).to_be_focused()


def test_one_tap_takes_all_filters_off(visit: Visit, demo: Server) -> None:
    page = visit(demo, "/licenses", "admin")
    expect(page.get_by_role("link", name="Clear filters")).to_have_count(0)
    for path in ("/licenses/ha?type=viewer", "/users?status=all&license=ha/viewer&initial=A", "/users?q=an"):
        page.goto(path)
        page.get_by_role("link", name="Clear filters").tap()
        expect_address(page, path.partition("?")[0])
        expect(page.locator("#q")).to_have_value("")


def test_with_the_keyboard_any_group_of_a_sheet_can_be_reached(visit: Visit, odd: Server) -> None:
    page = visit(odd, "/users", "admin")
    opener, sheet = page.locator("#groups > summary"), page.locator("#groups > fieldset")
    opener.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(sheet.get_by_role("radio", name="Any")).to_be_focused()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    third = sheet.get_by_role("radio").nth(3)
    expect(third).to_be_focused()
    expect_address(page, "/users", status="active", group=str(third.get_attribute("value")))
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(opener).to_be_focused()


def test_back_leaves_the_list_and_forward_reload_and_a_users_page_find_it_as_it_was_left(
    visit: Visit, demo: Server
) -> None:
    page = visit(demo, "/users", "admin")
    page.get_by_role("link", name="Licenses", exact=True).tap()
    heading(page, 305)
    length = page.evaluate("history.length")
    tap_choice(page, "groups", "Billing")
    chip(page, "supervisor").tap()
    expect_address(page, "/licenses", group=group(page, "Billing"), type="supervisor")
    tap_choice(page, "initials", "L")
    heading(page, 1)
    expect_address(page, "/licenses", group=group(page, "Billing"), type="supervisor", initial="L")
    found, address = names(page), page.url
    assert found

    def expect_as_left() -> None:
        expect(page).to_have_url(address)
        expect_chosen(page, "initials", "L")
        expect_chosen(page, "groups", "Billing")
        expect(page.locator("#type-supervisor")).to_be_checked()
        assert names(page) == found
        assert page.evaluate("history.length") == length

    page.go_back()
    expect(page).to_have_url(f"{demo.url}/users")
    heading(page, 305)
    page.go_forward()
    expect_as_left()
    page.reload()
    expect_as_left()
    page.locator(f'[data-username="{found[-1]}"]').tap()
    expect(page).to_have_url(f"{demo.url}/users/{found[-1]}")
    length += 1
    page.go_back()
    expect_as_left()


class Slow:
    """Answers searches after 0 to 400 ms each, in whatever order that makes. ``asked``: those that came."""

    def __init__(self, page: Page, seed: int) -> None:
        self.asked: list[str] = []
        self._page = page
        self._chance = random.Random(seed)
        page.route(re.compile(r"/licenses[?].*q="), self._wait)

    def _wait(self, route: Route) -> None:
        self.asked.append(dict(parse_qsl(urlsplit(route.request.url).query))["q"])
        self._page.wait_for_timeout(self._chance.uniform(0, 400))
        route.continue_()


def test_typed_fast_on_a_slow_server_every_letter_stays_and_the_last_answer_wins(
    page: Page, demo: Server
) -> None:
    slow = Slow(page, seed=7)
    page.locator("#q").tap()
    for word in ("s", "smi", "smith", "x", "zhou", "la", "lars"):
        page.keyboard.press("Control+A")
        page.keyboard.type(word)
        until(page, lambda word=word: slow.asked[-1:] == [word])
    expect_typed(page, "lars")
    expect(page).to_have_url(f"{demo.url}/licenses?q=lars")
    people = [
        person for person in exported(page) if "lars" in f"{person['Name']}\n{person['Username']}".lower()
    ]
    heading(page, len(people))
    assert names(page) == usernames(people)
    expect_typed(page, "lars")
    chip(page, "agent").tap()
    page.locator("#q").press("End")
    page.keyboard.type("en", delay=20)
    expect_address(page, "/licenses", type="agent", q="larsen")
    people = [p for p in people if p["License"] == "Agent" and p["Name"].endswith("Larsen")]
    heading(page, len(people))
    assert names(page) == usernames(people)


def test_the_user_at_row_120_is_in_sight_again_after_their_page_and_show_more_is_no_history(
    page: Page, demo: Server
) -> None:
    length = page.evaluate("history.length")
    show_more(page)
    show_more(page)
    expect(rows(page)).to_have_count(150)
    expect(page.locator("#more")).to_contain_text("150 of 305")
    shown = names(page)
    assert shown == usernames(exported(page))[:150]
    assert page.evaluate("history.length") == length
    row = rows(page).nth(119)
    row.scroll_into_view_if_needed()
    row.tap()
    expect(page).to_have_url(f"{demo.url}/users/{shown[119]}")
    page.go_back()
    expect(rows(page)).to_have_count(150)
    expect(rows(page).nth(119)).to_be_in_viewport(ratio=1)
    assert names(page) == shown
    page.reload()
    expect(rows(page)).to_have_count(150)
    assert names(page) == shown
    assert page.evaluate("history.length") == length + 1
    show_more(page)
    expect(page.locator("#more")).to_contain_text("200 of 305")
    chip(page, "agent").tap()  # another list begins at its beginning
    heading(page, 250)
    expect(rows(page)).to_have_count(50)
    expect_address(page, "/licenses/vcc", type="agent")


def test_a_double_tap_on_show_more_opens_nobody_and_a_tap_on_a_row_right_after_it_does(page: Page) -> None:
    page.goto("/licenses/vcc")
    more(page).scroll_into_view_if_needed()
    box = more(page).bounding_box()
    assert box
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.touchscreen.tap(*middle)
    expect(rows(page)).to_have_count(100)
    page.touchscreen.tap(*middle)
    page.wait_for_timeout(600)
    assert urlsplit(page.url).path == "/licenses/vcc"
    page.touchscreen.tap(*middle)
    page.wait_for_url("**/users/*")


def test_the_focus_goes_from_show_more_to_what_follows_it(page: Page) -> None:
    page.goto("/licenses/enc")
    for _ in range(2):
        more(page).focus()
        before = rows(page).count()
        page.keyboard.press("Enter")
        expect(rows(page).nth(before)).to_be_attached()
        expect(page.locator("#show-more")).to_be_focused()
    expect(page.locator("#show-more")).to_contain_text("120")
    expect(more(page)).to_have_count(0)


class Parked:
    """Keeps the answers to such requests back until the test lets them go."""

    def __init__(self, page: Page, pattern: str) -> None:
        self._page = page
        self._routes: list[Route] = []
        self._open = False
        page.route(re.compile(pattern), self._hold)

    def _hold(self, route: Route) -> None:
        if self._open:
            route.continue_()
        else:
            self._routes.append(route)

    def wait_for_one(self) -> None:
        until(self._page, lambda: bool(self._routes))

    def let_go(self) -> None:
        """Answer them now, and what comes later at once; wait for a whole trip to the server."""
        self._open = True
        for route in self._routes:
            route.continue_()
        assert self._page.evaluate("fetch('/healthz').then((answer) => answer.ok)")


def test_more_rows_that_come_after_the_filter_was_changed_are_never_added(page: Page) -> None:
    held = Parked(page, r"[?&]after=")
    more(page).tap()
    held.wait_for_one()
    chip(page, "wallboard").tap()
    heading(page, 5)
    held.let_go()
    expect(rows(page)).to_have_count(5)
    assert set(page.locator(".rows-license .tag").all_inner_texts()) == {"Wallboard"}
    expect_address(page, "/licenses", type="wallboard")


def test_more_rows_come_although_the_figures_are_being_read(page: Page) -> None:
    figures: list[Request] = []
    page.on("request", lambda request: figures.append(request) if is_for(request, "#products") else None)
    held = Parked(page, r"/licenses/vcc$")
    page.evaluate("htmx.trigger('#figures', 'figures')")
    held.wait_for_one()
    show_more(page)
    expect(rows(page)).to_have_count(100)
    held.let_go()
    expect(rows(page)).to_have_count(100)
    assert len(figures) == 1


def is_for(request: Request, region: str) -> bool:
    """Whether htmx wants this region."""
    return request.headers.get("hx-target", "").endswith(region)


@pytest.fixture
def narrowed(page: Page) -> dict[str, str]:
    """Everything but the type is set on the page; what another product's address must ask for."""
    page.goto("/licenses?type=agent")
    tap_choice(page, "initials", "A")
    tap_choice(page, "groups", "Billing")
    page.locator("#q").fill("an")
    query = {"q": "an", "initial": "A", "group": group(page, "Billing")}
    expect_address(page, "/licenses", type="agent", **query)
    heading(page, 2)
    return query


def test_another_product_drops_the_type_and_keeps_search_letter_and_group_and_so_does_a_card(
    page: Page, narrowed: dict[str, str]
) -> None:
    card(page, "vcc/agent").tap()
    expect_address(page, "/licenses/vcc", **narrowed)
    heading(page, 3)
    card(page, "vcc/admin").tap()
    expect_address(page, "/licenses/vcc", type="admin", **narrowed)
    heading(page, 1)
    product(page, "enc").tap()
    expect(page.locator("h1")).to_have_text("Enhanced Noise Cancellation")
    expect_address(page, "/licenses/enc", **narrowed)
    expect_chosen(page, "initials", "A")
    expect_chosen(page, "groups", "Billing")
    expect(page.locator("#q")).to_have_value("an")
    people = exported(page, "/licenses/enc.csv")
    assert names(page) == usernames(
        person for person in people
        if person["Name"].startswith("An") and "Billing" in person["Groups"].split(";")
    )  # fmt: skip


def test_what_was_typed_or_chosen_just_before_goes_along_to_another_product(
    page: Page, narrowed: dict[str, str]
) -> None:
    held = Parked(page, r"/licenses[?]")
    page.locator("#initials > summary").tap()
    page.locator("label:has(#initial-all)").tap()
    held.wait_for_one()
    page.locator("#q").tap()
    page.keyboard.press("End")
    page.keyboard.type("d")
    product(page, "enc").tap()
    expect(page.locator("h1")).to_have_text("Enhanced Noise Cancellation")
    held.let_go()
    query = {"q": "and", "group": narrowed["group"]}
    expect_address(page, "/licenses/enc", **query)
    expect(page.locator("#q")).to_have_value("and")
    expect_chosen(page, "initials", "all")
    page.go_back()
    expect(page.locator("h1")).to_have_text("Vonage Contact Center")


def test_a_product_or_card_tapped_right_after_a_letter_is_not_lost_on_a_slow_server(page: Page) -> None:
    for tapped, shown in (
        (product(page, "enc"), re.compile(r"/licenses/enc\?q=a$")),
        (
            card(page, "enc/enabled"),
            re.compile(r"/licenses/enc\?type=enabled&q=aa$|/licenses/enc\?q=aa&type=enabled$"),
        ),
    ):
        held = Parked(page, r"/licenses/enc[?]")
        page.locator("#q").tap()
        page.keyboard.type("a")
        tapped.tap()
        held.wait_for_one()
        page.wait_for_timeout(300)  # longer than a list waits for the next letter
        held.let_go()
        expect(page).to_have_url(shown)
