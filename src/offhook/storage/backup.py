"""Backups: the whole store in one portable file, written while the server goes on, and read back into an empty store.

The file is logical, so it also moves a store from SQLite to PostgreSQL and back. It holds what the store holds, the
store's own secrets included: it is made readable for its owner only, and no row of it ever gets into a message.
"""

import hashlib
import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import IO, Annotated, Any

import msgspec
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, LargeBinary, Select, String, Table, func, inspect, select
from sqlalchemy import Integer as IntegerType
from sqlalchemy.exc import DBAPIError

from offhook import __version__
from offhook.kit import clock
from offhook.kit.errors import Conflict, Refusal, Unstorable
from offhook.storage import served
from offhook.storage.database import Database, Insert, Transaction
from offhook.storage.faults import is_unavailable
from offhook.storage.migrate import configuration, upgrade_within
from offhook.storage.tables import BULKY, metadata, settings

FORMAT = 1
MANIFEST = "manifest.json"

MAX_ROW = 64 * 1024 * 1024
"""Bytes of one row in a file that is read back."""

MAX_RATIO = 500
"""How far a member may unpack. Rows that are nearly alike reach about 60, recorded silence 230; an archive made to fill
memory, 1,000."""

_MAX_MANIFEST = 1024 * 1024
_ROWS_AT_ONCE = 1000
_LARGE_ROWS_AT_ONCE = 2
_BYTES_AT_ONCE = 4 * 1024 * 1024
_VERSION_TABLE = "alembic_version"

Progress = Callable[[str, int], None]
"""Told now and then what is being done (a table's name, or `verify` and one) and how many of its rows are."""


class BadBackup(Refusal):
    """A file that is no backup, or not a whole one, or not one of this version. Nothing was restored."""


class BackupFailed(Refusal):
    """The backup could not be written. What stood at its path before is untouched."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a backup holds: rows by table, and the file's size in bytes."""

    path: Path
    schema: str
    created_at: str
    rows: dict[str, int]
    size: int


class TableEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table in the manifest. `bytes` and `sha256` are those of its member, unpacked."""

    name: str
    columns: list[str]
    rows: Annotated[int, msgspec.Meta(ge=0)]
    bytes: Annotated[int, msgspec.Meta(ge=0)]
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup says of itself."""

    format: int
    schema: str
    created_at: str
    written_by: str
    tables: list[TableEntry]


class _Head(msgspec.Struct, frozen=True):
    """What every format has in common."""

    format: int


# Writing


def backup(database: Database, path: Path, progress: Progress | None = None) -> Summary:
    """Write everything that is committed at one moment to `path`; writers go on meanwhile.

    A file that is already at `path` is replaced once the new one is whole and on disk. Needs little memory whatever
    the store's size. BackupFailed if it cannot be written, Unavailable if the store cannot be read.
    """
    folder = path.absolute().parent
    with _telling(path):
        handle, name = tempfile.mkstemp(dir=folder, prefix=f".{path.name}.", suffix=".partial")
    partial = Path(name)
    try:
        with _telling(path), os.fdopen(handle, "wb") as file:
            with _snapshot(database) as tx, _archive(file) as archive:
                manifest = _write(tx, archive, progress)
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
            partial.replace(path)
            sync_folder(folder)
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()
    return _summary(path, manifest, size)


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BackupFailed(f"The backup {path} cannot be written: {error.strerror or error}.") from None


@contextmanager
def _snapshot(database: Database) -> Iterator[Transaction]:
    """One moment of the store. SQLite's is fixed by the first read of a transaction, and holds for all that follow."""
    with database.reading() as tx:
        if not tx.sqlite:
            tx.connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield tx


def _archive(file: IO[bytes]) -> zipfile.ZipFile:
    return zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1)


def _write(tx: Transaction, archive: zipfile.ZipFile, progress: Progress | None) -> Manifest:
    schema = MigrationContext.configure(tx.connection).get_current_revision()
    if schema is None:
        raise BackupFailed("The store is empty: there is nothing to back up.")
    if strangers := set(inspect(tx.connection).get_table_names()) - {*metadata.tables, _VERSION_TABLE}:
        raise BackupFailed(f"The store has tables that would be left out: {', '.join(sorted(strangers))}.")
    entries = [_write_table(tx.connection, archive, table, progress) for table in _tables()]
    created = clock.now().astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    manifest = Manifest(
        format=FORMAT, schema=schema, created_at=created, written_by=f"offhook {__version__}", tables=entries
    )
    archive.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=2))
    return manifest


