"""Statements straight to SQLite's driver: nobody can tell them from SQLAlchemy's, but by how long they take."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from offhook.kit.errors import Conflict, Unavailable, Unstorable
from offhook.storage import driver
from offhook.storage.batches import FEW, Lookup, Reader
from offhook.storage.database import READERS, Database, Insert, Statement, Transaction, in_parts
from offhook.storage.migrate import upgrade
from offhook.storage.tables import settings

PUT = Statement("INSERT INTO store_settings (name, value) VALUES (?, ?)")
SET = Statement("UPDATE store_settings SET value = ? WHERE name = ?")
VALUES = Statement("SELECT name, value FROM store_settings WHERE name <> 'cursor' ORDER BY name")
insert = Insert(settings, ["name", "value"])


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path}/offhook.sqlite3")
    upgrade(opened)
    yield opened
    opened.close()


def heard(database: Database) -> list[str]:
    """From now on, the statements that go SQLAlchemy's way."""
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    return statements


def put_and_fail(database: Database, fault: Exception) -> None:
    with database.transaction() as tx:
        tx.change(PUT, "a", "1")
        raise fault


def put_what_the_commit_refuses(tx: Transaction) -> None:
    tx.connection.exec_driver_sql("CREATE TEMP TABLE one (id INTEGER PRIMARY KEY)")
    tx.connection.exec_driver_sql(
        "CREATE TEMP TABLE other (id INTEGER REFERENCES one (id) DEFERRABLE INITIALLY DEFERRED)"
    )
    tx.change(Statement("INSERT INTO other VALUES (?)"), 1)
    tx.change(PUT, "a", "1")


def lose(tx: Transaction) -> None:
    driver_of = tx.connection.connection.driver_connection
    driver_of.close()  # type: ignore[union-attr]
    tx.all(VALUES)


def values(database: Database) -> list[tuple[str, str]]:
    with database.reading() as tx:
        return [tuple(row) for row in tx.all(VALUES)]


@pytest.fixture(params=["straight", "sqlalchemy"])
def either(request: pytest.FixtureRequest, database: Database) -> Database:
    """A store whose statements go one way or the other."""
    if request.param == "sqlalchemy":
        heard(database)
    with database.reading() as tx:
        assert (driver.driver_of(tx.connection) is not None) == (request.param == "straight")
    return database


def test_both_ways_do_the_same(either: Database):
    with either.transaction() as tx:
        insert(tx, [("a", "1"), ("b", "1")])
        insert(tx, [("c", "1")])
        assert tx.change(SET, "2", "a") == 1
        assert tx.change(SET, "2", "nobody") == 0
        assert tx.change_many(SET, [("3", "b"), ("3", "c"), ("3", "nobody")]) == 2
        with suppress(Conflict), tx.savepoint():
            tx.change(SET, "lost", "a")
            raise Conflict("no")
        with tx.savepoint():
            tx.change(PUT, "d", "4")
    assert values(either) == [("a", "2"), ("b", "3"), ("c", "3"), ("d", "4")]
    with either.reading() as tx:
        assert tuple(tx.first(VALUES) or ()) == ("a", "2")
        assert tx.first(Statement("SELECT 1 WHERE 1 = ?"), 2) is None


def test_what_raises_is_undone_and_the_next_one_begins_anew(either: Database):
    for fault in (Conflict("no"), ValueError("a fault")):
        with pytest.raises(type(fault)):
            put_and_fail(either, fault)
        with pytest.raises(type(fault)), either.reading():
            raise fault
    assert values(either) == []
    with either.transaction() as tx:
        tx.change(PUT, "a", "1")
    assert values(either) == [("a", "1")]


def test_faults_are_told_alike(either: Database):
    with either.transaction() as tx:
        tx.change(PUT, "a", "1")
    with pytest.raises(IntegrityError) as taken, either.transaction() as tx:
        tx.change(PUT, "a", "a secret")
    assert "a secret" not in str(taken.value)
    with pytest.raises(IntegrityError), either.transaction() as tx:
        insert(tx, [("b", "1"), ("a", "1")])
    with pytest.raises(OperationalError), either.reading() as tx:
        tx.all(Statement("SELECT nothing FROM nowhere"))
    with pytest.raises(OperationalError), either.reading() as tx:
        tx.first(Statement("SELECT nothing FROM nowhere"))
    for value, said in ((2**70, "larger"), ("half \ud800", "NUL")):
        for ask in (Transaction.all, Transaction.first, Transaction.change):
            with pytest.raises(Unstorable, match=said), either.reading() as tx:
                ask(tx, Statement("SELECT ?"), value)
    with pytest.raises(DBAPIError), either.reading() as tx:
        tx.all(Statement("SELECT ?"), object())
    assert values(either) == [("a", "1")]


def test_what_is_asked_of_sqlalchemy_meanwhile_is_of_the_same_transaction(database: Database):
    with database.transaction() as tx:
        tx.change(PUT, "a", "1")
        tx.connection.exec_driver_sql("INSERT INTO store_settings (name, value) VALUES ('b', '1')")
        with suppress(Conflict), tx.connection.begin_nested():
            tx.change(PUT, "c", "1")
            raise Conflict("no")
    assert values(database) == [("a", "1"), ("b", "1")]
    with suppress(Conflict), database.transaction() as tx:
        tx.connection.exec_driver_sql("DELETE FROM store_settings")
        raise Conflict("no")
    with database.transaction_at_once() as tx:
        tx.connection.exec_driver_sql("INSERT INTO store_settings (name, value) VALUES ('d', '1')")
    with database.transaction_at_once() as tx:
        tx.change(PUT, "e", "1")
    assert [name for name, _ in values(database)] == ["a", "b", "d", "e"]


