"""Runs of a Conductor server in the form of our own. Pure; what a server leaves out or gets wrong is left out."""

from datetime import datetime
from typing import Any, get_args
from zlib import crc32

import msgspec

from offhook.catalog.keeping import iso
from offhook.kit.wire import encode
from offhook.workflows.machine.model import FAILED, RunStatus, Status
from offhook.workflows.remote.names import shown_id, unmarked
from offhook.workflows.runs.wire import MOST_TASKS, AttemptOut, RunOut, TaskOut, WholeRunOut

Raw = dict[str, Any]
_STATUSES: frozenset[str] = frozenset(get_args(RunStatus))
_TASK_STATUSES: frozenset[str] = frozenset(get_args(Status))
OPEN = ("SCHEDULED", "IN_PROGRESS")
KEY, KEY_DIGITS = "offhook-key-", 40
"""The correlation id of a run that was started with an idempotency key, and without one of the caller's own."""
_LATEST = 253_402_300_799_000


def run_out(raw: Raw, tenant_id: int) -> RunOut | None:
    """A run or a summary as lists show it; None if it is not the company's, or is no run."""
    found = _run(raw, tenant_id)
    return None if found is None else RunOut(**found)


def whole_run_out(raw: Raw, tenant_id: int) -> WholeRunOut | None:
    """A run with its tasks; None if it is not the company's, or is no run."""
    found = _run(raw, tenant_id)
    if found is None:
        return None
    tasks = [one for one in attempts_out(raw) if one.counts]
    variables = raw.get("variables")
    failed = [one.id for one in tasks if one.status in FAILED] if found["status"] in ("FAILED", "TIMED_OUT") else []
    out = WholeRunOut(
        **found,
        failed_task=failed[-1] if failed else None,
        input=raw.get("input"),
        output=raw.get("output"),
        variables=variables if isinstance(variables, dict) else {},
        tasks=[_without_values(one) for one in tasks[-MOST_TASKS:]],
        more=max(0, len(tasks) - MOST_TASKS),
    )
    # That server counts no turns.
    return msgspec.structs.replace(out, turn=crc32(encode(out)))


def attempts_out(raw: Raw) -> list[AttemptOut]:
    """All attempts of a run with what they took and gave, in the order in which they were made."""
    tasks = raw.get("tasks")
    found = [task for one in (tasks if isinstance(tasks, list) else ()) if (task := _task(one)) is not None]
    found.sort(key=lambda one: one.number)
    return found


def _without_values(one: AttemptOut) -> TaskOut:
    return TaskOut(**{name: getattr(one, name) for name in TaskOut.__struct_fields__})


def _run(raw: Raw, tenant_id: int) -> Raw | None:
    name = unmarked(_text(raw.get("workflowName") or raw.get("workflowType")), tenant_id)
    status = _text(raw.get("status"))
    started = moment(raw.get("startTime")) or moment(raw.get("createTime"))
    if name is None or status not in _STATUSES or not started:
        return None
    ended = moment(raw.get("endTime"))
    correlation = _text(raw.get("correlationId"))
    return {
        "id": shown_id(_text(raw.get("workflowId"))),
        "engine": "conductor",
        "workflow": name,
        "version": _number(raw.get("workflowVersion") or raw.get("version")) or 1,
        "status": status,
        "definition": "",
        "started_at": iso(started),
        "ended_at": iso(ended) if ended else None,
        "seconds": round((ended - started) / 1000, 3) if ended else None,
        "reason": _text(raw.get("reasonForIncompletion")),
        "correlation_id": "" if correlation.startswith(KEY) else correlation,
        "started_by": _text(raw.get("createdBy")),
        "parent_id": shown_id(_text(raw.get("parentWorkflowId"))) or None,
        "attempts": len(raw.get("tasks") or ()) if isinstance(raw.get("tasks"), list) else 0,
    }


def _task(raw: Any) -> AttemptOut | None:
    status = _text(raw.get("status")) if isinstance(raw, dict) else ""
    if status not in _TASK_STATUSES:
        return None
    key, kind = _text(raw.get("referenceTaskName")), _text(raw.get("taskType"))
    scheduled, started, ended, due = (
        moment(raw.get(name)) for name in ("scheduledTime", "startTime", "endTime", "waitTimeout")
    )
    given, written = raw.get("inputData"), raw.get("workflowTask")
    timed = isinstance(given, dict) and bool(given.get("duration") or given.get("until"))
    called = isinstance(written, dict) and written.get("asyncComplete") is True and status == "IN_PROGRESS"
    return AttemptOut(
        id=_text(raw.get("taskId")),
        number=_number(raw.get("seq")),
        reference_name=key.partition("__")[0] if _number(raw.get("iteration")) else key,
        key=key,
        name=_text(raw.get("taskDefName")),
        type=kind,
        status=status,  # type: ignore[arg-type]
        attempt=_number(raw.get("retryCount")),
        iteration=_number(raw.get("iteration")),
        scheduled_at=iso(scheduled) if scheduled else None,
        started_at=iso(started) if started else None,
        ended_at=iso(ended) if ended else None,
        due_at=iso(due) if due and status in OPEN else None,
        reason=_text(raw.get("reasonForIncompletion")),
        run_id=shown_id(_text(raw.get("subWorkflowId"))) or None,
        repeats=_text(raw.get("retriedTaskId")) or None,
        waits_for_you=status in OPEN and (kind == "HUMAN" or called or (kind == "WAIT" and not timed)),
        counts=not raw.get("retried"),
        input=given,
        output=raw.get("outputData"),
    )


def _text(value: Any) -> str:
    return value[:10_000] if isinstance(value, str) else ""


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def moment(value: Any) -> int:
    """Milliseconds since 1970 UTC, from a number, or from text as summaries have it; 0 for neither."""
    if isinstance(value, str):
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            return 0
        return round(found.timestamp() * 1000) if found.tzinfo is not None else 0
    number = _number(value)
    return number if 0 < number <= _LATEST else 0
