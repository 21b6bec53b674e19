"""The only SQL of tapes: one row each. `gone` says that it is deleted, and that its sound is still to be removed."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Index, Table

from offhook.calls.tapes.model import Kind, Tape
from offhook.directory.lines.model import Target
from offhook.storage.database import Insert, Statement, Transaction, in_parts
from offhook.storage.tables import HISTORY, big, metadata, text

tapes = Table(
    "tapes",
    metadata,
    big("tenant_id", primary_key=True),
    big("id", primary_key=True),
    text("kind"),
    big("call_id"),
    text("target_type"),
    big("target_id"),
    big("office_id"),
    text("who"),
    text("caller"),
    text("name"),
    big("milliseconds"),
    big("size"),
    text("digest"),
    big("at"),
    big("heard"),
    big("gone"),
    Index(None, "tenant_id", "call_id"),
    Index(None, "tenant_id", "target_type", "target_id", "id"),
    Index(None, "kind", "at"),
    Index(None, "gone"),
    info={HISTORY: True},
)
_COLUMNS = [
    "tenant_id", "id", "kind", "call_id", "target_type", "target_id", "office_id", "who", "caller", "name",
    "milliseconds", "size", "digest", "at", "heard",
]  # fmt: skip
_put = Insert(tapes, [*_COLUMNS, "gone"])
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM tapes WHERE "  # noqa: S608 - names are ours
_GET = Statement(_SELECT + "tenant_id = ? AND id = ? AND gone = 0")
_KNOWN = Statement("SELECT 1 FROM tapes WHERE tenant_id = ? AND id = ?")
_HEARD = Statement("UPDATE tapes SET heard = ? WHERE tenant_id = ? AND id = ? AND gone = 0")
_GOES = Statement("UPDATE tapes SET gone = ? WHERE tenant_id = ? AND id = ? AND gone = 0")
_GONE = Statement(
    "SELECT gone, tenant_id, id, name FROM tapes WHERE gone > 0 AND (gone, tenant_id, id) > (?, ?, ?) "
    "ORDER BY gone, tenant_id, id LIMIT ?"
)
_FORGET = Statement("DELETE FROM tapes WHERE tenant_id = ? AND id = ? AND gone > 0")
_OLD = Statement(_SELECT + "kind = ? AND at < ? AND gone = 0 ORDER BY at LIMIT ?")


def add(tx: Transaction, tape: Tape) -> bool:
    """Keep one; False if it is kept already, or was."""
    if tx.first(_KNOWN, tape.tenant_id, tape.id) is not None:
        return False
    _put(tx, [(
        tape.tenant_id, tape.id, tape.kind, tape.call_id, tape.box.type, tape.box.id, tape.office_id, tape.who,
        tape.caller, tape.name, tape.milliseconds, tape.size, tape.digest, tape.at, tape.heard, 0,
    )])  # fmt: skip
    return True


def get(tx: Transaction, tenant_id: int, id: int) -> Tape | None:
    """One; None if the company has none of that id, or it is deleted."""
    row = tx.first(_GET, tenant_id, id)
    return _tape(row) if row else None


def page(
    tx: Transaction,
    tenant_id: int,
    kind: Kind,
    before: int,
    limit: int,
    *,
    box: Target | None = None,
    office_id: int | None = None,
    call_id: int | None = None,
    unread: bool = False,
    only: tuple[str, tuple[Target, ...]] | None = None,
) -> list[Tape]:
    """Those older than the one with the id `before`, latest first.

    `only` are those that a person ("user:1") is on or whose boxes are among these, however many.
    """
    values: list[Any] = [tenant_id, kind, before]
    if box is not None:
        values += [box.type, box.id]
    values += [one for one in (office_id, call_id) if one is not None]
    given = (box is not None, office_id is not None, call_id is not None, unread)
    if only is None:
        return [_tape(row) for row in tx.all(_paging(*given), *values, limit)]
    person, boxes = only
    ids: dict[str, list[int]] = {}
    for one in boxes if box is None else {box}.intersection(boxes):
        ids.setdefault(one.type, []).append(one.id)
    # Of each part as many as are asked for, so that the latest of all are among them.
    rows = [*tx.all(_paging(*given, _ON), *values, f"% {person} %", limit)]
    for kind_of, several in ids.items():
        for part, marks in in_parts(several, 0):
            rows += tx.all(_paging(*given, _in(marks)), *values, kind_of, *part, limit)
    found = {tape.id: tape for tape in map(_tape, rows)}
    return sorted(found.values(), key=lambda tape: tape.id, reverse=True)[:limit]


def of_calls(tx: Transaction, tenant_id: int, call_ids: Sequence[int]) -> list[Tape]:
    """All of some calls, oldest first."""
    if not call_ids:
        return []
    marks = ", ".join("?" * len(call_ids))
    found = tx.all(_of_calls(marks), tenant_id, *call_ids)
    return [_tape(row) for row in found]


def heard(tx: Transaction, tenant_id: int, id: int, at: int) -> None:
    """Mark a message as read at a moment, or with 0 as unread."""
    tx.change(_HEARD, at, tenant_id, id)


def goes(tx: Transaction, tenant_id: int, id: int, at: int) -> bool:
    """It is deleted; False if it is so already."""
    return tx.change(_GOES, at, tenant_id, id) > 0


def gone(tx: Transaction, after: tuple[int, int, int], limit: int) -> list[tuple[int, int, int, str]]:
    """Deleted ones of all companies whose sound may still be there, as (moment, tenant, id, name), oldest first.

    Only those behind `after`: moment, tenant and id of the last one that was seen.
    """
    return [(row[0], row[1], row[2], row[3]) for row in tx.all(_GONE, *after, limit)]


def forget(tx: Transaction, cleared: Sequence[tuple[int, int]]) -> None:
    """The sound of deleted ones, as (tenant, id), is gone."""
    for tenant_id, id in cleared:
        tx.change(_FORGET, tenant_id, id)


def old(tx: Transaction, kind: Kind, before: int, limit: int) -> list[Tape]:
    """Those of all companies from before a moment."""
    return [_tape(row) for row in tx.all(_OLD, kind, before, limit)]


@lru_cache(maxsize=512)
def _paging(box: bool, office: bool, call: bool, unread: bool, which: str = "") -> Statement:
    where = ["tenant_id = ?", "kind = ?", "id < ?", "gone = 0"]
    where += ["target_type = ? AND target_id = ?"] if box else []
    where += ["office_id = ?"] if office else []
    where += ["call_id = ?"] if call else []
    where += ["heard = 0"] if unread else []
    where += [which] if which else []
    return Statement(f"{_SELECT}{' AND '.join(where)} ORDER BY id DESC LIMIT ?")


_ON = "(' ' || who || ' ') LIKE ?"


def _in(marks: str) -> str:
    return f"target_type = ? AND target_id IN ({marks})"


@lru_cache(maxsize=128)
def _of_calls(marks: str) -> Statement:
    return Statement(f"{_SELECT}tenant_id = ? AND call_id IN ({marks}) AND gone = 0 ORDER BY id")


def _tape(row: Sequence[Any]) -> Tape:
    values = dict(zip(_COLUMNS, row, strict=True))
    return Tape(box=Target(values.pop("target_type"), values.pop("target_id")), **values)
