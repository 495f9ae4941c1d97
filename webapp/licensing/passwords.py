"""Setting a password: by a link that works once, or knowing the one before.

Nobody sees or picks another's password: an admin or the command line makes a link, and whoever it is for
sets the password with it. Each step is a change of the log, which never holds a password, a token or a
hash of one. How a password is hashed, and which are too weak, is said in ``web.passwords``.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from webapp.licensing import assignment, history, people, sign_ins
from webapp.licensing.errors import LicensingError, NotAllowedError, NotThereError, Problem, StaleError
from webapp.licensing.history import Act, Entry
from webapp.licensing.record import Record
from webapp.licensing.rights import can_sign_in, is_self
from webapp.licensing.users import acting, editable
from webapp.licensing.visibility import read_actor
from webapp.models import Credential, PasswordLink, User

GOOD_FOR = timedelta(hours=24)


@dataclass(frozen=True)
class State:
    """When a user last set a password, and until when their link is good; None: there is none."""

    set_at: datetime | None
    link_ends_at: datetime | None
    link_hash: str | None

    def is_link(self, token: str) -> bool:
        """Whether this is the token of their link."""
        return self.link_hash == sign_ins.hash_of(token)


@dataclass(frozen=True)
class Guest:
    """Whose link it is."""

    id: int
    username: str
    name: str


def state(session: Session, username: str) -> State:
    """What there is to sign in with."""
    row = session.execute(
        select(Credential.set_at, PasswordLink.ends_at, PasswordLink.token_hash)
        .select_from(User)
        .outerjoin(Credential, Credential.user_id == User.id)
        .outerjoin(PasswordLink, PasswordLink.user_id == User.id)
        .where(User.username_fold == people.fold(username))
    ).one_or_none()
    return State(*row) if row else State(None, None, None)


def make_link(session: Session, username: str, act: Act, *, version: int | None = None) -> str:
    """Make a user's link and return its token; a link they had before ends (P3: admins alone).

    ``version``: of the record it was asked for; None: the one there is. Raises LicensingError if they
    couldn't sign in with it (P1) or it is one's own, NotThereError and NotAllowedError by the actor's
    rights, StaleError if somebody else saved the user meanwhile.
    """
    locks = assignment.lock(session, act)
    act = acting(session, act)
    user = editable(session, username, act)
    if not act.actor.is_admin:
        raise NotAllowedError
    if version is not None and user.version != version:
        raise StaleError(user)
    if not act.proved:
        raise LicensingError([Problem("password_asked", "password_link")])
    if is_self(act.actor, user):
        raise LicensingError([Problem("link_own", "form")])
    if not can_sign_in(user):
        raise LicensingError([Problem("link_useless", "form", {"name": user.name})])
    token, ends_at = sign_ins.new_token(), locks.moment + GOOD_FOR
    session.execute(delete(PasswordLink).where(PasswordLink.user_id == user.id))
    session.execute(
        insert(PasswordLink).values(user_id=user.id, token_hash=sign_ins.hash_of(token), ends_at=ends_at)
    )
    until = f"until {ends_at.astimezone(UTC):%Y-%m-%dT%H:%MZ}"
    history.append(session, locks.head, locks.moment, act, [_entry(user, "password_link", None, until)])
    return token


def guest(session: Session, token: str, moment: datetime) -> Guest | None:
    """Whose link this is, if it is good and they may sign in."""
    row = session.execute(
        select(User.id, User.username, User.name)
        .join(PasswordLink, PasswordLink.user_id == User.id)
        .where(PasswordLink.token_hash == sign_ins.hash_of(token), PasswordLink.ends_at > moment)
    ).one_or_none()
    return Guest(*row) if row and read_actor(session, row.id) else None


def set_by_link(session: Session, token: str, password_hash: str, act: Act) -> int:
    """Set the password of whoever the link is for; the link and all their sign-ins end. Their id.

    Raises NotThereError if the link is not good any more: of two at once, one.
    """
    locks = assignment.lock(session, act)
    found = guest(session, token, locks.moment)
    actor = read_actor(session, found.id) if found else None
    if found is None or actor is None:
        raise NotThereError
    session.execute(delete(PasswordLink).where(PasswordLink.user_id == found.id))
    _set(session, found, password_hash, replace(act, actor=actor), locks, but=None)
    return found.id


def change(session: Session, password_hash: str, before: str, act: Act) -> None:
    """Change one's own password; all one's other sign-ins end.

    ``before``: the hash against which the present password was checked. Raises NotAllowedError if it is
    not the present one any more, or they can't sign in any more.
    """
    locks = assignment.lock(session, act)
    act = acting(session, act)
    assert act.actor.id is not None
    if stored_hash(session, act.actor.id) != before:
        raise NotAllowedError
    me = Guest(act.actor.id, act.actor.username, act.actor.name)
    session.execute(delete(PasswordLink).where(PasswordLink.user_id == me.id))
    _set(session, me, password_hash, act, locks, but=act.sign_in_id)


def _set(
    session: Session, who: Guest, password_hash: str, act: Act, locks: assignment.Locks, *, but: int | None
) -> None:
    was = session.scalar(select(func.count()).where(Credential.user_id == who.id))
    store(session, who.id, password_hash, locks.moment)
    sign_ins.end_all(session, [who.id], locks.moment, but=but)
    entry = Entry(who.id, who.username, who.name, "password", "set" if was else None, "set anew")
    history.append(session, locks.head, locks.moment, act, [entry])


def store(session: Session, user_id: int, password_hash: str, moment: datetime) -> None:
    """Keep a password's hash as the one that is good from now on."""
    session.execute(delete(Credential).where(Credential.user_id == user_id))
    session.execute(insert(Credential).values(user_id=user_id, password_hash=password_hash, set_at=moment))


def renew_hash(session: Session, user_id: int, before: str, password_hash: str) -> None:
    """The same password, hashed at today's cost."""
    same = update(Credential).where(Credential.user_id == user_id, Credential.password_hash == before)
    session.execute(same.values(password_hash=password_hash))


def stored_hash(session: Session, user_id: int, *, lock: bool = False) -> str | None:
    """The hash of a user's password. ``lock``: until the transaction ends nobody changes it."""
    asked = select(Credential.password_hash).where(Credential.user_id == user_id)
    return session.scalar(asked.with_for_update() if lock else asked)


def _entry(user: Record, field: str, old: str | None, new: str) -> Entry:
    return Entry(user.id, user.username, user.name, field, old, new)
