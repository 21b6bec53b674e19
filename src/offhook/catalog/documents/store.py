"""The only SQL of API documents: each with its versions, and these cut into operations and pieces.

A version is never read whole again: lists and the search read its operations, a page reads the pieces that it needs.
Every key begins with the tenant id; the built-in documents are those of tenant 0.
"""

import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import Column, Index, LargeBinary, Table
from sqlalchemy import text as sql_text

from offhook.catalog.model import Head, Problem
from offhook.kit.errors import Conflict, shown
from offhook.storage.database import Insert, Statement, Transaction
from offhook.storage.tables import APART, BULKY, big, metadata, text

BUILT_IN = 0
"""The tenant whose documents everybody sees and nobody changes."""

DESCRIPTION_LIMIT = 500
"""Characters of an operation's description that lists and the search have; the page reads the whole."""

WORDS_LIMIT = 4000
"""Characters of an operation's words that the search has."""

PROBLEMS_LIMIT = 500
"""Problems of a version that are kept; a last one says how many there were besides."""

_ALIVE = "state <> 'deleted'"

documents = Table(
    "api_documents",
    metadata,
    big("tenant_id", primary_key=True),
    big("id", primary_key=True, autoincrement=False),
    text("name"),
    text("title"),
    text("state"),
    big("number"),
    big("created_at"),
    big("updated_at"),
    text("address"),
    Index(
        "uq_api_documents_name",
        "tenant_id",
        "name",
        unique=True,
        sqlite_where=sql_text(_ALIVE),
        postgresql_where=sql_text(_ALIVE),
    ),
    info={APART: True},
)
# The large column stands last: what is before it is read without it.
versions = Table(
    "api_versions",
    metadata,
    big("tenant_id", primary_key=True),
    big("document_id", primary_key=True, autoincrement=False),
    big("number", primary_key=True, autoincrement=False),
    big("id"),
    big("created_at"),
    text("made_by"),
    text("kind"),
    text("title"),
    text("api_version"),
    text("digest"),
    text("problems"),
    big("operations"),
    Column("source", LargeBinary, nullable=False),
    Index("uq_api_versions_id", "tenant_id", "id", unique=True),
    info={APART: True, BULKY: True},
)
pieces = Table(
    "api_pieces",
    metadata,
    big("tenant_id", primary_key=True),
    big("version_id", primary_key=True, autoincrement=False),
    text("pointer", primary_key=True),
    Column("value", LargeBinary, nullable=False),
    info={APART: True},
)
operations = Table(
    "api_operations",
    metadata,
    big("tenant_id", primary_key=True),
    big("version_id", primary_key=True, autoincrement=False),
    big("seq", primary_key=True, autoincrement=False),
    text("key"),
    text("method"),
    text("path"),
    text("pointer"),
    text("summary"),
    text("tags"),
    big("deprecated"),
    text("description"),
    text("words"),
    Index("uq_api_operations_key", "tenant_id", "version_id", "key", unique=True),
    info={APART: True},
)


class Api(msgspec.Struct, frozen=True, kw_only=True):
    """A document of a company. Moments are milliseconds since 1970 UTC.

    `name` is a slug, unique among the tenant's documents; `number` is its current version's; `address` is where it came
    from, without credentials, or "". `cut` says that something was taken off it, so that it may not lead there.
    """

    tenant_id: int
    id: int
    name: str
    title: str
    state: str = "active"
    number: int = 1
    created_at: int
    updated_at: int
    address: str = ""
    cut: bool = False


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a document: `kind` is what it was written in ("openapi 3.0"), `digest` that of its source."""

    id: int
    document_id: int
    number: int
    created_at: int
    made_by: str
    kind: str
    title: str
    api_version: str
    digest: str
    problems: tuple[Problem, ...] = ()
    operations: int = 0


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What a version holds: the text it came as, its operations in order, and its tree cut into pieces.

    A piece is its pointer, and its value or the JSON of that as bytes.
    """

    source: bytes
    heads: Iterable[Head]
    pieces: Iterable[tuple[str, Any]]


class Current(msgspec.Struct, frozen=True, kw_only=True):
    """A document as the search follows it: its current version, and what of the document stands in the results."""

    tenant_id: int
    version_id: int
    name: str
    title: str


