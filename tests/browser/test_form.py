"""The user form by taps: what the rules promise to the person who uses it."""

import re
import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Dialog, Locator, Page, expect

from tests.browser import looks
from tests.browser.conftest import Visit
from tests.browser.test_search import until
from tests.servers import Desk, Server, lay_out, running

pytestmark = pytest.mark.xdist_group("looks")

REFUSED = "the server responded with a status of 422"


@pytest.fixture(scope="module")
def demo(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A demo of its own: here it is changed."""
    desk = Desk(lay_out(tmp_path_factory.mktemp("form-site")), tmp_path_factory.mktemp("form"))
    with running(desk, "demo") as server:
        yield server


def tile(page: Page, choice: str) -> Locator:
    return page.locator(f"label.tile:has(#{choice})")


def chip(page: Page, choice: str) -> Locator:
    return page.locator(f"label.chip:has(#{choice})")


def edges(element: Locator) -> tuple[float, float, float, float]:
    """Left, top, right and bottom, in the window."""
    box = element.bounding_box()
    assert box
    return box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]


def typed(page: Page, name: str, username: str) -> None:
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Username").fill(username)
    page.get_by_label("Email").fill(f"{username}@northwind.example")


@pytest.fixture
def form(visit: Visit, demo: Server) -> Page:
    """The form for a new user on a touch tablet, the demo's admin signed in."""
    return visit(demo, "/users/new", "admin")


@pytest.mark.case("HTMX-3")
def test_V1_a_user_with_product_licenses_is_created_and_without_a_base_license_is_not(
    visit: Visit, form: Page
) -> None:
    visit.expect(REFUSED)
    typed(form, "Samira Haddad", "samira.one")
    tile(form, "license_enc-enabled").tap()
    form.get_by_role("button", name="Create user").tap()
    expect(form.locator("#summary")).to_contain_text("license is missing")
    expect(form.locator("#summary")).to_be_focused()
    expect(form).to_have_url(re.compile("/users/new$"))
    expect(form.get_by_label("Name", exact=True)).to_have_value("Samira Haddad")
    tile(form, "license_vcc-agent").tap()
    expect(form.locator("#plan")).to_contain_text("Takes 1 Agent seat")
    expect(form.locator("#plan")).to_contain_text("Takes 1 Enhanced Noise Cancellation seat")
    form.get_by_role("button", name="Create user").tap()
    expect(form).to_have_url(re.compile("/users/samira.one$"))
    expect(form.locator("main")).to_contain_text("Created.")
    held = form.get_by_role("region", name="What they hold").get_by_role("listitem")
    expect(held).to_have_count(2)


def test_E1_an_agent_cannot_get_historical_analytics_and_a_tap_leads_out(visit: Visit, form: Page) -> None:
    visit.expect(REFUSED)
    typed(form, "Ways Out", "ways.out")
    tile(form, "license_vcc-agent").tap()
    expect(form.locator("#license_ha-viewer")).to_be_disabled()
    expect(form.locator("#field-license_ha")).to_contain_text("An Agent can't hold Historical Analytics.")
    form.get_by_role("button", name=re.compile(r"^Use Supervisor \(\d+ left\)$")).tap()
    expect(form.locator("#license_vcc-supervisor")).to_be_checked()
    expect(form.locator("#license_ha-viewer")).to_be_enabled()
    tile(form, "license_ha-viewer").tap()
    expect(form.locator("#plan")).to_contain_text("Takes 1 Historical Analytics Viewer seat")
    expect(form.get_by_label("Name", exact=True)).to_have_value("Ways Out")  # nothing typed was lost
    form.get_by_role("button", name="Create user").tap()
    expect(form).to_have_url(re.compile("/users/ways.out$"))
    # E5: back to Agent names the loss, asks, and does both at once.
    tile(form, "license_vcc-agent").tap()
    loss = form.locator('[data-loss="ha/viewer"]')
    expect(loss).to_be_visible()
    expect(form.locator("#save")).to_contain_text("1 loss")
    form.get_by_role("button", name="Save", exact=True).tap()
    expect(form.locator("#summary")).to_contain_text("They would lose Historical Analytics Viewer")
    loss.tap()
    form.get_by_role("button", name="Save", exact=True).tap()
    expect(form.locator("main")).to_contain_text("Saved.")
    expect(form.get_by_role("region", name="What they hold").get_by_role("listitem")).to_have_count(1)


def test_a_wrong_username_is_put_right_by_a_tap(visit: Visit, form: Page) -> None:
    visit.expect(REFUSED)
    typed(form, "Space Bar", "space bar")
    form.get_by_label("Email").fill("space@northwind.example")
    tile(form, "license_vcc-agent").tap()
    form.get_by_role("button", name="Create user").tap()
    form.get_by_role("button", name="Use space.bar").tap()
    expect(form.get_by_label("Username")).to_have_value("space.bar")
    form.get_by_role("button", name="Create user").tap()
    expect(form).to_have_url(re.compile("/users/space.bar$"))


def test_S2_a_type_without_a_seat_cannot_be_chosen(visit: Visit, odd: Server) -> None:
    page = visit(odd, "/users/new", "admin")
    expect(page.locator("#license_vcc-supervisor")).to_be_disabled()
    expect(tile(page, "license_vcc-supervisor")).to_contain_text("No seat left")
    tile(page, "license_vcc-admin").tap()
    expect(page.locator('[data-overage="vcc/admin"]')).to_contain_text(
        "This makes 3 of 2 Admin licenses; extra charges apply."
    )
    expect(page.locator("#save")).to_contain_text("Extra charge")
    expect(page.locator("#field-license_vcc .tile-note")).to_contain_text(
        "Agent, Supervisor: no seat left. Archive users or move them to another license"
    )


def test_leaving_a_changed_form_asks_first_and_a_saved_one_does_not(form: Page) -> None:
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    form.on("dialog", stay)
    typed(form, "Half Typed", "half.typed")
    form.locator("#back").tap()
    expect(form.get_by_label("Name", exact=True)).to_have_value("Half Typed")
    assert asked == ["beforeunload"]
    form.get_by_label("Email").fill("half@northwind.example")
    tile(form, "license_vcc-agent").tap()
    form.get_by_role("button", name="Create user").tap()
    expect(form).to_have_url(re.compile("/users/half.typed$"))
    form.locator("#back").tap()
    expect(form).to_have_url(re.compile(r"/(users|licenses)$"))
    assert asked == ["beforeunload"]


@pytest.fixture(params=["with", "without"])
def browsing(request: pytest.FixtureRequest, visit: Visit, demo: Server) -> Page:
    """The list of users, narrowed, with and without the Navigation API: older tablets have none."""
    page = visit(demo, "/sign-in", "admin")
    if request.param == "without":
        page.add_init_script("delete window.navigation")
    page.goto("/users?license=vcc%2Fagent")
    return page


@pytest.mark.parametrize("way", ["#back", "#cancel"])
def test_the_list_is_one_tap_away_as_one_left_it_also_after_saves_and_a_reload(
    browsing: Page, way: str
) -> None:
    page = browsing
    page.get_by_role("link", name="Show more").tap()
    expect(page.locator("[data-username]")).to_have_count(100)
    address, length = page.url, int(page.evaluate("history.length"))
    row = page.locator("[data-username]").nth(90)
    row.scroll_into_view_if_needed()
    row.tap()
    name = page.get_by_label("Name", exact=True).input_value()
    for renamed in (f"{name} A", f"{name} B"):
        page.get_by_label("Name", exact=True).fill(renamed)
        page.get_by_role("button", name="Save", exact=True).tap()
        expect(page.locator("h1")).to_have_text(renamed)
    page.reload()
    assert page.evaluate("history.length") == length + 1  # the browser's own Back leads to the list too
    page.locator(way).tap()
    expect(page).to_have_url(address)
    expect(page.locator("[data-username]")).to_have_count(100)
    expect(page.locator("[data-username]").nth(90)).to_be_in_viewport()
    expect(page.locator("[data-username]").nth(90)).to_contain_text(f"{name} B")


@pytest.mark.parametrize("way", ["#back", "#cancel"])
def test_the_list_is_one_tap_away_from_a_user_just_created(browsing: Page, way: str) -> None:
    page, address = browsing, browsing.url
    page.get_by_role("link", name="New user").tap()
    username = f"one.tap.{secrets.token_hex(4)}"
    typed(page, "One Tap", username)
    tile(page, "license_vcc-supervisor").tap()
    expect(page.locator("#plan")).to_contain_text("Takes 1 Supervisor seat")
    page.get_by_role("button", name="Create and add another").tap()
    expect(page.locator(".notice.ok")).to_contain_text(f"{username} is created.")
    expect(page.get_by_role("link", name=username)).to_have_attribute("href", f"/users/{username}")
    typed(page, "One Tap", f"{username}.more")
    page.get_by_role("button", name="Create user").tap()
    expect(page).to_have_url(re.compile(f"/users/{username}.more$"))
    page.locator(way).tap()
    expect(page).to_have_url(address)


def test_the_list_is_one_tap_away_from_a_user_whose_history_was_looked_at(visit: Visit, demo: Server) -> None:
    page = visit(demo, "/licenses/ha?type=viewer", "admin")
    page.locator("[data-username]").first.tap()
    page.get_by_role("link", name="History").tap()
    expect(page).to_have_url(re.compile("/history$"))
    page.locator("#back").tap()
    expect(page).to_have_url(re.compile("/users/[^/]+$"))
    page.get_by_role("link", name="History").tap()
    expect(page).to_have_url(re.compile("/history$"))
    page.get_by_role("link", name="Users", exact=True).tap()
    page.get_by_role("link", name="New user").tap()
    page.locator("#cancel").tap()
    expect(page).to_have_url(f"{demo.url}/users")
    page.go_back()
    page.locator("#back").tap()
    page.locator("#back").tap()
    expect(page).to_have_url(f"{demo.url}/licenses/ha?type=viewer")


@pytest.mark.parametrize("path", ["/users/new", "/users/super0", "/users/gone0"])
def test_the_bar_with_save_is_at_the_bottom_edge_wherever_one_scrolls(
    visit: Visit, odd: Server, path: str
) -> None:
    page = visit(odd, path, "admin")
    bar, last = page.locator(".save-bar"), page.locator("main .card").last
    # Two tablets, what an on-screen keyboard leaves of them, a phone, and a screen that is longer than the page.
    for width, height in ((1024, 768), (820, 1180), (1024, 380), (820, 700), (390, 844), (1280, 3000)):
        page.set_viewport_size({"width": width, "height": height})
        for part in (0, 0.5, 1):
            page.evaluate("(part) => scrollTo(0, part * document.documentElement.scrollHeight)", part)
            left, top, right, bottom = edges(bar)
            assert (left, right) == (0, width)
            assert bottom == pytest.approx(height, abs=1), (width, height, part)
        assert edges(last)[3] <= top - 8  # nothing stays under it
    page.set_viewport_size({"width": 1024, "height": 380})
    for field in page.locator("#user-form input:is([type=text], [type=email]):visible").all():
        field.focus()
        assert edges(field)[3] <= edges(bar)[1]


@pytest.mark.case("SEAT-6", "HTMX-3")
def test_a_conflict_shows_both_and_what_is_saved_can_be_taken(visit: Visit, form: Page, demo: Server) -> None:
    visit.expect("the server responded with a status of 409")
    typed(form, "Two Editors", "two.editors")
    tile(form, "license_vcc-agent").tap()
    form.get_by_role("button", name="Create user").tap()
    expect(form).to_have_url(re.compile("/users/two.editors$"))
    other = visit(demo, "/users/two.editors", "admin")
    other.get_by_label("Name", exact=True).fill("Their Name")
    other.get_by_role("button", name="Save", exact=True).tap()
    expect(other.locator("h1")).to_have_text("Their Name")
    form.get_by_label("Name", exact=True).fill("My Name")
    chip(form, "group-1").tap()
    form.get_by_role("button", name="Save", exact=True).tap()
    expect(form.locator("#conflict")).to_contain_text("My Name")
    expect(form.locator("#conflict")).to_be_in_viewport()
    expect(form.locator("#save")).to_have_text("Changes name, groups")
    expect(form.get_by_label("Name", exact=True)).to_have_value("My Name")
    expect(form.locator("main")).not_to_contain_text("Saved.")
    form.locator("#conflict tr", has_text="Name").get_by_role("button", name="Use what is saved").first.tap()
    expect(form.get_by_label("Name", exact=True)).to_have_value("Their Name")
    form.get_by_role("button", name="Save", exact=True).tap()
    expect(form.locator("h1")).to_have_text("Their Name")
    expect(form.locator("#group-1")).to_be_checked()
    assert looks.faults(form) == []


def edge(page: Page, which: str, selector: str) -> float:
    """Where its top or bottom is in the window, in CSS pixels."""
    return float(page.locator(selector).evaluate(f"it => it.getBoundingClientRect().{which}"))


def test_archive_and_reactivate_by_taps(form: Page) -> None:
    typed(form, "Comes Back", "comes.back")
    tile(form, "license_vcc-agent").tap()
    form.get_by_role("button", name="Create user").tap()
    expect(form).to_have_url(re.compile("/users/comes.back$"))
    form.get_by_text("Archive Comes Back").tap()
    until(form, lambda: edge(form, "bottom", "#archive button") <= edge(form, "top", ".save-bar"))
    form.get_by_role("button", name="Archive", exact=True).tap()
    expect(form.locator("main")).to_contain_text("They are archived and hold no license.")
    expect(form.locator("#plan")).to_contain_text("Takes 1 Agent seat")
    form.get_by_role("button", name="Reactivate").tap()
    expect(form.locator("main")).to_contain_text("Reactivated.")


def test_P1_an_agent_made_a_supervisor_is_led_on_by_a_tap_to_where_they_can_sign_in(form: Page) -> None:
    typed(form, "Moves Up", "moves.up")
    tile(form, "license_vcc-agent").tap()
    form.get_by_role("button", name="Create user").tap()
    expect(form).to_have_url(re.compile("/users/moves.up$"))
    tile(form, "license_vcc-supervisor").tap()
    expect(form.locator("#plan")).to_contain_text("They can't sign in here: Access user admin is off.")
    expect(form.locator("#save")).to_contain_text("Can't sign in")
    chip(form, "permissions-create").tap()
    expect(form.locator('#plan button[value$="=create&permissions=access"]')).to_be_visible()
    assert looks.faults(form) == []
    form.get_by_role("button", name="Turn Access user admin on").tap()
    expect(form.locator("#plan")).not_to_contain_text("They can't sign in here")
    expect(form.locator("#permissions-create")).to_be_checked()
    form.get_by_role("button", name="Save", exact=True).tap()
    expect(form.locator("#way-in-head")).to_be_visible()


def test_the_form_with_errors_losses_and_rights_can_be_read_and_tapped(visit: Visit, form: Page) -> None:
    visit.expect(REFUSED)
    tile(form, "license_vcc-supervisor").tap()
    expect(form.locator("#permissions-access")).to_be_checked()
    form.get_by_role("button", name="Create user").tap()
    expect(form.locator("#summary")).to_be_visible()
    assert looks.faults(form) == []


def test_the_groups_page_can_be_read_and_tapped(visit: Visit, demo: Server) -> None:
    visit.expect(REFUSED)
    page = visit(demo, "/groups", "admin")
    page.get_by_label("New group").fill("billing")
    page.get_by_role("button", name="Create group").tap()
    expect(page.locator('[data-error="name"]')).to_contain_text("can't be used")
    assert looks.faults(page) == []


def test_one_of_many_groups_is_found_by_its_letters_and_stays_shown_once_chosen(
    visit: Visit, odd: Server
) -> None:
    page = visit(odd, "/users/new", "admin")
    chips = page.locator("#field-groups label.chip:visible")
    everything = chips.count()
    assert everything > 12
    page.get_by_label("Find a group").fill("NIGHT")
    expect(chips).to_have_text(["Night shift"])
    chips.first.tap()
    page.get_by_label("Find a group").fill("team 3")
    expect(chips).to_have_count(2)
    assert looks.faults(page) == []
    page.get_by_label("Find a group").fill("")
    expect(chips).to_have_count(everything)
    expect(page.locator("#field-groups :checked")).to_have_count(1)
