"""The Licenses page live: figures, products, cards, chips, history and the end of the list."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.servers import Server

pytestmark = pytest.mark.xdist_group("browser")

FIGURES = {
    "vcc/agent": (300, 250, 50),
    "vcc/supervisor": (50, 35, 15),
    "vcc/wallboard": (10, 5, 5),
    "vcc/admin": (25, 15, 10),
}
USERS = {"vcc": "305 users", "ha": "22 users", "enc": "120 users", "accent": "Not purchased"}


def product(page: Page, key: str) -> Locator:
    return page.locator(f'[data-product="{key}"]')


def card(page: Page, license: str) -> Locator:
    return page.locator(f'[data-license="{license}"]')


def chip(page: Page, key: str) -> Locator:
    return page.locator(f"label.chip:has(#type-{key})")


def rows(page: Page) -> Locator:
    return page.locator("[data-username]")


def names(page: Page) -> list[str]:
    return [str(name) for name in rows(page).evaluate_all("all => all.map((row) => row.dataset.username)")]


def heading(page: Page, count: int) -> None:
    expect(page.locator("[data-count]")).to_have_attribute("data-count", str(count))


def to_the_end(page: Page) -> list[str]:
    """Tap "Show more" until there is no more; every username in the list's order."""
    more = page.get_by_role("link", name="Show more")
    while more.count():
        before = rows(page).count()
        more.tap()
        expect(rows(page).nth(before)).to_be_attached()
    return names(page)


def expect_figures(page: Page) -> None:
    totals = page.locator(".totals")
    for count, word in ((385, "contracted"), (305, "assigned"), (80, "available")):
        expect(totals.locator("div").filter(has_text=word)).to_contain_text(str(count))
    for ref, (contracted, assigned, available) in FIGURES.items():
        expect(card(page, ref)).to_have_attribute("data-contracted", str(contracted))
        expect(card(page, ref)).to_have_attribute("data-assigned", str(assigned))
        expect(card(page, ref)).to_have_attribute("data-available", str(available))
        expect(card(page, ref)).to_contain_text(f"{available} available")
        expect(card(page, ref)).to_contain_text(re.compile(rf"{assigned}\s+assigned of\s+{contracted}"))
    for key, words in USERS.items():
        expect(product(page, key)).to_contain_text(words)
    expect(product(page, "ha")).to_have_attribute("data-users", "22")


@pytest.mark.case("SEAT-1")
def test_the_demos_admin_signs_in_and_sees_what_is_contracted_assigned_and_available(
    visit: Visit, demo: Server
) -> None:
    page = visit(demo, "/", "admin", alone=True)
    expect(page).to_have_url(f"{demo.url}/licenses")
    expect_figures(page)
    heading(page, 305)


@pytest.mark.case("SEAT-1")
def test_P2_P4_the_demos_supervisor_sees_the_same_figures_and_only_users_of_their_groups(
    visit: Visit, demo: Server
) -> None:
    me = demo.sign_ins["supervisor"][0]
    everyone = visit(demo, "/licenses", "admin")
    to_the_end(everyone)
    theirs = [
        name
        for name, held, groups in everyone.locator("[data-username]").evaluate_all(
            """all => all.map((row) => [row.dataset.username,
                 row.querySelector(".rows-license").textContent.trim(),
                 row.querySelector(".rows-groups").textContent.split(",").map((name) => name.trim())])"""
        )
        if ("Billing" in groups and held != "Admin") or name == me
    ]
    page = visit(demo, "/licenses", "supervisor")
    expect_figures(page)
    heading(page, len(theirs))
    expect(page.locator("[data-hidden]")).to_have_attribute("data-hidden", str(305 - len(theirs)))
    expect(page.get_by_role("heading", level=2)).to_contain_text(
        f"{len(theirs)} you can view · {305 - len(theirs)} you can't view"
    )
    assert to_the_end(page) == theirs
    others = page.locator(f'[data-username]:not([data-username="{me}"]) .rows-groups')
    assert set(others.all_inner_texts()) == {"Billing"}


def test_P4_the_number_of_hidden_users_never_varies_with_a_search(visit: Visit, demo: Server) -> None:
    page = visit(demo, "/licenses", "supervisor")
    hidden = str(page.locator("[data-hidden]").get_attribute("data-hidden"))
    page.locator("#q").fill("zzzz")
    heading(page, 0)
    expect(page.locator("[data-hidden]")).to_have_attribute("data-hidden", hidden)
    expect(page.get_by_text("Nobody matches")).to_be_visible()


