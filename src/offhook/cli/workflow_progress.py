"""A workflow run as it goes on: a line a task as it changes, on standard error, until the run is over.

From a server come its events; without one the run is looked at again and again in this process. A connection that is
lost is made again, as the run goes on without it.
"""

import asyncio
import shlex
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from rich.text import Text

from offhook.cli.apis import brief, line_of
from offhook.cli.common import err, say
from offhook.cli.lines import V1
from offhook.client import Client, NoAnswer, Refused
from offhook.kit.errors import Refusal

RUNS = f"{V1}/workflows/runs"
LOOK_SECONDS = 0.2
THERE_SECONDS = 1.0
"""How often a run on a Conductor server is looked at."""

PATIENCE = 30
"""How often in a row a connection is tried anew, a second apart, before it is given up."""

STYLES = {
    "SCHEDULED": "dim",
    "IN_PROGRESS": "cyan",
    "RUNNING": "cyan",
    "PAUSED": "yellow",
    "COMPLETED": "green",
    "COMPLETED_WITH_ERRORS": "yellow",
    "FAILED": "red",
    "FAILED_WITH_TERMINAL_ERROR": "red",
    "TIMED_OUT": "red",
    "TERMINATED": "red",
    "CANCELED": "dim",
    "SKIPPED": "dim",
}
_SAID = {
    "FAILED_WITH_TERMINAL_ERROR": ("FAILED", "not tried again"),
    "COMPLETED_WITH_ERRORS": ("COMPLETED", "although it failed"),
}
"""How long words are said on a line: what stands in its column, and behind it."""

_OPEN = ("SCHEDULED", "IN_PROGRESS")
_STATUS, _KEY, _TYPE = 12, 20, 18
_LONGEST = 160
"""Characters of a cause on a line; all of it is in the run's attempts."""


class Progress:
    """What was said of one run. `options` lead to the same place again, for the commands that are proposed."""

    def __init__(self, options: str) -> None:
        self._options = options
        self._said: dict[str, tuple[Any, ...]] = {}
        self._paused = False

    def missed(self, run: Any) -> list[str]:
        """Attempts that a run's tasks came after and of which nothing was said, by their ids."""
        return [one["repeats"] for one in run.get("tasks", ()) if one.get("repeats") and self.unsaid(one["repeats"])]

    def unsaid(self, id: str) -> bool:
        """Whether it was not said how an attempt ended."""
        said = self._said.get(id)
        return said is None or said[0] in _OPEN

    def show(self, run: Any, history: list[Any]) -> None:
        """Say what is new. `history` are attempts that the run's tasks came after."""
        new = [one for one in (*history, *run.get("tasks", ())) if self._said.get(one["id"]) != _shown(one)]
        for one in sorted(new, key=lambda one: (_latest(one), one["number"])):
            self._said[one["id"]] = _shown(one)
            err.print(self._line(run, one), soft_wrap=True)
        if (run["status"] == "PAUSED") != self._paused:
            self._paused = not self._paused
            say("The run is paused." if self._paused else "The run goes on.", STYLES["PAUSED"], to=err)

    def _line(self, run: Any, one: Any) -> Text:
        status, _ = _SAID.get(one["status"], (one["status"], ""))
        style = STYLES.get(one["status"], "")
        passed = _seconds(run["started_at"], _latest(one))
        line = Text.assemble(
            (f"{passed:>9.2f} s  ", "dim"),
            (f"{status:<{_STATUS}} ", style),
            (f"{line_of(one['key']):<{_KEY}} ", "bold"),
            (f"{one['type']:<{_TYPE}} ", "dim"),
            self._detail(run, one),
        )
        line.rstrip()
        return line

    def _detail(self, run: Any, one: Any) -> str:
        parts = [f"attempt {one['attempt'] + 1}"] if one.get("attempt") else []
        if one.get("waits_for_you"):
            key = shlex.quote(line_of(one["key"]))
            parts.append(f"waits for you: offhook workflow complete {run['id']} {key}{self._options}")
        elif one["status"] in _OPEN:
            if one.get("due_at"):
                parts.append(f"{'begins' if one['status'] == 'SCHEDULED' else 'over'} at {_clock(run, one['due_at'])}")
        elif one.get("started_at") and one.get("ended_at"):
            parts.append(f"{_seconds(one['started_at'], one['ended_at']):.3f} s")
        if one.get("run_id"):
            parts.append(f"run {one['run_id']}")
        if one["status"] in _SAID:
            parts.append(_SAID[one["status"]][1])
        if one.get("reason"):
            parts.append(brief(one["reason"], _LONGEST))
        return "  ".join(parts)


def _shown(one: Any) -> tuple[Any, ...]:
    return one["status"], one.get("waits_for_you", False), one.get("due_at"), one.get("run_id")


def _latest(one: Any) -> str:
    found: str = one.get("ended_at") or one.get("started_at") or one.get("scheduled_at") or ""
    return found


def _seconds(begin: str, end: str) -> float:
    if not end:
        return 0.0
    return max(0.0, (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds())


def _clock(run: Any, moment: str) -> str:
    """A moment, with its date unless that is the day on which the run was started."""
    same = moment[:10] == run["started_at"][:10]
    return f"{datetime.fromisoformat(moment):{'%H:%M:%S' if same else '%Y-%m-%d %H:%M:%S'}} UTC"


async def followed(client: Client, id: str, progress: Progress) -> Any:
    """The run as it ended; until then what becomes of its tasks is said."""
    run: Any = None
    async for run in _states(client, id):
        history: list[Any] = []
        waiting = progress.missed(run)
        while waiting and len(history) < 100:
            one = (await client.call("GET", f"{RUNS}/{id}/tasks/{waiting.pop()}")).document
            history.append(one)
            if one.get("repeats") and progress.unsaid(one["repeats"]):
                waiting.append(one["repeats"])
        progress.show(run, history)
    return run


async def _states(client: Client, id: str) -> AsyncIterator[Any]:
    """The run whenever it has changed, at last as it ended."""
    if not client.follows:
        turn = -1
        while True:
            run = (await client.patiently(lambda: client.call("GET", f"{RUNS}/{id}"))).document
            if run.get("turn", 0) != turn:
                turn = run.get("turn", 0)
                yield run
            if run.get("ended_at"):
                return
            await asyncio.sleep(LOOK_SECONDS if run["engine"] == "embedded" else THERE_SECONDS)
    lost = 0
    while True:
        try:
            async for name, data in client.events(f"{RUNS}/{id}/live"):
                if name == "run":
                    lost = 0
                    yield data
                elif name == "end":
                    return
                elif name == "gone":
                    raise Refusal("The run was deleted.")
                elif name == "refused":
                    raise Refusal(data["message"])
        except NoAnswer as gone:
            if not lost:
                say(f"{gone.message} The run goes on in the server; trying again.", "yellow", to=err)
            lost += 1
            if lost > PATIENCE:
                raise
        except Refused as refusal:
            lost += 1
            if refusal.code not in (429, 503) or lost > PATIENCE:
                raise
        await asyncio.sleep(1.0)
