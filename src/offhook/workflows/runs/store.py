"""The only SQL of runs: one row a run, one an attempt, and who has which runs.

`turn` counts the turns of a run. A turn is written over the one that it was made from or not at all, so a process that
was away and comes back cannot undo what another has done meanwhile. `owner` is the process that carries something out
for a run, 0 while it only waits; `wake` the moment at which it must be looked at, 0 if none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec
from sqlalchemy import Index, Table
from sqlalchemy import text as sql_text

from offhook.events import store as outbox
from offhook.events.model import Event
from offhook.kit.ids import EPOCH_MS
from offhook.kit.wire import encode
from offhook.storage.database import Insert, Statement, Transaction
from offhook.storage.tables import APART, HISTORY, big, metadata, text
from offhook.workflows.machine.model import Attempt, Run, State

_GOING = "ended = 0"

runs = Table(
    "workflow_runs",
    metadata,
    big("tenant_id", primary_key=True),
    big("id", primary_key=True),
    text("name"),
    big("version"),
    text("status"),
    big("owner"),
    big("turn"),
    big("wake"),
    big("doomed"),
    big("parent"),
    big("root"),
    big("started"),
    big("ended"),
    text("correlation"),
    text("idempotency"),
    text("input"),
    text("run"),
    Index(None, "tenant_id", "status", "id"),
    Index(None, "tenant_id", "name", "id"),
    Index(
        "ix_workflow_runs_ended", "ended", sqlite_where=sql_text("ended > 0"), postgresql_where=sql_text("ended > 0")
    ),
    Index("ix_workflow_runs_wake", "owner", "wake", sqlite_where=sql_text(_GOING), postgresql_where=sql_text(_GOING)),
    Index(
        "ix_workflow_runs_correlation",
        "tenant_id",
        "correlation",
        "id",
        sqlite_where=sql_text("correlation <> ''"),
        postgresql_where=sql_text("correlation <> ''"),
    ),
    Index(
        "ix_workflow_runs_parent",
        "tenant_id",
        "parent",
        "id",
        sqlite_where=sql_text("parent <> 0"),
        postgresql_where=sql_text("parent <> 0"),
    ),
    Index(
        "ix_workflow_runs_root",
        "tenant_id",
        "root",
        sqlite_where=sql_text("root <> 0"),
        postgresql_where=sql_text("root <> 0"),
    ),
    Index(
        "uq_workflow_runs_idempotency",
        "tenant_id",
        "idempotency",
        unique=True,
        sqlite_where=sql_text("idempotency <> ''"),
        postgresql_where=sql_text("idempotency <> ''"),
    ),
    info={HISTORY: True, APART: True},
)
attempts = Table(
    "workflow_attempts",
    metadata,
    big("tenant_id", primary_key=True),
    big("run_id", primary_key=True),
    big("number", primary_key=True),
    big("id"),
    big("live"),
    text("attempt"),
    info={HISTORY: True, APART: True},
)
workers = Table(
    "workflow_workers", metadata, big("id", primary_key=True), big("slot"), big("until"), info={HISTORY: True}
)

NEWEST = 2**62

_COLUMNS = [
    "tenant_id", "id", "name", "version", "status", "owner", "turn", "wake", "doomed", "parent", "root", "started",
    "ended", "correlation", "idempotency", "input", "run",
]  # fmt: skip
insert_rows = Insert(runs, _COLUMNS)
_put_attempts = Insert(
    attempts,
    ["tenant_id", "run_id", "number", "id", "live", "attempt"],
    replacing=["tenant_id", "run_id", "number"],
)
# A run that is taken up again once it was over is doomed no more by who started it.
_CHANGED = (
    "UPDATE workflow_runs SET doomed = CASE WHEN ended > 0 THEN 0 ELSE doomed END, "
    "status = ?, owner = ?, turn = ?, wake = ?, started = ?, ended = ?, "
)
_SAME_TURN = "run = ? WHERE tenant_id = ? AND id = ? AND turn = ?"
_UPDATE = Statement(f"{_CHANGED}version = ?, input = ?, {_SAME_TURN}")
_UPDATE_LIGHT = Statement(f"{_CHANGED}{_SAME_TURN}")
_GONE = Statement("UPDATE workflow_attempts SET live = 0 WHERE tenant_id = ? AND run_id = ? AND number = ?")
# Both count as a turn: who has read the run before would else write over the moment at which it must be looked at.
_POKE = Statement("UPDATE workflow_runs SET wake = ?, turn = turn + 1 WHERE tenant_id = ? AND id = ? AND ended = 0")
_DOOM = Statement(
    "UPDATE workflow_runs SET doomed = 1, wake = ?, turn = turn + 1 WHERE tenant_id = ? AND id = ? AND ended = 0"
)
_ROW = "run, input, owner, turn, wake, doomed"
_GET = Statement(f"SELECT {_ROW} FROM workflow_runs WHERE tenant_id = ? AND id = ?")  # noqa: S608
_BY_KEY = Statement("SELECT id FROM workflow_runs WHERE tenant_id = ? AND idempotency = ?")
_LIVE = Statement(
    "SELECT attempt FROM workflow_attempts WHERE tenant_id = ? AND run_id = ? AND live = 1 ORDER BY number"
)
_ATTEMPTS = Statement(
    "SELECT attempt, live FROM workflow_attempts WHERE tenant_id = ? AND run_id = ? AND number > ? "
    "ORDER BY number LIMIT ?"
)
_LENGTHS = Statement(
    "SELECT number, length(attempt) FROM workflow_attempts WHERE tenant_id = ? AND run_id = ? AND number > ? "
    "ORDER BY number LIMIT ?"
)
_ATTEMPT = Statement("SELECT attempt, live FROM workflow_attempts WHERE tenant_id = ? AND run_id = ? AND id = ?")
_TURN = Statement("SELECT turn FROM workflow_runs WHERE tenant_id = ? AND id = ?")
_DUE = Statement(
    "SELECT tenant_id, id FROM workflow_runs WHERE ended = 0 AND owner = ? AND wake > 0 AND wake <= ? "
    "ORDER BY wake LIMIT ?"
)
_IS_DUE = Statement(
    "SELECT 1 FROM workflow_runs WHERE tenant_id = ? AND id = ? AND ended = 0 AND owner = 0 AND wake > 0 AND wake <= ?"
)
_GOES_ON = Statement("SELECT 1 FROM workflow_runs WHERE tenant_id = ? AND id = ? AND ended = 0")
_CHILDREN = Statement("SELECT id FROM workflow_runs WHERE tenant_id = ? AND parent = ? AND ended = 0")
_NEXT = Statement("SELECT MIN(wake) FROM workflow_runs WHERE ended = 0 AND owner = 0 AND wake > 0")
_ENDED = Statement("SELECT status, run FROM workflow_runs WHERE tenant_id = ? AND id = ? AND ended > 0")
_FREE = Statement("UPDATE workflow_runs SET owner = 0, wake = ? WHERE ended = 0 AND owner = ?")
_FREE_UNKNOWN = Statement(
    "UPDATE workflow_runs SET owner = 0, wake = ? "
    "WHERE ended = 0 AND owner > 0 AND owner NOT IN (SELECT id FROM workflow_workers)"
)
_RENEW = Statement("UPDATE workflow_workers SET slot = ?, until = ? WHERE id = ?")
_ENLIST = Statement("INSERT INTO workflow_workers (id, slot, until) VALUES (?, ?, ?)")
_DEAD = Statement("SELECT id FROM workflow_workers WHERE id <> ? AND (until < ? OR slot = ?)")
_DISMISS = Statement("DELETE FROM workflow_workers WHERE id = ?")
_COUNT = Statement("SELECT count(*) FROM workflow_runs WHERE tenant_id = ? AND status = ?")
_GOING_COUNT = Statement(
    "SELECT count(*) FROM (SELECT 1 FROM workflow_runs WHERE tenant_id = ? AND status = 'RUNNING' LIMIT ?) AS one"
)
_PAUSED_COUNT = Statement(
    "SELECT count(*) FROM (SELECT 1 FROM workflow_runs WHERE tenant_id = ? AND status = 'PAUSED' LIMIT ?) AS one"
)
_TREE_COUNT = Statement(
    "SELECT count(*) FROM (SELECT 1 FROM workflow_runs WHERE tenant_id = ? AND root = ? AND root <> 0 LIMIT ?) AS one"
)
_OLD = Statement("SELECT tenant_id, id FROM workflow_runs WHERE ended > 0 AND ended < ? ORDER BY ended LIMIT ?")
_FORGET = Statement("DELETE FROM workflow_runs WHERE tenant_id = ? AND id = ?")
_FORGET_ATTEMPTS = Statement("DELETE FROM workflow_attempts WHERE tenant_id = ? AND run_id = ?")

_decode_run = msgspec.json.Decoder(Run).decode
_decode_attempt = msgspec.json.Decoder(Attempt).decode
_decode = msgspec.json.Decoder().decode


class Stale(Exception):
    """The run was taken on by somebody else meanwhile; nothing of the turn was written."""


class Twice(Exception):
    """A run was started with this idempotency key already."""

    def __init__(self, id: int) -> None:
        super().__init__()
        self.id = id


class Row(msgspec.Struct, frozen=True):
    """Where a run stands in the store beside its state."""

    owner: int
    turn: int
    wake: int
    doomed: bool


def _run_text(run: Run) -> str:
    return encode(msgspec.structs.replace(run, input=None)).decode()


def new_row(run: Run, owner: int, wake: int) -> tuple[Any, ...]:
    """A run's row before its first turn."""
    return (
        run.tenant_id, run.id, run.name, run.version, run.status, owner, 0, wake, 0, run.parent, run.root, run.started,
        run.ended, run.correlation, run.idempotency, encode(run.input).decode(), _run_text(run),
    )  # fmt: skip


