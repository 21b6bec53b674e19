"""The only SQL of schedules, triggers, hooks, and of starts that were decided.

What moves all the time stands apart from the documents, so that a schedule's version is changed by people only. Of
schedules that idle nothing is looked at: the next moments are an index, and so are the starts that wait.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Index, Table
from sqlalchemy import text as sql_text

from offhook.events import store as outbox
from offhook.kit.wire import encode
from offhook.storage.database import Insert, Statement, Transaction
from offhook.storage.documents import Documents, Kept
from offhook.storage.tables import APART, big, metadata, text
from offhook.workflows.triggers import rules
from offhook.workflows.triggers.model import Heard, Hook, Passed, Planned, Ran, Schedule, Trigger
from offhook.workflows.triggers.rules import Recent


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sql_text(condition), "postgresql_where": sql_text(condition)}


schedules = Documents(
    "workflow_schedules",
    Schedule,
    texts={"name": lambda one: one.name, "workflow": lambda one: one.workflow},
    unique=("name",),
    info={APART: True},
)
triggers = Documents(
    "workflow_triggers",
    Trigger,
    texts={"name": lambda one: one.name, "workflow": lambda one: one.workflow},
    unique=("name",),
    info={APART: True},
)
hooks = Documents(
    "workflow_hooks",
    Hook,
    texts={"name": lambda one: one.name, "workflow": lambda one: one.workflow},
    unique=("name",),
    info={APART: True},
)
timers = Table(
    "workflow_timers",
    metadata,
    big("tenant_id", primary_key=True),
    big("id", primary_key=True),
    big("version"),
    big("due"),
    big("run_id"),
    text("ran"),
    Index("ix_workflow_timers_due", "due", **_where("due > 0")),
    info={APART: True},
)
followed = Table(
    "workflow_followed",
    metadata,
    big("tenant_id", primary_key=True),
    big("seq"),
    big("active"),
    Index("ix_workflow_followed_active", "tenant_id", **_where("active > 0")),
    info={APART: True},
)
watches = Table(
    "workflow_watches",
    metadata,
    big("tenant_id", primary_key=True),
    big("id", primary_key=True),
    big("since"),
    text("recent"),
    text("ran"),
    info={APART: True},
)
starts = Table(
    "workflow_starts",
    metadata,
    big("tenant_id", primary_key=True),
    text("key", primary_key=True),
    big("source_id"),
    big("due"),
    text("planned"),
    Index("ix_workflow_starts_due", "due"),
    Index("ix_workflow_starts_source", "tenant_id", "source_id"),
    info={APART: True},
)
calls = Table(
    "workflow_hook_calls",
    metadata,
    big("tenant_id", primary_key=True),
    big("id", primary_key=True),
    text("heard"),
    info={APART: True},
)

_put_timer = Insert(timers, ["tenant_id", "id", "version", "due", "run_id", "ran"])
_TIMER = Statement("SELECT version, due, run_id, ran FROM workflow_timers WHERE tenant_id = ? AND id = ?")
_SET = Statement("UPDATE workflow_timers SET version = ?, due = ? WHERE tenant_id = ? AND id = ?")
_MOVE = Statement("UPDATE workflow_timers SET due = ? WHERE tenant_id = ? AND id = ? AND version = ? AND due = ?")
_TOLD = Statement("UPDATE workflow_timers SET ran = ? WHERE tenant_id = ? AND id = ?")
_STARTED = Statement("UPDATE workflow_timers SET ran = ?, run_id = ? WHERE tenant_id = ? AND id = ?")
_NO_TIMER = Statement("DELETE FROM workflow_timers WHERE tenant_id = ? AND id = ?")
_DUE = Statement(
    "SELECT tenant_id, id, version, due FROM workflow_timers WHERE due > 0 AND due <= ? ORDER BY due LIMIT ?"
)
_NEXT = Statement("SELECT MIN(due) FROM workflow_timers WHERE due > 0")
_GOING = Statement("SELECT 1 FROM workflow_runs WHERE tenant_id = ? AND id = ? AND ended = 0")

_put_followed = Insert(followed, ["tenant_id", "seq", "active"], replacing=["tenant_id"])
_FOLLOWED = Statement("SELECT seq, active FROM workflow_followed WHERE tenant_id = ?")
_ACTIVE = Statement("UPDATE workflow_followed SET active = ? WHERE tenant_id = ?")
_STEP = Statement("UPDATE workflow_followed SET seq = ? WHERE tenant_id = ? AND seq = ? AND active > 0")
_BEHIND = Statement(
    "SELECT tenant_id FROM workflow_followed WHERE active > 0 AND tenant_id > ? AND EXISTS (SELECT 1 FROM events "
    "WHERE events.tenant_id = workflow_followed.tenant_id AND events.seq > workflow_followed.seq) "
    "ORDER BY tenant_id LIMIT ?"
)
_LAST = Statement("SELECT MAX(seq) FROM events")
_ANY = Statement("SELECT 1 FROM workflow_followed WHERE active > 0 LIMIT 1")

_put_watch = Insert(watches, ["tenant_id", "id", "since", "recent", "ran"])
_WATCHES = Statement("SELECT id, since, recent FROM workflow_watches WHERE tenant_id = ?")
_WATCH = Statement("SELECT since, recent, ran FROM workflow_watches WHERE tenant_id = ? AND id = ?")
_SINCE = Statement("UPDATE workflow_watches SET since = ?, recent = '{}' WHERE tenant_id = ? AND id = ?")
_RECENT = Statement("UPDATE workflow_watches SET recent = ? WHERE tenant_id = ? AND id = ?")
_SEEN = Statement("UPDATE workflow_watches SET ran = ? WHERE tenant_id = ? AND id = ?")
_NO_WATCH = Statement("DELETE FROM workflow_watches WHERE tenant_id = ? AND id = ?")

_put_starts = Insert(starts, ["tenant_id", "key", "source_id", "due", "planned"], replacing=["tenant_id", "key"])
_PLANNED = Statement("SELECT tenant_id, key, planned FROM workflow_starts WHERE due <= ? ORDER BY due LIMIT ?")
_TAKE = Statement("UPDATE workflow_starts SET due = ? WHERE tenant_id = ? AND key = ? AND due <= ?")
_AGAIN = Statement("UPDATE workflow_starts SET due = ?, planned = ? WHERE tenant_id = ? AND key = ?")
_DONE = Statement("DELETE FROM workflow_starts WHERE tenant_id = ? AND key = ?")
_WAITS = Statement("SELECT 1 FROM workflow_starts WHERE tenant_id = ? AND source_id = ? LIMIT 1")
_FIRST = Statement(
    "SELECT planned FROM workflow_starts WHERE tenant_id = ? AND source_id = ? ORDER BY due, key LIMIT 1"
)
_WAITING = Statement("SELECT COUNT(*) FROM workflow_starts WHERE tenant_id = ?")
_NEXT_START = Statement("SELECT MIN(due) FROM workflow_starts")

_HOOK = Statement("SELECT tenant_id FROM workflow_hooks WHERE id = ? AND state <> 'deleted'")
_put_calls = Insert(calls, ["tenant_id", "id", "heard"], replacing=["tenant_id", "id"])
_CALLS = Statement("SELECT heard FROM workflow_hook_calls WHERE tenant_id = ? AND id = ?")
_NO_CALLS = Statement("DELETE FROM workflow_hook_calls WHERE tenant_id = ? AND id = ?")

_planned = msgspec.json.Decoder(Planned).decode
_heard = msgspec.json.Decoder(list[Heard]).decode
_ran = msgspec.json.Decoder(Ran).decode
_recent = msgspec.json.Decoder(Recent).decode


class Timer(msgspec.Struct, frozen=True):
    """Where a schedule stands: its document's version, its next moment (0: none), its last run, what happened last."""

    version: int
    due: int
    run_id: int
    ran: Ran | None


