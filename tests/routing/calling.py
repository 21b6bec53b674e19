"""A process full of calls over a store that other processes use too; what it saw it appends to a file.

`python -m tests.routing.calling URL FILE NUMBER CALLS OPERATORS`. Its lines are JSON: whom a call held, and when
by the machine's monotonic clock, in nanoseconds, or how long it stood in its line's queue.
"""

import asyncio
import random
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TextIO

import msgspec

from offhook.directory.lines.model import Target
from offhook.kit.errors import Unavailable
from offhook.routing.plan import Release, Reserve, Reserved
from offhook.routing.reservations import Reservations
from offhook.storage.batches import Writer
from offhook.storage.database import Database

TENANT, LINES, AT_ONCE = 1, 5, 64
STRATEGIES = ("fixedorder", "roundrobin", "longestidle", "mostskilled", "random")


class Held(msgspec.Struct, tag="held"):
    """A call had somebody."""

    call: str
    who: str
    since: int
    until: int


class Stood(msgspec.Struct, tag="stood"):
    """A caller waited, and was served or hung up."""

    call: str
    line: int
    place: int
    since: int
    until: int
    served: bool


def now() -> int:
    """The place of a moment in the order of all, in every process of the machine."""
    return time.monotonic_ns()


async def surely(step: Callable[[], Awaitable[Any]]) -> Any:
    """Do a step, again if the store was busy: that is what makes it the same as once."""
    while True:
        try:
            return await step()
        except Unavailable:
            await asyncio.sleep(0)


class Process:
    """All of its calls."""

    def __init__(self, url: str, out: TextIO, number: int, operators: int) -> None:
        self.writer = Writer(Database(url))
        self.reservations = Reservations(self.writer)
        self.out = out
        self.number = number
        self.random = random.Random(number)
        # Lines overlap: half of each line's people answer for the next one too.
        width = operators // LINES
        everyone = [f"user:{one}" for one in range(1, operators + 1)]
        self.members = [tuple((everyone * 2)[line * width : line * width + width * 3 // 2]) for line in range(LINES)]

    def note(self, record: Held | Stood) -> None:
        self.out.write(msgspec.json.encode(record).decode() + "\n")

    def asked(self, line: int, since: int) -> Reserve:
        members = self.members[line]
        return Reserve(
            group=Target("department", line),
            strategy=STRATEGIES[line],
            members=members,
            skills=tuple(range(1, len(members) + 1)),
            count=1,
            seed=self.random.randrange(1 << 30),
            seconds=600,
            wait_for="whoever_is_free",
            since=since,
        )

    async def call(self, number: int) -> None:
        """Wait, be served, talk or not, end; or hang up while waiting."""
        call, line = f"{self.number}-{number}", self.random.randrange(LINES)
        place = time.time_ns() // 1_000_000
        verb, began = self.asked(line, place), now()
        asking: asyncio.Task[Reserved] = asyncio.ensure_future(
            surely(lambda: self.reservations.reserve(TENANT, call, verb, place))
        )
        if self.random.random() < 0.1:
            for _ in range(self.random.randrange(1, 40)):
                await asyncio.sleep(0)
            asking.cancel()
        try:
            answer = await asking
        except asyncio.CancelledError:
            self.note(Stood(call, line, place, began, now(), False))
            return
        since = now()
        self.note(Stood(call, line, place, began, since, True))
        [who] = answer.members
        if answered := self.random.random() < 0.7:
            await surely(lambda: self.reservations.release(TENANT, call, Release((), who), place))
        for _ in range(self.random.randrange(1, 20)):
            await asyncio.sleep(0)
        self.note(Held(call, who, since, now()))
        if answered or self.random.random() < 0.5:
            await surely(lambda: self.reservations.finish(TENANT, call, place))
        else:
            await surely(lambda: self.reservations.release(TENANT, call, Release((who,)), place))

    async def run(self, calls: int) -> None:
        """All of them, some at once."""
        numbers = iter(range(calls))

        async def work() -> None:
            for number in numbers:
                await self.call(number)

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
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