def _write_table(
    connection: Connection, archive: zipfile.ZipFile, table: Table, progress: Progress | None
) -> TableEntry:
    digest, rows, size = hashlib.sha256(), 0, 0
    encoder = msgspec.json.Encoder()
    with archive.open(_member(table.name), "w", force_zip64=True) as member:
        for part in connection.execute(_all_rows(table)).partitions():
            lines = encoder.encode_lines([tuple(row) for row in part])
            digest.update(lines)
            member.write(lines)
            rows, size = rows + len(part), size + len(lines)
            if progress is not None:
                progress(table.name, rows)
    return TableEntry(name=str(table.name), columns=_columns(table), rows=rows, bytes=size, sha256=digest.hexdigest())


def _all_rows(table: Table) -> Select[Any]:
    return (
        select(table)
        .order_by(*table.primary_key.columns)
        .execution_options(yield_per=_LARGE_ROWS_AT_ONCE if BULKY in table.info else _ROWS_AT_ONCE)
    )


def sync_folder(folder: Path) -> None:
    """Make sure that a file's new name in `folder` is on disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# Reading back


def restore(database: Database, path: Path, progress: Progress | None = None) -> Summary:
    """Read the backup at `path` into an empty store, wholly or not at all; no server should run over it.

    The file is checked to its last row before the store is touched, and again while it is loaded. BadBackup if it is
    not whole or of another version, Conflict if the store already holds anything.
    """
    try:
        with path.open("rb") as file, _reading(), zipfile.ZipFile(file) as archive:
            members = _Members(archive, strict_text=not database.sqlite)
            members.check_schema(database)
            for table in _tables():
                for _ in members.rows(table, f"verify {table.name}", progress):
                    pass
            with database.transaction() as tx:
                upgrade_within(database, tx)
                _refuse_unless_empty(tx)
                tx.connection.execute(settings.delete())
                for table in _tables():
                    _load(tx, table, members.rows(table, table.name, progress))
                    _continue_sequence(tx, table)
                tx.change(served.FORGET)
            return _summary(path, members.manifest, file.seek(0, os.SEEK_END))
    except OSError as error:
        raise BadBackup(f"The backup {path} cannot be read: {error.strerror or error}.") from None


@contextmanager
def _reading() -> Iterator[None]:
    """Whatever a damaged or hostile archive makes of the unpacker is the archive's fault."""
    try:
        yield
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise BadBackup(f"This is not a whole backup: {error}") from None


class _Members:
    """A backup whose outside has been checked: exactly the members that its manifest promises, of believable sizes."""

    def __init__(self, archive: zipfile.ZipFile, *, strict_text: bool) -> None:
        self._archive = archive
        self._strict_text = strict_text
        infos = archive.infolist()
        self._infos = {info.filename: info for info in infos}
        if len(self._infos) != len(infos) or MANIFEST not in self._infos:
            raise BadBackup("This is not a backup: it has no manifest, or a member twice.")
        for info in infos:
            if info.flag_bits & 0x1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise BadBackup("This is not a backup: a member is encrypted, or packed in a way that backups are not.")
            if info.file_size > MAX_RATIO * info.compress_size + _MAX_MANIFEST:
                raise BadBackup("A member would unpack to far more than rows ever do; it is not read.")
        if self._infos[MANIFEST].file_size > _MAX_MANIFEST:
            raise BadBackup("The manifest is longer than a manifest is.")
        raw = archive.read(MANIFEST)
        try:
            version = msgspec.json.decode(raw, type=_Head).format
            if version != FORMAT:
                raise BadBackup(f"The backup has format {version}; this version reads format {FORMAT}.")
            self.manifest = msgspec.json.decode(raw, type=Manifest)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BadBackup(f"The manifest cannot be read: {error}.") from None
        self._entries = {entry.name: entry for entry in self.manifest.tables}

    def check_schema(self, database: Database) -> None:
        """BadBackup unless it was written from the schema that this version has, and has exactly its tables."""
        scripts = ScriptDirectory.from_config(configuration())
        mine, its = scripts.get_current_head(), self.manifest.schema
        if its != mine:
            older = its in {script.revision for script in scripts.walk_revisions()}
            text = "older: restore it with the version that wrote it, and let this version migrate the store then"
            raise BadBackup(
                f"The backup has schema {its!r:.40}, this version has {mine}; it is "
                + (text if older else "of a newer version: use that one, or a newer one yet")
                + "."
            )
        expected = {str(table.name): _columns(table) for table in _tables()}
        if {entry.name: entry.columns for entry in self.manifest.tables} != expected:
            raise BadBackup("The manifest does not list the tables and columns of its schema.")
        if len(self._entries) != len(self.manifest.tables) or set(self._infos) != {MANIFEST, *map(_member, expected)}:
            raise BadBackup("The backup has members that its manifest does not name, or lacks some that it does.")
        for entry in self.manifest.tables:
            if self._infos[_member(entry.name)].file_size != entry.bytes:
                raise BadBackup(f"{entry.name} has not the length that the manifest gives.")

    def rows(self, table: Table, doing: str, progress: Progress | None) -> "Iterator[_Row]":
        """The rows of a table; BadBackup for the first that it cannot have, and at the end if they are not all."""
        entry = self._entries[table.name]
        decoder = msgspec.json.Decoder(_row_type(table))
        digest, number = hashlib.sha256(), 0
        with self._archive.open(self._infos[_member(table.name)]) as member:
            while line := member.readline(MAX_ROW + 1):
                number += 1
                if len(line) > MAX_ROW:
                    raise _bad_row(table, number, "it is longer than a row is")
                digest.update(line)
                try:
                    values = decoder.decode(line)
                except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                    raise _bad_row(table, number, str(error)) from None
                if self._strict_text and b"\\u0000" in line and any(isinstance(v, str) and "\0" in v for v in values):
                    raise _bad_row(table, number, "it has a NUL character, which PostgreSQL does not keep")
                yield _Row(number, values, len(line))
                if progress is not None and number % _ROWS_AT_ONCE == 0:
                    progress(doing, number)
        if digest.hexdigest() != entry.sha256 or number != entry.rows:
            raise BadBackup(f"{table.name} is not as it was written: its checksum or number of rows differs.")
        if progress is not None:
            progress(doing, number)


