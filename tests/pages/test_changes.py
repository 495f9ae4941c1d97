"""The Changes pages: who changed what and when, in view only, and never a name outside it (P4)."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select

from tests.inspecting import Browser, Page
from tests.licensing.pure import CATALOG
from tests.make import Make
from webapp.database import db, transaction
from webapp.licensing import groups, users
from webapp.licensing.changes import Line, Told
from webapp.models import Group
from webapp.pages.changes import shown


def numbers(page: Page) -> list[int]:
    return [int(str(change["data-change"])) for change in page.all("[data-change]")]


@pytest.fixture
def admin(any_app: Flask, make: Make, browse: Browser) -> Browser:
    """Changes 2 to 5: contract, the admin, an agent, a supervisor."""
    act = make.act(lambda: datetime(2026, 3, 4, 23, 30, tzinfo=UTC))
    make.contract(act=act)
    make.admin("boss", name="Boss Zed", act=act)
    make.user("ann", name="Ann Person", licenses={"enc": "enabled"}, groups=("Billing",),
              act=make.act(lambda: datetime(2026, 3, 5, 8, 0, tzinfo=UTC)))  # fmt: skip
    make.supervisor("sam", read=("Billing",), licenses={"ha": "viewer"})
    browse.sign_in("boss", make.password("boss"))
    return browse


def test_changes_come_newest_first_and_say_who_what_when_and_from_where(admin: Browser) -> None:
    page = admin.get("/changes")
    found = numbers(page)
    assert found == sorted(found, reverse=True)
    ann = page.words(f"[data-change='{found[1]}']")
    assert ann.startswith("2026-03-05 08:00 by operator test")
    assert "Billing Group created" in ann
    assert re.search(r"Ann Person Status active", ann)
    whole = admin.get(f"/changes/{found[1]}").words("main")
    assert "Ann Person Vonage Contact Center Agent" in whole
    assert "Ann Person Enhanced Noise Cancellation Enabled" in whole


def test_filters_by_person_actor_action_and_day_combine(admin: Browser) -> None:
    everything = numbers(admin.get("/changes"))
    sam, ann, boss, contract = everything[:4]
    for query, expected in {
        "person=ann": [ann], "person=ANN": [ann], "person=nobody": [], "actor=operator": everything,
        "actor=ann": [], "action=contract": [contract], "action=license": [sam, ann, boss],
        "action=rights": [sam], "day=2026-03-05": [ann], "day=2026-03-04": [boss, contract],
        "day=yesterday": everything, "action=nothing": everything, "person=ann&day=2026-03-04": [],
        "person=sam&action=license": [sam], "before=xyz": everything, f"before={ann}": everything[2:],
        "person=%00": [], "actor=%00": [], "day=0001-01-01": [], "day=9999-12-31": everything,
    }.items():  # fmt: skip
        assert numbers(admin.get(f"/changes?{query}")) == expected, query
    lines = admin.get("/changes?action=license&person=sam").all(".entries li")
    assert [" ".join(line.get_text(" ").split()) for line in lines] == [
        "Person 0003 Vonage Contact Center Supervisor", "Person 0003 Historical Analytics Viewer",
    ]  # fmt: skip


def test_values_are_told_in_words_and_moments_in_the_time_zone(app: Flask) -> None:
    told = {
        ("password_link", "until 2026-11-25T21:59Z"): "until 2026-11-25 22:59 CET",
        ("last_login", "2026-07-01T20:50:39Z, as of 2026-07-02"): "2026-07-01 22:50 CEST, as of 2026-07-02",
        ("permissions", "access;edit"): "Access user admin, Edit user",
        ("access", "Billing:read;Floor:write"): "Billing: read, Floor: write",
        ("groups", "A;B"): "A, B", ("name", "A;B 2026-07-01T20:50Z"): "A;B 2026-07-01T20:50Z",
    }  # fmt: skip
    for (field, value), words in told.items():
        line = Line(1, "ann", "ann", "Ann", field, None, value, None)
        change = Told(1, datetime.now(UTC), "boss", "page", None, (line,), more=False)
        with app.test_request_context():
            assert shown.change(change, CATALOG, ZoneInfo("Europe/Berlin"))["lines"][0]["new"] == words


@pytest.mark.case("HTMX-1")
def test_every_region_of_the_changes_is_a_literal_part_of_the_page(admin: Browser) -> None:
    for region in ("main", "changes", "more"):
        admin.region("/changes", region)
        admin.region("/users/ann/history", region)


def test_the_log_is_walked_to_its_first_change(admin: Browser, make: Make) -> None:
    for _ in range(30):
        make.user()
    url: str | None = "/changes"
    seen: list[int] = []
    while url:
        page = admin.get(url)
        seen += numbers(page)
        link = page.all("#show-more[href]")
        url = str(link[0]["href"]) if link else None
    assert seen == list(range(max(seen), 0, -1))
    assert len(seen) > 30


def test_a_users_history_tells_all_that_a_change_did_to_them(admin: Browser) -> None:
    """However many others it was about, and however many fields they have."""
    sam = admin.get("/users/sam/history")
    fields = {str(field.get_text(strip=True)) for field in sam.all(".entries .faint")}
    assert {"Status", "Permissions", "Group access", "Historical Analytics"} <= fields
    assert "More in this change" not in sam.text


def test_a_users_history_holds_their_changes_alone(admin: Browser) -> None:
    page = admin.get("/users/ANN/history")
    assert len(numbers(page)) == 1
    assert "Billing" not in page.words(".changes").replace("Groups Billing", "")
    admin.get("/users/nobody/history", status=404)
    for odd in ("0", "99999", "99999999999999999999"):
        admin.get(f"/changes/{odd}", status=404)


def test_many_entries_are_told_page_by_page(admin: Browser, make: Make) -> None:
    make.users(40)
    page = admin.get("/changes")
    newest = numbers(page)[0]
    assert page.words(f"[data-change='{newest}']").endswith("More in this change")
    url: str | None = f"/changes/{newest}"
    names: list[str] = []
    while url:
        page = admin.get(url)
        names += [str(link["href"]) for link in page.all(".entries a[href^='/users/']")]
        link = page.all("#next-entries")
        url = str(link[0]["href"]) if link else None
    assert len(set(names)) == 40


@pytest.fixture
def scoped(any_app: Flask, make: Make, browse: Browser) -> Browser:
    make.user("ann", name="Ann Person", groups=("Billing", "Secret group"))
    make.user("hidden", name="Hidden One", groups=("Secret group",))
    make.supervisor("sam", name="Sam Other", read=("Billing", "Secret group"), groups=("Billing",))
    make.admin("root", name="Root Hidden")
    make.supervisor("sue", name="Sue Lead", read=["Billing"])
    make.users(2, groups=("Secret group",))
    browse.sign_in("sue", make.password("sue"))
    return browse


@pytest.mark.case("ASVS 8.4.1")
def test_P4_a_supervisor_reads_only_what_is_in_view(scoped: Browser) -> None:
    page = scoped.get("/changes")
    words = page.words(".changes")
    assert "Ann Person" in words
    assert "Sue Lead" in words
    for secret in ("Hidden One", "Root", "Secret", "Person 0"):
        assert secret not in page.text, secret
    whole = scoped.get(f"/changes/{numbers(scoped.get('/changes?person=ann'))[0]}")
    assert "Groups Billing, …" in whole.words(".entries")
    assert "Secret" not in whole.text
    assert "outside your view" in whole.words("main")
    access = scoped.get("/users/sam/history").text
    assert "Secret" not in access


def test_P4_a_group_is_read_by_who_may_read_it_whatever_it_was_called_then(
    any_app: Flask, make: Make, browse: Browser
) -> None:
    """A name that is free again may be given to another group: what was told under it is not that group's."""
    make.user("ann", groups=("Old own", "Hidden"))
    make.supervisor("sue", read=["Old own"])
    make.user("bob", groups=("Old own",))
    ids = dict(db.session().execute(select(Group.name, Group.id)).all())  # type: ignore[arg-type]
    browse.sign_in("sue", make.password("sue"))

    def told(username: str) -> str:
        return browse.get(f"/users/{username}/history").words(".entries")

    assert "Groups Old own, …" in told("ann")
    for group, name in (("Hidden", "Closed"), ("Old own", "Hidden"), ("Old own", "New own")):
        with transaction() as session:
            groups.rename(session, ids[group], name, make.act())
        assert "Groups Old own, …" in told("ann")
        assert "Groups Old own" in told("bob")
    make.user("eve", groups=("New own",))
    assert "Groups New own" in told("eve")


