"""Changing a user, in the pure core: losses (E5), rights (P2, P3, P6, P7), archiving (S1), agent IDs."""

from dataclasses import replace
from typing import Any

import pytest

from tests.licensing.pure import CATALOG, codes, facts, kind, pool
from webapp.licensing.consequences import Facts
from webapp.licensing.plan import Plan, plan_changes, plan_new_users, unconfirmed_losses
from webapp.licensing.record import Record, Wish
from webapp.licensing.rights import OPERATOR, Actor, may_edit, views
from webapp.words import AccessLevel, Role

READ, WRITE = AccessLevel.READ, AccessLevel.WRITE


def record(base: str = "agent", *besides: str, **fields: Any) -> Record:
    """An active user as the database would have them."""
    contactpad = fields.pop("contactpad", base == "agent")
    filled = {
        "username": "ann", "name": "Ann", "email": "ann@company.example", "sso_external_id": "",
        "active": True, "webrtc": False, "agent_id": "", "id": 7, "version": 3,
    } | fields  # fmt: skip
    return Record(licenses=(kind(f"vcc/{base}"), *map(kind, besides)), contactpad=contactpad, **filled)


def change(user: Record, actor: Actor = OPERATOR, known: Facts | None = None, **wish: Any) -> Plan:
    """The plan for one change. ``license`` is the base license; ``licenses`` are those besides."""
    licenses = wish.pop("licenses", {})
    if "license" in wish:
        licenses = {CATALOG.base.key: wish.pop("license"), **licenses}
    known = replace(known or facts(other_admin=True), records={user.username: user}, actor=actor)
    return plan_changes([Wish(user.username, licenses=licenses, **wish)], known)


def supervisor(*permissions: str, **access: AccessLevel) -> Actor:
    return Actor(1, "sue", "Sue", Role.SUPERVISOR, frozenset({"access", *permissions}), access=access)


def net(plan: Plan) -> dict[str, int]:
    return {effect.before.type.ref: effect.net for effect in plan.pools}


def losses(plan: Plan) -> list[str]:
    return [loss.what for loss in plan.losses]


def test_S3_a_change_of_the_base_license_frees_one_seat_and_takes_the_other() -> None:
    plan = change(record("agent"), license="wallboard", contactpad=False)
    assert net(plan) == {"vcc/agent": -1, "vcc/wallboard": 1}


def test_S3_a_license_held_can_be_kept_in_a_full_pool() -> None:
    full = facts(pools={"vcc/agent": pool("vcc/agent", 5, 0, 5)}, other_admin=True)
    assert codes(change(record("agent"), known=full, license="agent", name="Anna")) == []


@pytest.mark.parametrize("posted", [None, "viewer"])
def test_E5_becoming_an_agent_loses_historical_analytics_even_if_the_form_still_posts_it(
    posted: str | None,
) -> None:
    wish = {} if posted is None else {"ha": posted}
    plan = change(record("supervisor", "ha/viewer"), license="agent", licenses=wish)
    assert (codes(plan), losses(plan)) == ([], ["ha/viewer"])
    assert plan.users[0].after.of("ha") is None
    assert net(plan) == {"vcc/agent": 1, "vcc/supervisor": -1, "ha/viewer": -1}
    assert [p.code for p in unconfirmed_losses(plan, [])] == ["loss_unconfirmed"]
    assert unconfirmed_losses(plan, ["ha/viewer"]) == []


def test_E5_what_the_post_itself_takes_off_is_no_loss() -> None:
    assert losses(change(record("supervisor", "ha/viewer"), license="agent", licenses={"ha": ""})) == []
    off = change(record("supervisor", contactpad=True, webrtc=True), contactpad=False, webrtc=False)
    assert losses(off) == []


def test_E5_something_not_held_that_is_not_eligible_is_refused() -> None:
    plan = change(record("supervisor"), license="agent", licenses={"ha": "viewer"})
    assert (codes(plan), losses(plan)) == (["needs_base"], [])
    other = change(record("supervisor", "ha/viewer"), license="agent", licenses={"ha": "creator"})
    assert codes(other) == ["needs_base"]


def test_E5_contactpad_off_loses_noise_cancellation_and_a_webrtc_that_is_still_posted() -> None:
    user = record("supervisor", "enc/enabled", "accent/enabled", contactpad=True, webrtc=True)
    assert losses(change(user, contactpad=False, webrtc=True)) == ["webrtc", "enc/enabled", "accent/enabled"]
    assert losses(change(user, contactpad=True, webrtc=False)) == ["accent/enabled"]


