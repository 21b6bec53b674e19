"""The batching writer: acknowledged is committed, a unit that fails takes no other with it, nothing is done twice."""

import asyncio
import random
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from offhook.kit.errors import Conflict, Unavailable, Unstorable
from offhook.storage import driver
from offhook.storage.batches import MAX_BATCH, Function, Lookup, Reader, Together, Within, Writer, finished
from offhook.storage.database import Database, Insert, Statement, Transaction
from offhook.storage.migrate import upgrade
from offhook.storage.tables import settings

PUT = Statement("INSERT INTO store_settings (name, value) VALUES (?, ?)")
NAMES = Statement("SELECT name FROM store_settings WHERE name <> 'cursor' ORDER BY name")
PATIENCE = Statement("PRAGMA busy_timeout")
insert = Insert(settings, ["name", "value"])
replace = Insert(settings, ["name", "value"], replacing=["name"])


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/offhook.sqlite3" if sqlite else request.getfixturevalue("postgres_url")
    opened = Database(url)
    upgrade(opened)
    yield opened
    opened.close()


def run(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return asyncio.run(work())


def names(database: Database) -> list[str]:
    with database.reading() as tx:
        return [row[0] for row in tx.all(NAMES)]


def put(name: str) -> Callable[[Transaction], str]:
    def unit(tx: Transaction) -> str:
        tx.change(PUT, name, "x")
        return name

    return unit


class Hot:
    """A unit with a fast way, which notes how it was run."""

    ways: ClassVar[list[str]] = []

    def __init__(self, name: str, fault: Exception | None = None) -> None:
        self.name = name
        self.fault = fault

    def run(self, tx: Transaction) -> str:
        Hot.ways.append(f"one {self.name}")
        if self.fault is not None:
            tx.change(PUT, f"{self.name}-half", "x")
            raise self.fault
        return put(self.name)(tx)

    @classmethod
    def run_many(cls, tx: Transaction, units: Sequence["Hot"]) -> list[str]:
        Hot.ways.append(f"many {len(units)}")
        insert(tx, [(unit.name, "x") for unit in units])
        for unit in units:
            if unit.fault is not None:
                raise unit.fault
        return [unit.name for unit in units]


@pytest.fixture(autouse=True)
def forgotten_ways() -> None:
    Hot.ways = []


def test_what_is_answered_is_committed(database: Database):
    async def work() -> None:
        writer = Writer(database)
        assert await writer.run(put("a")) == "a"
        assert names(database) == ["a"]
        await writer.close()

    run(work)


def test_units_that_arrive_together_share_a_transaction(database: Database):
    async def work() -> Writer:
        writer = Writer(database)
        answers = await asyncio.gather(*(writer.run(put(f"{index:03}")) for index in range(MAX_BATCH)))
        assert answers == [f"{index:03}" for index in range(MAX_BATCH)]
        await writer.close()
        return writer

    writer = run(work)
    assert (writer.batches, writer.units, writer.replays) == (1, MAX_BATCH, 0)
    assert len(names(database)) == MAX_BATCH


def test_a_batch_has_an_upper_bound(database: Database):
    async def work() -> int:
        writer = Writer(database)
        await asyncio.gather(*(writer.run(put(f"{index:03}")) for index in range(MAX_BATCH * 2 + 1)))
        await writer.close()
        return writer.batches

    assert run(work) == 3


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path}/offhook.sqlite3")
    upgrade(opened)
    yield opened
    opened.close()


def test_the_loop_never_waits_for_another_process_that_writes(sqlite: Database):
    with sqlite.transaction_at_once() as tx:
        assert tuple(tx.all(PATIENCE)[0]) == (0,)
    with sqlite.transaction(), pytest.raises(Unavailable), sqlite.transaction_at_once():
        pytest.fail("two writers at once")

    async def work() -> None:
        writer = Writer(sqlite)
        with sqlite.transaction() as tx:
            answer = asyncio.ensure_future(writer.submit(Hot("a")))
            for _ in range(5):
                await asyncio.sleep(0)
            assert not answer.done()
            tx.change(PUT, "first", "x")
        assert await answer == "a"
        assert names(sqlite) == ["a", "first"]
        await writer.close()

    run(work)


