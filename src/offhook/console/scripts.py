"""The workflow that a line hands calls to, on its page: which one, what asks it, and the form that changes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from offhook.console import lines, workflows
from offhook.console.inside import Asked
from offhook.console.visit import Part, Visit
from offhook.directory.lines.asking import places
from offhook.directory.scripts import MOST_SECONDS, SECONDS

FIELDS = ("workflow", "seconds")


@dataclass(slots=True)
class ScriptForm:
    """The form as it was sent; `faults` are messages by the name of a field, "" for the form as a whole."""

    values: dict[str, str] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=dict)
    status: int = 200


async def section(visit: Visit, line: Mapping[str, Any]) -> Part:
    """What the section shows; `line["refused"]` is a form of it that was refused."""
    title = "Workflow"
    asked = await visit.inside.ask("GET", f"{lines.added(visit)}/script")
    if not asked.ok:
        return Part("script", title, "_script.html", refusal=asked.message, status=asked.status)
    script = asked.document
    name = script.get("workflow", "")
    gone, names = False, []
    if visit.may("workflows:read"):
        if name:
            gone = (await visit.inside.ask("GET", workflows.place(name))).status == 404
        listed = await visit.inside.ask("GET", f"{workflows.API}/definitions")
        names = [one["name"] for one in listed.document["items"]] if listed.ok else []
    refused = line.get("refused")
    usual = {"workflow": name, "seconds": str(script.get("seconds", SECONDS))}
    shown = {
        "script": script,
        "gone": gone,
        "names": names,
        "places": places(line["routing_options"]),
        "page": workflows.address(name) if name else "",
        "form": refused if isinstance(refused, ScriptForm) else ScriptForm(usual),
        "action": f"{lines.here(visit)}/script",
        "most": MOST_SECONDS,
        "writes": visit.may("offices:write" if lines.folder_of(visit) == "offices" else "directory:write"),
    }
    return Part("script", title, "_script.html", shown)


async def attached(visit: Visit) -> ScriptForm | None:
    """Attach what the form says; None if that was done, else the form with what is wrong."""
    sent = {name: dict(visit.form).get(name, "").strip()[:300] for name in FIELDS}
    body: dict[str, Any] = {"workflow": sent["workflow"]}
    if sent["seconds"]:
        seconds = sent["seconds"]
        body["seconds"] = int(seconds) if seconds.isascii() and seconds.isdigit() and len(seconds) < 10 else seconds
    asked = await visit.inside.ask("PUT", f"{lines.added(visit)}/script", body=body)
    return None if asked.ok else ScriptForm(sent, _faults(asked), asked.status)


async def detached(visit: Visit) -> ScriptForm | None:
    """Take the workflow off; None if that was done, else an empty form with what is wrong."""
    asked = await visit.inside.ask("DELETE", f"{lines.added(visit)}/script")
    return None if asked.ok else ScriptForm({}, _faults(asked), asked.status)


def _faults(asked: Asked) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in asked.violations:
        found.setdefault(one.location if one.location in FIELDS else "", []).append(one.message)
    return found or {"": [asked.message]}
