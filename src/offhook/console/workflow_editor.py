"""The editor of workflow definitions: JSON and its graph side by side, checked while one types, kept as a new version.

What is wrong comes from the API's own check. A definition is kept as the version after the one that was opened, so who
saved meanwhile is never overwritten: then the page shows what they changed, and asks.
"""

import asyncio
import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
from markupsafe import Markup

from offhook.console.frame import Answer, redirect
from offhook.console.json_lines import line_named, lines
from offhook.console.visit import Visit
from offhook.console.workflow_svg import workflow_svg
from offhook.console.workflows import API, WRITE, address, no_object, object_of, place
from offhook.kit.errors import Refusal
from offhook.workflows.definitions.graph import Graph, graph
from offhook.workflows.definitions.model import converted
from offhook.workflows.definitions.reading import loaded

MOST_DIFFERENCES = 200
MOST_DRAWN = 400
"""Tasks of a definition that is drawn while one types."""

FIRST: dict[str, Any] = {
    "name": "my_workflow",
    "version": 1,
    "schemaVersion": 2,
    "description": "",
    "inputParameters": ["name"],
    "tasks": [
        {
            "name": "say_hello",
            "taskReferenceName": "say_hello",
            "type": "SET_VARIABLE",
            "inputParameters": {"greeting": "Hello, ${workflow.input.name}"},
        }
    ],
    "outputParameters": {"greeting": "${workflow.variables.greeting}"},
}
PARTS: dict[str, list[dict[str, Any]]] = {
    "HTTP": [{"inputParameters": {"http_request": {"uri": "https://api.example.com/", "method": "GET"}}}],
    "SWITCH": [
        {
            "evaluatorType": "value-param",
            "expression": "value",
            "inputParameters": {"value": "${workflow.input.kind}"},
            "decisionCases": {"a": [{"name": "in_a", "taskReferenceName": "in_a", "type": "NOOP"}]},
            "defaultCase": [],
        }
    ],
    "FORK_JOIN": [
        {
            "forkTasks": [
                [{"name": "left", "taskReferenceName": "left", "type": "NOOP"}],
                [{"name": "right", "taskReferenceName": "right", "type": "NOOP"}],
            ]
        },
        {"type": "JOIN", "joinOn": ["left", "right"]},
    ],
    "DO_WHILE": [
        {
            "loopCondition": "$.do_while['iteration'] < 3",
            "loopOver": [{"name": "each", "taskReferenceName": "each", "type": "NOOP"}],
        }
    ],
    "WAIT": [{"inputParameters": {"duration": "10 seconds"}}],
    "HUMAN": [{}],
    "SET_VARIABLE": [{"inputParameters": {"name": "value"}}],
    "JSON_JQ_TRANSFORM": [{"inputParameters": {"value": [1, 2, 3], "queryExpression": ".value | add"}}],
    "INLINE": [
        {"inputParameters": {"evaluatorType": "javascript", "expression": "$.value * 2", "value": 21}},
    ],
    "SUB_WORKFLOW": [{"subWorkflowParam": {"name": "another_workflow"}}],
    "TERMINATE": [{"inputParameters": {"terminationStatus": "COMPLETED"}}],
}
"""What a task of a type is begun with."""


class Problem(NamedTuple):
    """What is wrong or to be said: where, on which line (0 for no line), and in words."""

    place: str
    line: int
    text: str


@dataclass(slots=True)
class Editor:
    """The page. `opened` is the definition's name when it was opened, `base` its latest version then, 0 for none."""

    text: str
    opened: str = ""
    base: int = 0
    problems: Sequence[Problem] = ()
    notices: Sequence[Problem] = ()
    lint: Sequence[Problem] = ()
    good: bool = False
    picture: Markup | None = None
    large: int = 0
    refusal: str = ""
    theirs: dict[str, Any] | None = None
    changed: Sequence[str] = field(default_factory=list)
    status: int = 200


async def blank(visit: Visit) -> Answer:
    """`GET /console/workflows/new`."""
    return await _page(visit, Editor(written(FIRST)))


async def kept(visit: Visit) -> Answer:
    """`GET /console/workflows/definitions/{name}/edit?version=…`."""
    name, number = visit.params["name"], visit.query.get("version", "")[:10]
    found = await visit.inside.get(place(name), {"version": number} if number else {})
    latest = found if not number else await visit.inside.get(place(name))
    return await _page(visit, Editor(written(found["definition"]), opened=name, base=latest["version"]))


async def sent(visit: Visit) -> Answer:
    """`POST` of the same: checked, put in order, a task added, or saved."""
    form = dict(visit.form)
    base = form.get("base", "")
    editor = Editor(
        form.get("text", "").replace("\r\n", "\n"),
        opened=form.get("opened", "")[:500],
        base=int(base[:9]) if base.isdecimal() else 0,
    )
    verb = form.get("do", "check")
    if verb == "save":
        return await _save(visit, editor)
    if verb in ("format", "add"):
        raw = object_of(editor.text)
        if raw is None:
            editor.status = 400
            editor.refusal = no_object(editor.text, "It must be a JSON object before that can be done.")
        else:
            if verb == "add":
                _add(raw, form.get("type", ""))
            editor.text = written(raw)
    return await _page(visit, editor)


async def _save(visit: Visit, editor: Editor) -> Answer:
    raw = object_of(editor.text)
    if raw is None:
        editor.refusal, editor.status = no_object(editor.text, "It is not saved: it is no JSON object yet."), 400
        return await _page(visit, editor)
    name = raw.get("name")
    if name != editor.opened:
        # Under another name it is another definition.
        editor.opened, editor.base = "", 0
    number = editor.base + 1
    asked = await visit.inside.ask("POST", f"{API}/definitions", body={"definition": raw | {"version": number}})
    if asked.ok:
        return redirect(address(str(name), asked.document["version"]))
    editor.status = asked.status
    editor.refusal = "It is not saved: something is to be mended first." if asked.status == 400 else asked.message
    if asked.status == 409 and isinstance(name, str):
        await _meet(visit, editor, name)
    return await _page(visit, editor)


