"""Batches: what arrives on the event loop while one transaction is under way goes into the next one.

The writer commits many units of work with one sync to disk; the reader answers many look-ups with one hop to a thread.
Neither waits for company: a lone unit starts at once. Nothing is acknowledged before its transaction is committed.

On SQLite a batch of hot units is inserted on the event loop and committed by the thread. Rows go in within
microseconds; what takes long is the commit, which needs no interpreter lock, so the loop goes on meanwhile. Were the
rows inserted by the thread, each of its steps would queue for that lock behind the loop (docs/performance.md).
"""

import asyncio
import contextvars
import sys
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any, Generic, Protocol, TypeVar, cast

from sqlalchemy.exc import DBAPIError

from offhook.kit.errors import Unavailable
from offhook.storage.database import Database, Transaction
from offhook.storage.faults import is_unavailable

T = TypeVar("T")
R = TypeVar("R", covariant=True)
K = TypeVar("K")
MAX_BATCH = 128
ASIDE = "aside"
"""A unit that has this attribute, and true, changes nothing that a company is made of: who is in a call, what was."""


class Unit(Protocol[R]):
    """A unit of work: reads and writes in the transaction it is given, and returns what to answer.

    It may be run more than once (never committed more than once), so it keeps no state between runs. It raises a
    Refusal to refuse; then only its own changes are undone.
    """

    def run(self, tx: Transaction) -> R: ...


class HotUnit(Unit[R], Protocol[R]):
    """A unit that can also be done together with others of its class, in few statements.

    `run_many` raises if any of the units cannot go the fast way: then nothing of the batch is kept and each is run on
    its own, which gives each its own answer or refusal.
    """

    @classmethod
    def run_many(cls, tx: Transaction, units: Sequence[Any]) -> Sequence[R]: ...


class Function(Generic[T]):
    """A unit from a plain function of a transaction."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[[Transaction], T]) -> None:
        self._function = function

    def run(self, tx: Transaction) -> T:
        return self._function(tx)


class _Aside(Function[T]):
    __slots__ = ()
    aside = True


Work = Callable[[], list[Any]]
Told = Callable[[list[Any] | None, BaseException | None], None]

FEW = 4
"""Keys that are looked up on the loop on SQLite: that takes less time than the hop to a thread."""


class _Hand:
    """A thread that does one thing after the other and tells the loop: an executor of one, without its futures."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: SimpleQueue[tuple[asyncio.AbstractEventLoop, Work, Told] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def give(self, loop: asyncio.AbstractEventLoop, work: Work, told: Told) -> None:
        """Have `work` done; what it gave or raised is `told` on the loop."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"{self._name}_0", daemon=True)
            self._thread.start()
        self._tasks.put((loop, work, told))

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            loop, work, told = task
            outcomes, error = None, None
            try:
                outcomes = work()
            except BaseException as fault:
                error = fault
            # A loop that is closed has nobody left who waits.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(told, outcomes, error)
            del task, loop, work, told, outcomes, error

    def close(self) -> None:
        """Wait for what was given."""
        if self._thread is not None:
            self._tasks.put(None)
            self._thread.join()
            self._thread = None


class _Batcher(Generic[K]):
    """Collects items while one batch is in the thread; `work` gives one outcome (value or exception) an item.

    `ahead` may do part of a batch's work on the event loop, and then gives the rest of it, to be done in the thread;
    `at_once` may do all of it there, and then gives the outcomes. `finished` counts the batches with an item that
    `counts`.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[list[K]], list[Any]],
        ahead: Callable[[list[K]], Work | None] = lambda items: None,
        counts: Callable[[K], bool] = lambda item: True,
        at_once: Callable[[list[K]], list[Any] | None] = lambda items: None,
    ) -> None:
        self._work = work
        self._ahead = ahead
        self._counts = counts
        self._at_once = at_once
        self._hand = _Hand(name)
        self._waiting: list[tuple[K, asyncio.Future[Any]]] = []
        self._busy = False
        self.finished = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False

    def put(self, item: K) -> "asyncio.Future[Any]":
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        if self._closed:
            future.set_exception(Unavailable("The server is stopping."))
            return future
        self._waiting.append((item, future))
        if not self._busy:
            self._busy = True
            self._idle.clear()
            # One pass of the loop lets every request that has already arrived join the first batch.
            loop.call_soon(self._start, loop)
        return future

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
        items = [item for item, _ in batch]
        if (outcomes := self._at_once(items)) is not None:
            self._finish(loop, batch, outcomes, None)
            return
        rest = self._ahead(items)
        told = partial(self._finish, loop, batch)
        if rest is None:
            self._hand.give(loop, partial(self._work, items), told)
        else:
            self._hand_over(loop, rest, told)

    def _hand_over(self, loop: asyncio.AbstractEventLoop, rest: Work, told: Told) -> None:
        """Have the thread do `rest`; it holds the interpreter lock by then, so that it need not queue for it."""
        taken = threading.Lock()
        taken.acquire()

        def work() -> list[Any]:
            taken.release()
            return rest()

        self._hand.give(loop, work, told)
        taken.acquire()

    def _finish(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: list[tuple[K, "asyncio.Future[Any]"]],
        outcomes: list[Any] | None,
        error: BaseException | None,
    ) -> None:
        self.finished += any(self._counts(item) for item, _ in batch)
        for (_, future), outcome in zip(batch, [error] * len(batch) if outcomes is None else outcomes, strict=True):
            if future.done():
                continue
            if isinstance(outcome, BaseException):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
        if self._waiting:
            loop.call_soon(self._start, loop)
        else:
            self._busy = False
            self._idle.set()

    async def close(self) -> None:
        """Finish what was put, then take no more."""
        self._closed = True
        await self._idle.wait()
        self._hand.close()


