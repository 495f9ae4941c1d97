"""Forms: what was sent and done, so that one sent twice has one effect; and users who were deleted."""

import sqlalchemy as sa
from alembic import op

revision = "forms"
down_revision = "lists"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("user", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    gone = sa.text("deleted_at IS NOT NULL")
    op.create_index("ix_user_deleted", "user", ["id"], sqlite_where=gone, postgresql_where=gone)
    # A group's members are read from the index alone, without a look at each membership.
    op.drop_index("ix_membership_group_id", "membership")
    op.create_index("ix_membership_group_id", "membership", ["group_id", "user_id"])
    op.create_table(
        "operation",
        sa.Column("actor_id", sa.Integer(), nullable=False),
        sa.Column("op_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_operation_actor_id")),
        sa.PrimaryKeyConstraint("actor_id", "op_id", name=op.f("pk_operation")),
    )


def downgrade() -> None:
    op.drop_table("operation")
    op.drop_index("ix_membership_group_id", "membership")
    op.create_index("ix_membership_group_id", "membership", ["group_id"])
    op.drop_index("ix_user_deleted", "user")
    op.drop_column("user", "deleted_at")
