"""The lists of people: who in the actor's view holds a license, or is archived (P2, P4).

Read in list order straight from an index, paged by key, counted up to a cap. Every query starts
from who is in view; figures for the whole account come from the pools, never from here.

No query walks everybody to find a few: what narrows a list is sized first. It is walked along the index
in its order that has the fewest in it, of a license, of a group or of all whom a supervisor reaches; where
that passes over too many, a set of those who fit is read and put in order instead.
Both find places and ids alone; what is shown of them is read for the page's rows only.
A statement is built once for each shape of question; what is asked for is bound to it.
"""

import re
import sys
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from itertools import islice
from math import prod
from string import ascii_lowercase
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Result,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    exists,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    tuple_,
    union,
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
MOST = 10_000  # sets are sized up to this
PLACED = 5  # to put one of a set in order takes as long as so many steps of a walk along an index
MARGIN = 1.5  # a walk goes so much farther than it should have to, if those who fit stand anywhere
OTHERS = "#"  # the initial of all names that begin with none of A to Z
_LETTERS = (*ascii_lowercase, OTHERS)
_LONGEST_FOLD = 2000  # no name of 100 characters folds to more
_INITIALS = 20  # a letter begins about one of so many names
_ARMS = 8  # a supervisor's groups are walked side by side if they are no more

Words = ColumnElement[str] | InstrumentedAttribute[str]
Statement = Select[*tuple[Any, ...]]
Search = Literal["", "name", "username", "part"]
Way = Literal["list", "group", "reach"]
"""What a list is walked along: all with the license and status, the group's members, those in reach."""
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


class Key(NamedTuple):
    """A row's place in the list: after it the next page begins."""

    name_fold: str
    username_fold: str


class Row(NamedTuple):
    """One person. ``license_type_id``: of the product listed; for the archived, their base license.

    ``held``: the ids of all license types they hold or, archived, are offered, as one text.
    """

    key: Key
    user_id: int
    username: str
    name: str
    active: bool
    license_type_id: int
    last_login: datetime | None
    groups: tuple[str, ...]
    held: str

    @property
    def licenses(self) -> frozenset[int]:
        """The ids of all license types they hold or, archived, are offered."""
        return frozenset(map(int, self.held.split()))


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


@dataclass(frozen=True)
class Sizes:
    """How many are listed but for what narrows the list, how many users there are, how many in each set."""

    listed: int
    everyone: int
    sets: tuple[tuple[int, ...], ...]

    def of(self, narrowing: int) -> int:
        """How many fit, counting some twice."""
        return sum(self.sets[narrowing])

    def smallest(self, narrowings: Iterable[int]) -> int:
        """Which of these has the fewest."""
        return min(narrowings, key=self.of)


Once = Callable[[Hashable, Callable[[], Any]], Any]
"""Tells what is known under a name, and else reads it."""


def _anew(_name: Hashable, read: Callable[[], Any]) -> Any:
    return read()


class PeopleList:
    """One list as an actor asked for it. ``once``: where numbers that only a change alters are kept."""

    def __init__(self, session: Session, filters: Filters, actor: Actor, once: Once = _anew) -> None:
        self._session, self._actor, self._once = session, actor, once
        searches: tuple[Search, ...] = ("",)
        if filters.q:
            searches = ("part",) if len(filters.q) > 2 else ("name", "username")
        self._parts = [_Part(session, filters, actor, search, once) for search in searches]
        by_base = filters.product.base or filters.status is not Status.ACTIVE
        self._kinds = () if by_base else {kind.id for kind in filters.product.types}

    def page(self, *, after: Key | None = None, size: int = 50) -> Page:
        """The next rows after a key; as many queries for any number of rows."""
        places = [place for part in self._parts for place in part.places(after, size + 1)]
        if len(self._parts) > 1:
            places.sort()
        shown = places[:size]
        users = {user_id: user for user_id, *user in self._people([user_id for _, _, user_id in shown])}
        rows = []
        for name_fold, username_fold, user_id in shown:
            username, name, active, last_login, base, groups, held = users[user_id]
            row = Row(
                Key(name_fold, username_fold), user_id, username, name, active,
                base, last_login, self._names_of(groups), held,
            )  # fmt: skip
            rows.append(row._replace(license_type_id=self._listed(row)) if self._kinds else row)
        return Page(tuple(rows), rows[-1].key if len(places) > size else None)

    def _names_of(self, groups: str | None) -> tuple[str, ...]:
        """The names of those of the groups that the actor may read (P4)."""
        if not groups:
            return ()
        names = self._group_names
        return tuple(name for _, name in sorted(names[one] for one in groups.split() if one in names))

    def _listed(self, row: Row) -> int:
        """The license of the product that is listed."""
        return next(kind for kind in row.licenses if kind in self._kinds)

    def _people(self, ids: Sequence[int]) -> Sequence[Any]:
        """What is shown of these users."""
        return self._session.connection().execute(_people(), {"users": ids}).all()

    @cached_property
    def _group_names(self) -> dict[str, tuple[int, str]]:
        """Of each group that the actor may read, by its id: its place among them and its name (P4)."""
        found = known_groups(self._session, self._actor, self._once)
        return {str(group): (place, name) for place, (group, name) in enumerate(found)}

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
        return min(sum(part.count(until) for part in self._parts), COUNT_CAP + 1)


