"""The checker can fail: whatever is wrong with log, rows or answers, it complains of that, and else of nothing."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from tests.checking import Asked, Log, Seen, check
from tests.make import Make
from webapp.database import db, transaction
from webapp.licensing import groups, passwords, users
from webapp.licensing.history import newest
from webapp.licensing.record import Wish
from webapp.models import Group
from webapp.words import AccessLevel

UNLOCKED = """
    DROP TRIGGER change_no_update; DROP TRIGGER change_no_delete; DROP TRIGGER change_no_replace;
    DROP TRIGGER change_entry_no_update; DROP TRIGGER change_entry_no_delete; DROP TRIGGER change_entry_no_replace;
"""


def does(make: Make, do: Callable[..., Any], *what: Any, mark: str | None = None, **more: Any) -> int:
    """Do it, as a page does if there is a mark; the number of the last change."""
    act = make.act()
    with transaction() as session:
        do(session, *what, replace(act, door="page", op_id=mark) if mark else act, **more)
        return newest(session)


@pytest.fixture
def story(app: Flask, make: Make) -> dict[str, int]:
    """A history with some of everything; the numbers of its changes by what they did."""
    at = {}
    make.contract({"vcc/agent": (3, 1), "vcc/supervisor": (1, 0), "vcc/wallboard": (2, 0), "vcc/admin": (2, 0),
                   "ha/viewer": (1, 0), "enc/enabled": (2, None)})  # fmt: skip
    make.admin("boss")
    does(make, groups.create, "Floor")
    make.user("ann", licenses={"enc": "enabled"}, groups=("Floor",), agent_id="7")
    make.supervisor("sue", licenses={"ha": "viewer"}, write=("Floor",), contactpad=True)
    at["renamed"] = does(make, groups.rename, db.session.scalars(select(Group.id)).one(), "Ground")
    access = {"Ground": AccessLevel.WRITE}
    named = Wish("sue", name="Susan", permissions=frozenset({"access", "edit"}), access=access)
    at["named"] = does(make, users.save, named, 1)
    losing = Wish("sue", licenses={"vcc": "wallboard"})
    at["lost"] = does(make, users.save, losing, 2, confirmed_losses=("contactpad",))
    at["archived"] = does(make, users.archive, "ann", 1)
    at["again"] = does(make, users.reactivate, Wish("ann", licenses={"enc": "enabled"}), 2)
    make.users(2)
    make.user("over", confirmed_overage=("vcc/agent",))
    at["over"] = newest(db.session())
    at["gone"] = does(make, users.archive, "over", 1)
    at["deleted"] = does(make, users.delete, "over", 2)
    does(make, passwords.make_link, "boss")
    does(make, groups.create, "Empty")
    empty = db.session.scalars(select(Group.id).where(Group.name == "Empty")).one()
    does(make, groups.remove, empty)
    make.contract({"vcc/agent": (2, 1)})
    make.contract({"enc/enabled": (0, 0)})
    db.session.rollback()
    return at


@contextmanager
def tampered(file: Path, statements: str) -> Iterator[Session]:
    """A copy of the database with something done to it behind the program's back."""
    copy = shutil.copyfile(file, file.with_name("tampered.db"))
    connection = sqlite3.connect(copy)
    connection.executescript(UNLOCKED + statements)
    connection.close()
    engine = create_engine(f"sqlite:///{copy}")
    with Session(engine) as session:
        yield session
    engine.dispose()


def entry(change: int, subject: str, field: str, old: str | None, new: str | None, user: str = "NULL") -> str:
    values = ", ".join(
        "NULL" if value is None else f"'{value}'" for value in (subject, subject, field, old, new)
    )
    return f"INSERT INTO change_entry VALUES ({change}, 50, {user}, {values}, NULL);"


def of(username: str) -> str:
    return f"(SELECT id FROM user WHERE username = '{username}')"


def test_a_true_history_has_no_complaint(story: dict[str, int]) -> None:
    assert check(db.session()) == []


