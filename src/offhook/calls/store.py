"""The only SQL of calls: one row a call, and one a step; that of legs is called from here.

A step that is written again takes its own place, and the events that it is are not written twice: the writer of a call
cannot always know whether the store took what it was given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import msgspec
from sqlalchemy import Index, Table

from offhook.calls.legs import store as legs
from offhook.calls.legs.model import CallLeg
from offhook.calls.model import Kept
from offhook.calls.wires import store as wires
from offhook.events import store as outbox
from offhook.events.model import Event
from offhook.kit.ids import EPOCH_MS
from offhook.routing.state import CallState
from offhook.routing.trace import Step, Trace
from offhook.storage.database import Insert, Statement, Transaction, in_parts
from offhook.storage.tables import HISTORY, big, metadata, text

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
    info={HISTORY: True},
)
steps = Table(
    "call_steps",
    metadata,
    big("tenant_id", primary_key=True),
    big("call_id", primary_key=True),
    big("number", primary_key=True),
    text("step"),
    info={HISTORY: True},
)
_put_steps = Insert(steps, ["tenant_id", "call_id", "number", "step"], replacing=["tenant_id", "call_id", "number"])
_COLUMNS = ["tenant_id", "id", "began", "ended", "until", "outcome", "caller", "dialled", "state"]
_put = Insert(calls, _COLUMNS, replacing=["tenant_id", "id"])
_SHOWN = "id, tenant_id, began, ended, outcome, caller, dialled, state"
_GET = Statement(f"SELECT {_SHOWN} FROM calls WHERE tenant_id = ? AND id = ?")  # noqa: S608 - names are ours
_PAGE = Statement(f"SELECT {_SHOWN} FROM calls WHERE tenant_id = ? AND id < ? ORDER BY id DESC LIMIT ?")  # noqa: S608
# By the index on `until`, which has but few rows above 0: a company may have had any number of calls.
_LIVE = Statement(f"SELECT {_SHOWN} FROM calls WHERE until > 0 AND +tenant_id = ? ORDER BY id DESC LIMIT ?")  # noqa: S608
_STEPS = Statement("SELECT step FROM call_steps WHERE tenant_id = ? AND call_id = ? ORDER BY number")
_NUMBERS = Statement("SELECT number FROM call_steps WHERE tenant_id = ? AND call_id = ? AND number >= ?")
_LOST = Statement("SELECT tenant_id, id FROM calls WHERE until > 0 AND until < ? ORDER BY until LIMIT ?")
_END = Statement(
    "UPDATE calls SET until = 0, outcome = 'lost', ended = CASE WHEN began > ? THEN began ELSE ? END "
    "WHERE tenant_id = ? AND id = ?"
)
# Companies are stepped through, so that the look costs no more than there are of them.
_OLD = Statement(
    "WITH RECURSIVE tenants (id) AS (SELECT MIN(tenant_id) FROM calls UNION ALL "
    "SELECT (SELECT MIN(tenant_id) FROM calls WHERE tenant_id > tenants.id) FROM tenants WHERE tenants.id IS NOT NULL) "
    "SELECT calls.tenant_id, calls.id FROM tenants JOIN calls ON calls.tenant_id = tenants.id AND calls.id < ? "
    "WHERE calls.ended > 0 LIMIT ?"
)
_FORGET = Statement("DELETE FROM calls WHERE tenant_id = ? AND id = ?")
_FORGET_STEPS = Statement("DELETE FROM call_steps WHERE tenant_id = ? AND call_id = ?")
NEWEST = 2**62

_step = msgspec.json.Decoder(Step)
_state = msgspec.json.Decoder(CallState)
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Written:
    """A step with its number, as its row, and the events that it is."""

    number: int
    row: tuple[int, int, int, str]
    events: tuple[Event, ...] = ()


def written(tenant_id: int, id: int, number: int, taken: Step, events: tuple[Event, ...] = ()) -> Written:
    """A step as it is written."""
    return Written(number, (tenant_id, id, number, _encode(taken).decode()), events)


def row_of(kept: Kept, until: int) -> tuple[Any, ...]:
    """A call's row. `until`, milliseconds of the wall clock, is when it is lost unless renewed; 0 once it is over."""
    # The reasons stand in the steps.
    state = _encode(msgspec.structs.replace(kept.state, reasons=())).decode()
    return (kept.tenant_id, kept.id, kept.began, kept.ended, until, kept.outcome, kept.caller, kept.dialled, state)


