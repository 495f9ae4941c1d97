"""``/sign-in`` and ``/sign-out``. The same words for every cause of a refusal, at the same cost."""

import re

from flask import Blueprint, Response, current_app, redirect, request, url_for
from flask_login import current_user
from sqlalchemy import select
from werkzeug.exceptions import HTTPException

from webapp.database import db, transaction
from webapp.licensing.people import fold
from webapp.models import Credential, User
from webapp.web import access
from webapp.web.page import page
from webapp.web.passwords import is_right

blueprint = Blueprint("session", __name__)

REFUSED = "Username and password don't match, or this person can't sign in here."
_OWN_PATH = re.compile(r"/[A-Za-z0-9_./?=&%@+-]*")


@blueprint.get("/sign-in")
def sign_in() -> Response:
    """The form; whoever is signed in goes on."""
    if current_user.is_authenticated:
        return _onward(request.args.get("next", ""))
    return _form(next=request.args.get("next", ""))


@blueprint.post("/sign-in")
def sign_in_post() -> Response:
    """Check the password, then P1; write the sign-in row."""
    username = request.form.get("username", "").strip()
    password = request.form.get("password", "")
    next_ = request.form.get("next", "")
    asked = fold(username) if username.isascii() and username.isprintable() else ""
    session = db.session()
    row = session.execute(
        select(User.id, Credential.password_hash)
        .join(Credential, Credential.user_id == User.id)
        .where(User.username_fold == asked, User.active)
    ).one_or_none()
    session.rollback()  # nothing is held while hashing
    if not is_right(password, row and row.password_hash) or row is None:
        return _form(username=username, next=next_, error=REFUSED, status=422)
    with transaction() as writing:
        token = access.sign_in(writing, row.id)
        user = access.load_actor(writing, token)
        if user is None:  # P1 does not hold: leave no row behind
            writing.rollback()
        elif current_user.is_authenticated:  # whoever was here before is not here any more
            access.end_sign_in(writing, current_user.sign_in_id)
    if user is None:
        return _form(username=username, next=next_, error=REFUSED, status=422)
    access.carry(user)
    return _onward(next_)


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """End the sign-in on the server and empty the browser."""
    if current_user.is_authenticated:
        with transaction() as session:
            access.end_sign_in(session, current_user.sign_in_id)
    access.forget()
    response = redirect(url_for("session.sign_in"), 303)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response  # type: ignore[return-value]


def _form(*, username: str = "", next: str = "", error: str = "", status: int = 200) -> Response:
    return page("session/sign_in.html", username=username, next=next, error=error, status=status)


def _onward(next_: str) -> Response:
    return redirect(own_path(next_) or "/", 303)  # type: ignore[return-value]


def own_path(path: str) -> str | None:
    """The path if it leads to a page of this app that answers GET; else None."""
    if not _OWN_PATH.fullmatch(path) or "//" in path:
        return None
    adapter = current_app.create_url_adapter(request)
    try:
        assert adapter is not None
        endpoint, _ = adapter.match(path.partition("?")[0], method="GET")
    except HTTPException:
        return None
    return path if access.is_page(endpoint) else None
