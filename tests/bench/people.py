"""Makes the people that the pages are measured on, through the plan and writer that all doors use.

The same people at every run. Never writes a row by hand: what is measured is what the app could have
come to.
"""

import random
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import chain, islice

from flask import Flask
from sqlalchemy import select

from webapp.commands.common import operator_act
from webapp.database import db, now, transaction
from webapp.licensing import contracts, groups, passwords, users
from webapp.licensing.catalog import Catalog, LicenseType
from webapp.licensing.eligibility import Situation, ineligible
from webapp.licensing.ledger import read_catalog
from webapp.licensing.people import fold
from webapp.licensing.record import Wish
from webapp.models import User
from webapp.web.passwords import hash_password
from webapp.words import AccessLevel, ContactPadRule

ADMIN, SUPERVISOR, WIDE = "the.admin", "the.supervisor", "wide.supervisor"
GROUPS = tuple(f"Team {number:02}" for number in range(1, 51))
LARGE = GROUPS[:2]  # a tenth of all people are in each of these; in each of the others about a sixtieth
_WEIGHTS = [10 if name in LARGE else 80 / 48 for name in GROUPS]
_SHARES = {"agent": 0.82, "supervisor": 0.11, "wallboard": 0.02, "admin": 0.05}  # as in the demo
_BATCH = 20_000
_FIRST = (
    "Aaron Aisha Alan Amara Ana André Anika Antonio Arjun Åsa Beatriz Björn Carmen Chiara Chloé Dalia Daniel "
    "Đorđe Elif Emeka Esther Fatima Felix Fen Gabriel Grace Hana Hugo Ines Isabel Ivo Jamal Jun Karin Kofi "
    "Lars Leila Łukasz Małgorzata Maria Mariam Marta Martin Mei Milan Nadia Noor Olu Omar Pavel Priya Quentin "
    "Rania Rosa Saeed Siobhán Søren Tamara Tariq Tomás Uma Valentina Wei Ximena Yara Yusuf Zoë Ödön "
    "محمد فاطمة أحمد خديجة 美咲"
).split()
_LAST = (
    "Adeyemi Andersson Bello Castillo Costa Dubois Eriksen Fischer Gómez Haddad Ibrahim Jansen Kovač Larsen "
    "Llewellyn Martínez Mehta Mendes Nguyen Nuñez Nwosu Okafor O'Brien Petersen Petrov Quiroga Rossi Sharma "
    "Smith Söderström Tanaka Ueda Vargas Whitmore Wójcik Xu Yilmaz Zhou العربي الحسن"
).split()
_MIDDLE = tuple("ABCDEFGHIJKLMNOPRSTVW")


@dataclass(frozen=True)
class SignIn:
    """What somebody signs in with."""

    username: str
    password: str


def make(app: Flask, size: int) -> dict[str, SignIn]:
    """So many people on a prepared database; the sign-ins of those who look at them, by username."""
    with app.app_context():
        with transaction() as session:
            catalog = read_catalog(session)
            contracts.load(session, _lines(catalog, size), operator_act())
        wishes = islice(chain(_watchers(catalog), _people(catalog)), size)
        while batch := list(islice(wishes, _BATCH)):
            with transaction() as session:
                users.create(session, batch, operator_act())
        found = {username: _sign_in(username) for username in (ADMIN, SUPERVISOR, WIDE)}
        db.session.remove()
        db.engine.dispose()  # the last connection empties the write-ahead log into the file
        return found


def change(app: Flask) -> None:
    """A change of no consequence, after which nothing that was remembered is taken for true."""
    with app.app_context(), transaction() as session:
        groups.create(session, f"Change {secrets.token_hex(6)}", operator_act())


def _lines(catalog: Catalog, size: int) -> list[contracts.Line]:
    return [contracts.Line(kind, size, 0, date(2026, 1, 1)) for kind in catalog.types.values()]


def _sign_in(username: str) -> SignIn:
    password = secrets.token_urlsafe(15)
    with transaction() as session:
        user_id = session.scalars(select(User.id).where(User.username == username)).one()
        passwords.store(session, user_id, hash_password(password), now())
    return SignIn(username, password)


def _watchers(catalog: Catalog) -> Iterator[Wish]:
    """An admin; a supervisor of two of the 50 groups; one of the two largest and of all in no group."""
    base = catalog.base.key
    yield Wish(ADMIN, "The Admin", "admin@bench.example", licenses={base: "admin"})
    for username, own, more in ((SUPERVISOR, GROUPS[10:12], ()), (WIDE, LARGE, ("unassigned",))):
        yield Wish(
            username, "The Supervisor", f"{username}@bench.example", licenses={base: "supervisor"},
            permissions=frozenset({"access", *more}), access=dict.fromkeys(own, AccessLevel.READ),
        )  # fmt: skip


def _people(catalog: Catalog) -> Iterator[Wish]:
    """People without end."""
    chance = random.Random(20260101)
    bases = [catalog.base.named(key) for key in _SHARES]
    number = 0
    while True:
        number += 1
        name, username = _name(chance, number)
        base = chance.choices(bases, list(_SHARES.values()))[0]
        assert base is not None
        situation = _situation(chance, base)
        groups = chance.choices(GROUPS, _WEIGHTS, k=chance.choice((0, 1, 1, 1, 1, 2)))
        yield Wish(
            username, name, f"{username}@bench.example", active=chance.random() >= 0.03,
            licenses=_licenses(chance, catalog, situation),
            contactpad=situation.contactpad if base.contactpad is ContactPadRule.OPTIONAL else None,
            webrtc=situation.webrtc, groups=tuple(sorted(set(groups))),
            last_login=datetime.now(UTC) - timedelta(minutes=chance.expovariate(1 / 4000)),
            last_login_as_of=datetime.now(UTC).date(),
        )  # fmt: skip


def _name(chance: random.Random, number: int) -> tuple[str, str]:
    """A name and a username; the number makes it one of its kind."""
    first, last = chance.choice(_FIRST), chance.choice(_LAST)
    middle = f"{chance.choice(_MIDDLE)}. " if chance.random() < 0.7 else ""
    bare = [text for text in (fold(first), fold(last).replace("'", "")) if text.isascii()]
    stem = chance.choice((".", "_", "-", "")).join(bare) or "u"
    return f"{first} {middle}{last}", f"{stem}{number}"


def _situation(chance: random.Random, base: LicenseType) -> Situation:
    contactpad = base.contactpad is ContactPadRule.ALWAYS
    if base.contactpad is ContactPadRule.OPTIONAL:
        contactpad = chance.random() < 0.4
    return Situation(base, contactpad, contactpad and chance.random() < 0.6)


def _licenses(chance: random.Random, catalog: Catalog, situation: Situation) -> dict[str, str]:
    """The base license, and now and then one of each product that fits it."""
    licenses = {catalog.base.key: situation.base.key}
    for kind in catalog.types.values():
        if (
            kind.product not in licenses
            and not ineligible(kind, situation, catalog)
            and chance.random() < 0.4
        ):
            licenses[kind.product] = kind.key
    return licenses
