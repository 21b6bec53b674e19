"""The inventory: adding numbers, claiming one for whatever it is to ring, giving it back. Each is one step in a
transaction. There is one way to claim and one to release, whoever gets the number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from offhook.access.model import Environment
from offhook.events import store as events
from offhook.events.model import Actor, Event, Word
from offhook.kit import clock
from offhook.kit.errors import Conflict, Invalid, Violation
from offhook.kit.operation import Call
from offhook.kit.phones import Kind, about, check_e164
from offhook.kit.wire import encode
from offhook.numbers import store
from offhook.numbers.fiction import fictional_numbers, is_fictional, supply
from offhook.numbers.model import STATUSES, Number
from offhook.storage.database import Transaction

SANDBOX_NUMBERS = 100
ELSEWHERE = "cannot be added: it is in use on this server."


@dataclass(frozen=True, slots=True)
class By:
    """Who does something to a number, when (milliseconds), and in which request."""

    actor: Actor
    at: int
    request_id: str = ""

    @classmethod
    def of(cls, call: Call, at: datetime) -> "By":
        return cls(Actor.of(call.principal), clock.milliseconds(at), call.request_id)


# What the company has


def described(e164: str, at: int, *, kind: Kind | None = None, office_id: int = 0) -> Number:
    """A free number with all that its digits say; `kind` overrules them."""
    digits = about(e164)
    return Number(
        e164=e164,
        type=kind or digits.kind,
        country=digits.country,
        area_code=digits.area_code,
        office_id=office_id,
        added_at=at,
    )


def check(environment: Environment, text: str, location: str) -> tuple[str | None, Violation | None]:
    """A number for an inventory in E.164, or what is wrong with it.

    A fictional number stays out of live inventories, a real one out of sandboxes: nobody's telephone is a test.
    """
    e164, fault = check_e164(text, location)
    if e164 is not None and is_fictional(e164) != (environment == "sandbox"):
        message = (
            "This number is reserved for fiction and rings nowhere: it belongs to the sandbox."
            if environment == "live"
            else "This number may be somebody's: it belongs to the live environment; a sandbox takes fictional ones."
        )
        return None, Violation(location=location, message=message, sent=e164)
    return e164, fault


def stock_sandbox(tx: Transaction, tenant_id: int, country: str) -> list[str]:
    """Give a new sandbox its fictional numbers; gives them back, in E.164."""
    chosen = fictional_numbers(country, min(SANDBOX_NUMBERS, supply(country)))
    at = clock.milliseconds(clock.now())
    store.insert(tx, tenant_id, "sandbox", [described(number, at) for number in chosen])
    return chosen


def add(tx: Transaction, tenant_id: int, environment: Environment, number: str, actor: Actor) -> str:
    """Add a number to the inventory; Invalid if it is none, Conflict if it is there already or rings elsewhere."""
    e164, fault = check(environment, number, "number")
    if fault is not None or e164 is None:
        raise Invalid.of([fault] if fault else [])
    at = clock.milliseconds(clock.now())
    put(tx, tenant_id, environment, described(e164, at), By(actor, at))
    return e164


def put(tx: Transaction, tenant_id: int, environment: Environment, number: Number, by: By) -> None:
    """Store one checked number, with its event; Conflict if it is there already or rings elsewhere."""
    if store.get(tx, tenant_id, number.e164) is not None:
        raise Conflict(f"{number.e164} is already in the inventory.")
    if environment == "live" and store.is_live_anywhere(tx, number.e164):
        raise Conflict(f"{number.e164} {ELSEWHERE}")
    store.insert(tx, tenant_id, environment, [number])
    _tell(tx, tenant_id, Word.NUMBER_ADDED, number.e164, by)


def put_many(
    tx: Transaction, tenant_id: int, company_id: int, environment: Environment, new: Sequence[Number], by: By
) -> None:
    """Store checked numbers that are neither there nor elsewhere, at least one, with one event that lists them."""
    store.insert(tx, tenant_id, environment, new)
    after = {"count": len(new), "numbers": [number.e164 for number in new]}
    _tell(tx, tenant_id, Word.NUMBERS_IMPORTED, str(company_id), by, after=after)


def delete(tx: Transaction, tenant_id: int, e164: str, by: By) -> None:
    """Take a free number out of the inventory."""
    if store.delete(tx, tenant_id, e164):
        _tell(tx, tenant_id, Word.NUMBER_DELETED, e164, by)


# Who has what


def check_free(tx: Transaction, tenant_id: int, e164: str, location: str) -> Number:
    """The number if it is free; Invalid if the company does not have it, Conflict if it is taken."""
    number = store.get(tx, tenant_id, e164)
    if number is None:
        text = (
            "This number is not in the company's inventory: add it first (offhook number add), or choose one of it "
            "(offhook number list --free)."
        )
        raise Invalid.of([Violation(location=location, reason="notFound", message=text, sent=e164)])
    if number.status != "available":
        holder = f" by {number.target_type} {number.target_id}" if number.target_type else ""
        text = (
            f"This number is already taken{holder}; unassign it there first, or choose a free one "
            "(offhook number list --free)."
        )
        raise Conflict(
            f"{e164} is already taken{holder}.",
            [Violation(location=location, reason="conflict", message=text, sent=e164)],
        )
    return number


def claim(
    tx: Transaction,
    tenant_id: int,
    e164: str,
    target: tuple[str, int],
    by: By,
    *,
    office_id: int,
    line: str = "",
    location: str = "number",
) -> Number:
    """Give a free number to a target (kind, id) of an office, on a line of that office's plan; "": one included there.

    Refuses as `check_free` does. The line itself is the caller's to take.
    """
    free = check_free(tx, tenant_id, e164, location)
    taken = msgspec.structs.replace(
        free,
        status=STATUSES[target[0]],
        target_type=target[0],
        target_id=target[1],
        target_office_id=office_id,
        line=line,
    )
    store.claim(tx, tenant_id, taken)
    _tell(tx, tenant_id, Word.NUMBER_ASSIGNED, e164, by, after=_holding(taken))
    return taken


def release(tx: Transaction, tenant_id: int, e164: str, by: By) -> Number | None:
    """Make a number free again, in the pool it came from; gives it as it was, None if nobody had it.

    Its line is the caller's to give back.
    """
    was = store.get(tx, tenant_id, e164)
    if was is None or not store.release(tx, tenant_id, e164):
        return None
    _tell(tx, tenant_id, Word.NUMBER_RELEASED, e164, by, before=_holding(was))
    return was


def _holding(number: Number) -> dict[str, Any]:
    shown = {"number": number.e164, "target_type": number.target_type, "target_id": str(number.target_id)}
    return shown | ({"line": number.line} if number.line else {})


def _tell(
    tx: Transaction,
    tenant_id: int,
    word: Word,
    subject_id: str,
    by: By,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    event = Event(
        tenant_id=tenant_id,
        word=word,
        subject_id=subject_id,
        actor=by.actor,
        at=by.at,
        request_id=by.request_id,
        before=encode(before).decode() if before else "",
        after=encode(after).decode() if after else "",
    )
    events.append(tx, [event])
