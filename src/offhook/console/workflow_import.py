"""A definition of another system becomes one of ours: what was translated, what has no equal, and then it is kept."""

from dataclasses import dataclass
from typing import Any

from offhook.console.frame import Answer
from offhook.console.inside import Asked
from offhook.console.visit import Visit
from offhook.console.workflow_editor import written
from offhook.console.workflows import API, HERE, WRITE, address, no_object, object_of

IMPORT = f"{HERE}/import"
KIND = "simworkflow"


@dataclass(slots=True)
class Importing:
    """The form, and what the API made of it: `found` is its answer, None before it was asked."""

    text: str = ""
    found: Any = None
    refusal: str = ""
    faults: tuple[tuple[str, str], ...] = ()
    status: int = 200


async def blank(visit: Visit) -> Answer:
    """`GET /console/workflows/import`."""
    return _page(visit, Importing())


async def sent(visit: Visit) -> Answer:
    """`POST` of the same: looked at, or kept as a new version if what it becomes keeps the rules."""
    form = dict(visit.form)
    importing = Importing(form.get("text", "").replace("\r\n", "\n"))
    raw = object_of(importing.text)
    if raw is None or not importing.text.strip():
        importing.refusal, importing.status = _no_object(importing.text), 400
        return _page(visit, importing)
    body = {"kind": KIND, "definition": raw, "register": form.get("do") == "keep"}
    asked = await visit.inside.ask("POST", f"{API}/definitions/import", body=body)
    if asked.ok:
        importing.found = asked.document
    else:
        _refuse(importing, asked)
    return _page(visit, importing)


def _no_object(text: str) -> str:
    """Why a text is no JSON object, with the place."""
    if not text.strip():
        return "Paste the definition, or choose its file."
    return no_object(text, "It must be a JSON object: { … }.")


def _refuse(importing: Importing, asked: Asked) -> None:
    importing.refusal, importing.status = asked.message, asked.status
    importing.faults = tuple((one.location.removeprefix("definition."), one.message) for one in asked.violations)


def _page(visit: Visit, importing: Importing) -> Answer:
    found = importing.found
    definitions = [] if found is None else [found["definition"], *found["others"]]
    return visit.page(
        "workflow_import.html", here="workflows", status=importing.status, it=importing, action=IMPORT,
        texts=[(one.get("name", ""), written(one)) for one in definitions], address=address, writes=visit.may(WRITE),
    )  # fmt: skip
