"""What an actor may do to a user, as they are and as they would be: P1, P2, P3, P6 and P7 as pure functions.

The same of many users at once, as a condition for the database, is in ``visibility``. Nothing here
reads a request, and nothing here decides about licenses.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from webapp.licensing import people
from webapp.licensing.catalog import LicenseType
from webapp.licensing.errors import Problem
from webapp.licensing.record import Record
from webapp.words import AccessLevel, Role

_LEVEL = {Role.NONE: 0, Role.SUPERVISOR: 1, Role.ADMIN: 2}
_REACH = {None: 0, AccessLevel.READ: 1, AccessLevel.WRITE: 2}


@dataclass(frozen=True)
class Actor:
    """The person acting. ``groups``: ids of the groups in which a supervisor has read or write;
    ``access``: the same by name, with the level.
    """

    id: int | None
    username: str
    name: str
    role: Role
    permissions: frozenset[str] = frozenset()
    groups: frozenset[int] = frozenset()
    access: Mapping[str, AccessLevel] = field(default_factory=dict, hash=False)

    @property
    def may_sign_in(self) -> bool:
        """P1, for an active user: an admin, or a supervisor with *access*."""
        return self.is_admin or (self.role is Role.SUPERVISOR and "access" in self.permissions)

    @property
    def is_admin(self) -> bool:
        """Whether they view and edit everyone (P2)."""
        return self.role is Role.ADMIN

    views_everyone = is_admin

    def may(self, permission: str) -> bool:
        """Whether they hold a permission; an admin holds each."""
        return self.is_admin or permission in self.permissions

    def writes(self, group: str) -> bool:
        """Whether they may put users into a group of this name and take them out (P7)."""
        return self.is_admin or self.access.get(group) is AccessLevel.WRITE

    @property
    def may_create(self) -> bool:
        """P2: creating needs *create user* and *edit user*, and somewhere to put them."""
        somewhere = self.may("unassigned") or AccessLevel.WRITE in self.access.values()
        return self.may("create") and self.may("edit") and somewhere


OPERATOR = Actor(None, "operator", "Operator", Role.ADMIN)
"""Whoever runs the command line: an admin's rights, no user."""


def can_sign_in(user: Record) -> bool:
    """P1: an active admin, or an active supervisor with *access*."""
    supervises = user.role is Role.SUPERVISOR and "access" in user.permissions
    return user.active and (user.role is Role.ADMIN or supervises)


def gives_rights(before: Record | None, after: Record) -> bool:
    """Whether what somebody may do here would be another: role, permissions or group access (P3)."""
    if before is None or not before.active:
        return after.role is not Role.NONE
    was, would_be = ((it.role, it.permissions, dict(it.access)) for it in (before, after))
    return was != would_be


def views(actor: Actor, user: Record) -> bool:
    """P2, of one user; ``visibility.visible`` says the same of all."""
    if actor.is_admin:
        return True
    if user.role is Role.ADMIN:
        return False
    reached = any(name in actor.access for name in user.groups)
    return is_self(actor, user) or reached or (not user.groups and actor.may("unassigned"))


def may_edit(actor: Actor, user: Record) -> bool:
    """P2: an admin everyone; a supervisor with *edit* whom they view in a group they write, or in none."""
    if actor.is_admin:
        return True
    within = not user.groups or any(map(actor.writes, user.groups))
    return actor.may("edit") and within and views(actor, user)


def is_self(actor: Actor, user: Record) -> bool:
    """Whether the user is the actor."""
    return actor.id is not None and actor.id == user.id


def may_give(actor: Actor, base: LicenseType) -> bool:
    """P3: nobody grants a base license above their own level."""
    return _LEVEL[base.role] <= _LEVEL[actor.role]


def offered_permissions(actor: Actor, user: Record | None) -> tuple[str, ...]:
    """The permissions that the actor may give and take: those they hold, of anybody but themselves (P3)."""
    if user and is_self(actor, user):
        return ()
    return tuple(word for word in people.PERMISSIONS if actor.may(word))


