"""``browse``: a test browser that inspects every page and fragment it fetches.

A test that only wants to read a number thereby also checks headers, labels, ids, links, forms and the
Content-Security-Policy. A fragment must be a literal part of the full page at the same address, so that
what HTMX shows is what a reload would show.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from bs4 import BeautifulSoup, Tag
from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter, RequestRedirect
from werkzeug.test import TestResponse

from webapp import resources

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "object-src 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), fullscreen=(), "
        "geolocation=(), gyroscope=(), hid=(), idle-detection=(), magnetometer=(), microphone=(), midi=(), "
        "payment=(), picture-in-picture=(), publickey-credentials-get=(), screen-wake-lock=(), serial=(), "
        "usb=(), xr-spatial-tracking=()"
    ),
}
READ_FROM_HTMX = ("HX-Request", "HX-Request-Type", "HX-Target", "HX-History-Restore-Request")

_BESIDE = re.compile(
    r'<hx-partial hx-target="#(?P<id>[\w-]+)" hx-swap="innerHTML">(?P<inner>.*?)</hx-partial>'
    r"|(?P<title><title>.*?</title>)",
    re.DOTALL,
)
_TOKEN = re.compile(
    r'(name="csrf_token" value="|name="op_id" value="|X-CSRFToken": "|X-CSRFToken&#34;: &#34;)[\w.-]+'
)
_TIME = re.compile(r"<time [^>]*>[^<]*</time>")
_OTHER_HOST = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:)?[\\/]{2}", re.IGNORECASE)
_ADDRESSES = {
    "href": "GET", "src": "GET", "hx-get": "GET", "hx-post": "POST", "hx-put": "PUT", "hx-delete": "DELETE",
    "formaction": "POST",
}  # fmt: skip


class Page:
    """An answer that passed inspection."""

    def __init__(self, url: str, response: TestResponse) -> None:
        self.url = url
        self.response = response
        self.status = response.status_code
        self.text = response.get_data(as_text=True)
        self.soup = BeautifulSoup(self.text, "html5lib") if response.mimetype == "text/html" else None

    def all(self, css: str) -> list[Tag]:
        """The elements that match."""
        assert self.soup is not None, f"{self.url} is no HTML"
        return list(self.soup.select(css))

    def one(self, css: str) -> Tag:
        """The one element that matches."""
        found = self.all(css)
        assert len(found) == 1, f"{len(found)} elements match {css} on {self.url}"
        return found[0]

    def words(self, css: str = "body") -> str:
        """What the one matching element says, with single spaces."""
        return " ".join(self.one(css).get_text(" ").split())

    @property
    def usernames(self) -> list[str]:
        """The usernames of the list's rows, in order."""
        return [str(row["data-username"]) for row in self.all("[data-username]")]

    @property
    def location(self) -> str:
        """Where a redirect leads."""
        return self.response.headers["Location"]


