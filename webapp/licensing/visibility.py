"""Who views whom (P2), as one SQL condition that every read of users starts from.

The actor is a frozen value, read anew for every decision; nothing here reads a request. Figures never
pass through here: they are for the whole account (P4). Of one user the same is told by ``rights``.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    and_,
    exists,
    false,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from webapp.licensing import people
from webapp.licensing.errors import has_unseen
from webapp.licensing.rights import OPERATOR, Actor
from webapp.models import Group, GroupAccess, LicenseType, Membership, User
from webapp.words import AccessLevel, Role

__all__ = ["OPERATOR", "Actor", "read_actor", "visible", "visible_groups"]

Column = ColumnElement[int] | InstrumentedAttribute[int] | InstrumentedAttribute[int | None]
Truth = ColumnElement[bool] | InstrumentedAttribute[bool]
Me = int | None | BindParameter[int]
Groups = Sequence[int] | Sequence[BindParameter[int]] | BindParameter[int]


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


def visible(actor: Actor, user_id: Column = User.id) -> ColumnElement[bool]:
    """The condition that holds for the users whom the actor may view (P2), asked of one row at a time."""
    if actor.views_everyone:
        return true()
    ungrouped = alone(user_id) if "unassigned" in actor.permissions else false()
    return and_(no_admin(base_of(user_id)), reached(user_id, actor.id, sorted(actor.groups), ungrouped))


def base_of(user_id: Column) -> ColumnElement[int]:
    """The base license that a user holds or, archived, is offered."""
    them = aliased(User)
    return select(them.base_type_id).where(them.id == user_id).scalar_subquery()


def no_admin(base_type_id: Column) -> ColumnElement[bool]:
    """Whether who has this base license is anything but an admin."""
    return base_type_id.not_in(select(LicenseType.id).where(LicenseType.role == Role.ADMIN))


def reached(user_id: Column, me: Me, groups: Groups, ungrouped: Truth) -> ColumnElement[bool]:
    """Whom a supervisor reaches: users of their groups, users in no group with *unassigned*, themselves.

    Admins among them are never in view. Takes values, or parameters to be bound. ``ungrouped``: whether
    somebody is reached for being in no group.
    """
    # One look for the user's few groups; the index would be asked for each of the supervisor's. And it is
    # asked for what stands in it: for ``*`` SQLite would open the table beside it.
    member = exists(Membership.user_id).where(
        Membership.user_id == user_id, func.coalesce(Membership.group_id, 0).in_(groups)
    )
    return or_(user_id == me, member, ungrouped)


def alone(user_id: Column) -> ColumnElement[bool]:
    """Whether a user is in no group. Who is deleted is in none, but nobody's."""
    deleted = select(User.id).where(User.deleted_at.is_not(None)).correlate(None)
    return and_(~exists(Membership.user_id).where(Membership.user_id == user_id), user_id.not_in(deleted))


def reach(
    me: BindParameter[int], groups: Iterable[BindParameter[int]], unassigned: bool
) -> list[tuple[Any, ColumnElement[bool]]]:
    """The same as sets to start from: records in which each of them stands, and the condition.

    Someone may be in several. ``groups``: one, or many that are bound together.
    """
    user = aliased(User)
    found: list[tuple[Any, ColumnElement[bool]]] = [(user, user.id == me)]
    for group in groups:
        member = aliased(Membership)
        these = member.group_id.in_(group) if group.expanding else member.group_id == group
        found.append((member, these))
    if unassigned:
        user = aliased(User)
        found.append((user, and_(user.unassigned, user.deleted_at.is_(None))))
    return found


def find(session: Session, username: str, actor: Actor) -> int | None:
    """The id of the user of this name, case ignored; None if there is none in view (P5)."""
    if has_unseen(username):  # nobody's; a database may refuse the question
        return None
    row = session.execute(
        select(User.id, User.username).where(
            User.username_fold == people.fold(username), User.deleted_at.is_(None), visible(actor)
        )
    ).one_or_none()
    return row.id if row and row.username.casefold() == username.casefold() else None


def visible_groups(actor: Actor) -> ColumnElement[bool]:
    """The condition on ``Group`` for the groups whose names the actor may read (P4)."""
    return true() if actor.views_everyone else Group.id.in_(sorted(actor.groups))
