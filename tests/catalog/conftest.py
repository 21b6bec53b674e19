"""One workbench for all tests, and a company of its own for each; stores as in tests/routing."""

import asyncio
from collections.abc import Iterator

import pytest

from offhook.storage.database import Database
from tests.api.conftest import runner
from tests.api.desk import Company, Desk
from tests.catalog.shelf import own_is_kept, settings_of
from tests.catalog.workbench import Workbench
from tests.routing.conftest import postgres_template, sqlite_template, url
from tests.servers import PostgreSQL

__all__ = ["postgres_template", "runner", "sqlite_template", "url"]


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """An empty store, SQLite and PostgreSQL in turn."""
    opened = Database(url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def workbench(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    bench = Workbench(runner, tmp_path_factory.mktemp("workbench"))
    yield bench
    bench.close()


@pytest.fixture
def firm(workbench: Workbench) -> Company:
    """A new company."""
    return workbench.found()


@pytest.fixture(scope="module")
def sqlite_shelf(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = Desk(runner, settings_of(tmp_path_factory.mktemp("shelf")))
    own_is_kept(desk)
    yield desk
    desk.close()


@pytest.fixture(scope="module")
def postgresql_shelf(
    runner: asyncio.Runner, postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    with postgres.database() as url:
        desk = Desk(runner, settings_of(tmp_path_factory.mktemp("shelf"), database_url=url))
        own_is_kept(desk)
        yield desk
        desk.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def company(request: pytest.FixtureRequest) -> Company:
    """A new company, over each store in turn."""
    desk: Desk = request.getfixturevalue(f"{request.param}_shelf")
    return desk.found()


@pytest.fixture
def embedded(sqlite_shelf: Desk) -> Company:
    """A new company over SQLite: for what the store has no say in."""
    return sqlite_shelf.found()
