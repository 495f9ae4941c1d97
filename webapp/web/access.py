"""Who may: one table of every endpoint, and who is signed in. Deny by default.

An endpoint that is not in the table is refused, and a test over the URL map fails. The sign-in is
a row on the server, read anew at every request, so ending it bites at once.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

import flask_login
from flask import Flask, Response, current_app, g, redirect, request, session, url_for
from flask_login import LoginManager
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest, Forbidden

from webapp.database import clock, db, now
from webapp.licensing.history import Act
from webapp.licensing.rights import Actor
from webapp.licensing.visibility import actor_of, read_access
from webapp.models import LicenseType, SignIn, User
from webapp.web.page import needs_redirect_header
from webapp.words import Role

LONGEST = timedelta(hours=12)


class Who(Enum):
    """Who may ask an endpoint."""

    ANYONE = "anyone"
    SIGNED_IN = "whoever can sign in (P1)"


TABLE = {
    "static": Who.ANYONE,
    "health.healthz": Who.ANYONE,
    "health.readyz": Who.ANYONE,
    "session.sign_in": Who.ANYONE,
    "session.sign_in_post": Who.ANYONE,
    "session.sign_out": Who.ANYONE,
    "licenses.start": Who.SIGNED_IN,
    "licenses.first": Who.SIGNED_IN,
    "licenses.product": Who.SIGNED_IN,
    "licenses.export": Who.SIGNED_IN,
    "users.everyone": Who.SIGNED_IN,
    "users.export": Who.SIGNED_IN,
    "users.one": Who.SIGNED_IN,
    "users.new": Who.SIGNED_IN,
    "users.create": Who.SIGNED_IN,
    "users.save": Who.SIGNED_IN,
    "users.archive": Who.SIGNED_IN,
    "users.reactivate": Who.SIGNED_IN,
    "users.delete": Who.SIGNED_IN,
    "groups.everything": Who.SIGNED_IN,
    "groups.create": Who.SIGNED_IN,
    "groups.one": Who.SIGNED_IN,
    "groups.rename": Who.SIGNED_IN,
    "groups.remove": Who.SIGNED_IN,
    "changes.every": Who.SIGNED_IN,
    "changes.one": Who.SIGNED_IN,
    "changes.of_user": Who.SIGNED_IN,
}

_FILES = {"licenses.export", "users.export"}

_login = LoginManager()
_login.session_protection = None  # the row on the server is the protection


@dataclass(frozen=True)
class SignedIn:
    """The person signed in, for Flask-Login; the cookie carries nothing but the token."""

    actor: Actor
    sign_in_id: int
    token: str
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    def get_id(self) -> str:
        """What Flask-Login keeps in the cookie."""
        return self.token


def is_page(endpoint: str) -> bool:
    """Whether somebody who signed in may be led there: a page behind the sign-in, not a file."""
    return TABLE.get(endpoint) is Who.SIGNED_IN and endpoint not in _FILES


def init_access(app: Flask) -> None:
    """Refuse every request that the table does not allow, and read the sign-in."""
    _login.init_app(app)
    _login.user_loader(_load)
    app.before_request(_check)


def current_actor() -> Actor | None:
    """Who is signed in; read once for each request."""
    user = flask_login.current_user
    return user.actor if user.is_authenticated else None


def act() -> Act:
    """The act of whoever is signed in, through a page of this app."""
    user = flask_login.current_user
    key = current_app.extensions["settings"].chain_key.encode()
    return Act(actor(), "page", clock(), key, user.sign_in_id, request.remote_addr, request.form.get("op_id"))


def actor() -> Actor:
    """Who acts; for views behind ``Who.SIGNED_IN``."""
    found = current_actor()
    if found is None:
        raise Forbidden
    return found


def sign_in(session_: Session, user_id: int) -> str:
    """Write a sign-in row and return its token, of which only the hash is kept."""
    token = secrets.token_urlsafe(32)
    session_.execute(
        insert(SignIn).values(
            user_id=user_id, token_hash=_hash(token), created_at=now(),
            address=request.remote_addr or "", agent=(request.user_agent.string or "")[:200],
        )
    )  # fmt: skip
    return token


def carry(user: SignedIn) -> None:
    """Begin a new browser session that carries this sign-in."""
    session.clear()
    flask_login.login_user(user)
    g.pop("csrf_token", None)  # the old session's token is no longer good


def end_sign_in(session_: Session, sign_in_id: int) -> None:
    """End a sign-in for every worker at once."""
    session_.execute(
        update(SignIn).where(SignIn.id == sign_in_id, SignIn.ended_at.is_(None)).values(ended_at=now())
    )


def forget() -> None:
    """Empty the browser session."""
    flask_login.logout_user()
    session.clear()


# Asked at every request, so built once.
_SIGNED_IN = (
    select(SignIn.id, SignIn.created_at, User.id.label("user_id"), User.username, User.name,
           User.permissions, LicenseType.role)
    .join(User, User.id == SignIn.user_id)
    .join(LicenseType, LicenseType.id == User.base_type_id)
    .where(SignIn.token_hash == bindparam("token_hash"), SignIn.ended_at.is_(None), User.active)
)  # fmt: skip


def load_actor(session_: Session, token: str) -> SignedIn | None:
    """Whoever this token signs in, if the sign-in still stands and P1 still holds."""
    row = session_.connection().execute(_SIGNED_IN, {"token_hash": _hash(token)}).one_or_none()
    if row is None or row.created_at < now() - LONGEST:
        return None
    access = read_access(session_, row.user_id) if row.role is Role.SUPERVISOR else {}
    found = actor_of(row.user_id, row.username, row.name, row.role, row.permissions, access)
    return SignedIn(found, row.id, token) if found.may_sign_in else None


def _load(token: str) -> SignedIn | None:
    return load_actor(db.session(), token)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _check() -> Response | None:
    """The before-request hook. No endpoint: 404 and 405 are answered as such, to whoever may know."""
    if isinstance(request.routing_exception, BadRequest):  # a host that is not ours
        raise request.routing_exception
    who = TABLE.get(request.endpoint) if request.endpoint else Who.SIGNED_IN
    if who is Who.ANYONE:
        return None
    if current_actor() is None:
        return to_sign_in()
    if who is None:
        raise Forbidden
    return None


def to_sign_in() -> Response:
    """Move the whole window to the sign-in page, and back here afterwards."""
    here = request.full_path.rstrip("?") if request.method == "GET" else None
    target = url_for("session.sign_in", next=here if here and here != "/" else None)
    if needs_redirect_header():
        return Response(status=401, headers={"HX-Redirect": target})
    return redirect(target, 303)  # type: ignore[return-value]
