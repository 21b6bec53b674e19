"""Contacts, channels, coaching teams, call routers, access policies."""

import sqlalchemy as sa
from alembic import op

from offhook.storage.migrations.tables import BIG, documents

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    documents("contacts", numbers=["owner_id"], texts=["uid"], unique=["uid"])
    documents("channels", numbers=["owner_id"])
    documents("coaching_teams", numbers=["office_id"])
    documents("callrouters", numbers=["office_id"])
    documents("policies")
    op.create_table(
        "members",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("group_type", sa.Text(), nullable=False),
        sa.Column("group_id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("seq", BIG, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "group_type", "group_id", "user_id", name=op.f("pk_members")),
    )
    op.create_index(op.f("ix_members_tenant_id_user_id"), "members", ["tenant_id", "user_id"], unique=False)
    op.create_table(
        "callrouter_errors",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("router_id", BIG, nullable=False),
        sa.Column("moments", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "router_id", name=op.f("pk_callrouter_errors")),
    )
    op.create_table(
        "policy_assignments",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("policy_id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("target_type", sa.Text(), nullable=False),
        sa.Column("target_id", BIG, nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id", "policy_id", "user_id", "target_type", "target_id", name=op.f("pk_policy_assignments")
        ),
    )
    for columns in (["tenant_id", "user_id"], ["tenant_id", "target_type", "target_id"]):
        name = f"ix_policy_assignments_{'_'.join(columns)}"
        op.create_index(op.f(name), "policy_assignments", columns, unique=False)


def downgrade() -> None:
    for table in (
        "policy_assignments",
        "callrouter_errors",
        "members",
        "policies",
        "callrouters",
        "coaching_teams",
        "channels",
        "contacts",
    ):
        op.drop_table(table)
