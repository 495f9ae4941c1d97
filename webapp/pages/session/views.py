"""``/sign-in`` and ``/sign-out``. The same words for every cause of a refusal, at the same cost."""

import re
from logging import INFO

from flask import Blueprint, Response, current_app, redirect, request, session, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException

from webapp.database import db, now, transaction
from webapp.licensing import passwords, sign_ins
from webapp.licensing.people import fold
from webapp.licensing.visibility import read_actor
from webapp.models import Credential, User
from webapp.web import access, throttle
from webapp.web.access import SignedIn, current_sign_in
from webapp.web.errors import too_many
from webapp.web.log import event
from webapp.web.matrix import is_page
from webapp.web.page import page
from webapp.web.passwords import is_right, needs_renewal, renewed
from webapp.web.throttle import TooManyError

blueprint = Blueprint("session", __name__)

REFUSED = "Username and password don't match, or this person can't sign in here."
_OWN_PATH = re.compile(r"/[A-Za-z0-9_./?=&%@+-]*")


@blueprint.get("/sign-in")
def sign_in() -> Response:
    """The form; whoever is signed in goes on."""
    if current_sign_in():
        return _onward(request.args.get("next", ""))
    return _form(next=request.args.get("next", ""), ended="_user_id" in session)


@blueprint.post("/sign-in")
def sign_in_post() -> Response:
    """Count the try, check the password, then P1; write the sign-in row."""
    username = request.form.get("username", "").strip()
    next_ = request.form.get("next", "")
    try:
        with throttle.counted(username) as one_try:
            user = _checked(username, request.form.get("password", ""), one_try)
    except TooManyError as error:
        answer = _form(username=username, next=next_, error=too_many(error.seconds), status=429)
        answer.headers["Retry-After"] = str(error.seconds)
        return answer
    if user is None:
        event("sign_in_refused")
        return _form(username=username, next=next_, error=REFUSED, status=422)
    access.carry(user)
    event("signed_in", level=INFO, user=user.actor.username, by="password")
    answer = _onward(next_)
    throttle.remember_device(answer, user.actor.username)
    return answer


def _checked(username: str, password: str, one_try: throttle.Try) -> SignedIn | None:
    """The new sign-in of whoever may; None, at the same cost, for every other cause."""
    asked = fold(username) if username.isascii() and username.isprintable() else ""
    reading = db.session()
    row = reading.execute(
        select(User.id, Credential.password_hash)
        .join(Credential, Credential.user_id == User.id)
        .where(User.username_fold == asked, User.active)
    ).one_or_none()
    if row and read_actor(reading, row.id) is None:
        row = None  # P1: as if there were nobody
    reading.rollback()  # nothing is held while hashing
    if not is_right(password, row and row.password_hash) or row is None:
        return None
    anew = renewed(password) if needs_renewal(row.password_hash) else None
    with transaction() as writing:
        user = _begin(writing, row.id, row.password_hash, one_try)
        if user and anew:
            passwords.renew_hash(writing, row.id, row.password_hash, anew)
    return user


def _begin(writing: Session, user_id: int, hash_: str, one_try: throttle.Try) -> SignedIn | None:
    same = passwords.stored_hash(writing, user_id, lock=True) == hash_
    user = access.begin_sign_in(writing, user_id) if same else None
    if user is None:  # the password was changed, or P1 holds no more: leave no row behind
        writing.rollback()
        return None
    one_try.succeeded(writing)
    if before := current_sign_in():  # whoever was here is not here any more
        sign_ins.end(writing, before.id, now())
    return user


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """End the sign-in on the server and empty the browser; ``next``: where the next person goes on."""
    found = current_sign_in()
    if found:
        with transaction() as writing:
            sign_ins.end(writing, found.id, now())
        event("signed_out", level=INFO)
    access.forget()
    response = redirect(url_for("session.sign_in", next=own_path(request.form.get("next", ""))), 303)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response  # type: ignore[return-value]


def _form(
    *, username: str = "", next: str = "", error: str = "", ended: bool = False, status: int = 200
) -> Response:
    """``ended``: this browser was signed in, and that is over."""
    return page(
        "session/sign_in.html", status=status, username=username, next=next, error=error, ended=ended
    )  # fmt: skip


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
    return path if is_page(endpoint) else None
