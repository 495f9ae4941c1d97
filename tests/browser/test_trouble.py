"""The server is broken, busy or gone during a tap: a message comes, and the page stays as it was."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.test_licenses import card, chip, heading, product, rows
from tests.browser.test_lists import Parked, expect_address, expect_chosen, show_more
from tests.servers import Server

pytestmark = pytest.mark.xdist_group("browser")

HA = re.compile(r"/licenses/ha")


def lose_network(page: Page, visit: Visit) -> None:
    """Chromium and htmx both log it."""
    visit.expect("net::ERR_INTERNET_DISCONNECTED")
    visit.expect("htmx:error: Failed to fetch")
    page.context.set_offline(True)


def _stays(page: Page, demo: Server) -> None:
    expect(page).to_have_url(f"{demo.url}/licenses")
    expect(page.locator("h1")).to_have_text("Vonage Contact Center")
    expect(page).to_have_title("Vonage Contact Center · License Desk")
    expect(product(page, "vcc")).to_have_attribute("aria-current", "true")
    heading(page, 305)
    expect(rows(page)).to_have_count(50)


@pytest.mark.case("HTMX-3")
@pytest.mark.parametrize(
    ("status", "headers", "told"),
    [
        (500, {}, "Something went wrong on the server."),
        (502, {}, "The server can't be reached. Try again in a moment."),
        (503, {"Retry-After": "5"}, "The server is busy. Try again in 5 seconds."),
        (429, {"Retry-After": "1"}, "Too many requests. Try again in 1 second."),
        (404, {}, "This no longer exists, or you can't view it."),
        (400, {}, "This page is out of date. Reload it and try again."),
    ],
)
def test_an_error_during_a_tap_is_told_and_the_page_stays(
    page: Page, visit: Visit, demo: Server, status: int, headers: dict[str, str], told: str
) -> None:
    visit.expect(f"the server responded with a status of {status}")
    body = "<h1>An error page of somebody's proxy</h1>"
    page.route(
        HA, lambda route: route.fulfill(status=status, headers=headers, content_type="text/html", body=body)
    )
    product(page, "ha").tap()
    expect(page.locator("#message > span")).to_have_text(told)
    expect(page.get_by_role("alert")).to_be_in_viewport()
    _stays(page, demo)


@pytest.mark.case("HTMX-3")
def test_a_lost_network_is_told_and_the_next_success_takes_the_message_away(
    page: Page, visit: Visit, demo: Server
) -> None:
    lose_network(page, visit)
    product(page, "ha").tap()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The server can't be reached. Try again in a moment.")
    _stays(page, demo)
    page.context.set_offline(False)
    product(page, "ha").tap()
    expect(page.locator("h1")).to_have_text("Historical Analytics")
    expect(page.locator("#message")).to_be_empty()


def test_a_message_can_be_closed(page: Page, visit: Visit) -> None:
    visit.expect("the server responded with a status of 500")
    page.route(HA, lambda route: route.fulfill(status=500, body=""))
    product(page, "ha").tap()
    page.get_by_role("button", name="Close").tap()
    expect(page.locator("#message")).to_be_empty()


@pytest.mark.case("HTMX-3")
def test_a_failed_search_keeps_what_was_typed(page: Page, visit: Visit) -> None:
    visit.expect("the server responded with a status of 503")
    page.route(re.compile("q="), lambda route: route.fulfill(status=503, body=""))
    page.locator("#q").tap()
    page.keyboard.type("smith")
    expect(page.get_by_role("alert")).to_contain_text("The server is busy.")
    expect(page.locator("#q")).to_have_value("smith")
    expect(page.locator("#q")).to_be_focused()
    heading(page, 305)


@pytest.mark.case("HTMX-3")
def test_a_filter_without_an_answer_can_be_tried_again_and_nothing_else_takes_its_message_away(
    page: Page, visit: Visit
) -> None:
    visit.expect("the server responded with a status of 503")
    busy = re.compile(r"type=supervisor")
    page.route(busy, lambda route: route.fulfill(status=503, headers={"Retry-After": "2"}, body=""))
    chip(page, "supervisor").tap()
    told = page.locator("#message > span")
    expect(told).to_have_text("The server is busy. Try again in 2 seconds.")
    assert page.evaluate("scrollY") == 0  # no list came that would be shown
    page.locator(".list").evaluate("list => list.scrollIntoView()")
    alert, filters = page.get_by_role("alert").bounding_box(), page.locator("#filters").bounding_box()
    assert alert
    assert filters
    assert alert["y"] >= 0
    assert round(alert["y"] + alert["height"]) <= filters["y"]
    page.unroute(busy)
    for read in ("document.querySelector('#refresh').click()", "htmx.trigger('#figures', 'figures')"):
        page.locator("time").evaluate("time => { time.dataset.old = 'yes' }")
        page.evaluate(read)
        expect(page.locator("time[data-old]")).to_have_count(0)
        expect(page.locator("time")).to_be_visible()
        expect(told).to_be_visible()
        expect(page.locator(".type[aria-current]")).to_have_count(0)
    show_more(page)
    heading(page, 305)
    expect(told).to_be_visible()
    page.get_by_role("button", name="Try again").tap()
    heading(page, 35)
    expect(page.locator("#type-supervisor")).to_be_checked()
    expect(card(page, "vcc/supervisor")).to_have_attribute("aria-current", "true")
    expect(page.locator("#message")).to_be_empty()
    expect_address(page, "/licenses/vcc", type="supervisor")


@pytest.mark.case("HTMX-3")
def test_whoever_gives_up_a_filter_goes_on_from_the_list_as_it_is(visit: Visit, demo: Server) -> None:
    page = visit(demo, "/users?q=an", "admin")
    heading(page, 14)
    lose_network(page, visit)
    page.locator("label:has(#status-archived)").tap()
    page.get_by_role("button", name="Close").tap()
    page.locator("#initials > summary").tap()
    page.locator("label:has(#initial-A)").tap()
    page.get_by_role("button", name="Close").tap()
    page.locator("#q").fill("and")
    page.get_by_role("button", name="Close").tap()
    expect(page.locator("#message")).to_be_empty()
    expect(page.locator("#status-active")).to_be_checked()
    expect(page.locator("#initial-all")).to_be_checked()
    expect_chosen(page, "initials", "All")
    expect(page.locator("#q")).to_have_value("an")
    page.context.set_offline(False)
    page.locator("#initials > summary").tap()
    page.locator("label:has(#initial-A)").tap()
    expect_address(page, "/users", q="an", initial="A", status="active")


@pytest.mark.case("HTMX-3")
def test_what_fails_besides_a_filter_is_not_tried_again_as_one(page: Page, visit: Visit) -> None:
    lose_network(page, visit)
    chip(page, "supervisor").tap()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    product(page, "ha").tap()
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    expect(page.get_by_role("button", name="Close")).to_be_visible()


@pytest.mark.case("HTMX-3")
def test_everyones_list_tries_a_filter_again_too(visit: Visit, demo: Server) -> None:
    page = visit(demo, "/users", "admin")
    lose_network(page, visit)
    page.locator("label:has(#status-archived)").tap()
    expect(page.locator("#message > span")).to_have_text(
        "The server can't be reached. Try again in a moment."
    )
    page.context.set_offline(False)
    show_more(page)
    page.get_by_role("button", name="Try again").tap()
    heading(page, 0)
    expect(page.locator("#message")).to_be_empty()


def test_the_progress_shows_only_when_an_answer_is_late_also_where_little_may_move(page: Page) -> None:
    held = Parked(page, "/licenses/ha")
    progress = page.locator("#progress")
    at_once = progress.evaluate(
        """it => new Promise((tell) => {
             new MutationObserver(() => requestAnimationFrame(() => tell(getComputedStyle(it).opacity)))
               .observe(it, {attributes: true});
             document.querySelector('[data-product="ha"]').click();
           })"""
    )
    assert at_once == "0"
    expect(progress).to_have_css("opacity", "1")
    held.let_go()
    expect(progress).to_have_css("opacity", "0")


def test_a_page_that_is_not_there_says_so_and_shows_the_way_out(visit: Visit, demo: Server) -> None:
    page = visit(demo, "/licenses", "admin")
    visit.expect("the server responded with a status of 404")
    page.goto("/licenses/nothing")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")
    page.get_by_role("link", name="Go to the start page").tap()
    expect(page).to_have_url(f"{demo.url}/licenses")
