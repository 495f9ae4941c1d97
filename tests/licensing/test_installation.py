"""Loading a catalog: what may not be changed under users, and what the change log tells of it."""

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.licensing.pure import CATALOG
from tests.make import Make
from webapp.database import db, transaction
from webapp.licensing import ledger
from webapp.licensing.catalog import Catalog, Product, parse_catalog
from webapp.licensing.errors import LicensingError
from webapp.licensing.installation import load_catalog
from webapp.models import Change, ChangeEntry


def load(make: Make, catalog: Catalog) -> None:
    with transaction() as session:
        load_catalog(session, catalog, make.act())


def entries() -> list[tuple[str | None, ...]]:
    """The entries of the last change: what, old and new."""
    last = select(func.max(Change.seq)).scalar_subquery()
    asked = select(ChangeEntry.field, ChangeEntry.subject, ChangeEntry.old, ChangeEntry.new)
    return [tuple(row) for row in db.session.execute(asked.where(ChangeEntry.change_seq == last))]


def without_base(product: Product) -> Product:
    return replace(product, base=False)


def test_the_first_load_is_in_the_change_log_with_each_product_and_license_type(app: Flask) -> None:
    change = db.session.execute(select(Change.seq, Change.cause)).one()
    assert tuple(change) == (1, "catalog loaded")
    found = entries()
    assert len(found) == len(CATALOG.products) + len(CATALOG.types)
    assert (
        "license_type", "ha/viewer", None,
        "Viewer; Looks at dashboards, schedules them and downloads their data.; place 1; "
        "only with vcc/admin, vcc/supervisor, vcc/wallboard",
    ) in found  # fmt: skip
    assert ("product", "vcc", None, "Vonage Contact Center; short VCC; place 1; base product") in found


def test_a_changed_catalog_is_told_as_what_was_and_what_is_and_the_same_again_writes_nothing(
    any_app: Flask, make: Make
) -> None:
    *others, accent = CATALOG.products
    ha = others[1]
    viewer = replace(ha.types[0], needs_contactpad=True)
    changed = Catalog((others[0], replace(ha, types=(viewer, *ha.types[1:])), *others[2:]))
    load(make, changed)
    old = "Viewer; Looks at dashboards, schedules them and downloads their data.; place 1; "
    rest = "only with vcc/admin, vcc/supervisor, vcc/wallboard"
    assert sorted(entries(), key=lambda entry: str(entry[1])) == [
        ("product", "accent", "Accent Conversion; short Accent Conversion; place 4", None),
        (
            "license_type", "accent/enabled",
            "Enabled; Softens accents during calls.; place 1; needs ContactPad; needs WebRTC", None,
        ),
        ("license_type", "ha/viewer", f"{old}{rest}", f"{old}{rest}; needs ContactPad"),
    ]  # fmt: skip
    stored = ledger.read_catalog(db.session())
    assert stored.product(accent.key) is None
    assert stored.types["ha/viewer"].needs_contactpad
    before = db.session.scalar(select(func.max(Change.seq)))
    load(make, changed)
    assert db.session.scalar(select(func.max(Change.seq))) == before


def test_V1_another_base_product_is_refused_while_there_are_users(any_app: Flask, make: Make) -> None:
    vcc, ha, *others = CATALOG.products
    other_base = Catalog((replace(ha, base=True), without_base(vcc), *others))
    make.user("gone", active=False)
    with pytest.raises(LicensingError) as refused:
        load(make, other_base)
    assert [str(problem) for problem in refused.value.problems] == [
        "catalog (catalog): Vonage Contact Center must stay the base product: users hold its licenses. "
        "Keep base = true there in the catalog file."
    ]
    assert ledger.read_catalog(db.session()).base.key == "vcc"


@pytest.mark.parametrize("name", ["Groups", "user last login"])
def test_a_product_is_not_named_as_a_column_of_the_users_file(name: str) -> None:
    with pytest.raises(LicensingError, match=f"“{name}” can't be a product's name"):
        parse_catalog(f"""
            [[product]]
            key = "phone"
            name = "Phone"
            base = true
            type = [{{key = "boss", name = "Boss", allows = "All.", role = "admin"}}]
            [[product]]
            key = "fax"
            name = "{name}"
            type = [{{key = "send", name = "Send", allows = "Sends."}}]
        """)
