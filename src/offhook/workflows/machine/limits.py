"""Time limits of a run and of its tasks. Pure."""

import msgspec

from offhook.workflows.definitions.model import HTTP, LOOP
from offhook.workflows.machine.data import iterations_of
from offhook.workflows.machine.ending import end_run
from offhook.workflows.machine.loops import in_rounds, loop_of
from offhook.workflows.machine.model import Attempt
from offhook.workflows.machine.moment import Moment


def limit_run(at: Moment) -> None:
    """See whether the run goes on for too long."""
    run, seconds = at.state.run, at.definition.timeout_seconds
    if not seconds or run.alerted:
        return
    end = run.started + seconds * 1000
    if at.now < end:
        at.wake(end)
        return
    text = f"It ran longer than {seconds} s."
    if at.definition.timeout_policy == "TIME_OUT_WF":
        end_run(at, "TIMED_OUT", text)
    at.alerts.append(text)
    at.change_run(alerted=True)


def limit_tasks(at: Moment) -> None:
    """See which open attempts take too long."""
    for key in list(at.state.open):
        task = at.state.tasks[key]
        policy = task.policy
        if policy is None:
            continue
        if policy.total_timeout_seconds:
            end = (task.first or task.scheduled) + policy.total_timeout_seconds * 1000
            _limit(at, task, end, f"All its attempts together took longer than {policy.total_timeout_seconds} s.")
        if policy.response_timeout_seconds and task.type == HTTP and task.started:
            end = task.started + policy.response_timeout_seconds * 1000
            _limit(at, task, end, f"There was no answer within {policy.response_timeout_seconds} s.")
        task = at.state.tasks[key]
        if not policy.timeout_seconds or not task.open or task.alerted or not task.started:
            continue
        end = task.started + policy.timeout_seconds * 1000
        text = f"It took longer than {policy.timeout_seconds} s."
        if policy.timeout_policy == "ALERT_ONLY" and at.now >= end:
            at.alerts.append(f"Task {key}: {text}")
            at.put(msgspec.structs.replace(task, alerted=True))
        elif policy.timeout_policy == "TIME_OUT_WF" and at.now >= end:
            _limit(at, task, end, text)
            end_run(at, "TIMED_OUT", f"Task {key} timed out: {text}", failed=task.id)
        else:
            _limit(at, task, end, text)


def _limit(at: Moment, task: Attempt, end: int, text: str) -> None:
    """This attempt is over at `end`, unless it is before."""
    if at.now < end:
        at.wake(end)
        return
    if not at.state.tasks[task.key].open:
        return
    if task.type == LOOP:
        for one in in_rounds(at.state, loop_of(at.state, at.definition, task.ref), iterations_of(task)):
            at.give_up(one, "Its loop timed out.")
    at.give_up(task, text, status="TIMED_OUT")
