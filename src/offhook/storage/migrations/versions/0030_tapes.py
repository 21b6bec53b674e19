"""Messages and recordings, the legs of calls, and what is wished of them."""

import sqlalchemy as sa
from alembic import op

from offhook.storage.migrations.tables import BIG

revision = "0030"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tapes",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("call_id", BIG, nullable=False),
        sa.Column("target_type", sa.Text(), nullable=False),
        sa.Column("target_id", BIG, nullable=False),
        sa.Column("office_id", BIG, nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("milliseconds", BIG, nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("heard", BIG, nullable=False),
        sa.Column("gone", BIG, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tapes")),
    )
    for columns in (
        ["tenant_id", "call_id"],
        ["tenant_id", "target_type", "target_id", "id"],
        ["kind", "at"],
        ["gone"],
    ):
        op.create_index(op.f(f"ix_tapes_{'_'.join(columns)}"), "tapes", columns, unique=False)
    op.create_table(
        "call_legs",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("call_id", BIG, nullable=False),
        sa.Column("target_type", sa.Text(), nullable=False),
        sa.Column("target_id", BIG, nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("external", sa.Text(), nullable=False),
        sa.Column("internal", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("began", BIG, nullable=False),
        sa.Column("rang", BIG, nullable=False),
        sa.Column("connected", BIG, nullable=False),
        sa.Column("ended", BIG, nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_call_legs")),
    )
    for columns in (["tenant_id", "call_id"], ["tenant_id", "target_type", "target_id", "id"]):
        op.create_index(op.f(f"ix_call_legs_{'_'.join(columns)}"), "call_legs", columns, unique=False)
    op.create_table(
        "call_wishes",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("call_id", BIG, nullable=False),
        sa.Column("wish", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_call_wishes")),
    )


def downgrade() -> None:
    for table in ("call_wishes", "call_legs", "tapes"):
        op.drop_table(table)
