"""Runs that runs start: waited for, ended with them, and how deep they go."""

import asyncio

import pytest

from offhook.kit.errors import Conflict
from offhook.storage.database import Database
from offhook.workflows.definitions.model import Definition
from offhook.workflows.machine import controls
from offhook.workflows.machine.model import Outcome, State
from offhook.workflows.runs import store
from tests.workflows.machine.play import BEGUN
from tests.workflows.runs.running import TENANT, Running, Target, next_process, task


def test_a_sub_workflow_is_waited_for_and_gives_its_output(one: Running, runner: asyncio.Runner):
    one.register("child", task("c", inputParameters={"uri": "http://localhost/", "n": "${workflow.input.n}"}))
    one.register(
        "parent",
        task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "child", "version": 1}, inputParameters={"n": 3}),
        task("z"), outputParameters={"got": "${s.output.of}"},
    )  # fmt: skip

    async def story() -> None:
        id = await one.start("parent")
        await one.quiet()
        assert one.run_of(id).output == {"got": "c"}
        child = one.history(id)[0].child
        assert (one.run_of(child).parent, one.run_of(child).input) == (id, {"n": 3})

    runner.run(story())


async def unheard(database: Database) -> tuple[int, int]:
    """A parent and its child, which has ended: on disk, and its process died before the parent was told."""
    first = Running(database, Target(), slot=1)
    first.register("child", task("h", "HUMAN"))
    first.register("parent", task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "child"}))
    id = await first.start("parent")
    await first.quiet()
    child = first.history(id)[0].child
    human = first.history(child)[0].id
    put = first.engine._lives.put
    first.engine._lives.put = lambda live, op: None if live.id == id else put(live, op)  # type: ignore[method-assign]
    done = Outcome(status="COMPLETED", output={"ok": True})
    await first.engine.change(TENANT, child, lambda state, definition, now: controls.finish(state, human, done, now))
    first.die()
    await first.close()
    return id, child


def test_a_parent_hears_of_a_child_that_ended_while_nobody_was_there(database: Database, runner: asyncio.Runner):
    async def story() -> None:
        id, child = await unheard(database)
        second = await next_process(database)
        await second.later(0)
        assert second.run_of(id).output == {"ok": True, "subWorkflowId": str(child)}
        await second.close()

    runner.run(story())


def test_a_parent_hears_of_it_though_the_next_process_dies_too(database: Database, runner: asyncio.Runner):
    async def story() -> None:
        id, _ = await unheard(database)
        second = await next_process(database)
        await second.dies_after(1, second.engine.tick())
        third = await next_process(database)
        await third.later(0)
        assert third.run_of(id).status == "COMPLETED"
        await second.close()
        await third.close()

    runner.run(story())


def test_a_run_that_is_to_be_ended_is_though_the_next_process_dies(database: Database, runner: asyncio.Runner):
    async def story() -> None:
        first = await next_process(database)
        first.register("w", task("h", "HUMAN"))
        id = await first.start("w")
        await first.quiet()
        await first.close()
        # As the end of the run that started it writes it.
        with database.transaction() as tx:
            tx.change(store._DOOM, BEGUN, TENANT, id)
        second = await next_process(database)
        await second.dies_after(1, second.engine.tick())
        third = await next_process(database)
        await third.later(0)
        assert third.run_of(id).status == "TERMINATED"
        await second.close()
        await third.close()

    runner.run(story())


def test_the_runs_of_a_run_that_is_ended_are_ended_too(one: Running, runner: asyncio.Runner):
    one.register("child", task("h", "HUMAN"))
    one.register("parent", task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "child"}))

    async def story() -> None:
        id = await one.start("parent")
        await one.quiet()
        child = one.history(id)[0].child
        await one.engine.terminate(TENANT, id, "enough")
        await one.quiet()
        assert (one.run_of(id).status, one.run_of(id).reason) == ("TERMINATED", "enough")
        assert one.run_of(child).status == "TERMINATED"
        with pytest.raises(Conflict):
            await one.engine.terminate(TENANT, id, "again")

    runner.run(story())


def test_a_failure_workflow_is_started_once_the_run_has_failed(one: Running, runner: asyncio.Runner):
    one.register("undo", task("u"))
    one.register("w", task("a"), failureWorkflow="undo")
    one.target.answers["a"] = lambda attempt: Outcome(status="FAILED", reason="no")

    async def story() -> None:
        id = await one.start("w", {"x": 1})
        await one.quiet()
        undo = one.run_of(one.run_of(id).failure_run)
        assert (undo.name, undo.status, undo.input["workflowId"]) == ("undo", "COMPLETED", str(id))

    runner.run(story())


def test_a_workflow_that_a_task_names_and_that_is_not_there_fails_the_task(one: Running, runner: asyncio.Runner):
    one.register("w", task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "nobody"}))

    async def story() -> None:
        id = await one.start("w")
        await one.quiet()
        run = one.run_of(id)
        assert (run.status, run.reason) == ("FAILED", "Task s failed: There is no workflow nobody.")

    runner.run(story())


