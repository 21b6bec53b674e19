"""Values of tasks with the expressions in them: what they read, in Conductor's form."""

import re
from typing import Any

from offhook.kit.errors import shown
from offhook.kit.wire import encode
from offhook.workflows.definitions.imports.expressions import path, pieces, split, walked
from offhook.workflows.definitions.imports.format import Raw
from offhook.workflows.definitions.imports.way import Making, Way, slug
from offhook.workflows.definitions.places import JSONATA

_RESPONSE = {"status": "statusCode", "statusCode": "statusCode", "headers": "headers", "body": "body"}
_SWF = {
    "swf:workflowId": "${workflow.workflowId}",
    "swf:workflowDefinitionId": "${workflow.workflowType}",
    "swf:workflowDefinitionVersion": "${workflow.version}",
}
_NAME_IT = "Give the task inputParameters that name what it reads."


class Values:
    """Translates values. `own` are the task's input parameters, None if it has none.

    What has to be evaluated before the task is put to `pending`.
    """

    def __init__(self, making: Making) -> None:
        self._making = making

    def own(self, way: Way, name: str, task: Raw, pending: list[Raw]) -> Raw | None:
        """The task's input parameters, translated; None if it has none."""
        sent = task.get("inputParameters")
        if not isinstance(sent, dict):
            return None
        base = {"taskReferenceName": slug(name)}
        at = f"{way.place}tasks[{name!r}].inputParameters"
        return {key: self.value(way, one, f"{at}.{shown(key)}", {}, pending, base) for key, one in sent.items()}

    def value(self, way: Way, value: Any, at: str, own: Raw | None, pending: list[Raw], base: Raw) -> Any:
        if isinstance(value, dict):
            return {key: self.value(way, one, f"{at}.{shown(key)}", own, pending, base) for key, one in value.items()}
        if isinstance(value, list):
            return [self.value(way, one, f"{at}[{n}]", own, pending, base) for n, one in enumerate(value)]
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

    def _expression(self, way: Way, expression: str, at: str, own: Raw | None, pending: list[Raw], base: Raw) -> Any:
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
        if root in self._making.types:
            why = "The task cannot have run by then."
            return self._none(at, expression, why, "Read a task that comes before.")
        if own is None and root != "workflow":
            before = self.before(way, at)
            good, value = walked(before, f".{root}{rest_path}")
            return value if good else self._none(at, expression, "It is open what it reads.", _NAME_IT)
        return self._none(at, expression, "Nothing here is called so.", "Name an input parameter or a task.")

    def _none(self, at: str, expression: str, why: str, do: str) -> None:
        self._making.report.lacks(at, f"${{{expression[:120]}}}: {why}", do)

    def _of_task(self, way: Way, name: str, rest: str, at: str, expression: str) -> Any:
        refs = way.seen[name]
        if len(refs) > 1:
            why = f"The task became several ({', '.join(refs[:5])}); the first was taken."
            self._making.report.lacks(
                at, f"${{{expression[:120]}}}: {why}", "Set a variable behind each, and read that."
            )
        ref = self._at_hand(way, refs[0])
        if rest.startswith(".input"):
            return f"${{{ref}{rest}}}"
        if not re.match(r"\.output(?![\w-])", rest):
            return self._none(at, expression, "Only input and output of a task can be read.", "Read one of them.")
        inner = rest.removeprefix(".output")
        match self._making.types[name]:
            case "Http":
                step = re.match(r"\.([A-Za-z]\w*)", inner)
                if step and step[1] in _RESPONSE:
                    inner = f".{_RESPONSE[step[1]]}{inner[step.end() :]}"
                elif inner:
                    why = "The fields of a response are statusCode, headers and body."
                    self._making.report.lacks(at, f"${{{expression[:120]}}}: {why}", "See whether it reads the body.")
                return f"${{{ref}.output.response{inner}}}"
            case "Terminate":
                return f"${{{ref}.output.result{inner}}}"
            case "Parallel" | "Map" | "Decision":
                why = "The output of what runs several tasks has another shape: it is by reference name."
                self._making.report.lacks(
                    at, f"${{{expression[:120]}}}: {why}", "Read the tasks within by their names."
                )
        return f"${{{ref}.output{inner}}}"

    def _at_hand(self, way: Way, ref: str) -> str:
        """A task's reference, by the way of the input if it is outside a workflow of its own."""
        if ref not in way.outer:
            return ref
        self._making.passed[-1].add(ref)
        return f"workflow.input.tasks.{ref}"

    def before(self, way: Way, at: str) -> Any:
        """What the task before gave; the workflow's input for the first."""
        if way.before is None:
            if way.item:
                return {name: f"${{{one}}}" for name, one in way.item.items()}
            return "${" + way.input + "}"
        if not way.before:
            self._making.report.lacks(
                at, "Several tasks lead here, so that it is open whose output it reads.", _NAME_IT
            )
            return None
        name, ref = way.before
        return self._output(way, name, ref)

    def _output(self, way: Way, name: str, ref: str) -> Any:
        ref = self._at_hand(way, ref)
        if self._making.types[name] == "Http":
            return {one: f"${{{ref}.output.response.{ours}}}" for one, ours in _RESPONSE.items()}
        return f"${{{ref}.output{'.result' if self._making.types[name] == 'Terminate' else ''}}}"

    def _jsonata(self, way: Way, expression: str, at: str, own: Raw | None, pending: list[Raw], base: Raw) -> Any:
        """A task before that evaluates JSONata over what the expression names."""
        inputs: Raw = {}
        if own is None:
            before = self.before(way, at)
            inputs |= before if isinstance(before, dict) else {}
            if isinstance(before, str):
                why = "The output of the task before is not spread out into the names that the expression may read."
                self._making.report.lacks(at, f"${{jsonata:{expression[:100]}}}: {why}", _NAME_IT)
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
            self._making.report.lacks(at, f"${{jsonata:{expression[:100]}}}: {why}", "Give the input another name.")
        ref = self._making.unique(f"{base['taskReferenceName']}_value")
        inputs |= {"evaluatorType": "jsonata", "expression": expression}
        pending.append({"name": ref, "taskReferenceName": ref, "type": "INLINE", "inputParameters": inputs})
        self._making.report.became(at, f"the JSONata is evaluated by the INLINE {ref} before")
        return f"${{{ref}.output.result}}"
