"""Passwords: one-time links, one's own, which are refused, and the password asked again (P1, P3)."""

import logging
import os
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import inspect, select, text, update

from tests.inspecting import Browser, Page
from tests.make import Make
from webapp.database import db, now, transaction
from webapp.factory import create_app
from webapp.licensing import passwords, sign_ins, users
from webapp.licensing.errors import LicensingError
from webapp.models import Change, ChangeEntry, Credential, PasswordLink, SignIn, User
from webapp.pages.session.views import _begin
from webapp.web import passwords as hashing
from webapp.web import throttle
from webapp.web.passwords import LONGEST, SHORTEST, hash_password

GOOD = "a quiet walk along the river"


@pytest.fixture
def desk(app: Flask, make: Make, browse: Browser) -> Browser:
    """An admin signed in; a supervisor without a password, one out of reach, an agent."""
    make.admin("boss")
    make.supervisor("sue", permissions=("access", "edit"), write=("Billing",), groups=("Billing",))
    make.supervisor("far")
    make.user("ann", groups=("Billing",))
    browse.sign_in("boss", make.password("boss"))
    return browse


def ask(desk: Browser, username: str, *, status: int = 303, **more: Any) -> Page:
    """Make a link by the form of the page."""
    page = desk.get(f"/users/{username}")
    version = page.all("input[name=version]")[0]["value"]
    fields: dict[str, Any] = {"version": version, "op_id": f"op-{username}-{now().timestamp()}"}
    return desk.post(f"/users/{username}/password-link", {**fields, **more}, status=status)


def link(desk: Browser, username: str = "sue") -> str:
    """The path of a new link, as the page shows it."""
    page = desk.follow(ask(desk, username))
    assert str(page.one("#link-card img")["src"]).startswith("data:image/svg+xml")
    shown = page.words("#link")
    assert shown.startswith("http://localhost/password/")
    return shown.removeprefix("http://localhost")


def use(app: Flask, path: str, password: str = GOOD, status: int = 303) -> Browser:
    """Set a password by a link, in a browser of one's own."""
    guest = Browser(app)
    guest.get(path)
    guest.post(path, {"password": password}, status=status)
    return guest


def entries(field: str) -> list[tuple[str, str | None, str | None]]:
    db.session.rollback()
    found = db.session.execute(
        select(ChangeEntry.subject, ChangeEntry.old, ChangeEntry.new).where(ChangeEntry.field == field)
    )
    return [(row.subject, row.old, row.new) for row in found]


@pytest.mark.case("ASVS 6.4.1", "ASVS 6.4.3")
def test_a_link_sets_the_password_once_signs_in_and_is_told_in_the_log(desk: Browser, app: Flask) -> None:
    path = link(desk)
    guest = use(app, path)
    page = guest.get("/account")
    assert "Your password is set" in page.words("main")
    assert "sue" in page.words(".menu")
    again = Browser(app)
    assert "can't be used" in again.get(path, status=404).words("h1")
    again.get("/sign-in")
    again.post(path, {"password": GOOD + "!"}, status=404)
    assert again.sign_in("sue", GOOD).url == "/licenses"
    assert entries("password") == [("sue", None, "set anew")]
    ((subject, old, new),) = entries("password_link")
    assert (subject, old) == ("sue", None)
    assert str(new).startswith("until 20")


@pytest.mark.case("ASVS 7.4.3")
def test_setting_a_password_ends_all_sign_ins_before(desk: Browser, app: Flask) -> None:
    guest = use(app, link(desk))
    use(app, link(desk), GOOD + "!")
    guest.get("/licenses", status=303)


def test_a_newer_link_replaces_the_one_before(desk: Browser, app: Flask) -> None:
    first, second = link(desk), link(desk)
    Browser(app).get(first, status=404)
    use(app, second)


