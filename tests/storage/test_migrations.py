"""The schema: the migrations make what the tables say, on both stores; done wholly, once, and never backwards."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect

from offhook import app as _app  # noqa: F401 - declares all tables
from offhook.storage import secrets, slots
from offhook.storage.database import Database, Statement
from offhook.storage.migrate import WrongSchema, configuration, current, head, upgrade
from offhook.storage.tables import metadata

pytestmark = pytest.mark.usefixtures("migrated_in_full")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/data/offhook.sqlite3"
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database(url)
    yield opened
    opened.close()


def test_an_empty_store_is_brought_to_the_newest_schema(database: Database):
    assert current(database) is None
    upgrade(database)
    assert current(database) == head(database) is not None
    upgrade(database)
    assert current(database) == head(database)


def test_the_migrations_make_what_the_tables_say(database: Database):
    upgrade(database)
    with database.reading() as tx:
        assert compare_metadata(MigrationContext.configure(tx.connection), metadata) == []
        made = inspect(tx.connection)
        for table in metadata.sorted_tables:
            declared = {index.name for index in table.indexes}
            assert declared <= {index["name"] for index in made.get_indexes(table.name)}, table.name


def test_a_store_of_a_newer_version_is_left_alone(database: Database):
    upgrade(database)
    with database.transaction() as tx:
        tx.change(Statement("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(WrongSchema, match="9999"):
        upgrade(database)
    assert current(database) == "9999"


def test_a_store_of_an_older_version_is_brought_to_the_newest_schema(database: Database):
    config = configuration()
    with database.transaction() as tx:
        config.attributes["connection"] = tx.connection
        command.upgrade(config, "0004")
    assert current(database) == "0004"
    upgrade(database)
    assert current(database) == head(database)
    with database.reading() as tx:
        assert {table.name for table in metadata.sorted_tables} <= {*inspect(tx.connection).get_table_names()}


def test_processes_that_start_at_once_migrate_once(url: str):
    stores = [Database(url) for _ in range(4)]
    try:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(upgrade, stores))
        assert {current(store) for store in stores} == {head(stores[0])}
        with ThreadPoolExecutor(4) as threads:
            found = list(threads.map(lambda store: secrets.get(store, "cursor"), stores))
        assert len(set(found)) == 1
    finally:
        for store in stores:
            store.close()


def test_a_migration_that_fails_leaves_nothing_behind(database: Database, monkeypatch: pytest.MonkeyPatch):
    real = command.upgrade

    def breaking(*args: object) -> None:
        real(*args)  # type: ignore[arg-type]
        raise RuntimeError("in the middle")

    monkeypatch.setattr("offhook.storage.migrate.command.upgrade", breaking)
    with pytest.raises(RuntimeError, match="in the middle"):
        upgrade(database)
    monkeypatch.undo()
    with database.reading() as tx:
        assert inspect(tx.connection).get_table_names() == []
    upgrade(database)


def test_a_secret_is_made_once_and_stays(database: Database):
    upgrade(database)
    first = secrets.get(database, "cursor")
    assert len(first) > 30
    assert secrets.get(database, "cursor") == first
    assert secrets.get(database, "another") != first


def test_each_process_over_a_store_gets_a_slot_of_its_own_and_gives_it_back(url: str):
    stores = [Database(url) for _ in range(3)]
    try:
        upgrade(stores[0])
        one, two = slots.lease(stores[0]), slots.lease(stores[1])
        assert (one.number, two.number) == (0, 1)
        one.release()
        three = slots.lease(stores[2])
        assert three.number == 0
        two.release()
        three.release()
    finally:
        for store in stores:
            store.close()


@pytest.mark.usefixtures("synced_sqlite")
def test_sqlite_syncs_every_commit_and_keeps_foreign_keys(tmp_path: Path):
    store = Database(f"sqlite:///{tmp_path}/d/offhook.sqlite3")
    with store.reading() as tx:
        for pragma, value in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
            assert tx.connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value
    store.close()
    assert (tmp_path / "d").stat().st_mode & 0o077 == 0


def test_importing_the_application_declares_every_table():
    assert {table.name for table in metadata.sorted_tables} == {
        "engagements", "rotations", "waiting_calls", "calls", "call_steps",
        "call_legs", "call_wishes", "call_wires", "tapes",
        "api_documents", "api_versions", "api_pieces", "api_operations", "api_examples",
        "saved_requests", "saved_request_versions", "credentials", "credential_tokens", "runs", "run_bodies",
        "api_keys", "companies", "events", "idempotency", "licences_used", "numbers", "offices", "plans", "pointers",
        "operators", "primary_offices", "rooms", "users", "devices", "user_emails", "store_settings", "tenants",
        "contacts", "channels", "coaching_teams", "members", "callrouters", "callrouter_errors", "policies",
        "policy_assignments", "departments", "callcenters", "sessions",
        "workflow_definitions", "workflow_texts", "workflow_policies", "workflow_runs", "workflow_attempts",
        "workflow_workers", "workflow_schedules", "workflow_triggers", "workflow_hooks", "workflow_timers",
        "workflow_followed", "workflow_watches", "workflow_starts", "workflow_hook_calls",
        "phones", "registrations", "trunks", "trunk_addresses",
        "prompt_recordings", "prompt_uses", "prompts",
    }  # fmt: skip
