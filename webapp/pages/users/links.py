"""A user's way in, as an admin sees it: whether a password is set, and the one-time link to set one.

The link is shown to whoever made it, in the browser it was made in, until it is used, replaced or over.
"""

from typing import Any
from urllib.parse import urlsplit

import segno
from flask import current_app, request, session, url_for

from webapp.database import clock, db
from webapp.licensing import passwords, rights
from webapp.licensing.passwords import State
from webapp.licensing.record import Record
from webapp.licensing.rights import Actor
from webapp.settings import Settings, host_name, is_loopback
from webapp.web import format as words
from webapp.web import mail
from webapp.web.access import proof_is_old

_KEPT = "password_link"  # in the cookie of whoever made the link


def keep(token: str) -> None:
    """Let this browser show the link that was just made."""
    session[_KEPT] = token


def address(token: str) -> str:
    """The link as it is given away: under the name by which browsers reach the app."""
    settings: Settings = current_app.extensions["settings"]
    return (settings.public_url or request.host_url.rstrip("/")) + url_for("account.by_link", token=token)


def send(record: Record, token: str) -> bool:
    """Mail the link of this token to whom it was made for; False if it could not be sent."""
    text = (
        f"Hello {record.name},\n\n"
        "open this to set your password for License Desk. It works once, for a day:\n\n"
        f"{address(token)}\n\nYour username is {record.username}.\n"
    )
    return mail.send(record.email, "Set your password for License Desk", text)


def shown(record: Record, who: Actor) -> dict[str, Any] | None:
    """The user's way in; None where there is none to be shown or given."""
    if not who.is_admin or rights.is_self(who, record) or not rights.can_sign_in(record):
        return None
    state = passwords.state(db.session(), record.username)
    token = session.get(_KEPT, "")
    link = address(token) if state.is_link(token) else ""
    return {
        "password": _password(state), "link_state": _link(state), "link": link,
        "qr": segno.make(link).svg_data_uri(scale=5, light="#fff") if link else "",
        "make": url_for("users.password_link", username=record.username),
        "sign_ins": url_for("sign_ins.of_user", username=record.username),
        "ask": proof_is_old(), "local": is_loopback(host_name(urlsplit(link).netloc)),
        "email": record.email if mail.is_set_up() else "",
    }  # fmt: skip


def _password(state: State) -> str:
    if state.set_at is None:
        return "No password yet: they can't sign in before they set one with a link."
    return f"Set {words.full_moment(state.set_at, clock().zone)}"


def _link(state: State) -> str:
    if state.link_ends_at is None:
        return ""
    until = words.full_moment(state.link_ends_at, clock().zone)
    return f"Good until {until}" if state.link_ends_at > clock().read() else f"Ended unused {until}"
