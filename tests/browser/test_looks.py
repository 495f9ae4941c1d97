"""What a finger and an eye need: targets, text, contrast, rows in sight, no sideways scrolling."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser import looks, states
from tests.browser.conftest import Visit
from tests.browser.test_licenses import card, heading, product
from tests.browser.test_trouble import expect_no_network
from tests.servers import Server

pytestmark = pytest.mark.xdist_group("browser")

SIZES = [(1024, 768), (768, 1024), (1180, 820), (820, 1180)]
PAGES = {
    "VCC": ("/licenses", "admin"),
    "a product of two types": ("/licenses/ha", "admin"),
    "a product of one type": ("/licenses/enc", "admin"),
    "not purchased": ("/licenses/accent", "admin"),
    "filtered": ("/licenses/vcc?type=agent&q=smith", "admin"),
    "nobody found": ("/licenses/vcc?q=zzzz", "admin"),
    "supervisor": ("/licenses", "supervisor"),
    "sign-in": ("/sign-in", ""),
    "not there": ("/licenses/nothing", "admin"),
    "anonymous and not there": ("/nothing", ""),
}
ODD = [f"/licenses/{key}" for key in ("vcc", "ha", "enc", "accent", "long")]


def opened(visit: Visit, server: Server, name: str) -> Page:
    """One of PAGES; that the browser logs a missing page is meant."""
    path, role = PAGES[name]
    if path == "/licenses/nothing":
        page = visit(server, "/licenses", role)
        visit.expect("the server responded with a status of 404")
        page.goto(path)
        return page
    return visit(server, path, role)


def axe_by_day_and_night(page: Page) -> list[str]:
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += [f"{scheme}: {fault}" for fault in looks.axe(page)]
    return found


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(visit: Visit, demo: Server, name: str) -> None:
    assert axe_by_day_and_night(opened(visit, demo, name)) == []


def test_axe_finds_nothing_in_a_sign_in_error(visit: Visit, demo: Server) -> None:
    page = visit(demo, "/sign-in")
    visit.expect("the server responded with a status of 422")
    page.get_by_label("Username").fill("nobody")
    page.get_by_label("Password", exact=True).fill("not the right password")
    page.get_by_role("button", name="Sign in", exact=True).tap()
    expect(page.locator('[data-error="form"]')).to_be_visible()
    assert axe_by_day_and_night(page) == []
    assert looks.small_targets(page) == []
    assert looks.close_targets(page) == []


def test_axe_finds_nothing_in_a_message_and_an_open_menu(visit: Visit, page: Page) -> None:
    page.context.set_offline(True)
    expect_no_network(visit)
    product(page, "ha").tap()
    expect(page.get_by_role("alert")).to_be_visible()
    page.locator("summary").tap()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    assert axe_by_day_and_night(page) == []


@pytest.mark.parametrize("path", ODD)
def test_axe_finds_nothing_in_odd_states(visit: Visit, odd: Server, path: str) -> None:
    assert axe_by_day_and_night(visit(odd, path, "admin")) == []


@pytest.mark.parametrize("name", PAGES)
def test_targets_are_48_px_and_8_px_apart_and_no_text_is_under_14_px(
    visit: Visit, demo: Server, name: str
) -> None:
    page = opened(visit, demo, name)
    assert looks.targets(page), "nothing to tap"
    assert looks.small_targets(page) == []
    assert looks.close_targets(page) == []
    assert looks.small_text(page) == []


def test_targets_in_the_menu_and_the_message_are_48_px_and_8_px_apart(visit: Visit, page: Page) -> None:
    page.context.set_offline(True)
    expect_no_network(visit)
    product(page, "ha").tap()
    expect(page.get_by_role("button", name="Close")).to_be_visible()
    assert looks.small_targets(page) == []
    assert looks.close_targets(page) == []
    page.get_by_role("button", name="Close").tap()
    page.locator("summary").tap()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    assert looks.small_targets(page) == []


@pytest.mark.parametrize("path", ODD)
def test_targets_and_text_bear_odd_states(visit: Visit, odd: Server, path: str) -> None:
    page = visit(odd, path, "admin")
    assert looks.small_targets(page) == []
    assert looks.close_targets(page) == []
    assert looks.small_text(page) == []


@pytest.mark.parametrize("role", ["admin", "supervisor"])
def test_three_rows_of_the_list_are_in_sight_on_arrival(visit: Visit, demo: Server, role: str) -> None:
    page = visit(demo, "/licenses", role)
    in_sight = {}
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        in_sight[f"{width} × {height}"] = looks.rows_in_sight(page)
    assert len(in_sight) == 4
    assert {size: rows for size, rows in in_sight.items() if rows < 3} == {}


def too_wide(page: Page) -> dict[int, int]:
    """The widths at which the page scrolls sideways, with how wide it wants to be."""
    wanted = {}
    for width in (360, 768, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        wanted[width] = looks.content_width(page)
    return {width: want for width, want in wanted.items() if want > width}


@pytest.mark.parametrize("name", PAGES)
def test_no_page_scrolls_sideways(visit: Visit, demo: Server, name: str) -> None:
    assert too_wide(opened(visit, demo, name)) == {}


@pytest.mark.parametrize("path", [*ODD, "/licenses/vcc?q=zzzz"])
def test_no_odd_state_scrolls_sideways(visit: Visit, odd: Server, path: str) -> None:
    assert too_wide(visit(odd, path, "admin")) == {}


@pytest.mark.parametrize("path", ["/sign-in", "/nothing"])
def test_a_long_organization_and_help_do_not_scroll_sideways(visit: Visit, odd: Server, path: str) -> None:
    page = visit(odd, path)
    expect(page.get_by_text("extension 4711")).to_be_visible()
    assert too_wide(page) == {}


def test_S2_S6_each_card_says_its_state_in_words(visit: Visit, odd: Server) -> None:
    page = visit(odd, "/licenses", "admin")
    for ref, words in {
        "vcc/agent": "8 over the contract · no new seats",
        "vcc/supervisor": "Full",
        "vcc/wallboard": "1 over, at extra charge · no upper limit",
        "vcc/admin": "Full · 5 more at extra charge",
    }.items():
        expect(card(page, ref).locator(".type-state")).to_have_text(words)
    expect(page.locator(".totals-over")).to_have_text(["Agent8 over", "Wallboard1 over"])
    expect(page.locator(".totals")).to_contain_text("0")
    product(page, "ha").tap()
    expect(card(page, "ha/viewer").locator(".type-state")).to_have_text(
        "4 available · No upper limit · extra charge above 5"
    )
    expect(product(page, "ha")).to_contain_text("1 user")
    product(page, "enc").tap()
    expect(card(page, "enc/enabled").locator(".type-state")).to_have_text(
        "1 over, at extra charge · 2 more possible"
    )
    product(page, "accent").tap()
    expect(page.get_by_text("Nobody holds Accent Conversion")).to_be_visible()
    heading(page, 0)


def test_names_of_any_script_and_length_are_shown_as_they_are(visit: Visit, odd: Server) -> None:
    page = visit(odd, "/licenses", "admin")
    for name in (states.ARABIC, states.EMOJI, states.LONG, states.UNBROKEN[:100], '<b>Bobby</b> & "Tables"'):
        expect(page.locator(".row-name", has_text=name).first).to_be_visible()
    arabic = page.locator('[data-username="arabic"] .row-name')
    assert arabic.evaluate("name => getComputedStyle(name).direction") == "rtl"
    expect(page.locator('[data-username="markup"] .rows-groups')).to_have_text("<script>alert(1)</script>")
