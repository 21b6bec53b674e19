"""One turn of a run: from where it stands to where nothing more can be done without waiting for somebody.

The definition is walked from its beginning every time. A task that was come to is found by its key and is not begun
again, so what happens next follows from the rows alone: there is no second record that could disagree with them.
"""

from contextlib import suppress
from typing import Any

import msgspec

from offhook.workflows.definitions.model import (
    DYNAMIC_FORK,
    FORK,
    HTTP,
    JOIN,
    LOOP,
    SWITCH,
    UNREGISTERED,
    Definition,
    Task,
)
from offhook.workflows.expressions.templates import ExpressionError
from offhook.workflows.machine.beginning import begin, go_on
from offhook.workflows.machine.branches import GIVEN, forked_tasks, join
from offhook.workflows.machine.data import suffix
from offhook.workflows.machine.ending import conclude, end_run
from offhook.workflows.machine.limits import limit_run, limit_tasks
from offhook.workflows.machine.loops import go_round, undo_rounds
from offhook.workflows.machine.model import (
    FAILED,
    GOOD,
    MOST_ATTEMPTS,
    PERFORMED,
    RETRIABLE,
    STRUCTURE,
    Attempt,
    RunStatus,
    State,
    Turn,
)
from offhook.workflows.machine.moment import Ended, Moment, Pending, Tools
from offhook.workflows.machine.retries import delay_ms


def advance(definition: Definition, state: State, now: int, tools: Tools) -> Turn:
    """Take `state`, which is changed, as far as it goes at the moment `now` (milliseconds since 1970 UTC)."""
    return _Walk(Moment(definition, state, now, tools)).turn()


def terminate(definition: Definition, state: State, now: int, tools: Tools, reason: str) -> Turn:
    """End a run that is not over, from outside."""
    return _Walk(Moment(definition, state, now, tools)).terminate(reason)


