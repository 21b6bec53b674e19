"""An application that names a Conductor server: ours in a process of its own, and a real one where there is one."""

import asyncio
import os
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from bench.server import Company as Made
from offhook.kit.settings import Settings
from tests.api.conftest import runner, sqlite_desk
from tests.api.desk import Answer, Company, Desk
from tests.conftest import NO_CONDUCTOR
from tests.survival.process import Process
from tests.workflows.conductor.clients import SECONDS, unique
from tests.workflows.conductor.conftest import served, service
from tests.workflows.definitions.shapes import Raw, definition

V1 = "/api/offhook/v1/workflows"
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
        egress_allow="127.0.0.0/8",
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
    desk = Desk(runner, Settings(data=data, access_log=False, egress_allow="127.0.0.0/8", conductor_url=url))
    yield desk
    desk.close()


class Runs:
    """Runs of a company on one engine, over the API."""

    def __init__(self, company: Company, engine: str) -> None:
        self.company, self.api, self.engine = company, company.live, engine

    def register(self, *tasks: Raw, **fields: Any) -> str:
        """Register a definition by a name of its own; gives the name."""
        name = str(fields.pop("name", "") or unique())
        raw = {**definition(*tasks), "name": name, "ownerEmail": "owner@example.com", **fields}
        made = self.api.post(f"{V1}/definitions", {"definition": raw, "overwrite": True})
        assert made.status == 200, made
        return name

    def start(self, name: str, given: Raw | None = None, **more: Any) -> Answer:
        """Ask for a run."""
        headers = {"idempotency-key": more.pop("key")} if "key" in more else {}
        body = {"workflow": name, "input": given or {}, "engine": self.engine, **more}
        return self.api.post(f"{V1}/runs", body, headers=headers)

    def begun(self, name: str, given: Raw | None = None, **more: Any) -> str:
        """Start a run; its id."""
        answer = self.start(name, given, **more)
        assert answer.status == 200, answer
        assert answer.json["engine"] == self.engine
        return str(answer.json["id"])

    def seen(self, id: str, *statuses: str) -> Raw:
        """The run once it is in one of these states."""
        return self.when(id, lambda run: run["status"] in statuses)

    def when(self, id: str, holds: Any) -> Raw:
        """The run once something holds of it."""
        until = time.monotonic() + SECONDS
        while True:
            answer = self.api.get(f"{V1}/runs/{id}")
            assert answer.status == 200, answer
            if holds(answer.json):
                found: Raw = answer.json
                return found
            assert time.monotonic() < until, answer
            self.company.desk.run(asyncio.sleep(0.02))

    def do(self, id: str, what: str, body: Raw | None = None) -> Answer:
        """Ask for a change of a run."""
        return self.api.post(f"{V1}/runs/{id}/{what}", body)

    def found(self, count: int, **query: str) -> list[Raw]:
        """What a list has, once it is as much as that: a real Conductor indexes a little later."""
        until = time.monotonic() + SECONDS
        while True:
            answer = self.api.get(f"{V1}/runs?{urlencode({'engine': self.engine, **query})}")
            assert answer.status == 200, answer
            items: list[Raw] = answer.json["items"]
            if len(items) == count or time.monotonic() > until:
                assert len(items) == count, items
                return items
            self.company.desk.run(asyncio.sleep(0.05))


@pytest.fixture(params=["embedded", "conductor", "stock"])
def runs(request: pytest.FixtureRequest) -> Runs:
    """Runs of a new company here, on our other server, and on a real Conductor."""
    desk: Desk = request.getfixturevalue("stock" if request.param == "stock" else "pointed")
    return Runs(desk.found(), "conductor" if request.param == "stock" else request.param)


@pytest.fixture
def there(pointed: Desk) -> Runs:
    """Runs of a new company on our other server."""
    return Runs(pointed.found(), "conductor")