def attempt_row(tenant_id: int, run_id: int, one: Attempt) -> tuple[Any, ...]:
    """An attempt's row, while it counts."""
    return (tenant_id, run_id, one.number, one.id, 1, encode(one).decode())


@dataclass(frozen=True, slots=True)
class Keep:
    """A unit of work: one turn of a run, made from turn `turn` of it, and the runs that it starts.

    With `fresh` the run itself is new. `poke` is a run to be looked at, as one that it waits for has ended; `doom` are
    runs that are no longer wanted. Stale if the run is not at that turn any more, Twice if the key of a new one is
    used.
    """

    aside: ClassVar[bool] = True
    tenant_id: int
    after: Run
    turn: int
    owner: int
    wake: int
    now: int
    changed: tuple[Attempt, ...]
    dropped: tuple[int, ...] = ()
    born: tuple[tuple[Any, ...], ...] = ()
    poke: int = 0
    doom: tuple[int, ...] = ()
    fresh: bool = False
    whole: bool = False
    events: tuple[Event, ...] = ()

    def row(self) -> tuple[Any, ...]:
        run = self.after
        head = (run.status, self.owner, self.turn + 1, self.wake, run.started, run.ended)
        given = (run.version, encode(run.input).decode()) if self.whole else ()
        return (*head, *given, _run_text(run), self.tenant_id, run.id, self.turn)

    def run(self, tx: Transaction) -> None:
        """Alone."""
        self.run_many(tx, [self])

    @classmethod
    def run_many(cls, tx: Transaction, units: "Sequence[Keep]") -> list[None]:
        """Many turns with a statement a table; none of two turns of one run, which go one by one."""
        if len({(unit.tenant_id, unit.after.id) for unit in units}) < len(units):
            raise Stale
        born: list[tuple[Any, ...]] = []
        light: list[tuple[Any, ...]] = []
        rows: list[tuple[Any, ...]] = []
        for unit in units:
            if unit.fresh:
                if unit.after.idempotency:
                    found = tx.first(_BY_KEY, unit.tenant_id, unit.after.idempotency)
                    if found is not None:
                        raise Twice(int(found[0]))
                row = new_row(unit.after, unit.owner, unit.wake)
                born.append((*row[:6], 1, *row[7:]))
            elif unit.whole:
                if tx.change(_UPDATE, *unit.row()) != 1:
                    raise Stale
            else:
                light.append(unit.row())
            born += unit.born
            rows += [attempt_row(unit.tenant_id, unit.after.id, one) for one in unit.changed]
        if len(light) == 1:
            if tx.change(_UPDATE_LIGHT, *light[0]) != 1:
                raise Stale
        elif light and tx.change_many(_UPDATE_LIGHT, light) != len(light):
            raise Stale
        if born:
            insert_rows(tx, born)
        if rows:
            _put_attempts(tx, rows)
        for unit in units:
            for number in unit.dropped:
                tx.change(_GONE, unit.tenant_id, unit.after.id, number)
            for id in unit.doom:
                tx.change(_DOOM, unit.now, unit.tenant_id, id)
            if unit.poke:
                tx.change(_POKE, unit.now, unit.tenant_id, unit.poke)
        told = [event for unit in units for event in unit.events]
        if told:
            outbox.append(tx, told)
        return [None] * len(units)


