"""The list of holders is read from an index in the order it is shown in, at every page of it."""

import itertools
import re

from flask import Flask
from sqlalchemy import select, text

from tests.make import Make
from tests.queries.recording import Statement, recorded
from webapp.database import db, transaction
from webapp.licensing import holders, ledger
from webapp.licensing.holders import Filters, Key
from webapp.licensing.visibility import OPERATOR, Actor
from webapp.models import Group
from webapp.words import Role

SORTS = re.compile(r"TEMP B-TREE|\bSort\b")


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


def test_holders_come_from_the_index_in_their_order_without_sorting(any_app: Flask, make: Make) -> None:
    make.users(200, groups=("Billing",))
    session = db.session()
    product = ledger.read_catalog(session).base
    keys = (None, Key("person 0100", "person.0100"))
    for role, type_, q, after in itertools.product(
        ("admin", "supervisor"), ("", "agent"), ("", "pe", "erso"), keys
    ):
        kind = product.named(type_) if type_ else None
        with recorded(db.engine) as statements:
            page = holders.read_page(session, Filters(product, kind, q), actor(role), after=after)
        assert len(page.rows) == 50
        (ordered,) = [s for s in statements if "ORDER BY holding.name_fold" in s.text]
        steps = plan(ordered)
        index = "ix_holding_type_order" if kind else "ix_holding_product_order"
        case = f"{role}, type={type_}, q={q}, after={after}:\n{steps}"
        assert index in steps, case
        assert not SORTS.search(steps), case


def test_without_the_index_the_plan_sorts(any_app: Flask, make: Make) -> None:
    """So the test above can tell."""
    make.users(60)
    with recorded(db.engine) as statements:
        session = db.session()
        holders.read_page(session, Filters(ledger.read_catalog(session).base), OPERATOR)
    (ordered,) = [s for s in statements if "ORDER BY holding.name_fold" in s.text]
    with transaction() as session:
        session.execute(text("DROP INDEX ix_holding_product_order"))
        session.execute(text("DROP INDEX ix_holding_type_order"))
    assert SORTS.search(plan(ordered))
