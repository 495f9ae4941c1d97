"""VIEW-5: fields that no form offers change nothing. Each form is sent twice, on two installations: as its page
has it, and with all these fields besides, in the form and in the address. Both must have written the same.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy import DateTime, inspect, select

from tests import databases
from tests.conftest import OwnContextClient
from tests.inspecting import Browser
from tests.make import Make
from tests.routes import routes
from webapp.database import db
from webapp.factory import create_app
from webapp.models import Base, Group, SignIn, User

# What a record has, and what a right or a figure could be called. "B" is the id of a group out of reach.
BESIDES = {
    "active": "0", "role": "admin", "id": "1", "user_id": "1", "assigned": "0", "contracted": "999", "max_overage": "99",
    "password_hash": "x", "base_type_id": "4", "is_admin": "1", "deleted_at": "2026-01-01", "seq": "1", "actor_id": "1",
    "at": "2020-01-01", "token_hash": "x", "ended_at": "", "revision": "1", "starts_at": "2020-01-01", "cause": "none",
    "door": "test", "address": "192.0.2.1", "license_type_id": "1", "new_groups": "1", "confirmed": "1", "proved": "1",
}  # fmt: skip
PASSWORD = "a quiet walk along the river"
PERSON = {"name": "Fresh", "email": "f@x.example", "license_vcc": "agent"}


@contextmanager
def installation(template: Path, folder: Path) -> Iterator[Flask]:
    folder.mkdir()
    app = create_app(databases.settings_for(databases.copy_of(template, folder)), cheap_passwords=True)
    app.testing = True
    app.test_client_class = OwnContextClient
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def groups() -> dict[str, str]:
    """Ids by name."""
    db.session.rollback()
    return {name: str(key) for key, name in db.session.execute(select(Group.id, Group.name))}


def story(app: Flask, besides: dict[str, str]) -> tuple[list[int], set[str]]:
    """Every form there is, each fit to succeed, as a supervisor or an admin; statuses, and the endpoints asked."""
    make = Make()
    make.contract()
    make.admin("boss")
    make.user("hid", groups=("B",))
    make.supervisor("lead", groups=("A",))
    make.supervisor(
        "sue", permissions=("access", "create", "edit", "groups"), write=("A",), groups=("A",)
    )  # fmt: skip
    group = groups()
    besides = besides and besides | {f"access-{group['B']}": "", "permission": "groups"}
    browsers = {name: Browser(app) for name in ("sue", "boss")}
    for name, browser in browsers.items():
        browser.sign_in(name, make.password(name))
    adapter = app.url_map.bind("localhost")
    statuses, asked = [], set()

    def send(who: str, path: str, page: str = "/account", **form: str | list[str]) -> None:
        browser = browsers[who]
        browser.get(page)
        data = {**besides, "csrf_token": browser._token, **form}
        if besides and "groups" not in form:
            data["groups"] = group["B"]  # a supervisor may not, and an admin's forms below have no groups
        answer = browser.client.post(f"{path}?{urlencode(besides)}" if besides else path, data=data)
        statuses.append(answer.status_code)
        asked.add(adapter.match(path, method="POST")[0])

    in_a = {"groups": [group["A"], group["B"]] if besides else group["A"]}
    send("sue", "/users/new", username="fresh", **PERSON, **in_a)
    send("sue", "/users/fresh", version="1", **PERSON | {"name": "Other"}, **in_a)
    send("sue", "/users/fresh/archive", version="2")
    send("sue", "/users/fresh/reactivate", version="3", license_vcc="agent", **in_a)
    send("sue", "/groups", name="Made")
    made = f"/groups/{groups()['Made']}"
    send("sue", made, name="Renamed")
    send("sue", f"{made}/delete")
    send("sue", "/account", current_password="the password of sue", password=PASSWORD)
    send("sue", "/sign-ins/end-others")
    send("sue", "/users/fresh/archive", version="4")
    send("boss", "/users/fresh/delete", version="5")
    send("boss", "/users/lead/password-link", version="1")
    link = browsers["boss"].get("/users/lead").words("#link").removeprefix("http://localhost")
    browsers["lead"] = Browser(app)
    send("lead", link, link, password=PASSWORD + "!")
    send("boss", "/users/lead/sign-ins/end")
    db.session.rollback()
    theirs = (
        select(SignIn.id)
        .join(User, User.id == SignIn.user_id)
        .where(User.username == "sue", SignIn.ended_at.is_(None))
    )
    send("boss", f"/sign-ins/{db.session.scalars(theirs).one()}/end")
    send("boss", "/sign-out")
    send("boss", "/sign-in", "/sign-in", username="boss", password="the password of boss", next="")
    return statuses, asked


def written() -> dict[str, list[tuple[object, ...]]]:
    """Every row, but for moments, hashes and what is drawn by chance."""
    db.session.rollback()
    drawn = {"hash", "token_hash", "password_hash", "agent_id", "key", "digest"}
    rows = {}
    for name, table in Base.metadata.tables.items():
        kept = [
            column for column in table.columns
            if not isinstance(getattr(column.type, "impl", column.type), DateTime) and column.name not in drawn
        ]  # fmt: skip
        rows[name] = sorted((tuple(row) for row in db.session.execute(select(*kept))), key=repr)
    del rows["throttle"]  # its five minutes may be over in between
    rows["change_entry"] = [
        row for row in rows["change_entry"] if not {"agent_id", "password_link"} & set(map(str, row))
    ]
    assert set(inspect(db.engine).get_table_names()) >= set(rows)
    return rows


@pytest.mark.case("VIEW-5", "ASVS 15.3.3")
def test_VIEW_5_fields_that_no_form_offers_change_nothing(sqlite_template: Path, tmp_path: Path) -> None:
    outcomes = []
    for name, besides in (("plain", {}), ("besides", BESIDES)):
        with installation(sqlite_template, tmp_path / name) as app:
            statuses, asked = story(app, besides)
            assert set(statuses) == {303}, (name, statuses)
            assert asked == {route.endpoint for route in routes(app) if route.method == "POST"}, (
                "send the new form too"
            )
            outcomes.append(written())
    plain, besides_ = outcomes
    for table, rows in plain.items():
        assert besides_[table] == rows, table


@pytest.mark.case("VIEW-5")
def test_VIEW_5_the_same_in_the_address_of_every_page(app: Flask, make: Make, browse: Browser) -> None:
    make.group("Billing")
    make.admin("boss", groups=("Billing",))
    make.user("ann")
    browse.sign_in("boss", make.password("boss"))
    before = written()
    for route in routes(app):
        if route.method != "GET":
            continue
        plain = browse.client.get(route.address)
        asked = browse.client.get(route.address, query_string=BESIDES)
        assert asked.status_code == plain.status_code, route
        for hook in ("data-username=", "data-available=", "data-error=", " checked"):
            assert asked.get_data(as_text=True).count(hook) == plain.get_data(as_text=True).count(hook), (
                route,
                hook,
            )
    assert written() == before
