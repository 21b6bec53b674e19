"""Voice prompts in a file: what is known of them and who plays them, not their sound, which is uploaded."""

from typing import TYPE_CHECKING, Any

from offhook.configuration.kind import Field, Item, Kind, Special, Wanted, each
from offhook.configuration.kinds.parts import everything, mapping, send_target, target_text
from offhook.configuration.names import Names
from offhook.directory.prompts import store
from offhook.directory.prompts.model import Use
from offhook.kit.errors import Notice
from offhook.storage.database import Transaction

if TYPE_CHECKING:
    from offhook.configuration.run import Run

_ALL = 1_000_000
_USE = mapping("target", "ivr_type", "direction")


def _uses(tx: Transaction, tenant_id: int, id: int) -> list[Use]:
    return [one for one in store.of_prompt(tx, tenant_id, id, _ALL) if one.selected]


def _shows_uses(tx: Transaction, item: Item, names: Names) -> list[dict[str, str]] | None:
    found = []
    for one in _uses(tx, item.tenant_id, item.id):
        entry = {"target": target_text(one.target.type, str(one.target.id), names) or "", "ivr_type": one.kind}
        found.append(entry | ({"direction": one.only} if one.only else {}))
    return _sorted(found) or None


def _sorted(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(entries, key=lambda one: tuple(str(one.get(name, "")) for name in ("target", "ivr_type")))


def _normal_uses(value: Any) -> list[dict[str, Any]]:
    return _sorted(each(_USE)(value))


def _placed(run: "Run", one: dict[str, Any], place: str) -> dict[str, Any]:
    target = send_target(run, one.get("target"), place)
    return {
        "target_type": target["action_target_type"],
        "target_id": int(target.get("action_target_id", 0)),
        "ivr_type": str(one.get("ivr_type")),
    }


def _where(use: Use) -> dict[str, Any]:
    return {"target_type": use.target.type, "target_id": use.target.id, "ivr_type": use.kind}


def _play(run: "Run", wanted: Wanted) -> None:
    now = {(one.target.type, one.target.id, one.kind): one.only for one in _uses(run.tx, run.tenant_id, wanted.id)}
    for index, one in enumerate(wanted.given["played_by"] or []):
        params = _placed(run, one, f"played_by[{index}]")
        place = (params["target_type"], params["target_id"], params["ivr_type"])
        if place not in now or now[place] != one.get("direction"):
            body = {"ivr_id": wanted.id} | ({"select_option": one["direction"]} if "direction" in one else {})
            run.do("ivr.update", params=params, body=body, under=f"played_by[{index}]")


def _stop(run: "Run", wanted: Wanted) -> None:
    listed = enumerate(wanted.given["played_by"] or [])
    kept = [_placed(run, one, f"played_by[{index}]") for index, one in listed]
    for use in _uses(run.tx, run.tenant_id, wanted.id):
        params = _where(use)
        if params not in kept:
            run.do("ivr.delete", params=params, body={"ivr_id": wanted.id}, at="played_by")


def _not_made(run: "Run", wanted: Wanted) -> None:
    text = "The company has no such prompt, and a file does not hold its sound: upload it, then apply this again."
    run.notices.append(Notice("prompt_not_uploaded", wanted.place, text))


def _remove(run: "Run", wanted: Wanted) -> None:
    for use in store.of_prompt(run.tx, run.tenant_id, wanted.id, _ALL):
        run.do("ivr.delete", params=_where(use), body={"ivr_id": wanted.id})


PROMPTS = Kind(
    section="prompts",
    type="prompt",
    fields=(
        Field("name", cleared=""),
        Field("description", cleared=""),
        Field("digest", mutable=False, required=True),
        Field("played_by", show=_shows_uses, normal=_normal_uses, wire="", required=True),
    ),
    id="ivr_id",
    load=everything(store.prompts, lambda prompt: prompt.name or f"unnamed {prompt.digest[:12]}"),
    create="",
    update="ivr_details.update",
    delete="",
    make=_not_made,
    remove=_remove,
    specials=(Special(("played_by",), _stop, first=_play),),
)
