"""One turn of a run: from where it stands to where nothing more can be done without waiting for somebody.

The definition is walked from its beginning every time. A task that was come to is found by its key and is not begun
again, so what happens next follows from the rows alone: there is no second record that could disagree with them.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from offhook.kit.wire import encode
from offhook.workflows.definitions import durations
from offhook.workflows.definitions.model import (
    DYNAMIC_FORK,
    FORK,
    HTTP,
    INLINE,
    JOIN,
    JQ,
    LOOP,
    SUB,
    SWITCH,
    UNREGISTERED,
    WAIT,
    Definition,
    Policy,
    Task,
    every,
)
from offhook.workflows.expressions.templates import ExpressionError, jsonata, references, resolve
from offhook.workflows.machine.data import Data, iterations_of, suffix
from offhook.workflows.machine.forking import Unforkable, forked
from offhook.workflows.machine.model import (
    FAILED,
    GOOD,
    MOST_ATTEMPTS,
    MOST_DEPTH,
    MOST_INPUT,
    MOST_ITERATIONS,
    MOST_OUTPUT,
    MOST_VARIABLES,
    RETRIABLE,
    Ask,
    Attempt,
    Found,
    RunStatus,
    Start,
    State,
    Status,
    Turn,
)
from offhook.workflows.machine.retries import delay_ms, policy_of

PERFORMED = frozenset({HTTP, INLINE, JQ})
"""Types whose work is done outside of a turn."""

_STRUCTURE = frozenset({JOIN, LOOP})
"""Types that are open for as long as others are, and never by themselves."""

_CONDITION_FALSE = frozenset({"", "false", "null", "0"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a script said, or why it said nothing."""

    value: Any = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a turn takes from outside: new ids, settings that workflows may read, and what was said to earlier asks."""

    ids: Callable[[], int]
    policies: Mapping[str, Policy] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)


def advance(definition: Definition, state: State, now: int, tools: Tools) -> Turn:
    """Take `state`, which is changed, as far as it goes at the moment `now` (milliseconds since 1970 UTC)."""
    return _Walk(definition, state, now, tools).turn()


def terminate(definition: Definition, state: State, now: int, tools: Tools, reason: str) -> Turn:
    """End a run that is not over, from outside."""
    return _Walk(definition, state, now, tools).terminate(reason)


class _Ended(Exception):
    """The run is over; the walk is left."""


class _Pending(Exception):
    """A value waits for a script that is being asked."""


class _Walk:
    def __init__(self, definition: Definition, state: State, now: int, tools: Tools) -> None:
        self._definition, self._state, self._now, self._tools = definition, state, now, tools
        self._asks: dict[str, Ask] = {}
        self._starts: list[Start] = []
        self._cancelled: list[int] = []
        self._abandoned: list[int] = []
        self._alerts: list[str] = []
        self._finished: set[str] = set()
        self._due = 0

    def terminate(self, reason: str) -> Turn:
        """End the run from outside."""
        with suppress(_Ended):
            self._end("TERMINATED", reason)
        return self.turn()

    def turn(self) -> Turn:
        before = self._state.run
        if not before.over:
            try:
                self._limit_run()
                self._limit_tasks()
                done = self._sequence(self._definition.tasks, ())
                self._conclude(done)
            except _Ended:
                pass
        state = self._state
        changed, dropped = state.taken()
        unwanted, state.unwanted = state.unwanted, []
        if state.run is not before or changed:
            state.run = msgspec.structs.replace(state.run, changed=self._now)
        perform: list[Attempt] = []
        if state.run.status == "RUNNING":
            for key in state.open:
                task = state.tasks[key]
                if task.type in PERFORMED and task.due <= self._now and not task.called:
                    perform.append(task)
            perform.sort(key=lambda one: one.number)
        return Turn(
            state=state,
            changed=changed,
            perform=tuple(perform),
            ask=tuple(self._asks.values()),
            start=tuple(self._starts),
            cancel=tuple(self._cancelled),
            abandon=(*unwanted, *self._abandoned),
            dropped=dropped,
            alerts=tuple(self._alerts),
            due=0 if state.run.over else self._due,
        )

    # The run as a whole

    def _limit_run(self) -> None:
        run, seconds = self._state.run, self._definition.timeout_seconds
        if not seconds or run.alerted:
            return
        end = run.started + seconds * 1000
        if self._now < end:
            self._wake(end)
            return
        text = f"It ran longer than {seconds} s."
        if self._definition.timeout_policy == "TIME_OUT_WF":
            self._end("TIMED_OUT", text)
        self._alerts.append(text)
        self._run(alerted=True)

    def _conclude(self, done: bool) -> None:
        """At the end of a walk: it may have come to its end, or to where nothing can happen any more."""
        state = self._state
        if state.run.status == "PAUSED":
            return
        if done and not state.open:
            self._succeed()
        if self._asks:
            return
        moving = any(state.tasks[key].type not in _STRUCTURE for key in state.open)
        if moving:
            return
        if state.run.failing:
            failed = state.attempt(state.run.failing)
            reason = f"Task {failed.key} failed: {failed.reason}" if failed is not None else "A task failed."
            self._end("FAILED", reason, failed=state.run.failing)
        waiting = ", ".join(sorted(state.open)) or "nothing"
        self._end("FAILED", f"Nothing more can happen: what {waiting} waits for cannot come any more.")

    def _succeed(self) -> None:
        try:
            output = self._output()
        except _Pending:
            return
        self._run(output=output)
        self._end("COMPLETED", "")

    def _output(self) -> Any:
        if self._definition.output_parameters:
            try:
                return self._value(self._definition.output_parameters, (), "outputParameters", "")
            except ExpressionError as error:
                self._run(output=None)
                self._end("FAILED", str(error), keep_output=True)
        ended = [one for one in self._state.tasks.values() if one.status in GOOD]
        return max(ended, key=lambda one: one.number).output if ended else {}

    def _end(self, status: RunStatus, reason: str, *, failed: int = 0, keep_output: bool = False) -> None:
        """The run is over: what is open is no longer wanted."""
        for key in sorted(self._state.open):
            self._give_up(self._state.tasks[key], "The run ended.")
        if status != "COMPLETED" and not keep_output and self._definition.output_parameters:
            # What it came to, for who looks into it. What cannot be had is left out, as the run is over.
            with suppress(ExpressionError):
                self._run(output=resolve(self._definition.output_parameters, self._data(()), most=MOST_OUTPUT))
        changes: dict[str, Any] = {"status": status, "reason": reason, "ended": self._now, "failed_task": failed}
        if status in ("FAILED", "TIMED_OUT") and self._definition.failure_workflow:
            changes["failure_run"] = self._start_failure(status, reason, failed)
        self._run(**changes)
        raise _Ended

    def _start_failure(self, status: RunStatus, reason: str, failed: int) -> int:
        run = self._state.run
        if run.depth >= MOST_DEPTH:
            self._alerts.append(f"Its failure workflow was not started: {MOST_DEPTH} runs already led to this one.")
            return 0
        id = self._tools.ids()
        given = {
            "reason": reason,
            "workflowId": str(run.id),
            "workflowType": run.name,
            "failureStatus": status,
            "failureTaskId": str(failed) if failed else None,
            "input": run.input,
        }
        assert self._definition.failure_workflow is not None
        self._starts.append(
            Start(
                id=id,
                name=self._definition.failure_workflow,
                version=self._definition.failure_workflow_version,
                input=given,
                correlation=run.correlation,
                depth=run.depth + 1,
                failure_of=run.id,
            )
        )
        return id

    # Walking

    def _sequence(self, tasks: list[Task], iterations: tuple[int, ...]) -> bool:
        """Whether all of it is done, branches that nothing joins too."""
        whole = True
        fork: tuple[list[list[Task]], list[bool]] | None = None
        for task in tasks:
            key = task.ref + suffix(iterations)
            found = self._come_to(task, key, iterations)
            if found is None:
                return False
            if found.status == "IN_PROGRESS" and task.type in _STRUCTURE:
                if task.type == JOIN:
                    found = self._join(task, found, iterations, fork)
                else:
                    found = self._loop(task, found, iterations)
                if found.status in FAILED:
                    # What becomes of that may be another attempt, which then is begun by the next turn.
                    found = self._come_to(task, key, iterations) or found
            if found.status not in GOOD:
                return False
            if task.type == SWITCH and found.status == "COMPLETED":
                if not self._sequence(_case(task, found), iterations):
                    return False
            elif task.type in (FORK, DYNAMIC_FORK) and found.status == "COMPLETED":
                branches = task.fork_tasks if task.type == FORK else [[one] for one in self._forked(found)]
                fork = branches, [self._sequence(branch, iterations) for branch in branches]
                whole = whole and all(fork[1])
            self._finished.add(key)
        return whole

    def _come_to(self, task: Task, key: str, iterations: tuple[int, ...]) -> Attempt | None:
        """The attempt of a task where it stands now, begun or repeated if that is due; None while none may be begun."""
        found = self._state.tasks.get(key)
        if found is None:
            if self._state.run.status == "PAUSED":
                return None
            try:
                found = self._make(task, key, iterations)
            except _Pending:
                return None
        while True:
            if found.status in FAILED or found.status == "CANCELED":
                try:
                    after = self._after_failure(task, found, iterations)
                except _Pending:
                    return found
                if after is found:
                    return found
                found = after
            elif found.status == "SCHEDULED" and task.type not in PERFORMED:
                if found.due > self._now:
                    self._wake(found.due)
                    return found
                if self._state.run.status == "PAUSED":
                    return found
                after = self._begin(task, found)
                if after.status == "SCHEDULED":
                    return after
                found = after
            elif found.open:
                after = self._go_on(task, found)
                if after is found:
                    return found
                found = after
            else:
                return found

    def _make(
        self, task: Task, key: str, iterations: tuple[int, ...], before: Attempt | None = None, due: int = 0
    ) -> Attempt:
        """A new attempt of a task, scheduled."""
        run = self._state.run
        if run.attempts >= MOST_ATTEMPTS:
            self._end("FAILED", f"It came to {MOST_ATTEMPTS} attempts of tasks, which is as many as a run may have.")
        retry = before.retry + 1 if before is not None else 0
        given: Any = {}
        fault = ""
        if task.ref not in run.skipped:
            try:
                given = self._state.given.get(key) or self._resolved(task, iterations, f"{key}~{retry}")
            except ExpressionError as error:
                fault = str(error)
        if task.type == LOOP and before is not None:
            self._undo_rounds(task, iterations)
        policy = self._policy(task)
        number = self._state.run.attempts + 1
        self._run(attempts=number)
        self._state.given.pop(key, None)
        due = due or (self._now + task.start_delay * 1000 if task.start_delay and before is None else 0)
        made = Attempt(
            id=self._tools.ids(),
            number=number,
            key=key,
            ref=task.ref,
            name=task.name,
            type=task.type,
            status="SCHEDULED",
            retry=retry,
            retry_of=before.id if before is not None else self._state.again.pop(key, 0),
            chain=(before.chain or before.id) if before is not None else 0,
            iteration=iterations[-1] if iterations else 0,
            scheduled=self._now,
            first=(before.first or before.scheduled) if before is not None else self._now,
            due=due,
            input=given,
            policy=None if policy is UNREGISTERED else policy,
        )
        if task.ref in run.skipped:
            instead = run.skipped[task.ref]
            made = msgspec.structs.replace(
                made,
                status="SKIPPED",
                started=self._now,
                ended=self._now,
                input=instead.get("taskInput") or {},
                output=instead.get("taskOutput") or {},
                reason="It was skipped.",
            )
        if fault:
            return self._fail(made, fault, terminal=True)
        if due and made.open:
            self._wake(due)
        return self._put(made)

    def _resolved(self, task: Task, iterations: tuple[int, ...], owner: str) -> Any:
        if task.metadata is _GIVEN:
            return task.input_parameters
        given = self._value(task.input_parameters, iterations, "inputParameters", owner)
        template = self._policy(task).input_template
        if template:
            filled = self._value(template, iterations, "inputTemplate", owner)
            given = {**filled, **{name: value for name, value in given.items() if value is not None}}
        return given

    def _value(self, value: Any, iterations: tuple[int, ...], place: str, owner: str) -> Any:
        """`value` with its expressions replaced; _Pending while JSONata of it is being asked for `owner`."""
        data = self._data(iterations)
        answers: dict[str, Any] = {}
        waiting = False
        for source in jsonata(value):
            key = f"{owner} {source}"
            answer = self._tools.answers.get(key)
            if answer is None:
                roots = {one.root for one in references("${jsonata:" + source + "}")}
                bindings = {root: data[root] for root in roots if root in data}
                self._asks[key] = Ask(key=key, language="jsonata", script=source, bindings=bindings)
                waiting = True
            elif answer.error:
                raise ExpressionError(place, answer.error)
            else:
                answers[source] = answer.value
        if waiting:
            raise _Pending
        return resolve(value, data, most=MOST_INPUT, answers=answers, place=place)

    def _after_failure(self, task: Task, found: Attempt, iterations: tuple[int, ...]) -> Attempt:
        """What becomes of a task that failed: another attempt, going on without it, or the end of the run."""
        policy = self._policy(task)
        delay = delay_ms(policy, found.retry, seed=found.id, after_ms=max(0, found.due - self._now))
        spent = bool(policy.total_timeout_seconds) and (
            self._now + delay - (found.first or found.scheduled) >= policy.total_timeout_seconds * 1000
        )
        if found.status in RETRIABLE and found.retry < policy.retry_count and not spent:
            if self._state.run.status == "PAUSED":
                return found
            return self._make(task, found.key, iterations, found, self._now + delay if delay else 0)
        if task.optional:
            return self._put(msgspec.structs.replace(found, status="COMPLETED_WITH_ERRORS"))
        if task.permissive:
            if not self._state.run.failing:
                self._run(failing=found.id)
            return found
        late = found.status == "TIMED_OUT" and policy.timeout_policy == "TIME_OUT_WF"
        status: RunStatus = "TIMED_OUT" if late else "FAILED"
        self._end(status, f"Task {found.key} failed: {found.reason or found.status}", failed=found.id)
        raise AssertionError("unreachable")

    # Beginning

    def _begin(self, task: Task, found: Attempt) -> Attempt:
        """Do what is done at once; what takes time is in progress afterwards, or still scheduled while it is asked."""
        found = msgspec.structs.replace(found, started=self._now, due=0)
        given = found.input if isinstance(found.input, dict) else {}
        match task.type:
            case "NOOP":
                return self._complete(found, {})
            case "SET_VARIABLE":
                return self._set(found, given)
            case "SWITCH":
                return self._switch(task, found, given)
            case "FORK_JOIN":
                return self._complete(found, {})
            case "FORK_JOIN_DYNAMIC":
                return self._fork(task, found, given)
            case "JOIN" | "HUMAN":
                return self._progress(found)
            case "DO_WHILE":
                return self._first_round(task, found, given)
            case "WAIT":
                return self._wait(found, given)
            case "SUB_WORKFLOW" | "START_WORKFLOW":
                return self._start(task, found, given)
            case "TERMINATE":
                return self._terminate(found, given)
        return self._fail(found, f"Tasks of the type {task.type} are not run here.", terminal=True)

    def _go_on(self, task: Task, found: Attempt) -> Attempt:
        """An open attempt whose moment may have come, or whose script was answered."""
        if task.type == WAIT and found.due:
            if found.due > self._now:
                self._wake(found.due)
            else:
                return self._complete(found, found.output or {})
        elif task.type == SWITCH:
            return self._switch(task, found, found.input if isinstance(found.input, dict) else {})
        elif task.type in PERFORMED and found.due > self._now:
            self._wake(found.due)
        return found

    def _set(self, found: Attempt, given: dict[str, Any]) -> Attempt:
        variables = {**self._state.run.variables, **given}
        if len(encode(variables)) > MOST_VARIABLES:
            return self._fail(found, f"The run's variables would have more than {MOST_VARIABLES} bytes.", terminal=True)
        self._run(variables=variables)
        return self._complete(found, given)

    def _switch(self, task: Task, found: Attempt, given: dict[str, Any]) -> Attempt:
        if task.evaluator_type == "value-param":
            value = given.get(task.expression or "")
        else:
            answer = self._asked(found, 0, task.expression or "", given)
            if answer is None:
                return found if found.status == "IN_PROGRESS" else self._progress(found)
            if answer.error:
                return self._fail(found, f"expression: {answer.error}", terminal=True)
            value = answer.value
        chosen = _written(value)
        return self._complete(found, {"evaluationResult": [chosen], "selectedCase": chosen})

    def _fork(self, task: Task, found: Attempt, given: dict[str, Any]) -> Attempt:
        end = found.key[len(found.ref) :]
        taken = {one.ref for _, one in every(self._definition.tasks)}
        taken |= {one.ref for one in self._state.tasks.values() if one.key == one.ref + end}
        try:
            tasks = forked(task, given, taken)
        except Unforkable as error:
            return self._fail(found, str(error), terminal=True)
        refs = [one["taskReferenceName"] for one in tasks]
        return self._complete(found, {"forkedTasks": refs, "forkedTaskDefs": tasks})

    def _forked(self, found: Attempt) -> list[Task]:
        """The tasks that a dynamic fork was given."""
        known = self._state.forked.get(found.id)
        if known is None:
            output = found.output if isinstance(found.output, dict) else {}
            known = [
                msgspec.structs.replace(msgspec.convert(one, Task, strict=False), metadata=_GIVEN)
                for one in output.get("forkedTaskDefs", ())
            ]
            self._state.forked[found.id] = known
        return known

    def _wait(self, found: Attempt, given: dict[str, Any]) -> Attempt:
        duration, until = given.get("duration"), given.get("until")
        if duration is None and until is None:
            return self._progress(found)
        if duration is not None:
            # A whole number is one of seconds, as many write it.
            length = duration if isinstance(duration, int) and duration >= 0 else durations.seconds(str(duration))
            if length is None or length > durations.MOST_SECONDS:
                return self._fail(found, f"duration must be {durations.DURATION}.", terminal=True)
            due = self._now + length * 1000
        else:
            moment = durations.moment(str(until))
            if moment is None:
                return self._fail(found, f"until must be {durations.UNTIL}.", terminal=True)
            due = moment
        if due <= self._now:
            return self._complete(found, {})
        self._wake(due)
        return self._progress(found, due=due)

    def _start(self, task: Task, found: Attempt, given: dict[str, Any]) -> Attempt:
        run = self._state.run
        if run.depth >= MOST_DEPTH:
            return self._fail(
                found, f"{MOST_DEPTH} runs led to this one, each started by the one before: no further is started.",
                terminal=True,
            )  # fmt: skip
        if task.type == SUB:
            param = task.sub_workflow_param
            assert param is not None
            what: dict[str, Any] = {"name": param.name, "version": param.version}
            workflow = param.workflow_definition
            if isinstance(workflow, str):
                try:
                    workflow = resolve(workflow, self._data(iterations_of(found)), most=MOST_INPUT)
                except ExpressionError as error:
                    return self._fail(found, f"subWorkflowParam: {error}", terminal=True)
            if workflow is not None:
                what["workflow"] = workflow
            passed, correlation = given, run.correlation
        else:
            sent = given.get("startWorkflow")
            what = {name: sent.get(name) for name in ("name", "version")} if isinstance(sent, dict) else {}
            passed = (sent.get("input") if isinstance(sent, dict) else None) or {}
            correlation = str((sent.get("correlationId") if isinstance(sent, dict) else None) or "")
        if "workflow" not in what and not (isinstance(what.get("name"), str) and what["name"]):
            return self._fail(found, "It does not say which workflow is started, by name.", terminal=True)
        if what.get("version") is not None and not (isinstance(what["version"], int) and what["version"] > 0):
            return self._fail(found, "The version of a workflow must be a whole number from 1.", terminal=True)
        answer = self._asked(found, 0, "", what, "workflow")
        if answer is None:
            return self._state.tasks[found.key]
        if answer.error:
            return self._fail(found, answer.error, terminal=True)
        known: Found = answer.value
        waits = task.type == SUB
        id = self._tools.ids()
        self._starts.append(
            Start(
                id=id,
                name=known.name,
                version=known.version,
                digest=known.digest,
                input=passed,
                correlation=correlation,
                parent_task=found.id if waits else 0,
                depth=run.depth + 1,
            )
        )
        if waits:
            return self._progress(found, child=id, output={"subWorkflowId": str(id)})
        return self._complete(msgspec.structs.replace(found, child=id), {"workflowId": str(id)})

    def _terminate(self, found: Attempt, given: dict[str, Any]) -> Attempt:
        status = given.get("terminationStatus")
        if status not in ("COMPLETED", "FAILED", "TERMINATED"):
            return self._fail(found, "terminationStatus must be COMPLETED, FAILED or TERMINATED.", terminal=True)
        output = given.get("workflowOutput")
        self._complete(found, output if output is not None else {})
        reason = str(given.get("terminationReason") or "")
        self._run(output=self._output() if output is None else output)
        self._end(status, reason or f"It was ended by the task {found.key}.", keep_output=True)
        raise AssertionError("unreachable")

    # Loops and joins

    def _first_round(self, task: Task, found: Attempt, given: dict[str, Any]) -> Attempt:
        if task.items is None:
            return self._progress(found, output={"iteration": 1})
        try:
            items = self._value(task.items, iterations_of(found), "items", f"{found.key}~{found.retry}")
        except ExpressionError as error:
            return self._fail(found, str(error), terminal=True)
        except _Pending:
            return found
        if not isinstance(items, list):
            return self._fail(found, "items must be a list.", terminal=True)
        found = msgspec.structs.replace(found, input={**given, "items": items})
        if not items:
            return self._complete(found, {"iteration": 0})
        return self._progress(found, output={"iteration": 1, "loopItem": items[0], "loopIndex": 0})

    def _loop(self, task: Task, found: Attempt, iterations: tuple[int, ...]) -> Attempt:
        given = found.input if isinstance(found.input, dict) else {}
        items = given.get("items") if task.items is not None else None
        keep = given.get("keepLastN")
        keep = keep if isinstance(keep, int) and keep > 0 else 0
        while True:
            number = int(found.output["iteration"])
            inner = (*iterations, number)
            if not self._sequence(task.loop_over, inner):
                return found
            if items is not None:
                again = number < len(items)
            else:
                answer = self._asked(found, number, task.loop_condition or "", self._bindings(task, found, inner))
                if answer is None:
                    return found
                if answer.error:
                    return self._fail(found, f"loopCondition: {answer.error}", terminal=True)
                again = _written(answer.value) not in _CONDITION_FALSE
            if not again:
                return self._complete(found, {**self._rounds(task, iterations, number, keep), **found.output})
            if number >= MOST_ITERATIONS:
                return self._fail(found, f"It went round {MOST_ITERATIONS} times, which is the most.", terminal=True)
            if self._state.run.status == "PAUSED":
                return found
            if keep and number >= keep:
                self._forget_round(task, (*iterations, number + 1 - keep))
            output: dict[str, Any] = {"iteration": number + 1}
            if items is not None:
                output |= {"loopItem": items[number], "loopIndex": number}
            found = self._put(msgspec.structs.replace(found, output=output))

    def _bindings(self, task: Task, found: Attempt, inner: tuple[int, ...]) -> dict[str, Any]:
        """What a loop's condition sees: its input, its own output, and by name the outputs of this round."""
        outputs = {ref: one.output for ref, one in self._of_round(task, inner)}
        return {**(found.input or {}), **outputs, task.ref: found.output}

    def _of_round(self, task: Task, inner: tuple[int, ...]) -> Iterator[tuple[str, Attempt]]:
        end = suffix(inner)
        for ref in _refs(task.loop_over):
            one = self._state.tasks.get(ref + end)
            if one is not None:
                yield ref, one

    def _rounds(self, task: Task, iterations: tuple[int, ...], last: int, keep: int) -> dict[str, Any]:
        first = max(1, last - keep + 1) if keep else 1
        return {
            str(number): {ref: one.output for ref, one in self._of_round(task, (*iterations, number))}
            for number in range(first, last + 1)
        }

    def _forget_round(self, task: Task, inner: tuple[int, ...]) -> None:
        """A round of which nothing is needed any more; its rows stay."""
        for _, one in list(self._of_round(task, inner)):
            self._state.drop(one.key)

    def _undo_rounds(self, task: Task, iterations: tuple[int, ...]) -> None:
        """A loop is begun anew: what its rounds came to does not count, and what is open of it is not wanted."""
        refs = {one.ref for _, one in every(task.loop_over)}
        start = suffix(iterations)
        for one in [one for one in self._state.tasks.values() if one.ref in refs]:
            if one.key[len(one.ref) :].startswith(start):
                self._give_up(one, "Its loop began anew.")
                self._state.drop(one.key)

    def _give_up(self, task: Attempt, reason: str) -> None:
        """Nobody wants this attempt any more, if it is open."""
        if not task.open:
            return
        self._cancelled.append(task.id)
        if task.child and task.type == SUB:
            self._abandoned.append(task.child)
        self._put(msgspec.structs.replace(task, status="CANCELED", ended=self._now, reason=reason))

    def _join(
        self,
        task: Task,
        found: Attempt,
        iterations: tuple[int, ...],
        fork: tuple[list[list[Task]], list[bool]] | None,
    ) -> Attempt:
        end = suffix(iterations)
        branches, done = fork or ([], [])
        wanted = task.join_on or [branch[-1].ref for branch in branches if branch]
        over = {ref for branch, is_done in zip(branches, done, strict=True) if is_done for ref in _refs(branch)}
        joined: dict[str, Any] = {}
        errors = False
        for ref in wanted:
            if ref + end not in self._finished and ref not in over:
                return found
            one = self._state.tasks.get(ref + end)
            if one is not None:
                joined[ref] = one.output
                errors = errors or one.status == "COMPLETED_WITH_ERRORS"
        return self._complete(found, joined, status="COMPLETED_WITH_ERRORS" if errors else "COMPLETED")

    def _asked(
        self,
        found: Attempt,
        number: int,
        script: str,
        bindings: dict[str, Any],
        language: Literal["javascript", "workflow"] = "javascript",
    ) -> Answer | None:
        """What was said, or None: then it is asked."""
        key = f"{found.id} {number}"
        answer = self._tools.answers.get(key)
        if answer is None:
            self._asks[key] = Ask(key=key, language=language, script=script, bindings=bindings)
        return answer

    # Time limits of tasks

    def _limit_tasks(self) -> None:
        for key in list(self._state.open):
            task = self._state.tasks[key]
            policy = task.policy
            if policy is None:
                continue
            begun = task.started or task.scheduled
            if policy.total_timeout_seconds:
                end = (task.first or task.scheduled) + policy.total_timeout_seconds * 1000
                self._limit(task, end, f"All its attempts together took longer than {policy.total_timeout_seconds} s.")
            if policy.response_timeout_seconds and task.type == HTTP and task.started:
                end = task.started + policy.response_timeout_seconds * 1000
                self._limit(task, end, f"There was no answer within {policy.response_timeout_seconds} s.")
            task = self._state.tasks[key]
            if not policy.timeout_seconds or not task.open or task.alerted or (not task.started and task.due):
                continue
            end = begun + policy.timeout_seconds * 1000
            text = f"It took longer than {policy.timeout_seconds} s."
            if policy.timeout_policy == "ALERT_ONLY" and self._now >= end:
                self._alerts.append(f"Task {key}: {text}")
                self._put(msgspec.structs.replace(task, alerted=True))
            elif policy.timeout_policy == "TIME_OUT_WF" and self._now >= end:
                self._limit(task, end, text)
                self._end("TIMED_OUT", f"Task {key} timed out: {text}", failed=task.id)
            else:
                self._limit(task, end, text)

    def _limit(self, task: Attempt, end: int, text: str) -> None:
        """This attempt is over at `end`, unless it is before."""
        if self._now < end:
            self._wake(end)
            return
        if not self._state.tasks[task.key].open:
            return
        self._cancelled.append(task.id)
        if task.child and task.type == SUB:
            self._abandoned.append(task.child)
        self._put(msgspec.structs.replace(task, status="TIMED_OUT", ended=self._now, reason=text))

    # Small things

    def _policy(self, task: Task) -> Policy:
        return policy_of(task, self._tools.policies)

    def _data(self, iterations: tuple[int, ...]) -> Data:
        return Data(self._state, iterations, self._tools.env)

    def _put(self, task: Attempt) -> Attempt:
        self._state.put(task)
        return task

    def _progress(self, found: Attempt, **changes: Any) -> Attempt:
        return self._put(msgspec.structs.replace(found, status="IN_PROGRESS", **changes))

    def _complete(self, found: Attempt, output: Any, *, status: Status = "COMPLETED") -> Attempt:
        return self._put(msgspec.structs.replace(found, status=status, output=output, ended=self._now))

    def _fail(self, found: Attempt, reason: str, *, terminal: bool = False) -> Attempt:
        status: Status = "FAILED_WITH_TERMINAL_ERROR" if terminal else "FAILED"
        started = found.started or self._now
        return self._put(msgspec.structs.replace(found, status=status, reason=reason, started=started, ended=self._now))

    def _run(self, **changes: Any) -> None:
        self._state.run = msgspec.structs.replace(self._state.run, **changes)

    def _wake(self, moment: int) -> None:
        if moment > self._now:
            self._due = min(self._due or moment, moment)


_GIVEN: dict[str, Any] = {"given": True}
"""Marks tasks whose input was given by a dynamic fork: it is data, in which nothing is looked for."""


def _refs(tasks: list[Task]) -> Iterator[str]:
    """The names of tasks, nested ones too, but not those of loops within, which have iterations of their own."""
    for task in tasks:
        yield task.ref
        for place, nested in task.nested():
            if place != "loopOver":
                yield from _refs(nested)


def _case(task: Task, found: Attempt) -> list[Task]:
    output = found.output if isinstance(found.output, dict) else {}
    return task.decision_cases.get(str(output.get("selectedCase")), task.default_case)


def _written(value: Any) -> str:
    """A value as the name of a case: as JSON, a text as it is."""
    if isinstance(value, str):
        return value
    return encode(value).decode()
