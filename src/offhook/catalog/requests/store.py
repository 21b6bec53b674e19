"""Where saved requests and their versions are kept."""

import msgspec
from sqlalchemy import Table

from offhook.catalog.requests.saved import Saved, Version
from offhook.kit.wire import encode
from offhook.storage.database import Insert, Statement, Transaction
from offhook.storage.documents import Documents
from offhook.storage.tables import APART, BULKY, HISTORY, big, metadata, text

MOST_VERSIONS = 50

saved = Documents(
    "saved_requests",
    Saved,
    texts={
        "place": lambda one: f"{one.collection}\n{one.name}",
        "collection": lambda one: one.collection,
        "api": lambda one: one.request.api,
        "operation": lambda one: one.request.operation,
    },
    unique=("place",),
    info={APART: True, BULKY: True},
)
versions = Table(
    "saved_request_versions",
    metadata,
    big("tenant_id", primary_key=True),
    big("request_id", primary_key=True),
    big("version", primary_key=True),
    big("at"),
    text("actor"),
    text("document"),
    info={HISTORY: True, BULKY: True},
)
_put = Insert(versions, ["tenant_id", "request_id", "version", "at", "actor", "document"])
_ALL = Statement(
    "SELECT version, at, actor, document FROM saved_request_versions WHERE tenant_id = ? AND request_id = ? "
    "ORDER BY version DESC"
)
_ONE = Statement(
    "SELECT version, at, actor, document FROM saved_request_versions "
    "WHERE tenant_id = ? AND request_id = ? AND version = ?"
)
_OLD = Statement("DELETE FROM saved_request_versions WHERE tenant_id = ? AND request_id = ? AND version <= ?")
_COLLECTIONS = Statement(
    "SELECT collection, COUNT(*) FROM saved_requests WHERE tenant_id = ? AND state <> 'deleted' "
    "GROUP BY collection ORDER BY collection"
)
_decode = msgspec.json.Decoder(Saved).decode


def put_version(tx: Transaction, tenant_id: int, request_id: int, kept: Version) -> None:
    """Keep a version; the oldest beyond fifty go."""
    document = encode(kept.saved).decode()
    _put(tx, [(tenant_id, request_id, kept.version, kept.at, kept.by, document)])
    tx.change(_OLD, tenant_id, request_id, kept.version - MOST_VERSIONS)


def all_versions(tx: Transaction, tenant_id: int, request_id: int) -> list[Version]:
    """The versions that are kept, the newest first."""
    return [_version(row) for row in tx.all(_ALL, tenant_id, request_id)]


def version(tx: Transaction, tenant_id: int, request_id: int, number: int) -> Version | None:
    """One of them, or None."""
    row = tx.first(_ONE, tenant_id, request_id, number)
    return _version(row) if row else None


def forget_versions(tx: Transaction, tenant_id: int, request_id: int) -> None:
    """Drop all versions of a request."""
    tx.change(_OLD, tenant_id, request_id, 2**62)


def collections(tx: Transaction, tenant_id: int) -> list[tuple[str, int]]:
    """The names of the collections, with how many requests are in each."""
    return [(str(row[0]), int(row[1])) for row in tx.all(_COLLECTIONS, tenant_id)]


def _version(row: tuple[int, int, str, str]) -> Version:
    return Version(version=row[0], at=row[1], by=row[2], saved=_decode(row[3]))
