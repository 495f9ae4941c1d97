"""Loading a catalog into the database: at ``init``, and whenever the catalog file has changed.

Adds and updates; takes nobody's license. A type that anything refers to can't be removed. Who may
hold what depends on the catalog, so each difference is in the change log.
"""

from collections.abc import Iterator

from sqlalchemy import delete, exists, insert, select, update
from sqlalchemy.orm import Session

from webapp.licensing import assignment, history
from webapp.licensing.catalog import Catalog, LicenseType, Product
from webapp.licensing.errors import LicensingError, Problem
from webapp.licensing.history import Act, Entry
from webapp.licensing.ledger import read_catalog
from webapp.models import ContractLine, EligibleBase, Holding, Offer, Pool, User
from webapp.models import LicenseType as TypeRow
from webapp.models import Product as ProductRow


def load_catalog(session: Session, catalog: Catalog, act: Act) -> None:
    """Make the stored catalog equal to this one. Safe to repeat: the same again writes nothing.

    Locks like any writer, so that of two at once the second finds what the first has stored.
    Raises LicensingError if a type that is held, offered or contracted, now or in the past, is
    missing from it, or if users would be left without a license of the base product (V1).
    """
    locks = assignment.lock(session, act)
    stored = read_catalog(session)
    gone = [kind for ref, kind in stored.types.items() if ref not in catalog.types]
    if problems := list(_refusals(session, stored, catalog, gone)):
        raise LicensingError(problems)
    if entries := list(_differences(stored, catalog)):
        _store(session, stored, catalog, gone)
        history.append(session, locks.head, locks.moment, act, entries, "catalog loaded")


def _refusals(
    session: Session, stored: Catalog, catalog: Catalog, gone: list[LicenseType]
) -> Iterator[Problem]:
    another_base = stored.products and stored.base.key != catalog.base.key
    if another_base and session.scalar(select(User.id).limit(1)):
        yield Problem("catalog_base", "catalog", {"old": stored.base.name})
    for kind in gone:
        if _in_use(session, kind):
            yield Problem("catalog_in_use", "catalog", {"license": kind.ref})


def _differences(stored: Catalog, catalog: Catalog) -> Iterator[Entry]:
    """An entry for each product and license type that is new, gone or not as it was."""
    old, new = _in_words(stored), _in_words(catalog)
    for field, key in dict.fromkeys((*old, *new)):
        name, before = old.get((field, key), ("", None))
        name, after = new.get((field, key), (name, None))
        if before != after:
            yield Entry(None, key, name, field, before, after)


def _in_words(catalog: Catalog) -> dict[tuple[str, str], tuple[str, str]]:
    """Of each product and license type its name, and all that the catalog says of it."""
    found = {}
    for place, product in enumerate(catalog.products, 1):
        found["product", product.key] = (
            product.name,
            _listed(
                product.name, f"short {product.short}", f"place {place}", product.base and "base product"
            ),
        )
        for number, kind in enumerate(product.types, 1):
            found["license_type", kind.ref] = kind.full_name, _listed(
                kind.name, kind.allows, f"place {number}",
                product.base and f"role {kind.role}", product.base and f"ContactPad {kind.contactpad}",
                kind.bases and f"only with {', '.join(sorted(kind.bases))}",
                kind.needs_contactpad and "needs ContactPad", kind.needs_webrtc and "needs WebRTC",
            )  # fmt: skip
    return found


def _listed(*words: object) -> str:
    return "; ".join(str(word) for word in words if word)


def _store(session: Session, stored: Catalog, catalog: Catalog, gone: list[LicenseType]) -> None:
    session.execute(delete(EligibleBase))
    for kind in gone:
        session.execute(delete(Pool).where(Pool.license_type_id == kind.id))
        session.execute(delete(TypeRow).where(TypeRow.id == kind.id))
    for product in stored.products:
        if not catalog.product(product.key):
            session.execute(delete(ProductRow).where(ProductRow.id == product.id))
    _set_names_aside(session, stored)
    for position, product in enumerate(catalog.products):
        product_id = _store_product(session, product, position, stored)
        for place, kind in enumerate(product.types, start=position * 1000):
            _store_type(session, kind, product_id, place, stored)
    ids = {kind.ref: kind.id for kind in read_catalog(session).types.values()}
    bases = [
        {"license_type_id": ids[kind.ref], "base_type_id": ids[base]}
        for kind in catalog.types.values() for base in kind.bases
    ]  # fmt: skip
    if bases:
        session.execute(insert(EligibleBase), bases)


def _in_use(session: Session, kind: LicenseType) -> bool:
    uses = (
        exists().where(column == kind.id)
        for column in (
            Holding.license_type_id, Offer.license_type_id, ContractLine.license_type_id,
            User.base_type_id,
        )
    )  # fmt: skip
    return any(session.scalar(select(use)) for use in uses)


def _set_names_aside(session: Session, stored: Catalog) -> None:
    """Names are unique and may be exchanged by the new catalog: make room before storing it."""
    for product in stored.products:
        session.execute(
            update(ProductRow).where(ProductRow.id == product.id).values(name=f"\x7f{product.id}")
        )
        for kind in product.types:
            session.execute(update(TypeRow).where(TypeRow.id == kind.id).values(name=f"\x7f{kind.id}"))


def _store_product(session: Session, product: Product, position: int, stored: Catalog) -> int:
    values = {
        "key": product.key,
        "name": product.name,
        "short": product.short,
        "base": product.base,
        "position": position,
    }
    old = stored.product(product.key)
    if old:
        session.execute(update(ProductRow).where(ProductRow.id == old.id).values(**values))
        return old.id
    return session.execute(insert(ProductRow).values(**values).returning(ProductRow.id)).scalar_one()


def _store_type(session: Session, kind: LicenseType, product_id: int, position: int, stored: Catalog) -> None:
    values = {
        "product_id": product_id, "key": kind.key, "name": kind.name, "allows": kind.allows,
        "position": position, "role": kind.role, "contactpad": kind.contactpad,
        "needs_contactpad": kind.needs_contactpad, "needs_webrtc": kind.needs_webrtc,
    }  # fmt: skip
    old = stored.types.get(kind.ref)
    if old:
        session.execute(update(TypeRow).where(TypeRow.id == old.id).values(**values))
        return
    new = session.execute(insert(TypeRow).values(**values).returning(TypeRow.id)).scalar_one()
    session.execute(insert(Pool).values(license_type_id=new, assigned=0, revision=0))