@pytest.mark.case("ASVS 6.4.1")
def test_a_link_ends_after_a_day_and_the_page_says_so(desk: Browser, app: Flask) -> None:
    path = link(desk)
    assert "Good until" in desk.get("/users/sue").words(".way-in")
    with transaction() as session:
        session.execute(update(PasswordLink).values(ends_at=now() - timedelta(seconds=1)))
    Browser(app).get(path, status=404)
    assert "Ended unused" in desk.get("/users/sue").words(".way-in")


def test_a_link_ends_when_its_user_can_sign_in_no_more(desk: Browser, app: Flask, make: Make) -> None:
    path = link(desk)
    page = desk.get("/users/sue")
    version = page.all("input[name=version]")[0]["value"]
    desk.post("/users/sue/archive", {"version": version})
    Browser(app).get(path, status=404)
    archived = desk.get("/users/sue")
    assert not archived.all(".way-in")
    version = archived.all("input[name=version]")[0]["value"]
    desk.post(
        "/users/sue/reactivate", {"version": version, "license_vcc": "supervisor", "permissions": "access"}
    )
    Browser(app).get(path, status=404)


def test_only_hashes_of_links_and_sign_ins_are_kept(desk: Browser, app: Flask) -> None:
    token = link(desk).rpartition("/")[2]
    guest = use(app, link(desk))
    cookie = guest.client.get_cookie("license_desk")
    assert cookie
    db.session.rollback()
    everything = ""
    for table in inspect(db.engine).get_table_names():
        everything += repr(db.session.execute(text(f'SELECT * FROM "{table}"')).all())
    for secret in (token, GOOD, "the password of boss", cookie.value):
        assert secret not in everything


@pytest.mark.case("ASVS 6.4.6")
def test_P3_links_are_made_by_admins_for_those_who_can_sign_in_and_never_for_oneself(
    desk: Browser, app: Flask, make: Make
) -> None:
    make.password("sue")
    sue = Browser(app)
    sue.sign_in("sue", "the password of sue")
    sue.get("/licenses")
    for username, status in (("ann", 403), ("sue", 403), ("far", 404), ("boss", 404), ("nobody", 404)):
        sue.post(f"/users/{username}/password-link", {"version": "1"}, status=status)
        sue.get("/licenses")
    told = ask(desk, "ann", status=422)
    assert "can't sign in here" in told.words("#summary")
    assert "Nobody makes a link for themselves" in ask(desk, "boss", status=422).words("#summary")
    assert not desk.get("/users/ann").all(".way-in")
    assert not desk.get("/users/boss").all(".way-in")
    assert db.session.scalars(select(PasswordLink.user_id)).all() == []


def test_a_link_asks_for_the_version_and_has_one_effect(desk: Browser) -> None:
    desk.get("/users/sue")
    desk.post("/users/sue/password-link", {}, status=422)
    desk.post("/users/sue/password-link", {"version": "99"}, status=409)
    form = {"version": "1", "op_id": "the-same"}
    assert desk.post("/users/sue/password-link", form).location == "/users/sue"
    assert desk.post("/users/sue/password-link", form).location == "/users/sue"
    assert len(entries("password_link")) == 1


def test_a_link_is_shown_to_nobody_but_its_maker(desk: Browser, app: Flask, make: Make) -> None:
    link(desk)
    desk.get("/users/sue").one("#link")
    desk.get("/users/far")
    assert desk.get("/users/sue").one("#link"), "it stays until it is used"
    make.admin("other")
    other = Browser(app)
    other.sign_in("other", make.password("other"))
    page = other.get("/users/sue")
    assert not page.all("#link")
    assert "Good until" in page.words(".way-in")


WEAK = [
    ("fourteen chars", "14 characters"), ("", "0 characters"), ("x" * (LONGEST + 1), "129 characters"),
    ("x" * 5000, "5000 characters"), ("passwordpassword", "among the first"), ("123456789012345", "among the first"),
    ("qwertyuiopasdfghjkl", "among the first"), ("aaaaaaaaaaaaaaaaaaaa", "among the first"),
    ("P@ssw0rdP@ssw0rd", "among the first"), ("licensedesk12345", "among the first"),
    ("License Desk 2026", "among the first"), ("suesuesuesuesuesue", "among the first"),
    ("sue.of.billing sue.of.billing", "among the first"), ("license desk license desk", "among the first"),
]  # fmt: skip


