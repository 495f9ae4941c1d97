"""What the lists ask of the database: one statement for each shape of question, built once, its values bound.

A list is walked along an index in its order, or a set of those who fit is read and put in order. Both find
places and ids alone; what is shown of people is read for these only, in the same statement. Which of the
ways is gone ``lists`` decides; nothing here runs a statement.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from string import ascii_lowercase
from typing import Any, Literal

from sqlalchemy import (
    JSON,
    BindParameter,
    ColumnElement,
    CompoundSelect,
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
from sqlalchemy.orm import InstrumentedAttribute, aliased

from webapp.licensing import visibility
from webapp.licensing.visibility import Column, Truth
from webapp.models import (
    SEARCH_IDS,
    Holding,
    Membership,
    Offer,
    Pool,
    Product,
    User,
    search_place,
    user_search,
)
from webapp.models import LicenseType as TypeRow
from webapp.words import Status

OTHERS = "#"  # the initial of all names that begin with none of A to Z
LETTERS = (*ascii_lowercase, OTHERS)
LONGEST_FOLD = 2000  # no name of 100 characters folds to more

Words = ColumnElement[str] | InstrumentedAttribute[str]
Statement = Select[*tuple[Any, ...]]
Search = Literal["", "name", "username", "part"]
Way = Literal["list", "group", "reach", "license"]
"""What a list is walked along: all with the status (and the license, of those active), the group's members,
those in reach, those who hold or are offered the license."""
_once = lru_cache(500)  # statements, by shape


@dataclass(frozen=True)
class Shape:
    """All of a question that decides what its statements look like.

    ``base``: a base license is listed. ``supervisor``: admins are not in view. ``reach``: nor is who is
    out of reach; who is in one of the supervisor's groups is not. ``arms``: the number of these groups, if
    they can be walked side by side. ``search``: for a part of name or username; or for the start of the
    name, which is a stretch of the order; or of the username alone. ``besides``: the other licenses
    of those listed are told.
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
    besides: bool
    sqlite: bool

    @property
    def narrowed(self) -> bool:
        """Whether anything narrows the list besides the license and the status."""
        searched = self.search in ("username", "part")
        return self.reach or self.group or searched or (self.type and self.status is not Status.ACTIVE)


def after_all(start: str) -> str:
    """The least text of this length that is after all that begin with ``start``."""
    last = ord(start[-1]) + 1
    if last > sys.maxunicode:
        return start + chr(sys.maxunicode) * LONGEST_FOLD
    return start[:-1] + chr(0xE000 if last == 0xD800 else last)  # no text has a surrogate


@dataclass(frozen=True)
class _Source:
    """What a list is read from. ``place``: the columns of its order. ``base``: each user's base license."""

    place: Sequence[Words]
    user_id: Column
    base: Column
    alone: ColumnElement[bool] | InstrumentedAttribute[bool]
    where: Sequence[ColumnElement[bool]]


def _own_groups(shape: Shape) -> list[BindParameter[int]]:
    """A supervisor's groups: each by itself if they are few, else all in one."""
    if shape.arms is None:
        return [bindparam("groups", expanding=True)]
    return [bindparam(f"group_{place}") for place in range(shape.arms)]


def _arms(shape: Shape, way: Way) -> list[_Source]:
    """The index that a list is walked along, or those side by side, each call with names of its own."""
    if way == "list":
        return [_everyone_listed(shape)]
    if way == "group":
        member = aliased(Membership)
        return [_source(member, member.group_id == bindparam("group"))]
    if way == "license":
        return [_source(*arm) for arm in _with_license(shape)]
    reach = visibility.reach(bindparam("me"), _own_groups(shape), shape.unassigned)
    return [_source(*arm) for arm in reach]


def _everyone_listed(shape: Shape) -> _Source:
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


def _records(shape: Shape, user_id: Column) -> _Source:
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
            where.append(_hidden(User.base_type_id, "0") == bindparam("type"))
    place = [_hidden(column).label(column.key) for column in (User.name_fold, User.username_fold)]
    # SQLite asks what needs another index alone before it reads the user's row.
    alone = (
        ~exists(Membership.user_id).where(Membership.user_id == user_id) if shape.sqlite else User.unassigned
    )
    return _Source(place, user_id, User.base_type_id, alone, where)


