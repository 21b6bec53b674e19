"""The definition format behind the seed page -> Conductor's form, and a report of what became of each part. Pure.

A definition there is a map of tasks (Simple, Http, Decision, Parallel, Map, Wait, Terminate) joined by routes. Routes
that meet again become what follows a SWITCH; those that do not are written out once for each way that leads to them;
routes back become DO_WHILE where they form a loop. The format's public pages leave open what a task without
inputParameters is given: it is taken to be the output of the task before, or the workflow's input for the first.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from offhook.kit.errors import Invalid, Malformed, TooLarge, Violation, shown
from offhook.kit.wire import encode, meant
from offhook.workflows.definitions.imports.expressions import JSONATA, path, pieces, split, walked
from offhook.workflows.definitions.imports.report import Missing, Report, Translated
from offhook.workflows.definitions.imports.routes import EXIT, Loop, Routes
from offhook.workflows.definitions.reading import loaded, read

Raw = dict[str, Any]
MOST_TASKS = 500
MOST_MADE = 1_500
MOST_LEVELS = 9
_TYPES = ("Simple", "Http", "Decision", "Parallel", "Map", "Wait", "Terminate")
_RESPONSE = {"status": "statusCode", "statusCode": "statusCode", "headers": "headers", "body": "body"}
_SWF = {
    "swf:workflowId": "${workflow.workflowId}",
    "swf:workflowDefinitionId": "${workflow.workflowType}",
    "swf:workflowDefinitionVersion": "${workflow.version}",
}
_HTTP = ("url", "method", "headers", "body")
_GRAPH = ("startTask", "tasks")
_KNOWN: Mapping[str, tuple[str, ...]] = {
    "Simple": (),
    "Http": ("credentials", "httpRequest", "connectionTimeoutSeconds", "readTimeoutSeconds"),
    "Decision": ("choices", "defaultTask"),
    "Parallel": ("branches",),
    "Map": ("itemsExpression", "itemProcessor", "maxConcurrency", "maxConcurrencyExpression"),
    "Wait": ("seconds", "secondsExpression", "timestamp", "timestampExpression"),
    "Terminate": ("terminationStatus", "workflowOutput"),
}
_COMMON = ("type", "description", "inputParameters", "retry", "nextTask", "end")
_OF_DEFINITION = (
    "name", "description", *_GRAPH, "timeoutSeconds", "failureWorkflow", "failureWorkflowVersion",
    "maxConcurrentWorkflows", "id", "version", "disabled", "createdOn",
)  # fmt: skip


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """The definition, those that it needs beside it, and the report. `names` maps tasks to their reference names.

    `sound` says whether all of them keep the rules; if not, `missing` says why.
    """

    raw: Raw
    others: tuple[Raw, ...]
    translated: tuple[Translated, ...]
    missing: tuple[Missing, ...]
    names: dict[str, tuple[str, ...]]
    sound: bool


def imported(source: str | bytes | Mapping[str, Any]) -> Imported:
    """Compile a definition. Malformed, TooLarge or Invalid (with every place) for what is none of that format."""
    raw = loaded(source)
    found = _faults(raw)
    if found:
        raise Invalid.of(found)
    return _Compiling(raw).compiled()


# What it must have


def _faults(raw: Raw) -> list[Violation]:
    found: list[Violation] = []
    name = raw.get("name")
    if not isinstance(name, str) or not name.strip() or not name.isprintable() or len(name) > 200:
        _fault(found, "name", "Must be a name of 1 to 200 printable characters.", name)
    names: dict[str, str] = {}
    _graph(found, raw, "", names)
    return found


def _fault(found: list[Violation], place: str, message: str, sent: Any = None) -> None:
    if len(found) < 200:
        found.append(Violation(location=place, message=message, sent=None if sent is None else shown(sent)))


def _graph(found: list[Violation], raw: Raw, place: str, names: dict[str, str]) -> None:
    tasks = raw.get("tasks")
    at = f"{place}tasks"
    if not isinstance(tasks, dict) or not tasks:
        _fault(found, at, "Must be an object with at least one task by its name.", tasks)
        return
    if raw.get("startTask") not in tasks if isinstance(raw.get("startTask"), str) else True:
        near = meant(raw.get("startTask"), tasks)
        _fault(found, f"{place}startTask", f"Must be the name of one of the tasks.{near}", raw.get("startTask"))
    for name, task in tasks.items():
        here = f"{at}[{shown(name)!r}]"
        if name in names:
            _fault(found, here, f"Must be unique in the whole definition; {names[name]} has the same name.")
        names[name] = here
        if len(names) > MOST_TASKS:
            _fault(found, at, f"At most {MOST_TASKS} tasks are imported.")
            return
        if not isinstance(task, dict) or task.get("type") not in _TYPES:
            kind = task.get("type") if isinstance(task, dict) else task
            text = f"Must be a task of one of the types: {', '.join(_TYPES)}.{meant(kind, _TYPES)}"
            _fault(found, f"{here}.type" if isinstance(task, dict) else here, text, kind)
            continue
        _task(found, task, here, tasks, names)


def _task(found: list[Violation], task: Raw, here: str, tasks: Raw, names: dict[str, str]) -> None:
    kind = task["type"]
    for name in ("inputParameters", "retry", "httpRequest", "workflowOutput"):
        if not isinstance(task.get(name), dict | None):
            _fault(found, f"{here}.{name}", "Must be an object.", task[name])

    def target(value: Any, place: str) -> None:
        if not isinstance(value, str) or value not in tasks:
            _fault(found, place, f"Must name a task of the same graph.{meant(value, tasks)}", value)

    if kind == "Decision":
        choices = task.get("choices")
        if not isinstance(choices, list) or not choices:
            _fault(found, f"{here}.choices", "Must be a list of at least one choice.", choices)
        for number, choice in enumerate(choices if isinstance(choices, list) else ()):
            at = f"{here}.choices[{number}]"
            if not isinstance(choice, dict) or not isinstance(choice.get("condition"), str):
                _fault(found, at, "Must have a condition (JavaScript) and a nextTask.")
            else:
                target(choice.get("nextTask"), f"{at}.nextTask")
        target(task.get("defaultTask"), f"{here}.defaultTask")
    elif kind != "Terminate":
        if task.get("nextTask") is not None:
            target(task["nextTask"], f"{here}.nextTask")
        elif task.get("end") is not True:
            _fault(found, here, 'Must have a nextTask, or "end": true.')
    if kind == "Http":
        request = task.get("httpRequest")
        url = request.get("url") if isinstance(request, dict) else None
        if not isinstance(url, str) or not url:
            _fault(found, f"{here}.httpRequest.url", "Must be the address that is called.", url)
        if isinstance(request, dict) and not isinstance(request.get("headers"), dict | None):
            _fault(found, f"{here}.httpRequest.headers", "Must be an object.", request["headers"])
    elif kind == "Parallel":
        branches = task.get("branches")
        if not isinstance(branches, list) or not branches or not all(isinstance(one, dict) for one in branches):
            _fault(found, f"{here}.branches", "Must be a list of branches, each with startTask and tasks.", branches)
        else:
            for number, one in enumerate(branches):
                _graph(found, one, f"{here}.branches[{number}].", names)
    elif kind == "Map":
        if not isinstance(task.get("itemsExpression"), str):
            _fault(found, f"{here}.itemsExpression", "Must be an expression for a list.", task.get("itemsExpression"))
        if isinstance(task.get("itemProcessor"), dict):
            _graph(found, task["itemProcessor"], f"{here}.itemProcessor.", names)
        else:
            _fault(found, f"{here}.itemProcessor", "Must have startTask and tasks.", task.get("itemProcessor"))
    elif kind == "Wait":
        given = [name for name in _KNOWN["Wait"] if task.get(name) is not None]
        if len(given) != 1:
            _fault(found, here, f"Must have exactly one of: {', '.join(_KNOWN['Wait'])}.")
        elif not isinstance(task[given[0]], int if given == ["seconds"] else str) or task[given[0]] is True:
            _fault(found, f"{here}.{given[0]}", "Must be a number of seconds, or a text.", task[given[0]])
    elif kind == "Terminate" and task.get("terminationStatus") not in ("Completed", "Failed"):
        text = "Must be Completed or Failed."
        _fault(found, f"{here}.terminationStatus", text, task.get("terminationStatus"))


# What becomes of it


@dataclass(frozen=True, slots=True)
class _Way:
    """Where compiling is: what may be spoken of here, and how.

    `seen` are the reference names by task name, several where it is open which has run. `before` is the task that ran
    last: (name, reference), None at the start, () where it is open. `item` are a Map's item and index. `input` is what
    stands for workflow.input, `within` the path in front of the references of tasks outside a workflow of its own.
    """

    tasks: Raw
    routes: Routes
    place: str
    branch: bool = False
    seen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    before: tuple[str, str] | tuple[()] | None = None
    item: Mapping[str, str] = field(default_factory=dict)
    input: str = "workflow.input"
    outer: frozenset[str] = frozenset()
    level: int = 0
    stops: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Done:
    """What was compiled: the tasks, the way from there on, and the task that it goes on at; None if it is over."""

    tasks: list[Raw]
    way: _Way
    at: str | None = None


class _Compiling:
    def __init__(self, raw: Raw) -> None:
        self._raw, self._report = raw, Report()
        self._types: dict[str, str] = {}
        self._names: dict[str, list[str]] = {}
        self._used: set[str] = set()
        self._others: list[Raw] = []
        self._made = 0
        self._passed: list[set[str]] = []

    def compiled(self) -> Imported:
        raw, report = self._raw, self._report
        for name in raw:
            if name not in _OF_DEFINITION:
                report.lacks(shown(name), "No such field is known.", "See whether it is needed.")
        made: Raw = {"name": raw["name"], "version": 1, "schemaVersion": 2}
        if isinstance(raw.get("description"), str):
            made["description"] = raw["description"]
        done = self._run(self._way(raw, ""), raw["startTask"])
        made["tasks"] = done.tasks
        if isinstance(raw.get("timeoutSeconds"), int) and raw["timeoutSeconds"] > 0:
            made |= {"timeoutSeconds": raw["timeoutSeconds"], "timeoutPolicy": "TIME_OUT_WF"}
            report.became("timeoutSeconds", "timeoutSeconds with the policy TIME_OUT_WF")
        if raw.get("failureWorkflow"):
            made["failureWorkflow"] = str(raw["failureWorkflow"])
            version = raw.get("failureWorkflowVersion")
            if isinstance(version, int) and version > 0:
                made["failureWorkflowVersion"] = version
            why = "A failure workflow is named by its name here, not by an id, and gets other input."
            report.lacks("failureWorkflow", why, "Register a definition by this name, or write another name there.")
        if raw.get("maxConcurrentWorkflows"):
            why = "A definition does not bound how many of its runs go on at a time."
            report.lacks("maxConcurrentWorkflows", why, "Bound it where runs are started.")
        self._unreached(raw["tasks"], done.way.routes, "")
        for name, refs in self._names.items():
            became = f"the task {refs[0]}" if len(refs) == 1 else f"{len(refs)} tasks: {', '.join(refs[:20])}"
            report.became(f"tasks[{name!r}]", f"{self._types[name]} became {became}")
            if len(refs) > 1:
                text = "ways lead to it that do not meet again, or meet too late: it is written out for each"
                report.became(f"tasks[{name!r}].routes", text)
        made["metadata"] = {"importedFrom": "simworkflow"}
        sound = all(list(map(self._check, (made, *self._others))))
        return Imported(
            raw=made,
            others=tuple(self._others),
            translated=tuple(report.translated),
            missing=tuple(report.missing),
            names={name: tuple(refs) for name, refs in self._names.items()},
            sound=sound,
        )

    def _check(self, made: Raw) -> bool:
        do = "Mend the compiled definition there, or the imported one."
        try:
            read(made)
        except Invalid as error:
            for one in error.violations:
                self._report.lacks(one.location, f"What it was compiled to breaks a rule: {one.message}", do)
            return False
        except (Malformed, TooLarge) as error:
            self._report.lacks("tasks", error.message, "Move parts into workflows of their own.")
            return False
        return True

    def _unreached(self, tasks: Raw, routes: Routes, place: str) -> None:
        for name in tasks.keys() - set(routes.order):
            at = f"{place}tasks[{name!r}]"
            self._report.lacks(
                at, "No route leads to it, so that it was left out.", "Lead a route to it if it is meant."
            )

    # Graphs

    def _way(self, graph: Raw, place: str, way: _Way | None = None, **changes: Any) -> _Way:
        tasks = graph["tasks"]
        after = {name: _targets(task) for name, task in tasks.items()}
        choosing = frozenset(name for name, task in tasks.items() if task["type"] == "Decision")
        self._types |= {name: task["type"] for name, task in tasks.items()}
        routes = Routes(graph["startTask"], after, choosing)
        if way is None:
            return _Way(tasks, routes, place)
        return replace(way, tasks=tasks, routes=routes, place=place, level=way.level + 1, stops=frozenset(), **changes)

    def _run(self, way: _Way, name: str, *, first: bool = False) -> _Done:
        """Compile from a task on until a stop or an end. `first` says that the task is compiled though it is a stop."""
        made: list[Raw] = []
        current = name
        while current != EXIT:
            if current in way.stops and not first:
                return _Done(made, way, current)
            first = False
            if way.level > MOST_LEVELS or self._made > MOST_MADE:
                why = "The routes do not fit into tasks within tasks: there are too many, or they lie too deep."
                self._report.lacks(f"{way.place}tasks[{current!r}]", why, "Move a part into a workflow of its own.")
                return _Done([*made, self._stub(current)], way)
            loop = way.routes.loops.get(current)
            following = self._following(way, current, loop)
            if loop is not None:
                done = self._loop(way, loop)
            elif way.tasks[current]["type"] == "Decision":
                done = self._decision(way, current, way.tasks[current])
            else:
                done = self._plain(way, current, way.tasks[current], following)
            made += done.tasks
            way = replace(done.way, stops=way.stops, level=way.level)
            if done.at != following or done.at is None:
                return _Done(made, way, done.at)
            if (current, following) in way.routes.cut:
                self._report.lacks(f"{way.place}tasks[{current!r}].nextTask", _NO_LOOP, _NO_LOOP_DO)
                return _Done([*made, self._stub(current)], way)
            current = following
        return _Done(made, way)

    def _following(self, way: _Way, name: str, loop: Loop | None) -> str:
        if loop is not None:
            return way.routes.meet(loop.exits)
        task = way.tasks[name]
        if task["type"] == "Decision":
            return way.routes.meet(self._goes(way, name))
        return task.get("nextTask") or EXIT

    @staticmethod
    def _goes(way: _Way, name: str) -> list[str]:
        return [one for one in _targets(way.tasks[name]) if (name, one) not in way.routes.cut]

    def _inside(self, way: _Way, target: str, stop: str) -> _Done:
        stops = way.stops | {stop} if stop else way.stops
        return self._run(replace(way, level=way.level + 1, stops=stops), target)

    # Tasks that decide

    def _decision(self, way: _Way, name: str, task: Raw) -> _Done:
        ref = self._ref(name)
        goes = self._goes(way, name)
        meet = way.routes.meet(goes)
        switch = {
            "name": name,
            "taskReferenceName": ref,
            "type": "SWITCH",
            "evaluatorType": "javascript",
            **self._script(way, name, task),
        }
        self._report.became(f"{way.place}tasks[{name!r}].choices", "a SWITCH with evaluatorType javascript")
        return self._switched(way, switch, task, name, meet, way)

    def _switched(self, way: _Way, switch: Raw, task: Raw, name: str, meet: str, after: _Way) -> _Done:
        """Compile the ways of a decision, which meet again at `meet`."""
        ends: list[_Done] = []
        cases: dict[str, list[Raw]] = {}
        default: list[Raw] = []
        for case, target in _cases(task).items():
            if (name, target) in way.routes.cut:
                self._report.lacks(f"{way.place}tasks[{name!r}]", _NO_LOOP, _NO_LOOP_DO)
                done = _Done([self._stub(name)], way)
            elif target == meet:
                done = _Done([], way, meet)
            else:
                done = self._inside(way, target, meet)
            ends.append(done)
            if case == "otherwise":
                default = done.tasks
            else:
                cases[case] = done.tasks
        if not cases:
            cases["otherwise"] = []
        switch |= {"decisionCases": cases, "defaultCase": default}
        return _Done([switch], self._met(after, ends), _reached(ends, meet))

    @staticmethod
    def _met(way: _Way, ends: list[_Done]) -> _Way:
        """The way behind several: what ran is open where it is not the same in all."""
        going = [one.way for one in ends if one.at is not None]
        seen: dict[str, tuple[str, ...]] = {}
        for one in going or [way]:
            for name, refs in one.seen.items():
                seen[name] = tuple(dict.fromkeys((*seen.get(name, ()), *refs)))
        before = {one.before for one in going}
        return replace(way, seen=seen, before=before.pop() if len(before) == 1 else ())

    def _script(self, way: _Way, name: str, task: Raw) -> Raw:
        lines = [
            f"  if ((\n{choice['condition']}\n  ) === true) return {encode(_case(task, choice['nextTask'])).decode()};"
            for choice in task["choices"]
        ]
        script = "\n".join(["(function ($) {", *lines, '  return "otherwise";', "})($.before);"])
        pending: list[Raw] = []
        own = self._own(way, name, task, pending)
        before = own if own is not None else self._before(way, f"{way.place}tasks[{name!r}].choices")
        for one in pending:
            place = f"{way.place}tasks[{name!r}].inputParameters"
            self._report.lacks(place, "JSONata stands in the input of a decision.", "Move it into a task before.")
            del one
        return {"expression": script, "inputParameters": {"before": before}}

    def _loop(self, way: _Way, loop: Loop) -> _Done:
        head, decider = loop.head, loop.decider
        task = way.tasks[decider]
        loop_ref, ref = self._unique(f"{_slug(head)}_loop"), self._ref(decider)
        inner = replace(way, before=(), stops=way.stops | {decider})
        body = (
            _Done([], inner, decider)
            if head == decider
            else self._run_body(replace(inner, level=way.level + 1, stops=way.stops | {decider}), head)
        )
        script = self._script(body.way, decider, task)
        decide = {
            "name": decider,
            "taskReferenceName": ref,
            "type": "INLINE",
            "inputParameters": {
                "evaluatorType": "javascript",
                "expression": script["expression"],
                **script["inputParameters"],
            },
        }
        made = [*body.tasks, decide]
        stays = {case: target for case, target in _cases(task).items() if target not in loop.exits}
        on = {case: target for case, target in stays.items() if target != head}
        if on:
            cases = {
                case: self._inside(replace(body.way, level=way.level + 1), target, head).tasks
                for case, target in on.items()
            }
            made.append(_switch(self._unique(f"{ref}_stay"), ref, cases))
        condition = " || ".join(f"$.{ref}['result'] == {encode(case).decode()}" for case in stays)
        tasks = [
            {
                "name": f"{head} loop"[:200],
                "taskReferenceName": loop_ref,
                "type": "DO_WHILE",
                "inputParameters": {},
                "loopCondition": f"if ({condition}) {{ true; }} else {{ false; }}",
                "loopOver": made,
            }
        ]
        self._report.became(f"{way.place}tasks[{head!r}]", f"the routes back to it became the DO_WHILE {loop_ref}")
        after = replace(body.way, level=way.level, stops=way.stops)
        if len(loop.exits) == 1:
            return _Done(tasks, after, loop.exits[0])
        meet = way.routes.meet(loop.exits)
        ends: list[_Done] = []
        left: dict[str, list[Raw]] = {}
        for case, target in _cases(task).items():
            if target in loop.exits:
                done = _Done([], after, meet) if target == meet else self._inside(after, target, meet)
                ends.append(done)
                left[case] = done.tasks
        tasks.append(_switch(self._unique(f"{ref}_left"), ref, left))
        return _Done(tasks, self._met(after, ends), _reached(ends, meet))

    def _run_body(self, way: _Way, head: str) -> _Done:
        """The tasks of a loop before its decision; its own head is not taken as another loop's."""
        routes = way.routes
        kept = routes.loops.pop(head)
        try:
            return self._run(replace(way, stops=way.stops | {head}), head, first=True)
        finally:
            routes.loops[head] = kept

    # Tasks that do something

    def _plain(self, way: _Way, name: str, task: Raw, following: str) -> _Done:
        ref, pending = self._ref(name), list[Raw]()
        at = f"{way.place}tasks[{name!r}]"
        for one in task:
            if one not in _COMMON and one not in _KNOWN[task["type"]]:
                self._report.lacks(f"{at}.{shown(one)}", "No such field is known.", "See whether it is needed.")
        own = self._own(way, name, task, pending)
        base: Raw = {"name": name, "taskReferenceName": ref}
        if isinstance(task.get("description"), str):
            base["description"] = task["description"]
        kind = task["type"]
        if task.get("retry") is not None and kind != "Http":
            self._report.lacks(f"{at}.retry", "Only attempts of HTTP tasks are repeated.", "Leave it out.")
        match kind:
            case "Http":
                made = [self._http(way, at, task, own, base, pending)]
            case "Simple":
                self._report.became(at, "a HUMAN task, which is completed from outside")
                made = [{**base, "type": "HUMAN", "inputParameters": own or {}}]
            case "Wait":
                made = [self._wait(way, at, task, own, base, pending)]
            case "Terminate":
                return self._terminate(way, name, task, own, base, pending)
            case "Parallel":
                done = self._parallel(way, name, task, base, pending)
                return replace(done, at=following)
            case _:
                done = self._map(way, name, task, own, base, pending)
                return replace(done, at=following)
        return _Done([*pending, *made], self._past(way, name, ref), following)

    @staticmethod
    def _past(way: _Way, name: str, ref: str) -> _Way:
        return replace(way, seen={**way.seen, name: (ref,)}, before=(name, ref))

    def _http(self, way: _Way, at: str, task: Raw, own: Raw | None, base: Raw, pending: list[Raw]) -> Raw:
        sent = task["httpRequest"]
        for one in sent:
            if one not in _HTTP:
                self._report.lacks(f"{at}.httpRequest.{shown(one)}", "No such field is known.", "See if it is needed.")

        def value(name: str) -> Any:
            return self._value(way, sent[name], f"{at}.httpRequest.{name}", own, pending, base)

        request: Raw = {"uri": value("url"), "method": str(sent.get("method") or "GET").upper()}
        if isinstance(sent.get("headers"), dict):
            request["headers"] = value("headers")
        if sent.get("body") is not None:
            request["body"] = value("body")
        for name, ours, default in (
            ("connectionTimeoutSeconds", "connectionTimeOut", 5),
            ("readTimeoutSeconds", "readTimeOut", 10),
        ):
            given = task.get(name)
            seconds: int = given if isinstance(given, int) and 0 < given <= 3_600 else default
            request[ours] = seconds * 1_000
        if task.get("credentials"):
            request["credential"] = str(task["credentials"])[:200]
            why = f"Credentials are not part of a definition; {shown(request['credential'])} is only their id."
            self._report.lacks(f"{at}.credentials", why, "Keep a credential of this name in the workbench.")
        made = {**base, "type": "HTTP", "inputParameters": {**(own or {}), "http_request": request}}
        if isinstance(task.get("retry"), dict):
            made["taskDefinition"] = self._retry(task["retry"], f"{at}.retry", base["taskReferenceName"])
        return made

    def _retry(self, retry: Raw, at: str, ref: str) -> Raw:
        def number(name: str, default: float, most: float) -> float:
            value = retry.get(name)
            good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most
            if value is not None and not good:
                self._report.lacks(f"{at}.{name}", "It is no number within limits.", f"{default} was taken.")
            return value if good and value is not None else default

        rate = number("backoffRate", 1.0, 1_000)
        made: Raw = {
            "name": ref,
            "retryCount": int(number("maxAttempts", 3, 1_000)),
            "retryDelaySeconds": int(number("intervalSeconds", 1, 86_400)),
            "retryLogic": "EXPONENTIAL_BACKOFF" if rate > 1 else "FIXED",
        }
        if rate not in (1.0, 2.0):
            why = f"Delays grow by 2 or not at all, not by {rate}."
            self._report.lacks(f"{at}.backoffRate", why, "See whether doubling suits.")
        self._report.became(at, f"a taskDefinition with {made['retryLogic']}, {made['retryCount']} repetitions")
        return made

    def _wait(self, way: _Way, at: str, task: Raw, own: Raw | None, base: Raw, pending: list[Raw]) -> Raw:
        (name,) = [one for one in _KNOWN["Wait"] if task.get(one) is not None]
        value = self._value(way, task[name], f"{at}.{name}", own, pending, base)
        times = {"duration": f"{value} seconds"} if name.startswith("seconds") else {"until": value}
        self._report.became(f"{at}.{name}", f"a WAIT with {next(iter(times))}")
        return {**base, "type": "WAIT", "inputParameters": {**(own or {}), **times}}

    def _terminate(self, way: _Way, name: str, task: Raw, own: Raw | None, base: Raw, pending: list[Raw]) -> _Done:
        at, ref = f"{way.place}tasks[{name!r}]", base["taskReferenceName"]
        output = self._value(way, task.get("workflowOutput"), f"{at}.workflowOutput", own, pending, base)
        if way.branch and task["terminationStatus"] == "Completed":
            if output is None:
                output = own if own is not None else self._before(way, at)
            inputs = {"value": output, "queryExpression": ".value"}
            self._report.became(at, "the end of its branch: a JSON_JQ_TRANSFORM that gives the output")
            made = {**base, "type": "JSON_JQ_TRANSFORM", "inputParameters": inputs}
        else:
            inputs = {"terminationStatus": task["terminationStatus"].upper()}
            made = {
                **base,
                "type": "TERMINATE",
                "inputParameters": inputs | ({"workflowOutput": output} if output else {}),
            }
        return _Done([*pending, made], self._past(way, name, ref))

    def _parallel(self, way: _Way, name: str, task: Raw, base: Raw, pending: list[Raw]) -> _Done:
        ref = base["taskReferenceName"]
        join = self._unique(f"{ref}_join")
        branches: list[list[Raw]] = []
        seen: dict[str, tuple[str, ...]] = dict(way.seen)
        for number, branch in enumerate(task["branches"]):
            place = f"{way.place}tasks[{name!r}].branches[{number}]."
            inner = self._way(branch, place, way, branch=True)
            done = self._run(inner, branch["startTask"])
            self._unreached(branch["tasks"], inner.routes, place)
            branches.append(self._closed(done.tasks, ref))
            seen |= self._left(done)
        fork = {**base, "type": "FORK_JOIN", "forkTasks": branches}
        on = [branch[-1]["taskReferenceName"] for branch in branches]
        joined = {"name": f"{name} join"[:200], "taskReferenceName": join, "type": "JOIN", "joinOn": on}
        self._report.became(
            f"{way.place}tasks[{name!r}].branches", f"a FORK_JOIN with {len(branches)} branches and a JOIN"
        )
        return _Done([*pending, fork, joined], replace(way, seen={**seen, name: (join,)}, before=(name, join)))

    def _left(self, done: _Done) -> dict[str, tuple[str, ...]]:
        """What has run in a branch that is over, whichever way it took: every task of it, each copy."""
        seen = dict(done.way.seen)
        for one in _every(done.tasks):
            for name, refs in self._names.items():
                if one["taskReferenceName"] in refs and name not in seen:
                    seen[name] = tuple(refs)
        return seen

    def _closed(self, tasks: list[Raw], ref: str) -> list[Raw]:
        """A branch whose last task a JOIN can wait for, which it can't for what is in the cases of a SWITCH."""
        if tasks and tasks[-1]["type"] not in ("SWITCH", "TERMINATE"):
            return tasks
        end = self._unique(f"{ref}_end")
        return tasks if tasks and tasks[-1]["type"] == "TERMINATE" else [*tasks, _noop(end)]

    def _map(self, way: _Way, name: str, task: Raw, own: Raw | None, base: Raw, pending: list[Raw]) -> _Done:
        at, ref = f"{way.place}tasks[{name!r}]", base["taskReferenceName"]
        items = self._value(way, task["itemsExpression"], f"{at}.itemsExpression", own, pending, base)
        processor, place = task["itemProcessor"], f"{at}.itemProcessor."
        if task.get("maxConcurrency") == 1:
            item = {"swf:item": f"{ref}.output.loopItem", "swf:itemIndex": f"{ref}.output.loopIndex"}
            inner = self._way(processor, place, way, branch=True, item=item)
            done = self._run(inner, processor["startTask"])
            self._unreached(processor["tasks"], inner.routes, place)
            made: Raw = {**base, "type": "DO_WHILE", "items": items, "loopOver": done.tasks}
            self._report.became(at, "a DO_WHILE over the items, one after another")
            return _Done([*pending, made], self._past(way, name, ref))
        if task.get("maxConcurrency") or task.get("maxConcurrencyExpression"):
            why = "A fork as wide as a list is not bounded in how many go on at a time."
            self._report.lacks(f"{at}.maxConcurrency", why, "Bound the requests by hostConcurrency, or set it to 1.")
        return self._fanned(way, name, processor, items, base, pending)

    def _fanned(self, way: _Way, name: str, processor: Raw, items: Any, base: Raw, pending: list[Raw]) -> _Done:
        """A workflow of its own for each item, with what it reads of this one in its input."""
        at, ref = f"{way.place}tasks[{name!r}]", base["taskReferenceName"]
        place = f"{at}.itemProcessor."
        self._passed.append(set())
        outer = frozenset(one for refs in way.seen.values() for one in refs) | way.outer
        inner = self._way(
            processor, place, way, branch=True, outer=outer, before=None, input="workflow.input.parent",
            item={"swf:item": "workflow.input.item", "swf:itemIndex": "workflow.input.index"},
        )  # fmt: skip
        done = self._run(inner, processor["startTask"])
        self._unreached(processor["tasks"], inner.routes, place)
        passed = self._passed.pop()
        own_name = f"{self._raw['name'][:120]} - {name[:80]}"
        self._others.append({"name": own_name, "version": 1, "schemaVersion": 2, "tasks": done.tasks})

        def at_hand(one: str) -> str:
            return f"workflow.input.tasks.{one}" if one in way.outer else one

        if self._passed:
            self._passed[-1] |= passed & way.outer
        shared = {
            "parent": "${" + way.input + "}",
            "tasks": {
                one: {part: f"${{{at_hand(one)}.{part}}}" for part in ("input", "output")} for one in sorted(passed)
            },
        }
        each, join = self._unique(f"{ref}_items"), self._unique(f"{ref}_join")
        query = ". as $all | [($all.items // []) | to_entries[] | {item: .value, index: .key} + $all.shared]"
        made = [
            {
                "name": f"{name} items"[:200],
                "taskReferenceName": each,
                "type": "JSON_JQ_TRANSFORM",
                "inputParameters": {"items": items, "shared": shared, "queryExpression": query},
            },
            {
                **base,
                "type": "FORK_JOIN_DYNAMIC",
                "inputParameters": {
                    "forkTaskWorkflow": own_name,
                    "forkTaskInputs": f"${{{each}.output.result}}",
                },
            },
            {"name": f"{name} join"[:200], "taskReferenceName": join, "type": "JOIN"},
        ]
        self._report.became(at, f"a FORK_JOIN_DYNAMIC that runs the workflow {own_name} for each item")
        way = replace(way, seen={**way.seen, name: (join,)}, before=(name, join))
        return _Done([*pending, *made], way)

    # Values

    def _own(self, way: _Way, name: str, task: Raw, pending: list[Raw]) -> Raw | None:
        """The task's input parameters, translated; None if it has none."""
        sent = task.get("inputParameters")
        if not isinstance(sent, dict):
            return None
        base = {"taskReferenceName": _slug(name)}
        at = f"{way.place}tasks[{name!r}].inputParameters"
        return {key: self._value(way, one, f"{at}.{shown(key)}", {}, pending, base) for key, one in sent.items()}

    def _value(self, way: _Way, value: Any, at: str, own: Raw | None, pending: list[Raw], base: Raw) -> Any:
        if isinstance(value, dict):
            return {key: self._value(way, one, f"{at}.{shown(key)}", own, pending, base) for key, one in value.items()}
        if isinstance(value, list):
            return [self._value(way, one, f"{at}[{n}]", own, pending, base) for n, one in enumerate(value)]
        if not isinstance(value, str) or "${" not in value:
            return value
        parts = pieces(value)
        if len(parts) == 1 and parts[0][0]:
            return self._expression(way, parts[0][1], at, own, pending, base)
        text = ""
        for is_expression, part in parts:
            one = self._expression(way, part, at, own, pending, base) if is_expression else part
            text += one if isinstance(one, str) else "" if one is None else encode(one).decode()
        return text

    def _expression(self, way: _Way, expression: str, at: str, own: Raw | None, pending: list[Raw], base: Raw) -> Any:
        """What stands for an expression: another expression, or a value that is known; None if there is none."""
        if expression.startswith(JSONATA):
            return self._jsonata(way, expression.removeprefix(JSONATA).strip(), at, own, pending, base)
        root, rest = split(expression)
        rest_path = path(rest)
        if rest_path is None:
            return self._none(at, expression, "Expressions have no spaces here.", "Name what it reads without spaces.")
        if root in way.item:
            return "${" + way.item[root] + rest_path + "}"
        if root in _SWF and not rest_path:
            return _SWF[root]
        if root.startswith("swf:"):
            return self._none(at, expression, f"There is no {root} here.", "Hand the value in by the workflow's input.")
        if own and root in own:
            good, value = walked(own[root], rest_path)
            if good:
                return value
            do = "Write out in inputParameters what the path leads to."
            return self._none(at, expression, "The path leads into a value that is put together from parts.", do)
        if root == "workflow" and (rest_path == ".input" or re.match(r"\.input[.\[]", rest_path)):
            return "${" + way.input + rest_path.removeprefix(".input") + "}"
        if root in way.seen:
            return self._of_task(way, root, rest_path, at, expression)
        if root in self._types:
            why = "The task cannot have run by then."
            return self._none(at, expression, why, "Read a task that comes before.")
        if own is None and root != "workflow":
            before = self._before(way, at)
            good, value = walked(before, f".{root}{rest_path}")
            return value if good else self._none(at, expression, "It is open what it reads.", _NAME_IT)
        return self._none(at, expression, "Nothing here is called so.", "Name an input parameter or a task.")

    def _none(self, at: str, expression: str, why: str, do: str) -> None:
        self._report.lacks(at, f"${{{expression[:120]}}}: {why}", do)

    def _of_task(self, way: _Way, name: str, rest: str, at: str, expression: str) -> Any:
        refs = way.seen[name]
        if len(refs) > 1:
            why = f"The task became several ({', '.join(refs[:5])}); the first was taken."
            self._report.lacks(at, f"${{{expression[:120]}}}: {why}", "Set a variable behind each, and read that.")
        ref = self._at_hand(way, refs[0])
        if rest.startswith(".input"):
            return f"${{{ref}{rest}}}"
        if not re.match(r"\.output(?![\w-])", rest):
            return self._none(at, expression, "Only input and output of a task can be read.", "Read one of them.")
        inner = rest.removeprefix(".output")
        match self._types[name]:
            case "Http":
                step = re.match(r"\.([A-Za-z]\w*)", inner)
                if step and step[1] in _RESPONSE:
                    inner = f".{_RESPONSE[step[1]]}{inner[step.end() :]}"
                elif inner:
                    why = "The fields of a response are statusCode, headers and body."
                    self._report.lacks(at, f"${{{expression[:120]}}}: {why}", "See whether it reads the body.")
                return f"${{{ref}.output.response{inner}}}"
            case "Terminate":
                return f"${{{ref}.output.result{inner}}}"
            case "Parallel" | "Map" | "Decision":
                why = "The output of what runs several tasks has another shape: it is by reference name."
                self._report.lacks(at, f"${{{expression[:120]}}}: {why}", "Read the tasks within by their names.")
        return f"${{{ref}.output{inner}}}"

    def _at_hand(self, way: _Way, ref: str) -> str:
        """A task's reference, by the way of the input if it is outside a workflow of its own."""
        if ref not in way.outer:
            return ref
        self._passed[-1].add(ref)
        return f"workflow.input.tasks.{ref}"

    def _before(self, way: _Way, at: str) -> Any:
        """What the task before gave; the workflow's input for the first."""
        if way.before is None:
            if way.item:
                return {name: f"${{{one}}}" for name, one in way.item.items()}
            return "${" + way.input + "}"
        if not way.before:
            self._report.lacks(at, "Several tasks lead here, so that it is open whose output it reads.", _NAME_IT)
            return None
        name, ref = way.before
        return self._output(way, name, ref)

    def _output(self, way: _Way, name: str, ref: str) -> Any:
        ref = self._at_hand(way, ref)
        if self._types[name] == "Http":
            return {one: f"${{{ref}.output.response.{ours}}}" for one, ours in _RESPONSE.items()}
        return f"${{{ref}.output{'.result' if self._types[name] == 'Terminate' else ''}}}"

    def _jsonata(self, way: _Way, expression: str, at: str, own: Raw | None, pending: list[Raw], base: Raw) -> Any:
        """A task before that evaluates JSONata over what the expression names."""
        inputs: Raw = {}
        if own is None:
            before = self._before(way, at)
            inputs |= before if isinstance(before, dict) else {}
            if isinstance(before, str):
                why = "The output of the task before is not spread out into the names that the expression may read."
                self._report.lacks(at, f"${{jsonata:{expression[:100]}}}: {why}", _NAME_IT)
        inputs |= {key: one for key, one in (own or {}).items() if key in expression}
        inputs |= {key: f"${{{one}}}" for key, one in way.item.items() if key in expression}
        if "workflow" in expression:
            inputs["workflow"] = {"input": "${" + way.input + "}"}
        for name, refs in way.seen.items():
            if name in expression:
                hand = self._at_hand(way, refs[0])
                inputs[name] = {"input": f"${{{hand}.input}}", "output": self._output(way, name, refs[0])}
        if {"expression", "evaluatorType"} & inputs.keys():
            why = "Names called expression or evaluatorType cannot be read by it here."
            self._report.lacks(at, f"${{jsonata:{expression[:100]}}}: {why}", "Give the input another name.")
        ref = self._unique(f"{base['taskReferenceName']}_value")
        inputs |= {"evaluatorType": "jsonata", "expression": expression}
        pending.append({"name": ref, "taskReferenceName": ref, "type": "INLINE", "inputParameters": inputs})
        self._report.became(at, f"the JSONata is evaluated by the INLINE {ref} before")
        return f"${{{ref}.output.result}}"

    # Names

    def _ref(self, name: str) -> str:
        ref = self._unique(_slug(name))
        self._names.setdefault(name, []).append(ref)
        self._made += 1
        return ref

    def _unique(self, wanted: str) -> str:
        ref, number = wanted, 1
        while ref in self._used:
            number += 1
            ref = f"{wanted}_{number}"
        self._used.add(ref)
        return ref

    def _stub(self, name: str) -> Raw:
        ref = self._unique(f"{_slug(name)}_not_translated")
        reason = f"What follows {name} was not translated."
        inputs = {"terminationStatus": "FAILED", "terminationReason": reason}
        return {"name": ref, "taskReferenceName": ref, "type": "TERMINATE", "inputParameters": inputs}


