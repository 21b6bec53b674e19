"""Runs are taken on turn by turn, and each turn is on disk before anything of it is carried out."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from offhook.kit.errors import Conflict, NotFound, RateLimited, Unavailable, Unstorable
from offhook.storage.database import Database, Transaction
from offhook.workflows.definitions.model import Definition
from offhook.workflows.machine import controls
from offhook.workflows.machine.model import Attempt, Outcome, State
from offhook.workflows.runs import carrying, store
from tests.workflows.runs.running import TENANT, Running, Target, task

Story = Callable[[], Coroutine[Any, Any, None]]


@pytest.fixture
def one(database: Database, runner: asyncio.Runner) -> Iterator[Running]:
    running: list[Running] = []

    async def make() -> None:
        running.append(Running(database, Target()))

    runner.run(make())
    yield running[0]
    runner.run(running[0].close())


def test_a_run_of_two_steps_is_done_and_kept(one: Running, runner: asyncio.Runner):
    one.register("two", task("a"), task("b", inputParameters={"uri": "http://localhost/", "n": "${a.output.of}"}))

    async def story() -> None:
        id = await one.start("two", {"x": 1}, by="me")
        await one.quiet()
        run = one.run_of(id)
        assert (run.status, run.input, run.output, run.by) == ("COMPLETED", {"x": 1}, {"of": "b"}, "me")
        assert [(a.key, a.status, a.input.get("n")) for a in one.history(id)] == [
            ("a", "COMPLETED", None), ("b", "COMPLETED", "a"),
        ]  # fmt: skip
        assert one.engine.live == 0

    runner.run(story())


def test_a_workflow_that_is_not_there_is_not_started(one: Running, runner: asyncio.Runner):
    with pytest.raises(NotFound):
        runner.run(one.start("nobody"))


def test_a_key_starts_one_run_only(one: Running, runner: asyncio.Runner):
    one.register("w", task("h", "HUMAN"))

    async def story() -> None:
        first = await one.start("w", idempotency="k")
        assert await one.engine.start(TENANT, "w", idempotency="k") == (first, False)
        both = await asyncio.gather(*(one.engine.start(TENANT, "w", idempotency="m") for _ in range(20)))
        assert len({id for id, _ in both}) == 1
        assert sum(new for _, new in both) == 1

    runner.run(story())


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


def test_a_run_that_waits_is_not_in_memory_and_goes_on_in_time(one: Running, runner: asyncio.Runner):
    one.register("w", task("w", "WAIT", inputParameters={"duration": "3 days"}), task("a"))

    async def story() -> None:
        id = await one.start("w")
        await one.quiet()
        assert one.engine.live == 0
        await one.later(3 * 86_400 - 1)
        assert one.target.called == []
        await one.later(1)
        assert one.run_of(id).status == "COMPLETED"

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


def test_a_failed_attempt_is_repeated_and_each_is_kept(one: Running, runner: asyncio.Runner):
    policy = {"name": "p", "retryCount": 2, "retryDelaySeconds": 5, "retryLogic": "FIXED"}
    one.register("w", task("a", taskDefinition=policy))
    answers = iter([Outcome(status="FAILED", reason="503"), Outcome(status="COMPLETED", output={"n": 1})])
    one.target.answers["a"] = lambda attempt: next(answers)

    async def story() -> None:
        id = await one.start("w")
        await one.quiet()
        assert (one.engine.live, one.run_of(id).status) == (0, "RUNNING")
        await one.later(5)
        assert one.run_of(id).output == {"n": 1}
        assert [(a.retry, a.status, a.reason) for a in one.history(id)] == [(0, "FAILED", "503"), (1, "COMPLETED", "")]
        assert len({chain for _, chain in one.target.called}) == 1

    runner.run(story())


def test_the_store_may_be_away_and_nothing_is_lost(one: Running, runner: asyncio.Runner):
    one.register("w", task("a"), task("b"))
    one.target.hold.add("a")

    async def story() -> None:
        id = await one.start("w")
        await one.quiet()
        one.away(5)
        one.target.let("a")
        await one.engine.settled()
        assert one.run_of(id).status == "COMPLETED"
        assert one.target.keys == ["a", "b"]
        assert one.pauses[:5] == [0.1, 0.2, 0.4, 0.8, 1.6]

    runner.run(story())


def _refusing(one: Running, word: str, state: str) -> None:
    """The store refuses attempts with that word, with a fault of that SQLSTATE, or on SQLite with one of its own."""
    statements = [
        "CREATE FUNCTION refused() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$",
        "CREATE TRIGGER refusing BEFORE INSERT OR UPDATE ON workflow_attempts FOR EACH ROW "
        f"WHEN (NEW.attempt LIKE '%{word}%') EXECUTE FUNCTION refused()",
    ]
    if one.database.sqlite:
        statements = [
            f"CREATE TRIGGER refusing_{when} BEFORE {when} ON workflow_attempts WHEN NEW.attempt LIKE '%{word}%' "
            "BEGIN SELECT json_extract('{', '$'); END"
            for when in ("INSERT", "UPDATE")
        ]
    with one.database.transaction() as tx:
        for text in statements:
            tx.connection.exec_driver_sql(text.replace("%", "%%") if not tx.sqlite else text)


@pytest.mark.parametrize("state", ["54000", "54001"])
def test_a_turn_that_can_never_be_kept_fails_its_run_and_no_other(one: Running, runner: asyncio.Runner, state: str):
    branches = [[task("a")], [task("h", "HUMAN")]]
    one.register("bad", task("f", "FORK_JOIN", forkTasks=branches), task("j", "JOIN", joinOn=["a", "h"]))
    one.register("parent", task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "bad", "version": 1}))
    one.register("good", task("b"), task("c"))
    one.target.hold |= {"a", "b"}

    async def story() -> None:
        id, good = await one.start("parent"), await one.start("good")
        await one.quiet()
        bad = one.history(id)[0].child
        _refusing(one, "poison", state)
        one.target.let("a", Outcome(status="COMPLETED", output={"it": "poison"}))
        one.target.let("b")
        with capture_logs() as said:
            await one.engine.settled()
        assert one.run_of(good).status == "COMPLETED"
        run = one.run_of(bad)
        known = state == "54000" and not one.database.sqlite
        assert run.status == "FAILED"
        assert run.reason.startswith("What its tasks came to cannot be kept." if known else "Something went wrong here")
        assert one.statuses(bad) == {"f": "COMPLETED", "a": "CANCELED", "h": "CANCELED", "j": "CANCELED"}
        assert one.run_of(id).status == "FAILED"
        assert run.reason in one.run_of(id).reason
        assert one.pauses == []
        assert [told["run"] for told in said if told["event"] == "turn_failed"] == [str(bad)]
        assert one.engine.live == 0

    runner.run(asyncio.wait_for(story(), 20))


@pytest.mark.postgres
@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_run_that_can_never_be_kept_is_refused_alone(one: Running, runner: asyncio.Runner):
    """SQLite holds what PostgreSQL does not: texts that are too long to be found by, and such with a NUL."""
    one.register("w", task("h", "HUMAN"))
    long = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=50_000))

    async def story() -> None:
        await one.engine.enlist()
        starts = [one.start("w", correlation=given) for given in ("a", long, "a\0b", "b")]
        found = await asyncio.gather(*starts, return_exceptions=True)
        assert [type(answer) for answer in found] == [int, Unstorable, Unstorable, int]
        assert one.engine.live == 0

    runner.run(asyncio.wait_for(story(), 20))


def test_a_run_is_given_up_though_the_store_is_away_meanwhile(one: Running, runner: asyncio.Runner):
    one.register("w", task("a"))
    one.target.hold.add("a")

    async def story() -> None:
        id = await one.start("w")
        await one.quiet()
        _refusing(one, "poison", "54000")
        submit, left = one.writer.submit, [3]

        async def away_once_it_failed(unit: Any) -> Any:
            if left[0] < 3 and left[0] > 0:
                left[0] -= 1
                raise Unavailable("The store cannot be reached.")
            try:
                return await submit(unit)
            except Exception:
                left[0] -= 1
                raise

        one.writer.submit = away_once_it_failed  # type: ignore[method-assign]
        one.target.let("a", Outcome(status="COMPLETED", output={"it": "poison"}))
        with capture_logs() as said:
            await one.engine.settled()
        assert one.run_of(id).status == "FAILED"
        assert one.pauses == [0.1, 0.2]
        assert [told["run"] for told in said if told["event"] == "turn_put_off"] == [str(id)] * 2

    runner.run(asyncio.wait_for(story(), 20))


def test_who_asks_while_the_store_is_away_is_told(one: Running, runner: asyncio.Runner):
    one.register("w", task("h", "HUMAN"))

    async def story() -> None:
        id = await one.start("w")
        await one.quiet()
        one.away(2)
        with pytest.raises(Unavailable):
            await one.engine.change(TENANT, id, lambda state, definition, now: controls.pause(state))
        with pytest.raises(Unavailable):
            await one.start("w")
        assert one.run_of(id).status == "RUNNING"
        await one.engine.change(TENANT, id, lambda state, definition, now: controls.pause(state))
        assert one.run_of(id).status == "PAUSED"

    runner.run(story())


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


def test_a_parent_hears_of_a_child_that_ended_while_nobody_was_there(database: Database, runner: asyncio.Runner):
    async def story() -> None:
        clock = [1_800_000_000.0]
        first = Running(database, Target(), slot=1, clock=clock)
        first.register("child", task("h", "HUMAN"))
        first.register("parent", task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "child"}))
        id = await first.start("parent")
        await first.quiet()
        child = first.history(id)[0].child
        human = first.history(child)[0].id
        # As if the process died after the child's end was written, and before the parent was told.
        put = first.engine._lives.put
        first.engine._lives.put = lambda live, op: None if live.id == id else put(live, op)  # type: ignore[method-assign]
        done = Outcome(status="COMPLETED", output={"ok": True})
        await first.engine.change(
            TENANT, child, lambda state, definition, now: controls.finish(state, human, done, now)
        )
        first.die()
        second = Running(database, Target(), slot=1, clock=clock)
        await second.engine.enlist()
        await second.later(0)
        assert second.run_of(id).output == {"ok": True, "subWorkflowId": str(child)}
        await first.close()
        await second.close()

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


def test_many_branches_end(one: Running, runner: asyncio.Runner):
    one.register(
        "w", task("f", "FORK_JOIN_DYNAMIC", inputParameters={
            "forkTaskType": "HTTP", "forkTaskInputs": "${workflow.input.all}"}), task("j", "JOIN"),
    )  # fmt: skip

    async def story() -> None:
        id = await one.start("w", {"all": [{"uri": f"http://localhost/{n}", "method": "GET"} for n in range(500)]})
        await one.quiet()
        run = one.run_of(id)
        assert run.status == "COMPLETED"
        assert len(run.output) == 500
        assert len(one.target.called) == 500

    runner.run(story())


def test_no_branch_is_carried_out_twice_while_others_are_written_down(one: Running, runner: asyncio.Runner):
    count = 60

    async def story() -> None:
        branches = [[task(f"b{number}")] for number in range(count)]
        joined = [f"b{number}" for number in range(count)]
        one.register("w", task("f", "FORK_JOIN", forkTasks=branches), task("j", "JOIN", joinOn=joined))
        perform = one.target.perform
        ends = [asyncio.Event() for _ in range(count)]

        async def in_turn(tenant_id: int, attempt: Attempt, template: Mapping[str, Any]) -> Outcome:
            """Each branch ends while the one before it is being written down."""
            outcome = await perform(tenant_id, attempt, template)
            await ends[int(attempt.ref[1:])].wait()
            return outcome

        submit = one.engine._writer.submit
        ended = iter(ends)

        async def submitted(unit: Any) -> Any:
            done = asyncio.ensure_future(submit(unit))
            next(ended, ends[-1]).set()
            return await done

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(one.target, "perform", in_turn)
            patch.setattr(one.engine._writer, "submit", submitted)
            id = await one.start("w")
            await one.quiet()
        assert one.run_of(id).over
        assert sorted(one.target.keys) == sorted(joined)

    runner.run(story())


def test_a_script_decides_the_way_and_a_loop(one: Running, runner: asyncio.Runner):
    one.register(
        "w",
        task("l", "DO_WHILE", loopCondition="$.l['iteration'] < 3", loopOver=[task("a")]),
        task("s", "SWITCH", evaluatorType="javascript", expression="$.n > 2 ? 'BIG' : 'SMALL'",
             inputParameters={"n": "${l.output.iteration}"}, decisionCases={"BIG": [task("big")]}),
    )  # fmt: skip

    async def story() -> None:
        id = await one.start("w")
        await one.quiet()
        assert one.target.keys == ["a__1", "a__2", "a__3", "big"]
        assert one.run_of(id).status == "COMPLETED"

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


def test_history_is_searched_by_what_it_has(one: Running, runner: asyncio.Runner):
    one.register("w", task("a"))
    one.register("v", task("h", "HUMAN"))

    async def story() -> None:
        ids = [await one.start("w", correlation=f"c{n % 2}") for n in range(4)]
        waits = await one.start("v")
        await one.quiet()
        with one.database.reading() as tx:
            find = lambda **what: [run.id for run in store.search(tx, TENANT, **what)]  # noqa: E731
            assert find() == [waits, *ids[::-1]]
            assert find(statuses=["RUNNING"]) == [waits]
            assert find(name="w", correlation="c1") == [ids[3], ids[1]]
            assert find(before=ids[2], limit=1) == [ids[1]]
            assert [run.id for run in store.search(tx, TENANT + 1)] == []

    runner.run(story())


# What is under way, and how many


def test_what_takes_long_is_seen_to_be_under_way(one: Running, runner: asyncio.Runner):
    one.register("w", task("a"), task("b"))
    one.target.hold.add("b")

    async def story() -> None:
        id = await one.start("w")
        await one.quiet()
        began = int(one.clock[0] * 1000)
        await one.later(0.9)
        assert one.statuses(id) == {"a": "COMPLETED", "b": "SCHEDULED"}
        await one.later(0.2)
        (b,) = [a for a in one.history(id) if a.key == "b"]
        assert (b.status, b.started) == ("IN_PROGRESS", began)
        turns = _turn(one, id)
        await one.later(5)
        assert _turn(one, id) == turns, "once"
        one.target.let("b")
        await one.quiet()
        (b,) = [a for a in one.history(id) if a.key == "b"]
        assert (b.status, b.started, b.ended) == ("COMPLETED", began, began + 6_100)
        assert one.target.keys == ["a", "b"]

    runner.run(story())


def test_what_is_short_costs_no_turn_for_being_under_way(one: Running, runner: asyncio.Runner):
    one.register("w", task("a"))
    one.target.hold.add("a")

    async def story() -> None:
        id = await one.start("w")
        await one.quiet()
        await one.later(0.5)
        one.target.let("a")
        await one.quiet()
        assert not one.engine._carrying.begun
        await one.later(5)
        assert _turn(one, id) == 2

    runner.run(story())


def test_a_target_that_gives_no_answer_is_given_up_in_time(one: Running, runner: asyncio.Runner):
    one.register("w", task("a", taskDefinition={"name": "a", "retryCount": 0, "responseTimeoutSeconds": 3}))
    one.target.hold.add("a")

    async def story() -> None:
        id = await one.start("w")
        await one.quiet()
        await one.later(1)
        await one.later(1.9)
        assert one.statuses(id) == {"a": "IN_PROGRESS"}
        one.target.held.clear()
        await one.later(0.2)
        assert one.statuses(id) == {"a": "TIMED_OUT"}
        assert one.run_of(id).status == "TIMED_OUT"

    runner.run(story())


def _turn(one: Running, id: int) -> int:
    with one.database.reading() as tx:
        found = store.load(tx, TENANT, id)
    assert found is not None
    return found[1].turn


def test_a_company_has_no_more_runs_going_than_it_may(one: Running, runner: asyncio.Runner):
    one.register("w", task("h", "HUMAN"))
    one.engine._going.most = 3

    async def story() -> None:
        ids = [await one.start("w", idempotency=f"k{number}") for number in range(3)]
        with pytest.raises(RateLimited, match="3 runs of the company go on") as refused:
            await one.start("w")
        assert ("Retry-After", "10") in refused.value.headers
        assert await one.engine.start(TENANT, "w", idempotency="k1") == (ids[1], False), "it is there already"
        await one.engine.change(TENANT, ids[0], lambda state, _definition, _now: controls.pause(state))
        one.clock[0] += 2
        with pytest.raises(RateLimited):
            await one.start("w")
        await one.engine.terminate(TENANT, ids[2], "enough")
        await one.start("w")
        with pytest.raises(RateLimited):
            await one.start("w")

    runner.run(story())


def test_runs_that_others_start_and_end_are_counted_a_little_later(database: Database, runner: asyncio.Runner):
    async def story() -> None:
        clock = [1_800_000_000.0]
        here, there = Running(database, Target(), slot=1, clock=clock), Running(database, Target(), slot=2, clock=clock)
        here.register("w", task("h", "HUMAN"))
        here.engine._going.most = there.engine._going.most = 4
        await here.start("w")
        ids = [await there.start("w") for _ in range(3)]
        clock[0] += 10
        with pytest.raises(RateLimited):
            await here.start("w")
        await there.engine.terminate(TENANT, ids[0], "enough")
        with pytest.raises(RateLimited):
            await here.start("w")
        clock[0] += 1
        await here.start("w")
        await here.close()
        await there.close()

    runner.run(story())


def test_starting_does_not_count_each_time(one: Running, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch):
    one.register("w", task("h", "HUMAN"))
    counted: list[int] = []
    original = store.going

    def going(tx: Transaction, tenant_id: int, most: int) -> int:
        counted.append(tenant_id)
        return original(tx, tenant_id, most)

    monkeypatch.setattr(store, "going", going)

    async def story() -> None:
        await asyncio.gather(*(one.start("w") for _ in range(20)))
        assert counted == [TENANT]

    runner.run(story())


# Two processes


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


def test_what_one_company_waits_for_takes_no_place_of_another(
    one: Running, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(carrying, "AT_ONCE", 2)
    for tenant in (TENANT, TENANT + 1):
        one.register("w", task("a"), tenant=tenant)

    async def story() -> None:
        gate, both, other = asyncio.Event(), asyncio.Event(), asyncio.Event()
        called: list[int] = []

        async def perform(tenant_id: int, attempt: Attempt, template: Mapping[str, Any]) -> Outcome:
            called.append(tenant_id)
            if tenant_id == TENANT:
                if called.count(TENANT) == 2:
                    both.set()
                await gate.wait()
            else:
                other.set()
            return Outcome(status="COMPLETED", output={})

        one.target.perform = perform  # type: ignore[method-assign]
        for _ in range(3):
            await one.start("w")
        await both.wait()
        await one.engine.start(TENANT + 1, "w")
        await other.wait()
        assert called == [TENANT, TENANT, TENANT + 1], "the third of the first company has no place"
        gate.set()
        await one.quiet()
        assert called.count(TENANT) == 3

    runner.run(asyncio.wait_for(story(), 20))


# Templates


def test_a_performer_is_told_the_task_as_its_definition_has_it(one: Running, runner: asyncio.Runner):
    told: dict[str, Any] = {}
    original = one.target.perform

    async def perform(tenant_id: int, attempt: Attempt, template: Mapping[str, Any]) -> Outcome:
        told[attempt.key] = dict(template)
        return await original(tenant_id, attempt, template)

    one.target.perform = perform  # type: ignore[method-assign]
    given = {"uri": "http://localhost/${workflow.input.x}", "method": "GET"}
    policy: dict[str, Any] = {
        "name": "b",
        "inputTemplate": {"uri": "no", "headers": {"X-Key": "${workflow.secrets.KEY}"}},
    }
    one.register(
        "w",
        task("a", inputParameters=given),
        task("b", inputParameters=given, taskDefinition=policy),
        task(
            "f",
            "FORK_JOIN_DYNAMIC",
            dynamicForkTasksParam="tasks",
            dynamicForkTasksInputParamName="inputs",
            inputParameters={"tasks": "${workflow.input.tasks}", "inputs": {}},
        ),
        task("j", "JOIN"),
    )
    branch = {"name": "c", "taskReferenceName": "f_0", "type": "HTTP", "taskDefinition": policy}

    async def story() -> None:
        id = await one.start("w", {"x": "y", "tasks": [branch]})
        await one.quiet()
        assert one.run_of(id).status == "COMPLETED"
        assert told["a"] == given
        assert told["b"] == {**policy["inputTemplate"], **given}
        assert told["f_0"] == {}, "what is data has no template"

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
        one.target.held.clear()
        await one.quiet()
        assert one.run_of(id).status == "COMPLETED"
        assert one.run_of(child.id).status == "TERMINATED"
        assert not one.engine.live, "nothing is carried out any more"

    runner.run(story())
