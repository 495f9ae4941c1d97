"""Typing in the search box: no letter and no focus is lost, and the last answer wins."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.test_licenses import heading, names, product
from tests.servers import Server

pytestmark = pytest.mark.xdist_group("browser")


class Held:
    """Keeps the answers to searches in the first product back until the test lets them go, in the order it likes."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._routes: dict[str, Route] = {}
        page.route(re.compile(r"/licenses[?].*q="), self._hold)

    def _hold(self, route: Route) -> None:
        self._routes[re.findall(r"[?&]q=([^&]*)", route.request.url)[0]] = route

    def wait_for(self, q: str) -> None:
        until(self._page, lambda: q in self._routes)

    def let_go(self, q: str) -> None:
        """Answer this search now; the browser may have given up on it."""
        self._routes.pop(q).continue_()


def until(page: Page, true: Callable[[], bool]) -> None:
    """Let the browser go on until something is so; at most 10 s."""
    for _ in range(500):
        if true():
            return
        page.wait_for_timeout(20)
    raise AssertionError("it never came")


def expect_typed(page: Page, text: str) -> None:
    expect(page.locator("#q")).to_have_value(text)
    expect(page.locator("#q")).to_be_focused()


def test_typing_keeps_focus_and_every_letter_and_narrows_the_list(page: Page, demo: Server) -> None:
    page.locator("#q").tap()
    page.keyboard.type("smith", delay=30)
    expect(page).to_have_url(f"{demo.url}/licenses?q=smith")
    expect_typed(page, "smith")
    expect(page.locator("h2")).to_contain_text("of 305 match")
    assert all("smith" in name for name in names(page))
    assert len(names(page)) == int(str(page.locator("[data-count]").get_attribute("data-count")))


def test_letters_typed_while_an_answer_is_late_are_kept(page: Page) -> None:
    held = Held(page)
    page.locator("#q").tap()
    page.keyboard.type("sm")
    held.wait_for("sm")
    page.keyboard.type("ith")
    held.let_go("sm")
    held.wait_for("smith")
    expect_typed(page, "smith")
    held.let_go("smith")
    expect(page.locator("h2")).to_contain_text("of 305 match")
    assert all("smith" in name for name in names(page))
    page.keyboard.type(".x")
    expect_typed(page, "smith.x")


def test_answers_that_come_out_of_order_never_overwrite_the_last_one(page: Page) -> None:
    held = Held(page)
    page.locator("#q").tap()
    page.keyboard.type("s")
    held.wait_for("s")
    page.keyboard.type("mith")
    held.wait_for("smith")
    held.let_go("smith")
    expect(page.locator("h2")).to_contain_text("of 305 match")
    found = names(page)
    assert all("smith" in name for name in found)
    held.let_go("s")
    assert page.evaluate("fetch('/healthz').then((answer) => answer.ok)")  # a whole trip later
    expect(page.locator("h2")).to_contain_text("of 305 match")
    assert names(page) == found
    expect_typed(page, "smith")


def test_a_late_search_never_overwrites_a_product_chosen_meanwhile(page: Page, demo: Server) -> None:
    held = Held(page)
    page.locator("#q").tap()
    page.keyboard.type("alan")
    held.wait_for("alan")
    product(page, "ha").tap()
    expect(page.locator("h1")).to_have_text("Historical Analytics")
    held.let_go("alan")
    assert page.evaluate("fetch('/healthz').then((answer) => answer.ok)")
    expect(page.locator("h1")).to_have_text("Historical Analytics")
    expect(page).to_have_url(f"{demo.url}/licenses/ha?q=alan")
    expect(page.locator("h2")).to_contain_text("of 22 match")


def test_clearing_the_search_shows_everyone_again_and_leaves_the_address_clean(
    page: Page, demo: Server
) -> None:
    page.locator("#q").fill("nobody has this name")
    heading(page, 0)
    page.get_by_role("link", name="Clear the search").tap()
    heading(page, 305)
    expect(page.locator("#q")).to_have_value("")
    page.locator("#q").fill("smith")
    expect(page).to_have_url(re.compile("q=smith"))
    page.locator("#q").fill("")
    heading(page, 305)
    assert "q=" not in page.url


def test_on_a_tablet_the_search_box_stays_where_it_is_however_few_are_found(page: Page) -> None:
    box = page.locator("#q")
    box.tap()
    page.keyboard.type("s")
    expect(page.locator("h2")).to_contain_text("of 305 match")
    place = box.bounding_box()
    for letters in ("mith", ".nobody"):
        page.keyboard.type(letters)
        until(page, lambda letters=letters: page.url.endswith(letters))
        assert box.bounding_box() == place


def test_enter_searches_at_once_and_keeps_the_focus(page: Page) -> None:
    page.locator("#q").tap()
    page.keyboard.type("smith")
    page.keyboard.press("Enter")
    expect(page.locator("h2")).to_contain_text("of 305 match")
    expect_typed(page, "smith")


def test_the_number_found_is_read_out_to_who_cannot_see_the_list(page: Page) -> None:
    page.locator("#q").fill("zzzz")
    heading(page, 0)
    expect(page.get_by_role("status")).to_have_text("0 of 305 match")
