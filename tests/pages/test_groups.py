"""The Groups page: create, rename, delete when empty; each by who may (P2, P4, P5)."""

import pytest
from flask import Flask
from sqlalchemy import select

from tests.inspecting import Browser
from tests.make import Make
from tests.pages.test_user_form import changes, errors, group, user
from webapp.database import db, transaction
from webapp.licensing import users
from webapp.licensing.errors import LicensingError
from webapp.licensing.record import Wish
from webapp.models import ChangeEntry, Group, Throttle


@pytest.fixture
def boss(app: Flask, make: Make, browse: Browser) -> Browser:
    make.admin("boss", groups=("Billing",))
    browse.sign_in("boss", make.password("boss"))
    return browse


def names() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Group.name).order_by(Group.key)))


def test_an_admin_creates_renames_and_deletes_a_group_and_each_is_told(boss: Browser) -> None:
    page = boss.follow(boss.post("/groups", {"name": " Night shift "}))
    assert "Night shift" in page.words("main")
    address = f"/groups/{group('Night shift')}"
    boss.get(address)
    boss.post(address, {"name": "Late shift"})
    assert names() == ["Billing", "Late shift"]
    boss.post(f"{address}/delete")
    assert names() == ["Billing"]
    told = db.session.scalars(select(ChangeEntry.cause).where(ChangeEntry.field == "group")).all()
    assert told[-2:] == ["renamed", "deleted"]


@pytest.mark.parametrize("name", ["", "billing", "BILLING ", "x" * 101, "a\nb", "a;b", "a:b", "NONE", "none"])
def test_a_name_that_cannot_be_used_is_told_and_kept(boss: Browser, name: str) -> None:
    before = changes()
    page = boss.post("/groups", {"name": name}, status=422)
    assert errors(page) == {"name"}
    assert changes() == before


@pytest.mark.case("SEAT-7")
def test_a_form_sent_again_has_one_effect_and_the_same_answer(boss: Browser) -> None:
    def thrice(path: str, sent: dict[str, str]) -> None:
        before = changes()
        assert {boss.post(path, sent).location for _ in range(3)} == {"/groups"}
        assert changes() == before + 1
        assert errors(boss.post(path, sent | {"name": "Other"}, status=422)) == {"form"}

    thrice("/groups", {"name": "Floor", "op_id": "made"})
    floor = f"/groups/{group('Floor')}"
    thrice(floor, {"name": "Ground", "op_id": "named"})
    before = changes()
    for _ in range(3):
        boss.post(f"{floor}/delete", {"op_id": "gone"})
    assert changes() == before + 1


@pytest.mark.parametrize("op_id", ["\0", "a b", "x" * 101])
def test_a_number_that_no_form_has_is_refused(
    any_app: Flask, make: Make, browse: Browser, op_id: str
) -> None:
    make.admin("boss")
    browse.sign_in("boss", make.password("boss"))
    assert errors(browse.post("/groups", {"name": "Floor", "op_id": op_id}, status=422)) == {"form"}


@pytest.mark.case("ASVS 1.4.2")
@pytest.mark.parametrize("number", [2**31, 2**63, 10**30])
def test_P5_a_number_that_no_group_can_have_is_like_one_that_is_not_there(boss: Browser, number: int) -> None:
    boss.get(f"/groups/{number}", status=404)
    boss.post(f"/groups/{number}", {"name": "x"}, status=404)
    boss.post(f"/groups/{number}/delete", status=404)


def test_a_group_with_users_is_not_deleted_archived_ones_included(boss: Browser, make: Make) -> None:
    make.user("gone", active=False, groups=("Floor",))
    page = boss.post(f"/groups/{group('Floor')}/delete", status=422)
    assert errors(page) == {"group"}
    assert "open" in page.one("#delete").attrs, "the refusal is seen"
    assert "Floor" in names()


