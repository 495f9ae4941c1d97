"""The permission matrix, told here a second time and by hand: route × actor × own, foreign, missing.

Actors: an admin, and supervisors with *access user admin* alone and with each other permission added, all
with write on group A and read on group R. What each is answered stands in ``cases``; a route without a
line fails. Whatever is refused changes nothing.
"""

import re
from dataclasses import dataclass, field

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.inspecting import Browser
from tests.make import Make
from tests.pages.test_user_form import group
from tests.routes import routes
from webapp.database import db
from webapp.models import Change, ChangeEntry, SignIn, User

# The permissions that each supervisor has beside *access*.
SUPERVISORS: dict[str, tuple[str, ...]] = {
    "access": (), "create": ("create",), "edit": ("edit",), "unassigned": ("unassigned",),
    "groups": ("groups",), "creates": ("create", "edit"), "all": ("create", "edit", "unassigned", "groups"),
}  # fmt: skip
EVERYBODY = {"admin", *SUPERVISORS}
NOBODY: set[str] = set()
ADMIN = {"admin"}
EDITORS = {"admin", "edit", "creates", "all"}
CREATORS = {"admin", "creates", "all"}
MANAGERS = {"admin", "groups", "all"}
UNASSIGNED = {"admin", "unassigned", "all"}
PERSON = {"name": "Somebody", "email": "x@x.example", "license_vcc": "agent"}
STEPS = ("save", "archive", "reactivate", "delete", "link")


@dataclass(frozen=True)
class Case:
    """A request that is fit to succeed, who succeeds, and what the others are answered."""

    path: str
    may: set[str]
    ok: int
    otherwise: int = 403
    form: dict[str, str] = field(default_factory=dict)


def editing(step: str, address: str, form: dict[str, str], ok_of_others: int = 303) -> list[Case]:
    """P2, P5: own is in group A; read in R; foreign and the admin root are out of every supervisor's view."""
    form = {"version": "1", **form}
    return [
        Case(f"/users/missing{address}", NOBODY, 0, 404, form),
        Case(f"/users/foreign.{step}{address}", ADMIN, ok_of_others, 404, form),
        Case(f"/users/root.{step}{address}", ADMIN, ok_of_others, 404, form),
        Case(f"/users/read.{step}{address}", ADMIN, 303, 403, {**form, "groups": "R"}),
        Case(f"/users/own.{step}{address}", EDITORS, 303, 403, {**form, "groups": "A"}),
    ]


def admins(address: str, step: str = "", ok: int = 303) -> list[Case]:
    """An admin's alone: 403 to whoever has the user in view, else 404."""
    form = {"version": "1"}
    return [
        Case(f"/users/missing{address}", NOBODY, 0, 404, form),
        Case(f"/users/foreign{step}{address}", ADMIN, ok, 404, form),
        Case(f"/users/own{step}{address}", ADMIN, ok, 403, form),
    ]


