"""Groups carry visibility (P2): who is in them, and which supervisors read or write them."""

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, Folded, word
from webapp.words import AccessLevel


class Group(Base):
    """A set of users. Its name is unique ignoring case."""

    __tablename__ = "group"
    __table_args__ = ({"sqlite_autoincrement": True},)  # an old form must not mean a newer group by its id

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Folded, unique=True)


class Membership(Base):
    """A user in a group.

    The two folds repeat the user's, so that a group's members are read in list order straight from an index.
    """

    __tablename__ = "membership"
    __table_args__ = (
        Index("ix_membership_group_order", "group_id", "name_fold", "username_fold", "user_id"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("group.id"), primary_key=True)
    name_fold: Mapped[str] = mapped_column(Folded)
    username_fold: Mapped[str] = mapped_column(Folded)


class GroupAccess(Base):
    """A supervisor's access to the users of a group."""

    __tablename__ = "group_access"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("group.id"), primary_key=True, index=True)
    level: Mapped[AccessLevel] = mapped_column(word(AccessLevel))