class _Part:
    """A list, or one of the two that no user is in both of. What narrows it is sized once, up to a limit."""

    def __init__(self, session: Session, filters: Filters, actor: Actor, search: Search, once: Once) -> None:
        self._session, self._initial = session, filters.initial
        self._shape = _shape(session, filters, actor, search)
        self._ways = _ways(self._shape)
        self._sets = [place for place, way in enumerate(self._ways) if way is None]
        self._values = _values(filters, actor)
        self._names = (filters.q, _next(filters.q)) if search == "name" else ("", "")
        viewer = None if actor.views_everyone else (actor.id, actor.groups, actor.permissions)
        self._name = (self._shape, filters.product.id, filters.type and filters.type.id, filters.q,
                      filters.group, viewer)  # fmt: skip
        self._once = once

    def places(self, after: Key | None, most: int) -> Sequence[Any]:
        """The next places in the order: both folds and the user's id.

        Whoever fits may stand together far from the beginning, as names with the same part do; so a walk
        goes no farther than it should have to before a set is put in order instead.
        """
        found = self._walk(after, most)
        if found is None:
            found = self._read(after, most, start=self._sizes.smallest(self._sets))
        if after is None and len(found) < most:  # all of them: they need not be counted
            number = len(found)
            self._once(("count", self._name, self._initial, None), lambda: number)
        return found

    def count(self, until: Key | None) -> int:
        """How many places (up to and with a key), counted to one more than the cap and no further."""
        found: int = self._once(("count", self._name, self._initial, until), lambda: self._count(until))
        return found

    def _count(self, until: Key | None) -> int:
        start = None
        if self._shape.narrowed:  # it ends at the cap, so that no set is too large to begin with
            smallest = self._sizes.smallest(range(len(self._ways)))
            start = smallest if self._sizes.of(smallest) <= self._whole(self._sizes.listed) else None
        return sum(
            self._ask(
                _count(self._shape, start, frozenset(bounds)), **bounds, size=COUNT_CAP + 1
            ).scalar_one()
            for bounds in _stretches(self._initial, self._names, None, until)
        )

    def _walk(self, after: Key | None, most: int) -> Sequence[Any] | None:
        """The next places along the index with the fewest in it; None if that is too far."""
        if not self._shape.narrowed:
            return self._read(after, most)
        sizes = self._sizes
        ways: dict[Way, int] = {"list": sizes.listed}
        ways |= {way: sizes.of(place) for place, way in enumerate(self._ways) if way}
        way = min(ways, key=lambda way: ways[way])
        # How many of them fit, if one thing that narrows the list has nothing to do with the other.
        tested = [sizes.of(place) for place, other in enumerate(self._ways) if other != way]
        tested += [sizes.listed] if way != "list" else []
        share = prod(size / sizes.everyone for size in tested)
        whole = self._whole(ways[way])
        far = min(whole, MARGIN * most / share if share else whole)
        if not self._sets:
            return self._read(after, most, way=way)
        if sizes.of(sizes.smallest(self._sets)) * PLACED <= far:
            return None
        if far == whole:
            return self._read(after, most, way=way)
        found = self._read(after, most, way=way, far=far / whole)
        return found if len(found) == most else None

    def _read(
        self, after: Key | None, most: int, *, start: int | None = None, way: Way = "list",
        far: float | None = None,
    ) -> Sequence[Any]:  # fmt: skip
        """The next places: of those in a set, or along a way, no farther than this part of it."""
        found: list[Any] = []
        limit = {}
        arm = 0
        if far is not None:
            arms = self._sizes.sets[self._ways.index(way)] if way != "list" else (self._sizes.listed,)
            arm = arms.index(max(arms))
            limit["far"] = int(self._whole(far * arms[arm]))
        for stretch in _stretches(self._initial, self._names, after):
            bounds: dict[str, Any] = stretch | limit
            names = frozenset(bounds)
            statement = (
                _walk(self._shape, way, names, arm) if start is None else _places(self._shape, start, names)
            )
            found += self._ask(statement, **bounds, size=most).all()
        return found[:most]

    @cached_property
    def _sizes(self) -> Sizes:
        found: Sizes = self._once(("sizes", self._name), self._size)
        return found

    def _size(self) -> Sizes:
        listed, everyone, *numbers = self._ask(_sizes(self._shape), most=MOST + 1).one()
        each = iter(numbers)
        sets = [tuple(islice(each, len(narrowing.sets))) for narrowing in _narrowings(self._shape)]
        return Sizes(listed, everyone, tuple(sets))

    def _whole(self, size: float) -> float:
        """About how many of so many a walk meets at most."""
        return size / (_INITIALS if self._initial or self._names[0] else 1)

    def _ask(self, statement: Statement, **more: Any) -> Result[*tuple[Any, ...]]:
        return self._session.connection().execute(statement, self._values | more)


