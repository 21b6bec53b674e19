"""All that a definition has and stock Conductor OSS lacks or treats otherwise: the one list. Pure.

Whoever tells it (lint) and whoever makes a form without it (export) both go by `lacks`, so that neither knows of a
thing that the other does not.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from offhook.kit.errors import shown
from offhook.workflows.definitions import durations
from offhook.workflows.definitions.checked import Checked
from offhook.workflows.definitions.kinds import JSONATA
from offhook.workflows.definitions.lack import Lack, Mend
from offhook.workflows.definitions.lacking_http import lacks_of_requests, lenient
from offhook.workflows.definitions.places import JSONATA as JSONATA_BEGIN
from offhook.workflows.definitions.places import Reference, references, second
from offhook.workflows.definitions.steps import Step, every, tree

_NAME = re.compile(r"[A-Za-z0-9_<>{}#\s-]+")
_STOCK_UNTIL = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2} [A-Za-z]\S*")
_ENVIRONMENT = re.compile(r"workflow\.(?:secrets|env)\.([\w.\-]+)", re.ASCII)
_ITERATION = re.compile(r"__\d+$")
_WORD = re.compile(r"[A-Za-z0-9_-]+")
_READ = re.compile(r"""\$(?:\.([A-Za-z_]\w*)|\[\s*['"]([^'"\]]{1,255})['"]\s*\])""")


def lacks(raw: Mapping[str, Any]) -> Iterator[Lack]:
    """Each thing, in the order of reading. `raw` keeps the rules, and is what the mends of the things change.

    Mends are to be carried out after all of them were asked for, in this order.
    """
    if not raw.get("ownerEmail"):
        stock = "It refuses the definition if conductor.app.ownerEmailMandatory is on."
        yield Lack("no_owner", "ownerEmail", "There is no ownerEmail.", stock)
    name = raw.get("name")
    if isinstance(name, str) and not _NAME.fullmatch(name):
        text = "The name has other signs than letters, digits, spaces and _ < > { } # -."
        yield Lack("name_pattern", "name", text, "It refuses the definition if name validation is on.")
    yield from _Definition(raw, "").lacks()


class _Definition:
    """One definition; `prefix` is where it stands, if it is written out within another."""

    def __init__(self, raw: Mapping[str, Any], prefix: str) -> None:
        self._raw, self._prefix = raw, prefix
        self._steps = tree(Checked(), raw)
        for step in every(self._steps):
            step.place = f"{prefix}{step.place}"
        self._lenient = frozenset(step.ref for step in every(self._steps) if lenient(step))
        self._gathering = frozenset(step.ref for step in every(self._steps) if step.type in ("JOIN", "DO_WHILE"))

    def lacks(self) -> Iterator[Lack]:
        for name in ("inputTemplate", "variables"):
            yield from _numbers(self._raw.get(name), f"{self._prefix}{name}")
        yield from self._sequence(self._steps, looped=False)
        yield from self._values(self._raw.get("outputParameters"), f"{self._prefix}outputParameters")

    def _sequence(self, steps: list[Step], looped: bool) -> Iterator[Lack]:
        before: Step | None = None
        for step in steps:
            yield from self._task(step, looped)
            if step.type == "JOIN" and before is not None and before.type == "FORK_JOIN":
                yield from _of_join(step, before)
            for _, inner in step.inside:
                yield from self._sequence(inner, looped or step.type == "DO_WHILE")
            before = step

    def _task(self, step: Step, looped: bool) -> Iterator[Lack]:
        yield from lacks_of_requests(step, looped)
        yield from _of_type(step)
        if step.type == "DO_WHILE":
            yield from self._of_condition(step)
        for name in ("inputParameters", "items"):
            yield from self._values(step.raw.get(name), f"{step.place}.{name}")
        policy = step.raw.get("taskDefinition")
        if isinstance(policy, dict):
            yield from self._values(policy.get("inputTemplate"), f"{step.place}.taskDefinition.inputTemplate")
        param = step.raw.get("subWorkflowParam")
        if isinstance(param, dict):
            at, inner = f"{step.place}.subWorkflowParam", param.get("workflowDefinition")
            yield from self._values({name: one for name, one in param.items() if one is not inner}, at)
            if isinstance(inner, dict):
                yield from _Definition(inner, f"{at}.workflowDefinition.").lacks()
            else:
                yield from self._values(inner, f"{at}.workflowDefinition")

    def _values(self, value: Any, place: str) -> Iterator[Lack]:
        for one in references(value, place):
            yield from self._reference(one)
        yield from _numbers(value, place)

    def _reference(self, one: Reference) -> Iterator[Lack]:
        told = shown(f"${{{one.expression}}}")
        if one.expression.lstrip().startswith(JSONATA_BEGIN):
            stock = "It takes it for a path that leads nowhere, which gives null."
            yield Lack("jsonata", one.place, "The expression is JSONata.", stock)
            return
        step = second(one.expression)
        for name, variable in (("secrets", "CONDUCTOR_SECRET_"), ("env", "CONDUCTOR_ENV_")):
            if one.root == "workflow" and step == name:
                match = _ENVIRONMENT.match(one.expression)
                own = shown(match[1]) if match else "NAME"
                stock = f"It reads the environment variable {variable}{own} of the server."
                yield Lack(f"reads_{name}", one.place, f"It reads {told}.", stock)
        ref = _ITERATION.sub("", one.root)
        if ref in self._lenient and step == "output":
            yield _failed_response(one.place, told, ref)
        elif ref in self._gathering:
            for inner in sorted(self._lenient & set(_WORD.findall(one.expression[len(one.root) :]))):
                yield _failed_response(one.place, told, inner)

    def _of_condition(self, step: Step) -> Iterator[Lack]:
        within = {one.ref for _, tasks in step.inside for one in every(tasks)}
        read = {match[1] or match[2] for match in _READ.finditer(step.text("loopCondition"))}
        for ref in sorted(read & within & self._lenient):
            yield _failed_response(f"{step.place}.loopCondition", f"$.{shown(ref)}", ref)


def _failed_response(place: str, told: str, ref: str) -> Lack:
    text = f"{told} reads the answer of a call that may have failed ({shown(ref)})."
    stock = "There output.response of a failed call is a text: its statusCode, headers and body are null."
    return Lack("failed_response", place, text, stock)


def _of_type(step: Step) -> Iterator[Lack]:
    at, raw = f"{step.place}.inputParameters", step.raw.get("inputParameters")
    inputs: dict[str, Any] = raw if isinstance(raw, dict) else {}
    if step.type == "INLINE" and inputs.get("evaluatorType") == JSONATA:
        stock = "It knows no such evaluator: the task fails. Write the expression in JavaScript."
        yield Lack("jsonata", f"{at}.evaluatorType", "The expression is JSONata.", stock)
    if step.type == "TERMINATE" and inputs.get("terminationStatus") == "TERMINATED":

        def end_failed() -> str:
            inputs["terminationStatus"] = "FAILED"
            return "FAILED stands for TERMINATED."

        stock = "It takes COMPLETED and FAILED only, and may refuse the task."
        mend = Mend("status_changed", end_failed)
        yield Lack("status_terminated", f"{at}.terminationStatus", "The workflow ends as TERMINATED.", stock, mend)
    until = inputs.get("until")
    if step.type == "WAIT" and isinstance(until, str) and "${" not in until:
        yield from _of_moment(inputs, until, f"{at}.until")


def _of_moment(inputs: dict[str, Any], until: str, place: str) -> Iterator[Lack]:
    moment = durations.moment(until)

    def rewrite() -> str:
        # Stock waits are exact to the minute; one that began sooner could be over too soon.
        minutes = -(-(moment or 0) // 60_000)
        inputs["until"] = datetime.fromtimestamp(minutes * 60, UTC).strftime("%Y-%m-%d %H:%M UTC")
        return f"{inputs['until']} stands for {until[:100]}."

    mend = Mend("until_rewritten", rewrite) if moment is not None else None
    if not durations.has_zone(until):
        text, stock = "The moment has no zone; UTC is taken.", "It takes the zone that its machine is set to."
        yield Lack("until_without_zone", place, text, stock, mend)
    elif not _STOCK_UNTIL.fullmatch(until.strip()):
        text, stock = "The moment is written in another form than yyyy-MM-dd HH:mm z.", "It fails the task."
        yield Lack("until_form", place, text, stock, mend)


def _of_join(join: Step, fork: Step) -> Iterator[Lack]:
    """A JOIN behind branches that the definition writes."""
    at, raw = f"{join.place}.joinOn", join.raw
    lasts = [branch[-1] for branch in fork.sequence("forkTasks") if branch]
    on = raw.get("joinOn")
    if not on:

        def fill() -> str:
            assert isinstance(raw, dict)
            raw["joinOn"] = [step.ref for step in lasts]
            return "The last task of each branch was written into it."

        text = "Without joinOn the JOIN waits for all branches."
        yield Lack("join_on_missing", at, text, "It waits for nothing, and goes on at once.", Mend("join_filled", fill))
    named = {one for one in on if isinstance(one, str)} if isinstance(on, list) and on else {one.ref for one in lasts}
    for branch in fork.sequence("forkTasks"):
        for step in every(branch):
            if step.type != "SWITCH":
                continue
            if step.ref in named:
                text = f"The JOIN waits for the case that {shown(step.ref)} comes to."
                stock = "It waits for the SWITCH alone, not for its case: put a NOOP behind it, and join on that."
                yield Lack("join_on_switch", at, text, stock)
            for inner in sorted({one.ref for _, tasks in step.inside for one in every(tasks)} & named):
                text = f"The JOIN waits for {shown(inner)} only if its case is taken."
                stock = "It waits for ever if another case is: put a NOOP behind the SWITCH, and join on that."
                yield Lack("join_on_case", at, text, stock)


def _numbers(value: Any, place: str) -> Iterator[Lack]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _numbers(inner, f"{place}.{shown(name)}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _numbers(inner, f"{place}[{number}]")
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        yield Lack("large_number", place, f"{shown(str(value))} is beyond 64 bits.", "It may round the number.")