class Due(msgspec.Struct, frozen=True):
    """A schedule whose moment has come."""

    tenant_id: int
    id: int
    version: int
    due: int


class Waiting(msgspec.Struct, frozen=True):
    """A start that this process carries out."""

    tenant_id: int
    planned: Planned


# Schedules


def put_timer(tx: Transaction, kept: Kept[Schedule], due: int) -> None:
    """A new schedule's next moment."""
    _put_timer(tx, [(kept.tenant_id, kept.id, kept.version, due, 0, "")])


def set_timer(tx: Transaction, kept: Kept[Schedule], due: int) -> None:
    """The next moment of a schedule that was changed."""
    tx.change(_SET, kept.version, due, kept.tenant_id, kept.id)


def move_timer(tx: Transaction, one: Due, following: int) -> bool:
    """Go on to the next moment; False if somebody else has, or the schedule was changed."""
    return tx.change(_MOVE, following, one.tenant_id, one.id, one.version, one.due) == 1


def drop_timer(tx: Transaction, tenant_id: int, id: int) -> None:
    """A schedule is gone."""
    tx.change(_NO_TIMER, tenant_id, id)


def timer(tx: Transaction, tenant_id: int, id: int) -> Timer | None:
    """Where a schedule stands."""
    row = tx.first(_TIMER, tenant_id, id)
    return Timer(row[0], row[1], row[2], _ran(row[3]) if row[3] else None) if row else None


