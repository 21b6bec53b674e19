"""What runs start is held against the runs that may go on, and against those that one first run may lead to."""

import asyncio
from typing import Any

from offhook.storage.database import Database
from offhook.workflows.machine import controls
from offhook.workflows.machine.model import Outcome, Run
from offhook.workflows.runs import store
from offhook.workflows.runs.live import finishing
from tests.workflows.runs.running import TENANT, Running, Target, task


def bomb(ref: str) -> dict[str, Any]:
    return task(ref, "START_WORKFLOW", inputParameters={"startWorkflow": {"name": "bomb", "input": {}}})


def _all(one: Running) -> list[Run]:
    with one.database.reading() as tx:
        return store.search(tx, TENANT, limit=10_000)


def test_runs_that_start_each_other_come_to_an_end(one: Running, runner: asyncio.Runner):
    one.register("bomb", bomb("a"), bomb("b"))
    one.engine._trees.most = 40

    async def story() -> None:
        first = await one.start("bomb")
        await one.quiet()
        all_of_them = _all(one)
        assert len(all_of_them) == 41, "the first and those that it led to"
        assert {run.root for run in all_of_them if run.id != first} == {first}
        failed = [run for run in all_of_them if run.status == "FAILED"]
        assert failed
        for run in failed:
            assert "led to 40 runs, over all that they started, which is as many as one may" in run.reason
        assert not any(live.busy for live in one.engine._lives)
        # Another one is not held back by that, and the same one is when it has been counted anew.
        one.register("w", task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "v"}))
        one.register("v", task("n", "NOOP"))
        other = await one.start("w")
        await one.quiet()
        assert one.run_of(other).status == "COMPLETED"
        one.clock[0] += 2
        await one.engine.change(TENANT, failed[0].id, lambda state, _definition, _now: controls.retry(state))
        await one.quiet()
        assert one.run_of(failed[0].id).status == "FAILED"
        assert len(_all(one)) == 43

    runner.run(asyncio.wait_for(story(), 30))


def test_a_fork_starts_no_more_runs_than_there_is_room_for(one: Running, runner: asyncio.Runner):
    names = [f"s{number}" for number in range(6)]
    subs = [
        [task(name, "SUB_WORKFLOW", subWorkflowParam={"name": "v"}, optional=True, inputParameters={})]
        for name in names
    ]
    one.register("w", task("f", "FORK_JOIN", forkTasks=subs), task("j", "JOIN", joinOn=names))
    one.register("v", task("n", "NOOP"))
    one.engine._trees.most = 4

    async def story() -> None:
        id = await one.start("w")
        await one.quiet()
        statuses = one.statuses(id)
        assert sorted(statuses[name] for name in names) == ["COMPLETED"] * 4 + ["COMPLETED_WITH_ERRORS"] * 2
        assert len(_all(one)) == 5

    runner.run(story())


def test_what_is_kept_free_for_one_turn_is_had_by_the_next(one: Running, runner: asyncio.Runner):
    loop = task(
        "l", "DO_WHILE", loopCondition="$.l.iteration < 8",
        loopOver=[task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "v"})],
    )  # fmt: skip
    one.register("w", loop)
    one.register("v", task("n", "NOOP"))
    one.engine._trees.most = 8

    async def story() -> None:
        id = await one.start("w")
        await one.quiet()
        assert one.run_of(id).status == "COMPLETED"
        assert not one.engine._trees._taken
        assert not one.engine._going._taken

    runner.run(asyncio.wait_for(story(), 30))


def test_runs_that_others_start_count_towards_those_of_the_company(one: Running, runner: asyncio.Runner):
    again = {"name": "s", "retryCount": 1, "retryDelaySeconds": 5, "timeoutSeconds": 0, "responseTimeoutSeconds": 0}
    one.register("w", task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "v"}, taskDefinition=again))
    one.register("v", task("h", "HUMAN"))
    one.engine._going.most = 3

    async def story() -> None:
        first, second = await one.start("w"), 0
        await one.quiet()
        second = await one.start("w")
        await one.quiet()
        attempt = one.history(second)[0]
        assert attempt.status == "FAILED"
        assert attempt.reason.startswith("3 runs of the company go on, which is as many as may.")
        assert len(_all(one)) == 3
        await one.engine.terminate(TENANT, first, "enough")
        await one.quiet()
        await one.later(5)
        assert [each.status for each in one.history(second)] == ["FAILED", "IN_PROGRESS"], "it was tried again"

    runner.run(asyncio.wait_for(story(), 30))


def test_failure_workflows_come_to_an_end_with_the_runs_that_lead_to_them(one: Running, runner: asyncio.Runner):
    one.register(
        "w", task("t", "TERMINATE", inputParameters={"terminationStatus": "FAILED"}), failureWorkflow="w",
    )  # fmt: skip
    one.engine._trees.most = 5

    async def story() -> None:
        await one.start("w")
        await one.quiet()
        assert len(_all(one)) == 6

    runner.run(asyncio.wait_for(story(), 30))


def test_runs_that_another_process_starts_count_within_a_second(database: Database, runner: asyncio.Runner):
    async def story() -> None:
        clock = [1_800_000_000.0]
        here, there = Running(database, Target(), slot=1, clock=clock), Running(database, Target(), slot=2, clock=clock)
        sub = task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "v"})
        here.register("w", task("g", "HUMAN"), sub)
        here.register("v", task("h", "HUMAN"), {**sub, "taskReferenceName": "t"}, {**sub, "taskReferenceName": "u"})
        here.engine._trees.most = there.engine._trees.most = 3
        id = await here.start("w")
        await there.engine.enlist()

        async def end(running: Running, run: int) -> None:
            task_id = next(each.id for each in running.history(run) if each.type == "HUMAN" and each.open)
            done = finishing(task_id, Outcome(status="COMPLETED", output={}))
            await running.engine.change(TENANT, run, done)
            await here.quiet()
            await there.quiet()

        await end(here, id)
        child = here.history(id)[1].child
        await end(there, child)
        grandchild = there.history(child)[1].child
        clock[0] += 1
        await end(here, grandchild)
        great = here.history(grandchild)[1].child
        clock[0] += 1
        await end(there, great)
        assert there.run_of(great).status == "FAILED", "that would be the fourth"
        assert len(_all(here)) == 4
        await here.close()
        await there.close()

    runner.run(asyncio.wait_for(story(), 30))
