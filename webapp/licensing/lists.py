"""The lists of people: who in the actor's view holds a license, or is archived (P2, P4).

Read in list order straight from an index, paged by key, counted up to a cap. Every query starts
from ``visible``; figures for the whole account come from the pools, never from here.

No query walks everybody to find a few: a filter that leaves at most ``FEW`` people is read first and
put in order; otherwise the index is read in order, and who doesn't fit is passed over.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from string import ascii_lowercase

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    FromClause,
    Select,
    and_,
    false,
    func,
    inspect,
    or_,
    select,
    tuple_,
    union_all,
)  # fmt: skip
from sqlalchemy.orm import InstrumentedAttribute, Session, join

from webapp.licensing import people
from webapp.licensing.catalog import LicenseType, Product
from webapp.licensing.visibility import Actor, view, visible, visible_groups
from webapp.models import Group, Holding, Membership, Offer, User, user_search
from webapp.models import LicenseType as TypeRow
from webapp.words import Status

COUNT_CAP = 1000
FEW = 1000  # so many are read and put in order faster than an index is walked in search of them
SOME = 5000  # so many are counted one by one faster than an index is walked
OTHERS = "#"  # the initial of all names that begin with none of A to Z
_LONGEST_FOLD = 2000  # no name of 100 characters folds to more


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed by; they combine. ``q`` is folded, ``initial`` a lower-case letter.

    Active: the holders of the type, else of the product. Archived: whose offer has the type, else
    all. All: both. ``group`` is one that the actor may read.
    """

    product: Product
    type: LicenseType | None = None
    status: Status = Status.ACTIVE
    q: str = ""
    initial: str = ""
    group: int | None = None

    @property
    def narrowed(self) -> bool:
        """Whether the list is only a part of the chosen type's or product's people."""
        return bool(self.q or self.initial or self.group is not None)


@dataclass(frozen=True)
class Key:
    """A row's place in the list: after it the next page begins."""

    name_fold: str
    username_fold: str


@dataclass(frozen=True)
class Row:
    """One person. ``license_type_id``: of the product listed; for the archived, their base license.

    ``besides``: the ids of the other license types they hold or, archived, are offered.
    """

    key: Key
    user_id: int
    username: str
    name: str
    active: bool
    license_type_id: int
    last_login: datetime | None
    groups: tuple[str, ...]
    besides: tuple[int, ...] = ()


@dataclass(frozen=True)
class Page:
    """Rows in order, and the key of the last one if more follow."""

    rows: tuple[Row, ...]
    next: Key | None


@dataclass(frozen=True)
class InView:
    """The people in view whatever the search, initial or group: by license type's id, and their initials."""

    by_type: dict[int, int] = field(default_factory=dict)
    initials: frozenset[str] = frozenset()


def folded_search(text: str) -> str:
    """What was typed, as it is compared: folded and trimmed. NUL is in no name."""
    return people.fold(text).replace("\0", "").strip()


class PeopleList:
    """One list as an actor asked for it. How many each filter leaves is counted once, up to a limit."""

    def __init__(self, session: Session, filters: Filters, actor: Actor) -> None:
        """Look at each filter; three queries at most."""
        self._session, self._filters, self._actor = session, filters, actor
        self._source = _source(filters)
        self._narrowings = [
            (narrowing, _capped_count(session, narrowing.people, SOME))
            for narrowing in _narrowings(session, self._source, filters, actor)
        ]

    def page(self, *, after: Key | None = None, size: int = 50, besides: bool = False) -> Page:
        """The next rows after a key; as many queries for any number of rows. ``besides``: see ``Row``."""
        source = self._source
        conditions, begun = self._conditions(FEW)
        # A few are put in order when they are found: a bare column would tempt into walking its index.
        order = [func.coalesce(column, "") if begun else column for column in source.place]
        some = (
            select(
                *source.place, source.type_id.label("license_type_id"), User.id, User.username, User.name,
                User.active, User.last_login,
            )
            .select_from(source.with_user)
            .where(*conditions)
            .order_by(*order)
            .limit(size + 1)
        )  # fmt: skip
        parts = [some.where(*part) for part in _parts(source, self._filters.initial, after)]
        found = [row for part in parts for row in self._session.execute(part)]
        ids = [row.id for row in found[:size]]
        groups = group_names(self._session, ids, self._actor)
        held = licenses(self._session, ids) if besides else {}
        rows = tuple(
            Row(
                Key(row.name_fold, row.username_fold), row.id, row.username, row.name, row.active,
                row.license_type_id, row.last_login, tuple(groups[row.id]),
                tuple(key for key in held.get(row.id, ()) if key != row.license_type_id),
            )
            for row in found[:size]
        )  # fmt: skip
        return Page(rows, rows[-1].key if len(found) > size else None)

    def pages(self, size: int) -> Iterator[Page]:
        """The whole list, page after page; none if it is empty."""
        after = None
        while (page := self.page(after=after, size=size)).rows:
            yield page
            if page.next is None:
                return
            after = page.next

    def count(self, *, until: Key | None = None) -> int:
        """How many rows (up to and with a key), counted to one more than the cap and no further."""
        source = self._source
        conditions, _ = self._conditions(FEW if until else SOME)
        some = select(source.user_id).where(*conditions)
        if until:
            some = some.where(tuple_(*source.place) <= tuple_(until.name_fold, until.username_fold))
        counted = [
            _capped_count(self._session, some.where(*part), COUNT_CAP)
            for part in _parts(source, self._filters.initial, None)
        ]
        return min(sum(counted), COUNT_CAP + 1)

    def _conditions(self, limit: int) -> tuple[list[ColumnElement[bool]], bool]:
        """The conditions of all filters; begun: with a set of at most so many people."""
        conditions, begun = list(self._source.where), False
        for narrowing, number in self._narrowings:
            if number <= limit:
                conditions.append(self._source.user_id.in_(narrowing.people))
                begun = True
            conditions.append(narrowing.test)
        return conditions, begun


