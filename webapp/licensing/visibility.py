"""Who views whom (P2), as one SQL condition that every read of users starts from.

The actor is a frozen value; nothing here reads a request. Figures never pass through here:
they are for the whole account (P4).
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, or_, select, true

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


def visible(actor: Actor) -> ColumnElement[bool]:
    """The condition on ``User`` that holds for whoever the actor may view (P2).

    A supervisor: users of their groups, users in no group with *unassigned*, themselves; never
    admins, by the base license held or, archived, offered.
    """
    if actor.views_everyone:
        return true()
    member = Membership.user_id == User.id
    reach: list[ColumnElement[bool]] = [exists().where(member, Membership.group_id.in_(sorted(actor.groups)))]
    if "unassigned" in actor.permissions:
        reach.append(~exists().where(member))
    admins = select(LicenseType.id).where(LicenseType.role == Role.ADMIN)
    return or_(User.id == actor.id, and_(User.base_type_id.not_in(admins), or_(*reach)))


def visible_groups(actor: Actor) -> ColumnElement[bool]:
    """The condition on ``Group`` for the groups whose names the actor may read (P4)."""
    return true() if actor.views_everyone else Group.id.in_(sorted(actor.groups))
