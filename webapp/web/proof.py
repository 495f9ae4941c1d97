"""The password of whoever is signed in, asked again: before it is changed, and before rights are given.

Counted like a sign-in, so that a tablet left open is no place to guess.
"""

from webapp.database import db, now, transaction
from webapp.licensing import passwords, sign_ins
from webapp.licensing.errors import Problem
from webapp.web import throttle
from webapp.web.access import note_proved, standing
from webapp.web.log import event
from webapp.web.passwords import is_right

FIELD = "current_password"


def check(password: str) -> tuple[str, Problem | None]:
    """The stored hash that the password fits, or what is wrong with it. Raises TooManyError."""
    me = standing().actor
    with throttle.counted(me.username) as one_try:
        stored = passwords.stored_hash(db.session(), me.id) if me.id is not None else None
        db.session.rollback()  # nothing is held while hashing
        if not is_right(password, stored) or stored is None:
            event("password_refused")
            return "", Problem("password_wrong", FIELD)
        with transaction() as session:
            if passwords.stored_hash(session, me.id or 0, lock=True) != stored:
                return "", Problem("password_wrong", FIELD)  # it was changed meanwhile
            one_try.succeeded(session)
            sign_ins.note_proof(session, standing().id, now())
    note_proved()
    return stored, None
