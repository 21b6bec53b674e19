"""Users, their e-mail addresses and devices, keys of users, operators, and which lines of a plan are in use."""

import sqlalchemy as sa
from alembic import op

from offhook.storage.migrations.tables import BIG, documents

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    documents(
        "users",
        numbers=["office_id", "is_super_admin", "is_office_admin"],
        texts=["extension"],
        unique=["extension"],
        by_state=[[], ["is_super_admin"]],
    )
    op.create_table(
        "user_emails",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "email", name=op.f("pk_user_emails")),
    )
    op.create_index(op.f("ix_user_emails_tenant_id_user_id"), "user_emails", ["tenant_id", "user_id"], unique=False)
    documents("user_devices", numbers=["user_id"])
    op.add_column("api_keys", sa.Column("user_id", BIG, nullable=True))
    op.create_table(
        "operators",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("group_type", sa.Text(), nullable=False),
        sa.Column("group_id", BIG, nullable=False),
        sa.Column("member_type", sa.Text(), nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("seq", BIG, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("skill_level", BIG, nullable=False),
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("do_not_disturb", BIG, server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id", "group_type", "group_id", "member_type", "member_id", name=op.f("pk_operators")
        ),
    )
    op.create_index(
        op.f("ix_operators_tenant_id_member_type_member_id"),
        "operators",
        ["tenant_id", "member_type", "member_id"],
        unique=False,
    )
    op.create_table(
        "licences_used",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("office_id", BIG, nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("used", BIG, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "office_id", "line", name=op.f("pk_licences_used")),
    )


def downgrade() -> None:
    op.drop_table("licences_used")
    op.drop_table("operators")
    op.drop_column("api_keys", "user_id")
    op.drop_table("user_devices")
    op.drop_table("user_emails")
    op.drop_table("users")
