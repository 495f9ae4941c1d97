"""The fixtures. What they do is in ``databases``, ``make``, ``inspecting`` and ``servers``; here it is only
tied together.

``app`` runs on SQLite, ``any_app`` makes a test run on SQLite and on PostgreSQL. ``make`` and ``browse``
belong to whichever of the two the test names; ``server`` serves what ``app`` and ``make`` write.
"""

import contextvars
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests import databases, servers
from tests.counts import Counts, counts
from tests.inspecting import Browser
from tests.make import Make
from webapp.database import db
from webapp.factory import create_app
from webapp.licensing import history, ledger


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--long", action="store_true", help="Run races, crashes and the state machine at full length."
    )
    parser.addoption("--examples", type=int, help="So many runs of the state machine.")


@pytest.fixture(name="counts")
def _counts(pytestconfig: pytest.Config, record_property: Callable[[str, object], None]) -> Counts:
    """How much to run of what can be run longer."""
    return counts(pytestconfig.getoption("--long"), pytestconfig.getoption("--examples"), record_property)


class OwnContextClient(FlaskClient):
    """A test client whose requests run as on a server: in a context of their own.

    The fixtures push an app context. A request inside it would share its ``g``, and so who is signed
    in, its CSRF token and its database session with the request before.
    """

    def open(self, *args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("buffered", True)  # what is streamed is read there too
        if not {"data", "json", "input_stream", "content_length"} & set(kwargs):
            kwargs["content_length"] = 0  # as every browser says it of a POST without a body
        return contextvars.Context().run(super().open, *args, **kwargs)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return databases.sqlite_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[databases.Postgres]:
    """This worker's PostgreSQL server, started by the first test that needs it."""
    try:
        with databases.postgres_server() as server:
            yield server
    except databases.NoPostgresError as missing:
        if os.environ.get("REQUIRE_POSTGRES") == "1":
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a database of this test alone, with the schema and the shipped catalog."""
    return databases.copy_of(sqlite_template, tmp_path)


@pytest.fixture
def postgres_url(postgres: databases.Postgres) -> Iterator[str]:
    with postgres.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def any_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))


@pytest.fixture
def app(sqlite_url: str) -> Iterator[Flask]:
    yield from _running(sqlite_url)


@pytest.fixture
def any_app(any_url: str) -> Iterator[Flask]:
    yield from _running(any_url)


def _running(url: str) -> Iterator[Flask]:
    """The app with its context pushed; at the end every figure must agree with the holdings (S7), and the chain hold."""
    app = create_app(databases.settings_for(url), cheap_passwords=True)
    app.testing = True
    app.test_client_class = OwnContextClient
    with app.app_context():
        yield app
        try:
            db.session.rollback()
            differences = ledger.recount(db.session())
            broken = history.verify(db.session(), app.extensions["settings"].chain_key.encode())
        finally:
            db.session.remove()
            db.engine.dispose()
    assert not differences, "S7: the counters differ from the holdings"
    assert not broken, "the chain of the change log is broken"


@pytest.fixture
def _this_app(request: pytest.FixtureRequest) -> Flask:
    return request.getfixturevalue("any_app" if "any_app" in request.fixturenames else "app")


@pytest.fixture
def make(_this_app: Flask) -> Make:
    return Make()


@pytest.fixture
def browse(_this_app: Flask) -> Browser:
    return Browser(_this_app)


@pytest.fixture
def server(app: Flask, sqlite_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    """``serve`` with two workers on the database that ``app`` and ``make`` write to."""
    site = servers.lay_out(tmp_path_factory.mktemp("site"))
    desk = servers.Desk(site, tmp_path_factory.mktemp("serve"))
    settings = databases.without_prefix(databases.environment(sqlite_url))
    with servers.running(desk, "serve", "--workers", "2", **settings) as running:
        yield running
