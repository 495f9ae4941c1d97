"""People who hold licenses, and what an archived one is to get back."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text, column, table, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, Folded, Moment, WordSet

_THERE = text("deleted_at IS NULL")


class User(Base):
    """A person. ``version`` grows with every change of user, licenses, groups or permissions.

    ``base_type_id`` repeats the base license held (or, archived, the one in the offer), so that
    who may see whom (P2) is one condition on this row; ``unassigned`` says that they are in no group,
    so that these need not be looked for among all. Only the one writer sets both; ``recount`` compares
    them with the holdings and memberships. One deleted (``deleted_at``) keeps only the row, for past
    figures: the personal columns are empty, and nobody views them any more.
    """

    __tablename__ = "user"
    __table_args__ = (
        CheckConstraint("contactpad OR NOT webrtc", name="webrtc_needs_contactpad"),
        Index("ix_user_order", "name_fold", "username_fold", sqlite_where=_THERE, postgresql_where=_THERE),
        Index("ix_user_username", "username_fold", "name_fold"),
        Index(
            "ix_user_archived_order",
            "name_fold",
            "username_fold",
            sqlite_where=text("active = 0 AND deleted_at IS NULL"),
            postgresql_where=text("NOT active AND deleted_at IS NULL"),
        ),
        Index(
            "ix_user_unassigned_order",
            "name_fold",
            "username_fold",
            sqlite_where=text("unassigned = 1 AND deleted_at IS NULL"),
            postgresql_where=text("unassigned AND deleted_at IS NULL"),
        ),
        Index(
            "ix_user_deleted",
            "id",
            sqlite_where=text("deleted_at IS NOT NULL"),
            postgresql_where=text("deleted_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    sso_external_id: Mapped[str | None] = mapped_column(Text, unique=True)
    active: Mapped[bool]
    base_type_id: Mapped[int] = mapped_column(ForeignKey("license_type.id"), index=True)
    contactpad: Mapped[bool]
    webrtc: Mapped[bool]
    agent_id: Mapped[str | None] = mapped_column(Text, unique=True)
    permissions: Mapped[frozenset[str]] = mapped_column(WordSet)
    last_login: Mapped[datetime | None] = mapped_column(Moment)
    last_login_as_of: Mapped[date | None]
    name_fold: Mapped[str] = mapped_column(Folded)
    username_fold: Mapped[str] = mapped_column(Folded, unique=True)
    version: Mapped[int] = mapped_column(default=1)
    unassigned: Mapped[bool]
    deleted_at: Mapped[datetime | None] = mapped_column(Moment)


# Trigrams of both folds, kept by triggers: who has these letters anywhere. SQLite alone; PostgreSQL has
# an index of the same kind on the user table. An entry's number is the place of its user's name and the id.
user_search = table("user_search", column("rowid", BigInteger), column("user_search", Text))
_ID_BITS = 28
SEARCH_IDS = (1 << _ID_BITS) - 1  # the part of an entry's number that is the id


def search_place(name_fold: str) -> int:
    """The least number of an entry of this name: nearly in the list's order, for seven letters only.

    It grows from name to name or stays as it is. The triggers reckon the same: a space is 1, a letter from
    a to z 3 to 28; of another sign it only counts whether it comes before or after these, and none behind it.
    """
    place, goes_on = 0, True
    for sign in name_fold[:7].ljust(7, "\0"):
        place = place << 5 | (_worth(sign) if goes_on else 0)
        goes_on = goes_on and (sign == " " or "a" <= sign <= "z")
    return place << _ID_BITS


def _worth(sign: str) -> int:
    if "a" <= sign <= "z":
        return ord(sign) - ord("a") + 3
    return 29 if sign > "z" else 2 if sign > " " else 1 if sign == " " else 0


class Offer(Base):
    """One license an archived user is to be offered when reactivated; holds no seat (S1).

    The two folds repeat the user's, so that who is offered a license is read in list order straight from
    an index.
    """

    __tablename__ = "offer"
    __table_args__ = (
        Index("ix_offer_type_order", "license_type_id", "name_fold", "username_fold", "user_id"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    license_type_id: Mapped[int] = mapped_column(ForeignKey("license_type.id"), primary_key=True)
    name_fold: Mapped[str] = mapped_column(Folded)
    username_fold: Mapped[str] = mapped_column(Folded)
