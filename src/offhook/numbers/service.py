"""The inventory: adding numbers, claiming one for an office, giving it back. Each is one step in a transaction."""

from offhook.access.model import Environment
from offhook.events import store as events
from offhook.events.model import Actor, Event, Word
from offhook.kit import clock
from offhook.kit.errors import Conflict, Invalid, Violation
from offhook.kit.phones import check_e164
from offhook.kit.wire import encode
from offhook.numbers import store
from offhook.numbers.fiction import fictional_numbers, is_fictional, supply
from offhook.storage.database import Transaction

SANDBOX_NUMBERS = 100


def stock_sandbox(tx: Transaction, tenant_id: int, country: str) -> list[str]:
    """Give a new sandbox its fictional numbers; gives them back, in E.164."""
    chosen = fictional_numbers(country, min(SANDBOX_NUMBERS, supply(country)))
    at = clock.milliseconds(clock.now())
    store.insert(tx, [(tenant_id, number, "sandbox", at) for number in chosen])
    return chosen


def add(tx: Transaction, tenant_id: int, environment: Environment, number: str, actor: Actor) -> str:
    """Add a number to the inventory; Invalid if it is none, Conflict if it is there already or rings elsewhere.

    A fictional number stays out of live inventories, a real one out of sandboxes: nobody's telephone is a test.
    """
    e164, fault = check_e164(number, "number")
    if fault is not None or e164 is None:
        raise Invalid.of([fault] if fault else [])
    if is_fictional(e164) != (environment == "sandbox"):
        text = (
            "This number is reserved for fiction and rings nowhere: it belongs in the sandbox."
            if environment == "live"
            else "This number may be somebody's: a sandbox takes only numbers that are reserved for fiction."
        )
        raise Invalid.of([Violation(location="number", message=text, sent=e164)])
    if store.get(tx, tenant_id, e164) is not None:
        raise Conflict(f"{e164} is already in the inventory.")
    if environment == "live" and store.is_live_anywhere(tx, e164):
        raise Conflict(f"{e164} cannot be added: it is in use on this server.")
    at = clock.milliseconds(clock.now())
    store.insert(tx, [(tenant_id, e164, environment, at)])
    events.append(tx, [Event(tenant_id=tenant_id, word=Word.NUMBER_ADDED, subject_id=e164, actor=actor, at=at)])
    return e164


def check_free(tx: Transaction, tenant_id: int, e164: str, location: str) -> None:
    """Invalid if the company does not have the number, Conflict if it is taken."""
    row = store.get(tx, tenant_id, e164)
    if row is None:
        text = "This number is not in the company's inventory: add it first (offhook number add)."
        raise Invalid.of([Violation(location=location, reason="notFound", message=text, sent=e164)])
    if row[1]:
        raise Conflict(
            f"{e164} is already taken.",
            [Violation(location=location, reason="conflict", message="This number is already taken.", sent=e164)],
        )


def claim(
    tx: Transaction, tenant_id: int, e164: str, office_id: int, location: str, actor: Actor, at: int, request_id: str
) -> None:
    """Give a free number to an office; refuses as `check_free` does."""
    if not store.claim(tx, tenant_id, e164, "office", office_id):
        check_free(tx, tenant_id, e164, location)
    after = encode({"number": e164, "target_type": "office", "target_id": str(office_id)}).decode()
    events.append(
        tx,
        [
            Event(
                tenant_id=tenant_id,
                word=Word.NUMBER_ASSIGNED,
                subject_id=e164,
                actor=actor,
                at=at,
                request_id=request_id,
                after=after,
            )
        ],
    )


def release(
    tx: Transaction,
    tenant_id: int,
    e164: str,
    target_type: str,
    target_id: int,
    actor: Actor,
    at: int,
    request_id: str,
) -> None:
    """Make the number of an office, a department or whatever else has it free again."""
    if store.release(tx, tenant_id, e164, target_type, target_id):
        before = encode({"number": e164, "target_type": target_type, "target_id": str(target_id)}).decode()
        events.append(
            tx,
            [
                Event(
                    tenant_id=tenant_id,
                    word=Word.NUMBER_RELEASED,
                    subject_id=e164,
                    actor=actor,
                    at=at,
                    request_id=request_id,
                    before=before,
                )
            ],
        )
