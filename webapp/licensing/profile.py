"""One user with all that is known of them, as far as the actor may view it (P2, P4, P5). Reads only."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.licensing.visibility import Actor, find, visible, visible_groups
from webapp.models import (
    Change,
    ChangeEntry,
    Group,
    GroupAccess,
    Holding,
    LicenseType,
    Membership,
    Offer,
    User,
)
from webapp.words import AccessLevel

SOMEONE = "someone outside your view"


@dataclass(frozen=True)
class Held:
    """A license held since a moment, and who gave it; offered to an archived user: neither.

    Who is out of the actor's view is not named (P4); the command line's operator is no user.
    """

    license_type_id: int
    since: datetime | None = None
    by: str | None = None


@dataclass(frozen=True)
class Profile:
    """A user. ``groups`` and ``access`` are those that the actor may read (P4)."""

    username: str
    name: str
    email: str
    sso_external_id: str | None
    active: bool
    contactpad: bool
    webrtc: bool
    agent_id: str | None
    permissions: frozenset[str]
    last_login: datetime | None
    last_login_as_of: date | None
    licenses: tuple[Held, ...]
    groups: tuple[str, ...]
    access: tuple[tuple[str, AccessLevel], ...]


def read(session: Session, username: str, actor: Actor) -> Profile | None:
    """The user of this name, case ignored; None if there is none in view (P5)."""
    found = find(session, username, actor)
    if found is None:
        return None
    user = session.execute(select(User.__table__).where(User.id == found)).one()
    return Profile(
        user.username, user.name, user.email, user.sso_external_id, user.active, user.contactpad,
        user.webrtc, user.agent_id, user.permissions, user.last_login, user.last_login_as_of,
        _held(session, user.id, actor) if user.active else _offered(session, user.id),
        tuple(session.scalars(
            select(Group.name).join(Membership, Membership.group_id == Group.id)
            .where(Membership.user_id == user.id, visible_groups(actor)).order_by(Group.key)
        )),
        tuple((row.name, row.level) for row in session.execute(
            select(Group.name, GroupAccess.level).join(GroupAccess, GroupAccess.group_id == Group.id)
            .where(GroupAccess.user_id == user.id, visible_groups(actor)).order_by(Group.key)
        )),
    )  # fmt: skip


def username_of(session: Session, user_id: int) -> str:
    """The username of this user."""
    return session.scalars(select(User.username).where(User.id == user_id)).one()


def changed_last_by(session: Session, user_id: int | None, actor: Actor) -> bool:
    """Whether the last change of this user was the actor's own."""
    last = (
        select(Change.actor_id)
        .join(ChangeEntry, ChangeEntry.change_seq == Change.seq)
        .where(ChangeEntry.user_id == user_id)
        .order_by(ChangeEntry.change_seq.desc())
        .limit(1)
    )
    return actor.id is not None and session.scalar(last) == actor.id


def _held(session: Session, user_id: int, actor: Actor) -> tuple[Held, ...]:
    rows = session.execute(
        select(Holding.license_type_id, Holding.starts_at, Change.actor_id, Change.actor)
        .join(Change, Change.seq == Holding.opened_by)
        .join(LicenseType, LicenseType.id == Holding.license_type_id)
        .where(Holding.user_id == user_id, Holding.ends_at.is_(None))
        .order_by(LicenseType.position)
    ).all()
    known = set(session.scalars(
        select(User.id).where(User.id.in_({row.actor_id for row in rows if row.actor_id}), visible(actor))
    ))  # fmt: skip
    return tuple(
        Held(
            row.license_type_id, row.starts_at,
            row.actor if row.actor_id is None or row.actor_id in known else SOMEONE,
        )
        for row in rows
    )  # fmt: skip


def _offered(session: Session, user_id: int) -> tuple[Held, ...]:
    kinds = session.scalars(
        select(Offer.license_type_id)
        .join(LicenseType, LicenseType.id == Offer.license_type_id)
        .where(Offer.user_id == user_id)
        .order_by(LicenseType.position)
    )
    return tuple(Held(kind) for kind in kinds)