def told(tx: Transaction, tenant_id: int, id: int, ran: Ran) -> None:
    """What happened to a schedule last; the run counts as its last if there is one."""
    document = encode(ran).decode()
    if ran.run_id:
        tx.change(_STARTED, document, ran.run_id, tenant_id, id)
    else:
        tx.change(_TOLD, document, tenant_id, id)


def due(tx: Transaction, now: int, limit: int) -> list[Due]:
    """The schedules of all companies whose moment has come, the longest due first."""
    return [Due(*row) for row in tx.all(_DUE, now, limit)]


def next_due(tx: Transaction) -> int:
    """The next moment of any schedule; 0 if none has one."""
    row = tx.first(_NEXT)
    return int(row[0] or 0) if row else 0


def going(tx: Transaction, tenant_id: int, run_id: int) -> bool:
    """Whether a run of the embedded engine is not over."""
    return bool(run_id) and tx.first(_GOING, tenant_id, run_id) is not None


# Triggers


def follow(tx: Transaction, tenant_id: int) -> None:
    """Have a company's events followed if it has a trigger that is not paused. From now on, if it had none."""
    active = sum(not kept.value.paused for kept in triggers.all(tx, tenant_id))
    row = tx.first(_FOLLOWED, tenant_id)
    if active and (row is None or not row[1]):
        _put_followed(tx, [(tenant_id, outbox.last(tx, tenant_id), active)])
    elif row is not None:
        tx.change(_ACTIVE, active, tenant_id)


def put_watch(tx: Transaction, tenant_id: int, id: int) -> None:
    """A new trigger looks at what happens from now on."""
    _put_watch(tx, [(tenant_id, id, outbox.last(tx, tenant_id), "{}", "")])


def watch_from_now(tx: Transaction, tenant_id: int, id: int) -> None:
    """A trigger that was paused looks at what happens from now on."""
    tx.change(_SINCE, outbox.last(tx, tenant_id), tenant_id, id)


def drop_watch(tx: Transaction, tenant_id: int, id: int) -> None:
    """A trigger is gone."""
    tx.change(_NO_WATCH, tenant_id, id)


def last_of(tx: Transaction, tenant_id: int, id: int) -> tuple[Ran | None, Passed | None]:
    """What became of a trigger last, and the event that it passed over last."""
    row = tx.first(_WATCH, tenant_id, id)
    if row is None:
        return None, None
    return _ran(row[2]) if row[2] else None, _recent(row[1]).passed


def put_recent(tx: Transaction, tenant_id: int, id: int, recent: Recent) -> None:
    """The starts of a trigger in the last minute."""
    tx.change(_RECENT, encode(recent).decode(), tenant_id, id)


def seen(tx: Transaction, tenant_id: int, id: int, ran: Ran) -> None:
    """What became of a trigger last."""
    tx.change(_SEEN, encode(ran).decode(), tenant_id, id)


