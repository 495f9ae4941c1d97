"""Signing in and out: P1, one answer for every refusal, and no way out of the app."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from werkzeug.test import TestResponse

from tests.inspecting import Browser
from tests.make import Make
from webapp.database import transaction
from webapp.licensing import ledger
from webapp.models import SignIn, User

ELSEWHERE = [
    "//evil.example", "////evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example",
    "https:evil.example", "/%2F/evil.example", "/\t/evil.example", "\t//evil.example", "/\n/evil", "/x\r\nSet-Cookie: a=b",
    "javascript:alert(1)", "http:///evil", "/..//evil.example", "//licenses@evil.example", "/nowhere", "/sign-out", " /licenses", "/healthz",
    "/users.csv", "/licenses/vcc.csv", "/static/app.css", "/sign-in", "http://[evil", "https://evil.example\u2100",
]  # fmt: skip


@pytest.fixture
def people(any_app: Flask, make: Make) -> Make:
    make.admin("ada")
    make.user("agent")
    make.user("board", "wallboard")
    make.supervisor("sue")
    make.supervisor("sam", permissions=("edit",))
    make.admin("old", active=False)
    for username in ("ada", "agent", "board", "sue", "sam", "old"):
        make.password(username)
    return make


@pytest.mark.parametrize("username", ["ada", "ADA", " ada ", "sue"])
def test_P1_admins_and_supervisors_with_access_sign_in(people: Make, browse: Browser, username: str) -> None:
    page = browse.sign_in(username, f"the password of {username.strip().lower()}")
    assert page.url == "/licenses"


@pytest.mark.case("AUTH-4", "ASVS 6.3.8")
def test_P1_everybody_else_gets_the_same_answer_as_somebody_who_does_not_exist(
    people: Make, browse: Browser
) -> None:
    def refusal(username: str, password: str) -> str:
        page = browse.sign_in(username, password, status=422)
        assert page.one("[data-error=form]")
        typed = username.replace("\0", "\ufffd")  # as every browser reads a NUL
        assert page.one("#username")["value"] == typed
        return page.words("main").replace(typed, "")

    same = refusal("nobody", "the password of nobody")
    for username in ("agent", "board", "sam", "old"):
        assert refusal(username, f"the password of {username}") == same
    for password in ("wrong", "", "x" * 5000, "the password of sue", "\0"):
        assert refusal("ada", password) == same
    for username in ("", "a\0da", "' OR 1=1 --", "x" * 3000, "𝖆𝖉𝖆"):
        assert refusal(username, "the password of ada") == same
    with transaction() as session:
        assert session.scalars(select(SignIn.id)).all() == []


@pytest.mark.case("HEAD-3", "ASVS 3.7.2")
def test_HEAD_3_next_never_leads_out_of_the_app(people: Make, any_app: Flask) -> None:
    right = {"username": "ada", "password": "the password of ada"}
    for address in ELSEWHERE:
        browse = Browser(any_app)
        browse.get("/sign-in")
        assert browse.post("/sign-in", right | {"next": address}).location == "/", address
        signed_in = browse.client.get("/sign-in", query_string={"next": address})
        assert (signed_in.status_code, signed_in.headers["Location"]) == (303, "/"), address
        browse.get("/licenses")
        out = browse.post("/sign-out", {"next": address}).location
        assert out == "/sign-in", (address, out)


@pytest.mark.case("HEAD-3", "ASVS 3.7.2")
def test_HEAD_3_the_place_that_htmx_says_it_came_from_leads_to_sign_in_and_then_home(
    people: Make, any_app: Flask
) -> None:
    right = {"username": "ada", "password": "the password of ada"}
    for address in (place for place in ELSEWHERE if place.isprintable()):
        for url in (address, f"http://localhost{address}"):
            browse = Browser(any_app)
            browse.get("/sign-in")
            headers = {"HX-Request": "true", "HX-Current-URL": url}
            answer = browse.client.post("/users/new", data={"csrf_token": browse._token}, headers=headers)
            assert (answer.status_code, answer.data) == (401, b""), url
            place = urlsplit(answer.headers["HX-Redirect"])
            assert (place.scheme, place.netloc, place.path) == ("", "", "/sign-in"), url
            following = parse_qs(place.query).get("next", [""])[0]
            led = browse.post("/sign-in", right | {"next": following}).location
            assert led in ("/", "/licenses"), (url, led)


def test_next_leads_back_to_the_page_that_was_asked_for(people: Make, browse: Browser) -> None:
    asked = browse.get("/licenses/ha?q=a&type=viewer", status=303)
    assert asked.location.startswith("/sign-in?next=")
    form = browse.follow(asked).one("main form")
    following = str(form.select_one("input[name=next]")["value"])  # type: ignore[index]
    answer = browse.post(
        "/sign-in", {"username": "ada", "password": "the password of ada", "next": following}
    )
    assert answer.location == "/licenses/ha?q=a&type=viewer"


@pytest.mark.parametrize("page", ["/licenses/vcc{}?q=a&type=agent", "/users{}?status=all", "/users{}"])
def test_a_file_asked_for_after_the_sign_in_ended_leads_back_to_its_list(
    people: Make, browse: Browser, page: str
) -> None:
    sign_in = browse.get(page.format(".csv"), status=303).location
    assert parse_qs(urlsplit(sign_in).query)["next"] == [page.format("")]


@pytest.mark.case("AUTH-2", "ASVS 7.4.1")
def test_a_copied_cookie_is_worth_nothing_after_signing_out(people: Make, browse: Browser) -> None:
    browse.sign_in("ada", "the password of ada")
    cookie = browse.client.get_cookie("license_desk")
    assert cookie
    assert browse.sign_out().url == "/sign-in"
    browse.client.set_cookie("license_desk", cookie.value)
    assert browse.get("/licenses", status=303).location.startswith("/sign-in")


@pytest.mark.case("AUTH-5", "ASVS 7.4.2", "ASVS 8.3.2")
@pytest.mark.parametrize("values", [{"active": False}, {"permissions": frozenset({"edit"})}])
def test_P1_archived_or_without_access_is_out_at_the_next_request(
    people: Make, browse: Browser, values: dict[str, object]
) -> None:
    browse.sign_in("sue", "the password of sue")
    with transaction() as session:
        session.execute(update(User).where(User.username == "sue").values(**values))
    browse.get("/licenses", status=303)
    with transaction() as session:  # the recount after the test wants the books in order again
        session.execute(update(User).where(User.username == "sue").values(active=True))


@pytest.mark.case("ASVS 8.3.2")
def test_P1_a_demoted_admin_is_out_at_the_next_request(people: Make, browse: Browser) -> None:
    browse.sign_in("ada", "the password of ada")
    with transaction() as session:
        types = ledger.read_catalog(session).types
        demote = update(User).where(User.username == "ada")
        session.execute(demote.values(base_type_id=types["vcc/agent"].id))
    browse.get("/licenses", status=303)
    with transaction() as session:  # the recount after the test wants the books in order again
        session.execute(demote.values(base_type_id=types["vcc/admin"].id))
    browse.get("/licenses")  # and it was nothing else that kept him out


@pytest.mark.case("AUTH-1", "HTMX-2")
def test_an_ended_sign_in_moves_the_whole_window_for_htmx_and_for_back(people: Make, browse: Browser) -> None:
    for headers in ({"HX-Request": "true", "HX-Target": "div#users"}, {"HX-History-Restore-Request": "true"}):
        answer = browse.client.get("/licenses?q=a", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["HX-Redirect"] == "/sign-in?next=/licenses?q%3Da"
        assert answer.data == b""


def test_after_more_rows_were_asked_for_the_sign_in_leads_back_to_the_list_that_they_belong_to(
    people: Make, browse: Browser
) -> None:
    more = {"HX-Request": "true", "HX-Target": "tr#more", "HX-Current-URL": "http://localhost/licenses?q=a"}
    answer = browse.client.get("/licenses?q=a&after=abc", headers=more)
    assert answer.headers["HX-Redirect"] == "/sign-in?next=/licenses?q%3Da"


@pytest.mark.case("HEAD-2", "ASVS 3.5.1")
def test_a_post_without_a_good_token_is_400_for_everybody(people: Make, browse: Browser) -> None:
    for path in ("/sign-in", "/sign-out"):
        for token in ("", "wrong"):
            browse.post(path, {"csrf_token": token}, status=400)


STRANGE = [
    ({"Sec-Fetch-Site": "cross-site"}, 400), ({"Sec-Fetch-Site": "same-site"}, 400),
    ({"Origin": "https://evil.example"}, 400), ({"Origin": "null"}, 400), ({"Origin": ""}, 400),
    ({"Transfer-Encoding": "chunked"}, 411), ({"Content-Encoding": "gzip"}, 415),
    ({"Content-Type": "application/json"}, 415), ({"Content-Type": "text/plain"}, 415),
]  # fmt: skip


@pytest.mark.case("HEAD-2", "ASVS 3.5.1", "ASVS 3.5.2")
@pytest.mark.parametrize(("headers", "status"), STRANGE, ids=str)
def test_a_post_from_elsewhere_or_with_a_strange_body_is_refused_in_spite_of_a_good_token(
    people: Make, browse: Browser, headers: dict[str, str], status: int
) -> None:
    token = str(browse.get("/sign-in").one("main input[name=csrf_token]")["value"])
    body = urlencode({"csrf_token": token, "username": "ada", "password": "the password of ada"})
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert browse.client.post("/sign-in", data=body, headers=kind | headers).status_code == status
    browse.get("/licenses", status=303)
    same = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
    assert browse.client.post("/sign-in", data=body, headers=kind | same).status_code == 303


def test_a_post_to_nowhere_without_a_token_is_400_for_the_anonymous_too(browse: Browser) -> None:
    for path in ("/nowhere", "/licenses"):
        browse.post(path, status=400)


@pytest.mark.case("ASVS 7.2.4")
def test_signing_in_over_a_sign_in_ends_the_first_one(people: Make, browse: Browser) -> None:
    browse.sign_in("ada", "the password of ada")
    cookie = browse.client.get_cookie("license_desk")
    assert cookie
    token = str(browse.get("/licenses").one(".menu input[name=csrf_token]")["value"])
    form = {"csrf_token": token, "username": "sue", "password": "the password of sue"}
    assert browse.client.post("/sign-in", data=form).status_code == 303
    assert "sue" in browse.get("/licenses").words(".menu")
    browse.client.set_cookie("license_desk", cookie.value)
    browse.get("/licenses", status=303)


def test_a_password_far_too_long_is_wrong_and_costs_no_more(people: Make, browse: Browser) -> None:
    marks = "a" + "\u0345\u0300\u0316" * 3000
    browse.sign_in("ada", marks, status=422)
    browse.sign_in("ada", "the password of ada" + " " * 600, status=422)


def test_errors_are_pages_with_all_headers(people: Make, browse: Browser) -> None:
    browse.sign_in("ada", "the password of ada")
    browse.get("/nowhere", status=404)
    browse.post("/licenses", status=405)
    browse.post("/sign-in", {"username": "x" * 70_000}, status=413)


def test_a_foreign_host_is_refused(people: Make, browse: Browser) -> None:
    for host in ("evil.example", "localhost.evil.example", ""):
        page = browse.get("/sign-in", status=400, headers={"Host": host})
        assert "not set up for this address" in page.words("h1")


def test_health_is_told_without_signing_in(people: Make, browse: Browser) -> None:
    assert browse.get("/healthz").text == "ok\n"
    assert browse.get("/readyz").text == "ready\n"


def test_a_database_of_another_version_is_not_ready_but_the_process_lives(
    any_app: Flask, browse: Browser
) -> None:
    with transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'another'"))
    answer = browse.get("/readyz", status=503)
    assert answer.text == "not ready: database and schema\n"
    assert answer.response.headers["Retry-After"] == "5"
    browse.get("/healthz")


@pytest.mark.case("HTMX-2")
def test_a_save_after_the_sign_in_ended_leads_back_to_the_form_and_says_why(
    people: Make, browse: Browser
) -> None:
    browse.sign_in("ada", "the password of ada")
    browse.get("/users/new?license_vcc=agent")
    with transaction() as session:
        session.execute(update(SignIn).values(ended_at=SignIn.created_at))
    headers = {"HX-Request": "true", "HX-Current-URL": "http://localhost/users/new?license_vcc=agent"}
    data = {"csrf_token": browse._token, "username": "ann"}
    answer = browse.client.post("/users/new", data=data, headers=headers)
    assert (answer.status_code, answer.data) == (401, b"")
    assert answer.headers["HX-Redirect"] == "/sign-in?next=/users/new?license_vcc%3Dagent"
    page = browse.get(answer.headers["HX-Redirect"])
    assert "Your sign-in ended" in page.words("main")
    evil = {**headers, "HX-Current-URL": "https://evil.example//x"}
    answer = browse.client.post("/users/new", data=data, headers=evil)
    form = browse.get(answer.headers["HX-Redirect"]).one("main form")
    fields = {str(field["name"]): str(field.get("value", "")) for field in form.select("input[name]")}
    fields |= {"username": "ada", "password": "the password of ada"}
    assert browse.post("/sign-in", fields).location == "/"


@pytest.mark.case("HTMX-4")
def test_a_page_of_the_sign_in_before_is_loaded_anew_by_its_next_tap(people: Make, browse: Browser) -> None:
    def tap(token: str) -> TestResponse:
        headers = {"HX-Request": "true", "HX-Target": "div#users", "X-CSRFToken": token}
        return browse.client.get("/users", headers=headers)

    browse.sign_in("ada", "the password of ada")
    of_ada = browse._token
    assert b"ada" in tap(of_ada).data
    browse.sign_out()
    browse.sign_in("sue", "the password of sue")
    old = tap(of_ada)
    assert (old.status_code, old.headers["HX-Refresh"], old.data) == (401, "true", b"")
    assert b"sue" in tap(browse._token).data
