"""The registry of tables. Each subject declares its own in its store.py; Alembic and the tests see them all here.

Conventions: ids and moments are BIGINT (moments in milliseconds since 1970 UTC), JSON is kept as text because no query
looks inside it, and every row that belongs to somebody carries the tenant id of (company, environment).
"""

from typing import Any

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite makes only an INTEGER PRIMARY KEY the row's own key; elsewhere 64 bits must be asked for.
Id = BigInteger().with_variant(Integer, "sqlite")


BULKY = "bulky"
"""In a table's `info`: its rows are large, so that backups read few of them at once."""

HISTORY = "history"
"""In a table's `info`: it says what was, and nothing of what is."""

APART = "apart"
"""In a table's `info`: no telephone depends on it, so a company's changes are rehearsed without it."""


def big(name: str, **options: Any) -> Column[int]:
    """A 64-bit column that may not be null unless said."""
    options.setdefault("nullable", False)
    return Column(name, Id, **options)


def text(name: str, **options: Any) -> Column[str]:
    """A text column that may not be null unless said."""
    options.setdefault("nullable", False)
    return Column(name, Text, **options)


settings = Table("store_settings", metadata, text("name", primary_key=True), text("value"))
