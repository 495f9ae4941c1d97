"""The Licenses page: figures of the account, names in view only, filters, and the way through the list."""

import re
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import delete

from tests.inspecting import Browser, Page
from tests.make import Make
from webapp.database import transaction
from webapp.models import GroupAccess

REGIONS = ("main", "products", "details", "filters", "users", "more")


def figures(page: Page) -> dict[str, tuple[int, int, int]]:
    """Contracted, assigned and available on each card."""
    names = ("data-contracted", "data-assigned", "data-available")
    return {
        str(card["data-license"]): tuple(int(str(card[name])) for name in names)  # type: ignore[misc]
        for card in page.all("[data-license]")
    }


def heading(page: Page) -> tuple[str, str]:
    head = page.one("[data-count]")
    return str(head["data-count"]), str(head["data-hidden"])


@pytest.fixture
def admin(any_app: Flask, make: Make, browse: Browser) -> Browser:
    make.contract({"vcc/agent": (300, 15), "vcc/supervisor": (50, 0), "vcc/wallboard": (10, 0),
                   "vcc/admin": (25, 0), "ha/viewer": (30, 0), "ha/creator": (2, None)})  # fmt: skip
    make.admin("boss", name="Boss Zed")
    browse.sign_in("boss", make.password("boss"))
    return browse


def test_the_start_page_is_the_first_products_page(admin: Browser) -> None:
    assert admin.get("/", status=303).location == "/licenses"
    page = admin.get("/licenses")
    assert [str(link["data-product"]) for link in page.all("[data-product]")] == [
        "vcc",
        "ha",
        "enc",
        "accent",
    ]
    assert page.words("h1") == "Vonage Contact Center"


@pytest.mark.case("SEAT-1")
def test_P4_the_figures_are_the_pools_and_available_is_contracted_minus_assigned(
    admin: Browser, make: Make
) -> None:
    make.users(10)
    make.user(license="wallboard", licenses={"ha": "viewer"})
    page = admin.get("/licenses/vcc")
    assert figures(page) == {
        "vcc/agent": (300, 10, 290), "vcc/supervisor": (50, 0, 50), "vcc/wallboard": (10, 1, 9),
        "vcc/admin": (25, 1, 24),
    }  # fmt: skip
    users = {str(p["data-product"]): int(str(p["data-users"])) for p in page.all("[data-product]")}
    assert users == {"vcc": 12, "ha": 1, "enc": 0, "accent": 0}
    assert page.words(".totals") == "contracted 385 assigned 12 available 373"


def test_the_states_of_a_card_stand_on_the_page_in_words(admin: Browser, make: Make) -> None:
    make.contract({"vcc/agent": (3, 2), "vcc/supervisor": (2, 0), "vcc/wallboard": (1, 1)})
    make.users(4, confirmed_overage=["vcc/agent"])
    make.users(2, "supervisor")
    make.user(license="wallboard")
    page = admin.get("/licenses/vcc")
    states = [card.select_one(".type-state").get_text() for card in page.all("[data-license]")]  # type: ignore[union-attr]
    assert states == [
        "1 over, at extra charge · 1 more possible", "Full", "Full · 1 more at extra charge", "24 available"
    ]  # fmt: skip
    assert "available 24 Agent 1 over" in page.words(".totals")
    assert "2 available · No upper limit · extra charge above 2" in admin.get("/licenses/ha").words(
        "#details"
    )


def test_E3_a_product_without_contract_is_not_purchased(admin: Browser) -> None:
    page = admin.get("/licenses/accent")
    assert page.words("[data-product=accent]").endswith("Not purchased")
    assert figures(page) == {"accent/enabled": (0, 0, 0)}
    assert page.usernames == []
    assert page.words(".details-off").endswith("nobody can be given it. Ask whoever manages the contract.")
    assert page.one("#refresh")["href"] == page.one("#figures")["hx-get"] == "/licenses/accent"


def test_P5_a_product_that_is_not_there_is_404(admin: Browser) -> None:
    admin.get("/licenses/nothing", status=404)


@pytest.mark.case("HTMX-1")
@pytest.mark.parametrize("product", ["vcc", "ha", "enc", "accent"])
def test_every_region_is_a_literal_part_of_its_page(admin: Browser, make: Make, product: str) -> None:
    make.users(60, groups=("Billing",))
    make.user(license="supervisor", licenses={"ha": "viewer"})
    for region in REGIONS:
        empty = {"enc": ("more", "filters"), "accent": ("more", "filters"), "ha": ()}  # not purchased
        if region not in empty.get(product, ()):
            admin.region(f"/licenses/{product}", region)


def test_a_region_that_the_page_does_not_list_is_the_whole_page(admin: Browser) -> None:
    headers = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#title"}
    assert "<html" in admin.get("/licenses", headers=headers).text
    restore = {"HX-Request-Type": "full", "HX-History-Restore-Request": "true", "HX-Target": "div#users"}
    assert "<html" in admin.get("/licenses", headers=restore).text


