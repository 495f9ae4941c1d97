"""Lists are walked, counted and searched for a start in their index alone.

The orders of users leave out who is deleted, and beside a username stands the name.
"""

import sqlalchemy as sa
from alembic import op

revision = "orders"
down_revision = "sign_ins"
branch_labels = None
depends_on = None

PLACE = ["name_fold", "username_fold"]
THERE = "deleted_at IS NULL"


def upgrade() -> None:
    op.create_index("ix_user_username", "user", ["username_fold", "name_fold"])
    _make(THERE, f"active = 0 AND {THERE}", f"NOT active AND {THERE}")


def downgrade() -> None:
    op.drop_index("ix_user_username", "user")
    _make(None, "active = 0", "NOT active")


def _make(there: str | None, archived_on_sqlite: str, archived_on_postgresql: str) -> None:
    for index in ("ix_user_order", "ix_user_archived_order"):
        op.drop_index(index, "user")
    op.create_index("ix_user_order", "user", PLACE, **(_where(there, there) if there else {}))
    op.create_index(
        "ix_user_archived_order", "user", PLACE, **_where(archived_on_sqlite, archived_on_postgresql)
    )


def _where(sqlite: str, postgresql: str) -> dict[str, sa.TextClause]:
    return {"sqlite_where": sa.text(sqlite), "postgresql_where": sa.text(postgresql)}
