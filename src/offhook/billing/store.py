"""The only SQL of billing. Line counters are columns, so that taking a line is one atomic UPDATE."""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Table
from sqlalchemy import text as sql_text

from offhook.billing.model import LINES, Plan, Terms
from offhook.kit.wire import encode
from offhook.storage.database import Insert, Statement, Transaction
from offhook.storage.tables import big, metadata, text

plans = Table(
    "plans",
    metadata,
    big("office_id", primary_key=True, autoincrement=False),
    big("tenant_id"),
    text("terms"),
    big("next_billing_at"),
    text("balance", server_default=sql_text("'0.0000'")),
    *(big(line, server_default=sql_text("0")) for line in LINES),
)

_insert = Insert(plans, ["office_id", "tenant_id", "terms", "next_billing_at"])
_PLAN = Statement(
    f"SELECT office_id, terms, next_billing_at, balance, {', '.join(LINES)} FROM plans "  # noqa: S608 - names are ours
    "WHERE tenant_id = ? AND office_id = ?"
)
_TERMS = Statement("UPDATE plans SET terms = ?, next_billing_at = ? WHERE tenant_id = ? AND office_id = ?")
_MORE = ", ".join(f"{line} = {line} + ?" for line in LINES)
_BUY = Statement(f"UPDATE plans SET {_MORE} WHERE tenant_id = ? AND office_id = ?")  # noqa: S608 - names are ours
_DELETE = Statement("DELETE FROM plans WHERE tenant_id = ? AND office_id = ?")

decode_terms = msgspec.json.Decoder(Terms).decode


def row(tenant_id: int, plan: Plan) -> tuple[Any, ...]:
    """A new plan as `insert` takes it; its lines and balance start at nought."""
    return (plan.office_id, tenant_id, encode(plan.terms).decode(), plan.next_billing_at)


def insert(tx: Transaction, rows: list[tuple[Any, ...]]) -> None:
    """Store new plans."""
    _insert(tx, rows)


def plan(tx: Transaction, tenant_id: int, office_id: int) -> Plan | None:
    """The plan of an office of the tenant."""
    found = tx.first(_PLAN, tenant_id, office_id)
    if found is None:
        return None
    return Plan(
        office_id=found[0],
        terms=decode_terms(found[1]),
        next_billing_at=found[2],
        balance=found[3],
        lines=dict(zip(LINES, found[4:], strict=True)),
    )


def change_terms(tx: Transaction, tenant_id: int, plan: Plan) -> None:
    """Replace the terms and the next billing date."""
    tx.change(_TERMS, encode(plan.terms).decode(), plan.next_billing_at, tenant_id, plan.office_id)


def add_lines(tx: Transaction, tenant_id: int, office_id: int, lines: Mapping[str, int]) -> bool:
    """Add bought lines, by kind; False if there is no such plan."""
    return tx.change(_BUY, *(lines.get(line, 0) for line in LINES), tenant_id, office_id) == 1


def delete(tx: Transaction, tenant_id: int, office_id: int) -> None:
    """Remove the plan of an office."""
    tx.change(_DELETE, tenant_id, office_id)
