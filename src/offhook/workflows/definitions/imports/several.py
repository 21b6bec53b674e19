"""Tasks that run several: branches, and a list's items one after another or each in a workflow of its own."""

from dataclasses import replace
from typing import Any

from offhook.workflows.definitions.imports.format import Raw
from offhook.workflows.definitions.imports.values import Values
from offhook.workflows.definitions.imports.way import Compiler, Done, Making, Way, past


class Several:
    """Compiles them into forks with their joins, and DO_WHILE."""

    def __init__(self, making: Making, values: Values, graphs: Compiler) -> None:
        self._making, self._values, self._graphs = making, values, graphs

    def parallel(self, way: Way, name: str, task: Raw, base: Raw, pending: list[Raw]) -> Done:
        ref = base["taskReferenceName"]
        join = self._making.unique(f"{ref}_join")
        branches: list[list[Raw]] = []
        seen: dict[str, tuple[str, ...]] = dict(way.seen)
        for number, branch in enumerate(task["branches"]):
            place = f"{way.place}tasks[{name!r}].branches[{number}]."
            inner = self._graphs.way(branch, place, way, branch=True)
            done = self._graphs.run(inner, branch["startTask"])
            self._graphs.unreached(branch["tasks"], inner.routes, place)
            branches.append(self._closed(done.tasks, ref))
            seen |= self._left(done)
        fork = {**base, "type": "FORK_JOIN", "forkTasks": branches}
        on = [branch[-1]["taskReferenceName"] for branch in branches]
        joined = {"name": f"{name} join"[:200], "taskReferenceName": join, "type": "JOIN", "joinOn": on}
        self._making.report.became(
            f"{way.place}tasks[{name!r}].branches", f"a FORK_JOIN with {len(branches)} branches and a JOIN"
        )
        return Done([*pending, fork, joined], replace(way, seen={**seen, name: (join,)}, before=(name, join)))

    def _left(self, done: Done) -> dict[str, tuple[str, ...]]:
        """What has run in a branch that is over, whichever way it took: every task of it, each copy."""
        seen = dict(done.way.seen)
        for one in _every(done.tasks):
            for name, refs in self._making.names.items():
                if one["taskReferenceName"] in refs and name not in seen:
                    seen[name] = tuple(refs)
        return seen

    def _closed(self, tasks: list[Raw], ref: str) -> list[Raw]:
        """A branch whose last task a JOIN can wait for, which it can't for what is in the cases of a SWITCH."""
        if tasks and tasks[-1]["type"] not in ("SWITCH", "TERMINATE"):
            return tasks
        end = self._making.unique(f"{ref}_end")
        return tasks if tasks and tasks[-1]["type"] == "TERMINATE" else [*tasks, _noop(end)]

    def map(self, way: Way, name: str, task: Raw, own: Raw | None, base: Raw, pending: list[Raw]) -> Done:
        at, ref = f"{way.place}tasks[{name!r}]", base["taskReferenceName"]
        items = self._values.value(way, task["itemsExpression"], f"{at}.itemsExpression", own, pending, base)
        processor, place = task["itemProcessor"], f"{at}.itemProcessor."
        if task.get("maxConcurrency") == 1:
            item = {"swf:item": f"{ref}.output.loopItem", "swf:itemIndex": f"{ref}.output.loopIndex"}
            inner = self._graphs.way(processor, place, way, branch=True, item=item)
            done = self._graphs.run(inner, processor["startTask"])
            self._graphs.unreached(processor["tasks"], inner.routes, place)
            made: Raw = {**base, "type": "DO_WHILE", "items": items, "loopOver": done.tasks}
            self._making.report.became(at, "a DO_WHILE over the items, one after another")
            return Done([*pending, made], past(way, name, ref))
        if task.get("maxConcurrency") or task.get("maxConcurrencyExpression"):
            why = "A fork as wide as a list is not bounded in how many go on at a time."
            self._making.report.lacks(
                f"{at}.maxConcurrency", why, "Bound the requests by hostConcurrency, or set it to 1."
            )
        return self._fanned(way, name, processor, items, base, pending)

    def _fanned(self, way: Way, name: str, processor: Raw, items: Any, base: Raw, pending: list[Raw]) -> Done:
        """A workflow of its own for each item, with what it reads of this one in its input."""
        at, ref = f"{way.place}tasks[{name!r}]", base["taskReferenceName"]
        place = f"{at}.itemProcessor."
        self._making.passed.append(set())
        outer = frozenset(one for refs in way.seen.values() for one in refs) | way.outer
        inner = self._graphs.way(
            processor, place, way, branch=True, outer=outer, before=None, input="workflow.input.parent",
            item={"swf:item": "workflow.input.item", "swf:itemIndex": "workflow.input.index"},
        )  # fmt: skip
        done = self._graphs.run(inner, processor["startTask"])
        self._graphs.unreached(processor["tasks"], inner.routes, place)
        passed = self._making.passed.pop()
        own_name = f"{self._making.raw['name'][:120]} - {name[:80]}"
        self._making.others.append({"name": own_name, "version": 1, "schemaVersion": 2, "tasks": done.tasks})

        def at_hand(one: str) -> str:
            return f"workflow.input.tasks.{one}" if one in way.outer else one

        if self._making.passed:
            self._making.passed[-1] |= passed & way.outer
        shared = {
            "parent": "${" + way.input + "}",
            "tasks": {
                one: {part: f"${{{at_hand(one)}.{part}}}" for part in ("input", "output")} for one in sorted(passed)
            },
        }
        each, join = self._making.unique(f"{ref}_items"), self._making.unique(f"{ref}_join")
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
        self._making.report.became(at, f"a FORK_JOIN_DYNAMIC that runs the workflow {own_name} for each item")
        way = replace(way, seen={**way.seen, name: (join,)}, before=(name, join))
        return Done([*pending, *made], way)


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
