"""Runs, attempts and definitions as Conductor's clients read them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from offhook.kit.ids import EPOCH_MS
from offhook.kit.wire import encode
from offhook.storage.documents import Kept
from offhook.workflows.conductor import wire
from offhook.workflows.definitions.model import DYNAMIC_FORK, FORK, LOOP
from offhook.workflows.definitions.store import Registered, RegisteredPolicy
from offhook.workflows.machine.model import FAILED, Attempt, Run

Raw = dict[str, Any]
MOST_TEXT = 2_000
_FORKS = frozenset({FORK, DYNAMIC_FORK})


def task_id(run_id: int, attempt_id: int) -> str:
    """What a task is called by: its run and itself."""
    return f"{run_id}-{attempt_id}"


def object_of(value: Any) -> Raw:
    """A value where only a map can stand; any other is its `result`."""
    if value is None:
        return {}
    return value if isinstance(value, dict) else {"result": value}


def task(
    run: Run, one: Attempt, written: Raw | None, *, retried: bool, looped: bool, whole: bool = True
) -> wire.ConductorTask:
    """An attempt. `written` is the task as the definition has it; without `whole` input and output are left out."""
    begun = one.started or one.ended
    return wire.ConductorTask(
        task_id=task_id(run.id, one.id),
        task_type="FORK" if one.type in _FORKS else one.type,
        task_def_name=one.name,
        reference_task_name=one.key,
        status=one.status,
        retry_count=one.retry,
        seq=one.number,
        iteration=one.iteration,
        scheduled_time=one.scheduled,
        start_time=one.started,
        end_time=one.ended,
        update_time=one.ended or one.started or one.scheduled,
        workflow_instance_id=str(run.id),
        workflow_type=run.name,
        retried=retried,
        executed=not one.open,
        callback_after_seconds=0,
        poll_count=0,
        workflow_priority=0,
        first_start_time=one.first or one.started,
        queue_wait_time=max(0, begun - one.scheduled) if begun else 0,
        loop_over_task=looped,
        response_timeout_seconds=one.policy.response_timeout_seconds if one.policy is not None else 0,
        start_delay_in_seconds=int((written or {}).get("startDelay") or 0),
        input_data=object_of(one.input) if whole else None,
        output_data=object_of(one.output) if whole else None,
        correlation_id=run.correlation or None,
        retried_task_id=task_id(run.id, one.retry_of) if one.retry_of else None,
        reason_for_incompletion=one.reason or None,
        sub_workflow_id=str(one.child) if one.child else None,
        workflow_task=written,
    )


def tasks(
    run: Run, live: Iterable[Attempt], history: Iterable[Attempt], definition: Raw | None, *, whole: bool = True
) -> list[wire.ConductorTask]:
    """The attempts that count, and those in whose place they were made, in the order in which they were made."""
    found = {one.id: one for one in live}
    before = {one.id: one for one in history}
    waiting = list(found.values())
    replaced: set[int] = set()
    while waiting:
        one = waiting.pop()
        earlier = before.get(one.retry_of) if one.retry_of and one.retry_of not in replaced else None
        replaced.add(one.retry_of)
        if earlier is not None and earlier.id not in found:
            found[earlier.id] = earlier
            waiting.append(earlier)
    named, inner = _written(definition)
    return [
        task(run, one, named.get(one.ref), retried=one.id in replaced, looped=one.ref in inner, whole=whole)
        for one in sorted(found.values(), key=lambda one: one.number)
    ]


def _written(definition: Raw | None) -> tuple[Mapping[str, Raw], frozenset[str]]:
    """The tasks of a definition by their reference names, and the names of those within loops."""
    named: dict[str, Raw] = {}
    looped: set[str] = set()

    def walk(sequence: Any, inside: bool) -> None:
        for one in sequence if isinstance(sequence, list) else ():
            if not isinstance(one, dict):
                continue
            ref = one.get("taskReferenceName")
            if isinstance(ref, str):
                named[ref] = one
                if inside:
                    looped.add(ref)
            cases = one.get("decisionCases")
            for nested in [*(cases.values() if isinstance(cases, dict) else ()), one.get("defaultCase")]:
                walk(nested, inside)
            for branch in one.get("forkTasks") or ():
                walk(branch, inside)
            walk(one.get("loopOver"), inside or one.get("type") == LOOP)

    walk((definition or {}).get("tasks"), False)
    return named, frozenset(looped)


def workflow(
    run: Run, found: Sequence[wire.ConductorTask], failed: Iterable[Attempt], definition: Raw | None
) -> wire.ConductorWorkflow:
    """A run. `failed` are attempts among which are those that count and failed."""
    bad = [one for one in failed if one.status in FAILED]
    return wire.ConductorWorkflow(
        workflow_id=str(run.id),
        workflow_name=run.name,
        workflow_version=run.version,
        status=run.status,
        created_by=run.by,
        owner_app="",
        create_time=run.started,
        start_time=run.started,
        update_time=run.changed or run.started,
        end_time=run.ended,
        priority=0,
        input=object_of(run.input),
        output=object_of(run.output),
        variables=run.variables,
        task_to_domain={},
        failed_reference_task_names=sorted({one.key for one in bad}),
        failed_task_names=sorted({one.name for one in bad}),
        last_retried_time=0,
        history=[],
        tasks=list(found),
        correlation_id=run.correlation or None,
        idempotency_key=run.idempotency.removeprefix("key:") or None,
        parent_workflow_id=str(run.parent) if run.parent else None,
        parent_workflow_task_id=task_id(run.parent, run.parent_task) if run.parent and run.parent_task else None,
        reason_for_incompletion=run.reason or None,
        workflow_definition=definition,
    )


def waited(run: Run, found: Sequence[wire.ConductorTask], request_id: str, strategy: str) -> wire.WorkflowRun:
    """A run that was waited for."""
    return wire.WorkflowRun(
        workflow_id=str(run.id),
        status=run.status,
        request_id=request_id,
        created_by=run.by,
        create_time=run.started,
        update_time=run.changed or run.started,
        priority=0,
        input=object_of(run.input),
        output=object_of(run.output),
        variables=run.variables,
        tasks=list(found),
        correlation_id=run.correlation or None,
        response_type="TARGET_WORKFLOW" if strategy else None,
        target_workflow_id=str(run.id) if strategy else None,
        target_workflow_status=run.status if strategy else None,
        workflow_type=run.name if strategy else None,
        reason_for_incompletion=run.reason or None,
    )


def summary(run: Run, failed: str = "") -> wire.WorkflowSummary:
    """A run as lists show it, with the moment at which it was first started: lists are in that order.

    `failed` is the name of the task that it failed with.
    """
    return wire.WorkflowSummary(
        workflow_type=run.name,
        version=run.version,
        workflow_id=str(run.id),
        status=run.status,
        start_time=_iso((run.id >> 11) + EPOCH_MS),
        update_time=_iso(run.changed or run.started),
        created_by=run.by,
        execution_time=max(0, run.ended - run.started) if run.ended else 0,
        input=_text(run.input),
        output=_text(run.output),
        priority=0,
        failed_reference_task_names=failed,
        failed_task_names=[failed] if failed else [],
        end_time=_iso(run.ended) if run.ended else None,
        correlation_id=run.correlation or None,
        reason_for_incompletion=run.reason or None,
    )


def definition(kept: Kept[Registered], raw: Raw) -> Raw:
    """A version of a definition: as it was sent, with who registered it and when."""
    return {
        **raw,
        "version": kept.value.number,
        "schemaVersion": raw.get("schemaVersion") or 2,
        "createTime": kept.created_at,
        "updateTime": kept.updated_at,
        "createdBy": kept.value.by,
        "updatedBy": kept.value.by,
    }


def task_def(kept: Kept[RegisteredPolicy]) -> Raw:
    """A task definition: as it was sent, with who registered it and when."""
    return {
        **kept.value.raw,
        "createTime": kept.created_at,
        "updateTime": kept.updated_at,
        "createdBy": kept.value.by,
        "updatedBy": kept.value.by,
    }


def _iso(moment: int) -> str:
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text(value: Any) -> str:
    return encode(object_of(value)).decode()[:MOST_TEXT]
