"""The lists of people: who in the actor's view holds a license, or is archived (P2, P4).

Read in list order straight from an index, paged by key, counted up to a cap. Every query starts
from who is in view; figures for the whole account come from the pools, never from here.

No query walks everybody to find a few: what narrows a list is sized first. It is walked along the index
in its order that has the fewest in it, of a license, of a group or of all whom a supervisor reaches; where
that passes over too many, a set of those who fit is read and put in order instead: on SQLite that of a
search is read nearly in order, and no farther than the page goes.
``statements`` are built once for each shape of question; what is asked for is bound to them.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from itertools import islice
from math import ceil, inf, log, prod
from string import ascii_lowercase
from typing import Any, NamedTuple

from sqlalchemy import Connection, Result, select
from sqlalchemy.orm import Session

from webapp.licensing import people, statements
from webapp.licensing.catalog import LicenseType, Product
from webapp.licensing.statements import LETTERS, LONGEST_FOLD, OTHERS, Search, Shape, Statement, Way
from webapp.licensing.visibility import Actor, visible_groups
from webapp.models import Group
from webapp.words import Status

COUNT_CAP = 1000
MOST = 10_000  # sets are sized up to this
PLACED = 5  # to put one of a set in order takes as long as so many steps of a walk along an index
MARGIN = 1.5  # a walk goes so much farther than it should have to, if those who fit stand anywhere
_INITIALS = 20  # a letter begins about one of so many names
_ARMS = 8  # a supervisor's groups are walked side by side if they are no more


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

    ``besides``: the ids of the license types they hold or, archived, are offered besides their base license,
    as one text; if asked for.
    """

    key: Key
    user_id: int
    username: str
    name: str
    active: bool
    license_type_id: int
    last_login: datetime | None
    groups: tuple[str, ...]
    besides: str


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
    return people.fold(text).replace("\0", "").strip()[: LONGEST_FOLD + 1]


@dataclass(frozen=True)
class Sizes:
    """How many are listed but for what narrows the list, how many users there are, how many in each set."""

    listed: int
    everyone: int
    sets: tuple[tuple[int, ...], ...]

    def of(self, narrowing: int) -> int:
        """How many fit, counting some twice."""
        return sum(self.sets[narrowing])

    def smallest(self) -> int:
        """Which has the fewest."""
        return min(range(len(self.sets)), key=self.of)


Once = Callable[[Hashable, Callable[[], Any]], Any]
"""Tells what is known under a name, and else reads it."""


def _anew(_name: Hashable, read: Callable[[], Any]) -> Any:
    return read()


