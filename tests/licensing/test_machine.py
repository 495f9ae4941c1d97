"""Whatever is done by whomever in whatever order: the books stay right, and nobody goes or sees beyond their rights.

A Hypothesis state machine over users, groups, supervisors' rights and dated contract lines, with a clock that
moves on, through the operations that the pages call, on a fresh database for each run. After each step the
new changes are replayed by the checker's model (V1, V2, E1 to E4, S1, S2, S6, S8, P3) and every row and figure
is compared with it; what a supervisor did and what supervisors see is judged by rules of its own here.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import databases
from tests.checking import Model
from tests.checking.model import Fields, parts
from tests.checking.rows import books, changes
from tests.counts import Counts
from tests.make import Make
from webapp.database import db, transaction
from webapp.factory import create_app
from webapp.licensing import changes as told
from webapp.licensing import groups, history, ledger, lists, profile, users
from webapp.licensing.errors import LicensingError, NotAllowedError, NotThereError, StaleError
from webapp.licensing.history import Act
from webapp.licensing.lists import Filters, PeopleList
from webapp.licensing.profile import SOMEONE
from webapp.licensing.record import Wish
from webapp.licensing.visibility import read_actor
from webapp.models import Group
from webapp.words import AccessLevel, Status

REFS = (
    "vcc/agent",
    "vcc/supervisor",
    "vcc/wallboard",
    "vcc/admin",
    "ha/viewer",
    "ha/creator",
    "enc/enabled",
    "accent/enabled",
)
GROUPS = ("Billing", "Floor", "Night", "Late shift")
PERMISSIONS = ("access", "create", "edit", "unassigned", "groups")
REACH = {None: 0, "read": 1, "write": 2}
BEGIN = datetime(2026, 1, 5, 12, tzinfo=UTC)

memberships = st.lists(st.sampled_from(GROUPS), unique=True, max_size=2).map(tuple)
permissions = st.frozensets(st.sampled_from(PERMISSIONS))
access = st.dictionaries(st.sampled_from(GROUPS), st.sampled_from(AccessLevel), max_size=2)
licenses = {
    "vcc": st.sampled_from(("agent", "supervisor", "wallboard", "admin")),
    "ha": st.sampled_from(("", "viewer", "creator")),
    "enc": st.sampled_from(("", "enabled")),
    "accent": st.sampled_from(("", "enabled")),
}
details = {
    "contactpad": st.booleans(), "webrtc": st.booleans(), "groups": memberships, "permissions": permissions,
    "access": access, "name": st.sampled_from(("Ann", "Bob", "Çiğdem")), "agent_id": st.sampled_from(("7", "8")),
    "sso_external_id": st.sampled_from(("", "x1", "x2")),
}  # fmt: skip


@st.composite
def wishes(draw: st.DrawFn, new: bool = False) -> Wish:
    """A wish; three of four leave out what the base license that they name can't have."""
    products = {product: names for product, names in licenses.items() if product != "vcc" or not new}
    held = draw(st.fixed_dictionaries({"vcc": licenses["vcc"]} if new else {}, optional=products))
    fields: dict[str, Any] = draw(st.fixed_dictionaries({}, optional=details))
    kind = held.get("vcc")
    if kind and draw(st.integers(0, 3)):
        if kind in ("agent", "wallboard"):
            fields.pop("contactpad", None)
        contactpad = kind == "agent" or fields.get("contactpad")
        webrtc = contactpad and fields.get("webrtc")
        out = {"ha": kind == "agent", "enc": not contactpad, "accent": not webrtc}
        held = {product: key for product, key in held.items() if not (key and out.get(product))}
        fields |= {"webrtc": webrtc}
        for name in ("agent_id", *(("permissions", "access") if kind != "supervisor" else ())):
            fields.pop(name, None)
    return Wish("", licenses=held, **fields)


places = st.integers(0, 60)
confirmed = st.booleans()