def offered_access(actor: Actor, user: Record | None, group: str) -> tuple[AccessLevel, ...]:
    """The levels of access to a group that the actor may give and take (P3): none above their own.

    None at all if the user's own access is above it, and nobody changes their own.
    """
    if user and is_self(actor, user):
        return ()
    own = AccessLevel.WRITE if actor.is_admin else actor.access.get(group)
    has = user.access.get(group) if user else None
    if _REACH[has] > _REACH[own]:
        return ()
    return tuple(level for level in AccessLevel if _REACH[level] <= _REACH[own])


def groups_after(actor: Actor, user: Record | None, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """P7: as wanted where the actor has write; memberships elsewhere stay as they are."""
    kept = [name for name in (user.groups if user else ()) if not actor.writes(name)]
    return tuple(sorted({*kept, *filter(actor.writes, wanted)}, key=people.group_key))


def given_back(actor: Actor, user: Record) -> Record:
    """An archived user with what of their rights the actor could give them (P3): no more comes back by it."""
    return replace(
        user,
        permissions=user.permissions & frozenset(offered_permissions(actor, user)),
        access={
            name: level for name, level in user.access.items() if level in offered_access(actor, user, name)
        },
    )


def permissions_after(
    actor: Actor, user: Record | None, wanted: frozenset[str], problems: list[Problem]
) -> frozenset[str]:
    """As wanted among those offered; the others stay, and a wish to add one is a problem (P3)."""
    offered = frozenset(offered_permissions(actor, user))
    has = user.permissions if user else frozenset()
    for word in sorted(wanted - offered - has):
        if word in people.PERMISSIONS:
            code = "own_permissions" if user and is_self(actor, user) else "permission_not_held"
            problems.append(Problem(code, "permissions", {"value": word}))
    return (wanted & offered) | (has - offered)


def access_following(
    access: Mapping[str, AccessLevel], was: Collection[str], own: Collection[str]
) -> dict[str, AccessLevel]:
    """P3: a new supervisor's access, shown when their groups ``was``, now that these are their ``own``.

    They read a group that came; what they only read goes with its group.
    """
    kept = {
        name: level
        for name, level in access.items()
        if level is not AccessLevel.READ or name in own or name not in was
    }
    return dict.fromkeys((name for name in own if name not in was), AccessLevel.READ) | kept


def access_after(
    actor: Actor, user: Record | None, wanted: Mapping[str, AccessLevel], problems: list[Problem]
) -> dict[str, AccessLevel]:
    """As wanted among the levels offered; the others stay, and a wish to change one is a problem (P3)."""
    after = {}
    has = user.access if user else {}
    for name in dict.fromkeys((*has, *wanted)):
        offered, level = offered_access(actor, user, name), wanted.get(name)
        if level is not None and level not in offered and level is not has.get(name):
            code = "own_access" if user and is_self(actor, user) else "access_beyond"
            problems.append(Problem(code, "access", {"value": name}))
        if (settled := level if offered else has.get(name)) is not None:
            after[name] = settled
    return after


def refusals(actor: Actor, before: Record | None, after: Record) -> Iterator[Problem]:
    """What the actor may not do to this user, given how they are and how they would be (P2, P3, P6)."""
    where = f"license_{after.base.product}"
    changed = before is None or before.base != after.base or (after.active and not before.active)
    if before and is_self(actor, before):
        if before.base != after.base:
            yield Problem("own_base", where, {"license": before.base.name})
        if before.active and not after.active:
            yield Problem("own_archive", "form")
    elif changed and not may_give(actor, after.base):
        yield Problem("base_above", where, {"license": after.base.name})
    if actor.is_admin or not may_give(actor, after.base):
        return
    if before is None and not after.groups and not actor.may("unassigned"):
        yield Problem("group_needed", "groups")
    elif not may_edit(actor, after):
        yield Problem("out_of_reach", "groups", {"name": after.name})
