"""Backups hold one moment of the store, go both ways between SQLite and PostgreSQL, and come back wholly or not."""

import asyncio
import hashlib
import json
import shutil
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from offhook import bootstrap
from offhook.access.model import Principal
from offhook.app import Offhook
from offhook.examples import FULL, SMALL
from offhook.kit.errors import Conflict, Unavailable
from offhook.kit.ids import Ids
from offhook.kit.operation import Call
from offhook.kit.settings import Settings
from offhook.kit.wire import fit
from offhook.offices import wire
from offhook.storage import secrets
from offhook.storage.backup import MANIFEST, BackupFailed, BadBackup, Summary, backup, restore
from offhook.storage.database import Database
from offhook.storage.migrate import configuration, current, upgrade
from offhook.storage.tables import metadata

OFFICES, EVENTS, PLANS = "tables/offices.jsonl", "tables/events.jsonl", "tables/plans.jsonl"


@contextmanager
def opened(url: str) -> Iterator[Database]:
    with closing(Database(url)) as database:
        yield database


@pytest.fixture
def new_store(tmp_path: Path) -> Callable[[], str]:
    """URLs of stores that do not exist yet."""
    numbers = iter(range(100))
    return lambda: f"sqlite:///{tmp_path / f'store-{next(numbers)}' / 'offhook.sqlite3'}"


