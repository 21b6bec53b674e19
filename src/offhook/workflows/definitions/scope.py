"""What a definition's expressions may speak of: names that exist, and tasks that can have run by then. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from offhook.kit.errors import shown
from offhook.workflows.definitions.checked import Checked
from offhook.workflows.definitions.places import JSONATA, Reference, references, second, texts, unclosed
from offhook.workflows.definitions.steps import Step, every

OF_WORKFLOW = frozenset({
    "input", "output", "status", "workflowId", "parentWorkflowId", "parentWorkflowTaskId", "workflowType", "version",
    "correlationId", "reasonForIncompletion", "schemaVersion", "variables", "env", "secrets", "createTime", "startTime",
    "endTime", "taskToDomain", "failedReferenceTaskNames", "metadata",
})  # fmt: skip
OF_TASK = frozenset({
    "input", "output", "status", "taskId", "taskType", "taskDefName", "referenceTaskName", "retryCount", "startTime",
    "endTime", "updateTime", "scheduledTime", "iteration", "seq", "pollCount", "reasonForIncompletion", "workerId",
    "retriedTaskId", "callbackAfterSeconds", "correlationId", "workflowInstanceId",
})  # fmt: skip
_BOUND = re.compile(r"\(\s*\$\s*\)\s*(?:\{|=>)|(?:var|let|const)\s+\$\s*=")
"""What gives $ another meaning in a script."""
_ITERATION = re.compile(r"__\d+$")
_SENT = re.compile(r"inputParameters\.(?:http_request\.)?(?:uri|body|headers)(?![A-Za-z0-9_])")
_SENT_BY_BRANCHES = re.compile(r"inputParameters\..+\.(?:uri|body|headers)(?![A-Za-z0-9_])")
_READ = re.compile(r"""\$(?:\.([A-Za-z_]\w*)|\[\s*['"]([^'"\]]{1,255})['"]\s*\])""")


class Scope:
    """Checks the references of one definition. `prefix` is where it stands, if it is within another."""

    def __init__(self, found: Checked, raw: Mapping[str, Any], steps: list[Step], prefix: str = "") -> None:
        self._found, self._raw, self._steps, self._prefix = found, raw, steps, prefix
        self._all = {step.ref for step in every(steps) if step.ref}
        self._inputs = self._declared("inputParameters") | self._declared("inputTemplate")
        self._told = bool(self._declared("inputParameters"))
        self._variables = self._declared("variables")
        for step in every(steps):
            if step.type == "SET_VARIABLE":
                self._variables |= set(step.inputs)

    def check(self) -> None:
        """Every expression of the tasks and of the output."""
        self._sequence(self._steps, frozenset())
        at = f"{self._prefix}outputParameters"
        self._value(self._raw.get("outputParameters"), at, frozenset(self._all))
        self._secrets(None, self._raw.get("outputParameters"), "outputParameters")
        for name in ("inputTemplate", "variables"):
            for one in references(self._raw.get(name), f"{self._prefix}{name}"):
                text = "Nothing is put in for expressions here; they stay as they are written."
                self._found.notice(one.place, "expression_not_filled", text)

    def _declared(self, name: str) -> set[str]:
        value = self._raw.get(name)
        return {one for one in value if isinstance(one, str)} if isinstance(value, list | dict) else set()

    def _sequence(self, steps: list[Step], before: frozenset[str]) -> frozenset[str]:
        """Check steps that come after those named `before`; gives the names that what follows them may read."""
        for step in steps:
            inner = frozenset(one.ref for _, tasks in step.inside for one in every(tasks))
            loop = step.type == "DO_WHILE"
            self._task(step, before | {step.ref} | inner if loop else before)
            for _, tasks in step.inside:
                # What a loop did in the iteration before is still there.
                self._sequence(tasks, before | {step.ref} | (inner if loop else frozenset()))
            if step.ref:
                before |= {step.ref}
            before |= inner
        return before

    def _task(self, step: Step, before: frozenset[str]) -> None:
        for name in ("inputParameters", "items", "subWorkflowParam", "startDelay"):
            value = step.raw.get(name)
            if name == "subWorkflowParam" and isinstance(value, dict):
                value = {key: one for key, one in value.items() if not isinstance(one, dict)}
            self._value(value, f"{step.place}.{name}", before)
            self._secrets(step, value, name)
        for name in ("expression", "loopCondition"):
            text = step.text(name)
            if "${" in text:
                self._value(text, f"{step.place}.{name}", before)
        if step.type == "DO_WHILE":
            self._condition(step, "loopCondition", before | set(step.inputs))
        elif step.type == "SWITCH" and step.text("evaluatorType") in ("javascript", "graaljs"):
            self._condition(step, "expression", frozenset(step.inputs))

    def _condition(self, step: Step, name: str, readable: frozenset[str]) -> None:
        if _BOUND.search(step.text(name)):
            return
        for match in _READ.finditer(step.text(name)):
            read = match[1] or match[2]
            if read in readable:
                continue
            where = "the inputParameters" if name == "expression" else "the inputParameters or tasks of the loop"
            near = self._found.near(read, readable)
            text = f"Reads $.{shown(read)}, which is not among {where}: it is always undefined.{near}"
            self._found.notice(f"{step.place}.{name}", "condition_reads_unknown", text)

    def _value(self, value: Any, place: str, before: frozenset[str]) -> None:
        for one in references(value, place):
            self._reference(one, before)
        for where, text in texts(value, place):
            if "${" in text and unclosed(text):
                self._found.notice(where, "expression_not_closed", "A ${ has no closing brace; it is taken as text.")

    def _secrets(self, step: Step | None, value: Any, name: str) -> None:
        """Say of secrets where none is put in: anywhere but in the requests that the definition writes."""
        sent = {"HTTP": _SENT, "FORK_JOIN_DYNAMIC": _SENT_BY_BRANCHES}.get(step.type) if step else None
        for one in references(value, name):
            if one.root != "workflow" or second(one.expression) != "secrets" or (sent and sent.match(one.place)):
                continue
            text = (
                f"No secret is put in here: it stays the text ${{{shown(one.expression)}}}, and an HTTP task that is "
                "to send that fails. Write it into the uri, the headers or the body of the HTTP task that sends it."
            )
            place = f"{step.place}.{one.place}" if step else f"{self._prefix}{one.place}"
            self._found.notice(place, "secret_not_put_in", text)

    def _reference(self, one: Reference, before: frozenset[str]) -> None:
        place, name = one.place, one.root
        told = "${" + one.expression + "}"
        if not one.expression.strip():
            self._found.notice(place, "expression_empty", "${} is an empty text; write what it stands for.")
            return
        if one.expression.startswith(JSONATA) or ("${" in one.expression and not name):
            return
        if any(sign.isspace() for sign in one.expression.partition("${")[0]):
            text = "An expression has no spaces; leave them out, and give tasks reference names without any."
            self._found.fault(place, "expressionWithSpaces", text, told)
        elif name == "workflow":
            self._workflow(one, told)
        elif name not in self._all and _ITERATION.sub("", name) not in self._all:
            near = self._found.near(name, ("workflow", *sorted(self._all)))
            text = f"There is no task with the reference name {shown(name)}.{near}"
            text += " Expressions begin with workflow or with the taskReferenceName of a task."
            self._found.fault(place, "unknownReference", text, told)
        elif name not in before and _ITERATION.sub("", name) not in before:
            text = f"{told[:120]} is always null here: {shown(name)} runs later, in another case or in another branch."
            self._found.notice(place, "reference_never_set", text)
        else:
            self._second(one, OF_TASK, "a task", told)

    def _workflow(self, one: Reference, told: str) -> None:
        self._second(one, OF_WORKFLOW, "a workflow", told)
        steps = re.match(r"workflow\.(input|variables)\.([A-Za-z_][\w-]*)", one.expression)
        if steps is None:
            return
        name = shown(steps[2])
        if steps[1] == "input" and self._told and steps[2] not in self._inputs:
            near = self._found.near(name, self._inputs)
            text = f"{name} is not among the inputParameters that the definition names.{near}"
            self._found.notice(one.place, "input_not_declared", text)
        if steps[1] == "variables" and steps[2] not in self._variables:
            near = self._found.near(name, self._variables)
            text = f"No SET_VARIABLE sets {name}, so that it is always null.{near}"
            self._found.notice(one.place, "variable_never_set", text)

    def _second(self, one: Reference, known: frozenset[str], of: str, told: str) -> None:
        step = second(one.expression)
        if step and step not in known:
            near = self._found.near(step, known)
            text = f"{told[:120]}: {shown(step)} is no field of {of}, so that it is always null.{near}"
            self._found.notice(one.place, "unknown_path", text)