def test_a_run_that_starts_itself_for_ever_is_stopped(one: Running, runner: asyncio.Runner):
    one.register("w", task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "w"}))

    async def story() -> None:
        id = await one.start("w")
        await one.quiet()
        assert one.run_of(id).status == "FAILED"

    runner.run(story())


def test_what_is_skipped_is_given_up_and_so_is_the_run_that_it_started(one: Running, runner: asyncio.Runner):
    one.target.hold = {"a", "inner"}
    one.register("child", task("inner"))
    sub = task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "child", "version": 1})
    one.register("w", task("f", "FORK_JOIN", forkTasks=[[task("a")], [sub]]), task("j", "JOIN", joinOn=["a", "s"]))

    async def story() -> None:
        id = await one.start("w")
        await one.quiet()
        with one.database.reading() as tx:
            (child,) = store.search(tx, TENANT, parent=id)
        for ref in ("a", "s"):

            def skip(state: State, definition: Definition, now: int, ref: str = ref) -> None:
                controls.skip(state, definition, ref, {}, now)

            await one.engine.change(TENANT, id, skip)
        one.target.hold.clear()
        one.target.held.clear()
        await one.quiet()
        assert one.run_of(id).status == "COMPLETED"
        assert one.run_of(child.id).status == "TERMINATED"
        assert not one.engine.live, "nothing is carried out any more"

    runner.run(story())


@pytest.mark.parametrize("how", ["poke", "doom"])
def test_who_has_read_a_run_before_another_one_ended_does_not_write_over_its_wake(
    one: Running, runner: asyncio.Runner, how: str
):
    one.register("child", task("c"))
    one.register("parent", task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "child"}))
    one.target.hold.add("c")

    async def story() -> None:
        id = await one.start("parent")
        await one.quiet()
        with one.database.reading() as tx:
            read = store.load(tx, TENANT, id)
            assert read is not None
        state, row = read
        child = one.run_of(one.history(id)[0].child)
        telling = {"poke": id} if how == "poke" else {"doom": (id,)}
        with one.database.reading() as tx:
            place = store.load(tx, TENANT, child.id)
            assert place is not None
        now = BEGUN + 1
        with one.database.transaction() as tx:
            unit = store.Keep(
                tenant_id=TENANT, after=child, turn=place[1].turn, owner=0, wake=0, now=now, changed=(), **telling
            )
            unit.run(tx)
        late = store.Keep(tenant_id=TENANT, after=state.run, turn=row.turn, owner=0, wake=0, now=now, changed=())
        with pytest.raises(store.Stale), one.database.transaction() as tx:
            late.run(tx)
        with one.database.reading() as tx:
            found = store.load(tx, TENANT, id)
        assert found is not None
        assert found[1].wake == now
        one.die()  # "c" is never let go, which an orderly end would wait for

    runner.run(story())


def test_a_parent_goes_on_with_a_child_that_is_tried_again(one: Running, runner: asyncio.Runner):
    one.register("child", task("c"))
    one.register("parent", task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "child"}), task("z"))
    one.target.hold.add("c")

    async def story() -> None:
        id = await one.start("parent")
        await one.quiet()
        child = one.history(id)[0].child
        await one.engine.terminate(TENANT, child, "enough")
        await one.quiet()
        assert (one.run_of(id).status, one.run_of(child).status) == ("FAILED", "TERMINATED")
        one.target.hold.clear()
        one.target.held.clear()
        # The child has ended again before its parent hears of it.
        await one.engine.change(TENANT, child, lambda state, _d, _now: controls.retry(state))
        await one.quiet()
        assert one.run_of(child).status == "COMPLETED"
        await one.engine.change(TENANT, id, lambda state, _d, _now: controls.go_along(state, child))
        await one.quiet()
        assert (one.run_of(id).status, one.statuses(id)["z"]) == ("COMPLETED", "COMPLETED")

    runner.run(story())


def test_a_parent_that_went_along_with_an_ended_child_goes_on_though_its_process_dies(
    database: Database, runner: asyncio.Runner
):
    async def story() -> None:
        first = await next_process(database)
        first.register("child", task("c"))
        first.register("parent", task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "child"}), task("z"))
        first.target.hold.add("c")
        id = await first.start("parent")
        await first.quiet()
        child = first.history(id)[0].child
        await first.engine.terminate(TENANT, child, "enough")
        await first.quiet()
        first.target.hold.clear()
        first.target.held.clear()
        await first.engine.change(TENANT, child, lambda state, _d, _now: controls.retry(state))
        await first.quiet()
        along = first.engine.change(TENANT, id, lambda state, _d, _now: controls.go_along(state, child))
        await first.dies_after(1, along)
        assert first.run_of(id).status == "RUNNING"
        second = await next_process(database)
        await second.later(0)
        assert second.run_of(id).status == "COMPLETED"
        await first.close()
        await second.close()

    runner.run(story())
