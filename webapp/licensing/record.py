"""One user as values: the record as it is or would be, and what a door asks for.

Pure. A record knows nothing of rights or seats; groups go by name, licenses by catalog value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from webapp.licensing.catalog import LicenseType
from webapp.licensing.errors import Problem
from webapp.words import AccessLevel, Role


@dataclass(frozen=True)
class Wish:
    """What a door asks for one user. Licenses are names or keys, by product key.

    None, or a product not named: unchanged; for a new user "as one starts" (P3, E4). Empty: none.
    ``line`` is the line of a file.
    """

    username: str
    name: str | None = None
    email: str | None = None
    sso_external_id: str | None = None
    active: bool | None = None
    licenses: Mapping[str, str] = field(default_factory=dict)
    contactpad: bool | None = None
    webrtc: bool | None = None
    agent_id: str | None = None
    groups: tuple[str, ...] | None = None
    permissions: frozenset[str] | None = None
    access: Mapping[str, AccessLevel] | None = None
    last_login: datetime | None = None
    last_login_as_of: date | None = None  # the date of the file that told it
    line: int | None = None


@dataclass(frozen=True)
class Record:
    """A user. ``licenses``: base first, each product once (V1, V2); held if active, else offered (S1)."""

    username: str
    name: str
    email: str
    sso_external_id: str
    active: bool
    licenses: tuple[LicenseType, ...]
    contactpad: bool
    webrtc: bool
    agent_id: str
    groups: tuple[str, ...] = ()
    permissions: frozenset[str] = frozenset()
    access: Mapping[str, AccessLevel] = field(default_factory=dict)
    last_login: datetime | None = None
    last_login_as_of: date | None = None
    id: int | None = None
    version: int = 0

    @property
    def base(self) -> LicenseType:
        """The base license, held or offered."""
        return self.licenses[0]

    @property
    def role(self) -> Role:
        """The level that the base license gives."""
        return self.base.role

    @property
    def held(self) -> tuple[LicenseType, ...]:
        """The licenses that take seats: an archived user's take none (S1)."""
        return self.licenses if self.active else ()

    def of(self, product: str) -> LicenseType | None:
        """Their license of a product, held or offered."""
        return next((kind for kind in self.licenses if kind.product == product), None)

    @property
    def needs_agent_id(self) -> bool:
        """Whether one must be made: ContactPad, and none yet."""
        return self.contactpad and not self.agent_id


@dataclass(frozen=True)
class Loss:
    """Something held that a change makes impossible (E5): a license (its ref), ``contactpad``, ``webrtc``."""

    what: str
    name: str
    cause: Problem
