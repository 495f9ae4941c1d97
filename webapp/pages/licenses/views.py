"""The Licenses page at ``/licenses/<product>``. Reads only; decides nothing."""

from flask import Blueprint, Response, abort, redirect, request, url_for

from webapp.database import clock, db
from webapp.licensing import holders, ledger
from webapp.licensing.catalog import Catalog, Product
from webapp.licensing.holders import Filters
from webapp.pages.licenses import shown
from webapp.web.access import actor
from webapp.web.listing import read_key
from webapp.web.page import page

blueprint = Blueprint("licenses", __name__)

REGIONS = ("main", "products", "details", "filters", "users", "more")
# Another product or card changes all of the page; a filter marks its card; a refresh changes the
# figures alone: the list never moves by itself.
ALSO = {
    "details": ("title", "products", "filters", "users"),
    "users": ("details",),
    "products": ("details",),
}


@blueprint.get("/")
def start() -> Response:
    """The start page is the Licenses page."""
    return redirect(url_for("licenses.first"), 303)  # type: ignore[return-value]


@blueprint.get("/licenses")
def first() -> Response:
    """The first product: the base product."""
    catalog = ledger.read_catalog(db.session())
    return _show(catalog, catalog.base)


@blueprint.get("/licenses/<product>", endpoint="product")
def one(product: str) -> Response:
    """The product named in the address."""
    catalog = ledger.read_catalog(db.session())
    return _show(catalog, catalog.product(product) or abort(404))


def _show(catalog: Catalog, product: Product) -> Response:
    session, who, time = db.session(), actor(), clock()
    moment = time.read()
    filters = Filters(
        product,
        type=next((t for t in product.types if t.key == request.args.get("type")), None),
        q=holders.folded_search(request.args.get("q", "")),
    )
    figures = ledger.figures(session, catalog, time.day(moment))
    after = read_key(request.args.get("after", ""))
    found = holders.read_page(session, filters, who, after=after)
    in_view = shown.in_view(session, product, figures, who)
    count = (
        min(in_view.of(filters.type), holders.COUNT_CAP + 1)
        if not filters.q
        else holders.count(session, filters, who)
    )
    return page(
        "licenses/licenses.html",
        regions=REGIONS,
        also=ALSO,
        products=shown.products(catalog, product, figures),
        details=shown.details(product, figures, filters, moment, time.zone),
        filters=shown.filters(product, in_view, filters),
        users=shown.users(catalog.base, product, figures, filters, found, in_view, count, moment, time.zone),
    )
