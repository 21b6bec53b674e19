"""The only SQL of definitions and policies.

A version points to its text by the SHA-256 of it. Texts are never changed or removed: a run keeps the hash, and goes on
with the very text that it was started with, whatever becomes of the version.
"""

import hashlib
import re
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import Table

from offhook.kit.wire import encode
from offhook.storage.database import Insert, Statement, Transaction
from offhook.storage.documents import Documents, Kept
from offhook.storage.tables import APART, BULKY, big, metadata, text
from offhook.workflows.definitions.adding import Origin
from offhook.workflows.definitions.model import Definition, Policy, converted, without_nulls


class Registered(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A version of a definition. `by` is the name of the key, `source` how it came (sent, imported, task added)."""

    name: str
    number: int
    hash: str
    description: str = ""
    tasks: int = 0
    by: str = ""
    source: str = "sent"
    origins: tuple[Origin, ...] = ()


class RegisteredPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy as it was sent."""

    name: str
    raw: dict[str, Any]
    by: str = ""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A name with its latest version, how many versions there are, and the id of the oldest."""

    id: int
    name: str
    latest: int
    versions: int


def place_of(name: str, number: int) -> str:
    """What is unique of a version."""
    return f"{name}\n{number}"


definitions = Documents(
    "workflow_definitions",
    Registered,
    numbers={"number": lambda one: one.number},
    texts={"name": lambda one: one.name, "place": lambda one: place_of(one.name, one.number)},
    unique=("place",),
)
policies = Documents(
    "workflow_policies", RegisteredPolicy, texts={"name": lambda one: one.name}, unique=("name",), info={APART: True}
)
texts = Table(
    "workflow_texts",
    metadata,
    big("tenant_id", primary_key=True),
    text("hash", primary_key=True),
    big("created_at"),
    text("text"),
    info={APART: True, BULKY: True},
)
_put = Insert(texts, ["tenant_id", "hash", "created_at", "text"])
_TEXT = Statement("SELECT text FROM workflow_texts WHERE tenant_id = ? AND hash = ?")
_KNOWN = Statement("SELECT 1 FROM workflow_texts WHERE tenant_id = ? AND hash = ?")
_ALIVE = "tenant_id = ? AND state <> 'deleted'"
_NAMES = Statement(
    f"SELECT MIN(id), name, MAX(number), COUNT(*) FROM workflow_definitions WHERE {_ALIVE} "  # noqa: S608 - ours
    "AND LOWER(name) LIKE ? ESCAPE '!' "
    "AND name > COALESCE((SELECT name FROM workflow_definitions WHERE tenant_id = ? AND id = ?), '') "
    "GROUP BY name ORDER BY name LIMIT ?"
)
_LATEST = Statement(f"SELECT MAX(number) FROM workflow_definitions WHERE {_ALIVE} AND name = ?")  # noqa: S608


def written(raw: dict[str, Any]) -> tuple[str, str]:
    """A definition's text, and its hash."""
    document = encode(raw)
    return document.decode(), hashlib.sha256(document).hexdigest()


def put_text(tx: Transaction, tenant_id: int, raw: dict[str, Any], at: int) -> str:
    """Keep a definition's text, if it is not kept yet; gives its hash. `at` in milliseconds."""
    document, digest = written(raw)
    if tx.first(_KNOWN, tenant_id, digest) is None:
        _put(tx, [(tenant_id, digest, at, document)])
    return digest


def text_of(tx: Transaction, tenant_id: int, digest: str) -> str | None:
    """The text with this hash."""
    row = tx.first(_TEXT, tenant_id, digest)
    return None if row is None else str(row[0])


def raw_of(tx: Transaction, tenant_id: int, digest: str) -> dict[str, Any] | None:
    """The same as a value."""
    document = text_of(tx, tenant_id, digest)
    return None if document is None else msgspec.json.decode(document)


def by_hash(tx: Transaction, tenant_id: int, digest: str) -> Definition | None:
    """The definition whose text has this hash: what a run was started with; None if the company has none."""
    document = text_of(tx, tenant_id, digest)
    return None if document is None else _read(document)


@lru_cache(maxsize=256)
def _read(document: str) -> Definition:
    return converted(msgspec.json.decode(document))


def version(tx: Transaction, tenant_id: int, name: str, number: int | None) -> Kept[Registered] | None:
    """A version of a definition, the latest for None."""
    if number is None:
        row = tx.first(_LATEST, tenant_id, name)
        if row is None or row[0] is None:
            return None
        number = int(row[0])
    return definitions.first(tx, tenant_id, place=place_of(name, number))


def definition_for(
    tx: Transaction, tenant_id: int, name: str, number: int | None = None
) -> tuple[str, int, Definition] | None:
    """What a new run takes: the text's hash, the version's number, and the definition. None: the latest version."""
    kept = version(tx, tenant_id, name, number)
    if kept is None:
        return None
    definition = by_hash(tx, tenant_id, kept.value.hash)
    return None if definition is None else (kept.value.hash, kept.value.number, definition)


def versions(tx: Transaction, tenant_id: int, name: str) -> list[Kept[Registered]]:
    """All versions of a definition, the latest first."""
    return sorted(definitions.all(tx, tenant_id, name=name), key=lambda kept: -kept.value.number)


def names(tx: Transaction, tenant_id: int, after: int, limit: int, part: str = "") -> list[Listed]:
    """The names that have `part` in them, in their order, behind the name whose first version has the id `after`."""
    wanted = re.sub("[!%_]", r"!\g<0>", part.lower())
    rows = tx.all(_NAMES, tenant_id, f"%{wanted}%", tenant_id, after, limit)
    return [Listed(id=row[0], name=row[1], latest=row[2], versions=row[3]) for row in rows]


def policy(tx: Transaction, tenant_id: int, name: str) -> Policy | None:
    """The policy that is registered by this name."""
    kept = policies.first(tx, tenant_id, name=name)
    return None if kept is None else policy_of(kept.value)


def all_policies(tx: Transaction, tenant_id: int) -> dict[str, Policy]:
    """All that are registered, by name."""
    return {kept.value.name: policy_of(kept.value) for kept in policies.all(tx, tenant_id)}


def policy_of(kept: RegisteredPolicy) -> Policy:
    """A policy as it is understood."""
    return msgspec.convert(without_nulls(kept.raw), Policy, strict=False)
