"""What the Changes pages show, in words: values for the templates, no markup."""

import re
from datetime import datetime, tzinfo
from typing import Any

from flask import url_for

from webapp.licensing.catalog import Catalog
from webapp.licensing.changes import Line, Told
from webapp.web import format as words

# What an action is called, and the fields of the log that it stands for.
ACTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "license": ("Licenses", ()),  # one for each product
    "status": ("Created or archived", ("status",)),
    "overage": ("Extra charge accepted", ("overage",)),
    "contract": ("Contract", ("contract_line",)),
    "groups": ("Groups", ("groups", "group")),
    "rights": ("Permissions and group access", ("permissions", "access")),
    "record": ("Personal data", ("name", "email", "sso_external_id", "agent_id")),
    "contactpad": ("ContactPad and WebRTC", ("contactpad", "webrtc")),
    "password": ("Passwords", ("password", "password_link")),
}
_FIELDS = {
    "status": "Status", "name": "Name", "email": "Email", "sso_external_id": "SSO external ID",
    "contactpad": "ContactPad", "webrtc": "WebRTC", "agent_id": "Agent ID", "groups": "Groups",
    "permissions": "Permissions", "access": "Group access", "overage": "Seats at extra charge",
    "contract_line": "Contract", "group": "Group", "password": "Password",
    "password_link": "Link to set a password",
}  # fmt: skip

_DOORS = {"page": "in the browser", "command line": "on the command line"}

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?Z")


def fields_of(action: str, catalog: Catalog) -> tuple[str, ...]:
    """The fields of an action; of an unknown one none, which narrows nothing."""
    if action == "license":
        return tuple(f"{kind}_{product.key}" for product in catalog.products for kind in ("license", "offer"))
    return ACTIONS[action][1] if action in ACTIONS else ()


def filters(chosen: dict[str, str]) -> dict[str, Any]:
    """The filter form."""
    actions = [{"key": key, "name": name} for key, (name, _) in ACTIONS.items()]
    return {**chosen, "actions": actions, "any": any(chosen.values())}


def change(told: Told, catalog: Catalog, zone: tzinfo) -> dict[str, Any]:
    """One change of a list."""
    return {
        "seq": told.seq, "url": url_for("changes.one", seq=told.seq),
        "when": f"{told.at.astimezone(zone):%Y-%m-%d %H:%M}",
        "when_iso": told.at.isoformat(timespec="seconds"),
        "by": told.by, "door": _DOORS.get(told.door, told.door), "cause": told.cause,
        "lines": [_line(line, catalog, zone) for line in told.lines],
        "more": told.more,
    }  # fmt: skip


def whole(told: Told, catalog: Catalog, zone: tzinfo, after: int) -> dict[str, Any]:
    """One change with its entries after a position."""
    found = change(told, catalog, zone)
    last = told.lines[-1].position if told.lines else after
    return {
        **found,
        "first_url": found["url"] if after >= 0 else None,
        "next_url": url_for("changes.one", seq=told.seq, after=last) if told.more else None,
    }


def _line(line: Line, catalog: Catalog, zone: tzinfo) -> dict[str, Any]:
    return {
        "name": line.subject_name,
        "url": url_for("users.one", username=line.username) if line.username else None,
        "field": _field(line.field, catalog),
        "old": _value(line.field, line.old, catalog, zone),
        "new": _value(line.field, line.new, catalog, zone),
        "cause": line.cause,
    }  # fmt: skip


def _field(field: str, catalog: Catalog) -> str:
    kind, _, key = field.partition("_")
    product = catalog.product(key)
    if product and kind in ("license", "offer"):
        return product.name if kind == "license" else f"{product.name}, offered"
    if field.startswith("last_login"):
        return f"Last {catalog.base.short} sign-in{' as of' if field.endswith('as_of') else ''}"
    return _FIELDS.get(field, field.replace("_", " ").capitalize())


def _value(field: str, value: str | None, catalog: Catalog, zone: tzinfo) -> str:
    """In words: a license type or a permission by its name, a list with commas, a moment in the zone."""
    if value is None:
        return ""
    kind, _, key = field.partition("_")
    product = catalog.product(key)
    if product and kind in ("license", "offer"):
        named = product.named(value)
        return named.name if named else value
    if field in ("last_login", "password_link"):
        return _MOMENT.sub(lambda at: words.full_moment(datetime.fromisoformat(at[0]), zone), value)
    parts = value.split(";") if field in ("groups", "permissions", "access") else [value]
    if field == "permissions":
        parts = [words.PERMISSIONS.get(part, part) for part in parts]
    if field == "access":
        parts = [": ".join(part.rsplit(":", 1)) for part in parts]
    return ", ".join(parts)
