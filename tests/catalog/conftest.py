"""One workbench for all tests, and a company of its own for each."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.api.conftest import runner
from tests.api.desk import Company
from tests.catalog.workbench import Workbench

__all__ = ["runner"]


@pytest.fixture(scope="session")
def workbench(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    bench = Workbench(runner, tmp_path_factory.mktemp("workbench"))
    yield bench
    bench.close()


@pytest.fixture
def firm(workbench: Workbench) -> Company:
    """A new company."""
    return workbench.found()
