"""HEAD-2: a changing request is refused, and changes nothing, unless it comes from a page of this sign-in."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.inspecting import Browser
from tests.make import Make
from tests.routes import Route, routes
from webapp.database import db
from webapp.models import Change, SignIn

FORM = {
    "username": "fresh", "name": "X", "email": "x@x.example", "license_vcc": "agent", "version": "1",
    "password": "a quiet walk along the river", "current_password": "the password of boss",
}  # fmt: skip
FOREIGN = [
    {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost.evil.example"},
    {"Origin": "https://localhost"}, {"Origin": "http://localhost:8000"}, {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": ""},
    {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
]  # fmt: skip


@pytest.fixture
def boss(app: Flask, make: Make, browse: Browser) -> Browser:
    make.user("ann", groups=("Billing",))
    make.admin("boss")
    browse.sign_in("boss", make.password("boss"))
    return browse


def unsafe(app: Flask) -> list[Route]:
    found = [route for route in routes(app) if route.method != "GET"]
    assert len(found) > 10
    return found


def state() -> tuple[int, ...]:
    db.session.rollback()
    standing = select(func.count()).where(SignIn.ended_at.is_(None))
    return db.session.scalars(select(func.count()).select_from(Change)).one(), db.session.scalars(
        standing
    ).one()


def refused(browse: Browser, token: str, headers: dict[str, str]) -> None:
    before = state()
    for route in unsafe(browse.app):
        for where in (
            {"data": {**FORM, "csrf_token": token}},
            {"data": FORM, "headers": {"X-CSRFToken": token}},
        ):
            how = {**where, "headers": {**where.get("headers", {}), **headers}}
            answer = browse.client.open(route.address, method=route.method, **how)  # type: ignore[arg-type]
            assert answer.status_code == 400, (route, headers)
    assert state() == before
    assert browse.client.get("/account").status_code == 200, "still signed in"


@pytest.mark.case("HEAD-2", "ASVS 3.5.1")
def test_a_token_of_the_sign_in_before_is_no_good(boss: Browser) -> None:
    old = boss._token
    boss.get("/licenses")
    token = boss._token
    boss.sign_out()
    boss.sign_in("boss", "the password of boss")
    for stale in (old, token):
        refused(boss, stale, {})


@pytest.mark.case("HEAD-2", "ASVS 3.5.1")
def test_anothers_token_is_no_good_nor_one_cut_or_empty(boss: Browser, app: Flask, make: Make) -> None:
    make.admin("other")
    other = Browser(app)
    other.sign_in("other", make.password("other"))
    for token in (other._token, "", boss._token[:-1], boss._token.upper(), "None"):
        refused(boss, token, {})


@pytest.mark.case("HEAD-2", "ASVS 3.5.1")
@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_good_token_from_another_site_is_no_good(boss: Browser, headers: dict[str, str]) -> None:
    boss.get("/licenses")
    refused(boss, boss._token, headers)


def test_the_same_with_a_token_of_this_sign_in_and_this_site_is_done(boss: Browser) -> None:
    boss.get("/users/new")
    headers = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin", "X-CSRFToken": boss._token}
    assert boss.client.post("/users/new", data=FORM, headers=headers).status_code == 303
