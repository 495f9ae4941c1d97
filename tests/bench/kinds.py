"""The kinds of list pages, and for each of them addresses that differ: no answer is a remembered one.

Terms, letters and keys are chosen from the people that are there, the same way at every size. Reads
only, and asks the database nothing while pages are measured.
"""

import random
import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from urllib.parse import urlencode

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.bench.people import ADMIN, GROUPS, LARGE, SUPERVISOR, WIDE
from webapp.database import db
from webapp.licensing.ledger import read_catalog
from webapp.licensing.lists import Key
from webapp.models import Group, Holding, User
from webapp.web.listing import write_key

MANY = 16  # addresses of a kind
_PLAIN = "/licenses/vcc"


@dataclass(frozen=True)
class Kind:
    """One row of the table: who asks what. ``region``: what htmx wants to swap there."""

    name: str
    username: str
    addresses: tuple[str, ...]
    region: str = "div#users"

    @property
    def list(self) -> str:
        """Of which list it is: ``licenses`` or ``users``."""
        return re.split(r"[/?]", self.addresses[0])[1]

    @property
    def searches(self) -> bool:
        """Whether its pages have a search, which may take longer."""
        return "q=" in self.addresses[0]


@dataclass(frozen=True)
class Terms:
    """What the pages are asked for, found among the people."""

    initials: Sequence[str]
    groups: Sequence[int]
    large: Sequence[int]  # of these: the ids of the large ones
    own: Sequence[int]  # and of those that the supervisor reads
    keys: Sequence[str]
    common: Sequence[str]
    rare: Sequence[str]
    two: Sequence[str]
    nobody: Sequence[str]


def kinds_for(app: Flask) -> list[Kind]:
    """All kinds, with addresses for this database."""
    with app.app_context():
        terms = _terms(db.session())
        db.session.remove()
        db.engine.dispose()
    return list(_kinds(terms))


def _kinds(t: Terms) -> Iterator[Kind]:
    people = "/users"
    yield Kind("Licenses", ADMIN, _addresses(_PLAIN))
    yield Kind(
        "Licenses, a type", ADMIN, _addresses(_PLAIN, type=("agent", "supervisor", "wallboard", "admin"))
    )
    yield Kind("Licenses, another product", ADMIN, _addresses("/licenses/enc"))
    yield Kind("Licenses, an initial", ADMIN, _addresses(_PLAIN, initial=t.initials))
    yield Kind("Licenses, a group", ADMIN, _addresses(_PLAIN, group=t.groups))
    yield Kind("Licenses, more after many", ADMIN, _addresses(_PLAIN, after=t.keys), "tr#more")
    yield Kind("Licenses, search: many", ADMIN, _addresses(_PLAIN, q=t.common))
    yield Kind("Licenses, search: one", ADMIN, _addresses(_PLAIN, q=t.rare))
    yield Kind("Licenses, search: nobody", ADMIN, _addresses(_PLAIN, q=t.nobody))
    yield Kind("Licenses, search: two letters", ADMIN, _addresses(_PLAIN, q=t.two))
    yield Kind("Licenses, search in a large group", ADMIN, _addresses(_PLAIN, q=t.common, group=t.large))
    yield Kind("Licenses, all filters", ADMIN,
               _addresses(_PLAIN, q=t.common, group=t.groups, initial=t.initials, type=("agent", "supervisor")))  # fmt: skip
    yield Kind("Users", ADMIN, _addresses(people))
    yield Kind("Users, archived", ADMIN, _addresses(people, status=("archived",)))
    yield Kind("Users, a license", ADMIN, _addresses(people, license=("ha/viewer", "enc/enabled")))
    yield Kind("Users, all with a license", ADMIN,
               _addresses(people, status=("all",), license=("ha/viewer", "vcc/agent", "vcc/wallboard")))  # fmt: skip
    yield Kind("Users, all, search: many", ADMIN, _addresses(people, status=("all",), q=t.common))
    yield Kind("Users, archived, search: many", ADMIN, _addresses(people, status=("archived",), q=t.common))
    for who, username, groups in (("Supervisor", SUPERVISOR, t.own), ("Wide supervisor", WIDE, t.large)):
        yield Kind(f"{who}: Licenses", username, _addresses(_PLAIN))
        yield Kind(f"{who}: Licenses, a group", username, _addresses(_PLAIN, group=groups))
        yield Kind(f"{who}: Licenses, search", username, _addresses(_PLAIN, q=t.common))
        yield Kind(f"{who}: Users", username, _addresses(people))
        yield Kind(f"{who}: Users, all, search", username, _addresses(people, status=("all",), q=t.common))


def _addresses(path: str, **choices: Sequence[str | int]) -> tuple[str, ...]:
    """The path with the choices side by side, each begun again when it ends: different pages, no more."""
    if not choices:
        return (path,)
    rows = islice(zip(*(cycle(values) for values in choices.values()), strict=True), MANY)
    found = (f"{path}?{urlencode(dict(zip(choices, row, strict=True)))}" for row in rows)
    return tuple(dict.fromkeys(found))


def _terms(session: Session) -> Terms:
    chance = random.Random(20260102)
    ids = dict(session.execute(select(Group.name, Group.id)).all())
    rows = session.execute(select(User.name_fold, User.username_fold).where(User.active)).all()
    rows = chance.sample(rows, k=min(2000, len(rows)))
    fragments = list(dict.fromkeys(_fragment(chance, row.name_fold) for row in rows))
    common = _those(session, fragments, at_least=max(2, len(_everyone(session)) // 50))
    return Terms(
        initials=["#", *chance.sample(string.ascii_uppercase, k=MANY - 1)],
        groups=[ids[name] for name in (*LARGE, *GROUPS[12 : MANY + 10])],
        large=[ids[name] for name in LARGE],
        own=[ids[name] for name in GROUPS[10:12]],
        keys=list(_keys(session, chance)),
        common=common,
        rare=_those(session, [row.username_fold for row in rows], at_least=1, at_most=1),
        two=list(dict.fromkeys(row.name_fold[:2] for row in rows))[:MANY],
        nobody=[f"{part}qzx" for part in fragments[:MANY]],
    )


def _everyone(session: Session) -> Sequence[int]:
    return session.scalars(select(User.id)).all()


def _fragment(chance: random.Random, name: str) -> str:
    """Three or four letters of one word of a name."""
    word = chance.choice([word for word in name.split() if len(word) > 2] or [name])
    start = chance.randrange(max(1, len(word) - 2))
    return word[start : start + chance.choice((3, 3, 4))]


def _those(session: Session, terms: Sequence[str], at_least: int, at_most: int | None = None) -> list[str]:
    """The first of these terms that so many people match."""
    found = (
        term
        for term in terms
        if len(term) > 2 and at_least <= (n := _matches(session, term)) <= (at_most or n)
    )
    return list(islice(found, MANY))


def _matches(session: Session, term: str) -> int:
    fits = User.name_fold.contains(term, autoescape=True) | User.username_fold.contains(term, autoescape=True)
    return session.scalar(select(func.count()).select_from(User).where(fits)) or 0


def _keys(session: Session, chance: random.Random) -> Iterator[str]:
    """Keys of rows around four tenths of the list: the 40,000th of 100,000."""
    base = read_catalog(session).base
    held = (
        select(Holding.name_fold, Holding.username_fold)
        .where(Holding.product_id == base.id, Holding.ends_at.is_(None))
        .order_by(Holding.name_fold, Holding.username_fold)
    )
    rows = session.execute(held).all()
    for _ in range(MANY):
        yield write_key(Key(*rows[int(len(rows) * chance.uniform(0.37, 0.43))]))
