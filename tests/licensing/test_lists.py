"""The lists against an independent answer: exactly these people, in this order, however they are read.

The filters are answered once more below in a few lines of Python over all people; Hypothesis draws
people, groups, filters, actors and whether an index is walked or a set put in order.
"""

import multiprocessing
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.licensing import mover
from tests.make import Make
from webapp.database import db, transaction
from webapp.licensing import ledger, lists, people, users
from webapp.licensing.lists import Filters, Key, PeopleList
from webapp.licensing.record import Wish
from webapp.licensing.visibility import OPERATOR, Actor
from webapp.models import Group, User
from webapp.words import Role, Status

GROUPS = ("Billing", "Floor", "Night")
LICENSES = ("agent", "agent", "agent", "supervisor", "wallboard", "admin")


@dataclass(frozen=True)
class Person:
    """One person as drawn."""

    wish: Wish
    base: str
    id: int = 0

    @property
    def place(self) -> tuple[str, str]:
        return folded(self.wish.name), folded(self.wish.username)


def folded(text: str) -> str:
    """DESIGN's folding, written down once more."""
    bare = "".join(
        c for c in unicodedata.normalize("NFKD", text) if not unicodedata.category(c).startswith("M")
    )
    for old, new in ("øo", "łl", "đd", "ıi"):
        bare = bare.casefold().replace(old, new)
    return bare.replace("æ", "ae").replace("œ", "oe")


def in_view(person: Person, actor: Actor, groups: dict[str, int]) -> bool:
    if actor.role is Role.ADMIN or person.id == actor.id:
        return True
    own = {groups[name] for name in person.wish.groups}
    reached = bool(own & actor.groups) or (not own and "unassigned" in actor.permissions)
    return reached and person.base != "admin"


def fits(person: Person, filters: Filters, groups: dict[str, int]) -> bool:
    name, username = person.place
    active = person.wish.active
    if filters.status is not Status.ALL and active != (filters.status is Status.ACTIVE):
        return False
    if filters.status is Status.ACTIVE or filters.type:
        held = person.wish.licenses.get(filters.product.key)
        if not held or (filters.type and filters.type.key != held):
            return False
    if filters.group is not None and filters.group not in {groups[g] for g in person.wish.groups}:
        return False
    if filters.initial:
        letter = name[:1] if "a" <= name[:1] <= "z" else "#"
        if letter != filters.initial:
            return False
    q = filters.q
    if len(q) in (1, 2):
        return name.startswith(q) or username.startswith(q)
    return q in name or q in username


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
        base = draw(st.sampled_from(LICENSES))
        licenses = {"vcc": base}
        if base != "agent" and draw(st.booleans()):
            licenses["ha"] = draw(st.sampled_from(("viewer", "creator")))
        wish = Wish(
            username, draw(names), "a@b.example", licenses=licenses, active=draw(st.integers(0, 3)) > 0,
            groups=tuple(sorted(draw(st.sets(st.sampled_from(GROUPS), max_size=2)))),
        )  # fmt: skip
        found.append(Person(wish, base))
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
    make.contract()
    walks = [{"PLACED": 99, "MARGIN": margin, "_INITIALS": 1} for margin in (0, 0.3, 1, 99)]
    ways: list[dict[str, float]] = [{"PLACED": 0}, *walks, {}]
    lengths: list[int] = []

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(drawn=persons(), data=st.data())
    def every_list(drawn: list[Person], data: st.DataObject) -> None:
        with there(drawn, make) as (session, made, groups):
            for _ in range(8):
                with monkeypatch.context() as patch:
                    for name, value in data.draw(st.sampled_from(ways)).items():
                        patch.setattr(lists, name, value)
                    lengths.append(check(session, made, groups, data))

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


