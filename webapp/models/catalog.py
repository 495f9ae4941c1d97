"""Products, license types and who may hold them (E1 to E4). Filled from the catalog file only."""

from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, word
from webapp.words import ContactPadRule, Role


class Product(Base):
    """Something licensed. Exactly one is the base product (V1)."""

    __tablename__ = "product"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    short: Mapped[str] = mapped_column(Text)
    position: Mapped[int]
    base: Mapped[bool]


class LicenseType(Base):
    """What a user can hold of a product. Role and ContactPad rule matter for the base product."""

    __tablename__ = "license_type"
    __table_args__ = (UniqueConstraint("product_id", "key"), UniqueConstraint("product_id", "name"))

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    key: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    allows: Mapped[str] = mapped_column(Text)
    position: Mapped[int]
    role: Mapped[Role] = mapped_column(word(Role))
    contactpad: Mapped[ContactPadRule] = mapped_column(word(ContactPadRule))
    needs_contactpad: Mapped[bool]
    needs_webrtc: Mapped[bool]


class EligibleBase(Base):
    """One base license whose holders may hold this license type (E1). No row: every base license."""

    __tablename__ = "eligible_base"

    license_type_id: Mapped[int] = mapped_column(ForeignKey("license_type.id"), primary_key=True)
    base_type_id: Mapped[int] = mapped_column(ForeignKey("license_type.id"), primary_key=True)
