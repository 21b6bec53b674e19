"""A private copy of what a company has, in memory, in which a change can be carried out without holding up anybody.

The rows are read at one moment, from either store, into a database of the same tables that nobody else sees and that
ends with the block. All SQL of the subjects is valid on SQLite, so what runs in the store runs here as well.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import Connection, LargeBinary, StaticPool, Table, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from offhook.storage.database import Insert, Statement, Transaction
from offhook.storage.tables import APART, BULKY, HISTORY, metadata

Rows = dict[Table, list[tuple[Any, ...]]]
"""Rows by table, each with all columns in the table's order, large ones last."""


def rows_of(tx: Transaction, tenant_id: int) -> Rows:
    """What a company has in one environment, but for its history and for what no telephone depends on.

    What is large, such as sound, is left empty.
    """
    found: Rows = {}
    for table in metadata.sorted_tables:
        if "tenant_id" in table.c and not table.info.keys() & {HISTORY, APART}:
            nothing = [b""] * len(_large(table))
            found[table] = [(*row, *nothing) for row in tx.all(_reading(table), tenant_id)]
    return found


def _large(table: Table) -> list[str]:
    return [one.name for one in table.c if BULKY in table.info and isinstance(one.type, LargeBinary)]


def _names(table: Table) -> list[str]:
    """The columns, large ones last."""
    large = _large(table)
    return [*(one.name for one in table.c if one.name not in large), *large]


@cache
def _reading(table: Table) -> Statement:
    names = ", ".join(name for name in _names(table) if name not in _large(table))
    return Statement(f"SELECT {names} FROM {table.name} WHERE tenant_id = ?")  # noqa: S608 - names are ours


@contextmanager
def rehearsal(rows: Rows) -> Iterator[Transaction]:
    """A transaction on a database of its own that holds `rows`; whatever is done in it is forgotten."""
    engine = create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}, hide_parameters=True
    )
    event.listen(engine, "connect", _prepare)
    try:
        with engine.connect() as connection:
            tx = Transaction(connection, True)
            _fill(tx, rows)
            with _undone(connection):
                yield tx
    finally:
        engine.dispose()


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    connection.executescript(_schema())


@cache
def _schema() -> str:
    """All tables with their indexes, whose uniqueness is a rule like any other."""
    dialect = sqlite.dialect()
    parts: list[CreateTable | CreateIndex] = []
    for table in metadata.sorted_tables:
        parts += [CreateTable(table), *(CreateIndex(index) for index in table.indexes)]
    return ";\n".join(str(part.compile(dialect=dialect)) for part in parts)


def _fill(tx: Transaction, rows: Rows) -> None:
    tx.connection.exec_driver_sql("BEGIN")
    for table, listed in rows.items():
        if listed:
            _filling(table)(tx, listed)
    tx.connection.exec_driver_sql("COMMIT")


@cache
def _filling(table: Table) -> Insert:
    return Insert(table, _names(table))


@contextmanager
def _undone(connection: Connection) -> Iterator[None]:
    connection.exec_driver_sql("BEGIN")
    try:
        yield
    finally:
        connection.exec_driver_sql("ROLLBACK")