def test_P5_changes_and_histories_out_of_view_are_404(scoped: Browser) -> None:
    shown = set(numbers(scoped.get("/changes")))
    for seq in range(1, 12):
        scoped.get(f"/changes/{seq}", status=200 if seq in shown else 404)
        scoped.get(f"/changes/{seq}?after=99", status=404)
    for username in ("hidden", "root", "nobody"):
        scoped.get(f"/users/{username}/history", status=404)
    for query in ("person=hidden", "person=root", "actor=root"):
        assert numbers(scoped.get(f"/changes?{query}")) == []


def test_P4_who_gave_something_and_is_out_of_view_stays_unnamed(
    any_app: Flask, make: Make, browse: Browser
) -> None:
    from dataclasses import replace

    from webapp.licensing.visibility import Actor
    from webapp.words import Role

    root = make.admin("root", name="Root Hidden")
    act = replace(make.act(), actor=Actor(root.id, "root", "Root Hidden", Role.ADMIN))
    make.user("ann", name="Ann Person", groups=("Billing",), act=act)
    make.supervisor("sue", read=["Billing"])
    browse.sign_in("sue", make.password("sue"))
    for url in ("/changes", "/users/ann", "/users/ann/history"):
        page = browse.get(url)
        assert "someone outside your view" in page.words("main"), url
        assert "root" not in page.text.lower(), url
    browse.sign_out()
    browse.sign_in("root", make.password("root"))
    assert "by root" in browse.get("/users/ann").words("main")
    assert len(numbers(browse.get("/changes?actor=root"))) == 1


@pytest.mark.case("ASVS 15.3.5")
@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2026-02-30", "\0", "x" * 500])
def test_a_day_that_cannot_be_asked_for_is_passed_over(
    app: Flask, make: Make, browse: Browser, day: str
) -> None:
    app.extensions["settings"] = replace(app.extensions["settings"], time_zone=ZoneInfo("Europe/Berlin"))
    make.admin("boss")
    browse.sign_in("boss", make.password("boss"))
    browse.get(f"/changes?{urlencode({'day': day})}")


def test_an_entry_about_somebody_deleted_leads_to_nobody_else_of_that_name(
    app: Flask, make: Make, browse: Browser
) -> None:
    make.user("bob", active=False)
    make.admin("boss")
    with transaction() as session:
        users.delete(session, "bob", 1, make.act())
    make.user("bob", name="Another Bob")
    browse.sign_in("boss", make.password("boss"))
    links = browse.get("/changes").all('.changes a[href="/users/bob"]')
    assert {link.get_text(strip=True) for link in links} == {"Another Bob"}
