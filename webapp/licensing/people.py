"""The user record's shape: what a username, name, email or agent ID may be, and how text folds.

One function for each field, used by every door. Decides nothing about licenses or rights.
"""

import re
import unicodedata

import email_validator

from webapp.licensing.errors import Problem, has_unseen

PERMISSIONS = ("access", "create", "edit", "unassigned", "groups")

COLUMNS = (
    "Username", "Name", "Email", "SSO External Id", "User Active", "License", "ID", "ContactPad",
    "WebRTC", "Groups", "Permissions", "Group Access", "User Last Login",
)  # fmt: skip
"""The record in a users file; a column for each product besides, so no product may be named so."""

_USERNAME = re.compile(r"[A-Za-z0-9_.@-]{3,100}")
_AGENT_ID = re.compile(r"[A-Za-z0-9]{1,20}")
_RESERVED = {"new"}
# An intranet may well use names reserved elsewhere, such as .local; this is the library's own switch.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe"})


def fold(text: str) -> str:
    """Text as it is searched and ordered: NFKD, marks removed, casefold, ø→o ł→l đ→d ı→i æ→ae œ→oe."""
    if text.isascii():
        return text.lower()
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c)[0] != "M")
    return bare.casefold().translate(_LETTERS)


def group_key(name: str) -> str:
    """What makes two group names the same: case and compatibility forms do not count, marks do."""
    return unicodedata.normalize("NFKC", name).casefold()


def _plain(text: str, longest: int) -> bool:
    """Whether the text is short enough, holds nothing unseen, and shows something."""
    return (
        len(text) <= longest
        and not has_unseen(text)
        and any(unicodedata.category(c)[0] in "LNPS" for c in text)
    )


def check_username(value: str) -> Problem | None:
    """3 to 100 of ASCII letters, digits, ``_ - . @``; ``new`` is reserved."""
    if not value:
        return Problem("username_missing", "username")
    if re.search(r"\s", value):
        suggestion = re.sub(r"\s+", ".", fold(value).strip())
        if _USERNAME.fullmatch(suggestion):
            return Problem("username_space", "username", {"value": value, "suggestion": suggestion})
    if not _USERNAME.fullmatch(value):
        return Problem("username_shape", "username", {"value": value})
    if value.lower() in _RESERVED:
        return Problem("username_reserved", "username", {"value": value})
    return None


def check_name(value: str) -> Problem | None:
    """1 to 100 characters, none of them unseen."""
    if not value:
        return Problem("name_missing", "name")
    if len(value) > 100:
        return Problem("name_long", "name", {"length": len(value)})
    return None if _plain(value, 100) else Problem("name_shape", "name")


def check_email(value: str) -> Problem | None:
    """An address as mail programs accept it; nothing is asked of the network."""
    if not value:
        return Problem("email_missing", "email")
    try:
        email_validator.validate_email(value, check_deliverability=False)
    except email_validator.EmailNotValidError:
        return Problem("email_shape", "email", {"value": value})
    return None


def means_nothing(value: str) -> bool:
    """Whether a cell of a file with this text empties the field: no group and no ID can be called so."""
    return value.casefold() == "none"


def check_sso_external_id(value: str) -> Problem | None:
    """Optional; at most 255 characters, none of them unseen."""
    if means_nothing(value):
        return Problem("means_nothing", "sso_external_id", {"value": value})
    if not value or _plain(value, 255):
        return None
    return Problem("sso_external_id_shape", "sso_external_id")


def check_agent_id(value: str) -> Problem | None:
    """Optional; 1 to 20 ASCII letters or digits."""
    if not value or _AGENT_ID.fullmatch(value):
        return None
    return Problem("agent_id_shape", "agent_id", {"value": value})


def check_group_name(value: str) -> Problem | None:
    """1 to 100 characters, none of them unseen."""
    if means_nothing(value):
        return Problem("means_nothing", "groups", {"value": value})
    return None if _plain(value, 100) else Problem("group_shape", "groups", {"value": value})


def check_permission(value: str) -> Problem | None:
    """One of the words that a supervisor's permissions are made of."""
    if value in PERMISSIONS:
        return None
    return Problem("permission_unknown", "permissions", {"value": value, "choices": ", ".join(PERMISSIONS)})
