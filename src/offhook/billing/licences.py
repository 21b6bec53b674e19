"""Licences: the lines that an office has bought, and how many of them are in use. Taken and given in the transaction of
the change that needs them, so that none is held twice or lost.
"""

from collections.abc import Mapping

from sqlalchemy import Table

from offhook.billing import store
from offhook.billing.model import LINES
from offhook.kit.errors import Conflict, Violation
from offhook.storage.database import Statement, Transaction
from offhook.storage.tables import big, metadata, text

licences_used = Table(
    "licences_used",
    metadata,
    big("tenant_id", primary_key=True),
    big("office_id", primary_key=True),
    text("line", primary_key=True),
    big("used"),
)

_USED = Statement("SELECT line, used FROM licences_used WHERE tenant_id = ? AND office_id = ?")
_ADD = Statement("UPDATE licences_used SET used = used + ? WHERE tenant_id = ? AND office_id = ? AND line = ?")
_FIRST = Statement("INSERT INTO licences_used (tenant_id, office_id, line, used) VALUES (?, ?, ?, ?)")
_FORGET = Statement("DELETE FROM licences_used WHERE tenant_id = ? AND office_id = ?")

WORDS: Mapping[str, str] = {
    line: line.removesuffix("s").replace("_", " ").replace("tollfree", "toll-free") for line in LINES
}
"""What each kind is called in a sentence: `talk_lines` is a talk line."""


def used(tx: Transaction, tenant_id: int, office_id: int) -> dict[str, int]:
    """How many lines of each kind are in use."""
    found = dict.fromkeys(LINES, 0)
    found.update((row[0], row[1]) for row in tx.all(_USED, tenant_id, office_id))
    return found


def available(tx: Transaction, tenant_id: int, office_id: int) -> dict[str, int] | None:
    """How many lines of each kind are bought and free; None if there is no such office."""
    plan = store.plan(tx, tenant_id, office_id)
    if plan is None:
        return None
    taken = used(tx, tenant_id, office_id)
    return {line: plan.lines.get(line, 0) - taken[line] for line in LINES}


def take(tx: Transaction, tenant_id: int, office_id: int, line: str, count: int = 1, *, location: str = "") -> None:
    """Take free lines of an office; Conflict naming the kind, and how to buy it, if there are too few."""
    free = available(tx, tenant_id, office_id)
    if free is None or free[line] < count:
        lack = f"The office {office_id} has no free {WORDS[line]}"
        text = f'{lack}: buy one with POST /api/offhook/v1/offices/{office_id}/licences, {{"{line}": {count}}}.'
        about = (f"offices/{office_id}.licences",)
        raise Conflict(text, [Violation(location=location, reason="conflict", message=text, about=about)])
    _change(tx, tenant_id, office_id, line, count)


def give(tx: Transaction, tenant_id: int, office_id: int, line: str, count: int = 1) -> None:
    """Give back lines that were taken."""
    _change(tx, tenant_id, office_id, line, -count)


def forget(tx: Transaction, tenant_id: int, office_id: int) -> None:
    """An office is gone, and its lines with it."""
    tx.change(_FORGET, tenant_id, office_id)


def _change(tx: Transaction, tenant_id: int, office_id: int, line: str, count: int) -> None:
    if tx.change(_ADD, count, tenant_id, office_id, line) == 0:
        tx.change(_FIRST, tenant_id, office_id, line, count)
