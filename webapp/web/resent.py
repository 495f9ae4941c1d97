"""A form that is sent twice, as it comes over HTTP: its own number and what it says, for ``licensing.once``.

Asked first in the transaction of what the form does. Decides nothing itself.
"""

from flask import request
from sqlalchemy.orm import Session

from webapp.licensing import once
from webapp.web.access import actor


def was_done(session: Session, location: str) -> bool:
    """Whether this form was done before; if not, that it leads to ``location`` is noted. In a transaction."""
    op_id, who = request.form.get("op_id"), actor().id
    if not op_id or who is None:
        return False
    return once.earlier(session, who, op_id, _digest(), location) is not None


def led_to(session: Session) -> str | None:
    """Where this form led before, for whoever could not be asked any more after it. Only a reading."""
    return once.led_to(session, actor().id, request.form.get("op_id", ""), _digest())


def _digest() -> str:
    return once.digest(request.path.casefold(), request.form.items(multi=True))