@pytest.mark.parametrize("fault", [ValueError("a fault of ours"), RuntimeError("unforeseen"), Unavailable("busy")])
def test_a_fault_where_the_loop_begins_leaves_nobody_without_an_answer_and_no_lock(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch, fault: Exception
):
    raised: list[Exception] = []

    class Broken(Transaction):
        """Cannot be made on the loop, where it has begun already."""

        def __init__(self, *given: Any) -> None:
            if threading.current_thread() is threading.main_thread() and len(raised) < 2:
                raised.append(fault)
                raise fault
            super().__init__(*given)

    async def work() -> None:
        writer = Writer(sqlite)
        monkeypatch.setattr("offhook.storage.database.Transaction", Broken)
        async with asyncio.timeout(10):
            assert await asyncio.gather(*(writer.submit(Hot(name)) for name in "ab")) == ["a", "b"]
            assert await writer.submit(Hot("c")) == "c"
            assert len(raised) == 2
            assert await writer.submit(Hot("d")) == "d"
        await writer.close()

    run(work)
    assert names(sqlite) == ["a", "b", "c", "d"]


def test_a_transaction_that_fails_as_it_begins_holds_no_lock(sqlite: Database, monkeypatch: pytest.MonkeyPatch):
    begin = driver.run

    def begins_and_fails(connection: Any, sql: str, values: Any = ()) -> Any:
        begin(connection, sql, values)
        raise ValueError("unforeseen")

    with monkeypatch.context() as patch:
        patch.setattr(driver, "run", begins_and_fails)
        with pytest.raises(ValueError, match="unforeseen"), sqlite.transaction_at_once():
            pytest.fail("it has not begun")
    with sqlite.transaction() as tx:
        put("a")(tx)
    with sqlite.transaction_at_once() as tx:
        put("b")(tx)
    assert names(sqlite) == ["a", "b"]


class Warm(Hot):
    """Another class of them."""


