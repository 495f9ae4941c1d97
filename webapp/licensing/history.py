"""The change log: who did what, when, from which door; append-only and chained.

Each change's hash covers its row, its entries and the hash before it, under a key that is not in
the database. Written in the same transaction as what it tells, never apart from it.
"""

import hashlib
import hmac
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from webapp.licensing.rights import Actor
from webapp.models import ChainHead, Change, ChangeEntry


@dataclass(frozen=True)
class Clock:
    """The clock a door hands in, and the zone in which a day begins at midnight."""

    read: Callable[[], datetime]
    zone: tzinfo

    def day(self, moment: datetime) -> date:
        """The day of a moment, for contract lines."""
        return moment.astimezone(self.zone).date()

    def today(self) -> date:
        """The day of now."""
        return self.day(self.read())


@dataclass(frozen=True)
class Act:
    """Who acts, through which door, by which clock, the key that seals the change, and of a page:
    under which sign-in, from which address and with which form (``op_id``). ``proved``: whether the actor
    typed their password lately, without which nobody's rights are changed.
    """

    actor: Actor
    door: str
    clock: Clock
    chain_key: bytes
    sign_in_id: int | None = None
    address: str | None = None
    op_id: str | None = None
    proved: bool = True


@dataclass(frozen=True)
class Entry:
    """One difference. ``subject``: a username, a license type's ref or a group's name, as it was."""

    user_id: int | None
    subject: str
    subject_name: str
    field: str
    old: str | None
    new: str | None
    cause: str | None = None


@dataclass(frozen=True)
class Head:
    """The last change, locked until the transaction ends."""

    seq: int
    hash: str
    at: datetime | None


def lock_head(session: Session) -> Head:
    """Lock the chain, last in the lock order: from here to the commit, one writer at a time (S5)."""
    row = session.execute(select(ChainHead.seq, ChainHead.hash, ChainHead.at).with_for_update()).one()
    return Head(row.seq, row.hash, row.at)


def newest(session: Session) -> int:
    """The number of the last change."""
    return session.scalars(select(ChainHead.seq)).one()


_NEWEST_HASH = select(ChainHead.hash)  # asked for every page, so built once


def newest_hash(session: Session) -> str:
    """The hash of the last change: what was read under it is true until the next, also after a restore."""
    return session.connection().execute(_NEWEST_HASH).scalar_one()


def append(
    session: Session, head: Head, moment: datetime, act: Act, entries: Sequence[Entry],
    cause: str | None = None,
) -> int:  # fmt: skip
    """Write one change after ``head`` and return its number."""
    row = {
        "seq": head.seq + 1, "at": moment, "actor_id": act.actor.id, "actor": act.actor.username,
        "door": act.door, "sign_in_id": act.sign_in_id, "address": act.address, "request_id": None,
        "op_id": act.op_id,
        "cause": cause, "key_id": key_id(act.chain_key),
    }  # fmt: skip
    digest = seal(act.chain_key, head.hash, list(row.values()), map(astuple, entries))
    session.execute(insert(Change).values(**row, hash=digest))
    if entries:
        session.execute(
            insert(ChangeEntry),
            [
                {"change_seq": row["seq"], "position": position, **vars(entry)}
                for position, entry in enumerate(entries)
            ],
        )
    session.execute(update(ChainHead).values(seq=row["seq"], hash=digest, at=moment))
    return head.seq + 1


def seal(key: bytes, before: str, row: Sequence[object], entries: Iterable[Sequence[object]]) -> str:
    """HMAC-SHA-256 over the hash before, the row, and each entry with its position, as JSON lines."""
    mac = hmac.new(key, before.encode(), hashlib.sha256)
    mac.update(_line(row))
    for position, entry in enumerate(entries):
        mac.update(_line([position, *entry]))
    return mac.hexdigest()


@dataclass(frozen=True)
class Broken:
    """The first change that is not as it was written, and what is wrong with it."""

    seq: int
    why: str


def verify(session: Session, key: bytes) -> Broken | None:
    """Compute the whole chain anew; None if every change is as it was written."""
    before, expected = "", 1
    for change in _changes(session):
        wrong = _wrong(change.row, change.entries, expected, before, key)
        if wrong:
            return Broken(expected, wrong)
        before, expected = change.row.hash, expected + 1
    head = session.execute(select(ChainHead.seq, ChainHead.hash)).one()
    if head.seq != expected - 1:
        return Broken(min(head.seq + 1, expected), "is missing, or was added past the last one")
    return None if head.hash == before else Broken(head.seq, "is not the one the chain ended with")


def hash_of(session: Session, seq: int) -> str | None:
    """The hash of one change, to be compared with one that was noted elsewhere."""
    return session.scalar(select(Change.hash).where(Change.seq == seq))


@dataclass(frozen=True)
class _Stored:
    """A change as the database has it."""

    row: Row[Any]
    entries: list[Row[Any]]


def _changes(session: Session, at_once: int = 500) -> Iterator[_Stored]:
    """All changes in their order, read piece by piece."""
    entry = ChangeEntry.__table__.c
    last = -(2**31)
    while True:
        piece = select(Change.__table__).where(Change.seq > last).order_by(Change.seq).limit(at_once)
        rows = session.execute(piece).all()
        if not rows:
            return
        entries: dict[int, list[Row[Any]]] = defaultdict(list)
        for found in session.execute(
            select(ChangeEntry.__table__)
            .where(entry.change_seq > last, entry.change_seq <= rows[-1].seq)
            .order_by(entry.change_seq, entry.position)
        ):
            entries[found.change_seq].append(found)
        yield from (_Stored(row, entries[row.seq]) for row in rows)
        last = rows[-1].seq


def _wrong(row: Row[Any], entries: list[Row[Any]], expected: int, before: str, key: bytes) -> str | None:
    """What is wrong with a change that should have this number and follow this hash."""
    if row.seq != expected:
        return "is missing"
    if row.key_id != key_id(key):
        return f"was sealed with another key ({row.key_id})"
    if [entry.position for entry in entries] != list(range(len(entries))):
        return "lacks an entry, or has one too many"
    values: list[object] = list(row)
    sealed = values.pop()
    told = ([e.user_id, e.subject, e.subject_name, e.field, e.old, e.new, e.cause] for e in entries)
    return None if seal(key, before, values, told) == sealed else "was changed after it was written"


def key_id(key: bytes) -> str:
    """A name for the key that tells nothing about it; each row names the key that sealed it."""
    return hashlib.sha256(b"license-desk chain key:" + key).hexdigest()[:12]


def _line(values: Sequence[object]) -> bytes:
    plain = [value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value for value in values]
    return b"\n" + json.dumps(plain, separators=(",", ":")).encode()
