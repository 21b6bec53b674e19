"""Runs read as Conductor's clients see them: with their definition, and the attempts that were repeated."""

from collections.abc import Sequence
from typing import Any

from offhook.access.doing import Doing
from offhook.access.gate import reply_of
from offhook.kit.errors import NotFound, Notice, shown
from offhook.kit.operation import Call, Reply
from offhook.kit.wire import to_int64
from offhook.storage.database import Transaction
from offhook.workflows.conductor import shown as showing
from offhook.workflows.conductor import wire
from offhook.workflows.conductor.searching import Wanted, wanted
from offhook.workflows.definitions import store as definitions
from offhook.workflows.machine.model import Attempt, Run, State
from offhook.workflows.runs import store
from offhook.workflows.runs.service import PAGE_BYTES, Runs

Raw = dict[str, Any]
MOST_TASKS = 2_000
MOST_HISTORY = 1_000
MOST_RUNNING = 10_000
MOST_CORRELATED, MOST_OF_EACH = 100, 100
GOING = ("RUNNING", "PAUSED")


class Reading:
    """Reads runs of all companies."""

    def __init__(self, work: Doing, runs: Runs) -> None:
        self._work, self._runs = work, runs

    async def get(self, call: Call) -> Reply:
        """A run."""
        query: wire.GetQuery = call.query or wire.GetQuery()
        found = await self.whole(call, workflow_id(call), tasks=query.include_tasks, summarize=query.summarize)
        return reply_of(found)

    async def whole(
        self, call: Call, id: int, *, tasks: bool = True, summarize: bool = False
    ) -> wire.ConductorWorkflow:
        """A run with its definition, and with its tasks."""
        run, found, live, raw = await self.parts(call, id, tasks=tasks, summarize=summarize)
        return showing.workflow(run, found, live, raw)

    async def parts(
        self, call: Call, id: int, *, tasks: bool = True, summarize: bool = False
    ) -> tuple[Run, list[wire.ConductorTask], list[Attempt], Raw | None]:
        """A run, its tasks, the attempts that count, and its definition as it was sent."""
        tenant_id = call.principal.tenant_id

        def read(tx: Transaction) -> tuple[State, list[Attempt], bool, Raw | None]:
            loaded = store.load(tx, tenant_id, id)
            if loaded is None:
                raise missing(id)
            state, raw = loaded[0], definitions.raw_of(tx, tenant_id, loaded[0].run.definition)
            repeated = tasks and any(one.retry_of for one in state.tasks.values())
            if not repeated:
                return state, [], False, raw
            rows, more = store.history_page(tx, tenant_id, id, 0, MOST_HISTORY, PAGE_BYTES)
            return state, [one for one, _ in rows], more, raw

        state, history, more, raw = await self._work.reader.run(read)
        live = sorted(state.tasks.values(), key=lambda one: one.number)
        if more:
            call.notices.append(Notice("left_out", "tasks", "Repeats after the first 1,000 attempts are left out."))
        if len(live) > MOST_TASKS and tasks:
            text = f"Of {len(live):,} tasks the latest {MOST_TASKS:,} are here; page through them under /tasks."
            call.notices.append(Notice("left_out", "tasks", text))
        found = showing.tasks(state.run, live[-MOST_TASKS:], history, raw, whole=not summarize) if tasks else []
        return state.run, found, live, raw

    async def status(self, call: Call) -> Reply:
        """How a run stands."""
        query: wire.StatusQuery = call.query or wire.StatusQuery()
        tenant_id, id = call.principal.tenant_id, workflow_id(call)
        run = await self._work.reader.run(lambda tx: store.get(tx, tenant_id, id))
        if run is None:
            raise missing(id)
        return reply_of(
            wire.WorkflowStatus(
                workflow_id=str(run.id),
                status=run.status,
                correlation_id=run.correlation or None,
                output=showing.object_of(run.output) if query.include_output else None,
                variables=run.variables if query.include_variables else None,
            )
        )

    async def tasks(self, call: Call) -> Reply:
        """A page of a run's tasks, in the order in which they were come to."""
        query: wire.TasksQuery = call.query or wire.TasksQuery()
        id = workflow_id(call)
        state, _ = await self._runs.load(call.principal.tenant_id, id)
        live = sorted(state.tasks.values(), key=lambda one: one.number)
        if query.status:
            live = [one for one in live if one.status == query.status.upper()]
        page = showing.tasks(state.run, live[query.start : query.start + query.count], (), None)
        return reply_of(wire.TaskList(total_hits=len(live), results=page))

    async def task(self, call: Call) -> Reply:
        """One task, by the id that it has here."""
        tenant_id, (run_id, attempt_id) = call.principal.tenant_id, task_place(str(call.params["taskId"]))

        def read(tx: Transaction) -> tuple[Run, tuple[Attempt, bool], Raw | None] | None:
            run, found = store.get(tx, tenant_id, run_id), store.attempt(tx, tenant_id, run_id, attempt_id)
            if run is None or found is None:
                return None
            return run, found, definitions.raw_of(tx, tenant_id, run.definition)

        found = await self._work.reader.run(read)
        if found is None:
            raise NotFound(f"No such task found by id: {shown(call.params['taskId'])}.")
        run, (attempt, counts), raw = found
        made = showing.tasks(run, [attempt], (), raw)[0]
        made.retried = not counts
        return reply_of(made)

    async def search(self, call: Call) -> Reply:
        """Runs, the latest first."""
        query: wire.SearchQuery = call.query or wire.SearchQuery()
        found, total = await self.found(call, wanted(query.query, query.free_text, query.sort), query.size, query.start)
        return reply_of(wire.SearchResult(total_hits=total, results=await self._summaries(call, found)))

    async def found(self, call: Call, of: Wanted, limit: int, offset: int = 0) -> tuple[list[Run], int]:
        """Runs that are wanted, and how many there are, counted to a bound."""
        if of.none:
            return [], 0
        tenant_id = call.principal.tenant_id
        return await self._work.reader.run(
            lambda tx: store.find(
                tx,
                tenant_id,
                limit=limit,
                offset=offset,
                names=of.names,
                versions=of.versions,
                ids=of.ids,
                statuses=of.statuses,
                correlations=of.correlations,
                since=of.started[0],
                until=of.started[1],
                ended=of.ended,
                text=of.text,
                earliest_first=of.earliest_first,
            )
        )

    async def _summaries(self, call: Call, found: Sequence[Run]) -> list[wire.WorkflowSummary]:
        tenant_id = call.principal.tenant_id

        def read(tx: Transaction) -> dict[int, str]:
            failed = {run.id: store.attempt(tx, tenant_id, run.id, run.failed_task) for run in found if run.failed_task}
            return {id: one[0].key for id, one in failed.items() if one is not None}

        names = await self._work.reader.run(read)
        return [showing.summary(run, names.get(run.id, "")) for run in found]

    async def running(self, call: Call) -> Reply:
        """The ids of the runs of a definition that go on."""
        query: wire.RunningQuery = call.query or wire.RunningQuery()
        of = Wanted(names=(str(call.params["name"]),), statuses=GOING)
        of.versions = (query.version,) if query.version else ()
        of.started = (query.start_time, query.end_time or of.started[1])
        found, _ = await self.found(call, of, MOST_RUNNING)
        return reply_of([str(one.id) for one in found])

    async def correlated(self, call: Call) -> Reply:
        """Runs of a definition by their correlation ids."""
        names = (str(call.params["name"]),)
        return reply_of(await self._correlated(call, names, tuple(map(str, call.body))))

    async def correlated_one(self, call: Call) -> Reply:
        """Runs of a definition by one correlation id."""
        id = str(call.params["correlationId"])
        found = await self._correlated(call, (str(call.params["name"]),), (id,))
        return reply_of(found[id])

    async def correlated_many(self, call: Call) -> Reply:
        """Runs of several definitions by their correlation ids."""
        body: wire.CorrelationIds = call.body
        return reply_of(await self._correlated(call, tuple(body.workflow_names[:50]), tuple(body.correlation_ids)))

    async def _correlated(
        self, call: Call, names: tuple[str, ...], ids: tuple[str, ...]
    ) -> dict[str, list[wire.ConductorWorkflow]]:
        query: wire.CorrelatedQuery = call.query or wire.CorrelatedQuery()
        if len(ids) > MOST_CORRELATED:
            text = f"Only the first {MOST_CORRELATED} correlation ids were looked at."
            call.notices.append(Notice("left_out", "", text))
        answer: dict[str, list[wire.ConductorWorkflow]] = {}
        for id in ids[:MOST_CORRELATED]:
            of = Wanted(names=names, correlations=(id,), statuses=() if query.include_closed else GOING)
            found, total = await self.found(call, of, MOST_OF_EACH)
            if total > len(found):
                text = f"Of {total:,} runs of one correlation id the latest {MOST_OF_EACH} are here."
                call.notices.append(Notice("left_out", shown(id), text))
            if query.include_tasks:
                answer[id] = [await self.whole(call, one.id) for one in found]
            else:
                answer[id] = [showing.workflow(one, (), (), None) for one in found]
        return answer


def workflow_id(call: Call) -> int:
    """The run that the path names; NotFound for what is no id."""
    text = str(call.params["workflowId"])
    number = to_int64(text)
    if number is None:
        raise missing(text)
    return number


def task_place(text: str, run_id: int = 0) -> tuple[int, int]:
    """A task's run and its own id; NotFound for what is no id, or of another run than `run_id`."""
    first, dash, last = text.partition("-")
    run, task = (to_int64(first), to_int64(last)) if dash else (run_id or None, to_int64(text))
    if run is None or task is None or (run_id and run != run_id):
        raise NotFound(f"No such task found by id: {shown(text)}. It is called by the taskId that its workflow shows.")
    return run, task


def missing(id: object) -> NotFound:
    """There is no such run."""
    return NotFound(f"No such workflow found by id: {shown(id)}.")