def in_view(session: Session, filters: Filters, actor: Actor) -> InView:
    """Who is in view of the filters' product and status, whatever the other filters (P4).

    Of whoever views everyone the pools tell the numbers: here only the initials are read.
    """
    filters = Filters(filters.product, status=filters.status)
    shape, values = _shape(session, filters, actor, ""), _values(filters, actor)
    if actor.views_everyone:
        there = session.connection().execute(_looks(shape), values).one()
        return InView(
            initials=frozenset(letter for letter, found in zip(_LETTERS, there, strict=True) if found)
        )
    by_type: dict[int, int] = defaultdict(int)
    initials = set()
    for type_id, letter, number in session.connection().execute(_by_type(shape), values):
        by_type[type_id] += number
        initials.add(letter if letter in ascii_lowercase else OTHERS)
    return InView(by_type, frozenset(initials))


def groups_in_view(session: Session, actor: Actor) -> list[tuple[int, str]]:
    """The groups that the actor may read, by name: id and name (P4)."""
    rows = session.execute(select(Group.id, Group.name).where(visible_groups(actor)).order_by(Group.key))
    return [(row.id, row.name) for row in rows]


def known_groups(session: Session, actor: Actor, once: Once) -> list[tuple[int, str]]:
    """The same, read once."""
    key = None if actor.views_everyone else actor.groups
    found: list[tuple[int, str]] = once(("groups", key), lambda: groups_in_view(session, actor))
    return found


@dataclass(frozen=True)
class _Shape:
    """All of a question that decides what its statements look like.

    ``base``: a base license is listed. ``supervisor``: admins are not in view. ``reach``: nor is who is
    out of reach; who is in one of the supervisor's groups is not. ``arms``: the number of these groups, if
    they can be walked side by side. ``search``: for a part of name or username; or for the start of the
    name, which is a stretch of the order; or of the username alone.
    """

    status: Status
    type: bool
    base: bool
    supervisor: bool
    reach: bool
    arms: int | None
    unassigned: bool
    group: bool
    search: Search
    sqlite: bool

    @property
    def narrowed(self) -> bool:
        """Whether anything narrows the list besides the license and the status."""
        searched = self.search in ("username", "part")
        return self.reach or self.group or searched or (self.type and self.status is not Status.ACTIVE)


