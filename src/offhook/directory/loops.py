"""Whether calls can go round: from a line, through whatever its routing calls, back to where they were.

Offices, departments, call centers and call routers all keep what they call in pointers, so one walk over those finds
every loop, whatever it leads through.
"""

from collections.abc import Mapping, Sequence

from offhook.directory import pointers, targets
from offhook.directory.lines.model import Target
from offhook.directory.offices import OfficeOf
from offhook.kit.errors import Notice
from offhook.storage.database import Transaction

MAX_HOPS = 10
"""How often a live call may be sent on."""

_MOST = 2000
"""Lines that are looked at; a company whose lines reach more is told of the loops among the nearest of them."""

_SENDING = frozenset(pointers.PATHS)


def warn_of_loop(
    tx: Transaction,
    tenant_id: int,
    owner: Target,
    name: str,
    pointed: Sequence[tuple[str, Target]],
    office: OfficeOf,
    notices: list[Notice],
    field: str = "routing_options",
) -> None:
    """Warn if a call to `owner`, whose routing is about to call `pointed`, can come back to where it was."""
    calls = _reached(tx, tenant_id, owner, [target for _, target in pointed])
    loop = find_loop(owner, calls)
    if loop:
        names = (name if step == owner else targets.name_of(tx, tenant_id, step, office) for step in loop)
        text = f"Calls can go round: {' > '.join(names)}; after {MAX_HOPS} hops they end in voicemail."
        notices.append(Notice("target_loop", field, text))


def _reached(
    tx: Transaction, tenant_id: int, owner: Target, pointed: Sequence[Target]
) -> dict[Target, tuple[Target, ...]]:
    """What calls what within MAX_HOPS of `owner`, level by level: a query a level and kind."""
    calls = {owner: _senders(pointed)}
    level = set(calls[owner]) - calls.keys()
    for _ in range(MAX_HOPS):
        if not level or len(calls) > _MOST:
            break
        following: set[Target] = set()
        for kind in sorted({target.type for target in level}):
            ids = sorted(target.id for target in level if target.type == kind)
            found = pointers.owned_by(tx, tenant_id, kind, ids)
            for id in ids:
                calls[Target(kind, id)] = _senders(found.get(id, ()))
                following.update(calls[Target(kind, id)])
        level = following - calls.keys()
    return calls


def _senders(pointed: Sequence[Target]) -> tuple[Target, ...]:
    return tuple(dict.fromkeys(target for target in pointed if target.type in _SENDING and target.id))


def find_loop(start: Target, calls: Mapping[Target, Sequence[Target]]) -> list[Target]:
    """A way from `start` that ends where it has been, or nothing. Every line is looked at once."""
    done: set[Target] = set()
    way: dict[Target, None] = {start: None}
    turns = [iter(calls.get(start, ()))]
    while way:
        step = next(turns[-1], None)
        if step is None:
            done.add(way.popitem()[0])
            turns.pop()
        elif step in way:
            return [*way, step]
        elif step not in done:
            way[step] = None
            turns.append(iter(calls.get(step, ())))
    return []
