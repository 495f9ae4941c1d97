"""The Licenses page at ``/licenses/<product>``, and its list as a file. Reads only; decides nothing."""

from flask import Blueprint, Response, abort, redirect, request, url_for

from webapp.database import clock
from webapp.licensing.catalog import Product
from webapp.licensing.lists import Filters
from webapp.pages.licenses import shown
from webapp.web import listing
from webapp.web.access import actor
from webapp.web.books import Books, open_books
from webapp.web.download import users_file
from webapp.web.page import page

blueprint = Blueprint("licenses", __name__)

REGIONS = ("main", "products", "details", "filters", "users", "more")
# Another product or card changes all of the page; a filter marks its card and all links; a refresh
# changes the figures alone: the list never moves by itself.
ALSO = {
    "details": ("title", "products", "filters", "users"),
    "users": ("details", "products"),
    "products": ("details",),
}


@blueprint.get("/")
def start() -> Response:
    """The start page is the Licenses page."""
    return redirect(url_for("licenses.first"), 303)  # type: ignore[return-value]


@blueprint.get("/licenses")
def first() -> Response:
    """The first product: the base product."""
    books = open_books()
    return _show(books, books.catalog.base)


@blueprint.get("/licenses/<product>", endpoint="product")
def one(product: str) -> Response:
    """The product named in the address."""
    books = open_books()
    return _show(books, books.catalog.product(product) or abort(404))


@blueprint.get("/licenses/<product>.csv")
def export(product: str) -> Response:
    """The list with these filters as a file."""
    books = open_books()
    return users_file(books, _chosen(books.catalog.product(product) or abort(404)), product)


def _chosen(product: Product) -> Filters:
    return Filters(product, next((t for t in product.types if t.key == request.args.get("type")), None))


def _show(books: Books, product: Product) -> Response:
    who, time = actor(), clock()
    moment = time.read()
    catalog, figures = books.catalog, books.figures(time.day(moment))
    asked = listing.read_address(books, _chosen(product), who)
    in_view = shown.in_view(books, asked.filters, figures, who)
    known = None if asked.filters.narrowed else in_view.of(asked.filters.type)
    found = listing.find(books, asked, who, known)
    archived = 0 if found.count else listing.archived_too(books, asked, who)
    return page(
        "licenses/licenses.html",
        regions=REGIONS,
        also=ALSO,
        products=shown.products(catalog, asked, figures),
        details=shown.details(asked, figures, moment, time.zone),
        filters=shown.filters(asked, in_view),
        users=shown.users(catalog, asked, figures, found, in_view, archived)
        | {"rows": listing.shown_rows(found.page, catalog, moment, time.zone)},
    )
