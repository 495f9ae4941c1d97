"""``demo``: the worked example in a database of its own, made afresh at each start.

The figures stand in the catalog file beside what they are of; the people are made up here and
created through the same plan and writer as everyone else. The passwords are new each time.
"""

import os
import random
import secrets
import socket
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import cycle

import click
from flask_migrate import upgrade

from webapp import resources
from webapp.commands import start
from webapp.commands.address import in_url, is_every_address, listening_address, own_addresses
from webapp.commands.common import catalog_file, operator_act
from webapp.commands.serve import run_server
from webapp.database import now, transaction
from webapp.licensing import contracts, passwords, users
from webapp.licensing.catalog import Catalog, Demo, LicenseType
from webapp.licensing.eligibility import Situation, ineligible
from webapp.licensing.installation import load_catalog
from webapp.licensing.ledger import read_catalog
from webapp.licensing.people import fold
from webapp.licensing.record import Wish
from webapp.settings import PREFIX, is_loopback, plain_host, read_settings
from webapp.words import AccessLevel, ContactPadRule, Role

_GROUPS = ("Billing", "Retention", "Floor 2", "Night shift", "Technical L1", "Technical L2")
_FIRST = (
    "Aisha Alan Amara Andre Anika Arjun Beatriz Björn Chiara Chloé Dalia Daniel Đorđe Elif Emeka "
    "Fatima Fen Gabriel Grace Hana Hugo Ines Isabel Ivo Jamal Jun Karin Kofi Lars Leila Łukasz "
    "Małgorzata Mei Milan Nadia Noor Olu Omar Pavel Priya Quentin Rania Rosa Saeed Siobhán Søren "
    "Tariq Tomás Uma Valentina Wei Ximena Yara Yusuf Zoë Ödön محمد 美咲"
).split()
_LAST = (
    "Adeyemi Bello Castillo Costa Dubois Eriksen Fischer Gómez Haddad Ibrahim Jansen Kovač Larsen "
    "Llewellyn Mehta Mendes Nguyen Nuñez Nwosu Okafor O'Brien Petrov Quiroga Rossi Sharma Smith "
    "Söderström Tanaka Ueda Vargas Whitmore Wójcik Xu Yilmaz Zhou"
).split()


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--users", "more", default=0, type=click.IntRange(0, 2_000_000), metavar="N",
              help="Add N made-up users without a role, and contract for them.")  # fmt: skip
def demo(host: str, port: int, more: int) -> None:
    """Try License Desk on made-up people; everything is made afresh at each start."""
    from webapp.factory import create_app

    start.refuse_debugging()
    address = listening_address(host, port)  # before the database of another demo there is thrown away
    names = _host_names(host)
    _set_environment(port, names)
    app = create_app(read_settings())
    with app.app_context():
        upgrade()
        for line in _fill(more):
            click.echo(line)
    run_server(address, port, workers=2, name=in_url(names[0]))


def _host_names(host: str) -> list[str]:
    """The names under which browsers may open it; first the one that those of other machines can."""
    if is_loopback(host):
        return ["localhost"]
    reached = [*own_addresses(), socket.gethostname()] if is_every_address(host) else [host]
    return [*reached, socket.gethostname(), "localhost", "127.0.0.1"]