def check(session: Any, made: list[Person], groups: dict[str, int], data: st.DataObject) -> int:
    """One list, by a drawn actor with drawn filters; how many are on it."""
    me = data.draw(st.sampled_from(made))
    permissions = frozenset(data.draw(st.sampled_from([("access",), ("access", "unassigned")])))
    read = frozenset(data.draw(st.sets(st.sampled_from(sorted(groups.values())), min_size=1)))
    supervisor = Actor(me.id, me.wish.username, me.wish.name, Role.SUPERVISOR, permissions, read)
    actor = data.draw(st.sampled_from([OPERATOR, supervisor, supervisor]))
    if actor is supervisor and me.base == "admin":
        return 0  # nobody is both
    filters = a_filter(session, made, groups, actor, data)
    wanted = sorted(
        (p for p in made if in_view(p, actor, groups) and fits(p, filters, groups)), key=lambda p: p.place
    )
    found = PeopleList(session, filters, actor)
    size = data.draw(st.integers(1, 5))
    rows = [row for page in found.pages(size) for row in page.rows]
    assert [row.username for row in rows] == [p.wish.username for p in wanted]
    assert found.count() == len(wanted)
    for place, row in enumerate(rows, start=1):
        assert row.key == Key(*wanted[place - 1].place)
        assert found.count(until=row.key) == place
        visible = {name for name, id_ in groups.items() if actor.views_everyone or id_ in actor.groups}
        assert row.groups == tuple(sorted(visible & set(wanted[place - 1].wish.groups)))
    everyone = Filters(filters.product, status=filters.status)
    seen = [p for p in made if in_view(p, actor, groups) and fits(p, everyone, groups)]
    told = lists.in_view(session, filters, actor)
    assert told.initials == {p.place[0][:1] if "a" <= p.place[0][:1] <= "z" else "#" for p in seen}
    if not actor.views_everyone:
        assert sum(told.by_type.values()) == len(seen)
    return len(wanted)


def a_filter(
    session: Any, made: list[Person], groups: dict[str, int], actor: Actor, data: st.DataObject
) -> Filters:
    catalog = ledger.read_catalog(session)
    product = data.draw(st.sampled_from([catalog.base, catalog.product("ha")]))
    assert product
    person = data.draw(st.sampled_from(made))
    text = data.draw(st.sampled_from(person.place))
    start = data.draw(st.sampled_from([0, 0, data.draw(st.integers(0, max(0, len(text) - 1)))]))
    part = text[start : start + data.draw(st.integers(1, 4))]
    other = "".join(data.draw(st.lists(st.sampled_from(TOKENS), max_size=2)))
    typed = data.draw(st.sampled_from(["", "", part, part, part.upper(), other]))
    initial = person.place[0][:1] if "a" <= person.place[0][:1] <= "z" else "#"
    own = sorted(groups.values()) if actor.views_everyone else sorted(actor.groups)
    return Filters(
        product,
        data.draw(st.sampled_from([None, None, None, *product.types])),
        data.draw(st.sampled_from(Status)),
        lists.folded_search(typed),
        data.draw(st.sampled_from(["", "", initial, "z"])),
        data.draw(st.sampled_from([None, None, None, *own])),
    )


def test_a_walk_meets_everyone_once_and_in_order_while_others_are_added_and_renamed(
    any_app: Flask, any_url: str, make: Make
) -> None:
    names = [f"{letter} Person" for letter in "abcdefghijklmnopqrstuvwxyz"] * 4
    stay = [make.wish(name=name) for name in names]
    make.contract()
    with transaction() as session:
        users.create(session, stay, make.act())
    db.session.rollback()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.licensing.mover"])
    begun, enough = context.Event(), context.Event()
    process = context.Process(target=mover.move, args=(any_url, begun, enough))
    process.start()
    try:
        assert begun.wait(60)
        for placed in (0, 99):
            walk_and_check(placed, {wish.username for wish in stay})
    finally:
        enough.set()
        process.join(60)
    assert process.exitcode == 0
    moved = db.session().scalars(select(User.username).where(User.username.startswith("mover"))).all()
    assert len(moved) > 3
    db.session.rollback()


def walk_and_check(placed: int, stay: set[str]) -> None:
    """Three walks, each page in a reading transaction of its own as the server does it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lists, "PLACED", placed)
        for _ in range(3):
            seen: list[Any] = []
            after = None
            while True:
                session = db.session()
                product = ledger.read_catalog(session).base
                page = PeopleList(session, Filters(product, q="person"), OPERATOR).page(after=after, size=7)
                session.rollback()
                seen += page.rows
                after = page.next
                if after is None:
                    break
            keys = [(row.key.name_fold, row.key.username_fold) for row in seen]
            assert keys == sorted(set(keys))
            assert sorted(row.username for row in seen if row.username in stay) == sorted(stay)