def test_choosing_a_product_swaps_details_filters_and_users_and_back_returns(
    page: Page, demo: Server
) -> None:
    page.evaluate("window.stays = true")  # gone if the whole page were loaded
    product(page, "ha").tap()
    expect(page).to_have_url(f"{demo.url}/licenses/ha")
    expect(page).to_have_title("Historical Analytics · License Desk")
    expect(page.locator("h1")).to_have_text("Historical Analytics")
    expect(product(page, "ha")).to_have_attribute("aria-current", "true")
    expect(product(page, "vcc")).not_to_have_attribute("aria-current", "true")
    expect(page.locator(".chips .chip")).to_have_text([re.compile(r"All\s+22"), re.compile(r"Viewer\s+21"),
                                                re.compile(r"Creator\s+1")])  # fmt: skip
    expect(rows(page)).to_have_count(22)
    heading(page, 22)
    assert page.evaluate("window.stays") is True
    page.go_back()
    expect(page).to_have_url(f"{demo.url}/licenses")
    expect(page.locator("h1")).to_have_text("Vonage Contact Center")
    expect(page).to_have_title("Vonage Contact Center · License Desk")
    expect_figures(page)
    heading(page, 305)


def test_E3_a_product_that_was_not_purchased_says_so_and_lists_nobody(page: Page) -> None:
    product(page, "accent").tap()
    expect(page.locator("h1")).to_have_text("Accent Conversion")
    expect(page.locator("#details")).to_contain_text("There is no contract for Accent Conversion")
    expect(rows(page)).to_have_count(0)
    expect(page.locator("#q")).to_have_count(0)


def test_tapping_a_card_filters_the_list_and_marks_the_card_and_again_shows_all(
    page: Page, demo: Server
) -> None:
    card(page, "vcc/supervisor").tap()
    heading(page, 35)
    expect(page).to_have_url(f"{demo.url}/licenses/vcc?type=supervisor")
    expect(card(page, "vcc/supervisor")).to_have_attribute("aria-current", "true")
    expect(page.locator("#type-supervisor")).to_be_checked()
    assert set(page.locator(".rows-license .tag").all_inner_texts()) == {"Supervisor"}
    card(page, "vcc/supervisor").tap()
    heading(page, 305)
    expect(page.locator("#type-all")).to_be_checked()
    expect(page.locator(".type[aria-current]")).to_have_count(0)


def test_tapping_a_type_chip_filters_the_list_and_marks_its_card(page: Page, demo: Server) -> None:
    chip(page, "wallboard").tap()
    heading(page, 5)
    expect(page).to_have_url(f"{demo.url}/licenses?type=wallboard")
    expect(page.locator("#type-wallboard")).to_be_checked()
    expect(card(page, "vcc/wallboard")).to_have_attribute("aria-current", "true")
    chip(page, "all").tap()
    heading(page, 305)
    expect(page).to_have_url(f"{demo.url}/licenses")


def test_another_product_keeps_the_search_and_drops_the_type(page: Page, demo: Server) -> None:
    chip(page, "admin").tap()
    page.locator("#q").fill("a")
    expect(page).to_have_url(f"{demo.url}/licenses?type=admin&q=a")
    product(page, "enc").tap()
    expect(page).to_have_url(f"{demo.url}/licenses/enc?q=a")
    expect(page.locator("#q")).to_have_value("a")
    expect(page.locator("h2")).to_contain_text("of 120 match")


def test_reload_and_forward_keep_the_filters(page: Page, demo: Server) -> None:
    card(page, "vcc/agent").tap()
    heading(page, 250)
    page.locator("#q").fill("smith")
    expect(page).to_have_url(f"{demo.url}/licenses/vcc?type=agent&q=smith")
    expect(page.locator("h2")).to_contain_text("of 250 match")
    found = names(page)
    assert 0 < len(found) < 50
    page.reload()
    expect(page.locator("#q")).to_have_value("smith")
    expect(page.locator("#type-agent")).to_be_checked()
    assert names(page) == found
    page.go_back()
    expect(page).to_have_url(f"{demo.url}/licenses")
    heading(page, 305)
    expect(page.locator("#q")).to_have_value("")
    page.go_forward()
    expect(page).to_have_url(f"{demo.url}/licenses/vcc?type=agent&q=smith")
    heading(page, len(found))
    expect(page.locator("#q")).to_have_value("smith")
    expect(page.locator("#type-agent")).to_be_checked()
    assert names(page) == found


def test_show_more_lists_each_of_305_once_and_writes_no_history(page: Page) -> None:
    length = page.evaluate("history.length")
    everyone = to_the_end(page)
    assert len(everyone) == len(set(everyone)) == 305
    expect(page.locator(".foot")).to_contain_text("305")
    assert page.evaluate("history.length") == length


def test_show_more_goes_on_within_the_filters(page: Page) -> None:
    chip(page, "agent").tap()
    heading(page, 250)
    agents = to_the_end(page)
    assert len(set(agents)) == 250
    assert set(page.locator(".rows-license .tag").all_inner_texts()) == {"Agent"}
