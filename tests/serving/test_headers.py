"""HEAD-1: every header of every answer, as exact values, over all routes, all statuses and all actors."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from filelock import FileLock
from flask import Flask, Response, abort
from flask.testing import FlaskClient
from werkzeug.exceptions import TooManyRequests
from werkzeug.test import TestResponse

from tests.inspecting import HEADERS
from tests.make import Make
from tests.routes import routes
from webapp.web import security

VARY = {"Cookie", "HX-Request", "HX-Request-Type", "HX-Target", "HX-History-Restore-Request"}
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


def inspect(answer: TestResponse, *, kept: bool = False, tls: bool = False) -> None:
    """``kept``: a static file under its hash, which browsers keep for a year."""
    where = (answer.request.method, answer.request.path, answer.status_code)
    for name, value in HEADERS.items():
        assert answer.headers.getlist(name) == [value], (where, name)
    caching = "public, max-age=31536000, immutable" if kept else "no-store"
    assert answer.headers.getlist("Cache-Control") == [caching], where
    vary = {name.strip() for name in answer.headers.get("Vary", "").split(",")} - {""}
    assert vary == (set() if kept else VARY), where
    assert answer.headers.getlist("Strict-Transport-Security") == (["max-age=31536000"] if tls else []), where
    foreign = [name for name, _ in answer.headers if name.startswith("Access-Control-")]
    assert not foreign, where
    assert not (kept and "Set-Cookie" in answer.headers), where


@pytest.fixture
def whole(app: Flask, make: Make) -> Flask:
    """The app as it is served: an error is a page, not a test's exception."""
    make.contract()
    make.users(3)
    make.admin("ann")
    make.supervisor("sue")
    app.testing = False
    return app


@pytest.fixture
def admin(whole: Flask, make: Make) -> FlaskClient:
    return signed_in(whole, "ann", make.password("ann"))


def token_of(client: FlaskClient, path: str = "/sign-in", **how: Any) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)', client.get(path, **how).get_data(as_text=True))
    assert found
    return found[1]


def signed_in(app: Flask, username: str, password: str, **how: Any) -> FlaskClient:
    client = app.test_client()
    fields = {"csrf_token": token_of(client, **how), "username": username, "password": password}
    assert client.post("/sign-in", data=fields, **how).status_code == 303
    return client


@pytest.mark.case(
    "HEAD-1",
    "ASVS 3.4.1",
    "ASVS 3.4.2",
    "ASVS 3.4.3",
    "ASVS 3.4.4",
    "ASVS 3.4.5",
    "ASVS 3.4.6",
    "ASVS 14.2.2",
    "ASVS 14.3.2",
)
@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("who", ["nobody", "ann", "sue"])
def test_HEAD_1_all_routes_and_methods_as_each_actor(whole: Flask, make: Make, who: str, tls: bool) -> None:
    how = {"base_url": "https://localhost" if tls else "http://localhost"}
    client = whole.test_client() if who == "nobody" else signed_in(whole, who, make.password(who), **how)
    seen = set()
    for route in routes(whole):
        for method in {route.method, "HEAD", "OPTIONS", "PUT", "TRACE"}:
            for headers in ({}, HTMX):
                answer = client.open(route.address, method=method, headers=headers, **how)
                inspect(answer, tls=tls)
                seen.add(answer.status_code)
    expected = {200, 303, 400, 401} if who == "nobody" else {200, 303, 400, 404, 405}
    assert expected <= seen


STATUSES: dict[int, Callable[[FlaskClient], TestResponse]] = {
    200: lambda c: c.get("/licenses"),
    303: lambda c: c.get("/"),
    400: lambda c: c.post("/users/new", data={"csrf_token": "made up"}),
    404: lambda c: c.get("/users/nobody"),
    405: lambda c: c.get("/sign-out"),
    409: lambda c: c.post("/users/ann", data={
        "csrf_token": token_of(c, "/users/new"), "version": "999", "name": "Ann", "license_vcc": "admin",
    }),
    411: lambda c: c.post("/users/new", headers={"Transfer-Encoding": "chunked"}, content_length=None),
    413: lambda c: c.post("/users/new", data={"name": "x" * 70_000}),
    415: lambda c: c.post("/users/new", json={"name": "Ann"}),
    422: lambda c: c.post("/users/new", data={"csrf_token": token_of(c, "/users/new"), "username": "a b"}),
}  # fmt: skip


@pytest.mark.case("HEAD-1")
@pytest.mark.parametrize("status", STATUSES)
def test_HEAD_1_statuses_that_requests_come_to(admin: FlaskClient, status: int) -> None:
    answer = STATUSES[status](admin)
    assert answer.status_code == status
    inspect(answer)


