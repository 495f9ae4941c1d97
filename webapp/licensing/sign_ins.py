"""Sign-ins: who is signed in, since when, until when, and how that ends at once (P1).

A sign-in is a row on the server, read anew at every request. It ends when it is ended, 30 minutes after
the last thing its person did, 12 hours after it began, and as soon as P1 no longer holds. Only the hash
of its token is kept; nothing here knows a cookie.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, bindparam, insert, select, update
from sqlalchemy.orm import Session

from webapp.licensing.rights import Actor
from webapp.licensing.visibility import actor_of
from webapp.models import ChainHead, Group, GroupAccess, LicenseType, SignIn, User
from webapp.words import Role

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
PROOF = timedelta(minutes=30)  # how long a typed password is good for sensitive steps
NOTED = timedelta(minutes=1)  # how exactly it is kept when somebody was last seen


@dataclass(frozen=True)
class Standing:
    """A sign-in that stands, and whose it is with the rights of this moment.

    ``newest``: the hash of the last change, as of this moment too.
    """

    id: int
    actor: Actor
    seen_at: datetime
    proved_at: datetime
    newest: str


@dataclass(frozen=True)
class Device:
    """A sign-in as its person may look at it."""

    id: int
    since: datetime
    seen_at: datetime
    address: str
    agent: str


def hash_of(token: str) -> str:
    """What is kept of a token. It is random and long, so that a fast hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def new_token() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def begin(session: Session, user_id: int, moment: datetime, address: str, agent: str) -> str:
    """Write a sign-in and return its token, which is told nowhere else."""
    token = new_token()
    session.execute(
        insert(SignIn).values(
            user_id=user_id, token_hash=hash_of(token), created_at=moment, seen_at=moment,
            proved_at=moment, address=address[:100], agent=agent[:200],
        )
    )  # fmt: skip
    return token


# Asked at every request, so built once, and once for all of a supervisor's groups.
_STANDING = (
    select(SignIn.id, SignIn.created_at, SignIn.seen_at, SignIn.proved_at,
           User.id.label("user_id"), User.username, User.name, User.permissions, LicenseType.role,
           Group.id.label("group_id"), Group.name.label("group"), GroupAccess.level,
           select(ChainHead.hash).scalar_subquery().label("newest"))
    .join(User, User.id == SignIn.user_id)
    .join(LicenseType, LicenseType.id == User.base_type_id)
    .outerjoin(GroupAccess, and_(GroupAccess.user_id == User.id, LicenseType.role == Role.SUPERVISOR))
    .outerjoin(Group, Group.id == GroupAccess.group_id)
    .where(SignIn.token_hash == bindparam("token_hash"), SignIn.ended_at.is_(None), User.active)
)  # fmt: skip


def read(session: Session, token: str, moment: datetime) -> Standing | None:
    """Whoever this token signs in, if the sign-in still stands and P1 still holds."""
    rows = session.connection().execute(_STANDING, {"token_hash": hash_of(token)}).all()
    row = rows[0] if rows else None
    if row is None or row.created_at <= moment - LONGEST or row.seen_at <= moment - IDLE:
        return None
    access = {(each.group_id, each.group): each.level for each in rows if each.group_id is not None}
    actor = actor_of(row.user_id, row.username, row.name, row.role, row.permissions, access)
    standing = Standing(row.id, actor, row.seen_at, row.proved_at, row.newest)
    return standing if actor.may_sign_in else None


def note_seen(session: Session, sign_in_id: int, moment: datetime) -> None:
    """Its person did something just now."""
    session.execute(update(SignIn).where(SignIn.id == sign_in_id).values(seen_at=moment))


def note_proof(session: Session, sign_in_id: int, moment: datetime) -> None:
    """Its person typed their password just now."""
    session.execute(update(SignIn).where(SignIn.id == sign_in_id).values(proved_at=moment))


def end(session: Session, sign_in_id: int, moment: datetime) -> None:
    """End one sign-in, for every worker at once."""
    _end(session, moment, SignIn.id == sign_in_id)


def end_all(session: Session, user_ids: Sequence[int], moment: datetime, *, but: int | None = None) -> None:
    """End all sign-ins of these users, but for one."""
    _end(session, moment, SignIn.user_id.in_(user_ids), SignIn.id != (but or 0))


def _end(session: Session, moment: datetime, *which: ColumnElement[bool]) -> None:
    session.execute(update(SignIn).where(*which, SignIn.ended_at.is_(None)).values(ended_at=moment))


def of_user(session: Session, user_id: int, moment: datetime) -> list[Device]:
    """Where a user is signed in, the one used last first."""
    rows = session.execute(
        select(SignIn.id, SignIn.created_at, SignIn.seen_at, SignIn.address, SignIn.agent)
        .where(
            SignIn.user_id == user_id, SignIn.ended_at.is_(None),
            SignIn.created_at > moment - LONGEST, SignIn.seen_at > moment - IDLE,
        )
        .order_by(SignIn.seen_at.desc(), SignIn.id.desc())
    )  # fmt: skip
    return [Device(row.id, row.created_at, row.seen_at, row.address, row.agent) for row in rows]


def user_of(session: Session, sign_in_id: int) -> int | None:
    """Whose sign-in this is; None if it does not stand."""
    return session.scalar(select(SignIn.user_id).where(SignIn.id == sign_in_id, SignIn.ended_at.is_(None)))