def _shape(session: Session, filters: Filters, actor: Actor, search: Search) -> _Shape:
    supervisor = not actor.views_everyone
    reach = supervisor and filters.group not in actor.groups
    return _Shape(
        filters.status,
        filters.type is not None,
        filters.product.base,
        supervisor,
        reach,
        len(actor.groups) if reach and len(actor.groups) <= _ARMS else None,
        supervisor and "unassigned" in actor.permissions,
        filters.group is not None,
        search,
        session.get_bind().dialect.name == "sqlite",
    )


def _values(filters: Filters, actor: Actor) -> dict[str, Any]:
    """What is asked for, by the names under which the statements expect it."""
    q = filters.q
    values: dict[str, Any] = {
        "product": filters.product.id, "type": filters.type and filters.type.id, "group": filters.group,
        "me": actor.id, "groups": sorted(actor.groups),
        **{f"group_{place}": group for place, group in enumerate(sorted(actor.groups)[:_ARMS])},
    }  # fmt: skip
    if q and len(q) < 3:
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

    place: Sequence[Words]
    user_id: Column
    base: Column
    alone: ColumnElement[bool] | InstrumentedAttribute[bool]
    where: Sequence[ColumnElement[bool]]


def _arms(shape: _Shape, way: Way) -> list[_Source]:
    """The index that a list is walked along, or those side by side, each call with names of its own."""
    if way == "list":
        return [_everyone_listed(shape)]
    if way == "group":
        member = aliased(Membership)
        return [_source(member, member.group_id == bindparam("group"))]
    own: list[BindParameter[int]] = [bindparam(f"group_{place}") for place in range(shape.arms or 0)]
    return [_source(*arm) for arm in visibility.reach(bindparam("me"), own, shape.unassigned)]


def _everyone_listed(shape: _Shape) -> _Source:
    """All with the license and the status. All that is asked of it stands in its index."""
    if shape.status is not Status.ACTIVE:
        user = aliased(User)
        archived = (~user.active,) if shape.status is Status.ARCHIVED else ()
        return _source(user, user.deleted_at.is_(None), *archived)
    held = aliased(Holding)
    kind = (
        held.license_type_id == bindparam("type") if shape.type else held.product_id == bindparam("product")
    )
    return _source(held, held.ends_at.is_(None), kind)


def _source(record: Any, *where: ColumnElement[bool]) -> _Source:
    user_id = record.user_id if hasattr(record, "user_id") else record.id
    place = (record.name_fold, record.username_fold)
    return _Source(place, user_id, visibility.base_of(user_id), visibility.alone(user_id), where)


def _records(shape: _Shape, user_id: Column) -> _Source:
    """The users' own rows, of those in a set. No index may seem to have their places: it would be walked.

    ``user_id``: as the set has it, so that what asks for no more is asked before the row is read.
    """
    where: list[ColumnElement[bool]] = [User.deleted_at.is_(None)]
    if shape.status is not Status.ALL:
        where.append(User.active == (shape.status is Status.ACTIVE))
    if shape.status is Status.ACTIVE:
        if not shape.base:
            where.append(_holds(shape, user_id))
        elif shape.type:
            where.append(_hidden(User.base_type_id, 0) == bindparam("type"))
    place = [_hidden(column).label(column.key) for column in (User.name_fold, User.username_fold)]
    return _Source(place, user_id, User.base_type_id, User.unassigned, where)


def _holding(user_id: Column) -> Select[int]:
    """The license type of the product that a user holds."""
    return select(Holding.license_type_id).where(
        Holding.user_id == user_id, Holding.product_id == bindparam("product"), Holding.ends_at.is_(None)
    )


def _holds(shape: _Shape, user_id: Column) -> ColumnElement[bool]:
    """Whether a user holds the license asked for."""
    held = _holding(user_id)
    return (held.where(Holding.license_type_id == bindparam("type")) if shape.type else held).exists()


def _is_listed(shape: _Shape, user_id: Column) -> list[ColumnElement[bool]]:
    """What holds of whoever has the license and the status, asked of somebody who is not deleted."""
    if shape.status is Status.ACTIVE:
        return [_holds(shape, user_id)]
    user = aliased(User)
    archived = select(user.id).where(user.id == user_id, ~user.active).exists()
    return [archived] if shape.status is Status.ARCHIVED else []