@pytest.mark.case("ASVS 6.2.1", "ASVS 6.2.11")
@pytest.mark.parametrize(("password", "why"), WEAK, ids=lambda value: value[:20])
def test_a_weak_password_is_refused_and_the_link_still_works(
    app: Flask, make: Make, desk: Browser, password: str, why: str
) -> None:
    make.supervisor("sue.of.billing")
    path = link(desk, "sue.of.billing")
    guest = Browser(app)
    guest.get(path)
    refused = guest.post(path, {"password": password}, status=422)
    assert why in refused.words("[data-error=password]")
    assert refused.one("#password").get("value") is None
    guest.post(path, {"password": GOOD})


@pytest.mark.case("ASVS 6.2.5", "ASVS 6.2.8")
@pytest.mark.parametrize("password", [
    "k7#mQ2vX9!bLp4z", "correct horse battery", "ünïcödé sentence ok", "密码密码密码很长很长的一句话呀呀", "only lower case words",
    GOOD * 4, "\U0001f469\u200d\U0001f680 rocket to the moon",
])  # fmt: skip
def test_any_signs_are_allowed_and_verified_exactly(
    app: Flask, make: Make, desk: Browser, password: str
) -> None:
    assert SHORTEST <= len(password) <= LONGEST
    use(app, link(desk), password)
    for wrong in (password.upper(), password[:-1], password + " ", f" {password}"):
        if wrong != password:
            Browser(app).sign_in("sue", wrong, status=422)
    Browser(app).sign_in("sue", password)


@pytest.mark.case("ASVS 6.2.4", "ASVS 6.2.12")
def test_every_common_password_of_the_list_that_is_long_enough_is_refused(desk: Browser) -> None:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    common = FREQUENCY_LISTS["passwords"]
    assert len(common) >= 3_000
    long_enough = [password for password in common if len(password) >= SHORTEST]
    assert long_enough
    for password in long_enough:
        with pytest.raises(LicensingError) as refused:
            hash_password(password)
        assert refused.value.problems[0].code == "password_common"


def test_composed_and_decomposed_letters_are_the_same_password(desk: Browser, app: Flask) -> None:
    use(app, link(desk), "e\u0301te\u0301 sur la rivie\u0300re")
    Browser(app).sign_in("sue", "\u00e9t\u00e9 sur la rivi\u00e8re")


@pytest.mark.case("ASVS 6.2.2", "ASVS 6.2.3", "ASVS 7.2.4", "ASVS 7.4.3")
def test_ones_own_password_needs_the_present_one_and_ends_all_other_sign_ins(
    desk: Browser, app: Flask, make: Make
) -> None:
    elsewhere = Browser(app)
    elsewhere.sign_in("boss", "the password of boss")
    cookie = desk.client.get_cookie("license_desk")
    assert cookie
    desk.get("/account")
    for present in ("", "wrong", GOOD):
        told = desk.post("/account", {"current_password": present, "password": GOOD}, status=422)
        assert "This is not your password" in told.words("[data-error=current_password]")
    told = desk.post(
        "/account", {"current_password": "the password of boss", "password": "short"}, status=422
    )
    assert "5 characters" in told.words("[data-error=password]")
    same = {"current_password": "the password of boss", "password": "the password of boss"}
    assert "current password" in desk.post("/account", same, status=422).words("[data-error=password]")
    done = desk.follow(desk.post("/account", {"current_password": "the password of boss", "password": GOOD}))
    assert "Your password is changed" in done.words("main")
    elsewhere.get("/licenses", status=303)
    copied = Browser(app)
    copied.client.set_cookie("license_desk", cookie.value)
    copied.get("/licenses", status=303)  # this sign-in began anew
    Browser(app).sign_in("boss", "the password of boss", status=422)
    Browser(app).sign_in("boss", GOOD)
    assert entries("password") == [("boss", "set", "set anew")]


