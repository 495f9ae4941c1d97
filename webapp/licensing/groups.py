"""Operations on groups: create, rename, and delete when empty. Each needs *manage groups* (P2).

Who is in a group is set in the users' own forms, so that a user's version and rules are always asked.
A supervisor knows only the groups they read or write: of others nothing is told, not even a taken name.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session, aliased

from webapp.licensing import assignment, history, people
from webapp.licensing.errors import LicensingError, NotAllowedError, NotThereError, Problem
from webapp.licensing.history import Act, Entry
from webapp.licensing.rights import Actor
from webapp.licensing.users import acting
from webapp.licensing.visibility import read_access, visible, visible_groups
from webapp.models import Group, GroupAccess, Membership, User
from webapp.words import AccessLevel, Role


@dataclass(frozen=True)
class GroupView:
    """A group as an actor sees it: its members in view, and whether they may put users into it (P7)."""

    id: int
    name: str
    members: int
    writes: bool


def read_all(session: Session, actor: Actor) -> list[GroupView]:
    """The groups in the actor's view, by name, each with its members in view; one query."""
    member = aliased(Membership)
    members = (
        select(func.count())
        .select_from(member)
        .join(User, User.id == member.user_id)
        .where(member.group_id == Group.id, User.active, visible(actor))
        .correlate(Group)
        .scalar_subquery()
        .label("members")
    )
    rows = session.execute(
        select(Group.id, Group.name, members).where(visible_groups(actor)).order_by(Group.key)
    )
    return [GroupView(row.id, row.name, row.members, actor.writes(row.name)) for row in rows]


def holders_in_view(session: Session, group_id: int, actor: Actor) -> list[str]:
    """The names of the supervisors with access to a group, as far as the actor may view them (P4)."""
    rows = session.scalars(
        select(User.name)
        .join(GroupAccess, GroupAccess.user_id == User.id)
        .where(GroupAccess.group_id == group_id, visible(actor))
        .order_by(User.name_fold, User.username_fold)
    )
    return list(rows)


def name_in_view(session: Session, group_id: int, actor: Actor) -> str | None:
    """The name of this group; None if there is none in the actor's view (P5)."""
    if group_id >= 2**31:  # no database has more of them
        return None
    return session.scalar(select(Group.name).where(Group.id == group_id, visible_groups(actor)))


def create(session: Session, name: str, act: Act) -> None:
    """Make a group; a supervisor who makes one gets write on it, or could never use it.

    Raises LicensingError if the name can't be used, NotAllowedError without *manage groups*.
    """
    locks = assignment.lock(session, act)
    act = _manager(session, act)
    name = _usable(session, name)
    entries = [Entry(None, name, name, "group", None, "created")]
    made = session.execute(insert(Group).values(name=name, key=people.group_key(name)).returning(Group.id))
    group_id = made.scalar_one()
    if act.actor.role is Role.SUPERVISOR:
        level = AccessLevel.WRITE
        session.execute(insert(GroupAccess).values(user_id=act.actor.id, group_id=group_id, level=level))
        session.execute(update(User).where(User.id == act.actor.id).values(version=User.version + 1))
        had = [*act.actor.access.items(), (name, level)]
        old, new = (";".join(f"{g}:{lev}" for g, lev in sorted(part)) for part in (had[:-1], had))
        entries.append(
            Entry(
                act.actor.id, act.actor.username, act.actor.name, "access", old or None, new, "made the group"
            )
        )
    history.append(session, locks.head, locks.moment, act, entries)


def rename(session: Session, group_id: int, name: str, act: Act) -> None:
    """Give a group another name. Raises like ``create``, and NotThereError if it is out of view (P5)."""
    locks = assignment.lock(session, act)
    act = _manager(session, act)
    old = _name(session, group_id, act)
    name = _usable(session, name, group_id)
    if name == old:
        return
    session.execute(update(Group).where(Group.id == group_id).values(name=name, key=people.group_key(name)))
    entry = Entry(None, old, old, "group", old, name, "renamed")
    history.append(session, locks.head, locks.moment, act, [entry])


def remove(session: Session, group_id: int, act: Act) -> None:
    """Delete a group that nobody is in, archived ones included; access to it ends. Raises like ``rename``."""
    locks = assignment.lock(session, act)
    act = _manager(session, act)
    name = _name(session, group_id, act)
    members = select(Membership.user_id).where(Membership.group_id == group_id).limit(1)
    if session.scalar(members):
        seen = session.scalar(members.where(visible(act.actor, Membership.user_id)))
        code = "group_not_empty" if seen else "group_taken_up"
        raise LicensingError([Problem(code, "group", {"value": name})])
    entries = [Entry(None, name, name, "group", name, None, "deleted"), *_ends(session, group_id)]
    holders = select(GroupAccess.user_id).where(GroupAccess.group_id == group_id)
    session.execute(
        update(User).where(User.id.in_(holders)).values(version=User.version + 1),
        execution_options={"synchronize_session": False},
    )
    session.execute(delete(GroupAccess).where(GroupAccess.group_id == group_id))
    session.execute(delete(Group).where(Group.id == group_id))
    history.append(session, locks.head, locks.moment, act, entries)


def _ends(session: Session, group_id: int) -> Iterator[Entry]:
    """An entry for each supervisor whose access ends with the group."""
    holders = session.execute(
        select(User.id, User.username, User.name)
        .join(GroupAccess, GroupAccess.user_id == User.id)
        .where(GroupAccess.group_id == group_id)
        .order_by(User.id)
    ).all()
    for user in holders:
        access = read_access(session, user.id)
        old = _told({name: level for (_, name), level in access.items()})
        new = _told({name: level for (i, name), level in access.items() if i != group_id})
        yield Entry(user.id, user.username, user.name, "access", old, new, "the group was deleted")


def _told(access: Mapping[str, AccessLevel]) -> str | None:
    return ";".join(f"{name}:{level}" for name, level in sorted(access.items())) or None


def _manager(session: Session, act: Act) -> Act:
    act = acting(session, act)
    if not act.actor.may("groups"):
        raise NotAllowedError
    return act


def _name(session: Session, group_id: int, act: Act) -> str:
    name = name_in_view(session, group_id, act.actor)
    if name is None:
        raise NotThereError
    return name


def _usable(session: Session, name: str, own: int | None = None) -> str:
    """The name trimmed. A name of a group out of view is refused with the words for any unusable one (P4)."""
    name = name.strip()
    if problem := people.check_group_name(name):
        raise LicensingError([Problem(problem.code, "name", problem.facts)])
    taken = session.scalar(select(Group.id).where(Group.key == people.group_key(name)))
    if ";" in name or ":" in name:
        raise LicensingError([Problem("group_sign", "name", {"value": name})])
    if taken is not None and taken != own:
        raise LicensingError([Problem("group_taken", "name", {"value": name})])
    return name
