"""How a request becomes one unit of work: done once however often it is sent, or rehearsed and undone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from offhook.access import idempotency
from offhook.access.gate import reply_of
from offhook.access.idempotency import Outcome
from offhook.kit.cursor import Cursors
from offhook.kit.errors import Invalid, Notice, Violation
from offhook.kit.ids import Ids
from offhook.kit.operation import Call, Rehearsed, Reply, WarningOut
from offhook.kit.wire import encode
from offhook.storage.batches import Reader, Within, Writer
from offhook.storage.database import Transaction

T = TypeVar("T")
PAGE = 100

Make = Callable[[Transaction, list[Notice]], msgspec.Struct]
"""Does a create in a transaction, warns of what it must, and gives the answer. It may run more than once."""


class Done(msgspec.Struct):
    """Nothing but that it is done."""


class Undone(Exception):
    """Leaves a transaction that was only a rehearsal, so that it is undone."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a list, and the cursor of the next one if there is one."""

    items: Sequence[T]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """What the services of most subjects work with."""

    writer: Writer | Within
    reader: Reader | Within
    ids: Ids
    cursors: Cursors
    keep_days: int = 7

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
                raise Undone(fresh(tx))
            return idempotency.once(tx, claim, lambda: fresh(tx))

        try:
            outcome = await self.writer.run(run)
        except Undone as undone:
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
