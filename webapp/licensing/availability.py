"""What is contracted, assigned and available, and what taking seats would mean (S2, S6).

Pure: figures in, figures and words out. It never reads the moment and never counts rows.
"""

import re
from dataclasses import dataclass, replace
from enum import Enum

from webapp.licensing.catalog import LicenseType


class Verdict(Enum):
    """What taking seats means under S2."""

    WITHIN = "within contracted"
    OVERAGE = "within overage: needs confirmation"
    REFUSED = "above everything the contract allows"


@dataclass(frozen=True)
class Figures:
    """One pool on one day. ``max_overage`` None means no upper limit (S2)."""

    type: LicenseType
    contracted: int = 0
    max_overage: int | None = 0
    assigned: int = 0

    @property
    def available(self) -> int:
        """Contracted minus assigned; below zero when over (S6)."""
        return self.contracted - self.assigned

    @property
    def over(self) -> int:
        """Seats assigned above contracted."""
        return max(0, -self.available)

    @property
    def purchased(self) -> bool:
        """False: nothing contracted, no overage possible, nobody holds one (E3)."""
        return bool(self.contracted or self.max_overage is None or self.max_overage or self.assigned)

    @property
    def room(self) -> int | None:
        """Seats that can still be given at all, at extra charge or not; None: no limit (S2)."""
        if self.max_overage is None:
            return None
        return max(0, self.contracted + self.max_overage - self.assigned)

    def limit(self, overage_confirmed: bool) -> int | None:
        """The most that may be assigned after taking a seat (S4); None: no limit."""
        if not overage_confirmed:
            return self.contracted
        return None if self.max_overage is None else self.contracted + self.max_overage

    def after(self, net: int) -> "Figures":
        """The same pool with ``net`` seats more taken (or, below zero, freed)."""
        return replace(self, assigned=self.assigned + net)

    def verdict(self, net: int) -> Verdict:
        """S2 for a plan's net effect (S3). Freeing seats is always within."""
        after = self.assigned + net
        if net <= 0 or after <= self.contracted:
            return Verdict.WITHIN
        if self.max_overage is None or after <= self.contracted + self.max_overage:
            return Verdict.OVERAGE
        return Verdict.REFUSED


def state_in_words(pool: Figures) -> str:
    """A card's state, such as ``Full · 15 more at extra charge``."""
    return "".join(state_in_parts(pool))


def state_in_parts(pool: Figures) -> list[str]:
    """The same in parts: of these, every second one can be left out where there is little room.

    The figures beside it say what is left out, or its color does.
    """
    return re.split("[()]", _state(pool))


def _state(pool: Figures) -> str:
    over, room = pool.over, pool.room
    if not pool.purchased:
        return "Not purchased"
    if room is None:
        if over:
            return f"{over:,} over(, at extra charge) · no (upper )limit"
        if not pool.available:
            return f"(0 available · )No upper limit( · extra charge above {pool.contracted:,})"
        return f"{pool.available:,} available( · No upper limit · extra charge above {pool.contracted:,})"
    if pool.available > 0:
        return f"{pool.available:,} available"
    if not over:
        return f"Full · {room:,} more( at extra charge)" if room else "Full"
    if room:
        return f"{over:,} over(, at extra charge) · {room:,} more( possible)"
    if over == pool.max_overage:
        return f"({over:,} over, at extra charge · )no new seats"
    return f"({over:,} over the contract · )no new seats"


def level(pool: Figures) -> str:
    """How urgent a card's state is: ``off``, ``ok``, ``warn`` or ``bad``."""
    if not pool.purchased:
        return "off"
    if pool.room == 0 and pool.over:
        return "bad"
    return "ok" if pool.available > 0 else "warn"
