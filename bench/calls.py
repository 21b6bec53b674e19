"""Whole calls, without telephones: one comes in, an operator is reserved and rung, answers, and the caller hangs up.

Four steps a call, each on disk before it is carried out, with the reservation, its release and its end; 32 at once, by
the batching writer. `python -m bench.calls` measures it once; with `--profile` it says where the time goes.
"""

import asyncio
import cProfile
import itertools
import pstats
import random
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import uvloop

from bench.decisions import company
from bench.scenarios import Bench, Figure
from bench.store import IN_FLIGHT, SLOT
from offhook.calls.call import Parts
from offhook.calls.session import Calls
from offhook.directory.lines.model import Target
from offhook.kit.ids import Ids
from offhook.routing.model import Company
from offhook.routing.plan import Answered, Ask, Bridge, HungUp, Incoming, Ring, Told, Verb
from offhook.routing.reservations import Reservations
from offhook.routing.state import CallState
from offhook.storage.batches import Writer
from offhook.storage.database import Database
from offhook.storage.migrate import upgrade

OFFICES, PEOPLE = 200, 4_000
TUESDAY_AT_TEN = 1_795_514_400_000


def always_open(config: Company) -> Company:
    """The company with lines that never close."""
    lines = {
        target: replace(line, schedule=replace(line.schedule, always_open=True, days=()))
        for target, line in config.lines.items()
    }
    return replace(config, lines=lines)


class Telephone:
    """Answers at once, and hangs up at once."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls

    def do(self, call_id: int, verbs: tuple[Verb, ...]) -> None:
        for verb in verbs:
            if isinstance(verb, Ring):
                self.calls.happened(call_id, Answered(TUESDAY_AT_TEN + 3_000, verb.legs[0].who))
            elif isinstance(verb, Bridge):
                self.calls.happened(call_id, HungUp(TUESDAY_AT_TEN + 60_000))


async def _asked(tenant_id: int, call_id: int, verb: Ask, state: CallState) -> Told:
    return Told(state.now, fault="it is not asked here")


async def measure(database: Database, config: Company, seconds: float, ids: Ids) -> tuple[float, float]:
    """Calls a second, and milliseconds of processor time that one takes."""
    writer = Writer(database)
    reservations = Reservations(writer)

    async def known(_: int) -> Company:
        return config

    calls = Calls(Parts(writer, known, reservations, _asked), ids)
    numbers, made = random.Random(1), 0
    telephone, turns = Telephone(calls), itertools.count()
    began, busy = time.perf_counter(), time.process_time()

    async def work() -> None:
        nonlocal made
        for _ in turns:
            target = Target("department", numbers.randrange(OFFICES) + 1)
            id = await calls.begin(1, Incoming(TUESDAY_AT_TEN, "+14155550100", target=target), telephone)
            await calls.over(id)
            made += 1
            if time.perf_counter() - began > seconds:
                return

    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    took, used = time.perf_counter() - began, time.process_time() - busy
    await calls.close()
    await reservations.close()
    await writer.close()
    return made / took, used / made * 1000


def calls(bench: Bench) -> None:
    """Whole calls a second, and what one costs."""
    database = Database(f"sqlite:///{bench.folder / 'calls.sqlite3'}")
    upgrade(database)
    config, ids = always_open(company(OFFICES, PEOPLE)), Ids(SLOT)
    rates: list[float] = []
    costs: list[float] = []
    for _ in bench.rounds("whole calls"):
        rate, cost = uvloop.run(measure(database, config, bench.options.seconds, ids))
        rates.append(rate)
        costs.append(cost)
    database.close()
    bench.plain("whole calls: rung, answered, ended", rates, "/s", note="four steps each, on disk; 32 at once")
    bench.figures.append(Figure("CPU of a whole call", median(costs), "ms", low=min(costs), high=max(costs)))


def main(profiled: bool) -> None:
    """The command."""
    with tempfile.TemporaryDirectory(dir=Path.cwd() / "bench") as folder:
        database = Database(f"sqlite:///{folder}/offhook.sqlite3")
        upgrade(database)
        config, ids = always_open(company(OFFICES, PEOPLE)), Ids(SLOT)
        profile = cProfile.Profile()
        if profiled:
            profile.enable()
        for _ in range(3):
            rate, cost = uvloop.run(measure(database, config, 3.0, ids))
            sys.stdout.write(f"{rate:,.0f} whole calls a second, {cost:.2f} ms of processor time each\n")
        if profiled:
            profile.disable()
            pstats.Stats(profile).sort_stats("tottime").print_stats(35)
        database.close()


if __name__ == "__main__":
    main("--profile" in sys.argv)
