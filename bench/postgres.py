"""PostgreSQL's own benchmark at our task: pgbench inserts the rows that one create writes, one create a transaction.

The rows are not described here a second time: one office is created through the server, and what then stands new in
the database is what pgbench inserts, with fresh ids, over and over.
"""

import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg
from psycopg import sql

from bench.server import BenchError
from offhook.kit.settings import Settings

if TYPE_CHECKING:
    from tests.servers import PostgreSQL

CLIENTS = 32


class NoPostgres(Exception):
    """There is none on this machine, or without pgbench; says what is missing."""


@contextlib.contextmanager
def durable_postgres() -> Iterator["PostgreSQL"]:
    """A PostgreSQL of our own with fsync and synchronous_commit on, as it is shipped; NoPostgres if none can be had."""
    try:
        from tests.servers import PostgreSQL, Unavailable
    except ImportError as error:
        raise NoPostgres(f"the starter of test servers is missing: {error}") from error
    try:
        server = PostgreSQL(durable=True)
        with server:
            if not server.program("pgbench").exists():
                raise NoPostgres(f"there is no pgbench beside {server.program('postgres')}")
            yield server
    except Unavailable as error:
        raise NoPostgres(str(error)) from error


@dataclass(slots=True)
class Written:
    """A row that a create wrote: its table, and its columns with their values as text."""

    table: str
    values: dict[str, str | None]
    keys: tuple[str, ...]  # columns of the primary key
    unique: tuple[tuple[str, ...], ...]  # columns of each other unique index
    kinds: dict[str, str]  # column to type


@dataclass(slots=True)
class Script:
    """A pgbench script, the values that it sends as parameters, and how many rows a transaction inserts."""

    text: str
    variables: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    sent_bytes: int = 0


_TABLES = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
           a.attidentity <> '' OR coalesce(pg_get_expr(d.adbin, d.adrelid), '') LIKE 'nextval%%'
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
    ORDER BY c.relname, a.attnum
"""
_UNIQUE = """
    SELECT c.relname, i.indisprimary, array_agg(a.attname::text ORDER BY a.attnum)
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indrelid AND c.relnamespace = 'public'::regnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
    WHERE i.indisunique
    GROUP BY i.indexrelid, c.relname, i.indisprimary
"""


class Witness:
    """Sees which rows come into being in a database between two looks at it."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection = connection
        self._columns: dict[str, dict[str, tuple[str, bool]]] = {}
        for table, column, kind, numbered in connection.execute(_TABLES):
            self._columns.setdefault(table, {})[column] = (kind, numbered)
        self._keys: dict[str, tuple[str, ...]] = {}
        self._unique: dict[str, list[tuple[str, ...]]] = {}
        for table, primary, columns in connection.execute(_UNIQUE):
            if primary:
                self._keys[table] = tuple(columns)
            else:
                self._unique.setdefault(table, []).append(tuple(columns))
        self._before = {table: set(self._rows(table)) for table in self._keys}

    def _rows(self, table: str) -> dict[tuple[str | None, ...], dict[str, str | None]]:
        names = list(self._columns[table])
        query = sql.SQL("SELECT {} FROM {}").format(
            sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in names),
            sql.Identifier(table),
        )
        found = [dict(zip(names, row, strict=True)) for row in self._connection.execute(query)]
        return {tuple(row[key] for key in self._keys[table]): row for row in found}

    def new(self) -> list[Written]:
        """Rows that were not there before, without the columns that the database numbers itself."""
        written = []
        for table, known in self._before.items():
            columns = self._columns[table]
            for key, row in self._rows(table).items():
                if key in known:
                    continue
                numbered = {name for name, (_, itself) in columns.items() if itself}
                written.append(
                    Written(
                        table,
                        {name: value for name, value in row.items() if name not in numbered},
                        tuple(name for name in self._keys[table] if name not in numbered),
                        tuple(self._unique.get(table, ())),
                        {name: kind for name, (kind, _) in columns.items()},
                    )
                )
        return written


_INTEGERS = frozenset({"bigint", "integer", "smallint"})


