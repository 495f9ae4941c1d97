"""What a worker remembers of the lists: each actor's own, and no longer true after a change by any worker."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.inspecting import Browser, Page
from tests.make import Make
from tests.pages.test_licenses import heading
from tests.pages.test_lists import LISTS, group_id, rows
from webapp.database import db, transaction
from webapp.factory import create_app
from webapp.licensing import groups, ledger, users
from webapp.licensing.record import Wish
from webapp.words import AccessLevel

QUERIES = ("", "?q=person", "?q=pe")


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.web.listing.SIZE", 6)


@pytest.fixture
def elsewhere(any_app: Flask) -> Iterator[Browser]:
    """A browser whose pages are made by another worker on the same database."""
    worker = create_app(any_app.extensions["settings"], cheap_passwords=True)
    worker.testing = True
    worker.test_client_class = any_app.test_client_class
    yield Browser(worker)
    with worker.app_context():
        db.session.remove()
        db.engine.dispose()


def everyone(browse: Browser, page: Page) -> list[str]:
    """The usernames on this page and on all after it."""
    usernames = page.usernames
    while more := page.all("a#show-more"):
        page = browse.get(str(more[0]["href"]))
        usernames += page.usernames
    return usernames


def offered(page: Page) -> list[str]:
    """The groups to choose from."""
    return [str(radio["value"]) for radio in page.all("input[name=group]")][1:]


def test_P2_P4_supervisors_who_ask_one_after_another_see_each_only_theirs(any_app: Flask, make: Make) -> None:
    own = {"Billing": ["billy"], "Floor": ["flora"]}
    for group, number in (("Billing", 7), ("Floor", 5)):
        own[group] += [user.username for user in make.users(number, groups=(group,))]
    both = make.user(groups=("Billing", "Floor")).username
    desks = {}
    for group, usernames in own.items():
        make.supervisor(usernames[0], name="Person 0", read=[group])
        usernames.append(both)
        desks[group] = Browser(any_app)
        desks[group].sign_in(usernames[0], make.password(usernames[0]))
    for address in [f"{list_}{query}" for list_ in LISTS for query in QUERIES] * 2:
        for group, usernames in own.items():
            page = desks[group].get(address)
            assert everyone(desks[group], page) == usernames, (address, group)
            assert heading(page) == (str(len(usernames)), str(15 - len(usernames))), (address, group)
            assert offered(page) == [str(group_id(group))]


@pytest.mark.parametrize("list_", LISTS)
def test_P2_P4_the_next_page_of_another_worker_shows_a_new_name_of_a_group_and_no_more_than_is_in_reach(
    any_app: Flask, make: Make, elsewhere: Browser, list_: str
) -> None:
    billing = [user.username for user in make.users(8, groups=("Billing",))]
    floor = [user.username for user in make.users(5, groups=("Floor",))]
    make.supervisor("sue", name="Person Z", read=["Billing", "Floor"])
    elsewhere.sign_in("sue", make.password("sue"))
    first = elsewhere.get(list_)
    assert everyone(elsewhere, first) == [*billing, *floor, "sue"]
    assert heading(first) == ("14", "0")
    in_floor = f"{list_}?group={group_id('Floor')}"
    assert "Floor" in elsewhere.get(in_floor).words()

    with transaction() as session:
        groups.rename(session, group_id("Floor"), "Ground", make.act())
    page = elsewhere.get(in_floor)
    assert page.usernames == floor
    assert "Ground" in page.words()
    assert "Floor" not in page.words()

    with transaction() as session:
        record = ledger.read_record(session, "sue", ledger.read_catalog(session))
        assert record
        access = {"Billing": AccessLevel.READ}
        users.save(session, Wish("sue", access=access), record.version, make.act())
    next_ = elsewhere.get(str(first.one("a#show-more")["href"]))
    assert everyone(elsewhere, next_) == [*billing[6:], "sue"]
    assert heading(next_) == ("9", "5")
    assert offered(next_) == [str(group_id("Billing"))]
    assert elsewhere.get(in_floor).usernames == billing[:6], "P7: as if there were no such group"
    assert [row["Username"] for row in rows(elsewhere, f"{list_}.csv")] == [*billing, "sue"]
