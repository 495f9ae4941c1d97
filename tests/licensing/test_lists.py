"""The lists against an independent answer: exactly these people, in this order, however they are read.

The filters are answered once more in ``listed``; Hypothesis draws people, groups, filters, actors and
whether an index is walked or a set put in order.
"""

import multiprocessing
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from string import ascii_lowercase
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.licensing import mover
from tests.licensing.listed import Person, listed
from tests.make import Make
from webapp.database import db, transaction
from webapp.licensing import history, ledger, lists, people, users
from webapp.licensing.lists import Filters, Key, PeopleList
from webapp.licensing.record import Wish
from webapp.licensing.visibility import OPERATOR, Actor
from webapp.models import Group
from webapp.web.books import Books
from webapp.words import Role, Status

GROUPS = ("Billing", "Floor", "Night")
LICENSES = ("agent", "agent", "agent", "supervisor", "wallboard", "admin")


TOKENS = (
    "ana",
    "Añ",
    "ß",
    "Ø",
    "łu",
    "İ",
    "ﬁ",
    "李",
    "م",
    "🙂",
    "%",
    "_",
    "\\",
    "'",
    '"',
    "z",
    "Z",
    " ",
    "a",
    "1",
)


@st.composite
def persons(draw: st.DrawFn) -> list[Person]:
    tokens = st.lists(st.sampled_from(TOKENS), min_size=1, max_size=4).map("".join)
    names = tokens.filter(lambda name: people.check_name(name) is None)
    usernames = st.lists(
        st.from_regex(r"[a-eA-E1_.@-]{3,5}", fullmatch=True).map(str.lower),
        min_size=8,
        max_size=20,
        unique=True,
    )
    found = []
    for username in draw(usernames):
        base = draw(st.sampled_from(LICENSES)) if found else "agent"
        licenses = {"vcc": base}
        if base != "agent" and draw(st.booleans()):
            licenses["ha"] = draw(st.sampled_from(("viewer", "creator")))
        wish = Wish(
            username, draw(names), "a@b.example", licenses=licenses, active=draw(st.integers(0, 3)) > 0,
            groups=tuple(sorted(draw(st.sets(st.sampled_from(GROUPS), max_size=2)))),
        )  # fmt: skip
        found.append(Person(wish))
    return found


@contextmanager
def there(drawn: list[Person], make: Make) -> Iterator[tuple[Any, list[Person], dict[str, int]]]:
    """These people in the database for as long as the block lasts."""

    class UndoError(Exception):
        pass

    try:
        with transaction() as session:
            session.add_all(Group(name=name, key=people.group_key(name)) for name in GROUPS)
            session.flush()
            done = users.create(session, [person.wish for person in drawn], make.act())
            made = [replace(person, id=id_) for person, id_ in zip(drawn, done.user_ids, strict=True)]
            yield session, made, dict(session.execute(select(Group.name, Group.id)).all())
            raise UndoError
    except UndoError:
        pass