def _holding(user_id: Column) -> Select[int]:
    """The license type of the product that a user holds."""
    return select(Holding.license_type_id).where(
        Holding.user_id == user_id, Holding.product_id == bindparam("product"), Holding.ends_at.is_(None)
    )


def _holds(shape: Shape, user_id: Column) -> ColumnElement[bool]:
    """Whether a user holds the license asked for."""
    held = _holding(user_id)
    return (held.where(Holding.license_type_id == bindparam("type")) if shape.type else held).exists()


def _is_listed(shape: Shape, user_id: Column) -> list[ColumnElement[bool]]:
    """What holds of whoever has the license and the status, asked of somebody who is not deleted."""
    user = aliased(User)
    if shape.status is Status.ALL:
        return []
    if shape.status is Status.ARCHIVED:
        return [_is(user, user_id, ~user.active)]
    if not shape.base:
        return [_holds(shape, user_id)]
    # Each user's own row says it, which is read in any case.
    kind = (user.base_type_id == bindparam("type"),) if shape.type else ()
    return [_is(user, user_id, user.active, *kind)]


def _is(user: type[User], user_id: Column, *what: Truth) -> ColumnElement[bool]:
    return select(user.id).where(user.id == user_id, *what).exists()


def _type(shape: Shape) -> ColumnElement[int]:
    """The license that a user is listed with: of the product; unless only those active are, the base one."""
    if shape.status is Status.ACTIVE and not shape.base:
        return _holding(User.id).scalar_subquery().label("type_id")
    return User.base_type_id.label("type_id")


def _hidden(column: Any, nothing: str = "''") -> ColumnElement[Any]:
    """The column as no index has it. ``nothing``: a literal of its type."""
    return func.coalesce(column, literal_column(nothing))


@dataclass(frozen=True)
class Narrowing:
    """One thing that narrows a list: those who fit as sets to start from, and as a test of one user.

    Someone may be in several of the sets. ``way``: they can be walked in the list's order. ``nearly``: the
    one set is read nearly in that order.
    """

    sets: Sequence[Statement]
    test: Callable[[_Source], ColumnElement[bool]]
    way: Way | None = None
    nearly: bool = False


