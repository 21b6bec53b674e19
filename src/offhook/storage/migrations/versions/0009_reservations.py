"""Who is rung or in a call, who waits for them, and how far each round robin has come."""

import sqlalchemy as sa
from alembic import op

from offhook.storage.migrations.tables import BIG

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "engagements",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("taken", BIG, nullable=False),
        sa.Column("until", BIG, nullable=False),
        sa.Column("idle_since", BIG, nullable=False),
        sa.Column("turns_of", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "who", name=op.f("pk_engagements")),
        sqlite_with_rowid=False,
    )
    held = sa.text("call_id <> ''")
    op.create_index(
        op.f("ix_engagements_tenant_id_call_id"),
        "engagements",
        ["tenant_id", "call_id"],
        unique=False,
        sqlite_where=held,
        postgresql_where=held,
    )
    op.create_table(
        "waiting_calls",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("since", BIG, nullable=False),
        sa.Column("queued", BIG, nullable=False),
        sa.Column("until", BIG, nullable=False),
        sa.Column("members", sa.Text(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "call_id", name=op.f("pk_waiting_calls")),
    )
    op.create_table(
        "rotations",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("members", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "line", name=op.f("pk_rotations")),
    )


def downgrade() -> None:
    for table in ("rotations", "waiting_calls", "engagements"):
        op.drop_table(table)
