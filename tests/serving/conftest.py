"""One installation with one server for all that only asks; what needs a server of its own starts it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.files import CONTRACT
from tests.servers import Desk, Server, lay_out, running


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session")
def _installed(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk(site, tmp_path_factory.mktemp("installed"))
    desk.init()
    desk.must("contract", "load", desk.write("contract.csv", CONTRACT))
    return desk


@pytest.fixture
def desk(_installed: Desk, tmp_path: Path) -> Desk:
    """After ``init`` and ``contract load``; its admin is ada, with PASSWORD."""
    return _installed.copy(tmp_path)


@pytest.fixture(scope="session")
def edge(_installed: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server over plain HTTP on this machine, for tests that change nothing."""
    with running(_installed.copy(tmp_path_factory.mktemp("edge")), "serve") as server:
        yield server
