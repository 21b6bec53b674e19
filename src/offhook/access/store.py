"""The only SQL of access: companies, tenants, API keys, sessions of the console, idempotency records."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Column, Index, LargeBinary, Table, UniqueConstraint

from offhook.access.model import Company, Environment, Key
from offhook.storage.database import Insert, Statement, Transaction
from offhook.storage.tables import big, metadata, text

companies = Table(
    "companies",
    metadata,
    big("id", primary_key=True, autoincrement=False),
    text("name"),
    text("country"),
    text("domain"),
    text("account_type"),
    text("admin_email"),
    text("state"),
    big("anchor_day"),
    big("created_at"),
)
tenants = Table(
    "tenants",
    metadata,
    big("id", primary_key=True, autoincrement=False),
    big("company_id"),
    text("environment"),
    UniqueConstraint("company_id", "environment"),
)
api_keys = Table(
    "api_keys",
    metadata,
    big("id", primary_key=True, autoincrement=False),
    big("tenant_id"),
    text("name"),
    text("prefix"),
    Column("digest", LargeBinary, nullable=False, unique=True),
    text("scopes"),
    big("created_at"),
    big("expires_at", nullable=True),
    big("revoked_at", nullable=True),
    big("last_used_at", nullable=True),
    big("user_id", nullable=True),
    Index(None, "tenant_id", "id"),
)
sessions = Table(
    "sessions",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    big("key_id"),
    big("expires_at"),
    Index(None, "expires_at"),
)
idempotency = Table(
    "idempotency",
    metadata,
    big("id", primary_key=True, autoincrement=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("fingerprint", LargeBinary, nullable=False),
    big("kept_at"),
    text("warnings"),
    text("body"),
)

insert_company = Insert(companies, [c.name for c in companies.columns])
insert_tenant = Insert(tenants, ["id", "company_id", "environment"])
insert_key = Insert(
    api_keys, ["id", "tenant_id", "name", "prefix", "digest", "scopes", "created_at", "expires_at", "user_id"]
)
insert_session = Insert(sessions, ["digest", "key_id", "expires_at"])
insert_replies = Insert(idempotency, ["id", "digest", "fingerprint", "kept_at", "warnings", "body"])

_COMPANY = Statement("SELECT * FROM companies WHERE id = ?")
_COMPANIES = Statement("SELECT * FROM companies ORDER BY id LIMIT 1000")
_TENANT = Statement("SELECT id FROM tenants WHERE company_id = ? AND environment = ?")
_TENANTS = Statement("SELECT id, company_id, environment FROM tenants WHERE company_id = ?")
_KEY_COLUMNS = (
    "SELECT k.id, k.tenant_id, t.company_id, t.environment, k.name, k.prefix, k.scopes, k.created_at, k.expires_at, "
    "k.revoked_at, k.last_used_at, k.user_id FROM api_keys k JOIN tenants t ON t.id = k.tenant_id "
)
_KEY_BY_DIGEST = Statement(_KEY_COLUMNS + "WHERE k.digest = ?")
_KEY = Statement(_KEY_COLUMNS + "WHERE t.company_id = ? AND k.id = ?")
_KEYS = Statement(_KEY_COLUMNS + "WHERE t.company_id = ? ORDER BY k.id")
_KEYS_OF_USER = Statement(
    _KEY_COLUMNS + "WHERE k.tenant_id = ? AND k.user_id = ? AND k.revoked_at IS NULL ORDER BY k.id"
)
_GOOD = Statement(
    "SELECT id FROM api_keys WHERE tenant_id = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)"
)
_REVOKE = Statement("UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL")
_USED = Statement("UPDATE api_keys SET last_used_at = ? WHERE id = ? AND coalesce(last_used_at, 0) < ?")
_SESSION = Statement(
    "SELECT k.digest, c.name, s.expires_at FROM sessions s JOIN api_keys k ON k.id = s.key_id "
    "JOIN tenants t ON t.id = k.tenant_id JOIN companies c ON c.id = t.company_id WHERE s.digest = ?"
)
_END_SESSION = Statement("DELETE FROM sessions WHERE digest = ?")
_FORGET_SESSIONS = Statement("DELETE FROM sessions WHERE expires_at <= ?")
_REPLY = Statement("SELECT fingerprint, warnings, body, kept_at FROM idempotency WHERE digest = ?")
_FORGET_REPLY = Statement("DELETE FROM idempotency WHERE digest = ?")
_FORGET = Statement("DELETE FROM idempotency WHERE id IN (SELECT id FROM idempotency WHERE id < ? ORDER BY id LIMIT ?)")


def tenancy(tx: Transaction, company_id: int) -> dict[Table, list[tuple[Any, ...]]]:
    """The rows of a company itself and of its environments, as their tables have them."""
    asked = ((companies, _COMPANY), (tenants, _TENANTS))
    return {table: [tuple(row) for row in tx.all(statement, company_id)] for table, statement in asked}


def company(tx: Transaction, company_id: int) -> Company | None:
    row = tx.first(_COMPANY, company_id)
    return Company(*row) if row else None


def all_companies(tx: Transaction) -> list[Company]:
    """The first thousand companies, oldest first."""
    return [Company(*row) for row in tx.all(_COMPANIES)]


def tenant_id(tx: Transaction, company_id: int, environment: Environment) -> int | None:
    row = tx.first(_TENANT, company_id, environment)
    return row[0] if row else None


def _key(row: Sequence[Any]) -> Key:
    scopes = tuple(msgspec.json.decode(row[6], type=list[str]))
    return Key(row[0], row[1], row[2], row[3], row[4], row[5], scopes, row[7], row[8], row[9], row[10], row[11])


def keys_by_digest(tx: Transaction, digests: list[bytes]) -> list[Key | None]:
    """The key behind each digest, revoked and expired ones included."""
    return [_key(row) if (row := tx.first(_KEY_BY_DIGEST, digest)) else None for digest in digests]


def key(tx: Transaction, company_id: int, key_id: int) -> Key | None:
    row = tx.first(_KEY, company_id, key_id)
    return _key(row) if row else None


def keys(tx: Transaction, company_id: int) -> list[Key]:
    """All keys of a company, in both environments, oldest first."""
    return [_key(row) for row in tx.all(_KEYS, company_id)]


def keys_of_user(tx: Transaction, tenant_id: int, user_id: int) -> list[Key]:
    """The keys bound to a user that are not revoked, oldest first."""
    return [_key(row) for row in tx.all(_KEYS_OF_USER, tenant_id, user_id)]


def good_keys(tx: Transaction, tenant_id: int, at: int) -> set[int]:
    """The ids of the keys of a company's environment that are good at `at`, in milliseconds."""
    return {row[0] for row in tx.all(_GOOD, tenant_id, at)}


