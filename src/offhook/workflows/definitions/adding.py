"""A request of the workbench as an HTTP task of a definition, with where it came from. Pure.

Expressions of the request stay expressions of the task. What is secret is not in a request: it is its credential's,
which the task names.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from offhook.catalog.model import Sent
from offhook.catalog.reference import code
from offhook.catalog.requests.model import Pair, Prepared, expressions, finished, parameters
from offhook.kit.errors import Invalid, Notice, Violation, shown
from offhook.kit.wire import meant
from offhook.workflows.definitions.model import Definition, converted, every

Raw = dict[str, Any]
_MOST_NAMED = 12
_MARK = "offhookexpression{}x"
_MARKED = re.compile(r"offhookexpression(\d+)x", re.IGNORECASE)


class Origin(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A task that was made of a request for an operation of an API document, by its reference name."""

    ref: str
    api: str
    version: str = ""
    operation: str = ""


def opened(
    prepared: Prepared, fresh: Prepared | None, made_up: Collection[str], *, kept: bool
) -> tuple[Prepared, list[Notice]]:
    """The request with an input of the run wherever a parameter has no value, and what is to be said of it.

    `fresh` is the request as its operation's document prepares it, None if it is of no document; `made_up` are the
    places of it whose values nobody gave. Of a request that is not `kept` a parameter that still has such a value has
    none. What was made up of a body stays, and is said.
    """
    notices: list[Notice] = []
    invented = {place: value for place, value in _values(fresh) if place in made_up} if fresh is not None else {}

    def filled(group: str, pair: Pair, *, needed: bool) -> Pair:
        place, made = f"{group}.{pair.name}", not kept and invented.get(f"{group}.{pair.name}") == pair.value
        if not pair.on or not (made or (needed and not pair.value.strip())):
            return pair
        name = re.sub(r"\W+", "_", pair.name, flags=re.ASCII).strip("_") or "value"
        why = f"Its value, {shown(pair.value)}, was made up" if made and pair.value else "It has no value"
        text = f"{why}; the task takes it from the run's input, as ${{workflow.input.{name}}}."
        notices.append(Notice("value_from_input", place, text))
        return Pair(pair.name, f"${{workflow.input.{name}}}")

    has = {pair.name for pair in prepared.path_parameters if pair.on}
    pairs = [*prepared.path_parameters, *(Pair(one) for one in parameters(prepared.path) if one not in has)]
    known = {
        "query": {pair.name for pair in fresh.query if pair.on} if fresh is not None else set(),
        "headers": {pair.name for pair in fresh.headers if pair.on} if fresh is not None else set(),
    }
    made = msgspec.structs.replace(
        prepared,
        path_parameters=tuple(filled("path", one, needed=True) for one in pairs),
        query=tuple(filled("query", one, needed=one.name in known["query"]) for one in prepared.query),
        headers=tuple(filled("headers", one, needed=one.name in known["headers"]) for one in prepared.headers),
    )
    still = [place for place, value in _of_body(prepared.body) if place in invented and invented[place] == value]
    if still:
        names = ", ".join(shown(one.removeprefix("body.")) for one in still[:_MOST_NAMED])
        names += f" and {len(still) - _MOST_NAMED} more" if len(still) > _MOST_NAMED else ""
        text = f"Made up, as nothing says what stands there: {names}. Write what is meant, or ${{workflow.input.NAME}}."
        notices.append(Notice("values_made_up", "body", text))
    return made, notices


def _values(prepared: Prepared) -> Iterator[tuple[str, Any]]:
    groups = (("path", prepared.path_parameters), ("query", prepared.query), ("headers", prepared.headers))
    for group, pairs in groups:
        yield from ((f"{group}.{pair.name}", pair.value) for pair in pairs)
    yield from _of_body(prepared.body)


def _of_body(text: str) -> Iterator[tuple[str, Any]]:
    try:
        value = msgspec.json.decode(text) if text else None
        yield from _leaves(value, "body")
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return


