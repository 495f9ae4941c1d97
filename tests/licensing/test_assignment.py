"""The one writer on real databases: seats, offers, the change log (S1 to S8)."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, text, update

from tests.make import Make
from webapp.database import db, transaction
from webapp.licensing import assignment, contracts, history, ledger, users
from webapp.licensing.consequences import Facts
from webapp.licensing.contracts import Line
from webapp.licensing.errors import LicensingError
from webapp.licensing.history import Clock
from webapp.licensing.people import fold
from webapp.licensing.plan import plan_changes, plan_new_users
from webapp.licensing.record import Wish
from webapp.models import Change, ChangeEntry, Holding, Membership, Offer, Pool, User

TODAY = date(2026, 6, 1)


def figures(day: date = TODAY) -> dict[str, tuple[int, int]]:
    """Contracted and assigned of each license type."""
    session = db.session()
    pools = ledger.figures(session, ledger.read_catalog(session), day)
    return {ref: (pool.contracted, pool.assigned) for ref, pool in pools.items()}


def codes(error: pytest.ExceptionInfo[LicensingError]) -> list[str]:
    return [problem.code for problem in error.value.problems]


def written() -> tuple[int | None, ...]:
    """How many rows the tables have that a refusal must leave alone."""
    session = db.session()
    session.rollback()
    return tuple(
        session.scalar(select(func.count()).select_from(table))
        for table in (User, Holding, Offer, Membership, Change, ChangeEntry)
    )


def test_V1_S4_a_new_user_holds_their_licenses_from_the_moment_of_the_change(
    any_app: Flask, make: Make
) -> None:
    moment = datetime(2026, 6, 1, 12, 30, tzinfo=UTC)
    make.contract()
    user = make.user(
        "ann", "supervisor", contactpad=True, licenses={"ha": "viewer", "enc": "enabled"},
        groups=("Billing",), act=make.act(lambda: moment),
        last_login=datetime(2026, 5, 3, 7, 30, tzinfo=UTC), last_login_as_of=date(2026, 5, 4),
    )  # fmt: skip
    session = db.session()
    rows = session.execute(select(Holding.starts_at, Holding.ends_at, Holding.opened_by))
    last = session.execute(select(Change.at, Change.seq).order_by(Change.seq.desc()).limit(1)).one()
    assert set(map(tuple, rows)) == {(last.at, None, last.seq)}
    assert {ref for ref, (_, assigned) in figures().items() if assigned == 1} == {
        "vcc/supervisor", "ha/viewer", "enc/enabled"
    }  # fmt: skip
    stored = session.get_one(User, user.id)
    assert stored.agent_id and stored.agent_id.isdigit()  # noqa: PT018
    entries = session.execute(
        select(ChangeEntry.field, ChangeEntry.new).where(ChangeEntry.user_id == user.id)
    )
    assert dict(entries.all()) == {
        "status": "active", "name": user.name, "email": "ann@company.example",
        "license_vcc": "supervisor", "license_ha": "viewer", "license_enc": "enabled",
        "contactpad": "on", "agent_id": stored.agent_id, "groups": "Billing",
        "permissions": "access", "access": "Billing:read",
        "last_login": "2026-05-03T07:30:00Z, as of 2026-05-04",
    }  # fmt: skip


def test_S1_an_archived_user_gets_an_offer_and_takes_no_seat(any_app: Flask, make: Make) -> None:
    make.contract()
    user = make.user("old", "admin", active=False, licenses={"ha": "creator"})
    session = db.session()
    assert session.scalar(select(func.count()).select_from(Holding)) == 0
    assert session.scalar(select(func.count()).where(Offer.user_id == user.id)) == 2
    assert all(assigned == 0 for _, assigned in figures().values())


def test_S2_overage_is_refused_until_confirmed_and_then_marked(any_app: Flask, make: Make) -> None:
    make.contract({"vcc/agent": (2, 1)})
    make.users(2)
    before = written()
    with pytest.raises(LicensingError) as refused:
        make.user("three")
    assert codes(refused) == ["overage_unconfirmed"]
    assert "This makes 3 of 2" in str(refused.value)
    assert "extra charges apply" in str(refused.value)
    assert written() == before
    make.user("three", confirmed_overage=["vcc/agent"])
    mark = db.session.execute(
        select(ChangeEntry.subject, ChangeEntry.old, ChangeEntry.new).where(ChangeEntry.field == "overage")
    ).one()
    assert tuple(mark) == ("vcc/agent", "0", "1")
    with pytest.raises(LicensingError) as refused:
        make.user("four", confirmed_overage=["vcc/agent"])
    assert codes(refused) == ["no_seat"]


def test_S2_confirming_one_pool_does_not_confirm_another(any_app: Flask, make: Make) -> None:
    make.contract({"vcc/agent": (0, 5), "enc/enabled": (0, 5)})
    with pytest.raises(LicensingError) as refused:
        make.user("ann", licenses={"enc": "enabled"}, confirmed_overage=["vcc/agent"])
    assert [problem.field for problem in refused.value.problems] == ["license_enc"]


@pytest.mark.case("ASVS 2.3.3", "ASVS 16.5.3")
def test_S4_several_refusals_are_told_together_and_nothing_is_written(any_app: Flask, make: Make) -> None:
    make.contract({"vcc/agent": (1, 0)})
    before = written()
    with pytest.raises(LicensingError) as refused:
        make.user("a", name="x" * 101, email="broken", licenses={"ha": "viewer"}, groups=("New group",))
    assert set(codes(refused)) >= {"username_shape", "name_long", "email_shape", "needs_base"}
    assert written() == before


@pytest.mark.case("ASVS 2.3.4")
def test_S4_the_locked_counter_has_the_last_word(any_app: Flask, make: Make) -> None:
    make.contract({"vcc/agent": (1, 0)})
    make.user("first")
    with transaction() as session:
        act = make.act()
        locks = assignment.lock(session, act)
        catalog = ledger.read_catalog(session)
        stale = ledger.figures(session, catalog, locks.day)
        stale["vcc/agent"] = stale["vcc/agent"].after(-1)  # as it was before the first
        plan = plan_new_users([make.wish("second")], Facts(catalog, stale))
        assert plan.refusals == ()
        with pytest.raises(LicensingError) as refused:
            assignment.apply(session, plan, locks, act)
        session.rollback()
    assert codes(refused) == ["seat_gone"]
    assert figures()["vcc/agent"] == (1, 1)


@pytest.mark.case("SEAT-4")
def test_SEAT_4_S3_at_full_pools_two_swap_in_one_plan_and_not_in_two(any_app: Flask, make: Make) -> None:
    make.contract({"vcc/supervisor": (1, 0), "vcc/wallboard": (1, 0)})
    make.user("sue", "supervisor")
    make.user("wally", "wallboard")
    swap = [Wish("sue", licenses={"vcc": "wallboard"}), Wish("wally", licenses={"vcc": "supervisor"})]
    for wish in swap:
        with pytest.raises(LicensingError) as refused, transaction() as session:
            users.save(session, wish, 1, make.act())
        assert [(problem.rule, problem.field) for problem in refused.value.problems] == [
            ("S2", "license_vcc")
        ]
    with transaction() as session:
        act = make.act()
        locks = assignment.lock(session, act)
        catalog = ledger.read_catalog(session)
        records = {fold(wish.username): ledger.read_record(session, wish.username, catalog) for wish in swap}
        plan = plan_changes(swap, ledger.facts(session, swap, locks.day, records=records))
        assert plan.refusals == ()
        assignment.apply(session, plan, locks, act)
    for username, ref in (("sue", "vcc/wallboard"), ("wally", "vcc/supervisor")):
        found = ledger.read_record(db.session(), username, ledger.read_catalog(db.session()))
        assert [kind.ref for kind in found.held] == [ref]


def test_S6_a_contract_may_shrink_below_what_is_assigned_and_then_gives_nothing(
    any_app: Flask, make: Make
) -> None:
    make.contract({"vcc/agent": (5, 0)})
    make.users(5)
    make.contract({"vcc/agent": (3, 1)})
    assert figures()["vcc/agent"] == (3, 5)
    with pytest.raises(LicensingError) as refused:
        make.user(confirmed_overage=["vcc/agent"])
    assert codes(refused) == ["no_seat"]
    make.contract({"vcc/agent": (6, 0)})
    make.user()
    assert figures()["vcc/agent"] == (6, 6)


def test_S7_the_recount_finds_a_counter_or_a_user_that_is_off(any_app: Flask, make: Make) -> None:
    user = make.user()
    session = db.session()
    agent = ledger.read_catalog(session).types["vcc/agent"]
    other = ledger.read_catalog(session).types["vcc/admin"]
    session.execute(update(Pool).where(Pool.license_type_id == agent.id).values(assigned=7))
    assert [(d.what, d.booked, d.counted) for d in ledger.recount(session)] == [("vcc/agent", 7, 1)]
    session.rollback()
    session.execute(update(User).where(User.id == user.id).values(base_type_id=other.id))
    assert [d.what for d in ledger.recount(session)] == ["active users without their base license"]
    session.rollback()
    session.execute(update(User).where(User.id == user.id).values(active=False))
    assert len(ledger.recount(session)) == 2
    session.rollback()
    bob, old = make.user("bob", groups=("Billing",)), make.user("old", active=False)
    for what, of, wrong in (
        ("users marked wrongly as in no group", User.id == user.id, {"unassigned": False}),
        ("memberships in another place than their user", Membership.user_id == bob.id, {"name_fold": "zoe"}),
        ("holdings in another place than their user", Holding.user_id == bob.id, {"name_fold": "zoe"}),
        ("offers in another place than their user", Offer.user_id == old.id, {"name_fold": "zoe"}),
    ):
        session.execute(update(of.left.table).where(of).values(**wrong))
        assert [d.what for d in ledger.recount(session)] == [what]
        session.rollback()


@pytest.mark.parametrize("active", [True, False])
def test_S7_whatever_repeats_the_place_in_the_lists_follows_a_new_name(
    any_app: Flask, make: Make, active: bool
) -> None:
    make.user("bob", groups=("Billing",), active=active)
    with transaction() as session:
        act = make.act()
        locks = assignment.lock(session, act)
        wish = Wish("bob", name="Zoë Other")
        records = {"bob": ledger.read_record(session, "bob", ledger.read_catalog(session))}
        plan = plan_changes([wish], ledger.facts(session, [wish], locks.day, records=records))
        assignment.apply(session, plan, locks, act)
    assert ledger.recount(db.session()) == []
    for table in (User, Membership, Holding if active else Offer):
        assert db.session.scalars(select(table.name_fold)).all() == ["zoe other"]


def test_S8_the_first_admin_needs_no_contract_and_nobody_else_is_spared(any_app: Flask, make: Make) -> None:
    with transaction() as session:
        users.create(session, [make.wish("boss", "admin")], make.act(), first_admin=True)
    assert figures()["vcc/admin"] == (0, 1)
    assert db.session.scalar(select(Change.cause).order_by(Change.seq.desc()).limit(1)) == "first admin"
    with transaction() as session, pytest.raises(LicensingError) as refused:
        users.create(session, [make.wish("other", "admin")], make.act(), first_admin=True)
    assert codes(refused) == ["admin_exists"]
    make.contract({"vcc/agent": (1, 0)})
    with pytest.raises(LicensingError) as refused:
        make.user("second", "admin")
    assert codes(refused) == ["no_seat"]


def test_V2_the_database_refuses_a_second_open_license_of_a_product(any_app: Flask, make: Make) -> None:
    user = make.user()
    session = db.session()
    with pytest.raises(Exception, match=r"(?i)unique"):
        session.execute(
            text(
                "INSERT INTO holding (user_id, license_type_id, product_id, starts_at, opened_by, name_fold,"
                " username_fold) SELECT user_id, license_type_id, product_id, starts_at, opened_by,"
                " name_fold, username_fold FROM holding WHERE user_id = :id"
            ),
            {"id": user.id},
        )
    session.rollback()


def test_agent_ids_are_made_unique_and_given_ones_are_kept(any_app: Flask, make: Make) -> None:
    make.users(30)
    kept = make.user(agent_id="A1")
    ids = db.session.scalars(select(User.agent_id)).all()
    assert len(set(ids)) == 31
    assert db.session.get_one(User, kept.id).agent_id == "A1"


def test_a_moment_is_never_earlier_than_the_last_change(any_app: Flask, make: Make) -> None:
    late = datetime(2026, 6, 1, tzinfo=UTC)
    make.contract(act=make.act(lambda: late))
    make.user(act=make.act(lambda: late - timedelta(hours=1)))
    assert list(db.session.scalars(select(Change.at).order_by(Change.seq)))[-2:] == [late, late]


def test_every_change_is_sealed_from_the_first_row_on(any_app: Flask, make: Make) -> None:
    make.contract()
    make.user("ann", groups=("Billing",))
    make.users(3)
    key = any_app.extensions["settings"].chain_key.encode()
    before = ""
    for row in db.session.execute(select(Change.__table__).order_by(Change.seq)).all():
        *values, sealed = row
        entries = db.session.execute(
            select(
                ChangeEntry.user_id, ChangeEntry.subject, ChangeEntry.subject_name, ChangeEntry.field,
                ChangeEntry.old, ChangeEntry.new, ChangeEntry.cause,
            )
            .where(ChangeEntry.change_seq == row.seq)
            .order_by(ChangeEntry.position)
        ).all()  # fmt: skip
        assert entries
        assert sealed == history.seal(key, before, values, entries)
        assert sealed != history.seal(key, before, values, entries[:-1])
        assert sealed != history.seal(b"another key", before, values, entries)
        before = sealed


def test_a_contract_line_of_the_same_day_supersedes_and_the_same_again_changes_nothing(
    any_app: Flask, make: Make
) -> None:
    make.contract({"vcc/agent": (5, 0)})
    make.contract({"vcc/agent": (7, None)})
    session = db.session()
    agent = ledger.read_catalog(session).types["vcc/agent"]
    standing = Line(agent, 7, None, date(2026, 1, 1))
    assert contracts.standing_lines(session) == [standing]
    lines = session.execute(
        select(ChangeEntry.old, ChangeEntry.new).where(ChangeEntry.field == "contract_line")
    ).all()
    assert [tuple(line) for line in lines] == [
        (None, "5 contracted, max overage 0, from 2026-01-01"),
        ("5 contracted, max overage 0, from 2026-01-01", "7 contracted, no upper limit, from 2026-01-01"),
    ]
    before = written()
    make.contract({"vcc/agent": (7, None)})
    assert written() == before


def test_contract_lines_are_in_force_from_their_day_on(any_app: Flask, make: Make) -> None:
    make.contract({"ha/creator": (2, 0)}, starts_on=date(2026, 3, 1))
    make.contract({"ha/creator": (4, 0)}, starts_on=date(2026, 9, 1))
    found = [figures(day)["ha/creator"][0] for day in (date(2026, 2, 28), date(2026, 3, 1), date(2026, 9, 1))]
    assert found == [0, 2, 4]


def test_a_day_begins_at_midnight_of_the_time_zone(any_app: Flask, make: Make) -> None:
    early = make.act(lambda: datetime(2026, 5, 1, tzinfo=UTC))
    make.contract({"vcc/agent": (1, 0)}, starts_on=date(2026, 6, 2), act=early)
    late = datetime(2026, 6, 1, 22, 30, tzinfo=UTC)  # 2 June in Berlin
    with pytest.raises(LicensingError):
        make.user(act=make.act(Clock(lambda: late, UTC)))
    make.user(act=make.act(Clock(lambda: late, ZoneInfo("Europe/Berlin"))))


def test_the_change_log_refuses_a_deleted_row(any_app: Flask, make: Make) -> None:
    make.user()
    with pytest.raises(Exception, match="append-only"):
        db.session.execute(delete(ChangeEntry))
    db.session.rollback()
