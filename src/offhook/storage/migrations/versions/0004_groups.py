"""Departments and call centers."""

from alembic import op

from offhook.storage.migrations.tables import documents

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    documents("departments", numbers=["office_id"], texts=["name"])
    documents("callcenters", numbers=["office_id"], texts=["name"])


def downgrade() -> None:
    op.drop_table("callcenters")
    op.drop_table("departments")
