"""Whom a license is offered stands in the order of the lists: an offer repeats its user's place."""

import sqlalchemy as sa
from alembic import op

revision = "offers"
down_revision = "tries"
branch_labels = None
depends_on = None

FOLDED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
PLACE = ["name_fold", "username_fold"]


def upgrade() -> None:
    op.drop_index("ix_offer_license_type_id", "offer")
    with op.batch_alter_table("offer") as table:
        for name in PLACE:
            table.add_column(sa.Column(name, FOLDED, nullable=True))
    for name in PLACE:
        op.execute(f'UPDATE offer SET {name} = (SELECT {name} FROM "user" WHERE "user".id = offer.user_id)')
    with op.batch_alter_table("offer") as table:
        for name in PLACE:
            table.alter_column(name, existing_type=FOLDED, nullable=False)
    op.create_index("ix_offer_type_order", "offer", ["license_type_id", *PLACE, "user_id"])


def downgrade() -> None:
    op.drop_index("ix_offer_type_order", "offer")
    with op.batch_alter_table("offer") as table:
        for name in PLACE:
            table.drop_column(name)
    op.create_index("ix_offer_license_type_id", "offer", ["license_type_id"])