def cases() -> dict[str, list[Case]]:
    """Every endpoint. Signing out comes last."""
    return {
        "static": [Case("/static/app.css", EVERYBODY, 200), Case("/static/../pyproject.toml", NOBODY, 0, 404)],
        "health.healthz": [Case("/healthz", EVERYBODY, 200)],
        "health.readyz": [Case("/readyz", EVERYBODY, 200)],
        "licenses.start": [Case("/", EVERYBODY, 303)],
        "licenses.first": [Case("/licenses", EVERYBODY, 200)],
        "licenses.product": [Case("/licenses/vcc", EVERYBODY, 200), Case("/licenses/nothing", NOBODY, 0, 404)],
        "licenses.export": [Case("/licenses/vcc.csv", EVERYBODY, 200)],
        "users.everyone": [Case("/users", EVERYBODY, 200)],
        "users.export": [Case("/users.csv", EVERYBODY, 200)],
        "users.one": [
            Case("/users/own", EVERYBODY, 200), Case("/users/OWN", EVERYBODY, 200),
            Case("/users/alone", UNASSIGNED, 200, 404), Case("/users/foreign", ADMIN, 200, 404),
            Case("/users/root", ADMIN, 200, 404), Case("/users/missing", NOBODY, 0, 404),
        ],
        "users.new": [Case("/users/new", CREATORS, 200)],
        "users.create": [Case("/users/new", CREATORS, 303, 403, {"username": "fresh", **PERSON, "groups": "A"})],
        "users.save": editing("save", "", PERSON),
        "users.archive": editing("archive", "/archive", {}),
        "users.reactivate": editing("reactivate", "/reactivate", PERSON),
        "users.delete": admins("/delete", ".delete"),
        "users.password_link": admins("/password-link", ".link"),
        "changes.every": [Case("/changes", EVERYBODY, 200)],
        "changes.one": [
            Case("/changes/SEQ-OF-OWN", EVERYBODY, 200), Case("/changes/SEQ-OF-FOREIGN", ADMIN, 200, 404),
            Case("/changes/9999", NOBODY, 0, 404),
        ],
        "changes.of_user": [
            Case("/users/own/history", EVERYBODY, 200), Case("/users/foreign/history", ADMIN, 200, 404),
            Case("/users/root/history", ADMIN, 200, 404), Case("/users/missing/history", NOBODY, 0, 404),
        ],
        "groups.everything": [Case("/groups", EVERYBODY, 200)],
        "groups.one": [
            Case("/groups/A", EVERYBODY, 200), Case("/groups/B", ADMIN, 200, 404), Case("/groups/999", NOBODY, 0, 404),
        ],
        "groups.create": [Case("/groups", MANAGERS, 303, 403, {"name": "New group"})],
        "groups.rename": [
            Case("/groups/999", NOBODY, 0, 404, {"name": "Not there"}),
            Case("/groups/B", ADMIN, 303, 404, {"name": "Renamed too"}),
            Case("/groups/A", MANAGERS, 303, 403, {"name": "Renamed"}),
        ],
        "groups.remove": [
            Case("/groups/999/delete", NOBODY, 0, 404), Case("/groups/B/delete", ADMIN, 422, 404),
            Case("/groups/EMPTY/delete", MANAGERS, 303),
        ],
        "account.own": [Case("/account", EVERYBODY, 200)],
        "account.change_password": [Case("/account", EVERYBODY, 422)],
        "account.by_link": [Case("/password/guessed", NOBODY, 0, 404)],
        "account.set_by_link": [Case("/password/guessed", NOBODY, 0, 404)],
        "sign_ins.own": [Case("/sign-ins", EVERYBODY, 200)],
        "sign_ins.end": [Case("/sign-ins/9999/end", NOBODY, 0, 404), Case("/sign-ins/SIGN-IN/end", ADMIN, 303, 404)],
        "sign_ins.end_others": [Case("/sign-ins/end-others", EVERYBODY, 303)],
        "sign_ins.of_user": admins("/sign-ins", ok=200),
        "sign_ins.end_of_user": admins("/sign-ins/end"),
        "session.sign_in": [Case("/sign-in", EVERYBODY, 303)],
        "session.sign_in_post": [Case("/sign-in", EVERYBODY, 422)],
        "session.sign_out": [Case("/sign-out", EVERYBODY, 303)],
    }  # fmt: skip


@pytest.fixture
def account(app: Flask, make: Make) -> Flask:
    """For each step that changes a user one in each kind of place, so that the steps don't meet."""
    make.admin("admin")
    make.password("admin")
    for name, more in SUPERVISORS.items():
        make.supervisor(name, permissions=("access", *more), write=("A", "EMPTY"), read=("R",), groups=("R",))
        make.password(name)
    for username, in_ in (("own", "A"), ("foreign", "B")):
        make.user(username, groups=(in_,))
    make.user("alone")
    make.admin("root")
    for step in STEPS:
        active = step not in ("reactivate", "delete")
        kind = "supervisor" if step == "link" else "agent"
        for place, in_ in (("own", "A"), ("read", "R"), ("foreign", "B")):
            make.user(f"{place}.{step}", kind, groups=(in_,), active=active)
        make.admin(f"root.{step}", active=active)
    make.supervisor("elsewhere", write=("B",), groups=("B",))
    Browser(app).sign_in("elsewhere", make.password("elsewhere"))
    return app


def places() -> dict[str, str]:
    """The ids that stand in the paths and forms above."""
    db.session.rollback()
    entry = select(ChangeEntry.change_seq).join(User, User.id == ChangeEntry.user_id)
    of = {name: db.session.scalars(entry.where(User.username == name)).first() for name in ("own", "foreign")}
    elsewhere = select(SignIn.id).join(User, User.id == SignIn.user_id).where(User.username == "elsewhere")
    return {
        **{name: str(group(name)) for name in ("A", "B", "R", "EMPTY")},
        "SEQ-OF-OWN": str(of["own"]), "SEQ-OF-FOREIGN": str(of["foreign"]),
        "SIGN-IN": str(db.session.scalars(elsewhere).one()),
    }  # fmt: skip


