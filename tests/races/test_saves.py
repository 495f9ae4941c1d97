"""Saves that meet: seats (S5), versions, the last admin (P3), and a form sent ten times."""

from collections import Counter
from collections.abc import Iterator
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests import databases, servers
from tests.make import Make
from tests.races.client import Answer, Client, at_once
from webapp.database import db
from webapp.licensing import ledger
from webapp.licensing.record import Record
from webapp.models import Change, User
from webapp.words import Role


@pytest.fixture
def desk(
    any_app: Flask, any_url: str, make: Make, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    """The real server with two workers, and its admin signed in."""
    make.contract({"vcc/agent": (10, 0), "vcc/wallboard": (5, 0), "vcc/admin": (9, 0), "enc/enabled": (5, 0)})
    make.admin("boss")
    site = servers.lay_out(tmp_path_factory.mktemp("site"))
    installation = servers.Desk(site, tmp_path_factory.mktemp("serve"))
    settings = databases.without_prefix(databases.environment(any_url))
    with servers.running(installation, "serve", "--workers", "2", **settings) as running:
        yield Client(running.port, "boss", make.password("boss"))


def sent(username: str, **more: str) -> dict[str, str]:
    return {
        "username": username, "name": "Racer", "email": "racer@x.example", "license_vcc": "agent", **more,
    }  # fmt: skip


def record(username: str) -> Record:
    session = db.session()
    session.rollback()
    found = ledger.read_record(session, username, ledger.read_catalog(session))
    assert found is not None
    return found


def statuses(answers: list[Answer]) -> Counter[int]:
    return Counter(answer.status for answer in answers)


def test_S5_of_40_saves_for_10_seats_10_succeed_and_30_are_told_at_the_field(desk: Client) -> None:
    answers = at_once(*(partial(desk.post, "/users/new", sent(f"racer{n}")) for n in range(40)))
    assert statuses(answers) == {303: 10, 422: 30}
    assert {answer.errors for answer in answers if answer.status == 422} == {("license_vcc",)}
    db.session.rollback()
    made = select(func.count()).select_from(User).where(User.username.startswith("racer"))
    assert db.session.scalar(made) == 10
    assert ledger.recount(db.session()) == []


def test_of_two_who_save_one_user_one_wins_and_the_other_is_shown_the_conflict(
    desk: Client, make: Make
) -> None:
    make.user("ann")
    save = {"version": "1", "license_vcc": "agent"}
    answers = at_once(*(partial(desk.post, "/users/ann", save | {"name": f"Ann {n}"}) for n in range(8)))
    assert statuses(answers) == {303: 1, 409: 7}
    assert record("ann").version == 2


def test_E2_noise_cancellation_and_wallboard_given_at_once_never_meet(desk: Client, make: Make) -> None:
    for number in range(4):
        make.user(f"ann{number}")
        path = f"/users/ann{number}"
        enc = {"version": "1", "license_vcc": "agent", "license_enc": "enabled"}
        wallboard = {"version": "1", "license_vcc": "wallboard", "confirm_losses": "contactpad"}
        answers = at_once(partial(desk.post, path, enc), partial(desk.post, path, wallboard))
        assert statuses(answers) == {303: 1, 409: 1}
        held = {kind.ref for kind in record(f"ann{number}").held}
        assert held in ({"vcc/agent", "enc/enabled"}, {"vcc/wallboard"})


def test_P3_two_admins_who_demote_each_other_leave_one(desk: Client, make: Make) -> None:
    make.admin("other")
    other = Client(desk.port, "other", make.password("other"))
    demoted = {"version": "1", "license_vcc": "wallboard"}
    answers = at_once(
        partial(desk.post, "/users/other", demoted), partial(other.post, "/users/boss", demoted)
    )
    assert statuses(answers)[303] == 1
    assert {a.status for a in answers} <= {303, 403, 422}
    assert sorted([record("boss").role, record("other").role]) == sorted([Role.ADMIN, Role.NONE])


def test_one_form_sent_ten_times_at_once_has_one_effect_and_one_answer(desk: Client) -> None:
    before = db.session.scalar(select(func.count()).select_from(Change))
    form = sent("once", op_id="the-same-form")
    answers = at_once(*(partial(desk.post, "/users/new", form) for _ in range(10)))
    assert {(answer.status, answer.location) for answer in answers} == {(303, "/users/once")}
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Change)) == (before or 0) + 1
