"""What starts workflows: schedules, triggers, hooks, where each stands, and starts that were decided."""

import sqlalchemy as sa
from alembic import op

from offhook.storage.migrations.tables import BIG, documents, index

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("workflow_schedules", "workflow_triggers", "workflow_hooks"):
        documents(name, texts=("name", "workflow"), unique=("name",))
    op.create_table(
        "workflow_timers",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("due", BIG, nullable=False),
        sa.Column("run_id", BIG, nullable=False),
        sa.Column("ran", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_workflow_timers")),
    )
    index("ix_workflow_timers_due", "workflow_timers", ["due"], "due > 0")
    op.create_table(
        "workflow_followed",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("seq", BIG, nullable=False),
        sa.Column("active", BIG, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_workflow_followed")),
    )
    index("ix_workflow_followed_active", "workflow_followed", ["tenant_id"], "active > 0")
    op.create_table(
        "workflow_watches",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("since", BIG, nullable=False),
        sa.Column("recent", sa.Text(), nullable=False),
        sa.Column("ran", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_workflow_watches")),
    )
    op.create_table(
        "workflow_starts",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("source_id", BIG, nullable=False),
        sa.Column("due", BIG, nullable=False),
        sa.Column("planned", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", name=op.f("pk_workflow_starts")),
    )
    op.create_index(op.f("ix_workflow_starts_due"), "workflow_starts", ["due"])
    op.create_index(op.f("ix_workflow_starts_source"), "workflow_starts", ["tenant_id", "source_id"])


def downgrade() -> None:
    for table in (
        "workflow_starts", "workflow_watches", "workflow_followed", "workflow_timers", "workflow_hooks",
        "workflow_triggers", "workflow_schedules",
    ):  # fmt: skip
        op.drop_table(table)