def _type(shape: _Shape) -> ColumnElement[int]:
    """The license that a user is listed with: of the product; unless only those active are, the base one."""
    if shape.status is Status.ACTIVE and not shape.base:
        return _holding(User.id).scalar_subquery().label("type_id")
    return User.base_type_id.label("type_id")


def _hidden(column: Any, nothing: Any = "") -> ColumnElement[Any]:
    """The column as no index has it."""
    return func.coalesce(column, nothing)


@dataclass(frozen=True)
class _Narrowing:
    """One thing that narrows a list: those who fit as sets to start from, and as a test of one user.

    Someone may be in several of the sets. ``way``: they can be walked in the list's order.
    """

    sets: Sequence[Statement]
    test: Callable[[_Source], ColumnElement[bool]]
    way: Way | None = None


def _narrowings(shape: _Shape) -> Iterator[_Narrowing]:
    if shape.reach:
        me: BindParameter[int] = bindparam("me")
        groups: BindParameter[int] = bindparam("groups", expanding=True)
        yield _Narrowing(
            _sets(_arms(shape, "reach"))
            if shape.arms is not None
            else _sets(_source(*arm) for arm in visibility.reach(me, [groups], shape.unassigned)),
            lambda source: visibility.reached(
                source.user_id, me, groups, source.alone if shape.unassigned else false()
            ),
            None if shape.arms is None else "reach",
        )
    if shape.group:
        yield _in_group(shape)
    if shape.search == "username":
        yield _username_begins()
    if shape.search == "part":
        yield _contains(shape)
    if shape.type and shape.status is not Status.ACTIVE:
        yield _with_base() if shape.base else _with_license(shape.status)


@_once
def _ways(shape: _Shape) -> Sequence[Way | None]:
    """Of each thing that narrows the list, the way on which nobody else is."""
    return [narrowing.way for narrowing in _narrowings(shape)]


def _sets(arms: Iterable[_Source]) -> list[Statement]:
    return [select(arm.user_id).where(*arm.where) for arm in arms]


def _in_group(shape: _Shape) -> _Narrowing:
    def is_member(source: _Source) -> ColumnElement[bool]:
        members = _arms(shape, "group")[0]
        return exists().where(*members.where, members.user_id == source.user_id)

    return _Narrowing(_sets(_arms(shape, "group")), is_member, "group")


def _with_base() -> _Narrowing:
    """Who holds or, archived, is offered the base license: each user's own row says it."""
    kind: BindParameter[int] = bindparam("type")
    return _Narrowing(
        [select(User.id).where(User.base_type_id == kind)], lambda source: _hidden(source.base, 0) == kind
    )


def _with_license(status: Status) -> _Narrowing:
    """Whose offer has the license, and with ``all`` who holds it."""
    offer, held = aliased(Offer), aliased(Holding)
    kind: BindParameter[int] = bindparam("type")
    product: BindParameter[int] = bindparam("product")
    offered = select(offer.user_id).where(offer.license_type_id == kind)
    if status is not Status.ALL:
        return _Narrowing([offered], lambda source: offered.where(offer.user_id == source.user_id).exists())
    holds = select(held.user_id).where(held.license_type_id == kind, held.ends_at.is_(None))
    return _Narrowing(
        [offered, holds],
        lambda source: or_(
            offered.where(offer.user_id == source.user_id).exists(),
            # The product is a way to the index of what a user holds.
            holds.where(held.user_id == source.user_id, held.product_id == product).exists(),
        ),
    )


def _username_begins() -> _Narrowing:
    """1 or 2 characters are the start of the name or of the username; here of the username alone."""

    def fits(name: Words, username: Words) -> ColumnElement[bool]:
        begin: BindParameter[str] = bindparam("begin")
        end: BindParameter[str] = bindparam("end")
        return and_(username >= begin, username < end, not_(and_(name >= begin, name < end)))

    those = select(User.id).where(fits(_hidden(User.name_fold), User.username_fold))
    return _Narrowing([those], lambda source: fits(*map(_hidden, source.place)))


