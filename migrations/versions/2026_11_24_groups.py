"""The id of a deleted group is never given again: an old form or bookmark would mean the newer group by it.

PostgreSQL never gives one again; on SQLite the table is made anew for it.
"""

from alembic import op

revision = "groups"
down_revision = "orders"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _remake(sqlite_autoincrement=True)


def downgrade() -> None:
    _remake()


def _remake(**options: bool) -> None:
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("group", recreate="always", table_kwargs=options):
            pass
