"""The only SQL of offices. What queries look at are columns; the office itself is one JSON document beside them.

A deleted office keeps its row, out of every index and answer, so that what once pointed at its id can be explained.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Index, Table
from sqlalchemy import text as sql_text

from offhook.kit.wire import encode
from offhook.offices.model import Office, Stored, days_from_json, days_to_json
from offhook.storage.database import Insert, Statement, Transaction
from offhook.storage.tables import big, metadata, text

offices = Table(
    "offices",
    metadata,
    big("id", primary_key=True, autoincrement=False),
    big("tenant_id"),
    text("state"),
    big("is_primary"),
    big("version"),
    big("created_at"),
    big("updated_at"),
    text("document"),
    text("days", server_default=sql_text("'[]'")),
    Index(
        None,
        "tenant_id",
        "id",
        sqlite_where=sql_text("state <> 'deleted'"),
        postgresql_where=sql_text("state <> 'deleted'"),
    ),
)
primary_offices = Table(
    "primary_offices",
    metadata,
    big("tenant_id", primary_key=True, autoincrement=False),
    big("office_id"),
    big("office_version"),
    big("office_count"),
)
pointers = Table(
    "office_pointers",
    metadata,
    big("tenant_id", primary_key=True),
    big("office_id", primary_key=True),
    text("place", primary_key=True),
    text("target_type"),
    big("target_id"),
    Index(None, "tenant_id", "target_type", "target_id"),
)

insert_rows = Insert(
    offices, ["id", "tenant_id", "state", "is_primary", "version", "created_at", "updated_at", "document"]
)
insert_primary = Insert(primary_offices, ["tenant_id", "office_id", "office_version", "office_count"])
_insert_pointers = Insert(pointers, ["tenant_id", "office_id", "place", "target_type", "target_id"])

_COLUMNS = "id, tenant_id, state, is_primary, version, created_at, updated_at, document, days"
_GET = Statement(f"SELECT {_COLUMNS} FROM offices WHERE id = ? AND tenant_id = ? AND state <> 'deleted'")  # noqa: S608
_PAGE = Statement(
    f"SELECT {_COLUMNS} FROM offices WHERE tenant_id = ? AND id > ? AND state <> 'deleted' ORDER BY id LIMIT ?"  # noqa: S608
)
_ACTIVE_PAGE = Statement(
    f"SELECT {_COLUMNS} FROM offices WHERE tenant_id = ? AND id > ? AND state <> 'deleted' AND state = 'active' "  # noqa: S608
    "ORDER BY id LIMIT ?"
)
_PRIMARY = Statement("SELECT office_id, office_version, office_count FROM primary_offices WHERE tenant_id = ?")
_PRIMARY_CHANGED = Statement("UPDATE primary_offices SET office_version = ? WHERE tenant_id = ? AND office_id = ?")
_COUNTED = Statement("UPDATE primary_offices SET office_count = office_count + ? WHERE tenant_id = ?")
_UPDATE = Statement(
    "UPDATE offices SET document = ?, days = ?, version = ?, updated_at = ? "
    "WHERE id = ? AND tenant_id = ? AND version = ? AND state <> 'deleted'"
)
_DELETE = Statement(
    "UPDATE offices SET state = 'deleted', version = version + 1, updated_at = ? "
    "WHERE id = ? AND tenant_id = ? AND state <> 'deleted'"
)
_FORGET_POINTERS = Statement("DELETE FROM office_pointers WHERE tenant_id = ? AND office_id = ?")
_POINTING = Statement(
    "SELECT office_id, place FROM office_pointers WHERE tenant_id = ? AND target_type = ? AND target_id = ? "
    "AND office_id <> ? ORDER BY office_id, place LIMIT 20"
)

_decode_office = msgspec.json.Decoder(Office).decode
_decode_days = msgspec.json.Decoder(list[dict[str, Any]]).decode


def row(stored: Stored, document: str) -> tuple[Any, ...]:
    """A new office as `insert_rows` takes it; `document` is its encoded office."""
    return (
        stored.id,
        stored.tenant_id,
        stored.state,
        int(stored.is_primary),
        stored.version,
        stored.created_at,
        stored.updated_at,
        document,
    )


def _stored(found: Sequence[Any]) -> Stored:
    days = found[8]
    return Stored(
        id=found[0],
        tenant_id=found[1],
        state=found[2],
        is_primary=bool(found[3]),
        version=found[4],
        created_at=found[5],
        updated_at=found[6],
        office=_decode_office(found[7]),
        days=() if days == "[]" else days_from_json(_decode_days(days)),
    )


def get(tx: Transaction, tenant_id: int, office_id: int) -> Stored | None:
    """An office of the tenant, or None if it never was or is deleted."""
    found = tx.first(_GET, office_id, tenant_id)
    return _stored(found) if found else None


def get_many(tx: Transaction, keys: list[tuple[int, int]]) -> list[Stored | None]:
    """The office for each (tenant id, office id)."""
    return [get(tx, tenant_id, office_id) for tenant_id, office_id in keys]


def page(tx: Transaction, tenant_id: int, after: int, limit: int, active_only: bool) -> list[Stored]:
    """Offices of the tenant behind the id `after`, oldest first."""
    rows = tx.all(_ACTIVE_PAGE if active_only else _PAGE, tenant_id, after, limit)
    return [_stored(found) for found in rows]


def primary(tx: Transaction, tenant_id: int) -> tuple[int, int, int] | None:
    """(office id, office version, number of offices) of the tenant's primary office."""
    found = tx.first(_PRIMARY, tenant_id)
    return (found[0], found[1], found[2]) if found else None


def count(tx: Transaction, tenant_id: int, more: int) -> None:
    """Keep the tenant's number of offices."""
    tx.change(_COUNTED, more, tenant_id)


def insert_pointers(tx: Transaction, tenant_id: int, office_id: int, office: Office) -> None:
    """Note what an office's routing points at."""
    rows = [(tenant_id, office_id, place, target.type, target.id) for place, target in office.targets() if target.id]
    if rows:
        _insert_pointers(tx, rows)


def update(tx: Transaction, before: Stored, after: Stored) -> bool:
    """Replace an office; False if somebody else changed it since `before` was read."""
    document = encode(after.office).decode()
    days = encode(days_to_json(after.days)).decode()
    changed = tx.change(
        _UPDATE, document, days, after.version, after.updated_at, after.id, after.tenant_id, before.version
    )
    if changed and after.is_primary:
        tx.change(_PRIMARY_CHANGED, after.version, after.tenant_id, after.id)
    if changed and before.office.targets() != after.office.targets():
        tx.change(_FORGET_POINTERS, after.tenant_id, after.id)
        insert_pointers(tx, after.tenant_id, after.id, after.office)
    return changed == 1


def delete(tx: Transaction, tenant_id: int, office_id: int, at: int) -> bool:
    """Take an office out of every answer; False if it is not there."""
    tx.change(_FORGET_POINTERS, tenant_id, office_id)
    return tx.change(_DELETE, at, office_id, tenant_id) == 1


def pointing_at(tx: Transaction, tenant_id: int, target_type: str, target_id: int, beside: int) -> list[Any]:
    """Up to twenty (office id, place) of other offices whose routing calls a target."""
    return tx.all(_POINTING, tenant_id, target_type, target_id, beside)


def count_of(tx: Transaction, tenant_id: int) -> int:
    """How many offices the tenant has."""
    found = primary(tx, tenant_id)
    return found[2] if found else 0