def test_P2_P4_every_list_is_exactly_who_fits_and_is_in_view_in_the_same_order(
    any_app: Flask, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is asked for twice, beside lists that differ from it in one thing, and in one memory with them."""
    make.contract()
    # Of a set each is to cost nothing, or much, as a walk to the end does; and walks end early.
    cut_short = [{"PLACED": 0.5, "MARGIN": margin, "_INITIALS": 1} for margin in (0, 0.01, 0.05)]
    ways: list[dict[str, float]] = [{"PLACED": 0}, {"PLACED": 99}, *cut_short, {}]
    lengths: list[int] = []

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(drawn=persons(), data=st.data(), arms=st.sampled_from([lists._ARMS, 0]))
    def every_list(drawn: list[Person], data: st.DataObject, arms: int) -> None:
        with there(drawn, make) as (session, made, groups):
            for question in alike(session, made, groups, data) * 2:
                with monkeypatch.context() as patch:
                    patch.setattr(lists, "_ARMS", arms)
                    for name, value in data.draw(st.sampled_from(ways)).items():
                        patch.setattr(lists, name, value)
                    lengths.append(check(session, made, groups, *question, data))

    every_list()
    assert sum(length > 0 for length in lengths) > len(lengths) / 10, (
        "nearly all lists are empty: this shows little"
    )


def test_whoever_begins_with_no_letter_is_met_before_A_and_after_Z_however_far_the_walk_goes(
    any_app: Flask, make: Make
) -> None:
    """A walk that stops among those before A must not go on among those after Z."""
    names = [*["0 Maria"] * 60, *["1 Peter"] * 200, *["Ж Peter"] * 200]
    make.contract({"vcc/agent": (1000, 0)})
    with transaction() as session:
        users.create(session, [make.wish(name=name) for name in names], make.act())
    db.session.rollback()
    session = db.session()
    product = ledger.read_catalog(session).base
    for status in (Status.ACTIVE, Status.ALL):
        found = PeopleList(session, Filters(product, status=status, q="peter", initial="#"), OPERATOR)
        pages = list(found.pages(2))
        assert [row.name for page in pages for row in page.rows] == names[60:]


Question = tuple[Filters, Actor]


def check(
    session: Any,
    made: list[Person],
    groups: dict[str, int],
    filters: Filters,
    actor: Actor,
    data: st.DataObject,
) -> int:
    """One list as a page reads it, with what the worker remembers; how many are on it."""
    wanted = listed(made, filters, actor, groups)
    books = Books(session)
    types = books.catalog.types
    found = books.people(filters, actor)
    size = data.draw(st.integers(1, 5))
    rows = [row for page in found.pages(size) for row in page.rows]
    assert [row.username for row in rows] == [p.wish.username for p in wanted]
    assert found.count() == len(wanted)
    visible = {name for name, id_ in groups.items() if actor.views_everyone or id_ in actor.groups}
    for place, (row, person) in enumerate(zip(rows, wanted, strict=True), start=1):
        assert row.key == Key(*person.place)
        assert found.count(until=row.key) == place
        assert row.license_type_id == types[person.license(filters)].id
        assert row.groups == tuple(sorted(visible.intersection(person.wish.groups or ())))
    everyone = Filters(filters.product, status=filters.status)
    seen = listed(made, everyone, actor, groups)
    told = books.in_view(filters, actor)
    assert told.initials == {person.initial for person in seen}
    if not actor.views_everyone:
        assert told.by_type == Counter(types[person.license(everyone)].id for person in seen)
    return len(wanted)


def alike(session: Any, made: list[Person], groups: dict[str, int], data: st.DataObject) -> list[Question]:
    """Drawn filters by a drawn actor, and more that differ from these in one thing, or in who asks."""
    length = data.draw(st.integers(1, 4))
    full, other = (some_filters(session, made, groups, data, length) for _ in range(2))
    narrow = data.draw(st.sets(st.sampled_from(("type", "q", "initial", "group"))))
    one = replace(Filters(full.product, status=full.status), **{name: getattr(full, name) for name in narrow})
    actor, another = two_actors(made, groups, data)
    things = (("product", "type"), ("status",), ("q",), ("initial",), ("group",))
    twins = [replace(one, **{name: getattr(other, name) for name in names}) for names in things]
    return [
        (filters if who.views_everyone or filters.group in who.groups else replace(filters, group=None), who)
        for filters, who in ((one, actor), (one, another), *((twin, actor) for twin in twins))
    ]


def two_actors(made: list[Person], groups: dict[str, int], data: st.DataObject) -> tuple[Actor, Actor]:
    """An admin and a supervisor; or two supervisors of as many groups: of none, some or all."""
    ids = sorted(groups.values())
    read = data.draw(st.sets(st.sampled_from(ids)))
    permissions = frozenset(data.draw(st.sampled_from([("access", "unassigned"), ("access",)])))
    supervisors = [
        Actor(person.id, person.wish.username, "", Role.SUPERVISOR, permissions, frozenset(own))
        for own in (read, {ids[ids.index(group) - 1] for group in read})
        for person in [data.draw(st.sampled_from([p for p in made if p.base != "admin"]))]  # nobody is both
    ]
    first, second = supervisors
    return data.draw(st.sampled_from([(first, second), (first, OPERATOR), (OPERATOR, first)]))


def some_filters(
    session: Any, made: list[Person], groups: dict[str, int], data: st.DataObject, length: int
) -> Filters:
    """Each filter as drawn; the search most often for a part, so long, of somebody's name or username."""
    catalog = ledger.read_catalog(session)
    product = data.draw(st.sampled_from([catalog.base, catalog.base, catalog.products[1]]))
    person = data.draw(st.sampled_from(made))
    text = data.draw(st.sampled_from(person.place))
    start = data.draw(st.sampled_from([0, 0, data.draw(st.integers(0, max(0, len(text) - length)))]))
    part = text[start : start + length]
    other = "".join(data.draw(st.lists(st.sampled_from(TOKENS), max_size=2)))
    return Filters(
        product,
        data.draw(st.sampled_from(product.types)),
        data.draw(st.sampled_from(Status)),
        lists.folded_search(data.draw(st.sampled_from([part, part, part.upper(), other]))),
        data.draw(st.sampled_from([person.initial, person.initial, "z"])),
        data.draw(st.sampled_from(sorted(groups.values()))),
    )


def test_P2_a_walk_meets_everyone_once_and_in_order_while_others_are_added_renamed_and_moved(
    any_app: Flask, any_url: str, make: Make
) -> None:
    letters = [*ascii_lowercase, *"1Ж" * 3]
    wishes = [
        make.wish(name=f"{letter} Person", groups=(group,)) for group in mover.GROUPS for letter in letters
    ]
    make.contract()
    with transaction() as session:
        done = users.create(session, wishes, make.act())
    stay = [Person(wish, id_) for wish, id_ in zip(wishes, done.user_ids, strict=True)]
    db.session.rollback()
    groups: dict[str, int] = dict(db.session().execute(select(Group.name, Group.id)).all())  # type: ignore[arg-type]
    db.session.rollback()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.licensing.mover"])
    begun, enough = context.Event(), context.Event()
    process = context.Process(target=mover.move, args=(any_url, begun, enough))
    process.start()
    moments: set[str] = set()
    try:
        assert begun.wait(60)
        for placed in (0, 99):
            for actor, filters in asked_meanwhile(stay[0].id, groups):
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(lists, "PLACED", placed)
                    walk_and_check(filters, actor, listed(stay, filters, actor, groups), moments)
    finally:
        enough.set()
        process.join(60)
    assert process.exitcode == 0
    assert len(moments) > 5, "hardly anything was written between the pages: this shows little"


def asked_meanwhile(me: int, groups: dict[str, int]) -> Iterator[tuple[Actor, Filters]]:
    """An admin and a supervisor of two of the three groups, with and without what narrows a list."""
    product = ledger.read_catalog(db.session()).base
    db.session.rollback()
    reach = frozenset({groups["Billing"], groups["Floor"]})
    for actor in (OPERATOR, Actor(me, "sue", "Sue", Role.SUPERVISOR, frozenset({"access"}), reach)):
        for more in ({}, {"q": "person"}, {"q": "pe"}, {"initial": "#"}, {"group": groups["Floor"]}):
            yield actor, Filters(product, **more)


def walk_and_check(filters: Filters, actor: Actor, stay: list[Person], moments: set[str]) -> None:
    """A walk, each page in a reading transaction of its own, and with what is remembered, as the server does it."""
    seen: list[lists.Row] = []
    after = None
    while True:
        session = db.session()
        moments.add(history.newest_hash(session))
        people = Books(session).people(filters, actor)
        page = people.page(after=after, size=7)
        assert people.count() == len(PeopleList(session, filters, actor).page(size=lists.COUNT_CAP).rows)
        session.rollback()
        seen += page.rows
        if page.next is None:
            break
        after = page.next
    keys = [row.key for row in seen]
    assert keys == sorted(set(keys))
    assert all(row.groups for row in seen), "P2: someone out of reach was met"
    met = [row.username for row in seen if not row.username.startswith("mover")]
    assert met == [person.wish.username for person in stay]
