"""A process that adds people, renames them and moves them between groups while others read the lists; see ``test_lists``."""

from dataclasses import replace
from itertools import count
from multiprocessing.synchronize import Event

from sqlalchemy.orm import Session

from tests.databases import settings_for
from webapp.database import PATIENCE, clock, db, transaction
from webapp.factory import create_app
from webapp.licensing import ledger, users
from webapp.licensing.history import Act
from webapp.licensing.record import Wish
from webapp.licensing.visibility import OPERATOR

INITIALS = "z1maЖc"
GROUPS = ("Billing", "Floor", "Night")


def move(url: str, begun: Event, enough: Event) -> None:
    """Add one, then rename one of those added and put them into another group, again and again."""
    app = create_app(settings_for(url), cheap_passwords=True)
    with app.app_context():
        act = Act(OPERATOR, "test", clock(), app.extensions["settings"].chain_key.encode())
        for number in count():
            wish = _wish(number, number)
            with transaction(PATIENCE) as session:
                users.create(session, [replace(wish, licenses={"vcc": "agent"})], act)
            with transaction(PATIENCE) as session:
                moved = _wish(number // 2, number + 1)
                users.save(session, moved, _version(session, moved.username), act)
            if number == 3:
                begun.set()
            if enough.is_set():
                break
        db.session.remove()
        db.engine.dispose()


def _wish(number: int, turn: int) -> Wish:
    name = f"{INITIALS[turn % len(INITIALS)]} Person"
    return Wish(f"mover{number}", name, "mover@b.example", groups=(GROUPS[turn % len(GROUPS)],))


def _version(session: Session, username: str) -> int:
    record = ledger.read_record(session, username, ledger.read_catalog(session))
    assert record
    return record.version
