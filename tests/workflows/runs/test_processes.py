"""Several processes over one store: who has a run, who takes it over, and who does not."""

import asyncio
from typing import Any

import pytest

from offhook.storage.database import Database
from offhook.workflows.definitions.model import Definition
from offhook.workflows.machine import controls
from offhook.workflows.machine.model import Outcome, State
from offhook.workflows.runs import store
from offhook.workflows.runs.lease import RENEW_SECONDS
from tests.workflows.runs.running import TENANT, Running, Target, next_process, task


def test_what_was_being_carried_out_is_carried_out_again_by_the_next_process(
    database: Database, runner: asyncio.Runner
):
    async def story() -> None:
        clock = [1_800_000_000.0]
        target = Target()
        dead, heir = Running(database, target, slot=1, clock=clock), Running(database, Target(), slot=2, clock=clock)
        dead.register("w", task("a"), task("b"))
        target.hold.add("b")
        id = await dead.start("w")
        await dead.quiet()
        assert dead.statuses(id) == {"a": "COMPLETED", "b": "SCHEDULED"}
        dead.die()
        await heir.engine.enlist()
        await heir.later(9.9)
        assert heir.target.called == []
        clock[0] += 0.2
        await heir.engine.renew()
        await heir.later(0)
        assert heir.target.keys == ["b"]
        assert heir.target.called[0] == target.called[1], "the same key is told"
        assert heir.run_of(id).status == "COMPLETED"
        await dead.close()
        await heir.close()

    runner.run(story())


def test_a_process_that_is_started_again_has_its_runs_at_once(database: Database, runner: asyncio.Runner):
    async def story() -> None:
        target = Target()
        dead = Running(database, target)
        dead.register("w", task("a"))
        target.hold.add("a")
        id = await dead.start("w")
        await dead.quiet()
        dead.die()
        heir = Running(database, Target())
        await heir.engine.enlist()
        await heir.later(0)
        assert heir.run_of(id).status == "COMPLETED"
        await dead.close()
        await heir.close()

    runner.run(story())


def test_who_was_taken_for_dead_undoes_nothing(database: Database, runner: asyncio.Runner):
    async def story() -> None:
        clock = [1_800_000_000.0]
        slow, other = Running(database, Target(), slot=1, clock=clock), Running(database, Target(), slot=2, clock=clock)
        slow.register("w", task("a"), task("b"))
        slow.target.hold.add("a")
        id = await slow.start("w")
        await slow.quiet()
        clock[0] += 11
        await other.engine.enlist()
        await other.later(0)
        assert other.run_of(id).status == "COMPLETED"
        slow.target.let("a", Outcome(status="FAILED", reason="too late"))
        await slow.engine.settled()
        assert other.run_of(id).status == "COMPLETED"
        assert [a.status for a in other.history(id)] == ["COMPLETED", "COMPLETED"]
        await slow.engine.renew()
        assert slow.engine.owner
        await slow.close()
        await other.close()

    runner.run(story())


def test_a_wait_that_another_process_began_is_ended_by_whoever_is_there(database: Database, runner: asyncio.Runner):
    async def story() -> None:
        clock = [1_800_000_000.0]
        first, second = (
            Running(database, Target(), slot=1, clock=clock),
            Running(database, Target(), slot=2, clock=clock),
        )
        first.register("w", task("w", "WAIT", inputParameters={"duration": "60s"}))
        id = await first.start("w")
        await first.quiet()
        await first.close()
        await second.engine.enlist()
        await second.later(60)
        assert second.run_of(id).status == "COMPLETED"
        await second.close()

    runner.run(story())


def test_a_change_of_another_process_is_seen_and_carried_out(database: Database, runner: asyncio.Runner):
    async def story() -> None:
        clock = [1_800_000_000.0]
        first, second = (
            Running(database, Target(), slot=1, clock=clock),
            Running(database, Target(), slot=2, clock=clock),
        )
        first.register("w", task("f", "FORK_JOIN", forkTasks=[[task("a")], [task("h", "HUMAN"), task("b")]]),
                       task("j", "JOIN", joinOn=["a", "b"]))  # fmt: skip
        first.target.hold.add("a")
        id = await first.start("w")
        await first.quiet()
        await second.engine.enlist()
        human = next(a.id for a in first.history(id) if a.key == "h")
        ended = Outcome(status="COMPLETED", output={})
        assert await second.engine.change(TENANT, id, lambda s, d, now: controls.finish(s, human, ended, now))
        await second.engine.settled()
        first.target.let("a")
        await first.quiet()
        assert first.run_of(id).status == "COMPLETED"
        assert set(first.target.keys + second.target.keys) == {"a", "b"}
        await first.close()
        await second.close()

    runner.run(story())


