"""One process that tries to give one seat, for the races; see ``test_races``."""

from multiprocessing.synchronize import Barrier

from tests.databases import settings_for
from webapp.database import PATIENCE, clock, db, transaction
from webapp.factory import create_app
from webapp.licensing import users
from webapp.licensing.errors import LicensingError
from webapp.licensing.history import Act
from webapp.licensing.record import Wish
from webapp.licensing.visibility import OPERATOR

_together: Barrier


def wait_for(together: Barrier) -> None:
    """Pool initializer: nobody begins before all are there."""
    global _together
    _together = together


def take(url: str, number: int) -> list[str]:
    """Create one agent; the refusals' codes and ways out, or nothing."""
    app = create_app(settings_for(url), cheap_passwords=True)
    with app.app_context():
        base = "vcc"
        wish = Wish(f"racer{number}", "Racer", "racer@company.example", licenses={base: "agent"})
        act = Act(OPERATOR, "test", clock(), app.extensions["settings"].chain_key.encode())
        _together.wait(timeout=60)
        try:
            with transaction(PATIENCE) as session:
                users.create(session, [wish], act)
        except LicensingError as error:
            return [f"{problem.code}: {problem.way_out}" for problem in error.problems]
        finally:
            db.session.remove()
            db.engine.dispose()
    return []
