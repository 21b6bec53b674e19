"""Who points at whom: what each line's routing calls, kept as rows, so that nothing is deleted from under a caller.

Deleting what others point at is refused and names them; with `force` each of them is pointed at its office's voicemail
instead, which its own event says.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Index, Table

from offhook.directory import targets
from offhook.directory.lines.model import Target
from offhook.directory.offices import OfficeOf
from offhook.kit.errors import Conflict, Notice, Violation
from offhook.kit.operation import Call
from offhook.storage.database import Insert, Statement, Transaction, in_parts
from offhook.storage.tables import big, metadata, text

if TYPE_CHECKING:
    from offhook.directory.work import Work

pointers = Table(
    "pointers",
    metadata,
    big("tenant_id", primary_key=True),
    text("owner_type", primary_key=True),
    big("owner_id", primary_key=True),
    text("place", primary_key=True),
    text("target_type"),
    big("target_id"),
    Index(None, "tenant_id", "target_type", "target_id"),
)

_insert = Insert(pointers, ["tenant_id", "owner_type", "owner_id", "place", "target_type", "target_id"])
_FORGET = Statement("DELETE FROM pointers WHERE tenant_id = ? AND owner_type = ? AND owner_id = ?")
_POINTING = Statement(
    "SELECT owner_type, owner_id, place FROM pointers WHERE tenant_id = ? AND target_type = ? AND target_id = ? "
    "AND NOT (owner_type = target_type AND owner_id = target_id) ORDER BY owner_type, owner_id, place LIMIT ?"
)
_POINTED_AT = Statement("SELECT DISTINCT target_id FROM pointers WHERE tenant_id = ? AND target_type = ?")
_SHOWN = 20
_ALL = 1_000_000

Repoint = Callable[[Transaction, Call, datetime, int, Target], None]
"""Points an owner (by id) at its office's voicemail wherever it points at the target, and tells the event log."""

PATHS = {
    "office": "offices",
    "department": "departments",
    "callcenter": "callcenters",
    "callrouter": "callrouters",
}
"""How a violation names an owner of each kind: by its path."""

_WORDS = {"callcenter": "call center", "callrouter": "call router"}
_NAMED = 3
"""How many of those who send calls a refusal calls by their names."""


def note(tx: Transaction, tenant_id: int, owner: Target, pointed: Sequence[tuple[str, Target]]) -> None:
    """Keep what a new `owner` points at: (field path, target) each; a target without an id is none."""
    rows = [(tenant_id, owner.type, owner.id, place, target.type, target.id) for place, target in pointed if target.id]
    if rows:
        _insert(tx, rows)


def replace(tx: Transaction, tenant_id: int, owner: Target, pointed: Sequence[tuple[str, Target]]) -> None:
    """Keep what `owner` points at now, instead of what it did."""
    forget(tx, tenant_id, owner)
    note(tx, tenant_id, owner, pointed)


def forget(tx: Transaction, tenant_id: int, owner: Target) -> None:
    """`owner` points at nothing any more."""
    tx.change(_FORGET, tenant_id, owner.type, owner.id)


def pointing_at(tx: Transaction, tenant_id: int, target: Target, limit: int = _SHOWN) -> Sequence[Any]:
    """Rows (owner type, owner id, place) of what points at `target`, itself left out."""
    return tx.all(_POINTING, tenant_id, target.type, target.id, limit)


def places(rows: Sequence[Any]) -> list[str]:
    """Rows of what points somewhere as refusals and notices name them: `offices/12.routing_options.open.…`."""
    return [f"{PATHS.get(owner_type, owner_type)}/{owner_id}.{place}" for owner_type, owner_id, place in rows]


def pointed_at(tx: Transaction, tenant_id: int, target_type: str) -> set[int]:
    """The ids of all targets of a kind that calls are sent to."""
    return {row[0] for row in tx.all(_POINTED_AT, tenant_id, target_type)}


def owned_by(tx: Transaction, tenant_id: int, owner_type: str, owner_ids: Sequence[int]) -> dict[int, list[Target]]:
    """What each of these owners of a kind points at; one that points at nothing is left out."""
    found: dict[int, list[Target]] = {}
    for padded, marks in in_parts(owner_ids, 0):
        query = Statement(
            "SELECT owner_id, target_type, target_id FROM pointers WHERE tenant_id = ? AND owner_type = ? "  # noqa: S608
            f"AND owner_id IN ({marks}) ORDER BY owner_id, place"
        )
        for owner_id, target_type, target_id in tx.all(query, tenant_id, owner_type, *padded):
            found.setdefault(owner_id, []).append(Target(target_type, target_id))
    return found


def free(
    tx: Transaction,
    call: Call,
    at: datetime,
    target: Target,
    name: str,
    work: "Work",
    notices: list[Notice],
    *,
    force: bool,
) -> None:
    """Make sure that nothing points at `target` any more, which is about to go.

    Conflict naming who does, unless `force`: then each is pointed at its office's voicemail, and a notice says so.
    """
    tenant_id = call.principal.tenant_id
    found = pointing_at(tx, tenant_id, target)
    if not found:
        return
    if not force:
        senders = _named(tx, tenant_id, found, work.office)
        raise Conflict(
            f"Calls are sent to {name} by {senders}; point them elsewhere first, or delete with force=true, which "
            "sends them to voicemail.",
            [Violation(location=place, reason="conflict", message="Sends calls here.") for place in places(found)],
        )
    for owner_type, owner_id in dict.fromkeys((row[0], row[1]) for row in pointing_at(tx, tenant_id, target, _ALL)):
        work.repointers[owner_type](tx, call, at, owner_id, target)
        where = f"{PATHS.get(owner_type, owner_type)}/{owner_id}"
        notices.append(Notice("pointed_at_voicemail", where, f"It sent calls to {name}; they go to voicemail now."))


def _named(tx: Transaction, tenant_id: int, rows: Sequence[Any], office: OfficeOf) -> str:
    """Who sends calls, as people call them: `the office Lisbon and the call center Support`. `rows` are as pointing_at
    gives them.
    """
    owners = list(dict.fromkeys(Target(row[0], row[1]) for row in rows))
    said = [
        f"the {_WORDS.get(one.type, one.type)} {targets.name_of(tx, tenant_id, one, office)}" for one in owners[:_NAMED]
    ]
    last = "others" if len(owners) > _NAMED else said.pop()
    return f"{', '.join(said)} and {last}" if said else last
