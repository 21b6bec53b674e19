"""The real engine does what schedules and triggers decide, and tells which of its runs go on."""

import asyncio
from collections.abc import Iterator

import pytest

from offhook.catalog.credentials.vault import Vault
from offhook.events.model import Word
from offhook.storage.database import Database
from offhook.workflows.machine.model import Run
from offhook.workflows.runs import store as runs
from offhook.workflows.triggers import store
from offhook.workflows.triggers.starting import LEASE_MS, of_engine
from tests.workflows.runs.running import TENANT, Running, task
from tests.workflows.runs.running import Target as Called
from tests.workflows.triggers.waking import BEGUN, V1, Target, Waking

HOUR = 3600


class Both:
    """An engine and what starts runs on it, by one clock."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self.clock = [BEGUN]
        self.engine = Running(database, Called(), slot=1, clock=self.clock)
        start = of_engine(self.engine.engine)
        self.waking = Waking(database, Target(), vault, slot=2, clock=self.clock, start=start)
        # The engine's own tables tell which runs go on.
        self.waking.clockwork.timing._going = store.going

    async def later(self, seconds: float) -> None:
        self.clock[0] += seconds
        await self.waking.clockwork.tick()
        await self.engine.quiet()

    def of(self, source: str) -> list[Run]:
        with self.engine.database.reading() as tx:
            return runs.search(tx, TENANT, correlation=source)


@pytest.fixture
def both(database: Database, vault: Vault, runner: asyncio.Runner) -> Iterator[Both]:
    async def make() -> Both:
        one = Both(database, vault)
        await one.engine.engine.enlist()
        return one

    made = runner.run(make())
    yield made
    runner.run(made.waking.close())
    runner.run(made.engine.close())


def test_a_schedule_s_run_is_done_and_the_next_waits_for_it(both: Both, runner: asyncio.Runner):
    both.engine.register("w", task("a", inputParameters={"day": "${workflow.input.day}"}))

    async def story() -> None:
        body = {
            "name": "s",
            "workflow": "w",
            "cron": "@hourly",
            "overlap": "skip",
            "input": {"day": "${schedule.date}"},
        }
        id = (await both.waking.made("schedules", body))["id"]
        both.engine.target.hold.add("a")
        await both.later(HOUR)
        await both.later(HOUR)
        [run] = both.of(f"schedule:{id}")
        assert (run.status, run.input, run.by) == ("RUNNING", {"day": "2026-06-21"}, "schedule s")
        assert both.engine.history(run.id)[0].input["day"] == "2026-06-21"
        both.engine.target.hold.clear()
        both.engine.target.let("a")
        await both.engine.quiet()
        await both.later(HOUR)
        assert [run.status for run in both.of(f"schedule:{id}")] == ["COMPLETED", "COMPLETED"]
        words = [word.partition(".")[2] for word, _ in both.waking.events("workflow_schedule")]
        assert words == ["fired", "skipped", "fired"]

    runner.run(story())


def test_a_start_that_is_tried_twice_is_one_run(both: Both, runner: asyncio.Runner):
    both.engine.register("w", task("a"))

    async def story() -> None:
        id = (await both.waking.made("triggers", {"name": "t", "workflow": "w", "events": ["user.*"]}))["id"]
        seq = both.waking.happened(Word.USER_CREATED, "5")
        await both.waking.clockwork.following.look()
        with both.engine.database.transaction() as tx:
            now = int(both.clock[0] * 1000)
            [waiting] = store.take(tx, now, now + LEASE_MS, 10)
        first = await both.waking.clockwork.starting._run(waiting)
        # Whoever had it died before it was told.
        await both.later(LEASE_MS / 1000)
        [run] = both.of(f"trigger:{id}")
        assert (run.id, run.idempotency) == (first[0], f"event:{id}:{seq}")
        # It was only slow: it tells nothing twice.
        await both.waking.clockwork.starting._try(waiting)
        [(word, told)] = both.waking.events("workflow_trigger")
        assert (word, told["run_id"]) == ("workflow_trigger.fired", str(run.id))

    runner.run(story())


def test_a_workflow_that_is_gone_is_told(both: Both, runner: asyncio.Runner):
    both.engine.register("w", task("a"))

    async def story() -> None:
        await both.waking.made("schedules", {"name": "s", "workflow": "w", "cron": "@hourly"})
        made = await both.waking.made("hooks", {"name": "h", "workflow": "w"})
        with both.engine.database.transaction() as tx:
            tx.connection.exec_driver_sql("UPDATE workflow_definitions SET state = 'deleted'")
        await both.later(HOUR)
        [(word, told)] = both.waking.events("workflow_schedule")
        assert word == "workflow_schedule.failed"
        assert "There is no workflow w" in told["why"]
        headers = {"authorization": f"Bearer {made['secret']}"}
        answer = await both.waking.send("POST", f"{V1}/hooks/{made['hook']['id']}", headers=headers)
        assert answer.status_code == 409

    runner.run(story())
