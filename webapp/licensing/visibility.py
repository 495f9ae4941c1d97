"""Who views whom (P2), as one SQL condition that every read of users starts from.

The actor is a frozen value; nothing here reads a request. Figures never pass through here:
they are for the whole account (P4).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BindParameter, ColumnElement, Select, and_, exists, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, aliased

from webapp.models import Group, LicenseType, Membership, User
from webapp.words import Role

Column = ColumnElement[int] | InstrumentedAttribute[int] | InstrumentedAttribute[int | None]
Me = int | None | BindParameter[int]
Groups = Sequence[int] | BindParameter[int]


@dataclass(frozen=True)
class Actor:
    """The person acting. ``groups``: ids of the groups in which a supervisor has read or write."""

    id: int | None
    username: str
    name: str
    role: Role
    permissions: frozenset[str] = frozenset()
    groups: frozenset[int] = frozenset()

    @property
    def may_sign_in(self) -> bool:
        """P1, for an active user: an admin, or a supervisor with *access*."""
        return self.role is Role.ADMIN or (self.role is Role.SUPERVISOR and "access" in self.permissions)

    @property
    def views_everyone(self) -> bool:
        """Whether ``visible`` leaves nobody out."""
        return self.role is Role.ADMIN


OPERATOR = Actor(None, "operator", "Operator", Role.ADMIN)
"""Whoever runs the command line: an admin's rights, no user."""


def visible(actor: Actor, user_id: Column = User.id) -> ColumnElement[bool]:
    """The condition that holds for the users whom the actor may view (P2), asked of one row at a time."""
    if actor.views_everyone:
        return true()
    unassigned = "unassigned" in actor.permissions
    return and_(no_admin(base_of(user_id)), reached(user_id, actor.id, sorted(actor.groups), unassigned))


def base_of(user_id: Column) -> ColumnElement[int]:
    """The base license that a user holds or, archived, is offered."""
    them = aliased(User)
    return select(them.base_type_id).where(them.id == user_id).scalar_subquery()


def no_admin(base_type_id: Column) -> ColumnElement[bool]:
    """Whether who has this base license is anything but an admin."""
    return base_type_id.not_in(select(LicenseType.id).where(LicenseType.role == Role.ADMIN))


def reached(user_id: Column, me: Me, groups: Groups, unassigned: bool) -> ColumnElement[bool]:
    """Whom a supervisor reaches: users of their groups, users in no group with *unassigned*, themselves.

    Admins among them are never in view. Takes values, or parameters to be bound.
    """
    member = Membership.user_id == user_id
    parts = [user_id == me, exists().where(member, Membership.group_id.in_(groups))]
    if unassigned:
        parts.append(~exists().where(member))
    return or_(*parts)


def reach(me: Me, groups: Groups, unassigned: bool) -> list[Select[int]]:
    """The same as sets to start from; someone may be in several."""
    parts = [
        select(User.id).where(User.id == me),
        select(Membership.user_id).where(Membership.group_id.in_(groups)),
    ]
    if unassigned:
        parts.append(select(User.id).where(User.unassigned))
    return parts


def visible_groups(actor: Actor) -> ColumnElement[bool]:
    """The condition on ``Group`` for the groups whose names the actor may read (P4)."""
    return true() if actor.views_everyone else Group.id.in_(sorted(actor.groups))
