"""What the telephones of a call told of themselves."""

import sqlalchemy as sa
from alembic import op

from offhook.storage.migrations.tables import BIG

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "call_wires",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("call_id", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("wires", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "call_id", "at", name=op.f("pk_call_wires")),
    )


def downgrade() -> None:
    op.drop_table("call_wires")