class PeopleList:
    """One list as an actor asked for it.

    ``once``: where numbers that only a change alters are kept. ``besides``: rows tell the other licenses.
    """

    def __init__(
        self, session: Session, filters: Filters, actor: Actor, once: Once = _anew, *, besides: bool = False
    ) -> None:
        self._session, self._actor, self._once = session, actor, once
        connection = session.connection()
        searches: tuple[Search, ...] = ("",)
        if filters.q:
            searches = ("part",) if len(filters.q) > 2 else ("name", "username")
        shapes = [_shape(connection, filters, actor, search, besides) for search in searches]
        self._parts = [_Part(connection, filters, actor, shape, once) for shape in shapes]

    def page(self, *, after: Key | None = None, size: int = 50) -> Page:
        """The next rows after a key; as many queries for any number of rows."""
        found = [person for part in self._parts for person in part.people(after, size + 1)]
        if len(self._parts) > 1:
            found.sort()
        names, moment = self._names, datetime.fromisoformat
        rows = tuple([
            Row(Key(name_fold, username_fold), user_id, username, name, bool(active), license_type_id,
                moment(last_login) if last_login else None, names(groups) if groups else (), besides or "")
            for (name_fold, username_fold, user_id, username, name, active, license_type_id, last_login,
                 groups, besides) in found[:size]
        ])  # fmt: skip
        return Page(rows, rows[-1].key if len(found) > size else None)

    @cached_property
    def _names(self) -> Callable[[str], tuple[str, ...]]:
        """Names those of a user's groups that the actor may read (P4), in their order; once for each set."""

        def read() -> Callable[[str], tuple[str, ...]]:
            groups = known_groups(self._session, self._actor, self._once)
            readable = {str(id_): (place, name) for place, (id_, name) in enumerate(groups)}

            @lru_cache(200)  # many are in the same groups
            def names(ids: str) -> tuple[str, ...]:
                these = sorted([readable[id_] for id_ in ids.split() if id_ in readable])
                return tuple([name for _, name in these])

            return names

        found: Callable[[str], tuple[str, ...]] = self._once(("names", _readers(self._actor)), read)
        return found

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

    def __init__(
        self, connection: Connection, filters: Filters, actor: Actor, shape: Shape, once: Once
    ) -> None:
        self._connection, self._initial, self._shape = connection, filters.initial, shape
        self._narrowings = statements.narrowings(shape)
        self._ways = [narrowing.way for narrowing in self._narrowings]
        self._sets = [place for place, way in enumerate(self._ways) if way is None]
        self._values = _values(filters, actor)
        self._names = (filters.q, statements.after_all(filters.q)) if shape.search == "name" else ("", "")
        chosen = (filters.product.id, filters.type and filters.type.id, filters.group)
        self._list = (self._shape, chosen, viewer(actor))
        self._name = (self._list, filters.q)
        self._once = once

    def people(self, after: Key | None, most: int) -> Sequence[Any]:
        """The next people in the order.

        Whoever fits may stand together far from the beginning, as names with the same part do; so a walk
        goes no farther than it should have to before a set is put in order instead.
        """
        found = self._walk(after, most)
        if found is None:
            found = self._put_in_order(after, most)
        if after is None and len(found) < most:  # all of them: they need not be counted
            number = len(found)
            self._once(("count", self._name, self._initial, None), lambda: number)
        return found

    def count(self, until: Key | None) -> int:
        """How many people (up to and with a key), counted to one more than the cap and no further."""
        found: int = self._once(("count", self._name, self._initial, until), lambda: self._count(until))
        return found

    def _count(self, until: Key | None) -> int:
        start = None
        if self._shape.narrowed:  # it ends at the cap, so that no set is too large to begin with
            smallest = self._sizes.smallest()
            start = smallest if self._sizes.of(smallest) <= self._whole(self._sizes.listed) else None
        return sum(
            self._ask(
                statements.count(self._shape, start, frozenset(bounds)),
                **bounds, **statements.entries(bounds), size=COUNT_CAP + 1,
            ).scalar_one()
            for bounds in statements.stretches(self._initial, self._names, None, until)
        )  # fmt: skip

    def _walk(self, after: Key | None, most: int) -> Sequence[Any] | None:
        """The next people along the index with the fewest in it; None if that is too far."""
        if not self._shape.narrowed:
            return self._along("list", after, most)
        sizes = self._sizes
        ways: dict[Way, int] = {"list": sizes.listed}
        ways |= {way: sizes.of(place) for place, way in enumerate(self._ways) if way}
        way = min(ways, key=lambda way: ways[way])
        tested = [sizes.of(place) for place, other in enumerate(self._ways) if other != way]
        tested += [sizes.listed] if way != "list" else []
        whole = self._whole(ways[way])
        far = min(whole, MARGIN * self._passed(tested, most))
        placed = min((self._placing(place, most) for place in self._sets), default=inf)
        if placed <= far:
            return None
        # A walk to the end takes no longer than what would be done instead: then it need not be cut short.
        return self._along(way, after, most, part=far / whole if far < whole and placed < whole else 1)

    def _passed(self, tested: Iterable[int], most: int) -> float:
        """About how many are passed until so many fit the rest, as if they fitted by chance."""
        share = prod(size / self._sizes.everyone for size in tested)
        return most / share if share else inf

    def _placing(self, place: int, most: int) -> float:
        """What it takes to put the next of a set in order, in steps of a walk."""
        sizes = self._sizes
        if not self._narrowings[place].nearly:
            return PLACED * sizes.of(place)
        rest = [sizes.of(other) for other in range(len(self._ways)) if other != place]
        return PLACED * min(self._whole(sizes.of(place)), self._passed([*rest, sizes.listed], most))

    def _along(self, way: Way, after: Key | None, most: int, part: float = 1) -> Sequence[Any] | None:
        """The next people along a way; None if there are not so many up to this part of it."""
        found: list[Any] = []
        for stretch in statements.stretches(self._initial, self._names, after):
            end = self._end(way, stretch, part) if part < 1 else {}
            bounds = stretch | end
            found += self._shown(statements.walk(self._shape, way, frozenset(bounds)), bounds, most)
            if len(found) >= most:
                break
            if end:  # who is beyond it comes before the next stretch
                return None
        return found[:most]

    def _end(self, way: Way, stretch: dict[str, str], part: float) -> dict[str, str]:
        """The place where this part of a stretch ends, along the longest of the way's indexes.

        Empty if the stretch is shorter. It is asked once for all searches that go about as far.
        """
        sizes = self._sizes
        arms = (sizes.listed,) if way == "list" else sizes.sets[self._ways.index(way)]
        longest = arms.index(max(arms))
        steps = _rounded(self._whole(part * arms[longest]))
        start = {name: value for name, value in stretch.items() if name != "high"}

        def read() -> dict[str, str]:
            statement = statements.step(self._shape, way, longest, frozenset(start))
            place = self._ask(statement, **start, steps=steps).one_or_none()
            return dict(zip(("until_name", "until_username"), place, strict=True)) if place else {}

        found: dict[str, str] = self._once(("end", self._list, way, longest, *start.items(), steps), read)
        return found

    def _put_in_order(self, after: Key | None, most: int) -> Sequence[Any]:
        """The next people, of those in the set that takes least."""
        start = min(self._sets, key=lambda place: self._placing(place, most))
        first = self._narrowings[start].nearly and self._sizes.of(start) > most
        found: list[Any] = []
        for bounds in statements.stretches(self._initial, self._names, after):
            places = statements.places(self._shape, start, frozenset(bounds), first)
            found += self._shown(places, bounds | statements.entries(bounds), most)
            if len(found) >= most:
                break
        return found[:most]

    def _shown(self, statement: Statement, bounds: Mapping[str, Any], most: int) -> Sequence[Any]:
        return sorted(self._ask(statement, **bounds, size=most).scalar_one() or ())

    @cached_property
    def _sizes(self) -> Sizes:
        found: Sizes = self._once(("sizes", self._name), self._size)
        return found

    def _size(self) -> Sizes:
        listed, everyone, *numbers = self._ask(statements.sizes(self._shape), most=MOST + 1).one()
        each = iter(numbers)
        sets = [tuple(islice(each, len(narrowing.sets))) for narrowing in self._narrowings]
        return Sizes(listed, everyone, tuple(sets))

    def _whole(self, size: float) -> float:
        """About how many of so many a walk meets at most."""
        return size / (_INITIALS if self._initial or self._names[0] else 1)

    def _ask(self, statement: Statement, **more: Any) -> Result[*tuple[Any, ...]]:
        return self._connection.execute(statement, self._values | more)