def _set_environment(port: int, names: list[str]) -> None:
    """The demo's own database and secrets; its workers read them from the environment."""
    folder = resources.data_folder()
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"demo-{port}.db"
    for suffix in ("", "-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    os.environ[f"{PREFIX}DATABASE_URL"] = f"sqlite:///{file}"
    os.environ[f"{PREFIX}SECRET_KEY"] = secrets.token_urlsafe(48)
    os.environ[f"{PREFIX}CHAIN_KEY"] = secrets.token_urlsafe(48)
    os.environ[f"{PREFIX}ALLOW_INSECURE_HTTP"] = "1"
    os.environ.setdefault(f"{PREFIX}ORGANIZATION", "Northwind Support")
    if len(names) > 1:
        hosts = filter(None, dict.fromkeys(plain_host(in_url(name)) for name in names))
        os.environ.setdefault(f"{PREFIX}TRUSTED_HOSTS", ",".join(hosts))
    click.echo(f"Database: {file}")


def _fill(more: int) -> Iterator[str]:
    """Catalog, contract, people; yields the lines with the two sign-ins."""
    from webapp.web.passwords import hash_password

    source = catalog_file(read_settings())
    figures = {ref: kind.demo for ref, kind in source.types.items()}
    with transaction() as session:
        load_catalog(session, source, operator_act())
        catalog = read_catalog(session)
        plain = next((t for t in catalog.base.types if t.role is Role.NONE), catalog.base.types[0])
        contracts.load(session, _lines(catalog, figures, plain, more), operator_act())
        wishes = list(_people(catalog, figures, plain, more))
        done = users.create(session, wishes, operator_act())
        for role in (Role.ADMIN, Role.SUPERVISOR):
            place = next((i for i, u in enumerate(done.plan.users) if u.after.role is role), None)
            if place is not None:
                password = secrets.token_urlsafe(16)
                passwords.store(session, done.user_ids[place], hash_password(password), now())
                yield f"{role} {done.plan.users[place].after.username} {password}"


def _lines(catalog: Catalog, figures: dict[str, Demo], plain: LicenseType, more: int) -> list[contracts.Line]:
    return [
        contracts.Line(
            kind, figures[ref].contracted + (more if kind == plain else 0),
            figures[ref].max_overage, date(2026, 1, 1),
        )
        for ref, kind in catalog.types.items()
    ]  # fmt: skip


def _people(catalog: Catalog, figures: dict[str, Demo], plain: LicenseType, more: int) -> Iterator[Wish]:
    """As many people as the figures say, each product license given to whoever may hold it."""
    chance = random.Random(20260101)  # noqa: S311 - made-up people, the same at every start
    left = {ref: demo.assigned for ref, demo in figures.items()}
    names = _names(chance)
    bases = [kind for kind in catalog.base.types for _ in range(figures[kind.ref].assigned)]
    bases.sort(key=lambda kind: kind.role is Role.NONE)  # roles first: they get the sign-ins
    access_given = False
    for base in (*bases, *(plain for _ in range(more))):
        name, username = next(names)
        optional = base.contactpad is ContactPadRule.OPTIONAL
        contactpad = chance.random() < 0.4 if optional else None
        has_it = bool(contactpad) or base.contactpad is ContactPadRule.ALWAYS
        now_ = Situation(base, has_it, has_it and chance.random() < 0.6)
        licenses = {catalog.base.key: base.key}
        for kind in catalog.types.values():
            fits = kind.product not in licenses and not ineligible(kind, now_, catalog)
            if fits and left[kind.ref] and chance.random() < 0.75:
                licenses[kind.product] = kind.key
                left[kind.ref] -= 1
        groups = tuple(sorted(chance.sample(_GROUPS, chance.choice((0, 1, 1, 1, 1, 2)))))
        first_supervisor = base.role is Role.SUPERVISOR and not access_given
        access_given |= first_supervisor
        yield Wish(
            username, name, f"{username}@northwind.example", licenses=licenses,
            contactpad=contactpad, webrtc=now_.webrtc,
            groups=(_GROUPS[0],) if first_supervisor else groups,
            permissions=frozenset({"access", "create", "edit"}) if first_supervisor else None,
            access={_GROUPS[0]: AccessLevel.WRITE} if first_supervisor else None,
            last_login=_last_sign_in(chance),
            last_login_as_of=datetime.now(UTC).date(),
        )  # fmt: skip


def _names(chance: random.Random) -> Iterator[tuple[str, str]]:
    """Names with usernames in the styles that real files have; numbered once they repeat."""
    pairs = [(first, last) for first in _FIRST for last in _LAST]
    chance.shuffle(pairs)
    used: set[str] = set()
    for number, (first, last) in enumerate(cycle(pairs)):
        bare = fold(first), fold(last).replace("'", "")
        style = ("{0}.{1}", "{0[0]}{1}", "{0}_{1}", "{0}-{1}")[number % 4] if bare[0].isascii() else "u.{1}"
        username = stem = style.format(*bare)
        if username in used:
            username = f"{stem}{number}"
        used.add(username)
        yield f"{first} {last}", username


def _last_sign_in(chance: random.Random) -> datetime | None:
    if chance.random() < 0.05:
        return None
    return datetime.now(UTC) - timedelta(minutes=chance.expovariate(1 / 4000))
