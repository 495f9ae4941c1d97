"""The change log: who did what, when, from which door; append-only and chained.

Each change's hash covers its row, its entries and the hash before it, under a key that is not in
the database. Written in the same transaction as what it tells, never apart from it.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime, tzinfo

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from webapp.licensing.visibility import Actor
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
    """Who acts, through which door, by which clock, and the key that seals the change."""

    actor: Actor
    door: str
    clock: Clock
    chain_key: bytes


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
    """The number of the last change: what was read under one number is true until the next."""
    return session.scalars(select(ChainHead.seq)).one()


def append(
    session: Session, head: Head, moment: datetime, act: Act, entries: Sequence[Entry],
    cause: str | None = None,
) -> int:  # fmt: skip
    """Write one change after ``head`` and return its number."""
    row = {
        "seq": head.seq + 1, "at": moment, "actor_id": act.actor.id, "actor": act.actor.username,
        "door": act.door, "sign_in_id": None, "address": None, "request_id": None, "op_id": None,
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


def key_id(key: bytes) -> str:
    """A name for the key that tells nothing about it; each row names the key that sealed it."""
    return hashlib.sha256(b"license-desk chain key:" + key).hexdigest()[:12]


def _line(values: Sequence[object]) -> bytes:
    plain = [value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value for value in values]
    return b"\n" + json.dumps(plain, separators=(",", ":")).encode()
