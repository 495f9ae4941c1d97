"""Sign-ins: when somebody was last seen and last typed their password; links to set one; counted tries."""

import sqlalchemy as sa
from alembic import op

revision = "sign_ins"
down_revision = "forms"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Whoever is signed in was seen when they signed in, as far as is known.
    for name in ("seen_at", "proved_at"):
        op.add_column("sign_in", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
        op.execute(f"UPDATE sign_in SET {name} = created_at")
    with op.batch_alter_table("sign_in") as table:
        for name in ("seen_at", "proved_at"):
            table.alter_column(name, existing_type=sa.DateTime(timezone=True), nullable=False)
    op.create_table(
        "password_link",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_password_link_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_password_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_password_link_token_hash")),
    )
    op.create_table(
        "throttle",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_throttle")),
    )


def downgrade() -> None:
    op.drop_table("throttle")
    op.drop_table("password_link")
    with op.batch_alter_table("sign_in") as table:
        table.drop_column("proved_at")
        table.drop_column("seen_at")
