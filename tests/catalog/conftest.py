"""One workbench for all tests, and a company of its own for each; stores as in tests/routing."""

import asyncio
from collections.abc import Iterator

import pytest

from offhook.storage.database import Database
from tests.api.conftest import runner
from tests.api.desk import Company
from tests.catalog.workbench import Workbench
from tests.routing.conftest import postgres_template, sqlite_template, url

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
