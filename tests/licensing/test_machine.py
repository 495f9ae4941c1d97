"""Whatever is done to users and contracts in whatever order: the books stay right (S7, V1, V2, E1 to E4, S2, S6).

A Hypothesis state machine over create, save, archive, reactivate, delete and contract lines, through the
operations that the pages call, on a fresh database for each run.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select

from tests import databases
from tests.make import Make
from webapp.database import db, transaction
from webapp.factory import create_app
from webapp.licensing import history, ledger, users
from webapp.licensing.availability import Figures
from webapp.licensing.eligibility import Situation, ineligible
from webapp.licensing.errors import LicensingError
from webapp.licensing.record import Record, Wish
from webapp.models import ChangeEntry, Holding, User

BASES = ("agent", "supervisor", "wallboard", "admin")
REFS = (
    "vcc/agent",
    "vcc/supervisor",
    "vcc/wallboard",
    "ha/viewer",
    "ha/creator",
    "enc/enabled",
    "accent/enabled",
)
GROUPS = ("Billing", "Floor", "Night")

choices = st.fixed_dictionaries(
    {},
    optional={
        "base": st.sampled_from(BASES),
        "ha": st.sampled_from(("", "viewer", "creator")),
        "enc": st.sampled_from(("", "enabled")),
        "accent": st.sampled_from(("", "enabled")),
        "contactpad": st.booleans(),
        "webrtc": st.booleans(),
        "groups": st.lists(st.sampled_from(GROUPS), unique=True).map(tuple),
        "name": st.sampled_from(("Ann", "Bob", "Çiğdem")),
    },
)
confirmed = st.booleans()


class Desk(RuleBasedStateMachine):
    """See the module. ``fresh`` is a new database for this run."""

    fresh: ClassVar[Callable[[], AbstractContextManager[str]]]

    @initialize()
    def begin(self) -> None:
        self.database = type(self).fresh()
        self.app: Flask = create_app(databases.settings_for(self.database.__enter__()), cheap_passwords=True)
        self.context = self.app.app_context()
        self.context.push()
        self.make = Make()
        self.make.contract(dict.fromkeys(REFS, (3, 1)) | {"vcc/admin": (3, None)})
        self.make.admin("root")
        self.number = 0
        self.least = dict.fromkeys(REFS, 0)  # what was assigned when the contract last fell below it (S6)

    def teardown(self) -> None:
        if not hasattr(self, "context"):
            return
        broken = history.verify(db.session(), self.app.extensions["settings"].chain_key.encode())
        db.session.remove()
        db.engine.dispose()
        self.context.pop()
        self.database.__exit__(None, None, None)
        assert broken is None

    @rule(wanted=choices, overage=confirmed)
    def create(self, wanted: dict[str, Any], overage: bool) -> None:
        self.number += 1
        wish = self._wish(f"user{self.number}", wanted)
        self._told(lambda s: users.create(
            s, [wish], self.make.act(), confirmed_overage=REFS if overage else ()
        ))  # fmt: skip

    @rule(place=st.integers(0, 30), wanted=choices, losses=confirmed, overage=confirmed)
    def save(self, place: int, wanted: dict[str, Any], losses: bool, overage: bool) -> None:
        record = self._someone(place)
        lost = (*REFS, "contactpad", "webrtc") if losses else ()
        self._told(lambda s: users.save(
            s, self._wish(record.username, wanted), record.version, self.make.act(),
            confirmed_losses=lost, confirmed_overage=REFS if overage else (),
        ))  # fmt: skip

    @rule(place=st.integers(0, 30))
    def archive(self, place: int) -> None:
        record = self._someone(place)
        self._told(lambda s: users.archive(s, record.username, record.version, self.make.act()))

    @rule(place=st.integers(0, 30), wanted=choices, overage=confirmed)
    def reactivate(self, place: int, wanted: dict[str, Any], overage: bool) -> None:
        record = self._someone(place)
        self._told(lambda s: users.reactivate(
            s, self._wish(record.username, wanted), record.version, self.make.act(),
            confirmed_overage=REFS if overage else (),
        ))  # fmt: skip

    @rule(place=st.integers(0, 30))
    def delete(self, place: int) -> None:
        record = self._someone(place)
        self._told(lambda s: users.delete(s, record.username, record.version, self.make.act()))

    @rule(ref=st.sampled_from(REFS), contracted=st.integers(0, 4), overage=st.sampled_from((0, 1, None)))
    def contract(self, ref: str, contracted: int, overage: int | None) -> None:
        self.make.contract({ref: (contracted, overage)})
        self.least[ref] = self._figures()[ref].assigned

    def _wish(self, username: str, wanted: dict[str, Any]) -> Wish:
        fields = dict(wanted)
        licenses = {product: fields.pop(product) for product in ("ha", "enc", "accent") if product in fields}
        if base := fields.pop("base", None):
            licenses["vcc"] = base
        fields.setdefault("name", None)
        if username not in self._names():
            fields["name"] = fields["name"] or "New"
            fields["email"] = "new@company.example"
        return Wish(username, licenses=licenses, **fields)

    def _names(self) -> set[str]:
        return set(db.session.scalars(select(User.username)))

    def _someone(self, place: int) -> Record:
        names = sorted(db.session.scalars(select(User.username).where(User.deleted_at.is_(None))))
        record = self._record(names[place % len(names)])
        assert record
        return record

    def _record(self, username: str) -> Record | None:
        session = db.session()
        return ledger.read_record(session, username, ledger.read_catalog(session))

    def _all(self) -> dict[str, Record]:
        db.session.rollback()
        names = db.session.scalars(select(User.username).where(User.deleted_at.is_(None))).all()
        return {name: record for name in names if (record := self._record(name))}

    def _figures(self) -> dict[str, Figures]:
        session = db.session()
        session.rollback()
        return ledger.figures(session, ledger.read_catalog(session), self.make.act().clock.today())

    def _told(self, do: Callable[[Any], Any]) -> None:
        """Do it. Refused: nothing is another than before. Done: each difference has its entry."""
        before, entries = self._all(), self._entries()
        try:
            with transaction() as session:
                do(session)
        except LicensingError as error:
            assert all(problem.sentence and problem.way_out for problem in error.problems)  # noqa: PT017
            assert (self._all(), self._entries()) == (before, entries)
            return
        told = set(db.session.execute(
            select(ChangeEntry.subject, ChangeEntry.field).where(ChangeEntry.user_id.is_not(None))
            .order_by(ChangeEntry.change_seq.desc()).limit(self._entries() - entries)
        ).all()) if self._entries() > entries else set()  # fmt: skip
        after = self._all()
        for name in before.keys() | after.keys():
            for field in self._differences(before.get(name), after.get(name)):
                assert (name, field) in {tuple(row) for row in told}, (name, field)

    def _entries(self) -> int:
        return db.session.scalar(select(func.count()).select_from(ChangeEntry)) or 0

    def _differences(self, was: Record | None, now: Record | None) -> Iterator[str]:
        if was is None or now is None:
            yield "status"
            return
        for field in ("name", "email", "contactpad", "webrtc", "agent_id", "permissions", "access"):
            if getattr(was, field) != getattr(now, field):
                yield field
        if set(was.groups) != set(now.groups):
            yield "groups"
        for kind in {*was.held} ^ {*now.held}:
            yield f"license_{kind.product}"

    @invariant()
    def the_books_are_right(self) -> None:
        if not hasattr(self, "context"):
            return
        db.session.rollback()
        assert ledger.recount(db.session()) == []
        for ref, pool in self._figures().items():
            limit = None if pool.max_overage is None else pool.contracted + pool.max_overage
            assert limit is None or pool.assigned <= max(limit, self.least.get(ref, 0)), ref

    @invariant()
    def nobody_holds_what_they_may_not(self) -> None:
        if not hasattr(self, "context"):
            return
        catalog = ledger.read_catalog(db.session())
        for record in self._all().values():
            now = Situation(record.base, record.contactpad, record.webrtc)
            products = [kind.product for kind in record.held]
            assert len(products) == len(set(products))
            assert not record.active or products[0] == "vcc"
            assert [k.ref for k in record.held if ineligible(k, now, catalog)] == []
            assert asdict(record)["webrtc"] <= record.contactpad
        open_of_archived = select(func.count()).select_from(Holding).join(User, User.id == Holding.user_id).where(
            Holding.ends_at.is_(None), ~User.active
        )  # fmt: skip
        assert db.session.scalar(open_of_archived) == 0


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_S7_V1_E1_whatever_is_done_the_books_are_right(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    @contextmanager
    def on_sqlite() -> Iterator[str]:
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        yield databases.copy_of(request.getfixturevalue("sqlite_template"), folder)

    if kind == "sqlite":
        Desk.fresh = staticmethod(on_sqlite)  # type: ignore[assignment]
    else:
        Desk.fresh = staticmethod(request.getfixturevalue("postgres").database)  # type: ignore[assignment]
    run_state_machine_as_test(
        Desk,
        settings=settings(
            max_examples=12, stateful_step_count=20, deadline=None, database=None, derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
