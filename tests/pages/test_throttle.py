"""Tries are counted before anything is checked, and nobody is locked out for good (SQLite and PostgreSQL)."""

import re

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.inspecting import Browser, Page
from tests.make import Make
from webapp.database import db, transaction
from webapp.models import Throttle
from webapp.web import throttle


@pytest.fixture
def people(any_app: Flask, make: Make) -> Make:
    make.admin("ada")
    make.supervisor("sue")
    for username in ("ada", "sue"):
        make.password(username)
    return make


def five_minutes_pass() -> None:
    seconds_pass(throttle.STRETCH)


def seconds_pass(seconds: int) -> None:
    with transaction() as session:
        session.execute(update(Throttle).values(began=Throttle.began - seconds))


def hits() -> dict[str, int]:
    db.session.rollback()
    return {
        key.partition(" ")[0]: hits for key, hits in db.session.execute(select(Throttle.key, Throttle.hits))
    }


def wrong(browse: Browser, username: str, status: int = 422) -> Page:
    return browse.sign_in(username, "wrong", status=status)


@pytest.mark.case("ASVS 2.4.1", "ASVS 6.3.1")
def test_after_ten_tries_even_the_right_password_waits_and_then_gets_in(
    people: Make, browse: Browser
) -> None:
    for _ in range(throttle.OF_ACCOUNT):
        wrong(browse, "ada")
    held = browse.sign_in("ada", "the password of ada", status=429)
    assert 0 < int(held.response.headers["Retry-After"]) <= throttle.STRETCH
    assert re.search(
        r"Too many tries\. Wait (a minute|\d minutes) and try again\.", held.words("[data-error=form]")
    )
    assert held.one("#username")["value"] == "ada", "nothing typed is lost"
    browse.get("/licenses", status=303)
    five_minutes_pass()
    assert browse.sign_in("ada", "the password of ada").url == "/licenses"


def test_the_five_minutes_run_from_the_first_try_and_a_clock_set_back_holds_nobody(
    people: Make, browse: Browser
) -> None:
    for number in range(throttle.OF_ACCOUNT):
        wrong(browse, "ada")
        if number == 0:
            seconds_pass(200)
    held = wrong(browse, "ada", 429)
    assert 0 < int(held.response.headers["Retry-After"]) <= throttle.STRETCH - 200
    seconds_pass(-86_400)
    assert browse.sign_in("ada", "the password of ada").url == "/licenses"


@pytest.mark.case("AUTH-4", "ASVS 6.3.8")
def test_an_unknown_name_is_held_by_the_same_count_and_words(people: Make, browse: Browser) -> None:
    def answers(username: str) -> list[str]:
        told = []
        for number in range(throttle.OF_ACCOUNT + 1):
            page = wrong(browse, username, 422 if number < throttle.OF_ACCOUNT else 429)
            told.append(page.words("main").replace(username, ""))
        return told

    assert answers("nobody") == answers("ADA")


def test_a_success_forgets_the_accounts_tries_and_takes_back_only_its_own_of_the_address(
    people: Make, browse: Browser
) -> None:
    for _ in range(3):
        wrong(browse, "ada")
    assert hits() == {"account": 3, "address": 3, "all": 3}
    browse.sign_in("ada", "the password of ada")
    assert hits() == {"address": 3, "all": 3}


@pytest.mark.case("ASVS 6.3.1")
def test_one_address_has_thirty_tries_over_all_names_and_uses_up_no_more_of_all(
    people: Make, browse: Browser
) -> None:
    for number in range(throttle.OF_ADDRESS):
        wrong(browse, f"guess{number}")
    for _ in range(3):
        wrong(browse, "sue", 429)
    assert hits()["all"] == throttle.OF_ADDRESS


@pytest.mark.case("ASVS 6.3.1")
def test_whoever_goes_on_at_one_account_holds_nobody_else(people: Make, browse: Browser) -> None:
    for number in range(throttle.OF_ADDRESS + 5):
        wrong(browse, "nobody", 422 if number < throttle.OF_ACCOUNT else 429)
    assert hits()["address"] == hits()["all"] == throttle.OF_ACCOUNT
    assert browse.sign_in("ada", "the password of ada").url == "/licenses"


@pytest.mark.case("ASVS 6.3.1")
def test_where_somebody_signed_in_before_they_get_in_while_strangers_try(
    people: Make, any_app: Flask, browse: Browser
) -> None:
    browse.sign_in("ada", "the password of ada")
    browse.sign_out()
    stranger = Browser(any_app)
    for _ in range(throttle.OF_ACCOUNT):
        wrong(stranger, "ada")
    stranger.sign_in("ada", "the password of ada", status=429)
    assert browse.sign_in("ada", "the password of ada").url == "/licenses"
    browse.sign_out()
    for _ in range(throttle.OF_ACCOUNT):  # it is no way round the count
        wrong(browse, "ada")
    browse.sign_in("ada", "the password of ada", status=429)
    wrong(browse, "sue")  # and says nothing for anybody else: sue is counted as anywhere
    assert hits()["account"]