@dataclass(frozen=True, slots=True)
class Keep:
    """A unit of work: where a call stands, its latest steps and the legs that changed.

    `again`: some of them may be written already.
    """

    aside: ClassVar[bool] = True
    row: tuple[Any, ...]
    steps: tuple[Written, ...]
    again: bool = False
    legs: tuple[CallLeg, ...] = ()

    def run(self, tx: Transaction) -> None:
        """Alone."""
        self.run_many(tx, [self])

    @classmethod
    def run_many(cls, tx: Transaction, units: "Sequence[Keep]") -> list[None]:
        """Many calls with a statement a table; of one call the last says where it stands."""
        events: dict[tuple[int, int, int], tuple[Event, ...]] = {}
        for unit in units:
            told = {one.row[:3]: one.events for one in unit.steps if one.events}
            if told and unit.again:
                tenant_id, id, first = min(told)
                known = {row[0] for row in tx.all(_NUMBERS, tenant_id, id, first)}
                told = {key: found for key, found in told.items() if key[2] not in known}
            events |= told
        rows = {one.row[:3]: one.row for unit in units for one in unit.steps}
        if rows:
            _put_steps(tx, list(rows.values()))
        _put(tx, list({unit.row[:2]: unit.row for unit in units}.values()))
        latest = {(one.tenant_id, one.id): one for unit in units for one in unit.legs}
        if latest:
            legs.put_rows(tx, [legs.row_of(one) for one in latest.values()])
        if events:
            outbox.append(tx, [one for found in events.values() for one in found])
        return [None] * len(units)


def keep(tx: Transaction, kept: Kept, taken: Sequence[tuple[int, Step]], until: int) -> None:
    """Write steps with their numbers, and where the call stands after them, as `row_of` says."""
    steps = tuple(written(kept.tenant_id, kept.id, number, one) for number, one in taken)
    Keep(row_of(kept, until), steps).run(tx)


def get(tx: Transaction, tenant_id: int, id: int) -> Kept | None:
    """A call; None if the company has none of that id. Its state is without its reasons, which its steps have."""
    row = tx.first(_GET, tenant_id, id)
    return _kept(row) if row else None


def page(tx: Transaction, tenant_id: int, before: int, limit: int) -> list[Kept]:
    """Calls older than the one with the id `before`, latest first."""
    return [_kept(row) for row in tx.all(_PAGE, tenant_id, before, limit)]


def live(tx: Transaction, tenant_id: int, limit: int) -> list[Kept]:
    """Calls under way, of whichever process, the latest first. It costs what there are of all companies."""
    return [_kept(row) for row in tx.all(_LIVE, tenant_id, limit)]


def several(tx: Transaction, tenant_id: int, ids: Sequence[int]) -> list[Kept]:
    """Those of these calls that the company has, in no order."""
    return [_kept(row) for part, marks in in_parts(ids, 0) for row in tx.all(_several(marks), tenant_id, *part)]


def trace(tx: Transaction, tenant_id: int, id: int, seed: int) -> Trace:
    """All steps of a call."""
    taken = tuple(_step.decode(row[0]) for row in tx.all(_STEPS, tenant_id, id))
    return Trace(id=str(id), seed=seed, steps=taken)


def end_lost(tx: Transaction, wall: int, at: int, limit: int) -> list[tuple[int, int]]:
    """End calls of all companies that nobody renewed until `wall`, as (tenant, id), at the moment `at`.

    Their state stays as it was when they were heard of last.
    """
    found = [(row[0], row[1]) for row in tx.all(_LOST, wall, limit)]
    for tenant_id, id in found:
        tx.change(_END, at, at, tenant_id, id)
        legs.end_lost(tx, tenant_id, id, at)
    return found


def renew(tx: Transaction, alive: Mapping[int, Sequence[int]], until: int) -> None:
    """These calls, by tenant, last."""
    for tenant_id, ids in alive.items():
        for part, marks in in_parts(list(ids), 0):
            tx.change(_renewing(marks), until, tenant_id, *part)


def old(tx: Transaction, before: int, limit: int) -> list[tuple[int, int]]:
    """Calls of all companies that came before `before` (milliseconds since 1970 UTC) and are over, as (tenant, id)."""
    horizon = before - EPOCH_MS
    return [(row[0], row[1]) for row in tx.all(_OLD, horizon << 11, limit)] if horizon > 0 else []


def forget(tx: Transaction, calls: Sequence[tuple[int, int]]) -> None:
    """These calls, their steps, their legs and what their telephones told are gone."""
    for tenant_id, id in calls:
        tx.change(_FORGET_STEPS, tenant_id, id)
        legs.forget(tx, tenant_id, id)
        wires.forget(tx, tenant_id, id)
        tx.change(_FORGET, tenant_id, id)


@lru_cache(maxsize=64)
def _several(marks: str) -> Statement:
    return Statement(f"SELECT {_SHOWN} FROM calls WHERE tenant_id = ? AND id IN ({marks})")  # noqa: S608 - marks only


@lru_cache(maxsize=64)
def _renewing(marks: str) -> Statement:
    return Statement(
        f"UPDATE calls SET until = ? WHERE tenant_id = ? AND id IN ({marks}) AND until > 0"  # noqa: S608 - marks only
    )


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
