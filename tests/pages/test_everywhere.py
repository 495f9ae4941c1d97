"""What holds on every page, walked over the URL map as an admin and as a supervisor."""

import re
from collections.abc import Iterator

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from tests.inspecting import Browser
from tests.make import Make
from tests.routes import routes
from webapp import resources

KINDS = {
    ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
}  # fmt: skip


@pytest.fixture(params=["boss", "sue"])
def signed_in(request: pytest.FixtureRequest, app: Flask, make: Make, browse: Browser) -> Browser:
    make.group("Billing")
    make.admin("boss", groups=("Billing",))
    make.supervisor("other", groups=("Billing",))
    make.supervisor(
        "sue", groups=("Billing",), write=("Billing",), permissions=("access", "create", "edit", "groups")
    )
    browse.sign_in(request.param, make.password(request.param))
    return browse


def pages(browse: Browser) -> Iterator[tuple[str, str]]:
    """Every page that there is for this person, refusals too, and the region ``main`` of each, by address."""
    addresses = [route.address for route in routes(browse.app) if route.method == "GET"]
    for address in [*addresses, "/users/other", "/users/other/sign-ins", "/nothing"]:
        for headers in ({}, {"HX-Request": "true", "HX-Target": "main#main"}):
            answer = browse.client.get(address, headers=headers)
            if answer.mimetype == "text/html" and answer.status_code != 303:
                yield address, answer.get_data(as_text=True)


@pytest.mark.case("ASVS 3.3.4", "ASVS 7.4.4", "ASVS 14.2.1")
def test_every_page_has_sign_out_none_repeats_the_cookie_and_no_secret_is_in_an_address(
    app: Flask, signed_in: Browser
) -> None:
    cookie = signed_in.client.get_cookie("license_desk")
    assert cookie
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer
    token = serializer.loads(cookie.value)["_user_id"]
    seen = 0
    for address, text in pages(signed_in):
        assert cookie.value not in text
        assert token not in text
        soup = BeautifulSoup(text, "html.parser")
        if soup.html:
            seen += 1
            assert soup.select('form[action="/sign-out"][method=post]'), address
        for form in soup.select("form:has(input[name=csrf_token], input[type=password])"):
            assert form.get("method") == "post", address
        for link in soup.select("[href], [src], [hx-get]"):
            told = " ".join(str(link.get(name, "")) for name in ("href", "src", "hx-get"))
            assert not re.search("csrf_token|password=", told), address
    assert seen > 10


@pytest.mark.case("ASVS 6.2.6", "ASVS 6.2.7", "ASVS 6.3.4", "ASVS 6.4.2")
def test_passwords_are_hidden_filled_by_managers_and_asked_for_on_known_pages_alone(
    app: Flask, signed_in: Browser
) -> None:
    asked = {}
    for address, text in [*pages(signed_in), ("/sign-in", Browser(app).get("/sign-in").text)]:
        if "password" not in text:
            continue
        soup = BeautifulSoup(text, "html.parser")
        for field in soup.select("input[name*=password], input[type=password]"):
            assert field["type"] == "password"
            assert field["autocomplete"] in ("current-password", "new-password"), address
            assert not {"maxlength", "readonly", "onpaste"} & set(field.attrs)
            asked[address] = sorted(
                str(one["name"]) for one in soup.select("form:has(input[type=password]) input[name]")
                if one["type"] in ("text", "password")
            )  # fmt: skip
    assert asked == {
        "/sign-in": ["password", "username"], "/account": ["current_password", "password", "username"],
    }, "count its tries, and ask no secret question"  # fmt: skip


@pytest.mark.case("ASVS 4.1.1")
def test_every_answer_says_what_it_is(app: Flask, signed_in: Browser) -> None:
    for route in routes(app):
        if route.method != "GET":
            continue
        answer = signed_in.client.get(route.address)
        kind = "text/html; charset=utf-8"
        if route.endpoint.startswith("health."):
            kind = "text/plain; charset=utf-8"
        elif route.endpoint.endswith(".export"):
            kind = "text/csv; charset=utf-8"
        elif route.endpoint == "static":
            kind = KINDS[".css"]
        assert answer.content_type == kind, route
        if kind.startswith("text/html") and answer.status_code == 200:
            assert answer.get_data(as_text=True).startswith("<!doctype html>")
    for file in resources.STATIC.rglob("*.*"):
        answer = signed_in.client.get(f"/static/{file.relative_to(resources.STATIC).as_posix()}")
        assert answer.content_type == KINDS[file.suffix], file.name
