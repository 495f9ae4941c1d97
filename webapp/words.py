"""The fixed words that records and rules share: enums, and nothing else.

They stand below ``models`` so that the pure core needs no SQLAlchemy to name them.
"""

from enum import StrEnum


class Role(StrEnum):
    """What a base license makes of its holder in License Desk."""

    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    NONE = "none"


class ContactPadRule(StrEnum):
    """Whether holders of a base license have ContactPad (E4)."""

    ALWAYS = "always"
    OPTIONAL = "optional"
    NEVER = "never"


class AccessLevel(StrEnum):
    """What a supervisor may do with the users of a group. Write includes read."""

    READ = "read"
    WRITE = "write"


class Status(StrEnum):
    """Which users a list shows: those at work, those archived, or both."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    ALL = "all"
