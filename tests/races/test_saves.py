"""Saves that meet: seats (S5, S6), versions, the last admin (P3), and a form sent ten times.

``desk`` checks the whole history of each test besides: every step, every answer and every page seen.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import pytest
from sqlalchemy import func, select

from tests.counts import Counts
from tests.make import Make
from tests.races.client import Answer, Client, at_once
from webapp.database import clock, db
from webapp.licensing import ledger
from webapp.licensing.record import Record
from webapp.models import Change, User
from webapp.words import Role


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


def assigned(ref: str) -> int:
    session = db.session()
    session.rollback()
    return ledger.figures(session, ledger.read_catalog(session), clock().today())[ref].assigned


def statuses(answers: list[Answer]) -> Counter[int]:
    return Counter(answer.status for answer in answers)


@contextmanager
def meanwhile(do: Callable[[], object]) -> Iterator[None]:
    """Do it again and again until the block ends, and once at least."""
    enough = threading.Event()
    trouble = []

    def again() -> None:
        try:
            while True:
                do()
                if enough.wait(0.02):
                    return
        except Exception as error:
            trouble.append(error)

    thread = threading.Thread(target=again)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()
    assert trouble == []


@pytest.mark.case("SEAT-3", "ASVS 2.3.4")
def test_S5_of_200_saves_for_50_seats_50_succeed_and_150_are_told_at_the_field(
    desk: Client, make: Make, counts: Counts
) -> None:
    for turn in range(counts.rounds):
        make.contract({"vcc/agent": (50 * (turn + 1), 0)})  # what was free before is taken: 50 are free again
        saves = [partial(desk.post, "/users/new", sent(f"r{turn}.{n}")) for n in range(200)]
        with meanwhile(partial(desk.look, "vcc")):
            answers = at_once(*saves, most=32)
        assert statuses(answers) == {303: 50, 422: 150}
        assert {answer.errors for answer in answers if answer.status == 422} == {("license_vcc",)}
        db.session.rollback()
        made = select(func.count()).select_from(User).where(User.username.startswith(f"r{turn}."))
        assert db.session.scalar(made) == 50
        assert ledger.recount(db.session()) == []
    counts.tell(f"{counts.rounds} × 200 saves for 50 seats", f"{counts.rounds} × (50 saved, 150 refused)")


def test_S2_V1_types_rotated_among_three_users_at_full_pools_by_four_editors(
    desk: Client, make: Make, counts: Counts
) -> None:
    types = ("supervisor", "agent", "wallboard")
    make.contract(
        {"vcc/supervisor": (1, 0), "vcc/agent": (1, 0), "vcc/wallboard": (2, 0)}
    )  # one seat is free
    for kind in types:
        make.user(f"is.{kind}", kind)
    turns = 20 * counts.rounds

    def rotate() -> list[Answer]:
        answers = []
        for _ in range(turns):
            path = f"/users/is.{random.choice(types)}"
            form = {"license_vcc": random.choice(types), "confirm_losses": "contactpad"}
            answers.append(desk.post(path, {"version": desk.version(path.removeprefix("/users/")), **form}))
        return answers

    with meanwhile(partial(desk.look, "vcc")), ThreadPoolExecutor(4) as pool:
        told = [editor.result() for editor in [pool.submit(rotate) for _ in range(4)]]
    count = statuses([answer for answers in told for answer in answers])
    assert count.total() == 4 * turns
    assert count.keys() <= {303, 409, 422}
    assert count[303]
    assert count[422]
    held = Counter(record(f"is.{kind}").base.key for kind in types)
    assert held.total() == 3
    assert held["supervisor"] <= 1
    assert held["agent"] <= 1
    counts.tell(f"{4 * turns} saves by 4 editors of 3 users, one seat free", count)


@pytest.mark.case("SEAT-5")
def test_S6_a_contract_lowered_below_assigned_takes_from_nobody_and_gives_nobody_more(
    desk: Client, make: Make, counts: Counts
) -> None:
    turns = 25 * counts.rounds
    count: Counter[int] = Counter()
    for turn in range(turns):
        before = assigned("vcc/agent")
        make.contract({"vcc/agent": (before + 10, 0)})
        saves = [partial(desk.post, "/users/new", sent(f"t{turn}.{n}")) for n in range(10)]
        with meanwhile(partial(desk.look, "vcc")), ThreadPoolExecutor(1) as pool:
            taking = pool.submit(at_once, *saves)
            time.sleep(random.uniform(0, 0.1))
            make.contract({"vcc/agent": (max(0, before - 5), 0)})
            told = statuses(taking.result())
        assert assigned("vcc/agent") == before + told[303]
        count += told
    assert count.total() == 10 * turns
    assert count.keys() <= {303, 422}
    counts.tell(f"{turns} × a contract lowered while 10 take seats", count)


@pytest.mark.case("SEAT-6")
def test_of_two_who_save_one_user_one_wins_and_the_other_is_shown_the_conflict(
    desk: Client, make: Make, counts: Counts
) -> None:
    make.contract({"vcc/agent": (counts.rounds, 0)})
    count: Counter[int] = Counter()
    for turn in range(counts.rounds):
        make.user(f"ann{turn}")
        save = {"version": "1", "license_vcc": "agent"}
        saves = [partial(desk.post, f"/users/ann{turn}", save | {"name": f"Ann {n}"}) for n in range(8)]
        answers = at_once(*saves)
        assert statuses(answers) == {303: 1, 409: 7}
        assert record(f"ann{turn}").version == 2
        count += statuses(answers)
    counts.tell(f"{counts.rounds} × 8 saves of one user at one version", count)


def test_E2_noise_cancellation_and_wallboard_given_at_once_never_meet(
    desk: Client, make: Make, counts: Counts
) -> None:
    turns = 4 * counts.rounds
    make.contract({"vcc/agent": (turns, 0), "vcc/wallboard": (turns, 0), "enc/enabled": (turns, 0)})
    ends: Counter[str] = Counter()
    for number in range(turns):
        make.user(f"ann{number}")
        path = f"/users/ann{number}"
        enc = {"version": "1", "license_vcc": "agent", "license_enc": "enabled"}
        wallboard = {"version": "1", "license_vcc": "wallboard", "confirm_losses": "contactpad"}
        answers = at_once(partial(desk.post, path, enc), partial(desk.post, path, wallboard))
        assert statuses(answers) == {303: 1, 409: 1}
        held = {kind.ref for kind in record(f"ann{number}").held}
        assert held in ({"vcc/agent", "enc/enabled"}, {"vcc/wallboard"})
        ends["+".join(sorted(held))] += 1
    counts.tell(f"{turns} × Noise Cancellation and Wallboard for one user at once", f"{dict(ends)}")


def test_P3_two_admins_who_demote_each_other_leave_one(desk: Client, make: Make, counts: Counts) -> None:
    make.admin("other")
    other = Client(desk.port, "other", make.password("other"), desk.log)
    demoted = {"version": "1", "license_vcc": "wallboard"}
    answers = at_once(
        partial(desk.post, "/users/other", demoted), partial(other.post, "/users/boss", demoted)
    )
    assert statuses(answers)[303] == 1
    assert {a.status for a in answers} <= {303, 403, 422}
    assert sorted([record("boss").role, record("other").role]) == sorted([Role.ADMIN, Role.NONE])
    counts.tell("2 admins who demote each other", statuses(answers))


@pytest.mark.case("SEAT-7")
def test_one_form_sent_ten_times_at_once_has_one_effect_and_one_answer(
    desk: Client, make: Make, counts: Counts
) -> None:
    make.contract({"vcc/agent": (counts.rounds, 0)})
    for turn in range(counts.rounds):
        before = db.session.scalar(select(func.count()).select_from(Change))
        form = sent(f"once{turn}", op_id=f"the-same-form-{turn}")
        answers = at_once(*(partial(desk.post, "/users/new", form) for _ in range(10)))
        assert {(answer.status, answer.location) for answer in answers} == {(303, f"/users/once{turn}")}
        db.session.rollback()
        assert db.session.scalar(select(func.count()).select_from(Change)) == (before or 0) + 1
        db.session.rollback()
    counts.tell(
        f"{counts.rounds} × one form sent 10 times at once",
        f"{counts.rounds} effects, {10 * counts.rounds} × 303",
    )
