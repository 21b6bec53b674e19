"""Decisions, and routes back, which become loops where they are left at one decision."""

from dataclasses import replace

from offhook.kit.wire import encode
from offhook.workflows.definitions.imports.format import Raw, case_of, cases_of
from offhook.workflows.definitions.imports.routes import Loop
from offhook.workflows.definitions.imports.values import Values
from offhook.workflows.definitions.imports.way import Compiler, Done, Making, Way, slug

NO_LOOP = "The route leads back, but not as a loop that is left at one decision, which it passes each time."
NO_LOOP_DO = "Route it so, or move the repeated part into a workflow of its own."


class Deciding:
    """Compiles them into SWITCH and DO_WHILE."""

    def __init__(self, making: Making, values: Values, graphs: Compiler) -> None:
        self._making, self._values, self._graphs = making, values, graphs

    def decision(self, way: Way, name: str, task: Raw) -> Done:
        ref = self._making.ref(name)
        goes = self._graphs.goes(way, name)
        meet = way.routes.meet(goes)
        switch = {
            "name": name,
            "taskReferenceName": ref,
            "type": "SWITCH",
            "evaluatorType": "javascript",
            **self._script(way, name, task),
        }
        self._making.report.became(f"{way.place}tasks[{name!r}].choices", "a SWITCH with evaluatorType javascript")
        return self._switched(way, switch, task, name, meet, way)

    def _switched(self, way: Way, switch: Raw, task: Raw, name: str, meet: str, after: Way) -> Done:
        """Compile the ways of a decision, which meet again at `meet`."""
        ends: list[Done] = []
        cases: dict[str, list[Raw]] = {}
        default: list[Raw] = []
        for case, target in cases_of(task).items():
            if (name, target) in way.routes.cut:
                self._making.report.lacks(f"{way.place}tasks[{name!r}]", NO_LOOP, NO_LOOP_DO)
                done = Done([self._making.stub(name)], way)
            elif target == meet:
                done = Done([], way, meet)
            else:
                done = self._graphs.inside(way, target, meet)
            ends.append(done)
            if case == "otherwise":
                default = done.tasks
            else:
                cases[case] = done.tasks
        if not cases:
            cases["otherwise"] = []
        switch |= {"decisionCases": cases, "defaultCase": default}
        return Done([switch], self._met(after, ends), _reached(ends, meet))

    @staticmethod
    def _met(way: Way, ends: list[Done]) -> Way:
        """The way behind several: what ran is open where it is not the same in all."""
        going = [one.way for one in ends if one.at is not None]
        seen: dict[str, tuple[str, ...]] = {}
        for one in going or [way]:
            for name, refs in one.seen.items():
                seen[name] = tuple(dict.fromkeys((*seen.get(name, ()), *refs)))
        before = {one.before for one in going}
        return replace(way, seen=seen, before=before.pop() if len(before) == 1 else ())

    def _script(self, way: Way, name: str, task: Raw) -> Raw:
        lines = [
            f"  if ((\n{one['condition']}\n  ) === true) return {encode(case_of(task, one['nextTask'])).decode()};"
            for one in task["choices"]
        ]
        script = "\n".join(["(function ($) {", *lines, '  return "otherwise";', "})($.before);"])
        pending: list[Raw] = []
        own = self._values.own(way, name, task, pending)
        before = own if own is not None else self._values.before(way, f"{way.place}tasks[{name!r}].choices")
        for one in pending:
            place = f"{way.place}tasks[{name!r}].inputParameters"
            self._making.report.lacks(
                place, "JSONata stands in the input of a decision.", "Move it into a task before."
            )
            del one
        return {"expression": script, "inputParameters": {"before": before}}

    def loop(self, way: Way, loop: Loop) -> Done:
        head, decider = loop.head, loop.decider
        task = way.tasks[decider]
        loop_ref, ref = self._making.unique(f"{slug(head)}_loop"), self._making.ref(decider)
        inner = replace(way, before=(), stops=way.stops | {decider})
        body = (
            Done([], inner, decider)
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
        stays = {case: target for case, target in cases_of(task).items() if target not in loop.exits}
        on = {case: target for case, target in stays.items() if target != head}
        if on:
            cases = {
                case: self._graphs.inside(replace(body.way, level=way.level + 1), target, head).tasks
                for case, target in on.items()
            }
            made.append(_switch(self._making.unique(f"{ref}_stay"), ref, cases))
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
        self._making.report.became(
            f"{way.place}tasks[{head!r}]", f"the routes back to it became the DO_WHILE {loop_ref}"
        )
        after = replace(body.way, level=way.level, stops=way.stops)
        if len(loop.exits) == 1:
            return Done(tasks, after, loop.exits[0])
        meet = way.routes.meet(loop.exits)
        ends: list[Done] = []
        left: dict[str, list[Raw]] = {}
        for case, target in cases_of(task).items():
            if target in loop.exits:
                done = Done([], after, meet) if target == meet else self._graphs.inside(after, target, meet)
                ends.append(done)
                left[case] = done.tasks
        tasks.append(_switch(self._making.unique(f"{ref}_left"), ref, left))
        return Done(tasks, self._met(after, ends), _reached(ends, meet))

    def _run_body(self, way: Way, head: str) -> Done:
        """The tasks of a loop before its decision; its own head is not taken as another loop's."""
        routes = way.routes
        kept = routes.loops.pop(head)
        try:
            return self._graphs.run(replace(way, stops=way.stops | {head}), head, first=True)
        finally:
            routes.loops[head] = kept


def _reached(ends: list[Done], meet: str) -> str | None:
    """Where the ways of a decision go on: where they meet, or at a stop further out; None if all are over."""
    reached = [one.at for one in ends if one.at is not None]
    return meet if meet in reached else next(iter(reached), None)


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
