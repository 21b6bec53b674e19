"""What a definition wants of the server that it is to run on: scripts that are read, and things that are there. Pure.

Each with its place. What is known at run time only (a name with an expression in it) is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from offhook.workflows.definitions.checked import Checked
from offhook.workflows.definitions.http import request_of
from offhook.workflows.definitions.kinds import JAVASCRIPT, JSONATA, templated
from offhook.workflows.definitions.model import Policy
from offhook.workflows.definitions.places import JSONATA as JSONATA_INSIDE
from offhook.workflows.definitions.places import references
from offhook.workflows.definitions.steps import Step, every, tree
from offhook.workflows.expressions.scripts import Language

MOST_SUBS = 8


class Script(NamedTuple):
    """A script at its place."""

    place: str
    language: Language
    source: str


class Named(NamedTuple):
    """Another workflow, by name; `version` is None for the latest."""

    place: str
    name: str
    version: int | None


class Target(NamedTuple):
    """Where a request goes, as far as that is written out."""

    place: str
    host: str
    port: int


@dataclass(slots=True)
class Wants:
    """All of it, in the order of reading. `credentials` are names by their places."""

    scripts: list[Script] = field(default_factory=list)
    workflows: list[Named] = field(default_factory=list)
    credentials: list[tuple[str, str]] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)


def wants_of(raw: Mapping[str, Any], policies: Mapping[str, Policy]) -> Wants:
    """What a definition wants, whatever types it has; workflows that are written out within it too."""
    found = Wants()
    _definition(found, raw, "", policies, 0)
    return found


def _definition(found: Wants, raw: Mapping[str, Any], prefix: str, policies: Mapping[str, Policy], depth: int) -> None:
    for step in every(tree(Checked(), raw)):
        step.place = f"{prefix}{step.place}"
        given = {name: value for name, value in step.inputs.items() if value is not None}
        _task(found, step, {**templated(step, policies), **given})
        param = step.raw.get("subWorkflowParam")
        inner = param.get("workflowDefinition") if isinstance(param, dict) else None
        if isinstance(inner, dict) and depth < MOST_SUBS:
            _definition(found, inner, f"{step.place}.subWorkflowParam.workflowDefinition.", policies, depth + 1)
    _jsonata(found, raw.get("outputParameters"), f"{prefix}outputParameters")
    _workflow(found, f"{prefix}failureWorkflow", raw.get("failureWorkflow"), raw.get("failureWorkflowVersion"))


def _task(found: Wants, step: Step, inputs: Mapping[str, Any]) -> None:
    at = f"{step.place}.inputParameters"
    _jsonata(found, step.raw.get("inputParameters"), at)
    match step.type:
        case "INLINE":
            kind = inputs.get("evaluatorType")
            if kind in JAVASCRIPT or kind == JSONATA:
                _script(found, f"{at}.expression", "jsonata" if kind == JSONATA else "js", inputs.get("expression"))
        case "JSON_JQ_TRANSFORM":
            _script(found, f"{at}.queryExpression", "jq", inputs.get("queryExpression"))
        case "SWITCH" if step.text("evaluatorType") in JAVASCRIPT:
            _script(found, f"{step.place}.expression", "js", step.raw.get("expression"))
        case "DO_WHILE" if step.text("evaluatorType") in ("", *JAVASCRIPT):
            _script(found, f"{step.place}.loopCondition", "js", step.raw.get("loopCondition"))
        case "SUB_WORKFLOW":
            param = step.raw.get("subWorkflowParam")
            if isinstance(param, dict) and not param.get("workflowDefinition"):
                _workflow(found, f"{step.place}.subWorkflowParam.name", param.get("name"), param.get("version"))
        case "START_WORKFLOW":
            start = inputs.get("startWorkflow")
            if isinstance(start, dict) and not start.get("workflowDef"):
                _workflow(found, f"{at}.startWorkflow.name", start.get("name"), start.get("version"))
        case "HTTP":
            _request(found, at, inputs)


def _request(found: Wants, at: str, inputs: Mapping[str, Any]) -> None:
    request, nested = request_of(inputs)
    if not isinstance(request, dict):
        return
    name = request.get("credential")
    if isinstance(name, str) and _written(name):
        found.credentials.append((f"{at}{nested}.credential", name.strip()))
    uri = request.get("uri")
    if isinstance(uri, str) and (where := _host(uri.strip())):
        found.targets.append(Target(f"{at}{nested}.uri", *where))


def _host(uri: str) -> tuple[str, int] | None:
    """The host and port of an address, if no expression stands in them."""
    known, expression, _ = uri.partition("${")
    begin = known.find("://") + 3
    if expression and "/" not in known[begin:]:
        return None
    try:
        parts = urlsplit(known)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    return (host, port or (443 if parts.scheme == "https" else 80)) if host else None


def _written(value: Any) -> bool:
    """Whether a value is a text that is not filled in later."""
    return isinstance(value, str) and bool(value.strip()) and "${" not in value


def _script(found: Wants, place: str, language: Language, source: Any) -> None:
    if _written(source):
        found.scripts.append(Script(place, language, source))


def _jsonata(found: Wants, value: Any, place: str) -> None:
    for one in references(value, place):
        if one.expression.startswith(JSONATA_INSIDE):
            found.scripts.append(Script(one.place, "jsonata", one.expression.removeprefix(JSONATA_INSIDE).strip()))


def _workflow(found: Wants, place: str, name: Any, version: Any) -> None:
    if not _written(name):
        return
    number = int(version) if isinstance(version, int | float) or _digits(version) else None
    if number is not None or version in (None, ""):
        found.workflows.append(Named(place, name, number))


def _digits(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 10
