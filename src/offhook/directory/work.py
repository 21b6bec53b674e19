"""How a request becomes one unit of work: done once however often it is sent, or rehearsed and undone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from offhook.access import idempotency
from offhook.access.gate import reply_of
from offhook.access.idempotency import Outcome
from offhook.directory.lines.model import Target
from offhook.directory.offices import OfficeOf
from offhook.directory.pointers import Repoint
from offhook.kit.cursor import Cursors
from offhook.kit.errors import Invalid, Notice, Violation
from offhook.kit.ids import Ids
from offhook.kit.operation import Call, Rehearsed, Reply, WarningOut
from offhook.kit.wire import encode
from offhook.storage.batches import Reader, Within, Writer
from offhook.storage.database import Transaction

T = TypeVar("T")
PAGE = 100


class Gone(Protocol):
    """Told, in the transaction of the deletion, that a target is gone.

    Deletes what belongs to it. Where calls are sent to that, Conflict, unless `force`; then what is pointed elsewhere
    is said in `notices`, which go into the reply of the deletion.
    """

    def __call__(
        self, tx: Transaction, call: Call, at: datetime, target: Target, notices: list[Notice], *, force: bool
    ) -> None: ...


Make = Callable[[Transaction, list[Notice]], msgspec.Struct]
"""Does a create in a transaction, warns of what it must, and gives the answer. It may run more than once."""


class _Undone(Exception):
    """Leaves a transaction that was only a rehearsal, so that it is undone."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a list, and the cursor of the next one if there is one."""

    items: Sequence[T]
    cursor: str | None


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """What can have numbers, as the assignment of numbers sees it.

    `first_line` is the kind of line of the office's plan that its first number uses, "" if that is included; every
    further number uses an additional_number line. Toll-free numbers use the toll-free kind of either.
    """

    office_id: int
    name: str
    phone_numbers: tuple[str, ...] = ()
    first_line: str = ""


@dataclass(frozen=True, slots=True)
class Holder:
    """How one kind of thing that can have numbers is asked which it has, and told which it has now.

    `get` gives None for what the company does not have; `keep` stores the numbers in order, the first one being the
    primary, and tells the event log.
    """

    get: Callable[[Transaction, int, int], Holding | None]
    keep: Callable[[Transaction, Call, datetime, int, tuple[str, ...]], None]


Residents = Callable[[Transaction, int, int], int]
"""From (transaction, tenant id, office id) to how many of a kind are in an office, which keep it from being deleted."""


@dataclass(frozen=True, slots=True)
class Work:
    """What every service of the directory works with."""

    writer: Writer | Within
    reader: Reader | Within
    ids: Ids
    cursors: Cursors
    office: OfficeOf
    keep_days: int = 7
    repointers: dict[str, Repoint] = field(default_factory=dict)
    """By the kind of what points: how it is pointed elsewhere. Each kind that can point enters its own."""
    holders: dict[str, Holder] = field(default_factory=dict)
    """By kind: what can have numbers. Each such kind enters itself."""
    residents: dict[str, Residents] = field(default_factory=dict)
    """By kind, in the plural of a sentence ("call centers"): what can be in an office. Each such kind enters itself."""
    gone: list[Gone] = field(default_factory=list)
    """What else to do when something of the directory is gone: each subject that refers to it enters itself."""

    def end(
        self, tx: Transaction, call: Call, at: datetime, target: Target, notices: list[Notice], *, force: bool
    ) -> None:
        """End what others keep for `target`, which is deleted in this transaction."""
        # What If-Match says is said of the target.
        call = msgspec.structs.replace(call, if_match=None)
        for forget in self.gone:
            forget(tx, call, at, target, notices, force=force)

    def claim(self, call: Call) -> idempotency.Claim | None:
        """The record of a create that may be repeated; None for one without an `Idempotency-Key`."""
        return idempotency.claim_of(call, self.ids, self.keep_days * 86_400_000)

    async def create(self, call: Call, make: Make) -> Reply:
        """Do a create in one transaction. With an Idempotency-Key it happens once; a dry run is undone."""
        claim = self.claim(call)
        sent = list(call.notices)

        def fresh(tx: Transaction) -> Outcome:
            notices = list(sent)
            answer = encode(make(tx, notices))
            return Outcome(answer, tuple(notices))

        def run(tx: Transaction) -> Outcome:
            if call.dry_run:
                idempotency.refuse_other(tx, claim)
                raise _Undone(fresh(tx))
            return idempotency.once(tx, claim, lambda: fresh(tx))

        try:
            outcome = await self.writer.run(run)
        except _Undone as undone:
            return rehearsed(call, undone.outcome)
        call.notices[:] = outcome.notices
        return Reply(body=outcome.body, headers=((b"offhook-replayed", b"true"),) if outcome.replayed else ())

    async def change(self, call: Call, run: Callable[[Transaction, list[Notice]], T]) -> T:
        """Do a change in one transaction; `run` may run more than once."""

        def once(tx: Transaction) -> tuple[T, list[Notice]]:
            notices: list[Notice] = []
            return run(tx, notices), notices

        result, notices = await self.writer.run(once)
        call.notices.extend(notices)
        return result

    async def page(
        self,
        call: Call,
        listing: str,
        find: Callable[[Transaction, int, int], Sequence[T]],
        *,
        cursor: str | None,
        limit: int = PAGE,
        filters: Mapping[str, Any] | None = None,
        position: Callable[[T], int] = lambda one: one.id,  # type: ignore[attr-defined]
    ) -> Page[T]:
        """A page of a list: `find(tx, after, limit)` gives what stands behind a position, in order.

        `filters` are bound into the cursor, so that one of another list or filter is refused.
        """
        # As lists, which is what a cursor gives back.
        tenant, bound = call.principal.tenant_id, [list(one) for one in sorted((filters or {}).items())]
        after = self.cursors.open(cursor, listing, tenant, bound) if cursor else 0
        found = await self.reader.run(lambda tx: find(tx, after, limit + 1))
        here = found[:limit]
        following = self.cursors.seal(listing, tenant, bound, position(here[-1])) if len(found) > limit else None
        return Page(here, following)


def rehearsed(call: Call, outcome: Outcome) -> Reply:
    """The answer to a dry run: what the create would have answered."""
    call.notices[:] = outcome.notices
    told = [WarningOut(n.code, n.field, n.text) for n in call.notices]
    return reply_of(Rehearsed(True, msgspec.Raw(outcome.body), told))


def refuse(found: Sequence[Violation]) -> None:
    """Invalid with all of `found`, if there are any."""
    if found:
        raise Invalid.of(found)