@pytest.mark.case("ASVS 6.3.4")
def test_guessing_the_present_password_is_counted_like_a_sign_in(desk: Browser) -> None:
    desk.get("/account")
    statuses = []
    for number in range(11):
        form = {"csrf_token": desk._token, "current_password": f"guess {number}", "password": GOOD}
        statuses.append(desk.client.post("/account", data=form).status_code)
    assert statuses == [422] * 10 + [429]


def proof_is_old() -> None:
    with transaction() as session:
        session.execute(update(SignIn).values(proved_at=now() - sign_ins.PROOF - timedelta(seconds=1)))


@pytest.mark.case("ASVS 7.5.1")
def test_what_others_may_do_is_changed_only_after_a_password_typed_lately(desk: Browser) -> None:
    desk.get("/users/sue")
    form = {
        "version": "1", "name": "Sue", "email": "sue@x.example", "license_vcc": "supervisor",
        "permissions": ["access", "edit", "create"],
    }  # fmt: skip
    proof_is_old()
    asked = desk.post("/users/sue", form, status=422)
    assert "more than half an hour ago" in asked.words("[data-error=current_password]")
    asked.one("#current_password")
    assert asked.one("#permissions-create").get("checked") is not None, "nothing chosen is lost"
    wrong = desk.post("/users/sue", {**form, "current_password": "wrong"}, status=422)
    assert "not your password" in wrong.words("[data-error=current_password]")
    desk.post("/users/sue", {**form, "current_password": "the password of boss"})
    desk.get("/users/sue")
    desk.post("/users/sue", {**form, "version": "2", "permissions": ["access"]})  # typed just now


@pytest.mark.case("ASVS 7.5.1")
@pytest.mark.parametrize("change", ["create", "promote", "link"])
def test_a_password_is_asked_again_for_new_rights_by_every_way(desk: Browser, change: str) -> None:
    proof_is_old()
    desk.get("/users/sue")
    person = {"name": "X", "email": "x@x.example"}
    if change == "create":
        answer = desk.post("/users/new", {**person, "username": "xena", "license_vcc": "admin"}, status=422)
    elif change == "promote":
        answer = desk.post("/users/ann", {**person, "version": "1", "license_vcc": "admin"}, status=422)
    else:
        assert desk.get("/users/sue").all("#link-proof")
        answer = desk.post("/users/sue/password-link", {"version": "1"}, status=422)
    assert "more than half an hour ago" in answer.words("#summary")


def test_ordinary_changes_ask_for_no_password(desk: Browser) -> None:
    proof_is_old()
    desk.get("/users/ann")
    desk.post("/users/ann", {"version": "1", "name": "Ann B", "email": "a@x.example", "license_vcc": "agent"})
    person = {"username": "new1", "name": "N", "email": "n@x.example"}
    desk.get("/users/new")
    desk.post("/users/new", {**person, "license_vcc": "agent"})


def test_a_hash_of_another_cost_is_renewed_at_sign_in(desk: Browser, app: Flask, make: Make) -> None:
    from argon2 import PasswordHasher

    make.password("sue")
    dear = PasswordHasher(time_cost=2, memory_cost=64, parallelism=1).hash("the password of sue")
    with transaction() as session:
        found = passwords.stored_hash(session, session.scalars(select(SignIn.user_id)).one())
        sue = select(Credential).where(Credential.password_hash != found)
        session.scalars(sue).one().password_hash = dear
    Browser(app).sign_in("sue", "the password of sue")
    db.session.rollback()
    assert dear not in db.session.scalars(select(Credential.password_hash)).all()
    Browser(app).sign_in("sue", "the password of sue")


