"""What Prometheus is told of workflows."""

import asyncio
import gc

import pytest

from offhook.storage.database import Database
from offhook.workflows.machine.model import Outcome
from offhook.workflows.metrics import Figures
from offhook.workflows.triggers.starting import Starting, of_engine
from tests.workflows.runs.running import TENANT, Running, Target, task

Samples = dict[tuple[str, ...], float]


def told(figures: Figures) -> Samples:
    """The samples by name and labels."""
    return {
        (one.name.removeprefix("offhook_workflow_"), *one.labels.values()): one.value
        for family in figures.collect()
        for one in family.samples
    }


def more(figures: Figures, before: Samples) -> Samples:
    """What has become of the samples that changed."""
    return {name: value for name, value in told(figures).items() if value != before[name]}


@pytest.fixture
def figures() -> Figures:
    return Figures()


def followed(figures: Figures, database: Database, slot: int = 0) -> Running:
    one = Running(database, Target(), slot=slot)
    figures.follow(one.engine, Starting(one.engine._writer, of_engine(one.engine)))
    return one


def test_runs_and_attempts_are_counted_by_how_they_end(database: Database, figures: Figures, runner: asyncio.Runner):
    async def story() -> None:
        one = followed(figures, database)
        before = told(figures)
        assert set(before.values()) == {0.0}
        one.register("good", task("a"), task("b"))
        one.register("bad", task("c", taskDefinition={"name": "c", "retryCount": 1, "retryDelaySeconds": 0}))
        one.register("waits", task("h", "HUMAN"))
        one.target.answers["c"] = lambda _attempt: Outcome(status="FAILED", reason="no")
        ids = [await one.start(name) for name in ("good", "bad", "waits")]
        await one.engine.settled()
        assert more(figures, before) == {
            ("runs_total", "started"): 3, ("runs_total", "completed"): 1, ("runs_total", "failed"): 1,
            ("attempts_total", "completed"): 2, ("attempts_total", "failed"): 2,
        }  # fmt: skip
        await one.engine.terminate(TENANT, ids[2], "enough")
        assert told(figures)["runs_total", "terminated"] == 1
        assert told(figures)["attempts_total", "canceled"] == 1
        await one.close()

    runner.run(story())


def test_what_is_under_way_is_seen(database: Database, figures: Figures, runner: asyncio.Runner):
    async def story() -> None:
        one = followed(figures, database)
        one.register("w", task("f", "FORK_JOIN", forkTasks=[[task("a")], [task("b")]]), task("j", "JOIN"))
        one.target.hold |= {"a", "b"}
        await one.start("w")
        await one.quiet()
        found = told(figures)
        assert (found["runs_live",], found["attempts_live",]) == (1, 2)
        one.target.let("a")
        one.target.let("b")
        await one.quiet()
        found = told(figures)
        assert (found["runs_live",], found["attempts_live",]) == (0, 0)
        await one.close()

    runner.run(story())


def test_a_limit_that_is_only_told_is_an_alert(database: Database, figures: Figures, runner: asyncio.Runner):
    async def story() -> None:
        one = followed(figures, database)
        one.register("w", task("h", "HUMAN"), timeoutSeconds=60, timeoutPolicy="ALERT_ONLY")
        await one.start("w")
        await one.quiet()
        await one.later(61)
        await one.later(61)
        assert told(figures)["alerts_total",] == 1
        await one.close()

    runner.run(story())


def test_starts_are_counted_by_their_source(database: Database, figures: Figures, runner: asyncio.Runner):
    async def story() -> None:
        one = Running(database, Target())
        starting = Starting(one.engine._writer, of_engine(one.engine))
        figures.follow(one.engine, starting)
        before = told(figures)
        starting._count("schedule", "started")
        starting._count("trigger", "failed")
        assert more(figures, before) == {
            ("starts_total", "schedule", "started"): 1,
            ("starts_total", "trigger", "failed"): 1,
        }
        await one.close()

    runner.run(story())


def test_engines_are_added_up_and_forgotten_with_their_end(
    database: Database, figures: Figures, runner: asyncio.Runner
):
    async def story() -> None:
        many = [followed(figures, database, slot) for slot in (1, 2)]
        many[0].register("w", task("a"))
        for one in many:
            await one.start("w")
            await one.quiet()
        assert told(figures)["runs_total", "completed"] == 2
        for one in many:
            await one.close()

    runner.run(story())
    gc.collect()
    assert set(told(figures).values()) == {0.0}