def test_what_one_process_carries_out_no_other_does(database: Database, runner: asyncio.Runner):
    async def story() -> None:
        clock = [1_800_000_000.0]
        here, there = Running(database, Target(), slot=1, clock=clock), Running(database, Target(), slot=2, clock=clock)
        here.register("w", task("a"), task("b"))
        here.target.hold.add("a")
        id = await here.start("w")
        await here.quiet()
        await there.engine.enlist()
        await there.engine.change(TENANT, id, lambda state, _definition, _now: controls.pause(state))
        await there.quiet()
        await there.engine.change(TENANT, id, lambda state, _definition, _now: controls.resume(state))
        await there.quiet()
        assert there.target.keys == []
        assert there.engine.live == 0
        here.target.let("a")
        await here.quiet()
        assert (here.target.keys, there.target.keys) == (["a", "b"], [])
        assert here.run_of(id).status == "COMPLETED"
        await here.close()
        await there.close()

    runner.run(story())


def test_what_is_carried_out_for_a_run_that_another_process_has_ended_is_left(
    database: Database, runner: asyncio.Runner
):
    async def story() -> None:
        clock = [1_800_000_000.0]
        here, there = Running(database, Target(), slot=1, clock=clock), Running(database, Target(), slot=2, clock=clock)
        here.register("w", task("a"))
        here.target.hold.add("a")
        ended, other = await here.start("w"), await here.start("w")
        await here.quiet()
        assert [here.engine.carried_out(id) for id in (ended, other)] == [1, 1]
        await there.engine.enlist()
        await there.engine.terminate(TENANT, ended, "enough")
        clock[0] += RENEW_SECONDS
        await here.engine.renew()
        await here.quiet()
        assert [here.engine.carried_out(id) for id in (ended, other)] == [0, 1]
        assert (here.run_of(ended).status, here.run_of(other).status) == ("TERMINATED", "RUNNING")
        assert here.engine.live == 1
        here.target.let("a")
        await here.quiet()
        assert here.run_of(other).status == "COMPLETED"
        await here.close()
        await there.close()

    runner.run(story())


def test_what_another_process_says_is_done_by_who_carries_the_run_out(database: Database, runner: asyncio.Runner):
    async def story() -> None:
        clock = [1_800_000_000.0]
        here, there = Running(database, Target(), slot=1, clock=clock), Running(database, Target(), slot=2, clock=clock)
        here.register(
            "w",
            task("f", "FORK_JOIN", forkTasks=[[task("a")], [task("h", "HUMAN"), task("b")]]),
            task("j", "JOIN", joinOn=["a", "b"]),
        )
        here.target.hold.add("a")
        id = await here.start("w")
        await here.quiet()
        (human,) = [one.id for one in here.history(id) if one.key == "h"]
        await there.engine.enlist()
        done = Outcome(status="COMPLETED", output={})
        assert await there.engine.change(TENANT, id, lambda state, _, now: controls.finish(state, human, done, now))
        await there.quiet()
        await here.later(0)
        assert here.target.keys == ["a", "b"]
        assert there.target.keys == []
        await there.engine.terminate(TENANT, id, "enough")
        here.target.let("a")
        await here.later(0)
        assert here.run_of(id).status == "TERMINATED"
        assert here.statuses(id)["a"] == "CANCELED", "what came after that is not taken"
        await here.close()
        await there.close()

    runner.run(story())


def test_what_another_process_makes_needless_is_not_carried_out_any_more(database: Database, runner: asyncio.Runner):
    async def story() -> None:
        clock = [1_800_000_000.0]
        here, there = Running(database, Target(), slot=1, clock=clock), Running(database, Target(), slot=2, clock=clock)
        here.register("w", task("a"), task("b"))
        here.target.hold |= {"a", "b"}
        id = await here.start("w")
        await here.quiet()
        await there.engine.enlist()

        def skip(state: State, definition: Definition, now: int) -> None:
            controls.skip(state, definition, "a", {"taskOutput": {"x": 1}}, now)

        await there.engine.change(TENANT, id, skip)
        await there.quiet()
        never = here.target.held.pop("a")
        await here.later(0)
        assert never.cancelled()
        assert (here.target.keys, there.target.keys) == (["a", "b"], [])
        here.target.let("b")
        await here.quiet()
        assert here.statuses(id) == {"a": "SKIPPED", "b": "COMPLETED"}
        await here.close()
        await there.close()

    runner.run(asyncio.wait_for(story(), 20))


