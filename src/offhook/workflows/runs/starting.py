"""Runs that begin: asked for from outside, or by a task of another run."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import structlog

from offhook.kit.errors import NotFound, RateLimited
from offhook.kit.ids import Ids
from offhook.storage.batches import Reader
from offhook.workflows.machine.model import Found, Run, Start, State
from offhook.workflows.machine.moment import Room
from offhook.workflows.runs import store
from offhook.workflows.runs.going import Bound
from offhook.workflows.runs.known import Known
from offhook.workflows.runs.live import Lives
from offhook.workflows.runs.store import Twice

log = structlog.get_logger("offhook.workflows")


class Starting:
    """Makes runs of definitions. `now` is in milliseconds."""

    def __init__(
        self,
        lives: Lives,
        known: Known,
        going: Bound[int],
        trees: Bound[tuple[int, int]],
        reader: Reader,
        ids: Ids,
        counts: Counter[tuple[str, str]],
        now: Callable[[], int],
    ) -> None:
        self._lives, self._known, self._going, self._trees = lives, known, going, trees
        self._reader, self._ids, self._counts, self._now = reader, ids, counts, now

    async def start(
        self,
        tenant_id: int,
        name: str,
        version: int | None,
        *,
        given: Any,
        correlation: str,
        idempotency: str,
        by: str,
        workflow: Any,
    ) -> tuple[int, bool]:
        """Start a run: its id, and whether it was started by this call. See Engine.start."""
        text = ""
        if workflow is not None:
            found, text = self._known.written_out(workflow)
        else:
            found = await self._known.find(tenant_id, name, version)
        definition = await self._known.definition(tenant_id, found.digest, text)
        if await self._going.full(tenant_id):
            if idempotency:
                same = await self._reader.run(lambda tx: store.by_key(tx, tenant_id, idempotency))
                if same:
                    return same, False
            raise RateLimited(
                f"{self._going.most:,} runs of the company go on, which is as many as may. Start this one when some "
                "of them have ended, or terminate what is not needed.",
                headers=[("Retry-After", "10")],
            )
        now = self._now()
        run = Run(
            id=self._ids.new(),
            tenant_id=tenant_id,
            name=found.name,
            version=found.version,
            definition=found.digest,
            input={**definition.input_template, **(given if isinstance(given, dict) else {})}
            if definition.input_template
            else ({} if given is None else given),
            variables=dict(definition.variables),
            correlation=correlation,
            idempotency=idempotency,
            by=by,
            started=now,
        )
        if text:
            await self._known.keep(tenant_id, text)
        live = self._lives.of(tenant_id, run.id)
        live.state, live.definition, live.fresh = State(run), definition, True
        try:
            await self._lives.ask(live)
        except Twice as twice:
            return twice.id, False
        self.started(run)
        return run.id, True

    async def child(self, run: Run, start: Start, now: int) -> Run | None:
        """The run that a task of another starts, or its failure workflow; None if that cannot be started."""
        if start.failure_of and await self._trees.full(_tree(run)):
            log.error("failure_workflow_not_started", run=str(run.id), workflow=start.name, cause=self._too_many())
            self._counts["alert", ""] += 1
            return None
        found = Found(start.name, start.version or 0, start.digest)
        if not start.digest:
            try:
                found = await self._known.find(run.tenant_id, start.name, start.version)
            except NotFound as refusal:
                log.error("failure_workflow_missing", run=str(run.id), workflow=start.name, cause=refusal.message)
                self._counts["alert", ""] += 1
                return None
        definition = await self._known.definition(run.tenant_id, found.digest)
        given = start.input if isinstance(start.input, dict) else {}
        return Run(
            id=start.id,
            tenant_id=run.tenant_id,
            name=found.name,
            version=found.version,
            definition=found.digest,
            input={**definition.input_template, **given},
            variables=dict(definition.variables),
            correlation=start.correlation,
            by=f"run {run.id}",
            parent=run.id if start.parent_task else 0,
            parent_task=start.parent_task,
            depth=start.depth,
            root=run.root or run.id,
            started=now,
        )

    async def room(self, state: State, wanted: int) -> Room:
        """For how many of the runs that a turn wants to start there is room, which is kept free until it is `made`."""
        run = state.run
        if not run.depth and run.attempts == len(state.tasks) and not any(one.child for one in state.tasks.values()):
            # It has led to none yet: that need not be counted.
            self._trees.know(_tree(run), 0)
        of_tree = await self._trees.take(_tree(run), wanted)
        try:
            going = await self._going.take(run.tenant_id, of_tree)
        except BaseException:
            self._trees.settled(_tree(run), of_tree)
            raise
        self._trees.settled(_tree(run), of_tree - going)
        if of_tree < wanted and going == of_tree:
            return Room(going, self._too_many(), True)
        return Room(
            going,
            f"{self._going.most:,} runs of the company go on, which is as many as may. Try it again when some of them "
            "have ended, or terminate what is not needed.",
            False,
        )

    def made(self, run: Run, room: Room) -> None:
        """The turn that there was room for is on disk, or is not made."""
        self._trees.settled(_tree(run), room.runs)
        self._going.settled(run.tenant_id, room.runs)

    def _too_many(self) -> str:
        return (
            f"The first run of these has led to {self._trees.most:,} runs, over all that they started, which is as "
            "many as one may. If they are not to start each other for ever, start the work in several parts."
        )

    def started(self, run: Run) -> None:
        """Count a run that is on disk now."""
        self._counts["run", "started"] += 1
        self._going.add(run.tenant_id, 1)
        if run.root:
            self._trees.add(_tree(run), 1)


def _tree(run: Run) -> tuple[int, int]:
    return run.tenant_id, run.root or run.id
