"""Runs of a Conductor server in the form of our own. Pure; what a server leaves out or gets wrong is left out."""

from datetime import datetime
from typing import Any, get_args

from offhook.catalog.keeping import iso
from offhook.workflows.machine.model import RunStatus, Status
from offhook.workflows.remote.names import unmarked
from offhook.workflows.runs.wire import MOST_TASKS, RunOut, TaskOut, WholeRunOut

Raw = dict[str, Any]
_STATUSES: frozenset[str] = frozenset(get_args(RunStatus))
_TASK_STATUSES: frozenset[str] = frozenset(get_args(Status))
_OPEN = ("SCHEDULED", "IN_PROGRESS")
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
    tasks = [one for one in raw.get("tasks") or () if isinstance(one, dict)]
    shown = [task for one in tasks[-MOST_TASKS:] if (task := _task(one)) is not None]
    variables = raw.get("variables")
    return WholeRunOut(
        **found,
        input=raw.get("input"),
        output=raw.get("output"),
        variables=variables if isinstance(variables, dict) else {},
        turn=_number(raw.get("updateTime")),
        tasks=shown,
        more=len(tasks) - len(shown),
    )


def _run(raw: Raw, tenant_id: int) -> Raw | None:
    name = unmarked(_text(raw.get("workflowName") or raw.get("workflowType")), tenant_id)
    status = _text(raw.get("status"))
    started = _moment(raw.get("startTime")) or _moment(raw.get("createTime"))
    if name is None or status not in _STATUSES or not started:
        return None
    ended = _moment(raw.get("endTime"))
    return {
        "id": _text(raw.get("workflowId")),
        "workflow": name,
        "version": _number(raw.get("workflowVersion") or raw.get("version")) or 1,
        "status": status,
        "definition": "",
        "started_at": iso(started),
        "ended_at": iso(ended) if ended else None,
        "seconds": round((ended - started) / 1000, 3) if ended else None,
        "reason": _text(raw.get("reasonForIncompletion")),
        "correlation_id": _text(raw.get("correlationId")),
        "started_by": _text(raw.get("createdBy")),
        "parent_id": _text(raw.get("parentWorkflowId")) or None,
        "attempts": len(raw.get("tasks") or ()) if isinstance(raw.get("tasks"), list) else 0,
    }


def _task(raw: Raw) -> TaskOut | None:
    status = _text(raw.get("status"))
    if status not in _TASK_STATUSES:
        return None
    key, kind = _text(raw.get("referenceTaskName")), _text(raw.get("taskType"))
    scheduled, started, ended = (_moment(raw.get(name)) for name in ("scheduledTime", "startTime", "endTime"))
    return TaskOut(
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
        reason=_text(raw.get("reasonForIncompletion")),
        run_id=_text(raw.get("subWorkflowId")) or None,
        repeats=_text(raw.get("retriedTaskId")) or None,
        waits_for_you=kind == "HUMAN" and status in _OPEN,
        counts=not raw.get("retried"),
    )


def _text(value: Any) -> str:
    return value[:10_000] if isinstance(value, str) else ""


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _moment(value: Any) -> int:
    """Milliseconds since 1970 UTC, from a number, or from text as summaries have it; 0 for neither."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return 0
        return int(moment.timestamp() * 1000) if moment.tzinfo is not None else 0
    number = _number(value)
    return number if 0 < number <= _LATEST else 0
