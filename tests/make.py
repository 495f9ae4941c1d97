"""``make``: contracts, users and passwords for tests, by the operations that the app itself uses.

Each method has defaults, so that a test names only what it is about. Nothing here writes a row by
hand: what a test starts from is what the app could have come to.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count
from typing import Any

from flask import current_app
from sqlalchemy import select

from webapp import database
from webapp.licensing import contracts, groups, ledger, passwords, people, users
from webapp.licensing.contracts import Line
from webapp.licensing.history import Act, Clock
from webapp.licensing.record import Wish
from webapp.licensing.visibility import OPERATOR
from webapp.models import Group, User
from webapp.web.passwords import hash_password
from webapp.words import AccessLevel

PLENTY = 10_000
START = date(2026, 1, 1)


@dataclass(frozen=True)
class Made:
    """A user that was made."""

    id: int
    username: str
    name: str


class Make:
    """See the module. Needs the app's context."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def act(self, clock: Clock | Callable[[], datetime] | None = None) -> Act:
        """The operator's act, by this clock or the real one."""
        if clock is None:
            clock = database.clock()
        elif not isinstance(clock, Clock):
            clock = Clock(clock, database.clock().zone)
        key = current_app.extensions["settings"].chain_key.encode()
        return Act(OPERATOR, "test", clock, key)

    def contract(
        self, lines: Mapping[str, tuple[int, int | None]] | None = None, *,
        starts_on: date = START, act: Act | None = None,
    ) -> None:  # fmt: skip
        """Load ``{"product/type": (contracted, max_overage)}``; no lines given: plenty of every type."""
        with database.transaction() as session:
            types = ledger.read_catalog(session).types
            given = dict.fromkeys(types, (PLENTY, 0)) if lines is None else lines
            loaded = [Line(types[ref], *numbers, starts_on) for ref, numbers in given.items()]
            contracts.load(session, loaded, act or self.act())

    def wish(
        self, username: str | None = None, license: str = "agent", name: str | None = None, *,
        licenses: Mapping[str, str] | None = None, **fields: Any,
    ) -> Wish:  # fmt: skip
        """A wish for one user. ``license`` is the base license; ``licenses`` are those besides."""
        number = next(self._numbers)
        base = ledger.read_catalog(database.db.session()).base
        username = username or f"person.{number:04}"
        email = fields.pop("email", f"{username.replace('@', '.at.')}@company.example")
        all_licenses = {base.key: license, **(licenses or {})}
        return Wish(username, name or f"Person {number:04}", email, licenses=all_licenses, **fields)

    def user(
        self, username: str | None = None, license: str = "agent", name: str | None = None, *,
        confirmed_overage: Collection[str] = (), act: Act | None = None, **fields: Any,
    ) -> Made:  # fmt: skip
        """Create one user; ``fields`` are those of a wish. Without any contract one is made."""
        wish = self.wish(username, license, name, **fields)
        return self._create([wish], confirmed_overage, act)[0]

    def users(
        self, number: int, license: str = "agent", *,
        confirmed_overage: Collection[str] = (), act: Act | None = None, **fields: Any,
    ) -> list[Made]:  # fmt: skip
        """Create so many users alike, in one change."""
        wishes = [self.wish(license=license, **fields) for _ in range(number)]
        return self._create(wishes, confirmed_overage, act)

    def admin(self, username: str | None = None, **fields: Any) -> Made:
        """Create an admin."""
        return self.user(username, "admin", **fields)

    def supervisor(
        self, username: str | None = None, *, read: Collection[str] = (), write: Collection[str] = (),
        permissions: Collection[str] = ("access",), **fields: Any,
    ) -> Made:  # fmt: skip
        """Create a supervisor who reads and writes the users of these groups (P2)."""
        access = dict.fromkeys(read, AccessLevel.READ) | dict.fromkeys(write, AccessLevel.WRITE)
        return self.user(
            username, "supervisor", permissions=frozenset(permissions), access=access, **fields
        )  # fmt: skip

    def group(self, name: str, *, act: Act | None = None) -> int:
        """Create a group; its id."""
        with database.transaction() as session:
            groups.create(session, name, act or self.act())
            return session.scalars(select(Group.id).where(Group.key == people.group_key(name))).one()

    def password(self, username: str) -> str:
        """Give a user a password, and return it."""
        password = f"the password of {username}"
        password_hash = hash_password(password)
        with database.transaction() as session:
            user_id = session.scalars(select(User.id).where(User.username == username)).one()
            passwords.store(session, user_id, password_hash, database.now())
        return password

    def _create(self, wishes: list[Wish], confirmed: Collection[str], act: Act | None) -> list[Made]:
        if not contracts.standing_lines(database.db.session()):
            self.contract()
        with database.transaction() as session:
            done = users.create(session, wishes, act or self.act(), confirmed_overage=confirmed)
        made = zip(done.user_ids, wishes, strict=True)
        return [Made(user_id, wish.username, wish.name) for user_id, wish in made]