@dataclass(frozen=True, slots=True)
class _Row:
    """A row with its place in its member, counted from 1, and its length there."""

    number: int
    values: tuple[Any, ...]
    size: int


def _load(tx: Transaction, table: Table, rows: Iterator[_Row]) -> None:
    insert = Insert(table, _columns(table))
    batch: list[_Row] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += row.size
        if len(batch) >= _ROWS_AT_ONCE or size >= _BYTES_AT_ONCE:
            _insert(tx, table, insert, batch)
            batch, size = [], 0
    if batch:
        _insert(tx, table, insert, batch)


def _insert(tx: Transaction, table: Table, insert: Insert, batch: list[_Row]) -> None:
    """Insert rows together; if the store will not have them, find the one to blame."""
    try:
        with tx.connection.begin_nested():
            insert(tx, [row.values for row in batch])
    except (DBAPIError, Unstorable) as error:
        if isinstance(error, DBAPIError) and is_unavailable(error):
            raise
        if len(batch) == 1:
            # The driver's words quote the row: they go no further.
            raise _bad_row(table, batch[0].number, "it breaks a key or a rule of its table") from None
        for row in batch:
            _insert(tx, table, insert, [row])


def _refuse_unless_empty(tx: Transaction) -> None:
    for table in _tables():
        # A server that was started once has left its secrets, and nothing else.
        if table is not settings and tx.connection.execute(select(table).limit(1)).first() is not None:
            raise Conflict("The store already holds data; restore into a new one, so that nothing is mixed or lost.")


def _continue_sequence(tx: Transaction, table: Table) -> None:
    """Numbers that the store gives out go on behind the last row. SQLite sees to that by itself."""
    column = table.autoincrement_column
    if tx.sqlite or column is None or column.autoincrement is not True:
        return
    last = tx.connection.execute(select(func.max(column))).scalar()
    if last is not None:
        named = func.pg_get_serial_sequence(table.name, column.name)
        tx.connection.execute(select(func.setval(named, last)))


# Both ways


def _tables() -> list[Table]:
    return [metadata.tables[name] for name in sorted(metadata.tables)]


def _columns(table: Table) -> list[str]:
    return [str(column.name) for column in table.columns]


def _member(table: str) -> str:
    return f"tables/{table}.jsonl"


_Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


def _row_type(table: Table) -> Any:
    """The type of a row as JSON has it; blobs are base64."""
    return tuple.__class_getitem__(tuple(_value_type(column) for column in table.columns))


def _value_type(column: Column[Any]) -> Any:
    kinds: list[tuple[type, Any]] = [(IntegerType, _Int64), (String, str), (LargeBinary, bytes)]
    for sql, kind in kinds:
        if isinstance(column.type, sql):
            return kind | None if column.nullable else kind
    raise TypeError(f"{column} has a type that backups do not know")


def _bad_row(table: Table, number: int, why: str) -> BadBackup:
    return BadBackup(f"{_member(table.name)}, row {number}, cannot be restored: {why}.")


def _summary(path: Path, manifest: Manifest, size: int) -> Summary:
    rows = {entry.name: entry.rows for entry in manifest.tables}
    return Summary(path, manifest.schema, manifest.created_at, rows, size)
