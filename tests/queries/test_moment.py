"""What a page reads is of one moment, whatever is written meanwhile; a writer reads what is there now."""

import contextvars
from threading import Thread

from flask import Flask

from tests.make import Make
from webapp.database import clock, db, transaction
from webapp.licensing import ledger, lists
from webapp.licensing.lists import Filters
from webapp.licensing.visibility import OPERATOR
from webapp.web.books import open_books


def elsewhere(app: Flask, make: Make) -> None:
    """Three more agents, by another connection."""

    def write() -> None:
        with app.app_context():
            make.users(3)

    thread = Thread(target=contextvars.Context().run, args=(write,))
    thread.start()
    thread.join(30)
    assert not thread.is_alive()


def seen() -> tuple[int, int, int]:
    session = db.session()
    catalog = ledger.read_catalog(session)
    agents = ledger.figures(session, catalog, clock().today())["vcc/agent"].assigned
    people = lists.PeopleList(session, Filters(catalog.base), OPERATOR)
    return agents, people.count(), len(people.page().rows)


def test_S7_P4_a_page_never_mixes_figures_of_before_and_after_a_change(any_app: Flask, make: Make) -> None:
    make.users(2)
    db.session.rollback()
    assert seen() == (2, 2, 2)
    elsewhere(any_app, make)
    assert seen() == (2, 2, 2)
    assert ledger.recount(db.session()) == []
    db.session.rollback()
    assert seen() == (5, 5, 5)


def test_a_writer_that_waited_reads_what_is_there_now(any_app: Flask, make: Make) -> None:
    make.users(2)
    assert seen() == (2, 2, 2)
    elsewhere(any_app, make)
    with transaction():
        assert seen() == (5, 5, 5)


def test_the_books_of_a_request_are_opened_anew_once_their_transaction_has_ended(
    any_app: Flask, make: Make
) -> None:
    def agents() -> int:
        return open_books().figures(clock().today())["vcc/agent"].assigned

    make.users(2)
    assert agents() == 2
    before = open_books()
    elsewhere(any_app, make)
    assert agents() == 2
    assert open_books() is before
    db.session.rollback()
    assert agents() == 5
    make.users(1)
    assert agents() == 6
