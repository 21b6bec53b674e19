"""The definition format behind the seed page -> Conductor's form, and a report of what became of each part. Pure.

A definition there is a map of tasks (Simple, Http, Decision, Parallel, Map, Wait, Terminate) joined by routes. Routes
that meet again become what follows a SWITCH; those that do not are written out once for each way that leads to them;
routes back become DO_WHILE where they form a loop. The format's public pages leave open what a task without
inputParameters is given: it is taken to be the output of the task before, or the workflow's input for the first.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from offhook.kit.errors import Invalid, Malformed, TooLarge, shown
from offhook.workflows.definitions.imports.format import OF_DEFINITION, Raw, faults
from offhook.workflows.definitions.imports.graphs import Graphs
from offhook.workflows.definitions.imports.report import Missing, Report, Translated
from offhook.workflows.definitions.imports.way import Making
from offhook.workflows.definitions.reading import loaded, read


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
    found = faults(raw)
    if found:
        raise Invalid.of(found)
    return _compiled(raw)


def _compiled(raw: Raw) -> Imported:
    making = Making(raw)
    report, graphs = making.report, Graphs(making)
    for name in raw:
        if name not in OF_DEFINITION:
            report.lacks(shown(name), "No such field is known.", "See whether it is needed.")
    made: Raw = {"name": raw["name"], "version": 1, "schemaVersion": 2}
    if isinstance(raw.get("description"), str):
        made["description"] = raw["description"]
    done = graphs.run(graphs.way(raw, ""), raw["startTask"])
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
    graphs.unreached(raw["tasks"], done.way.routes, "")
    for name, refs in making.names.items():
        became = f"the task {refs[0]}" if len(refs) == 1 else f"{len(refs)} tasks: {', '.join(refs[:20])}"
        report.became(f"tasks[{name!r}]", f"{making.types[name]} became {became}")
        if len(refs) > 1:
            text = "ways lead to it that do not meet again, or meet too late: it is written out for each"
            report.became(f"tasks[{name!r}].routes", text)
    made["metadata"] = {"importedFrom": "simworkflow"}
    checked = [_check(one, report) for one in (made, *making.others)]
    return Imported(
        raw=made,
        others=tuple(making.others),
        translated=tuple(report.translated),
        missing=tuple(report.missing),
        names={name: tuple(refs) for name, refs in making.names.items()},
        sound=all(checked),
    )


def _check(made: Raw, report: Report) -> bool:
    do = "Mend the compiled definition there, or the imported one."
    try:
        read(made)
    except Invalid as error:
        for one in error.violations:
            report.lacks(one.location, f"What it was compiled to breaks a rule: {one.message}", do)
        return False
    except (Malformed, TooLarge) as error:
        report.lacks("tasks", error.message, "Move parts into workflows of their own.")
        return False
    return True
