"""A form that is sent twice, as it comes over HTTP: its own number and what it says, for ``licensing.once``.

Asked first in the transaction of what the form does. Decides nothing itself.
"""

from flask import request
from sqlalchemy.orm import Session

from webapp.licensing import once
from webapp.licensing.rights import Actor


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
