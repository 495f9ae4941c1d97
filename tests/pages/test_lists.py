"""The Users page, a user's page, and what all lists share: letters, groups, more rows, the list as a file."""

import csv
import io
import re
from datetime import UTC, date, datetime
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import select

from tests.inspecting import Browser, Page
from tests.make import Made, Make
from tests.pages.test_licenses import heading
from webapp.database import db
from webapp.licensing import lists
from webapp.licensing.people import fold
from webapp.models import Group

LISTS = ("/users", "/licenses/vcc")


@pytest.fixture
def admin(any_app: Flask, make: Make, browse: Browser) -> Browser:
    make.admin("boss", name="Boss Zed")
    browse.sign_in("boss", make.password("boss"))
    return browse


@pytest.fixture
def scoped(any_app: Flask, make: Make, browse: Browser) -> Browser:
    """A supervisor who reads Billing and Floor."""
    make.user("ann", name="Ann Agent", groups=("Billing",), licenses={"enc": "enabled"})
    make.user("both", name="Both Groups", groups=("Billing", "Secret group"))
    make.user("wally", "wallboard", name="Wally Board", groups=("Floor",), licenses={"ha": "viewer"})
    make.user("gone", name="Gone Away", groups=("Billing",), active=False)
    make.user("hidden.one", name="Hidden One", groups=("Secret group",))
    make.user("hidden.gone", name="Hidden Gone", groups=("Secret group",), active=False)
    make.admin("root", name="Root Hidden", groups=("Billing",))
    make.admin("root.gone", name="Root Gone", groups=("Billing",), active=False)
    make.supervisor("sue", name="Sue Lead", read=["Billing", "Floor"])
    browse.sign_in("sue", make.password("sue"))
    return browse


def group_id(name: str) -> int:
    return db.session().scalars(select(Group.id).where(Group.name == name)).one()


def rows(browse: Browser, url: str) -> list[dict[str, str]]:
    """The rows of a file, which must not be kept and must be a download."""
    answer = browse.get(url)
    assert answer.response.mimetype == "text/csv"
    assert answer.response.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answer.response.headers["Content-Disposition"].isascii()
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_the_users_page_lists_everyone_by_status_and_license(admin: Browser, make: Make) -> None:
    make.user("ann", licenses={"enc": "enabled"})
    make.user("wally", "wallboard", licenses={"ha": "viewer"})
    make.user("gone", "supervisor", active=False, licenses={"ha": "viewer"})
    for query, usernames in {
        "": ["boss", "ann", "wally"], "?status=archived": ["gone"],
        "?status=all": ["boss", "ann", "wally", "gone"], "?license=ha/viewer": ["wally"],
        "?license=ha/viewer&status=archived": ["gone"], "?license=ha/viewer&status=all": ["wally", "gone"],
        "?license=vcc/agent&status=all": ["ann"], "?license=vcc/nothing": ["boss", "ann", "wally"],
        "?status=nothing": ["boss", "ann", "wally"], "?status=all&q=boss": ["boss"],
    }.items():  # fmt: skip
        page = admin.get(f"/users{query}")
        assert page.usernames == usernames, query
        assert page.one("[data-count]")["data-count"] == str(len(usernames)), query
        hidden = page.one("[data-count]").get("data-hidden")
        assert hidden == (None if "status=a" in query else "0"), query
    words = admin.get("/users?status=all").words("[data-username=gone]")
    assert "Supervisor" in words
    assert "Archived" in words
    assert "Historical Analytics Viewer" in words


@pytest.mark.case("HTMX-1")
def test_every_region_of_the_users_pages_is_a_literal_part_of_the_page(admin: Browser, make: Make) -> None:
    make.users(60, groups=("Billing",))
    for region in ("main", "users", "more"):
        admin.region("/users", region)
        admin.region("/users?status=all&q=per&initial=P", region)
    admin.region("/users/boss", "main")


