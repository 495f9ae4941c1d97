"""Signing in and out, and what a tap does when the sign-in has ended on the server."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.test_licenses import card, product
from tests.servers import Server

pytestmark = pytest.mark.xdist_group("browser")

UNAUTHORIZED = "the server responded with a status of 401"


def sign_out(page: Page) -> None:
    page.locator(".menu > summary").tap()
    page.get_by_role("button", name="Sign out").tap()
    expect(page).to_have_url(re.compile("/sign-in$"))


def test_a_wrong_password_is_told_beside_the_form_and_the_username_is_kept(
    visit: Visit, demo: Server
) -> None:
    page = visit(demo, "/sign-in")
    page.get_by_label("Username").fill(demo.sign_ins["admin"][0])
    page.get_by_label("Password", exact=True).fill("not the right password")
    visit.expect("the server responded with a status of 422")
    page.get_by_role("button", name="Sign in", exact=True).tap()
    error = page.locator('[data-error="form"]')
    expect(error).to_contain_text("Username and password don't match")
    expect(page.get_by_label("Username")).to_have_value(demo.sign_ins["admin"][0])
    expect(page.locator("#password")).to_have_value("")
    expect(page.locator("#password")).to_be_focused()


def test_the_password_can_be_shown_and_hidden(visit: Visit, demo: Server) -> None:
    page = visit(demo, "/sign-in")
    page.locator("#password").fill("seen by me alone")
    page.get_by_role("button", name="Show password").tap()
    expect(page.locator("#password")).to_have_attribute("type", "text")
    page.get_by_role("button", name="Hide password").tap()
    expect(page.locator("#password")).to_have_attribute("type", "password")
    expect(page.locator("#password")).to_have_value("seen by me alone")


def test_after_signing_in_one_is_where_one_wanted_to_be(visit: Visit, demo: Server) -> None:
    page = visit(demo, "/licenses/ha?type=viewer")
    expect(page).to_have_url(f"{demo.url}/sign-in?next=/licenses/ha?type%3Dviewer")
    page.get_by_label("Username").fill(demo.sign_ins["admin"][0])
    page.get_by_label("Password", exact=True).fill(demo.sign_ins["admin"][1])
    page.get_by_role("button", name="Sign in", exact=True).tap()
    expect(page).to_have_url(f"{demo.url}/licenses/ha?type=viewer")
    expect(page.locator("[data-count]")).to_have_attribute("data-count", "21")


@pytest.mark.case("HTMX-4", "ASVS 7.4.1")
def test_back_after_signing_out_shows_no_data(visit: Visit, demo: Server) -> None:
    page = visit(demo, "/licenses", "admin", alone=True)
    product(page, "ha").tap()
    expect(page.locator("h1")).to_have_text("Historical Analytics")
    sign_out(page)
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    expect(page.locator("[data-username], [data-product], [data-license]")).to_have_count(0)


def _end_elsewhere(visit: Visit, demo: Server, page: Page) -> None:
    """Sign out in another window that has the same cookie."""
    other = visit(demo, "/licenses", storage_state=page.context.storage_state())
    sign_out(other)


def whole_window_is_sign_in(page: Page) -> None:
    expect(page).to_have_url(re.compile(r"/sign-in(\?|$)"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    expect(page.locator("main")).to_have_count(1)
    expect(page.locator("form")).to_have_count(1)
    expect(page.locator("#details, #users, #products, [data-username]")).to_have_count(0)


@pytest.mark.case("HTMX-2")
def test_a_tap_on_a_product_after_the_sign_in_ended_moves_the_whole_window(
    visit: Visit, demo: Server
) -> None:
    page = visit(demo, "/licenses", "admin", alone=True)
    _end_elsewhere(visit, demo, page)
    visit.expect(UNAUTHORIZED)
    product(page, "ha").tap()
    whole_window_is_sign_in(page)
    expect(page).to_have_url(re.compile(r"next=/licenses/ha"))


@pytest.mark.case("HTMX-2")
def test_a_letter_typed_after_the_sign_in_ended_moves_the_whole_window(visit: Visit, demo: Server) -> None:
    page = visit(demo, "/licenses", "admin", alone=True)
    _end_elsewhere(visit, demo, page)
    visit.expect(UNAUTHORIZED)
    page.locator("#q").tap()
    page.keyboard.type("a")
    whole_window_is_sign_in(page)


@pytest.mark.case("HTMX-2", "ASVS 7.4.1")
def test_back_after_the_sign_in_ended_shows_no_data(visit: Visit, demo: Server) -> None:
    page = visit(demo, "/licenses", "admin", alone=True)
    card(page, "vcc/agent").tap()
    expect(page).to_have_url(re.compile("type=agent"))
    _end_elsewhere(visit, demo, page)
    visit.expect(UNAUTHORIZED)
    page.go_back()
    whole_window_is_sign_in(page)
