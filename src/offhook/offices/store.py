"""The only SQL of offices. What queries look at are columns; the office itself is one JSON document beside them.

A deleted office keeps its row, out of every index and answer, so that what once pointed at its id can be explained.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Index, Table
from sqlalchemy import text as sql_text

from offhook.directory import pointers
from offhook.directory.lines.model import Target, days_from_json, days_to_json
from offhook.directory.offices import OfficeCard
from offhook.kit.wire import encode
from offhook.offices.model import Office, Stored
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

insert_rows = Insert(
    offices, ["id", "tenant_id", "state", "is_primary", "version", "created_at", "updated_at", "document"]
)
insert_primary = Insert(primary_offices, ["tenant_id", "office_id", "office_version", "office_count"])

_COLUMNS = "id, tenant_id, state, is_primary, version, created_at, updated_at, document, days"
_GET = Statement(f"SELECT {_COLUMNS} FROM offices WHERE id = ? AND tenant_id = ? AND state <> 'deleted'")  # noqa: S608
_NAMED = Statement(
    "SELECT id FROM offices WHERE tenant_id = ? AND state <> 'deleted' AND substr(document, 1, length(?)) = ? "
    "ORDER BY id LIMIT 1"
)
_EXISTS = Statement("SELECT 1 FROM offices WHERE id = ? AND tenant_id = ? AND state <> 'deleted'")
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
_decode_office = msgspec.json.Decoder(Office).decode
_decode_days = msgspec.json.Decoder(list[dict[str, Any]]).decode


SEARCHED = 2000
"""Offices that one search looks at: about 30 ms of a reader's time."""

_PART = 200


class Found(NamedTuple):
    """Offices that were searched for, and the id to go on behind; None if there are no more to look at."""

    offices: list[Stored]
    last: int | None


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


def named(tx: Transaction, tenant_id: int, name: str) -> int | None:
    """The id of the first office that is called exactly so; reads all offices of the tenant, as names have no index."""
    # The name is what a document begins with.
    beginning = f'{{"name":{encode(name).decode()},'
    found = tx.first(_NAMED, tenant_id, beginning, beginning)
    return found[0] if found is not None else None


def get(tx: Transaction, tenant_id: int, office_id: int) -> Stored | None:
    """An office of the tenant, or None if it never was or is deleted."""
    found = tx.first(_GET, office_id, tenant_id)
    return _stored(found) if found else None


def exists(tx: Transaction, tenant_id: int, office_id: int) -> bool:
    """Whether the tenant has the office."""
    return tx.first(_EXISTS, office_id, tenant_id) is not None


def get_many(tx: Transaction, keys: list[tuple[int, int]]) -> list[Stored | None]:
    """The office for each (tenant id, office id)."""
    return [get(tx, tenant_id, office_id) for tenant_id, office_id in keys]


def page(tx: Transaction, tenant_id: int, after: int, limit: int, active_only: bool) -> list[Stored]:
    """Offices of the tenant behind the id `after`, oldest first."""
    rows = tx.all(_ACTIVE_PAGE if active_only else _PAGE, tenant_id, after, limit)
    return [_stored(found) for found in rows]


def search(tx: Transaction, tenant_id: int, after: int, limit: int, active_only: bool, text: str) -> Found:
    """The same for offices whose name holds `text`, in capitals or not; looks at `SEARCHED` offices at most."""
    wanted, found = text.casefold(), list[Stored]()
    for _ in range(SEARCHED // _PART):
        part = page(tx, tenant_id, after, _PART, active_only)
        for stored in part:
            after = stored.id
            if wanted in stored.office.name.casefold():
                found.append(stored)
                if len(found) == limit:
                    return Found(found, after)
        if len(part) < _PART:
            return Found(found, None)
    return Found(found, after)


def primary(tx: Transaction, tenant_id: int) -> tuple[int, int, int] | None:
    """(office id, office version, number of offices) of the tenant's primary office."""
    found = tx.first(_PRIMARY, tenant_id)
    return (found[0], found[1], found[2]) if found else None


def count(tx: Transaction, tenant_id: int, more: int) -> None:
    """Keep the tenant's number of offices."""
    tx.change(_COUNTED, more, tenant_id)


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
        pointers.replace(tx, after.tenant_id, Target("office", after.id), after.office.targets())
    return changed == 1


def delete(tx: Transaction, tenant_id: int, office_id: int, at: int) -> bool:
    """Take an office out of every answer; False if it is not there."""
    return tx.change(_DELETE, at, office_id, tenant_id) == 1


def card(tx: Transaction, tenant_id: int, office_id: int) -> OfficeCard | None:
    """An office as the directory sees it, or None."""
    stored = get(tx, tenant_id, office_id)
    if stored is None:
        return None
    office = stored.office
    return OfficeCard(
        id=stored.id,
        name=office.name,
        country=office.country,
        timezone=office.timezone,
        currency=office.currency,
        state=stored.state,
        is_primary=stored.is_primary,
        main_line=office.mainline_number,
        phone_numbers=office.phone_numbers,
        e911_address=office.e911_address,
        days=stored.days,
    )


def count_of(tx: Transaction, tenant_id: int) -> int:
    """How many offices the tenant has."""
    found = primary(tx, tenant_id)
    return found[2] if found else 0