@pytest.mark.parametrize("list_", LISTS)
def test_initials_are_letters_of_the_folded_name_and_a_sign_for_all_others(
    admin: Browser, make: Make, list_: str
) -> None:
    for username, name in {
        "a.one": "Ågot Åsen", "o.one": "Øystein", "l.one": "Łukasz", "s.one": "ßtrange", "d.one": "1st Desk",
        "m.one": "محمد علي", "c.one": "李小龍", "e.one": "🙂 Smile", "z.one": "Žofia",
    }.items():  # fmt: skip
        make.user(username, name=name)
    for letter, usernames in {
        "A": ["a.one"], "O": ["o.one"], "L": ["l.one"], "S": ["s.one"], "Z": ["z.one"], "Q": [],
        "#": ["d.one", "m.one", "c.one", "e.one"],
    }.items():  # fmt: skip
        page = admin.get(f"{list_}?initial={quote(letter)}")
        assert page.usernames == usernames, letter
        assert heading(page)[0] == str(len(usernames)), letter
        assert page.one("input[name=initial][checked]")["value"] == letter
    page = admin.get(list_)
    there = [str(radio["value"]) for radio in page.all("input[name=initial]:not([disabled])")]
    assert there == ["", *"ABLOSZ", "#"]
    assert page.words("[data-count]") == "Users 10"
    assert admin.get(f"{list_}?initial=S").words("[data-count]") == "Users 1 of 10 starts with S"


@pytest.mark.parametrize("list_", LISTS)
def test_filters_combine_and_links_keep_them(admin: Browser, make: Make, list_: str) -> None:
    make.user("ann", name="Ann Person", groups=("Billing",))
    make.user("abe", name="Abe Person", groups=("Billing", "Floor"))
    make.user("bob", name="Bob Person", groups=("Billing",))
    make.user("amy", name="Amy Person", groups=("Floor",))
    billing = group_id("Billing")
    page = admin.get(f"{list_}?q=person&initial=A&group={billing}")
    assert page.usernames == ["abe", "ann"]
    assert page.words("[data-count]") == "Users 2 of 5 match"
    assert page.one("input[name=group][checked]")["value"] == str(billing)
    assert page.words("#groups summary .picker-chosen") == "Billing"
    assert f"q=person&initial=A&group={billing}" in str(page.one("#export")["href"])
    assert admin.get(f"{list_}?group={billing}").words("[data-count]") == "Users 3 of 5 in Billing"
    if list_ != "/users":
        for link in page.all("[data-product], [data-license]"):
            assert f"q=person&initial=A&group={billing}" in str(link["href"])


def test_another_product_keeps_the_filters_but_the_type(admin: Browser, make: Make) -> None:
    make.user("ann", groups=("Billing",))
    page = admin.get(f"/licenses/vcc?type=agent&q=a&group={group_id('Billing')}")
    links = {str(link["data-product"]): str(link["href"]) for link in page.all("[data-product]")}
    assert links["ha"] == f"/licenses/ha?q=a&group={group_id('Billing')}"


def test_more_than_a_dozen_groups_are_a_sheet(admin: Browser, make: Make) -> None:
    make.user(groups=[f"Group {number:02}" for number in range(12)])
    assert not admin.get("/users").all("details.sheet")
    make.user(groups=["Group 12"])
    page = admin.get("/users")
    assert len(page.all("details.sheet input[name=group]")) == 14
    assert admin.get("/licenses/vcc").one("details.sheet")["id"] == "groups"


def test_P4_P7_a_group_out_of_view_filters_like_one_that_does_not_exist(scoped: Browser) -> None:
    for list_ in LISTS:
        everyone = scoped.get(list_)
        assert everyone.usernames == ["ann", "both", "sue", "wally"]
        offered = [str(radio["value"]) for radio in everyone.all("input[name=group]")]
        assert offered == ["", str(group_id("Billing")), str(group_id("Floor"))]
        for group in (group_id("Secret group"), 999_999):
            page = scoped.get(f"{list_}?group={group}")
            assert page.usernames == everyone.usernames
            assert heading(page) == heading(everyone)
        assert scoped.get(f"{list_}?group={group_id('Floor')}").usernames == ["wally"]


def test_P4_hidden_never_varies_with_search_initial_or_group(scoped: Browser) -> None:
    group = group_id("Billing")
    for list_, kinds in (
        ("/users", ("license=vcc/agent", "license=ha/viewer")),
        ("/licenses/vcc", ("type=agent",)),
    ):
        for kind in ("", *kinds):
            hidden = heading(scoped.get(f"{list_}?{kind}"))[1]
            for query in (
                "q=hid",
                "q=zzz",
                "initial=H",
                "initial=%23",
                f"group={group}",
                f"q=a&initial=A&group={group}",
            ):
                assert heading(scoped.get(f"{list_}?{kind}&{query}"))[1] == hidden, query
    for status in ("archived", "all"):
        assert "data-hidden" not in scoped.get(f"/users?status={status}").one("[data-count]").attrs


