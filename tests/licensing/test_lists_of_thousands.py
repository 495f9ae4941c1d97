"""Lists of thousands of people, at the constants as they are, against the independent answer of ``listed``.

Few people never make a walk long enough to be cut short, nor a count end at its cap.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from string import ascii_lowercase
from typing import Any

from flask import Flask
from sqlalchemy import select

from tests.licensing.listed import Person, listed
from tests.make import Make
from webapp.database import db, transaction
from webapp.licensing import lists, statements, users
from webapp.licensing.catalog import Catalog
from webapp.licensing.lists import COUNT_CAP, Filters, PeopleList
from webapp.licensing.record import Wish
from webapp.licensing.visibility import OPERATOR, Actor
from webapp.models import Group
from webapp.web.books import Books
from webapp.words import Role, Status

PEOPLE = 4000
GROUPS = tuple(f"Team {number:02}" for number in range(12))
# Whoever has the first name stands together, at the beginning or far from it; the last names are all over.
FIRST = ("Ana María", "Björn", "Łukasz", "Pétur", "Quentin", "Sam", "Žofia", "1 Desk", "Жанна")
LAST = "Olsen Olsen Olsen Gómez Haddad 李 O'Brien 100%_Sure Zimmer Åsen".split()
BASES = ("agent",) * 14 + ("supervisor",) * 3 + ("wallboard", "wallboard", "admin")


def a_wish(draw: random.Random, number: int) -> Wish:
    base = draw.choice(BASES)
    licenses = {"vcc": base} if base == "agent" else {"vcc": base, "ha": draw.choice(("viewer", "creator"))}
    return Wish(
        f"{''.join(draw.choices(ascii_lowercase, k=2))}.{number}", f"{draw.choice(FIRST)} {draw.choice(LAST)}",
        "person@company.example", licenses=licenses, active=draw.random() < 0.85,
        groups=tuple(sorted(draw.sample(GROUPS, draw.choice((0, 1, 1, 2, 3))))),
    )  # fmt: skip


def actors(everyone: Sequence[Person], ids: Sequence[int]) -> Iterator[Actor]:
    """An admin, and supervisors of none, of two and of nine groups, who view people in no group or not."""
    yield OPERATOR
    supervisors = iter(person for person in everyone if person.base == "supervisor" and person.wish.active)
    for groups in (0, 2, lists._ARMS + 1):
        for permissions in ({"access"}, {"access", "unassigned"}):
            me = next(supervisors)
            own = frozenset(ids[:groups])
            yield Actor(me.id, me.wish.username, "", Role.SUPERVISOR, frozenset(permissions), own)


def filters_of(draw: random.Random, actor: Actor, catalog: Catalog, ids: Sequence[int]) -> Iterator[Filters]:
    """All, a letter, the sign and a group without a search; then searches for 1 letter, for 2, and for more that
    many or few have, those of a kind beside the same other filters.
    """
    group = next(iter(ids if actor.views_everyone else sorted(actor.groups)), None)
    for initial, own in (("", None), ("p", None), ("#", None), ("", group)):
        yield Filters(catalog.base, None, draw.choice((Status.ACTIVE, Status.ALL)), "", initial, own)
    for near_far_and_rare in ("bjorn", "petur", ".77"):
        yield Filters(catalog.base, q=near_far_and_rare)
    rare = draw.choice(("zim", "%_s", "o'b", ".77"))
    for searches in (
        draw.sample(ascii_lowercase, 2),
        draw.sample(("sa", "Zo", "ół", "1 "), 2),
        ("olsen", "pétur", rare),
    ):
        product = draw.choice((catalog.base, catalog.base, catalog.products[1]))
        beside = Filters(
            product,
            draw.choice((None, None, product.types[0])),
            draw.choice(tuple(Status)),
            initial=draw.choice(("", "", "p", "#")),
            group=draw.choice((None, None, group)),
        )
        yield from (replace(beside, q=lists.folded_search(typed)) for typed in searches)


def test_P2_P4_lists_of_thousands_are_exactly_who_fits_and_is_in_view_in_the_same_order(
    any_app: Flask, make: Make
) -> None:
    draw = random.Random(385)
    wishes = [a_wish(draw, number) for number in range(PEOPLE)]
    make.contract()
    with transaction() as session:
        done = users.create(session, wishes, make.act())
    db.session.rollback()
    everyone = [Person(wish, id_) for wish, id_ in zip(wishes, done.user_ids, strict=True)]
    session = db.session()
    groups: dict[str, int] = dict(session.execute(select(Group.name, Group.id)).all())  # type: ignore[arg-type]
    ids = [groups[name] for name in GROUPS]
    catalog = Books(session).catalog
    ways: set[tuple[bool, ...]] = set()
    longest = 0
    for actor in actors(everyone, ids):
        for filters in filters_of(draw, actor, catalog, ids):
            wanted = listed(everyone, filters, actor, groups)
            assert list(walk(session, filters, actor, draw.choice((50, 50, 400)), ways)) == [
                person.wish.username for person in wanted
            ], filters
            check_counts(session, filters, actor, wanted, draw)
            longest = max(longest, len(wanted))
    assert longest > COUNT_CAP
    assert ways == {(False, False), (True, False), (True, True), (False, True)}, (
        "some way to read a list is never gone: whole walk, walk cut short that was enough or wasn't, set put in order"
    )


def walk(
    session: Any, filters: Filters, actor: Actor, size: int, ways: set[tuple[bool, ...]]
) -> Iterator[str]:
    """The list's usernames; and of each page, whether a walk was cut short, and whether a set was put in order."""
    before = calls()
    for page in PeopleList(session, filters, actor).pages(size):
        if len(filters.q) not in (1, 2):  # else there are two lists
            ways.add(tuple(now > then for now, then in zip(calls(), before, strict=True)))
        before = calls()
        yield from (row.username for row in page.rows)


def calls() -> list[int]:
    asked = (statement.cache_info() for statement in (statements.step, statements.places))
    return [info.hits + info.misses for info in asked]


def check_counts(
    session: Any, filters: Filters, actor: Actor, wanted: Sequence[Person], draw: random.Random
) -> None:
    """All of them and those up to some, counted to the cap, as the pages do it."""
    people = Books(session).people(filters, actor)
    assert people.count() == min(len(wanted), COUNT_CAP + 1), filters
    for place in draw.sample(range(len(wanted)), min(3, len(wanted))):
        key = lists.Key(*wanted[place].place)
        assert people.count(until=key) == min(place + 1, COUNT_CAP + 1), (filters, key)