def test_hot_units_of_several_classes_are_inserted_by_the_loop(sqlite: Database):
    """A batch with a plain unit in it goes to the thread, as a whole."""
    threads: list[str] = []

    def noted(connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT"):
            threads.append(threading.current_thread().name)

    async def work() -> None:
        writer = Writer(sqlite)
        event.listen(sqlite.engine, "before_cursor_execute", noted)
        assert await asyncio.gather(*(writer.submit(kind(name)) for kind, name in ((Hot, "a"), (Warm, "b")))) == [
            "a",
            "b",
        ]
        assert threads == ["MainThread"] * 2
        threads.clear()
        await asyncio.gather(writer.submit(Hot("c")), writer.run(put("d")))
        assert len(threads) == 2
        assert "MainThread" not in threads
        await writer.close()

    run(work)
    assert names(sqlite) == ["a", "b", "c", "d"]


def test_a_batch_whose_commit_fails_is_refused_as_a_whole_and_the_next_one_goes_on(sqlite: Database):
    async def work() -> None:
        writer = Writer(sqlite)
        await writer.submit(Hot("before"))
        failing = True

        def refuse(_: Connection) -> None:
            if failing:
                raise OperationalError("COMMIT", (), Exception("disk I/O error"))

        event.listen(sqlite.engine, "commit", refuse)
        lost = await asyncio.gather(*(writer.submit(Hot(name)) for name in "ab"), return_exceptions=True)
        assert [type(one) for one in lost] == [Unavailable, Unavailable]
        failing = False
        assert names(sqlite) == ["before"]
        assert await writer.submit(Hot("c")) == "c"
        assert names(sqlite) == ["before", "c"]
        await writer.close()

    run(work)


def test_hot_units_go_together_in_few_statements(database: Database):
    async def work() -> None:
        writer = Writer(database)
        found = await asyncio.gather(*(writer.submit(Hot(name)) for name in "abc"), writer.run(put("d")))
        assert found == ["a", "b", "c", "d"]
        await writer.close()

    run(work)
    assert Hot.ways == ["many 3"]
    assert names(database) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("fault", [Conflict("no"), ValueError("a fault"), KeyError("x")])
def test_one_that_fails_is_refused_alone_and_its_own_changes_are_undone(database: Database, fault: Exception):
    async def work() -> int:
        writer = Writer(database)
        units = [Hot("a"), Hot("b", fault), Hot("c")]
        found = await asyncio.gather(*map(writer.submit, units), writer.run(put("d")), return_exceptions=True)
        assert found == ["a", fault, "c", "d"]
        await writer.close()
        return writer.replays

    assert run(work) == 1
    assert Hot.ways == ["many 3", "one a", "one b", "one c"]
    assert names(database) == ["a", "c", "d"]


def test_rows_take_the_place_of_those_with_their_key(database: Database):
    values = Statement("SELECT name, value FROM store_settings WHERE name <> 'cursor' ORDER BY name")
    with database.transaction() as tx:
        insert(tx, [("a", "old"), ("b", "old")])
        replace(tx, [("b", "new"), ("c", "new")])
        assert [tuple(row) for row in tx.all(values)] == [("a", "old"), ("b", "new"), ("c", "new")]


def test_a_key_that_is_taken_refuses_only_who_asked_for_it(database: Database):
    async def work() -> None:
        writer = Writer(database)
        await writer.submit(Hot("b"))
        found = await asyncio.gather(*(writer.submit(Hot(name)) for name in "abc"), return_exceptions=True)
        assert found[0] == "a"
        assert isinstance(found[1], IntegrityError)
        assert found[2] == "c"
        plain = await asyncio.gather(*(writer.run(put(name)) for name in "cde"), return_exceptions=True)
        assert isinstance(plain[0], IntegrityError)
        assert plain[1:] == ["d", "e"]
        await writer.close()

    run(work)
    assert names(database) == ["a", "b", "c", "d", "e"]


def test_a_plain_unit_that_fails_takes_no_hot_one_with_it(database: Database):
    def failing(tx: Transaction) -> None:
        tx.change(PUT, "half", "x")
        raise Conflict("no")

    async def work() -> None:
        writer = Writer(database)
        found = await asyncio.gather(writer.run(failing), writer.submit(Hot("a")), return_exceptions=True)
        assert isinstance(found[0], Conflict)
        assert found[1] == "a"
        await writer.close()

    run(work)
    assert Hot.ways == ["many 1"]
    assert names(database) == ["a"]


@pytest.mark.parametrize("fault", [Unavailable("gone"), OperationalError("x", None, Exception("disk I/O error"))])
def test_when_the_store_fails_nothing_of_the_batch_is_kept_or_answered(database: Database, fault: Exception):
    def failing(_tx: Transaction) -> None:
        raise fault

    async def work() -> None:
        writer = Writer(database)
        found = await asyncio.gather(
            writer.run(put("a")), writer.run(failing), writer.submit(Hot("c")), return_exceptions=True
        )
        assert [type(one) for one in found] == [Unavailable] * 3
        # And the next batch goes through, without a restart.
        assert await writer.run(put("later")) == "later"
        await writer.close()

    run(work)
    assert names(database) == ["later"]


TOO_LONG = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=50_000))
"""More than a row of an index on PostgreSQL may have, and not to be made shorter by packing it."""


def _broken(tx: Transaction) -> None:
    tx.connection.exec_driver_sql("SELECT nothing FROM nowhere")


def test_a_fault_of_its_own_fails_a_unit_alone(database: Database):
    """On SQLite what cannot be carried out is of the same class of faults as a store that is gone."""

    async def work() -> None:
        writer = Writer(database)
        for others in ([Hot("a"), Hot("b")], [Function(put("c")), Function(put("d"))]):
            found = await asyncio.gather(
                writer.submit(others[0]), writer.run(_broken), writer.submit(others[1]), return_exceptions=True
            )
            assert isinstance(found[1], DBAPIError)
            assert [found[0], found[2]] in (["a", "b"], ["c", "d"])
        await writer.close()

    run(work)
    assert names(database) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("value", ["half \ud800", "a\0b", TOO_LONG])
def test_what_the_store_cannot_hold_fails_who_brought_it_alone(database: Database, value: str):
    async def work() -> list[Any]:
        writer = Writer(database)
        units = [Hot("a"), Hot(value), Hot("b")]
        found = await asyncio.gather(*map(writer.submit, units), writer.run(put(value)), return_exceptions=True)
        assert [found[0], found[2]] == ["a", "b"]
        await writer.close()
        return [found[1], found[3]]

    found = run(work)
    if database.sqlite and value in ("a\0b", TOO_LONG):
        # It holds these, so that only the second one fails, which has the same name.
        assert found[0] == value
        assert isinstance(found[1], IntegrityError)
        return
    assert [type(one) for one in found] == [Unstorable, Unstorable]
    assert found[0].violations[0].message == found[0].message
    assert names(database) == ["a", "b"]