@pytest.mark.parametrize("value", ["", "made up", "W10.c2ln", "\x00", "x" * 4000])
def test_a_forged_device_counts_as_none(people: Make, browse: Browser, value: str) -> None:
    browse.get("/sign-in")
    browse.client.set_cookie("license_desk_device", value)
    wrong(browse, "ada")
    assert hits() == {"account": 1, "address": 1, "all": 1}


@pytest.mark.case("ASVS 6.3.1")
def test_a_tablet_that_is_passed_on_knows_everybody_who_signed_in_on_it_of_late(
    people: Make, any_app: Flask, browse: Browser
) -> None:
    for username in ("ada", "sue"):
        browse.sign_in(username, f"the password of {username}")
        browse.sign_out()
    stranger = Browser(any_app)
    for username in ("ada", "sue"):
        for _ in range(throttle.OF_ACCOUNT):
            wrong(stranger, username)
        stranger.sign_in(username, f"the password of {username}", status=429)
        browse.sign_in(username, f"the password of {username}")
        browse.sign_out()


def test_the_devices_cookie_tells_nobodys_name(people: Make, browse: Browser) -> None:
    browse.sign_in("ada", "the password of ada")
    cookie = browse.client.get_cookie("license_desk_device")
    assert cookie
    assert "ada" not in cookie.value
    assert (cookie.http_only, cookie.same_site, cookie.path) == (True, "Lax", "/")


def test_what_is_over_is_thrown_away(people: Make, browse: Browser) -> None:
    for name in ("x", "y", "z"):
        wrong(browse, name)
    five_minutes_pass()
    wrong(browse, "ada")
    db.session.rollback()
    assert len(db.session.scalars(select(Throttle.key)).all()) == 3


@pytest.mark.case("ASVS 6.3.1", "ASVS 6.3.4")
def test_links_are_counted_by_address_too(people: Make, browse: Browser) -> None:
    token = str(browse.get("/sign-in").one("main input[name=csrf_token]")["value"])
    form = {"csrf_token": token, "password": "a quiet walk along the river"}
    for _ in range(throttle.OF_ADDRESS):
        assert browse.client.post("/password/guessed", data=form).status_code == 404
    held = browse.client.post("/password/guessed", data=form)
    assert held.status_code == 429
    assert int(held.headers["Retry-After"]) > 0


@pytest.mark.case("ASVS 2.4.1")
def test_P4_whoever_tries_out_which_names_are_taken_is_held_and_an_admin_is_not(
    people: Make, any_app: Flask, browse: Browser
) -> None:
    people.supervisor("sam", permissions=("access", "create", "edit", "unassigned"))
    person = {"username": "ADA", "name": "X", "email": "x@x.example", "license_vcc": "agent"}

    def statuses(username: str, times: int) -> list[int]:
        who = Browser(any_app)
        who.sign_in(username, people.password(username))
        data = {"csrf_token": who._token, **person}
        return [who.client.post("/users/new", data=data).status_code for _ in range(times)]

    assert statuses("sam", throttle.OF_PROBES + 1) == [422] * throttle.OF_PROBES + [429]
    person["username"] = "nobodys.name"
    assert statuses("sam", 1) == [429], "or 429 would tell which are taken"
    person["username"] = "ADA"
    assert statuses("ada", throttle.OF_PROBES + 1) == [422] * (throttle.OF_PROBES + 1)


def test_P4_what_a_form_would_do_tells_nothing_of_taken_names(people: Make, browse: Browser) -> None:
    people.supervisor("sam", permissions=("access", "create", "edit", "unassigned"))
    browse.sign_in("sam", people.password("sam"))

    people.user("taker", agent_id="4711")
    pairs = [
        ({"username": "ada"}, {"username": "nobodys.name"}),
        ({"username": "x", "agent_id": "4711"}, {"username": "x", "agent_id": "4712"}),
    ]
    for method, asked in (("GET", {"plan": "1"}), ("POST", {"plan": "1"}), ("POST", {"way": "webrtc=y"})):
        for pair in pairs:
            told = set()
            for typed in pair:
                fields = {"license_vcc": "agent", **typed, **asked}
                data = {"csrf_token": browse._token, **fields}
                how = {"query_string": fields} if method == "GET" else {"data": data}
                page = Page("", browse.client.open("/users/new", method=method, **how))  # type: ignore[arg-type]
                told.add(page.words("#plan") + page.words("#licensing") + page.words("#save"))
            assert len(told) == 1, (method, asked, pair)
