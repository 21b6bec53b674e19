"""Names of definitions on a server that all companies share: each company's carry its mark. Pure.

`hello` of the tenant 12 is `hello#12` there, in its own definition and wherever another one starts it; so no company
takes another's definition, or sees another's run, and a stock server takes such names.
"""

import copy
from typing import Any

from offhook.kit.errors import Invalid, Violation, shown
from offhook.workflows.definitions.model import START, SUB

Raw = dict[str, Any]


def marked(name: str, tenant_id: int) -> str:
    """The name there of a company's definition."""
    return f"{name}#{tenant_id}"


def unmarked(name: str, tenant_id: int) -> str | None:
    """The company's own name of a definition there; None if it is not the company's."""
    mark = f"#{tenant_id}"
    return name.removesuffix(mark) if name.endswith(mark) and name != mark else None


def definition_for(raw: Raw, tenant_id: int) -> tuple[Raw, list[str]]:
    """A definition with all names marked, and the names of the other definitions that it starts.

    Invalid for one that takes such a name from an expression, since it is not known here what that comes to.
    """
    made = copy.deepcopy(raw)
    others: dict[str, None] = {}
    found: list[Violation] = []

    def mark(holder: Any, key: str, place: str) -> None:
        name = holder.get(key) if isinstance(holder, dict) else None
        if not isinstance(name, str) or not name:
            return
        if "${" in name:
            text = "A name that an expression gives cannot be marked as the company's; write it out."
            found.append(Violation(location=f"{place}.{key}", message=text, sent=shown(name)))
            return
        others[name] = None
        holder[key] = marked(name, tenant_id)

    def whole(definition: Raw, place: str) -> None:
        mark(definition, "failureWorkflow", place.rstrip("."))
        tasks(definition.get("tasks"), f"{place}tasks")

    def tasks(sequence: Any, place: str) -> None:
        for number, task in enumerate(sequence if isinstance(sequence, list) else ()):
            if isinstance(task, dict):
                one(task, f"{place}[{number}]")

    def one(task: Raw, place: str) -> None:
        param = task.get("subWorkflowParam")
        if task.get("type") == SUB and isinstance(param, dict):
            inner = param.get("workflowDefinition")
            if isinstance(inner, dict):
                whole(inner, f"{place}.subWorkflowParam.workflowDefinition.")
                for holder in (param, inner):
                    if isinstance(holder.get("name"), str) and "${" not in holder["name"]:
                        holder["name"] = marked(holder["name"], tenant_id)
            elif isinstance(inner, str):
                text = "A definition that an expression gives cannot be run elsewhere; register it, and name it."
                found.append(Violation(location=f"{place}.subWorkflowParam.workflowDefinition", message=text))
            else:
                mark(param, "name", f"{place}.subWorkflowParam")
        inputs = task.get("inputParameters")
        if task.get("type") == START and isinstance(inputs, dict):
            started = inputs.get("startWorkflow")
            if isinstance(started, str):
                text = "What is started cannot be taken from an expression there; write it out."
                found.append(Violation(location=f"{place}.inputParameters.startWorkflow", message=text))
            mark(started, "name", f"{place}.inputParameters.startWorkflow")
        cases = task.get("decisionCases")
        for case, nested in cases.items() if isinstance(cases, dict) else ():
            tasks(nested, f"{place}.decisionCases.{case}")
        tasks(task.get("defaultCase"), f"{place}.defaultCase")
        for number, branch in enumerate(task.get("forkTasks") or ()):
            tasks(branch, f"{place}.forkTasks[{number}]")
        tasks(task.get("loopOver"), f"{place}.loopOver")

    whole(made, "")
    if found:
        raise Invalid.of(found)
    made["name"] = marked(str(made["name"]), tenant_id)
    others.pop(str(raw["name"]), None)
    return made, list(others)
