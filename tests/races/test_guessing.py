"""Guessing and links in parallel, over two workers: counted before hashing, and used once (AUTH-3)."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import urlencode

import pytest
from sqlalchemy import select, update

from tests.counts import Counts
from tests.make import Make
from tests.races.client import Client
from webapp.database import db, transaction
from webapp.licensing import passwords
from webapp.models import ChangeEntry, Throttle
from webapp.web import throttle


def at_once(port: int, path: str, forms: list[dict[str, str]]) -> list[int]:
    """All of these forms at the same time, each from a browser without a sign-in; their statuses."""
    visitors = [Stranger(port) for _ in forms]
    with ThreadPoolExecutor(len(forms)) as pool:
        sent = [
            pool.submit(partial(visitor.send, path, form))
            for visitor, form in zip(visitors, forms, strict=True)
        ]
        return [future.result() for future in sent]


class Stranger(Client):
    """A browser that has opened the sign-in page and no more."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._cookie = ""
        self._token = self._hidden("/sign-in", "csrf_token")

    def send(self, path: str, form: dict[str, str]) -> int:
        """Send a form with the token; its status."""
        return self._ask("POST", path, urlencode({"csrf_token": self._token, **form}))[0]


@pytest.mark.case("AUTH-3", "ASVS 6.3.1")
def test_of_fifty_parallel_guesses_at_most_ten_are_evaluated_and_the_right_person_gets_in_later(
    desk: Client, make: Make, counts: Counts
) -> None:
    make.admin("sue")
    right = {"username": "sue", "password": make.password("sue")}
    wrong = [{"username": "sue", "password": f"guess number {n}"} for n in range(50)]
    answers = Counter(at_once(desk.port, "/sign-in", wrong))
    assert answers == {422: 10, 429: 40}
    assert at_once(desk.port, "/sign-in", [right]) == [429]
    with transaction() as session:  # the five minutes are over
        session.execute(update(Throttle).values(began=Throttle.began - throttle.STRETCH))
    assert at_once(desk.port, "/sign-in", [right]) == [303]
    counts.tell("50 wrong passwords for one account at once", answers)


@pytest.mark.case("ASVS 6.4.1")
def test_a_link_that_is_used_ten_times_at_once_is_used_once(desk: Client, make: Make, counts: Counts) -> None:
    make.admin("sue")
    with transaction() as session:
        token = passwords.make_link(session, "sue", make.act())
    forms = [{"password": f"a quiet walk along river {n}"} for n in range(10)]
    answers = Counter(at_once(desk.port, f"/password/{token}", forms))
    assert answers == {303: 1, 404: 9}
    db.session.rollback()
    told = db.session.scalars(select(ChangeEntry.new).where(ChangeEntry.field == "password"))
    assert told.all() == ["set anew"]
    counts.tell("one link used 10 times at once", answers)
