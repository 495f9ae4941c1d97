"""INPUT-1: what each field takes and refuses, by every form that has it, alike on SQLite and PostgreSQL."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.datastructures import MultiDict

from tests.inspecting import Browser
from tests.make import Make
from tests.pages.test_user_form import group, user
from webapp.database import db
from webapp.models import ChangeEntry, User
from webapp.web import throttle

LONGEST = {"username": 100, "name": 100, "sso_external_id": 255, "agent_id": 20}
DOMAIN = ".".join(["d" * 62] * 3) + ".ex"
LONGEST_LOCAL = 254 - len("@" + DOMAIN)
# Of the kinds below those that are saved; all others are refused at the field.
SAVED = {
    "username": {"longest"},
    "name": {"longest", "emoji", "combining"},
    "email": {"longest", "combining"},
    "sso_external_id": {"empty", "spaces", "longest", "emoji", "combining"},
    "agent_id": {"empty", "spaces", "longest"},
}
GROUP_SAVED = {"longest", "emoji", "combining"}
LONG = "a quiet walk along the river "
PASSWORDS = {  # any characters, but not too few, too many, or only a few different ones
    "empty": ("", 422), "spaces": (" " * 15, 422), "shortest": ("k7#mQ2vX9!bLp4z", 303), "too short": ("k7#mQ2vX9!bLp4", 422),
    "longest": ((LONG * 5)[:128], 303), "longer": ((LONG * 5)[:129], 422), "huge": ("x" * 10_000, 422),
    "NUL": (f"{LONG}\0", 303), "control": (f"{LONG}\x1b", 303), "emoji": (f"{LONG}👩🏽‍🚀", 303), "combining": (f"{LONG}e\u0301", 303),
}  # fmt: skip


def kinds(field: str, letter: str) -> dict[str, str]:
    """The values to try; ``letter`` keeps those apart that must be unique."""
    end = "@x.example" if field == "email" else ""
    if field == "email":
        longest, longer = (f"{letter * n}@{DOMAIN}" for n in (LONGEST_LOCAL, LONGEST_LOCAL + 1))
    else:
        longest, longer = letter * LONGEST[field], letter * (LONGEST[field] + 1)
    return {
        "empty": "", "spaces": "   ", "longest": longest, "longer": longer, "huge": letter * 10_000 + end,
        "NUL": f"{letter}\0b{end}", "control": f"{letter}\x1bb{end}", "emoji": f"{letter}👩🏽‍🚀{end}",
        "combining": f"{letter}e\u0301{end}",
    }  # fmt: skip


@pytest.fixture
def boss(any_app: Flask, make: Make, browse: Browser) -> Browser:
    make.contract()
    make.admin("boss")
    make.user("ann")
    make.group("Billing")
    browse.sign_in("boss", make.password("boss"))
    browse.get("/users/new")
    return browse


def sent(browse: Browser, path: str, fields: Any) -> tuple[int, str]:
    """Status and text of a form's answer."""
    data = MultiDict(fields)
    data["csrf_token"] = browse._token
    answer = browse.client.post(path, data=data)
    return answer.status_code, answer.get_data(as_text=True)


def person(**fields: str) -> dict[str, str]:
    return {"username": "fresh", "name": "Fresh", "email": "f@x.example", "license_vcc": "agent", **fields}


def users() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(User)) or 0


@pytest.mark.case("INPUT-1", "ASVS 2.2.1", "ASVS 2.2.2")
def test_INPUT_1_each_field_of_a_user_is_saved_or_refused_as_written_down(boss: Browser) -> None:
    number = 0
    for field, saved in SAVED.items():
        for kind, value in kinds(field, "x").items():
            number, before = number + 1, users()
            form = person(username=f"user{number}") | {field: value}
            status, text = sent(boss, "/users/new", form)
            assert status == (303 if kind in saved else 422), (field, kind)
            assert users() == before + (status == 303)
            assert status == 303 or f'data-error="{field}"' in text, (field, kind)


@pytest.mark.case("INPUT-1", "ASVS 2.2.1")
def test_INPUT_1_the_same_when_somebody_is_changed(boss: Browser) -> None:
    for field in ("name", "email", "sso_external_id"):
        for kind, value in kinds(field, "y").items():
            before = user()
            form = {"version": str(before.version), "license_vcc": "agent", field: value}
            status, text = sent(boss, "/users/ann", form)
            assert status == (303 if kind in SAVED[field] else 422), (field, kind)
            assert status == 303 or f'data-error="{field}"' in text, (field, kind)
            assert getattr(user(), field) == (value.strip() if status == 303 else getattr(before, field))


