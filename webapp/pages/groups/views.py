"""``/groups``: list, create, rename, delete when empty. Decides nothing; the core does."""

from collections.abc import Callable

from flask import Blueprint, Response, flash, redirect, request, url_for
from sqlalchemy.orm import Session

from webapp.database import db, transaction
from webapp.licensing import groups
from webapp.licensing.errors import LicensingError, NotThereError, Problem
from webapp.licensing.groups import GroupView
from webapp.web import format as words
from webapp.web import resent, throttle
from webapp.web.access import act, actor
from webapp.web.fields import errors_at
from webapp.web.page import page

blueprint = Blueprint("groups", __name__)


@blueprint.get("/groups")
def everything() -> Response:
    """The groups in view."""
    return _page()


@blueprint.post("/groups")
def create() -> Response:
    """Make a group."""
    name = request.form.get("name", "")
    return _done(lambda session: groups.create(session, name, act()), "group made", typed=name)


@blueprint.get("/groups/<int:group>")
def one(group: int) -> Response:
    """One group: its name, and the way to its users."""
    return _one(group)


@blueprint.post("/groups/<int:group>")
def rename(group: int) -> Response:
    """Give it another name."""
    name = request.form.get("name", "")
    return _done(lambda session: groups.rename(session, group, name, act()), "saved", group, typed=name)


@blueprint.post("/groups/<int:group>/delete")
def remove(group: int) -> Response:
    """Delete it, if nobody is in it."""
    return _done(lambda session: groups.remove(session, group, act()), "group deleted", group)


def _done(do: Callable[[Session], None], said: str, group: int | None = None, typed: str = "") -> Response:
    location = url_for("groups.everything")
    throttle.hold_prober(actor())
    try:
        with transaction() as session:
            if not resent.was_done(session, actor(), location):
                do(session)
    except LicensingError as error:
        throttle.note_probe(actor(), error.problems)
        if group is None:
            return _page(error.problems, typed, 422)
        return _one(group, error.problems, typed, 422)
    flash(said)
    return redirect(location, 303)  # type: ignore[return-value]


def _page(problems: tuple[Problem, ...] = (), typed: str = "", status: int = 200) -> Response:
    who = actor()
    found = groups.read_all(db.session(), who)
    return page(
        "groups/groups.html", status=status, groups=[_shown(it) for it in found],
        manages=who.may("groups"), errors=errors_at(problems), typed=typed, group=None,
        op_id=resent.number(),
    )  # fmt: skip


def _one(
    group: int, problems: tuple[Problem, ...] = (), typed: str | None = None, status: int = 200
) -> Response:
    who = actor()
    found = next((it for it in groups.read_all(db.session(), who) if it.id == group), None)
    if found is None:
        raise NotThereError
    return page(
        "groups/group.html", status=status, group=_shown(found), manages=who.may("groups"),
        errors=errors_at(problems), typed=found.name if typed is None else typed,
        holders=groups.holders_in_view(db.session(), group, who),
        op_id=resent.number(),
    )  # fmt: skip


def _shown(it: GroupView) -> dict[str, object]:
    return {
        "id": it.id, "name": it.name, "members": words.people(it.members, "active user"), "writes": it.writes,
        "url": url_for("groups.one", group=it.id), "users_url": url_for("users.everyone", group=it.id),
    }  # fmt: skip
