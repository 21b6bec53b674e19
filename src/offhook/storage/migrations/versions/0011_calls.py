"""Calls, and every step of each with its reasons."""

import sqlalchemy as sa
from alembic import op

from offhook.storage.migrations.tables import BIG

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("began", BIG, nullable=False),
        sa.Column("ended", BIG, nullable=False),
        sa.Column("until", BIG, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("dialled", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_calls")),
    )
    op.create_index(op.f("ix_calls_until"), "calls", ["until"], unique=False)
    op.create_table(
        "call_steps",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("call_id", BIG, nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "call_id", "number", name=op.f("pk_call_steps")),
    )


def downgrade() -> None:
    for table in ("call_steps", "calls"):
        op.drop_table(table)
