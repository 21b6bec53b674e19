"""Runs and their attempts over HTTP."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from offhook.catalog.keeping import iso
from offhook.workflows.machine.model import Attempt, Run, RunStatus, Status
from offhook.workflows.tasks.performing import key_of

Meta = msgspec.Meta
Raw = dict[str, Any]
Number = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Short = Annotated[str, Meta(max_length=256)]
Millis = Annotated[int, Meta(ge=0, le=2**53)]

EngineName = Literal["embedded", "conductor"]
Engine = Annotated[
    EngineName, Meta(description="embedded is this server, conductor the Conductor server that conductor_url names.")
]

_INPUT = Meta(description="What its expressions call workflow.input.", examples=[{"office": "Lisbon"}])
_MOMENT = Meta(description="A date-time with its zone.")


class StartIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A run to be started: of a registered definition, or of one that is sent with it."""

    workflow: Annotated[Short | None, Meta(description="The definition's name.", examples=["hello"])] = None
    version: Annotated[Number | None, Meta(description="Its version; else the latest one.")] = None
    definition: Annotated[
        Raw | None, Meta(description="A definition to run without registering it, instead of a name.")
    ] = None
    input: Annotated[Raw, _INPUT] = {}
    correlation_id: Annotated[
        Short, Meta(description="Your own name for what this is about; runs are found by it.")
    ] = ""
    engine: Engine = "embedded"


class Reason(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Why."""

    reason: Annotated[Short, Meta(description="Why; it is kept with the run.")] = ""


class RerunIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """From where a run is done again."""

    task_id: Annotated[str | None, Meta(description="The attempt to go on from; else the run's beginning.")] = None
    task_input: Annotated[Raw | None, Meta(description="What that task takes instead.")] = None
    input: Annotated[Raw | None, Meta(description="What the run takes instead.")] = None


class SkipIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A task that is not done."""

    output: Annotated[Raw, Meta(description="What counts as its output.")] = {}
    input: Annotated[Raw | None, Meta(description="What counts as its input.")] = None


class CompleteIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How a task ended that waits for somebody."""

    status: Annotated[
        Literal["COMPLETED", "FAILED", "FAILED_WITH_TERMINAL_ERROR"],
        Meta(description="FAILED is tried again as the task's policy says."),
    ] = "COMPLETED"
    output: Raw = {}
    reason: Annotated[str, Meta(max_length=2_000)] = ""


class SearchQuery(msgspec.Struct, kw_only=True):
    """Which runs."""

    engine: Engine = "embedded"
    status: Annotated[
        str | None,
        Meta(description="One or more states, separated by commas.", examples=["FAILED,TIMED_OUT"]),
    ] = None
    workflow: Annotated[Short | None, Meta(description="The definition's name.")] = None
    version: Annotated[Number | None, Meta(description="The definition's version.")] = None
    correlation_id: Annotated[Short | None, Meta(description="As it was started with.")] = None
    parent_id: Annotated[str | None, Meta(description="Those that this run started and waits for.")] = None
    since: Annotated[str | None, Meta(description="Started at or after this date-time.")] = None
    until: Annotated[str | None, Meta(description="Started before this date-time.")] = None
    limit: Annotated[int, Meta(ge=1, le=100, description="How many a page has.")] = 100
    cursor: Annotated[str | None, Meta(description="The cursor of the page before.")] = None


class AttemptsQuery(msgspec.Struct, kw_only=True):
    """Which attempts."""

    after: Annotated[int, Meta(ge=0, le=2**31, description="Those after this number.")] = 0
    limit: Annotated[int, Meta(ge=1, le=1_000, description="How many at most; large ones make a page shorter.")] = 50
    brief: Annotated[bool, Meta(description="Without what they took and gave.")] = False


class GraphQuery(msgspec.Struct, kw_only=True):
    """In which form."""

    form: Annotated[Literal["json", "mermaid"], Meta(description="Nodes and edges, or text for Mermaid.")] = "json"


class TaskOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An attempt of a task, without what it took and gave."""

    id: str
    number: Annotated[int, Meta(description="Counts the attempts of the run in the order in which they were made.")]
    reference_name: str
    key: Annotated[str, Meta(description="The reference name with the round of each loop around it.")]
    name: str
    type: str
    status: Status
    attempt: Annotated[int, Meta(description="Counts the repeats of the same task, from 0.")] = 0
    iteration: Annotated[int, Meta(description="The round of the loop around it; 0 outside of loops.")] = 0
    scheduled_at: Annotated[str | None, _MOMENT] = None
    started_at: Annotated[str | None, _MOMENT] = None
    ended_at: Annotated[str | None, _MOMENT] = None
    due_at: Annotated[str | None, Meta(description="Before this moment nothing is done; or a wait ends at it.")] = None
    reason: str = ""
    run_id: Annotated[str | None, Meta(description="The run that it started.")] = None
    repeats: Annotated[str | None, Meta(description="The attempt in whose place it was made.")] = None
    idempotency_key: Annotated[str | None, Meta(description="The same over all repeats by policy.")] = None
    waits_for_you: Annotated[bool, Meta(description="Whether somebody has to say how it ended.")] = False
    counts: Annotated[bool, Meta(description="Whether it is history: another one was made in its place.")] = True


class AttemptOut(TaskOut, kw_only=True, omit_defaults=True):
    """An attempt of a task with what it took and gave."""

    input: Any = None
    output: Any = None


class RunOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A run, as lists show it."""

    id: str
    engine: Engine
    workflow: str
    version: int
    status: RunStatus
    definition: Annotated[
        str, Meta(description="SHA-256 of the definition's text that it goes by; nothing for one elsewhere.")
    ]
    started_at: Annotated[str, _MOMENT]
    ended_at: Annotated[str | None, _MOMENT] = None
    seconds: Annotated[float | None, Meta(description="From its start to its end.")] = None
    reason: Annotated[str, Meta(description="Why it ended as it did.")] = ""
    failed_task: Annotated[str | None, Meta(description="The attempt that it failed with.")] = None
    correlation_id: str = ""
    started_by: str = ""
    parent_id: Annotated[str | None, Meta(description="The run that started it and waits for it.")] = None
    failure_run_id: Annotated[str | None, Meta(description="The run of its failure workflow.")] = None
    restarts: int = 0
    attempts: Annotated[int, Meta(description="How many attempts of tasks there have been.")] = 0


class WholeRunOut(RunOut, kw_only=True, omit_defaults=True):
    """A run with the tasks that it came to."""

    input: Any = None
    output: Any = None
    variables: Raw = {}
    turn: Annotated[int, Meta(description="Another number after every step that is on disk.")] = 0
    tasks: Annotated[list[TaskOut], Meta(description="The latest attempt of each, in order; at most 1,000.")] = []
    more: Annotated[int, Meta(description="How many tasks are left out.")] = 0


class StartedOut(msgspec.Struct, kw_only=True):
    """The run that was started, or that had been with the same key."""

    id: str
    engine: Engine
    workflow: str
    version: int
    status: RunStatus


class RunPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of runs, the latest first."""

    items: list[RunOut]
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class AttemptsOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Attempts in the order in which they were made, history too."""

    items: list[AttemptOut]
    after: Annotated[int | None, Meta(description="Ask with it for those that follow; absent at the end.")] = None


class NodeState(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a run made of one task of its definition."""

    status: Status
    attempts: int
    task_id: str
    rounds: int = 0
    seconds: float | None = None


class RunGraphOut(msgspec.Struct, kw_only=True):
    """The definition that a run goes by as a graph, and how far it came, by reference name."""

    graph: Any
    states: dict[str, NodeState]


MOST_TASKS = 1_000


def when(moment: int) -> str | None:
    """A moment as it is answered; None for none."""
    return iso(moment) if moment else None


def _id(id: int) -> str | None:
    return str(id) if id else None


def run_out(run: Run) -> RunOut:
    """A run as lists show it."""
    return RunOut(**_run(run))


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": str(run.id),
        "engine": "embedded",
        "workflow": run.name,
        "version": run.version,
        "status": run.status,
        "definition": run.definition,
        "started_at": iso(run.started),
        "ended_at": when(run.ended),
        "seconds": round((run.ended - run.started) / 1000, 3) if run.ended else None,
        "reason": run.reason,
        "failed_task": _id(run.failed_task),
        "correlation_id": run.correlation,
        "started_by": run.by,
        "parent_id": _id(run.parent),
        "failure_run_id": _id(run.failure_run),
        "restarts": run.restarts,
        "attempts": run.attempts,
    }


