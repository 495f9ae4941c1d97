"""The test browser itself: a page with any of these faults must not pass its inspection."""

import pytest
from flask import Flask
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, TestResponse

from tests.inspecting import Page, inspect_fragment, inspect_headers, inspect_page
from webapp.web.security import HEADERS

GOOD = """<!doctype html>
<html lang="en"><head><title>Good</title></head><body>
<h1>Good</h1>
<form method="post" action="/sign-out"><input type="hidden" name="csrf_token" value="t"><button>Go</button></form>
<label for="q">Search</label><input id="q" aria-describedby="why"><p id="why">Because</p>
<a href="/licenses" hx-get="/licenses" hx-target="#users" hx-trigger="click">Licenses</a>
<div id="users"><b>Ann</b></div>
</body></html>"""

FAULTS = {
    "two h1": ("<h1>Good</h1>", "<h1>Good</h1><h1>Two</h1>"),
    "no h1": ("<h1>Good</h1>", ""),
    "no body tag": ("<body>", ""),
    "an id twice": ('<p id="why">', '<p id="q"></p><p id="why">'),
    "no label": ('<label for="q">Search</label>', ""),
    "a label for nothing": ('for="q"', 'for="z"'),
    "described by nothing": ('aria-describedby="why"', 'aria-describedby="not"'),
    "a target that is not there": ('hx-target="#users"', 'hx-target="#nobody"'),
    "a form without a token": ('<input type="hidden" name="csrf_token" value="t">', ""),
    "a link to nothing": ('href="/licenses"', 'href="/nothing"'),
    "a request to nothing": ('hx-get="/licenses"', 'hx-get="/nothing"'),
    "a form to what takes no POST": ('action="/sign-out"', 'action="/licenses"'),
    "inline style": ("<b>", '<b style="color: red">'),
    "a style element": ("</head>", "<style>b {}</style></head>"),
    "an inline script": ("</head>", "<script>x()</script></head>"),
    "a handler": ("<b>", '<b onclick="x()">'),
    "an htmx handler": ("<b>", '<b hx-on:click="x()">'),
    "a script address": ("<b>", '<b hx-vals="js:x()">'),
    "a trigger filter": ('hx-trigger="click"', 'hx-trigger="click[false]"'),
    "another host": ("<b>", '<b><a href="//elsewhere.example/">x</a>'),
    "another host's image": ("<b>", '<b><img src="https://elsewhere.example/x.png" alt="x">'),
    "a file that is not there": ("</head>", '<link rel="icon" href="/static/none.svg?v=1"></head>'),
    "a leaked None": ("Ann", "None"),
    "a link without words": ('hx-trigger="click">Licenses', 'hx-trigger="click">'),
}


def page(text: str, status: int = 200, **headers: str) -> Page:
    guards = {
        **HEADERS, "Cache-Control": "no-store", "Vary": "Cookie", "Content-Type": "text/html; charset=utf-8",
        **headers,
    }  # fmt: skip
    request = EnvironBuilder("/licenses").get_request()
    return Page("/licenses", TestResponse([text.encode()], f"{status} X", Headers(guards), request))


def test_a_good_page_passes(app: Flask) -> None:
    good = page(GOOD)
    inspect_headers(good)
    inspect_page(good, app.url_map.bind("localhost"))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_page_with_a_fault_does_not_pass(app: Flask, fault: str) -> None:
    right, wrong = FAULTS[fault]
    assert right in GOOD
    with pytest.raises(AssertionError):
        inspect_page(page(GOOD.replace(right, wrong, 1)), app.url_map.bind("localhost"))


@pytest.mark.parametrize(
    "headers",
    [{"Content-Security-Policy": "default-src 'self'"}, {"Cache-Control": "public"}, {"Vary": "Accept"},
     {"X-Content-Type-Options": ""}],
)  # fmt: skip
def test_an_answer_without_its_guards_does_not_pass(headers: dict[str, str]) -> None:
    with pytest.raises(AssertionError):
        inspect_headers(page(GOOD, **headers))


@pytest.mark.parametrize(
    "place", ["https://elsewhere.example/", "//elsewhere.example/", "/\\elsewhere.example"]
)
def test_a_redirect_to_another_host_does_not_pass(place: str) -> None:
    with pytest.raises(AssertionError):
        inspect_headers(page("", 303, Location=place))


VARY = "Cookie, HX-Request, HX-Request-Type, HX-Target, HX-History-Restore-Request"
BESIDE = '<hx-partial hx-target="#{0}" hx-swap="innerHTML">{1}</hx-partial>'


@pytest.mark.parametrize("text", ["<b>Ann</b>", "<b>Ann</b>" + BESIDE.format("why", "Because")])
def test_a_fragment_that_is_literally_in_the_page_passes(text: str) -> None:
    inspect_fragment(page(text, Vary=VARY), page(GOOD))


@pytest.mark.parametrize(
    ("text", "vary"),
    [("<b>Bob</b>", VARY), ("", VARY), (GOOD, VARY), ("<b>Ann</b>", "Cookie"),
     ("<b>Ann</b>" + BESIDE.format("why", "Why not"), VARY),
     ("<b>Ann</b>" + BESIDE.format("nobody", "Because"), VARY),
     ("<b>Ann</b>" + BESIDE.format("why", "Because") + "more", VARY)],
)  # fmt: skip
def test_any_other_fragment_does_not_pass(text: str, vary: str) -> None:
    with pytest.raises(AssertionError):
        inspect_fragment(page(text, Vary=vary), page(GOOD))
