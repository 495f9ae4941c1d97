"""Reads of the books: the catalog, the figures of each pool, what is taken, and the recount.

Reads only. A decision inside a transaction uses only what is read through here after the locks.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from webapp.licensing import people
from webapp.licensing.availability import Figures
from webapp.licensing.catalog import Catalog, LicenseType, Product
from webapp.licensing.consequences import Facts
from webapp.licensing.errors import has_unseen
from webapp.licensing.record import Record, Wish
from webapp.licensing.rights import OPERATOR, Actor
from webapp.models import (
    ContractLine,
    EligibleBase,
    Group,
    GroupAccess,
    Holding,
    Membership,
    Offer,
    Pool,
    User,
)
from webapp.models import LicenseType as TypeRow
from webapp.models import Product as ProductRow
from webapp.words import Role


def read_catalog(session: Session) -> Catalog:
    """The catalog as it was loaded, as values with ids. Three queries, whatever its size."""
    products = session.execute(select(ProductRow.__table__).order_by(ProductRow.position)).all()
    types = session.execute(select(TypeRow.__table__).order_by(TypeRow.position)).all()
    keys = {product.id: product for product in products}
    refs = {row.id: f"{keys[row.product_id].key}/{row.key}" for row in types}
    bases: dict[int, set[str]] = defaultdict(set)
    for row in session.execute(select(EligibleBase.__table__)):
        bases[row.license_type_id].add(refs[row.base_type_id])
    types_of = Counter(row.product_id for row in types)
    values: dict[int, list[LicenseType]] = defaultdict(list)
    for row in types:
        product = keys[row.product_id]
        values[row.product_id].append(
            LicenseType(
                product=product.key,
                product_name=product.name,
                key=row.key,
                name=row.name,
                allows=row.allows,
                role=row.role,
                contactpad=row.contactpad,
                bases=frozenset(bases[row.id]),
                needs_contactpad=row.needs_contactpad,
                needs_webrtc=row.needs_webrtc,
                alone=types_of[row.product_id] == 1,
                base=product.base,
                id=row.id,
                product_id=row.product_id,
            )
        )
    return Catalog(
        tuple(Product(p.key, p.name, p.base, tuple(values[p.id]), p.short, p.id) for p in products)
    )


def lines_in_force(day: date) -> Select[int, int, int | None]:
    """Of each license type the newest line not after ``day`` and not superseded."""
    other = aliased(ContractLine)
    newest = (
        select(func.max(other.starts_on))
        .where(
            other.license_type_id == ContractLine.license_type_id,
            other.superseded_at.is_(None),
            other.starts_on <= day,
        )
        .scalar_subquery()
    )
    return select(ContractLine.license_type_id, ContractLine.contracted, ContractLine.max_overage).where(
        ContractLine.superseded_at.is_(None), ContractLine.starts_on == newest
    )


def figures(session: Session, catalog: Catalog, day: date) -> dict[str, Figures]:
    """Contracted, overage and assigned of every license type on ``day``, by ref. One query."""
    line = lines_in_force(day).subquery()
    booked = select(Pool.license_type_id, Pool.assigned, line.c.contracted, line.c.max_overage).outerjoin(
        line, line.c.license_type_id == Pool.license_type_id
    )
    rows = {row.license_type_id: row for row in session.execute(booked)}
    found = {}
    for ref, kind in catalog.types.items():
        row = rows[kind.id]
        if row.contracted is None:
            found[ref] = Figures(kind, assigned=row.assigned)
        else:
            found[ref] = Figures(kind, row.contracted, row.max_overage, row.assigned)
    return found


def facts(
    session: Session, wishes: Sequence[Wish], day: date, *,
    actor: Actor = OPERATOR, records: Mapping[str, Record] | None = None,
) -> Facts:  # fmt: skip
    """All that the plan for these wishes must know. ``records``: of the users to be changed."""
    catalog = read_catalog(session)
    return Facts(
        catalog=catalog,
        pools=figures(session, catalog, day),
        usernames=_taken(session, User.username_fold, (people.fold(w.username) for w in wishes)),
        sso_external_ids=_taken(session, User.sso_external_id, (w.sso_external_id for w in wishes)),
        agent_ids=_taken(session, User.agent_id, (w.agent_id for w in wishes)),
        groups=dict(session.execute(select(Group.key, Group.name)).all()),
        records=records or {},
        actor=actor,
        other_admin=records is not None and _other_admin(session, records.values()),
    )


def _other_admin(session: Session, records: Iterable[Record]) -> bool:
    """Whether an active admin remains besides these users (P3)."""
    admins = select(TypeRow.id).where(TypeRow.role == Role.ADMIN)
    other = exists().where(
        User.active, User.base_type_id.in_(admins), User.id.not_in([record.id for record in records])
    )
    return bool(session.scalar(select(other)))


def read_record(session: Session, username: str, catalog: Catalog) -> Record | None:
    """The whole record of this user, case ignored, whoever asks; four queries."""
    if has_unseen(username):  # nobody's; a database may refuse the question
        return None
    row = session.execute(
        select(User.__table__).where(User.username_fold == people.fold(username), User.deleted_at.is_(None))
    ).one_or_none()
    if row is None or row.username.casefold() != username.casefold():
        return None
    types = {kind.id: kind for kind in catalog.types.values()}
    if row.active:
        kinds = select(Holding.license_type_id).where(Holding.user_id == row.id, Holding.ends_at.is_(None))
    else:
        kinds = select(Offer.license_type_id).where(Offer.user_id == row.id)
    has = {types[i] for i in session.scalars(kinds)}
    groups = session.scalars(
        select(Group.name)
        .join(Membership, Membership.group_id == Group.id)
        .where(Membership.user_id == row.id)
    )
    access = session.execute(
        select(Group.name, GroupAccess.level)
        .join(GroupAccess, GroupAccess.group_id == Group.id)
        .where(GroupAccess.user_id == row.id)
        .order_by(Group.key)
    )
    return Record(
        row.username, row.name, row.email, row.sso_external_id or "", row.active,
        tuple(kind for kind in types.values() if kind in has),
        row.contactpad, row.webrtc, row.agent_id or "",
        tuple(sorted(groups, key=people.group_key)), row.permissions, dict(access.all()),
        row.last_login, row.last_login_as_of, row.id, row.version,
    )  # fmt: skip


def taken_agent_ids(session: Session, ids: Iterable[str]) -> frozenset[str]:
    """Which of these agent IDs belong to somebody."""
    return _taken(session, User.agent_id, ids)


def _taken(
    session: Session, column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None],
    values: Iterable[str | None],
) -> frozenset[str]:  # fmt: skip
    """Which of the values stand in a unique column; asked in pieces that both databases accept."""
    # What has unseen characters is never stored; some of them no database could even be asked about.
    wanted = iter({value for value in values if value and not has_unseen(value)})
    found: set[str] = set()
    while piece := list(islice(wanted, 5000)):
        found.update(v for v in session.scalars(select(column).where(column.in_(piece))) if v)
    return frozenset(found)


@dataclass(frozen=True)
class Difference:
    """A figure that is off: what it is, what the books say, what the holdings say (S7)."""

    what: str
    booked: int
    counted: int


def recount(session: Session) -> list[Difference]:
    """Recount every pool from the holdings, and the users from theirs; empty if all agree (S7)."""
    catalog = read_catalog(session)
    counted = dict(
        session.execute(
            select(Holding.license_type_id, func.count())
            .where(Holding.ends_at.is_(None))
            .group_by(Holding.license_type_id)
        ).all()
    )
    booked = dict(session.execute(select(Pool.license_type_id, Pool.assigned)).all())
    off = [
        Difference(ref, booked.get(kind.id, 0), counted.get(kind.id, 0))
        for ref, kind in catalog.types.items()
        if booked.get(kind.id, 0) != counted.get(kind.id, 0)
    ]
    for what, question in _stray(catalog):
        if number := session.scalar(select(func.count()).select_from(question.subquery())):
            off.append(Difference(what, 0, number))
    return off


def _stray(catalog: Catalog) -> Iterator[tuple[str, Select[int]]]:
    """Users whose row does not agree with their holdings or memberships (V1, S1, P2)."""
    held = and_(
        Holding.user_id == User.id, Holding.ends_at.is_(None),
        Holding.product_id == catalog.base.id,
        Holding.license_type_id == User.base_type_id,
    )  # fmt: skip
    offered = and_(Offer.user_id == User.id, Offer.license_type_id == User.base_type_id)
    any_open = and_(Holding.user_id == User.id, Holding.ends_at.is_(None))
    yield (
        "active users without their base license",
        select(User.id).outerjoin(Holding, held).where(User.active, Holding.id.is_(None)),
    )
    yield (
        "archived users whose offer lacks their base license",
        select(User.id)
        .outerjoin(Offer, offered)
        .where(~User.active, User.deleted_at.is_(None), Offer.user_id.is_(None)),
    )
    grouped = exists().where(Membership.user_id == User.id)
    yield "users marked wrongly as in no group", select(User.id).where(User.unassigned == grouped)
    yield (
        "memberships in another place than their user",
        select(User.id).join(Membership, Membership.user_id == User.id).where(_elsewhere(Membership)),
    )
    yield (
        "offers in another place than their user",
        select(User.id).join(Offer, Offer.user_id == User.id).where(_elsewhere(Offer)),
    )
    yield (
        "holdings in another place than their user",
        select(User.id).join(Holding, any_open).where(_elsewhere(Holding)),
    )
    yield "holdings of archived users", select(User.id).join(Holding, any_open).where(~User.active)


def _elsewhere(record: type[Membership | Offer | Holding]) -> ColumnElement[bool]:
    """Whether it repeats another place in the lists than its user's."""
    return or_(record.name_fold != User.name_fold, record.username_fold != User.username_fold)
