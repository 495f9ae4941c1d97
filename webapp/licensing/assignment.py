"""The one writer: the only place that takes or frees a seat (S4).

Form, file, command line and every later door end here, with a plan made after ``lock``. Nothing
else writes a holding or a pool's counter. It decides no rule: it refuses what the locked counter
does not allow, and writes the change with what it tells.
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from webapp.licensing import history, ledger, people, sign_ins
from webapp.licensing.catalog import LicenseType
from webapp.licensing.errors import LicensingError, Problem, StaleError
from webapp.licensing.history import Act, Entry
from webapp.licensing.plan import Plan, PoolEffect, UserPlan
from webapp.licensing.record import Record
from webapp.licensing.rights import can_sign_in
from webapp.models import (
    Credential,
    Group,
    GroupAccess,
    Holding,
    Membership,
    Offer,
    PasswordLink,
    Pool,
    SignIn,
    User,
)
from webapp.words import Role


@dataclass(frozen=True)
class Locks:
    """Held until the transaction ends: every pool and the chain; and the one moment of the change."""

    head: history.Head
    moment: datetime
    day: date


@dataclass(frozen=True)
class Done:
    """An applied plan and the number of its change."""

    plan: Plan
    seq: int
    user_ids: tuple[int, ...]


def lock(session: Session, act: Act) -> Locks:
    """Lock pools in id order, then the chain; read the clock once, after both.

    All pools: the catalog is small, the plan may need any of them, and one order for everybody
    leaves no deadlock. On SQLite the transaction has locked already. A moment is never earlier
    than the last change's, or an interval could end before it starts.
    """
    session.execute(select(Pool.revision).order_by(Pool.license_type_id).with_for_update())
    head = history.lock_head(session)
    now = act.clock.read()
    moment = max(now, head.at) if head.at else now
    return Locks(head, moment, act.clock.day(moment))


def apply(
    session: Session, plan: Plan, locks: Locks, act: Act, *,
    cause: str | None = None, first_admin: bool = False,
) -> Done:  # fmt: skip
    """Write what the plan says: groups, users, seats, change. The plan was made after the locks.

    A user who would be as they are is left alone; a plan that changes nothing writes nothing.
    """
    users = _with_agent_ids(session, [user for user in plan.users if user.changes])
    if not users:
        return Done(plan, locks.head.seq, ())
    for effect in plan.pools:
        _take(session, effect, no_limit=first_admin)
    groups = _groups(session, plan)
    ids = _write_users(session, users, locks)
    people_by_id = list(zip(ids, users, strict=True))
    entries = list(_entries(plan, people_by_id))
    seq = history.append(session, locks.head, locks.moment, act, entries, cause)
    _write_groups(session, people_by_id, groups)
    _write_offers(session, people_by_id)
    _close_holdings(session, people_by_id, locks, seq)
    _open_holdings(session, people_by_id, locks, seq)
    _move(session, people_by_id)
    _end_sign_ins(session, people_by_id, locks)
    return Done(plan, seq, tuple(ids))


def erase(session: Session, user: Record, locks: Locks, act: Act) -> int:
    """Delete an archived user for good: what is personal goes, the row and past holdings stay.

    The username makes room for a mark that nobody can choose.
    """
    gone = {"name": "", "email": "", "sso_external_id": None, "agent_id": None, "last_login": None}
    folds = {"name_fold": "", "username_fold": f"~{user.id}"}
    connection = session.connection()
    for table in (Membership, GroupAccess, Offer, Credential, PasswordLink):
        connection.execute(delete(table).where(table.user_id == user.id))
    connection.execute(update(SignIn).where(SignIn.user_id == user.id).values(address="", agent=""))
    connection.execute(update(Holding).where(Holding.user_id == user.id).values(**folds))
    connection.execute(
        update(User).where(User.id == user.id, User.version == user.version).values(
            username=f"~{user.id}", permissions=frozenset(), last_login_as_of=None, unassigned=True,
            deleted_at=locks.moment, version=user.version + 1, **gone, **folds,
        )
    )  # fmt: skip
    entry = Entry(user.id, user.username, user.name, "status", "archived", "deleted")
    return history.append(session, locks.head, locks.moment, act, [entry])


def _take(session: Session, effect: PoolEffect, *, no_limit: bool) -> None:
    """Move one pool's counter; the condition is the last word on the limit (S4, S5)."""
    kind = effect.before.type
    statement = (
        update(Pool)
        .where(Pool.license_type_id == kind.id)
        .values(assigned=Pool.assigned + effect.net, revision=Pool.revision + 1)
    )
    limit = effect.before.limit(overage_confirmed=effect.overage)
    if effect.net > 0 and limit is not None and not no_limit:
        statement = statement.where(Pool.assigned + effect.net <= limit)
    if session.connection().execute(statement).rowcount != 1:
        raise LicensingError([Problem("seat_gone", f"license_{kind.product}", {"license": kind.full_name})])