def whole_run_out(run: Run, tasks: Iterable[Attempt], turn: int) -> WholeRunOut:
    """A run with its tasks. Where there are many, what is open and what failed comes before what is done."""
    found = sorted(tasks, key=lambda one: one.number)
    shown = found
    if len(found) > MOST_TASKS:
        chosen = sorted(found, key=lambda one: (one.status in ("COMPLETED", "SKIPPED"), -one.number))[:MOST_TASKS]
        shown = sorted(chosen, key=lambda one: one.number)
    return WholeRunOut(
        **_run(run),
        input=run.input,
        output=run.output,
        variables=run.variables,
        turn=turn,
        tasks=[task_out(one) for one in shown],
        more=len(found) - len(shown),
    )


def task_out(one: Attempt) -> TaskOut:
    """The latest attempt of a task, without what it took and gave."""
    return TaskOut(**_task(one, counts=True))


def states_of(tasks: Iterable[TaskOut]) -> dict[str, NodeState]:
    """How far each task of a definition came, by its reference name: the latest round of loops."""
    found: dict[str, NodeState] = {}
    for one in sorted(tasks, key=lambda one: one.number):
        known = found.get(one.reference_name)
        took = None
        if one.started_at and one.ended_at:
            took = datetime.fromisoformat(one.ended_at) - datetime.fromisoformat(one.started_at)
        found[one.reference_name] = NodeState(
            status=one.status,
            attempts=one.attempt + 1 + (known.attempts if known is not None else 0),
            task_id=one.id,
            rounds=one.iteration,
            seconds=None if took is None else round(took.total_seconds(), 3),
        )
    return found


def _task(one: Attempt, *, counts: bool) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "number": one.number,
        "reference_name": one.ref,
        "key": one.key,
        "name": one.name,
        "type": one.type,
        "status": one.status,
        "attempt": one.retry,
        "iteration": one.iteration,
        "scheduled_at": when(one.scheduled),
        "started_at": when(one.started),
        "ended_at": when(one.ended),
        "due_at": when(one.due) if one.open else None,
        "reason": one.reason,
        "run_id": _id(one.child),
        "repeats": _id(one.retry_of),
        "idempotency_key": key_of(one) if one.type == "HTTP" else None,
        "waits_for_you": waits(one),
        "counts": counts,
    }


def waits(one: Attempt) -> bool:
    """Whether somebody has to say how it ended."""
    return one.open and (one.called or one.type == "HUMAN" or (one.type == "WAIT" and not one.due))


def attempt_out(one: Attempt, counts: bool, *, brief: bool = False) -> AttemptOut:
    """An attempt with what it took and gave; without, if it shall be `brief`."""
    if brief:
        return AttemptOut(**_task(one, counts=counts))
    return AttemptOut(**_task(one, counts=counts), input=one.input, output=one.output)