def revoke(tx: Transaction, key_id: int, at: int) -> bool:
    """Whether the key was still good before."""
    return tx.change(_REVOKE, at, key_id) == 1


def mark_used(tx: Transaction, uses: Sequence[tuple[int, int]]) -> None:
    """Record last uses, as (key id, milliseconds)."""
    for key_id, at in uses:
        tx.change(_USED, at, key_id, at)


def sessions_by_digest(tx: Transaction, digests: list[bytes]) -> list[tuple[bytes, str, int] | None]:
    """(digest of its key, name of the company, end in milliseconds) of the session behind each digest, or None."""
    rows = (tx.first(_SESSION, digest) for digest in digests)
    return [(bytes(row[0]), row[1], row[2]) if row else None for row in rows]


def end_session(tx: Transaction, digest: bytes) -> None:
    tx.change(_END_SESSION, digest)


def forget_sessions(tx: Transaction, at: int) -> None:
    """Drop the sessions that ended by `at`, in milliseconds."""
    tx.change(_FORGET_SESSIONS, at)


def reply(tx: Transaction, digest: bytes) -> tuple[bytes, str, str, int] | None:
    """(fingerprint, warnings, body, kept at) of a create that was answered, or None."""
    row = tx.first(_REPLY, digest)
    return (bytes(row[0]), row[1], row[2], row[3]) if row else None


def forget_reply(tx: Transaction, digest: bytes) -> None:
    tx.change(_FORGET_REPLY, digest)


def forget_replies(tx: Transaction, before_id: int, at_most: int) -> int:
    """Drop up to `at_most` records with ids under `before_id`; gives how many."""
    return tx.change(_FORGET, before_id, at_most)