@pytest.mark.case("HEAD-1")
def test_HEAD_1_401_and_403(whole: Flask, make: Make) -> None:
    anonymous = whole.test_client().get("/users", headers=HTMX)
    assert anonymous.status_code == 401
    inspect(anonymous)
    sue = signed_in(whole, "sue", make.password("sue"))
    forbidden = sue.post("/groups", data={"csrf_token": token_of(sue, "/licenses"), "name": "Mine"})
    assert forbidden.status_code == 403
    inspect(forbidden)


@pytest.mark.case("HEAD-1")
def test_HEAD_1_503_while_others_write(admin: FlaskClient, sqlite_url: str) -> None:
    file = sqlite_url.removeprefix("sqlite:///")
    form = {"csrf_token": token_of(admin, "/users/new"), "username": "bob", "name": "Bob",
            "email": "b@x.example", "license_vcc": "agent"}  # fmt: skip
    with FileLock(f"{file}.lock"):
        busy = admin.post("/users/new", data=form)
    assert busy.status_code == 503
    assert busy.headers["Retry-After"] == "5"
    inspect(busy)


@pytest.fixture
def failing(whole: Flask) -> Callable[[Exception], TestResponse]:
    """An answer of the app in which a view raised this."""

    def fails(error: Exception) -> TestResponse:
        def view() -> Response:
            raise error

        whole.view_functions["health.healthz"] = view
        return whole.test_client().get("/healthz")

    return fails


@pytest.mark.case("HEAD-1", "ASVS 16.5.1")
@pytest.mark.parametrize(
    "status", [400, 401, 403, 404, 406, 409, 410, 413, 418, 422, 428, 429, 500, 501, 502, 503, 504]
)
def test_every_refusal_that_a_view_can_raise_is_a_page_with_all_headers(
    failing: Callable[[Exception], TestResponse], status: int
) -> None:
    with pytest.raises(Exception) as refused:
        abort(status)
    answer = failing(refused.value)
    assert answer.status_code == status
    inspect(answer)
    text = answer.get_data(as_text=True)
    assert f"Error {status}" in text
    assert "Traceback" not in text


def test_too_many_tries_are_told_with_the_wait(failing: Callable[[Exception], TestResponse]) -> None:
    for seconds, words in ((300, "Wait 5 minutes"), (301, "Wait 6 minutes"), (20, "Wait a minute")):
        answer = failing(TooManyRequests(retry_after=seconds))
        assert answer.headers.getlist("Retry-After") == [str(seconds)]
        text = answer.get_data(as_text=True)
        assert "Too many tries" in text
        assert f"{words} and try again." in text


@pytest.mark.case("ASVS 16.3.4", "ASVS 16.5.1", "ASVS 16.5.4")
def test_what_breaks_is_told_by_a_number_alone(
    failing: Callable[[Exception], TestResponse], caplog: pytest.LogCaptureFixture
) -> None:
    answer = failing(ValueError("/srv/secret/path and a password"))
    assert answer.status_code == 500
    inspect(answer)
    text = answer.get_data(as_text=True)
    assert "secret" not in text
    incident = re.search(r"Incident <code>([0-9a-f]{12})</code>", text)
    assert incident
    (record,) = [one for one in caplog.records if one.message == "error"]
    assert vars(record)["facts"]["id"] == incident[1]
    assert record.exc_info


@pytest.mark.case("HEAD-1")
def test_static_files_have_them_too_and_only_under_their_hash_are_kept(whole: Flask) -> None:
    client = whole.test_client()
    token_of(client)
    address = security.asset("app.css")
    first = client.get(address)
    inspect(first, kept=True)
    for answer in (
        client.head(address),
        client.get(address, headers={"If-None-Match": first.headers["ETag"]}),
        client.get(address, headers={"Range": "bytes=0-9"}),
    ):
        assert answer.status_code in (200, 206, 304)
        inspect(answer, kept=True)
    statuses = set()
    for path in (
        "/static/app.css",
        "/static/nothing.css",
        "/static/nothing.css?v=1",
        "/static/../x",
        "/static/%00",
    ):
        for headers in ({}, {"Range": "bytes=9999999-"}, {"If-None-Match": first.headers["ETag"]}):
            answer = client.get(path, headers=headers)
            inspect(answer)
            statuses.add(answer.status_code)
    assert {200, 304, 404, 416} <= statuses


def test_a_cookie_is_set_by_pages_alone(app: Flask) -> None:
    client = app.test_client()
    assert "Set-Cookie" in client.get("/sign-in").headers
    for path in ("/static/app.css", "/healthz", "/readyz", "/licenses", "/nothing"):
        assert "Set-Cookie" not in client.get(path).headers, path
