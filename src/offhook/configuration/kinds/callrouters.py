"""Call routers in a file, their secrets left out."""

import hashlib
from typing import TYPE_CHECKING, Any

from offhook.configuration.kind import Field, Item, Kind, as_it_is
from offhook.configuration.kinds.numbers import HOLDS, NUMBERS_HELD, PHONE_NUMBERS
from offhook.configuration.kinds.parts import NAME, OFFICE, everything, referring, send_target, target_text
from offhook.configuration.names import Names
from offhook.directory.callrouters.store import callrouters
from offhook.storage.database import Transaction

if TYPE_CHECKING:
    from offhook.configuration.run import Run


def _default_target(_tx: Transaction, item: Item, names: Names) -> str | None:
    target = item.value.default_target
    return target_text(target.type, str(target.id) if target.id else None, names)


def _send_default(run: "Run", value: Any, place: str) -> dict[str, Any]:
    sent = send_target(run, value, place, own=True)
    word = sent["action_target_type"]
    return {
        "default_target_type": "coachingteam" if word == "coachinggroup" else word,
        "default_target_id": sent.get("action_target_id", "0"),
    }


def _secret(_tx: Transaction, item: Item, _names: Names) -> str | None:
    secret = item.value.secret
    return f"sha256:{hashlib.sha256(secret.encode()).hexdigest()}" if secret else None


def _send_secret(run: "Run", value: Any, _place: str) -> Any:
    return None if str(value).startswith("sha256:") else value


CALLROUTERS = Kind(
    section="callrouters",
    type="callrouter",
    implied=("office", "name"),
    fields=(
        Field("office", show=OFFICE.show, wire="office_id", send=referring("office"), refers="office"),
        NAME,
        PHONE_NUMBERS,
        Field("routing_url", required=True),
        Field(
            "default_target",
            show=_default_target,
            send=_send_default,
            spread=True,
            aliases=("default_target_id", "default_target_type"),
            required=True,
        ),
        Field("enabled", True, normal=as_it_is),
        Field("secret", show=_secret, hidden=True, send=_send_secret, cleared=""),
    ),
    load=everything(callrouters, lambda router: router.name, lambda router: router.office_id),
    create="callrouters.create",
    update="callrouters.update",
    delete="callrouters.delete",
    specials=(HOLDS,),
    uniques=(NUMBERS_HELD,),
)