def test_who_listens_hears_every_statement(database: Database):
    assert values(database) == []
    statements = heard(database)
    with database.transaction() as tx:
        tx.change(PUT, "a", "1")
    assert values(database) == [("a", "1")]
    assert [one.split(" ")[0] for one in statements] == ["BEGIN", "INSERT", "BEGIN", "SELECT"]


def test_a_commit_that_fails_is_undone(database: Database):
    """As where the disk is full only then: what is deferred is looked at by the commit."""
    for transaction in (database.transaction, database.transaction_at_once):
        with pytest.raises(IntegrityError), transaction() as tx:
            put_what_the_commit_refuses(tx)
        # Whoever gets that connection next finds it as if nothing had been.
        for again in (database.transaction, database.transaction_at_once, database.reading, database.reading_at_once):
            with again() as tx:
                assert tx.connection.exec_driver_sql("SELECT 1").scalar() == 1
        assert "a" not in dict(values(database))
        with transaction() as tx:
            tx.change(PUT, transaction.__name__, "1")
    assert [name for name, _ in values(database)] == ["transaction", "transaction_at_once"]


def test_connections_are_used_again_and_few_are_kept(database: Database):
    def ours() -> Any:
        with database.reading() as tx:
            return tx.connection

    assert ours() is ours()
    together = threading.Barrier(READERS + 2)

    def read() -> None:
        with database.reading() as tx:
            tx.all(VALUES)
            together.wait(10)

    threads = [threading.Thread(target=read) for _ in range(READERS + 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert database.engine.pool.checkedout() == READERS  # type: ignore[attr-defined]


def test_a_connection_that_was_lost_is_replaced(database: Database):
    for reading in (database.reading, database.reading_at_once):
        with pytest.raises(Unavailable), reading() as tx:
            lose(tx)
        assert values(database) == []
    with database.reading_at_once() as tx:
        assert tx.first(VALUES) is None


def test_a_look_sees_what_was_committed_last(database: Database):
    async def work() -> None:
        reader = Reader(database)
        for number in range(3):
            with database.transaction() as tx:
                tx.change(PUT, f"{number}", "x")
            assert len(await reader.briefly(lambda tx: tx.all(VALUES))) == number + 1
        reader.close()

    asyncio.run(work())


def test_a_brief_look_is_done_on_the_loop_and_elsewhere_if_it_had_to_wait(database: Database):
    async def work() -> None:
        reader = Reader(database)
        assert await reader.briefly(lambda _: threading.current_thread().name) == "MainThread"
        with database.reading_at_once():
            assert (await reader.briefly(lambda _: threading.current_thread().name)).startswith("offhook-reader")
            with pytest.raises(Unavailable), database.reading_at_once():
                pytest.fail("two at once")
        with pytest.raises(Conflict):
            await reader.briefly(_refused)
        with pytest.raises(OperationalError):
            await reader.briefly(lambda tx: tx.all(Statement("SELECT nothing FROM nowhere")))
        assert await reader.briefly(lambda _: threading.current_thread().name) == "MainThread"
        with pytest.raises(OperationalError):
            await reader.briefly(
                lambda tx: tx.change(PUT, "a", "1") and tx.all(Statement("SELECT nothing FROM nowhere"))
            )
        await reader.briefly(lambda tx: tx.change(PUT, "a", "1"))
        reader.close()

    asyncio.run(work())
    assert values(database) == []


def _refused(_tx: Transaction) -> None:
    raise Conflict("no")


def test_a_few_keys_are_looked_up_on_the_loop_and_many_in_a_thread(database: Database):
    threads: list[str] = []

    def find(_tx: Transaction, keys: list[int]) -> list[int]:
        threads.append(threading.current_thread().name)
        if threads[-1] == "MainThread" and 13 in keys:
            raise Conflict("no")
        return [key * 2 for key in keys]

    async def work() -> None:
        lookup: Lookup[int, int] = Lookup(database, "test", find)
        assert await asyncio.gather(*map(lookup.get, range(FEW))) == [0, 2, 4, 6]
        assert await asyncio.gather(*map(lookup.get, range(FEW + 1))) == [0, 2, 4, 6, 8]
        assert await lookup.get(13) == 26
        await lookup.close()

    asyncio.run(work())
    assert threads == ["MainThread", "offhook-test_0", "MainThread", "offhook-test_0"]


@pytest.mark.parametrize("count", [1, 2, 3, 32, 33, 50, 51, 499, 500, 501, 1000])
def test_values_are_asked_for_in_parts_of_few_sizes(count: int):
    parts = list(in_parts(list(range(1, count + 1)), 0))
    assert [one for part, _ in parts for one in part if one] == list(range(1, count + 1))
    assert all(marks.count("?") == len(part) <= 500 for part, marks in parts)
    sizes = {len(part) for number in range(1, 501) for part, _ in in_parts([1] * number, 0)}
    assert len(sizes) == 16
    assert list(in_parts([], 0)) == []
