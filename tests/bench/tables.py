"""The figures as Markdown tables, and which of them miss the targets. Measures nothing itself.

The share of the page from constants is a target for whole pages: a region is the same reading with less to
render. Its share is shown all the same.

Growth is of pages with as many rows: in a small account a group or a search leaves few, and a longer page
takes longer whatever the account. What a row takes is measured in the small account for each of the two lists, as
they show different columns; on regions, which are little else: between a full list and a search that finds one.
"""

import os
import platform
import sqlite3
from collections.abc import Iterator, Sequence
from statistics import median

from tests.bench.measuring import ASKED, CLIENTS, ROUNDS, WORKERS, Figures, Measured, Run

PLAIN_MS, SEARCH_MS = 15, 30  # of server time, p95, at the largest size
GROWTH = 1.5  # of the median, from the smallest size to the largest, at as many rows
LONG_SHORT = {
    "licenses": ("Licenses", "Licenses, search: one"),
    "users": ("Users", "Users, archived, search: many"),
}  # of each list; the small account has few archived, and of them hardly one fits a search
SHARE = 0.5  # of the pages a second of the same whole page from constants


def of_run(run: Run) -> Iterator[str]:
    """One size: each kind as a whole page and as a region."""
    yield f"{run.size:,} users; ms alone, pages a second with {CLIENTS} clients (the median turn)"
    yield ""
    yield "| page | p50 | p95 | pages/s | of constants | region p50 | p95 | pages/s | of constants | after a change |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for whole, region in _pairs(run):
        yield f"| {whole.kind.name} | {_cells(whole)} | {_cells(region)} | {median(whole.anew):.1f} |"
    whole, region = next(_pairs(run))
    yield f"| *{whole.kind.name}, from constants* | {_figures(whole.constants)} | | {_figures(region.constants)} | | |"
    yield f'| *"hello"* | {_figures(run.hello)} | | | | | | |'


def of_growth(small: Run, large: Run) -> Iterator[str]:
    """How much longer a page takes when there are more people: as it is, and at as many rows."""
    rows = ", ".join(f"of {name} {_row(small, name):.3f} ms" for name in LONG_SHORT)
    yield f"Growth of p50 from {small.size:,} to {large.size:,} users; a row {rows}"
    yield ""
    yield "| page | whole | at as many rows | region | at as many rows | rows on it |"
    yield "|---|--:|--:|--:|--:|--:|"
    for pair, pair_after in zip(_pairs(small), _pairs(large), strict=True):
        factors = " | ".join(
            f"{_ratio(before, after, 0):.2f} | {_growth(small, before, after):.2f}"
            for before, after in zip(pair, pair_after, strict=True)
        )
        yield f"| {pair[0].kind.name} | {factors} | {pair[0].rows:.0f} → {pair_after[0].rows:.0f} |"


def of_machine() -> Iterator[str]:
    """What all this ran on."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    yield f"- {os.cpu_count()} CPUs, {_processor()}; servers and clients on the same machine"
    yield f"- Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {WORKERS} workers"
    yield f"- {ROUNDS * ASKED} requests alone and {ROUNDS} times {CLIENTS} clients for each figure"
    yield f"- load average at the end: {load}"


def misses(runs: Sequence[Run]) -> Iterator[str]:
    """Every figure at the largest size that is not what it should be."""
    small, large = runs[0], runs[-1]
    for measured in large.pages:
        name = f"{measured.kind.name}, {'region' if measured.region else 'whole'}"
        most = SEARCH_MS if measured.kind.searches else PLAIN_MS
        if measured.app.p95 > most:
            yield f"{name}: p95 {measured.app.p95:.1f} ms, at most {most}"
        if measured.share < SHARE and not measured.region:
            yield f"{name}: {measured.share:.2f} of the pages a second from constants, at least {SHARE}"
    if small is not large:
        for before, after in zip(small.pages, large.pages, strict=True):
            if (factor := round(_growth(small, before, after), 2)) > GROWTH:
                part = "region" if after.region else "whole"
                yield f"{after.kind.name}, {part}: grows by {factor:.2f} at as many rows, at most {GROWTH}"


def _pairs(run: Run) -> Iterator[tuple[Measured, Measured]]:
    """Each kind as a whole page and as a region."""
    return zip(run.pages[::2], run.pages[1::2], strict=True)


def _cells(measured: Measured) -> str:
    return f"{_figures(measured.app)} | {measured.share:.2f}"


def _figures(figures: Figures) -> str:
    return f"{figures.p50:.1f} | {figures.p95:.1f} | {figures.pages:,.0f}"


def _growth(small: Run, before: Measured, after: Measured) -> float:
    """At as many rows: as if the page of the small account had those of the large one."""
    return _ratio(before, after, _row(small, before.kind.list) * (after.rows - before.rows))


def _ratio(before: Measured, after: Measured, more: float) -> float:
    """How much longer a page takes than the other and so many milliseconds more, in the median turn."""
    medians = zip(before.app.medians, after.app.medians, strict=True)
    return median(late / (early + more) for early, late in medians)


def _row(small: Run, name: str) -> float:
    """Milliseconds that one row more of this list takes, in the median turn."""
    regions = {page.kind.name: page for page in small.pages if page.region}
    long, short = (regions[kind] for kind in LONG_SHORT[name])
    medians = zip(long.app.medians, short.app.medians, strict=True)
    return median(more - less for more, less in medians) / (long.rows - short.rows)


def _processor() -> str:
    """The processor's name as the system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
