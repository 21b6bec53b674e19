"""The workflow that a line hands calls to, in a file: its name, with how long a caller waits if that is not the usual.

The workflows themselves are not in a file.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from offhook.configuration.company import Company
from offhook.configuration.kind import Field, Item, Special, Wanted
from offhook.configuration.names import Names
from offhook.directory.lines.asking import places
from offhook.directory.scripts import SECONDS
from offhook.kit.errors import Notice, shown
from offhook.storage.database import Transaction

if TYPE_CHECKING:
    from offhook.configuration.run import Run

_PARTS = ("workflow", "seconds")


def _shows(_tx: Transaction, item: Item, _names: Names) -> Any:
    kept = item.value.script
    return None if kept is None else _normal({"workflow": kept.workflow, "seconds": kept.seconds})


def _normal(value: Any) -> Any:
    """`welcome`, or `{workflow: welcome, seconds: 8}`."""
    if isinstance(value, str):
        return value
    if not isinstance(value, dict) or "workflow" not in value:
        raise ValueError("Must be the name of a workflow, or {workflow: welcome, seconds: 5}.")
    unknown = [name for name in value if name not in _PARTS]
    if unknown:
        raise ValueError(f"There is no {shown(unknown[0])} here; there are {', '.join(_PARTS)}.")
    found = {name: value[name] for name in _PARTS if value.get(name) is not None}
    if found.get("seconds") == SECONDS:
        del found["seconds"]
    return found["workflow"] if list(found) == ["workflow"] else found


def script(folder: str) -> tuple[Field, Special]:
    """The workflow of a kind of line, which the API has in `folder`, and how it is attached."""

    def attach(run: "Run", wanted: Wanted) -> None:
        value = wanted.given["script"]
        if value is None:
            run.do(f"offhook.{folder}.script.remove", params={"id": wanted.id}, at="script")
            return
        body = value if isinstance(value, dict) else {"workflow": value}
        run.do(f"offhook.{folder}.script.set", params={"id": wanted.id}, body=body, under="script")

    return Field("script", show=_shows, normal=_normal, wire=""), Special(("script",), attach)


_STATES = ("open", "closed")


def unscripted(listed: Iterable[Wanted], after: Company) -> Iterator[Notice]:
    """Warnings of lines that, in the end, hand calls to a workflow and have none, where a file speaks of either."""
    for wanted in listed:
        record = after.records[wanted.kind.section].get(wanted.id)
        speaks = {"script", *(f"routing_options.{state}" for state in _STATES)} & wanted.said
        if record is None or not speaks or "script" not in wanted.kind.by_path or record.fields["script"] is not None:
            continue
        asked = places({state: _as_answered(record.fields[f"routing_options.{state}"]) for state in _STATES})
        if asked:
            text = f"Calls are handed to a workflow ({', '.join(asked)}), but none is attached: they end in voicemail."
            yield Notice("script_missing", f"{wanted.place}.script", text)


def _as_answered(state: dict[str, Any]) -> dict[str, Any]:
    """What happens to calls as answers have it, of a file's form."""
    keys = [{"input": one.get("input"), "options": one} for one in state.get("dtmf", ())]
    return {"action": state["action"], "dtmf": keys}
