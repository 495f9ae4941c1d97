"""The change log as it is read: what was changed, newest first, as far as the actor may view it (P4).

Only entries about users in view are told, and never whether a change had others; whoever did it and is
out of view stays unnamed. Reads only; ``history`` writes and proves the log.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, false, func, or_, select, union_all
from sqlalchemy.orm import Session

from webapp.licensing import lists
from webapp.licensing.errors import has_unseen
from webapp.licensing.profile import SOMEONE
from webapp.licensing.visibility import Actor, find, visible
from webapp.models import Change, ChangeEntry, User

LINES = 6  # entries told of each change in a list
OF_ONE_USER = 100  # and if they are of one user alone: all that a change can have of them
HIGHEST = 2**31 - 1  # number of a change


@dataclass(frozen=True)
class Wanted:
    """What the log is narrowed by; they combine. ``fields``: of an entry; none: any."""

    person: str = ""
    actor: str = ""
    fields: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Line:
    """One entry: of whom or what, which field, from what to what, and why. ``username``: of a user."""

    position: int
    username: str | None
    subject: str
    subject_name: str
    field: str
    old: str | None
    new: str | None
    cause: str | None


@dataclass(frozen=True)
class Told:
    """One change. ``more``: whether more of it is asked for and in view than these lines."""

    seq: int
    at: datetime
    by: str
    door: str
    cause: str | None
    lines: tuple[Line, ...]
    more: bool


@dataclass(frozen=True)
class Page:
    """Changes, newest first, and the number before which the next ones are, if there are more."""

    changes: tuple[Told, ...]
    next: int | None


def read_page(
    session: Session, wanted: Wanted, actor: Actor, *, before: int | None = None, size: int = 25
) -> Page:
    """The next changes before a number; as many queries for any number of them."""
    about = _entries_wanted(session, wanted, actor)
    found = select(Change.seq).where(*_changes_wanted(session, wanted, actor))
    if about:
        found = found.where(
            select(ChangeEntry.position).where(ChangeEntry.change_seq == Change.seq, *about).exists()
        )
    if before is not None:
        found = found.where(Change.seq < before)
    seqs = session.scalars(found.order_by(Change.seq.desc()).limit(size + 1)).all()
    shown = _tell(session, seqs[:size], about, actor, OF_ONE_USER if wanted.person else LINES)
    return Page(shown, seqs[size - 1] if len(seqs) > size else None)


def read_one(session: Session, seq: int, actor: Actor, *, after: int = -1, size: int = 100) -> Told | None:
    """One change with its entries after a position; None if nothing of it is in view (P5)."""
    entries = _entries_wanted(session, Wanted(), actor)
    found = _tell(session, [seq], [*entries, ChangeEntry.position > after], actor, size)
    if not found or (entries and not found[0].lines):
        return None
    return found[0]


def _changes_wanted(session: Session, wanted: Wanted, actor: Actor) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.since:
        conditions.append(Change.at >= wanted.since)
    if wanted.until:
        conditions.append(Change.at < wanted.until)
    if wanted.actor and has_unseen(wanted.actor):  # nobody's name; a database may refuse the question
        conditions.append(false())
    elif wanted.actor:
        known = _known(session, wanted.actor, actor)
        operator = Change.actor_id.is_(None) & (func.lower(Change.actor) == wanted.actor.lower())
        conditions.append(or_(operator, Change.actor_id == known))
    return conditions


def _known(session: Session, username: str, actor: Actor) -> int:
    """The id of a user in view, or of nobody."""
    return find(session, username, actor) or 0


def _entries_wanted(session: Session, wanted: Wanted, actor: Actor) -> list[ColumnElement[bool]]:
    """The entries that are asked for and in view; empty if every entry is."""
    conditions: list[ColumnElement[bool]] = []
    if not actor.views_everyone:
        conditions.append(visible(actor, ChangeEntry.user_id))
    if wanted.person:
        conditions.append(ChangeEntry.user_id == _known(session, wanted.person, actor))
    if wanted.fields:
        conditions.append(ChangeEntry.field.in_(wanted.fields))
    return conditions


def _tell(
    session: Session, seqs: Sequence[int], entries: Sequence[ColumnElement[bool]], actor: Actor, lines: int
) -> tuple[Told, ...]:
    """These changes with the first of their entries; as many queries for any number of them."""
    if not seqs:
        return ()
    rows = session.execute(
        select(Change.seq, Change.at, Change.actor_id, Change.actor, Change.door, Change.cause)
        .where(Change.seq.in_(seqs))
        .order_by(Change.seq.desc())
    ).all()
    known = _in_view(session, {row.actor_id for row in rows if row.actor_id}, actor)
    told = _lines(session, seqs, entries, actor, lines + 1)
    return tuple(
        Told(
            row.seq, row.at, row.actor if row.actor_id is None or row.actor_id in known else SOMEONE,
            row.door, row.cause, tuple(told[row.seq][:lines]), len(told[row.seq]) > lines,
        )
        for row in rows
    )  # fmt: skip


def _lines(
    session: Session,
    seqs: Sequence[int],
    conditions: Sequence[ColumnElement[bool]],
    actor: Actor,
    number: int,
) -> dict[int, list[Line]]:
    """The first entries of each change, each found by its own key: a change may have a million."""
    entry = ChangeEntry
    parts = [
        select(
            select(entry.change_seq, entry.position, User.username, entry.subject, entry.subject_name,
                   entry.field, entry.old, entry.new, entry.cause)
            # Who was deleted has no page, even if somebody else has their username now.
            .outerjoin(User, and_(User.id == entry.user_id, User.deleted_at.is_(None)))
            .where(entry.change_seq == seq, *conditions)
            .order_by(entry.position)
            .limit(number)
            .subquery()
        )
        for seq in seqs
    ]  # fmt: skip
    readable = None if actor.views_everyone else _names_then(session, actor)
    found: dict[int, list[Line]] = defaultdict(list)
    for row in session.execute(union_all(*parts)):
        old, new = (_readable(row.field, value, readable, row.change_seq) for value in (row.old, row.new))
        found[row.change_seq].append(
            Line(row.position, row.username, row.subject, row.subject_name, row.field, old, new, row.cause)
        )
    for lines in found.values():
        lines.sort(key=lambda line: line.position)
    return found


def _names_then(session: Session, actor: Actor) -> dict[str, list[range]]:
    """In which changes each name was that of a group in view: others may have had it too (P4)."""
    ends = {name: HIGHEST + 1 for _, name in lists.groups_in_view(session, actor)}
    found: dict[str, list[range]] = defaultdict(list)
    entry = ChangeEntry
    named = (
        select(entry.change_seq, entry.subject, entry.old, entry.new)
        .where(entry.user_id.is_(None), entry.field == "group")
        .order_by(entry.change_seq.desc(), entry.position.desc())
    )
    for row in session.execute(named):
        renamed = row.old is not None and row.new is not None
        name = row.new if renamed else row.subject
        if row.new is None or name not in ends:  # deleted, or another group's
            continue
        found[name].append(range(row.change_seq, ends.pop(name)))
        if renamed:
            ends[row.old] = row.change_seq
    for name, end in ends.items():
        found[name].append(range(end))
    return found


def _readable(
    field: str, value: str | None, groups: Mapping[str, Sequence[range]] | None, seq: int
) -> str | None:
    """A value without the names of groups out of the actor's view (P4). ``groups`` None: all are in it."""
    if groups is None or value is None or field not in ("groups", "access"):
        return value
    parts = value.split(";")
    names = [part.rpartition(":")[0] if field == "access" else part for part in parts]
    kept = [
        part
        for part, name in zip(parts, names, strict=True)
        if any(seq in during for during in groups.get(name, ()))
    ]
    return ";".join([*kept, *(["…"] if len(kept) < len(parts) else [])])


def _in_view(session: Session, ids: Collection[int], actor: Actor) -> set[int]:
    return set(session.scalars(select(User.id).where(User.id.in_(ids), visible(actor))))
