"""Companies, keys, offices, plans, numbers, events: everything that creating an office touches."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=True),
        sa.Column("revoked_at", BIG, nullable=True),
        sa.Column("last_used_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_keys_digest")),
    )
    op.create_index(op.f("ix_api_keys_tenant_id_id"), "api_keys", ["tenant_id", "id"], unique=False)
    op.create_table(
        "companies",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("account_type", sa.Text(), nullable=False),
        sa.Column("admin_email", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("anchor_day", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_companies")),
    )
    op.create_table(
        "events",
        sa.Column("seq", BIG, autoincrement=True, nullable=False),
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("actor_id", BIG, nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_events_tenant_id_seq"), "events", ["tenant_id", "seq"], unique=False)
    op.create_table(
        "idempotency",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", BIG, nullable=False),
        sa.Column("warnings", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency")),
        sa.UniqueConstraint("digest", name=op.f("uq_idempotency_digest")),
    )
    op.create_table(
        "numbers",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("e164", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("target_type", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("target_id", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("added_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "e164", name=op.f("pk_numbers")),
    )
    op.create_index(
        op.f("ix_numbers_tenant_id_target_type_target_id"),
        "numbers",
        ["tenant_id", "target_type", "target_id"],
        unique=False,
    )
    op.create_index(
        "uq_numbers_live",
        "numbers",
        ["e164"],
        unique=True,
        sqlite_where=sa.text("environment = 'live'"),
        postgresql_where=sa.text("environment = 'live'"),
    )
    op.create_table(
        "office_pointers",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("office_id", BIG, nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("target_type", sa.Text(), nullable=False),
        sa.Column("target_id", BIG, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "office_id", "place", name=op.f("pk_office_pointers")),
    )
    op.create_index(
        op.f("ix_office_pointers_tenant_id_target_type_target_id"),
        "office_pointers",
        ["tenant_id", "target_type", "target_id"],
        unique=False,
    )
    op.create_table(
        "offices",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("is_primary", BIG, nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("updated_at", BIG, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("days", sa.Text(), server_default=sa.text("'[]'"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offices")),
    )
    op.create_index(
        op.f("ix_offices_tenant_id_id"),
        "offices",
        ["tenant_id", "id"],
        unique=False,
        sqlite_where=sa.text("state <> 'deleted'"),
        postgresql_where=sa.text("state <> 'deleted'"),
    )
    op.create_table(
        "plans",
        sa.Column("office_id", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("next_billing_at", BIG, nullable=False),
        sa.Column("balance", sa.Text(), server_default=sa.text("'0.0000'"), nullable=False),
        sa.Column("talk_lines", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("sell_lines", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("contact_center_lines", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("room_lines", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("tollfree_room_lines", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("fax_lines", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("additional_number_lines", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("tollfree_additional_number_lines", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("uberconference_lines", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("tollfree_uberconference_lines", BIG, server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("office_id", name=op.f("pk_plans")),
    )
    op.create_table(
        "primary_offices",
        sa.Column("tenant_id", BIG, autoincrement=False, nullable=False),
        sa.Column("office_id", BIG, nullable=False),
        sa.Column("office_version", BIG, nullable=False),
        sa.Column("office_count", BIG, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_primary_offices")),
    )
    op.create_table(
        "store_settings",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_store_settings")),
    )
    op.create_table(
        "tenants",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("company_id", BIG, nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
        sa.UniqueConstraint("company_id", "environment", name=op.f("uq_tenants_company_id_environment")),
    )


def downgrade() -> None:
    op.drop_table("api_keys")
    op.drop_table("companies")
    op.drop_table("events")
    op.drop_table("idempotency")
    op.drop_table("numbers")
    op.drop_table("office_pointers")
    op.drop_table("offices")
    op.drop_table("plans")
    op.drop_table("primary_offices")
    op.drop_table("store_settings")
    op.drop_table("tenants")
