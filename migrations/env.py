"""How a migration runs on SQLite and on PostgreSQL.

On SQLite a changed table is rebuilt: with foreign keys on, that would silently delete the rows
that refer to it, so they are off meanwhile and checked at the end. Two processes can't migrate at
once: the transaction is a writing one from the start.
"""

from alembic import context
from flask import current_app

from webapp.database import db, write_intent
from webapp.models import Base
from webapp.models.base import made_by_hand


def run() -> None:
    """Migrate inside one transaction that is rolled back whole if anything fails."""
    engine = db.engine
    sqlite = engine.dialect.name == "sqlite"
    if sqlite:  # the one act that makes a database; see database._never_make_a_file
        file = current_app.extensions["settings"].sqlite_file
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
    with engine.connect() as connection:
        if sqlite:
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")
        else:
            connection.exec_driver_sql("SET lock_timeout = '4s'")
            connection.commit()
        intent = write_intent.set(True)
        try:
            with connection.begin():
                context.configure(
                    connection=connection,
                    target_metadata=Base.metadata,
                    render_as_batch=sqlite,
                    transactional_ddl=True,
                    compare_type=True,
                    include_name=lambda name, _kind, _parents: not made_by_hand(name),
                )
                with context.begin_transaction():
                    context.run_migrations()
                if sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").all():
                    raise RuntimeError("a migration would leave rows that refer to nothing")
        finally:
            write_intent.reset(intent)
            if sqlite:
                connection.connection.driver_connection.execute("PRAGMA foreign_keys=ON")


run()
