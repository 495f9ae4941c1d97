"""How a sign-in ends: by time, by hand, by an admin; and where one is signed in."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.inspecting import Browser
from tests.make import Make
from webapp.database import db, now, transaction
from webapp.licensing import sign_ins, users
from webapp.licensing.record import Wish
from webapp.models import SignIn

POLL = {"HX-Request": "true", "HX-Target": "nav#products", "HX-Source": "span#figures"}


@pytest.fixture
def people(app: Flask, make: Make) -> Make:
    make.admin("ada")
    make.supervisor("sue", permissions=("access", "edit"), write=("Billing",), groups=("Billing",))
    make.supervisor("far")
    for username in ("ada", "sue", "far"):
        make.password(username)
    return make


@pytest.fixture
def ada(people: Make, browse: Browser) -> Browser:
    browse.sign_in("ada", "the password of ada")
    return browse


def another(app: Flask, username: str) -> Browser:
    browse = Browser(app)
    browse.sign_in(username, f"the password of {username}")
    return browse


def passes(**ago: timedelta) -> None:
    """As if these moments of every sign-in had been so long ago."""
    with transaction() as session:
        session.execute(update(SignIn).values({name: now() - time for name, time in ago.items()}))


def seen() -> timedelta:
    db.session.rollback()
    return now() - db.session.scalars(select(SignIn.seen_at).order_by(SignIn.id.desc())).first()  # type: ignore[operator]


@pytest.mark.case("ASVS 7.3.1")
def test_it_ends_thirty_minutes_after_its_last_use(ada: Browser) -> None:
    passes(seen_at=sign_ins.IDLE - timedelta(seconds=5))
    ada.get("/licenses")
    passes(seen_at=sign_ins.IDLE + timedelta(seconds=5))
    assert ada.get("/licenses", status=303).location.startswith("/sign-in")


@pytest.mark.case("ASVS 7.3.2")
def test_it_ends_twelve_hours_after_it_began_however_much_it_is_used(ada: Browser) -> None:
    passes(created_at=sign_ins.LONGEST - timedelta(seconds=5))
    ada.get("/licenses")
    passes(created_at=sign_ins.LONGEST + timedelta(seconds=5))
    ada.get("/licenses", status=303)


def test_what_a_person_does_is_noted_once_a_minute_and_what_the_page_asks_by_itself_never(
    ada: Browser,
) -> None:
    passes(seen_at=timedelta(minutes=5))
    polled = ada.client.get("/licenses/vcc", headers=POLL)
    assert polled.status_code == 200
    assert "Set-Cookie" not in polled.headers
    assert seen() > timedelta(minutes=4)
    ada.get("/users")
    assert seen() < timedelta(minutes=1)
    passes(seen_at=timedelta(seconds=40))
    ada.get("/users")
    assert seen() > timedelta(seconds=30)


@pytest.mark.case("AUTH-5", "ASVS 7.4.2")
def test_somebody_who_is_archived_and_comes_back_signs_in_anew(people: Make, app: Flask) -> None:
    sue = another(app, "sue")
    with transaction() as session:
        users.archive(session, "sue", 1, people.act())
    sue.get("/licenses", status=303)
    with transaction() as session:
        users.reactivate(session, Wish("sue"), 2, people.act())
    sue.get("/licenses", status=303)
    another(app, "sue").get("/licenses")


@pytest.mark.case("ASVS 7.2.2", "ASVS 7.5.2")
def test_one_sees_where_one_is_signed_in_and_ends_one_or_all_others(ada: Browser, app: Flask) -> None:
    others = [another(app, "ada") for _ in range(2)]
    page = ada.get("/sign-ins")
    assert len(page.all(".devices li")) == 3
    assert len([device for device in page.all(".devices li") if "This one" in device.get_text()]) == 1
    assert "127.0.0.1" in page.words(".devices")
    forms = [str(form["action"]) for form in page.all(".devices li:not(:has(.tag)) form")]
    ada.follow(ada.post(forms[0]))
    alive = [browse.client.get("/licenses").status_code for browse in others]
    assert sorted(alive) == [200, 303]
    ada.get("/sign-ins")
    ada.follow(ada.post("/sign-ins/end-others"))
    assert [browse.client.get("/licenses").status_code for browse in others] == [303, 303]
    ada.get("/licenses")


def test_ending_this_one_signs_out(ada: Browser) -> None:
    (form,) = ada.get("/sign-ins").all(".devices form")
    assert ada.post(str(form["action"])).location == "/sign-in"
    ada.get("/licenses", status=303)


@pytest.mark.case("ASVS 7.4.5")
def test_an_admin_ends_those_of_others_and_nobody_else_does(ada: Browser, app: Flask) -> None:
    sue, far = another(app, "sue"), another(app, "far")
    page = ada.get("/users/sue/sign-ins")
    (form,) = page.all(".devices form")
    sue.get("/licenses")
    sue.post(str(form["action"]).replace("/sign-ins/", "/sign-ins/9"), status=404)
    far.get("/licenses")
    far.post(str(form["action"]), status=404)
    sue.get("/users/sue/sign-ins", status=403)
    sue.get("/users/far/sign-ins", status=404)
    sue.get("/users/nobody/sign-ins", status=404)
    sue.get("/licenses")
    sue.post("/users/sue/sign-ins/end", status=403)
    sue.get("/licenses")
    sue.post("/users/far/sign-ins/end", status=404)
    ada.follow(ada.post(str(form["action"])))
    sue.get("/licenses", status=303)
    ada.get("/users/far/sign-ins")
    assert "Not signed in anywhere" in ada.follow(ada.post("/users/far/sign-ins/end")).words("main")
    far.get("/licenses", status=303)


def test_ending_all_of_ones_own_by_the_admins_way_keeps_this_one(ada: Browser) -> None:
    ada.get("/users/ada/sign-ins")
    ada.follow(ada.post("/users/ada/sign-ins/end"))
    ada.get("/licenses")


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (Linux; Android 14; SM-X710) AppleWebKit/537.36 Chrome/126.0 Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (iPad; CPU OS 17_5) AppleWebKit/605.1 Version/17.5 Mobile Safari/604.1", "Safari on iPad"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0", "Edge on Windows"),
        ("<b>curl</b>", "A browser"), ("", "A browser"), ("x" * 5000, "A browser"),
    ],
)  # fmt: skip
def test_a_device_is_told_in_words(people: Make, browse: Browser, agent: str, words: str) -> None:
    browse.client.environ_base["HTTP_USER_AGENT"] = agent
    browse.sign_in("ada", "the password of ada")
    assert browse.get("/sign-ins").words(".devices strong") == words


@pytest.mark.case("ASVS 7.4.1", "ASVS 14.3.1")
def test_switching_the_person_ends_the_sign_in_and_the_next_one_goes_on_there(ada: Browser) -> None:
    cookie = ada.client.get_cookie("license_desk")
    assert cookie
    page = ada.get("/licenses/ha")
    switch = page.one(".menu button[name=next]")
    answer = ada.post("/sign-out", {"next": str(switch["value"])})
    assert answer.location == "/sign-in?next=/licenses/ha"
    assert answer.response.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert ada.follow(answer).one("#username")["value"] == ""
    copied = Browser(ada.app)
    copied.client.set_cookie("license_desk", cookie.value)
    copied.get("/licenses", status=303)
    assert ada.sign_in("sue", "the password of sue", next="/licenses/ha").url == "/licenses/ha"


def test_after_signing_out_next_leads_nowhere_but_home(ada: Browser) -> None:
    ada.get("/licenses")
    assert ada.post("/sign-out", {"next": "//evil.example"}).location == "/sign-in"
