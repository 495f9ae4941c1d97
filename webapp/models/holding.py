"""Seats: who holds what since when, and the counter that is locked to give one.

Only ``licensing.assignment`` writes these tables (S4).
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, Folded, Moment

_OPEN = text("ends_at IS NULL")


class Pool(Base):
    """The seats of one license type in use: the lock and the counter (S4, S5).

    The upper limit can't be a constraint: a contract may shrink below what is assigned (S6).
    """

    __tablename__ = "pool"
    __table_args__ = (CheckConstraint("assigned >= 0", name="assigned"),)

    license_type_id: Mapped[int] = mapped_column(ForeignKey("license_type.id"), primary_key=True)
    assigned: Mapped[int]
    revision: Mapped[int]


class Holding(Base):
    """A user holds a license type from ``starts_at`` until ``ends_at`` (none: still). Never deleted.

    The two folds repeat the user's, so that holders are read in list order straight from an index.
    The partial unique index is the last word on "one license of each product" (V2).
    """

    __tablename__ = "holding"
    __table_args__ = (
        CheckConstraint("ends_at IS NULL OR ends_at >= starts_at", name="order"),
        Index(
            "uq_holding_open",
            "user_id",
            "product_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index(
            "ix_holding_product_order",
            "product_id",
            "name_fold",
            "username_fold",
            "user_id",
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index(
            "ix_holding_type_order",
            "license_type_id",
            "name_fold",
            "username_fold",
            "user_id",
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    license_type_id: Mapped[int] = mapped_column(ForeignKey("license_type.id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    starts_at: Mapped[datetime] = mapped_column(Moment)
    ends_at: Mapped[datetime | None] = mapped_column(Moment)
    opened_by: Mapped[int] = mapped_column(ForeignKey("change.seq"))
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("change.seq"))
    name_fold: Mapped[str] = mapped_column(Folded)
    username_fold: Mapped[str] = mapped_column(Folded)
