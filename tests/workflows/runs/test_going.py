"""How many runs of a company go on, and that no company takes the place of another."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from offhook.kit.errors import RateLimited
from offhook.storage.database import Database, Transaction
from offhook.workflows.machine import controls
from offhook.workflows.machine.model import Attempt, Outcome
from offhook.workflows.runs import carrying, store
from offhook.workflows.tasks.place import Place
from tests.workflows.runs.running import TENANT, Running, Target, task


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


def test_what_one_company_waits_for_takes_no_place_of_another(
    one: Running, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(carrying, "AT_ONCE", 2)
    for tenant in (TENANT, TENANT + 1):
        one.register("w", task("a"), tenant=tenant)

    async def story() -> None:
        gate, both, other = asyncio.Event(), asyncio.Event(), asyncio.Event()
        called: list[int] = []

        async def perform(tenant_id: int, attempt: Attempt, template: Mapping[str, Any], place: Place) -> Outcome:
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


def test_what_leaves_its_place_holds_nothing_up_and_does_not_time_out(
    one: Running, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(carrying, "AT_ONCE", 2)
    limits = {"name": "p", "retryCount": 0, "timeoutSeconds": 5, "responseTimeoutSeconds": 5, "timeoutPolicy": "RETRY"}
    one.register("waits", task("a", taskDefinition=limits))
    one.register("w", task("b"))
    gate = asyncio.Event()

    async def perform(tenant_id: int, attempt: Attempt, template: Mapping[str, Any], place: Place) -> Outcome:
        if attempt.ref == "a":
            place.leave(anew=True)
            await gate.wait()
            await place.take()
        return Outcome(status="COMPLETED", output={})

    one.target.perform = perform  # type: ignore[method-assign]

    async def story() -> None:
        waiting = [await one.start("waits") for _ in range(3)]
        other = await one.start("w")
        taken_on = one.engine.watch(other)
        while one.run_of(other).status != "COMPLETED":
            await taken_on.wait()
            taken_on.clear()
        one.clock[0] += 60
        await one.engine.tick()
        assert [one.run_of(id).status for id in waiting] == ["RUNNING"] * 3
        gate.set()
        await one.quiet()
        for id in waiting:
            assert one.run_of(id).status == "COMPLETED"
            assert one.history(id)[0].started == int(one.clock[0] * 1000), "it began when its turn came"

    runner.run(asyncio.wait_for(story(), 20))
