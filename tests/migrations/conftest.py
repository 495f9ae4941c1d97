"""Apps on databases without any table, which the tests migrate themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask

from tests import databases
from webapp.database import db
from webapp.factory import create_app


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables; on SQLite not even a file."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    postgres: databases.Postgres = request.getfixturevalue("postgres")
    with postgres.empty() as url:
        yield url


@pytest.fixture
def empty_app(empty_url: str) -> Iterator[Flask]:
    with running(empty_url) as app:
        yield app


@contextmanager
def running(url: str) -> Iterator[Flask]:
    app = create_app(databases.settings_for(url), cheap_passwords=True)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def second_url(empty_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Another database of the same kind, without tables."""
    if empty_url.startswith("sqlite"):
        (tmp_path / "second.db").touch()
        yield f"sqlite:///{tmp_path / 'second.db'}"
        return
    postgres: databases.Postgres = request.getfixturevalue("postgres")
    with postgres.empty() as url:
        yield url