def test_P2_the_view_of_archived_users_goes_by_their_offer(scoped: Browser) -> None:
    assert scoped.get("/users?status=archived").usernames == ["gone"]
    assert scoped.get("/users/gone").words("h1") == "Gone Away"
    for username in ("hidden.gone", "root.gone"):
        scoped.get(f"/users/{username}", status=404)


@pytest.mark.case("VIEW-3")
def test_P5_who_is_not_in_view_is_404_exactly_like_who_is_not_there(scoped: Browser) -> None:
    nobody = comparable(scoped.get("/users/nobody.there", status=404))
    for username in ("hidden.one", "root", "HIDDEN.ONE", "root.gone"):
        assert comparable(scoped.get(f"/users/{username}", status=404)) == nobody
    for odd in ("%00", "a%00b", "%ED%A0%80", "x" * 3000, "hidden.one%20", "b%C3%B4th"):
        scoped.get(f"/users/{odd}", status=404)


def comparable(page: Page) -> str:
    """A page without tokens, and without the name that was asked for."""
    return re.sub(r"[\w.-]{60,}", "", page.text)


def test_a_users_page_ignores_case_and_tells_what_they_hold_since_when_and_by_whom(
    admin: Browser, make: Make
) -> None:
    moment = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
    make.user(
        "ann", "supervisor", name="Ann Person", licenses={"ha": "viewer"}, groups=("Floor", "Billing"),
        contactpad=True, webrtc=True, agent_id="A77", sso_external_id="sso-1", access={"Billing": "write"},
        permissions=frozenset({"access", "edit"}), act=make.act(lambda: moment),
        last_login=moment, last_login_as_of=date(2026, 3, 5),
    )  # fmt: skip
    page = admin.get("/users/ANN")
    assert page.words("h1") == "Ann Person"
    words = page.words("main")
    for text in ("ann", "Vonage Contact Center Supervisor", "A77", "Historical Analytics Viewer", "Billing",
                 "Floor", "as of 2026-03-05", "by operator"):  # fmt: skip
        assert text in words, text
    assert [page.one(f"#{name}")["value"] for name in ("email", "sso_external_id")] == [
        "ann@company.example", "sso-1"
    ]  # fmt: skip
    checked = {str(box["value"]) for box in page.all("input[name=permissions][checked]")}
    assert checked == {"access", "edit"}
    since = [str(time["datetime"]) for time in page.all(".held time")]
    assert len(since) == 2
    assert re.fullmatch(r"20\d\d-.*\+00:00", since[0])


def test_a_last_sign_in_that_no_file_told_has_no_date_either(scoped: Browser, make: Make) -> None:
    make.user("new.one", groups=("Billing",), last_login_as_of=date(2026, 3, 5))
    words = scoped.get("/users/new.one").words("main")
    assert "unknown" in words
    assert "as of" not in words
    assert "Back to the list" in words


@pytest.mark.case("ASVS 15.3.1")
def test_P4_a_users_page_names_no_group_and_no_giver_out_of_view(scoped: Browser, make: Make) -> None:
    words = scoped.get("/users/both").words("main")
    assert "Billing" in words
    assert "Secret" not in words


def test_an_archived_users_page_tells_what_is_offered(admin: Browser, make: Make) -> None:
    make.user("gone", "wallboard", active=False, licenses={"ha": "creator"})
    words = admin.get("/users/gone").words("main")
    assert "Archived" in words
    assert "Historical Analytics Creator" in words
    assert "since" not in words


def test_a_search_that_finds_only_archived_people_shows_the_way_to_them(admin: Browser, make: Make) -> None:
    make.user("gone", name="Gone Away", active=False, groups=("Billing",))
    for list_, kind in (("/users?", ""), ("/licenses/vcc?type=agent&", "license=vcc/agent&")):
        page = admin.get(f"{list_}q=gone")
        assert "1 archived user matches" in page.words("#users")
        way = str(page.all("#users .empty a")[0]["href"])
        assert way == f"/users?status=archived&{kind}q=gone"
        assert admin.get(way).usernames == ["gone"]
    assert "archived" not in admin.get("/licenses/vcc?type=admin&q=gone").words("#users")


def test_P4_no_list_tells_of_archived_people_out_of_view(scoped: Browser) -> None:
    for list_ in LISTS:
        assert "archived" not in scoped.get(f"{list_}?q=hidden").words("#users").lower()
        assert "1 archived user matches" in scoped.get(f"{list_}?q=gone").words("#users")