@pytest.fixture
def empty(new_store: Callable[[], str]) -> Iterator[Database]:
    """A store that nothing was ever done to."""
    with opened(new_store()) as database:
        yield database


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good backup of a small store, to be copied and spoilt."""
    folder = tmp_path_factory.mktemp("written")
    with opened(f"sqlite:///{folder / 'offhook.sqlite3'}") as database:
        fill(database)
        backup(database, folder / "good.zip")
    return folder / "good.zip"


def fill(database: Database, companies: int = 2) -> None:
    """Some of everything that a store can hold."""
    upgrade(database)
    secrets.get(database, "cursor")
    ids = Ids(0)
    for number in range(companies):
        with database.transaction() as tx:
            bootstrap.found(tx, ids, name=f"Company {number} ✆", primary={**FULL, "name": "Head office"})
    table = metadata.tables["idempotency"]
    with database.transaction() as tx:
        for number in range(5):
            row = {"id": number, "digest": bytes([number] * 32), "fingerprint": bytes(range(32)), "kept_at": 1}
            tx.connection.execute(insert(table).values(**row, warnings="[]", body='{"a":"\\u0000"}'))


def content(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with database.reading() as tx:
        return {
            table.name: [tuple(row) for row in tx.connection.execute(select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
        }


def is_empty(database: Database) -> bool:
    upgrade(database)
    return not any(content(database).values())


# There and back


def moved(source: str, target: str, folder: Path) -> None:
    with opened(source) as before, opened(target) as after:
        fill(before)
        made = backup(before, folder / "moved.zip")
        back = restore(after, folder / "moved.zip")
        assert content(after) == content(before)
        assert back == made
        assert made.rows == {name: len(rows) for name, rows in content(before).items()}
        assert made.size == (folder / "moved.zip").stat().st_size
        assert made.rows["companies"] == 2
        goes_on(after)


def goes_on(database: Database) -> None:
    """The next event takes the next number."""
    events = metadata.tables["events"]
    last = content(database)["events"][-1][0]
    row = {c.name: "x" if c.type.python_type is str else 1 for c in events.columns if c.name != "seq"}
    with database.transaction() as tx:
        tx.connection.execute(insert(events).values(**row))
    assert [row[0] for row in content(database)["events"]][-2:] == [last, last + 1]


def test_a_store_comes_back_as_it_was(new_store, tmp_path):
    moved(new_store(), new_store(), tmp_path)


def test_a_store_that_is_outgrown_moves_to_postgresql(new_store, postgres_url, tmp_path):
    moved(new_store(), postgres_url, tmp_path)


def test_a_store_moves_from_postgresql_to_sqlite(new_store, postgres_url, tmp_path):
    moved(postgres_url, new_store(), tmp_path)


def test_a_restored_server_knows_its_keys_and_goes_on_creating(new_store, tmp_path):
    async def story() -> None:
        first = Offhook(Settings(data=str(tmp_path / "first"), access_log=False))
        async with first.running():
            with first.database.transaction() as tx:
                made = bootstrap.found(tx, first.ids, name="Example", primary={**FULL, "name": "Head office"})
            backup(first.database, tmp_path / "a.zip")
        with opened(Settings(data=str(tmp_path / "second")).url) as database:
            restore(database, tmp_path / "a.zip")
        second = Offhook(Settings(data=str(tmp_path / "second"), access_log=False))
        async with second.running():
            principal = await second.access.authenticate(made.keys["live"])
            await second.offices.create(a_create(principal, "Lisbon"))
            found = await second.offices.page(principal.tenant_id, 0, 10, False)
            assert [stored.office.name for stored in found] == ["Head office", "Lisbon"]

    asyncio.run(story())


def test_a_backup_says_how_far_it_is(written, empty):
    told: list[tuple[str, int]] = []
    made = restore(empty, written, lambda what, rows: told.append((what, rows)))
    for name, rows in made.rows.items():
        assert (f"verify {name}", rows) in told
        assert (name, rows) in told


# While the server goes on


def a_create(principal: Principal, name: str) -> Call:
    return Call(principal=principal, params={}, body=fit({**SMALL, "name": name}, wire.OfficeIn, []))


def taken_while_writing(options: dict[str, Any], folder: Path) -> None:
    """Backups made during creates: in each, every office has its plan and its event, and nothing is half."""

    async def story() -> None:
        offhook = Offhook(Settings(data=str(folder / "data"), access_log=False, **options))
        async with offhook.running():
            with offhook.database.transaction() as tx:
                made = bootstrap.found(tx, offhook.ids, name="Example", primary={**FULL, "name": "Head office"})
            principal = await offhook.access.authenticate(made.keys["live"])
            stop = asyncio.Event()

            async def write(number: int) -> None:
                count = 0
                while not stop.is_set():
                    await offhook.offices.create(a_create(principal, f"Office {number}/{count}"))
                    count += 1

            writers = [asyncio.create_task(write(number)) for number in range(4)]
            sizes = []
            for number in range(4):
                before = offhook.writer.units
                path = folder / f"{number}.zip"
                made_now = await asyncio.to_thread(backup, offhook.database, path, between_tables(offhook, principal))
                sizes.append(made_now.rows["offices"])
                whole(path)
                assert offhook.writer.units > before + 10, "nothing was written during the backup"
            stop.set()
            await asyncio.gather(*writers)
            assert sizes == sorted(set(sizes)), "each backup holds more than the one before"

    asyncio.run(story())


def between_tables(offhook: Offhook, principal: Principal) -> Callable[[str, int], None]:
    """Commits creates between any two tables of a backup, whatever else is under way."""
    loop = asyncio.get_running_loop()

    def create(what: str, _rows: int) -> None:
        asyncio.run_coroutine_threadsafe(offhook.offices.create(a_create(principal, what)), loop).result()

    return create


def rows_of(path: Path, member: str) -> list[list[Any]]:
    with zipfile.ZipFile(path) as archive:
        return [json.loads(line) for line in archive.read(member).splitlines()]


def whole(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        tables = {t["name"]: t["columns"] for t in json.loads(archive.read(MANIFEST))["tables"]}
    offices = {row[tables["offices"].index("id")] for row in rows_of(path, OFFICES)}
    plans = {row[tables["plans"].index("office_id")] for row in rows_of(path, PLANS)}
    word, subject = tables["events"].index("word"), tables["events"].index("subject_id")
    created = {int(row[subject]) for row in rows_of(path, EVENTS) if row[word] == "office.created"}
    assert offices == plans == created
    assert sum(row[tables["primary_offices"].index("office_count")] for row in rows_of(path, PRIMARY)) == len(offices)


PRIMARY = "tables/primary_offices.jsonl"


def test_a_backup_during_creates_holds_one_moment(tmp_path):
    taken_while_writing({}, tmp_path)


def test_a_backup_during_creates_holds_one_moment_on_postgresql(tmp_path, postgres_url):
    taken_while_writing({"database_url": postgres_url}, tmp_path)


# The file


def test_only_its_owner_may_read_a_backup_and_nothing_else_is_left(new_store, tmp_path):
    with opened(new_store()) as database:
        fill(database)
        folder = tmp_path / "backups"
        folder.mkdir()
        backup(database, folder / "a.zip")
        assert stat.S_IMODE((folder / "a.zip").stat().st_mode) == 0o600
        assert [path.name for path in folder.iterdir()] == ["a.zip"]


def test_a_backup_that_fails_leaves_the_last_one_as_it_was(new_store, tmp_path):
    def full(what: str, _rows: int) -> None:
        if what == "plans":
            raise OSError(28, "No space left on device")

    with opened(new_store()) as database:
        fill(database)
        folder = tmp_path / "backups"
        folder.mkdir()
        backup(database, folder / "a.zip")
        before = (folder / "a.zip").read_bytes()
        with pytest.raises(BackupFailed, match="No space left"):
            backup(database, folder / "a.zip", full)
        assert (folder / "a.zip").read_bytes() == before
        assert [path.name for path in folder.iterdir()] == ["a.zip"]


def test_a_folder_that_is_not_there_is_said(new_store, tmp_path):
    with opened(new_store()) as database:
        fill(database)
        with pytest.raises(BackupFailed, match="No such file"):
            backup(database, tmp_path / "nowhere" / "a.zip")


def test_a_table_that_would_be_left_out_is_said(new_store, tmp_path):
    with opened(new_store()) as database:
        fill(database)
        with database.transaction() as tx:
            tx.connection.exec_driver_sql("CREATE TABLE recordings (id INTEGER)")
        with pytest.raises(BackupFailed, match="recordings"):
            backup(database, tmp_path / "a.zip")


def test_a_store_without_a_schema_has_nothing_to_back_up(empty, tmp_path):
    with pytest.raises(BackupFailed, match="empty"):
        backup(empty, tmp_path / "a.zip")


# What is refused


def test_a_store_that_holds_anything_is_not_restored_over(written, new_store):
    with opened(new_store()) as database:
        fill(database, companies=1)
        before = content(database)
        with pytest.raises(Conflict):
            restore(database, written)
        assert content(database) == before


def test_a_store_that_was_only_started_is_restored_into(written, empty):
    upgrade(empty)
    secrets.get(empty, "cursor")
    restore(empty, written)
    with opened(f"sqlite:///{written.parent / 'offhook.sqlite3'}") as source:
        assert content(empty) == content(source)


def rewritten(source: Path, target: Path, change: Callable[[dict[str, bytes]], None], *, sign: bool = False) -> Path:
    """A backup with its members changed; with `sign` its manifest is made to agree again."""
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    if sign:
        manifest = json.loads(members[MANIFEST])
        for entry in manifest["tables"]:
            raw = members[f"tables/{entry['name']}.jsonl"]
            entry |= {"rows": raw.count(b"\n"), "bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
        members[MANIFEST] = json.dumps(manifest).encode()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in members.items():
            archive.writestr(name, raw)
    return target


def in_manifest(**changes: Any) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        members[MANIFEST] = json.dumps(json.loads(members[MANIFEST]) | changes).encode()

    return change


def row(member: str, number: int, edit: Callable[[list[Any]], Any]) -> Callable[[dict[str, bytes]], None]:
    """Change one row, numbered from 1."""

    def change(members: dict[str, bytes]) -> None:
        lines = members[member].splitlines()
        lines[number - 1] = json.dumps(edit(json.loads(lines[number - 1]))).encode()
        members[member] = b"".join(line + b"\n" for line in lines)

    return change


def setting(at: int, value: Any) -> Callable[[list[Any]], list[Any]]:
    return lambda cells: [*cells[:at], value, *cells[at + 1 :]]


def raw(name: str, value: bytes | None) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        if value is None:
            del members[name]
        else:
            members[name] = value

    return change


def a_row_promised(members: dict[str, bytes]) -> None:
    manifest = json.loads(members[MANIFEST])
    manifest["tables"][0]["rows"] += 1
    members[MANIFEST] = json.dumps(manifest).encode()


TAMPERED: list[tuple[str, Callable[[dict[str, bytes]], None], bool, str]] = [
    ("a name changed", row(OFFICES, 2, setting(7, "{}")), False, "offices"),
    ("a letter changed", lambda m: m.update({OFFICES: m[OFFICES].replace(b"active", b"actave", 1)}), False, "checksum"),
    ("a row promised", a_row_promised, False, "number of rows"),
    ("a row missing", lambda m: m.update({EVENTS: m[EVENTS].split(b"\n", 1)[1]}), False, "events"),
    ("a table missing", raw(PLANS, None), False, "lacks"),
    ("a member too many", raw("tables/more.jsonl", b""), False, "does not name"),
    ("a member elsewhere", raw("../../etc/passwd", b"root"), False, "does not name"),
    ("no manifest", raw(MANIFEST, None), False, "manifest"),
    ("a manifest that is none", raw(MANIFEST, b"[]"), False, "manifest"),
    ("a manifest not in UTF-8", raw(MANIFEST, b'{"format":1,"schema":"\xff"}'), False, "manifest"),
    ("a huge manifest", raw(MANIFEST, b" " * 2_000_000), False, "manifest"),
    ("another format", in_manifest(format=2), False, "format 2"),
    ("a newer schema", in_manifest(schema="9999"), False, "newer"),
    ("no tables", in_manifest(tables=[]), False, "tables and columns"),
    ("a bomb", raw(OFFICES, b"0" * 50_000_000), False, "unpack"),
    ("text for a number", row(OFFICES, 3, setting(0, "x")), True, "offices.jsonl, row 3,"),
    ("a number too large", row(OFFICES, 1, setting(0, 2**63)), True, "offices.jsonl, row 1,"),
    ("a null that may not be", row(OFFICES, 2, setting(7, None)), True, "offices.jsonl, row 2,"),
    ("a cell too many", row(OFFICES, 2, lambda cells: [*cells, 1]), True, "offices.jsonl, row 2,"),
    ("no list", row(OFFICES, 2, lambda _: "DROP TABLE"), True, "offices.jsonl, row 2,"),
    ("no base64", row("tables/idempotency.jsonl", 2, setting(1, "?")), True, "idempotency.jsonl, row 2,"),
    ("not UTF-8", lambda m: m.update({PLANS: b'[1,1,"\xff"]\n'}), True, "plans.jsonl, row 1,"),
    ("a broken key", lambda m: m.update({PLANS: m[PLANS] + m[PLANS].splitlines(True)[1]}), True, "plans.jsonl, row 5,"),
]


@pytest.mark.parametrize(
    ("change", "sign", "says"),
    [case[1:] for case in TAMPERED if case[3]],
    ids=[case[0] for case in TAMPERED if case[3]],
)
def test_a_file_that_is_not_as_it_was_written_is_refused_whole(written, empty, tmp_path, change, sign, says):
    bad = rewritten(written, tmp_path / "bad.zip", change, sign=sign)
    with pytest.raises(BadBackup, match=says) as refused:
        restore(empty, bad)
    assert is_empty(empty)
    for secret in (b"Head office", b"first live key"):
        assert secret not in str(refused.value).encode()


def test_an_older_schema_is_told_from_a_newer_one(written, empty, monkeypatch):
    known = [script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions()]

    class Scripts:
        @staticmethod
        def get_current_head() -> str:
            return "9999"

        @staticmethod
        def walk_revisions() -> list[Any]:
            return [type("R", (), {"revision": name}) for name in ("9999", *known)]

    monkeypatch.setattr(ScriptDirectory, "from_config", lambda _config: Scripts)
    with pytest.raises(BadBackup, match="older"):
        restore(empty, written)


def test_a_member_that_stands_twice_is_refused(written, empty, tmp_path):
    bad = Path(shutil.copy(written, tmp_path / "bad.zip"))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(bad, "a") as archive:
        archive.writestr(OFFICES, b"")
    with pytest.raises(BadBackup, match="twice"):
        restore(empty, bad)


def test_what_is_no_file_is_said(empty, tmp_path):
    with pytest.raises(BadBackup, match="No such file"):
        restore(empty, tmp_path / "none.zip")
    with pytest.raises(BadBackup, match="cannot be read"):
        restore(empty, tmp_path)


def test_a_nul_goes_back_to_sqlite_and_is_named_for_postgresql(written, empty, postgres_url, tmp_path):
    bad = rewritten(written, tmp_path / "nul.zip", row(OFFICES, 2, setting(2, "a\0b")), sign=True)
    with opened(postgres_url) as postgres:
        with pytest.raises(BadBackup, match=r"offices.jsonl, row 2,.*NUL"):
            restore(postgres, bad)
        assert is_empty(postgres)
    restore(empty, bad)


def fails_midway(database: Database, path: Path) -> None:
    """A restore that ends at its last tables, by whatever: nothing of it stays, and it may be tried again."""

    def full(what: str, _rows: int) -> None:
        if what == "tenants":
            raise Unavailable("The store is full.")

    with pytest.raises(Unavailable):
        restore(database, path, full)
    assert current(database) is None, "not even a schema stays"
    assert is_empty(database)
    assert restore(database, path).rows["companies"] == 2


def test_a_restore_that_fails_midway_leaves_nothing(written, empty):
    fails_midway(empty, written)


def test_a_restore_that_fails_midway_leaves_nothing_on_postgresql(written, postgres_url):
    with opened(postgres_url) as database:
        fails_midway(database, written)


def test_a_row_that_breaks_a_key_is_found_among_many_on_postgresql(written, postgres_url, tmp_path):
    twice = next(change for name, change, _, _ in TAMPERED if name == "a broken key")
    bad = rewritten(written, tmp_path / "bad.zip", twice, sign=True)
    with opened(postgres_url) as database:
        with pytest.raises(BadBackup, match=r"plans.jsonl, row 5,"):
            restore(database, bad)
        assert is_empty(database)


def test_a_file_that_changes_while_it_is_restored_is_noticed(written, empty, tmp_path):
    path = Path(shutil.copy(written, tmp_path / "moving.zip"))
    other = rewritten(written, tmp_path / "other.zip", row(OFFICES, 2, setting(2, "gone!!")), sign=True)

    def swap(what: str, _rows: int) -> None:
        if what == "verify tenants":
            path.write_bytes(other.read_bytes())

    with pytest.raises(BadBackup):
        restore(empty, path, swap)
    assert is_empty(empty)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_a_damaged_file_is_refused_or_changes_nothing_that_counts(written, new_store, tmp_path, data):
    good = bytearray(written.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(good) - 1))
        if data.draw(st.booleans()):
            good[at] = data.draw(st.integers(0, 255))
        else:
            del good[at : at + data.draw(st.integers(1, 50))]
    (tmp_path / "bad.zip").write_bytes(good)
    database = Database(f"sqlite:///{tmp_path / 'scratch' / 'offhook.sqlite3'}")
    try:
        made: Summary | None = restore(database, tmp_path / "bad.zip")
    except BadBackup:
        made = None
    finally:
        database.close()
        shutil.rmtree(tmp_path / "scratch", ignore_errors=True)
    # A byte that is nobody's (a time stamp, an attribute) may change.
    if made is not None:
        assert made.rows["companies"] == 2
