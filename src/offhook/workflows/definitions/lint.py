"""What of a definition a stock Conductor server lacks or treats otherwise, and the form that it takes safely. Pure.

`lint` tells it, with what such a server would do; `exported` makes the other form, and says what was lost on the way.
"""

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from offhook.kit.errors import Notice
from offhook.workflows.definitions import durations
from offhook.workflows.definitions.checked import Checked
from offhook.workflows.definitions.http import EXTENSIONS, REPEATED_WITH_CARE, request_of
from offhook.workflows.definitions.kinds import JSONATA
from offhook.workflows.definitions.places import JSONATA as JSONATA_BEGIN
from offhook.workflows.definitions.places import references
from offhook.workflows.definitions.steps import Step, every, tree

MOST = 500
_NAME = re.compile(r"[A-Za-z0-9_<>{}#\s-]+")
_STOCK_UNTIL = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2} [A-Za-z]\S*")

_IGNORED: Mapping[str, str] = {
    "acceptedStatusCodes": "It ignores the field: only 200 to 299 complete the task, all else fails it.",
    "finalStatusCodes": "It ignores the field: the task is tried again as its policy says.",
    "credential": "It ignores the field: the request goes out without the credential.",
    "retryAfter": "It ignores the field, and Retry-After too: attempts follow the task definition's delays.",
    "pagination": "It ignores the field: only the first page is asked for.",
    "idempotencyKey": "It ignores the field: a repeated attempt carries no key.",
    "rateLimit": "It ignores the field; it has rateLimitPerFrequency of a registered task definition instead.",
    "hostConcurrency": "It ignores the field; it has concurrentExecLimit of a registered task definition instead.",
    "followRedirects": "It ignores the field; redirects of GET are followed, others are not.",
    "maxBytes": "It ignores the field; its own limit of a payload holds (3 MB in the open, 10 MB at most).",
}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing at `place`: what it is, and what stock Conductor OSS would do. A code never changes its meaning."""

    code: str
    place: str
    text: str
    stock: str


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """A definition for a stock server, and what is to be said of each change."""

    raw: dict[str, Any]
    notices: tuple[Notice, ...]


def lint(raw: Mapping[str, Any]) -> list[Finding]:
    """The findings of a definition that keeps the rules, in the order of reading."""
    found = list(_of_definition(raw))
    for step, looped in _steps(raw):
        found += _of_task(step, looped)
        if len(found) > MOST:
            break
    return found[:MOST]


def _steps(raw: Mapping[str, Any]) -> Iterator[tuple[Step, bool]]:
    """All tasks, those of workflows written out within others too, each with whether it is within a loop."""
    steps = tree(Checked(), raw)
    within = {id(one) for step in every(steps) if step.type == "DO_WHILE" for one in every([step]) if one is not step}
    for step in every(steps):
        yield step, id(step) in within
        param = step.raw.get("subWorkflowParam")
        inner = param.get("workflowDefinition") if isinstance(param, dict) else None
        if isinstance(inner, dict):
            for one, looped in _steps(inner):
                one.place = f"{step.place}.subWorkflowParam.workflowDefinition.{one.place}"
                yield one, looped


def _of_definition(raw: Mapping[str, Any]) -> Iterator[Finding]:
    if not raw.get("ownerEmail"):
        text, stock = "There is no ownerEmail.", "It refuses the definition if conductor.app.ownerEmailMandatory is on."
        yield Finding(code="no_owner", place="ownerEmail", text=text, stock=stock)
    name = raw.get("name")
    if isinstance(name, str) and not _NAME.fullmatch(name):
        text = "The name has other signs than letters, digits, spaces and _ < > { } # -."
        stock = "It refuses the definition if name validation is on."
        yield Finding(code="name_pattern", place="name", text=text, stock=stock)


def _of_task(step: Step, looped: bool) -> Iterator[Finding]:
    at = f"{step.place}.inputParameters"
    if step.type == "HTTP":
        yield from _of_http(step, at)
    kind = step.inputs.get("evaluatorType")
    if step.type == "INLINE" and kind == JSONATA:
        stock = "It knows no such evaluator: the task fails."
        yield Finding(code="jsonata", place=f"{at}.evaluatorType", text="The expression is JSONata.", stock=stock)
    if step.type == "TERMINATE" and step.inputs.get("terminationStatus") == "TERMINATED":
        text, stock = "The workflow ends as TERMINATED.", "It takes COMPLETED and FAILED only, and may refuse the task."
        yield Finding(code="status_terminated", place=f"{at}.terminationStatus", text=text, stock=stock)
    until = step.inputs.get("until")
    if step.type == "WAIT" and isinstance(until, str) and "${" not in until:
        if not durations.has_zone(until):
            text, stock = "The moment has no zone; UTC is taken.", "It takes the zone that its machine is set to."
            yield Finding(code="until_without_zone", place=f"{at}.until", text=text, stock=stock)
        elif not _STOCK_UNTIL.fullmatch(until.strip()):
            text, stock = "The moment is written in another form than yyyy-MM-dd HH:mm z.", "It fails the task."
            yield Finding(code="until_form", place=f"{at}.until", text=text, stock=stock)
    for one in references(step.inputs, at):
        if one.expression.startswith(JSONATA_BEGIN):
            text, stock = "The expression is JSONata.", "It takes it for a path that leads nowhere, which gives null."
            yield Finding(code="jsonata", place=one.place, text=text, stock=stock)
        for name, variable in (("secrets", "CONDUCTOR_SECRET_"), ("env", "CONDUCTOR_ENV_")):
            if one.expression.startswith(f"workflow.{name}."):
                own = one.expression.split(".")[2]
                text = f"It reads ${{{one.expression[:100]}}}."
                stock = f"It reads the environment variable {variable}{own[:100]} of the server."
                yield Finding(code=f"reads_{name}", place=one.place, text=text, stock=stock)
    for place, number in _numbers(step.inputs, at):
        text, stock = f"{number} is beyond 64 bits.", "It may round the number."
        yield Finding(code="large_number", place=place, text=text, stock=stock)


def _of_http(step: Step, at: str) -> Iterator[Finding]:
    request, nested = request_of(step.inputs)
    if not isinstance(request, dict):
        return
    at = f"{at}{nested}"
    for name, means in EXTENSIONS.items():
        if request.get(name) is not None:
            text = f"{name} is an addition of this server: {means}."
            yield Finding(code="extension", place=f"{at}.{name}", text=text, stock=_IGNORED[name])
    headers = request.get("headers")
    for header, value in headers.items() if isinstance(headers, dict) else ():
        if isinstance(value, list):
            text, stock = "A header's value is a list.", 'It sends the list as one text, "[a, b]".'
            yield Finding(code="header_list", place=f"{at}.headers.{header[:100]}", text=text, stock=stock)
    policy = step.raw.get("taskDefinition")
    repeated = step.raw.get("retryCount") or (isinstance(policy, dict) and policy.get("retryCount", 3))
    if repeated and request.get("method") in REPEATED_WITH_CARE and "idempotencyKey" not in request:
        text = "A repeated attempt carries the same Idempotency-Key here."
        stock = "It sends no such key: what a lost answer had done already may be done twice."
        yield Finding(code="no_idempotency_key", place=at, text=text, stock=stock)


def _numbers(value: Any, place: str) -> Iterator[tuple[str, int]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _numbers(inner, f"{place}.{name[:100]}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _numbers(inner, f"{place}[{number}]")
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        yield place, value


def exported(raw: Mapping[str, Any]) -> Exported:
    """The definition in the form that a stock server takes safely. `raw` keeps the rules, and stays as it is."""
    made = copy.deepcopy(dict(raw))
    notices: list[Notice] = []

    def say(place: str, code: str, text: str) -> None:
        if len(notices) < MOST:
            notices.append(Notice(code, place, text))

    for step, looped in _steps(made):
        inputs = step.raw.get("inputParameters")
        if not isinstance(inputs, dict):
            continue
        at = f"{step.place}.inputParameters"
        if step.type == "HTTP":
            _export_http(step, inputs, at, looped, say)
        elif step.type == "TERMINATE" and inputs.get("terminationStatus") == "TERMINATED":
            inputs["terminationStatus"] = "FAILED"
            say(f"{at}.terminationStatus", "status_changed", "FAILED stands for TERMINATED.")
        elif step.type == "INLINE" and inputs.get("evaluatorType") == JSONATA:
            say(
                f"{at}.evaluatorType", "not_exported", "JSONata does not run there; write the expression in JavaScript."
            )
        elif step.type == "WAIT":
            _export_wait(inputs, at, say)
    return Exported(raw=made, notices=tuple(notices))


Say = Callable[[str, str, str], None]


def _export_http(step: Step, inputs: dict[str, Any], at: str, looped: bool, say: Say) -> None:
    request, nested = request_of(inputs)
    if not isinstance(request, dict):
        return
    at = f"{at}{nested}"
    key = request.get("idempotencyKey")
    for name in EXTENSIONS:
        if name in request:
            del request[name]
            say(f"{at}.{name}", "left_out", f"{name} was left out. {_IGNORED[name]}")
    headers = request.get("headers")
    if isinstance(key, str) and not looped and isinstance(headers, dict | None):
        # The same over all attempts of the task, and another in each run; in a loop it would be the same in each turn.
        request["headers"] = {**(headers or {}), key: f"${{workflow.workflowId}}-{step.ref}"}
        say(f"{at}.headers.{key}", "header_added", "The key is made of the run's id and the task's reference name.")
    elif isinstance(headers, dict):
        request["headers"] = dict(headers)
    for header, value in list((request.get("headers") or {}).items()) if isinstance(headers, dict) else ():
        if isinstance(value, list):
            request["headers"][header] = ", ".join(map(str, value))
            say(f"{at}.headers.{header[:100]}", "header_joined", "The list's entries were joined by commas.")


def _export_wait(inputs: dict[str, Any], at: str, say: Say) -> None:
    until = inputs.get("until")
    if not isinstance(until, str) or "${" in until or _STOCK_UNTIL.fullmatch(until.strip()):
        return
    moment = durations.moment(until)
    if moment is not None:
        # Stock waits are exact to the minute; one that began sooner could be over too soon.
        minutes = -(-moment // 60_000)
        inputs["until"] = datetime.fromtimestamp(minutes * 60, UTC).strftime("%Y-%m-%d %H:%M UTC")
        say(f"{at}.until", "until_rewritten", f"{inputs['until']} stands for {until[:100]}.")
