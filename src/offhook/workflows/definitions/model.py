"""A workflow definition as Conductor writes it, schema version 2, in the parts that something depends on.

A definition is kept as the JSON that was sent, so that fields which nothing here reads come back unchanged; these types
are how it is read. Names on the wire are Conductor's, in camel case.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

SWITCH, FORK, DYNAMIC_FORK, JOIN = "SWITCH", "FORK_JOIN", "FORK_JOIN_DYNAMIC", "JOIN"
LOOP, SUB, START = "DO_WHILE", "SUB_WORKFLOW", "START_WORKFLOW"
HTTP, INLINE, JQ = "HTTP", "INLINE", "JSON_JQ_TRANSFORM"
SET, TERMINATE, NOOP, WAIT, HUMAN = "SET_VARIABLE", "TERMINATE", "NOOP", "WAIT", "HUMAN"
TYPES = (
    HTTP, SWITCH, FORK, JOIN, DYNAMIC_FORK, LOOP, SET, JQ, INLINE, WAIT, HUMAN, SUB, START, TERMINATE, NOOP,
)  # fmt: skip
"""The types of tasks that are run; all others are refused by name."""

RetryLogic = Literal["FIXED", "LINEAR_BACKOFF", "EXPONENTIAL_BACKOFF"]
TaskTimeoutPolicy = Literal["RETRY", "TIME_OUT_WF", "ALERT_ONLY"]
WorkflowTimeoutPolicy = Literal["TIME_OUT_WF", "ALERT_ONLY"]


class Policy(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How attempts of a task are repeated and bounded: Conductor's task definition, registered or inside a task.

    Delays and time limits are in seconds, jitter in milliseconds; 0 is no limit. `total_timeout_seconds` bounds all
    attempts together.
    """

    name: str = ""
    retry_count: int = 3
    retry_logic: RetryLogic = "FIXED"
    retry_delay_seconds: int = 60
    backoff_scale_factor: int = 1
    max_retry_delay_seconds: int = 0
    backoff_jitter_ms: int = 0
    timeout_seconds: int = 0
    timeout_policy: TaskTimeoutPolicy = "TIME_OUT_WF"
    response_timeout_seconds: int = 3600
    total_timeout_seconds: int = 0
    concurrent_exec_limit: int | None = None
    rate_limit_per_frequency: int | None = None
    rate_limit_frequency_in_seconds: int | None = None
    input_template: dict[str, Any] = {}


UNREGISTERED = Policy(retry_count=0, response_timeout_seconds=0)
"""What holds for a task of the system that nobody registered a policy for: it is not repeated."""


class SubWorkflow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which definition a task starts: by name and version (None is the latest), or written out."""

    name: str = ""
    version: int | str | None = None
    workflow_definition: dict[str, Any] | str | None = None
    task_to_domain: dict[str, Any] | None = None


class Task(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One task of a definition, with the tasks that are nested in it."""

    name: str
    task_reference_name: str
    type: str = "SIMPLE"
    description: str | None = None
    input_parameters: dict[str, Any] = {}
    optional: bool = False
    permissive: bool = False
    async_complete: bool = False
    start_delay: int = 0
    retry_count: int | None = None
    task_definition: Policy | None = None
    evaluator_type: str | None = None
    expression: str | None = None
    case_value_param: str | None = None
    decision_cases: dict[str, list["Task"]] = {}
    default_case: list["Task"] = []
    fork_tasks: list[list["Task"]] = []
    join_on: list[str] = []
    join_status: str | None = None
    join_mode: str | None = None
    dynamic_fork_tasks_param: str | None = None
    dynamic_fork_tasks_input_param_name: str | None = None
    dynamic_fork_join_tasks_param: str | None = None
    loop_condition: str | None = None
    loop_over: list["Task"] = []
    items: str | list[Any] | None = None
    sub_workflow_param: SubWorkflow | None = None
    metadata: dict[str, Any] = {}

    @property
    def ref(self) -> str:
        """What its output is called by in expressions."""
        return self.task_reference_name

    def nested(self) -> Iterator[tuple[str, list["Task"]]]:
        """The sequences of tasks within, each with its place ("forkTasks[1]", "decisionCases.BIG", "loopOver")."""
        for case, tasks in self.decision_cases.items():
            yield f"decisionCases.{case}", tasks
        if self.default_case:
            yield "defaultCase", self.default_case
        for number, tasks in enumerate(self.fork_tasks):
            yield f"forkTasks[{number}]", tasks
        if self.loop_over:
            yield "loopOver", self.loop_over


class Definition(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A workflow definition. Tasks are done in order; what each leads to stands in it."""

    name: str
    tasks: list[Task]
    version: int = 1
    schema_version: int = 2
    description: str | None = None
    owner_email: str | None = None
    input_parameters: list[str] = []
    output_parameters: dict[str, Any] = {}
    input_template: dict[str, Any] = {}
    variables: dict[str, Any] = {}
    failure_workflow: str | None = None
    failure_workflow_version: int | None = None
    restartable: bool = True
    timeout_seconds: int = 0
    timeout_policy: WorkflowTimeoutPolicy = "ALERT_ONLY"
    metadata: dict[str, Any] = {}


def every(tasks: list[Task], place: str = "tasks") -> Iterator[tuple[str, Task]]:
    """All tasks of a definition in the order of reading, nested ones too, each with its place ("tasks[0].loopOver[1]").

    Goes as deep as tasks are nested, which reading bounds.
    """
    for number, task in enumerate(tasks):
        here = f"{place}[{number}]"
        yield here, task
        for inner, nested in task.nested():
            yield from every(nested, f"{here}.{inner}")


def converted(raw: Mapping[str, Any]) -> Definition:
    """A definition from its checked JSON; nulls are absent. msgspec.ValidationError for one that was not checked."""
    return msgspec.convert(without_nulls(raw), Definition, strict=False)


_OPAQUE = frozenset({"inputParameters", "outputParameters", "inputTemplate", "variables", "metadata"})
"""Fields whose values belong to who wrote them: nulls in there are meant."""


def without_nulls(raw: Any) -> Any:
    """The same without members that are null, but inside what is opaque."""
    if isinstance(raw, dict):
        return {
            key: value if key in _OPAQUE else without_nulls(value) for key, value in raw.items() if value is not None
        }
    if isinstance(raw, list):
        return [without_nulls(one) for one in raw]
    return raw
