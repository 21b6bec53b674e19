"""The application in this process, over both stores; a company of its own for every test.

`company` runs a test twice, over SQLite and over PostgreSQL. `embedded` runs it once, over SQLite: for what the store
has no say in. Both give a new company, so that tests share an application and nothing else.
"""

import asyncio
from collections.abc import Iterator

import pytest

from offhook.kit.settings import Settings
from tests.api.desk import Company, Desk
from tests.servers import PostgreSQL


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as running:
        yield running


@pytest.fixture(scope="session")
def sqlite_desk(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = Desk(runner, Settings(data=str(tmp_path_factory.mktemp("data")), access_log=False))
    yield desk
    desk.close()


@pytest.fixture(scope="session")
def postgresql_desk(
    runner: asyncio.Runner, postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    with postgres.database() as url:
        data = str(tmp_path_factory.mktemp("data"))
        desk = Desk(runner, Settings(data=data, database_url=url, access_log=False))
        yield desk
        desk.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def desk(request: pytest.FixtureRequest) -> Desk:
    """The application over each store in turn."""
    found: Desk = request.getfixturevalue(f"{request.param}_desk")
    return found


@pytest.fixture
def company(desk: Desk) -> Company:
    """A new company, over each store in turn."""
    return desk.found()


@pytest.fixture
def embedded(sqlite_desk: Desk) -> Company:
    """A new company over SQLite."""
    return sqlite_desk.found()
