"""Runs of requests: begun, waited for, cancelled, kept, compared."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from offhook.access.doing import Doing, Done, refuse
from offhook.access.gate import reply_of
from offhook.catalog.credentials.model import Applied
from offhook.catalog.credentials.service import Credentials
from offhook.catalog.keeping import id_of
from offhook.catalog.model import Document
from offhook.catalog.requests import wire as requests_wire
from offhook.catalog.requests.checking import check_answer
from offhook.catalog.requests.model import Prepared, finished
from offhook.catalog.requests.service import KEEPER
from offhook.catalog.runs import store, wire
from offhook.catalog.runs.comparing import compare
from offhook.catalog.runs.model import Fault, Run, Times
from offhook.catalog.runs.running import Limits, Order, execute, prepared_of, request_of
from offhook.catalog.runs.texts import header
from offhook.kit import clock
from offhook.kit.egress import Egress
from offhook.kit.errors import Conflict, Invalid, NotFound, RateLimited, Violation, shown
from offhook.kit.operation import Call, Reply
from offhook.kit.wire import to_int64
from offhook.storage.database import Transaction

log = structlog.get_logger("offhook.catalog")

MOST_AROUND = 90.0
"""Seconds that a run may take besides its call: for a token, for holding the answer against its document."""

CANCELLED = "It was cancelled."
CUT_OFF = "It was cut off: the server ended while it was under way. Whether the request arrived is not known."
Lookup = Callable[[int, str, str, str], Awaitable[tuple[Document, str] | None]]
"""From (tenant id, API, version, operation key) to the document and where the operation stands in it; None if it is not
there."""


async def nowhere(_tenant_id: int, _api: str, _version: str, _operation: str) -> None:
    """Finds no document."""
    return


class Runs:
    """The runs of all companies; `close` it at the end. `lookup` finds the documents that answers are held against."""

    def __init__(
        self,
        work: Doing,
        egress: Egress,
        credentials: Credentials,
        lookup: Lookup = nowhere,
        limits: Limits | None = None,
    ) -> None:
        self._work, self._egress, self._credentials, self._lookup = work, egress, credentials, lookup
        self._limits = limits or Limits()
        self._running: dict[tuple[int, int], tuple[Run, asyncio.Task[tuple[Run, bytes]]]] = {}

    async def create(self, call: Call) -> Reply:
        """Run a request, and answer when it has ended, or at once."""
        body: wire.RunIn = call.body
        order, run = await self._ordered(call, body)
        task = self._begin(order, run)
        if not body.wait:
            return reply_of(wire.run_out(run))
        ended, got = await asyncio.shield(task)
        return await self._shown(ended, got)

    async def get(self, call: Call) -> Reply:
        """One run, with the body that it got."""
        tenant_id, id = call.principal.tenant_id, id_of(call)
        if (tenant_id, id) in self._running:
            return reply_of(wire.run_out(self._running[tenant_id, id][0]))
        run, got = await self._work.reader.run(lambda tx: _both(tx, tenant_id, id))
        return await self._shown(self._known(run), got)

    async def page(self, call: Call) -> Reply:
        """A page of runs, the latest first."""
        query: wire.RunQuery = call.query or wire.RunQuery()
        tenant_id, cursors = call.principal.tenant_id, self._work.cursors
        saved_id = None if query.saved_id is None else to_int64(query.saved_id)
        if saved_id is None and query.saved_id is not None:
            text = "Must be the id of a saved request."
            raise Invalid.of([Violation(location="saved_id", message=text, sent=shown(query.saved_id))])
        filters = [saved_id, query.api, query.operation]
        before = cursors.open(query.cursor, "runs", tenant_id, filters) if query.cursor else store.NEWEST
        found = await self._work.reader.run(
            lambda tx: store.page(
                tx, tenant_id, before, query.limit + 1, saved_id=saved_id, api=query.api, operation=query.operation
            )
        )
        here = found[: query.limit]
        cursor = cursors.seal("runs", tenant_id, filters, here[-1].id) if len(found) > len(here) else None
        items = [wire.run_out(self._known(run), listed=True) for run in here]
        return reply_of(wire.RunPage(items=items, cursor=cursor))

    async def delete(self, call: Call) -> Reply:
        """Drop a run that has ended."""
        tenant_id, id = call.principal.tenant_id, id_of(call)
        if (tenant_id, id) in self._running:
            raise Conflict("This run is not over; cancel it first.")

        def drop(tx: Transaction) -> None:
            if self._known(_both(tx, tenant_id, id)[0]).state == "running":
                raise Conflict("This run is not over; cancel it first.")
            store.remove(tx, tenant_id, id)

        await self._work.writer.run(drop)
        return reply_of(Done())

    async def cancel(self, call: Call) -> Reply:
        """End a run; one that is over stays as it is."""
        tenant_id, id = call.principal.tenant_id, id_of(call)
        under_way = self._running.get((tenant_id, id))
        if under_way is not None:
            under_way[1].cancel()
            await asyncio.wait([under_way[1]])
            if under_way[1].cancelled():
                # It had not begun, or was over and about to be kept.
                return reply_of(wire.run_out(msgspec.structs.replace(under_way[0], state="cancelled")))
            return reply_of(wire.run_out(under_way[1].result()[0]))
        run, _ = await self._work.reader.run(lambda tx: _both(tx, tenant_id, id))
        return reply_of(wire.run_out(self._known(run)))

    async def compare(self, call: Call) -> Reply:
        """What is different in another run."""
        tenant_id, id, other_id = call.principal.tenant_id, id_of(call), id_of(call, "other_id")
        one, two = await self._work.reader.run(lambda tx: (_both(tx, tenant_id, id), _both(tx, tenant_id, other_id)))
        found = await asyncio.to_thread(compare, *one, *two)
        return reply_of(wire.compare_out(one[0], two[0], found))

    async def close(self) -> None:
        """Cancel what is under way."""
        tasks = [task for _, task in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # Under way

    def _known(self, run: Run) -> Run:
        """A run that is kept: where it is said to be under way longer than it can be, its process has ended in it."""
        if run.state != "running":
            return run
        if (mine := self._running.get((run.tenant_id, run.id))) is not None:
            return mine[0]
        most = (self._limits.seconds + MOST_AROUND) * 1000
        if clock.milliseconds(clock.now()) - run.started <= most:
            return run
        return msgspec.structs.replace(run, state="failed", error=CUT_OFF)

    async def _ordered(self, call: Call, body: wire.RunIn) -> tuple[Order, Run]:
        """What is to be done, and the run as it begins. Invalid lists all that keeps it from being sent."""
        tenant_id = call.principal.tenant_id
        prepared, saved_id = await self._prepared(tenant_id, body)
        credential_id = to_int64(prepared.credential_id) if prepared.credential_id else 0
        if credential_id is None:
            message = "Must be the id of a credential."
            sent_id = shown(prepared.credential_id)
            raise Invalid.of([Violation(location="request.credential_id", message=message, sent=sent_id)])
        sent = finished(prepared, body.values)
        if credential_id:
            # Whatever keeps the credential from this place is said before anything is sent.
            await self._credentials.check(tenant_id, credential_id, sent.url)
        run = Run(
            id=self._work.ids.new(),
            tenant_id=tenant_id,
            started=clock.milliseconds(clock.now()),
            by=call.principal.key_name,
            state="running",
            request=request_of(sent, Applied()),
            prepared=prepared_of(prepared),
            api=prepared.api,
            version=prepared.version,
            operation=prepared.operation,
            saved_id=saved_id,
            credential_id=prepared.credential_id,
        )
        return Order(sent=sent, credential_id=credential_id, redirects=body.redirects), run

    async def _prepared(self, tenant_id: int, body: wire.RunIn) -> tuple[Prepared, int]:
        saved_id = 0 if body.saved_id is None else to_int64(body.saved_id) or -1
        kept = None
        if saved_id:
            kept = await self._work.reader.run(lambda tx: KEEPER.get(tx, tenant_id, saved_id))
        if body.request is not None:
            found: list[Violation] = []
            prepared = requests_wire.prepared(body.request, "request", found)
            refuse(found)
            return prepared, saved_id
        if kept is None:
            raise Invalid.of([Violation(location="request", message="Send a request, or the saved_id of one.")])
        return kept.value.request, saved_id

    def _begin(self, order: Order, run: Run) -> asyncio.Task[tuple[Run, bytes]]:
        mine = sum(1 for tenant_id, _ in self._running if tenant_id == run.tenant_id)
        limits = self._limits
        if mine >= limits.at_once or len(self._running) >= limits.at_once_in_all:
            whose = "of a company" if mine >= limits.at_once else "of this server"
            most = limits.at_once if mine >= limits.at_once else limits.at_once_in_all
            text = f"{most} runs {whose} are under way, which is as many as there may be; wait for one, or cancel it."
            raise RateLimited(text, headers=[("Retry-After", "1")])
        task = asyncio.create_task(self._carried_out(order, run))
        self._running[run.tenant_id, run.id] = run, task
        # Nobody may be waiting for it; what it raises is logged where it happens.
        task.add_done_callback(lambda done: self._over(run, done))
        return task

    def _over(self, run: Run, task: asyncio.Task[tuple[Run, bytes]]) -> None:
        self._running.pop((run.tenant_id, run.id), None)
        if not task.cancelled():
            task.exception()

    async def _carried_out(self, order: Order, run: Run) -> tuple[Run, bytes]:
        begun = clock.monotonic()
        # It need not be kept before the call goes out, which would have to wait for the store.
        noted = asyncio.create_task(self._noted(run))
        try:
            ended, body = await execute(self._egress, self._credentials, order, run, self._limits)
            ended = await self._checked(ended, body)
        except asyncio.CancelledError:
            times = Times(whole=round((clock.monotonic() - begun) * 1000, 2))
            ended, body = msgspec.structs.replace(run, state="cancelled", error=CANCELLED, times=times), b""
        except Exception:
            log.exception("run_failed", run=run.id, tenant=run.tenant_id)
            ended, body = msgspec.structs.replace(run, state="failed", error="Something went wrong here."), b""
        await noted
        await self._work.writer.run(lambda tx: store.put(tx, ended, body))
        return ended, body

    async def _noted(self, run: Run) -> None:
        try:
            await self._work.writer.run(lambda tx: store.begin(tx, run))
        except Exception:
            # It is kept when it has ended.
            log.exception("run_not_noted", run=run.id, tenant=run.tenant_id)

    async def _checked(self, run: Run, body: bytes) -> Run:
        """With what its answer breaks of its document, if there is one."""
        if not run.operation or not run.status or run.cut or run.error:
            return run
        found = await self._lookup(run.tenant_id, run.api, run.version, run.operation)
        if found is None:
            return run
        document, pointer = found
        media = header(run.headers, "content-type")
        broken = await asyncio.to_thread(check_answer, document, pointer, run.status, media, body)
        faults = tuple(Fault(one.location, one.message, one.sent or "") for one in broken)
        return msgspec.structs.replace(run, faults=faults)

    @staticmethod
    async def _shown(run: Run, body: bytes) -> Reply:
        if len(body) < 100_000:
            return reply_of(wire.run_out(run, body))
        return await asyncio.to_thread(lambda: reply_of(wire.run_out(run, body)))


def _both(tx: Transaction, tenant_id: int, id: int) -> tuple[Run, bytes]:
    run = store.get(tx, tenant_id, id)
    if run is None:
        raise _missing(id)
    return run, store.body(tx, tenant_id, id)


def _missing(id: int) -> NotFound:
    return NotFound(f"There is no run {id}.")
