"""What signing in needs: a password's hash, a link to set one, a row for each sign-in, and counted tries.

Of passwords and tokens only hashes are kept: whoever reads these tables can't sign in with them.
"""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, Moment


class Credential(Base):
    """The argon2id hash of a user's password. Nobody without a row can sign in."""

    __tablename__ = "credential"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    password_hash: Mapped[str] = mapped_column(Text)
    set_at: Mapped[datetime] = mapped_column(Moment)


class PasswordLink(Base):
    """The one link with which a user can set a password, once, until it ends. A new one replaces it."""

    __tablename__ = "password_link"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    token_hash: Mapped[str] = mapped_column(Text, unique=True)
    ends_at: Mapped[datetime] = mapped_column(Moment)


class SignIn(Base):
    """A server-side session. Only the hash of its token is kept; ``ended_at`` ends it everywhere.

    ``seen_at``: the last thing its person did, to the minute; ``proved_at``: when they last typed
    their password.
    """

    __tablename__ = "sign_in"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    token_hash: Mapped[str] = mapped_column(Text, unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    address: Mapped[str] = mapped_column(Text)
    agent: Mapped[str] = mapped_column(Text)
    seen_at: Mapped[datetime] = mapped_column(Moment)
    proved_at: Mapped[datetime] = mapped_column(Moment)


class Throttle(Base):
    """Tries of one kind in one stretch of time. ``began``: its first try, in seconds since 1970."""

    __tablename__ = "throttle"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    hits: Mapped[int]
    began: Mapped[int] = mapped_column(BigInteger)
