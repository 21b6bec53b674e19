"""Carriers of companies, and the addresses that they send from."""

import sqlalchemy as sa
from alembic import op

from offhook.storage.migrations.tables import BIG, documents

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    documents("trunks", texts=["name"], unique=["name"])
    op.create_table(
        "trunk_addresses",
        sa.Column("trunk_id", BIG, autoincrement=False, nullable=False),
        sa.Column("first", sa.Text(), nullable=False),
        sa.Column("last", sa.Text(), nullable=False),
        sa.Column("port", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("trunk_id", "first", "last", "port", name=op.f("pk_trunk_addresses")),
    )
    op.create_index(op.f("ix_trunk_addresses_first"), "trunk_addresses", ["first"], unique=False)
    op.create_index(op.f("ix_trunk_addresses_tenant_id"), "trunk_addresses", ["tenant_id"], unique=False)


def downgrade() -> None:
    op.drop_table("trunk_addresses")
    op.drop_table("trunks")
