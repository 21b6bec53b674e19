"""API documents: what is known of each, its versions, and these cut into pieces and operations."""

import sqlalchemy as sa
from alembic import op

from offhook.storage.migrations.tables import ALIVE, BIG, index

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_documents",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("updated_at", BIG, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_api_documents")),
    )
    index("uq_api_documents_name", "api_documents", ["tenant_id", "name"], ALIVE, unique=True)
    op.create_table(
        "api_versions",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("document_id", BIG, nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("api_version", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.Column("operations", BIG, nullable=False),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "document_id", "number", name=op.f("pk_api_versions")),
    )
    op.create_index(op.f("uq_api_versions_id"), "api_versions", ["tenant_id", "id"], unique=True)
    op.create_table(
        "api_pieces",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("version_id", BIG, nullable=False),
        sa.Column("pointer", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "version_id", "pointer", name=op.f("pk_api_pieces")),
    )
    op.create_table(
        "api_operations",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("version_id", BIG, nullable=False),
        sa.Column("seq", BIG, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("pointer", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("deprecated", BIG, nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "version_id", "seq", name=op.f("pk_api_operations")),
    )
    op.create_index(op.f("uq_api_operations_key"), "api_operations", ["tenant_id", "version_id", "key"], unique=True)


def downgrade() -> None:
    for table in ("api_operations", "api_pieces", "api_versions", "api_documents"):
        op.drop_table(table)
