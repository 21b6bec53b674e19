"""A Conductor server that all companies share, kept in memory: whatever is asked of it by anybody is answered.

It knows no companies, so what one of them does not see of another's is kept from it by Offhook.
"""

import copy
import re
from itertools import count

from offhook.kit.errors import NotFound
from offhook.workflows.remote.model import Act, Raw
from tests.api.desk import Desk

_STATUS: dict[Act, str] = {
    "pause": "PAUSED", "resume": "RUNNING", "retry": "RUNNING", "restart": "RUNNING", "terminate": "TERMINATED",
}  # fmt: skip


class Shared:
    """The server, as offhook.workflows.remote.model.Elsewhere has it."""

    def __init__(self) -> None:
        self.definitions: dict[str, Raw] = {}
        self.runs: dict[str, Raw] = {}
        self._ids = count(8_000_000_000)

    async def put(self, definition: Raw) -> None:
        """Keep a definition."""
        self.definitions[definition["name"]] = copy.deepcopy(definition)

    async def start(self, name: str, version: int | None, given: Raw, correlation: str) -> str:
        """Start a run, which waits for somebody for ever."""
        if name not in self.definitions:
            raise NotFound("The Conductor server refused it: no such workflow.")
        id = str(next(self._ids))
        self.runs[id] = {
            "workflowId": id, "workflowName": name, "workflowVersion": version or 1, "status": "RUNNING",
            "startTime": 1_800_000_000_000, "input": given, "correlationId": correlation, "tasks": [],
        }  # fmt: skip
        return id

    async def get(self, id: str, *, tasks: bool = True) -> Raw:
        """A run, whoever asks."""
        if id not in self.runs:
            raise NotFound(f"The Conductor server refused it: No such workflow found by id: {id}")
        return copy.deepcopy(self.runs[id])

    async def search(self, query: str, start: int, size: int) -> tuple[list[Raw], int]:
        """Runs of the names that are asked for, the latest first."""
        asked = re.search(r"workflowType IN \(([^)]*)\)", query)
        names = asked[1].split(",") if asked else None
        found = [one for one in reversed(self.runs.values()) if names is None or one["workflowName"] in names]
        return copy.deepcopy(found[start : start + size]), len(found)

    async def act(self, id: str, what: Act, reason: str = "") -> None:
        """Do something to a run, whoever asks."""
        self.runs[id]["status"] = _STATUS[what]

    async def close(self) -> None:
        """Nothing is under way."""


def sharing(desk: Desk) -> Desk:
    """The same desk, whose application names such a server."""
    desk.offhook.workflows.remote._server = Shared()
    return desk
