"""Who may ask what: deny by default, for every route there is."""

import re
from collections import defaultdict
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from tests.inspecting import HEADERS, Browser
from tests.make import Make
from tests.routes import Route, routes
from webapp.web.matrix import MATRIX, Who

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "main#main"}
RESTORE = {"HX-History-Restore-Request": "true", "HX-Request-Type": "full"}


def signed_in_only(app: Flask) -> list[Route]:
    found = [route for route in routes(app) if MATRIX[route.endpoint].who is Who.SIGNED_IN]
    assert found
    return found


@pytest.mark.case("ASVS 8.1.1")
def test_every_endpoint_is_in_the_table_of_access_and_nothing_else_is(app: Flask) -> None:
    endpoints = {route.endpoint for route in routes(app)}
    assert endpoints == set(MATRIX), "an endpoint and its line in webapp.web.matrix come and go together"


def test_an_endpoint_has_one_method_so_that_its_line_in_the_table_is_about_that_method(app: Flask) -> None:
    methods = defaultdict(set)
    for route in routes(app):
        methods[route.endpoint].add(route.method)
    several = {endpoint: found for endpoint, found in methods.items() if len(found) > 1}
    assert not several, "give each method an endpoint of its own"


def test_what_is_open_to_anyone_is_this_and_no_more(app: Flask) -> None:
    assert {route.address for route in routes(app) if MATRIX[route.endpoint].who is Who.ANYONE} == {
        "/healthz", "/password/none", "/readyz", "/sign-in", "/sign-out", "/static/app.css",
    }  # fmt: skip


@pytest.mark.case("AUTH-1")
def test_p1_every_other_route_leads_the_anonymous_to_sign_in_and_back(app: Flask) -> None:
    client = app.test_client()
    for route in signed_in_only(app):
        if route.method != "GET":
            continue
        answer = client.get(route.address)
        assert answer.status_code == 303, route
        target = urlsplit(answer.headers["Location"])
        assert target.path == "/sign-in"
        page = route.address.removesuffix(".csv")  # a file's list
        assert parse_qs(target.query).get("next", ["/"]) == [page]
        assert app.test_client().head(route.address).status_code == 303, route


@pytest.mark.case("AUTH-1")
def test_p1_htmx_and_going_back_get_401_with_a_redirect_of_the_whole_window(app: Flask) -> None:
    client = app.test_client()
    for route in signed_in_only(app):
        for headers in (HTMX, RESTORE):
            if route.method != "GET":
                continue
            answer = client.get(route.address, headers=headers)
            assert answer.status_code == 401, (route, headers)
            assert urlsplit(answer.headers["HX-Redirect"]).path == "/sign-in"
            assert "Location" not in answer.headers, "a 303 would land inside the page"


@pytest.mark.case("AUTH-1", "HEAD-2")
def test_every_unsafe_request_without_a_token_is_400_for_the_anonymous_too(app: Flask) -> None:
    client = app.test_client()
    unsafe = [route for route in routes(app) if route.method != "GET"]
    assert unsafe
    for route in unsafe:
        for headers in ({}, HTMX, {"X-CSRFToken": "made up"}):
            answer = client.open(route.address, method=route.method, headers=headers)
            assert answer.status_code == 400, (route, headers)


@pytest.mark.case("HEAD-2", "ASVS 3.5.1")
def test_every_unsafe_request_without_a_token_is_400_for_an_admin(
    app: Flask, make: Make, browse: Browser
) -> None:
    make.admin("ann")
    browse.sign_in("ann", make.password("ann"))
    for route in routes(app):
        if route.method != "GET":
            assert browse.client.open(route.address, method=route.method).status_code == 400, route
    browse.get("/licenses")  # still signed in: nothing was done


@pytest.mark.case("AUTH-2", "ASVS 7.2.1")
def test_p1_an_ended_sign_in_and_a_wrong_host_open_nothing(app: Flask, make: Make, browse: Browser) -> None:
    make.admin("ann")
    browse.sign_in("ann", make.password("ann"))
    cookie = browse.client.get_cookie("license_desk")
    assert cookie is not None
    browse.sign_out()
    copied = app.test_client()
    copied.set_cookie("license_desk", cookie.value)
    for route in signed_in_only(app):
        status = 303 if route.method == "GET" else 400  # without a good token it is asked no further
        assert copied.open(route.address, method=route.method).status_code == status, "a copied cookie works"
        foreign = app.test_client().open(route.address, method=route.method, headers={"Host": "evil.example"})
        assert foreign.status_code == 400, route


def test_every_answer_carries_the_same_guards(app: Flask) -> None:
    client = app.test_client()
    asked = [(route.method, route.address) for route in routes(app)]
    for method, address in (*asked, ("GET", "/nothing"), ("PUT", "/sign-in"), ("POST", "/licenses")):
        answer = client.open(address, method=method, buffered=True)
        for name, value in HEADERS.items():
            assert answer.headers.getlist(name) == [value], (method, address, answer.status_code)


@pytest.mark.case("ASVS 14.2.2", "ASVS 14.3.2")
def test_a_static_file_is_kept_only_under_its_hash_and_every_other_answer_never(app: Flask) -> None:
    client = app.test_client()
    page = client.get("/sign-in").get_data(as_text=True)
    (address,) = re.findall(r'href="(/static/app\.css\?v=[0-9a-f]{16})"', page)
    assert (
        client.get(address, buffered=True).headers["Cache-Control"] == "public, max-age=31536000, immutable"
    )
    for other in ("/static/app.css", "/static/nothing.css?v=1", "/sign-in", "/licenses", "/healthz"):
        assert client.get(other, buffered=True).headers["Cache-Control"] == "no-store", other
