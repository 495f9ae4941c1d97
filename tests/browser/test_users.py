"""The Users page, a user's page, the way back, and the list as a file."""

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import states
from tests.browser.conftest import Visit
from tests.browser.test_licenses import heading, names, rows
from tests.browser.test_lists import expect_address, expect_chosen, exported, show_more, tap_choice, usernames
from tests.servers import Server

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture
def users(visit: Visit, demo: Server) -> Page:
    """The demo's Users page, its admin signed in."""
    return visit(demo, "/users", "admin")


def status(page: Page, key: str) -> Locator:
    return page.locator(f"label.chip:has(#status-{key})")


def row(page: Page, username: str) -> Locator:
    return page.locator(f'[data-username="{username}"]')


def section(page: Page, heading: str) -> Locator:
    return page.get_by_role("region", name=heading)


def test_archived_users_are_a_chip_away_and_say_what_they_would_get_back(visit: Visit, odd: Server) -> None:
    page = visit(odd, "/users", "admin")
    heading(page, 26)
    expect(page.locator("[data-hidden]")).to_have_attribute("data-hidden", "0")
    expect(row(page, "gone0")).to_have_count(0)
    status(page, "archived").tap()
    heading(page, 3)
    expect_address(page, "/users", status="archived")
    assert sorted(names(page)) == ["gone.long", "gone0", "gone1"]
    expect(page.locator("[data-hidden]")).to_have_count(0)
    expect(row(page, "gone0")).to_contain_text("Archived")
    status(page, "all").tap()
    heading(page, 29)
    expect(row(page, "gone0")).to_contain_text("Archived")
    expect(row(page, "agent0")).not_to_contain_text("Archived")
    row(page, "gone0").tap()
    expect(page.locator("h1")).to_have_text("Person gone0")
    expect(page.locator(".archived")).to_have_text("Archived")
    held = section(page, "What they would get back")
    expect(page.locator("main")).to_contain_text("They are archived and hold no license.")
    expect(held.get_by_role("listitem")).to_have_text([re.compile(r"^\s*Vonage Contact Center Agent\s*$")])
    expect(page.locator("[name=groups]:checked + span")).to_have_text(["Billing"])


def test_a_search_that_only_archived_users_match_leads_to_them(visit: Visit, odd: Server) -> None:
    page = visit(odd, "/licenses", "admin")
    page.locator("#q").fill("gone0")
    heading(page, 0)
    expect(page.locator(".empty")).to_contain_text("1 archived user matches")
    page.get_by_role("link", name="Show 1 archived").tap()
    expect_address(page, "/users", status="archived", q="gone0")
    assert names(page) == ["gone0"]
    expect(page.locator("#q")).to_have_value("gone0")


def test_the_license_picker_narrows_the_users_to_who_holds_it(users: Page) -> None:
    tap_choice(users, "licenses", "Historical Analytics Viewer")
    heading(users, 21)
    expect_address(users, "/users", status="active", license="ha/viewer")
    people = exported(users, "/licenses/ha.csv?type=viewer")
    assert names(users) == usernames(people)
    tap_choice(users, "groups", "Billing")
    heading(users, sum("Billing" in person["Groups"].split(";") for person in people))
    users.reload()
    expect_chosen(users, "licenses", "Historical Analytics Viewer")
    expect_chosen(users, "groups", "Billing")
    tap_choice(users, "licenses", "Any")
    heading(users, 48)
    users.get_by_role("link", name="Licenses", exact=True).tap()
    expect(users.locator("h1")).to_have_text("Vonage Contact Center")


