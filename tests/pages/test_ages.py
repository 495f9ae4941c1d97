"""How long ago a moment was, in words: by the calendar of the installation's zone, not by hours alone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from webapp.web.format import ages

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("now", "moment", "words"),
    [
        ("2026-11-25 10:00:00", "2026-11-25 09:59:30", "just now"),
        ("2026-11-25 10:00:00", "2026-11-25 10:05:00", "just now"),  # of a clock that is ahead
        ("2026-11-25 10:00:00", "2026-11-25 09:59:00", "1 min ago"),
        ("2026-11-25 10:00:00", "2026-11-25 09:00:00", "1 h ago"),
        ("2026-11-25 05:00:00", "2026-11-24 22:30:00", "6 h ago"),  # before midnight, but not long
        ("2026-11-25 10:00:00", "2026-11-24 21:59:00", "yesterday"),
        ("2026-11-25 22:30:00", "2026-11-24 23:30:00", "23 h ago"),  # half past midnight in Berlin: today
        ("2026-11-25 10:00:00", "2026-11-23 23:30:00", "yesterday"),
        ("2026-11-25 10:00:00", "2026-11-23 22:30:00", "2 d ago"),
        ("2026-10-25 01:30:00", "2026-10-25 00:30:00", "1 h ago"),  # 2:30 both, an hour apart
        ("2026-11-25 10:00:00", "2020-01-01 10:00:00", "2,520 d ago"),
    ],
)
def test_a_moment_is_told_roughly(now: str, moment: str, words: str) -> None:
    at = {text: datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (now, moment)}
    assert ages(at[now], BERLIN)(at[moment])[0] == words


def test_a_moment_is_told_in_full_with_its_zone() -> None:
    age = ages(datetime(2026, 11, 25, 10, tzinfo=UTC), BERLIN)
    assert age(datetime(2026, 10, 25, 0, 30, tzinfo=UTC))[1] == "2026-10-25 02:30 CEST"
    assert age(datetime(2026, 10, 25, 1, 30, tzinfo=UTC))[1] == "2026-10-25 02:30 CET"
    assert age(None) == ("unknown", "")
