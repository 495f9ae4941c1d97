"""Tries are counted from the first of them on, no more by the clock. Those counted before are forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "tries"
down_revision = "members"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _replace("slot", sa.Column("began", sa.BigInteger(), nullable=False))


def downgrade() -> None:
    _replace("began", sa.Column("slot", sa.Integer(), nullable=False))


def _replace(old: str, new: sa.Column[int]) -> None:
    op.execute("DELETE FROM throttle")
    with op.batch_alter_table("throttle") as table:
        table.drop_column(old)
        table.add_column(new)
