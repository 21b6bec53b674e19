"""Runs know the first of those that led to them, so that all that one led to can be counted."""

import sqlalchemy as sa
from alembic import op

from offhook.storage.migrations.tables import BIG, index

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("workflow_runs", sa.Column("root", BIG, nullable=False, server_default="0"))
    index("ix_workflow_runs_root", "workflow_runs", ["tenant_id", "root"], "root <> 0")


def downgrade() -> None:
    op.drop_index(op.f("ix_workflow_runs_root"), "workflow_runs")
    op.drop_column("workflow_runs", "root")
