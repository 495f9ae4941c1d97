"""Operations on users, as every door calls them. Each runs inside a transaction of its caller.

Lock, read afresh, plan again, apply: a plan made earlier was only shown, never trusted. So were the
actor's rights: they are read again too.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from webapp.licensing import assignment, ledger, people, rights
from webapp.licensing.assignment import Done
from webapp.licensing.errors import (
    LicensingError,
    NotAllowedError,
    NotThereError,
    Problem,
    StaleError,
)
from webapp.licensing.history import Act
from webapp.licensing.plan import Plan, plan_changes, plan_new_users, unconfirmed_losses, unconfirmed_overage
from webapp.licensing.record import Record, Wish
from webapp.licensing.visibility import read_actor
from webapp.models import LicenseType, User
from webapp.words import Role

ASK = "Accept the extra charge under “What saving does”."


def create(
    session: Session, wishes: Sequence[Wish], act: Act, *,
    confirmed_overage: Collection[str] = (), how_to_confirm: str = ASK,
    first_admin: bool = False, new_groups: bool = True,
) -> Done:  # fmt: skip
    """Create these users with their licenses, all or none (V1, V2, E1 to E4, S1 to S5, P2, P3).

    ``confirmed_overage``: refs of the pools whose extra charge the actor accepts (S2).
    ``first_admin``: the one exception to S2, for ``init`` alone, and only as long as there is no active
    admin (S8): asked after the locks, or two at once would both be the first.
    ``new_groups``: whether a group that is not there is made, as for a file.
    Raises LicensingError with every refusal, NotAllowedError if the actor creates nobody; nothing is
    written then.
    """
    locks = assignment.lock(session, act)
    if first_admin and active_admin_exists(session):
        raise LicensingError([Problem("admin_exists", "username")])
    act = acting(session, act)
    if not act.actor.may_create:
        raise NotAllowedError
    facts = ledger.facts(session, wishes, locks.day, actor=act.actor)
    plan = plan_new_users(wishes, facts, first_admin=first_admin)
    if problems := (*plan.refusals, *_refusals_of_act(plan, act, new_groups=new_groups)):
        raise LicensingError(problems)
    if not first_admin and (unconfirmed := unconfirmed_overage(plan, confirmed_overage, how_to_confirm)):
        raise LicensingError(unconfirmed)
    cause = "first admin" if first_admin else None
    return assignment.apply(session, plan, locks, act, cause=cause, first_admin=first_admin)


def save(
    session: Session, wish: Wish, version: int, act: Act, *,
    confirmed_losses: Collection[str] = (), confirmed_overage: Collection[str] = (),
) -> Done:  # fmt: skip
    """Change an active user (V1 to E5, S2 to S5, P2 to P7).

    ``version``: of the record that the wish was made from. ``confirmed_losses``: what the actor accepts
    to be lost (E5), each by its name in the plan. Raises LicensingError with every refusal,
    NotThereError and NotAllowedError by the actor's rights (P5), StaleError if somebody else saved
    meanwhile; nothing is written then.
    """
    return _change(
        session, replace(wish, active=None), version, act, True, confirmed_losses, confirmed_overage
    )


def archive(session: Session, username: str, version: int, act: Act) -> Done:
    """End all that an active user holds, and keep it as their offer (S1). Raises like ``save``."""
    return _change(session, Wish(username, active=False), version, act, True)


def reactivate(
    session: Session, wish: Wish, version: int, act: Act, *, confirmed_overage: Collection[str] = ()
) -> Done:
    """Make an archived user active, if the seats are there (S1): a new plan, made from the offer.

    Raises like ``save``.
    """
    wish = replace(wish, active=True)
    return _change(session, wish, version, act, False, (), confirmed_overage)


def _change(
    session: Session, wish: Wish, version: int, act: Act, active: bool,
    confirmed_losses: Collection[str] = (), confirmed_overage: Collection[str] = (),
) -> Done:  # fmt: skip
    locks = assignment.lock(session, act)
    act = acting(session, act)
    record = editable(session, wish.username, act)
    if record.version != version:
        raise StaleError(record)
    if record.active is not active:
        raise LicensingError([Problem("active" if record.active else "archived", "form")])
    facts = ledger.facts(
        session, [wish], locks.day, actor=act.actor, records={people.fold(wish.username): record}
    )
    plan = plan_changes([wish], facts)
    if problems := (*plan.refusals, *_refusals_of_act(plan, act, new_groups=False)):
        raise LicensingError(problems)
    unconfirmed = unconfirmed_losses(plan, confirmed_losses)
    if unconfirmed := [*unconfirmed, *unconfirmed_overage(plan, confirmed_overage, ASK)]:
        raise LicensingError(unconfirmed)
    return assignment.apply(session, plan, locks, act)


def _refusals_of_act(plan: Plan, act: Act, *, new_groups: bool) -> Iterator[Problem]:
    """What the plan may not do in this way: make groups by a form, or change rights on an old password."""
    if not new_groups:
        yield from (Problem("group_gone", "groups", {"value": name}) for name in plan.new_groups)
    if not act.proved and any(rights.gives_rights(user.before, user.after) for user in plan.users):
        yield Problem("password_asked", "current_password")


def delete(session: Session, username: str, version: int, act: Act) -> int:
    """Empty an archived user's personal columns for good; the number of the change.

    Username, SSO ID and agent ID become free; the row and its holdings stay, so that past figures hold.
    An admin's alone. Raises like ``save``.
    """
    locks = assignment.lock(session, act)
    act = acting(session, act)
    record = editable(session, username, act)
    if not act.actor.is_admin:
        raise NotAllowedError
    if record.version != version:
        raise StaleError(record)
    if record.active:
        raise LicensingError([Problem("not_archived", "form")])
    return assignment.erase(session, record, locks, act)


def acting(session: Session, act: Act) -> Act:
    """The act with the actor's rights as they are now. Raises NotAllowedError if they lost them all."""
    if act.actor.id is None:
        return act
    actor = read_actor(session, act.actor.id)
    if actor is None:
        raise NotAllowedError
    return replace(act, actor=actor)


def editable(session: Session, username: str, act: Act) -> Record:
    """The record of this user. Raises NotThereError if out of view, NotAllowedError if only in view (P5)."""
    record = ledger.read_record(session, username, ledger.read_catalog(session))
    if record is None or not rights.views(act.actor, record):
        raise NotThereError
    if not rights.may_edit(act.actor, record):
        raise NotAllowedError
    return record


def active_admin_exists(session: Session) -> bool:
    """Whether anybody active holds a base license with the role admin."""
    admin = (
        exists()
        .where(User.base_type_id == LicenseType.id, LicenseType.role == Role.ADMIN, User.active)
    )  # fmt: skip
    return bool(session.scalar(select(admin)))
