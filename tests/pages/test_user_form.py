"""The user form through the test browser: every rule by its page and by a POST that no form would send."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tests.inspecting import Browser, Page
from tests.make import Make
from tests.queries.recording import recorded
from webapp.database import db
from webapp.factory import create_app
from webapp.licensing import ledger
from webapp.licensing.record import Record
from webapp.models import Change, ChangeEntry, Group, User
from webapp.words import AccessLevel

CONTRACT = {
    "vcc/agent": (5, 1), "vcc/supervisor": (5, 0), "vcc/wallboard": (2, 0), "vcc/admin": (5, 0),
    "ha/viewer": (5, 0), "ha/creator": (1, 0), "enc/enabled": (5, 0),
}  # fmt: skip


@pytest.fixture
def desk(app: Flask, make: Make, browse: Browser) -> Browser:
    """An admin signed in on a small account with the groups Billing and Floor."""
    make.contract(CONTRACT)
    make.admin("boss", groups=("Billing", "Floor"))
    browse.sign_in("boss", make.password("boss"))
    return browse


def form(username: str = "ann", license: str = "agent", **more: Any) -> dict[str, Any]:
    """What the form for a new user sends."""
    return {
        "username": username, "name": username.title(), "email": f"{username}@x.example",
        "license_vcc": license, **more,
    }  # fmt: skip


def user(username: str = "ann") -> Record:
    session = db.session()
    session.rollback()
    found = ledger.read_record(session, username, ledger.read_catalog(session))
    assert found is not None
    return found


def refs(record: Record) -> list[str]:
    return [kind.ref for kind in record.held]


def errors(page: Page) -> set[str]:
    return {str(element["data-error"]) for element in page.all("[data-error]")}


def changes() -> int:
    session = db.session()
    session.rollback()
    return len(session.scalars(select(Change.seq)).all())


def test_V1_V2_a_new_user_gets_a_base_license_and_product_licenses_at_once(desk: Browser) -> None:
    sent = desk.post("/users/new", form(license="supervisor", license_ha="viewer", groups="1"))
    assert sent.location == "/users/ann"
    assert "Created" in desk.follow(sent).words("main")
    assert (refs(user()), user().groups) == (["vcc/supervisor", "ha/viewer"], ("Billing",))


def test_V1_without_a_base_license_nothing_is_saved_and_nothing_typed_is_lost(desk: Browser) -> None:
    page = desk.post("/users/new", form(license="", license_enc="enabled"), status=422)
    assert errors(page) == {"license_vcc"}
    assert page.one("#name")["value"] == "Ann"
    assert page.one("#license_enc-enabled").has_attr("checked")
    assert page.words("#summary h2") == "1 error: nothing was saved"


def test_every_wrong_field_is_told_with_a_way_out(desk: Browser) -> None:
    page = desk.post("/users/new", form("an n", email="x", name="", agent_id="-"), status=422)
    assert errors(page) == {"username", "email", "name", "agent_id"}
    assert page.one("#field-username .way")["value"] == "username=an.n"
    put_in = desk.post("/users/new", form("an n") | {"way": "username=an.n"}, status=200)
    assert put_in.one("#username")["value"] == "an.n"


@pytest.mark.case("SEAT-2", "ASVS 2.2.2")
def test_E1_a_choice_that_is_not_possible_stays_visible_with_its_ways_out(desk: Browser) -> None:
    page = desk.region("/users/new?plan=1&license_vcc=agent", "licensing")
    viewer = page.one("#license_ha-viewer")
    assert viewer.has_attr("disabled")
    assert "Not for an Agent" in page.words("label:has(#license_ha-viewer)")
    assert "Use Supervisor (5 left)" in page.words("#field-license_ha")
    refused = desk.post("/users/new", form(license_ha="viewer"), status=422)
    assert errors(refused) == {"license_ha"}


def test_E1_E4_what_another_choice_made_impossible_stays_chosen_until_somebody_takes_it_off(
    desk: Browser,
) -> None:
    live = desk.region("/users/new?plan=1&license_vcc=agent&license_ha=viewer", "licensing")
    assert live.one("#license_ha-viewer").has_attr("checked")
    assert not live.one("#license_ha-viewer").has_attr("disabled")
    assert not live.one("#license_ha-none").has_attr("checked")
    assert errors(live) == {"license_ha"}
    live = desk.region("/users/new?plan=1&license_vcc=wallboard&contactpad=y&webrtc=y", "licensing")
    for name in ("contactpad", "webrtc"):
        assert live.one(f"#{name}").has_attr("checked")
        assert not live.one(f"#{name}").has_attr("disabled")
    assert errors(live) == {"contactpad", "webrtc"}


def test_P3_the_rights_of_a_supervisor_are_no_error_after_another_license_was_chosen(desk: Browser) -> None:
    live = desk.region("/users/new?plan=1&license_vcc=agent&permissions=access&access-1=read", "licensing")
    assert errors(live) == set()


def test_P3_the_access_of_a_new_supervisor_follows_their_groups_whichever_is_chosen_first(
    desk: Browser,
) -> None:
    def access(address: str) -> tuple[str, str]:
        live = desk.region(f"/users/new?plan=1&license_vcc=supervisor&{address}", "licensing")
        chosen = live.one("input[name=access-1][checked]")
        return str(chosen["value"]), str(live.one("input[name=access_for]")["value"])

    assert access("") == ("", "")
    assert access("permissions=access&access-1=&access_for=&groups=1") == ("read", "1")
    assert access("permissions=access&access-1=&access_for=1&groups=1") == ("", "1"), "somebody took it off"
    assert access("permissions=access&access-1=write&access_for=&groups=1") == ("write", "1")
    assert access("permissions=access&access-1=read&access_for=1") == ("", "")
    assert access("permissions=access&access-1=write&access_for=1") == ("write", "")
    desk.post(
        "/users/new",
        form(license="supervisor", permissions="access", groups="1") | {"access-1": "", "access_for": ""},
    )
    assert user().access == {"Billing": AccessLevel.READ}


@pytest.mark.case("ASVS 2.2.2", "ASVS 2.2.3")
def test_E2_E3_E4_by_a_hand_made_post(desk: Browser) -> None:
    assert errors(desk.post("/users/new", form(license="wallboard", license_enc="enabled"), status=422)) == {
        "license_enc"
    }
    assert errors(desk.post("/users/new", form(license_accent="enabled"), status=422)) == {"license_accent"}
    assert errors(desk.post("/users/new", form(license="wallboard", contactpad="y"), status=422)) == {
        "contactpad"
    }
    assert errors(desk.post("/users/new", form(license="supervisor", webrtc="y"), status=422)) == {"webrtc"}
    assert errors(desk.post("/users/new", form(license="nothing"), status=422)) == {"license_vcc"}


@pytest.mark.case("ASVS 2.3.1", "ASVS 2.3.2")
def test_S2_overage_asks_names_count_and_charge_and_past_it_everybody_is_refused(
    desk: Browser, make: Make
) -> None:
    make.users(5)
    page = desk.post("/users/new", form(), status=422)
    assert page.words("[data-overage='vcc/agent']").startswith(
        "Extra charge This makes 6 of 5 Agent licenses; extra charges apply."
    )
    desk.post("/users/new", form(confirm_overage="vcc/agent"))
    marked = db.session.scalars(select(ChangeEntry.new).where(ChangeEntry.field == "overage")).all()
    assert marked == ["1"]
    refused = desk.post("/users/new", form("bob", confirm_overage="vcc/agent"), status=422)
    assert errors(refused) == {"license_vcc"}
    tile = desk.get("/users/new").one("#license_vcc-agent")
    assert tile.has_attr("disabled")


@pytest.mark.case("SEAT-2", "ASVS 2.2.3", "ASVS 2.3.1")
def test_E5_a_loss_is_named_asked_and_done_together_with_its_cause(desk: Browser) -> None:
    desk.post("/users/new", form(license="supervisor", license_ha="viewer"))
    live = desk.region("/users/ann?plan=1&license_vcc=agent", "licensing")
    assert [str(e["data-loss"]) for e in live.all("[data-loss]")] == ["ha/viewer"]
    unconfirmed = desk.post("/users/ann", {"version": "1", "license_vcc": "agent"}, status=422)
    assert [str(e["data-loss"]) for e in unconfirmed.all("[data-loss]")] == ["ha/viewer"]
    assert refs(user()) == ["vcc/supervisor", "ha/viewer"]
    other = {"version": "1", "license_vcc": "agent", "confirm_losses": "ha/creator"}
    desk.post("/users/ann", other, status=422)
    desk.post("/users/ann", other | {"confirm_losses": "ha/viewer"})
    assert (refs(user()), user().version) == (["vcc/agent"], 2)
    cause = db.session.scalars(select(ChangeEntry.cause).where(ChangeEntry.field == "license_ha")).all()
    assert cause[-1] == "E1: An Agent can't hold Historical Analytics Viewer."


@pytest.mark.case("ASVS 2.3.1")
def test_S1_archive_reactivate_and_delete(desk: Browser) -> None:
    desk.post("/users/new", form(license_enc="enabled", groups="1"))
    page = desk.follow(desk.post("/users/ann/archive", {"version": "1"}))
    assert page.one("#user-form")["action"] == "/users/ann/reactivate"
    assert (refs(user()), [k.ref for k in user().licenses]) == ([], ["vcc/agent", "enc/enabled"])
    assert errors(desk.post("/users/ann", {"version": "2", "name": "A"}, status=422)) == {"form"}
    desk.post("/users/ann/reactivate", {"version": "2"})
    assert refs(user()) == ["vcc/agent", "enc/enabled"]
    assert errors(desk.post("/users/ann/delete", {"version": "3"}, status=422)) == {"form"}
    desk.post("/users/ann/archive", {"version": "3"})
    desk.post("/users/ann/delete", {"version": "4"})
    desk.get("/users/ann", status=404)
    desk.get("/users/ann/history", status=404)
    assert desk.get("/users?status=all").usernames == ["boss"]
    desk.post("/users/new", form(license_enc="enabled"))  # the username is free again
    for version in ("1", "2", "3", "4"):  # but no form that is still open for the other Ann
        desk.post("/users/ann", {"version": version, "name": "Old"}, status=409)
        desk.post("/users/ann/archive", {"version": version}, status=409)
    assert "deleted" in desk.get("/changes").words("main")


def test_S1_reactivating_finds_its_seat_or_is_told_why_not(desk: Browser, make: Make) -> None:
    desk.post("/users/new", form(license="supervisor", license_ha="creator"))
    desk.post("/users/ann/archive", {"version": "1"})
    desk.post("/users/new", form("bob", license="supervisor", license_ha="creator"))
    page = desk.post("/users/ann/reactivate", {"version": "2"}, status=422)
    assert errors(page) == {"license_ha"}
    assert not user().active
    desk.post("/users/ann/reactivate", {"version": "2", "license_ha": ""})
    assert refs(user()) == ["vcc/supervisor"]


@pytest.mark.case("SEAT-6")
def test_a_stale_save_shows_both_and_loses_nothing(desk: Browser) -> None:
    desk.post("/users/new", form())
    desk.post("/users/ann", {"version": "1", "email": "new@x.example", "license_vcc": "agent"})
    stale = {"version": "1", "name": "Anna", "email": "ann@x.example", "license_vcc": "agent", "groups": "2"}
    page = desk.post("/users/ann", stale, status=409)
    assert page.one("#name")["value"] == "Anna"
    assert page.words("#save") == "Changes name, email, groups"
    told = page.words("#conflict")
    assert "ann@x.example new@x.example" in told
    assert "Floor No group" in told
    assert page.one("#user-form input[name=version]")["value"] == "2"
    assert user().name == "Ann"
    desk.post("/users/ann", stale | {"version": "2"})
    assert (user().name, user().email, user().groups) == ("Anna", "ann@x.example", ("Floor",))


def test_SEAT_6_a_conflict_says_whether_it_was_the_same_person_who_saved(
    desk: Browser, make: Make, app: Flask
) -> None:
    make.admin("two")
    other = Browser(app)
    other.sign_in("two", make.password("two"))
    desk.post("/users/new", form())
    stale = {"version": "1", "name": "Typed", "license_vcc": "agent"}
    desk.post("/users/ann", {"version": "1", "name": "Mine", "license_vcc": "agent"})
    page = desk.post("/users/ann", stale, status=409)
    assert page.words("#conflict h2") == "You saved Mine meanwhile, maybe in another tab"
    assert "Use what is saved" in page.words("#conflict table")
    assert "them" not in page.words("#conflict")
    assert "Use theirs" not in page.words("#conflict")
    other.post("/users/ann", {"version": "2", "name": "Theirs", "license_vcc": "agent"})
    page = desk.post("/users/ann", stale, status=409)
    assert page.words("#conflict h2") == "Somebody else saved Theirs meanwhile"
    assert "Use theirs" in page.words("#conflict table")


@pytest.mark.parametrize(("asks", "status"), [({"plan": "1"}, 200), ({"op_id": "used"}, 422)])
def test_a_form_that_comes_back_is_still_of_the_version_that_it_was_made_from(
    desk: Browser, asks: dict[str, str], status: int
) -> None:
    desk.post("/users/new", form())
    theirs = {"version": "1", "email": "new@x.example", "license_vcc": "agent", "op_id": "used"}
    desk.post("/users/ann", theirs)
    mine = {"version": "1", "name": "Anna", "email": "ann@x.example", "license_vcc": "agent"}
    page = desk.post("/users/ann", mine | asks, status=status)
    version = str(page.one("#user-form input[name=version]")["value"])
    page = desk.post("/users/ann", mine | {"version": version}, status=409)
    assert "ann@x.example new@x.example" in page.words("#conflict")
    assert user().email == "new@x.example"


def test_a_post_without_a_version_is_refused(desk: Browser) -> None:
    desk.post("/users/new", form())
    assert errors(desk.post("/users/ann", {"name": "A"}, status=422)) == {"form"}
    assert errors(desk.post("/users/ann", {"name": "A", "version": "x"}, status=422)) == {"form"}


@pytest.mark.case("SEAT-7")
def test_one_form_has_one_effect(desk: Browser) -> None:
    sent = form(op_id="once-1")
    assert {desk.post("/users/new", sent).location for _ in range(3)} == {"/users/ann"}
    before = changes()
    other = desk.post("/users/new", sent | {"name": "Other"}, status=422)
    assert (errors(other), changes()) == ({"form"}, before)
    save = {"version": "1", "name": "Anna", "license_vcc": "agent", "op_id": "once-2"}
    for _ in range(3):
        desk.post("/users/ann", save)
    assert (user().version, changes()) == (2, before + 1)


NEW, OLD = "/users/new", "/users/ann"


@pytest.mark.case("SEAT-7")
@pytest.mark.parametrize("to", [NEW, OLD])
def test_SEAT_7_a_form_changed_after_its_answer_was_lost_is_told_that_it_was_saved_and_where(
    desk: Browser, to: str
) -> None:
    if to == OLD:
        desk.post(NEW, form())
    sent = form(op_id="the-first-try", version="1")
    desk.post(to, sent)
    before = changes()
    for name in ("Changed", "Changed Again", "Changed Again"):  # each further tap too, by what came back
        page = desk.post(to, sent | {"name": name}, status=422)
        assert errors(page) == {"form"}
        assert page.words("#summary h2") == "This time nothing was saved"
        assert "Your first try was saved." in page.words('[data-error="form"]')
        way = page.one('[data-error="form"] a')
        assert (way["href"], way.get_text(strip=True), way["target"]) == ("/users/ann", "Open it", "_blank")
        assert page.one("#name")["value"] == name
        sent["op_id"] = str(page.one("#user-form input[name=op_id]")["value"])
    assert (user().name, changes()) == ("Ann", before)


@pytest.mark.case("SEAT-7")
def test_SEAT_7_create_and_add_another_changed_after_its_answer_was_lost_is_led_to_the_user_that_was_made(
    desk: Browser,
) -> None:
    sent = form(op_id="the-first-try", another="1")
    assert "/users/new?" in desk.post(NEW, sent).location
    assert "/users/new?" in desk.post(NEW, sent).location  # sent again it goes on, too
    page = desk.post(NEW, sent | {"name": "Changed"}, status=422)
    assert page.one('[data-error="form"] a')["href"] == "/users/ann"


@pytest.mark.case("SEAT-7")
def test_the_first_try_of_another_person_is_told_to_nobody(desk: Browser, make: Make, app: Flask) -> None:
    make.admin("two")
    other = Browser(app)
    other.sign_in("two", make.password("two"))
    desk.post(NEW, form(op_id="the-same"))
    page = other.post(NEW, form("bob", "", op_id="the-same"), status=422)
    assert errors(page) == {"license_vcc"}
    assert other.post(NEW, form("bob", op_id="the-same")).location == "/users/bob"


def test_the_forms_of_a_page_that_comes_back_keep_their_numbers(desk: Browser) -> None:
    desk.post(NEW, form())
    number, archive = "#user-form [name=op_id]", "#archive [name=op_id]"
    for _ in range(2):
        page = desk.post(OLD, {"version": "1", "name": "", "op_id": "a"}, status=422)
        assert [str(page.one(css)["value"]) for css in (number, archive)] == ["a", "a:archive"]
        page = desk.post("/users/ann/archive", {"version": "9", "op_id": "a:archive"}, status=409)
        assert [str(page.one(css)["value"]) for css in (number, archive)] == ["a", "a:archive"]


def said(page: Page) -> list[str]:
    return [element.get_text(strip=True) for element in page.all(".notice.ok")]


@pytest.mark.case("SEAT-7")
def test_what_was_done_is_said_once_however_often_it_was_sent(desk: Browser) -> None:
    """Only the page after the first answer is lost: the cookie that came with it holds what it would say."""
    desk.post(NEW, form(op_id="again"))
    assert said(desk.follow(desk.post(NEW, form(op_id="again")))) == ["Created."]
    assert said(desk.get(OLD)) == []


@pytest.mark.case("SEAT-7")
@pytest.mark.parametrize("way", [{}, {"another": "1"}])
def test_P5_a_new_user_sent_again_is_not_told_of_once_they_are_gone(
    desk: Browser, way: dict[str, str]
) -> None:
    sent = form(op_id="again", **way)
    for what, version in (("archive", "1"), ("delete", "2")):
        place = desk.post(NEW, sent).location
        told = said(desk.get("/users"))
        assert len(told) == 1
        assert "reated" in told[0]
        desk.follow(desk.post(f"/users/ann/{what}", {"version": version}))
    assert desk.post(NEW, sent).location == place
    assert said(desk.get("/users")) == []


@pytest.mark.case("SEAT-7")
@pytest.mark.parametrize(
    ("then", "status"),
    [({"op_id": "again", "version": "1"}, 422), ({"op_id": "b", "version": "1"}, 409), ({"op_id": "b"}, 422)],
)
def test_a_form_that_comes_back_tells_no_success_of_before(
    desk: Browser, then: dict[str, str], status: int
) -> None:
    desk.follow(desk.post(NEW, form()))
    first = {"version": "1", "name": "Anna", "license_vcc": "agent", "op_id": "again"}
    desk.post(OLD, first)
    page = desk.post(OLD, {"name": "Typed", "license_vcc": "agent"} | then, status=status)
    assert said(page) == []
    assert said(desk.get(OLD)) == []


@pytest.mark.case("SEAT-7")
def test_SEAT_7_one_form_has_one_effect_also_after_a_restart(desk: Browser, app: Flask) -> None:
    """Nothing of it is in memory: another app on the same database answers the same."""
    sent = form(op_id="before-and-after")
    desk.post("/users/new", sent)
    before = changes()
    anew = create_app(app.extensions["settings"], cheap_passwords=True)
    anew.testing = True
    with anew.app_context():
        client = anew.test_client()
        cookie = desk.client.get_cookie("license_desk")
        assert cookie
        client.set_cookie("license_desk", cookie.value)
        data = {"csrf_token": desk._token, **sent}
        again = client.post("/users/new", data=data)
        other = client.post("/users/new", data=data | {"name": "Other"})
        db.session.remove()
        db.engine.dispose()
    assert (again.status_code, again.headers["Location"], other.status_code) == (303, "/users/ann", 422)
    assert changes() == before


@pytest.mark.case("SEAT-7")
def test_archiving_reactivating_and_deleting_sent_again_have_one_effect_and_the_same_answer(
    desk: Browser,
) -> None:
    desk.post("/users/new", form())
    for what, version in (("archive", "1"), ("reactivate", "2"), ("archive", "3"), ("delete", "4")):
        before = changes()
        sent = {"version": version, "op_id": f"{what}-{version}"}
        assert len({desk.post(f"/users/ann/{what}", sent).location for _ in range(3)}) == 1
        assert changes() == before + 1
    desk.post("/users/ann/delete", {"version": "4", "op_id": "another"}, status=404)
    desk.post("/users/ann/delete", {"version": "4", "op_id": "a b"}, status=404)


def test_a_refusal_does_not_use_up_the_form(desk: Browser) -> None:
    desk.post("/users/new", form(name="", op_id="again"), status=422)
    desk.post("/users/new", form(op_id="again"))
    assert user().name == "Ann"


def test_a_save_that_changes_nothing_writes_nothing(desk: Browser) -> None:
    desk.post("/users/new", form(groups="1"))
    before = changes()
    desk.post("/users/ann", {"version": "1", "license_vcc": "agent", "groups": "1", "name": "Ann"})
    assert (changes(), user().version) == (before, 1)


def test_add_another_keeps_license_groups_and_settings(desk: Browser) -> None:
    sent = form(license="supervisor", contactpad="y", groups="2", another="1", permissions=["access", "edit"])
    page = desk.follow(desk.post("/users/new", sent))
    assert page.one("#name")["value"] == ""
    for chosen in ("license_vcc-supervisor", "contactpad", "group-2", "permissions-edit"):
        assert page.one(f"#{chosen}").has_attr("checked"), chosen


def test_the_plan_without_scripting_saves_nothing(desk: Browser) -> None:
    page = desk.post("/users/new", form(plan="1"), status=200)
    assert "Takes 1 Agent seat 4 of 5 left" in page.words("#plan")
    assert page.one("#email")["value"] == "ann@x.example"
    desk.get("/users/ann", status=404)


def test_the_live_region_asks_as_many_queries_whatever_is_chosen(app: Flask, desk: Browser) -> None:
    desk.post("/users/new", form(license_enc="enabled", groups=["1", "2"]))
    numbers = set()
    for address in (
        "license_vcc=agent",
        "license_vcc=wallboard&groups=1",
        "license_vcc=supervisor&license_ha=viewer",
    ):
        desk.region(f"/users/ann?plan=1&{address}", "licensing")
        with recorded(db.engine) as statements:
            desk.client.get(f"/users/ann?plan=1&{address}")
        numbers.add(len(statements))
    assert len(numbers) == 1


@pytest.fixture
def sue(app: Flask, make: Make, browse: Browser) -> Browser:
    """A supervisor who writes Floor and reads Billing, signed in; ``ann`` is in Floor and Hidden."""
    make.contract(CONTRACT)
    make.admin("boss", groups=("Billing", "Floor", "Hidden"))
    make.supervisor(
        "sue",
        read=("Billing",),
        write=("Floor",),
        permissions=("access", "create", "edit"),
        groups=("Floor",),
    )
    make.user("ann", groups=("Floor", "Hidden"))
    make.user("bill", groups=("Billing",))
    make.user("hid", groups=("Hidden",))
    browse.sign_in("sue", make.password("sue"))
    return browse


def group(name: str) -> str:
    return str(db.session.scalars(select(Group.id).where(Group.name == name)).one())


@pytest.mark.case("VIEW-3", "ASVS 8.2.2", "ASVS 8.3.1")
def test_P5_out_of_view_is_404_and_in_view_but_not_editable_is_a_page_without_a_form(sue: Browser) -> None:
    for path in ("/users/hid", "/users/boss", "/users/nobody"):
        sue.get(path, status=404)
        for action in ("", "/archive", "/reactivate", "/delete"):
            sue.post(path + action, {"version": "1"}, status=404)
    assert not sue.get("/users/bill").all("#user-form")
    for action in ("", "/archive", "/reactivate", "/delete"):
        sue.post(f"/users/bill{action}", {"version": "1"}, status=403)
    sue.post("/users/ann/delete", {"version": "1"}, status=403)


@pytest.mark.case("ASVS 8.2.3", "ASVS 8.3.1")
def test_P7_a_group_out_of_reach_is_kept_and_counted_also_against_a_hand_made_post(sue: Browser) -> None:
    page = sue.get("/users/ann")
    assert "and 1 group you can't change" in page.words("#field-groups")
    assert "Hidden" not in page.text
    sent = {"version": "1", "license_vcc": "agent", "groups": [group("Floor"), group("Billing"), "999"]}
    sue.post("/users/ann", sent)
    assert user().groups == ("Floor", "Hidden")
    refused = sue.post("/users/ann", {"version": "1", "license_vcc": "agent"}, status=422)
    assert errors(refused) == {"groups"}


@pytest.mark.case("ASVS 8.2.3", "ASVS 8.3.1")
def test_P3_a_supervisor_grants_nothing_above_their_own(sue: Browser) -> None:
    floor = {"groups": group("Floor")}
    tile = sue.get("/users/new").one("#license_vcc-admin")
    assert tile.has_attr("disabled")
    assert errors(sue.post("/users/new", form("eve", "admin", **floor), status=422)) == {"license_vcc"}
    more = {"permissions": "groups", **floor}
    assert errors(sue.post("/users/new", form("eve", "supervisor", **more), status=422)) == {"permissions"}
    beyond = {f"access-{group('Billing')}": "write", "permissions": "access", **floor}
    assert errors(sue.post("/users/new", form("eve", "supervisor", **beyond), status=422)) == {"access"}
    hidden = {f"access-{group('Hidden')}": "read", "permissions": "access", **floor}
    assert errors(sue.post("/users/new", form("eve", "supervisor", **hidden), status=422)) == {"access"}
    sue.post("/users/new", form("eve", "supervisor", **floor))
    assert (user("eve").permissions, user("eve").access) == (frozenset({"access"}), {"Floor": "read"})


@pytest.mark.case("ASVS 8.2.3")
def test_P3_nobody_changes_what_they_are_themselves(sue: Browser) -> None:
    own = {"version": "1", "groups": group("Floor")}
    assert errors(sue.post("/users/sue", own | {"license_vcc": "wallboard"}, status=422)) == {"license_vcc"}
    assert errors(sue.post("/users/sue", own | {"permissions": ["access", "groups"]}, status=422)) == {
        "permissions"
    }
    assert errors(sue.post("/users/sue/archive", own, status=422)) == {"form"}
    sue.post("/users/sue", own | {"name": "Susan"})
    assert (user("sue").name, user("sue").permissions) == ("Susan", frozenset({"access", "create", "edit"}))


def test_P2_who_may_not_create_is_told_so(app: Flask, make: Make, browse: Browser) -> None:
    make.contract(CONTRACT)
    make.supervisor("ria", read=("Floor",), permissions=("access", "create", "edit"), groups=("Floor",))
    browse.sign_in("ria", make.password("ria"))
    browse.get("/users/new", status=403)
    browse.post("/users/new", form(), status=403)
    assert not browse.get("/users").all("#new-user")


def test_P3_the_last_active_admin_stays(desk: Browser, make: Make) -> None:
    make.admin("two")
    desk.post("/users/two", {"version": "1", "license_vcc": "agent"})
    assert errors(desk.post("/users/boss", {"version": "1", "license_vcc": "agent"}, status=422)) >= {
        "license_vcc"
    }


def test_bytes_that_are_no_text_are_refused_or_replaced(desk: Browser) -> None:
    for field in ("username", "name", "email", "sso_external_id", "agent_id"):
        sent = {"csrf_token": desk._token, **form(), field: "\ud800".encode("utf-8", "surrogatepass")}
        assert desk.client.post("/users/new", data=sent).status_code in (303, 422), field


@pytest.mark.case("VIEW-5", "ASVS 15.3.3")
def test_every_user_field_that_no_form_offers_is_ignored(desk: Browser) -> None:
    desk.post("/users/new", form())
    more = {
        "active": "0",
        "role": "admin",
        "id": "1",
        "assigned": "0",
        "base_type_id": "4",
        "deleted_at": "x",
    }
    desk.post("/users/ann", {"version": "1", "license_vcc": "agent", "name": "Anna", **more})
    stored = db.session.execute(select(User.active, User.version).where(User.username == "ann")).one()
    assert tuple(stored) == (True, 2)