def _groups(session: Session, plan: Plan) -> dict[str, int]:
    """Make the plan's new groups; every group's id by its key."""
    _rows(session, Group, [{"name": n, "key": people.group_key(n)} for n in plan.new_groups])
    return dict(session.execute(select(Group.key, Group.id)).all())


def _with_agent_ids(session: Session, users: Sequence[UserPlan]) -> list[UserPlan]:
    """The same users, with an agent ID for each who has ContactPad and none: a random free one."""
    wished = {user.after.agent_id for user in users}
    made: set[str] = set()
    needed = sum(user.after.needs_agent_id for user in users)
    while len(made) < needed:
        drawn = {f"{10_000_000 + secrets.randbelow(90_000_000)}" for _ in range(needed - len(made))}
        made |= drawn - wished - ledger.taken_agent_ids(session, drawn)
    free = iter(made)
    return [
        replace(user, after=replace(user.after, agent_id=next(free))) if user.after.needs_agent_id else user
        for user in users
    ]


def _write_users(session: Session, users: Sequence[UserPlan], locks: Locks) -> list[int]:
    """Insert the new users and update the others; their ids in the same order."""
    new = [_columns(user.after) for user in users if user.before is None]
    inserted: Iterator[int] = iter(())
    if new:
        version = _first_version(session, locks)
        new = [columns | {"version": version} for columns in new]
        statement = insert(User).returning(User.id, sort_by_parameter_order=True)
        inserted = iter(session.connection().execute(statement, new).scalars().all())
    return [
        _update_user(session, user.before, user.after) if user.before else next(inserted) for user in users
    ]


def _first_version(session: Session, locks: Locks) -> int:
    """That of new users: 1, but above any that a deleted user had, whose username they may be given.

    Else a form that somebody still has open for the one would be saved onto the other.
    """
    deleted = select(User.id).where(User.deleted_at.is_not(None)).limit(1)
    return 1 if session.scalar(deleted) is None else locks.head.seq + 1


def _update_user(session: Session, before: Record, after: Record) -> int:
    """The version in the condition is the last word on whether anybody else was quicker."""
    assert before.id is not None
    statement = (
        update(User).where(User.id == before.id, User.version == before.version).values(**_columns(after))
    )
    if session.connection().execute(statement).rowcount != 1:
        raise StaleError(before)
    return before.id


def _columns(user: Record) -> dict[str, object]:
    """A user's row, of the next version."""
    return {
        "username": user.username, "name": user.name, "email": user.email,
        "sso_external_id": user.sso_external_id or None, "active": user.active,
        "base_type_id": user.base.id, "contactpad": user.contactpad, "webrtc": user.webrtc,
        "agent_id": user.agent_id or None, "permissions": user.permissions,
        "last_login": user.last_login, "last_login_as_of": user.last_login_as_of,
        **_folds(user), "unassigned": not user.groups, "version": user.version + 1,
    }  # fmt: skip


def _folds(user: Record) -> dict[str, str]:
    return {"name_fold": people.fold(user.name), "username_fold": people.fold(user.username)}


def _write_groups(
    session: Session, people_by_id: Sequence[tuple[int, UserPlan]], ids: Mapping[str, int]
) -> None:
    """Memberships and group access: what is no more goes, what is new comes."""

    def group(name: str) -> int:
        return ids[people.group_key(name)]

    memberships, accesses = [], []
    for i, user in people_by_id:
        was, now = user.before, user.after
        left = set(was.groups) - set(now.groups) if was else set()
        lost = dict(was.access.items() - now.access.items()) if was else {}
        _delete(session, Membership, Membership.user_id == i, Membership.group_id, map(group, left))
        _delete(session, GroupAccess, GroupAccess.user_id == i, GroupAccess.group_id, map(group, lost))
        joined = sorted(group(name) for name in set(now.groups) - set(was.groups if was else ()))
        memberships += [{"user_id": i, "group_id": number, **_folds(now)} for number in joined]
        gained = now.access.items() - (was.access.items() if was else ())
        accesses += [{"user_id": i, "group_id": group(name), "level": level} for name, level in gained]
    _rows(session, Membership, memberships)
    _rows(session, GroupAccess, accesses)


def _write_offers(session: Session, people_by_id: Sequence[tuple[int, UserPlan]]) -> None:
    """An archived user's licenses are their offer; an active one has none (S1)."""
    offers = []
    for i, user in people_by_id:
        was = _offered(user.before)
        now = _offered(user.after)
        gone = [kind.id for kind in was if kind not in now]
        _delete(session, Offer, Offer.user_id == i, Offer.license_type_id, gone)
        place = _folds(user.after)
        offers += [{"user_id": i, "license_type_id": kind.id, **place} for kind in now if kind not in was]
    _rows(session, Offer, offers)


def _offered(user: Record | None) -> tuple[LicenseType, ...]:
    return user.licenses if user and not user.active else ()


