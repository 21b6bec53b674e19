"""A process full of calls over a store that other processes use too; what it saw it appends to a file.

`python -m tests.calls.calling URL FILE NUMBER CALLS OPERATORS`. Its lines are JSON: whom a
telephone had, from being told to ring them to telling that it is over, and how long a caller stood in a queue.
"""

import asyncio
import random
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any, TextIO

import msgspec

from offhook.calls.call import Parts
from offhook.calls.session import Calls
from offhook.directory.lines.model import Target
from offhook.kit import clock
from offhook.kit.ids import Ids
from offhook.routing.model import Company
from offhook.routing.plan import (
    Answered,
    Ask,
    Bridge,
    Ended,
    Event,
    Hangup,
    HungUp,
    Incoming,
    NotAnswered,
    Recorded,
    Reserve,
    Ring,
    Told,
    Verb,
    Voicemail,
)
from offhook.routing.reservations import Reservations
from offhook.routing.state import CallState
from offhook.storage.batches import Writer
from offhook.storage.database import Database
from tests.routing.calling import LINES, STRATEGIES, TENANT, Held, Stood, now
from tests.routing.companies import Queue, company, line, office, routing, user

AT_ONCE = 64


@lru_cache(maxsize=1)
def config(operators: int) -> Company:
    """Lines that overlap: half of each line's people answer for the next one too."""
    people = [user(id, f"User {id}") for id in range(1, operators + 1)]
    width = operators // LINES
    queue = Queue(most=100_000, seconds=900)
    lines = [
        line(
            "callcenter", id + 1, f"Line {id}", (people * 2)[id * width : id * width + width * 3 // 2],
            queue=queue, ring_seconds=20, open=routing(strategy=STRATEGIES[id] if id else "simultaneous"),
        )
        for id in range(LINES)
    ]  # fmt: skip
    return company(office(1, "Everywhere"), *lines, *people)


def at() -> int:
    return clock.milliseconds(clock.now())


class Telephone:
    """One caller and whoever they reach."""

    def __init__(self, process: "Process", target: Target) -> None:
        self.process = process
        self.target = target
        self.rings: dict[str, int] = {}
        self.queued: tuple[int, int] | None = None
        self.tasks: set[asyncio.Task[None]] = set()

    def do(self, call_id: int, verbs: tuple[Verb, ...]) -> None:
        chance = self.process.random.random()
        for verb in verbs:
            match verb:
                case Reserve() if verb.wait_for == "whoever_is_free":
                    # While all are left alone for a moment nobody is waited for.
                    self.queued = (self.queued or (verb.since, now())) if verb.members else None
                    if chance < 0.05:
                        self.tell(call_id, HungUp(at()))
                case Ring():
                    self.stood(call_id, True)
                    self.rings = {leg.who: now() for leg in verb.legs}
                    if chance < 0.7:
                        self.tell(call_id, Answered(at(), verb.legs[0].who), keeps=(verb.legs[0].who,))
                    elif chance < 0.9:
                        self.tell(call_id, NotAnswered(at()))
                    else:
                        self.tell(call_id, HungUp(at()))
                case Bridge():
                    self.done(call_id, keeps=(verb.who,))
                    self.tell(call_id, Ended(at()) if chance < 0.5 else HungUp(at()))
                case Voicemail():
                    self.tell(call_id, Recorded(at(), 3))
                case Hangup():
                    self.stood(call_id, False)

    def stood(self, call_id: int, served: bool) -> None:
        if self.queued is not None:
            place, since = self.queued
            self.process.note(Stood(f"{call_id}", self.target.id, place, since, now(), served))
        self.queued = None

    def done(self, call_id: int, keeps: tuple[str, ...] = ()) -> None:
        """Whoever rang does so no more, but for those who talk."""
        for who in [who for who in self.rings if who not in keeps]:
            self.process.note(Held(f"{call_id}", who, self.rings.pop(who), now()))

    def tell(self, call_id: int, event: Event, keeps: tuple[str, ...] = ()) -> None:
        """Say it a little later."""

        async def later() -> None:
            for _ in range(self.process.random.randrange(1, 20)):
                await asyncio.sleep(0)
            # As real telephones do: whoever does not get the call has stopped ringing before that is told.
            self.done(call_id, keeps)
            self.process.calls.happened(call_id, event)

        task = asyncio.create_task(later())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


class Process:
    """All of its calls."""

    def __init__(self, url: str, out: TextIO, number: int, operators: int) -> None:
        self.out = out
        self.random = random.Random(number)
        self.config = config(operators)
        self.writer = Writer(Database(url))
        self.reservations = Reservations(self.writer)
        parts = Parts(self.writer, self._company, self.reservations, self._ask, patience=60.0)
        self.calls = Calls(parts, Ids(number))

    async def _company(self, _: int) -> Company:
        return self.config

    async def _ask(self, tenant_id: int, call_id: int, verb: Ask, state: CallState) -> Told:
        return Told(state.now, fault="it is not asked here")

    def note(self, record: Any) -> None:
        self.out.write(msgspec.json.encode(record).decode() + "\n")

    async def run(self, calls: int) -> None:
        """All of them, some at once."""
        numbers = iter(range(calls))

        async def work() -> None:
            for _ in numbers:
                target = Target("callcenter", self.random.randrange(LINES) + 1)
                id = await self.calls.begin(
                    TENANT, Incoming(at(), "+14155550100", target=target), Telephone(self, target)
                )
                await self.calls.over(id)

        keeping = asyncio.create_task(self.calls.keep())
        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        keeping.cancel()
        await self.calls.close()
        await self.reservations.close()
        await self.writer.close()


def main(url: str, path: str, number: str, calls: str, operators: str) -> None:
    """The command. It begins when it is told to, by a line on its standard input."""
    with Path(path).open("a", encoding="utf-8") as out:
        sys.stdin.readline()

        async def run() -> None:
            await Process(url, out, int(number), int(operators)).run(int(calls))

        asyncio.run(run())


if __name__ == "__main__":
    main(*sys.argv[1:])
