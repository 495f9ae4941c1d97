"""The list of holders is read from an index in the order it is shown in, at every page of it."""

import pytest
from flask import Flask
from sqlalchemy import select

from tests.make import Make
from tests.queries.recording import Statement, recorded
from webapp.database import db
from webapp.licensing import holders, ledger
from webapp.licensing.holders import Filters, Key
from webapp.licensing.visibility import OPERATOR, Actor
from webapp.models import Group
from webapp.words import Role


def actor(role: str) -> Actor:
    if role == "admin":
        return OPERATOR
    groups = frozenset(db.session().scalars(select(Group.id)))
    assert groups
    return Actor(1, "sue", "Sue", Role.SUPERVISOR, frozenset({"access", "unassigned"}), groups)


def plan(statement: Statement) -> str:
    """The database's plan, one step a line; on PostgreSQL told to avoid a sort and a scan if it can."""
    with db.engine.connect() as connection:
        explain = "EXPLAIN QUERY PLAN " if db.engine.dialect.name == "sqlite" else "EXPLAIN "
        if db.engine.dialect.name == "postgresql":
            for setting in ("enable_sort", "enable_incremental_sort", "enable_seqscan", "enable_bitmapscan"):
                connection.exec_driver_sql(f"SET LOCAL {setting}=off")
        rows = connection.exec_driver_sql(explain + statement.text, statement.parameters)
        return "\n".join(str(row[-1]) for row in rows)


@pytest.mark.parametrize("after", [None, Key("person 0100", "person.0100")], ids=["first page", "next page"])
@pytest.mark.parametrize("role", ["admin", "supervisor"])
@pytest.mark.parametrize(
    ("type_", "q", "index"),
    [("", "", "ix_holding_product_order"), ("agent", "", "ix_holding_type_order"),
     ("", "pe", "ix_holding_product_order"), ("agent", "erso", "ix_holding_type_order")],
    ids=["all", "type", "search", "type and search"],
)  # fmt: skip
def test_holders_come_from_the_index_in_their_order_without_sorting(
    any_app: Flask, make: Make, type_: str, q: str, index: str, role: str, after: Key | None
) -> None:
    make.users(200, groups=("Billing",))
    session = db.session()
    product = ledger.read_catalog(session).base
    kind = product.named(type_) if type_ else None
    with recorded(db.engine) as statements:
        page = holders.read_page(session, Filters(product, kind, q), actor(role), after=after)
    assert len(page.rows) == 50
    (ordered,) = [s for s in statements if "ORDER BY holding.name_fold" in s.text]
    steps = plan(ordered)
    assert index in steps, steps
    assert "TEMP B-TREE" not in steps, steps
    assert "Sort" not in steps, steps


def test_a_plan_with_a_sort_is_told_from_one_without(any_app: Flask) -> None:
    sorts = plan(Statement("SELECT email FROM \"user\" ORDER BY email", ()))
    assert "TEMP B-TREE" in sorts or "Sort" in sorts
