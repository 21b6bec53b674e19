"""Names of definitions on a server that all companies share: each company's carry its mark. Pure.

`hello` of the tenant 12 is `hello#12` there, in its own definition and wherever another one starts it; so no company
takes another's definition, or sees another's run, and a stock server takes such names. Ids of runs there are texts that
are no numbers, by which they are told from runs here; where a server counts them, they are shown with a letter before.
"""

import copy
import re
from collections.abc import Mapping
from typing import Any

from offhook.kit.errors import Invalid, Violation, shown
from offhook.workflows.definitions.model import START, SUB

Raw = dict[str, Any]
_COUNTED = re.compile(r"c\d{1,19}")


def marked(name: str, tenant_id: int) -> str:
    """The name there of a company's definition."""
    return f"{name}#{tenant_id}"


def unmarked(name: str, tenant_id: int) -> str | None:
    """The company's own name of a definition there; None if it is not the company's."""
    mark = f"#{tenant_id}"
    return name.removesuffix(mark) if name.endswith(mark) and name != mark else None


def shown_id(id: str) -> str:
    """What a run there is called here."""
    return f"c{id}" if id.isdecimal() else id


def id_there(shown: str) -> str:
    """What a run there is called there."""
    return shown[1:] if _COUNTED.fullmatch(shown) else shown


Named = tuple[str, int | None]
"""A definition's name and version, None for the latest."""


def definition_for(raw: Raw, tenant_id: int, policies: Mapping[str, Raw] | None = None) -> tuple[Raw, list[Named]]:
    """A definition with all names marked, and the other definitions that it starts.

    `policies` are those registered by the names of tasks: they are written into the tasks, since those that are
    registered on that server are everybody's. Invalid for a definition that takes such a name from an expression, since
    it is not known here what that comes to.
    """
    made = copy.deepcopy(raw)
    others: dict[Named, None] = {}
    found: list[Violation] = []

    def mark(holder: Any, key: str, place: str, version: str = "version") -> None:
        name = holder.get(key) if isinstance(holder, dict) else None
        if not isinstance(name, str) or not name:
            return
        if "${" in name:
            text = "A name that an expression gives cannot be marked as the company's; write it out."
            found.append(Violation(location=f"{place}.{key}", message=text, sent=shown(name)))
            return
        number = holder.get(version)
        others[name, number if isinstance(number, int) and number > 0 else None] = None
        holder[key] = marked(name, tenant_id)

    def whole(definition: Raw, place: str) -> None:
        mark(definition, "failureWorkflow", place.rstrip("."), "failureWorkflowVersion")
        tasks(definition.get("tasks"), f"{place}tasks")

    def tasks(sequence: Any, place: str) -> None:
        for number, task in enumerate(sequence if isinstance(sequence, list) else ()):
            if isinstance(task, dict):
                one(task, f"{place}[{number}]")

    def one(task: Raw, place: str) -> None:
        policy = (policies or {}).get(str(task.get("name")))
        if policy is not None and task.get("taskDefinition") is None:
            task["taskDefinition"] = copy.deepcopy(policy)
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
    own = str(raw["name"])
    return made, [named for named in others if named not in ((own, None), (own, raw.get("version") or 1))]
