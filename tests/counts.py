"""How much of a test that can be run longer is run: little in the suite, all of it with ``--long``.

The same tests read their counts from here, so that none is written twice; what they tell of a run is put into
a table by ``python -m tests.long``.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Counts:
    """Rounds of racing saves, kills, and how many runs of how many steps the state machine makes."""

    long: bool
    rounds: int
    kills: int
    examples: int
    steps: int
    record: Callable[[str, object], None]

    def tell(self, what: str, came: str | Counter[int]) -> None:
        """What was run, and what came of it; of answers the statuses."""
        if isinstance(came, Counter):
            came = ", ".join(f"{number:,} × {status}" for status, number in sorted(came.items()))
        self.record("what", what)
        self.record("came", came)


def counts(long: bool, examples: int | None, record: Callable[[str, object], None]) -> Counts:
    """The counts of the suite, or the full ones."""
    if long:
        return Counts(True, 20, 30, examples or 200, 50, record)
    return Counts(False, 1, 3, examples or 12, 20, record)