SEARCHES = [
    ("nunez", ["anunez"]), ("NUÑEZ", ["anunez"]), ("soderstrom", ["boss2"]), ("sodersrom", []),
    ("an", ["anunez"]), ("ez", []), ("une", ["anunez"]), ("100%", ["percent"]), ("50%", []), ("0%_", ["percent"]),
    ("_", []), ("%", []), ("\\x", []), ("x\\'y", ["percent"]), ("🙂 smile", ["smile"]), ("محمد", ["arabic"]),
    ("李小龍", ["chinese"]), ("李", ["chinese"]), ("ø", ["oslo"]), ("strasse", ["oslo"]),
    ("e.t", ["dot.e.t"]), ("  nunez  ", ["anunez"]), ("\0nunez", ["anunez"]),
]  # fmt: skip


def test_the_search_folds_both_sides_and_takes_signs_literally(admin: Browser, make: Make) -> None:
    for username, name in {
        "anunez": "Ana Nuñez", "boss2": "Björn Söderström", "percent": "At 100%_ of x\\'y",
        "smile": "Ms 🙂 Smile", "arabic": "محمد علي", "chinese": "李小龍", "oslo": "Øystein Straße",
        "dot.e.t": "Dotted",
    }.items():  # fmt: skip
        make.user(username, name=name)
    for q, expected in SEARCHES:
        page = admin.get(f"/licenses/vcc?q={quote(q)}&type=agent")
        assert page.usernames == expected, q
        assert heading(page) == (str(len(expected)), "0"), q


ADDRESSES = [
    "q=%ED%A0%80", "q=%FF", "q=" + "x" * 10_000, "q=" + "%25" * 3000, "type=nobody", "type=%00", "after=xyz",
    "after=W10", "after=WyIiLCIiXQ", "after=%F0%9F%98%80", "q=%CC%81", "type=agent&type=admin", "group=9&initial=A",
    "after=WyJcdWQ4MDAiLCJhIl0", "after=WyJcdTAwMDAiLCJhIl0", "after=" + "W1tb" * 2600, "seen=" + "W1tb" * 2600,
    "seen=xyz", "initial=AB", "initial=%C3%84", "initial=a", "group=x", "group=1%00", "group=-1", "initial=",
]  # fmt: skip


def test_any_address_is_answered_and_unknown_values_are_ignored(admin: Browser) -> None:
    for query in ADDRESSES:
        admin.get(f"/licenses/vcc?{query}")


def test_type_and_search_combine_and_the_card_is_marked(admin: Browser, make: Make) -> None:
    make.users(3)
    make.user("ann", "supervisor", name="Ann Person")
    page = admin.get("/licenses/vcc?type=supervisor&q=person")
    assert page.usernames == ["ann"]
    assert page.one("[data-license][aria-current]")["data-license"] == "vcc/supervisor"
    assert page.one("input[name=type][checked]")["value"] == "supervisor"
    assert page.one("#q")["value"] == "person"


def test_types_of_two_products_do_not_mix_though_their_keys_are_the_same(admin: Browser, make: Make) -> None:
    make.contract({"enc/enabled": (10, 0), "accent/enabled": (10, 0)})
    make.user("quiet", licenses={"enc": "enabled"})
    make.user("clear", licenses={"accent": "enabled"}, webrtc=True)
    for query in ("", "?type=enabled", "?type=agent"):
        assert admin.get(f"/licenses/enc{query}").usernames == ["quiet"]
        assert admin.get(f"/licenses/accent{query}").usernames == ["clear"]
    assert not admin.get("/licenses/enc?type=agent").all("[data-license][aria-current]")
    assert admin.get("/licenses/vcc?type=enabled").usernames == ["boss", "quiet", "clear"]


def test_the_list_is_walked_to_its_end_and_every_row_comes_once_in_order(admin: Browser, make: Make) -> None:
    made = [user.username for user in make.users(120, name="Same Name")]
    url: str | None = "/licenses/vcc?type=agent"
    seen: list[str] = []
    while url:
        page = admin.region(url, "more")
        rows = re.findall(r'data-username="([^"]+)"', page.text)
        assert 0 < len(rows) <= 50
        seen += rows
        link = re.search(r'href="([^"]+after=[^"]+)"', page.text)
        url = link[1].replace("&amp;", "&") if link else None
    assert seen == sorted(made)


@pytest.fixture
def scoped(any_app: Flask, make: Make, browse: Browser) -> Browser:
    """A supervisor who reads Billing: 3 agents there, 2 elsewhere, 1 in no group, and 2 admins."""
    make.users(2, groups=("Billing",))
    make.user("both", groups=("Billing", "Secret group"), name="Both Groups")
    make.user("hidden.one", groups=("Secret group",), name="Hidden One")
    make.user("hidden.two", groups=("Secret group",), name="Hidden Two")
    make.user("loner", name="Lone Wolf")
    make.admin("root", name="Root Hidden", groups=("Billing",))
    make.admin("root2", name="Root Two")
    make.supervisor("sue", name="Sue Lead", read=["Billing"], groups=("Secret group",))
    browse.sign_in("sue", make.password("sue"))
    return browse