def test_a_repeated_call_has_its_whole_time_for_an_answer(database: Database, runner: asyncio.Runner):
    async def story() -> None:
        clock = [1_800_000_000.0]
        dead, heir = Running(database, Target(), slot=1, clock=clock), Running(database, Target(), slot=2, clock=clock)
        dead.register("w", task("a", taskDefinition={"name": "a", "retryCount": 0, "responseTimeoutSeconds": 5}))
        dead.target.hold.add("a")
        id = await dead.start("w")
        await dead.quiet()
        await dead.later(1)
        assert dead.statuses(id) == {"a": "IN_PROGRESS"}
        dead.die()
        await heir.engine.enlist()
        clock[0] += 20
        await heir.engine.renew()
        await heir.later(0)
        assert heir.target.called == dead.target.called
        assert heir.statuses(id) == {"a": "COMPLETED"}
        await dead.close()
        await heir.close()

    runner.run(story())


def test_who_keeps_to_its_own_runs_takes_on_those_and_what_they_wait_for(database: Database, runner: asyncio.Runner):
    async def story() -> None:
        clock = [1_800_000_000.0]
        other, own = Running(database, Target(), slot=1, clock=clock), Running(database, Target(), slot=2, clock=clock)
        own.engine.only_own = True
        own.register("left", task("a"))
        own.register("inner", task("ask", "HUMAN"), task("b"))
        own.register("outer", task("sub", "SUB_WORKFLOW", subWorkflowParam={"name": "inner"}), task("c"))
        # A process that takes nothing on leaves a run to whoever will.
        left, _ = await other.engine.start(TENANT, "left")
        id = await own.start("outer")
        await own.later(1)
        assert own.target.called == []
        child = own.history(id)[0].child
        ask = own.history(child)[0].id
        done = Outcome(status="COMPLETED", output={})
        await other.engine.change(TENANT, child, lambda state, _d, now: controls.finish(state, ask, done, now))
        await own.later(1)
        assert own.target.keys == ["b", "c"]
        assert own.run_of(id).status == "COMPLETED"
        assert own.run_of(left).status == "RUNNING"
        own.engine.only_own = False
        await own.later(1)
        assert own.run_of(left).status == "COMPLETED"
        await own.close()
        await other.close()

    runner.run(story())


def test_what_a_last_turn_sets_going_is_left_to_the_next_process(database: Database, runner: asyncio.Runner):
    async def story() -> None:
        first = Running(database, Target(), slot=1)
        first.register("child", task("slow"))
        first.register("parent", task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "child"}), task("after"))
        first.target.hold.add("slow")
        id = await first.start("parent")
        await first.quiet()
        closing = asyncio.ensure_future(first.engine.close())
        await asyncio.sleep(0)
        # It is answered while the process stops, and so the run that waited for it goes on.
        first.target.let("slow")
        await closing
        await first.writer.close()
        second = await next_process(database)
        await second.later(0)
        assert second.run_of(id).status == "COMPLETED"
        assert first.target.keys + second.target.keys == ["slow", "after"]
        await second.close()

    runner.run(story())


def test_a_turn_behind_the_last_one_leaves_the_rest_to_others(database: Database, runner: asyncio.Runner):
    async def story() -> None:
        first = Running(database, Target(), slot=1)
        first.register("w", task("h", "HUMAN"), task("after"))
        id = await first.start("w")
        await first.quiet()
        await first.engine.close()
        human = first.history(id)[0].id
        done = Outcome(status="COMPLETED", output={})
        await first.engine.change(TENANT, id, lambda state, _d, now: controls.finish(state, human, done, now))
        await first.engine.settled()
        second = await next_process(database)
        await second.later(0)
        assert second.run_of(id).status == "COMPLETED"
        await first.writer.close()
        await second.close()

    runner.run(story())


def test_what_one_writes_that_was_taken_for_dead_and_then_dies_is_taken_over(
    database: Database, runner: asyncio.Runner
):
    async def story() -> None:
        clock = [1_800_000_000.0]
        slow, other = Running(database, Target(), slot=1, clock=clock), Running(database, Target(), slot=2, clock=clock)
        slow.register("w", task("a"), task("b"))
        slow.target.hold |= {"a", "b"}
        id = await slow.start("w")
        await slow.quiet()
        await other.engine.enlist()
        clock[0] += 11
        await other.engine.renew()
        slow.target.let("a")
        await slow.quiet()
        assert slow.statuses(id) == {"a": "COMPLETED", "b": "SCHEDULED"}
        slow.die()
        await other.engine.renew()
        await other.later(0)
        assert other.run_of(id).status == "COMPLETED"
        await slow.close()
        await other.close()

    runner.run(story())


