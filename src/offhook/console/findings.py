"""What verification finds wrong with a line. It may take a while, so the line's page fetches it once it is in sight."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from offhook.console import calling, lines
from offhook.console.frame import Answer
from offhook.console.visit import Part, Visit, part

ID, TITLE = "findings", "What callers may be lost by"
SEVERITIES = {"error": "Error", "warning": "Warning", "hint": "Hint"}


class Finding(NamedTuple):
    """A finding as the API has it, with the page of its place and the address that calls its example again."""

    it: Mapping[str, Any]
    severity: str
    page: str
    replay: str


async def section(visit: Visit, line: Mapping[str, Any]) -> Part:
    """On the page of a line: where they are fetched from."""
    text = "Look through all times of the coming year and all keys"
    return Part(ID, TITLE, "_later.html", {"address": f"{lines.here(visit)}/findings", "text": text})


async def page(visit: Visit) -> Answer:
    """`GET /console/offices/{id}/findings`."""
    line = await lines.record(visit)
    asked = await visit.inside.ask("POST", f"{lines.added(visit)}/verify")
    found = [_finding(one) for one in asked.document["findings"]] if asked.ok else []
    shown = part(ID, TITLE, "_findings.html", asked, findings=found)
    return visit.page(
        "part.html", status=shown.status, here="offices", part=shown, up=(lines.here(visit), line["name"])
    )


def _finding(one: Mapping[str, Any]) -> Finding:
    where, example = one["where"], one.get("example")
    replay = lines.callable_at(example["type"], example["id"]) if example else ""
    if example and replay:
        replay += "?" + urlencode({"at": example["at"], "keys": calling.typed(example["keys"]), "answer": "nobody"})
    return Finding(one, SEVERITIES[one["severity"]], lines.page_of(where["target_type"], where["target_id"]), replay)
