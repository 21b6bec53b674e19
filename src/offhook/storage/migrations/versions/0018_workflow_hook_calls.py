"""The latest calls of each hook, and what came of them."""

import sqlalchemy as sa
from alembic import op

from offhook.storage.migrations.tables import BIG

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "workflow_hook_calls",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("heard", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_workflow_hook_calls")),
    )


def downgrade() -> None:
    op.drop_table("workflow_hook_calls")