class Writer:
    """The only way to change the store while serving."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._batches: _Batcher[Unit[Any]] = _Batcher("offhook-writer", self._commit, self._insert, _changes)
        self.batches = 0
        self.units = 0
        self.replays = 0

    async def submit(self, unit: Unit[T]) -> T:
        """Run `unit` in a transaction; returns its result once that is committed and synced to disk.

        Raises what the unit raised, or Unavailable if the store cannot take it.
        """
        result: T = await self._batches.put(unit)
        return result

    async def run(self, function: Callable[[Transaction], T]) -> T:
        """The same for a plain function."""
        return await self.submit(Function(function))

    async def aside(self, function: Callable[[Transaction], T]) -> T:
        """The same for one that changes nothing that a company is made of."""
        return await self.submit(_Aside(function))

    def changes(self) -> int:
        """How many transactions have ended that may have changed what a company is, so all but those of units that are
        `ASIDE`; it has risen by the time that a unit is answered.
        """
        return self._batches.finished

    async def close(self) -> None:
        """Commit what was submitted, then refuse."""
        await self._batches.close()

    def _insert(self, units: list[Unit[Any]]) -> Work | None:
        """Do a batch of hot units, all but its commit; None if it has to go the other way, as a whole."""
        hot = _by_kind(units)
        if not self._database.sqlite or sum(map(len, hot.values())) < len(units):
            return None
        transaction = self._database.transaction_at_once()
        try:
            tx = transaction.__enter__()
        except Exception:
            # The thread finds out why, or waits. Whatever it is, nobody may be left without an answer.
            return None
        self._count(units)
        outcomes: list[Any] = [None] * len(units)
        try:
            _do_together(tx, units, hot, outcomes)
        except Exception:
            # Undone by this; the thread finds the cause again, and whose it is.
            with suppress(Exception):
                transaction.__exit__(*sys.exc_info())
            self.replays += 1
            return lambda: self._one_by_one(units)

        def commit() -> list[Any]:
            transaction.__exit__(None, None, None)
            return outcomes

        return commit

    def _count(self, units: list[Unit[Any]]) -> None:
        self.batches += 1
        self.units += len(units)

    def _commit(self, units: list[Unit[Any]]) -> list[Any]:
        self._count(units)
        if hot := _by_kind(units):
            try:
                return self._together(units, hot)
            except Unavailable:
                raise
            except Exception:
                self.replays += 1
        return self._one_by_one(units)

    def _together(self, units: list[Unit[Any]], hot: dict[type, list[int]]) -> list[Any]:
        outcomes: list[Any] = [None] * len(units)
        with self._database.transaction() as tx:
            _do_together(tx, units, hot, outcomes)
            for index, unit in enumerate(units):
                if type(unit) not in hot:
                    outcomes[index] = _attempt(tx, unit)
        return outcomes

    def _one_by_one(self, units: list[Unit[Any]]) -> list[Any]:
        with self._database.transaction() as tx:
            return [_attempt(tx, unit) for unit in units]


def _by_kind(units: list[Unit[Any]]) -> dict[type, list[int]]:
    """Where the hot units of each class stand."""
    hot: dict[type, list[int]] = {}
    for index, unit in enumerate(units):
        if hasattr(unit, "run_many"):
            hot.setdefault(type(unit), []).append(index)
    return hot


def _do_together(tx: Transaction, units: list[Unit[Any]], hot: dict[type, list[int]], outcomes: list[Any]) -> None:
    """Do all hot units, a class at a time."""
    for kind, indexes in hot.items():
        results = kind.run_many(tx, [units[i] for i in indexes])  # type: ignore[attr-defined]
        for index, result in zip(indexes, results, strict=True):
            outcomes[index] = result


def _changes(unit: Unit[Any]) -> bool:
    return not getattr(unit, ASIDE, False)


def _attempt(tx: Transaction, unit: Unit[Any]) -> Any:
    savepoint = tx.connection.begin_nested()
    try:
        result = unit.run(tx)
        savepoint.commit()
    except Unavailable:
        raise
    except Exception as error:
        if tx.connection.invalidated or (isinstance(error, DBAPIError) and is_unavailable(error)):
            # The store itself failed, and SQLite may already have undone the whole transaction: nothing of it is kept.
            raise
        savepoint.rollback()
        return error
    return result


class Reader:
    """Reads off the event loop, in threads of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="offhook-reader")

    async def run(self, function: Callable[[Transaction], T]) -> T:
        """`function` on a read-only view of what is committed; it sees the caller's clock."""
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._threads, context.run, self._read, function)

    async def briefly(self, function: Callable[[Transaction], T]) -> T:
        """The same for what finds a few rows by their keys: on SQLite at once, as a hop to a thread takes much longer.

        Where that would have to wait for anybody it goes to a thread like any other.
        """
        if self._database.sqlite:
            try:
                with self._database.reading_at_once() as tx:
                    return function(tx)
            except (Unavailable, DBAPIError):
                pass
        return await self.run(function)

    def _read(self, function: Callable[[Transaction], T]) -> T:
        with self._database.reading() as tx:
            return function(tx)

    def close(self) -> None:
        """Wait for reads under way."""
        self._threads.shutdown()