@pytest.mark.parametrize("list_", LISTS)
def test_an_address_grows_with_the_list_so_that_back_shows_the_same_rows(
    admin: Browser, make: Make, list_: str
) -> None:
    make.users(120)
    first = admin.get(f"{list_}?q=person")
    more = first.one("#show-more")
    grown = admin.get(str(more["hx-replace-url"]))
    next_ = admin.region(str(more["hx-get"]), "more")
    assert len(grown.usernames) == 100
    assert grown.usernames == first.usernames + re.findall(r'data-username="([^"]+)"', next_.text)
    again = admin.get(str(grown.one("#show-more")["hx-replace-url"]))
    assert len(again.usernames) == 120
    assert again.words(".foot") == "All 120 shown"
    assert first.words(".foot span") == "50 of 120 shown"
    alone = admin.get(str(more["href"]))
    assert alone.words(".foot span") == "100 of 120"
    assert "after" not in str(alone.all(".foot a.without-script")[0]["href"])


def test_an_address_never_grows_without_end(
    admin: Browser, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.web.listing.COUNT_CAP", 20)
    make.users(120)
    url = str(admin.get("/users").one("#show-more")["hx-replace-url"])
    assert len(admin.get(url).usernames) == 70


def test_the_count_is_exact_to_1000_and_then_1000_and_more(
    admin: Browser, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("webapp.licensing.lists", "webapp.web.listing", "webapp.pages.licenses.shown"):
        monkeypatch.setattr(f"{module}.COUNT_CAP", 20)
    make.users(19)
    assert heading(admin.get("/licenses/vcc"))[0] == "20"
    assert heading(admin.get("/users?q=person"))[0] == "19"
    make.users(2)
    assert heading(admin.get("/licenses/vcc?q=person"))[0] == "20+"
    assert admin.get("/licenses/vcc").words("[data-count]") == "Users 20+"


HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "'=1", "'quoted", 'say "hi", ok', "normal"]


@pytest.mark.case("CSV-1", "ASVS 1.2.10", "ASVS 3.2.1", "ASVS 5.4.1", "ASVS 5.4.2")
def test_a_file_has_exactly_the_rows_of_the_list_and_a_spreadsheet_runs_none(
    admin: Browser, make: Make
) -> None:
    for number, name in enumerate(HOSTILE):
        make.user(f"user{number}", name=name, groups=("Billing", "=Floor"), licenses={"enc": "enabled"})
    make.user("gone", "supervisor", active=False, licenses={"ha": "viewer"}, access={"Billing": "write"},
              permissions=frozenset({"access"}), last_login=datetime(2026, 3, 4, 5, 6, tzinfo=UTC),
              last_login_as_of=date(2026, 3, 5))  # fmt: skip
    for query in (
        "",
        "?q=user",
        "?status=all",
        "?status=archived",
        "?initial=%23",
        "?license=enc/enabled&q=1",
    ):
        page, file = admin.get(f"/users{query}"), rows(admin, f"/users.csv{query}")
        assert [row["Username"] for row in file] == page.usernames
        assert heading_count(page) == len(file)
        for row in file:
            assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row.values()), row
    by_name = {row["Username"]: row for row in rows(admin, "/users.csv?status=all")}
    assert by_name["user0"]["Name"] == "'=1+1"
    assert by_name["user0"]["Groups"] == "'=Floor;Billing"
    assert by_name["user0"]["Enhanced Noise Cancellation"] == "Enabled"
    assert by_name["user5"]["Name"] == "''quoted"
    gone = by_name["gone"]
    assert (gone["User Active"], gone["License"], gone["Historical Analytics"]) == (
        "FALSE",
        "Supervisor",
        "Viewer",
    )
    assert (gone["Permissions"], gone["Group Access"]) == ("access", "Billing:write")
    assert gone["User Last Login"] == "2026-03-04T05:06:00Z"


def heading_count(page: Page) -> int:
    return int(str(page.one("[data-count]")["data-count"]))


