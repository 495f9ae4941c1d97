"""Installations for the commands: made once by the real commands, then copied for each test."""

from pathlib import Path

import pytest

from tests.commands.files import CONTRACT, as_csv, northwind
from tests.servers import Desk, lay_out


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session")
def _contracted(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk(site, tmp_path_factory.mktemp("contracted"))
    desk.init()
    desk.must("contract", "load", desk.write("contract.csv", CONTRACT))
    return desk


@pytest.fixture(scope="session")
def _staffed(_contracted: Desk, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = _contracted.copy(tmp_path_factory.mktemp("staffed"))
    file = desk.write("users.csv", as_csv(northwind()))
    desk.write("report.txt", desk.must("users", "import", file))
    return desk


@pytest.fixture
def empty(site: Path, tmp_path: Path) -> Desk:
    """Nothing was done yet: no database, no secrets."""
    return Desk(site, tmp_path)


@pytest.fixture
def desk(_contracted: Desk, tmp_path: Path) -> Desk:
    """After ``init`` and ``contract load``: one admin, nobody else."""
    return _contracted.copy(tmp_path)


@pytest.fixture
def staffed(_staffed: Desk, tmp_path: Path) -> Desk:
    """After ``users import`` of the 329 users as well; what it printed is in ``report.txt``."""
    return _staffed.copy(tmp_path)