def in_view(session: Session, filters: Filters, actor: Actor) -> InView:
    """Who is in view of the filters' product and status, whatever the other filters (P4).

    Of whoever views everyone the pools tell the numbers: here only the initials are read.
    """
    filters = Filters(filters.product, status=filters.status)
    source = _source(filters)
    if actor.views_everyone:
        return InView(initials=_initials(session, source))
    initial = func.substr(source.name_fold, 1, 1)
    rows = session.execute(
        select(source.type_id, initial, func.count())
        .where(*source.where, source.user_id.in_(view(actor)), visible(actor, source.user_id))
        .group_by(source.type_id, initial)
    )
    by_type: dict[int, int] = defaultdict(int)
    initials = set()
    for type_id, letter, number in rows:
        by_type[type_id] += number
        initials.add(letter if letter in ascii_lowercase else OTHERS)
    return InView(by_type, frozenset(initials))


def groups_in_view(session: Session, actor: Actor) -> list[tuple[int, str]]:
    """The groups that the actor may read, by name: id and name (P4)."""
    rows = session.execute(select(Group.id, Group.name).where(visible_groups(actor)).order_by(Group.key))
    return [(row.id, row.name) for row in rows]


@dataclass(frozen=True)
class _Source:
    """What a list is read from, in the order of one of its indexes."""

    name_fold: InstrumentedAttribute[str]
    username_fold: InstrumentedAttribute[str]
    user_id: InstrumentedAttribute[int]
    type_id: InstrumentedAttribute[int]
    with_user: FromClause
    where: tuple[ColumnElement[bool], ...]

    @property
    def place(self) -> tuple[InstrumentedAttribute[str], InstrumentedAttribute[str]]:
        """The columns of the order."""
        return self.name_fold, self.username_fold


def _source(filters: Filters) -> _Source:
    if filters.status is Status.ACTIVE:
        kind = filters.type
        held = Holding.license_type_id == kind.id if kind else Holding.product_id == filters.product.id
        return _Source(
            Holding.name_fold, Holding.username_fold, Holding.user_id, Holding.license_type_id,
            join(Holding, User, User.id == Holding.user_id), (Holding.ends_at.is_(None), held),
        )  # fmt: skip
    archived = (~User.active,) if filters.status is Status.ARCHIVED else ()
    return _Source(
        User.name_fold, User.username_fold, User.id, User.base_type_id, inspect(User).selectable, archived
    )


@dataclass(frozen=True)
class _Narrowing:
    """One thing that narrows the list: those who fit as a set to start from, and as a test of one row.

    The set may hold more than the test lets pass; both are asked.
    """

    people: Select[int] | CompoundSelect[int]
    test: ColumnElement[bool]


def _narrowings(session: Session, source: _Source, filters: Filters, actor: Actor) -> Iterator[_Narrowing]:
    if not actor.views_everyone:
        yield _Narrowing(view(actor), visible(actor, source.user_id))
    if filters.group is not None:
        members = select(Membership.user_id).where(Membership.group_id == filters.group)
        yield _Narrowing(members, members.where(Membership.user_id == source.user_id).exists())
    if filters.q:
        yield _Narrowing(_who_matches(session, filters.q), _matches(source.place, filters.q))
    if filters.type and filters.status is not Status.ACTIVE:
        yield _with_license(source, filters.type, filters.status)


