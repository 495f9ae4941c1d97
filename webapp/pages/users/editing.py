"""The user form: ``/users/new``, ``/users/<username>`` and what is done to a user from there.

Every page shows the plan of the form as it stands, and every POST goes through the core, which plans
again. One context feeds the page, its live regions and the form that comes back with errors.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from urllib.parse import parse_qs

from flask import Response, abort, current_app, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from webapp.database import clock, db, transaction
from webapp.licensing import ledger, once, passwords, people, profile, rights, users
from webapp.licensing.catalog import Catalog
from webapp.licensing.errors import LicensingError, NotAllowedError, Problem, StaleError
from webapp.licensing.plan import Plan, plan_changes, plan_new_users, unconfirmed_losses, unconfirmed_overage
from webapp.licensing.record import Record, Wish
from webapp.licensing.rights import Actor
from webapp.pages.users import links, shown, shown_conflict, shown_form
from webapp.pages.users.blueprint import blueprint
from webapp.pages.users.forms import TEXTS, GroupChoice, Sent, number, read_form
from webapp.pages.users.shown_form import Standing
from webapp.web import proof, resent, throttle
from webapp.web.access import act, actor, proof_is_old
from webapp.web.books import open_books
from webapp.web.page import page

REGIONS = ("main", "licensing", "plan", "save")
ALSO = {"licensing": ("plan", "save")}


@blueprint.get("/users/new")
def new() -> Response:
    """The form for a new user; choices in the address are taken over."""
    if not actor().may_create:
        raise NotAllowedError
    sent = _sent(request.args, None) if request.args else Sent(Wish(""))
    return _page(None, sent, _of_choices)


@blueprint.post("/users/new")
def create() -> Response:
    """Create a user; or, asked for the plan alone, show it."""
    if not actor().may_create:
        raise NotAllowedError
    sent = _sent(request.form, None)
    if "plan" in request.form or "way" in request.form:
        return _page(None, sent, _of_choices)

    def do(session: Session) -> None:
        users.create(
            session, [sent.wish], act(), confirmed_overage=sent.confirmed_overage, new_groups=False
        )  # fmt: skip

    another = "another" in request.form
    return _done(
        None, sent, url_for("users.one", username=sent.wish.username), "another" if another else "created",
        do, partial(_foreseen, None, sent), shown_form.again(sent.wish, _groups(actor())) if another else "",
    )  # fmt: skip


@blueprint.get("/users/<username>")
def one(username: str) -> Response:
    """One user: the form for whoever may edit them, else a page to read (P5)."""
    who, time = actor(), clock()
    found = profile.read(db.session(), username, who) or abort(404)
    record = _record(username)
    if record is None or not rights.may_edit(who, record):
        return page("users/user.html", user=shown.user(found, _catalog(), who, time.read(), time.zone))
    sent = _sent(request.args, record) if "plan" in request.args else Sent(Wish(record.username))
    return _page(record, sent, _of_choices)


@blueprint.post("/users/<username>")
def save(username: str) -> Response:
    """Save an active user; or, asked for the plan alone, show it."""

    def do(session: Session, sent: Sent) -> None:
        users.save(
            session, sent.wish, _version(sent), act(),
            confirmed_losses=sent.confirmed_losses, confirmed_overage=sent.confirmed_overage,
        )  # fmt: skip

    return _changed(username, "saved", do)


@blueprint.post("/users/<username>/reactivate")
def reactivate(username: str) -> Response:
    """Make an archived user active with what the form says; or, asked for the plan alone, show it."""

    def do(session: Session, sent: Sent) -> None:
        users.reactivate(
            session, sent.wish, _version(sent), act(), confirmed_overage=sent.confirmed_overage
        )  # fmt: skip

    return _changed(username, "reactivated", do)


@blueprint.post("/users/<username>/archive")
def archive(username: str) -> Response:
    """End all that a user holds; it is offered when they are reactivated (S1)."""
    record = _editable(username)
    sent = _bare(record)

    def do(session: Session) -> None:
        users.archive(session, record.username, _version(sent), act())

    return _done(record, sent, url_for("users.one", username=record.username), "archived", do)


@blueprint.post("/users/<username>/delete")
def delete(username: str) -> Response:
    """Delete an archived user for good; sent again, it leads to the same place, though they are gone."""
    location = url_for("users.everyone", status="archived")
    if resent.led_to(db.session(), actor()) == location:
        return _lead_on(location, "deleted")
    record = _editable(username)
    sent = _bare(record)

    def do(session: Session) -> None:
        users.delete(session, record.username, _version(sent), act())

    return _done(record, sent, location, "deleted", do)


@blueprint.post("/users/<username>/password-link")
def password_link(username: str) -> Response:
    """Make a one-time link with which a user sets their password; an earlier one ends."""
    record = _editable(username)
    sent = _bare(record)

    made: list[str] = []  # nothing, if this form was sent before

    def do(session: Session) -> None:
        made.append(passwords.make_link(session, record.username, act(), version=_version(sent)))

    location = url_for("users.one", username=record.username)
    answer = _done(record, sent, location, "link made", do, lambda: _asked_again("password_link"))
    for token in made if answer.status_code == 303 else ():
        links.keep(token)
        if "mail" in request.form:
            flash("link mailed" if links.send(record, token) else "link not mailed")
    return answer


def _asked_again(field: str) -> Sequence[Problem]:
    """The password of whoever acts, asked again if they typed it too long ago; told at this field."""
    if not proof_is_old():
        return ()
    typed = request.form.get(proof.FIELD, "")
    wrong = proof.check(typed)[1] if typed else Problem("password_asked", field)
    return [replace(wrong, field=field)] if wrong else ()


def _changed(username: str, words: str, do: Callable[[Session, Sent], None]) -> Response:
    """Change a user by their form, or show its plan."""
    record = _editable(username)
    sent = _sent(request.form, record)
    if "plan" in request.form or "way" in request.form:
        return _page(record, sent, _of_choices)
    location = url_for("users.one", username=record.username)
    return _done(
        record, sent, location, words, lambda session: do(session, sent), partial(_foreseen, record, sent)
    )


def _done(
    before: Record | None, sent: Sent, location: str, words: str, do: Callable[[Session], None],
    foreseen: Callable[[], Sequence[Problem]] = tuple, then: str = "",
) -> Response:  # fmt: skip
    """Do it, once for each form, and lead on; a refusal is the form again, with nothing of it lost.

    ``location``: where what was done is seen, and where it leads, unless that is ``then``.
    ``foreseen``: what the plan says already now, so that nobody waits for the lock only to be refused.
    """
    throttle.hold_prober(actor())
    try:
        if problems := sent.problems or foreseen():
            raise LicensingError(problems)
        with transaction() as session:
            again = resent.was_done(session, actor(), location)
            if not again:
                do(session)
    except LicensingError as error:
        throttle.note_probe(actor(), error.problems)
        problems = [*error.problems]
        return _page(_record_again(before), sent, lambda _: problems, status=422)
    except StaleError:
        return _page(_record_again(before), sent, _of_choices, status=409)
    username = sent.wish.username
    if again and before is None and profile.read(db.session(), username, actor()) is None:
        return _lead_on(then or location)  # made by the first try, and deleted or out of view since
    return _lead_on(then or location, words, username)


def _lead_on(location: str, words: str = "", about: str = "") -> Response:
    if words:
        flash(words, about)
    return redirect(location, 303)  # type: ignore[return-value]


def _foreseen(before: Record | None, sent: Sent) -> Sequence[Problem]:
    """What would be refused by what is known now; a form that is stale or was sent before is for the core."""
    session, who = db.session(), actor()
    if before and sent.version != before.version:
        return ()
    if sent.op_id and once.is_known(session, who.id, sent.op_id):
        return ()
    plan = _plan(before, sent, all_told=True).plan
    rights_change = any(rights.gives_rights(user.before, user.after) for user in plan.users)
    return (
        plan.refusals
        or [*unconfirmed_losses(plan, sent.confirmed_losses),
            *unconfirmed_overage(plan, sent.confirmed_overage, users.ASK)]
        or (_asked_again(proof.FIELD) if rights_change else ())
    )  # fmt: skip


def _version(sent: Sent) -> int:
    if sent.version is None:
        raise LicensingError([Problem("version_missing", "form")])
    return sent.version


def _sent(data: MultiDict[str, str], before: Record | None) -> Sent:
    """The form as sent; a way out that was tapped without scripting is taken first."""
    if "way" in data:
        data = _with_way(data)
    return read_form(data, _catalog(), _groups(actor()), before)


def _with_way(data: MultiDict[str, str]) -> MultiDict[str, str]:
    """What app.js does with a way out, for browsers without it."""
    changed = MultiDict(data)
    for name, values in parse_qs(data["way"], keep_blank_values=True).items():
        changed.setlist(name, values)
    return changed


def _bare(record: Record) -> Sent:
    """A form that says no more than whom it is about."""
    sent = request.form
    return Sent(Wish(record.username), version=number(sent.get("version", "")), op_id=sent.get("op_id", ""))


def _editable(username: str) -> Record:
    return users.editable(db.session(), username, act())


def _record(username: str) -> Record | None:
    return ledger.read_record(db.session(), username, _catalog())


def _record_again(before: Record | None) -> Record | None:
    """The user as they are now. Raises NotThereError if they went out of view meanwhile."""
    if before is None:
        return None
    db.session.rollback()
    return _editable(before.username)


def _catalog() -> Catalog:
    return open_books().catalog


def _groups(who: Actor) -> list[GroupChoice]:
    return [GroupChoice(key, name, who.writes(name)) for key, name in open_books().groups(who)]


def _of_choices(plan: Plan) -> list[Problem]:
    """What is wrong with the choices. Of text, or of nothing chosen yet, nobody is told before saving.

    Nor of a supervisor's rights, after another license was chosen: they are not on the form any more.
    """
    untold = ("license_missing", "permissions_supervisor")
    return [p for p in plan.refusals if p.field not in TEXTS and p.code not in untold]


def _plan(before: Record | None, sent: Sent, *, all_told: bool = False) -> Standing:
    """The form as it stands, with its plan; of an archived user the plan is to make them active.

    ``all_told``: whether a value is taken too; what is only shown must not tell it (P4).
    """
    session, who = db.session(), actor()
    wish = sent.wish
    if before and not before.active:
        wish = replace(wish, active=True)
    records = {people.fold(before.username): before} if before else None
    facts = ledger.facts(session, [wish], clock().today(), actor=who, records=records)
    if not all_told:
        nothing = frozenset[str]()
        facts = replace(facts, usernames=nothing, sso_external_ids=nothing, agent_ids=nothing)
    plan = plan_changes([wish], facts) if before else plan_new_users([wish], facts)
    return Standing(facts, before, sent, plan, (), _groups(who))


def _page(
    before: Record | None, sent: Sent, problems: Callable[[Plan], Sequence[Problem]], status: int = 200
) -> Response:
    it = _plan(before, sent)
    it = replace(it, problems=problems(it.plan))
    settings = current_app.extensions["settings"]
    conflict = None
    if status == 409 and before:
        own = profile.changed_last_by(db.session(), before.id, actor())
        conflict = shown_conflict.conflict(sent.wish, before, it.catalog, it.groups, own=own)
    return page(
        "users/form.html",
        regions=REGIONS,
        also=ALSO,
        status=status,
        form=shown_form.form(it, settings.help or "Ask whoever manages the contract."),
        it=_around(before, actor(), None if status == 409 else sent.version),
        conflict=conflict,
        refused=status == 422,
        op_id=resent.number(),
    )


def _around(before: Record | None, who: Actor, version: int | None) -> dict[str, object]:
    """The page around the form: whose it is, where it goes, what they hold.

    ``version``: that of the form as it was sent. It stays what the form was made from, or what somebody
    else saved meanwhile would be overwritten unseen; only a conflict, which shows it, goes on from there.
    """
    if before is None:
        return {
            "new": True,
            "active": True,
            "name": "New user",
            "url": url_for("users.create"),
            "user": None,
            "way_in": None,
        }
    found = profile.read(db.session(), before.username, who)
    assert found is not None
    time = clock()
    to = "users.save" if before.active else "users.reactivate"
    return {
        "new": False, "active": before.active, "name": before.name, "username": before.username,
        "version": before.version if version is None else version,
        "url": url_for(to, username=before.username), "page": url_for("users.one", username=before.username),
        "archive": url_for("users.archive", username=before.username),
        "delete": url_for("users.delete", username=before.username) if who.is_admin else "",
        "own": rights.is_self(who, before),
        "way_in": links.shown(before, who),
        "frees": [kind.full_name for kind in before.held],
        "user": shown.user(found, _catalog(), who, time.read(), time.zone),
    }  # fmt: skip
