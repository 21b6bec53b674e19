"""A run as it stands: what it was started with, and the latest attempt of every task that it came to.

Nothing else decides what it does next, so a run goes on from its rows alone, in whatever process has it. Older attempts
are history. Moments are milliseconds since 1970 UTC, 0 where there is none.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from offhook.workflows.definitions.model import HTTP, INLINE, JOIN, JQ, LOOP, START, SUB, Policy, Task

RunStatus = Literal["RUNNING", "PAUSED", "COMPLETED", "FAILED", "TIMED_OUT", "TERMINATED"]
Status = Literal[
    "SCHEDULED",
    "IN_PROGRESS",
    "COMPLETED",
    "COMPLETED_WITH_ERRORS",
    "FAILED",
    "FAILED_WITH_TERMINAL_ERROR",
    "TIMED_OUT",
    "CANCELED",
    "SKIPPED",
]
OPEN = frozenset({"SCHEDULED", "IN_PROGRESS"})
GOOD = frozenset({"COMPLETED", "COMPLETED_WITH_ERRORS", "SKIPPED"})
RETRIABLE = frozenset({"FAILED", "TIMED_OUT"})
FAILED = RETRIABLE | {"FAILED_WITH_TERMINAL_ERROR"}
ENDED = frozenset({"COMPLETED", "FAILED", "TIMED_OUT", "TERMINATED"})
"""The states of a run that is over."""

PERFORMED = frozenset({HTTP, INLINE, JQ})
"""Types whose work is done outside of a turn."""

STARTING = frozenset({START, SUB})
"""Types that start runs."""

STRUCTURE = frozenset({JOIN, LOOP})
"""Types that are open for as long as others are, and never by themselves."""

MOST_VARIABLES = 256_000
MOST_INPUT = 3_000_000
MOST_OUTPUT = 3_000_000
"""Bytes of JSON: of a run's variables, of what a task takes and gives, as a stock Conductor has them."""

MOST_ATTEMPTS = 50_000
"""Attempts of all tasks of a run."""

MOST_DEPTH = 50
"""Runs that led to one, each started by the one before."""

MOST_NAME = 256
"""Characters of what a run is found by, and MOST_REASON of why it ended: both are kept beside it."""

MOST_REASON = 1_000

MOST_ITERATIONS = 10_000
"""Of one loop: one that does not end by then is taken for one that never would."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One attempt of a task.

    `number` counts the attempts of a run in the order in which they were made. `key` is the reference name with the
    iteration of each loop around it ("a__2"). `retry` counts the attempts of this key from 0. `due` is the moment
    before which nothing is done, or at which a wait is over; of a failed one, until which its target asked to be left
    alone. `first` is when the first attempt of the key was made, `policy` how it is repeated. `child` is the run that
    it started. `chain` is the first of the attempts that followed each other by policy, 0 for that one itself: what is
    called is told one key for all of them, so that it does the thing once. `called`: its work is done, and it waits for
    somebody to say how that ended. `output` may be anything that is JSON, a map unless an answer gave something else.
    """

    id: int
    number: int
    key: str
    ref: str
    name: str
    type: str
    status: Status
    retry: int = 0
    iteration: int = 0
    scheduled: int = 0
    started: int = 0
    ended: int = 0
    due: int = 0
    first: int = 0
    input: Any = None
    output: Any = None
    reason: str = ""
    policy: Policy | None = None
    child: int = 0
    retry_of: int = 0
    chain: int = 0
    alerted: bool = False
    called: bool = False

    @property
    def open(self) -> bool:
        """Whether something is still to come of it."""
        return self.status in OPEN


