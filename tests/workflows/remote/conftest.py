"""An application that names a Conductor server: ours in a process of its own, and a real one where there is one."""

import asyncio
import os
from collections.abc import Iterator

import pytest

from bench.server import Company as Made
from offhook.kit.settings import Settings
from tests.api.conftest import runner, sqlite_desk
from tests.api.desk import Company, Desk
from tests.conftest import NO_CONDUCTOR
from tests.survival.process import Process
from tests.workflows.conductor.conftest import served, service

__all__ = ["runner", "served", "service", "sqlite_desk"]


@pytest.fixture(scope="session")
def pointed(
    runner: asyncio.Runner, served: tuple[Process, Made], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    """An application that names our other server."""
    server, made = served
    settings = Settings(
        data=str(tmp_path_factory.mktemp("data")),
        access_log=False,
        conductor_url=f"http://127.0.0.1:{server.port}/api/",
        conductor_key_id="any",
        conductor_key_secret=made.live_key,
    )
    desk = Desk(runner, settings)
    yield desk
    desk.close()


@pytest.fixture(scope="session")
def stock(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """An application that names a real Conductor."""
    url = os.environ.get("CONDUCTOR_SERVER_URL", "")
    if not url:
        pytest.skip(f"{NO_CONDUCTOR}: set CONDUCTOR_SERVER_URL to the /api of one on this machine")
    data = str(tmp_path_factory.mktemp("data"))
    desk = Desk(runner, Settings(data=data, access_log=False, conductor_url=url))
    yield desk
    desk.close()


@pytest.fixture(params=["pointed", "stock"])
def firm(request: pytest.FixtureRequest) -> Company:
    """A new company of an application that names a server."""
    desk: Desk = request.getfixturevalue(request.param)
    return desk.found()