def _close_holdings(
    session: Session, people_by_id: Sequence[tuple[int, UserPlan]], locks: Locks, seq: int
) -> None:
    """End what is held no more (S1)."""
    for i, user in people_by_id:
        if user.before is None:
            continue
        ended = [kind.id for kind in user.before.held if kind not in user.after.held]
        if ended:
            session.connection().execute(
                update(Holding)
                .where(Holding.user_id == i, Holding.license_type_id.in_(ended), Holding.ends_at.is_(None))
                .values(ends_at=locks.moment, closed_by=seq)
            )


def _open_holdings(
    session: Session, people_by_id: Sequence[tuple[int, UserPlan]], locks: Locks, seq: int
) -> None:
    """A holding for each license that is newly held (S1)."""
    _rows(session, Holding, [
        {
            "user_id": i, "license_type_id": kind.id, "product_id": kind.product_id,
            "starts_at": locks.moment, "opened_by": seq, **_folds(user.after),
        }
        for i, user in people_by_id
        for kind in user.after.held if user.before is None or kind not in user.before.held
    ])  # fmt: skip


def _move(session: Session, people_by_id: Sequence[tuple[int, UserPlan]]) -> None:
    """What repeats a user's place in the lists follows a new name."""
    for i, user in people_by_id:
        if user.before is None or user.before.name == user.after.name:
            continue
        for theirs in (
            update(Membership).where(Membership.user_id == i),
            update(Offer).where(Offer.user_id == i),
            update(Holding).where(Holding.user_id == i, Holding.ends_at.is_(None)),
        ):
            session.connection().execute(theirs.values(**_folds(user.after)))


def _end_sign_ins(session: Session, people_by_id: Sequence[tuple[int, UserPlan]], locks: Locks) -> None:
    """Who can't sign in any more is out, and stays out when they can again (P1)."""
    out = [i for i, it in people_by_id if it.before and can_sign_in(it.before) and not can_sign_in(it.after)]
    if out:
        sign_ins.end_all(session, out, locks.moment)
    # A link that was mailed to a wrong address must end with it.
    moved = [i for i, it in people_by_id if it.before and it.before.email != it.after.email]
    if ended := {*out, *moved}:
        session.connection().execute(delete(PasswordLink).where(PasswordLink.user_id.in_(ended)))


def _rows(session: Session, table: type, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows as plain statements: ORM objects cost half the speed here."""
    if rows:
        session.connection().execute(insert(table), rows)


def _delete(
    session: Session, table: type, whose: ColumnElement[bool], what: InstrumentedAttribute[int],
    ids: Iterable[int],
) -> None:  # fmt: skip
    if some := list(ids):
        session.connection().execute(delete(table).where(whose, what.in_(some)))


def _entries(plan: Plan, people_by_id: Sequence[tuple[int, UserPlan]]) -> Iterator[Entry]:
    """One entry for each difference: groups, overage accepted (S2), and each user's fields."""
    for name in plan.new_groups:
        yield Entry(None, name, name, "group", None, "created")
    for effect in plan.pools:
        if effect.overage:
            kind = effect.before.type
            yield Entry(
                None, kind.ref, kind.full_name, "overage",
                f"{effect.before.over}", f"{effect.after.over}", "confirmed",
            )  # fmt: skip
    for user_id, user in people_by_id:
        old = dict(_fields(user.before)) if user.before else {}
        new = dict(_fields(user.after))
        causes = _causes(user)
        for field in dict.fromkeys((*old, *new)):
            was, now = old.get(field) or None, new.get(field) or None
            if was != now:
                after = user.after
                yield Entry(user_id, after.username, after.name, field, was, now, causes.get(field))


def _causes(user: UserPlan) -> dict[str, str]:
    """Why fields change that nobody asked to change: losses (E5), and what ends with a license (P3)."""
    causes = {}
    for loss in user.losses:
        field = f"license_{loss.what.partition('/')[0]}" if "/" in loss.what else loss.what
        causes[field] = f"{loss.cause.rule}: {loss.cause.sentence}"
    if user.before and user.before.role is Role.SUPERVISOR and user.after.role is not Role.SUPERVISOR:
        causes |= dict.fromkeys(("permissions", "access"), f"ended with the license {user.before.base.name}")
    return causes


def _fields(user: Record) -> Iterator[tuple[str, str | None]]:
    """A user's fields as the change log tells them."""
    yield "status", "active" if user.active else "archived"
    yield "name", user.name
    yield "email", user.email
    yield "sso_external_id", user.sso_external_id
    for kind in user.licenses:
        yield f"license_{kind.product}" if user.active else f"offer_{kind.product}", kind.key
    yield "contactpad", "on" if user.contactpad else None
    yield "webrtc", "on" if user.webrtc else None
    yield "agent_id", user.agent_id
    yield "groups", ";".join(sorted(user.groups))
    yield "permissions", ";".join(sorted(user.permissions))
    yield "access", ";".join(f"{name}:{level}" for name, level in sorted(user.access.items()))
    if user.last_login:
        as_of = f", as of {user.last_login_as_of}" if user.last_login_as_of else ""
        yield "last_login", f"{user.last_login.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}{as_of}"
