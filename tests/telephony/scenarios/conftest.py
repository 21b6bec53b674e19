"""The application with telephones: a worker process for each scenario, and prompts that are beeps."""

import asyncio
from collections.abc import Iterator

import pytest

from offhook.kit.settings import Settings
from tests.api.conftest import runner
from tests.api.desk import Company, Desk

__all__ = ["runner"]


@pytest.fixture(scope="session")
def telephone_desk(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    data = str(tmp_path_factory.mktemp("data"))
    settings = Settings(data=data, access_log=False, speech="none", sip_port=0, egress_allow="127.0.0.1/32")
    desk = Desk(runner, settings)
    yield desk
    desk.close()


@pytest.fixture
def reached(telephone_desk: Desk) -> Company:
    """A new company that can be called."""
    return telephone_desk.found()