def script_of(rows: list[Written], old_id: str) -> Script:
    """Insert `rows` again and again; wherever the create's id `old_id` stands as a value, a fresh one is put.

    Fresh ids rise with time, as ours do. Values go over the wire as parameters of prepared statements, as they do
    from a server; only nulls and empty texts stand in the script.
    """
    ids = {old_id: ":id"}
    lines = [r"\set n :n + 1", rf"\set id :base + :n * {CLIENTS * 2} + :client_id"]
    for row in rows:
        own = row.values[row.keys[0]] if len(row.keys) == 1 else None
        if own is not None and own not in ids and row.kinds[row.keys[0]] in _INTEGERS:
            ids[own] = ":id"
    script = Script("", {"n": "0", "base": old_id})
    lines.append("BEGIN;")
    for row in rows:
        fresh = {name for name, value in row.values.items() if value in ids and row.kinds[name] in _INTEGERS | {"text"}}
        for index in row.unique:
            if not fresh & set(index):
                fresh.add(index[-1])
        put = []
        for name, value in row.values.items():
            kind = row.kinds[name]
            if value is None:
                put.append("NULL")
            elif not value:
                put.append("''")  # pgbench takes no empty parameter
            elif name in fresh and kind in _INTEGERS:
                put.append(":id")
            elif name in fresh and value in ids:
                put.append("(:id)::bigint::text")
            elif name in fresh:
                # A unique value that is not an id, such as a key's digest: a hash of the id.
                text = "sha256(((:id)::bigint::text)::bytea)"
                put.append(text if kind == "bytea" else f"encode({text}, 'hex')")
            else:
                variable = f"v{len(script.variables)}"
                script.variables[variable] = value
                script.sent_bytes += len(value.encode())
                put.append(f":{variable}")
        names = ", ".join(f'"{name}"' for name in row.values)
        lines.append(f'INSERT INTO "{row.table}" ({names}) VALUES ({", ".join(put)});')
        script.rows += 1
    lines.append("END;")
    script.text = "\n".join(lines) + "\n"
    return script


@dataclass(slots=True)
class Pgbench:
    """What one run of pgbench said."""

    rate: float
    mean_ms: float
    failed: int


def pgbench(server: "PostgreSQL", database: str, script: Script, seconds: float, folder: Path, run: int) -> Pgbench:
    """One run at 32 clients, prepared statements, for whole `seconds`; `run` keeps its ids apart from others'."""
    path = folder / "create.pgbench"
    path.write_text(script.text)
    variables = script.variables | {"base": str(int(script.variables["base"]) + (1 + run) * 1_000_000_000)}
    command = [
        str(server.program("pgbench")),
        *("-h", str(server.directory), "-U", "offhook", "-n", "-M", "prepared"),
        *("-c", str(CLIENTS), "-j", "2", "-T", str(max(1, round(seconds))), "-f", str(path)),
        *(word for name, value in variables.items() for word in ("-D", f"{name}={value}")),
        database,
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchError(f"pgbench could not be run: {error}") from error
    return read_report(done.stdout, done.stderr)


def read_report(report: str, errors: str = "") -> Pgbench:
    """The figures in pgbench's report; BenchError if it has none."""
    rate = re.search(r"^tps = ([\d.]+)", report, re.MULTILINE)
    mean = re.search(r"^latency average = ([\d.]+) ms", report, re.MULTILINE)
    failed = re.search(r"^number of failed transactions: (\d+)", report, re.MULTILINE)
    if rate is None or mean is None or "aborted" in errors:
        raise BenchError(f"pgbench failed: {(errors or report)[-1500:]}")
    return Pgbench(float(rate[1]), float(mean[1]), int(failed[1]) if failed else 0)


def store(url: str, company: int, seconds: float, run: int) -> float:
    """Creates a second that the server's own writer commits there when they come ready, as pgbench's rows do."""
    command = [sys.executable, "-m", "bench.store", Settings(database_url=url).url, str(company)]
    command += ["--seconds", str(seconds), "--seed", str(100 + run)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 60)
    if done.returncode:
        raise BenchError(f"bench.store failed: {done.stderr[-1500:]}")
    return float(msgspec.json.decode(done.stdout)["rate"])
