"""Definitions of workflows by name and version, the texts that they point to, and policies of tasks."""

import sqlalchemy as sa
from alembic import op

from offhook.storage.migrations.tables import BIG, documents

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    documents("workflow_definitions", numbers=("number",), texts=("name", "place"), unique=("place",))
    documents("workflow_policies", texts=("name",), unique=("name",))
    op.create_table(
        "workflow_texts",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "hash", name=op.f("pk_workflow_texts")),
    )


def downgrade() -> None:
    for table in ("workflow_texts", "workflow_policies", "workflow_definitions"):
        op.drop_table(table)
