"""Voice prompts."""

import sqlalchemy as sa
from alembic import op

from offhook.storage.migrations.tables import BIG, documents, index

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    documents("prompts", texts=["digest"])
    op.create_table(
        "prompt_recordings",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("milliseconds", BIG, nullable=False),
        sa.Column("damaged", BIG, nullable=False),
        sa.Column("original", sa.LargeBinary(), nullable=False),
        sa.Column("wav", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "digest", name=op.f("pk_prompt_recordings")),
    )
    op.create_table(
        "prompt_uses",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("target_type", sa.Text(), nullable=False),
        sa.Column("target_id", BIG, nullable=False),
        sa.Column("ivr_type", sa.Text(), nullable=False),
        sa.Column("prompt_id", BIG, nullable=False),
        sa.Column("inbound", BIG, nullable=False),
        sa.Column("outbound", BIG, nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id", "target_type", "target_id", "ivr_type", "prompt_id", name=op.f("pk_prompt_uses")
        ),
    )
    op.create_index(op.f("ix_prompt_uses_tenant_id_prompt_id"), "prompt_uses", ["tenant_id", "prompt_id"], unique=False)
    for direction in ("inbound", "outbound"):
        columns = ["tenant_id", "target_type", "target_id", "ivr_type"]
        index(f"uq_prompt_uses_{direction}", "prompt_uses", columns, f"{direction} = 1", unique=True)


def downgrade() -> None:
    op.drop_table("prompt_uses")
    op.drop_table("prompt_recordings")
    op.drop_table("prompts")
