"""The books as a worker remembers them: what only a change can alter is read once after each.

Nobody gets a license, a group or another name without a change, and every change has a hash that no
other has: what was read under it is true until the next. Pages read through here; nothing that is
written may be decided by it.
"""

from collections.abc import Callable, Hashable
from datetime import date
from typing import Any, TypeVar

from flask import current_app, g
from sqlalchemy.orm import Session

from webapp.database import db
from webapp.licensing import history, ledger, lists
from webapp.licensing.availability import Figures
from webapp.licensing.catalog import Catalog
from webapp.licensing.lists import Filters, InView, PeopleList
from webapp.licensing.visibility import Actor

_MOST = 2000  # readings; of a few kilobytes, the names of sets of groups of some dozens

T = TypeVar("T")


def open_books(newest: str | None = None) -> "Books":
    """The books of this request; others as soon as the transaction that they were read in has ended."""
    session = db.session()
    found: Books | None = g.get("books")
    if found is None or found.transaction is not session.get_transaction():
        found = g.books = Books(session, newest)
    return found


class Books:
    """The books as the session's transaction sees them: what isn't known yet is read.

    ``newest``: the hash of the last change, if this transaction has read it; else that is one query.
    """

    def __init__(self, session: Session, newest: str | None = None) -> None:
        self._session = session
        if newest is None:
            newest = history.newest_hash(session)
        self.transaction = session.get_transaction()
        known: tuple[str, dict[Hashable, Any]] | None = current_app.extensions.get("books")
        if known is None or known[0] != newest or len(known[1]) >= _MOST:
            known = current_app.extensions["books"] = (newest, {})
        self._known = known[1]

    @property
    def catalog(self) -> Catalog:
        """The catalog."""
        return self.once("catalog", lambda: ledger.read_catalog(self._session))

    def figures(self, day: date) -> dict[str, Figures]:
        """Contracted, overage and assigned of every license type on a day, by ref."""
        return self.once(day, lambda: ledger.figures(self._session, self.catalog, day))

    def groups(self, actor: Actor) -> list[tuple[int, str]]:
        """The groups that the actor may read, by name: id and name (P4)."""
        return lists.known_groups(self._session, actor, self.once)

    def in_view(self, filters: Filters, actor: Actor) -> InView:
        """Who is in view of the filters' product and status, whatever the other filters (P4)."""
        return self.once(
            ("in view", filters.product.id, filters.status, lists.viewer(actor)),
            lambda: lists.in_view(self._session, filters, actor, self.once),
        )

    def people(self, filters: Filters, actor: Actor, *, besides: bool = False) -> PeopleList:
        """The list of those who fit. How many they are is remembered, not who.

        ``besides``: its rows tell the other licenses.
        """
        return PeopleList(self._session, filters, actor, self.once, besides=besides)

    def once(self, what: Hashable, read: Callable[[], T]) -> T:
        """What is known under this name, read if it is not."""
        if what not in self._known:
            self._known[what] = read()
        found: T = self._known[what]
        return found
