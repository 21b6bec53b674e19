"""People who are in a call have the further calls that they are in, too."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("engagements", sa.Column("also", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("engagements", "also")
