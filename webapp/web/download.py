"""A list as a file: streamed from one snapshot, a few at a time, under a plain name.

The rows are those that the page lists with the same address. Nothing is gathered in memory.
"""

from collections.abc import Iterator
from threading import BoundedSemaphore

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
_turns = BoundedSemaphore(AT_ONCE)


def users_file(books: Books, filters: Filters, name: str) -> Response:
    """The list with the filters of this address as a CSV file. Raises BusyError if others are at it.

    ``name``: a plain ASCII word for the file's name.
    """
    who, time = actor(), clock()
    asked = read_address(books, filters, who)
    if not _turns.acquire(blocking=False):
        raise BusyError
    response = Response(_lines(reader(), asked.filters, who, books.catalog), mimetype="text/csv")
    response.call_on_close(_turns.release)
    moment = time.read().astimezone(time.zone)
    response.headers.set(
        "Content-Disposition", "attachment", filename=f"{name}-{moment:%Y-%m-%d-%H%M}.csv"
    )  # fmt: skip
    return response


def _lines(session: Session, filters: Filters, who: Actor, catalog: Catalog) -> Iterator[str]:
    with session:
        yield from csvfile.write(exporting.users_table(session, filters, who, catalog))