@pytest.mark.parametrize("posted", [True, False, None])
def test_E5_what_a_new_base_license_cannot_have_is_lost_posted_or_not(posted: bool | None) -> None:
    user = record("agent", webrtc=True)
    plan = change(user, license="wallboard", contactpad=posted, webrtc=posted)
    assert (codes(plan), losses(plan)) == ([], ["contactpad", "webrtc"])


def test_E5_a_confirmation_is_good_for_that_loss_alone() -> None:
    plan = change(record("agent", "enc/enabled"), license="wallboard", contactpad=False)
    assert [p.facts["license"] for p in unconfirmed_losses(plan, ["contactpad"])] == [
        "Enhanced Noise Cancellation"
    ]


def test_E5_a_license_no_longer_eligible_is_a_loss_in_the_next_plan() -> None:
    assert losses(change(record("agent", "ha/viewer"), name="Anna")) == ["ha/viewer"]


def test_E4_contactpad_for_a_wallboard_user_who_has_none_is_refused() -> None:
    assert codes(change(record("wallboard"), contactpad=True)) == ["contactpad_never"]
    assert codes(change(record("supervisor"), webrtc=True)) == ["webrtc_without_contactpad"]


def test_P3_permissions_and_access_end_with_the_supervisor_license_and_are_no_loss() -> None:
    user = record("supervisor", permissions=frozenset({"access"}), access={"Billing": WRITE})
    plan = change(user, license="wallboard", permissions=frozenset({"access"}), access={"Billing": WRITE})
    after = plan.users[0].after
    assert (codes(plan), losses(plan), after.permissions, after.access) == ([], [], frozenset(), {})


def test_V1_the_base_license_cannot_be_taken_off() -> None:
    assert codes(change(record("agent"), license="")) == ["license_missing"]


def test_S1_archiving_frees_all_and_keeps_the_offer() -> None:
    plan = change(record("agent", "enc/enabled"), active=False)
    assert (codes(plan), net(plan)) == ([], {"vcc/agent": -1, "enc/enabled": -1})
    assert [k.ref for k in plan.users[0].after.licenses] == ["vcc/agent", "enc/enabled"]


def test_S1_reactivating_must_find_its_seats_and_be_eligible() -> None:
    gone = record("supervisor", "ha/viewer", active=False)
    assert net(change(gone, active=True)) == {"vcc/supervisor": 1, "ha/viewer": 1}
    full = facts(pools={"ha/viewer": pool("ha/viewer", 2, 0, 2)}, other_admin=True)
    assert codes(change(gone, known=full, active=True)) == ["no_seat"]
    assert codes(change(gone, active=True, license="agent")) == ["needs_base"]


def test_P3_reactivating_gives_back_no_right_that_the_actor_could_not_give() -> None:
    gone = record(
        "supervisor", active=False, groups=("A",), permissions=frozenset({"access", "edit", "create"}),
        access={"A": WRITE, "B": WRITE, "C": READ},
    )  # fmt: skip
    back = change(gone, supervisor("edit", A=WRITE, C=READ), active=True).users[0].after
    assert (back.permissions, back.access) == ({"access", "edit"}, {"A": WRITE, "C": READ})
    by_admin = change(gone, active=True).users[0].after
    assert (by_admin.permissions, by_admin.access) == (gone.permissions, gone.access)


def test_the_agent_id_is_fixed_once_set_and_reserved_while_contactpad_is_off() -> None:
    user = record("supervisor", contactpad=True, agent_id="4711")
    assert codes(change(user, contactpad=True, agent_id="4712")) == ["agent_id_fixed"]
    assert codes(change(user, contactpad=True, agent_id="")) == []
    off = change(user, contactpad=False)
    assert off.users[0].after.agent_id == "4711"
    assert codes(change(record("supervisor"), agent_id="4711")) == ["agent_id_without_contactpad"]


def test_unique_values_of_others_are_refused_and_one_s_own_are_not() -> None:
    taken = facts(sso_external_ids=frozenset({"s-1"}), other_admin=True)
    assert codes(change(record(), known=taken, sso_external_id="s-1")) == ["sso_external_id_taken"]
    assert codes(change(record(sso_external_id="s-1"), known=taken, sso_external_id="s-1")) == []


def test_P3_the_last_active_admin_stays_one() -> None:
    alone = facts(other_admin=False)
    boss = record("admin")
    assert codes(change(boss, known=alone, license="agent")) == ["last_admin"]
    assert codes(change(boss, known=alone, active=False)) == ["last_admin"]
    assert codes(change(boss, known=alone, name="Boss")) == []
    assert codes(change(boss, license="agent")) == []


