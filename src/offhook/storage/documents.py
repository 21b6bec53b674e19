"""Tables whose rows are one JSON document with the columns beside it that queries look at.

Most subjects are kept so. All their SQL is made here, once, from the columns that a subject names, and none of it runs
without a tenant id: a query that could forget it cannot be written. A deleted row stays, out of every index and answer.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import Column, Index, Table
from sqlalchemy import text as sql_text

from offhook.kit.wire import encode
from offhook.storage.database import Insert, Statement, Transaction, in_parts
from offhook.storage.tables import big, metadata, text

T = TypeVar("T")

_FIXED = ("id", "tenant_id", "state", "version", "created_at", "updated_at", "document")
_ALIVE = "state <> 'deleted'"
_LIKE = re.compile(r"[!%_]")


class Kept(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A document with what the store knows of it. Moments are milliseconds since 1970 UTC."""

    id: int
    tenant_id: int
    value: T
    state: str = "active"
    version: int = 1
    created_at: int
    updated_at: int


class Documents(Generic[T]):
    """One table of documents of the struct `kind`.

    `numbers` and `texts` are further columns, each with the function that computes it from a document; they can be
    filtered by. Those in `unique` are unique within a tenant among rows that are not deleted; 0 and "" are no value.
    `by_state` are further indexes, over deleted rows too: by the state and these columns. `info` is of tables.py.
    """

    def __init__(
        self,
        name: str,
        kind: type[T],
        *,
        numbers: Mapping[str, Callable[[T], int]] | None = None,
        texts: Mapping[str, Callable[[T], str]] | None = None,
        unique: Sequence[str] = (),
        by_state: Sequence[Sequence[str]] = (),
        info: Mapping[str, bool] | None = None,
    ) -> None:
        numbers, texts = numbers or {}, texts or {}
        self._derive: dict[str, Callable[[T], Any]] = {**numbers, **texts}
        columns: list[Column[Any]] = [
            big("id", primary_key=True, autoincrement=False),
            big("tenant_id"),
            text("state"),
            big("version"),
            big("created_at"),
            big("updated_at"),
            text("document"),
            *(big(column) for column in numbers),
            *(text(column) for column in texts),
        ]
        self.table = Table(name, metadata, *columns, info=dict(info or {}))
        Index(None, self.table.c.tenant_id, self.table.c.id, **_where(_ALIVE))
        for column in self._derive:
            if column in unique:
                nothing = "0" if column in numbers else "''"
                Index(
                    f"uq_{name}_{column}",
                    self.table.c.tenant_id,
                    self.table.c[column],
                    unique=True,
                    **_where(f"{_ALIVE} AND {column} <> {nothing}"),
                )
            else:
                Index(None, self.table.c.tenant_id, self.table.c[column], self.table.c.id, **_where(_ALIVE))
        for others in by_state:
            named = ("tenant_id", "state", *others, "id")
            Index(None, *(self.table.c[column] for column in named))
        self._decode = msgspec.json.Decoder(kind).decode
        self._name = name
        self._queries: dict[tuple[str, ...], Statement] = {}

    @cached_property
    def _insert(self) -> Insert:
        return Insert(self.table, [*_FIXED, *self._derive])

    @cached_property
    def _update(self) -> Statement:
        changed = ", ".join(f"{column} = ?" for column in ("state", "version", "updated_at", "document", *self._derive))
        return Statement(f"UPDATE {self._name} SET {changed} WHERE id = ? AND tenant_id = ? AND version = ?")  # noqa: S608

    def _query(self, what: str, *where: str) -> Statement:
        found = self._queries.get((what, *where))
        if found is None:
            conditions = " AND ".join(("tenant_id = ?", *where))
            found = Statement(f"SELECT {what} FROM {self._name} WHERE {conditions}")  # noqa: S608 - names are ours
            self._queries[what, *where] = found
        return found

    def _kept(self, row: Sequence[Any]) -> Kept[T]:
        return Kept(
            id=row[0],
            tenant_id=row[1],
            state=row[2],
            version=row[3],
            created_at=row[4],
            updated_at=row[5],
            value=self._decode(row[6]),
        )

    def _conditions(self, filters: Mapping[str, Any]) -> list[str]:
        return [f"{column} = ?" for column in self._known(filters)]

    def _known(self, filters: Mapping[str, Any]) -> Mapping[str, Any]:
        unknown = filters.keys() - self._derive.keys() - {"state"}
        if unknown:
            raise ValueError(f"{self._name} cannot be filtered by {', '.join(sorted(unknown))}")
        return filters

    def insert(self, tx: Transaction, rows: Sequence[Kept[T]]) -> None:
        """Store new documents, at least one."""
        self._insert(tx, [self._row(kept) for kept in rows])

    def _row(self, kept: Kept[T]) -> tuple[Any, ...]:
        return (
            kept.id,
            kept.tenant_id,
            kept.state,
            kept.version,
            kept.created_at,
            kept.updated_at,
            encode(kept.value).decode(),
            *(derive(kept.value) for derive in self._derive.values()),
        )

    def get(self, tx: Transaction, tenant_id: int, id: int, *, even_deleted: bool = False) -> Kept[T] | None:
        """A document of the tenant, or None if it never was or is deleted."""
        conditions = ["id = ?"] if even_deleted else ["id = ?", _ALIVE]
        row = tx.first(self._query(", ".join(_FIXED), *conditions), tenant_id, id)
        return self._kept(row) if row else None

    def get_many(self, tx: Transaction, tenant_id: int, ids: Sequence[int]) -> list[Kept[T]]:
        """The documents of those ids that there are, in the order of `ids`."""
        found: dict[int, Kept[T]] = {}
        for padded, marks in in_parts(ids, 0):
            query = self._query(", ".join(_FIXED), f"id IN ({marks})", _ALIVE)
            found |= {row[0]: self._kept(row) for row in tx.all(query, tenant_id, *padded)}
        return [found[id] for id in ids if id in found]

    def page(
        self,
        tx: Transaction,
        tenant_id: int,
        after: int,
        limit: int,
        filters: Mapping[str, Any] | None = None,
        *,
        even_deleted: bool = False,
        holding: Mapping[str, str] | None = None,
    ) -> list[Kept[T]]:
        """Documents behind the id `after`, oldest first, of which every filter's column has its value.

        `holding` names columns of text that a text must stand in, anywhere.
        """
        filters, holding = filters or {}, holding or {}
        conditions = ["id > ?", *self._conditions(filters)]
        conditions += [f"{column} LIKE ? ESCAPE '!'" for column in self._known(holding)]
        conditions += [] if even_deleted else [_ALIVE]
        conditions[-1] += " ORDER BY id LIMIT ?"
        query = self._query(", ".join(_FIXED), *conditions)
        texts = (f"%{_LIKE.sub(_escaped, text)}%" for text in holding.values())
        return [self._kept(row) for row in tx.all(query, tenant_id, after, *filters.values(), *texts, limit)]

    def first(self, tx: Transaction, tenant_id: int, **filters: Any) -> Kept[T] | None:
        """The oldest document with these values, or None."""
        found = self.page(tx, tenant_id, 0, 1, filters)
        return found[0] if found else None

    def all(self, tx: Transaction, tenant_id: int, **filters: Any) -> list[Kept[T]]:
        """All documents with these values, oldest first, in one query: for those who need a whole company."""
        query = self._query(", ".join(_FIXED), *self._conditions(filters), f"{_ALIVE} ORDER BY id")
        return [self._kept(row) for row in tx.all(query, tenant_id, *filters.values())]

    def ids(self, tx: Transaction, tenant_id: int, **filters: Any) -> list[int]:
        """The ids of all documents with these values, in order."""
        query = self._query("id", *self._conditions(filters), f"{_ALIVE} ORDER BY id")
        return [row[0] for row in tx.all(query, tenant_id, *filters.values())]

    def count(self, tx: Transaction, tenant_id: int, **filters: Any) -> int:
        """How many documents have these values."""
        row = tx.first(self._query("COUNT(*)", *self._conditions(filters), _ALIVE), tenant_id, *filters.values())
        return int(row[0]) if row else 0

    def update(self, tx: Transaction, before: Kept[T], after: Kept[T]) -> bool:
        """Replace a document; False if somebody else changed it since `before` was read. State "deleted" deletes it."""
        return tx.change(self._update, *self._change(before, after)) == 1

    def update_many(self, tx: Transaction, pairs: Sequence[tuple[Kept[T], Kept[T]]]) -> None:
        """Replace documents that were read in this same transaction, at least one, in one trip to the store."""
        tx.change_many(self._update, [self._change(*pair) for pair in pairs])

    def _change(self, before: Kept[T], after: Kept[T]) -> tuple[Any, ...]:
        return (
            after.state,
            after.version,
            after.updated_at,
            encode(after.value).decode(),
            *(derive(after.value) for derive in self._derive.values()),
            before.id,
            before.tenant_id,
            before.version,
        )


def _escaped(wildcard: re.Match[str]) -> str:
    return f"!{wildcard.group()}"


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sql_text(condition), "postgresql_where": sql_text(condition)}
