"""A list is read from an index in the order it is shown in, at every page of it; or from a few people."""

import itertools
import re

import pytest
from flask import Flask
from sqlalchemy import select, text

from tests.make import Make
from tests.queries.recording import Statement, recorded
from webapp.database import db, transaction
from webapp.licensing import ledger, lists
from webapp.licensing.lists import Filters, Key, PeopleList
from webapp.licensing.visibility import OPERATOR, Actor
from webapp.models import Group
from webapp.words import Role, Status

SORTS = re.compile(r"TEMP B-TREE|\bSort\b")
WALKS = re.compile(r"ix_holding_\w+_order \(\w+=\?\)")  # from end to end


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


def ordered(filters: Filters, who: Actor, after: Key | None = None) -> tuple[list[str], int]:
    """The plans by which a page of the list is read, one or two, and the page's rows."""
    with recorded(db.engine) as statements:
        page = PeopleList(db.session(), filters, who).page(after=after)
    pages = [s for s in statements if re.match(r"(?s)(WITH .*)?SELECT json_", s.text)]
    assert len(pages) == (2 if 0 < len(filters.q) < 3 else 1)
    for step in [s for s in statements if s not in pages and re.search(r"ORDER BY .*name_fold", s.text)]:
        assert not SORTS.search(plan(step)), plan(step)  # where a walk ends
    return [plan(s) for s in pages], len(page.rows)


def counted(filters: Filters, who: Actor) -> list[str]:
    """The plans by which the list is counted."""
    with recorded(db.engine) as statements:
        PeopleList(db.session(), filters, who).count()
    return [plan(s) for s in statements if s.text.startswith("SELECT count(*)")]


def test_a_list_comes_from_the_index_in_its_order_without_sorting(
    any_app: Flask, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever narrows it, as long as that leaves more than a few people."""
    make.users(120, groups=("Billing",))
    make.users(120, groups=("Billing",), active=False)
    monkeypatch.setattr(lists, "PLACED", 99)
    product = ledger.read_catalog(db.session()).base
    group = db.session().scalars(select(Group.id)).first()
    kind = product.named("agent")
    cases = {
        Filters(product): "ix_holding_product_order",
        Filters(product, kind): "ix_holding_type_order",
        Filters(product, status=Status.ARCHIVED): "ix_user_archived_order",
        Filters(product, status=Status.ALL): "ix_user_order",
    }
    narrowings = ({}, {"q": "pe"}, {"q": "erso"}, {"initial": "p"}, {"group": group})
    keys = (None, Key("person 0020", "person.0020"))
    for (filters, index), more, role, after in itertools.product(
        cases.items(), narrowings, ("admin", "supervisor"), keys
    ):
        narrowed = Filters(filters.product, filters.type, filters.status, **more)  # type: ignore[arg-type]
        # Of two plans the first is that of the names; nobody has this start in the username alone.
        (steps, *_), rows = ordered(narrowed, actor(role), after)
        case = f"{role}, {narrowed}, after={after}:\n{steps}"
        assert rows == 50, case
        assert index in steps, case
        assert not SORTS.search(steps), case
        if role == "admin" and not after and not more.keys() & {"q", "group"}:
            assert index in counted(narrowed, OPERATOR)[0], "another index may have who fits at its end"


def test_a_group_and_the_groups_of_a_supervisor_are_read_in_order_too(any_app: Flask, make: Make) -> None:
    """However many others there are: along the group's members, or those of a few groups side by side."""
    make.users(60, groups=("Billing",))
    make.users(60, groups=("Floor",))
    make.users(200)
    catalog = ledger.read_catalog(db.session())
    billing, floor = db.session().scalars(select(Group.id).order_by(Group.name))
    alone = Actor(1, "sue", "Sue", Role.SUPERVISOR, frozenset({"access"}), frozenset({billing, floor}))
    for who, group, status in itertools.product(
        (OPERATOR, alone), (billing, None), (Status.ACTIVE, Status.ALL)
    ):
        if who is OPERATOR and group is None:
            continue
        for after in (None, Key("person 0020", "person.0020")):
            (steps,), rows = ordered(Filters(catalog.base, status=status, group=group), who, after)
            assert rows == (40 if group and after else 50)
            assert "ix_membership_group_order" in steps, steps
            walks = [line for line in steps.splitlines() if re.search(r"ix_(user|holding)_\w*order", line)]
            assert not walks, steps
            if group is not None:
                assert not SORTS.search(steps), steps


def test_who_holds_or_is_offered_a_license_is_read_in_order_too(any_app: Flask, make: Make) -> None:
    """Of the archived along the offers, of all along offers and holdings side by side."""
    make.users(60, active=False)
    make.users(60)
    make.users(20, active=False, licenses={"vcc": "admin"})
    make.users(200, licenses={"vcc": "admin"})
    catalog = ledger.read_catalog(db.session())
    agent = catalog.base.named("agent")
    for status, after in itertools.product(
        (Status.ARCHIVED, Status.ALL), (None, Key("person 0020", "person.0020"))
    ):
        (steps,), rows = ordered(Filters(catalog.base, agent, status), OPERATOR, after)
        assert rows == 50 or (after and status is Status.ARCHIVED), steps
        assert "ix_offer_type_order" in steps, steps
        assert ("ix_holding_type_order" in steps) == (status is Status.ALL), steps
        assert not re.search(r"ix_user_\w*order", steps), steps
        if "Append" not in steps:  # PostgreSQL puts the first of both in order
            assert not SORTS.search(steps), steps


def test_what_leaves_a_few_people_is_read_first_and_the_index_is_not_walked(app: Flask, make: Make) -> None:
    make.users(60, groups=("Billing",))
    make.user("rare", name="Rarely Seen", groups=("Floor",))
    make.user("gone", name="Gone Away", active=False, groups=("Floor",))
    product = ledger.read_catalog(db.session()).base
    floor = db.session().scalars(select(Group.id).where(Group.name == "Floor")).one()
    agent = product.named("agent")
    narrowings = (
        {"q": "rarely"},
        {"q": "ra"},
        {"group": floor},
        {"q": "rarely", "group": floor, "initial": "r"},
    )
    for status, kind, more in itertools.product((Status.ACTIVE, Status.ALL), (None, agent), narrowings):
        filters = Filters(product, kind, status, **more)  # type: ignore[arg-type]
        plans, rows = ordered(filters, OPERATOR)
        assert rows == 1 + (status == Status.ALL and more == {"group": floor})
        for steps in (*plans, *counted(filters, OPERATOR)):
            case = f"{filters}:\n{steps}"
            assert not WALKS.search(steps), case
            assert "SCAN user" not in steps.replace("SCAN user_search", ""), case


def test_without_the_index_the_plan_sorts(any_app: Flask, make: Make) -> None:
    """So the tests above can tell."""
    make.users(60)
    product = ledger.read_catalog(db.session()).base
    db.session().rollback()
    with transaction() as session:
        session.execute(text("DROP INDEX ix_holding_product_order"))
        session.execute(text("DROP INDEX ix_holding_type_order"))
    assert SORTS.search(ordered(Filters(product), OPERATOR)[0][0])
