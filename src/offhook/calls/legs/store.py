"""The only SQL of legs, and of what is wished of calls that another process has."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Index, Table

from offhook.calls.legs.model import CallLeg
from offhook.directory.lines.model import Target
from offhook.storage.database import Insert, Statement, Transaction, in_parts
from offhook.storage.tables import HISTORY, big, metadata, text

legs = Table(
    "call_legs",
    metadata,
    big("tenant_id", primary_key=True),
    big("id", primary_key=True),
    big("call_id"),
    text("target_type"),
    big("target_id"),
    text("direction"),
    text("external"),
    text("internal"),
    text("device"),
    text("state"),
    big("began"),
    big("rang"),
    big("connected"),
    big("ended"),
    text("cause"),
    Index(None, "tenant_id", "call_id"),
    Index(None, "tenant_id", "target_type", "target_id", "id"),
    info={HISTORY: True},
)
wishes = Table(
    "call_wishes",
    metadata,
    big("tenant_id", primary_key=True),
    big("id", primary_key=True),
    big("call_id"),
    text("wish"),
    text("answer"),
    big("at"),
    info={HISTORY: True},
)
_COLUMNS = [
    "tenant_id", "id", "call_id", "target_type", "target_id", "direction", "external", "internal", "device", "state",
    "began", "rang", "connected", "ended", "cause",
]  # fmt: skip
put_rows = Insert(legs, _COLUMNS, replacing=["tenant_id", "id"])
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM call_legs WHERE "  # noqa: S608 - names are ours
_GET = Statement(_SELECT + "tenant_id = ? AND id = ?")
_ACTIVE = Statement(
    _SELECT + "tenant_id = ? AND target_type = ? AND target_id = ? AND ended = 0 AND connected > 0 "
    "ORDER BY id DESC LIMIT 1"
)
_LOST = Statement(
    "UPDATE call_legs SET state = CASE WHEN connected > 0 THEN 'hangup' ELSE 'missed' END, cause = 'lost', "
    "ended = CASE WHEN began > ? THEN began ELSE ? END WHERE tenant_id = ? AND call_id = ? AND ended = 0"
)
_FORGET = Statement("DELETE FROM call_legs WHERE tenant_id = ? AND call_id = ?")
_wish = Insert(wishes, ["tenant_id", "id", "call_id", "wish", "answer", "at"])
TAKEN, RINGS = "taken", "rings"
"""What stands in the place of an answer while a wish is carried out that several could; and of a call that was placed,
under its own id, until it begins.
"""

_WISHES = Statement(
    "SELECT tenant_id, id, call_id, wish, at FROM call_wishes WHERE answer = '' OR at < ? ORDER BY id LIMIT 200"
)
_TAKE = Statement(f"UPDATE call_wishes SET answer = '{TAKEN}' WHERE tenant_id = ? AND id = ? AND answer = ''")  # noqa: S608 - the word is ours
_ANSWER = Statement("SELECT answer FROM call_wishes WHERE tenant_id = ? AND id = ?")
_PUT_ANSWER = Statement("UPDATE call_wishes SET answer = ? WHERE tenant_id = ? AND id = ?")
_TAKE_AWAY = Statement("DELETE FROM call_wishes WHERE tenant_id = ? AND id = ?")


def row_of(leg: CallLeg) -> tuple[Any, ...]:
    """A leg's row."""
    return (
        leg.tenant_id, leg.id, leg.call_id, leg.target.type, leg.target.id, leg.direction, leg.external, leg.internal,
        leg.device, leg.state, leg.began, leg.rang, leg.connected, leg.ended, leg.cause,
    )  # fmt: skip


def get(tx: Transaction, tenant_id: int, id: int) -> CallLeg | None:
    """A leg; None if the company has none of that id."""
    row = tx.first(_GET, tenant_id, id)
    return _leg(row) if row else None


def get_many(tx: Transaction, tenant_id: int, ids: Sequence[int]) -> dict[int, CallLeg]:
    """Those that there are of some, by id."""
    rows = [row for part, marks in in_parts(list(ids), 0) for row in tx.all(_several(marks), tenant_id, *part)]
    return {leg.id: leg for leg in map(_leg, rows)}


def of_calls(tx: Transaction, tenant_id: int, call_ids: Sequence[int]) -> list[CallLeg]:
    """The legs of some calls, in the order in which they were made."""
    found = [
        _leg(row) for part, marks in in_parts(list(call_ids), 0) for row in tx.all(_of_calls(marks), tenant_id, *part)
    ]
    return sorted(found, key=lambda leg: leg.id)


