"""What the Users pages show, in words and addresses: values for the templates, no markup.

Names come from what is in view; the one figure of the account is how many are outside it (P4).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from functools import partial
from typing import Any

from flask import url_for

from webapp.licensing.availability import Figures
from webapp.licensing.catalog import Catalog
from webapp.licensing.lists import Filters
from webapp.licensing.profile import Held, Profile
from webapp.licensing.visibility import Actor
from webapp.web import format as words
from webapp.web import listing
from webapp.web.books import Books
from webapp.web.listing import Asked, Found
from webapp.words import Role, Status

_STATUS_WORDS = {Status.ACTIVE: "Active", Status.ARCHIVED: "Archived", Status.ALL: "All"}


@dataclass(frozen=True)
class InView:
    """Of those active: how many are in view, and how many are not. None: not counted for this status."""

    total: int | None
    hidden: int | None
    initials: frozenset[str]
    everyone: bool


def in_view(books: Books, filters: Filters, pools: Mapping[str, Figures], actor: Actor) -> InView:
    """The letters are those of all in view, so that no filter moves them."""
    initials = books.in_view(replace(filters, status=Status.ALL), actor).initials
    if filters.status is not Status.ACTIVE:
        return InView(None, None, initials, actor.views_everyone)
    kinds = [filters.type] if filters.type else filters.product.types
    assigned = sum(pools[kind.ref].assigned for kind in kinds)
    if actor.views_everyone:
        return InView(assigned, 0, initials, True)
    seen = books.in_view(filters, actor).by_type
    total = sum(seen.get(kind.id, 0) for kind in kinds)
    return InView(total, assigned - total, initials, False)


def filters(catalog: Catalog, asked: Asked, seen: InView) -> dict[str, Any]:
    """The filter form: status, license, and what every list has."""
    kind = asked.filters.type
    return {
        "status": asked.filters.status.value,
        "statuses": [{"key": key.value, "name": name} for key, name in _STATUS_WORDS.items()],
        "license": kind.ref if kind else "",
        "license_name": kind.short_name if kind else "",
        "licenses": [{"key": ref, "name": kind.short_name} for ref, kind in catalog.types.items()],
        **listing.shown_filters(asked, seen.initials),
    }


def users(
    catalog: Catalog, asked: Asked, found: Found, seen: InView, archived: int, may_create: bool
) -> dict[str, Any]:
    """The list but for its rows: heading, what is hidden, and what an empty one says."""
    return {
        "new_url": url_for("users.new") if may_create else "",
        "hidden": seen.hidden,
        "sentence": listing.sentence(asked, found, seen.total, seen.hidden, seen.everyone),
        "last_sign_in_label": f"Last {catalog.base.short} sign-in",
        "empty": None if found.page.rows else _empty(asked, seen, archived),
        **listing.shown_list(asked, found, partial(_url, asked), _url(asked, "users.export"), seen.everyone),
    }


def _empty(asked: Asked, seen: InView, archived: int) -> dict[str, Any]:
    """What an empty list says, and the ways on."""
    kind = asked.filters.type
    if asked.filters.narrowed:
        return listing.nobody_matches(asked, partial(_url, asked), archived, kind)
    what = f" with {kind.full_name}" if kind else ""
    ways = [("Show every license", _url(asked, license=None))] if kind else []
    if seen.hidden:
        text = f"{words.people(seen.hidden)}{what}, none you can view."
        return listing.empty("Nobody you can view", text, *ways)
    status = "" if asked.filters.status is Status.ALL else f"{asked.filters.status} "
    verb = "added"
    if asked.filters.status is Status.ARCHIVED:
        verb = "archived"
        ways.append(("Show active users", _url(asked, status=None)))
    return listing.empty(f"No {status}users{what}", f"Whoever is {verb} is listed here.", *ways)


def _url(asked: Asked, endpoint: str = "users.everyone", **changes: str | None) -> str:
    """The page's address with its filters, but for the changes."""
    status, kind = asked.filters.status, asked.filters.type
    own = {
        "status": None if status is Status.ACTIVE else status.value, "license": kind.ref if kind else None
    }  # fmt: skip
    return listing.address(endpoint, **(own | asked.arguments | changes))


def user(found: Profile, catalog: Catalog, actor: Actor, moment: datetime, zone: tzinfo) -> dict[str, Any]:
    """One user's page."""
    types = {kind.id: kind for kind in catalog.types.values()}
    colors = listing.hues(catalog)
    kinds = [types[held.license_type_id] for held in found.licenses]
    base = next(kind for kind in kinds if kind.product == catalog.base.key)
    none = listing.no_group(actor.views_everyone)
    last, _ = words.ages(moment, zone)(found.last_login)
    known = found.last_login and found.last_login_as_of
    as_of = f"{last}, as of {found.last_login_as_of}" if known else last
    return {
        "history_url": url_for("changes.of_user", username=found.username),
        "name": found.name, "active": found.active, "base": base.name, "hue": colors[base.id],
        "licenses": [
            {"name": kind.full_name, "hue": colors[kind.id], "by": held.by, **_since(held, zone)}
            for kind, held in zip(kinds, found.licenses, strict=True)
        ],
        "record": [
            ("Username", found.username), ("Email", found.email),
            ("SSO external ID", found.sso_external_id), (f"Last {catalog.base.short} sign-in", as_of),
        ],
        "contactpad": [
            ("ContactPad", "On" if found.contactpad else "Off"),
            ("WebRTC", "On" if found.webrtc else "Off"), ("Agent ID", found.agent_id),
        ],
        "groups": found.groups, "no_groups": none,
        "supervises": base.role is Role.SUPERVISOR,
        "permissions": [text for word, text in words.PERMISSIONS.items() if word in found.permissions],
        "access": [(name, level.value.capitalize()) for name, level in found.access], "no_access": none,
    }  # fmt: skip


def _since(held: Held, zone: tzinfo) -> dict[str, str]:
    if held.since is None:
        return {"since": "", "since_iso": "", "since_title": ""}
    return {
        "since": f"{held.since.astimezone(zone):%Y-%m-%d}",
        "since_iso": held.since.isoformat(timespec="seconds"),
        "since_title": words.full_moment(held.since, zone),
    }