def load(tx: Transaction, tenant_id: int, id: int) -> tuple[State, Row] | None:
    """A run as it stands; None if the company has none of this id."""
    row = tx.first(_GET, tenant_id, id)
    if row is None:
        return None
    run, given, owner, turn, wake, doomed = row
    state = State(
        msgspec.structs.replace(_decode_run(run), input=_decode(given)),
        [_decode_attempt(one[0]) for one in tx.all(_LIVE, tenant_id, id)],
    )
    return state, Row(owner, turn, wake, bool(doomed))


def get(tx: Transaction, tenant_id: int, id: int) -> Run | None:
    """A run without its tasks; None if the company has none of this id."""
    row = tx.first(_GET, tenant_id, id)
    return None if row is None else msgspec.structs.replace(_decode_run(row[0]), input=_decode(row[1]))


def by_key(tx: Transaction, tenant_id: int, key: str) -> int:
    """The run that was started with this idempotency key; 0 if none was."""
    row = tx.first(_BY_KEY, tenant_id, key)
    return int(row[0]) if row else 0


def history(
    tx: Transaction, tenant_id: int, id: int, after: int = 0, limit: int = 100_000
) -> list[tuple[Attempt, bool]]:
    """All attempts of a run in their order, each with whether it still counts."""
    return [(_decode_attempt(one), bool(live)) for one, live in tx.all(_ATTEMPTS, tenant_id, id, after, limit)]