class Run(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run, without its tasks. `definition` is the digest of the text that it goes by, whatever became of it since.

    `parent` and `parent_task` are the run and the attempt that started it, if one did and waits for it. `root` is the
    first of the runs that led to it, each started by the one before; 0 if none did. `attempts` is
    how many attempts there have been. `failing` names the attempt that a permissive task failed with: the run fails by
    it at its end.
    """

    id: int
    tenant_id: int
    name: str
    version: int
    definition: str
    status: RunStatus = "RUNNING"
    input: Any = None
    output: Any = None
    variables: dict[str, Any] = {}
    reason: str = ""
    failed_task: int = 0
    correlation: str = ""
    idempotency: str = ""
    by: str = ""
    parent: int = 0
    parent_task: int = 0
    depth: int = 0
    root: int = 0
    started: int = 0
    ended: int = 0
    changed: int = 0
    attempts: int = 0
    failing: int = 0
    failure_run: int = 0
    alerted: bool = False
    restarts: int = 0
    skipped: dict[str, Any] = {}

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.status in ENDED


class State:
    """A run and the latest attempt of each key, in the order in which the keys were first come to.

    It is changed in place by whoever holds it: copying it for each turn would make a long run cost the square of its
    length. A turn that could not be kept is undone by reading the state anew.
    """

    __slots__ = ("again", "dirty", "forked", "given", "gone", "latest", "open", "rejoined", "run", "tasks", "unwanted")

    def __init__(self, run: Run, tasks: Iterable[Attempt] = ()) -> None:
        self.run = run
        self.tasks: dict[str, Attempt] = {}
        self.latest: dict[str, str] = {}
        """The key that a reference name means outside of loops: the one come to last."""
        self.open: set[str] = set()
        self.forked: dict[int, list[Task]] = {}
        """The tasks that a dynamic fork was given, by its attempt."""
        self.again: dict[str, int] = {}
        """Attempts in whose place another one is to be made, by key."""
        self.gone: list[Attempt] = []
        """Attempts that became history since the last turn."""
        self.unwanted: list[int] = []
        """Runs that tasks had started, and that are to be ended with the next turn."""
        self.rejoined = False
        """Whether it waits again for a run that had ended before, and that may have ended again."""
        self.given: dict[str, dict[str, Any]] = {}
        """Inputs that tasks are to take instead of their definition's, by key."""
        self.dirty: dict[int, Attempt] = {}
        """Attempts that are new or changed since the last turn, by number."""
        for task in tasks:
            self.put(task)
        self.dirty.clear()

    def put(self, task: Attempt) -> None:
        """This is where its key stands now."""
        self.tasks[task.key] = task
        self.dirty[task.number] = task
        self.latest[task.ref] = task.key
        if task.open:
            self.open.add(task.key)
        else:
            self.open.discard(task.key)

    def drop(self, key: str) -> None:
        """It has not been come to."""
        task = self.tasks.pop(key)
        self.gone.append(task)
        self.open.discard(key)
        if self.latest.get(task.ref) == key:
            del self.latest[task.ref]
            others = [one for one in self.tasks.values() if one.ref == task.ref]
            if others:
                self.latest[task.ref] = max(others, key=lambda one: one.number).key

    def taken(self) -> tuple[tuple[Attempt, ...], tuple[int, ...]]:
        """What changed since this was asked last: attempts, and the numbers of those that became history."""
        changed, gone = tuple(self.dirty.values()), tuple(one.number for one in self.gone)
        self.dirty, self.gone = {}, []
        return changed, gone

    def attempt(self, id: int) -> Attempt | None:
        """The latest attempt with this id; None if it is history, or none of this run."""
        return next((one for one in self.tasks.values() if one.id == id), None)


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """Something that has to be known before the run goes on; the answer is handed in by its `key`.

    A script is evaluated over `bindings`. For "workflow" the definition is looked up that `bindings` names as `name`
    and `version`, or holds as `workflow`; the answer is `Found`.
    """

    key: str
    language: Literal["javascript", "jsonata", "workflow"]
    script: str
    bindings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a script said, or why it said nothing."""

    value: Any = None
    error: str = ""


class Found(msgspec.Struct, frozen=True):
    """A definition that a task starts: its name, version, and the digest of its text."""

    name: str
    version: int
    digest: str


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """Another run that is started together with this turn.

    `id` is given beforehand. `digest` is of the definition that it goes by; "" where it was not looked up yet, as for a
    failure workflow, then `version` None is the latest. `parent_task` 0 is a run that nobody waits for. `depth` is that
    of the run that starts it, and one.
    """

    id: int
    name: str
    version: int | None = None
    digest: str = ""
    input: Any = None
    correlation: str = ""
    parent_task: int = 0
    depth: int = 0
    failure_of: int = 0


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What a turn came to: the state after it, the attempts that are new or changed, and what is to be done now.

    `perform` are attempts to be carried out, `ask` scripts to be evaluated, `start` runs to be started, `cancel`
    attempts that are no longer wanted, `dropped` the numbers of attempts that became history, `abandon` runs of theirs
    to be ended. `due` is the next moment at which the run has to be looked at, 0 if none.
    """

    state: State
    changed: tuple[Attempt, ...] = ()
    perform: tuple[Attempt, ...] = ()
    ask: tuple[Ask, ...] = ()
    start: tuple[Start, ...] = ()
    cancel: tuple[int, ...] = ()
    dropped: tuple[int, ...] = ()
    abandon: tuple[int, ...] = ()
    alerts: tuple[str, ...] = ()
    due: int = 0


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt ended. `after` are milliseconds that its target asked to be left alone for before another one."""

    status: Status
    output: Any = None
    reason: str = ""
    after: int = 0
    started: int = 0
