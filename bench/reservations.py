"""Operators reserved over the store, against ready creates: both by the batching writer, 32 in flight, all on disk.

A reservation is asked for by a call at a line of ten operators, out of a thousand lines, and is given back: that is two
trips to the store, and both count. `python -m bench.reservations` measures it once and says what a trip costs.
"""

import asyncio
import itertools
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import uvloop

from bench.scenarios import Bench
from bench.seed import again, owner, patterns
from bench.server import BenchError, Server
from bench.store import IN_FLIGHT, SLOT, measure
from offhook.directory.lines.model import Target
from offhook.kit.ids import Ids
from offhook.routing.plan import Release, Reserve
from offhook.routing.reservations import Reservations
from offhook.storage.batches import Writer
from offhook.storage.database import Database
from offhook.storage.migrate import upgrade

LINES, OPERATORS = 1_000, 10
STRATEGIES = ("fixedorder", "roundrobin", "longestidle", "mostskilled", "random", "simultaneous")
BAR = 0.4


def asked(seed: int) -> Iterator[Reserve]:
    """What calls at many lines ask for, without end; each strategy in turn."""
    numbers = random.Random(seed)
    for strategy in itertools.cycle(STRATEGIES):
        line = numbers.randrange(LINES)
        # Every tenth operator answers for the next line too.
        members = tuple(f"user:{line * (OPERATORS - 1) + number + 1}" for number in range(OPERATORS))
        yield Reserve(
            group=Target("department", line),
            strategy=strategy,
            members=members,
            skills=tuple(numbers.randrange(1, 101) for _ in members),
            count=0 if strategy == "simultaneous" else 1,
            seed=numbers.randrange(1 << 30),
        )


async def reserve(database: Database, seconds: float, seed: int) -> float:
    """Calls a second that were given somebody and gave them back."""
    writer = Writer(database)
    reservations = Reservations(writer)
    verbs = asked(seed)
    # What calls ask for is ready, as the creates are.
    ready = iter(list(itertools.islice(verbs, int(12_000 * seconds))))
    served = 0
    began = time.perf_counter()

    async def work(number: int) -> None:
        nonlocal served
        for turn, verb in enumerate(ready):
            call, at = f"{seed}-{number}-{turn}", int(time.time() * 1000)
            answer = await reservations.reserve(1, call, verb, at)
            if answer.members:
                await reservations.release(1, call, Release(answer.members), at)
                served += 1
            if time.perf_counter() - began > seconds:
                return

    await asyncio.gather(*(work(number) for number in range(IN_FLIGHT)))
    took = time.perf_counter() - began
    await reservations.close()
    await writer.close()
    return served / took


def reservations(bench: Bench) -> None:
    """Reservations, each given back, against ready creates on the same store."""
    server = Server(bench.folder / "reservations")
    try:
        server.init()
        url = f"sqlite:///{server.data / 'offhook.sqlite3'}"
        database = Database(url)
        principal, company = owner(database, server.company_id)
        made, ids = patterns(principal, company, 2_000, 5), Ids(SLOT)
        creates: list[float] = []
        reserved: list[float] = []
        for number in bench.rounds("reservations against ready creates"):
            count = int(20_000 * bench.options.seconds)
            units = [again(made[index % len(made)], ids.new()) for index in range(count)]
            creates.append(uvloop.run(measure(database, units, bench.options.seconds)).rate)
            reserved.append(uvloop.run(reserve(database, bench.options.seconds, number)))
            with database.reading() as tx:
                held = tx.connection.exec_driver_sql("SELECT count(*) FROM engagements WHERE call_id <> ''").scalar()
            if held:
                raise BenchError(f"{held} people are still reserved when every call has given back its own")
        database.close()
    finally:
        server.remove()
    bench.plain("ready creates, SQLite", creates, "/s", note="by the batching writer, 32 in flight: no HTTP, no rules")
    bench.plain("operators reserved and given back", reserved, "/s", note=f"{LINES:,} lines of {OPERATORS}, 32 calls")
    bench.ratio("reservations / ready creates", reserved, creates, BAR)


def main() -> None:
    """The command."""
    with tempfile.TemporaryDirectory(dir=Path.cwd() / "bench") as folder:
        database = Database(f"sqlite:///{folder}/offhook.sqlite3")
        upgrade(database)
        for seed in range(3):
            rate = uvloop.run(reserve(database, 3.0, seed))
            sys.stdout.write(f"{rate:,.0f} operators reserved and given back a second\n")
        database.close()


if __name__ == "__main__":
    main()
