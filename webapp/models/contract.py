"""Contract lines: from this day on, so many of a license type. Never overwritten."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, Moment

_IN_FORCE = text("superseded_at IS NULL")


class ContractLine(Base):
    """In force on a day is the newest line not after it and not superseded."""

    __tablename__ = "contract_line"
    __table_args__ = (
        CheckConstraint("contracted >= 0", name="contracted"),
        CheckConstraint("max_overage >= 0", name="max_overage"),
        Index(
            "uq_contract_line_day",
            "license_type_id",
            "starts_on",
            unique=True,
            sqlite_where=_IN_FORCE,
            postgresql_where=_IN_FORCE,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    license_type_id: Mapped[int] = mapped_column(ForeignKey("license_type.id"))
    contracted: Mapped[int]
    max_overage: Mapped[int | None]  # None: no upper limit (S2)
    starts_on: Mapped[date]
    superseded_at: Mapped[datetime | None] = mapped_column(Moment)
    opened_by: Mapped[int] = mapped_column(ForeignKey("change.seq"))
