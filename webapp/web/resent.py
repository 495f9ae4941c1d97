"""A form that is sent twice, as it comes over HTTP: its own number and what it says, for ``licensing.once``.

Asked first in the transaction of what the form does. Decides nothing itself. What the try before was to
say and nobody read, because the page after it was lost, is never said by the next one.
"""

import secrets

from flask import Flask, request
from flask import session as browser_session
from sqlalchemy.orm import Session

from webapp.licensing import once
from webapp.licensing.rights import Actor


def init_resent(app: Flask) -> None:
    """Before a form does anything, drop what an earlier one left to be said."""
    app.before_request(_say_nothing_of_before)


def _say_nothing_of_before() -> None:
    # Where flash() keeps it: read by get_flashed_messages(), this answer would still tell it.
    if request.method == "POST" and "_flashes" in browser_session:
        del browser_session["_flashes"]


def number() -> str:
    """The number for the forms of a page: one that comes back keeps it, and each form adds its ``:name``.

    A refusal rolled it back; and if the form was saved and its answer lost, each further try must hear that.
    """
    sent = request.form.get("op_id", "").partition(":")[0]
    return once.usable(sent) or secrets.token_urlsafe(16)


def was_done(session: Session, who: Actor, location: str) -> bool:
    """Whether they sent this form before; if not, it is noted that it leads to ``location``."""
    op_id = request.form.get("op_id")
    if not op_id or who.id is None:
        return False
    return once.earlier(session, who.id, op_id, _digest(), location) is not None


def led_to(session: Session, who: Actor) -> str | None:
    """Where this form led before, if it is about what is not there any more after it. Only a reading."""
    return once.led_to(session, who.id, request.form.get("op_id", ""), _digest())


def _digest() -> str:
    return once.digest(request.path.casefold(), request.form.items(multi=True))
