"""Who views whom (P2), as one SQL condition that every read of users starts from.

The actor is a frozen value; nothing here reads a request. Figures never pass through here:
they are for the whole account (P4).
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, exists, or_, select, true, union_all
from sqlalchemy.orm import InstrumentedAttribute

from webapp.models import Group, LicenseType, Membership, User
from webapp.words import Role


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
        reach.append(~exists().where(member))
    return and_(user_id.not_in(_admins()), or_(*reach))


def view(actor: Actor) -> CompoundSelect[int]:
    """The same of a supervisor as a set to start from: some more than once, and admins not yet left out."""
    reach = [
        select(User.id).where(User.id == actor.id),
        select(Membership.user_id).where(Membership.group_id.in_(sorted(actor.groups))),
    ]
    if "unassigned" in actor.permissions:
        reach.append(select(User.id).where(User.unassigned))
    return union_all(*(part.correlate(None) for part in reach))


def _admins() -> Select[int]:
    kinds = select(LicenseType.id).where(LicenseType.role == Role.ADMIN)
    return select(User.id).where(User.base_type_id.in_(kinds)).correlate(None)


def visible_groups(actor: Actor) -> ColumnElement[bool]:
    """The condition on ``Group`` for the groups whose names the actor may read (P4)."""
    return true() if actor.views_everyone else Group.id.in_(sorted(actor.groups))
