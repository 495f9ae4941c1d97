"""What the database says: the change log as it is stored, and all other rows as books to compare with the model's."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from tests.checking import model
from tests.checking.model import Books, Change, Fields, joined
from webapp import models

ON = {True: "on", False: None}


def changes(session: Session, after: int = 0) -> Iterator[Change]:
    """The changes after a number, in order."""
    entries = defaultdict(list)
    entry = models.ChangeEntry.__table__
    for row in session.execute(
        select(entry).where(entry.c.change_seq > after).order_by(entry.c.change_seq, entry.c.position)
    ):
        entries[row.change_seq].append(row)
    change = models.Change.__table__
    for row in session.execute(select(change).where(change.c.seq > after).order_by(change.c.seq)):
        yield Change(row.seq, row.at, row.door, row.op_id, row.cause, tuple(entries[row.seq]))


def books(session: Session) -> Books:
    """All other rows."""
    found = Books()
    products = {row.id: row.key for row in _all(session, models.Product)}
    refs = {row.id: f"{products[row.product_id]}/{row.key}" for row in _all(session, models.LicenseType)}
    names = {row.id: row.name for row in _all(session, models.Group)}
    head = _all(session, models.ChainHead)[0]
    found.seq, found.at, found.groups = head.seq, head.at, set(names.values())
    for row in _all(session, models.User):
        found.people[row.id] = _person(row)
        found.versions[row.id] = row.version
    groups, access = defaultdict(set), defaultdict(set)
    for row in _all(session, models.Membership):
        groups[row.user_id].add(names[row.group_id])
    for row in _all(session, models.GroupAccess):
        access[row.user_id].add(f"{names[row.group_id]}:{row.level}")
    for name, sets in (("groups", groups), ("access", access)):
        for user, some in sets.items():
            found.people[user][name] = joined(some)
    for row in _all(session, models.Offer):
        product, _, key = refs[row.license_type_id].partition("/")
        found.people[row.user_id][f"offer_{product}"] = key
    for row in _all(session, models.Holding):
        ref = refs[row.license_type_id]
        found.holdings.add((row.user_id, ref, row.opened_by, row.closed_by, row.starts_at, row.ends_at))
        if row.ends_at is None:
            product, _, key = ref.partition("/")
            found.people[row.user_id][f"license_{product}"] = key
    for row in _all(session, models.Pool):
        found.assigned[refs[row.license_type_id]] = row.assigned
    for row in _all(session, models.ContractLine):
        line = (row.contracted, row.max_overage, row.starts_on, row.opened_by, row.superseded_at)
        found.lines.add(model.Line(refs[row.license_type_id], *line))
    for row in _all(session, models.User):
        person = found.people[row.id]
        base = person.get("license_vcc", person.get("offer_vcc"))
        if row.deleted_at is None and refs[row.base_type_id] != f"vcc/{base}":
            person["base"] = refs[row.base_type_id]  # the model has no such field: a difference
    return found


def _person(row: Row[Any]) -> Fields:
    """A user's own row, each field as the log tells it. Of whom is deleted nothing is left but a mark."""
    if row.deleted_at is not None:
        left = {
            name: getattr(row, name)
            for name in ("name", "email", "sso_external_id", "agent_id", "last_login")
        }
        marked = {"username": row.username, "status": "deleted"}
        return marked | {name: f"{value}" for name, value in left.items() if value}
    seen = ""
    if row.last_login:
        as_of = f", as of {row.last_login_as_of}" if row.last_login_as_of else ""
        seen = f"{row.last_login.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}{as_of}"
    told = {
        "username": row.username, "status": "active" if row.active else "archived", "name": row.name,
        "email": row.email, "sso_external_id": row.sso_external_id, "contactpad": ON[row.contactpad],
        "webrtc": ON[row.webrtc], "agent_id": row.agent_id, "permissions": ";".join(sorted(row.permissions)),
        "last_login": seen,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value}


def _all(session: Session, table: type[models.Base]) -> list[Row[Any]]:
    return list(session.execute(select(table.__table__)))
