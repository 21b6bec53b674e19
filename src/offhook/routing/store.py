"""The only SQL of routing: people's engagements, waiting calls and rotations, drawn as a board and kept again.

A person has one row, so that the store itself keeps two calls from holding one. Rows stay when their people are free:
since when, is what the longest idle is chosen by.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Generic, TypeVar, cast

from sqlalchemy import Index, Table
from sqlalchemy import text as sql_text

from offhook.kit import clock
from offhook.routing.board import Board, Engagement, Place
from offhook.storage.database import Insert, Statement, Transaction, in_parts
from offhook.storage.tables import big, metadata, text

T = TypeVar("T")

engagements = Table(
    "engagements",
    metadata,
    big("tenant_id", primary_key=True),
    text("who", primary_key=True),
    text("call_id"),
    big("taken"),
    big("until"),
    big("idle_since"),
    text("turns_of"),
    text("also"),
    Index(
        None,
        "tenant_id",
        "call_id",
        sqlite_where=sql_text("call_id <> ''"),
        postgresql_where=sql_text("call_id <> ''"),
    ),
    # People of one line lie together, so that a batch changes few pages.
    sqlite_with_rowid=False,
)
waiting_calls = Table(
    "waiting_calls",
    metadata,
    big("tenant_id", primary_key=True),
    text("call_id", primary_key=True),
    text("line"),
    big("since"),
    big("queued"),
    big("until"),
    text("members"),
    text("asked"),
)
rotations = Table(
    "rotations",
    metadata,
    big("tenant_id", primary_key=True),
    text("line", primary_key=True),
    text("members"),
)

_keep_people = Insert(
    engagements,
    ["tenant_id", "who", "call_id", "taken", "until", "idle_since", "turns_of", "also"],
    replacing=["tenant_id", "who"],
)
_keep_places = Insert(
    waiting_calls,
    ["tenant_id", "call_id", "line", "since", "queued", "until", "members", "asked"],
    replacing=["tenant_id", "call_id"],
)
_keep_rotations = Insert(rotations, ["tenant_id", "line", "members"], replacing=["tenant_id", "line"])
_PLACES = Statement("SELECT call_id, line, since, queued, until, members, asked FROM waiting_calls WHERE tenant_id = ?")
_QUEUED = Statement("SELECT line, since, call_id FROM waiting_calls WHERE tenant_id = ? AND queued = 1 AND until > ?")
_ROTATIONS = Statement("SELECT line, members FROM rotations WHERE tenant_id = ?")
_SEVERAL = Statement(
    "SELECT who, call_id, taken, until, idle_since, turns_of, also FROM engagements "
    "WHERE tenant_id = ? AND call_id <> '' AND also <> ''"
)
_IDLE = Statement("SELECT who, idle_since FROM engagements WHERE tenant_id = ? AND idle_since > 0")


@lru_cache(maxsize=64)
def _engaged(marks: str) -> Statement:
    return Statement(
        "SELECT who, call_id, taken, until, idle_since, turns_of, also FROM engagements "  # noqa: S608 - marks only
        f"WHERE tenant_id = ? AND who IN ({marks})"
    )


@lru_cache(maxsize=64)
def _held(marks: str) -> Statement:
    return Statement(
        "SELECT who, call_id, taken, until, idle_since, turns_of, also FROM engagements "  # noqa: S608 - marks only
        f"WHERE tenant_id = ? AND call_id <> '' AND call_id IN ({marks})"
    )


@lru_cache(maxsize=64)
def _turns(marks: str) -> Statement:
    return Statement(
        f"SELECT line, members FROM rotations WHERE tenant_id = ? AND line IN ({marks})"  # noqa: S608 - marks only
    )


@lru_cache(maxsize=64)
def _left(marks: str) -> Statement:
    return Statement(f"DELETE FROM waiting_calls WHERE tenant_id = ? AND call_id IN ({marks})")  # noqa: S608


@lru_cache(maxsize=4096)
def _names(joined: str) -> tuple[str, ...]:
    return tuple(joined.split(" ")) if joined else ()


@lru_cache(maxsize=4096)
def _set(joined: str) -> frozenset[str]:
    return frozenset(_names(joined))


def _engagement(row: Sequence[Any]) -> Engagement:
    return Engagement(row[1], row[2] == 1, row[3], row[4], row[5], _names(row[6]))


def board(tx: Transaction, tenant_id: int, need: "Need", moment: int) -> Board:
    """The board of a tenant with what is needed on it, and all who wait."""
    places = [
        Place(row[0], row[1], row[2], bool(row[3]), row[4], _set(row[5]), row[6]) for row in tx.all(_PLACES, tenant_id)
    ]
    members, lines = set(need.members), set(need.lines)
    for wanted in {place.members for place in places}:
        members |= wanted
    people: dict[str, Engagement] = {}
    for query, keys in ((_engaged, list(members)), (_held, list(need.calls))):
        for part, marks in in_parts(keys, ""):
            for row in tx.all(query(marks), tenant_id, *part):
                people[row[0]] = _engagement(row)
    if need.calls:
        for row in tx.all(_SEVERAL, tenant_id):
            people[row[0]] = _engagement(row)
    for who in members:
        if who not in people:
            people[who] = Engagement()
    lines |= {one.turns_of for one in people.values() if one.turns_of}
    lines |= {place.line for place in places}
    turns: dict[str, tuple[str, ...]] = {}
    for part, marks in in_parts(list(lines), ""):
        for row in tx.all(_turns(marks), tenant_id, *part):
            turns[row[0]] = _names(row[1])
    return Board(moment, people, places, turns)


def queues(tx: Transaction, tenant_id: int, moment: int) -> dict[str, tuple[str, ...]]:
    """The calls that wait in each queue of a tenant ("callcenter:1"), by id, the one that is next first.

    It is the order that reserving goes by. `moment` is of the wall clock, in milliseconds: whose process is not heard
    of any more waits no longer.
    """
    found: dict[str, list[tuple[int, str]]] = {}
    for line, since, call_id in tx.all(_QUEUED, tenant_id, moment):
        found.setdefault(line, []).append((since, call_id))
    return {line: tuple([call_id for _, call_id in sorted(waiting)]) for line, waiting in found.items()}


def left_behind(tx: Transaction, tenant_id: int) -> tuple[dict[str, tuple[str, ...]], dict[str, int]]:
    """What the calls of a tenant have left behind: rotations by line, and since when people are idle (milliseconds)."""
    rotations = {line: _names(members) for line, members in tx.all(_ROTATIONS, tenant_id)}
    return rotations, dict(tx.all(_IDLE, tenant_id))


def keep(tx: Transaction, tenant_id: int, after: Board) -> None:
    """Keep what changed on a board."""
    if after.changed:
        rows = []
        for who in after.changed:
            one = after.people[who]
            also = " ".join(one.also)
            rows.append((tenant_id, who, one.call_id, int(one.taken), one.until, one.idle_since, one.turns_of, also))
        _keep_people(tx, rows)
    if after.gone:
        for part, marks in in_parts(list(after.gone), ""):
            tx.change(_left(marks), tenant_id, *part)
    if after.moved:
        _keep_places(tx, [_row(tenant_id, after.places[call_id]) for call_id in after.moved])
    if after.turned:
        _keep_rotations(tx, [(tenant_id, line, " ".join(after.rotations[line])) for line in after.turned])


def _row(tenant_id: int, one: Place) -> tuple[Any, ...]:
    members = " ".join(sorted(one.members))
    return (tenant_id, one.call_id, one.line, one.since, int(one.queued), one.until, members, one.asked)


@dataclass(frozen=True, slots=True)
class Need:
    """What a step looks at: people, whatever calls hold, and lines whose turns go round."""

    members: Iterable[str] = ()
    calls: Iterable[str] = ()
    lines: Iterable[str] = ()


@dataclass(frozen=True, slots=True)
class Step(Generic[T]):
    """A unit of work on a tenant's board. Many are done on one board, which is drawn once and kept once."""

    aside: ClassVar[bool] = True
    tenant_id: int
    need: Need
    do: Callable[[Board], T]
    wall: Callable[[], float] = clock.wall

    def run(self, tx: Transaction) -> T:
        """Alone."""
        [result] = self.run_many(tx, [self])
        return cast(T, result)

    @classmethod
    def run_many(cls, tx: Transaction, units: "Sequence[Step[Any]]") -> list[Any]:
        """One behind the other, as they came."""
        moment = int(units[0].wall() * 1000)
        tenants: dict[int, list[Step[Any]]] = {}
        for unit in units:
            tenants.setdefault(unit.tenant_id, []).append(unit)
        boards = {}
        for tenant_id, steps in tenants.items():
            need = Need(
                {who for step in steps for who in step.need.members},
                {call for step in steps for call in step.need.calls},
                {line for step in steps for line in step.need.lines},
            )
            boards[tenant_id] = board(tx, tenant_id, need, moment)
        results = [unit.do(boards[unit.tenant_id]) for unit in units]
        for tenant_id, after in boards.items():
            keep(tx, tenant_id, after)
        return results
