"""A page, or one of its regions: the one place that decides which.

A region is an element whose id is the name of the template block inside it. The client may name a
region that the view lists, and nothing else. No other module reads an HTMX header.
"""

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, make_response, render_template, request
from jinja2_fragments.flask import render_block

VARIES_ON = ("Cookie", "HX-Request", "HX-Request-Type", "HX-Target", "HX-History-Restore-Request")


def page(
    template: str, *, regions: Collection[str] = ("main",),
    also: Mapping[str, Collection[str]] | None = None, status: int = 200, **context: Any,
) -> Response:  # fmt: skip
    """The whole page, or the region the browser asked for with the regions that change along.

    ``also``: for an asked region, the others to send out of band with it.
    """
    region = wanted_region(regions)
    if region is None:
        html = render_template(template, **context)
    else:
        html = render_block(template, region, **context)
        # What stands in the window's title belongs to the page's region.
        for other in ("title",) if region == "main" else (also or {}).get(region, ()):
            html += _beside(other, render_block(template, other, **context))
    return make_response(html, status)


def _beside(region: str, inner: str) -> str:
    """A region out of band, as htmx wants it. The block ``title`` stands in the element ``title``."""
    if region == "title":
        return f"<title>{inner}</title>"
    return f'<hx-partial hx-target="#{region}" hx-swap="innerHTML">{inner}</hx-partial>'


def wanted_region(regions: Collection[str]) -> str | None:
    """The region that htmx wants to swap, if the view lists it; None is the whole page.

    Going back in history asks for the whole page, whatever else the headers say.
    """
    if request.headers.get("HX-Request-Type") == "full" or not from_htmx() or _restores_history():
        return None
    name = request.headers.get("HX-Target", "").partition("#")[2]  # "section#users"
    return name if name in regions else None


def from_htmx() -> bool:
    """Whether htmx sent the request."""
    return request.headers.get("HX-Request") == "true"


def needs_redirect_header() -> bool:
    """Whether a 303 would end inside the page instead of moving the whole window."""
    return from_htmx() or _restores_history()


def came_from() -> str:
    """The path and query of the page that htmx sent the request from; empty if it did not."""
    try:
        url = urlsplit(request.headers.get("HX-Current-URL", ""))
    except ValueError:  # "http://[": no browser is there
        return ""
    return f"{url.path}?{url.query}" if url.query else url.path


def asked_by_itself() -> bool:
    """Whether the page asked without its person: the figures that are read again from time to time."""
    return request.headers.get("HX-Source", "").endswith("#figures")


def asked_for_more() -> bool:
    """Whether only the next rows of a list were asked for: what they are added to is the page."""
    return from_htmx() and request.headers.get("HX-Target", "").endswith("#more")


def _restores_history() -> bool:
    return "HX-History-Restore-Request" in request.headers


def add_components(app: Flask) -> None:
    """Make each file of ``templates/components`` a Jinja global: blocks rendered alone see no imports.

    ``ui`` comes first; the others are built of it.
    """
    environment = app.jinja_env
    names = environment.list_templates(filter_func=lambda name: name.startswith("components/"))
    for name in sorted(names, key=lambda name: name != "components/ui.html"):
        word = name.removeprefix("components/").removesuffix(".html")
        environment.globals[word] = environment.get_template(name).module