def history_page(
    tx: Transaction, tenant_id: int, id: int, after: int, limit: int, size: int
) -> tuple[list[tuple[Attempt, bool]], bool]:
    """Attempts after a number, at least one, at most `limit` and about `size` bytes; and whether there are more."""
    total, count = 0, 0
    lengths = tx.all(_LENGTHS, tenant_id, id, after, limit + 1)
    for _, length in lengths[:limit]:
        if count and total + length > size:
            break
        total, count = total + length, count + 1
    return history(tx, tenant_id, id, after, count) if count else [], len(lengths) > count


def attempt(tx: Transaction, tenant_id: int, id: int, task_id: int) -> tuple[Attempt, bool] | None:
    """An attempt by its id, with whether it still counts; None if the run has none of it."""
    row = tx.first(_ATTEMPT, tenant_id, id, task_id)
    return None if row is None else (_decode_attempt(row[0]), bool(row[1]))


def turn_of(tx: Transaction, tenant_id: int, id: int) -> int | None:
    """How many turns a run has had; None if there is none of this id."""
    row = tx.first(_TURN, tenant_id, id)
    return None if row is None else int(row[0])


def goes_on(tx: Transaction, tenant_id: int, id: int) -> bool:
    """Whether a run is there and not over."""
    return tx.first(_GOES_ON, tenant_id, id) is not None


def ended(tx: Transaction, tenant_id: int, id: int) -> Run | None:
    """A run that is over; None if it is not."""
    row = tx.first(_ENDED, tenant_id, id)
    return _decode_run(row[1]) if row else None


def due(tx: Transaction, owner: int, now: int, limit: int) -> list[tuple[int, int]]:
    """Runs of all companies that have to be looked at by `owner` (0: by anybody), as (tenant, id)."""
    return [(row[0], row[1]) for row in tx.all(_DUE, owner, now, limit)]


def due_of(
    tx: Transaction, found: Iterable[tuple[int, int]], now: int
) -> tuple[set[tuple[int, int]], list[tuple[int, int]]]:
    """Of these runs, as (tenant, id), and those that they started and wait for: which are not over, and which of them
    no process has and have to be looked at."""
    going: set[tuple[int, int]] = set()
    waiting = [one for one in found if tx.first(_GOES_ON, *one) is not None]
    while waiting:
        one = waiting.pop()
        if one not in going:
            going.add(one)
            waiting += [(one[0], int(row[0])) for row in tx.all(_CHILDREN, *one)]
    return going, [one for one in going if tx.first(_IS_DUE, *one, now) is not None]


