"""Runs are taken on turn by turn, and each turn is on disk before anything of it is carried out."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from offhook.kit.errors import NotFound, Unavailable, Unstorable
from offhook.workflows.expressions import scripts
from offhook.workflows.machine import controls
from offhook.workflows.machine.model import Attempt, Outcome
from offhook.workflows.runs import store
from offhook.workflows.tasks.place import Place
from tests.workflows.runs.running import TENANT, Running, task

Story = Callable[[], Coroutine[Any, Any, None]]


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

        async def in_turn(tenant_id: int, attempt: Attempt, template: Mapping[str, Any], place: Place) -> Outcome:
            """Each branch ends while the one before it is being written down."""
            outcome = await perform(tenant_id, attempt, template, place)
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


def test_a_way_waits_while_no_script_can_be_evaluated(
    one: Running, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
):
    one.register("w", task("s", "SWITCH", evaluatorType="javascript", expression="'BIG'", inputParameters={},
                           decisionCases={"BIG": [task("big")]}))  # fmt: skip
    child, left = scripts._Child, [2]

    def not_yet(program: str) -> Any:
        left[0] -= 1
        if left[0] < 0:
            return child(program)
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(scripts, "_Child", not_yet)

    async def story() -> None:
        id = await one.start("w")
        await one.quiet()
        assert (one.run_of(id).status, one.target.keys) == ("COMPLETED", ["big"])
        assert one.pauses == [1.0, 1.0]

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


def test_a_performer_is_told_the_task_as_its_definition_has_it(one: Running, runner: asyncio.Runner):
    told: dict[str, Any] = {}
    original = one.target.perform

    async def perform(tenant_id: int, attempt: Attempt, template: Mapping[str, Any], place: Place) -> Outcome:
        told[attempt.key] = dict(template)
        return await original(tenant_id, attempt, template, place)

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
