"""How numbers, moments and permissions are written on a page. Text only; nothing is decided here."""

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


def ago(moment: datetime | None, now: datetime, zone: tzinfo) -> str:
    """How long ago, roughly: ``10 min ago``, ``2 h ago``, ``yesterday``, ``64 d ago``, ``unknown``."""
    if moment is None:
        return "unknown"
    passed = now - moment
    if passed < _MINUTE:
        return "just now"
    if passed < _HOUR:
        return f"{passed // _MINUTE} min ago"
    days = now.astimezone(zone).toordinal() - moment.astimezone(zone).toordinal()
    if days <= 0 or passed < 12 * _HOUR:
        return f"{passed // _HOUR} h ago"
    return "yesterday" if days == 1 else f"{days:,} d ago"


def full_moment(moment: datetime | None, zone: tzinfo) -> str:
    """Day, time and zone, for a tooltip."""
    if moment is None:
        return ""
    there = moment.astimezone(zone)
    return f"{there.isoformat(' ')[:16]} {there.tzname()}"  # strftime takes twice as long


def time_of_day(moment: datetime, zone: tzinfo) -> str:
    """``10:42``."""
    return f"{moment.astimezone(zone):%H:%M}"


def initials(name: str) -> str:
    """The first letters of the first and last word of a name, for a small round mark."""
    words = name.split()
    picked = [words[0], words[-1]] if len(words) > 1 else words
    return "".join(word[0] for word in picked).upper()
