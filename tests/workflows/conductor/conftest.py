"""A real server of ours, and a real Conductor where CONDUCTOR_SERVER_URL names one, to the same tests."""

import os
from collections.abc import Iterator

import pytest

from bench.server import Company
from tests.api.conftest import company, desk, embedded, postgresql_desk, runner, sqlite_desk
from tests.conftest import NO_CONDUCTOR
from tests.survival.process import Process
from tests.workflows.conductor.clients import Conductor, Service, serving

__all__ = ["company", "desk", "embedded", "postgresql_desk", "runner", "sqlite_desk"]


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Process, Company]]:
    """`offhook serve` in a process of its own, which may call this machine."""
    server = Process(tmp_path_factory.mktemp("conductor") / "data", settings={"egress_allow": "127.0.0.0/8"})
    made = server.init()
    server.start()
    try:
        yield server, made
        assert server.faults() == []
        assert server.terminate(20.0)[0] == 0
    finally:
        server.kill()


@pytest.fixture(scope="session")
def ours(served: tuple[Process, Company]) -> Conductor:
    """The SDK with a key of a company here."""
    server, made = served
    return Conductor(f"http://127.0.0.1:{server.port}/api", made.live_key)


@pytest.fixture(params=["offhook", "conductor"])
def conductor(request: pytest.FixtureRequest) -> Conductor:
    """The SDK as the client of this server, and of a real Conductor."""
    if request.param == "offhook":
        found: Conductor = request.getfixturevalue("ours")
        return found
    url = os.environ.get("CONDUCTOR_SERVER_URL", "")
    if not url:
        pytest.skip(f"{NO_CONDUCTOR}: set CONDUCTOR_SERVER_URL to the /api of one on this machine")
    return Conductor(url)


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    """A web service that definitions call."""
    with serving() as found:
        yield found