_NO_LOOP = "The route leads back, but not as a loop that is left at one decision, which it passes each time."
_NO_LOOP_DO = "Route it so, or move the repeated part into a workflow of its own."
_NAME_IT = "Give the task inputParameters that name what it reads."


def _reached(ends: list[_Done], meet: str) -> str | None:
    """Where the ways of a decision go on: where they meet, or at a stop further out; None if all are over."""
    reached = [one.at for one in ends if one.at is not None]
    return meet if meet in reached else next(iter(reached), None)


def _targets(task: Raw) -> tuple[str, ...]:
    if task["type"] == "Decision":
        return tuple(dict.fromkeys([*(one["nextTask"] for one in task["choices"]), task["defaultTask"]]))
    following = task.get("nextTask")
    return (following,) if following and task["type"] != "Terminate" else ()


def _cases(task: Raw) -> dict[str, str]:
    """The cases of a decision with their tasks; choices that lead to the same task are one."""
    cases = {_case(task, one["nextTask"]): one["nextTask"] for one in task["choices"]}
    return {**cases, "otherwise": task["defaultTask"]}


def _case(task: Raw, target: str) -> str:
    if target == task["defaultTask"]:
        return "otherwise"
    targets = list(dict.fromkeys(one["nextTask"] for one in task["choices"] if one["nextTask"] != task["defaultTask"]))
    return f"choice_{targets.index(target) + 1}"


def _switch(ref: str, decided: str, cases: dict[str, list[Raw]]) -> Raw:
    return {
        "name": ref,
        "taskReferenceName": ref,
        "type": "SWITCH",
        "evaluatorType": "value-param",
        "expression": "case",
        "inputParameters": {"case": f"${{{decided}.output.result}}"},
        "decisionCases": cases,
        "defaultCase": [],
    }


def _noop(ref: str) -> Raw:
    return {"name": ref, "taskReferenceName": ref, "type": "NOOP"}


def _every(tasks: list[Raw]) -> list[Raw]:
    found: list[Raw] = []
    for task in tasks:
        found.append(task)
        for inner in (*task.get("decisionCases", {}).values(), *task.get("forkTasks", ())):
            found += _every(inner)
        for name in ("defaultCase", "loopOver"):
            found += _every(task.get(name, []))
    return found


def _slug(name: str) -> str:
    slug = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")[:80]
    slug = re.sub(r"__+", "_", slug)
    return slug if slug and not slug[0].isdigit() and slug != "workflow" else f"task_{slug}".rstrip("_")
