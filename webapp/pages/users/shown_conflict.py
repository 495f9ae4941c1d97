"""What a conflict shows: where what was typed differs from what was saved meanwhile, by whomever.

Values for the template, no markup; nothing is decided here.
"""

from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import urlencode

from webapp.licensing.catalog import Catalog
from webapp.licensing.record import Record, Wish
from webapp.pages.users.forms import GroupChoice
from webapp.web.format import PERMISSIONS
from webapp.words import AccessLevel, Role

_THEIRS = {
    "head": "Somebody else saved {} meanwhile",
    "text": "Nothing was saved yet, and nothing you typed is lost. Below is your form beside what they "
    "saved. Where you changed nothing, they did: use theirs there, or saving undoes it.",
    "same": "They saved the same as you typed: there is nothing left to save.",
    "mine": "Your form", "saved": "Saved by them", "take": "Use theirs",
    "keep": "Use mine: save my form", "drop": "Use theirs: drop my form",
}  # fmt: skip
_OWN = {
    "head": "You saved {} meanwhile, maybe in another tab",
    "text": "Nothing of this form was saved yet, and nothing you typed is lost. Below it stands beside what "
    "is saved. Where you changed nothing here, use what is saved, or saving undoes it.",
    "same": "You saved the same as you typed: there is nothing left to save.",
    "mine": "This form", "saved": "Saved", "take": "Use what is saved",
    "keep": "Use this form: save it", "drop": "Use what is saved: drop this form",
}  # fmt: skip


def conflict(
    mine: Wish, now: Record, catalog: Catalog, groups: Sequence[GroupChoice], *, own: bool
) -> dict[str, Any]:
    """Both, field by field, and the words for it. ``own``: the actor saved it meanwhile, elsewhere."""
    words = _OWN if own else _THEIRS
    rows = _fields(mine, now, catalog, groups)
    return words | {
        "head": words["head"].format(now.name),
        "text": words["text" if rows else "same"],
        "rows": rows,
    }


def _fields(mine: Wish, now: Record, catalog: Catalog, groups: Sequence[GroupChoice]) -> list[dict[str, str]]:
    """Where what was typed differs from what was saved: both, and a button to take that."""
    found = []
    for name, label in (("name", "Name"), ("email", "Email"), ("sso_external_id", "SSO external ID")):
        value = getattr(mine, name)
        if value is not None and value != getattr(now, name):
            found.append(_both(label, value, getattr(now, name), {name: getattr(now, name)}))
    for product in catalog.products:
        asked = mine.licenses.get(product.key)
        has = now.of(product.key)
        wanted = product.named(asked) if asked else None
        if asked is not None and wanted != has:
            label = product.short or product.name
            names = (wanted.name if wanted else "No license", has.name if has else "No license")
            found.append(_both(label, *names, {f"license_{product.key}": has.key if has else ""}))
    for name, label in (("contactpad", "ContactPad"), ("webrtc", "WebRTC")):
        wish, is_on = getattr(mine, name), getattr(now, name)
        if wish is not None and wish != is_on:
            found.append(
                _both(label, "On" if wish else "Off", "On" if is_on else "Off", {name: "y" if is_on else ""})
            )
    found += _their_sets(mine, now, groups)
    return found


def _their_sets(mine: Wish, now: Record, groups: Sequence[GroupChoice]) -> list[dict[str, str]]:
    found = []
    writable = {group.name: str(group.id) for group in groups if group.writes}
    own, others = set(mine.groups or ()) & set(writable), set(now.groups) & set(writable)
    if own != others:
        values = [("groups", writable[name]) for name in sorted(others)] or [("groups", "")]
        typed, stored = (", ".join(sorted(names)) or "No group" for names in (own, others))
        found.append(_both("Groups", typed, stored, values))
    if now.role is Role.SUPERVISOR and mine.permissions is not None and mine.permissions != now.permissions:
        values = [("permissions", word) for word in sorted(now.permissions)] or [("permissions", "")]
        found.append(_both("Permissions", _words(mine.permissions), _words(now.permissions), values))
    if now.role is Role.SUPERVISOR and mine.access is not None:
        for group in groups:
            wanted, has = mine.access.get(group.name), now.access.get(group.name)
            if wanted is not has:
                value = {f"access-{group.id}": has.value if has else ""}
                found.append(_both(f"Access to {group.name}", _level(wanted), _level(has), value))
    return found


def _words(permissions: Collection[str]) -> str:
    return ", ".join(label for word, label in PERMISSIONS.items() if word in permissions) or "No permission"


def _level(access: AccessLevel | None) -> str:
    return access.value.capitalize() if access else "No access"


def _both(label: str, mine: str, now: str, values: Any) -> dict[str, str]:
    return {"label": label, "mine": mine or "Empty", "theirs": now or "Empty", "set": urlencode(values)}
