"""The log's events, provoked: each is told once, by whom and from where, and with no secret in it."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.inspecting import Browser
from tests.make import Make
from webapp.web import throttle

Told = Callable[[], list[tuple[str, dict[str, Any]]]]
SECRETS = ("the wrong one", "the password of", "a quiet walk", "made up")


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Told:
    """The events since it was asked last, without the lines of requests."""
    caplog.set_level(logging.INFO, "license_desk")

    def events() -> list[tuple[str, dict[str, Any]]]:
        found = [(one.message, vars(one)["facts"]) for one in caplog.records if one.name == "license_desk"]
        assert not [secret for secret in SECRETS if secret in str(found)]
        caplog.clear()
        return [(name, facts) for name, facts in found if name != "request"]

    return events


@pytest.fixture
def ada(app: Flask, make: Make, browse: Browser) -> Browser:
    make.admin("ada")
    make.supervisor("sue", permissions=("access", "create", "edit", "unassigned"))
    browse.sign_in("ada", make.password("ada"))
    return browse


def names(events: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [name for name, _ in events]


@pytest.mark.case("ASVS 16.3.1", "ASVS 16.2.1", "ASVS 16.2.5")
def test_signing_in_and_out_by_every_way_and_each_refusal_is_told(
    ada: Browser, app: Flask, told: Told
) -> None:
    Browser(app).sign_in("ada", "the password of ada")
    ((name, facts),) = told()
    assert (name, facts["user"], facts["by"]) == ("signed_in", "ada", "password")
    assert (facts["method"], facts["route"], facts["address"]) == ("POST", "/sign-in", "127.0.0.1")
    Browser(app).sign_in("ada", "the wrong one", status=422)
    assert names(told()) == ["sign_in_refused"]
    ada.get("/account")
    form = {"current_password": "the wrong one", "password": "a quiet walk along the river"}
    ada.post("/account", form, status=422)
    assert names(told()) == ["password_refused"]
    ada.post("/account", form | {"current_password": "the password of ada"})
    assert names(told()) == ["password_changed"]
    ada.get("/sign-ins")
    ada.post("/sign-ins/end-others")
    ((name, facts),) = told()
    assert (name, facts["user"], facts["actor"]) == ("sign_ins_ended", "ada", "ada")
    ada.get("/users/sue")
    page = ada.follow(ada.post("/users/sue/password-link", {"version": "1"}))
    link = page.words("#link").removeprefix("http://localhost")
    told()
    sue = Browser(app)
    sue.get(link)
    sue.post(link, {"password": "a quiet walk along the sea"})
    ((name, facts),) = told()
    assert (name, facts["user"], facts["by"], facts["route"]) == (
        "signed_in",
        "sue",
        "link",
        "/password/<token>",
    )
    stranger = Browser(app)
    stranger.get("/sign-in")
    stranger.post(link, {"password": "a quiet walk along the sea"}, status=404)
    assert names(told()) == ["link_refused"]
    for path in ("/users/SUE/sign-ins/end", "/sign-out"):
        ada.get("/licenses")
        ada.post(path)
    assert [(name, facts.get("user"), facts["actor"]) for name, facts in told()] == [
        ("sign_ins_ended", "SUE", "ada"), ("signed_out", None, "ada"),
    ]  # fmt: skip


@pytest.mark.case("ASVS 16.3.2")
def test_a_right_that_is_missing_is_told_with_who_asked_for_what(
    ada: Browser, app: Flask, make: Make, told: Told
) -> None:
    sue = Browser(app)
    sue.sign_in("sue", make.password("sue"))
    told()
    sue.post("/groups", {"name": "Mine"}, status=403)
    ((name, facts),) = told()
    assert (name, facts["actor"], facts["method"], facts["route"]) == (
        "right_refused",
        "sue",
        "POST",
        "/groups",
    )


@pytest.mark.case("ASVS 16.3.3")
def test_attempts_around_the_guards_are_told(ada: Browser, app: Flask, make: Make, told: Told) -> None:
    told()
    client = ada.client
    assert client.post("/users/new", data={"csrf_token": "made up"}).status_code == 400
    assert names(told()) == ["csrf_refused"]
    assert client.post("/users/new", headers={"Origin": "https://evil.example"}).status_code == 400
    assert [(name, facts["origin"]) for name, facts in told()] == [("origin_refused", "https://evil.example")]
    assert client.post("/users/new", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 400
    assert names(told()) == ["origin_refused"]
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
    assert [(name, facts["host"]) for name, facts in told()] == [("host_refused", "evil.example")]
    stranger = Browser(app)
    for _ in range(throttle.OF_ACCOUNT):
        stranger.sign_in("nobody", "the wrong one", status=422)
    told()
    stranger.sign_in("nobody", "the wrong one", status=429)
    assert names(told()) == ["throttled"]
    sue = Browser(app)
    sue.sign_in("sue", make.password("sue"))
    sue.get("/users/new")
    told()
    person = {"username": "ADA", "name": "X", "email": "x@x.example", "license_vcc": "agent"}
    data = {"csrf_token": sue._token, **person}
    statuses = [sue.client.post("/users/new", data=data).status_code for _ in range(throttle.OF_PROBES + 1)]
    assert statuses[-2:] == [422, 429]
    assert names(told()) == ["taken_value_refused"] * throttle.OF_PROBES + ["throttled"]
