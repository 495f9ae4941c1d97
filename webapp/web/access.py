"""Who is signed in, and the matrix asked before every view. Deny by default.

The sign-in is a row on the server, read anew at every request, so ending it bites at once. The
cookie carries of it nothing but its token.
"""

import logging
from dataclasses import dataclass
from typing import Any

import flask_login
from flask import Flask, Response, current_app, g, redirect, request, session, url_for
from flask_login import LoginManager
from flask_wtf.csrf import validate_csrf
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest, Forbidden
from wtforms import ValidationError

from webapp.database import BusyError, clock, db, now, transaction
from webapp.licensing import groups, once, sign_ins, visibility
from webapp.licensing.errors import NotThereError
from webapp.licensing.history import Act
from webapp.licensing.rights import Actor
from webapp.licensing.sign_ins import Standing
from webapp.web import resent
from webapp.web.books import open_books
from webapp.web.matrix import FILES, HOLDS, MATRIX, Line, Who, Within
from webapp.web.page import asked_by_itself, asked_for_more, came_from, from_htmx, needs_redirect_header

_log = logging.getLogger("license_desk")
_login = LoginManager()
_login.session_protection = None  # the row on the server is the protection


@dataclass(frozen=True)
class SignedIn:
    """The person signed in, for Flask-Login."""

    standing: Standing
    token: str
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    @property
    def actor(self) -> Actor:
        """Who it is."""
        return self.standing.actor

    def get_id(self) -> str:
        """What Flask-Login keeps in the cookie."""
        return self.token


def init_access(app: Flask) -> None:
    """Refuse every request that the matrix does not allow, and read the sign-in."""
    _login.init_app(app)
    _login.user_loader(_load)
    app.before_request(_check)


def current_sign_in() -> Standing | None:
    """The sign-in of this request; read once for each."""
    user = flask_login.current_user
    return user.standing if user.is_authenticated else None


def current_actor() -> Actor | None:
    """Who is signed in."""
    found = current_sign_in()
    return found.actor if found else None


def actor() -> Actor:
    """Who acts; for views behind ``Who.SIGNED_IN``."""
    return standing().actor


def standing() -> Standing:
    """The sign-in that acts; for views behind ``Who.SIGNED_IN``."""
    found = current_sign_in()
    if found is None:
        raise Forbidden
    return found


def act() -> Act:
    """The act of whoever is signed in, through a page of this app."""
    return act_of(actor(), standing().id, proved=not proof_is_old())


def act_of(who: Actor, sign_in_id: int | None = None, *, proved: bool = False) -> Act:
    """The act of somebody through a page of this app."""
    key = current_app.extensions["settings"].chain_key.encode()
    op_id = once.usable(request.form.get("op_id"))
    return Act(who, "page", clock(), key, sign_in_id, request.remote_addr, op_id, proved)


def proof_is_old() -> bool:
    """Whether whoever is signed in typed their password too long ago for a sensitive step."""
    return not g.get("proved") and now() - standing().proved_at > sign_ins.PROOF


def note_proved() -> None:
    """They typed it in this very request."""
    g.proved = True


def begin_sign_in(session_: Session, user_id: int) -> SignedIn | None:
    """Write a sign-in; None if they can't sign in (P1), and the caller leaves no row behind."""
    agent = request.user_agent.string or ""
    token = sign_ins.begin(session_, user_id, now(), request.remote_addr or "", agent)
    found = sign_ins.read(session_, token, now())
    return SignedIn(found, token) if found else None


def carry(user: SignedIn) -> None:
    """Begin a new browser session that carries this sign-in."""
    session.clear()
    flask_login.login_user(user)
    g.pop("csrf_token", None)  # the old session's token is no longer good


def forget() -> None:
    """Empty the browser session."""
    flask_login.logout_user()
    session.clear()


def _load(token: str) -> SignedIn | None:
    found = sign_ins.read(db.session(), token, now())
    if found is None:
        return None
    open_books(found.newest)  # so that nobody asks for it again
    return SignedIn(found, token)


def _check() -> Response | None:
    """The before-request hook. No endpoint: 404 and 405 are answered as such, to whoever may know."""
    if isinstance(request.routing_exception, BadRequest):  # a host that is not ours
        raise request.routing_exception
    line = MATRIX.get(request.endpoint) if request.endpoint else Line(Who.SIGNED_IN)
    if line and line.who is Who.ANYONE:
        return None
    found = current_sign_in()
    if found is None:
        return to_sign_in()
    if line is None:
        raise Forbidden
    if request.method == "GET" and _drawn_before():
        return Response(status=401, headers={"HX-Refresh": "true"})
    _note_seen(found)
    gone = line.within and not _in_view(line.within, found.actor, request.view_args or {})
    if gone and resent.led_to(db.session(), found.actor) is None:  # else they have just deleted it
        raise NotThereError
    if line.right and not HOLDS[line.right](found.actor):
        raise Forbidden
    return None


def _in_view(within: Within, who: Actor, named: dict[str, Any]) -> bool:
    if within is Within.USERS:
        return visibility.find(db.session(), named["username"], who) is not None
    return groups.name_in_view(db.session(), named["group"], who) is not None


def _note_seen(found: Standing) -> None:
    """Keep, to the minute, when a person last did something. What a page asks by itself is nobody's doing.

    Nobody waits for it and nothing fails by it: the next request tries again.
    """
    if asked_by_itself() or now() - found.seen_at < sign_ins.NOTED:
        return
    try:
        with transaction(wait=0) as writing:
            sign_ins.note_seen(writing, found.id, now())
    except (BusyError, SQLAlchemyError) as error:
        _log.info("last use of a sign-in not noted: %s", type(error).__name__)


def _drawn_before() -> bool:
    """Whether the page that htmx asks from is of the sign-in before: its token is no good any more.

    What this person may see must not be put into what was shown to another. A POST is refused already.
    """
    token = request.headers.get("X-CSRFToken")
    if token is None or not from_htmx():
        return False
    try:
        validate_csrf(token)
    except ValidationError:
        return True
    return False


def to_sign_in() -> Response:
    """Move the whole window to the sign-in page, and back here afterwards."""
    whole = request.method == "GET" and not asked_for_more()
    here = request.full_path.rstrip("?") if whole else came_from()
    if request.endpoint in FILES:  # of the list at the same address
        here = here.replace(".csv", "", 1)
    target = url_for("session.sign_in", next=here if here and here != "/" else None)
    if needs_redirect_header():
        return Response(status=401, headers={"HX-Redirect": target})
    return redirect(target, 303)  # type: ignore[return-value]
