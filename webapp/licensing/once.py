"""A form that is sent twice has one effect: double taps, Back and resend, a connection that was cut.

Asked first in the transaction of the operation itself, before version and rules: of many at once one
does it, and the others get its answer. A refusal rolls it back, so that a corrected form may use its
number again.
"""

import hashlib
import re
from collections.abc import Iterable

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from webapp.licensing.errors import LicensingError, Problem
from webapp.models import Operation

_OP_ID = re.compile(r"[!-~]{1,100}")

_INSERT = text(
    "INSERT INTO operation (actor_id, op_id, digest, location) "
    "VALUES (:actor_id, :op_id, :digest, :location) ON CONFLICT DO NOTHING"
)


def earlier(session: Session, actor_id: int, op_id: str, digest: str, location: str) -> str | None:
    """Where the same form led before; None if this is the first time.

    Raises LicensingError if the number can't be one, or was used with another body: then with where that led.
    """
    if not _OP_ID.fullmatch(op_id):
        raise LicensingError([Problem("op_shape", "form")])
    row = {"actor_id": actor_id, "op_id": op_id, "digest": digest, "location": location}
    if session.connection().execute(_INSERT, row).rowcount == 1:
        return None
    there = session.execute(
        select(Operation.digest, Operation.location).where(
            Operation.actor_id == actor_id, Operation.op_id == op_id
        )
    ).one()
    if there.digest != digest:
        raise LicensingError([Problem("op_other", "form", {"location": there.location})])
    return str(there.location)


def usable(op_id: str | None) -> str | None:
    """The number, if it can be one."""
    return op_id if op_id and _OP_ID.fullmatch(op_id) else None


def is_known(session: Session, actor_id: int | None, op_id: str) -> bool:
    """Whether a form of this number was done before. Only a reading: ``earlier`` has the last word."""
    there = select(Operation.op_id).where(Operation.actor_id == actor_id, Operation.op_id == op_id)
    return bool(_OP_ID.fullmatch(op_id)) and session.scalar(there) is not None


def led_to(session: Session, actor_id: int | None, op_id: str, digest: str) -> str | None:
    """Where the same form led before; None if it is not known. Only a reading, like ``is_known``."""
    there = select(Operation.location).where(
        Operation.actor_id == actor_id, Operation.op_id == op_id, Operation.digest == digest
    )
    return session.scalar(there) if _OP_ID.fullmatch(op_id) else None


def digest(address: str, fields: Iterable[tuple[str, str]]) -> str:
    """What was sent where, for comparison: the fields sorted, without the token and the number itself.

    And without a password: not even a hash of one may stay here.
    """
    left_out = ("csrf_token", "op_id", "current_password")
    kept = sorted((name, value) for name, value in fields if name not in left_out)
    return hashlib.sha256(repr((address, kept)).encode("utf-8", "surrogatepass")).hexdigest()