class Browser:
    """See the module. ``status`` is what the answer must have."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client = app.test_client()
        self._routes = app.url_map.bind("localhost")
        self._token = ""

    def get(self, url: str, *, status: int = 200, headers: dict[str, str] | None = None) -> Page:
        """Fetch a whole page."""
        page = self._fetch("GET", url, status, headers=headers)
        if page.soup and not 300 <= status < 400:
            inspect_page(page, self._routes)
            self._remember_token(page)
        return page

    def post(self, url: str, data: dict[str, Any] | None = None, *, status: int = 303) -> Page:
        """Send a form with the token of the last page; an answer with a body must be a whole page."""
        page = self._fetch("POST", url, status, data={"csrf_token": self._token, **(data or {})})
        if page.soup and not 300 <= status < 400:
            inspect_page(page, self._routes)
            self._remember_token(page)
        return page

    def region(self, url: str, name: str, *, status: int = 200) -> Page:
        """Fetch a region as htmx does, and compare it with the whole page at the same address."""
        headers = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": f"div#{name}"}
        fragment = self._fetch("GET", url, status, headers=headers)
        inspect_fragment(fragment, self.get(url, status=status))
        return fragment

    def sign_in(self, username: str, password: str, *, next: str = "", status: int = 303) -> Page:
        """Sign in by the real form, and go where it leads; with ``status=422`` the form again."""
        form = self.get("/sign-in" + (f"?next={next}" if next else "")).one("main form")
        data = {str(field["name"]): str(field.get("value", "")) for field in form.select("input[name]")}
        answer = self.post(
            str(form["action"]), {**data, "username": username, "password": password}, status=status
        )
        return self.follow(answer) if status == 303 else answer

    def sign_out(self) -> Page:
        """Sign out by the form that the last page must have had."""
        return self.follow(self.post("/sign-out"))

    def follow(self, answer: Page) -> Page:
        """Go where a redirect leads."""
        while 300 <= answer.status < 400:
            answer = self._fetch("GET", urljoin(answer.url, answer.location), None)
        if answer.soup:
            inspect_page(answer, self._routes)
            self._remember_token(answer)
        return answer

    def _fetch(self, method: str, url: str, status: int | None, **how: Any) -> Page:
        response = self.client.open(url, method=method, **how)
        page = Page(url, response)
        if status is not None:
            assert page.status == status, f"{method} {url} answered {page.status}: {page.text[:2000]}"
        inspect_headers(page)
        return page

    def _remember_token(self, page: Page) -> None:
        for field in page.all("input[name=csrf_token]")[:1]:
            self._token = str(field["value"])


def inspect_headers(page: Page) -> None:
    """Every answer carries the same guards."""
    headers = page.response.headers
    for name, value in HEADERS.items():
        assert headers.getlist(name) == [value], f"{page.url} sends {name}: {headers.getlist(name)}"
    assert headers["Cache-Control"] == "no-store", f"{page.url} may be kept by a cache"
    vary = {name.strip() for name in headers.get("Vary", "").split(",")}
    assert "Cookie" in vary, f"{page.url} does not vary on Cookie"
    if 300 <= page.status < 400:
        assert re.match(r"/(?![/\\])", page.location), f"{page.url} leads to {page.location}"


def inspect_page(page: Page, routes: MapAdapter) -> None:
    """A whole page: complete, labeled, its links and forms lead somewhere, no code in it."""
    for part in ("<!doctype html>", "<html lang=", "<head>", "<body", "</html>"):
        assert page.text.count(part) == 1, f"{page.url} has {page.text.count(part)} × {part}"
    assert len(page.all("h1")) == 1, f"{page.url} needs exactly one h1"
    assert page.words("title"), f"{page.url} has no title"
    _inspect_ids(page)
    _inspect_labels(page)
    _inspect_forms(page)
    _inspect_code(page)
    _inspect_addresses(page, routes)
    _inspect_leaks(page)


def inspect_fragment(fragment: Page, full: Page) -> None:
    """A fragment: literally in the whole page, and so is each part out of band."""
    where = f"the fragment of {fragment.url}"
    assert "<html" not in fragment.text, f"{where} is a whole page: does the view list the region?"
    vary = {name.strip() for name in fragment.response.headers["Vary"].split(",")}
    assert vary.issuperset(READ_FROM_HTMX), f"{where} does not vary on what it was chosen by"
    whole = _comparable(full.text)
    text = _comparable(fragment.text)
    beside = list(_BESIDE.finditer(text))
    main = text[: beside[0].start()] if beside else text
    assert main.strip(), f"{where} is empty"
    assert main in whole, f"{where} is no literal part of the page:\n{main}"
    for part in beside:
        inner = part["title"] or part["inner"]
        assert inner in whole, f"{where} sends beside it what is no literal part of the page:\n{inner}"
        assert part["title"] or full.all(f"#{part['id']}"), (
            f"{where} changes #{part['id']}, which is not there"
        )
    assert not _BESIDE.sub("", text[len(main) :]).strip(), f"{where} has text between its parts"


def _comparable(text: str) -> str:
    """Without what differs between any two answers: tokens are signed anew, and time goes on."""
    return _TIME.sub("<time>", _TOKEN.sub(r"\1", text))


def _inspect_ids(page: Page) -> None:
    ids = [str(element["id"]) for element in page.all("[id]")]
    assert len(ids) == len(set(ids)), (
        f"{page.url} repeats ids: {sorted({i for i in ids if ids.count(i) > 1})}"
    )
    for attribute in ("for", "aria-describedby", "aria-labelledby", "aria-controls"):
        for element in page.all(f"[{attribute}]"):
            for wanted in str(element[attribute]).split():
                assert wanted in ids, f"{page.url}: {attribute}={wanted} names no element"
    for attribute in ("hx-target", "hx-sync", "hx-indicator", "hx-indicator:inherited"):
        for element in page.soup.find_all(attrs={attribute: True}) if page.soup else ():
            value = str(element[attribute])
            if value.startswith("#"):
                wanted = re.split(r"[:\s,]", value[1:])[0]
                assert wanted in ids, f"{page.url}: {attribute}={value} names no element"


def _inspect_labels(page: Page) -> None:
    labeled = {str(label["for"]) for label in page.all("label[for]")}
    for field in page.all("input:not([type=hidden]), select, textarea"):
        named = field.get("aria-label") or field.get("aria-labelledby") or field.find_parent("label")
        assert named or field.get("id") in labeled, f"{page.url}: {field} has no label"
    for control in page.all("a, button, summary"):
        assert control.get("aria-label") or control.get_text(strip=True), (
            f"{page.url}: {control} says nothing"
        )
    for image in page.all("svg"):
        assert image.get("aria-hidden") == "true" or image.get("aria-label") or image.find_parent("svg"), (
            f"{page.url}: {image} is neither hidden nor named"
        )


def _inspect_forms(page: Page) -> None:
    for form in page.all("form"):
        posts = str(form.get("method", "get")).lower() == "post"
        tokens = form.select("input[type=hidden][name=csrf_token]")
        assert len(tokens) == posts, f"{page.url}: {len(tokens)} tokens in {form.get('action')}"
        assert all(token.get("value") for token in tokens), f"{page.url}: an empty token"


def _inspect_code(page: Page) -> None:
    for script in page.all("script"):
        inline = not script.get("src") or script.get_text(strip=True)
        assert not inline, f"{page.url} has an inline script"
    assert not page.all("style, [style]"), f"{page.url} has inline style, which the policy refuses"
    for element in page.soup.find_all(True) if page.soup else ():
        for name, value in element.attrs.items():
            text = " ".join(value) if isinstance(value, list) else str(value)
            assert not re.match(r"on|hx-on", name), f"{page.url}: {name} is a handler"
            assert not re.match(r"\s*(?:javascript|js):", text, re.IGNORECASE), f"{page.url}: {name}={text}"
            if name == "hx-trigger":
                assert "[" not in text, f"{page.url}: {name}={text} has a filter, which is evaluated"


def _inspect_addresses(page: Page, routes: MapAdapter) -> None:
    ids = {str(element["id"]) for element in page.all("[id]")}
    for element in page.soup.find_all(True) if page.soup else ():
        for name, value in element.attrs.items():
            if name in ("href", "src", "action", "formaction", "srcset", "poster") or name.startswith("hx-"):
                assert not _OTHER_HOST.match(str(value)), f"{page.url}: {name}={value} is another host's"
        for name, method in _ADDRESSES.items():
            if name in element.attrs:
                _inspect_address(page, str(element[name]), method, routes, ids)
        if element.name == "form":
            method = str(element.get("method", "get")).upper()
            _inspect_address(page, str(element.get("action", "")), method, routes, ids)


def _inspect_address(page: Page, address: str, method: str, routes: MapAdapter, ids: set[str]) -> None:
    if address.startswith("data:image/"):
        return
    if address.startswith("#"):
        assert address[1:] in ids, f"{page.url}: {address} leads nowhere"
        return
    parts = urlsplit(urljoin(page.url, address))
    try:
        endpoint, arguments = routes.match(parts.path, method=method)
    except RequestRedirect:
        raise AssertionError(f"{page.url}: {method} {address} only leads to another address") from None
    except HTTPException as error:
        raise AssertionError(f"{page.url}: {method} {address} is {error.code}") from None
    if endpoint == "static":
        file = resources.STATIC / arguments["filename"]
        assert file.is_file(), f"{page.url}: {address} is not in static/"
        assert parts.query.startswith("v="), f"{page.url}: {address} would go stale; use asset()"
        if file.suffix == ".svg" and parts.fragment:
            assert parts.fragment in _symbols(file), f"{page.url}: icons.svg has no {parts.fragment}"


@cache
def _symbols(file: Path) -> frozenset[str]:
    return frozenset(re.findall(r'<symbol id="([^"]+)"', file.read_text("utf-8")))


def _inspect_leaks(page: Page) -> None:
    leak = re.compile(r"(?<!\w)(?:None|Undefined|Traceback)(?!\w)|<\w+(?:\.\w+)* object at ")
    for element in page.soup.find_all(True) if page.soup else ():
        for value in element.attrs.values():
            assert not leak.search(str(value)), f"{page.url}: {element.name} has {value}"
    found = leak.search(page.soup.get_text(" ") if page.soup else "")
    assert not found, f"{page.url} says {found and found[0]}"
