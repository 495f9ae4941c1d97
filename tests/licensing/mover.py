"""A process that adds and renames people while others read the list; see ``test_lists``."""

from itertools import count
from multiprocessing.synchronize import Event

from sqlalchemy import select, update

from tests.databases import settings_for
from webapp.database import PATIENCE, clock, db, transaction
from webapp.factory import create_app
from webapp.licensing import users
from webapp.licensing.history import Act
from webapp.licensing.people import fold
from webapp.licensing.record import Wish
from webapp.licensing.visibility import OPERATOR
from webapp.models import Holding, User


def move(url: str, begun: Event, enough: Event) -> None:
    """Add one, then rename one of those added, again and again."""
    app = create_app(settings_for(url), cheap_passwords=True)
    with app.app_context():
        act = Act(OPERATOR, "test", clock(), app.extensions["settings"].chain_key.encode())
        for number in count():
            letter = "zmac"[number % 4]
            wish = Wish(f"mover{number}", f"{letter} Person", "mover@b.example", licenses={"vcc": "agent"})
            with transaction(PATIENCE) as session:
                users.create(session, [wish], act)
            with transaction(PATIENCE) as session:  # there is no operation for it yet
                name = f"{'bqx'[number % 3]} Person"
                one = select(User.id).where(User.username == f"mover{number // 2}").scalar_subquery()
                session.execute(update(User).where(User.id == one).values(name=name, name_fold=fold(name)))
                session.execute(update(Holding).where(Holding.user_id == one).values(name_fold=fold(name)))
            if number == 3:
                begun.set()
            if enough.is_set():
                break
        db.session.remove()
        db.engine.dispose()