class Desk(RuleBasedStateMachine):
    """See the module. ``fresh`` is a new database for each run; ``count``: what was done, and what refused."""

    fresh: ClassVar[Callable[[], AbstractContextManager[str]]]
    count: ClassVar[Counter[str]]

    @initialize()
    def begin(self) -> None:
        self.database = type(self).fresh()
        self.app: Flask = create_app(databases.settings_for(self.database.__enter__()), cheap_passwords=True)
        self.context = self.app.app_context()
        self.context.push()
        self.make, self.model, self.now, self.number = Make(), Model(), BEGIN, 0
        act = self.make.act(lambda: self.now)
        self.make.contract(dict.fromkeys(REFS, (6, 1)) | {"vcc/admin": (4, None)}, act=act)
        self.make.admin("root", act=act)
        self.make.supervisor("sue", write=("Billing",), read=("Floor",), permissions=PERMISSIONS, act=act)
        self.make.supervisor(
            "sam", write=("Night",), permissions=("access", "edit"), groups=("Billing",), act=act
        )
        self.make.user("ann", groups=("Billing", "Night"), act=act)
        self.make.user("bob", act=act)
        self._compare()

    def teardown(self) -> None:
        if not hasattr(self, "context"):
            return
        broken = history.verify(db.session(), self.app.extensions["settings"].chain_key.encode())
        db.session.remove()
        db.engine.dispose()
        self.context.pop()
        self.database.__exit__(None, None, None)
        assert broken is None

    # What is done

    @rule(by=places, first=wishes(new=True), second=st.none() | wishes(new=True), overage=confirmed)
    def create(self, by: int, first: Wish, second: Wish | None, overage: bool) -> None:
        wanted = []
        for wish in filter(None, (first, second)):
            self.number += 1
            username = f"user{self.number}"
            wanted.append(
                replace(wish, username=username, name=wish.name or "New", email="new@company.example")
            )
        self._do("create", by, lambda session, act: users.create(
            session, wanted, act, confirmed_overage=REFS if overage else ()
        ))  # fmt: skip

    @rule(
        by=places,
        place=places,
        wish=wishes(),
        losses=confirmed,
        overage=confirmed,
        behind=st.sampled_from((0, 0, 0, 1)),
    )
    def save(self, by: int, place: int, wish: Wish, losses: bool, overage: bool, behind: int) -> None:
        username, version = self._someone(by, place)
        done = self._do("save", by, lambda session, act: users.save(
            session, replace(wish, username=username), version - behind, act,
            confirmed_losses=(*REFS, "contactpad", "webrtc") if losses else (),
            confirmed_overage=REFS if overage else (),
        ))  # fmt: skip
        assert not (done and behind), "saved over somebody else's save"

    @rule(by=places, place=places, names=memberships)
    def move(self, by: int, place: int, names: tuple[str, ...]) -> None:
        username, version = self._someone(by, place)
        wish = Wish(username, groups=names)
        self._do("move", by, lambda session, act: users.save(session, wish, version, act))

    @rule(by=places, place=places, may=permissions, reach=access)
    def supervise(self, by: int, place: int, may: frozenset[str], reach: dict[str, AccessLevel]) -> None:
        username, version = self._someone(by, place)
        wish = Wish(username, permissions=may, access=reach)
        self._do("supervise", by, lambda session, act: users.save(session, wish, version, act))

    @rule(by=places, place=places)
    def archive(self, by: int, place: int) -> None:
        username, version = self._someone(by, place)
        self._do("archive", by, lambda session, act: users.archive(session, username, version, act))

    @rule(by=places, place=places, wish=st.just(Wish("")) | wishes(), overage=confirmed)
    def reactivate(self, by: int, place: int, wish: Wish, overage: bool) -> None:
        username, version = self._someone(by, place, "archived")
        self._do("reactivate", by, lambda session, act: users.reactivate(
            session, replace(wish, username=username), version, act, confirmed_overage=REFS if overage else ()
        ))  # fmt: skip

    @rule(by=places, place=places)
    def delete(self, by: int, place: int) -> None:
        username, version = self._someone(by, place, "archived")
        self._do("delete", by, lambda session, act: users.delete(session, username, version, act))

    @rule(
        by=places,
        what=st.sampled_from(("make", "rename", "delete")),
        place=places,
        name=st.sampled_from(GROUPS),
    )
    def group(self, by: int, what: str, place: int, name: str) -> None:
        rows = db.session.execute(select(Group.name, Group.id).order_by(Group.id)).all()
        full = {name for person in self.model.people.values() for name in parts(person, "groups")}
        if what == "delete":  # mostly one that can be
            rows = [row for row in rows if row.name not in full or not place % 4] or rows
        old, key = rows[place // 4 % len(rows)] if rows else ("", 1)
        does: dict[str, Callable[[Session, Act], object]] = {
            "make": lambda session, act: groups.create(session, name, act),
            "rename": lambda session, act: groups.rename(session, key, name, act),
            "delete": lambda session, act: groups.remove(session, key, act),
        }
        self._do(f"{what} group", by, does[what], group="" if what == "make" else old)

    @rule(
        ref=st.sampled_from(REFS),
        contracted=st.integers(0, 5),
        overage=st.sampled_from((0, 1, None)),
        days=st.integers(-1, 3),
    )
    def contract(self, ref: str, contracted: int, overage: int | None, days: int) -> None:
        day = self.now.date() + timedelta(days=days)
        self.make.contract({ref: (contracted, overage)}, starts_on=day, act=self.make.act(lambda: self.now))
        self._compare()

    @rule(hours=st.integers(1, 60))
    def time_goes_on(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        self._compare()

    # How it is judged

    def _do(self, what: str, by: int, do: Callable[[Session, Act], object], group: str | None = None) -> bool:
        """Do it as somebody who can sign in, or as the operator; whether it was done."""
        before, people = self.model.seq, deepcopy(self.model.people)
        me = self._actor(by)
        act = self._act(me)
        refused = False
        try:
            with transaction() as session:
                do(session, act)
        except LicensingError as error:
            refused = all(problem.sentence and problem.way_out for problem in error.problems)
            assert refused, error.problems  # noqa: PT017
        except (NotThereError, NotAllowedError, StaleError):
            refused = True
        self.count[f"{what} {'refused' if refused else 'done'}"] += 1
        self._compare()
        assert not refused or self.model.seq == before, "refused, and something was changed"
        if me is not None and self.model.seq > before and base(people[me]) == "supervisor":
            if group is None:
                assert list(self._beyond_rights(me, people)) == []
            else:
                mine = parts(people[me], "permissions")
                assert "groups" in mine, "a group changed without the right to"
                assert not group or group in reaches(people[me]), "a group out of view changed"
        return not refused

    def _compare(self) -> None:
        """All new changes are legal, and rows, figures and recount agree with what they come to."""
        session = db.session()
        session.rollback()
        alters_views = False
        for change in changes(session, self.model.seq):
            assert self.model.replay(change) == []
            alters_views |= any(entry.field != "contract_line" for entry in change.entries)
        assert list(self.model.books().differences(books(session))) == []
        assert ledger.recount(session) == []
        catalog, day = ledger.read_catalog(session), self.now.date()
        figures = dict.fromkeys(catalog.types, (0, 0, 0)) | self.model.figures(day)
        shown = ledger.figures(session, catalog, day)
        assert {r: (pool.contracted, pool.max_overage, pool.assigned) for r, pool in shown.items()} == figures
        if alters_views:
            for me in self._supervisors()[:2]:
                self._sees_no_others(session, me)

    def _beyond_rights(self, me: int, before: dict[int, Fields]) -> Iterator[str]:
        """What a supervisor did and may not do (P2, P3, P6, P7), by how things were before."""
        mine = before[me]
        for user, now in self.model.people.items():
            was = before.get(user)
            if was == now:
                continue
            if was and not edits(mine, me, was, user):
                yield f"changed {was} without being allowed to (P2)"
            if not was and "create" not in parts(mine, "permissions"):
                yield f"created {now} without being allowed to (P2)"
            if not edits(mine, me, now, user) and user != me:
                yield f"may not edit {now} any more (P6)"
            if was is None and not parts(now, "groups") and "unassigned" not in parts(mine, "permissions"):
                yield f"created {now} in no group (P2)"
            was = was or {}
            if moved := {
                name
                for name in parts(was, "groups") ^ parts(now, "groups")
                if reaches(mine).get(name) != "write"
            }:
                yield f"moved {now} in or out of {moved} (P7)"
            if user == me and any(
                was.get(name) != now.get(name) for name in ("license_vcc", "status", "permissions", "access")
            ):
                yield "changed their own license, status, permissions or access (P3)"
            if base(was) == "supervisor" != base(now):
                continue  # permissions and access end with the license
            if was.get("status") == "archived" != now.get("status"):  # what they can't give doesn't come back
                was = {**was, "permissions": "", "access": ""}
            if beyond := (parts(was, "permissions") ^ parts(now, "permissions")) - parts(mine, "permissions"):
                yield f"gave or took {beyond} (P3)"
            old, new = reaches(was), reaches(now)
            for name in old.keys() | new.keys():
                most = max(REACH[old.get(name)], REACH[new.get(name)])
                if old.get(name) != new.get(name) and most > REACH[reaches(mine).get(name)]:
                    yield f"gave or took access to {name} (P3)"

    def _sees_no_others(self, session: Session, me: int) -> None:
        """P2, P4, P5: lists, numbers, the change log and one user's page tell a supervisor of those in view alone."""
        mine = self.model.people[me]
        there = {user: person for user, person in self.model.people.items() if person["status"] != "deleted"}
        viewed = {person["username"] for user, person in there.items() if views(mine, me, person, user)}
        actor = read_actor(session, me)
        assert actor is not None
        everyone = Filters(ledger.read_catalog(session).base, status=Status.ALL)
        rows = PeopleList(session, everyone, actor).page(size=1000).rows
        assert {row.username for row in rows} == viewed
        assert {name for row in rows for name in row.groups} <= reaches(mine).keys()
        active = [p for p in there.values() if p["username"] in viewed and p["status"] == "active"]
        in_view = lists.in_view(session, replace(everyone, status=Status.ACTIVE), actor)
        assert sum(in_view.by_type.values()) == len(active)
        hidden = [person["username"] for person in there.values() if person["username"] not in viewed]
        for username in {*hidden[:1], *hidden[-1:]}:
            assert profile.read(session, username, actor) is None
        for change in told.read_page(session, told.Wanted(), actor).changes:
            assert change.by in {*viewed, "operator", SOMEONE}
            for line in change.lines:
                assert line.username in viewed
                if line.field in ("groups", "access"):
                    names = {
                        name for value in (line.old, line.new) for name in reaches({"access": value or ""})
                    }
                    assert names - {"", "…"} <= reaches(mine).keys(), line

    def _actor(self, by: int) -> int | None:
        """Somebody who can sign in (P1), every second time a supervisor; else the operator."""
        admins = [
            user for user, person in self.model.people.items() if base(person, "license_vcc") == "admin"
        ]
        choice: list[int | None] = [None, *admins] if by % 2 else [*self._supervisors()] or [None]
        return choice[by // 2 % len(choice)]

    def _act(self, me: int | None) -> Act:
        act = self.make.act(lambda: self.now)
        if me is None:
            return act
        actor = read_actor(db.session(), me)
        assert actor is not None
        return replace(act, actor=actor)

    def _supervisors(self) -> list[int]:
        """Those who can sign in (P1)."""
        return [
            user for user, person in self.model.people.items()
            if base(person, "license_vcc") == "supervisor" and "access" in parts(person, "permissions")
        ]  # fmt: skip

    def _someone(self, by: int, place: int, status: str = "") -> tuple[str, int]:
        """A user's name and version; of this status, and mostly one whom the actor may edit, if there is any."""
        people = {user: person for user, person in self.model.people.items() if person["status"] != "deleted"}
        fit = [user for user, person in people.items() if status in ("", person["status"])] or [*people]
        me = self._actor(by)
        if me is not None and base(people[me]) == "supervisor" and place % 4:
            fit = [user for user in fit if edits(people[me], me, people[user], user)] or fit
        user = fit[place // 4 % len(fit)]
        return people[user]["username"], self.model.versions[user]


def base(person: Fields, *fields: str) -> str | None:
    """The base license held or, archived, offered."""
    return next((person[name] for name in fields or ("license_vcc", "offer_vcc") if name in person), None)


def reaches(person: Fields) -> dict[str, str]:
    """A supervisor's access by group; names alone stand for themselves."""
    pairs = (part.partition(":") for part in parts(person, "access"))
    return {name: level for name, _, level in pairs}


def views(mine: Fields, me: int, person: Fields, user: int) -> bool:
    """P2, of a supervisor."""
    if base(person) == "admin":
        return False
    names = parts(person, "groups")
    unassigned = not names and "unassigned" in parts(mine, "permissions")
    return user == me or bool(names & reaches(mine).keys()) or unassigned


def edits(mine: Fields, me: int, person: Fields, user: int) -> bool:
    """P2, of a supervisor."""
    names = parts(person, "groups")
    writes = not names or any(reaches(mine).get(name) == "write" for name in names)
    return "edit" in parts(mine, "permissions") and writes and views(mine, me, person, user)


@pytest.mark.case("SEAT-8")
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_SEAT_8_whatever_is_done_by_whomever_the_books_are_right(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, counts: Counts
) -> None:
    @contextmanager
    def on_sqlite() -> Iterator[str]:
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        yield databases.copy_of(request.getfixturevalue("sqlite_template"), folder)

    Desk.count = Counter()
    if kind == "sqlite":
        Desk.fresh = staticmethod(on_sqlite)  # type: ignore[assignment]
    else:
        Desk.fresh = staticmethod(request.getfixturevalue("postgres").database)  # type: ignore[assignment]
    run_state_machine_as_test(
        Desk,
        settings=settings(
            max_examples=counts.examples, stateful_step_count=counts.steps, deadline=None, database=None,
            derandomize=not counts.long, print_blob=True, suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
    done, refused = (
        sum(n for what, n in Desk.count.items() if what.endswith(end)) for end in ("done", "refused")
    )
    assert done > counts.examples, Desk.count
    counts.tell(
        f"state machine, {counts.examples} × {counts.steps} steps",
        f"no counter-example; {done:,} operations done, {refused:,} refused",
    )
