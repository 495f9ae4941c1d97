"""A group's members, and who is in none, stand in the order of the lists.

A membership repeats its user's place, as a holding does.
"""

import sqlalchemy as sa
from alembic import op

revision = "members"
down_revision = "groups"
branch_labels = None
depends_on = None

FOLDED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
PLACE = ["name_fold", "username_fold"]


def upgrade() -> None:
    op.drop_index("ix_membership_group_id", "membership")
    with op.batch_alter_table("membership") as table:
        for name in PLACE:
            table.add_column(sa.Column(name, FOLDED, nullable=True))
    for name in PLACE:
        op.execute(
            f'UPDATE membership SET {name} = (SELECT {name} FROM "user" WHERE "user".id = membership.user_id)'
        )
    with op.batch_alter_table("membership") as table:
        for name in PLACE:
            table.alter_column(name, existing_type=FOLDED, nullable=False)
    op.create_index("ix_membership_group_order", "membership", ["group_id", *PLACE, "user_id"])
    op.drop_index("ix_user_unassigned", "user")
    there = "deleted_at IS NULL"
    op.create_index(
        "ix_user_unassigned_order",
        "user",
        PLACE,
        **_where(f"unassigned = 1 AND {there}", f"unassigned AND {there}"),
    )


def downgrade() -> None:
    op.drop_index("ix_user_unassigned_order", "user")
    op.create_index("ix_user_unassigned", "user", ["id"], **_where("unassigned = 1", "unassigned"))
    op.drop_index("ix_membership_group_order", "membership")
    with op.batch_alter_table("membership") as table:
        for name in PLACE:
            table.drop_column(name)
    op.create_index("ix_membership_group_id", "membership", ["group_id", "user_id"])


def _where(sqlite: str, postgresql: str) -> dict[str, sa.TextClause]:
    return {"sqlite_where": sa.text(sqlite), "postgresql_where": sa.text(postgresql)}
