"""The only SQL of numbers: a company's inventory, in which a number is free or belongs to one target."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Index, Table
from sqlalchemy import text as sql_text

from offhook.storage.database import Insert, Statement, Transaction
from offhook.storage.tables import big, metadata, text

numbers = Table(
    "numbers",
    metadata,
    big("tenant_id", primary_key=True),
    text("e164", primary_key=True),
    text("environment"),
    text("target_type", server_default=sql_text("''")),
    big("target_id", server_default=sql_text("0")),
    big("added_at"),
    Index(None, "tenant_id", "target_type", "target_id"),
    # A telephone number rings in one place in the world; fictional ones ring nowhere, so every sandbox has them.
    Index(
        "uq_numbers_live",
        "e164",
        unique=True,
        sqlite_where=sql_text("environment = 'live'"),
        postgresql_where=sql_text("environment = 'live'"),
    ),
)

insert = Insert(numbers, ["tenant_id", "e164", "environment", "added_at"])

_GET = Statement("SELECT e164, target_type, target_id, added_at FROM numbers WHERE tenant_id = ? AND e164 = ?")
_LIVE = Statement("SELECT 1 FROM numbers WHERE e164 = ? AND environment = 'live'")
_PAGE = Statement(
    "SELECT e164, target_type, target_id, added_at FROM numbers WHERE tenant_id = ? AND e164 > ? ORDER BY e164 LIMIT ?"
)
# A colon is what follows the digits.
_FREE = Statement(
    "SELECT e164 FROM numbers WHERE tenant_id = ? AND target_type = '' AND e164 > ? AND e164 < ? ORDER BY e164 LIMIT ?"
)
_CLAIM = Statement(
    "UPDATE numbers SET target_type = ?, target_id = ? WHERE tenant_id = ? AND e164 = ? AND target_type = ''"
)
_RELEASE = Statement(
    "UPDATE numbers SET target_type = '', target_id = 0 WHERE tenant_id = ? AND target_type = ? AND target_id = ? "
    "AND e164 = ?"
)


def get(tx: Transaction, tenant_id: int, e164: str) -> Any | None:
    """The row (e164, target type, target id, added at), target type empty while it is free; or None."""
    return tx.first(_GET, tenant_id, e164)


def is_live_anywhere(tx: Transaction, e164: str) -> bool:
    """Whether any company has this live number."""
    return tx.first(_LIVE, e164) is not None


def page(tx: Transaction, tenant_id: int, after: str, limit: int) -> Sequence[Any]:
    """Rows behind `after`, in the order of the numbers."""
    return tx.all(_PAGE, tenant_id, after, limit)


def free_like(tx: Transaction, tenant_id: int, prefix: str, after: str, limit: int) -> list[str]:
    """Free numbers that begin with `prefix` and stand behind `after`, in their order."""
    rows = tx.all(_FREE, tenant_id, max(prefix, after), prefix + ":", limit)
    return [row[0] for row in rows]


def claim(tx: Transaction, tenant_id: int, e164: str, target_type: str, target_id: int) -> bool:
    """Give a free number to a target; False if it is not there or not free."""
    return tx.change(_CLAIM, target_type, target_id, tenant_id, e164) == 1


def release(tx: Transaction, tenant_id: int, e164: str, target_type: str, target_id: int) -> bool:
    """Make a target's number free; False if it was not the target's."""
    return tx.change(_RELEASE, tenant_id, target_type, target_id, e164) == 1
