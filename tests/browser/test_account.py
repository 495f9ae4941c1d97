"""Getting in by a link on a tablet, switching the person, and what changes while the server runs."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import chromium, looks
from tests.browser.conftest import Visit
from tests.browser.test_form import chip, tile, typed
from tests.commands.files import COLUMNS, CONTRACT, as_csv, user
from tests.servers import Desk, Server, lay_out, running

pytestmark = pytest.mark.xdist_group("looks")

REFUSED = "the server responded with a status of 422"
GOOD = "a quiet walk along the river"
_PEOPLE = [
    user("sue", "Supervisor", groups="Billing"),
    user("ann", groups="Billing; Secret group", webrtc="TRUE"),
    user("bob", groups="Billing", webrtc="TRUE"),
]


@pytest.fixture(scope="module")
def desk(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """An installation with an admin, a supervisor without a password, and two agents."""
    desk = Desk(lay_out(tmp_path_factory.mktemp("account-site")), tmp_path_factory.mktemp("account"))
    desk.init()
    desk.must("contract", "load", desk.write("contract.csv", CONTRACT))
    rights = {"Permissions": "access;edit", "Group Access": "Billing:write"}
    rows = [{**row, **(rights if row["Username"] == "sue" else {})} for row in _PEOPLE]
    desk.must("users", "import", desk.write("users.csv", as_csv(rows, (*COLUMNS, *rights))))
    return desk


@pytest.fixture(scope="module")
def served(desk: Desk) -> Iterator[Server]:
    with running(desk, "serve") as server:
        server.sign_ins["admin"] = ("ada", "a long enough password")
        yield server


def by_link(visit: Visit, served: Server, password: str) -> Page:
    """An admin makes a link for sue by a tap; it is opened on another tablet, and the password is set."""
    admin = visit(served, "/users/sue", "admin")
    admin.get_by_role("button", name=re.compile("Make a")).tap()
    expect(admin.get_by_role("heading", name=re.compile("Link for Person sue"))).to_be_in_viewport()
    expect(admin.get_by_alt_text("QR code")).to_be_visible()
    assert looks.faults(admin) == []
    tablet = visit(served, admin.get_by_label("Address").input_value())
    tablet.get_by_label("New password", exact=True).fill(password)
    return tablet


def test_a_link_lets_somebody_in_on_a_tablet_once(visit: Visit, served: Server) -> None:
    visit.expect(REFUSED)
    visit.expect("the server responded with a status of 404")
    tablet = by_link(visit, served, "passwordpassword")
    link = tablet.url
    button = tablet.get_by_role("button", name="Set password and sign in")
    button.tap()
    expect(tablet.locator("[data-error=password]")).to_contain_text("among the first that anybody tries")
    assert looks.faults(tablet) == []
    tablet.get_by_role("button", name="Show password").tap()
    tablet.locator("#password").fill(GOOD)
    button.dblclick()  # of a double tap the second does nothing
    expect(tablet).to_have_url(re.compile("/account$"))
    expect(tablet.locator("main")).to_contain_text("Your password is set, and you are signed in.")
    assert looks.faults(tablet) == []
    tablet.goto(link)
    expect(tablet.locator("h1")).to_have_text("This link can't be used")
    assert looks.faults(tablet) == []


@pytest.mark.case("HTMX-4", "ASVS 14.3.1", "ASVS 14.3.3")
def test_switching_the_person_leaves_nothing_of_the_first(visit: Visit, served: Server) -> None:
    tablet = by_link(visit, served, GOOD)
    tablet.get_by_role("button", name="Set password and sign in").tap()
    expect(tablet).to_have_url(re.compile("/account$"))
    tablet.goto("/licenses/ha")
    tablet.goto("/users/ann")
    expect(tablet.locator("h1")).to_have_text("Person ann")
    tablet.goto("/licenses/ha")
    tablet.locator(".menu > summary").tap()
    tablet.get_by_role("button", name="Switch person").tap()
    expect(tablet).to_have_url(re.compile("/sign-in"))
    expect(tablet.get_by_label("Username")).to_have_value("")
    for _ in range(2):
        tablet.go_back()
        expect(tablet.locator("h1")).to_have_text("Sign in")
        expect(tablet.locator("main")).not_to_contain_text("Person")
    tablet.goto("/sign-in?next=/licenses/ha")
    tablet.get_by_label("Username").fill("ada")
    tablet.get_by_label("Password", exact=True).fill("a long enough password")
    tablet.get_by_role("button", name="Sign in", exact=True).tap()
    expect(tablet.locator("h1")).to_have_text("Historical Analytics")
    assert tablet.evaluate("localStorage.length + sessionStorage.length") == 0
    tablet.goto("/sign-ins")
    expect(tablet.locator(".devices .archived")).to_have_text("This one")
    assert looks.faults(tablet) == []


@pytest.mark.case("HTMX-4")
def test_an_old_tab_does_nothing_with_the_token_of_the_sign_in_before(visit: Visit, served: Server) -> None:
    visit.expect("the server responded with a status of 400")
    tab = visit(served, "/users/bob", "admin", alone=True)
    other = tab.context.new_page()
    other.goto("/licenses")
    other.locator(".menu > summary").tap()
    other.get_by_role("button", name="Sign out").tap()
    expect(other).to_have_url(re.compile("/sign-in$"))
    chromium.sign_in(other, "ada", "a long enough password")
    tab.get_by_label("Name", exact=True).fill("Changed by the old tab")
    tab.get_by_role("button", name="Save", exact=True).tap()
    expect(tab.locator("#message")).to_contain_text("You signed in again meanwhile.")
    expect(tab.get_by_label("Name", exact=True)).to_have_value("Changed by the old tab")
    other.goto("/users/bob")
    expect(other.locator("h1")).to_have_text("Person bob")


def test_P7_a_group_that_the_supervisor_cannot_see_is_kept_by_their_save(
    visit: Visit, served: Server
) -> None:
    tablet = by_link(visit, served, GOOD)
    tablet.get_by_role("button", name="Set password and sign in").tap()
    expect(tablet).to_have_url(re.compile("/account$"))
    tablet.goto("/users/ann")
    expect(tablet.locator("#field-groups")).to_contain_text("and 1 group you can't change")
    expect(tablet.locator("main")).not_to_contain_text("Secret group")
    tablet.get_by_label("Name", exact=True).fill("Ann of Billing")
    tablet.get_by_role("button", name="Save", exact=True).tap()
    expect(tablet.locator("main")).to_contain_text("Saved.")
    admin = visit(served, "/users/ann", "admin")
    expect(admin.locator("h1")).to_have_text("Ann of Billing")
    expect(admin.locator("label.chip:has(:checked)", has_text="Secret group")).to_have_count(1)
    expect(admin.locator("label.chip:has(:checked)", has_text="Billing")).to_have_count(1)


def test_E3_what_is_contracted_while_the_server_runs_can_be_given_at_once(
    visit: Visit, served: Server, desk: Desk
) -> None:
    visit.expect(REFUSED)
    page = visit(served, "/users/bob", "admin")
    expect(page.locator("#license_accent-enabled")).to_be_disabled()
    expect(page.locator("#field-license_accent")).to_contain_text("not purchased", ignore_case=True)
    bought = "License,Contracted,Max overage,Starts on\naccent/enabled,20,0,2026-02-01\n"
    desk.must("contract", "load", desk.write("bought.csv", bought))
    page.reload()
    expect(tile(page, "license_accent-enabled")).to_contain_text("20")
    tile(page, "license_accent-enabled").tap()
    expect(page.locator("#plan")).to_contain_text("Takes 1 Accent Conversion seat")
    page.get_by_role("button", name="Save", exact=True).tap()
    expect(page.locator("main")).to_contain_text("Saved.")
    tile(page, "webrtc").tap()  # off: what needs it would be lost
    loss = page.locator('[data-loss="accent/enabled"]')
    expect(loss).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).tap()
    expect(page.locator("#summary")).to_contain_text("They would lose Accent Conversion")
    loss.tap()
    page.get_by_role("button", name="Save", exact=True).tap()
    expect(page.locator("main")).to_contain_text("Saved.")
    expect(page.get_by_role("region", name="What they hold").get_by_role("listitem")).to_have_count(1)


@pytest.mark.case("SEAT-7")
def test_a_double_tap_creates_one_user(visit: Visit, served: Server) -> None:
    page = visit(served, "/users/new", "admin")
    typed(page, "Double Tap", "double.tap")
    tile(page, "license_vcc-agent").tap()
    chip(page, "group-1").tap()
    expect(page.locator("#plan")).to_contain_text("Takes 1 Agent seat")
    page.get_by_role("button", name="Create user").dblclick()
    expect(page).to_have_url(re.compile("/users/double.tap$"))
    expect(page.locator("main")).to_contain_text("Created.")
    page.get_by_role("link", name="History").tap()
    expect(page.locator("main")).to_contain_text("Double Tap")
    expect(page.locator("[data-change]")).to_have_count(1)
