"""Prepared requests with their versions, credentials, and runs of requests."""

import sqlalchemy as sa
from alembic import op

from offhook.storage.migrations.tables import BIG, documents

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    documents("api_examples", texts=("place", "api", "operation"), unique=("place",))
    documents("credentials", texts=("name",), unique=("name",))
    op.create_table(
        "credential_tokens",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("credential_id", BIG, nullable=False),
        sa.Column("until", BIG, nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "credential_id", name=op.f("pk_credential_tokens")),
    )
    documents("saved_requests", texts=("place", "collection", "api", "operation"), unique=("place",))
    op.create_table(
        "saved_request_versions",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("request_id", BIG, nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "request_id", "version", name=op.f("pk_saved_request_versions")),
    )
    op.create_table(
        "runs",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("saved_id", BIG, nullable=False),
        sa.Column("api", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_runs")),
    )
    for columns in (["saved_id"], ["api", "operation"]):
        named = ["tenant_id", *columns, "id"]
        op.create_index(op.f(f"ix_runs_{'_'.join(named)}"), "runs", named, unique=False)
    op.create_table(
        "run_bodies",
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("run_id", BIG, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "run_id", name=op.f("pk_run_bodies")),
    )


def downgrade() -> None:
    for table in (
        "api_examples",
        "run_bodies",
        "runs",
        "saved_request_versions",
        "saved_requests",
        "credential_tokens",
        "credentials",
    ):
        op.drop_table(table)