def _contains(shape: _Shape) -> _Narrowing:
    """3 or more: anywhere in either."""

    def fits(*columns: Words) -> ColumnElement[bool]:
        return or_(*(column.like(bindparam("like"), escape="/") for column in columns))

    those: Statement = select(User.id).where(fits(User.name_fold, User.username_fold))
    if shape.sqlite:
        matches = user_search.c.user_search.op("MATCH")(bindparam("match"))
        those = select(user_search.c.rowid).where(matches)
    return _Narrowing([those], lambda source: fits(*map(_hidden, source.place)))


def _stretches(
    initial: str, names: tuple[str, str], after: Key | None, until: Key | None = None
) -> Iterator[dict[str, str]]:
    """The bounds of the stretches of the order that an initial stands for, from one key on to another.

    ``names``: these alone, from the first on to before the last. A lower bound is left out where the key
    is one already: an index takes only one of them. The initial # has two stretches: before A and after Z.
    """
    ends = [("", "")]
    if initial:
        ends = [("", "a"), ("{", "")] if initial == OTHERS else [(initial, chr(ord(initial) + 1))]
    for low, high in ends:
        low, high = max(low, names[0]), min(filter(None, (high, names[1])), default="")
        if high and low >= high:
            continue
        bounds = {"high": high} if high else {}
        if after and after.name_fold >= low:
            bounds |= {"after_name": after.name_fold, "after_username": after.username_fold}
        elif low:
            bounds["low"] = low
        if until:
            bounds |= {"until_name": until.name_fold, "until_username": until.username_fold}
        yield bounds


def _within(place: Sequence[Words], bounds: Mapping[str, Any]) -> Iterator[ColumnElement[bool]]:
    """The conditions that these bounds set; values, or parameters to be bound."""
    if "low" in bounds:
        yield place[0] >= bounds["low"]
    if "high" in bounds:
        yield place[0] < bounds["high"]
    if "after_name" in bounds:
        yield tuple_(*place) > tuple_(bounds["after_name"], bounds["after_username"])
    if "until_name" in bounds:
        yield tuple_(*place) <= tuple_(bounds["until_name"], bounds["until_username"])


def _listed(shape: _Shape, start: int, bounds: Iterable[str]) -> tuple[_Source, Statement]:
    """Who is on the list within these bounds, read from one of the sets."""
    narrowings = list(_narrowings(shape))
    sets = narrowings[start].sets
    # One set is joined, not gathered first: a count then ends at its cap.
    those = sets[0].subquery() if len(sets) == 1 else None
    user_id: Column = User.id if those is None else those.c[0]
    source = _records(shape, user_id)
    tests = [other.test(source) for place, other in enumerate(narrowings) if place != start]
    people = _those(shape, source, [*_bound(source, bounds), *tests])
    if those is None:
        return source, people.where(User.id.in_(_union(sets)))
    return source, people.join_from(those, User, User.id == those.c[0])


def _walked(
    shape: _Shape, way: Way, bounds: Iterable[str], longest: int = 0
) -> list[tuple[_Source, Statement]]:
    """The same, read along each of the way's indexes; those behind one another still."""
    found = []
    for source in _arms(shape, way):
        tests = [other.test(source) for other in _narrowings(shape) if other.way != way]
        if way != "list":
            tests += _is_listed(shape, source.user_id)
        if "far" in bounds:
            tests.append(tuple_(*source.place) <= _farthest(_arms(shape, way)[longest], bounds))
        found.append((source, _those(shape, source, [*_bound(source, bounds), *tests])))
    return found


def _those(shape: _Shape, source: _Source, conditions: Iterable[ColumnElement[bool]]) -> Statement:
    if shape.supervisor:
        conditions = [*conditions, visibility.no_admin(source.base)]
    return select(*source.place, source.user_id.label("user_id")).where(*source.where, *conditions)


def _bound(source: _Source, bounds: Iterable[str]) -> Iterator[ColumnElement[bool]]:
    return _within(source.place, {name: bindparam(name) for name in bounds})


