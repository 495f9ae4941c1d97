"""The lists of people: who in the actor's view holds a license, or is archived (P2, P4).

Read in list order straight from an index, paged by key, counted up to a cap. Every query starts
from who is in view; figures for the whole account come from the pools, never from here.

No query walks everybody to find a few: what narrows a list is sized first, and where a walk along the
index in its order would pass over too many, a set of those who fit is read and put in order instead.
A statement is built once for each shape of question; what is asked for is bound to it.
"""

import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from math import prod
from string import ascii_lowercase
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Result,
    Select,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    union_all,
)  # fmt: skip
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from webapp.licensing import people, visibility
from webapp.licensing.catalog import LicenseType, Product
from webapp.licensing.visibility import Actor, Column, visible_groups
from webapp.models import Group, Holding, Membership, Offer, Pool, User, user_search
from webapp.models import LicenseType as TypeRow
from webapp.words import Status

COUNT_CAP = 1000
MOST = 20_000  # so many at most are put in order for a page
PLACED, COUNTED = 4.0, 0.5  # one of a set takes as long as so many steps of a walk along an index
OTHERS = "#"  # the initial of all names that begin with none of A to Z
_LETTERS = (*ascii_lowercase, OTHERS)
_LONGEST_FOLD = 2000  # no name of 100 characters folds to more

Text = ColumnElement[str] | InstrumentedAttribute[str]
Statement = Select[*tuple[Any, ...]]
_once = lru_cache(500)  # statements, by shape


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
    # Of what is longer than any name the beginning is nobody's either, and a database accepts it.
    return people.fold(text).replace("\0", "").strip()[: _LONGEST_FOLD + 1]


