"""TLS in ``serve``, plain HTTP, and proxies: what each means for cookie, headers, origin and banner."""

import socket
import ssl
import warnings

import pytest
from flask import Flask

from tests.databases import settings_for
from tests.make import Make
from tests.servers import Desk, Server, running
from tests.serving.visiting import CERT, KEY, OTHER_KEY, Visitor
from webapp.factory import create_app

TLS = ("--tls-cert", str(CERT), "--tls-key", str(KEY))
YEAR = "max-age=31536000"
BANNER = "passwords and names travel in the clear"


def cookie_of(visitor: Visitor) -> tuple[str, set[str]]:
    """The cookie's name as it is set, and its attributes."""
    first, *attributes = visitor.ask("GET", "/sign-in").headers["Set-Cookie"].split("; ")
    return first.partition("=")[0], set(attributes)


@pytest.mark.case("ASVS 3.3.1", "ASVS 3.3.2", "ASVS 3.3.3", "ASVS 3.3.4", "ASVS 3.4.1")
def test_over_TLS_the_cookie_is_bound_to_it_and_the_browser_told_to_stay(desk: Desk) -> None:
    with running(desk, "serve", "--host", "0.0.0.0", *TLS, TRUSTED_HOSTS="127.0.0.1,desk.example") as server:
        assert f"License Desk is at https://desk.example:{server.port}/\n" in server.printed
        visitor = Visitor(server.port, f"desk.example:{server.port}", tls=True)
        assert cookie_of(visitor) == ("__Host-license_desk", {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"})
        for origin, status in (
            (f"http://desk.example:{server.port}", 400),
            (f"https://desk.example:{server.port}", 303),
        ):
            answer = visitor.sign_in(Origin=origin)
            assert answer.status == status
        cookies = answer.headers.get_all("Set-Cookie") or []
        assert len(cookies) == 2
        for cookie in cookies:  # the device's too
            assert cookie.startswith("__Host-license_desk")
            assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
            assert "Domain" not in cookie
        page = visitor.ask("GET", "/licenses")
        assert page.status == 200
        assert BANNER not in page.text
        for path in ("/licenses", "/nothing", "/static/app.css", "/healthz"):
            assert visitor.ask("GET", path).headers.get_all("Strict-Transport-Security") == [YEAR]
        under_the_plain_name = visitor.cookie.removeprefix("__Host-")
        assert (
            Visitor(server.port, "desk.example", True, cookie=under_the_plain_name)
            .ask("GET", "/licenses")
            .status
            == 303
        )


def greeting(port: int, version: ssl.TLSVersion) -> bytes:
    """The beginning of an answer to a client that speaks this version alone."""
    context = ssl.create_default_context(cafile=str(CERT))
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the old one is what is tried
        context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return connection.recv(13)


@pytest.mark.case("ASVS 4.1.2", "ASVS 12.1.1")
def test_TLS_is_1_2_or_newer_and_nothing_is_said_in_the_clear(desk: Desk) -> None:
    with running(desk, "serve", *TLS) as server:
        assert greeting(server.port, ssl.TLSVersion.TLSv1_2) == b"HTTP/1.1 200 "
        assert greeting(server.port, ssl.TLSVersion.TLSv1_3) == b"HTTP/1.1 200 "
        with pytest.raises(ssl.SSLError):
            greeting(server.port, ssl.TLSVersion.TLSv1_1)
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
            plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"HTTP/1.1 200" not in plain.recv(100)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--tls-cert", str(CERT)), "--tls-cert and --tls-key need each other: give both, or neither.\n"),
        (("--tls-key", str(KEY)), "--tls-cert and --tls-key need each other: give both, or neither.\n"),
        (("--tls-cert", str(CERT), "--tls-key", str(OTHER_KEY)), "don't belong together. Give those made for each other.\n"),
        (("--tls-cert", str(KEY), "--tls-key", str(CERT)), "as certificate and key. Both must be PEM, "),
        (("--tls-cert", "/nowhere.crt", "--tls-key", str(KEY)), "Can't use /nowhere.crt: No such file or directory. "),
    ],
    ids=["no key", "no certificate", "another's key", "interchanged", "not there"],
)  # fmt: skip
def test_a_certificate_that_cannot_be_used_is_told_at_the_start(
    desk: Desk, arguments: tuple[str, ...], told: str
) -> None:
    ran = desk.run("serve", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err
    assert len(ran.err.splitlines()) == 1


def test_a_key_with_a_password_is_refused_and_nobody_asked_for_it(desk: Desk) -> None:
    locked = desk.write("locked.key", LOCKED)
    ran = desk.run("serve", "--tls-cert", str(CERT), "--tls-key", str(locked))
    assert ran.code == 2
    assert "the key without a password" in ran.err
    assert "Enter PEM" not in ran.all


@pytest.mark.case("ASVS 4.1.2")
def test_over_plain_http_the_cookie_is_neither_secure_nor_bound_and_no_browser_is_told_to_come_over_TLS(
    edge: Server,
) -> None:
    visitor = Visitor(edge.port)
    assert cookie_of(visitor) == ("license_desk", {"HttpOnly", "SameSite=Lax", "Path=/"})
    for path in ("/sign-in", "/licenses", "/static/app.css", "/healthz"):
        answer = visitor.ask("GET", path)
        assert "Strict-Transport-Security" not in answer.headers
        assert (answer.headers["Location"] or "/").startswith("/"), "nobody is led to https"


FORGED = {
    "X-Forwarded-Proto": "https", "X-Forwarded-Host": "desk.example", "X-Forwarded-For": "192.0.2.66",
    "X-Forwarded-Port": "1", "X-Forwarded-Prefix": "/evil", "Forwarded": "for=192.0.2.66;proto=https;host=desk.example",
}  # fmt: skip


@pytest.mark.case("ASVS 4.1.3", "ASVS 15.3.4")
def test_what_a_proxy_would_say_counts_for_nothing_without_one(desk: Desk) -> None:
    with running(desk, "serve", TRUSTED_HOSTS="localhost,127.0.0.1,desk.example") as server:
        visitor = Visitor(server.port, sends=FORGED)
        assert cookie_of(visitor)[0] == "license_desk"
        assert visitor.sign_in(Origin="https://desk.example").status == 400
        assert visitor.sign_in(Origin="http://localhost").headers["Location"] == "/"
        log = server.log.read_text("utf-8")
    assert "192.0.2.66" not in log
    assert "address=127.0.0.1" in log


@pytest.mark.case("ASVS 4.1.3", "ASVS 15.3.4")
def test_of_the_proxies_that_are_counted_only_the_last_words_are_believed(desk: Desk) -> None:
    with running(desk, "serve", PROXY_COUNT="1", TRUSTED_HOSTS="localhost,127.0.0.1,desk.example") as server:
        sends = {
            "X-Forwarded-Proto": "http, https", "X-Forwarded-Host": "evil.example, desk.example",
            "X-Forwarded-For": "192.0.2.66, 198.51.100.7", "X-Forwarded-Prefix": "/evil",
        }  # fmt: skip
        visitor = Visitor(server.port, "127.0.0.1", sends=sends)
        assert cookie_of(visitor) == ("__Host-license_desk", {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"})
        assert visitor.sign_in(Origin="https://desk.example").headers["Location"] == "/"
        assert visitor.ask("GET", "/licenses").headers["Strict-Transport-Security"] == YEAR
        foreign = Visitor(server.port, sends={"X-Forwarded-Host": "evil.example"})
        assert foreign.ask("GET", "/sign-in").status == 400
        log = server.log.read_text("utf-8")
    assert "address=198.51.100.7" in log
    assert "192.0.2.66" not in log


def test_PUBLIC_URL_names_a_host_an_origin_and_whether_it_is_TLS_also_behind_a_silent_proxy(
    desk: Desk,
) -> None:
    with running(desk, "serve", PUBLIC_URL="https://Desk.Example:8443/") as server:
        visitor = Visitor(server.port, "desk.example:8443")
        assert cookie_of(visitor)[0] == "__Host-license_desk"
        assert visitor.sign_in(Origin="https://desk.example").status == 400
        assert visitor.sign_in(Origin="https://desk.example:8443").status == 303
        page = visitor.ask("GET", "/licenses")
    assert page.headers["Strict-Transport-Security"] == YEAR
    assert BANNER not in page.text


@pytest.mark.parametrize(
    ("role", "base", "settings", "warned"),
    [
        ("admin", "http://desk.example", {}, True),
        ("admin", "http://desk.example:8000", {}, True),
        ("admin", "http://192.0.2.7", {}, True),
        ("supervisor", "http://desk.example", {}, False),
        ("nobody", "http://desk.example", {}, False),
        ("admin", "http://localhost:8000", {}, False),
        ("admin", "http://127.0.0.1", {}, False),
        ("admin", "http://[::1]:8000", {}, False),
        ("admin", "https://desk.example", {}, False),
        ("admin", "http://desk.example", {"PUBLIC_URL": "https://desk.example"}, False),
        ("admin", "http://desk.example", {"PUBLIC_URL": "http://desk.example"}, True),
    ],
)
def test_admins_are_told_on_every_page_while_passwords_travel_in_the_clear(
    app: Flask, make: Make, sqlite_url: str, role: str, base: str, settings: dict[str, str], warned: bool
) -> None:
    make.admin("ann")
    make.supervisor("sue")
    hosts = "localhost,127.0.0.1,[::1],desk.example,192.0.2.7"
    there = create_app(settings_for(sqlite_url, TRUSTED_HOSTS=hosts, **settings), cheap_passwords=True)
    client = there.test_client()
    if role != "nobody":
        username = "ann" if role == "admin" else "sue"
        password = make.password(username)
        token = (
            client.get("/sign-in", base_url=base).get_data(as_text=True).partition('csrf_token" value="')[2]
        )
        fields = {"csrf_token": token.partition('"')[0], "username": username, "password": password}
        assert client.post("/sign-in", base_url=base, data=fields).status_code == 303
    pages = (
        ("/licenses", "/users", "/users/new", "/nothing")
        if role == "admin"
        else ("/licenses", "/sign-in", "/nothing")
    )
    for path in pages:
        text = client.get(path, base_url=base).get_data(as_text=True)
        assert (BANNER in text) == warned, path
        assert not warned or ("--tls-cert" in text and "PUBLIC_URL" in text)


LOCKED = """\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgV/UBq3pcBhgICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEEDLxOeXl6H4g8YgvqqTR+wEgZD5
BIG9HunIlVwPDgfiZe9UdJc2bRdREAgcti0Tk0jY96rKb/qgib+WesIoMqETXSxH
6XtmL+w42z7AO6z756LXgRA45mlAizo4+KU/RdmewSgysGfLrRd7uWK6STNY2zXI
pUPzRKawnCywLlwsFAIi7ra4xc4E2x/8i1dlb9/45RLLGObSP2IDyta58TW8Jaw=
-----END ENCRYPTED PRIVATE KEY-----
"""