def _farthest(source: _Source, bounds: Iterable[str]) -> Any:
    """The place that a walk within these bounds comes to after so many steps."""
    low = [name for name in bounds if name not in ("high", "far")]
    place = select(*source.place).where(*source.where, *_bound(source, low))
    return place.order_by(*source.place).limit(1).offset(bindparam("far")).scalar_subquery()


def _union(sets: Sequence[Statement]) -> Any:
    """All who are in one of the sets; someone maybe more than once."""
    return union_all(*(part.correlate(None) for part in sets)) if len(sets) > 1 else sets[0]


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
        listed = _counted([select(User.id).where(~User.active, User.deleted_at.is_(None))], most)
    return select(
        func.coalesce(listed, 0),
        everyone,
        *(_counted([one], most) for narrowing in _narrowings(shape) for one in narrowing.sets),
    )


def _counted(sets: Sequence[Statement], most: BindParameter[int]) -> ColumnElement[int]:
    # Not the users' ids: an index may tell how many there are without them.
    some = _union([part.with_only_columns(literal_column("1")) for part in sets])
    return select(func.count()).select_from(some.limit(most).subquery()).scalar_subquery()


@_once
def _places(shape: _Shape, start: int, bounds: frozenset[str]) -> Statement:
    """So many places of the list in order, of those in a set."""
    source, people = _listed(shape, start, bounds)
    return people.order_by(*source.place).limit(bindparam("size"))


@_once
def _walk(shape: _Shape, way: Way, bounds: frozenset[str], longest: int) -> Statement:
    """So many places of the list in order, along a way; ``longest``: which of its indexes is."""
    size: BindParameter[int] = bindparam("size")
    walks = [
        people.order_by(*source.place).limit(size) for source, people in _walked(shape, way, bounds, longest)
    ]
    if len(walks) == 1:
        return walks[0]
    # Somebody may stand in several of them; of each so many are enough.
    places = union(*(select(walk.subquery()) for walk in walks)).subquery()
    return select(places).order_by(places.c.name_fold, places.c.username_fold).limit(size)


@_once
def _count(shape: _Shape, start: int | None, bounds: frozenset[str]) -> Select[int]:
    """How many rows the list has, up to so many."""
    if start is None:
        # In its order: else another index might be walked, with those who fit at its end.
        [(source, people)] = _walked(shape, "list", bounds)
        people = people.order_by(*source.place)
    else:
        source, people = _listed(shape, start, bounds)
    some = people.with_only_columns(source.user_id).limit(bindparam("size"))
    return select(func.count()).select_from(some.subquery())


@_once
def _people() -> Statement:
    """What is shown of some users: each once, with the ids of groups and licenses as texts."""
    member, held, offer = aliased(Membership), aliased(Holding), aliased(Offer)
    holds = _together(held.license_type_id, held.user_id == User.id, held.ends_at.is_(None))
    offered = _together(offer.license_type_id, offer.user_id == User.id)
    return select(
        User.id, User.username, User.name, User.active, User.last_login, User.base_type_id,
        _together(member.group_id, member.user_id == User.id),
        case((User.active, holds), else_=offered),
    ).where(User.id.in_(bindparam("users", expanding=True)))  # fmt: skip


def _together(number: Column, *where: ColumnElement[bool]) -> ColumnElement[Any]:
    return select(func.aggregate_strings(cast(number, Text), " ")).where(*where).scalar_subquery()


@_once
def _by_type(shape: _Shape) -> Statement:
    """How many of each license type have each initial, of those whom a supervisor reaches."""
    _, people = _listed(shape, 0, ())
    initial = func.substr(User.name_fold, 1, 1).label("initial")
    some = people.with_only_columns(_type(shape), initial).subquery()
    return select(some.c.type_id, some.c.initial, func.count()).group_by(some.c.type_id, some.c.initial)


@_once
def _looks(shape: _Shape) -> Statement:
    """Whether there is anybody with each initial: one look into the index for each."""
    source = _everyone_listed(shape)
    some = select(source.user_id).where(*source.where)
    return select(
        *(
            or_(
                *(
                    some.where(*_within(source.place, bounds)).exists()
                    for bounds in _stretches(letter, ("", ""), None)
                )
            )
            for letter in _LETTERS
        )
    )
