"""Slow clients hold nobody up. How long the others wait is measured apart: ``python -m tests.long``."""

import pytest

from tests.servers import Desk, running
from tests.serving.slow import drip, slow_clients
from tests.serving.visiting import Visitor


@pytest.mark.case("LOAD-2")
def test_LOAD_2_beside_60_slow_clients_everybody_is_answered(desk: Desk) -> None:
    with running(desk, "serve") as server, slow_clients(server.port, headers=30, bodies=30) as clients:
        visitor = Visitor(server.port)
        assert visitor.sign_in().status == 303
        for _ in range(5):
            drip(clients)
            for path in ("/licenses", "/users", "/users/new"):
                assert visitor.ask("GET", path).status == 200
        for client in clients:  # they hang up, and no answer is owed them
            client.close()
