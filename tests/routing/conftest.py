"""A store for reservations, of both kinds."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from offhook.storage.database import Database
from offhook.storage.migrate import upgrade
from tests.routing.reserving import Time, Worker


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty store, SQLite and PostgreSQL in turn."""
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/offhook.sqlite3" if sqlite else request.getfixturevalue("postgres_url")
    opened = Database(url)
    upgrade(opened)
    yield opened
    opened.close()


@pytest.fixture
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def worker(loop: asyncio.Runner, database: Database, time: Time) -> Iterator[Worker]:
    """One process over the store."""

    async def made() -> Worker:
        return Worker(database, time)

    one = loop.run(made())
    yield one
    loop.run(one.close())
