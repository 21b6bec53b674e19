"""Two processes over one store: what one changes, calls of the other are decided with, within a second."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import pytest

from offhook.access import store as access
from offhook.directory.lines.model import Target
from offhook.hours.model import DAYS
from offhook.routing.groups import availability
from offhook.routing.model import Company
from offhook.routing.sharing import FRESH_SECONDS, Snapshots
from offhook.storage.batches import Reader
from offhook.storage.database import Database, Transaction
from tests.survival.conftest import Start
from tests.survival.process import Process

T = TypeVar("T")
V1, V2 = "/api/offhook/v1", "/api/v2"
WEDNESDAY_NOON = 1_782_316_800_000
"""2026-06-24T16:00:00Z, an hour at which every office of these tests is open."""


class Other:
    """The other process, which is this one: a reader of the server's store, and snapshots whose time is the test's."""

    def __init__(self, runner: asyncio.Runner, url: str, company_id: int) -> None:
        self._runner = runner
        self._database = Database(url)
        self._reader = Reader(self._database)
        self.now = 100.0
        self._snapshots = Snapshots(self._reader, ticks=lambda: self.now)
        self.tenant = self._read(lambda tx: access.tenant_id(tx, company_id, "live")) or 0

    def _read(self, function: Callable[[Transaction], T]) -> T:
        return self._runner.run(self._reader.run(function))

    def next_call(self, later: float) -> Company:
        """What a call is decided with that comes so many seconds after the last one."""
        self.now += later
        return self._runner.run(self._snapshots.of(self.tenant))

    def close(self) -> None:
        self._reader.close()
        self._database.close()


def follows(server: Process, url: str) -> None:
    assert server.company is not None
    office, key = server.company.office_id, server.company.live_key

    def change(method: str, path: str, body: object) -> dict[str, object]:
        answer = server.ask(method, path, body, key=key)
        assert answer.status == 200, answer
        found: dict[str, object] = answer.json
        return found

    with asyncio.Runner() as runner:
        other = Other(runner, url, int(server.company.company_id))
        try:
            target = Target("office", int(office))
            assert other.next_call(0).lines[target].operators == ()
            room = change("POST", f"{V2}/rooms", {"name": "Lobby", "office_id": office})["id"]
            joined = {"operator_type": "room", "operator_id": room}
            change("POST", f"{V2}/offices/{office}/operators", joined)
            line = other.next_call(FRESH_SECONDS).lines[target]
            assert [(one.name, one.away) for one in line.operators] == [("Lobby", "no telephone")]
            change("POST", f"{V1}/rooms/{room}/devices", {})
            assert [one.away for one in other.next_call(FRESH_SECONDS).lines[target].operators] == [""]
            never: dict[str, list[str]] = {f"{day}_hours": [] for day in DAYS}
            change("PATCH", f"{V2}/offices/{office}", {"hours_on": False})
            assert availability(other.next_call(FRESH_SECONDS).lines[target], WEDNESDAY_NOON)[0]
            change("PATCH", f"{V2}/offices/{office}", {"hours_on": True, **never})
            assert not availability(other.next_call(FRESH_SECONDS).lines[target], WEDNESDAY_NOON)[0]
            change("DELETE", f"{V2}/rooms/{room}", None)
            found = other.next_call(FRESH_SECONDS)
            assert (found.lines[target].operators, found.people) == ((), {})
        finally:
            other.close()


def test_a_change_is_seen_by_the_other_process_over_one_file(start: Start):
    server = start()
    follows(server, f"sqlite:///{server.data}/offhook.sqlite3")


@pytest.mark.postgres
def test_a_change_is_seen_by_the_other_process_over_postgresql(start: Start, postgres_url: str):
    follows(start(database_url=postgres_url), postgres_url)