def test_P3_nobody_changes_their_own_license_permissions_or_access_or_archives_themselves() -> None:
    sue = supervisor("edit", Billing=WRITE)
    own = record("supervisor", id=1, groups=("Billing",), permissions=sue.permissions, access=sue.access)
    assert codes(change(own, sue, license="wallboard")) == ["own_base"]
    assert codes(change(own, sue, active=False)) == ["own_archive"]
    assert codes(change(own, sue, permissions=frozenset({"access", "create", "edit"}))) == ["own_permissions"]
    assert codes(change(own, sue, access={"Billing": READ})) == ["own_access"]
    same = change(own, sue, permissions=frozenset(), access={}, name="Susan")
    assert codes(same) == []
    assert same.users[0].after.permissions == sue.permissions


def test_P3_nobody_grants_a_license_permission_or_access_above_their_own() -> None:
    sue = supervisor("edit", Billing=READ, Floor=WRITE)
    user = record("supervisor", groups=("Floor",))
    assert codes(change(user, sue, license="admin")) == ["base_above"]
    assert codes(change(user, sue, permissions=frozenset({"groups"}))) == ["permission_not_held"]
    assert codes(change(user, sue, access={"Billing": WRITE})) == ["access_beyond"]
    assert codes(change(user, sue, access={"Other": READ})) == ["access_beyond"]
    fine = change(user, sue, permissions=frozenset({"access"}), access={"Billing": READ, "Floor": WRITE})
    assert codes(fine) == []


def test_P3_what_the_actor_is_not_offered_stays() -> None:
    sue = supervisor("edit", Floor=WRITE)
    user = record(
        "supervisor", groups=("Floor",), permissions=frozenset({"groups", "access"}),
        access={"Other": WRITE, "Floor": READ},
    )  # fmt: skip
    after = change(user, sue, permissions=frozenset(), access={}).users[0].after
    assert (after.permissions, after.access) == (frozenset({"groups"}), {"Other": WRITE})


def test_P7_memberships_without_write_stay_also_against_a_hand_made_wish() -> None:
    sue = supervisor("edit", Billing=READ, Floor=WRITE)
    user = record(groups=("Floor", "Hidden"))
    known = facts(groups={name.lower(): name for name in ("Billing", "Floor", "Hidden")})
    assert change(user, sue, known, groups=("Floor", "Billing")).users[0].after.groups == ("Floor", "Hidden")
    assert change(record(groups=("Floor", "Billing")), sue, known, groups=()).users[0].after.groups == (
        "Billing",
    )


def test_P6_after_the_change_the_actor_must_still_edit_them() -> None:
    sue = supervisor("edit", Billing=READ, Floor=WRITE)
    assert codes(change(record(groups=("Floor", "Billing")), sue, groups=())) == ["out_of_reach"]
    assert codes(change(record(groups=("Floor",)), sue, groups=())) == ["out_of_reach"]
    free = supervisor("edit", "unassigned", Floor=WRITE)
    assert codes(change(record(groups=("Floor",)), free, groups=())) == []


@pytest.mark.parametrize(
    ("user", "sees", "edits"),
    [
        (record(groups=("Floor",)), True, True),
        (record(groups=("Billing",)), True, False),
        (record(groups=("Hidden",)), False, False),
        (record(groups=("Hidden", "Floor")), True, True),
        (record(), False, False),
        (record("admin", groups=("Floor",)), False, False),
        (record("supervisor", id=1), True, True),
        (record("admin", groups=("Floor",), active=False), False, False),
    ],
)
def test_P2_whom_a_supervisor_views_and_edits(user: Record, sees: bool, edits: bool) -> None:
    sue = supervisor("edit", Billing=READ, Floor=WRITE)
    assert (views(sue, user), may_edit(sue, user)) == (sees, edits)
    without = supervisor(Floor=WRITE)
    assert not may_edit(without, user)


def test_P2_a_supervisor_creates_into_a_group_with_write_or_with_unassigned_into_none() -> None:
    def made(actor: Actor, *groups: str) -> list[str]:
        wish = Wish("new.one", "New", "n@company.example", licenses={"vcc": "agent"}, groups=groups)
        return codes(plan_new_users([wish], facts(actor=actor, groups={g.lower(): g for g in groups})))

    assert made(supervisor("create", "edit", Floor=WRITE), "Floor") == []
    assert made(supervisor("create", "edit", Floor=WRITE)) == ["group_needed"]
    assert made(supervisor("create", "edit", Floor=READ), "Floor") == ["group_needed"]
    assert made(supervisor("create", "edit", "unassigned")) == []
    assert supervisor("create", "edit", Floor=WRITE).may_create
    assert not supervisor("create", Floor=WRITE).may_create
    assert not supervisor("create", "edit", Floor=READ).may_create