@pytest.mark.case("VIEW-1", "ASVS 8.1.1")
def test_every_route_has_its_lines_here(app: Flask) -> None:
    assert {route.endpoint for route in routes(app)} == set(cases())


@pytest.mark.case("VIEW-1", "ASVS 8.2.1", "ASVS 8.2.2", "ASVS 8.3.1")
@pytest.mark.parametrize("actor", sorted(EVERYBODY))
def test_P2_P3_P5_every_route_answers_as_the_matrix_says(account: Flask, browse: Browser, actor: str) -> None:
    methods = {route.endpoint: route.method for route in routes(account)}
    browse.sign_in(actor, f"the password of {actor}")
    names = places()
    for endpoint, lines in cases().items():
        for case in lines:
            path = "/".join(names.get(part, part) for part in case.path.split("/"))
            form = {name: names.get(value, value) for name, value in case.form.items()}
            before = written()
            answer = browse.client.open(
                path, method=methods[endpoint],
                data={"csrf_token": browse._token, **form} if methods[endpoint] == "POST" else None,
            )  # fmt: skip
            expected = case.ok if actor in case.may else case.otherwise
            assert answer.status_code == expected, (endpoint, path, answer.get_data(as_text=True)[:3000])
            if actor not in case.may:
                assert written() == before, f"{path}: what is refused changes nothing"


def written() -> tuple[int, ...]:
    """What a forbidden request would have moved: changes, and sign-ins ended."""
    db.session.rollback()
    ended = select(func.count()).where(SignIn.ended_at.is_not(None))
    return db.session.scalars(select(func.count()).select_from(Change)).one(), db.session.scalars(ended).one()


@pytest.mark.case("AUTH-4", "ASVS 6.3.8")
@pytest.mark.parametrize("license", ["agent", "wallboard", "supervisor"])
def test_P1_whoever_may_not_sign_in_is_told_like_a_stranger(
    app: Flask, make: Make, browse: Browser, license: str
) -> None:
    more = (
        {"permissions": frozenset({"create", "edit", "unassigned", "groups"})}
        if license == "supervisor"
        else {}
    )
    make.user("ann", license, **more)
    told = browse.sign_in("ann", make.password("ann"), status=422).words("main").replace("ann", "")
    assert browse.sign_in("xyz", "the password of xyz", status=422).words("main").replace("xyz", "") == told
    browse.get("/licenses", status=303)


@pytest.mark.case("VIEW-3", "ASVS 8.4.1")
def test_P5_a_walk_over_two_thousand_foreign_names_and_ids_finds_nothing_and_all_alike(
    app: Flask, make: Make, browse: Browser
) -> None:
    hidden = [made.username for made in make.users(2_000, groups=("B",))]
    make.supervisor("sue", write=("A",), groups=("A",), permissions=("access", "edit", "groups"))
    browse.sign_in("sue", make.password("sue"))
    bodies = {
        plain(browse, f"/users/{username}") for username in (*hidden, *(f"nobody{n}" for n in range(20)))
    }
    assert len(bodies) == 1
    ids = {plain(browse, f"/groups/{n}") for n in range(1, 60) if str(n) != str(group("A"))}
    seqs = {plain(browse, f"/changes/{n}") for n in range(1, 8) if not mine(n)}
    assert (len(ids), len(seqs)) == (1, 1)


def mine(seq: int) -> bool:
    sue = select(User.id).where(User.username == "sue")
    found = select(ChangeEntry.position).where(ChangeEntry.change_seq == seq, ChangeEntry.user_id.in_(sue))
    return db.session.scalars(found).first() is not None


def plain(browse: Browser, path: str) -> str:
    """A refusal's body and headers without what differs between any two: tokens, and the address asked."""
    answer = browse.client.get(path)
    assert answer.status_code == 404, path
    headers = sorted(
        (key, value) for key, value in answer.headers if key not in ("Content-Length", "Set-Cookie")
    )
    body = answer.get_data(as_text=True)
    return f"{headers}{re.sub(r'[a-zA-Z0-9_.-]{70,}', '', body).replace(path, '')}"
