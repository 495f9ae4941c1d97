"""Up, down and up again with rows; the models are what the newest migration makes; all or nothing."""

import logging
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from tests.databases import environment, settings_for
from tests.make import Make
from tests.migrations import schema
from tests.migrations.conftest import running
from tests.servers import ROOT
from webapp import resources
from webapp.database import db, transaction
from webapp.licensing import ledger, passwords
from webapp.licensing.catalog import parse_catalog
from webapp.licensing.installation import load_catalog
from webapp.models import Base
from webapp.models.base import made_by_hand
from webapp.pages.health import database_revision, head_revision

SCRIPTS = ScriptDirectory(str(resources.MIGRATIONS))


def fill(url: str) -> None:
    """Rows in as many tables as the app's operations reach."""
    make = Make()
    with transaction() as session:
        load_catalog(session, parse_catalog(settings_for(url).catalog.read_text("utf-8")), make.act())
    make.contract()
    make.users(3, groups=("Billing",))
    make.supervisor("sue", write=("Billing",), licenses={"ha": "viewer"})
    make.user("gone", active=False)
    make.admin("ann")
    make.password("ann")
    with transaction() as session:
        passwords.make_link(session, "sue", make.act())
    assert ledger.recount(db.session()) == []
    db.session.remove()


def counts() -> dict[str, int]:
    with db.engine.connect() as connection:
        return {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }


def revision() -> str | None:
    found = database_revision()
    db.session.remove()
    return found


def test_there_is_one_head_and_a_migration_is_named_by_its_date() -> None:
    assert len(SCRIPTS.get_heads()) == 1
    for file in (resources.MIGRATIONS / "versions").glob("*.py"):
        assert file.name[:10].replace("_", "").isdigit(), f"{file.name}: begin it with the date"


@pytest.mark.case("FAULT-4")
def test_up_down_and_up_again_with_rows(empty_app: Flask, empty_url: str) -> None:
    upgrade()
    made = schema.everything(db.engine)
    fill(empty_url)
    filled = counts()
    assert {table for table, number in filled.items() if not number} <= {"sign_in", "operation", "throttle"}
    for _ in SCRIPTS.walk_revisions():
        downgrade(revision="-1")
    assert schema.everything(db.engine) == ({}, {}, {}, {})
    assert revision() is None
    for _ in SCRIPTS.walk_revisions():
        upgrade(revision="+1")
    assert revision() == head_revision()
    assert schema.everything(db.engine) == made
    fill(empty_url)
    assert counts() == filled


def test_people_and_licenses_come_through_each_migration_down_and_up(
    empty_app: Flask, empty_url: str
) -> None:
    """S7: what an upgrade makes of the rows there are is what the writer would have written."""
    upgrade()
    fill(empty_url)
    kept = ("user", "holding", "offer", "membership", "pool", "change")
    before = {table: number for table, number in counts().items() if table in kept}
    for script in SCRIPTS.walk_revisions():
        if script.down_revision is None:  # the first takes all away
            continue
        downgrade(revision=str(script.down_revision))
        upgrade()
        assert ledger.recount(db.session()) == [], script.revision
        db.session.remove()
        assert {table: number for table, number in counts().items() if table in kept} == before


def test_upgrading_what_is_at_the_head_already_changes_nothing(any_app: Flask, make: Make) -> None:
    make.users(3)
    db.session.remove()
    before = schema.everything(db.engine), counts()
    upgrade()
    assert (schema.everything(db.engine), counts()) == before


@pytest.mark.case("FAULT-4")
def test_the_models_are_what_the_newest_migration_makes(any_app: Flask) -> None:
    with db.engine.connect() as connection:
        options = {"compare_type": True, "include_name": lambda name, *_: not made_by_hand(name)}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == [], "write a migration for the changed model"


