"""LOAD-2 by hand, ``python -m tests.slow``: how long pages take beside 200 slow headers and 200 slow bodies.

Prints the percentiles alone, beside and after, and when slow headers were dropped; exits with 1 if the
95th is a second or more.
"""

import sys
import tempfile
import time
from pathlib import Path

from tests.commands.files import CONTRACT
from tests.servers import Desk, lay_out, running
from tests.serving.slow import drip, slow_clients, still_open
from tests.serving.visiting import Visitor

EACH = 200
ROUNDS = 60
PAGES = ("/licenses", "/users", "/users/new", "/static/app.css")


def percentile_95(visitor: Visitor) -> float:
    """Seconds, over all pages and rounds."""
    took = []
    for number in range(ROUNDS * len(PAGES)):
        begun = time.perf_counter()
        status = visitor.ask("GET", PAGES[number % len(PAGES)]).status
        took.append(time.perf_counter() - begun)
        assert status == 200, status
    return sorted(took)[int(len(took) * 0.95)]


def main() -> int:
    """Measure, print, judge."""
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(lay_out(Path(folder, "site")), Path(folder, "data"))
        desk.folder.mkdir()
        desk.init()
        desk.must("contract", "load", desk.write("contract.csv", CONTRACT))
        with running(desk, "serve") as server:
            visitor = Visitor(server.port)
            assert visitor.sign_in().status == 303
            alone = percentile_95(visitor)
            with slow_clients(server.port, EACH, EACH) as clients:
                begun, dropped = time.monotonic(), None
                beside = []
                while dropped is None and time.monotonic() - begun < 40:
                    drip(clients[EACH:])
                    beside.append(percentile_95(visitor))
                    dropped = None if still_open(clients[:EACH]) else time.monotonic() - begun
                open_bodies = still_open(clients[EACH:])
                for client in clients:
                    client.close()
            after = percentile_95(visitor)
    sys.stdout.write(
        f"p95 alone {alone:.3f} s, beside {EACH} + {EACH} slow clients {max(beside):.3f} s, after {after:.3f} s\n"
        f"slow headers all dropped after {dropped or -1:.0f} s; {open_bodies} of {EACH} slow bodies still open\n"
    )
    return int(max(beside) >= 1 or dropped is None)


if __name__ == "__main__":
    sys.exit(main())