def test_a_process_is_known_before_it_takes_anything_on(database: Database, runner: asyncio.Runner):
    async def story() -> None:
        clock = [1_800_000_000.0]
        one, other = Running(database, Target(), slot=1, clock=clock), Running(database, Target(), slot=2, clock=clock)
        aside = one.writer.aside
        seen: list[int] = []

        async def looked(function: Any) -> Any:
            seen.append(one.engine.owner)
            return await aside(function)

        one.writer.aside = looked  # type: ignore[method-assign]
        await one.engine.enlist()
        assert seen == [0]
        assert one.engine.owner
        await one.close()
        await other.close()

    runner.run(story())


def test_a_run_whose_child_was_deleted_meanwhile_hears_of_that(database: Database, runner: asyncio.Runner):
    async def story() -> None:
        first = Running(database, Target(), slot=1)
        first.register("child", task("h", "HUMAN"))
        first.register("parent", task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "child"}))
        id = await first.start("parent")
        await first.quiet()
        child = first.history(id)[0].child
        await first.dies_after(1, first.engine.terminate(TENANT, child, "enough"))
        with database.transaction() as tx:
            store.forget(tx, [(TENANT, child)])
        second = await next_process(database)
        await second.later(0)
        assert second.run_of(id).status == "FAILED"
        assert "was deleted" in second.run_of(id).reason
        await first.close()
        await second.close()

    runner.run(story())


def test_a_run_that_is_tried_again_is_no_more_to_be_ended(database: Database, runner: asyncio.Runner):
    async def story() -> None:
        first = Running(database, Target(), slot=1)
        first.register("child", task("h", "HUMAN"), task("x"))
        first.register("parent", task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "child"}), task("after"))
        id = await first.start("parent")
        await first.quiet()
        child = first.history(id)[0].child
        await first.engine.terminate(TENANT, id, "enough")
        await first.quiet()
        await first.engine.change(TENANT, child, lambda state, _d, _now: controls.retry(state))
        await first.engine.change(TENANT, id, lambda state, _d, _now: controls.go_along(state, child))
        await first.quiet()
        human = next(one.id for one in first.history(child) if one.open)
        done = Outcome(status="COMPLETED", output={})
        second = Running(database, Target(), slot=2)
        await second.engine.enlist()
        await second.engine.change(TENANT, child, lambda state, _d, now: controls.finish(state, human, done, now))
        await second.quiet()
        await second.later(0)
        assert (second.run_of(child).status, second.run_of(id).status) == ("COMPLETED", "COMPLETED")
        await first.close()
        await second.close()

    runner.run(story())


def test_moments_that_are_far_are_in_no_memory(database: Database, runner: asyncio.Runner):
    async def story() -> None:
        one = Running(database, Target(), slot=1)
        one.register("w", task("a"), task("rest", "WAIT", inputParameters={"duration": "2 hours"}),
                     timeoutSeconds=86_400, timeoutPolicy="TIME_OUT_WF")  # fmt: skip
        id = await one.start("w")
        await one.quiet()
        assert one.engine._timers.next is None
        await one.later(7_201)
        assert one.run_of(id).status == "COMPLETED"
        await one.close()

    runner.run(story())


@pytest.mark.parametrize("noticed", [True, False])
def test_who_got_another_slot_and_who_has_its_former_one_now_leave_each_other_alone(
    database: Database, runner: asyncio.Runner, noticed: bool
):
    async def story() -> None:
        clock, target = [1_800_000_000.0], Target()
        one, other = Running(database, target, slot=0, clock=clock), Running(database, target, slot=0, clock=clock)
        one.register("w", task("a"))
        target.hold.add("a")
        await one.start("w")
        await one.quiet()
        one.slot = 5
        if noticed:
            await one.engine.renew()
        await other.engine.enlist()
        known = []
        for _ in range(5):
            clock[0] += RENEW_SECONDS
            for process in (other, one):
                await process.engine.renew()
                await process.later(0)
            known.append((one.engine.owner, other.engine.owner))
        assert len(set(known)) == 1, "neither takes the other for dead again"
        assert target.keys == ["a"] * (1 if noticed else 2), "it is sent again once at most"
        target.hold.clear()
        one.die()
        other.die()
        await one.close()
        await other.close()

    runner.run(story())