def next_wake(tx: Transaction) -> int:
    """The next moment at which a run that waits has to be looked at; 0 if none does."""
    row = tx.first(_NEXT)
    return int(row[0] or 0) if row else 0


def enlist(tx: Transaction, id: int, slot: int, until: int, wall: int) -> int:
    """A process begins to take on runs. Those of a process that had its slot before are free at once; how many."""
    tx.change(_ENLIST, id, slot, until)
    return _free_dead(tx, id, wall, slot)


def renew(tx: Transaction, id: int, slot: int, until: int, wall: int) -> tuple[bool, int]:
    """This process lasts, in this slot by now; others whose time is over lose what they had.

    Gives whether it is known itself, and how many runs are free now.
    """
    return tx.change(_RENEW, slot, until, id) == 1, _free_dead(tx, id, wall, -1)


def _free_dead(tx: Transaction, id: int, wall: int, slot: int) -> int:
    count = 0
    for row in tx.all(_DEAD, id, wall, slot):
        count += tx.change(_FREE, wall, row[0])
        tx.change(_DISMISS, row[0])
    # Who was taken for dead may have written once more, before it knew.
    return count + tx.change(_FREE_UNKNOWN, wall)


def dismiss(tx: Transaction, id: int, now: int) -> None:
    """This process takes on no more; what it had is free."""
    tx.change(_FREE, now, id)
    tx.change(_DISMISS, id)


def count(tx: Transaction, tenant_id: int, status: str) -> int:
    """How many runs of a company are in a state."""
    row = tx.first(_COUNT, tenant_id, status)
    return int(row[0]) if row else 0


def going(tx: Transaction, tenant_id: int, most: int) -> int:
    """How many runs of a company go on, paused ones too, counted up to `most` of either."""
    return sum(int(tx.all(one, tenant_id, most)[0][0]) for one in (_GOING_COUNT, _PAUSED_COUNT))


def led_to(tx: Transaction, tenant_id: int, root: int, most: int) -> int:
    """How many runs that a first one led to are kept, over all that they started in turn, counted up to `most`."""
    return int(tx.all(_TREE_COUNT, tenant_id, root, most)[0][0])


def old(tx: Transaction, before: int, limit: int) -> list[tuple[int, int]]:
    """Runs of all companies that ended before a moment, as (tenant, id), oldest first."""
    return [(row[0], row[1]) for row in tx.all(_OLD, before, limit)]


def forget(tx: Transaction, found: Sequence[tuple[int, int]]) -> None:
    """These runs, as (tenant, id), and their attempts are gone."""
    for tenant_id, id in found:
        tx.change(_FORGET_ATTEMPTS, tenant_id, id)
        tx.change(_FORGET, tenant_id, id)


def _named(name: str, status: str) -> tuple[str, list[str]]:
    """The condition that a run is of a definition and in a state, each if it is given, and its values.

    Few runs stand in most states: it is their index that is to be gone along, not that of the name.
    """
    named = "(name || '')" if status and status != "COMPLETED" else "name"
    asked = [(column, value) for column, value in ((named, name), ("status", status)) if value]
    return "".join(f" AND {column} = ?" for column, _ in asked), [value for _, value in asked]


