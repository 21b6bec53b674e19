"""An engine over each store, with a clock and a target that the test sets; and the application over both."""

import asyncio
from collections.abc import Iterator

import pytest

from offhook.storage.database import Database
from tests.api.conftest import company, desk, postgresql_desk, sqlite_desk
from tests.workflows.runs.running import Running, Target

__all__ = ["company", "desk", "one", "postgresql_desk", "sqlite_desk"]


@pytest.fixture
def one(database: Database, runner: asyncio.Runner) -> Iterator[Running]:
    running: list[Running] = []

    async def make() -> None:
        running.append(Running(database, Target()))

    runner.run(make())
    yield running[0]
    runner.run(running[0].close())
