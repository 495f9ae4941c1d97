"""The forms that were sent and done, so that one sent twice has one effect."""

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base


class Operation(Base):
    """One form, by its own number: what it said (``digest``) and where it led. Written by ``once``."""

    __tablename__ = "operation"

    actor_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    op_id: Mapped[str] = mapped_column(Text, primary_key=True)
    digest: Mapped[str] = mapped_column(Text)
    location: Mapped[str] = mapped_column(Text)
