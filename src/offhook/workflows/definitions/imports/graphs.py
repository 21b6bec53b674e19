"""A graph of tasks joined by routes -> tasks one after another, and within each other."""

from dataclasses import replace
from typing import Any

from offhook.kit.errors import shown
from offhook.workflows.definitions.imports.deciding import NO_LOOP, NO_LOOP_DO, Deciding
from offhook.workflows.definitions.imports.doing import Doing
from offhook.workflows.definitions.imports.format import COMMON, KNOWN, Raw, targets
from offhook.workflows.definitions.imports.routes import EXIT, Loop, Routes
from offhook.workflows.definitions.imports.several import Several
from offhook.workflows.definitions.imports.values import Values
from offhook.workflows.definitions.imports.way import Done, Making, Way, past

MOST_MADE = 1_500
MOST_LEVELS = 9


class Graphs:
    """Compiles graphs, each kind of task by its own."""

    def __init__(self, making: Making) -> None:
        self._making, self._values = making, Values(making)
        self._doing = Doing(making, self._values)
        self._deciding = Deciding(making, self._values, self)
        self._several = Several(making, self._values, self)

    def way(self, graph: Raw, place: str, way: Way | None = None, **changes: Any) -> Way:
        tasks = graph["tasks"]
        after = {name: targets(task) for name, task in tasks.items()}
        choosing = frozenset(name for name, task in tasks.items() if task["type"] == "Decision")
        self._making.types |= {name: task["type"] for name, task in tasks.items()}
        routes = Routes(graph["startTask"], after, choosing)
        if way is None:
            return Way(tasks, routes, place)
        return replace(way, tasks=tasks, routes=routes, place=place, level=way.level + 1, stops=frozenset(), **changes)

    def run(self, way: Way, name: str, *, first: bool = False) -> Done:
        """Compile from a task on until a stop or an end. `first` says that the task is compiled though it is a stop."""
        made: list[Raw] = []
        current = name
        while current != EXIT:
            if current in way.stops and not first:
                return Done(made, way, current)
            first = False
            if way.level > MOST_LEVELS or self._making.made > MOST_MADE:
                why = "The routes do not fit into tasks within tasks: there are too many, or they lie too deep."
                self._making.report.lacks(
                    f"{way.place}tasks[{current!r}]", why, "Move a part into a workflow of its own."
                )
                return Done([*made, self._making.stub(current)], way)
            loop = way.routes.loops.get(current)
            following = self._following(way, current, loop)
            if loop is not None:
                done = self._deciding.loop(way, loop)
            elif way.tasks[current]["type"] == "Decision":
                done = self._deciding.decision(way, current, way.tasks[current])
            else:
                done = self._plain(way, current, way.tasks[current], following)
            made += done.tasks
            way = replace(done.way, stops=way.stops, level=way.level)
            if done.at != following or done.at is None:
                return Done(made, way, done.at)
            if (current, following) in way.routes.cut:
                self._making.report.lacks(f"{way.place}tasks[{current!r}].nextTask", NO_LOOP, NO_LOOP_DO)
                return Done([*made, self._making.stub(current)], way)
            current = following
        return Done(made, way)

    def _following(self, way: Way, name: str, loop: Loop | None) -> str:
        if loop is not None:
            return way.routes.meet(loop.exits)
        task = way.tasks[name]
        if task["type"] == "Decision":
            return way.routes.meet(self.goes(way, name))
        return task.get("nextTask") or EXIT

    @staticmethod
    def goes(way: Way, name: str) -> list[str]:
        return [one for one in targets(way.tasks[name]) if (name, one) not in way.routes.cut]

    def inside(self, way: Way, target: str, stop: str) -> Done:
        stops = way.stops | {stop} if stop else way.stops
        return self.run(replace(way, level=way.level + 1, stops=stops), target)

    def _plain(self, way: Way, name: str, task: Raw, following: str) -> Done:
        ref, pending = self._making.ref(name), list[Raw]()
        at = f"{way.place}tasks[{name!r}]"
        for one in task:
            if one not in COMMON and one not in KNOWN[task["type"]]:
                self._making.report.lacks(f"{at}.{shown(one)}", "No such field is known.", "See whether it is needed.")
        own = self._values.own(way, name, task, pending)
        base: Raw = {"name": name, "taskReferenceName": ref}
        if isinstance(task.get("description"), str):
            base["description"] = task["description"]
        kind = task["type"]
        if task.get("retry") is not None and kind != "Http":
            self._making.report.lacks(f"{at}.retry", "Only attempts of HTTP tasks are repeated.", "Leave it out.")
        match kind:
            case "Http":
                made = [self._doing.http(way, at, task, own, base, pending)]
            case "Simple":
                self._making.report.became(at, "a HUMAN task, which is completed from outside")
                made = [{**base, "type": "HUMAN", "inputParameters": own or {}}]
            case "Wait":
                made = [self._doing.wait(way, at, task, own, base, pending)]
            case "Terminate":
                return self._doing.terminate(way, name, task, own, base, pending)
            case "Parallel":
                done = self._several.parallel(way, name, task, base, pending)
                return replace(done, at=following)
            case _:
                done = self._several.map(way, name, task, own, base, pending)
                return replace(done, at=following)
        return Done([*pending, *made], past(way, name, ref), following)

    def unreached(self, tasks: Raw, routes: Routes, place: str) -> None:
        for name in tasks.keys() - set(routes.order):
            at = f"{place}tasks[{name!r}]"
            self._making.report.lacks(
                at, "No route leads to it, so that it was left out.", "Lead a route to it if it is meant."
            )