def _leaves(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _leaves(one, f"{place}.{name}")
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _leaves(one, f"{place}[{number}]")
    else:
        yield place, value


def http_task(prepared: Prepared, *, name: str, ref: str, credential: str, origin: Mapping[str, Any]) -> Raw:
    """The task. Invalid for a request that could not be sent; places are those of the request."""
    asked = expressions(prepared)
    values = {one: _MARK.format(number) for number, one in enumerate(asked)}
    whole = prepared.server.startswith("${")
    if whole:
        # An address that is an expression is filled in with its scheme.
        prepared = msgspec.structs.replace(prepared, server=f"https://{prepared.server}")
    final = finished(prepared, values)
    made: Raw = json.loads(code.http_task(Sent(
        method=final.method, url=final.url, headers=final.headers, body=final.body or None,
    ), name))  # fmt: skip
    request = _restored(made["inputParameters"]["http_request"], asked)
    if whole:
        request["uri"] = request["uri"].removeprefix("https://")
    for header in [one for one in request["headers"] if one.lower() == "content-type"]:
        request["contentType"] = request["headers"].pop(header)
    if credential:
        request["credential"] = credential
    return {
        "name": name,
        "taskReferenceName": ref,
        "type": "HTTP",
        "inputParameters": {"http_request": request},
        "metadata": {"provenance": dict(origin)},
    }


def _restored(value: Any, asked: tuple[str, ...]) -> Any:
    """A value in which expressions stand again, and what only looks like one is escaped."""
    if isinstance(value, dict):
        return {_text(key, asked): _restored(one, asked) for key, one in value.items()}
    if isinstance(value, list):
        return [_restored(one, asked) for one in value]
    return _text(value, asked) if isinstance(value, str) else value


def _text(text: str, asked: tuple[str, ...]) -> str:
    def put(match: re.Match[str]) -> str:
        number = int(match[1])
        return f"${{{asked[number]}}}" if number < len(asked) else match[0]

    return _MARKED.sub(put, text.replace("${", "$${"))


def free_ref(raw: Mapping[str, Any], wanted: str) -> str:
    """A reference name that no task of a definition has yet."""
    taken = {task.ref for _, task in every(converted(raw).tasks)}
    slug = re.sub(r"[^A-Za-z0-9_]+", "_", wanted).strip("_")[:80] or "request"
    slug = slug if not slug[0].isdigit() and slug != "workflow" else f"task_{slug}"
    ref, number = slug, 1
    while ref in taken:
        number += 1
        ref = f"{slug}_{number}"
    return ref


def inserted(raw: Raw, task: Raw, after: str | None) -> Raw:
    """The definition with the task at its end, or right behind the task `after`, wherever that is nested.

    Behind a fork it goes behind the fork's JOIN. Invalid if there is no such task.
    """
    made: Raw = json.loads(json.dumps(raw))
    if after is None:
        made["tasks"].append(task)
    elif not _insert(made["tasks"], task, after):
        refs = [one.ref for _, one in every(converted(raw).tasks)]
        text = f"There is no task with this reference name.{meant(after, refs[:300])}"
        raise Invalid.of([Violation(location="after", message=text, sent=after[:120])])
    return made


def _insert(tasks: list[Raw], task: Raw, after: str) -> bool:
    for number, one in enumerate(tasks):
        if one.get("taskReferenceName") == after:
            joined = number + 1 < len(tasks) and tasks[number + 1].get("type") == "JOIN"
            tasks.insert(number + (2 if joined else 1), task)
            return True
        inner = [*(one.get("decisionCases") or {}).values(), *(one.get("forkTasks") or [])]
        inner += [one[name] for name in ("defaultCase", "loopOver") if one.get(name)]
        if any(_insert(nested, task, after) for nested in inner):
            return True
    return False


def origins(definition: Definition) -> tuple[Origin, ...]:
    """The tasks that say which operation of which API document they were made for."""
    found: list[Origin] = []
    for _, task in every(definition.tasks):
        one = task.metadata.get("provenance")
        if isinstance(one, dict) and isinstance(one.get("api"), str) and one["api"]:
            version, operation = str(one.get("version") or "")[:200], str(one.get("operation") or "")[:200]
            found.append(Origin(ref=task.ref, api=one["api"][:200], version=version, operation=operation))
    return tuple(found)