def search(
    tx: Transaction,
    tenant_id: int,
    *,
    before: int = NEWEST,
    limit: int = 100,
    statuses: Sequence[str] = (),
    name: str = "",
    version: int = 0,
    correlation: str = "",
    parent: int = 0,
    since: int = 0,
    until: int = 0,
) -> list[Run]:
    """Runs before an id, the latest first. They were first started at or after `since`, and before `until` (ms)."""
    where, values = ["tenant_id = ?"], [tenant_id]
    # The conditions with a fixed value are those of the indices, which hold no more than such rows.
    if correlation:
        where.append("correlation <> '' AND correlation = ?")
        values.append(correlation)  # type: ignore[arg-type]
    if version:
        where.append("version = ?")
        values.append(version)
    if parent:
        where.append("parent <> 0 AND parent = ?")
        values.append(parent)
    if since:
        where.append("id >= ?")
        values.append((since - EPOCH_MS) << 11)
    if until:
        before = min(before, (until - EPOCH_MS) << 11)
    end = " AND ".join([*where, "id < ?"])

    def page(status: str) -> list[Any]:
        condition, given = _named(name, status)
        query = f"SELECT run, input FROM workflow_runs WHERE {end}{condition} ORDER BY id DESC LIMIT ?"  # noqa: S608
        return tx.all(Statement(query), *values, before, *given, limit)

    # One look a state: each goes along an index, where a list of states would be sorted.
    found = [row for status in statuses for row in page(status)] if statuses else page("")
    made = [msgspec.structs.replace(_decode_run(run), input=_decode(given)) for run, given in found]
    return sorted(made, key=lambda one: -one.id)[:limit]


MOST_COUNTED = 10_000
MOST_READ_FOR_TEXT = 1_000


def find_ids(
    tx: Transaction,
    tenant_id: int,
    *,
    limit: int,
    offset: int = 0,
    names: Sequence[str] = (),
    versions: Sequence[int] = (),
    ids: Sequence[int] = (),
    statuses: Sequence[str] = (),
    correlations: Sequence[str] = (),
    since: int = 0,
    until: int = 0,
    ended: tuple[int, int] = (0, 0),
    text: str = "",
    earliest_first: bool = False,
) -> tuple[list[int], int]:
    """Ids of runs that fit all of what is named, past `offset` of them, and how many fit, counted to MOST_COUNTED.

    They were first started at or after `since` and before `until`, and ended within `ended` (ms; 0 is any time).
    `text` is looked for in the newest MOST_READ_FOR_TEXT that fit otherwise.
    """
    where, values = ["tenant_id = ?"], [tenant_id]
    lists: list[tuple[str, Sequence[Any]]] = [("version", versions), ("id", ids), ("correlation", correlations)]
    if text:
        lists += [("name", names), ("status", statuses)]
        names = statuses = ()
    for column, wanted in lists:
        if wanted:
            where.append(f"{column} IN ({', '.join('?' * len(wanted))})")
            values += wanted
    if correlations:
        # The index has these only.
        where.append("correlation <> ''")
    bounds = (
        ("id >= ?", (since - EPOCH_MS) << 11 if since > EPOCH_MS else 0),
        ("id < ?", (max(until, EPOCH_MS) - EPOCH_MS) << 11 if until else 0),
        ("ended >= ?", ended[0]),
        ("ended < ?", ended[1]),
    )
    for condition, bound in bounds:
        if bound:
            where.append(condition)
            values.append(bound)
    order = "ASC" if earliest_first else "DESC"
    found: list[int] = []
    total = 0
    # One look a name and a state: each goes along an index, where lists of them would be sorted.
    for name in names or ("",):
        for status in statuses or ("",):
            of_them, given_of_them = _named(name, status)
            condition, given = " AND ".join(where) + of_them, [*values, *given_of_them]
            chosen = f"SELECT id FROM workflow_runs WHERE {condition}"  # noqa: S608 - ours
            if text:
                like = f"%{text.lower().replace('!', '!!').replace('%', '!%').replace('_', '!_')}%"
                chosen = (
                    f"SELECT id FROM (SELECT id, input, run FROM workflow_runs WHERE {condition} "  # noqa: S608 - ours
                    f"ORDER BY id DESC LIMIT {MOST_READ_FOR_TEXT}) AS newest "
                    "WHERE lower(input) LIKE ? ESCAPE '!' OR lower(run) LIKE ? ESCAPE '!'"
                )
                given += [like, like]
            page = f"{chosen} ORDER BY id {order} LIMIT ?"
            found += [row[0] for row in tx.all(Statement(page), *given, offset + limit)]
            count = f"SELECT count(*) FROM ({chosen} LIMIT {MOST_COUNTED}) AS counted"  # noqa: S608 - ours
            total += int(tx.all(Statement(count), *given)[0][0])
    return sorted(found, reverse=not earliest_first)[offset : offset + limit], min(total, MOST_COUNTED)
