"""The list of holders: who in the actor's view holds a license of a product (P2, P4).

Read in list order straight from an index, paged by key, counted up to a cap. Every query starts
from ``visible``; figures for the whole account come from the pools, never from here.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, false, func, or_, select, true, tuple_
from sqlalchemy.orm import Session

from webapp.licensing import people
from webapp.licensing.catalog import LicenseType, Product
from webapp.licensing.visibility import Actor, visible, visible_groups
from webapp.models import Group, Holding, Membership, User

COUNT_CAP = 1000
_LONGEST_FOLD = 2000  # no name of 100 characters folds to more


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed by; they combine. ``q`` is folded (P4: it never finds more)."""

    product: Product
    type: LicenseType | None = None
    q: str = ""


@dataclass(frozen=True)
class Key:
    """A row's place in the list: after it the next page begins."""

    name_fold: str
    username_fold: str


@dataclass(frozen=True)
class Holder:
    """One row of the list."""

    key: Key
    username: str
    name: str
    license_type_id: int
    last_login: datetime | None
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """Rows in order, and the key of the last one if more follow."""

    rows: tuple[Holder, ...]
    next: Key | None


def folded_search(text: str) -> str:
    """What was typed, as it is compared: folded and trimmed. NUL is in no name."""
    return people.fold(text).replace("\0", "").strip()


def read_page(
    session: Session, filters: Filters, actor: Actor, *, after: Key | None = None, size: int = 50
) -> Page:
    """The next rows after a key. Two queries, whatever the number of rows."""
    place = (Holding.name_fold, Holding.username_fold)
    found = (
        select(
            *place, User.id, User.username, User.name, Holding.license_type_id,
            User.last_login,
        )
        .join(User, User.id == Holding.user_id)
        .where(*_holds(filters, actor))
        .order_by(*place)
        .limit(size + 1)
    )  # fmt: skip
    if after:
        found = found.where(tuple_(*place) > tuple_(after.name_fold, after.username_fold))
    rows = session.execute(found).all()
    groups = _group_names(session, [row.id for row in rows[:size]], actor)
    page = tuple(
        Holder(
            Key(row.name_fold, row.username_fold), row.username, row.name, row.license_type_id,
            row.last_login, tuple(groups[row.id]),
        )
        for row in rows[:size]
    )  # fmt: skip
    return Page(page, page[-1].key if len(rows) > size else None)


def count(session: Session, filters: Filters, actor: Actor) -> int:
    """How many rows the list has, counted to one more than the cap and no further."""
    some = (
        select(Holding.id)
        .join(User, User.id == Holding.user_id)
        .where(*_holds(filters, actor))
        .limit(COUNT_CAP + 1)
    )
    return session.scalar(select(func.count()).select_from(some.subquery())) or 0


def count_in_view(session: Session, product: Product, actor: Actor) -> dict[int, int]:
    """Holders in view of each license type, by its id, whatever the other filters (P4)."""
    every = (
        select(Holding.license_type_id, func.count())
        .join(User, User.id == Holding.user_id)
        .where(*_holds(Filters(product), actor))
        .group_by(Holding.license_type_id)
    )
    return dict(session.execute(every).all())


def _holds(filters: Filters, actor: Actor) -> Iterator[ColumnElement[bool]]:
    """Open holdings of the product in view, narrowed by the filters."""
    yield Holding.ends_at.is_(None)
    if filters.type:
        yield Holding.license_type_id == filters.type.id
    else:
        yield Holding.product_id == filters.product.id
    yield _matches(filters.q)
    yield visible(actor)


def _matches(q: str) -> ColumnElement[bool]:
    """1 or 2 characters: the start of name or username; 3 or more: anywhere in either."""
    if len(q) > _LONGEST_FOLD:
        return false()
    if not q:
        return true()
    columns = (Holding.name_fold, Holding.username_fold)
    if len(q) < 3:
        return or_(*(column.startswith(q, autoescape=True) for column in columns))
    return or_(*(column.contains(q, autoescape=True) for column in columns))


def _group_names(session: Session, user_ids: Sequence[int], actor: Actor) -> dict[int, list[str]]:
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
