"""The first slice: catalog, contract, people, seats, the change log and sign-ins.

The triggers make the change log append-only for the database too.
"""

import sqlalchemy as sa
from alembic import op

revision = "first_slice"
down_revision = None
branch_labels = None
depends_on = None

FOLDED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _only(condition):
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


OPEN = _only("ends_at IS NULL")
STANDING = _only("superseded_at IS NULL")
LOGS = {"change": "seq = NEW.seq", "change_entry": "change_seq = NEW.change_seq AND position = NEW.position"}


def upgrade() -> None:
    op.create_table(
        "chain_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_chain_head_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chain_head")),
    )
    op.create_table(
        "group",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", FOLDED, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group")),
        sa.UniqueConstraint("key", name=op.f("uq_group_key")),
    )
    op.create_table(
        "product",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("short", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("base", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
        sa.UniqueConstraint("key", name=op.f("uq_product_key")),
        sa.UniqueConstraint("name", name=op.f("uq_product_name")),
    )
    op.create_table(
        "license_type",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("allows", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "admin",
                "supervisor",
                "none",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column(
            "contactpad",
            sa.Enum(
                "always",
                "optional",
                "never",
                name="contactpadrule",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("needs_contactpad", sa.Boolean(), nullable=False),
        sa.Column("needs_webrtc", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_license_type_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_license_type")),
        sa.UniqueConstraint("product_id", "key", name=op.f("uq_license_type_product_id_key")),
        sa.UniqueConstraint("product_id", "name", name=op.f("uq_license_type_product_id_name")),
    )
    op.create_table(
        "eligible_base",
        sa.Column("license_type_id", sa.Integer(), nullable=False),
        sa.Column("base_type_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["base_type_id"], ["license_type.id"], name=op.f("fk_eligible_base_base_type_id")
        ),
        sa.ForeignKeyConstraint(
            ["license_type_id"], ["license_type.id"], name=op.f("fk_eligible_base_license_type_id")
        ),
        sa.PrimaryKeyConstraint("license_type_id", "base_type_id", name=op.f("pk_eligible_base")),
    )
    op.create_table(
        "pool",
        sa.Column("license_type_id", sa.Integer(), nullable=False),
        sa.Column("assigned", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("assigned >= 0", name=op.f("ck_pool_assigned")),
        sa.ForeignKeyConstraint(
            ["license_type_id"], ["license_type.id"], name=op.f("fk_pool_license_type_id")
        ),
        sa.PrimaryKeyConstraint("license_type_id", name=op.f("pk_pool")),
    )
    op.create_table(
        "user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("sso_external_id", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("base_type_id", sa.Integer(), nullable=False),
        sa.Column("contactpad", sa.Boolean(), nullable=False),
        sa.Column("webrtc", sa.Boolean(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=True),
        sa.Column("permissions", sa.Text(), nullable=False),
        sa.Column("last_login", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_login_as_of", sa.Date(), nullable=True),
        sa.Column("name_fold", FOLDED, nullable=False),
        sa.Column("username_fold", FOLDED, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("contactpad OR NOT webrtc", name=op.f("ck_user_webrtc_needs_contactpad")),
        sa.ForeignKeyConstraint(["base_type_id"], ["license_type.id"], name=op.f("fk_user_base_type_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("agent_id", name=op.f("uq_user_agent_id")),
        sa.UniqueConstraint("sso_external_id", name=op.f("uq_user_sso_external_id")),
        sa.UniqueConstraint("username_fold", name=op.f("uq_user_username_fold")),
    )
    op.create_index("ix_user_base_type_id", "user", ["base_type_id"])

    op.create_table(
        "credential",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_credential_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_credential")),
    )
    op.create_table(
        "group_access",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column(
            "level",
            sa.Enum(
                "read", "write", name="accesslevel", native_enum=False, create_constraint=True, length=20
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["group_id"], ["group.id"], name=op.f("fk_group_access_group_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_group_access_user_id")),
        sa.PrimaryKeyConstraint("user_id", "group_id", name=op.f("pk_group_access")),
    )
    op.create_index("ix_group_access_group_id", "group_access", ["group_id"])

    op.create_table(
        "membership",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["group.id"], name=op.f("fk_membership_group_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_membership_user_id")),
        sa.PrimaryKeyConstraint("user_id", "group_id", name=op.f("pk_membership")),
    )
    op.create_index("ix_membership_group_id", "membership", ["group_id"])

    op.create_table(
        "offer",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("license_type_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["license_type_id"], ["license_type.id"], name=op.f("fk_offer_license_type_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_offer_user_id")),
        sa.PrimaryKeyConstraint("user_id", "license_type_id", name=op.f("pk_offer")),
    )
    op.create_index("ix_offer_license_type_id", "offer", ["license_type_id"])

    op.create_table(
        "sign_in",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_sign_in_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_in_token_hash")),
    )
    op.create_index("ix_sign_in_user_id", "sign_in", ["user_id"])

    op.create_table(
        "change",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("sign_in_id", sa.Integer(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("op_id", sa.Text(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_change_actor_id")),
        sa.ForeignKeyConstraint(["sign_in_id"], ["sign_in.id"], name=op.f("fk_change_sign_in_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_change")),
    )
    op.create_table(
        "change_entry",
        sa.Column("change_seq", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_name", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("old", sa.Text(), nullable=True),
        sa.Column("new", sa.Text(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["change_seq"], ["change.seq"], name=op.f("fk_change_entry_change_seq")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_change_entry_user_id")),
        sa.PrimaryKeyConstraint("change_seq", "position", name=op.f("pk_change_entry")),
    )
    op.create_index("ix_change_entry_user_id", "change_entry", ["user_id", "change_seq"])

    op.create_table(
        "contract_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("license_type_id", sa.Integer(), nullable=False),
        sa.Column("contracted", sa.Integer(), nullable=False),
        sa.Column("max_overage", sa.Integer(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_by", sa.Integer(), nullable=False),
        sa.CheckConstraint("contracted >= 0", name=op.f("ck_contract_line_contracted")),
        sa.CheckConstraint("max_overage >= 0", name=op.f("ck_contract_line_max_overage")),
        sa.ForeignKeyConstraint(
            ["license_type_id"], ["license_type.id"], name=op.f("fk_contract_line_license_type_id")
        ),
        sa.ForeignKeyConstraint(["opened_by"], ["change.seq"], name=op.f("fk_contract_line_opened_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_line")),
    )
    op.create_index(
        "uq_contract_line_day", "contract_line", ["license_type_id", "starts_on"], unique=True, **STANDING
    )

    op.create_table(
        "holding",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("license_type_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_by", sa.Integer(), nullable=False),
        sa.Column("closed_by", sa.Integer(), nullable=True),
        sa.Column("name_fold", FOLDED, nullable=False),
        sa.Column("username_fold", FOLDED, nullable=False),
        sa.CheckConstraint("ends_at IS NULL OR ends_at >= starts_at", name=op.f("ck_holding_order")),
        sa.ForeignKeyConstraint(["closed_by"], ["change.seq"], name=op.f("fk_holding_closed_by")),
        sa.ForeignKeyConstraint(
            ["license_type_id"], ["license_type.id"], name=op.f("fk_holding_license_type_id")
        ),
        sa.ForeignKeyConstraint(["opened_by"], ["change.seq"], name=op.f("fk_holding_opened_by")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_holding_product_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_holding_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holding")),
    )
    op.create_index(
        "ix_holding_product_order", "holding", ["product_id", "name_fold", "username_fold", "user_id"], **OPEN
    )
    op.create_index(
        "ix_holding_type_order",
        "holding",
        ["license_type_id", "name_fold", "username_fold", "user_id"],
        **OPEN,
    )
    op.create_index("uq_holding_open", "holding", ["user_id", "product_id"], unique=True, **OPEN)
    op.execute("INSERT INTO chain_head (id, seq, hash) VALUES (1, 0, '')")
    if op.get_bind().dialect.name == "sqlite":
        _append_only_on_sqlite()
    else:
        _append_only_on_postgresql()


def _append_only_on_sqlite() -> None:
    """INSERT OR REPLACE deletes without a DELETE trigger, so inserting over a row is refused too."""
    refuse = "BEGIN SELECT RAISE(ABORT, 'the change log is append-only'); END"
    for table, same in LOGS.items():
        op.execute(f'CREATE TRIGGER {table}_no_update BEFORE UPDATE ON "{table}" {refuse}')
        op.execute(f'CREATE TRIGGER {table}_no_delete BEFORE DELETE ON "{table}" {refuse}')
        op.execute(
            f'CREATE TRIGGER {table}_no_replace BEFORE INSERT ON "{table}" '
            f'WHEN EXISTS (SELECT 1 FROM "{table}" WHERE {same}) {refuse}'
        )


def _append_only_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the change log is append-only'; END $$"
    )
    for table in LOGS:
        for when in ("UPDATE OR DELETE", "TRUNCATE"):
            name = f"{table}_no_{when.split()[0].lower()}"
            op.execute(f'CREATE TRIGGER {name} BEFORE {when} ON "{table}" EXECUTE FUNCTION refuse_change()')


def downgrade() -> None:
    for table in (
        "holding",
        "contract_line",
        "change_entry",
        "change",
        "sign_in",
        "offer",
        "membership",
        "group_access",
        "credential",
        "user",
        "pool",
        "eligible_base",
        "license_type",
        "product",
        "group",
        "chain_head",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")