def test_a_users_page_shows_what_they_hold_since_when_by_whom_and_their_groups_and_leads_back(
    users: Page, demo: Server
) -> None:
    supervisor = demo.sign_ins["supervisor"][0]
    person = next(person for person in exported(users, "/users.csv") if person["Username"] == supervisor)
    tap_choice(users, "groups", "Billing")
    users.locator("#q").fill(supervisor)
    heading(users, 1)
    address, length = users.url, users.evaluate("history.length")
    row(users, supervisor).tap()
    expect(users).to_have_url(f"{demo.url}/users/{supervisor}")
    expect(users).to_have_title(f"{person['Name']} · License Desk")
    expect(users.locator("h1")).to_have_text(person["Name"])
    expect(users.get_by_role("link", name="Users", exact=True).first).to_have_attribute(
        "aria-current", "page"
    )
    held = section(users, "What they hold").get_by_role("listitem")
    since = r"since \d{4}-\d\d-\d\d, by operator"
    expect(held).to_have_text([
        re.compile(rf"Vonage Contact Center Supervisor\s+{since}"),
        re.compile(rf"Historical Analytics Viewer\s+{since}"),
        re.compile(rf"Enhanced Noise Cancellation\s+{since}"),
    ])  # fmt: skip
    expect(users.locator("[name=groups]:checked + span")).to_have_text(["Billing"])
    expect(users.locator("#email")).to_have_value(person["Email"])
    expect(section(users, "Agent ID")).to_contain_text(person["ID"])
    expect(users.locator("#permissions-create")).to_be_checked()
    users.locator("#back").tap()
    expect(users).to_have_url(address)
    expect(users.locator("#q")).to_have_value(supervisor)
    expect_chosen(users, "groups", "Billing")
    assert names(users) == [supervisor]
    assert users.evaluate("history.length") == length + 1  # it went back, not on


def test_the_way_back_from_a_user_finds_the_rows_that_were_there(users: Page) -> None:
    show_more(users)
    expect(rows(users)).to_have_count(100)
    shown = names(users)
    last = rows(users).nth(90)
    last.scroll_into_view_if_needed()
    last.tap()
    expect(users.locator("#back")).to_be_visible()
    users.locator("#back").tap()
    expect(rows(users)).to_have_count(100)
    expect(rows(users).nth(90)).to_be_in_viewport(ratio=1)
    assert names(users) == shown


def test_the_way_back_leads_to_all_users_from_a_page_that_was_opened_by_its_address(
    visit: Visit, demo: Server
) -> None:
    page = visit(demo, f"/users/{demo.sign_ins['supervisor'][0].upper()}", "admin")
    expect(page.locator("h1")).to_be_visible()
    page.locator("#back").tap()
    expect(page).to_have_url(f"{demo.url}/users")
    heading(page, 305)


def test_P5_who_is_out_of_view_is_not_there(visit: Visit, demo: Server) -> None:
    page = visit(demo, "/users", "supervisor")
    visit.expect("the server responded with a status of 404")
    page.goto(f"/users/{demo.sign_ins['admin'][0]}")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")


@pytest.mark.parametrize(
    ("path", "role"),
    [("/users?license=ha%2Fviewer", "admin"), ("/licenses/enc?q=a", "supervisor"), ("/licenses", "admin")],
)
def test_the_list_can_be_had_as_a_file_of_the_same_people(
    visit: Visit, demo: Server, path: str, role: str
) -> None:
    page = visit(demo, path, role)
    if role == "admin":
        tap_choice(page, "groups", "Billing")
        expect(page.locator("#export")).to_have_attribute("href", re.compile("group="))
    with page.expect_download() as started:
        page.get_by_role("link", name="Export").tap()
    name = started.value.suggested_filename
    stem = (
        "users" if "users" in path else path.rpartition("/")[2].partition("?")[0].replace("licenses", "vcc")
    )
    assert re.fullmatch(rf"{stem}-\d{{4}}-\d\d-\d\d-\d{{4}}\.csv", name)
    with Path(started.value.path()).open(encoding="utf-8-sig", newline="") as file:
        people = list(csv.DictReader(file))
    count = str(page.locator("[data-count]").get_attribute("data-count"))
    assert len(people) == int(count) > 0
    assert usernames(people)[:50] == names(page)


def test_names_of_any_script_and_length_fill_a_users_page(visit: Visit, odd: Server) -> None:
    page = visit(odd, f"/users/{'a' * 100}", "admin")
    expect(page.locator("h1")).to_have_text(states.UNBROKEN[:100])
    groups = page.locator("[name=groups]:checked + span")
    expect(groups).to_have_count(5)
    expect(groups.filter(has_text=states.ARABIC)).to_be_visible()
