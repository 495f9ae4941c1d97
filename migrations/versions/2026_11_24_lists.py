"""Lists of any size: users in order, those in no group, and a search for any part of a name.

SQLite keeps the trigrams in a table of its own, by triggers; a migration that rebuilds the user
table must make the triggers again. PostgreSQL has an index for it, from its extension pg_trgm.
"""

import sqlalchemy as sa
from alembic import op

revision = "lists"
down_revision = "first_slice"
branch_labels = None
depends_on = None

PLACE = ["name_fold", "username_fold"]
ROW = "rowid, name_fold, username_fold"


def upgrade() -> None:
    op.add_column("user", sa.Column("unassigned", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(
        'UPDATE "user" SET unassigned = NOT EXISTS '
        '(SELECT 1 FROM membership WHERE membership.user_id = "user".id)'
    )
    op.create_index("ix_user_order", "user", PLACE)
    op.create_index("ix_user_archived_order", "user", PLACE, **_where("active = 0", "NOT active"))
    op.create_index("ix_user_unassigned", "user", ["id"], **_where("unassigned = 1", "unassigned"))
    if op.get_bind().dialect.name == "sqlite":
        _search_on_sqlite()
    else:
        op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        op.create_index(
            "ix_user_search", "user", PLACE,
            postgresql_using="gin", postgresql_ops=dict.fromkeys(PLACE, "gin_trgm_ops"),
        )  # fmt: skip


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for event in ("insert", "update", "delete"):
            op.execute(f"DROP TRIGGER user_search_{event}")
        op.execute("DROP TABLE user_search")
    else:
        op.drop_index("ix_user_search", "user")
    for index in ("ix_user_unassigned", "ix_user_archived_order", "ix_user_order"):
        op.drop_index(index, "user")
    op.drop_column("user", "unassigned")


def _where(sqlite: str, postgresql: str) -> dict[str, sa.TextClause]:
    return {"sqlite_where": sa.text(sqlite), "postgresql_where": sa.text(postgresql)}


def _search_on_sqlite() -> None:
    """The folds are folded already, so case is kept; the texts stay in the user table alone."""
    op.execute(
        "CREATE VIRTUAL TABLE user_search USING fts5("
        "name_fold, username_fold, content='user', content_rowid='id', tokenize='trigram case_sensitive 1')"
    )
    put = f"INSERT INTO user_search({ROW}) VALUES (new.id, new.name_fold, new.username_fold);"
    take = (
        f"INSERT INTO user_search(user_search, {ROW}) "
        "VALUES ('delete', old.id, old.name_fold, old.username_fold);"
    )
    for event, when, does in (
        ("insert", "INSERT", put),
        ("update", "UPDATE OF name_fold, username_fold", take + put),
        ("delete", "DELETE", take),
    ):
        op.execute(f'CREATE TRIGGER user_search_{event} AFTER {when} ON "user" BEGIN {does} END')
    op.execute("INSERT INTO user_search(user_search) VALUES ('rebuild')")