def test_a_number_that_is_too_large_is_no_fault_of_the_store(database: Database):
    with pytest.raises(Unstorable, match="larger"), database.transaction() as tx:
        tx.connection.exec_driver_sql(Statement("SELECT CAST(? AS BIGINT)").text(tx.sqlite), (2**70,))


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("state", "passes"),
    [
        ("08006", True), ("40001", True), ("40P01", True), ("53100", True), ("53300", True), ("55P03", True),
        ("57P01", True), ("58030", True), ("42P01", False), ("XX000", False), ("57014", True), ("54001", False),
    ],
)  # fmt: skip
def test_only_faults_that_pass_are_the_stores(postgres_url: str, state: str, passes: bool):
    opened = Database(postgres_url)
    expected = Unavailable if passes else DBAPIError
    with pytest.raises(expected), opened.transaction() as tx:
        tx.connection.exec_driver_sql(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$")
    opened.close()


def test_one_that_cannot_be_looked_for_takes_no_other_along(database: Database):
    def find(tx: Transaction, keys: list[str]) -> list[str]:
        if "odd" in keys:
            _broken(tx)
        return [key.upper() for key in keys]

    async def work() -> None:
        lookup: Lookup[str, str] = Lookup(database, "names", find)
        found = await asyncio.gather(*map(lookup.get, ["a", "odd", "b"]), return_exceptions=True)
        assert [found[0], found[2]] == ["A", "B"]
        assert isinstance(found[1], DBAPIError)
        await lookup.close()

    run(work)


def test_a_full_disk_is_503_and_passes(tmp_path: Path):
    database = Database(f"sqlite:///{tmp_path}/offhook.sqlite3")
    upgrade(database)

    def limited(tx: Transaction) -> int:
        pages = tx.connection.exec_driver_sql("PRAGMA page_count").scalar()
        tx.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        return tx.change(PUT, "big", "x" * 1_000_000)

    def lifted(tx: Transaction) -> int:
        tx.connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        return tx.change(PUT, "small", "x")

    async def work() -> None:
        writer = Writer(database)
        with pytest.raises(Unavailable) as refused:
            await writer.run(limited)
        assert ("Retry-After", "1") in refused.value.headers
        assert await writer.run(lifted) == 1
        await writer.close()

    run(work)
    assert names(database) == ["small"]
    database.close()


def test_closing_commits_what_was_submitted_and_then_refuses(database: Database):
    async def work() -> None:
        writer = Writer(database)
        waiting = [asyncio.ensure_future(writer.run(put(f"{index:03}"))) for index in range(300)]
        await asyncio.sleep(0)
        await writer.close()
        assert len(names(database)) == 300
        assert all(one.done() for one in waiting) or await asyncio.gather(*waiting)
        with pytest.raises(Unavailable, match="stopping"):
            await writer.run(put("late"))

    run(work)
    assert "late" not in names(database)


def test_one_who_leaves_does_not_disturb_the_others(database: Database):
    async def work() -> None:
        writer = Writer(database)
        tasks = [asyncio.ensure_future(writer.run(put(name))) for name in "abc"]
        await asyncio.sleep(0)
        tasks[1].cancel()
        assert await tasks[0] == "a"
        assert await tasks[2] == "c"
        await writer.close()

    run(work)
    # The one who left was already on its way: it may have happened.
    assert set(names(database)) >= {"a", "c"}


def test_a_reading_leaves_nothing_behind(database: Database):
    with suppress(DBAPIError), database.reading() as tx:
        tx.change(PUT, "written while reading", "x")
    assert names(database) == []


def test_a_transaction_that_raises_leaves_nothing_behind(database: Database):
    with suppress(KeyError), database.transaction() as tx:
        tx.change(PUT, "half", "x")
        raise KeyError
    assert names(database) == []


def test_transactions_exclude_each_other(database: Database):
    """Units read and write as if alone: of many that each add one to a number, none is lost."""
    add = Statement("UPDATE store_settings SET value = ? WHERE name = 'n'")
    read = Statement("SELECT value FROM store_settings WHERE name = 'n'")

    def more(tx: Transaction) -> None:
        row = tx.first(read)
        assert row is not None
        tx.change(add, str(int(row[0]) + 1))

    async def work() -> None:
        writers = [Writer(database) for _ in range(3)]
        await writers[0].run(lambda tx: tx.change(PUT, "n", "0"))
        for _ in range(5):
            await asyncio.gather(*(writer.run(more) for writer in writers for _ in range(4)))
        for writer in writers:
            await writer.close()

    run(work)
    with database.reading() as tx:
        assert tx.first(read)[0] == "60"  # type: ignore[index]


def test_lookups_are_answered_in_order_many_at_a_time(database: Database):
    batches: list[int] = []

    def find(_tx: Transaction, keys: list[int]) -> list[int | None]:
        batches.append(len(keys))
        return [key * 2 if key % 5 else None for key in keys]

    async def work() -> None:
        lookup: Lookup[int, int | None] = Lookup(database, "test", find)
        found = await asyncio.gather(*(lookup.get(key) for key in range(50)))
        assert found == [key * 2 if key % 5 else None for key in range(50)]
        await lookup.close()
        with pytest.raises(Unavailable):
            await lookup.get(1)

    run(work)
    assert batches == [50]


def test_what_is_looked_up_in_one_pass_takes_one_hop_to_a_thread(database: Database):
    asked: list[list[str]] = []

    def found(tx: Transaction, keys: list[str]) -> list[bool]:
        asked.append(keys)
        if "!" in keys:
            raise Conflict("on purpose")
        return [key in names(database) for key in keys]

    async def work() -> None:
        reader = Reader(database)
        there = Together(reader, found)
        leaves, *others = (asyncio.ensure_future(there.get(key)) for key in "xab")
        await asyncio.sleep(0)
        leaves.cancel()
        assert await asyncio.gather(*others) == [True, False]
        assert await there.get("c") is False
        assert asked == [["x", "a", "b"], ["c"]]
        told = await asyncio.gather(there.get("a"), there.get("!"), return_exceptions=True)
        assert [str(one) for one in told] == ["on purpose"] * 2
        assert await there.get("a") is True
        reader.close()

    with database.transaction() as tx:
        tx.change(PUT, "a", "x")
    run(work)


def test_a_reader_sees_what_is_committed(database: Database):
    async def work() -> None:
        writer, reader = Writer(database), Reader(database)
        await writer.run(put("a"))
        assert [row[0] for row in await reader.run(lambda tx: tx.all(NAMES))] == ["a"]
        await writer.close()
        reader.close()

    run(work)


@hypothesis_settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["hot", "plain", "refused"])), max_size=25))
def test_a_name_is_given_to_exactly_one_of_those_who_ask_for_it(tmp_path_factory: Any, asks: list):
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('asks')}/offhook.sqlite3")
    upgrade(database)

    async def work() -> list[Any]:
        writer = Writer(database)
        units = {"hot": lambda n: writer.submit(Hot(n)), "plain": lambda n: writer.run(put(n)),
                 "refused": lambda n: writer.submit(Hot(n, Conflict("no")))}  # fmt: skip
        found = await asyncio.gather(*(units[kind](name) for name, kind in asks), return_exceptions=True)
        await writer.close()
        return list(found)

    answers = asyncio.run(work())
    won = [answer for answer in answers if isinstance(answer, str)]
    assert sorted(won) == names(database)
    assert set(won) == {name for name, kind in asks if kind != "refused"}
    for (_, kind), answer in zip(asks, answers, strict=True):
        assert isinstance(answer, Conflict) == (kind == "refused")
    database.close()


def test_what_is_several_units_elsewhere_is_one_within_a_transaction(database: Database):
    async def several(store: Writer | Within) -> list[str]:
        return [await store.run(put("a")), await store.submit(Hot("b"))]

    def both(tx: Transaction) -> list[str]:
        return finished(several(Within(tx)))

    def broken(tx: Transaction) -> None:
        finished(several(Within(tx)))
        raise Conflict("half-way")

    async def work() -> None:
        writer = Writer(database)
        with pytest.raises(Conflict):
            await writer.run(broken)
        assert names(database) == []
        assert await writer.run(both) == ["a", "b"]
        assert names(database) == ["a", "b"]
        await writer.close()

    run(work)


def test_nothing_waits_within_a_transaction():
    async def waiting() -> None:
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="waits"):
        finished(waiting())
