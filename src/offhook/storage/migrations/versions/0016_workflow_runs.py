"""Runs of workflows, their attempts, and the processes that take them on."""

import sqlalchemy as sa
from alembic import op

from offhook.storage.migrations.tables import BIG, index

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_NUMBERS = ("version", "owner", "turn", "wake", "doomed", "parent", "started", "ended")
_TEXTS = ("name", "status", "correlation", "idempotency", "input", "run")


def upgrade() -> None:
    op.create_table(
        "workflow_runs",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("id", BIG, nullable=False),
        *(sa.Column(name, BIG, nullable=False) for name in _NUMBERS),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _TEXTS),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_workflow_runs")),
    )
    for column in ("status", "name"):
        op.create_index(op.f(f"ix_workflow_runs_tenant_id_{column}_id"), "workflow_runs", ["tenant_id", column, "id"])
    index("ix_workflow_runs_ended", "workflow_runs", ["ended"], "ended > 0")
    index("ix_workflow_runs_wake", "workflow_runs", ["owner", "wake"], "ended = 0")
    index("ix_workflow_runs_correlation", "workflow_runs", ["tenant_id", "correlation", "id"], "correlation <> ''")
    index("ix_workflow_runs_parent", "workflow_runs", ["tenant_id", "parent", "id"], "parent <> 0")
    index(
        "uq_workflow_runs_idempotency", "workflow_runs", ["tenant_id", "idempotency"], "idempotency <> ''", unique=True
    )
    op.create_table(
        "workflow_attempts",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("run_id", BIG, nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("live", BIG, nullable=False),
        sa.Column("attempt", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "run_id", "number", name=op.f("pk_workflow_attempts")),
    )
    op.create_table(
        "workflow_workers",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("slot", BIG, nullable=False),
        sa.Column("until", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_workers")),
    )


def downgrade() -> None:
    for table in ("workflow_workers", "workflow_attempts", "workflow_runs"):
        op.drop_table(table)