class Together(Generic[K, T]):
    """Brief look-ups of one kind by a reader: those that are asked for in one pass of the loop are one.

    `find(tx, keys)` gives one value a key, in order; what it raises all of them are told.
    """

    def __init__(self, reader: Reader, find: Callable[[Transaction, list[K]], list[T]]) -> None:
        self._reader, self._find = reader, find
        self._asked: list[K] = []
        self._answer: asyncio.Future[list[T]] | None = None

    async def get(self, key: K) -> T:
        """The value of `key` as committed when the look-up begins."""
        place = len(self._asked)
        self._asked.append(key)
        if self._answer is None:
            # It begins with the next pass, behind all who ask in this one.
            self._answer = asyncio.ensure_future(self._look())
        # Whoever goes away leaves the look to the others.
        return (await asyncio.shield(self._answer))[place]

    async def _look(self) -> list[T]:
        keys, self._asked, self._answer = self._asked, [], None
        return await self._reader.briefly(lambda tx: self._find(tx, keys))


class Lookup(Generic[K, T]):
    """Look-ups of one kind, answered many at a time: `find(tx, keys)` gives one value a key, in order, and soon."""

    def __init__(self, database: Database, name: str, find: Callable[[Transaction, list[K]], list[T]]) -> None:
        self._database = database
        self._find = find
        self._batches: _Batcher[K] = _Batcher(f"offhook-{name}", self._look, at_once=self._at_once)

    async def get(self, key: K) -> T:
        """The value of `key` as committed when the look-up began."""
        result: T = await self._batches.put(key)
        return result

    def _at_once(self, keys: list[K]) -> list[T] | None:
        """A few on SQLite, on the loop; None for others, and where anything stands in the way."""
        if len(keys) > FEW or not self._database.sqlite:
            return None
        try:
            with self._database.reading_at_once() as tx:
                return self._find(tx, keys)
        except Exception:
            # The thread finds out what it is, and whose.
            return None

    def _look(self, keys: list[K]) -> list[Any]:
        try:
            return self._found(keys)
        except Unavailable:
            raise
        except Exception as error:
            if len(keys) == 1:
                return [error]
        # One of them cannot be looked for: the others are.
        return [answer for key in keys for answer in self._look([key])]

    def _found(self, keys: list[K]) -> list[T]:
        with self._database.reading() as tx:
            return self._find(tx, keys)

    async def close(self) -> None:
        """Answer what was asked, then refuse."""
        await self._batches.close()


class Within:
    """Stands in for writer and reader where a transaction is already open: what they are given runs in it at once.

    So one unit of work can be made of what are several elsewhere, all of them or none.
    """

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def run(self, function: Callable[[Transaction], T]) -> T:
        """`function` in the open transaction."""
        return function(self._tx)

    async def submit(self, unit: Unit[T]) -> T:
        """`unit` in the open transaction."""
        return unit.run(self._tx)


def finished(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that has nothing to wait for, as everything over `Within` is."""
    try:
        work.send(None)
    except StopIteration as done:
        return cast(T, done.value)
    work.close()
    raise RuntimeError("waits for something inside a transaction")
