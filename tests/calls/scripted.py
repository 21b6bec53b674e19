"""Telephones that do as they are told, and processes full of calls over a store that can be away."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from offhook.calls.call import AskRouter, AskWorkflow, Parts
from offhook.calls.session import Calls
from offhook.directory.lines.model import Target
from offhook.kit.errors import Unavailable
from offhook.routing.model import Company as Compiled
from offhook.routing.model import Queue
from offhook.routing.plan import Answered, Ask, Bridge, Incoming, Outgoing, Ring, Told, Verb
from offhook.routing.reservations import Reservations
from offhook.routing.state import CallState
from offhook.routing.trace import Step, Trace, replay
from offhook.storage.database import Statement
from tests.api.desk import Company
from tests.routing.companies import company as compiled
from tests.routing.companies import line, ms, office, routing, user
from tests.routing.reserving import HELD, Time

V = TypeVar("V")
CALLS = "/api/offhook/v1/calls"
LISBON, SALES = Target("office", 1), Target("callcenter", 10)
ANA, BOB, CYD = user(1, "Ana Silva"), user(2, "Bob Stone"), user(3, "Cyd Park")
CALLER = "+14155550100"
WAITING = Statement("SELECT call_id FROM waiting_calls WHERE tenant_id = ?")
NUMBERS = Statement("SELECT number FROM call_steps WHERE tenant_id = ? AND call_id = ? ORDER BY number")


class Phone:
    """A telephone: keeps what it is told, and says when it was told something of a kind."""

    def __init__(self) -> None:
        self.verbs: list[Verb] = []
        self.broken = self._begun = False
        self._seen = 0
        self._more = asyncio.Event()

    def do(self, call_id: int, verbs: tuple[Verb, ...]) -> None:
        if self.broken:
            raise RuntimeError("the telephone is broken")
        assert verbs or not self._begun, "a telephone is never told to do nothing but when a call begins"
        self._begun = True
        self.verbs += verbs
        self._more.set()

    async def given(self, kind: type[V]) -> V:
        """The next verb of a kind."""
        found = await self.given_any(kind)
        assert isinstance(found, kind)
        return found

    async def given_any(self, *kinds: type[Any]) -> Verb:
        """The next verb of one of these kinds."""
        while True:
            while self._seen < len(self.verbs):
                verb = self.verbs[self._seen]
                self._seen += 1
                if isinstance(verb, kinds):
                    return verb
            self._more.clear()
            await self._more.wait()

    @property
    def kinds(self) -> list[str]:
        return [type(verb).__name__ for verb in self.verbs]


class Shaky:
    """A writer whose store can be away, or take what it is given and not say so, or hang."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer
        self.away = False
        self.deaf = False
        self.hanging = False
        self.asked = 0

    async def submit(self, unit: Any) -> Any:
        return await self._through(lambda: self._writer.submit(unit))

    async def run(self, function: Callable[[Any], Any]) -> Any:
        return await self._through(lambda: self._writer.run(function))

    async def aside(self, function: Callable[[Any], Any]) -> Any:
        return await self._through(lambda: self._writer.aside(function))

    async def _through(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        self.asked += 1
        if self.hanging:
            await asyncio.get_running_loop().create_future()
        if self.away:
            raise Unavailable("The store cannot take this now.")
        found = await work()
        if self.deaf:
            raise Unavailable("The store cannot be reached; nothing was acknowledged.")
        return found


async def nothing_said(tenant_id: int, call_id: int, verb: Ask, state: CallState) -> Told:
    return Told(state.now, fault="it is not asked in this test")


class Process:
    """One process' calls over a company's store, decided with `config`, which may be exchanged at any time."""

    def __init__(
        self,
        company: Company,
        *things: Any,
        time: Time | None = None,
        ask: AskRouter = nothing_said,
        ask_workflow: AskWorkflow | None = None,
        **more: Any,
    ) -> None:
        self.company = company
        self.desk = company.desk
        self.tenant = company.tenant()
        self.time = time or Time()
        self.config: Compiled | None = replace(compiled(*things, **more), tenant_id=self.tenant)
        self.hanging = False
        self.store = Shaky(self.desk.offhook.writer)
        writer: Any = self.store
        self.reservations = Reservations(writer, wall=self.time, monotonic=self.time, sleep=self.time.sleep)
        parts = Parts(writer, self._company, self.reservations, ask, patience=0.05, first=0.1, wall=self.time)
        if ask_workflow is not None:
            parts = replace(parts, ask_workflow=ask_workflow)
        self.calls = Calls(parts, self.desk.ids, sleep=self.time.sleep, monotonic=self.time)

    async def _company(self, tenant_id: int) -> Compiled:
        assert tenant_id == self.tenant
        if self.hanging:
            await asyncio.get_running_loop().create_future()
        if self.config is None:
            raise Unavailable("The store cannot be reached.")
        return self.config

    def run(self, story: Coroutine[Any, Any, V]) -> V:
        """What the story comes to; one that waits for ever fails, and everything is put away behind it."""

        async def all_of_it() -> V:
            try:
                return await asyncio.wait_for(story, 60)
            finally:
                await self.stop()

        return self.desk.run(all_of_it())

    async def stop(self) -> None:
        self.store.away = self.store.deaf = self.store.hanging = False
        await self.calls.close()
        await self.reservations.close()

    async def dies(self) -> None:
        """The process is gone from one moment to the next: nothing that it had under way comes to its end."""
        self.store.away = True
        tasks = [call.task for call in self.calls._live.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def at(self) -> int:
        return self.time.at

    async def rings(self, target: Target = LISBON, caller: str = CALLER) -> tuple[int, Phone]:
        """A call comes in."""
        phone = Phone()
        return await self.calls.begin(self.tenant, Incoming(self.at, caller, target=target), phone), phone

    async def dials(self, who: str, number: str) -> tuple[int, Phone]:
        phone = Phone()
        return await self.calls.begin(self.tenant, Outgoing(self.at, who, number), phone), phone

    async def settle(self) -> None:
        """Until what was submitted is committed and its answer has been looked at."""
        for _ in range(4):
            await self.desk.offhook.writer.run(lambda tx: None)
            for _ in range(5):
                await asyncio.sleep(0)

    def held(self) -> dict[str, str]:
        """Who is held by which call; with a * who is in it."""
        with self.desk.offhook.database.reading() as tx:
            return {row[1]: f"{row[2]}{'*' if row[3] else ''}" for row in tx.all(HELD) if row[0] == self.tenant}

    def waiting(self) -> list[str]:
        with self.desk.offhook.database.reading() as tx:
            return [row[0] for row in tx.all(WAITING, self.tenant)]

    def numbers(self, id: int) -> list[int]:
        """The numbers of the steps that are kept of a call."""
        with self.desk.offhook.database.reading() as tx:
            return [row[0] for row in tx.all(NUMBERS, self.tenant, id)]

    async def told(self, id: int) -> Any:
        """The trace as the API answers it, once it is kept: calls go on whether or not the store keeps up."""
        await self.settle()
        answer = await self.company.live.sending("GET", f"{CALLS}/{id}/trace")
        assert answer.status == 200, answer
        return answer.json

    async def listed(self) -> list[Any]:
        """The calls as the API lists them, once they are kept."""
        await self.settle()
        answer = await self.company.live.sending("GET", CALLS)
        assert answer.status == 200, answer
        return list(answer.json.get("items", []))

    async def retold(self, id: int) -> tuple[Trace, Any]:
        """A call's trace, which is the same when its events are decided again, and its whole answer."""
        answer = await self.told(id)
        trace = Trace(id=str(id), seed=id, steps=msgspec.convert(answer["steps"], tuple[Step, ...]))
        assert self.numbers(id) == list(range(len(trace.steps)))
        if self.config is not None and {step.config for step in trace.steps} == {self.config.version}:
            assert replay(self.config, trace) == trace
        return trace, answer


def lisbon(*operators: Any, **more: Any) -> tuple[Any, ...]:
    """An office whose main line rings these people, and the people."""
    more.setdefault("country", "US")
    place = office(1, "Lisbon", country=more.pop("country"), e911=more.pop("e911", None))
    return (line("office", 1, "Lisbon", operators, **more), place, *operators)


BEGAN = ms("2026-11-24T10:00:00-08:00")


TURNS = routing(strategy="fixedorder")


def sales(*operators: Any, **more: Any) -> tuple[Any, ...]:
    """A call center with a queue that * leaves, and its people."""
    queue = Queue(most=5, seconds=120, escape="*")
    return (office(1, "Lisbon"), line("callcenter", 10, "Sales", operators, queue=queue, **more), *operators)


def who(ring: Ring) -> list[str]:
    return [leg.who for leg in ring.legs]


async def talks(process: Process, target: Any = LISBON) -> tuple[int, Phone]:
    """A call that the first one rung has taken."""
    id, phone = await process.rings(target)
    [first, *_] = who(await phone.given(Ring))
    process.calls.happened(id, Answered(process.at, first))
    await phone.given(Bridge)
    await process.settle()
    return id, phone