def test_a_file_of_holders_follows_the_page_and_is_read_in_pieces(
    admin: Browser, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.licensing.exporting._AT_ONCE", 7)
    make.users(30, licenses={"enc": "enabled"})
    make.user("other")
    file = rows(admin, "/licenses/enc.csv?q=person")
    assert len(file) == 30
    assert [row["Username"] for row in file] == admin.get("/licenses/enc?q=person").usernames
    admin.get("/licenses/nothing.csv", status=404)


def test_P4_a_file_of_more_rows_than_are_counted_has_all_that_are_in_view_in_the_lists_order(
    admin: Browser, make: Make, any_app: Flask
) -> None:
    names = ("Zoë Person", "Łukasz Person", "Ana Person")
    in_view = [user for name in names for user in make.users(350, name=name, groups=("Billing",))]
    hidden = [*make.users(40, name="Mia Hidden"), make.admin(name="Ada Hidden", groups=("Billing",))]
    in_view.append(make.supervisor("sue", name="Sue Lead", read=["Billing"]))
    everyone = [*in_view, *hidden, Made(0, "boss", "Boss Zed")]
    scoped = Browser(any_app)
    scoped.sign_in("sue", make.password("sue"))
    for browse, people in ((admin, everyone), (scoped, in_view)):
        wanted = [user.username for user in sorted(people, key=lambda user: (fold(user.name), user.username))]
        for list_ in LISTS:
            page = browse.get(list_)
            assert heading(page) == ("1000+", str(len(everyone) - len(people)))
            file = [row["Username"] for row in rows(browse, f"{list_}.csv")]
            assert file[: len(page.usernames)] == page.usernames
            assert file == wanted
    assert len(in_view) > lists.COUNT_CAP


@pytest.mark.case("ASVS 15.3.1")
def test_P4_a_supervisors_file_holds_only_who_and_what_is_in_view(scoped: Browser) -> None:
    file = rows(scoped, "/users.csv?status=all")
    assert [row["Username"] for row in file] == ["ann", "both", "gone", "sue", "wally"]
    assert "Secret" not in str(file)
    assert [row["Username"] for row in rows(scoped, "/licenses/vcc.csv")] == ["ann", "both", "sue", "wally"]


@pytest.mark.parametrize(("who", "told"), [("sue", "No group you can view"), ("boss", "No group")])
def test_P4_a_list_says_no_more_than_what_is_in_view_of_who_is_in_no_group(
    any_app: Flask, make: Make, browse: Browser, who: str, told: str
) -> None:
    make.supervisor("sue", read=["Billing"], groups=("Secret group",))
    make.admin("boss")
    browse.sign_in(who, make.password(who))
    for list_ in LISTS:
        faint = {it.get_text() for it in browse.get(list_).all(".rows-groups .faint")}
        assert faint == {told}


@pytest.mark.case("VIEW-2")
def test_P4_fifty_hidden_users_change_nothing_but_the_accounts_figures(scoped: Browser, make: Make) -> None:
    addresses = [f"{list_}{query}" for list_ in (*LISTS, "/licenses/ha", "/licenses/enc") for query in (
        "", "?q=a", "?q=ann", "?q=person", "?initial=P", "?initial=Q", "?initial=%23",
        f"?group={group_id('Billing')}", "?status=all&q=per", "?status=archived", "?type=agent", "?license=ha/viewer",
    )] + ["/users/ann", "/users/person.0001", "/users.csv?status=all", "/licenses/vcc.csv"]  # fmt: skip
    before = [in_view_only(scoped, url) for url in addresses]
    make.users(40, groups=("Secret group", "Another secret"), licenses={"enc": "enabled"})
    make.users(5, "wallboard", licenses={"ha": "viewer"})
    make.users(5, active=False)
    make.admin("xavier", name="Xavier Person")
    assert [in_view_only(scoped, url) for url in addresses] == before


def in_view_only(browse: Browser, url: str) -> tuple[int, str]:
    """An answer without the figures of the account: cards, totals, users of a product, hidden."""
    response = browse.client.get(url)
    text = response.get_data(as_text=True)
    text = re.sub(r"(?s)<section id=\"details\".*?</section>", "", text)
    text = re.sub(
        r"data-users=\"\d+\"|data-hidden=\"\d+\"|[\d,]+ you can&#39;t view|[\d,]+ users?\b", "", text
    )
    text = re.sub(r"[\w.-]{70,}", "", text)  # tokens
    return response.status_code, text


def test_what_is_in_view_is_counted_anew_after_each_change(scoped: Browser, make: Make) -> None:
    for list_ in LISTS:
        before = heading(scoped.get(list_))
        assert heading(scoped.get(list_)) == before
        make.user(name="New One", groups=("Billing",))
        assert int(heading(scoped.get(list_))[0]) == int(before[0]) + 1
    chips = scoped.get("/licenses/vcc").words(".chips")
    assert "Agent 4" in chips
    assert lists.COUNT_CAP == 1000