def active(tx: Transaction, tenant_id: int, target: Target) -> CallLeg | None:
    """The latest leg on which somebody talks."""
    row = tx.first(_ACTIVE, tenant_id, target.type, target.id)
    return _leg(row) if row else None


def page(
    tx: Transaction,
    tenant_id: int,
    before: int,
    limit: int,
    *,
    after: int | None = None,
    until: int | None = None,
    target: Target | None = None,
) -> list[CallLeg]:
    """Legs that are over, older than the one with the id `before`, latest first; `after` and `until` bound `began`."""
    values: list[Any] = [tenant_id, before, *(one for one in (after, until) if one is not None)]
    values += [target.type, target.id] if target is not None else []
    return [
        _leg(row) for row in tx.all(_paging(after is not None, until is not None, target is not None), *values, limit)
    ]


def end_lost(tx: Transaction, tenant_id: int, call_id: int, at: int) -> None:
    """All legs of a call end whose process died."""
    tx.change(_LOST, at, at, tenant_id, call_id)


def forget(tx: Transaction, tenant_id: int, call_id: int) -> None:
    """The legs of a call are gone."""
    tx.change(_FORGET, tenant_id, call_id)


def leave(tx: Transaction, tenant_id: int, id: int, call_id: int, wish: str, at: int) -> None:
    """Something is wished of a call."""
    _wish(tx, [(tenant_id, id, call_id, wish, "", at)])


def wished(tx: Transaction, horizon: int) -> list[tuple[int, int, int, str, int]]:
    """What has no answer yet, of all companies, as (tenant, id, call, wish, moment); and all from before `horizon`."""
    return [tuple(row) for row in tx.all(_WISHES, horizon)]


def take(tx: Transaction, tenant_id: int, id: int) -> bool:
    """Carry out what several could; False if another one does, or nobody waits for it any more."""
    return tx.change(_TAKE, tenant_id, id) == 1


def rings(tx: Transaction, tenant_id: int, id: int, at: int) -> None:
    """A user is rung for a call that was placed; it may be given up by its id."""
    _wish(tx, [(tenant_id, id, id, "", RINGS, at)])


def is_ringing(tx: Transaction, tenant_id: int, id: int) -> bool:
    """Whether a call was placed and has not begun yet, with whatever process."""
    row = tx.first(_ANSWER, tenant_id, id)
    return row is not None and row[0] == RINGS


def answer(tx: Transaction, tenant_id: int, id: int) -> str:
    """What came of a wish; "" until something has."""
    row = tx.first(_ANSWER, tenant_id, id)
    return str(row[0]) if row and row[0] != TAKEN else ""


def put_answer(tx: Transaction, tenant_id: int, id: int, text: str) -> None:
    """What came of it."""
    tx.change(_PUT_ANSWER, text, tenant_id, id)


def take_away(tx: Transaction, tenant_id: int, id: int) -> None:
    """Nobody waits for it any more."""
    tx.change(_TAKE_AWAY, tenant_id, id)


@lru_cache(maxsize=64)
def _several(marks: str) -> Statement:
    return Statement(f"{_SELECT}tenant_id = ? AND id IN ({marks})")


@lru_cache(maxsize=64)
def _of_calls(marks: str) -> Statement:
    return Statement(f"{_SELECT}tenant_id = ? AND call_id IN ({marks})")


@lru_cache(maxsize=8)
def _paging(after: bool, until: bool, target: bool) -> Statement:
    where = ["tenant_id = ?", "ended > 0", "id < ?"]
    where += ["began > ?"] if after else []
    where += ["began < ?"] if until else []
    where += ["target_type = ? AND target_id = ?"] if target else []
    return Statement(f"{_SELECT}{' AND '.join(where)} ORDER BY id DESC LIMIT ?")


def _leg(row: Sequence[Any]) -> CallLeg:
    # Written out, as a page has a hundred of them.
    (
        tenant_id, id, call_id, target_type, target_id, direction, external, internal, device, state, began, rang,
        connected, ended, cause,
    ) = row  # fmt: skip
    return CallLeg(
        id=id, tenant_id=tenant_id, call_id=call_id, target=Target(target_type, target_id), direction=direction,
        external=external, internal=internal, device=device, state=state, began=began, rang=rang, connected=connected,
        ended=ended, cause=cause,
    )  # fmt: skip
