"""The only SQL of calls: one row a call, and one a step."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Index, Table

from offhook.calls.model import Kept
from offhook.routing.state import CallState
from offhook.routing.trace import Step, Trace
from offhook.storage.database import Insert, Statement, Transaction
from offhook.storage.tables import big, metadata, text

calls = Table(
    "calls",
    metadata,
    big("tenant_id", primary_key=True),
    big("id", primary_key=True),
    big("began"),
    big("ended"),
    big("until"),
    text("outcome"),
    text("caller"),
    text("dialled"),
    text("state"),
    Index(None, "until"),
)
steps = Table(
    "call_steps",
    metadata,
    big("tenant_id", primary_key=True),
    big("call_id", primary_key=True),
    big("number", primary_key=True),
    text("step"),
)
_insert_step = Insert(steps, ["tenant_id", "call_id", "number", "step"])
_COLUMNS = ["tenant_id", "id", "began", "ended", "until", "outcome", "caller", "dialled", "state"]
_put = Insert(calls, _COLUMNS, replacing=["tenant_id", "id"])
_SHOWN = "id, tenant_id, began, ended, outcome, caller, dialled, state"
_GET = Statement(f"SELECT {_SHOWN} FROM calls WHERE tenant_id = ? AND id = ?")  # noqa: S608 - names are ours
_PAGE = Statement(f"SELECT {_SHOWN} FROM calls WHERE tenant_id = ? AND id < ? ORDER BY id DESC LIMIT ?")  # noqa: S608
_STEPS = Statement("SELECT step FROM call_steps WHERE tenant_id = ? AND call_id = ? ORDER BY number")
_LOST = Statement(f"SELECT {_SHOWN} FROM calls WHERE until > 0 AND until < ? ORDER BY until LIMIT ?")  # noqa: S608
_RENEW = Statement("UPDATE calls SET until = ? WHERE tenant_id = ? AND id = ? AND until > 0")
NEWEST = 2**62

_step = msgspec.json.Decoder(Step)
_state = msgspec.json.Decoder(CallState)
_encode = msgspec.json.Encoder().encode


def keep(tx: Transaction, kept: Kept, taken: Sequence[tuple[int, Step]], until: int) -> None:
    """Write steps with their numbers, and where the call stands after them; `until` (milliseconds of the wall clock) is
    when it counts as lost unless renewed, 0 once it is over.
    """
    if taken:
        rows = [(kept.tenant_id, kept.id, number, _encode(one).decode()) for number, one in taken]
        _insert_step(tx, rows)
    # The reasons stand in the steps.
    state = _encode(msgspec.structs.replace(kept.state, reasons=())).decode()
    row = (kept.tenant_id, kept.id, kept.began, kept.ended, until, kept.outcome, kept.caller, kept.dialled, state)
    _put(tx, [row])


def get(tx: Transaction, tenant_id: int, id: int) -> Kept | None:
    """A call; None if the company has none of that id. Its state is without its reasons, which its steps have."""
    row = tx.first(_GET, tenant_id, id)
    return _kept(row) if row else None


def page(tx: Transaction, tenant_id: int, before: int, limit: int) -> list[Kept]:
    """Calls older than the one with the id `before`, latest first."""
    return [_kept(row) for row in tx.all(_PAGE, tenant_id, before, limit)]


def trace(tx: Transaction, tenant_id: int, id: int, seed: int) -> Trace:
    """All steps of a call."""
    taken = tuple(_step.decode(row[0]) for row in tx.all(_STEPS, tenant_id, id))
    return Trace(id=str(id), seed=seed, steps=taken)


def lost(tx: Transaction, wall: int, limit: int) -> list[Kept]:
    """Calls of all companies that nobody renewed in time, for housekeeping."""
    return [_kept(row) for row in tx.all(_LOST, wall, limit)]


def renew(tx: Transaction, alive: Sequence[tuple[int, int]], until: int) -> None:
    """These calls, as (tenant, id), last."""
    for tenant_id, id in alive:
        tx.change(_RENEW, until, tenant_id, id)


def _kept(row: Sequence[Any]) -> Kept:
    id, tenant_id, began, ended, outcome, caller, dialled, state = row
    return Kept(
        id=id,
        tenant_id=tenant_id,
        began=began,
        ended=ended,
        outcome=outcome,
        caller=caller,
        dialled=dialled,
        state=_state.decode(state),
    )
