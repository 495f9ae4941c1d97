"""What every record shares: one metadata with named constraints, and three column types.

Constraint names are fixed here because SQLite can only change a constraint it can name.
"""

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import DateTime, Dialect, Enum, MetaData, Text
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator


class Base(DeclarativeBase):
    """The declarative base of all records."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Moment(TypeDecorator[datetime]):
    """A moment in UTC, always aware. SQLite keeps no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a moment without a zone: it would silently mean another moment."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give every moment back in UTC."""
        return None if value is None else in_utc(value)


def in_utc(kept: datetime) -> datetime:
    """A moment as a database keeps it, in UTC."""
    return kept.replace(tzinfo=UTC) if kept.tzinfo is None else kept.astimezone(UTC)


# Folded text is compared by code point on both databases, whatever language the server speaks:
# otherwise a list would be in another order than the key it is paged by.
Folded = Text().with_variant(Text(collation="C"), "postgresql")


class WordSet(TypeDecorator[frozenset[str]]):
    """A small set of fixed words, kept as one sorted, space-separated text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: frozenset[str] | None, dialect: Dialect) -> str | None:
        """Sorted, so that equal sets are equal texts."""
        return None if value is None else " ".join(sorted(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> frozenset[str] | None:
        """The words as a set."""
        return None if value is None else frozenset(value.split())


def made_by_hand(name: str | None) -> bool:
    """Whether a table or index serves the search alone: a migration makes it, and no model tells of it."""
    return name is not None and name.removeprefix("ix_").startswith("user_search")


def word(kind: type[StrEnum]) -> Enum:
    """A column type for a StrEnum, stored as its value with a CHECK constraint."""
    return Enum(
        kind, native_enum=False, create_constraint=True, length=20, name=kind.__name__.lower(),
        values_callable=lambda members: [member.value for member in members],
    )  # fmt: skip
