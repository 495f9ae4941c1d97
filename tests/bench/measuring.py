"""Takes the figures of every kind of page, at every size. Decides nothing about what is fast enough.

All sizes are served at the same time and measured in turns, many times over, so that what else the machine does
at a moment falls on all of them. What is compared is measured right after one another: a page with the same page
from constants, and with the same page in an account of another size; a ratio is that of the median turn. The
percentiles are of all answers, the pages a second those of the median turn.

A worker remembers some numbers until the next change, so the first pages after a change are measured too.
"""

import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, cycle, islice
from multiprocessing.pool import Pool
from pathlib import Path
from statistics import fmean, median, quantiles

from tests import databases, servers
from tests.bench import people, serving
from tests.bench.client import Connection, Job, latencies, pace, request_for, sign_in
from tests.bench.kinds import Kind, kinds_for
from webapp.factory import create_app

CLIENTS = 8
ROUNDS, ASKED, WARM, SECONDS = 15, 24, 4, 0.5  # for each kind: rounds, and in each of them so much
CHANGES = 8  # for each kind
WORKERS = 2

Say = Callable[[str], None]


@dataclass
class Figures:
    """What was measured of one thing on one server."""

    turns: list[list[float]] = field(default_factory=list)
    paces: list[float] = field(default_factory=list)

    @property
    def medians(self) -> list[float]:
        """Of each turn, the milliseconds within which half of the answers came."""
        return [median(turn) for turn in self.turns]

    @property
    def p50(self) -> float:
        """Milliseconds within which half of the answers came, in all turns."""
        return median(chain.from_iterable(self.turns))

    @property
    def p95(self) -> float:
        """Milliseconds within which 95 of 100 answers came, in all turns."""
        return quantiles(chain.from_iterable(self.turns), n=100)[94]

    @property
    def pages(self) -> float:
        """Pages a second with all clients, in the median turn."""
        return median(self.paces)


@dataclass
class Measured:
    """One kind, whole or as a region: from the app and from constants.

    ``rows``: on a page. ``anew``: milliseconds for the first page after each of some changes, whole.
    """

    kind: Kind
    region: bool
    rows: float = 0.0
    app: Figures = field(default_factory=Figures)
    constants: Figures = field(default_factory=Figures)
    anew: list[float] = field(default_factory=list)

    @property
    def share(self) -> float:
        """The app's pages a second as a share of those from constants right after it, in the median turn."""
        pairs = zip(self.app.paces, self.constants.paces, strict=True)
        return median(app / constants for app, constants in pairs)


@dataclass(frozen=True)
class Run:
    """All figures at one size."""

    size: int
    pages: list[Measured]
    hello: Figures


@dataclass(frozen=True)
class Served:
    """An account of one size, served: the ports of the app and of what it is measured beside, and what to ask.

    ``cookies``: by username. ``change`` makes a change.
    """

    app: int
    constants: int
    hello: int
    kinds: list[Kind]
    cookies: dict[str, str]
    change: Callable[[], None]


def measure(sizes: Sequence[int], say: Say) -> list[Run]:
    """Make so many people for each size, serve them, and measure every kind."""
    with ExitStack() as stack:
        clients = stack.enter_context(_clients())
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench"))) for _ in sizes]
        accounts = [stack.enter_context(served(*where, say)) for where in zip(folders, sizes, strict=True)]
        runs = [_nothing_yet(*account) for account in zip(sizes, accounts, strict=True)]
        for turn in range(1, ROUNDS + 1):
            say(f"measuring, turn {turn} of {ROUNDS}")
            _turn(accounts, runs, clients)
        for account, run in zip(accounts, runs, strict=True):
            for measured in run.pages:
                _finish(account, measured)
        return runs


def _nothing_yet(size: int, account: Served) -> Run:
    return Run(
        size, [Measured(kind, region) for kind in account.kinds for region in (False, True)], Figures()
    )


def _turn(accounts: Sequence[Served], runs: Sequence[Run], clients: Pool) -> None:
    """Every kind once, at all sizes right after one another."""
    for account, run in zip(accounts, runs, strict=True):
        _take(run.hello, account.hello, [request_for("/healthz")], clients)
    for same in zip(*(run.pages for run in runs), strict=True):
        for account, measured in zip(accounts, same, strict=True):
            requests = _requests(account, measured)
            _take(measured.app, account.app, requests, clients)
            _take(measured.constants, account.constants, requests, clients)


def _finish(account: Served, measured: Measured) -> None:
    """The rows on a page, and the first page after some changes."""
    requests = _requests(account, measured)
    measured.rows = _rows(account.app, requests)
    for request in () if measured.region else islice(cycle(requests), CHANGES):
        account.change()
        measured.anew += latencies(account.app, [request], 1, 0)


@contextmanager
def _clients() -> Iterator[Pool]:
    """Processes that all ask at the same time."""
    with multiprocessing.get_context("spawn").Pool(CLIENTS) as pool:
        pool.map(time.sleep, [1.0] * CLIENTS, chunksize=1)  # until each of them has begun
        yield pool


@contextmanager
def served(folder: Path, size: int, say: Say) -> Iterator[Served]:
    """Make so many people, and serve them until the block ends."""
    url = f"sqlite:///{folder / 'bench.db'}"
    settings = databases.without_prefix(databases.environment(url))
    databases.prepare(url)
    app = create_app(databases.settings_for(url), cheap_passwords=True)
    say(f"making {size:,} users")
    sign_ins = people.make(app, size)
    kinds = kinds_for(app)
    desk = servers.Desk(servers.lay_out(folder / "site"), folder)
    kept = folder / "kept"
    nothing = settings | {"DATABASE_URL": f"sqlite:///{folder / 'nothing.db'}", "BENCH_KEPT": str(kept)}
    with ExitStack() as stack:
        server = stack.enter_context(servers.running(desk, "serve", "--workers", str(WORKERS), **settings))
        cookies = {name: sign_in(server.port, who) for name, who in sign_ins.items()}
        serving.keep(app, [(a, cookies[kind.username]) for kind in kinds for a in kind.addresses], kept)
        constants = stack.enter_context(serving.serving(desk, "constants", **nothing))
        hello = stack.enter_context(serving.serving(desk, "hello", **nothing))
        yield Served(server.port, constants, hello, kinds, cookies, partial(people.change, app))


def _requests(account: Served, measured: Measured) -> list[bytes]:
    kind = measured.kind
    region = kind.region if measured.region else ""
    return [request_for(address, account.cookies[kind.username], region) for address in kind.addresses]


def _take(figures: Figures, port: int, requests: Sequence[bytes], clients: Pool) -> None:
    """One turn: alone first, then all clients at once, each beginning with another address."""
    figures.turns.append(latencies(port, requests, ASKED, WARM))
    start = time.time() + 0.1
    jobs = [Job(port, tuple(requests), first, start, SECONDS) for first in range(CLIENTS)]
    figures.paces.append(sum(clients.map(pace, jobs, chunksize=1)))


def _rows(port: int, requests: Sequence[bytes]) -> float:
    with Connection(port) as connection:
        return fmean(connection.ask(request).count(b"<tr data-username=") for request in requests)