def _with_license(source: _Source, kind: LicenseType, status: Status) -> _Narrowing:
    """Whose offer has the license, and with ``all`` who holds it."""
    sets = [select(Offer.user_id).where(Offer.license_type_id == kind.id)]
    tests = [sets[0].where(Offer.user_id == source.user_id).exists()]
    if status is Status.ALL:
        held = select(Holding.user_id).where(Holding.license_type_id == kind.id, Holding.ends_at.is_(None))
        sets.append(held)
        tests.append(held.where(Holding.user_id == source.user_id).exists())
    return _Narrowing(union_all(*sets), or_(*tests))


def _matches(columns: Sequence[InstrumentedAttribute[str]], q: str) -> ColumnElement[bool]:
    """1 or 2 characters: the start of name or username; 3 or more: anywhere in either."""
    if len(q) > _LONGEST_FOLD:
        return false()
    if len(q) < 3:
        return or_(*(column.startswith(q, autoescape=True) for column in columns))
    return or_(*(column.contains(q, autoescape=True) for column in columns))


def _who_matches(session: Session, q: str) -> Select[int] | CompoundSelect[int]:
    """Everyone who matches, from an index: of the order for a start, of trigrams for a part."""
    if len(q) < 3:
        starts = [select(User.id).where(_starts(c, q)) for c in (User.name_fold, User.username_fold)]
        return union_all(*starts)
    if len(q) > _LONGEST_FOLD:
        return select(User.id).where(false())
    if session.get_bind().dialect.name == "sqlite":
        quoted = '"' + q.replace('"', '""') + '"'
        return select(user_search.c.rowid).where(user_search.c.user_search.op("MATCH")(quoted))
    return select(User.id).where(_matches((User.name_fold, User.username_fold), q))


def _starts(column: InstrumentedAttribute[str], start: str) -> ColumnElement[bool]:
    """Between the start itself and the next text that is as long: an index can be read by it."""
    last = ord(start[-1]) + 1
    if last > sys.maxunicode:
        return column >= start
    after = start[:-1] + chr(0xE000 if last == 0xD800 else last)  # no text has a surrogate
    return and_(column >= start, column < after)


def _parts(source: _Source, initial: str, after: Key | None) -> Iterator[tuple[ColumnElement[bool], ...]]:
    """The stretches of the order that an initial stands for, from the first row after the key on.

    A lower bound is left out where the key is one already: an index takes only one of them.
    """
    for low, high in _stretches(initial):
        part: list[ColumnElement[bool]] = [source.name_fold < high] if high else []
        if after and after.name_fold >= low:
            part.append(tuple_(*source.place) > tuple_(after.name_fold, after.username_fold))
        elif low:
            part.append(source.name_fold >= low)
        yield tuple(part)


def _stretches(initial: str) -> list[tuple[str, str]]:
    """From and to in the order; empty: without end. The initial # has two: before A and after Z."""
    if not initial:
        return [("", "")]
    if initial == OTHERS:
        return [("", "a"), ("{", "")]
    return [(initial, chr(ord(initial) + 1))]


def _initials(session: Session, source: _Source) -> frozenset[str]:
    """The initials that somebody has: one look into the index for each, all in one query."""
    letters = (*ascii_lowercase, OTHERS)
    looks = [
        or_(
            *(
                select(source.user_id).where(*source.where, *part).exists()
                for part in _parts(source, letter, None)
            )
        )
        for letter in letters
    ]
    found = session.execute(select(*looks)).one()
    return frozenset(letter for letter, there in zip(letters, found, strict=True) if there)


def _capped_count(session: Session, some: Select[int] | CompoundSelect[int], cap: int) -> int:
    """How many rows, counted to one more than the cap."""
    counted = select(func.count()).select_from(some.limit(cap + 1).subquery())
    return session.scalar(counted) or 0


def group_names(session: Session, user_ids: Sequence[int], actor: Actor) -> dict[int, list[str]]:
    """The names of these users' groups, by user, as far as the actor may read them (P4)."""
    names: dict[int, list[str]] = defaultdict(list)
    rows = session.execute(
        select(Membership.user_id, Group.name)
        .join(Group, Group.id == Membership.group_id)
        .where(Membership.user_id.in_(user_ids), visible_groups(actor))
        .order_by(Group.key)
    )
    for row in rows:
        names[row.user_id].append(row.name)
    return names


def licenses(session: Session, user_ids: Sequence[int]) -> dict[int, list[int]]:
    """The license types that these users hold or are offered, by user, in the catalog's order."""
    held = select(Holding.user_id, Holding.license_type_id).where(
        Holding.user_id.in_(user_ids), Holding.ends_at.is_(None)
    )
    offered = select(Offer.user_id, Offer.license_type_id).where(Offer.user_id.in_(user_ids))
    both = union_all(held, offered).subquery()
    rows = session.execute(
        select(both).join(TypeRow, TypeRow.id == both.c.license_type_id).order_by(TypeRow.position)
    )
    types: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        types[row.user_id].append(row.license_type_id)
    return types
