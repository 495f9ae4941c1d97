"""FAULT-2 on PostgreSQL: while another program holds what all writers lock, pages are read and saving is told to wait.

On SQLite the real server is asked, in ``tests/serving/test_broken.py``.
"""

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select

from tests.inspecting import Browser
from tests.make import Make
from webapp.database import db
from webapp.models import User

NEW = {"username": "bob", "name": "Bob", "email": "bob@x.example", "license_vcc": "agent"}


@pytest.mark.case("FAULT-2", "ASVS 16.5.2")
@pytest.mark.parametrize("any_url", ["postgresql"], indirect=True)
def test_FAULT_2_while_another_holds_the_pools_pages_are_read_and_saving_is_told_to_wait(
    any_app: Flask, any_url: str, make: Make, browse: Browser
) -> None:
    make.contract()
    make.admin("boss")
    browse.sign_in("boss", make.password("boss"))
    browse.get("/users/new")
    db.session.rollback()
    with psycopg.connect(any_url) as outside:
        outside.execute("LOCK TABLE pool, chain_head IN EXCLUSIVE MODE")
        for path in ("/licenses", "/users", "/changes", "/users/boss"):
            assert browse.client.get(path).status_code == 200
        busy = browse.post("/users/new", NEW, status=503)
        assert busy.response.headers["Retry-After"] == "5"
        assert "Nothing was changed." in busy.words()
        outside.rollback()
    browse.post("/users/new", NEW)
    assert db.session.scalars(select(User.username).order_by(User.id)).all() == ["boss", "bob"]