class PeopleList:
    """One list as an actor asked for it. What narrows it is sized once, up to a limit."""

    def __init__(self, session: Session, filters: Filters, actor: Actor) -> None:
        """Look at what narrows the list: one query at most."""
        self._session, self._filters, self._actor = session, filters, actor
        self._shape = _shape(session, filters, actor)
        self._values = _values(filters, actor)
        self._listed, self._everyone, self._sizes = 0, 0, tuple[int, ...]()
        if self._shape.narrowed:
            found = self._ask(_sizes(self._shape), most=MOST + 1).one()
            self._listed, self._everyone, self._sizes = found[0], found[1], tuple(found[2:])

    def page(self, *, after: Key | None = None, size: int = 50, besides: bool = False) -> Page:
        """The next rows after a key; as many queries for any number of rows. ``besides``: see ``Row``."""
        start = self._start(size, PLACED)
        parts = [
            self._ask(_rows(self._shape, start, frozenset(bounds)), **bounds, size=size + 1)
            for bounds in _stretches(self._filters.initial, after)
        ]
        found = [row for part in parts for row in part]
        ids = [row.user_id for row in found[:size]]
        groups = group_names(self._session, ids, self._actor)
        held = licenses(self._session, ids) if besides else {}
        rows = tuple(
            Row(
                Key(row.name_fold, row.username_fold), row.user_id, row.username, row.name, row.active,
                row.type_id, row.last_login, tuple(groups.get(row.user_id, ())),
                tuple(key for key in held.get(row.user_id, ()) if key != row.type_id),
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
        start = self._start(COUNT_CAP, COUNTED)
        counted: list[int] = [
            self._ask(
                _count(self._shape, start, frozenset(bounds)), **bounds, size=COUNT_CAP + 1
            ).scalar_one()
            for bounds in _stretches(self._filters.initial, None, until)
        ]
        return min(sum(counted), COUNT_CAP + 1)

    def _start(self, rows: int, steps: float) -> int | None:
        """The set to start from: the smallest, if a walk in search of so many rows would take longer.

        Whoever matches a search may stand together at the end: names with the same beginning do.
        """
        if not self._sizes:
            return None
        share = prod(size / self._everyone for size in self._sizes)
        walk = self._listed if self._shape.search or not share else min(self._listed, rows / share)
        smallest = min(self._sizes)
        return self._sizes.index(smallest) if smallest <= MOST and smallest * steps <= walk else None

    def _ask(self, statement: Statement, **more: str | int) -> Result[*tuple[Any, ...]]:
        return self._session.connection().execute(statement, self._values | more)


def in_view(session: Session, filters: Filters, actor: Actor) -> InView:
    """Who is in view of the filters' product and status, whatever the other filters (P4).

    Of whoever views everyone the pools tell the numbers: here only the initials are read.
    """
    filters = Filters(filters.product, status=filters.status)
    shape, values = _shape(session, filters, actor), _values(filters, actor)
    if actor.views_everyone:
        there = session.connection().execute(_looks(shape), values).one()
        return InView(
            initials=frozenset(letter for letter, found in zip(_LETTERS, there, strict=True) if found)
        )
    by_type: dict[int, int] = defaultdict(int)
    initials = set()
    for type_id, letter, number in session.connection().execute(_numbers(shape), values):
        by_type[type_id] += number
        initials.add(letter if letter in ascii_lowercase else OTHERS)
    return InView(by_type, frozenset(initials))


def groups_in_view(session: Session, actor: Actor) -> list[tuple[int, str]]:
    """The groups that the actor may read, by name: id and name (P4)."""
    rows = session.execute(select(Group.id, Group.name).where(visible_groups(actor)).order_by(Group.key))
    return [(row.id, row.name) for row in rows]


@dataclass(frozen=True)
class _Shape:
    """All of a question that decides what its statements look like.

    ``base``: a base license is listed. ``supervisor``: admins are not in view. ``reach``: nor is who is
    out of reach; who is in one of the supervisor's groups is not. ``search``: by the start or by a part.
    """

    status: Status
    type: bool
    base: bool
    supervisor: bool
    reach: bool
    unassigned: bool
    group: bool
    search: str
    sqlite: bool

    @property
    def narrowed(self) -> bool:
        """Whether anything narrows the list besides the license and the status."""
        return (
            self.reach or self.group or bool(self.search) or (self.type and self.status is not Status.ACTIVE)
        )


def _shape(session: Session, filters: Filters, actor: Actor) -> _Shape:
    supervisor = not actor.views_everyone
    return _Shape(
        filters.status,
        filters.type is not None,
        filters.product.base,
        supervisor,
        supervisor and filters.group not in actor.groups,
        supervisor and "unassigned" in actor.permissions,
        filters.group is not None,
        _search(filters.q),
        session.get_bind().dialect.name == "sqlite",
    )


def _search(q: str) -> str:
    return "" if not q else "start" if len(q) < 3 else "part"


def _values(filters: Filters, actor: Actor) -> dict[str, Any]:
    """What is asked for, by the names under which the statements expect it."""
    q = filters.q
    values: dict[str, Any] = {
        "product": filters.product.id, "type": filters.type and filters.type.id, "group": filters.group,
        "me": actor.id, "groups": sorted(actor.groups),
    }  # fmt: skip
    if _search(q) == "start":
        values |= {"begin": q, "end": _next(q)}
    elif q:
        escaped = re.sub(r"([/%_])", r"/\1", q)
        values |= {"like": f"%{escaped}%", "match": '"' + q.replace('"', '""') + '"'}
    return values


def _next(start: str) -> str:
    """The least text of this length that is after all that begin with ``start``."""
    last = ord(start[-1]) + 1
    if last > sys.maxunicode:
        return start + chr(sys.maxunicode) * _LONGEST_FOLD
    return start[:-1] + chr(0xE000 if last == 0xD800 else last)  # no text has a surrogate


@dataclass(frozen=True)
class _Source:
    """What a list is read from. ``place``: the columns of its order. ``base``: each user's base license."""

    place: Sequence[Text]
    user_id: Column
    type_id: Column
    base: Column
    where: tuple[ColumnElement[bool], ...]


def _source(shape: _Shape, *, walk: bool) -> _Source:
    """What a list with this shape is read from: in the order of an index, or put in order when found.

    Along an index all is asked that it has itself before the row is looked at; else its columns are
    hidden, for a condition on them would tempt into walking it.
    """
    record = Holding if shape.status is Status.ACTIVE else User
    place: Sequence[Text] = (record.name_fold, record.username_fold)
    if not walk:
        place = [_hidden(column).label(column.key) for column in place]
    if shape.status is not Status.ACTIVE:
        base = visibility.base_of(User.id) if walk else User.base_type_id
        archived = (~User.active,) if shape.status is Status.ARCHIVED else ()
        there = User.deleted_at.is_(None)
        return _Source(place, User.id, User.base_type_id, base, (there, *archived))
    held: list[ColumnElement[bool]] = [Holding.ends_at.is_(None)]
    if not (walk and shape.type):
        held.append(Holding.product_id == bindparam("product"))
    if shape.type:
        kind = Holding.license_type_id if walk else _hidden(Holding.license_type_id, 0)
        held.append(kind == bindparam("type"))
    base = Holding.license_type_id if shape.base and not walk else visibility.base_of(Holding.user_id)
    return _Source(place, Holding.user_id, Holding.license_type_id, base, tuple(held))


def _hidden(column: Any, nothing: Any = "") -> ColumnElement[Any]:
    """The column as no index has it."""
    return func.coalesce(column, nothing)


@dataclass(frozen=True)
class _Narrowing:
    """One thing that narrows a list: those who fit as sets to start from, and as a test of one user.

    Someone may be in several of the sets. ``of_id``: the test asks for no more than the user's id.
    """

    sets: Sequence[Statement]
    test: Callable[[Column], ColumnElement[bool]]
    of_id: bool = True


def _narrowings(shape: _Shape, source: _Source) -> Iterator[_Narrowing]:
    if shape.reach:
        me: BindParameter[int] = bindparam("me")
        groups: BindParameter[int] = bindparam("groups", expanding=True)
        yield _Narrowing(
            visibility.reach(me, groups, shape.unassigned),
            lambda user_id: visibility.reached(user_id, me, groups, shape.unassigned),
        )
    if shape.group:
        yield _in_group()
    if shape.search:
        matches = _begins if shape.search == "start" else _contains
        sets = [select(User.id).where(part) for part in matches((User.name_fold, User.username_fold))]
        if shape.sqlite and shape.search == "part":
            sets = [
                select(user_search.c.rowid).where(user_search.c.user_search.op("MATCH")(bindparam("match")))
            ]
        yield _Narrowing(sets, lambda _: or_(*matches([*map(_hidden, source.place)])), of_id=False)
    if shape.type and shape.status is not Status.ACTIVE:
        yield _with_base() if shape.base else _with_license(shape.status)


def _in_group() -> _Narrowing:
    member = aliased(Membership)
    members = select(member.user_id).where(member.group_id == bindparam("group"))
    return _Narrowing([members], lambda user_id: members.where(member.user_id == user_id).exists())


def _with_base() -> _Narrowing:
    """Who holds or, archived, is offered the base license: each user's own row says it."""
    kind: BindParameter[int] = bindparam("type")
    return _Narrowing(
        [select(User.id).where(User.base_type_id == kind)],
        lambda _: _hidden(User.base_type_id, 0) == kind,
        of_id=False,
    )


def _with_license(status: Status) -> _Narrowing:
    """Whose offer has the license, and with ``all`` who holds it."""
    offer, held = aliased(Offer), aliased(Holding)
    kind: BindParameter[int] = bindparam("type")
    product: BindParameter[int] = bindparam("product")
    offered = select(offer.user_id).where(offer.license_type_id == kind)
    if status is not Status.ALL:
        return _Narrowing([offered], lambda user_id: offered.where(offer.user_id == user_id).exists())
    holds = select(held.user_id).where(held.license_type_id == kind, held.ends_at.is_(None))
    return _Narrowing(
        [offered, holds],
        lambda user_id: or_(
            offered.where(offer.user_id == user_id).exists(),
            # The product is a way to the index of what a user holds.
            holds.where(held.user_id == user_id, held.product_id == product).exists(),
        ),
    )


def _begins(columns: Sequence[Text]) -> list[ColumnElement[bool]]:
    """1 or 2 characters: the start of name or username, as an index has them together."""
    return [and_(column >= bindparam("begin"), column < bindparam("end")) for column in columns]


def _contains(columns: Sequence[Text]) -> list[ColumnElement[bool]]:
    """3 or more: anywhere in either."""
    return [or_(*(column.like(bindparam("like"), escape="/") for column in columns))]


def _stretches(initial: str, after: Key | None, until: Key | None = None) -> Iterator[dict[str, str]]:
    """The bounds of the stretches of the order that an initial stands for, from one key on to another.

    A lower bound is left out where the key is one already: an index takes only one of them. The
    initial # has two stretches: before A and after Z.
    """
    ends = [("", "")]
    if initial:
        ends = [("", "a"), ("{", "")] if initial == OTHERS else [(initial, chr(ord(initial) + 1))]
    for low, high in ends:
        bounds = {"high": high} if high else {}
        if after and after.name_fold >= low:
            bounds |= {"after_name": after.name_fold, "after_username": after.username_fold}
        elif low:
            bounds["low"] = low
        if until:
            bounds |= {"until_name": until.name_fold, "until_username": until.username_fold}
        yield bounds


def _within(place: Sequence[Text], bounds: Mapping[str, Any]) -> Iterator[ColumnElement[bool]]:
    """The conditions that these bounds set; values, or parameters to be bound."""
    if "low" in bounds:
        yield place[0] >= bounds["low"]
    if "high" in bounds:
        yield place[0] < bounds["high"]
    if "after_name" in bounds:
        yield tuple_(*place) > tuple_(bounds["after_name"], bounds["after_username"])
    if "until_name" in bounds:
        yield tuple_(*place) <= tuple_(bounds["until_name"], bounds["until_username"])


def _conditions(
    shape: _Shape, source: _Source, start: int | None, bounds: Iterable[str] = ()
) -> Iterator[ColumnElement[bool]]:
    """All that holds for who is on the list, begun with one of the sets or with none."""
    yield from source.where
    narrowings = list(_narrowings(shape, source))
    for place, narrowing in enumerate(narrowings):
        if place == start:
            tests = [other.test for other in narrowings if other is not narrowing and other.of_id]
            yield source.user_id.in_(_union(narrowing.sets, tests))
        elif start is None or not narrowing.of_id:
            yield narrowing.test(source.user_id)
    if shape.supervisor:
        yield visibility.no_admin(source.base)
    yield from _within(source.place, {name: bindparam(name) for name in bounds})


def _union(sets: Sequence[Statement], tests: Iterable[Callable[[Column], ColumnElement[bool]]] = ()) -> Any:
    """All who are in one of the sets and pass the tests; someone maybe more than once."""
    tests = list(tests)
    parts = [part.where(*(test(part.selected_columns[0]) for test in tests)).correlate(None) for part in sets]
    return union_all(*parts) if len(parts) > 1 else parts[0]


@_once
def _sizes(shape: _Shape) -> Statement:
    """How long the list is without what narrows it, how many users there are, and how many each set has."""
    most: BindParameter[int] = bindparam("most")
    everyone = select(func.coalesce(func.max(User.id), 1)).scalar_subquery()
    listed: ColumnElement[Any] = everyone
    if shape.status is Status.ACTIVE:
        kind = TypeRow.id == bindparam("type") if shape.type else TypeRow.product_id == bindparam("product")
        kinds = select(TypeRow.id).where(kind)
        listed = select(func.sum(Pool.assigned)).where(Pool.license_type_id.in_(kinds)).scalar_subquery()
    elif shape.status is Status.ARCHIVED:
        listed = _counted([select(User.id).where(~User.active)], most)
    narrowings = _narrowings(shape, _source(shape, walk=True))
    return select(
        func.coalesce(listed, 0), everyone, *(_counted(narrowing.sets, most) for narrowing in narrowings)
    )


def _counted(sets: Sequence[Statement], most: BindParameter[int]) -> ColumnElement[int]:
    # Not the users' ids: an index may tell how many there are without them.
    some = _union([part.with_only_columns(literal_column("1")) for part in sets])
    return select(func.count()).select_from(some.limit(most).subquery()).scalar_subquery()


@_once
def _rows(shape: _Shape, start: int | None, bounds: frozenset[str]) -> Statement:
    """So many rows of the list. Only of those that are shown the user is read."""
    source = _source(shape, walk=start is None)
    user = (User.username, User.name, User.active, User.last_login)
    keys = (*source.place, source.user_id.label("user_id"), source.type_id.label("type_id"))
    conditions = _conditions(shape, source, start, bounds)
    size: BindParameter[int] = bindparam("size")
    if start is None:
        rows = select(*keys, *user).where(*conditions).order_by(*source.place).limit(size)
        return rows if shape.status is not Status.ACTIVE else rows.join(User, User.id == source.user_id)
    first = select(*keys).where(*conditions).order_by(*source.place).limit(size).subquery()
    return (
        select(first, *user)
        .join_from(first, User, User.id == first.c.user_id)
        .order_by(first.c.name_fold, first.c.username_fold)
    )


@_once
def _count(shape: _Shape, start: int | None, bounds: frozenset[str]) -> Select[int]:
    """How many rows the list has, up to so many."""
    source = _source(shape, walk=start is None)
    some = select(source.user_id).where(*_conditions(shape, source, start, bounds))
    if start is None:  # else another index might be walked, with those who fit at its end
        some = some.order_by(*source.place)
    return select(func.count()).select_from(some.limit(bindparam("size")).subquery())


@_once
def _numbers(shape: _Shape) -> Statement:
    """How many of each license type have each initial, of those whom a supervisor reaches."""
    source = _source(shape, walk=False)
    initial = func.substr(source.place[0], 1, 1)
    return (
        select(source.type_id, initial, func.count())
        .where(*_conditions(shape, source, 0))
        .group_by(source.type_id, initial)
    )


@_once
def _looks(shape: _Shape) -> Statement:
    """Whether there is anybody with each initial: one look into the index for each."""
    source = _source(shape, walk=True)
    some = select(source.user_id).where(*source.where)
    return select(
        *(
            or_(*(some.where(*_within(source.place, bounds)).exists() for bounds in _stretches(letter, None)))
            for letter in _LETTERS
        )
    )


@_once
def _group_names(everyone: bool) -> Select[int, str]:
    """The groups of some users; everyone's, or those among the given."""
    named = (
        select(Membership.user_id, Group.name)
        .join(Group, Group.id == Membership.group_id)
        .where(Membership.user_id.in_(bindparam("users", expanding=True)))
        .order_by(Group.key)
    )
    return named if everyone else named.where(Group.id.in_(bindparam("groups", expanding=True)))


def group_names(session: Session, user_ids: Sequence[int], actor: Actor) -> dict[int, list[str]]:
    """The names of these users' groups, by user, as far as the actor may read them (P4)."""
    names: dict[int, list[str]] = defaultdict(list)
    values = {"users": user_ids, "groups": sorted(actor.groups)}
    for user_id, name in session.connection().execute(_group_names(actor.views_everyone), values):
        names[user_id].append(name)
    return names


@_once
def _licenses() -> Select[int, int]:
    """What some users hold or are offered."""
    users: BindParameter[int] = bindparam("users", expanding=True)
    held = select(Holding.user_id, Holding.license_type_id).where(
        Holding.user_id.in_(users), Holding.ends_at.is_(None)
    )
    offered = select(Offer.user_id, Offer.license_type_id).where(Offer.user_id.in_(users))
    both = union_all(held, offered).subquery()
    return select(both).join(TypeRow, TypeRow.id == both.c.license_type_id).order_by(TypeRow.position)


def licenses(session: Session, user_ids: Sequence[int]) -> dict[int, list[int]]:
    """The license types that these users hold or are offered, by user, in the catalog's order."""
    types: dict[int, list[int]] = defaultdict(list)
    for user_id, type_id in session.connection().execute(_licenses(), {"users": user_ids}):
        types[user_id].append(type_id)
    return types
