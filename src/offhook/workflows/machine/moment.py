"""A run at one moment: what a turn reads, what it has changed so far, and what it wants done afterwards.

The steps of a walk are functions of it, each kind in a file of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from offhook.kit.wire import encode
from offhook.workflows.definitions.model import SUB, Definition, Policy, Task
from offhook.workflows.expressions.templates import ExpressionError, jsonata, references, resolve
from offhook.workflows.machine.data import Data
from offhook.workflows.machine.model import MOST_INPUT, Answer, Ask, Attempt, Start, State, Status
from offhook.workflows.machine.retries import policy_of


@dataclass(frozen=True, slots=True)
class Room:
    """How many runs a turn may start, and why no more: a sentence each. What is `for_good` is not tried again."""

    runs: int
    why: str
    for_good: bool


@dataclass(frozen=True, slots=True)
class Tools:
    """What a turn takes from outside: new ids, settings that workflows may read, and what was said to earlier asks.

    Without `room` as many runs are started as tasks ask for.
    """

    ids: Callable[[], int]
    policies: Mapping[str, Policy] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)
    room: Room | None = None


class Ended(Exception):
    """The run is over; the walk is left."""


class Pending(Exception):
    """A value waits for a script that is being asked."""


class Moment:
    """`now` is in milliseconds since 1970 UTC. `due` is when the run goes on by itself at the earliest, 0 if never."""

    def __init__(self, definition: Definition, state: State, now: int, tools: Tools) -> None:
        self.definition, self.state, self.now, self.tools = definition, state, now, tools
        self.asks: dict[str, Ask] = {}
        self.starts: list[Start] = []
        self.cancelled: list[int] = []
        self.abandoned: list[int] = []
        self.alerts: list[str] = []
        self.finished: set[str] = set()
        self.due = 0

    # What is known

    def policy(self, task: Task) -> Policy:
        """What is said of attempts of the task."""
        return policy_of(task, self.tools.policies)

    def data(self, iterations: tuple[int, ...]) -> Data:
        """What expressions may read in these rounds of loops."""
        return Data(self.state, iterations, self.tools.env)

    def value(self, value: Any, iterations: tuple[int, ...], place: str, owner: str) -> Any:
        """`value` with its expressions replaced; Pending while JSONata of it is being asked for `owner`."""
        data = self.data(iterations)
        answers: dict[str, Any] = {}
        waiting = False
        for source in jsonata(value):
            key = f"{owner} {source}"
            answer = self.tools.answers.get(key)
            if answer is None:
                roots = {one.root for one in references("${jsonata:" + source + "}")}
                bindings = {root: data[root] for root in roots if root in data}
                self.asks[key] = Ask(key=key, language="jsonata", script=source, bindings=bindings)
                waiting = True
            elif answer.error:
                raise ExpressionError(place, answer.error)
            else:
                answers[source] = answer.value
        if waiting:
            raise Pending
        return resolve(value, data, most=MOST_INPUT, answers=answers, place=place)

    def asked(
        self,
        found: Attempt,
        number: int,
        script: str,
        bindings: dict[str, Any],
        language: Literal["javascript", "workflow"] = "javascript",
    ) -> Answer | None:
        """What was said, or None: then it is asked."""
        key = f"{found.id} {number}"
        answer = self.tools.answers.get(key)
        if answer is None:
            self.asks[key] = Ask(key=key, language=language, script=script, bindings=bindings)
        return answer

    # What becomes of an attempt

    def put(self, task: Attempt) -> Attempt:
        """Have it stand as it is given."""
        self.state.put(task)
        return task

    def progress(self, found: Attempt, **changes: Any) -> Attempt:
        """It is under way."""
        return self.put(msgspec.structs.replace(found, status="IN_PROGRESS", **changes))

    def complete(self, found: Attempt, output: Any, *, status: Status = "COMPLETED") -> Attempt:
        """It is over, and gave `output`."""
        return self.put(msgspec.structs.replace(found, status=status, output=output, ended=self.now))

    def fail(self, found: Attempt, reason: str, *, terminal: bool = False) -> Attempt:
        """It failed; once more only if it is not `terminal`."""
        status: Status = "FAILED_WITH_TERMINAL_ERROR" if terminal else "FAILED"
        started = found.started or self.now
        return self.put(msgspec.structs.replace(found, status=status, reason=reason, started=started, ended=self.now))

    def give_up(self, task: Attempt, reason: str, *, status: Status = "CANCELED") -> None:
        """Nobody wants this attempt any more, if it is open."""
        if not task.open:
            return
        self.cancelled.append(task.id)
        if task.child and task.type == SUB:
            self.abandoned.append(task.child)
        self.put(msgspec.structs.replace(task, status=status, ended=self.now, due=0, reason=reason))

    # What becomes of the run

    def change_run(self, **changes: Any) -> None:
        """Have these fields of it stand as given."""
        self.state.run = msgspec.structs.replace(self.state.run, **changes)

    def wake(self, moment: int) -> None:
        """Have it looked at then, if that is to come."""
        if moment > self.now:
            self.due = min(self.due or moment, moment)


def written(value: Any) -> str:
    """A value as the name of a case: as JSON, a text as it is."""
    if isinstance(value, str):
        return value
    return encode(value).decode()
