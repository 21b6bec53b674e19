"""The only SQL of numbers: a company's inventory, in which a number is free or belongs to one target."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Index, Table
from sqlalchemy import text as sql_text

from offhook.kit.phones import Kind
from offhook.numbers.model import Number, Status
from offhook.storage.database import Insert, Statement, Transaction, in_parts
from offhook.storage.tables import big, metadata, text

_EMPTY, _NOUGHT = sql_text("''"), sql_text("0")
_FREE = sql_text("status = 'available'")
_TAKEN = sql_text("target_type <> ''")
_KEPT = sql_text("office_id <> 0")
_LIVE = sql_text("environment = 'live'")

numbers = Table(
    "numbers",
    metadata,
    big("tenant_id", primary_key=True),
    text("e164", primary_key=True),
    text("environment"),
    text("target_type", server_default=_EMPTY),
    big("target_id", server_default=_NOUGHT),
    big("added_at"),
    text("type", server_default=_EMPTY),
    text("country", server_default=_EMPTY),
    text("area_code", server_default=_EMPTY),
    text("status", server_default=_EMPTY),
    text("line", server_default=_EMPTY),
    big("office_id", server_default=_NOUGHT),
    big("target_office_id", server_default=_NOUGHT),
    Index(
        "ix_numbers_taken",
        "tenant_id",
        "target_type",
        "target_id",
        "e164",
        sqlite_where=_TAKEN,
        postgresql_where=_TAKEN,
    ),
    Index("ix_numbers_kept", "tenant_id", "office_id", sqlite_where=_KEPT, postgresql_where=_KEPT),
    Index(None, "tenant_id", "status", "e164"),
    Index(
        "ix_numbers_free",
        "tenant_id",
        "office_id",
        "country",
        "type",
        "area_code",
        "e164",
        sqlite_where=_FREE,
        postgresql_where=_FREE,
    ),
    # A telephone number rings in one place in the world; fictional ones ring nowhere, so every sandbox has them.
    Index("uq_numbers_live", "e164", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
)

_insert = Insert(
    numbers, ["tenant_id", "e164", "environment", "added_at", "type", "country", "area_code", "status", "office_id"]
)

_COLUMNS = "e164, type, country, area_code, office_id, status, target_type, target_id, target_office_id, line, added_at"
_OF = f"SELECT {_COLUMNS} FROM numbers WHERE tenant_id = ?"  # noqa: S608 - names are ours
_GET = Statement(f"{_OF} AND e164 = ?")
_PAGE = Statement(f"{_OF} AND e164 > ? ORDER BY e164 LIMIT ?")
_PAGE_OF_STATUS = Statement(f"{_OF} AND status = ? AND e164 > ? ORDER BY e164 LIMIT ?")
_TAKEN_BY = Statement("SELECT e164, target_type, target_id FROM numbers WHERE tenant_id = ? AND target_type <> ''")
_OF_TARGET = Statement(f"{_OF} AND target_type = ? AND target_id = ? AND target_type <> '' ORDER BY e164")
# One entry of the index is read, however many numbers there are.
_POOL = f"{_OF} AND office_id = ? AND country = ? AND type = ? AND status = 'available'"
_ANY_FREE = Statement(f"{_POOL} ORDER BY area_code, e164 LIMIT 1")
_FREE_ANYWHERE = Statement(
    f"{_OF} AND office_id = ? AND status = 'available' AND type <> 'tollfree' "
    "ORDER BY country, type, area_code, e164 LIMIT 1"
)
_FREE_IN_AREA = Statement(f"{_POOL} AND area_code = ? ORDER BY e164 LIMIT 1")
_IS_LIVE = Statement("SELECT 1 FROM numbers WHERE e164 = ? AND environment = 'live'")
_COUNT = Statement("SELECT status, count(*) FROM numbers WHERE tenant_id = ? GROUP BY status")
_CLAIM = Statement(
    "UPDATE numbers SET status = ?, target_type = ?, target_id = ?, target_office_id = ?, line = ? "
    "WHERE tenant_id = ? AND e164 = ? AND status = 'available'"
)
_RELEASE = Statement(
    "UPDATE numbers SET status = 'available', target_type = '', target_id = 0, target_office_id = 0, line = '' "
    "WHERE tenant_id = ? AND e164 = ? AND target_type <> ''"
)
_LINE = Statement("UPDATE numbers SET line = ?, target_office_id = ? WHERE tenant_id = ? AND e164 = ?")
_POOLED = Statement("UPDATE numbers SET office_id = 0 WHERE tenant_id = ? AND office_id = ? AND office_id <> 0")
_DELETE = Statement("DELETE FROM numbers WHERE tenant_id = ? AND e164 = ?")


def _number(row: Sequence[Any]) -> Number:
    return Number(
        e164=row[0],
        type=row[1],
        country=row[2],
        area_code=row[3],
        office_id=row[4],
        status=row[5],
        target_type=row[6],
        target_id=row[7],
        target_office_id=row[8],
        line=row[9],
        added_at=row[10],
    )


def insert(tx: Transaction, tenant_id: int, environment: str, new: Sequence[Number]) -> None:
    """Add free numbers, at least one."""
    _insert(
        tx,
        [
            (tenant_id, n.e164, environment, n.added_at, n.type, n.country, n.area_code, n.status, n.office_id)
            for n in new
        ],
    )


def get(tx: Transaction, tenant_id: int, e164: str) -> Number | None:
    """A number of the company, or None."""
    row = tx.first(_GET, tenant_id, e164)
    return _number(row) if row else None


def get_many(tx: Transaction, tenant_id: int, wanted: Sequence[str]) -> dict[str, Number]:
    """Those of the numbers that the company has."""
    found: dict[str, Number] = {}
    for padded, marks in in_parts(wanted, ""):
        query = Statement(f"{_OF} AND e164 IN ({marks})")
        found |= {row[0]: _number(row) for row in tx.all(query, tenant_id, *padded)}
    return found


def is_live_anywhere(tx: Transaction, e164: str) -> bool:
    """Whether any company has this live number."""
    return tx.first(_IS_LIVE, e164) is not None


def live_anywhere(tx: Transaction, wanted: Sequence[str]) -> set[str]:
    """Those of the numbers that are live at any company."""
    found: set[str] = set()
    for padded, marks in in_parts(wanted, ""):
        query = Statement(f"SELECT e164 FROM numbers WHERE environment = 'live' AND e164 IN ({marks})")  # noqa: S608
        found |= {row[0] for row in tx.all(query, *padded)}
    return found


def rows_elsewhere(tx: Transaction, tenant_id: int, wanted: Sequence[str]) -> list[tuple[Any, ...]]:
    """The rows of those of the numbers that are live at other companies, as the table has them."""
    found: list[tuple[Any, ...]] = []
    names = ", ".join(numbers.c.keys())
    for padded, marks in in_parts(wanted, ""):
        query = Statement(
            f"SELECT {names} FROM numbers WHERE environment = 'live' AND tenant_id <> ? AND e164 IN ({marks})"  # noqa: S608
        )
        found += [tuple(row) for row in tx.all(query, tenant_id, *padded)]
    return found


def page(tx: Transaction, tenant_id: int, after: str, limit: int, status: Status | None = None) -> list[Number]:
    """Numbers behind `after`, in the order of their digits as text, of one status or of all."""
    if status is None:
        return [_number(row) for row in tx.all(_PAGE, tenant_id, after, limit)]
    return [_number(row) for row in tx.all(_PAGE_OF_STATUS, tenant_id, status, after, limit)]


def counts(tx: Transaction, tenant_id: int) -> dict[str, int]:
    """How many numbers the company has, by status."""
    return {row[0]: row[1] for row in tx.all(_COUNT, tenant_id)}


def of_target(tx: Transaction, tenant_id: int, target_type: str, target_id: int) -> list[Number]:
    """The numbers that a target has, in the order of their digits."""
    return [_number(row) for row in tx.all(_OF_TARGET, tenant_id, target_type, target_id)]


def taken(tx: Transaction, tenant_id: int) -> list[Any]:
    """Rows (number, kind of target, id of target) of all numbers that something has."""
    return tx.all(_TAKEN_BY, tenant_id)


def free(
    tx: Transaction, tenant_id: int, office_id: int, country: str, kind: Kind, area_code: str | None
) -> Number | None:
    """The first free number of a pool, of a country and a kind, in one area or in any."""
    if area_code is None:
        row = tx.first(_ANY_FREE, tenant_id, office_id, country, kind)
    else:
        row = tx.first(_FREE_IN_AREA, tenant_id, office_id, country, kind, area_code)
    return _number(row) if row else None


def free_anywhere(tx: Transaction, tenant_id: int, office_id: int) -> Number | None:
    """A free number of a pool, of whatever country; no toll-free one."""
    row = tx.first(_FREE_ANYWHERE, tenant_id, office_id)
    return _number(row) if row else None


def claim(tx: Transaction, tenant_id: int, number: Number) -> bool:
    """Give a free number to the target that `number` says, on the line that it says; False if it is not free."""
    return (
        tx.change(
            _CLAIM,
            number.status,
            number.target_type,
            number.target_id,
            number.target_office_id,
            number.line,
            tenant_id,
            number.e164,
        )
        == 1
    )


def release(tx: Transaction, tenant_id: int, e164: str) -> bool:
    """Make a number free, in the pool it came from; False if nobody had it."""
    return tx.change(_RELEASE, tenant_id, e164) == 1


def keep_line(tx: Transaction, tenant_id: int, e164: str, line: str, office_id: int) -> None:
    """Write down another line, or that of another office, for a number that somebody has."""
    tx.change(_LINE, line, office_id, tenant_id, e164)


def pool_to_company(tx: Transaction, tenant_id: int, office_id: int) -> int:
    """Make an office's pool the company's; gives the number of numbers."""
    return tx.change(_POOLED, tenant_id, office_id)


def delete(tx: Transaction, tenant_id: int, e164: str) -> bool:
    """Take a number out of the inventory; False if it was not there."""
    return tx.change(_DELETE, tenant_id, e164) == 1