class _Walk:
    def __init__(self, at: Moment) -> None:
        self._at = at

    def terminate(self, reason: str) -> Turn:
        """End the run from outside."""
        with suppress(Ended):
            end_run(self._at, "TERMINATED", reason)
        return self.turn()

    def turn(self) -> Turn:
        before = self._at.state.run
        if not before.over:
            try:
                limit_run(self._at)
                limit_tasks(self._at)
                done = self._sequence(self._at.definition.tasks, ())
                # Once more: what was begun by this turn has its limits too.
                limit_tasks(self._at)
                conclude(self._at, done)
            except Ended:
                pass
        state = self._at.state
        changed, dropped = state.taken()
        unwanted, state.unwanted = state.unwanted, []
        if state.run is not before or changed:
            state.run = msgspec.structs.replace(state.run, changed=self._at.now)
        perform: list[Attempt] = []
        if state.run.status == "RUNNING":
            for key in state.open:
                task = state.tasks[key]
                if task.type in PERFORMED and task.due <= self._at.now and not task.called:
                    perform.append(task)
            perform.sort(key=lambda one: one.number)
        return Turn(
            state=state,
            changed=changed,
            perform=tuple(perform),
            ask=tuple(self._at.asks.values()),
            start=tuple(self._at.starts),
            cancel=tuple(self._at.cancelled),
            abandon=(*unwanted, *self._at.abandoned),
            dropped=dropped,
            alerts=tuple(self._at.alerts),
            due=0 if state.run.over else self._at.due,
        )

    def _sequence(self, tasks: list[Task], iterations: tuple[int, ...]) -> bool:
        """Whether all of it is done, branches that nothing joins too."""
        whole = True
        fork: tuple[list[list[Task]], list[bool]] | None = None
        for task in tasks:
            key = task.ref + suffix(iterations)
            found = self._come_to(task, key, iterations)
            if found is None:
                return False
            if found.status == "IN_PROGRESS" and task.type in STRUCTURE:
                if task.type == JOIN:
                    found = join(self._at, task, found, iterations, fork)
                else:
                    found = go_round(self._at, task, found, iterations, self._sequence)
                if found.status in FAILED:
                    # What becomes of that may be another attempt, which then is begun by the next turn.
                    found = self._come_to(task, key, iterations) or found
            if found.status not in GOOD:
                return False
            if task.type == SWITCH and found.status == "COMPLETED":
                if not self._sequence(_case(task, found), iterations):
                    return False
            elif task.type in (FORK, DYNAMIC_FORK) and found.status == "COMPLETED":
                branches = (
                    task.fork_tasks if task.type == FORK else [[one] for one in forked_tasks(self._at.state, found)]
                )
                fork = branches, [self._sequence(branch, iterations) for branch in branches]
                whole = whole and all(fork[1])
            self._at.finished.add(key)
        return whole

    def _come_to(self, task: Task, key: str, iterations: tuple[int, ...]) -> Attempt | None:
        """The attempt of a task where it stands now, begun or repeated if that is due; None while none may be begun."""
        found = self._at.state.tasks.get(key)
        if found is None:
            if self._at.state.run.status == "PAUSED":
                return None
            try:
                found = self._make(task, key, iterations)
            except Pending:
                return None
        while True:
            if found.status in FAILED or found.status == "CANCELED":
                try:
                    after = self._after_failure(task, found, iterations)
                except Pending:
                    return found
                if after is found:
                    return found
                found = after
            elif found.status == "SCHEDULED" and task.type not in PERFORMED:
                if found.due > self._at.now:
                    self._at.wake(found.due)
                    return found
                if self._at.state.run.status == "PAUSED":
                    return found
                after = begin(self._at, task, found)
                if after.status == "SCHEDULED":
                    return after
                found = after
            elif found.open:
                after = go_on(self._at, task, found)
                if after is found:
                    return found
                found = after
            else:
                return found

    def _make(
        self, task: Task, key: str, iterations: tuple[int, ...], before: Attempt | None = None, due: int = 0
    ) -> Attempt:
        """A new attempt of a task, scheduled."""
        run = self._at.state.run
        if run.attempts >= MOST_ATTEMPTS:
            end_run(
                self._at, "FAILED", f"It came to {MOST_ATTEMPTS} attempts of tasks, which is as many as a run may have."
            )
        retry = before.retry + 1 if before is not None else 0
        given: Any = {}
        fault = ""
        if task.ref not in run.skipped:
            try:
                given = self._at.state.given.get(key)
                if given is None:
                    given = self._resolved(task, iterations, f"{key}~{retry}")
            except ExpressionError as error:
                fault = str(error)
        if task.type == LOOP and before is not None:
            undo_rounds(self._at, task, iterations)
        policy = self._at.policy(task)
        number = self._at.state.run.attempts + 1
        self._at.change_run(attempts=number)
        self._at.state.given.pop(key, None)
        due = due or (self._at.now + task.start_delay * 1000 if task.start_delay and before is None else 0)
        made = Attempt(
            id=self._at.tools.ids(),
            number=number,
            key=key,
            ref=task.ref,
            name=task.name,
            type=task.type,
            status="SCHEDULED",
            retry=retry,
            retry_of=before.id if before is not None else self._at.state.again.pop(key, 0),
            chain=(before.chain or before.id) if before is not None else 0,
            iteration=iterations[-1] if iterations else 0,
            scheduled=self._at.now,
            first=(before.first or before.scheduled) if before is not None else self._at.now,
            due=due,
            input=given,
            policy=None if policy is UNREGISTERED else policy,
        )
        if task.ref in run.skipped:
            instead = run.skipped[task.ref]
            made = msgspec.structs.replace(
                made,
                status="SKIPPED",
                started=self._at.now,
                ended=self._at.now,
                input=instead.get("taskInput") or {},
                output=instead.get("taskOutput") or {},
                reason="It was skipped.",
            )
        if fault:
            return self._at.fail(made, fault, terminal=True)
        if due and made.open:
            self._at.wake(due)
        return self._at.put(made)

    def _resolved(self, task: Task, iterations: tuple[int, ...], owner: str) -> Any:
        given = task.input_parameters
        if task.metadata is not GIVEN:
            given = self._at.value(given, iterations, "inputParameters", owner)
            template = self._at.policy(task).input_template
            if template:
                filled = self._at.value(template, iterations, "inputTemplate", owner)
                given = {**filled, **{name: value for name, value in given.items() if value is not None}}
        return {**given, "asyncComplete": True} if task.async_complete and task.type == HTTP else given

    def _after_failure(self, task: Task, found: Attempt, iterations: tuple[int, ...]) -> Attempt:
        """What becomes of a task that failed: another attempt, going on without it, or the end of the run."""
        policy = self._at.policy(task)
        delay = delay_ms(policy, found.retry, seed=found.id, after_ms=max(0, found.due - self._at.now))
        spent = bool(policy.total_timeout_seconds) and (
            self._at.now + delay - (found.first or found.scheduled) >= policy.total_timeout_seconds * 1000
        )
        if found.status in RETRIABLE and found.retry < policy.retry_count and not spent:
            if self._at.state.run.status == "PAUSED":
                return found
            return self._make(task, found.key, iterations, found, self._at.now + delay if delay else 0)
        if task.optional:
            return self._at.put(msgspec.structs.replace(found, status="COMPLETED_WITH_ERRORS"))
        if task.permissive:
            if not self._at.state.run.failing:
                self._at.change_run(failing=found.id)
            return found
        late = found.status == "TIMED_OUT" and policy.timeout_policy == "TIME_OUT_WF"
        status: RunStatus = "TIMED_OUT" if late else "FAILED"
        return end_run(self._at, status, f"Task {found.key} failed: {found.reason or found.status}", failed=found.id)


def _case(task: Task, found: Attempt) -> list[Task]:
    output = found.output if isinstance(found.output, dict) else {}
    return task.decision_cases.get(str(output.get("selectedCase")), task.default_case)