async def _meet(visit: Visit, editor: Editor, name: str) -> None:
    """Show what others saved, and let what was typed be saved after that."""
    theirs = await visit.inside.ask("GET", place(name))
    if not theirs.ok:
        return
    before = await visit.inside.ask("GET", place(name), {"version": str(editor.base)}) if editor.base else None
    editor.theirs = theirs.document
    old = before.document["definition"] if before is not None and before.ok else object_of(editor.text) or {}
    new = theirs.document["definition"]
    old, new = (written({**one, "version": editor.base}).splitlines() for one in (old, new))
    differences = difflib.unified_diff(old, new, n=2)
    editor.changed = [one for one in differences if not one.startswith(("---", "+++"))][:MOST_DIFFERENCES]
    editor.opened, editor.base = name, theirs.document["version"]


def written(raw: Any) -> str:
    """A definition as the editor shows it."""
    return json.dumps(raw, indent=2, ensure_ascii=False)


def _add(raw: dict[str, Any], kind: str) -> None:
    """A task of a type at the end, with reference names that nothing has yet."""
    tasks = raw.setdefault("tasks", [])
    if not isinstance(tasks, list) or kind not in PARTS:
        return
    text = json.dumps(raw)
    number, ref = 1, kind.lower()
    while f'"{ref}"' in text or f'"{ref}_left"' in text:
        number += 1
        ref = f"{kind.lower()}_{number}"
    for one in json.loads(json.dumps(PARTS[kind])):
        own = one.pop("type", kind)
        name = ref if own == kind else f"{ref}_join"
        made = {"name": name, "taskReferenceName": name, "type": own, **one}
        renamed = {inner: f"{ref}_{inner}" for inner in ("left", "right", "each", "in_a")}
        tasks.append(_renamed(made, renamed | {"$.do_while['iteration'] < 3": f"$.{ref}['iteration'] < 3"}))


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(one, names) for key, one in value.items()}
    if isinstance(value, list):
        return [_renamed(one, names) for one in value]
    return names.get(value, value) if isinstance(value, str) else value


async def _page(visit: Visit, editor: Editor) -> Answer:
    asked = await visit.inside.ask("POST", f"{API}/definitions/validate", body={"text": editor.text})
    if asked.ok:
        await asyncio.to_thread(_told, editor, asked.document)
    else:
        editor.refusal, editor.status = editor.refusal or asked.message, asked.status
    return await asyncio.to_thread(
        lambda: visit.page(
            "workflow_edit.html", here="workflows", status=editor.status, it=editor, parts=list(PARTS),
            address=address, writes=visit.may(WRITE),
        )
    )  # fmt: skip


def _told(editor: Editor, checked: dict[str, Any]) -> None:
    """What the check found, each with its line, and the picture."""
    places = [one["location"] for one in checked["violations"]]
    places += [one["field"] for one in checked["notices"]] + [one["place"] for one in checked["lint"]]
    at = lines(editor.text, places)
    editor.good = checked["good"]
    editor.problems = [
        Problem(
            one["location"],
            at.get(one["location"], 0) or line_named(one["message"]),
            one["message"].replace("The body is", "It is"),
        )
        for one in checked["violations"]
    ]
    editor.notices = [Problem(one["field"], at.get(one["field"], 0), one["text"]) for one in checked["notices"]]
    editor.lint = [
        Problem(one["place"], at.get(one["place"], 0), f"{one['text']} {one['stock']}") for one in checked["lint"]
    ]
    drawn = preview(editor.text)
    if drawn is None:
        return
    if len(drawn.nodes) > MOST_DRAWN:
        editor.large = len(drawn.nodes)
        return
    where = lines(editor.text, [node.place for node in drawn.nodes])
    editor.picture = workflow_svg(
        drawn,
        "The tasks as they stand in the text",
        address=lambda node: f"#line-{where[node.place]}" if where.get(node.place) else "",
        faulty=places[: len(checked["violations"])],
    )


def preview(text: str) -> Graph | None:
    """The graph of a text, as far as it is a definition at all: it need not keep the rules. None for no JSON object."""
    try:
        raw = loaded(text)
        return graph(converted({"name": _text(raw.get("name")), "tasks": _tasks(raw.get("tasks"))}))
    except (Refusal, msgspec.ValidationError, RecursionError):
        return None


def _tasks(value: Any) -> list[dict[str, Any]]:
    """Tasks with no more than what a picture needs, each at its place."""
    return [_task(one if isinstance(one, dict) else {}) for one in value] if isinstance(value, list) else []


def _task(raw: dict[str, Any]) -> dict[str, Any]:
    cases, branches = raw.get("decisionCases"), raw.get("forkTasks")
    return {
        "name": _text(raw.get("name")) or _text(raw.get("taskReferenceName")) or "?",
        "taskReferenceName": _text(raw.get("taskReferenceName")),
        "type": _text(raw.get("type")) or "SIMPLE",
        "loopCondition": _text(raw.get("loopCondition")),
        "decisionCases": {name: _tasks(one) for name, one in cases.items()} if isinstance(cases, dict) else {},
        "defaultCase": _tasks(raw.get("defaultCase")),
        "forkTasks": [_tasks(one) for one in branches] if isinstance(branches, list) else [],
        "loopOver": _tasks(raw.get("loopOver")),
    }


def _text(value: Any) -> str:
    return value[:200] if isinstance(value, str) else ""
