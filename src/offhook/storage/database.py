"""Connections to the one database, SQLite or PostgreSQL, and the small dialect differences, in one place.

A transaction that writes is exclusive on both: BEGIN IMMEDIATE on SQLite, an advisory lock on PostgreSQL. So units of
work read and write as if alone, and what is numbered within them is numbered in the order of commit.
"""

import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, ExceptionContext, Table, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from offhook.kit import structs
from offhook.kit.errors import Unavailable
from offhook.storage import driver as straight
from offhook.storage.faults import is_unavailable, unstorable

T = TypeVar("T")
WRITER_LOCK = 0x0FF_400C
READERS = 4
_SWITCH_SECONDS = 10.0


class Database:
    """The engine for a URL. Safe to share between threads; holds at most READERS + 1 pooled connections."""

    def __init__(self, url: str) -> None:
        # Whoever has one reads records in threads.
        structs.prepare()
        self.url = make_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        if self.sqlite:
            assert self.url.database is not None
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Key hashes and addresses are in there: nobody else on the machine reads it, whatever the folder allows.
            # Only a new file: closing any handle of one that is open here would drop SQLite's locks on it.
            with suppress(FileExistsError):
                os.close(os.open(self.url.database, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        options: dict[str, Any] = {
            "hide_parameters": True,
            "poolclass": QueuePool,
            "pool_size": READERS + 2,
            "max_overflow": 8,
        }
        if self.sqlite:
            options["connect_args"] = {"timeout": 10.0, "check_same_thread": False, "cached_statements": 256}
        else:
            # Transactions are begun by hand, with their lock in the same trip to the server. A pooled connection that
            # the server has closed meanwhile is found out by that first statement, and replaced then.
            options |= {
                "isolation_level": "AUTOCOMMIT",
                "pool_reset_on_return": None,
                "connect_args": {"connect_timeout": 5, "options": "-c timezone=UTC"},
            }
        self._impatient: dict[bool, Connection] = {}
        self._looking = threading.Lock()
        self._idle: deque[Connection] = deque()
        self.after_loss: list[Callable[[], None]] = []
        """What to make sure of before the next change, once a connection to the server was lost."""
        self._lost = False
        self.engine: Engine = create_engine(url, **options)
        if self.sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
        event.listen(self.engine, "handle_error", self._told_apart, retval=True)

    def _told_apart(self, context: ExceptionContext) -> BaseException | None:
        """What is raised in place of a fault of a statement; None for the fault itself."""
        if not self.sqlite and (context.is_disconnect or context.connection is None):
            self._lost = True
        return unstorable(context.original_exception)

    @contextmanager
    def transaction(self) -> Iterator["Transaction"]:
        """An exclusive transaction, committed at the end of the block and undone if it raises.

        Raises Unavailable when the store cannot be reached or written (disk full, connection lost), Unstorable when a
        value is one that no store of this kind holds, and else what the statement raised.
        """
        begin = "BEGIN IMMEDIATE" if self.sqlite else f"BEGIN; SELECT pg_advisory_xact_lock({WRITER_LOCK})"
        with refusing_unavailable():
            if self._lost:
                for restore in self.after_loss:
                    restore()
                self._lost = False
            with self._begun(begin, keep=True) as connection:
                yield Transaction(connection, self.sqlite)

    @contextmanager
    def reading(self) -> Iterator["Transaction"]:
        """A view of what is committed, of one moment; nothing can be changed through it."""
        begin = "BEGIN" if self.sqlite else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        with refusing_unavailable(), self._begun(begin, keep=False) as connection:
            yield Transaction(connection, self.sqlite)

    @contextmanager
    def transaction_at_once(self) -> Iterator["Transaction"]:
        """`transaction` for a thread that must not wait, on SQLite: raises Unavailable at once if another is writing.

        Of one at a time. Another thread may leave the block than has entered it.
        """
        with self._at_once("BEGIN IMMEDIATE", keep=True) as tx:
            yield tx

    @contextmanager
    def reading_at_once(self) -> Iterator["Transaction"]:
        """`reading` for a thread that must not wait, on SQLite: raises Unavailable at once if it would have to."""
        if not self._looking.acquire(blocking=False):
            raise Unavailable("Another thread looks.")
        try:
            with self._at_once("BEGIN", keep=False) as tx:
                yield tx
        finally:
            self._looking.release()

    @contextmanager
    def _at_once(self, begin: str, keep: bool) -> Iterator["Transaction"]:
        assert self.sqlite
        with refusing_unavailable():
            impatient = self._impatient.get(keep)
            if impatient is None:
                impatient = self.engine.connect()
                impatient.exec_driver_sql("PRAGMA busy_timeout=0")
                impatient.rollback()
                self._impatient[keep] = impatient
            began = False
            try:
                with self._begun(begin, keep, impatient) as connection:
                    began = True
                    yield Transaction(connection, self.sqlite)
            except BaseException as fault:
                # What failed as it began may have begun all the same: nobody else could write then.
                if not began or isinstance(fault, DBAPIError | Unavailable):
                    self._impatient.pop(keep, None)
                    impatient.invalidate()
                    impatient.close()
                raise

    @contextmanager
    def _begun(self, begin: str, keep: bool, connection: Connection | None = None) -> Iterator[Connection]:
        """A connection in a transaction begun by the statement `begin`; nothing has been done before it can fail."""
        borrowed = connection is None
        connection = connection or self._borrowed()
        try:
            straight_on = straight.driver_of(connection) if self.sqlite else None
            if straight_on is None:
                yield from self._by_sqlalchemy(connection, begin, keep)
                return
            straight.run(straight_on, begin)
            try:
                yield connection
            except BaseException:
                straight.end(connection, straight_on, keep=False)
                raise
            try:
                straight.end(connection, straight_on, keep=keep)
            except BaseException:
                straight.end(connection, straight_on, keep=False)
                raise
        finally:
            if borrowed:
                self._give_back(connection)

    @staticmethod
    def _by_sqlalchemy(connection: Connection, begin: str, keep: bool) -> Iterator[Connection]:
        transaction = connection.begin()
        try:
            connection.exec_driver_sql(begin)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            transaction.rollback()
            transaction = connection.begin()
            connection.exec_driver_sql(begin)
        with transaction:
            yield connection
            if not keep:
                transaction.rollback()

    def _borrowed(self) -> Connection:
        """A connection of the pool; on SQLite one that was used just now, as the pool's own bookkeeping takes long."""
        try:
            return self._idle.pop()
        except IndexError:
            return self.engine.connect()

    def _give_back(self, connection: Connection) -> None:
        if self.sqlite and len(self._idle) < READERS and straight.is_clean(connection):
            self._idle.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        """Close every connection."""
        for connection in (*self._impatient.values(), *self._idle):
            connection.close()
        self._impatient.clear()
        self._idle.clear()
        self.engine.dispose()


class Transaction:
    """A connection inside a transaction, with the statements that differ between the two databases."""

    __slots__ = ("_driver", "connection", "sqlite")

    def __init__(self, connection: Connection, sqlite: bool) -> None:
        self.connection = connection
        self.sqlite = sqlite
        self._driver = straight.driver_of(connection) if sqlite else None

    def all(self, statement: "Statement", *values: Any) -> list[Any]:
        """All rows of a fixed query."""
        if self._driver is not None:
            return straight.rows(self._driver, statement.text(True), values)
        return list(self.connection.exec_driver_sql(statement.text(self.sqlite), values).fetchall())

    def first(self, statement: "Statement", *values: Any) -> Any | None:
        """The first row of a fixed query, or None."""
        if self._driver is not None:
            return straight.row(self._driver, statement.text(True), values)
        return self.connection.exec_driver_sql(statement.text(self.sqlite), values).fetchone()

    def change(self, statement: "Statement", *values: Any) -> int:
        """Run a fixed statement; gives the number of rows it touched."""
        return self._run(statement.text(self.sqlite), values)

    def change_many(self, statement: "Statement", values: list[tuple[Any, ...]]) -> int:
        """Run a fixed statement once for each of `values`, at least one; gives the number of rows touched in all."""
        return self._run(statement.text(self.sqlite), values)

    def insert(self, sql: str, values: tuple[Any, ...] | list[tuple[Any, ...]]) -> None:
        """Run the text of an `Insert`."""
        self._run(sql, values)

    def _run(self, sql: str, values: tuple[Any, ...] | list[tuple[Any, ...]]) -> int:
        if self._driver is not None:
            return straight.run(self._driver, sql, values).rowcount
        return self.connection.exec_driver_sql(sql, values).rowcount

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undoes what was done in the block if it raises, and nothing else; as many within each other as need be."""
        # SQLAlchemy's own would compile its statements each time, which costs more than most steps do.
        self._run("SAVEPOINT step", ())
        try:
            yield
        except BaseException:
            if not self.connection.invalidated:
                self._run("ROLLBACK TO SAVEPOINT step", ())
                self._run("RELEASE SAVEPOINT step", ())
            raise
        self._run("RELEASE SAVEPOINT step", ())


class Statement:
    """A fixed SQL text with `?` placeholders, valid on both databases."""

    __slots__ = ("_postgresql", "_sqlite")

    def __init__(self, sql: str) -> None:
        self._sqlite = sql
        self._postgresql = sql.replace("%", "%%").replace("?", "%s")

    def text(self, sqlite: bool) -> str:
        return self._sqlite if sqlite else self._postgresql


_ASKED_AT_ONCE, _STEP, _SMALL = 500, 50, 32


def in_parts(values: Sequence[T], filler: T) -> Iterator[tuple[list[T], str]]:
    """Values for `IN (...)`, in parts of at most 500, each with its marks: `(values, "?, ?")`.

    A part is filled up with `filler`, which no row has, to a power of two, or beyond 32 to a multiple of 50: so there
    are sixteen statements at most.
    """
    for start in range(0, len(values), _ASKED_AT_ONCE):
        part = [*values[start : start + _ASKED_AT_ONCE]]
        size = 1 << (len(part) - 1).bit_length() if len(part) <= _SMALL else len(part) + -len(part) % _STEP
        part += [filler] * (size - len(part))
        yield part, _MARKS[size]


_MARKS = {size: ", ".join("?" * size) for size in (*(1 << power for power in range(6)), *range(50, 501, 50))}


class Insert:
    """Fixed SQL that inserts rows of one table: executemany on SQLite, one unnest statement on PostgreSQL.

    Columns not named take their defaults. Rows are tuples in the order of `columns`. With `replacing`, which names a
    unique key of the table, a row takes the place of the one that has its key; no two rows given at once may have one.
    """

    def __init__(self, table: Table, columns: Sequence[str], replacing: Sequence[str] = ()) -> None:
        names = ", ".join(columns)
        marks = ", ".join("?" * len(columns))
        types = {"BIGINT": "bigint", "INTEGER": "bigint", "TEXT": "text", "BYTEA": "bytea", "BLOB": "bytea"}
        arrays = []
        for column in columns:
            kind = str(table.c[column].type).split("(")[0]
            # Binary: escaping long texts into an array literal costs twenty times as much.
            arrays.append(f"%b::{types[kind]}[]")
        into, behind = f"INSERT INTO {table.name} ({names})", ""
        if replacing:
            changed = ", ".join(f"{column} = excluded.{column}" for column in columns if column not in replacing)
            behind = f" ON CONFLICT ({', '.join(replacing)}) DO UPDATE SET {changed}"
        self._sqlite = f"{into} VALUES ({marks}){behind}"
        self._postgresql = f"{into} SELECT * FROM unnest({', '.join(arrays)}){behind}"  # noqa: S608 - names are ours

    def __call__(self, tx: Transaction, rows: list[tuple[Any, ...]]) -> None:
        """Insert `rows`, at least one."""
        if tx.sqlite:
            tx.insert(self._sqlite, rows)
        else:
            tx.insert(self._postgresql, tuple([list(column) for column in zip(*rows, strict=True)]))


@contextmanager
def refusing_unavailable() -> Iterator[None]:
    """Turn a store that cannot take work now into Unavailable (503); anything else passes."""
    try:
        yield
    except DBAPIError as error:
        if not is_unavailable(error):
            raise
        raise Unavailable(
            "The store cannot take this now; nothing was acknowledged. Try again shortly.",
            headers=[("Retry-After", "1")],
        ) from error


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA page_size=8192").close()
    _write_ahead(connection)
    for pragma in (
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=10000",
        "cache_size=-16384",
        "temp_store=MEMORY",
        # 4 MiB, as with the usual page size: what a checkpoint needs at once on a disk that is nearly full.
        "wal_autocheckpoint=512",
        "journal_size_limit=67108864",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log. On a new file several processes may do so at once, and SQLite waits for none."""
    until = time.monotonic() + _SWITCH_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return