def test_P2_P4_a_supervisor_sees_the_accounts_figures_and_only_names_in_view(scoped: Browser) -> None:
    page = scoped.get("/licenses/vcc")
    assert figures(page)["vcc/agent"][1] == 6
    assert figures(page)["vcc/admin"][1] == 2
    assert page.usernames == ["both", "person.0001", "person.0002", "sue"]
    assert heading(page) == ("4", "5")
    assert page.words("[data-count]") == "Users 4 you can view · 5 you can't view"
    chips = [" ".join(chip.get_text(" ").split()) for chip in page.all(".chips label")]
    assert chips == ["All 4", "Agent 3", "Supervisor 1", "Wallboard 0", "Admin 0"]


SECRETS = ("hidden.one", "Hidden One", "Hidden Two", "Lone Wolf", "loner", "Root", "Secret group")


def told(text: str, q: str) -> list[str]:
    """The secrets in a page, apart from what was typed."""
    shown = text.replace(f'value="{q}"', "").replace(f"q={q}", "")
    return [secret for secret in SECRETS if secret in shown]


@pytest.mark.parametrize(("type", "hidden"), [("", "5"), ("agent", "3"), ("admin", "2")])
def test_P4_nothing_tells_a_hidden_name_and_hidden_never_varies_with_the_search(
    scoped: Browser, type: str, hidden: str
) -> None:
    for q in ("", "hid", "hidden", "root", "lo", "secret", "person", "%", "zzz"):
        page = scoped.get(f"/licenses/vcc?q={q}&type={type}")
        assert heading(page)[1] == hidden, q
        assert told(page.text, q) == [], q


@pytest.mark.parametrize("q", ["", "hidden"])
def test_P4_no_region_tells_a_hidden_name_either(scoped: Browser, q: str) -> None:
    for region in REGIONS:
        if region != "more" or not q:  # nobody matches: there are no rows to go on with
            assert told(scoped.region(f"/licenses/vcc?q={q}", region).text, q) == [], region


@pytest.mark.case("ASVS 8.3.2")
def test_P2_access_that_is_withdrawn_hides_the_names_at_the_next_request(scoped: Browser) -> None:
    assert "both" in scoped.get("/licenses/vcc").usernames
    with transaction() as session:
        session.execute(delete(GroupAccess))
    page = scoped.get("/licenses/vcc")
    assert page.usernames == ["sue"]
    assert heading(page) == ("1", "8")


def test_P4_a_group_out_of_reach_is_not_named_beside_a_user_in_view(scoped: Browser) -> None:
    row = scoped.get("/licenses/vcc?q=both").one("[data-username=both]")
    assert "Billing" in row.get_text()
    assert "Secret" not in row.get_text()


def test_P2_unassigned_shows_users_in_no_group_but_never_an_admin(
    any_app: Flask, make: Make, browse: Browser
) -> None:
    make.user("loner")
    make.user("elsewhere", groups=("Floor",))
    make.admin("root")
    make.supervisor("sue", permissions=("access", "unassigned"))
    browse.sign_in("sue", make.password("sue"))
    assert browse.get("/licenses/vcc").usernames == ["loner", "sue"]


def test_an_empty_list_says_why_and_what_to_do(scoped: Browser) -> None:
    assert "2 users with Vonage Contact Center Admin, none you can view" in scoped.get(
        "/licenses/vcc?type=admin"
    ).words("#users")
    nobody = scoped.get("/licenses/vcc?q=zzz")
    assert "Nobody matches" in nobody.words("#users")
    assert [str(link["href"]) for link in nobody.all("#users a")] == ["/licenses/vcc"]
    for address, ways in {
        "/licenses/vcc?type=admin&q=zzz": ["/licenses/vcc?type=admin", "/licenses/vcc"],
        "/users?license=ha/viewer&initial=Z": ["/users"],
        "/users?status=archived&q=zzz": ["/users?status=archived", "/users"],
        "/licenses/vcc?type=admin": ["/licenses/vcc"],
        "/users?license=vcc/admin": ["/users"],
    }.items():
        assert [str(link["href"]) for link in scoped.get(address).all(".empty a")] == ways


def test_a_list_of_nobody_leads_on(admin: Browser) -> None:
    for address, ways in {
        "/licenses/ha": {"Show all users": "/users"},
        "/licenses/ha?type=viewer": {"Show all users": "/users", "Show every license": "/licenses/ha"},
        "/users?status=archived": {"Show active users": "/users"},
    }.items():
        links = admin.get(address).all(".empty a")
        assert {link.text.strip(): str(link["href"]) for link in links} == ways
    assert "It is given on a user's own page." in admin.get("/licenses/ha").words(".empty")


@pytest.mark.case("INPUT-3")
def test_hostile_names_stay_text(admin: Browser, make: Make) -> None:
    for number, name in enumerate(
        ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{7*7}}", "a" * 100]
    ):
        make.user(f"hostile{number}", name=name, groups=(name[:90],))
    page = admin.get("/licenses/vcc?q=hostile")
    assert len(page.usernames) == 4
    assert not page.all("#users script, #users img")
    assert "{{7*7}}" in page.words("#users")
