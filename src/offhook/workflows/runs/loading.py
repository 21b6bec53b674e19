"""A run as the store has it, read into memory and held against what this process carries out for it."""

import asyncio

import msgspec

from offhook.kit.errors import NotFound
from offhook.storage.batches import Reader
from offhook.storage.database import Transaction
from offhook.workflows.machine.model import PERFORMED, Outcome, Run, State
from offhook.workflows.runs import store
from offhook.workflows.runs.known import Known
from offhook.workflows.runs.lease import Lease
from offhook.workflows.runs.live import Live, Op, finishing

READ_AT_ONCE = 64


class Loading:
    """Reads runs, so many at a time."""

    def __init__(self, reader: Reader, known: Known, lease: Lease) -> None:
        self._reader, self._known, self._lease = reader, known, lease
        self._reading = asyncio.Semaphore(READ_AT_ONCE)

    async def load(self, live: Live) -> State:
        """Read a run. What came to it from other runs meanwhile is put to its changes. NotFound if it is not there."""
        async with self._reading:
            found = await self._reader.run(lambda tx: store.load(tx, live.tenant_id, live.id))
        if found is None:
            raise NotFound(f"There is no run {live.id}.")
        state, row = found
        live.state = state
        live.turn, live.owner, live.wake, live.fresh = row.turn, row.owner, row.wake, False
        live.definition = await self._known.definition(live.tenant_id, state.run.definition)
        self._compare(live, state)
        if row.doomed and not state.run.over:
            live.ops.append(Op(reason=ABANDONED))
        await self.ask_children(live, state)
        return state

    def _compare(self, live: Live, state: State) -> None:
        """Hold what is carried out here against the run as the store has it."""
        tasks = [state.tasks[key] for key in state.open]
        wanted = {one.id for one in tasks}
        for id in [id for id in live.inflight if id not in wanted]:
            live.inflight.pop(id).cancel()
        if self._lease.elsewhere(live):
            return
        for one in tasks:
            if one.id in live.inflight or one.id in live.told:
                continue
            if one.status == "IN_PROGRESS" and one.type in PERFORMED and not one.called:
                # Whoever had it under way is gone. It is carried out again, and has its whole time for that.
                state.put(msgspec.structs.replace(one, status="SCHEDULED", started=0))

    async def ask_children(self, live: Live, state: State) -> None:
        """See whether runs that it waits for have ended."""
        waits = [one for key in state.open if (one := state.tasks[key]).child]
        if not waits:
            return

        def look(tx: Transaction) -> list[Outcome | None]:
            return [_outcome(tx, live.tenant_id, one.child) for one in waits]

        for one, outcome in zip(waits, await self._reader.run(look), strict=True):
            if outcome is not None:
                live.ops.append(Op(finishing(one.id, outcome)))


def _outcome(tx: Transaction, tenant_id: int, child: int) -> Outcome | None:
    """How a run that is waited for ended, or that it was deleted; None while it goes on."""
    over = store.ended(tx, tenant_id, child)
    if over is not None:
        return outcome_of(over)
    if store.goes_on(tx, tenant_id, child):
        return None
    return Outcome(status="FAILED", reason=f"The run {child}, which it waited for, was deleted.")


ABANDONED = "The run that started it has ended."
"""Why a run is ended that another waited for."""


def outcome_of(child: Run) -> Outcome:
    """How a run ended, for the task that waits for it."""
    output = {**child.output, "subWorkflowId": str(child.id)} if isinstance(child.output, dict) else child.output
    if child.status == "COMPLETED":
        return Outcome(status="COMPLETED", output=output)
    reason = f"Workflow {child.name} ({child.id}) ended {child.status}" + (f": {child.reason}" if child.reason else ".")
    return Outcome(status="FAILED", output=output, reason=reason)
