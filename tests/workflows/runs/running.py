"""Engines over a real store. What they carry out is answered by the test; their time is what the test says."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from offhook.kit.errors import Unavailable
from offhook.kit.ids import Ids
from offhook.storage.batches import Reader, Writer
from offhook.storage.database import Database, Transaction
from offhook.storage.documents import Kept
from offhook.workflows.definitions import store as definitions
from offhook.workflows.definitions.reading import read
from offhook.workflows.definitions.store import Registered as Version
from offhook.workflows.expressions.scripts import Scripts
from offhook.workflows.machine.model import Attempt, Outcome, Run
from offhook.workflows.runs import store
from offhook.workflows.runs.engine import Engine
from offhook.workflows.runs.texts import Registered
from offhook.workflows.tasks.place import Place
from tests.workflows.machine import play
from tests.workflows.machine.play import BEGUN

TENANT = 7

__all__ = ["TENANT", "Running", "Target", "next_process", "task"]


def task(ref: str, kind: str = "HTTP", /, **more: Any) -> dict[str, Any]:
    """A task as it stands in a definition, an HTTP one with an address."""
    if kind == "HTTP":
        more["inputParameters"] = {"uri": "http://localhost/", "method": "GET", **more.get("inputParameters", {})}
    return play.task(ref, kind, **more)


class Target:
    """What is called: it answers at once by `answers`, or holds an attempt until it is let go."""

    def __init__(self) -> None:
        self.called: list[tuple[str, int]] = []
        """The keys of attempts, and the chain that each belongs to, in the order of being called."""
        self.held: dict[str, asyncio.Future[Outcome]] = {}
        self.answers: dict[str, Callable[[Attempt], Outcome]] = {}
        self.hold: set[str] = set()

    async def perform(self, tenant_id: int, attempt: Attempt, template: Mapping[str, Any], place: Place) -> Outcome:
        self.called.append((attempt.key, attempt.chain or attempt.id))
        if attempt.ref in self.hold:
            future = self.held[attempt.key] = asyncio.get_running_loop().create_future()
            return await future
        answer = self.answers.get(attempt.ref)
        return answer(attempt) if answer is not None else Outcome(status="COMPLETED", output={"of": attempt.key})

    def let(self, key: str, outcome: Outcome | None = None) -> None:
        self.held.pop(key).set_result(outcome or Outcome(status="COMPLETED", output={"of": key}))

    @property
    def keys(self) -> list[str]:
        return [key for key, _ in self.called]


class Running:
    """One process's engine over `database`."""

    def __init__(self, database: Database, target: Target, *, slot: int = 1, clock: list[float] | None = None) -> None:
        self.database = database
        self.target = target
        self.clock = clock if clock is not None else [BEGUN / 1000]
        self.ids, self.slot = Ids(slot), slot
        self.writer, self.reader = Writer(database), Reader(database)
        self.pauses: list[float] = []
        self.engine = Engine(
            self.writer,
            self.reader,
            self.ids,
            Registered(),
            target,
            Scripts(),
            slot=lambda: self.slot,
            env={"CITY": "Lisbon"},
            wall=lambda: self.clock[0],
            sleep=self._pause,
        )

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)

    def register(self, name: str, *tasks: dict[str, Any], version: int = 1, tenant: int = TENANT, **more: Any) -> None:
        """A definition of these tasks."""
        raw = read({"name": name, "version": version, "tasks": list(tasks), **more}).raw

        def put(tx: Transaction) -> None:
            digest = definitions.put_text(tx, tenant, raw, BEGUN)
            value = Version(name=name, number=version, hash=digest)
            kept = Kept(id=self.ids.new(), tenant_id=tenant, value=value, created_at=BEGUN, updated_at=BEGUN)
            definitions.definitions.insert(tx, [kept])

        with self.database.transaction() as tx:
            put(tx)

    async def start(self, name: str, given: Any = None, **more: Any) -> int:
        if not self.engine.owner:
            await self.engine.enlist()
        id, _ = await self.engine.start(TENANT, name, given=given, **more)
        return id

    async def later(self, seconds: float) -> None:
        self.clock[0] += seconds
        await self.engine.tick()
        await self.quiet()

    async def quiet(self) -> None:
        """Wait until nothing goes on but what is held."""
        engine = self.engine
        while True:
            held = set(self.target.held)
            tasks = [one for one in engine._lives.tasks if not one.done()]
            inflight = {
                one for live in engine._lives for id, one in live.inflight.items()
                if live.state is not None and (found := live.state.attempt(id)) is not None and found.key in held
            }  # fmt: skip
            rest = [one for one in tasks if one not in inflight]
            if not rest:
                return
            await asyncio.wait(rest, timeout=0.005, return_when=asyncio.FIRST_COMPLETED)

    def run_of(self, id: int) -> Run:
        with self.database.reading() as tx:
            found = store.get(tx, TENANT, id)
        assert found is not None
        return found

    def history(self, id: int) -> list[Attempt]:
        with self.database.reading() as tx:
            return [one for one, _ in store.history(tx, TENANT, id)]

    def statuses(self, id: int) -> dict[str, str]:
        return {one.key: one.status for one in self.history(id)}

    async def close(self) -> None:
        await self.engine.close()
        await self.writer.close()
        self.reader.close()

    def die(self) -> None:
        """As a process that is killed: nothing more is done, nothing is said."""
        for one in list(self.engine._lives.tasks):
            one.cancel()
        self.engine._lives.clear()

    async def dies_after(self, turns: int, work: Coroutine[Any, Any, Any]) -> None:
        """Do this in a process that is killed once so many turns are on disk, or has come to rest by then."""
        left, submit, over = [turns], self.writer.submit, asyncio.Event()

        async def last(unit: Any) -> Any:
            if not left[0]:
                over.set()
                await asyncio.Future()
            left[0] -= 1
            return await submit(unit)

        self.writer.submit = last  # type: ignore[method-assign]
        await work
        ends = [asyncio.ensure_future(over.wait()), asyncio.ensure_future(self.quiet())]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for one in ends:
            one.cancel()
        self.die()
        self.writer.submit = submit  # type: ignore[method-assign]

    def away(self, times: int) -> None:
        """The store cannot be reached for the next so many transactions."""
        left = [times]
        submit = self.writer.submit

        async def refused(unit: Any) -> Any:
            if left[0] > 0:
                left[0] -= 1
                raise Unavailable("The store cannot be reached.")
            return await submit(unit)

        self.writer.submit = refused  # type: ignore[method-assign]


async def next_process(database: Database) -> Running:
    """The same server, started again."""
    process = Running(database, Target(), slot=1)
    await process.engine.enlist()
    return process
