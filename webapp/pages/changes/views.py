"""``/changes``, one change, and a user's history. Reads only; decides nothing."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flask import Blueprint, Response, abort, request, url_for

from webapp.database import clock, db
from webapp.licensing import changes, ledger, profile
from webapp.licensing.changes import Wanted
from webapp.pages.changes import shown
from webapp.web.access import actor
from webapp.web.listing import address
from webapp.web.page import page

blueprint = Blueprint("changes", __name__)

REGIONS = ("main", "changes", "more")


@blueprint.get("/changes")
def every() -> Response:
    """All changes that have something in view, narrowed by the filters."""
    chosen = {name: request.args.get(name, "").strip() for name in ("person", "actor", "action", "day")}
    start, end = _day(chosen["day"])
    fields = shown.fields_of(chosen["action"], ledger.read_catalog(db.session()))
    wanted = Wanted(chosen["person"], chosen["actor"], fields, start, end)
    found = changes.read_page(db.session(), wanted, actor(), before=_before())
    more = address("changes.every", **chosen, before=str(found.next)) if found.next else None
    return _list(found, more, filters=shown.filters(chosen), clear_url=url_for("changes.every"))


@blueprint.get("/users/<username>/history")
def of_user(username: str) -> Response:
    """One user's changes; whoever is not in view does not exist (P5)."""
    user = profile.read(db.session(), username, actor()) or abort(404)
    found = changes.read_page(db.session(), Wanted(person=user.username), actor(), before=_before())
    more = None
    if found.next:
        more = url_for("changes.of_user", username=user.username, before=found.next)
    return _list(found, more, user={"name": user.name, "url": url_for("users.one", username=user.username)})


@blueprint.get("/changes/<int:seq>")
def one(seq: int) -> Response:
    """One change with all its entries in view."""
    after = request.args.get("after", "")
    position = int(after) if after.isdecimal() and len(after) < 10 else -1
    found = changes.read_one(db.session(), seq, actor(), after=position) if seq <= changes.HIGHEST else None
    if found is None:
        abort(404)
    catalog = ledger.read_catalog(db.session())
    told = shown.whole(found, catalog, clock().zone, position)
    return page("changes/change.html", change=told, partial=not actor().views_everyone)


def _list(found: changes.Page, more_url: str | None, **context: Any) -> Response:
    catalog = ledger.read_catalog(db.session())
    return page(
        "changes/changes.html", regions=REGIONS,
        changes=[shown.change(told, catalog, clock().zone) for told in found.changes], more_url=more_url,
        **({"user": None, "filters": None, "clear_url": None} | context),
    )  # fmt: skip


def _before() -> int | None:
    text = request.args.get("before", "")
    return int(text) if text.isdecimal() and len(text) < 10 else None


def _day(text: str) -> tuple[datetime | None, datetime | None]:
    """Midnight to midnight of a day in the installation's zone; an unknown day is ignored."""
    try:
        day = date.fromisoformat(text)
        start, end = (
            datetime.combine(d, time(), clock().zone).astimezone(UTC) for d in (day, day + timedelta(days=1))
        )
        return start, end
    except (ValueError, OverflowError):
        return None, None
