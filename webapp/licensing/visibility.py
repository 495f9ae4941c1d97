"""Who views whom (P2), as one SQL condition that every read of users starts from.

The actor is a frozen value, read anew for every decision; nothing here reads a request. Figures never
pass through here: they are for the whole account (P4). Of one user the same is told by ``rights``.
"""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, exists, or_, select, true, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from webapp.licensing.rights import OPERATOR, Actor
from webapp.models import Group, GroupAccess, LicenseType, Membership, User
from webapp.words import AccessLevel, Role

__all__ = ["OPERATOR", "Actor", "read_actor", "view", "visible", "visible_groups"]


def read_actor(session: Session, user_id: int) -> Actor | None:
    """The actor with the rights of this moment; None if they can't sign in any more (P1)."""
    row = session.execute(
        select(User.username, User.name, User.permissions, LicenseType.role)
        .join(LicenseType, LicenseType.id == User.base_type_id)
        .where(User.id == user_id, User.active)
    ).one_or_none()
    if row is None:
        return None
    access = read_access(session, user_id) if row.role is Role.SUPERVISOR else {}
    actor = actor_of(user_id, row.username, row.name, row.role, row.permissions, access)
    return actor if actor.may_sign_in else None


def read_access(session: Session, user_id: int) -> dict[tuple[int, str], AccessLevel]:
    """A supervisor's access, by the group's id and name."""
    rows = session.execute(
        select(Group.id, Group.name, GroupAccess.level)
        .join(GroupAccess, GroupAccess.group_id == Group.id)
        .where(GroupAccess.user_id == user_id)
    )
    return {(row.id, row.name): row.level for row in rows}


def actor_of(
    user_id: int, username: str, name: str, role: Role, permissions: frozenset[str],
    access: Mapping[tuple[int, str], AccessLevel],
) -> Actor:  # fmt: skip
    """The actor with this access to groups."""
    return Actor(
        user_id, username, name, role, permissions,
        frozenset(group_id for group_id, _ in access),
        {group: level for (_, group), level in access.items()},
    )  # fmt: skip


def visible(
    actor: Actor, user_id: InstrumentedAttribute[int] | InstrumentedAttribute[int | None] = User.id
) -> ColumnElement[bool]:
    """The condition that holds for the users whom the actor may view (P2), asked of one row at a time.

    A supervisor: users of their groups, users in no group with *unassigned*, themselves; never
    admins, by the base license held or, archived, offered.
    """
    if actor.views_everyone:
        return true()
    member = Membership.user_id == user_id
    reach = [user_id == actor.id, exists().where(member, Membership.group_id.in_(sorted(actor.groups)))]
    if "unassigned" in actor.permissions:
        deleted = select(User.id).where(User.deleted_at.is_not(None)).correlate(None)
        reach.append(and_(~exists().where(member), user_id.not_in(deleted)))
    return and_(user_id.not_in(_admins()), or_(*reach))


def view(actor: Actor) -> CompoundSelect[int]:
    """The same of a supervisor as a set to start from: some more than once, and admins not yet left out."""
    reach = [
        select(User.id).where(User.id == actor.id),
        select(Membership.user_id).where(Membership.group_id.in_(sorted(actor.groups))),
    ]
    if "unassigned" in actor.permissions:
        reach.append(select(User.id).where(User.unassigned, User.deleted_at.is_(None)))
    return union_all(*(part.correlate(None) for part in reach))


def _admins() -> Select[int]:
    kinds = select(LicenseType.id).where(LicenseType.role == Role.ADMIN)
    return select(User.id).where(User.base_type_id.in_(kinds)).correlate(None)


def visible_groups(actor: Actor) -> ColumnElement[bool]:
    """The condition on ``Group`` for the groups whose names the actor may read (P4)."""
    return true() if actor.views_everyone else Group.id.in_(sorted(actor.groups))
