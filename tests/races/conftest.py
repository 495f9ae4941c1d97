"""The real server with two workers on either database, its admin signed in, and its history checked at the end."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests import databases, servers
from tests.checking import Log, check
from tests.make import Make
from tests.races.client import Client
from webapp.database import db
from webapp.licensing import history


@pytest.fixture
def log() -> Log:
    """What the clients of this test note."""
    return Log()


@pytest.fixture
def installation(tmp_path_factory: pytest.TempPathFactory) -> servers.Desk:
    """The code in a folder of its own, to be served or commanded."""
    site = servers.lay_out(tmp_path_factory.mktemp("site"))
    return servers.Desk(site, tmp_path_factory.mktemp("serve"))


@pytest.fixture
def settings(any_url: str) -> dict[str, str]:
    """The settings by which the program finds this test's database."""
    return databases.without_prefix(databases.environment(any_url))


@pytest.fixture
def desk(
    any_app: Flask, make: Make, log: Log, installation: servers.Desk, settings: dict[str, str]
) -> Iterator[Client]:
    """The admin's client. Whatever the test did, its history must have no complaint."""
    make.contract({"vcc/agent": (10, 0), "vcc/wallboard": (5, 0), "vcc/admin": (9, 0), "enc/enabled": (5, 0)})
    make.admin("boss")
    password = make.password("boss")
    log.first = history.newest(db.session())
    db.session.rollback()
    with servers.running(installation, "serve", "--workers", "2", **settings) as running:
        yield Client(running.port, "boss", password, log)
    db.session.rollback()
    assert check(db.session(), log) == []
