"""The numbers of users in the inventory: found, claimed and given back, each a step in a transaction."""

from datetime import datetime

from offhook.directory.keeper import tell
from offhook.events.model import Word
from offhook.kit.operation import Call
from offhook.kit.phones import about, calling_code
from offhook.numbers import store
from offhook.storage.database import Transaction

_BATCH = 200


def first_free(tx: Transaction, tenant_id: int, country: str = "") -> str | None:
    """The first free number of a country, or of any; toll-free ones are left for lines that many call."""
    prefix, after = calling_code(country) if country else "+", ""
    while prefix and (batch := store.free_like(tx, tenant_id, prefix, after, _BATCH)):
        for number in batch:
            digits = about(number)
            if digits.kind != "tollfree" and country in ("", digits.country):
                return number
        after = batch[-1]
    return None


def claim(tx: Transaction, call: Call, at: datetime, number: str, user_id: int) -> None:
    """Give a free number to a user, with its event."""
    claimed = store.claim(tx, call.principal.tenant_id, number, "user", user_id)
    assert claimed, number
    tell(tx, call, at, Word.NUMBER_ASSIGNED, number, after=_held(number, user_id))


def release(tx: Transaction, call: Call, at: datetime, number: str, user_id: int) -> None:
    """Give a user's number back to the inventory, with its event."""
    if store.release(tx, call.principal.tenant_id, number, "user", user_id):
        tell(tx, call, at, Word.NUMBER_RELEASED, number, before=_held(number, user_id))


def _held(number: str, user_id: int) -> dict[str, str]:
    return {"number": number, "target_type": "user", "target_id": str(user_id)}
