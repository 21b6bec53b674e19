"""What telephones sign in with, and where they are reached."""

import sqlalchemy as sa
from alembic import op

from offhook.storage.migrations.tables import BIG

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "phones",
        sa.Column("device_id", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("realm", sa.Text(), nullable=False),
        sa.Column("md5", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("set_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_phones")),
    )
    op.create_index("uq_phones_username", "phones", ["username"], unique=True)
    op.create_index(op.f("ix_phones_tenant_id"), "phones", ["tenant_id"], unique=False)
    op.create_table(
        "registrations",
        sa.Column("device_id", BIG, autoincrement=False, nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("port", BIG, nullable=False),
        sa.Column("until", BIG, nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("sequence", BIG, nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("since", BIG, nullable=False),
        sa.PrimaryKeyConstraint("device_id", "uri", name=op.f("pk_registrations")),
    )
    op.create_index(op.f("ix_registrations_until"), "registrations", ["until"], unique=False)
    op.create_index(op.f("ix_registrations_tenant_id"), "registrations", ["tenant_id"], unique=False)


def downgrade() -> None:
    op.drop_table("registrations")
    op.drop_table("phones")
