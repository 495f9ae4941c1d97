"""Loading a catalog into the database: at ``init``, and whenever the catalog file has changed.

Adds and updates; takes nobody's license. A type that anything refers to can't be removed.
"""

from sqlalchemy import delete, exists, insert, select, update
from sqlalchemy.orm import Session

from webapp.licensing.catalog import Catalog, LicenseType, Product
from webapp.licensing.errors import LicensingError, Problem
from webapp.licensing.ledger import read_catalog
from webapp.models import ContractLine, EligibleBase, Holding, Offer, Pool, User
from webapp.models import LicenseType as TypeRow
from webapp.models import Product as ProductRow


def load_catalog(session: Session, catalog: Catalog) -> None:
    """Make the stored catalog equal to this one. Safe to repeat.

    Raises LicensingError if a type that is held, offered or contracted, now or in the past, is
    missing from it.
    """
    stored = read_catalog(session)
    gone = [kind for ref, kind in stored.types.items() if ref not in catalog.types]
    problems = [
        Problem("catalog_in_use", "catalog", {"license": kind.ref})
        for kind in gone if _in_use(session, kind)
    ]  # fmt: skip
    if problems:
        raise LicensingError(problems)
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
