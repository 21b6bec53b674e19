"""Runs read as Conductor's clients see them: with their definition, and the attempts that were repeated."""

from typing import Any

from offhook.access.doing import Doing
from offhook.access.gate import reply_of
from offhook.kit.errors import Invalid, NotFound, Notice, Violation, shown
from offhook.kit.operation import Call, Reply
from offhook.kit.wire import to_int64
from offhook.storage.database import Transaction
from offhook.workflows.conductor import shown as showing
from offhook.workflows.conductor import wire
from offhook.workflows.conductor.searching import LATEST, MOST_VALUES, Wanted, wanted
from offhook.workflows.definitions import store as definitions
from offhook.workflows.machine.model import Attempt, Run, State
from offhook.workflows.runs import store
from offhook.workflows.runs.service import PAGE_BYTES, Runs

Raw = dict[str, Any]
MOST_TASKS = 2_000
MOST_HISTORY = 1_000
MOST_RUNNING = 10_000
MOST_CORRELATED, MOST_WHOLE = 100, 200
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

    async def over(self, tenant_id: int, id: int) -> bool:
        """Whether a run is over, or gone."""

        def read(tx: Transaction) -> bool:
            return store.ended(tx, tenant_id, id) is not None or store.turn_of(tx, tenant_id, id) is None

        return await self._work.reader.run(read)

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
        tenant_id = call.principal.tenant_id
        of = wanted(query.query, query.free_text, query.sort)
        ids, total = await self.found(call, of, query.size, query.start)

        def read(tx: Transaction) -> list[wire.WorkflowSummary]:
            # One after the other, since each may be large, and little of it is shown.
            return [one for id in ids if (one := _summary(tx, tenant_id, id)) is not None]

        return reply_of(wire.SearchResult(total_hits=total, results=await self._work.reader.run(read)))

    async def found(self, call: Call, of: Wanted, limit: int, offset: int = 0) -> tuple[list[int], int]:
        """The ids of runs that are wanted, and how many there are, counted to a bound."""
        if of.none:
            return [], 0
        tenant_id = call.principal.tenant_id
        return await self._work.reader.run(
            lambda tx: store.find_ids(
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
                until=of.started[1] if of.started[1] < LATEST else 0,
                ended=(of.ended[0], of.ended[1] if of.ended[1] < LATEST else 0),
                text=of.text,
                earliest_first=of.earliest_first,
            )
        )

    async def running(self, call: Call) -> Reply:
        """The ids of the runs of a definition that go on."""
        query: wire.RunningQuery = call.query or wire.RunningQuery()
        of = Wanted(names=(str(call.params["name"]),), statuses=GOING)
        of.versions = (query.version,) if query.version else ()
        of.started = (query.start_time, query.end_time or LATEST)
        ids, _ = await self.found(call, of, MOST_RUNNING)
        return reply_of([str(id) for id in ids])

    async def correlated(self, call: Call) -> Reply:
        """Runs of a definition by their correlation ids."""
        return reply_of(await self._correlated(call, (str(call.params["name"]),), call.body))

    async def correlated_one(self, call: Call) -> Reply:
        """Runs of a definition by one correlation id."""
        id = str(call.params["correlationId"])
        found = await self._correlated(call, (str(call.params["name"]),), [id])
        return reply_of(found[id])

    async def correlated_many(self, call: Call) -> Reply:
        """Runs of several definitions by their correlation ids."""
        body: wire.CorrelationIds = call.body
        return reply_of(await self._correlated(call, tuple(dict.fromkeys(body.workflow_names)), body.correlation_ids))

    async def _correlated(
        self, call: Call, names: tuple[str, ...], ids: list[str]
    ) -> dict[str, list[wire.ConductorWorkflow]]:
        query: wire.CorrelatedQuery = call.query or wire.CorrelatedQuery()
        tenant_id = call.principal.tenant_id
        if len(names) > MOST_VALUES or len(ids) > MOST_CORRELATED:
            text = f"Send at most {MOST_CORRELATED} correlation ids, and {MOST_VALUES} names."
            raise Invalid.of([Violation(location="", message=text)])
        answer: dict[str, list[wire.ConductorWorkflow]] = {id: [] for id in ids}
        left, more = MOST_WHOLE, False
        for id in answer:
            if not id or not names:
                continue
            of = Wanted(names=names, correlations=(id,), statuses=() if query.include_closed else GOING)
            found, total = await self.found(call, of, left)
            more = more or total > len(found)
            left -= len(found)
            for one in found:
                if query.include_tasks:
                    answer[id].append(await self.whole(call, one))
                    continue
                run = await self._work.reader.run(lambda tx, run_id=one: store.get(tx, tenant_id, run_id))  # type: ignore[misc]
                if run is not None:
                    answer[id].append(showing.workflow(run, (), (), None))
        if more:
            text = f"There are more than these {MOST_WHOLE} runs; search for them page by page."
            call.notices.append(Notice("left_out", "", text))
        return answer


def _summary(tx: Transaction, tenant_id: int, id: int) -> wire.WorkflowSummary | None:
    run = store.get(tx, tenant_id, id)
    if run is None:
        return None
    failed = store.attempt(tx, tenant_id, id, run.failed_task) if run.failed_task else None
    return showing.summary(run, failed[0].key if failed is not None else "")


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