_API = ("tenant_id", "id", "name", "title", "state", "number", "created_at", "updated_at", "address")
_VERSION = tuple(column.name for column in versions.columns if column.name not in ("tenant_id", "source"))
_HEAD = ("key", "method", "path", "pointer", "summary", "tags", "deprecated", "description", "words")

_insert_document = Insert(documents, _API)
_insert_version = Insert(versions, ("tenant_id", *_VERSION, "source"))
_insert_pieces = Insert(pieces, ("tenant_id", "version_id", "pointer", "value"))
_insert_operations = Insert(operations, ("tenant_id", "version_id", "seq", *_HEAD))


def _select(columns: Iterable[str], table: Table, where: str) -> Statement:
    return Statement(f"SELECT {', '.join(columns)} FROM {table.name} WHERE tenant_id = ? AND {where}")  # noqa: S608


_by_id = _select(_API, documents, f"id = ? AND {_ALIVE}")
_by_name = _select(_API, documents, f"name = ? AND {_ALIVE}")
_page = _select(_API, documents, f"id > ? AND {_ALIVE} ORDER BY id LIMIT ?")
_update = Statement(
    "UPDATE api_documents SET name = ?, title = ?, state = ?, number = ?, updated_at = ?, address = ? "
    "WHERE tenant_id = ? AND id = ?"
)
_versions = _select(_VERSION, versions, "document_id = ? ORDER BY number DESC")
_version = _select(_VERSION, versions, "document_id = ? AND number = ?")
_older = _select(("id",), versions, "document_id = ? AND number < ?")
_source = _select(("source",), versions, "id = ?")
_piece = _select(("value",), pieces, "version_id = ? AND pointer = ?")
_pointers = _select(("pointer",), pieces, "version_id = ? ORDER BY pointer")
_heads = _select(("seq", *_HEAD), operations, "version_id = ? AND seq > ? ORDER BY seq LIMIT ?")
_head = _select(_HEAD, operations, "version_id = ? AND key = ?")
_drop_version = Statement("DELETE FROM api_versions WHERE tenant_id = ? AND id = ?")
_drop_pieces = Statement("DELETE FROM api_pieces WHERE tenant_id = ? AND version_id = ?")
_drop_operations = Statement("DELETE FROM api_operations WHERE tenant_id = ? AND version_id = ?")
# Of all tenants at once: what the search follows the store by.
_current = Statement(
    "SELECT d.tenant_id, v.id, d.name, d.title FROM api_documents d JOIN api_versions v "
    "ON v.tenant_id = d.tenant_id AND v.document_id = d.id AND v.number = d.number WHERE d.state <> 'deleted'"
)

# Documents


def create(tx: Transaction, api: Api, version: Version, content: Content) -> Api:
    """Keep a new document with its first version; gives it as it is kept. Conflict if its name is taken."""
    if named(tx, api.tenant_id, api.name) is not None:
        raise Conflict(f"An API document is called {shown(api.name)} already; choose another name, or import it anew.")
    kept = msgspec.structs.replace(api, number=version.number, title=_legible(api.title), address=_legible(api.address))
    values = msgspec.structs.asdict(kept) | {"address": _address(kept)}
    _insert_document(tx, [tuple(values[name] for name in _API)])
    _keep(tx, api.tenant_id, version, content)
    return kept


def add(tx: Transaction, api: Api, version: Version, content: Content) -> Api:
    """Keep a further version of a document that there is, as its current one."""
    kept = msgspec.structs.replace(api, number=version.number, title=_legible(api.title), address=_legible(api.address))
    update(tx, kept)
    _keep(tx, api.tenant_id, version, content)
    return kept


def update(tx: Transaction, api: Api) -> None:
    """Replace what is known of a document: name, title, state, current number, moment of change and address."""
    values = (api.name, _legible(api.title), api.state, api.number, api.updated_at, _legible(_address(api)))
    tx.change(_update, *values, api.tenant_id, api.id)


def get(tx: Transaction, tenant_id: int, id: int) -> Api | None:
    """A document of the tenant, or None if it never was or is deleted."""
    row = tx.first(_by_id, tenant_id, id)
    return _read(row) if row else None


