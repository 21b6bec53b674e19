"""A store with people to reserve, and a clock that tests move."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from offhook.directory.lines.model import Target
from offhook.routing.plan import Release, Reserve, Reserved
from offhook.routing.reservations import Reservations
from offhook.routing.strategies import ONE_AT_A_TIME
from offhook.storage.batches import Writer
from offhook.storage.database import Database, Statement

HELD = Statement("SELECT tenant_id, who, call_id, taken FROM engagements WHERE call_id <> '' ORDER BY who")
WAITING = Statement("SELECT call_id FROM waiting_calls ORDER BY since, call_id")
TENANT = 7


class Time:
    """A clock for leases and waits, in seconds; whoever sleeps by it wakes when it is moved."""

    def __init__(self) -> None:
        self.seconds = 1_700_000_000.0
        self._asleep: list[tuple[float, asyncio.Future[None]]] = []

    def __call__(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        """Until the clock was moved so far."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asleep.append((self.seconds + seconds, future))
        await future

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds
        due = [future for until, future in self._asleep if until <= self.seconds]
        self._asleep = [(until, future) for until, future in self._asleep if until > self.seconds]
        for future in due:
            if not future.done():
                future.set_result(None)

    @property
    def at(self) -> int:
        """Milliseconds."""
        return round(self.seconds * 1000)


class Loop:
    """An event loop for the steps of one test; one that waits for ever fails instead."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner

    def run(self, story: Coroutine[Any, Any, Any]) -> Any:
        """What the story comes to."""
        return self._runner.run(asyncio.wait_for(story, 60))


class Worker:
    """One process that serves calls: a writer and its reservations, over a store that others may share."""

    def __init__(self, url: str, time: Time) -> None:
        self.database = Database(url)
        self.time = time
        self.writer = Writer(self.database)
        self.reservations = Reservations(self.writer, wall=time, monotonic=time, sleep=time.sleep)

    async def reserve(self, call: str, verb: Reserve, tenant: int = TENANT) -> Reserved:
        """Reserve now."""
        return await self.reservations.reserve(tenant, call, verb, self.time.at)

    async def got(self, call: str, verb: Reserve) -> tuple[str, ...]:
        """Whom a call gets now, by number: ("1", "2")."""
        return tuple(who.removeprefix("user:") for who in (await self.reserve(call, verb)).members)

    async def release(self, call: str, *members: str, kept: str = "") -> None:
        """Give back by number, and keep one."""
        verb = Release(tuple(f"user:{one}" for one in members), f"user:{kept}" if kept else "")
        await self.reservations.release(TENANT, call, verb, self.time.at)

    async def finish(self, call: str) -> None:
        """The call is over."""
        await self.reservations.finish(TENANT, call, self.time.at)

    async def talk(self, call: str, verb: Reserve) -> tuple[str, ...]:
        """A call that the first one rung answers, and that goes on."""
        got = await self.got(call, verb)
        await self.release(call, *got[1:], kept=got[0])
        return got

    async def settle(self) -> None:
        """Until all that was begun has come to rest."""
        await asyncio.sleep(0)
        await self.writer.run(lambda tx: None)
        await asyncio.sleep(0)
        while looks := [one.looking for one in self.reservations._tenants.values() if one.looking is not None]:
            await asyncio.wait(looks)
        await asyncio.sleep(0)

    async def starts(self, call: str, verb: Reserve) -> "asyncio.Task[tuple[str, ...]]":
        """A call that may wait."""
        task = asyncio.create_task(self.got(call, verb))
        await self.settle()
        return task

    def held(self) -> dict[str, str]:
        """Who is held by which call, by number; with a * who is in it."""
        with self.database.reading() as tx:
            return {row[1].removeprefix("user:"): f"{row[2]}{'*' if row[3] else ''}" for row in tx.all(HELD)}

    def waiting(self) -> list[str]:
        """The calls that wait, by the store, in their order."""
        with self.database.reading() as tx:
            return [row[0] for row in tx.all(WAITING)]

    async def close(self) -> None:
        """Stop serving."""
        await self.reservations.close()
        await self.writer.close()
        self.database.close()


def ask(
    strategy: str = "simultaneous",
    members: Sequence[int] = (1, 2, 3),
    *,
    group: int = 1,
    skills: Sequence[int] = (),
    **more: Any,
) -> Reserve:
    """What a line with these operators asks for."""
    more.setdefault("count", 1 if strategy in ONE_AT_A_TIME else 0)
    tried = tuple(f"user:{one}" for one in more.pop("tried", ()))
    return Reserve(
        group=Target("department", group),
        strategy=strategy,
        members=tuple(f"user:{one}" for one in members),
        skills=tuple(skills or [100] * len(members)),
        seed=more.pop("seed", 1),
        tried=tried,
        **more,
    )


def queue(strategy: str = "fixedorder", members: Sequence[int] = (1, 2, 3), since: int = 0, **more: Any) -> Reserve:
    """What a line with a queue asks for, for a caller who has waited since `since`."""
    more.setdefault("seconds", 600)
    return ask(strategy, members, wait_for="whoever_is_free", since=since, **more)