def test_deleting_a_group_ends_access_to_it_and_tells_so(boss: Browser, make: Make) -> None:
    boss.post("/groups", {"name": "Empty"})
    make.supervisor("sue", write=("Empty",))
    told = boss.get(f"/groups/{group('Empty')}").words("#delete")
    assert f"These supervisors lose their access to it: {user('sue').name}" in told
    boss.post(f"/groups/{group('Empty')}/delete")
    assert (user("sue").access, user("sue").version) == ({}, 2)
    boss.get("/users/sue/history")


def test_P2_P5_a_supervisor_sees_their_groups_and_changes_none_without_the_right(
    app: Flask, make: Make, browse: Browser
) -> None:
    make.user("hid", groups=("Secret",))
    make.supervisor("sue", read=("Billing",), write=("Floor",), groups=("Floor",))
    browse.sign_in("sue", make.password("sue"))
    page = browse.get("/groups")
    assert [str(row.select_one("a").string) for row in page.all("[data-group]")] == ["Billing", "Floor"]
    assert "Secret" not in page.text
    assert not page.all("form.group-new")
    for path in ("/groups", f"/groups/{group('Floor')}", f"/groups/{group('Floor')}/delete"):
        browse.post(path, {"name": "Other"}, status=403)
    browse.get(f"/groups/{group('Secret')}", status=404)


def test_P4_a_supervisor_who_manages_groups_gets_write_on_their_own_and_learns_of_no_other(
    app: Flask, make: Make, browse: Browser
) -> None:
    make.user("hid", groups=("Secret",))
    make.supervisor("sue", write=("Floor",), groups=("Floor",), permissions=("access", "groups"))
    browse.sign_in("sue", make.password("sue"))
    browse.post("/groups", {"name": "Mine"})
    assert user("sue").access == {"Floor": "write", "Mine": "write"}
    refused = browse.post("/groups", {"name": "secret"}, status=422)
    assert "“secret” can't be used." in refused.words("main")
    browse.post(f"/groups/{group('Secret')}", {"name": "x"}, status=404)
    browse.post(f"/groups/{group('Secret')}/delete", status=404)


def test_P4_of_a_group_with_nobody_in_view_a_supervisor_learns_only_that_it_stays_and_that_is_counted(
    app: Flask, make: Make, browse: Browser
) -> None:
    make.supervisor("sue", write=("Floor", "Mine"), permissions=("access", "groups"))
    make.admin("boss", groups=("Mine",))
    browse.sign_in("sue", make.password("sue"))
    refused = browse.post(f"/groups/{group('Mine')}/delete", status=422)
    assert "“Mine” can't be deleted. Ask an admin." in refused.words("#delete")
    db.session.rollback()
    counted = db.session.scalars(select(Throttle.hits).where(Throttle.key.startswith("taken"))).all()
    assert counted == [1]


def test_the_id_of_a_deleted_group_means_no_other_group(boss: Browser, make: Make) -> None:
    boss.post("/groups", {"name": "Harmless"})
    old = str(group("Harmless"))
    boss.get(f"/groups/{old}")
    boss.post(f"/groups/{old}/delete")
    boss.get("/groups")
    boss.post("/groups", {"name": "Board of directors"})
    db.session.rollback()
    assert str(group("Board of directors")) != old


def test_a_form_makes_no_group_that_is_not_there_any_more(app: Flask, make: Make) -> None:
    """The name was read before the lock, and the group renamed meanwhile."""
    make.user("ann", groups=("Floor",))
    for do in (
        lambda session: users.save(session, Wish("ann", groups=("Renamed since",)), 1, make.act()),
        lambda session: users.create(
            session, [make.wish("zoe", groups=("Gone",))], make.act(), new_groups=False
        ),
    ):
        with pytest.raises(LicensingError) as refused, transaction() as session:
            do(session)
        assert [problem.code for problem in refused.value.problems] == ["group_gone"]
    assert names() == ["Floor"]