def _rounded(steps: float) -> int:
    """The next number of a row in which each is a fifth more than the one before."""
    return ceil(1.2 ** ceil(log(max(1, steps), 1.2)))


def in_view(session: Session, filters: Filters, actor: Actor, once: Once = _anew) -> InView:
    """Who is in view of the filters' product and status, whatever the other filters (P4).

    Of whoever views everyone the pools tell the numbers: here only the initials are read. Of a supervisor's
    people all are read at once, active and archived, where their own rows tell the license.
    """
    connection, status = session.connection(), filters.status
    told_by_row = filters.product.base or status is not Status.ACTIVE
    read_with = Status.ALL if told_by_row and not actor.views_everyone else status
    filters = Filters(filters.product, status=read_with)
    shape, values = _shape(connection, filters, actor), _values(filters, actor)
    if actor.views_everyone:
        there = connection.execute(statements.looks(shape), values).one()
        return InView(
            initials=frozenset(letter for letter, found in zip(LETTERS, there, strict=True) if found)
        )
    reading = ("reached", None if told_by_row else filters.product.id, viewer(actor))
    reached = once(reading, lambda: connection.execute(statements.by_type(shape), values).all())
    by_type: dict[int, int] = defaultdict(int)
    initials = set()
    for type_id, active, letter, number in reached:
        if status is Status.ALL or bool(active) is (status is Status.ACTIVE):
            by_type[type_id] += number
            initials.add(letter if letter in ascii_lowercase else OTHERS)
    return InView(by_type, frozenset(initials))


def viewer(actor: Actor) -> Hashable:
    """What all have in common who view the same people."""
    return None if actor.views_everyone else (actor.id, actor.groups, actor.permissions)


def groups_in_view(session: Session, actor: Actor) -> list[tuple[int, str]]:
    """The groups that the actor may read, by name: id and name (P4)."""
    rows = session.execute(select(Group.id, Group.name).where(visible_groups(actor)).order_by(Group.key))
    return [(row.id, row.name) for row in rows]


def known_groups(session: Session, actor: Actor, once: Once) -> list[tuple[int, str]]:
    """The same, read once."""
    found: list[tuple[int, str]] = once(("groups", _readers(actor)), lambda: groups_in_view(session, actor))
    return found


def _readers(actor: Actor) -> frozenset[int] | None:
    """What all have in common who may read the same groups."""
    return None if actor.views_everyone else actor.groups


def _shape(
    connection: Connection, filters: Filters, actor: Actor, search: Search = "", besides: bool = False
) -> Shape:
    supervisor = not actor.views_everyone
    reach = supervisor and filters.group not in actor.groups
    return Shape(
        filters.status,
        filters.type is not None,
        filters.product.base,
        supervisor,
        reach,
        len(actor.groups) if reach and len(actor.groups) <= _ARMS else None,
        supervisor and "unassigned" in actor.permissions,
        filters.group is not None,
        search,
        besides,
        connection.dialect.name == "sqlite",
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
        values |= {"begin": q, "end": statements.after_all(q)}
    elif q:
        escaped = re.sub(r"([/%_])", r"/\1", q)
        values |= {"part": q, "like": f"%{escaped}%", "match": '"' + q.replace('"', '""') + '"'}
    return values
