"""Several processes over one store: who has a run, who takes it over, and who does not."""

import asyncio

import pytest

from offhook.storage.database import Database
from offhook.workflows.definitions.model import Definition
from offhook.workflows.machine import controls
from offhook.workflows.machine.model import Outcome, State
from offhook.workflows.runs.lease import RENEW_SECONDS
from tests.workflows.runs.running import TENANT, Running, Target, task


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
