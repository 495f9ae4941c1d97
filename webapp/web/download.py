"""A list as a file: streamed from one snapshot, a few at a time, under a plain name.

The rows are those that the page lists with the same address. Nothing is gathered in memory. A file must
never look whole if it is not: the server ends what breaks off like any answer, so its last line tells.
"""

import threading
from collections.abc import Generator, Iterator
from contextlib import suppress

from flask import Response
from sqlalchemy.orm import Session

from webapp.database import BusyError, clock, reader
from webapp.licensing import csvfile, exporting
from webapp.licensing.catalog import Catalog
from webapp.licensing.lists import Filters
from webapp.licensing.visibility import Actor
from webapp.web.access import actor
from webapp.web.books import Books
from webapp.web.listing import read_address

AT_ONCE = 2  # downloads in each worker; they are long, and pages come first
LONGEST = 600.0  # seconds until a download must be done: somebody may have stopped reading it
NOT_WHOLE = "This file is not complete. Export it again.\r\n"  # no username: an import refuses it
_places = threading.BoundedSemaphore(AT_ONCE)


class _Download:
    """The pieces of one file. It has a place and a snapshot until it is closed, LONGEST at most."""

    def __init__(self, pieces: Generator[str, None, None]) -> None:
        if not _places.acquire(blocking=False):
            raise BusyError
        self._pieces, self._rest = pieces, iter([NOT_WHOLE])
        self._closing, self._closed = threading.Lock(), False
        self._late = threading.Timer(LONGEST, self.close)
        self._late.daemon = True
        self._late.start()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if not self._closed:
            try:
                return next(self._pieces)
            except StopIteration:
                if not self._closed:  # else it was closed just now, and may not be whole
                    raise
        if last := next(self._rest, ""):
            return last
        raise TimeoutError("a download took too long")

    def close(self) -> None:
        """Give back the place and the snapshot, once."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        self._late.cancel()
        _places.release()
        with suppress(ValueError):  # a piece is just being read: then the next one is refused
            self._pieces.close()


def users_file(books: Books, filters: Filters, name: str) -> Response:
    """The list with the filters of this address as a CSV file. Raises BusyError if others are at it.

    ``name``: a plain ASCII word for the file's name.
    """
    who, time = actor(), clock()
    asked = read_address(books, filters, who)
    download = _Download(_pieces(reader(), asked.filters, who, books.catalog))
    response = Response(download, mimetype="text/csv")
    response.call_on_close(download.close)
    moment = time.read().astimezone(time.zone)
    response.headers.set(
        "Content-Disposition", "attachment", filename=f"{name}-{moment:%Y-%m-%d-%H%M}.csv"
    )  # fmt: skip
    return response


def _pieces(session: Session, filters: Filters, who: Actor, catalog: Catalog) -> Generator[str, None, None]:
    with session:
        try:
            yield from csvfile.write(exporting.users_table(session, filters, who, catalog))
        except Exception:
            yield NOT_WHOLE
            raise
