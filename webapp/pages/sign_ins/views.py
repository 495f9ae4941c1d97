"""``/sign-ins`` and ``/users/<username>/sign-ins``: devices with their last use; end one, or all.

One's own are everybody's to end, those of others an admin's. Nothing here tells a token.
"""

from logging import INFO
from typing import Any

from flask import Blueprint, Response, flash, redirect, url_for

from webapp.database import clock, db, now, transaction
from webapp.licensing import profile, sign_ins, visibility
from webapp.licensing.errors import NotThereError
from webapp.licensing.sign_ins import Device
from webapp.web import access
from webapp.web import format as words
from webapp.web.access import actor, standing
from webapp.web.log import event
from webapp.web.page import page

blueprint = Blueprint("sign_ins", __name__)

# What a browser says of itself, the telling sign first: an Edge calls itself a Chrome too.
_SYSTEMS = {
    "iPad": "iPad", "iPhone": "iPhone", "Android": "Android", "Windows": "Windows", "CrOS": "ChromeOS",
    "Mac OS X": "Mac", "Linux": "Linux",
}  # fmt: skip
_BROWSERS = {
    "Edg": "Edge", "OPR/": "Opera", "SamsungBrowser": "Samsung Internet", "Firefox": "Firefox",
    "FxiOS": "Firefox", "CriOS": "Chrome", "Chrome": "Chrome", "Safari": "Safari",
}  # fmt: skip


@blueprint.get("/sign-ins")
def own() -> Response:
    """Where the person signed in is signed in."""
    return _page(actor().id or 0, user=None)


@blueprint.post("/sign-ins/<int:sign_in>/end")
def end(sign_in: int) -> Response:
    """End one: one's own, or as an admin anybody's."""
    me = standing()
    whose = sign_ins.user_of(db.session(), sign_in) if sign_in < 2**31 else None
    if whose is None or not (whose == me.actor.id or me.actor.is_admin):
        raise NotThereError
    back = url_for("sign_ins.own") if whose == me.actor.id else _page_of(whose)
    with transaction() as session:
        sign_ins.end(session, sign_in, now())
    event("sign_ins_ended", level=INFO, user=profile.username_of(db.session(), whose))
    if sign_in == me.id:
        access.forget()
        return redirect(url_for("session.sign_in"), 303)  # type: ignore[return-value]
    flash("sign-in ended")
    return redirect(back, 303)  # type: ignore[return-value]


@blueprint.post("/sign-ins/end-others")
def end_others() -> Response:
    """End all of one's own but this one."""
    me = standing()
    with transaction() as session:
        sign_ins.end_all(session, [me.actor.id or 0], now(), but=me.id)
    event("sign_ins_ended", level=INFO, user=me.actor.username)
    flash("sign-ins ended")
    return redirect(url_for("sign_ins.own"), 303)  # type: ignore[return-value]


@blueprint.get("/users/<username>/sign-ins")
def of_user(username: str) -> Response:
    """Where somebody else is signed in."""
    user_id = _id(username)
    found = profile.read(db.session(), username, actor())
    if found is None:
        raise NotThereError
    user = {"name": found.name, "url": url_for("users.one", username=found.username),
            "end_all": url_for("sign_ins.end_of_user", username=found.username)}  # fmt: skip
    return _page(user_id, user)


@blueprint.post("/users/<username>/sign-ins/end")
def end_of_user(username: str) -> Response:
    """End all of somebody's sign-ins; of one's own, this one stays."""
    with transaction() as session:
        sign_ins.end_all(session, [_id(username)], now(), but=standing().id)
    event("sign_ins_ended", level=INFO, user=username)
    flash("sign-ins ended")
    return redirect(url_for("sign_ins.of_user", username=username), 303)  # type: ignore[return-value]


def _id(username: str) -> int:
    found = visibility.find(db.session(), username, actor())
    if found is None:
        raise NotThereError
    return found


def _page_of(user_id: int) -> str:
    username = profile.username_of(db.session(), user_id)
    return url_for("sign_ins.of_user", username=username)


def _page(user_id: int, user: dict[str, str] | None) -> Response:
    found = sign_ins.of_user(db.session(), user_id, now())
    return page("sign_ins/sign_ins.html", user=user, devices=[_shown(device) for device in found])


def _shown(device: Device) -> dict[str, Any]:
    zone = clock().zone
    seen, _ = words.ages(now(), zone)(device.seen_at)
    return {
        "this": device.id == standing().id, "name": _name(device.agent), "address": device.address,
        "seen": seen, "since": words.full_moment(device.since, zone),
        "end": url_for("sign_ins.end", sign_in=device.id),
    }  # fmt: skip


def _name(agent: str) -> str:
    """A device in words, as its browser calls itself: ``Chrome on Android``."""
    named = (
        next((name for sign, name in known.items() if sign in agent), "") for known in (_BROWSERS, _SYSTEMS)
    )
    return " on ".join(filter(None, named)) or "A browser"
