"""An engine over each store, with a clock and a target that the test sets."""

import asyncio
from collections.abc import Iterator

import pytest

from offhook.storage.database import Database
from tests.workflows.runs.running import Running, Target


@pytest.fixture
def one(database: Database, runner: asyncio.Runner) -> Iterator[Running]:
    running: list[Running] = []

    async def make() -> None:
        running.append(Running(database, Target()))

    runner.run(make())
    yield running[0]
    runner.run(running[0].close())
