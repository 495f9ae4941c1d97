"""``/users`` and its list as a file. Reads only; decides nothing."""

from flask import Response, request

from webapp.database import clock
from webapp.licensing.catalog import Catalog
from webapp.licensing.lists import Filters
from webapp.pages.users import shown
from webapp.pages.users.blueprint import blueprint
from webapp.web import listing
from webapp.web.access import actor
from webapp.web.books import open_books
from webapp.web.download import users_file
from webapp.web.page import page
from webapp.words import Status

REGIONS = ("main", "users", "more")


@blueprint.get("/users")
def everyone() -> Response:
    """Everyone in view, narrowed by the filters."""
    who, time = actor(), clock()
    moment = time.read()
    books = open_books()
    catalog = books.catalog
    asked = listing.read_address(books, _chosen(catalog), who)
    in_view = shown.in_view(books, asked.filters, books.figures(time.day(moment)), who)
    known = None if asked.filters.narrowed else in_view.total
    found = listing.find(books, asked, who, known, besides=True)
    archived = 0 if found.count else listing.archived_too(books, asked, who)
    return page(
        "users/users.html",
        regions=REGIONS,
        filters=shown.filters(catalog, asked, in_view),
        users=shown.users(catalog, asked, found, in_view, archived, who.may_create)
        | {"rows": listing.shown_rows(found.page, catalog, moment, time.zone)},
    )


@blueprint.get("/users.csv")
def export() -> Response:
    """The list with these filters as a file."""
    books = open_books()
    return users_file(books, _chosen(books.catalog), "users")


def _chosen(catalog: Catalog) -> Filters:
    """Status and license; unknown values are ignored."""
    kind = catalog.types.get(request.args.get("license", ""))
    status = request.args.get("status", "")
    product = catalog.product(kind.product) if kind else catalog.base
    return Filters(product or catalog.base, kind, Status(status) if status in set(Status) else Status.ACTIVE)
