"""The record of changes: append-only, and chained so that tampering shows.

Triggers made by the migration refuse UPDATE, DELETE and re-insert of changes and entries. Only
``licensing.history`` writes these tables.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, Moment


class Change(Base):
    """One applied plan. ``seq`` has no gaps; ``hash`` covers the row, its entries and its forerunner."""

    __tablename__ = "change"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Moment)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    actor: Mapped[str] = mapped_column(Text)
    door: Mapped[str] = mapped_column(Text)
    sign_in_id: Mapped[int | None] = mapped_column(ForeignKey("sign_in.id"))
    address: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(Text)
    op_id: Mapped[str | None] = mapped_column(Text)
    cause: Mapped[str | None] = mapped_column(Text)
    key_id: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(Text)


class ChangeEntry(Base):
    """One difference: of a user (username and name as they were), a license type or a group."""

    __tablename__ = "change_entry"
    __table_args__ = (Index("ix_change_entry_user_id", "user_id", "change_seq"),)

    change_seq: Mapped[int] = mapped_column(ForeignKey("change.seq"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    subject: Mapped[str] = mapped_column(Text)
    subject_name: Mapped[str] = mapped_column(Text)
    field: Mapped[str] = mapped_column(Text)
    old: Mapped[str | None] = mapped_column(Text)
    new: Mapped[str | None] = mapped_column(Text)
    cause: Mapped[str | None] = mapped_column(Text)


class ChainHead(Base):
    """The one row that every writer locks: number, moment and hash of the last change."""

    __tablename__ = "chain_head"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int]
    at: Mapped[datetime | None] = mapped_column(Moment)
    hash: Mapped[str] = mapped_column(Text)
