"""What Conductor's clients send and read, in its names. Moments are milliseconds since 1970 UTC, 0 where there is none.

Ids are opaque to those clients: a workflow's is that of our run, a task's is both its run's and its own ("12-34"),
since such clients ask for a task by nothing else.
"""

from typing import Annotated, Any

import msgspec

Meta = msgspec.Meta
Raw = dict[str, Any]
Number = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class Wire(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """The names are Conductor's, in camel case."""


# Queries


class OverwriteQuery(Wire):
    """Whether what is there may be replaced."""

    overwrite: Annotated[bool, Meta(description="Whether it may take the place of the same version.")] = False
    new_version: Annotated[bool, Meta(description="Register it as the version after the latest.")] = False


class ReplaceQuery(Wire):
    """Whether what is there may be replaced."""

    overwrite: Annotated[bool, Meta(description="Whether it may take the place of the same version.")] = True
    new_version: Annotated[bool, Meta(description="Register it as the version after the latest.")] = False


class VersionQuery(Wire):
    """Which version."""

    version: Annotated[Number | None, Meta(description="Its number; the latest if none is named.")] = None


class StartQuery(VersionQuery):
    """Of what, and about what."""

    correlation_id: Annotated[str, Meta(max_length=256)] = ""
    priority: Annotated[Number | None, Meta(description="Not used here.")] = None


class ExecuteQuery(VersionQuery):
    """For how long it is waited."""

    request_id: Annotated[str, Meta(description="Comes back as it was sent.")] = ""
    wait_until_task_ref: Annotated[
        str, Meta(description="Answer once one of these tasks is over, or waits for somebody; separated by commas.")
    ] = ""
    wait_for_seconds: Annotated[int, Meta(ge=0, le=60, description="For how long at most.")] = 10
    consistency: Annotated[str, Meta(description="Not used here: every step is on disk.")] = ""
    return_strategy: Annotated[str, Meta(description="TARGET_WORKFLOW, the only one there is here.")] = ""


class GetQuery(Wire):
    """How much of it."""

    include_tasks: Annotated[bool, Meta(description="Whether with its tasks.")] = True
    summarize: Annotated[bool, Meta(description="Whether without input and output of tasks.")] = False


class StatusQuery(Wire):
    """How much of it."""

    include_output: bool = False
    include_variables: bool = False


class TerminateQuery(Wire):
    """Why."""

    reason: Annotated[str, Meta(max_length=256)] = ""
    trigger_failure_workflow: Annotated[bool, Meta(description="Not used here: it is always started.")] = False


class RemoveQuery(Wire):
    """How it is taken away."""

    archive_workflow: Annotated[bool, Meta(description="Not used here: it is taken away.")] = True


class RestartQuery(Wire):
    """By which definition."""

    use_latest_definitions: Annotated[bool, Meta(description="Not built; it must be false.")] = False


class RetryQuery(Wire):
    """What becomes of workflows within."""

    resume_subworkflow_tasks: Annotated[bool, Meta(description="Not used here: they are started anew.")] = False
    retry_if_retried_by_parent: bool = False


class SkipQuery(Wire):
    """What counts as input and output, as the Python SDK sends it: a map written as text."""

    skip_task_request: str = ""


class SearchQuery(Wire):
    """Which runs."""

    start: Annotated[int, Meta(ge=0, le=10_000, description="How many are passed over.")] = 0
    size: Annotated[int, Meta(ge=1, le=1_000, description="How many at most.")] = 100
    sort: Annotated[str, Meta(description="startTime:ASC or startTime:DESC.")] = ""
    free_text: Annotated[str, Meta(max_length=256, description="Text in the run or its input; * is any.")] = "*"
    query: Annotated[
        str,
        Meta(
            description="Conditions joined by AND.",
            examples=["workflowType=hello AND status IN (FAILED,TIMED_OUT) AND startTime>1735689600000"],
        ),
    ] = ""
    query_id: str = ""
    skip_cache: bool = False


class RunningQuery(VersionQuery):
    """Started when."""

    start_time: Annotated[int, Meta(ge=0, le=2**53)] = 0
    end_time: Annotated[int, Meta(ge=0, le=2**53)] = 0


class CorrelatedQuery(Wire):
    """Which of them, and how much of each."""

    include_closed: bool = False
    include_tasks: bool = False


class TasksQuery(Wire):
    """Which page, and which tasks."""

    start: Annotated[int, Meta(ge=0, le=100_000)] = 0
    count: Annotated[int, Meta(ge=1, le=1_000)] = 100
    status: str = ""


class ByQuery(Wire):
    """Who says so."""

    workerid: Annotated[str, Meta(description="Not used here: the key says it.")] = ""


class SignalQuery(Wire):
    """What is answered."""

    return_strategy: Annotated[str, Meta(description="TARGET_WORKFLOW, the only one there is here.")] = ""


class PollQuery(Wire):
    """What pollers send."""

    workerid: str = ""
    domain: str = ""
    count: int = 0
    timeout: int = 0


# Bodies


class StartWorkflowRequest(Wire):
    """A run to be started."""

    name: Annotated[str, Meta(max_length=256)] = ""
    version: Annotated[Number | None, Meta(description="The latest if none is named.")] = None
    correlation_id: Annotated[str, Meta(max_length=256)] = ""
    input: Raw = {}
    workflow_def: Annotated[Raw | None, Meta(description="A definition to run without registering it.")] = None
    idempotency_key: Annotated[str, Meta(max_length=256, description="Only one run is started with it.")] = ""
    idempotency_strategy: Annotated[
        str, Meta(description="FAIL refuses a second start with the key, RETURN_EXISTING gives the first one's id.")
    ] = "FAIL"
    task_to_domain: Annotated[Raw, Meta(description="Not used here: there are no workers.")] = {}
    external_input_payload_storage_path: str = ""
    priority: Annotated[Number | None, Meta(description="Not used here.")] = None
    created_by: Annotated[str, Meta(description="Not used here: it is the key's name.")] = ""


class RerunWorkflowRequest(Wire):
    """From where a run is done again."""

    re_run_from_workflow_id: str = ""
    re_run_from_task_id: Annotated[str, Meta(description="One of its tasks; else from the beginning.")] = ""
    workflow_input: Raw | None = None
    task_input: Raw | None = None
    correlation_id: str = ""


class SkipTaskRequest(Wire):
    """What counts as a task's input and output."""

    task_input: Raw | None = None
    task_output: Raw | None = None


class TaskResult(Wire):
    """How a task stands that waits for somebody."""

    workflow_instance_id: str
    task_id: str
    status: Annotated[str, Meta(description="COMPLETED, FAILED, FAILED_WITH_TERMINAL_ERROR or IN_PROGRESS.")] = (
        "COMPLETED"
    )
    output_data: Raw = {}
    reason_for_incompletion: Annotated[str, Meta(max_length=2_000)] = ""
    callback_after_seconds: Annotated[int, Meta(description="Not used here: nobody asks for tasks.")] = 0
    worker_id: str = ""
    logs: Annotated[list[Any], Meta(description="Not kept.")] = []
    external_output_payload_storage_path: str = ""
    sub_workflow_id: str = ""
    extend_lease: bool = False


class CorrelationIds(Wire):
    """Which runs."""

    correlation_ids: list[str] = []
    workflow_names: list[str] = []


class TokenRequest(Wire):
    """A key."""

    key_id: Annotated[str, Meta(max_length=1_000, description="Any name; only the secret counts.")] = ""
    key_secret: Annotated[str, Meta(max_length=1_000, description="An API key.")] = ""


# Answers


class Token(Wire):
    """What goes into X-Authorization."""

    token: str


class ConductorTask(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """An attempt of a task."""

    task_id: str
    task_type: str
    task_def_name: str
    reference_task_name: str
    status: str
    retry_count: int
    seq: int
    iteration: int
    scheduled_time: int
    start_time: int
    end_time: int
    update_time: int
    workflow_instance_id: str
    workflow_type: str
    retried: bool
    executed: bool
    callback_after_seconds: int
    poll_count: int
    workflow_priority: int
    first_start_time: int
    queue_wait_time: int
    loop_over_task: bool
    response_timeout_seconds: int
    start_delay_in_seconds: int
    input_data: Raw | None = None
    output_data: Raw | None = None
    correlation_id: str | None = None
    retried_task_id: str | None = None
    reason_for_incompletion: str | None = None
    sub_workflow_id: str | None = None
    workflow_task: Raw | None = None


class ConductorWorkflow(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """A run."""

    workflow_id: str
    workflow_name: str
    workflow_version: int
    status: str
    created_by: str
    owner_app: str
    create_time: int
    start_time: int
    update_time: int
    end_time: int
    priority: int
    input: Raw
    output: Raw
    variables: Raw
    task_to_domain: Raw
    failed_reference_task_names: list[str]
    failed_task_names: list[str]
    last_retried_time: int
    history: list[Any]
    tasks: list[ConductorTask]
    correlation_id: str | None = None
    idempotency_key: str | None = None
    parent_workflow_id: str | None = None
    parent_workflow_task_id: str | None = None
    reason_for_incompletion: str | None = None
    workflow_definition: Raw | None = None


class WorkflowStatus(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """How a run stands."""

    workflow_id: str
    status: str
    correlation_id: str | None = None
    output: Raw | None = None
    variables: Raw | None = None


class WorkflowRun(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """A run that was waited for, as it stands. `responseType` is there where a returnStrategy was named."""

    workflow_id: str
    status: str
    request_id: str
    created_by: str
    create_time: int
    update_time: int
    priority: int
    input: Raw
    output: Raw
    variables: Raw
    tasks: list[ConductorTask]
    correlation_id: str | None = None
    response_type: str | None = None
    target_workflow_id: str | None = None
    target_workflow_status: str | None = None
    workflow_type: str | None = None
    reason_for_incompletion: str | None = None


class WorkflowSummary(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """A run as lists show it. Input and output are JSON as text, at most 2,000 characters of it."""

    workflow_type: str
    version: int
    workflow_id: str
    status: str
    start_time: str
    update_time: str
    created_by: str
    execution_time: Annotated[int, Meta(description="Milliseconds from its start to its end.")]
    input: str
    output: str
    priority: int
    failed_reference_task_names: str
    failed_task_names: list[str]
    end_time: str | None = None
    correlation_id: str | None = None
    reason_for_incompletion: str | None = None


class SearchResult(msgspec.Struct, kw_only=True, rename="camel"):
    """A page of runs. `totalHits` counts up to 10,000."""

    total_hits: int
    results: list[WorkflowSummary]


class TaskList(msgspec.Struct, kw_only=True, rename="camel"):
    """A page of a run's tasks."""

    total_hits: int
    results: list[ConductorTask]


class BulkResult(msgspec.Struct, kw_only=True, rename="camel"):
    """What was done of many; all or nothing here."""

    bulk_error_results: dict[str, str]
    bulk_successful_results: list[str]


class NamedVersion(msgspec.Struct, kw_only=True, rename="camel"):
    """A version of a definition."""

    name: str
    version: int
    create_time: int
    update_time: int
    created_by: str
