"""Rooms; what offices point at becomes what anything points at."""

import sqlalchemy as sa
from alembic import op

from offhook.storage.migrations.tables import BIG, documents

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pointers",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("owner_type", sa.Text(), nullable=False),
        sa.Column("owner_id", BIG, nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("target_type", sa.Text(), nullable=False),
        sa.Column("target_id", BIG, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "owner_type", "owner_id", "place", name=op.f("pk_pointers")),
    )
    op.create_index(
        op.f("ix_pointers_tenant_id_target_type_target_id"),
        "pointers",
        ["tenant_id", "target_type", "target_id"],
        unique=False,
    )
    op.execute(
        "INSERT INTO pointers (tenant_id, owner_type, owner_id, place, target_type, target_id) "
        "SELECT tenant_id, 'office', office_id, place, target_type, target_id FROM office_pointers"
    )
    op.drop_table("office_pointers")
    documents("rooms", numbers=["office_id"])


def downgrade() -> None:
    op.drop_table("rooms")
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
    op.execute(
        "INSERT INTO office_pointers (tenant_id, office_id, place, target_type, target_id) "
        "SELECT tenant_id, owner_id, place, target_type, target_id FROM pointers WHERE owner_type = 'office'"
    )
    op.drop_table("pointers")
