"""Runs that begin: asked for from outside, or by a task of another run."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import structlog

from offhook.kit.errors import NotFound, RateLimited
from offhook.kit.ids import Ids
from offhook.storage.batches import Reader
from offhook.workflows.machine.model import Found, Run, Start, State
from offhook.workflows.runs import store
from offhook.workflows.runs.going import Going
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
        going: Going,
        reader: Reader,
        ids: Ids,
        counts: Counter[tuple[str, str]],
        now: Callable[[], int],
    ) -> None:
        self._lives, self._known, self._going = lives, known, going
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
        self.started(tenant_id)
        return run.id, True

    async def child(self, run: Run, start: Start, now: int) -> Run | None:
        """The run that a task of another starts, or its failure workflow; None if there is no such definition."""
        found = Found(start.name, start.version or 0, start.digest)
        if not start.digest:
            try:
                found = await self._known.find(run.tenant_id, start.name, start.version)
            except NotFound as refusal:
                log.error("failure_workflow_missing", run=str(run.id), workflow=start.name, cause=refusal.message)
                self._counts["alert", run.name] += 1
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
            started=now,
        )

    def started(self, tenant_id: int) -> None:
        """Count a run that is on disk now."""
        self._counts["run", "started"] += 1
        self._going.add(tenant_id, 1)