@pytest.mark.case("INPUT-1", "ASVS 2.2.1")
def test_INPUT_1_a_groups_name_made_and_changed(boss: Browser) -> None:
    for path, letter in (("/groups", "x"), (f"/groups/{group('Billing')}", "y")):
        for kind, value in kinds("name", letter).items():
            status, text = sent(boss, path, {"name": value})
            assert status == (303 if kind in GROUP_SAVED else 422), (path, kind)
            assert status == 303 or 'data-error="name"' in text


@pytest.mark.case("INPUT-1", "ASVS 6.2.1", "ASVS 6.2.5", "ASVS 6.2.9")
def test_INPUT_1_a_password_of_any_characters(boss: Browser) -> None:
    present = "the password of boss"
    for kind, (password, expected) in PASSWORDS.items():
        boss.get("/account")
        status, text = sent(boss, "/account", {"current_password": present, "password": password})
        assert status == expected, kind
        assert status == 303 or 'data-error="password"' in text
        present = password if status == 303 else present


@pytest.mark.case("INPUT-1")
def test_INPUT_1_what_signs_in_and_the_address_of_lists(boss: Browser, any_app: Flask) -> None:
    stranger = Browser(any_app)
    stranger.get("/sign-in")
    tried = [
        {"username": f"{field}{kind}", "password": "wrong", field: value}
        for field in ("username", "password", "next") for kind, value in kinds("name", "x").items()
    ]  # fmt: skip
    assert len(tried) <= throttle.OF_ADDRESS
    for form in tried:
        assert sent(stranger, "/sign-in", form)[0] == 422, form
    pages = {
        "/users": ("q", "initial", "group", "status", "license", "after", "seen", "plan"),
        "/licenses/vcc": ("q", "initial", "group", "type", "after", "seen"),
        "/changes": ("person", "actor", "action", "day", "before"),
    }
    for path, fields in pages.items():
        for kind, value in kinds("name", "x").items():
            for asked in (dict.fromkeys(fields, value), {fields[0]: value}):
                assert boss.client.get(path, query_string=asked).status_code == 200, (path, kind)


@pytest.mark.case("ASVS 1.4.2", "ASVS 15.3.5")
def test_a_number_that_can_be_none_is_refused_or_not_there(boss: Browser) -> None:
    for number in ("2147483648", "9" * 30, "-1", "1.5", "1e3", " 1", "0x1", "", "NaN"):
        for path in ("/changes/", "/groups/"):
            assert boss.client.get(path + number).status_code == 404, (path, number)
        assert sent(boss, f"/sign-ins/{number}/end", {})[0] == 404, number
        assert sent(boss, "/users/ann", {"version": number, "name": "Ann"})[0] == 422, number
        access = {"version": "1", "license_vcc": "agent", f"access-{number}": "write"}
        assert sent(boss, "/users/ann", access)[0] == 422, number
        assert boss.client.get("/users", query_string={"group": number}).status_code == 200, number
    assert sent(boss, "/users/ann", {"version": "١", "name": "Ann"})[0] == 422, (
        "a one, but not as forms have it"
    )
    assert user().version == 1


@pytest.mark.case("ASVS 15.3.7")
def test_a_field_sent_twice_or_in_the_address_has_one_meaning_in_check_act_and_log(boss: Browser) -> None:
    twice = [
        ("version", "1"),
        ("license_vcc", "agent"),
        ("name", "First"),
        ("name", ""),
        ("license_vcc", "admin"),
    ]
    assert sent(boss, "/users/ann?name=Address&license_vcc=admin&version=9", MultiDict(twice))[0] == 303
    assert (user().name, [kind.ref for kind in user().held]) == ("First", ["vcc/agent"])
    told = db.session.scalars(select(ChangeEntry.new).where(ChangeEntry.field == "name")).all()
    assert told[-1] == "First"
    assert sent(boss, "/users/ann", MultiDict([("version", "2"), ("name", ""), ("name", "Second")]))[0] == 422


@pytest.mark.case("ASVS 1.1.1", "ASVS 1.1.2", "ASVS 1.2.9")
def test_text_is_decoded_once_kept_as_typed_and_searched_as_it_is(boss: Browser) -> None:
    typed = ["100%25 done", "&lt;b&gt; &amp;", "a+b%20c", "50_50 %", r"back\slash.*", "\\u003cb\\u003e"]
    for number, name in enumerate(typed):
        assert sent(boss, "/users/new", person(username=f"typed{number}", name=name))[0] == 303
    db.session.rollback()
    kept = db.session.scalars(
        select(User.name).where(User.username.startswith("typed")).order_by(User.username)
    )
    assert kept.all() == typed
    for number, name in enumerate(typed):
        page = boss.client.get("/users", query_string={"q": name}).get_data(as_text=True)
        assert page.count("data-username=") == 1, name
        assert f'data-username="typed{number}"' in page
    for pattern in ("%25%25", "100_25", "a.b", "<b>"):
        assert "data-username=" not in boss.client.get("/users", query_string={"q": pattern}).get_data(
            as_text=True
        )
