"""The one writer: the only place that takes or frees a seat (S4).

Form, file, command line and every later door end here, with a plan made after ``lock``. Nothing
else writes a holding or a pool's counter. It decides no rule: it refuses what the locked counter
does not allow, and writes the change with what it tells.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from webapp.licensing import history, ledger, people
from webapp.licensing.errors import LicensingError, Problem
from webapp.licensing.history import Act, Entry
from webapp.licensing.plan import NewUser, Plan, PoolEffect, gets_agent_id
from webapp.models import Group, GroupAccess, Holding, Membership, Offer, Pool, User


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
    """Write what the plan says: groups, users, seats, change. The plan was made after the locks."""
    for effect in plan.pools:
        _take(session, effect, no_limit=first_admin)
    groups = _groups(session, plan)
    agent_ids = _agent_ids(session, plan.users)
    ids = _insert_users(session, plan.users, agent_ids)
    people_by_id = list(zip(ids, plan.users, strict=True))
    entries = list(_entries(plan, people_by_id, agent_ids))
    seq = history.append(session, locks.head, locks.moment, act, entries, cause)
    _rows(session, Membership, (
        {"user_id": i, "group_id": group}
        for i, user in people_by_id
        for group in sorted({groups[people.group_key(name)] for name in user.wish.groups})
    ))  # fmt: skip
    _rows(session, GroupAccess, (
        {"user_id": i, "group_id": groups[people.group_key(name)], "level": level}
        for i, user in people_by_id
        for name, level in user.access.items()
    ))  # fmt: skip
    _rows(session, Offer, (
        {"user_id": i, "license_type_id": kind.id}
        for i, user in people_by_id if not user.wish.active for kind in user.licenses
    ))  # fmt: skip
    _open_holdings(session, people_by_id, locks, seq)
    return Done(plan, seq, tuple(ids))


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
    _rows(session, Group, ({"name": n, "key": people.group_key(n)} for n in plan.new_groups))
    return dict(session.execute(select(Group.key, Group.id)).all())


def _agent_ids(session: Session, users: Sequence[NewUser]) -> list[str | None]:
    """Each user's agent ID: the one wished for, a random free one with ContactPad, else none."""
    wished = {user.wish.agent_id for user in users}
    made: set[str] = set()
    needed = sum(map(gets_agent_id, users))
    while len(made) < needed:
        drawn = {f"{10_000_000 + secrets.randbelow(90_000_000)}" for _ in range(needed - len(made))}
        made |= drawn - wished - ledger.taken_agent_ids(session, drawn)
    free = iter(made)
    return [next(free) if gets_agent_id(user) else user.wish.agent_id or None for user in users]


def _insert_users(session: Session, users: Sequence[NewUser], agent_ids: Sequence[str | None]) -> list[int]:
    """Insert the users; their ids in the same order."""
    if not users:
        return []
    rows = [
        {
            "username": user.wish.username, "name": user.wish.name, "email": user.wish.email,
            "sso_external_id": user.wish.sso_external_id or None, "active": user.wish.active,
            "base_type_id": user.base.id, "contactpad": user.contactpad,
            "webrtc": user.wish.webrtc, "agent_id": agent_id, "permissions": user.permissions,
            "last_login": user.wish.last_login,
            "last_login_as_of": user.wish.last_login_as_of,
            "name_fold": people.fold(user.wish.name),
            "username_fold": people.fold(user.wish.username),
            "unassigned": not user.wish.groups, "version": 1,
        }
        for user, agent_id in zip(users, agent_ids, strict=True)
    ]  # fmt: skip
    statement = insert(User).returning(User.id, sort_by_parameter_order=True)
    return list(session.connection().execute(statement, rows).scalars())


def _open_holdings(
    session: Session, people_by_id: Sequence[tuple[int, NewUser]], locks: Locks, seq: int
) -> None:
    """A holding for each license of each active user (S1)."""
    _rows(session, Holding, (
        {
            "user_id": i, "license_type_id": kind.id, "product_id": kind.product_id,
            "starts_at": locks.moment, "opened_by": seq,
            "name_fold": people.fold(user.wish.name),
            "username_fold": people.fold(user.wish.username),
        }
        for i, user in people_by_id if user.wish.active for kind in user.licenses
    ))  # fmt: skip


def _rows(session: Session, table: type, rows: Iterator[dict[str, object]]) -> None:
    """Insert rows as plain statements: ORM objects cost half the speed here."""
    if found := list(rows):
        session.connection().execute(insert(table), found)


def _entries(
    plan: Plan, people_by_id: Sequence[tuple[int, NewUser]], agent_ids: Sequence[str | None]
) -> Iterator[Entry]:
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
    for (user_id, user), agent_id in zip(people_by_id, agent_ids, strict=True):
        for field, value in _fields(user, agent_id):
            if value:
                yield Entry(user_id, user.wish.username, user.wish.name, field, None, value)


def _fields(user: NewUser, agent_id: str | None) -> Iterator[tuple[str, str | None]]:
    """A new user's fields as the change log tells them."""
    wish = user.wish
    yield "status", "active" if wish.active else "archived"
    yield "name", wish.name
    yield "email", wish.email
    yield "sso_external_id", wish.sso_external_id
    for kind in user.licenses:
        yield f"license_{kind.product}" if wish.active else f"offer_{kind.product}", kind.key
    yield "contactpad", "on" if user.contactpad else None
    yield "webrtc", "on" if wish.webrtc else None
    yield "agent_id", agent_id
    yield "groups", ";".join(sorted(wish.groups))
    yield "permissions", ";".join(sorted(user.permissions))
    yield "access", ";".join(f"{name}:{level}" for name, level in sorted(user.access.items()))
    if wish.last_login:
        as_of = f", as of {wish.last_login_as_of}" if wish.last_login_as_of else ""
        yield "last_login", f"{wish.last_login.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}{as_of}"
