"""``/account``, where one changes one's own password, and ``/password/<token>``, where a link leads.

The token of a link stands in the address alone: no page repeats it in a link, and no line of the log.
"""

from logging import INFO

from flask import Blueprint, Response, current_app, flash, redirect, request, url_for

from webapp.database import clock, db, now, transaction
from webapp.licensing import passwords, sign_ins
from webapp.licensing.errors import LicensingError, NotAllowedError, NotThereError, Problem
from webapp.licensing.passwords import Guest
from webapp.licensing.visibility import OPERATOR
from webapp.web import access, proof, throttle
from webapp.web import format as words
from webapp.web.access import act, act_of, actor, current_sign_in
from webapp.web.fields import errors_at
from webapp.web.log import event
from webapp.web.page import page
from webapp.web.passwords import hash_password, is_right

blueprint = Blueprint("account", __name__)


@blueprint.get("/account")
def own() -> Response:
    """The person signed in, and the form for their password."""
    return _own()


@blueprint.post("/account")
def change_password() -> Response:
    """Change one's own password; all one's other sign-ins end, and this one begins anew."""
    me, typed = actor(), request.form.get("password", "")
    before, wrong = proof.check(request.form.get(proof.FIELD, ""))
    if wrong:
        return _own([wrong])
    try:
        if is_right(typed, before):
            raise LicensingError([Problem("password_same", "password")])
        password_hash = hash_password(typed, _context(me.username, me.name))
    except LicensingError as error:
        return _own(error.problems)
    with transaction() as session:
        passwords.change(session, password_hash, before, act())
        old = access.standing()
        user = access.begin_sign_in(session, me.id or 0)
        sign_ins.end(session, old.id, now())
        if user is None:
            raise NotAllowedError
    access.carry(user)
    event("password_changed", level=INFO)
    flash("password changed")
    return redirect(url_for("account.own"), 303)  # type: ignore[return-value]


@blueprint.get("/password/<token>")
def by_link(token: str) -> Response:
    """The form for a new password, if the link is good."""
    return _by_link(token)


@blueprint.post("/password/<token>")
def set_by_link(token: str) -> Response:
    """Set the password, once, and sign in with it."""
    with throttle.counted() as one_try:
        guest = passwords.guest(db.session(), token, now())
        db.session.rollback()  # nothing is held while hashing
        if guest is None:
            event("link_refused")
            return _by_link(token)
        try:
            password_hash = hash_password(
                request.form.get("password", ""), _context(guest.username, guest.name)
            )
        except LicensingError as error:
            return _by_link(token, error.problems)
        try:
            with transaction() as session:
                user_id = passwords.set_by_link(session, token, password_hash, act_of(OPERATOR))
                user = access.begin_sign_in(session, user_id)
                one_try.succeeded(session)
                if before := current_sign_in():  # whoever was here is not here any more
                    sign_ins.end(session, before.id, now())
        except NotThereError:
            event("link_refused")
            return _by_link(token)
    assert user is not None  # whoever can't sign in has no link
    access.carry(user)
    event("signed_in", level=INFO, user=guest.username, by="link")
    flash("password set")
    answer = redirect(url_for("account.own"), 303)
    throttle.remember_device(answer, guest.username)  # type: ignore[arg-type]
    return answer  # type: ignore[return-value]


def _own(problems: tuple[Problem, ...] | list[Problem] = ()) -> Response:
    me = actor()
    set_at = passwords.state(db.session(), me.username).set_at
    return page(
        "account/account.html", status=422 if problems else 200, errors=errors_at(problems),
        me={"name": me.name, "username": me.username, "set_at": words.full_moment(set_at, clock().zone)},
    )  # fmt: skip


def _by_link(token: str, problems: tuple[Problem, ...] = ()) -> Response:
    guest: Guest | None = passwords.guest(db.session(), token, now())
    status = 404 if guest is None else 422 if problems else 200
    return page(
        "account/password.html", status=status, errors=errors_at(problems), guest=guest,
        action=request.path, signed_in_as=_other(guest),
    )  # fmt: skip


def _other(guest: Guest | None) -> str:
    """Whoever else is signed in here: they will be signed out."""
    found = current_sign_in()
    return found.actor.name if found and guest and found.actor.id != guest.id else ""


def _context(username: str, name: str) -> tuple[str, ...]:
    return (username, name, current_app.extensions["settings"].organization)
