"""How numbers, moments and permissions are written on a page. Text only; nothing is decided here."""

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo

PERMISSIONS = {
    "access": "Access user admin",
    "create": "Create user",
    "edit": "Edit user",
    "unassigned": "View unassigned users",
    "groups": "Manage groups",
}


def number(value: int) -> str:
    """``1,234``."""
    return f"{value:,}"


def people(count: int, word: str = "user") -> str:
    """``1 user``, ``305 users``."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
_HALF_A_DAY = 12 * _HOUR


def ages(now: datetime, zone: tzinfo) -> Callable[[datetime | None], tuple[str, str]]:
    """Tells of a moment roughly how long ago it was, and the moment in full, for a tooltip.

    ``10 min ago``, ``2 h ago``, ``yesterday``, ``64 d ago``, ``unknown``. Made once for all rows of a list.
    """
    today = now.astimezone(zone).toordinal()

    def age(moment: datetime | None) -> tuple[str, str]:
        if moment is None:
            return "unknown", ""
        there, passed = moment.astimezone(zone), now - moment
        days = today - there.toordinal()
        if passed < _MINUTE:
            ago = "just now"
        elif passed < _HOUR:
            ago = f"{passed // _MINUTE} min ago"
        elif days <= 0 or passed < _HALF_A_DAY:
            ago = f"{passed // _HOUR} h ago"
        else:
            ago = "yesterday" if days == 1 else f"{days:,} d ago"
        return ago, _in_full(there)

    return age


def full_moment(moment: datetime | None, zone: tzinfo) -> str:
    """Day, time and zone, for a tooltip."""
    return "" if moment is None else _in_full(moment.astimezone(zone))


def _in_full(there: datetime) -> str:
    return f"{there.isoformat(' ')[:16]} {there.tzname()}"  # strftime takes twice as long


def time_of_day(moment: datetime, zone: tzinfo) -> str:
    """``10:42``."""
    return f"{moment.astimezone(zone):%H:%M}"


def initials(name: str) -> str:
    """The first letters of the first and last word of a name, for a small round mark."""
    words = name.split()
    picked = [words[0], words[-1]] if len(words) > 1 else words
    return "".join(word[0] for word in picked).upper()