def _narrowings(shape: Shape) -> Iterator[Narrowing]:
    if shape.reach:
        groups = _own_groups(shape)
        yield Narrowing(
            _sets(_arms(shape, "reach")),
            lambda source: visibility.reached(
                source.user_id,
                bindparam("me"),
                groups[0] if shape.arms is None else groups,
                source.alone if shape.unassigned else false(),
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
        yield _licensed(shape)


@_once
def narrowings(shape: Shape) -> Sequence[Narrowing]:
    """All that narrows the list."""
    return list(_narrowings(shape))


def _sets(arms: Iterable[_Source]) -> list[Statement]:
    return [select(arm.user_id).where(*arm.where) for arm in arms]


def _in_group(shape: Shape) -> Narrowing:
    def is_member(source: _Source) -> ColumnElement[bool]:
        members = _arms(shape, "group")[0]
        return exists(members.user_id).where(*members.where, members.user_id == source.user_id)

    return Narrowing(_sets(_arms(shape, "group")), is_member, "group")


def _with_license(shape: Shape) -> list[tuple[Any, ColumnElement[bool]]]:
    """Whose offer has the license, and with ``all`` who holds it."""
    kind: BindParameter[int] = bindparam("type")
    offer, held = aliased(Offer), aliased(Holding)
    offered = (offer, offer.license_type_id == kind)
    holds = (held, and_(held.license_type_id == kind, held.ends_at.is_(None)))
    return [offered, holds] if shape.status is Status.ALL else [offered]


def _licensed(shape: Shape) -> Narrowing:
    def has(source: _Source) -> ColumnElement[bool]:
        if shape.base:  # each user's own row says it
            return _hidden(source.base, "0") == bindparam("type")
        return or_(
            *(
                exists(record.user_id).where(record.user_id == source.user_id, condition)
                for record, condition in _with_license(shape)
            )
        )

    return Narrowing(_sets(_arms(shape, "license")), has, "license")


def _username_begins() -> Narrowing:
    """1 or 2 characters are the start of the name or of the username; here of the username alone."""

    def fits(name: Words, username: Words) -> ColumnElement[bool]:
        begin: BindParameter[str] = bindparam("begin")
        end: BindParameter[str] = bindparam("end")
        return and_(username >= begin, username < end, not_(and_(name >= begin, name < end)))

    those = select(User.id).where(fits(_hidden(User.name_fold), User.username_fold))
    return Narrowing([those], lambda source: fits(*map(_hidden, source.place)))


def _contains(shape: Shape) -> Narrowing:
    """3 or more: anywhere in either."""

    def fits(*columns: Words) -> ColumnElement[bool]:
        if shape.sqlite:  # faster than LIKE, which could use no index either
            return or_(*(func.instr(column, bindparam("part")) > 0 for column in columns))
        return or_(*(column.like(bindparam("like"), escape="/") for column in columns))

    those: Statement = select(User.id).where(fits(User.name_fold, User.username_fold))
    if shape.sqlite:
        matches = user_search.c.user_search.op("MATCH")(bindparam("match"))
        entry = user_search.c.rowid
        those = select(entry.op("&")(SEARCH_IDS).label("id"), entry.label("entry")).where(matches)
    return Narrowing([those], lambda source: fits(*map(_hidden, source.place)), nearly=shape.sqlite)


def stretches(
    initial: str, names: tuple[str, str], after: tuple[str, str] | None, until: tuple[str, str] | None = None
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
        if after and after[0] >= low:
            bounds |= {"after_name": after[0], "after_username": after[1]}
        elif low:
            bounds["low"] = low
        if until:
            bounds |= {"until_name": until[0], "until_username": until[1]}
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


def entries(bounds: Mapping[str, Any]) -> dict[str, int]:
    """Between which entries of the search index the names within these bounds stand."""
    low = bounds.get("after_name", bounds.get("low", ""))
    high = bounds.get("until_name", bounds.get("high", chr(sys.maxunicode)))
    return {"first_entry": search_place(low), "last_entry": search_place(high) | SEARCH_IDS}


def _listed(shape: Shape, start: int, bounds: Iterable[str]) -> tuple[_Source, Statement]:
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
    if narrowings[start].nearly:
        people = people.add_columns(those.c.entry)
    return source, people.join_from(those, User, User.id == those.c[0])


def _near(people: Statement) -> Statement:
    """Only the part of a set nearly in order that these bounds allow; else unchanged."""
    entry = people.selected_columns.get("entry")
    if entry is None:
        return people
    return people.where(entry.between(bindparam("first_entry"), bindparam("last_entry")))


def _walked(shape: Shape, way: Way, bounds: Iterable[str]) -> list[tuple[_Source, Statement]]:
    """The same, read along each of the way's indexes; those behind one another still."""
    found = []
    for source in _arms(shape, way):
        tests = [other.test(source) for other in _narrowings(shape) if other.way != way]
        if way != "list":
            tests += _is_listed(shape, source.user_id)
        found.append((source, _those(shape, source, [*_bound(source, bounds), *tests])))
    return found


def _those(shape: Shape, source: _Source, conditions: Iterable[ColumnElement[bool]]) -> Statement:
    if shape.supervisor:
        conditions = [*conditions, visibility.no_admin(source.base)]
    return select(*source.place, source.user_id.label("user_id")).where(*source.where, *conditions)


def _bound(source: _Source, bounds: Iterable[str]) -> Iterator[ColumnElement[bool]]:
    return _within(source.place, {name: bindparam(name) for name in bounds})


def _union(sets: Sequence[Statement]) -> Any:
    """All who are in one of the sets; someone maybe more than once."""
    return union_all(*(part.correlate(None) for part in sets)) if len(sets) > 1 else sets[0]


@_once
def sizes(shape: Shape) -> Statement:
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
def places(shape: Shape, start: int, bounds: frozenset[str], first: bool) -> Statement:
    """The people at so many places of the list, of those in a set.

    ``first``: it is nearly in the list's order, and is only read as far as the last of them may stand.
    """
    source, people = _listed(shape, start, bounds)
    size: BindParameter[int] = bindparam("size")
    if not first:
        return _shown(shape, _near(people).order_by(*source.place).limit(size))
    entry = people.selected_columns["entry"]
    some = _near(people).order_by(entry).limit(size).cte()
    last = select(func.max(some.c.entry)).scalar_subquery()
    # Whoever has the same first letters as the last of these may stand before them.
    rest = people.where(entry > last, entry <= last.op("|")(SEARCH_IDS))
    found = union_all(select(some), rest)
    place = (found.selected_columns[name] for name in ("name_fold", "username_fold"))
    return _shown(shape, found.order_by(*place).limit(size))


@_once
def step(shape: Shape, way: Way, index: int, bounds: frozenset[str]) -> Statement:
    """The place that a walk along one of a way's indexes comes to after so many steps."""
    source = _arms(shape, way)[index]
    places = select(*source.place).where(*source.where, *_bound(source, bounds))
    return places.order_by(*source.place).limit(1).offset(bindparam("steps"))


@_once
def walk(shape: Shape, way: Way, bounds: frozenset[str]) -> Statement:
    """The people at so many places of the list, along a way."""
    size: BindParameter[int] = bindparam("size")
    walks = _walked(shape, way, bounds)
    if len(walks) == 1:
        [(source, people)] = walks
        return _shown(shape, people.order_by(*source.place).limit(size))
    # Somebody may stand in several. SQLite merges them as it goes; elsewhere so many of each are read.
    merged = union(
        *(
            people if shape.sqlite else select(people.order_by(*source.place).limit(size).subquery())
            for source, people in walks
        )
    )
    place = (merged.selected_columns[name] for name in ("name_fold", "username_fold"))
    return _shown(shape, merged.order_by(*place).limit(size))


@_once
def count(shape: Shape, start: int | None, bounds: frozenset[str]) -> Select[int]:
    """How many rows the list has, up to so many."""
    if start is None:
        # In its order: else another index might be walked, with those who fit at its end.
        [(source, people)] = _walked(shape, "list", bounds)
        people = people.order_by(*source.place)
    else:
        source, people = _listed(shape, start, bounds)
        people = _near(people)
    some = people.with_only_columns(source.user_id).limit(bindparam("size"))
    return select(func.count()).select_from(some.subquery())


def _shown(shape: Shape, places: Statement | CompoundSelect[*tuple[Any, ...]]) -> Statement:
    """These places, in no order, with what is shown of each user: groups and licenses as texts of ids.

    They come as one JSON array of arrays: row by row it takes longer to hand them over than to find them.
    """
    some, member = places.subquery(), aliased(Membership)
    # SQLite keeps no zone.
    last_login = cast(User.last_login, Text) + literal_column("'+00:00'") if shape.sqlite else User.last_login
    columns = (
        some.c.name_fold, some.c.username_fold,
        User.id, User.username, User.name, User.active, _type(shape), last_login,
        _together(member.group_id, member.user_id == User.id),
        _besides() if shape.besides else "",
    )  # fmt: skip
    row, rows = ("json_array", "json_group_array") if shape.sqlite else ("json_build_array", "json_agg")
    all_ = getattr(func, rows)(getattr(func, row)(*columns), type_=JSON)
    return select(all_).join_from(some, User, User.id == some.c.user_id)


def _besides() -> ColumnElement[Any]:
    """The licenses that a user holds or, archived, is offered besides the base license."""
    held, offer = aliased(Holding), aliased(Offer)
    base = select(Product.id).where(Product.base).scalar_subquery()
    # The product stands in the index: most hold nothing else, and no holding is read of them.
    holds = _together(
        held.license_type_id, held.user_id == User.id, held.ends_at.is_(None), held.product_id != base
    )
    other = offer.license_type_id != User.base_type_id
    return case((User.active, holds), else_=_together(offer.license_type_id, offer.user_id == User.id, other))


def _together(number: Column, *where: ColumnElement[bool]) -> ColumnElement[Any]:
    blank: Any = literal_column("' '")  # a plain text would be put into the statement at each execution
    return select(func.aggregate_strings(cast(number, Text), blank)).where(*where).scalar_subquery()


@_once
def by_type(shape: Shape) -> Statement:
    """How many of each license type, active or not, have each initial, of those whom a supervisor reaches."""
    _, people = _listed(shape, 0, ())
    initial = func.substr(User.name_fold, 1, 1).label("initial")
    kinds = people.with_only_columns(_type(shape), User.active, initial).subquery().columns
    return select(*kinds, func.count()).group_by(*kinds)


@_once
def looks(shape: Shape) -> Statement:
    """Whether there is anybody with each initial: one look into the index for each."""
    source = _everyone_listed(shape)
    some = select(source.user_id).where(*source.where)
    return select(
        *(
            or_(
                *(
                    some.where(*_within(source.place, bounds)).exists()
                    for bounds in stretches(letter, ("", ""), None)
                )
            )
            for letter in LETTERS
        )
    )
