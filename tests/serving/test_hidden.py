"""What the real server has nothing to say of: repositories, folders, settings, debuggers, and TRACE."""

import pytest

from tests.servers import Server
from tests.serving.raw import ask, request
from tests.serving.visiting import Visitor

NOT_THERE = (
    "/.git/HEAD", "/.git/config", "/.git/", "/.gitignore", "/.svn/entries", "/.hg/store", "/.env", "/license-desk.env",
    "/license-desk.db", "/instance/license-desk.db", "/pyproject.toml", "/requirements.txt", "/README.md", "/webapp/settings.py",
    "/templates/base.html", "/migrations/env.py", "/console", "/debug", "/_debug", "/metrics", "/status", "/server-status",
    "/server-info", "/docs", "/redoc", "/openapi.json", "/swagger", "/api", "/graphql", "/admin", "/phpinfo.php", "/info", "/env",
    "/actuator", "/backup", "/backup.zip", "/robots.txt", "/sitemap.xml", "/health", "/version", "/routes",
)  # fmt: skip
IN_STATIC = (
    "/static/", "/static/vendor/", "/static/.git/HEAD", "/static/../license-desk.env", "/static/%2e%2e/webapp/settings.py",
    "/static/..%5c..%5cpyproject.toml", "/static/app.css.map", "/static/app.py", "/static/vendor/../../webapp/catalog.toml",
)  # fmt: skip


@pytest.mark.case("ASVS 13.4.1", "ASVS 13.4.3", "ASVS 13.4.5")
def test_no_repository_folder_setting_or_inside_is_served_to_anybody(edge: Server) -> None:
    stranger, ada = Visitor(edge.port), Visitor(edge.port)
    assert ada.sign_in().status == 303
    for path in (*NOT_THERE, *IN_STATIC):
        told = stranger.ask("GET", path)
        assert told.status == 404 or told.headers["Location"].startswith("/sign-in"), path
        told = ada.ask("GET", path)
        assert (told.status, "There is nothing here" in told.text) == (404, True), path
    for path, text in (("/healthz", "ok\n"), ("/readyz", "ready\n")):
        assert stranger.ask("GET", path).text == text, "no version, path or figure"


@pytest.mark.case("ASVS 13.4.4")
def test_trace_repeats_nothing(edge: Server) -> None:
    secret = "a-header-that-TRACE-would-repeat"
    for path in ("/sign-in", "/licenses", "/static/app.css", "/healthz", "*"):
        for length in ((), ("Content-Length: 0",)):
            answer = ask(
                edge.port,
                request(f"TRACE {path} HTTP/1.1", f"X-Secret: {secret}", f"Cookie: a={secret}", *length),
            )
            assert answer.status in (303, 400, 405, 411), path
            assert answer.headers.get_content_type() != "message/http"
            assert secret.encode() not in answer.body


@pytest.mark.case("HEAD-3", "ASVS 3.7.2")
def test_HEAD_3_no_address_leads_out_by_Location_or_HX_Redirect(edge: Server) -> None:
    """Whatever the path looks like to a browser, the answer's next is only ever asked for as a path of the app."""
    kinds = (
        "//evil.example", "////evil.example", "/\\evil.example", "/%2F/evil.example", "/%09/evil.example", "/%0d%0aHost:evil",
        "/licenses//evil.example", "/%5Cevil.example", "http://evil.example/", "/..//evil.example", "/licenses?x=//evil.example",
        "/@evil.example", "//licenses@evil.example", "/%00//evil.example", "/javascript:alert(1)", "/.//evil.example",
    )  # fmt: skip
    for kind in kinds:
        for headers in ((), ("HX-Request: true",), ("HX-History-Restore-Request: true",)):
            answer = ask(edge.port, request(f"GET {kind} HTTP/1.1", *headers))
            assert answer.status in (303, 400, 401), kind
            for name in ("Location", "HX-Redirect"):
                place = answer.headers.get(name)
                assert place is None or place.partition("?")[0] == "/sign-in", (kind, place)
