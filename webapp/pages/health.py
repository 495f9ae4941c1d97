"""``/healthz``: the process lives. ``/readyz``: database, schema and disk are ready.

Neither tells versions or paths, and ``/healthz`` touches nothing.
"""

import logging
import shutil
from collections.abc import Callable

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint, Response, current_app

from webapp import resources
from webapp.database import db

blueprint = Blueprint("health", __name__)

_log = logging.getLogger("license_desk")
_LEAST_FREE = 50 * 1024 * 1024  # bytes of disk


@blueprint.get("/healthz")
def healthz() -> Response:
    """200 as long as the process answers."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
def readyz() -> Response:
    """200 if a request could be served, else 503 with the parts that are not ready."""
    missing = [name for name, ready in _CHECKS.items() if not _passes(ready)]
    if not missing:
        return Response("ready\n", mimetype="text/plain")
    answer = Response(f"not ready: {', '.join(missing)}\n", status=503, mimetype="text/plain")
    answer.headers["Retry-After"] = "5"
    return answer


def _passes(ready: Callable[[], bool]) -> bool:
    try:
        return ready()
    except Exception:
        _log.exception("not ready")
        db.session.rollback()
        return False


def _schema() -> bool:
    return database_revision() == head_revision()


def database_revision() -> str | None:
    """The revision the database is at."""
    return MigrationContext.configure(db.session.connection()).get_current_revision()


def head_revision() -> str | None:
    """The revision this code needs."""
    return _migrations().get_current_head()


def known_revisions() -> set[str]:
    """All that this code can upgrade from, and its own."""
    return {script.revision for script in _migrations().walk_revisions()}


def _migrations() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(resources.MIGRATIONS))
    return ScriptDirectory.from_config(config)


def _disk() -> bool:
    file = current_app.extensions["settings"].sqlite_file
    return file is None or shutil.disk_usage(file.parent).free >= _LEAST_FREE


_CHECKS = {"database and schema": _schema, "disk": _disk}
