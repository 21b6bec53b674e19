"""A store for reservations, of both kinds; and the same application and companies as in tests/api."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from offhook.storage.database import Database
from offhook.storage.migrate import upgrade
from tests.api.conftest import company, desk, embedded, postgresql_desk, runner, sqlite_desk
from tests.routing.reserving import Loop, Time, Worker
from tests.servers import PostgreSQL

__all__ = ["company", "desk", "embedded", "postgresql_desk", "runner", "sqlite_desk"]


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgreSQL) -> Iterator[str]:
    """A database whose schema is there already."""
    with postgres.database() as url:
        migrated = Database(url)
        upgrade(migrated)
        migrated.close()
        yield urlsplit(url).path.lstrip("/")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a file."""
    path = tmp_path_factory.mktemp("template") / "offhook.sqlite3"
    migrated = Database(f"sqlite:///{path}")
    upgrade(migrated)
    migrated.close()
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store, SQLite and PostgreSQL in turn."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    path = tmp_path / "offhook.sqlite3"
    path.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture
def loop() -> Iterator[Loop]:
    with asyncio.Runner() as runner:
        yield Loop(runner)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def worker(loop: Loop, url: str, time: Time) -> Iterator[Worker]:
    """One process over the store."""

    async def made() -> Worker:
        return Worker(url, time)

    one = loop.run(made())
    yield one
    loop.run(one.close())
