"""Sign-ins that ended, on the real server with two workers: the very next request of whoever had one is a stranger's."""

from collections.abc import Callable

import pytest

from tests.make import Make
from tests.servers import Server
from tests.serving.visiting import Visitor
from webapp.database import transaction
from webapp.licensing import users
from webapp.licensing.record import Wish

OFTEN = 8  # each on a connection of its own, so that both workers are asked


def is_a_stranger(port: int, cookie: str, token: str) -> None:
    """Page, region, Back and a form with a good token lead to sign-in and tell nothing."""

    def again() -> Visitor:
        return Visitor(port, cookie=cookie, token=token)

    page = again().ask("GET", "/licenses")
    assert (page.status, page.headers["Location"]) == (303, "/sign-in?next=/licenses")
    for headers in ({"HX-Request": "true", "HX-Target": "div#users"}, {"HX-History-Restore-Request": "true"}):
        region = again().ask("GET", "/licenses", **headers)
        assert (region.status, region.text) == (401, "")
        assert region.headers["HX-Redirect"] == "/sign-in?next=/licenses"
    for path in ("/groups", "/users/new", "/sign-ins/end-others"):
        form = again().post(path, {"name": "Stolen"})
        assert (form.status, form.headers["Location"].partition("?")[0]) == (303, "/sign-in"), path


@pytest.mark.case("AUTH-2", "ASVS 7.2.1", "ASVS 7.4.1")
def test_AUTH_2_a_copied_cookie_is_worth_nothing_after_signing_out_at_any_worker(edge: Server) -> None:
    visitor = Visitor(edge.port)
    assert visitor.sign_in().status == 303
    assert visitor.ask("GET", "/licenses").status == 200
    cookie, token = visitor.cookie, visitor.token
    out = visitor.post("/sign-out", {})
    assert (out.status, out.headers["Clear-Site-Data"]) == (303, '"cache", "storage"')
    for _ in range(OFTEN):
        is_a_stranger(edge.port, cookie, token)


@pytest.mark.case("AUTH-5", "ASVS 7.4.2", "ASVS 8.3.2")
def test_AUTH_5_archived_or_without_access_one_is_out_in_every_browser(make: Make, server: Server) -> None:
    def archive(username: str) -> None:
        with transaction() as session:
            users.archive(session, username, 1, make.act())

    def without_access(username: str) -> None:
        with transaction() as session:
            users.save(session, Wish(username, permissions=frozenset({"edit"})), 1, make.act())

    make.admin("boss")
    ends: dict[str, Callable[[str], None]] = {"sue": archive, "sam": without_access}
    for username, end in ends.items():
        make.supervisor(username)
        password = make.password(username)
        browsers = [Visitor(server.port) for _ in range(2)]
        for browser in browsers:
            assert browser.sign_in(username, password).status == 303
            assert browser.ask("GET", "/licenses").status == 200
        end(username)
        for _ in range(OFTEN // 2):
            for browser in browsers:
                is_a_stranger(server.port, browser.cookie, browser.token)
        assert browsers[0].sign_in(username, password).status == 422