def test_constraints_and_indexes_are_those_of_the_models_too(empty_app: Flask, second_url: str) -> None:
    """Alembic compares no checks and no conditions of partial indexes."""
    upgrade()
    migrated = [
        {name: made for name, made in part.items() if not made_by_hand(name)}
        for part in (schema.tables(db.engine), schema.indexes(db.engine))
    ]
    with running(second_url):
        Base.metadata.create_all(db.engine)
        modeled = [schema.tables(db.engine), schema.indexes(db.engine)]
    assert modeled == migrated


def test_a_migration_leaves_the_loggers_alone(empty_app: Flask) -> None:
    logger = logging.getLogger("license_desk")
    before = logger.disabled, logger.level, logging.getLogger().handlers[:]
    upgrade()
    assert (logger.disabled, logger.level, logging.getLogger().handlers[:]) == before


FAILS_LATE = """
    op.create_table("half", sa.Column("id", sa.Integer(), primary_key=True))
    op.execute("INSERT INTO half VALUES (1)")
    op.execute("INSERT INTO membership (user_id, group_id) SELECT u.id, g.id FROM \\"user\\" u, \\"group\\" g "
               "WHERE u.username = 'ann'")
    op.execute("SELECT * FROM what_is_not_there")
"""
LEAVES_ORPHANS = """
    op.execute("DELETE FROM pool WHERE assigned > 0")
    op.execute('DELETE FROM license_type')
"""


def with_another(folder: Path, body: str) -> str:
    """A copy of the migrations with one more that does this."""
    shutil.copytree(resources.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "2099_01_01_broken.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        f"revision = 'broken'\ndown_revision = {head_revision()!r}\n"
        f"def upgrade():{body}\ndef downgrade():\n    pass\n",
        "utf-8",
    )
    return str(folder)


@pytest.mark.case("FAULT-4")
@pytest.mark.parametrize("body", [FAILS_LATE, LEAVES_ORPHANS], ids=["fails late", "leaves orphans"])
def test_a_failed_migration_leaves_nothing_half_done(
    empty_app: Flask, empty_url: str, tmp_path: Path, body: str
) -> None:
    upgrade()
    fill(empty_url)
    before = schema.everything(db.engine), counts(), revision()
    with pytest.raises((DBAPIError, SystemExit)):  # Flask-Migrate tells some errors and exits
        upgrade(directory=with_another(tmp_path / "migrations", body))
    db.session.remove()
    assert (schema.everything(db.engine), counts(), revision()) == before
    if db.engine.dialect.name == "sqlite":
        with db.engine.connect() as connection:
            assert connection.scalar(text("PRAGMA foreign_keys")) == 1


IS_KILLED = """
    import os, signal
    op.create_table("half", sa.Column("id", sa.Integer(), primary_key=True))
    op.execute("INSERT INTO half VALUES (1)")
    op.execute("DELETE FROM throttle")
    op.execute("UPDATE pool SET assigned = assigned + 1")
    os.kill(os.getpid(), signal.SIGKILL)
"""
MIGRATE = """
import sys
from flask_migrate import upgrade
from webapp.factory import create_app
from webapp.settings import read_settings
with create_app(read_settings()).app_context():
    upgrade(directory=sys.argv[1])
"""


@pytest.mark.case("FAULT-4")
def test_a_migration_that_is_killed_leaves_nothing_half_done(
    empty_app: Flask, empty_url: str, tmp_path: Path
) -> None:
    upgrade()
    fill(empty_url)
    before = schema.everything(db.engine), counts(), revision()
    killed = subprocess.run(
        [sys.executable, "-c", MIGRATE, with_another(tmp_path / "migrations", IS_KILLED)],
        env=os.environ | environment(empty_url), cwd=ROOT, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert (schema.everything(db.engine), counts(), revision()) == before
    assert ledger.recount(db.session()) == []
    upgrade()
    Make().user("zoe")  # and it is written to as before


def test_a_first_migration_that_fails_leaves_no_table_behind(empty_app: Flask, tmp_path: Path) -> None:
    with pytest.raises(DBAPIError):
        upgrade(directory=with_another(tmp_path / "migrations", FAILS_LATE))
    assert schema.everything(db.engine) == ({}, {}, {}, {})
    upgrade()
    assert revision() == head_revision()
