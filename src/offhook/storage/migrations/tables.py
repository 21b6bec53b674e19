"""What migrations make tables of documents with. As frozen as they are: a released one must go on doing the same."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ALIVE = "state <> 'deleted'"


def documents(
    name: str,
    *,
    numbers: Sequence[str] = (),
    texts: Sequence[str] = (),
    unique: Sequence[str] = (),
    by_state: Sequence[Sequence[str]] = (),
) -> None:
    """A table of storage/documents.py as it was when the migration was written."""
    op.create_table(
        name,
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("tenant_id", BIG, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("updated_at", BIG, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        *(sa.Column(column, BIG, nullable=False) for column in numbers),
        *(sa.Column(column, sa.Text(), nullable=False) for column in texts),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )
    index(f"ix_{name}_tenant_id_id", name, ["tenant_id", "id"], ALIVE)
    for column in (*numbers, *texts):
        if column in unique:
            nothing = "0" if column in numbers else "''"
            where = f"{ALIVE} AND {column} <> {nothing}"
            index(f"uq_{name}_{column}", name, ["tenant_id", column], where, unique=True)
        else:
            index(f"ix_{name}_tenant_id_{column}_id", name, ["tenant_id", column, "id"], ALIVE)
    for others in by_state:
        named = ["tenant_id", "state", *others, "id"]
        op.create_index(op.f(f"ix_{name}_{'_'.join(named)}"), name, named, unique=False)


def index(name: str, table: str, columns: Sequence[str], where: str, *, unique: bool = False) -> None:
    """An index of the rows that fulfil a condition."""
    condition = sa.text(where)
    op.create_index(op.f(name), table, list(columns), unique=unique, sqlite_where=condition, postgresql_where=condition)