def named(tx: Transaction, tenant_id: int, name: str) -> Api | None:
    """The tenant's document of that name, or None."""
    row = tx.first(_by_name, tenant_id, _fit(name))
    return _read(row) if row else None


def page(tx: Transaction, tenant_id: int, after: int, limit: int) -> list[Api]:
    """Documents behind the id `after`, oldest first."""
    return [_read(row) for row in tx.all(_page, tenant_id, after, limit)]


def _address(api: Api) -> str:
    # No address is kept with a fragment, so that one without a text can be the mark.
    return f"{api.address}#" if api.cut else api.address


def _read(row: Sequence[Any]) -> Api:
    values = dict(zip(_API, row, strict=True))
    address = str(values["address"])
    return Api(**values | {"address": address.removesuffix("#"), "cut": address.endswith("#")})


def delete(tx: Transaction, api: Api, at: int) -> None:
    """Delete a document with all that its versions hold; its name is free again. `at` in milliseconds."""
    for version in history(tx, api.tenant_id, api.id):
        _drop(tx, api.tenant_id, version.id)
    update(tx, msgspec.structs.replace(api, state="deleted", updated_at=at))


def current(tx: Transaction) -> list[Current]:
    """The current version of every document of every tenant; for the search, which keeps them apart itself."""
    rows = tx.all(_current)
    return [Current(tenant_id=row[0], version_id=row[1], name=row[2], title=row[3]) for row in rows]


# Versions


def history(tx: Transaction, tenant_id: int, document_id: int) -> list[Version]:
    """The versions of a document that are kept, newest first."""
    return [_read_version(row) for row in tx.all(_versions, tenant_id, document_id)]


def version(tx: Transaction, tenant_id: int, document_id: int, number: int) -> Version | None:
    """A version by its number, or None if there never was one or it is kept no longer."""
    row = tx.first(_version, tenant_id, document_id, number)
    return _read_version(row) if row else None


def source(tx: Transaction, tenant_id: int, version_id: int) -> bytes | None:
    """The text that a version came as, or None if there is no such version."""
    row = tx.first(_source, tenant_id, version_id)
    return zlib.decompress(row[0]) if row else None


def keep_last(tx: Transaction, api: Api, count: int) -> int:
    """Drop all versions of a document but the last `count`, at least one, by number; gives how many went."""
    older = [row[0] for row in tx.all(_older, api.tenant_id, api.id, api.number - max(count, 1) + 1)]
    for version_id in older:
        _drop(tx, api.tenant_id, version_id)
    return len(older)


def _drop(tx: Transaction, tenant_id: int, version_id: int) -> None:
    for statement in (_drop_operations, _drop_pieces, _drop_version):
        tx.change(statement, tenant_id, version_id)


def _keep(tx: Transaction, tenant_id: int, version: Version, content: Content) -> None:
    count = 0
    for part in _parts(enumerate(content.heads, 1), 1000):
        _insert_operations(tx, [(tenant_id, version.id, seq, *_written(head)) for seq, head in part])
        count += len(part)
    for packed in _packed(content.pieces):
        _insert_pieces(tx, [(tenant_id, version.id, pointer, value) for pointer, value in packed])
    problems = version.problems
    if len(problems) > PROBLEMS_LIMIT:
        left = f"There are {len(problems) - PROBLEMS_LIMIT + 1:,} more problems, which are not listed."
        problems = (*problems[: PROBLEMS_LIMIT - 1], Problem("", left))
    row = msgspec.structs.asdict(version) | {"problems": _json(problems), "operations": count}
    texts = (_legible(value) if isinstance(value, str) else value for value in (row[name] for name in _VERSION))
    _insert_version(tx, [(tenant_id, *texts, zlib.compress(content.source))])


def _read_version(row: Any) -> Version:
    values = dict(zip(_VERSION, row, strict=True))
    problems = msgspec.convert(json.loads(values.pop("problems")), tuple[Problem, ...])
    return Version(**values, problems=problems)


# Operations


def heads(tx: Transaction, tenant_id: int, version_id: int, after: int, limit: int) -> list[tuple[int, Head]]:
    """Operations behind the place `after` in the order of the document, each with its place, from 1."""
    return [(row[0], _read_head(row[1:])) for row in tx.all(_heads, tenant_id, version_id, after, limit)]


