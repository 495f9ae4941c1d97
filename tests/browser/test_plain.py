"""Everything works without JavaScript."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.test_licenses import card, chip, heading, names, product
from tests.servers import Server

pytestmark = pytest.mark.xdist_group("browser")


def test_without_javascript_one_can_sign_in_look_search_page_and_sign_out(visit: Visit, demo: Server) -> None:
    page = visit(demo, "/licenses", "admin", alone=True, java_script_enabled=False)
    heading(page, 305)

    product(page, "ha").tap()
    expect(page).to_have_url(f"{demo.url}/licenses/ha")
    expect(page.locator("h1")).to_have_text("Historical Analytics")
    heading(page, 22)

    product(page, "vcc").tap()
    card(page, "vcc/agent").tap()
    expect(page).to_have_url(f"{demo.url}/licenses/vcc?type=agent")
    heading(page, 250)
    expect(card(page, "vcc/agent")).to_have_attribute("aria-current", "true")

    chip(page, "supervisor").tap()
    page.locator("#q").fill("a")
    page.get_by_role("button", name="Show", exact=True).tap()
    expect(page).to_have_url(re.compile(f"^{demo.url}/licenses/vcc[?].*type=supervisor.*q=a"))
    expect(page.locator("#q")).to_have_value("a")
    expect(page.locator("h2")).to_contain_text("of 35 match")

    page.goto("/licenses")
    everyone = names(page)
    while page.get_by_role("link", name="Show more").count():
        with page.expect_navigation():
            page.get_by_role("link", name="Show more").tap()
        expect(page.locator(f'[data-username="{everyone[-1]}"]')).to_have_count(0)
        everyone += names(page)
    assert len(everyone) == len(set(everyone)) == 305

    page.locator(".menu > summary").tap()
    page.get_by_role("button", name="Sign out").tap()
    expect(page).to_have_url(f"{demo.url}/sign-in")
    page.goto("/licenses")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    expect(page.locator("[data-username]")).to_have_count(0)


def test_without_javascript_no_control_is_offered_that_needs_it(visit: Visit, demo: Server) -> None:
    page = visit(demo, "/sign-in", java_script_enabled=False)
    expect(page.get_by_role("button")).to_have_text(["Sign in"])


def test_without_javascript_one_can_choose_a_letter_and_a_group_and_look_at_a_user(
    visit: Visit, demo: Server
) -> None:
    page = visit(demo, "/licenses", "admin", java_script_enabled=False)
    page.locator("#initials > summary").tap()
    page.locator("label:has(#initial-A)").tap()
    page.locator("#groups > summary").tap()
    page.locator("#groups label", has_text="Billing").tap()
    page.get_by_role("button", name="Show", exact=True).tap()
    expect(page.locator("#initials .picker-chosen")).to_have_text("A")
    expect(page.locator("#groups .picker-chosen")).to_have_text("Billing")
    heading(page, 8)
    expect(page.locator("#initial-A")).to_be_checked()

    page.get_by_role("link", name="Users", exact=True).tap()
    page.locator("label:has(#status-archived)").tap()
    page.get_by_role("button", name="Show", exact=True).tap()
    heading(page, 0)
    page.locator("label:has(#status-active)").tap()
    page.locator("#licenses > summary").tap()
    page.locator("label:has(#license-ha-viewer)").tap()
    page.get_by_role("button", name="Show", exact=True).tap()
    heading(page, 21)
    first = names(page)[0]
    page.locator(f'[data-username="{first}"]').tap()
    expect(page).to_have_url(f"{demo.url}/users/{first}")
    page.locator("#back").tap()
    expect(page).to_have_url(f"{demo.url}/users")
    heading(page, 305)
