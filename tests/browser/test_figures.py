"""The figures are read again by a tap and by themselves, the list never; what they say when no answer comes.

The browser's clock is turned on by hand, so that half a minute takes no time.
"""

import re
from datetime import datetime

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import Visit
from tests.browser.test_licenses import expect_figures, heading, names, product, rows
from tests.browser.test_lists import Parked, expect_address, is_for, show_more
from tests.browser.test_search import until
from tests.browser.test_session import UNAUTHORIZED, sign_out, whole_window_is_sign_in
from tests.servers import Server

pytestmark = pytest.mark.xdist_group("browser")


class Clock:
    """The page with a clock to turn on, and how often it asked the server for its regions."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.figures = 0
        self.others: list[str] = []
        page.clock.install()
        page.reload()
        page.locator("[data-username]").first.evaluate("row => { row.dataset.stays = 'yes' }")
        self._began = self._second()
        page.on("request", self._count)

    def _count(self, request: Request) -> None:
        if is_for(request, "#products"):
            self.figures += 1
        else:
            self.others.append(request.url)

    def _second(self) -> str:
        return str(self._page.locator(".as-of time").get_attribute("datetime"))

    def pass_half_a_minute(self) -> None:
        """The page looks once a second: first at what came, then whether it is time again."""
        self._page.clock.fast_forward(1_000)
        self._page.clock.fast_forward(30_000)

    def wait_for_the_servers(self) -> None:
        """Until an answer bears another time than the page did when it came: up to a second."""
        began = datetime.fromisoformat(self._began)
        until(self._page, lambda: datetime.now(began.tzinfo).replace(microsecond=0) > began)

    def wait_until_asked(self, times: int) -> None:
        until(self._page, lambda: self.figures == times)

    def expect_list_alone(self) -> None:
        """The list is the one that came with the page, and nothing but the figures was asked for."""
        expect(self._page.locator("[data-stays]")).to_have_count(1)
        expect(self._page.locator("#message")).to_be_empty()
        assert self.others == []


def test_a_tap_on_refresh_reads_the_figures_again_and_leaves_list_and_address_alone(page: Page) -> None:
    show_more(page)
    shown, address = names(page), page.url
    page.locator("[data-username]").last.evaluate("row => { row.dataset.stays = 'yes' }")
    page.locator("time").evaluate("time => { time.dataset.old = 'yes' }")
    page.get_by_role("link", name="Refresh").tap()
    expect(page.locator("time[data-old]")).to_have_count(0)
    expect(page.locator("time")).to_be_visible()
    expect(page.locator("[data-stays]")).to_have_count(1)
    assert names(page) == shown
    expect(page).to_have_url(address)
    expect_figures(page)


def test_the_figures_are_read_again_every_half_minute_while_the_page_is_looked_at(page: Page) -> None:
    clock = Clock(page)
    for time in (1, 2):
        page.locator("time").evaluate("time => { time.dataset.old = 'yes' }")
        clock.pass_half_a_minute()
        expect(page.locator("time[data-old]")).to_have_count(0)
        expect(page.locator("time")).to_be_visible()
        assert clock.figures == time
    clock.expect_list_alone()
    expect_figures(page)
    look_away(page, "hidden")
    for _ in range(4):
        clock.pass_half_a_minute()
    assert page.evaluate("fetch('/healthz').then((answer) => answer.ok)")
    assert clock.figures == 2
    look_away(page, "visible")
    clock.wait_until_asked(3)
    expect(page.locator("#announcement")).to_be_empty()


def test_what_is_not_purchased_is_read_again_too(page: Page) -> None:
    page.clock.install()
    page.goto("/licenses/accent")
    old = page.locator("time[data-old]")
    page.locator("time").evaluate("time => { time.dataset.old = 'yes' }")
    page.get_by_role("link", name="Refresh").tap()
    expect(old).to_have_count(0)
    page.locator("time").evaluate("time => { time.dataset.old = 'yes' }")
    page.clock.fast_forward(1_000)
    page.clock.fast_forward(30_000)
    expect(old).to_have_count(0)
    expect(page.locator("#details")).to_contain_text("There is no contract for Accent Conversion")


def look_away(page: Page, state: str) -> None:
    """What the browser says when another window lies over the page, or no longer does."""
    page.evaluate(
        """state => {
             Object.defineProperty(document, "visibilityState", {value: state, configurable: true});
             document.dispatchEvent(new Event("visibilitychange"));
           }""",
        state,
    )


def test_figures_two_minutes_old_say_so_and_nothing_pops_up_until_answers_come_again(
    page: Page, visit: Visit
) -> None:
    clock = Clock(page)
    visit.expect("net::ERR_FAILED")
    visit.expect("htmx:error: Failed to fetch")
    gone = True
    page.route(re.compile("/licenses"), lambda route: route.abort() if gone else route.continue_())
    for time in (1, 2, 3, 4):
        expect(page.locator(".as-of")).not_to_contain_text("Old")
        clock.pass_half_a_minute()
        clock.wait_until_asked(time)
    expect(page.locator(".as-of")).to_contain_text(
        re.compile(r"^\s*Old figures: as of \d\d:\d\d", re.IGNORECASE)
    )
    clock.expect_list_alone()
    expect_figures(page)
    page.get_by_role("link", name="Refresh").tap()  # whoever asks is told
    expect(page.get_by_role("alert")).to_contain_text("The server can't be reached.")
    page.get_by_role("button", name="Close").tap()
    gone = False
    clock.wait_for_the_servers()
    clock.pass_half_a_minute()
    expect(page.locator(".as-of")).not_to_contain_text("Old")
    page.clock.fast_forward(5_000)
    expect(page.locator(".as-of")).not_to_contain_text("Old")
    expect(page.locator("[data-stays]")).to_have_count(1)
    expect(rows(page)).to_have_count(50)


def test_what_a_person_does_goes_before_figures_that_are_late(page: Page) -> None:
    clock = Clock(page)
    held = Parked(page, r"/licenses/vcc$")
    clock.pass_half_a_minute()
    held.wait_for_one()
    product(page, "ha").tap()
    expect(page.locator("h1")).to_have_text("Historical Analytics")
    held.let_go()
    expect(page.locator("h1")).to_have_text("Historical Analytics")
    expect_address(page, "/licenses/ha")
    expect(page.locator("#message")).to_be_empty()
    heading(page, 22)


def test_a_message_that_nobody_has_read_yet_is_not_taken_away_by_the_figures(
    page: Page, visit: Visit
) -> None:
    clock = Clock(page)
    visit.expect("the server responded with a status of 500")
    page.route(re.compile("/licenses/ha"), lambda route: route.fulfill(status=500, body=""))
    product(page, "ha").tap()
    expect(page.get_by_role("alert")).to_contain_text("Something went wrong on the server.")
    page.locator("time").evaluate("time => { time.dataset.old = 'yes' }")
    clock.pass_half_a_minute()
    expect(page.locator("time[data-old]")).to_have_count(0)
    expect(page.get_by_role("alert")).to_contain_text("Something went wrong on the server.")


def test_figures_read_after_the_sign_in_ended_elsewhere_move_the_window_to_sign_in(
    visit: Visit, demo: Server
) -> None:
    page = visit(demo, "/licenses", "admin", alone=True)
    clock = Clock(page)
    other = page.context.new_page()
    other.goto("/licenses")
    sign_out(other)
    visit.expect(UNAUTHORIZED)
    clock.pass_half_a_minute()
    whole_window_is_sign_in(page)
    expect(page).to_have_url(re.compile(r"next=/licenses"))
