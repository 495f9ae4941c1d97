"""S5: however many processes act at once, never more than the limit and never fewer than could be."""

import multiprocessing

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.licensing import taker
from tests.make import Make
from webapp.database import db
from webapp.licensing import ledger
from webapp.models import Change, Holding, Pool, User

RACERS, LEFT = 50, 5


@pytest.mark.case("ASVS 2.3.4")
def test_S5_of_50_processes_that_take_one_of_5_seats_5_succeed_and_45_are_told_why(
    any_app: Flask, any_url: str, make: Make
) -> None:
    make.contract({"vcc/agent": (10 + LEFT, 0)})
    make.users(10)
    before = db.session.scalars(select(Change.seq).order_by(Change.seq)).all()
    db.session.rollback()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.licensing.taker"])
    together = context.Barrier(RACERS)
    with context.Pool(RACERS, initializer=taker.wait_for, initargs=(together,)) as pool:
        results = pool.starmap(taker.take, [(any_url, n) for n in range(RACERS)], chunksize=1)
    told = [refusals for refusals in results if refusals]
    assert results.count([]) == LEFT
    assert len(told) == RACERS - LEFT
    assert {line for refusals in told for line in refusals} == {
        "no_seat: Archive users or move them to another license, or ask for more in the contract."
    }
    session = db.session()
    catalog = ledger.read_catalog(session)
    agent = catalog.types["vcc/agent"]
    of_agents = Holding.license_type_id == agent.id
    assert session.scalar(select(Pool.assigned).where(Pool.license_type_id == agent.id)) == 10 + LEFT
    assert session.scalar(select(func.count()).select_from(Holding).where(of_agents)) == 10 + LEFT
    assert session.scalar(select(func.count()).where(User.username.startswith("racer"))) == LEFT
    numbers = session.scalars(select(Change.seq).order_by(Change.seq)).all()
    assert numbers == [*before, *range(before[-1] + 1, before[-1] + 1 + LEFT)]  # one for each success
    assert ledger.recount(session) == []