def test_whatever_is_done_to_log_or_rows_is_complained_of(story: dict[str, int], tmp_path: Path) -> None:
    db.engine.dispose()
    ann, sue = of("ann"), of("sue")
    last = "(SELECT max(seq) FROM change)"
    swap = (
        "UPDATE change SET seq = -1 WHERE seq = {0}; UPDATE change_entry SET change_seq = -1 WHERE change_seq = {0};"
        "UPDATE change SET seq = {0} WHERE seq = {1}; UPDATE change_entry SET change_seq = {0} WHERE change_seq = {1};"
        "UPDATE change SET seq = {1} WHERE seq = -1; UPDATE change_entry SET change_seq = {1} WHERE change_seq = -1;"
    )
    tamperings = {
        # a change missing, with its number and without; two changed places
        f"DELETE FROM change WHERE seq = {story['named']}": "comes after",
        f"DELETE FROM change_entry WHERE change_seq = {story['named']}": "permissions of sue was access",
        swap.format(story["named"], story["lost"]): "permissions of sue was access, not access;edit",
        swap.format(story["archived"], story["again"]): "ann from active to active",
        f"UPDATE change SET at = '2000-01-01 00:00:00' WHERE seq = {story['lost']}": "before 20",
        # illegal steps
        entry(story["again"], "ann", "license_ha", None, "viewer", ann): "Historical Analytics with agent (E1)",
        entry(story["again"], "ann", "webrtc", None, "on", ann): "people",
        entry(story["lost"], "sue", "license_enc", None, "enabled", sue): "enc without contactpad (E2, E3)",
        entry(story["lost"], "sue", "license_accent", None, "enabled", sue): "accent without contactpad and webrtc",
        entry(story["lost"], "sue", "webrtc", None, "on", sue): "WebRTC without ContactPad (E4)",
        f"UPDATE change_entry SET new = 'off' WHERE change_seq = {story['lost']} AND field = 'contactpad'": "ContactPad is off for wallboard",
        f"DELETE FROM change_entry WHERE change_seq = {story['archived']} AND field = 'license_enc'": "archived and has license_",
        f"DELETE FROM change_entry WHERE change_seq = {story['lost']} AND field = 'permissions'": "permissions or group access as wallboard",
        f"UPDATE change_entry SET new = NULL WHERE change_seq = {story['lost']} AND field = 'license_vcc'": "license_vcc is None (V1)",
        "UPDATE change_entry SET new = 'ANN' WHERE subject = 'x'; "
        "UPDATE change_entry SET subject = 'ANN' WHERE subject = 'sue'": "a second ANN",
        "UPDATE change_entry SET new = '8' WHERE subject = 'sue' AND field = 'agent_id';"
        + entry(story["named"], "sue", "agent_id", "8", "7", sue): "gets another agent ID",
        "UPDATE change_entry SET new = '7' WHERE subject = 'sue' AND field = 'agent_id'": "shares agent_id",
        "UPDATE change_entry SET new = 'Cellar' WHERE subject = 'ann' AND field = 'groups'": "groups that aren't there",
        entry(story["again"], "boss", "status", "active", "deleted", of("boss")): "boss from active to deleted",
        entry(story["again"], "boss", "license_vcc", "admin", "agent", of("boss")): "leaves no active admin (P3)",
        entry(story["again"], "Ground", "group", "Ground", None): "users were in Ground",
        entry(story["again"], "ground", "group", None, "created"): "a second group ground",
        entry(story["again"], "Cellar", "group", "Cellar", "Attic"): "no group Cellar",
        entry(story["again"], "vcc/agent", "contract_line", None, "9 contracted"): "no contract line",
        entry(story["again"], "vcc/agent", "contract_line", None, "9 contracted, max overage 0, from 2026-01-01"): "the line before was",
        entry(story["again"], "ann", "name", "x", "x", ann): "doesn't differ",
        entry(story["again"], "ann", "status", "active", "active", ann): "twice",
        entry(story["again"], "bob", "password", None, "set anew", ann): "tells password of bob, who is somebody else",
        entry(story["again"], "ann", "moon", None, "full"): "tells of moon",
        # seats
        "UPDATE change_entry SET new = '1 contracted, max overage 0, from 2026-01-01' "
        "WHERE new = '3 contracted, max overage 1, from 2026-01-01'": "makes 3 of 1 + 0 vcc/agent (S2)",
        f"DELETE FROM change_entry WHERE change_seq = {story['over']} AND field = 'overage'": "the overage of vcc/agent is not told",
        f"UPDATE change_entry SET cause = NULL WHERE change_seq = {story['over']} AND field = 'overage'": "not told as ('0', '1', 'confirmed')",
        entry(story["again"], "ha/creator", "overage", "0", "1"): "tells an overage of ha/creator",
        f"UPDATE change SET cause = 'first admin' WHERE seq = {story['lost']}": "not of the first admin (S8)",
        # rows
        "UPDATE pool SET assigned = assigned + 1": "assigned vcc/agent",
        "UPDATE holding SET ends_at = starts_at WHERE ends_at IS NULL AND user_id = " + ann: "holdings",
        "UPDATE holding SET opened_by = 1 WHERE user_id = " + ann: "holdings",
        "UPDATE user SET version = version + 1 WHERE username = 'ann'": "versions",
        "UPDATE user SET name = 'Else' WHERE username = 'sue'": "name",
        "UPDATE user SET base_type_id = 1 WHERE username = 'sue'": "'base': 'vcc/agent'",
        "UPDATE user SET email = 'left@x.example' WHERE deleted_at IS NOT NULL": "left@x.example",
        "DELETE FROM membership": "people",
        "DELETE FROM contract_line WHERE superseded_at IS NOT NULL": "lines",
        "UPDATE contract_line SET contracted = 7 WHERE superseded_at IS NULL": "lines",
        "INSERT INTO \"group\" (name, key) VALUES ('Attic', 'attic')": "groups",
        "INSERT INTO offer SELECT id, 1, name_fold, username_fold FROM user WHERE username = 'ann'": "offer_vcc",
        f"UPDATE chain_head SET seq = {last} - 1": "seq",
    }  # fmt: skip
    missed = []
    for statements, complaint in tamperings.items():
        with tampered(tmp_path / "license-desk.db", statements) as session:
            complaints = check(session)
        if not any(complaint in it for it in complaints):
            missed.append((statements, complaint, complaints))
    assert missed == []