def watching(tx: Transaction, tenant_id: int) -> dict[int, tuple[int, Recent]]:
    """From which event on each trigger looks, and its starts in the last minute."""
    return {row[0]: (row[1], _recent(row[2])) for row in tx.all(_WATCHES, tenant_id)}


def position(tx: Transaction, tenant_id: int) -> int | None:
    """How far a company's events were followed; None if they are not."""
    row = tx.first(_FOLLOWED, tenant_id)
    return int(row[0]) if row and row[1] else None


def step(tx: Transaction, tenant_id: int, before: int, after: int) -> bool:
    """Events up to `after` are done with; False if somebody else was quicker."""
    return tx.change(_STEP, after, tenant_id, before) == 1


def last_event(tx: Transaction) -> int:
    """The newest event of all companies; 0 if nobody's are followed."""
    if tx.first(_ANY) is None:
        return 0
    row = tx.first(_LAST)
    return int(row[0] or 0) if row else 0


def behind(tx: Transaction, after: int, limit: int) -> list[int]:
    """Companies behind the id `after` that have events which were not looked at."""
    return [row[0] for row in tx.all(_BEHIND, after, limit)]


# Starts


def put_starts(tx: Transaction, tenant_id: int, planned: Sequence[Planned], due: int) -> None:
    """Starts that were decided, at least one; they are looked at from `due` on."""
    _put_starts(tx, [(tenant_id, one.key, one.source_id, due, encode(one).decode()) for one in planned])


def take(tx: Transaction, now: int, until: int, limit: int) -> list[Waiting]:
    """Starts that are for the caller to carry out until `until`; then they are anybody's again."""
    found = []
    for tenant_id, key, planned in tx.all(_PLANNED, now, limit):
        if tx.change(_TAKE, until, tenant_id, key, now) == 1:
            found.append(Waiting(tenant_id, _planned(planned)))
    return found


def again(tx: Transaction, tenant_id: int, planned: Planned, due: int) -> None:
    """A start that could not be carried out waits until `due`."""
    tx.change(_AGAIN, due, encode(planned).decode(), tenant_id, planned.key)


def done(tx: Transaction, tenant_id: int, key: str) -> bool:
    """A start was carried out; False if somebody else has said so."""
    return tx.change(_DONE, tenant_id, key) == 1


def waits(tx: Transaction, tenant_id: int, source_id: int) -> bool:
    """Whether a start of this schedule or trigger waits."""
    return tx.first(_WAITS, tenant_id, source_id) is not None


def put_off(tx: Transaction, tenant_id: int, source_id: int) -> Planned | None:
    """A start of this schedule or trigger that was tried and could not be carried out yet."""
    row = tx.first(_FIRST, tenant_id, source_id)
    planned = _planned(row[0]) if row else None
    return planned if planned is not None and planned.tries else None


def waiting(tx: Transaction, tenant_id: int) -> int:
    """How many starts of a company wait."""
    row = tx.first(_WAITING, tenant_id)
    return int(row[0]) if row else 0


def next_start(tx: Transaction) -> int:
    """When the next start that waits is looked at; 0 if none waits."""
    row = tx.first(_NEXT_START)
    return int(row[0] or 0) if row else 0


# Hooks


def hook(tx: Transaction, id: int) -> Kept[Hook] | None:
    """The hook of this id, whichever company's it is: who calls one has no key."""
    row = tx.first(_HOOK, id)
    return hooks.get(tx, row[0], id) if row else None


def hear(tx: Transaction, tenant_id: int, id: int, more: Sequence[Heard]) -> None:
    """Remember calls of a hook; nothing if it was deleted meanwhile."""
    if hooks.get(tx, tenant_id, id) is not None:
        known = rules.heard(heard_of(tx, tenant_id, id), more)
        _put_calls(tx, [(tenant_id, id, encode(known).decode())])


def heard_of(tx: Transaction, tenant_id: int, id: int) -> list[Heard]:
    """The latest calls of a hook, oldest first."""
    row = tx.first(_CALLS, tenant_id, id)
    return _heard(row[0]) if row else []


def drop_calls(tx: Transaction, tenant_id: int, id: int) -> None:
    """A hook is gone."""
    tx.change(_NO_CALLS, tenant_id, id)
