"""The devices of users and rooms in a file: what each is, its name, and whether it rings."""

from typing import TYPE_CHECKING, Any

from offhook.configuration.kind import Field, Item, Special, Wanted, each
from offhook.configuration.kinds.parts import mapping
from offhook.configuration.names import Names
from offhook.directory.devices.model import ENABLED
from offhook.directory.devices.service import of_owner
from offhook.storage.database import Transaction

if TYPE_CHECKING:
    from offhook.configuration.run import Run

_DEVICE = mapping("name", "type", "enabled")


def _normal(value: Any) -> dict[str, Any]:
    """A device; a text is the name of one."""
    found: dict[str, Any] = {"type": "sip"} | _DEVICE(value if isinstance(value, dict) else {"name": value})
    if found.get("enabled") is True:
        del found["enabled"]
    return found


def _order(device: dict[str, Any]) -> tuple[str, str, str]:
    return str(device.get("name", "")), str(device.get("type")), str(device.get("enabled", True))


def _in_order(value: Any) -> list[dict[str, Any]]:
    return sorted(each(_normal)(value), key=_order)


def _shown(tx: Transaction, item: Item, _names: Names) -> list[dict[str, Any]] | None:
    found = [
        _normal({"name": kept.value.name, "type": kept.value.type, "enabled": kept.state == ENABLED})
        for kept in of_owner(tx, item.tenant_id, item.id)
    ]
    return sorted(found, key=_order) or None


def _set(run: "Run", wanted: Wanted) -> None:
    """Those of the same kind and name stay, and are switched on or off; the others go, and what is lacking is made."""
    path = f"offhook.{wanted.kind.section}.devices"
    there: dict[tuple[str, str], list[Any]] = {}
    for kept in of_owner(run.tx, run.tenant_id, wanted.id):
        there.setdefault((kept.value.name, kept.value.type), []).append(kept)
    made = []
    for index, one in enumerate(wanted.given["devices"] or []):
        same = there.get((str(one.get("name", "")), str(one["type"])))
        if not same:
            made.append((index, one))
            continue
        kept, enabled = same.pop(0), one.get("enabled", True)
        if enabled != (kept.state == ENABLED):
            params = {"id": wanted.id, "device_id": kept.id}
            run.do(f"{path}.update", params=params, body={"enabled": enabled}, under=f"devices[{index}]")
    for kept in (kept for several in there.values() for kept in several):
        run.do(f"{path}.delete", params={"id": wanted.id, "device_id": kept.id}, at="devices")
    for index, one in made:
        run.do(f"{path}.create", params={"id": wanted.id}, body=one, under=f"devices[{index}]")


DEVICES = Field("devices", show=_shown, normal=_in_order, wire="")
SETS_DEVICES = Special(("devices",), _set)