@pytest.fixture
def log(app: Flask, make: Make) -> Log:
    """What clients noted of four forms: three done, the third refused."""
    make.contract({"vcc/agent": (3, 0), "vcc/admin": (2, 0), "vcc/wallboard": (2, 0)})
    make.admin("boss")
    first = newest(db.session())
    for name in ("ann", "bob"):
        does(make, users.create, [make.wish(name)], mark=name)
    does(make, users.archive, "ann", 1, mark="out")
    db.session.rollback()
    created = {"status": "active", "license_vcc": "agent"}
    asked = [
        Asked("ann", 1, 2, 303, "/users/ann", "ann", created),
        Asked("bob", 3, 4, 303, "/users/bob", "bob", created),
        Asked("cyd", 3, 4, 422),
        Asked("out", 5, 6, 303, "/users/ann", "ann", {"status": "archived"}),
        Asked("out again", 7, 8, 409),
        Asked("nothing", 9, 10, 303, "/users/bob", "bob", created),
    ]
    card = {"vcc/agent": (3, 1, 2), "vcc/wallboard": (2, 0, 2)}
    return Log(first, asked, [Seen(2.5, 2.6, card, {"vcc": 2}), Seen(3.5, 5.5, card, {"vcc": 2, "ha": 0})])


def complaints_with(log: Log, place: int, **other: Any) -> list[str]:
    asked = list(log.asked)
    asked[place] = replace(asked[place], **other)
    return check(db.session(), Log(log.first, asked, log.seen))


def test_what_clients_were_told_agrees_with_a_true_history(log: Log) -> None:
    assert check(db.session(), log) == []
    for place in range(len(log.asked)):  # who was cut off knows nothing, and nothing contradicts it
        assert complaints_with(log, place, status=None, ended=20.0) == []


def test_a_success_without_its_change_and_a_refusal_with_one_are_complained_of(log: Log) -> None:
    for place, other, complaint in (
        (2, {"status": 303, "person": "cyd", "wants": {"status": "active"}}, "cyd succeeded, and nothing shows"),
        (2, {"status": 303}, "cyd succeeded, and nothing shows"),
        (1, {"status": 422}, "bob was refused with {422}, and is change"),
        (2, {"status": 500}, "cyd was answered {500}"),
        (0, {"wants": {"status": "active", "license_vcc": "wallboard"}}, "ann succeeded, and nothing shows"),
        (5, {"wants": {"name": "Nobody"}}, "nothing succeeded, and nothing shows"),
        (0, {"mark": "else", "status": None}, "nobody asked for ann"),
    ):  # fmt: skip
        assert any(complaint in it for it in complaints_with(log, place, **other)), (place, other)


def test_two_effects_of_one_form_and_two_answers_to_it_are_complained_of(log: Log, make: Make) -> None:
    does(make, users.create, [make.wish("cyd")], mark="bob")
    [complaint] = check(db.session(), log)
    assert complaint.startswith("bob has the changes [")
    twice = Log(log.first, [*log.asked, replace(log.asked[0], place="/users/bob")], log.seen)
    assert "ann was led to ['/users/ann', '/users/bob']" in check(db.session(), twice)


def test_what_ended_before_another_began_comes_first(log: Log) -> None:
    complaint = "was acknowledged before it was asked for"
    assert any(complaint in it for it in complaints_with(log, 1, begun=0.5, ended=0.6))
    assert any(complaint in it for it in complaints_with(log, 0, begun=4.5, ended=4.6))
    assert any(complaint in it for it in complaints_with(log, 1, begun=8.0, ended=9.0, status=None))
    assert complaints_with(log, 1, begun=1.0, ended=9.0) == []  # at the same time: in any order


def test_a_page_that_was_never_true_is_complained_of(log: Log) -> None:
    for place, seen in (
        (0, Seen(2.5, 2.6, {"vcc/agent": (3, 1, 1)}, {})),
        (0, Seen(2.5, 2.6, {"vcc/agent": (3, 2, 1)}, {})),
        (0, Seen(2.5, 2.6, {"vcc/agent": (4, 1, 3)}, {})),
        (1, Seen(4.2, 4.6, {"vcc/agent": (3, 1, 2)}, {})),  # the second was there by then
        (1, Seen(3.5, 5.5, {"vcc/agent": (3, 1, 2)}, {"vcc": 3})),  # each was true, but not at once
    ):
        looks = list(log.seen)
        looks[place] = seen
        assert check(db.session(), Log(log.first, log.asked, looks)) != [], seen