@pytest.mark.case("ASVS 11.4.2")
def test_outside_tests_a_password_is_hashed_at_its_full_cost(app: Flask) -> None:
    served = create_app(app.extensions["settings"])
    with served.app_context():
        assert hash_password(GOOD).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.case("ASVS 15.2.2")
def test_few_passwords_are_hashed_at_a_time_and_whoever_waits_too_long_is_told(
    desk: Browser, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.web.passwords.WAIT", 0.01)
    turns = 0
    while hashing._turns.acquire(blocking=False):
        turns += 1
    try:
        assert turns == os.cpu_count()
        held = Browser(app).sign_in("boss", "the password of boss", status=503)
        assert held.response.headers["Retry-After"] == "5"
    finally:
        hashing._turns.release(turns)
    Browser(app).sign_in("boss", "the password of boss")


@pytest.mark.case("ASVS 6.2.10")
def test_a_password_never_expires(desk: Browser, app: Flask, make: Make) -> None:
    password = make.password("sue")
    with transaction() as session:
        session.execute(update(Credential).values(set_at=now() - timedelta(days=4000)))
    assert Browser(app).sign_in("sue", password).url == "/licenses"


@pytest.mark.case("ASVS 6.3.2")
def test_nobody_can_sign_in_before_somebody_was_made(any_app: Flask) -> None:
    """A migrated database with its catalog has no account."""
    assert db.session.scalars(select(User.username)).all() == []
    assert db.session.scalars(select(Credential.user_id)).all() == []


def test_an_open_link_signs_out_whoever_else_was_there_and_says_so_first(desk: Browser) -> None:
    path = link(desk)
    page = desk.get(path)
    assert "is signed in here and will be signed out" in page.words("main")
    desk.post(path, {"password": GOOD})
    assert "sue" in desk.get("/account").words(".menu")


@pytest.mark.case("ASVS 16.2.5")
def test_nothing_secret_is_logged(desk: Browser, app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    path = link(desk)
    use(app, path)
    assert GOOD not in caplog.text
    assert path.rpartition("/")[2] not in caplog.text


def test_the_password_is_asked_again_under_the_lock_too(desk: Browser, make: Make) -> None:
    """A form made for a version that comes only meanwhile was not asked before the lock."""
    act = replace(make.act(), proved=False)
    promoted = make.wish("ann", "admin")
    for do in (
        lambda session: users.save(session, promoted, 1, act),
        lambda session: users.create(session, [make.wish("xena", "supervisor")], act),
        lambda session: passwords.make_link(session, "sue", act),
    ):
        with pytest.raises(LicensingError) as refused, transaction() as session:
            do(session)
        assert [problem.code for problem in refused.value.problems] == ["password_asked"]


def test_a_sign_in_begun_with_the_password_before_does_not_outlive_its_change(
    desk: Browser, app: Flask, make: Make
) -> None:
    old = make.password("sue")
    with transaction() as session:
        sue = session.scalars(select(User.id).where(User.username == "sue")).one()
        verified = passwords.stored_hash(session, sue)
    use(app, link(desk))
    with app.test_request_context(), throttle.counted("sue") as one_try, transaction() as session:
        assert verified
        assert _begin(session, sue, verified, one_try) is None
    Browser(app).sign_in("sue", old, status=422)


def test_a_number_that_no_form_has_is_not_written_down(desk: Browser) -> None:
    desk.get("/account")
    form = {"current_password": "the password of boss", "password": GOOD, "op_id": "\0" + "x" * 500}
    desk.post("/account", form)
    db.session.rollback()
    newest = select(Change.op_id).order_by(Change.seq.desc()).limit(1)
    assert db.session.scalars(newest).one() is None


def test_a_link_ends_with_the_address_it_may_have_been_mailed_to(desk: Browser, app: Flask) -> None:
    path = link(desk)
    desk.get("/users/sue")
    person = {"name": "Sue", "email": "other@x.example", "license_vcc": "supervisor"}
    desk.post("/users/sue", {**person, "version": "1", "permissions": ["access", "edit"]})
    Browser(app).get(path, status=404)