def head(tx: Transaction, tenant_id: int, version_id: int, key: str) -> Head | None:
    """An operation by its key, or None."""
    row = tx.first(_head, tenant_id, version_id, _fit(key))
    return _read_head(row) if row else None


def _written(head: Head) -> tuple[Any, ...]:
    return (
        _fit(head.key),
        head.method,
        _legible(head.path),
        _fit(head.pointer),
        _legible(head.summary),
        _json(head.tags),
        int(head.deprecated),
        _legible(head.description[:DESCRIPTION_LIMIT]),
        _legible("\n".join(_within(head.words, WORDS_LIMIT))),
    )


def _read_head(row: Any) -> Head:
    values = dict(zip(_HEAD, row, strict=True))
    return Head(
        **values
        | {
            "pointer": _unfit(values["pointer"]),
            "tags": tuple(json.loads(values["tags"])),
            "deprecated": bool(values["deprecated"]),
            "words": tuple(values["words"].split("\n")) if values["words"] else (),
        }
    )


def _within(words: Iterable[str], limit: int) -> Iterator[str]:
    """As many words as `limit` characters hold."""
    for word in words:
        limit -= len(word) + 1
        if limit < 0:
            return
        yield word


# Pieces


def piece(tx: Transaction, tenant_id: int, version_id: int, pointer: str) -> Any:
    """The piece that was cut at a pointer; KeyError if none was."""
    row = tx.first(_piece, tenant_id, version_id, _place(pointer))
    if row is None:
        raise KeyError(pointer)
    return json.loads(zlib.decompress(row[0]))


def pointers(tx: Transaction, tenant_id: int, version_id: int) -> list[str]:
    """Where the pieces of a version were cut, in order; of what is very long, its beginning and a digest."""
    return [_unfit(row[0]) for row in tx.all(_pointers, tenant_id, version_id)]


_ROWS_AT_ONCE, _BYTES_AT_ONCE = 1000, 4_000_000
_LONGEST_PLACE = 500


def _packed(cut: Iterable[tuple[str, Any]]) -> Iterator[list[tuple[str, bytes]]]:
    """Pieces as they are kept, as many at once as take little memory."""
    batch: list[tuple[str, bytes]] = []
    size = 0
    for pointer, value in cut:
        packed = zlib.compress(value if isinstance(value, bytes) else _json(value).encode(), 3)
        batch.append((_place(pointer), packed))
        size += len(packed)
        if len(batch) >= _ROWS_AT_ONCE or size >= _BYTES_AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _place(pointer: str) -> str:
    """A pointer as a piece is found by it. A long one is its beginning, ~3 and its digest: no index takes it whole."""
    fitting = _fit(pointer)
    if len(fitting) <= _LONGEST_PLACE:
        return fitting
    return f"{fitting[:400]}~3{hashlib.sha256(fitting.encode()).hexdigest()}"


def _parts(items: Iterable[Any], count: int) -> Iterator[list[Any]]:
    remaining = iter(items)
    while part := list(islice(remaining, count)):
        yield part


# Texts

_UNFIT = re.compile("[\0\ud800-\udfff]")
_FITTED = re.compile("~2([0-9a-f]{4})")


def _fit(text: str) -> str:
    """`text` with what a store cannot hold (NUL, halves of surrogate pairs) written as ~2 and four hex digits.

    In a JSON pointer, ~ is followed by 0 or 1 only, so there it can be told apart.
    """
    return _UNFIT.sub(lambda found: f"~2{ord(found.group()):04x}", text)


def _legible(text: str) -> str:
    """`text` that people read with U+FFFD for what a store cannot hold; that a document has such is a problem of it."""
    return _UNFIT.sub("\N{REPLACEMENT CHARACTER}", text)


def _unfit(pointer: str) -> str:
    return _FITTED.sub(lambda found: chr(int(found[1], 16)), pointer)


def _json(value: Any) -> str:
    """JSON in ASCII, which both stores hold whatever it says."""
    return json.dumps(msgspec.to_builtins(value) if isinstance(value, tuple) else value, separators=(",", ":"))
