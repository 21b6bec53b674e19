"""The store alone: how many ready creates a second the batching writer commits, 32 in flight, without HTTP and rules.

That is the figure to hold against pgbench, which is given its rows ready too. `python -m bench.store URL COMPANY` gives
it as JSON.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator

import msgspec
import uvloop

from bench.seed import again, owner, patterns
from offhook.kit.ids import Ids
from offhook.offices.create import NewOffice
from offhook.storage.batches import Writer
from offhook.storage.database import Database

IN_FLIGHT = 32
SLOT = 62  # no server here holds it


class Report(msgspec.Struct):
    """What one run reached."""

    committed: int
    rate: float
    batches: int


async def measure(database: Database, units: list[NewOffice], seconds: float) -> Report:
    """Commit `units`, 32 at a time, for `seconds` or until they are used up."""
    writer = Writer(database)
    waiting: Iterator[NewOffice] = iter(units)
    committed = 0
    began = time.perf_counter()

    async def work() -> None:
        nonlocal committed
        for unit in waiting:
            await writer.submit(unit)
            committed += 1
            if time.perf_counter() - began > seconds:
                return

    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    took = time.perf_counter() - began
    await writer.close()
    return Report(committed, committed / took, writer.batches)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.store", description=__doc__)
    parser.add_argument("url", help="the store, as SQLAlchemy names it")
    parser.add_argument("company", type=int)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--units", type=int, default=30_000)
    parser.add_argument("--seed", type=int, default=5)
    arguments = parser.parse_args()
    database = Database(arguments.url)
    principal, company = owner(database, arguments.company)
    made = patterns(principal, company, 2_000, arguments.seed)
    ids = Ids(SLOT)
    units = [again(made[index % len(made)], ids.new()) for index in range(arguments.units)]
    report = uvloop.run(measure(database, units, arguments.seconds))
    database.close()
    sys.stdout.write(msgspec.json.encode(report).decode() + "\n")


if __name__ == "__main__":
    main()
