"""A Conductor server that all companies share, kept in memory: whatever is asked of it by anybody is answered.

It knows no companies, so what one of them does not see of another's is kept from it by Offhook.
"""

import copy
import re
import uuid

from offhook.kit.errors import NotFound
from offhook.workflows.remote.conductor import Act, Conductor, Raw
from offhook.workflows.remote.service import RemoteRuns
from offhook.workflows.runs.texts import Registered
from tests.api.desk import Desk

_STATUS: dict[Act, str] = {
    "pause": "PAUSED", "resume": "RUNNING", "retry": "RUNNING", "restart": "RUNNING", "terminate": "TERMINATED",
}  # fmt: skip


class Shared(Conductor):
    """The server, without a line to it."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9/api")
        self.definitions: dict[str, Raw] = {}
        self.runs: dict[str, Raw] = {}

    async def definition(self, name: str, version: int) -> Raw | None:
        """A definition, whoever asks."""
        return copy.deepcopy(self.definitions.get(name))

    async def put(self, definitions: list[Raw]) -> None:
        """Keep definitions."""
        self.definitions |= {one["name"]: copy.deepcopy(one) for one in definitions}

    async def names(self) -> list[str]:
        """All names, whoever asks."""
        return list(self.definitions)

    async def start(self, name: str, version: int, given: Raw, correlation: str, key: str) -> str:
        """Start a run, which waits for somebody for ever."""
        if name not in self.definitions:
            raise NotFound("The Conductor server refused it: no such workflow.")
        id = str(uuid.uuid4())
        self.runs[id] = {
            "workflowId": id, "workflowName": name, "workflowVersion": version, "status": "RUNNING",
            "startTime": 1_800_000_000_000, "input": given, "correlationId": correlation, "tasks": [],
        }  # fmt: skip
        return id

    async def get(self, id: str, *, tasks: bool = True) -> Raw:
        """A run, whoever asks."""
        if id not in self.runs:
            raise NotFound(f"The Conductor server refused it: No such workflow found by id: {id}")
        return copy.deepcopy(self.runs[id])

    async def correlated(self, name: str, correlation: str) -> list[Raw]:
        """Runs with this correlation id, whoever asks."""
        found = [
            one for one in self.runs.values() if (one["workflowName"], one["correlationId"]) == (name, correlation)
        ]
        return copy.deepcopy(found)

    async def search(self, query: str, size: int) -> list[Raw]:
        """Runs of the names that are asked for, the latest first."""
        asked = re.search(r"workflowType IN \(([^)]*)\)", query)
        names = asked[1].split(",") if asked else None
        found = [one for one in reversed(self.runs.values()) if names is None or one["workflowName"] in names]
        return copy.deepcopy(found[:size])

    async def act(self, id: str, what: Act, reason: str = "") -> None:
        """Do something to a run, whoever asks."""
        self.runs[id]["status"] = _STATUS[what]


def sharing(desk: Desk) -> Desk:
    """The same desk, whose application names such a server."""
    offhook = desk.offhook
    offhook.workflows.engines.conductor = RemoteRuns(offhook.work, Registered(), Shared())
    return desk
