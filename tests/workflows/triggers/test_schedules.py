"""Schedules: each moment is one run, and what becomes of every moment is told."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from offhook.kit.errors import Invalid, NotFound, Unavailable, Violation
from offhook.storage.database import Database, Statement
from offhook.workflows.triggers import store
from offhook.workflows.triggers.starting import GIVE_UP_MS, LEASE_MS
from tests.workflows.triggers.waking import BEGUN, TENANT, V1, Waking

HOUR, DAY = 3600, 86_400
HOURLY = {"name": "hourly", "workflow": "w", "cron": "0 * * * *"}
Make = Callable[..., Waking]


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def moments(one: Waking) -> list[str]:
    """The moments that runs were started for, by their keys."""
    found = [int(run.key.rpartition(":")[2]) / 1000 for run in one.target.started]
    return [datetime.fromtimestamp(moment, UTC).strftime("%d %H:%M") for moment in found]


def words(one: Waking) -> list[str]:
    return [word.partition(".")[2] for word, _ in one.events("workflow_schedule")]


def test_each_moment_starts_one_run_with_its_input(story: Any):
    async def tell(one: Waking) -> None:
        body = {
            **HOURLY,
            "timezone": "Europe/Lisbon",
            "input": {"day": "${schedule.date}", "when": "${schedule.local}"},
        }
        made = await one.made("schedules", body)
        assert (made["next"], made["next_local"]) == ("2026-06-21T01:00:00.000+00:00", "2026-06-21T02:00:00+01:00")
        assert await one.later(HOUR - 1) == 0
        await one.later(1)
        await one.later(1)
        [run] = one.target.started
        assert (run.workflow, run.version, run.by) == ("w", None, "schedule hourly")
        assert run.input == {"day": "2026-06-21", "when": "2026-06-21T02:00:00+01:00"}
        assert (run.key, run.correlation) == (
            f"schedule:{made['id']}:{at('2026-06-21T01:00')}",
            f"schedule:{made['id']}",
        )
        [(word, told)] = one.events("workflow_schedule")
        assert word == "workflow_schedule.fired"
        assert (told["run_id"], told["moment"]) == (str(run.id), "2026-06-21T01:00:00.000+00:00")
        shown = (await one.send("GET", f"{V1}/schedules/{made['id']}")).json()
        assert shown["next"] == "2026-06-21T02:00:00.000+00:00"
        assert shown["last"] == {"outcome": "started", "moment": told["moment"], "run_id": str(run.id)}
        await one.later(HOUR)
        assert moments(one) == ["21 01:00", "21 02:00"]

    story(tell)


@pytest.mark.parametrize(
    ("missed", "cron", "down", "started", "told"),
    [
        # A moment that is less than a minute old is on time.
        ("skip", "0 * * * *", 5 * HOUR + 30, ["21 05:00"], 4),
        ("skip", "0 * * * *", 5 * HOUR + 60, [], 5),
        ("once", "0 * * * *", 5 * HOUR + 60, ["21 05:00"], 4),
        ("once", "0 * * * *", 5 * HOUR + 30, ["21 05:00"], 4),
        ("once", "0 * * * *", HOUR + 120, ["21 01:00"], 0),
        ("all", "0 * * * *", 3 * HOUR + 60, ["21 01:00", "21 02:00", "21 03:00"], 0),
    ],
)
def test_moments_that_were_missed(
    story: Any, missed: str, cron: str, down: int, started: list[str], told: int
):  # fmt: skip
    async def tell(one: Waking) -> None:
        await one.made("schedules", {**HOURLY, "cron": cron, "missed": missed})
        await one.later(down)
        assert moments(one) == started
        said = [about for word, about in one.events("workflow_schedule") if word.endswith(".missed")]
        assert [about["count"] for about in said] == ([told] if told else [])
        assert all(about["from"] <= about["to"] and about["why"] for about in said)
        await one.later(HOUR - 120)
        assert words(one).count("fired") == len(one.target.started)

    story(tell)


def test_what_is_made_up_for_has_a_bound_and_says_so(story: Any):
    async def tell(one: Waking) -> None:
        await one.made("schedules", {**HOURLY, "cron": "* * * * *", "missed": "all"})
        await one.later(30 * DAY)
        assert len(one.target.started) == 100
        assert moments(one)[-1] == "21 00:00"
        [missed] = [about for word, about in one.events("workflow_schedule") if word.endswith(".missed")]
        assert (missed["count"], missed["to"]) == (100, "2026-07-20T22:20:00.000+00:00")
        assert "100 or more" in missed["why"]

    story(tell)


def test_a_late_run_knows_that_it_is(story: Any):
    async def tell(one: Waking) -> None:
        await one.made("schedules", {**HOURLY, "input": {"late": "${schedule.late}"}})
        await one.later(HOUR + 61)
        await one.later(HOUR - 61)
        assert [run.input for run in one.target.started] == [{"late": True}, {"late": False}]

    story(tell)


def test_a_run_that_goes_on_is_not_overtaken_and_that_is_told(story: Any):
    async def tell(one: Waking) -> None:
        made = await one.made("schedules", {**HOURLY, "overlap": "skip"})
        await one.later(HOUR)
        one.going.add(one.target.started[0].id)
        await one.later(HOUR)
        assert words(one) == ["fired", "skipped"]
        shown = (await one.send("GET", f"{V1}/schedules/{made['id']}")).json()["last"]
        assert shown["outcome"] == "skipped"
        assert "1000" in shown["why"]
        one.going.clear()
        await one.later(HOUR)
        assert moments(one) == ["21 01:00", "21 03:00"]

    story(tell)


def test_a_run_that_was_started_by_hand_holds_no_moment_up_and_is_not_skipped(story: Any):
    async def tell(one: Waking) -> None:
        made = await one.made("schedules", {**HOURLY, "overlap": "skip"})
        path = f"{V1}/schedules/{made['id']}/run"
        by_hand = (await one.send("POST", path)).json()["run_id"]
        one.going.add(int(by_hand))
        await one.later(HOUR)
        assert words(one) == ["fired_by_hand", "fired"]
        one.going = {run.id for run in one.target.started}
        assert (await one.send("POST", path)).json()["run_id"] != by_hand
        one.going.discard(one.target.started[1].id)
        await one.later(HOUR)
        assert words(one) == ["fired_by_hand", "fired"] * 2

    story(tell)


def test_a_start_that_waits_counts_as_going_on(story: Any):
    async def tell(one: Waking) -> None:
        one.target.refuse = [Unavailable("later")] * 3
        await one.made("schedules", {**HOURLY, "cron": "* * * * *", "overlap": "skip"})
        await one.later(60)
        one.clock[0] += 60
        await one.clockwork.timing.decide()
        assert words(one) == ["skipped"]

    story(tell)


def test_two_processes_start_one_run(database: Database, make: Make, runner: asyncio.Runner):
    async def tell() -> None:
        clock = [BEGUN]
        both = [make(slot=n, clock=clock) for n in (1, 2)]
        both[0].register("w")
        for n in range(20):
            await both[0].made("schedules", {**HOURLY, "name": f"s{n}"})
        for _ in range(3):
            clock[0] += HOUR
            await asyncio.gather(*(one.clockwork.tick() for one in both))
        assert len(both[0].target.started) == len(both[0].target.asked) == 60
        assert words(both[0]).count("fired") == 60

    runner.run(tell())


def test_who_dies_between_decision_and_run_leaves_it_to_the_others(make: Make, runner: asyncio.Runner):
    async def tell() -> None:
        clock = [BEGUN]
        dead, heir = make(slot=1, clock=clock), make(slot=2, clock=clock)
        dead.register("w")
        id = (await dead.made("schedules", HOURLY))["id"]
        dead.target.forget.add(f"schedule:{id}:{at('2026-06-21T01:00')}")
        with pytest.raises(asyncio.CancelledError):
            await dead.later(HOUR)
        assert len(dead.target.started) == 1, "the run is there, and nobody was told"
        await heir.later(LEASE_MS / 1000 - 1)
        assert words(heir) == []
        await heir.later(1)
        assert len(heir.target.started) == 1
        assert [about["run_id"] for _, about in heir.events("workflow_schedule")] == ["1000"]

    runner.run(tell())


def test_a_start_that_cannot_be_is_told(story: Any):
    async def tell(one: Waking) -> None:
        await one.made("schedules", HOURLY)
        one.target.refuse = [
            NotFound("There is no workflow w."),
            Invalid("Bad.", [Violation(location="input.x", message="Must be there.")]),
        ]
        await one.later(HOUR)
        await one.later(HOUR)
        told = one.events("workflow_schedule")
        assert [word for word, _ in told] == ["workflow_schedule.failed"] * 2
        assert "There is no workflow w." in told[0][1]["why"]
        assert "input.x: Must be there." in told[1][1]["why"]
        await one.later(HOUR)
        assert words(one)[-1] == "fired"

    story(tell)


def test_a_start_is_tried_again_until_it_is_done_or_given_up(story: Any):
    async def tell(one: Waking) -> None:
        made = await one.made("schedules", {**HOURLY, "cron": "0 1 21 6 *"})
        one.target.refuse = [Unavailable("later"), RuntimeError("oh")]
        await one.later(HOUR)
        shown = (await one.send("GET", f"{V1}/schedules/{made['id']}")).json()
        assert shown["put_off"] == {"moment": "2026-06-21T01:00:00.000+00:00", "tries": 1, "why": "later"}
        await one.later(1.9)
        assert len(one.target.asked) == 1
        await one.later(0.1)
        assert len(one.target.asked) == 2
        await one.later(4)
        assert (words(one), len(one.target.asked)) == (["fired"], 3)
        assert "put_off" not in (await one.send("GET", f"{V1}/schedules")).json()["items"][0]

    story(tell)


def test_after_a_day_it_is_given_up(story: Any):
    async def tell(one: Waking) -> None:
        await one.made("schedules", {**HOURLY, "cron": "0 1 21 6 *"})
        one.target.refuse = [Unavailable("later")] * 2
        await one.later(HOUR)
        await one.later(GIVE_UP_MS / 1000)
        assert words(one) == ["failed"]
        await one.later(HOUR)
        assert len(one.target.asked) == 2

    story(tell)


def test_a_paused_schedule_starts_nothing_and_makes_up_for_nothing(story: Any):
    async def tell(one: Waking) -> None:
        id = (await one.made("schedules", {**HOURLY, "missed": "all"}))["id"]
        paused = (await one.send("POST", f"{V1}/schedules/{id}/pause")).json()
        assert paused["paused"]
        assert "next" not in paused
        await one.later(3 * HOUR)
        resumed = (await one.send("POST", f"{V1}/schedules/{id}/resume")).json()
        assert resumed["next"] == "2026-06-21T04:00:00.000+00:00"
        await one.later(HOUR)
        assert moments(one) == ["21 04:00"]
        assert words(one) == ["paused", "resumed", "fired"]

    story(tell)


def test_a_change_of_times_finds_the_next_moment_anew_and_another_change_leaves_it(story: Any):
    async def tell(one: Waking) -> None:
        id = (await one.made("schedules", HOURLY))["id"]
        path = f"{V1}/schedules/{id}"
        one.clock[0] += 2 * HOUR
        same = (await one.send("PUT", path, {**HOURLY, "input": {"x": 1}})).json()
        assert same["next"] == "2026-06-21T01:00:00.000+00:00"
        changed = await one.send("PUT", path, {**HOURLY, "cron": "30 6 * * *"}, headers={"if-match": '"2"'})
        assert changed.json()["next"] == "2026-06-21T06:30:00.000+00:00"
        assert changed.headers["etag"] == '"3"'
        assert (await one.send("PUT", path, HOURLY, headers={"if-match": '"2"'})).status_code == 412
        await one.later(5 * HOUR)
        assert moments(one) == ["21 06:30"]
        after = await one.send("GET", path)
        assert after.headers["etag"] == '"3"', "what fires is no change"

    story(tell)


def test_a_deleted_schedule_starts_nothing(story: Any):
    async def tell(one: Waking) -> None:
        id = (await one.made("schedules", HOURLY))["id"]
        assert (await one.send("DELETE", f"{V1}/schedules/{id}")).status_code == 200
        assert await one.later(2 * HOUR) == 0
        assert one.target.asked == []
        assert (await one.send("GET", f"{V1}/schedules/{id}")).status_code == 404

    story(tell)


def test_a_run_by_hand_is_started_at_once_and_once(story: Any):
    async def tell(one: Waking) -> None:
        id = (await one.made("schedules", {**HOURLY, "input": {"when": "${schedule.date}"}}))["id"]
        path = f"{V1}/schedules/{id}/run"
        dry = await one.send("POST", path, headers={"offhook-dry-run": "true"})
        assert dry.json()["result"] == {"run_id": "0"}
        assert one.target.asked == []
        first = await one.send("POST", path, headers={"idempotency-key": "k"})
        again = await one.send("POST", path, headers={"idempotency-key": "k"})
        other = await one.send("POST", path)
        assert first.json() == again.json() == {"run_id": "1000"}
        assert other.json() == {"run_id": "1001"}
        assert one.target.started[0].by == "tester"
        assert words(one)[0] == "fired_by_hand"

    story(tell)


def test_a_clock_that_is_put_back_fires_nothing_twice(story: Any):
    async def tell(one: Waking) -> None:
        await one.made("schedules", HOURLY)
        await one.later(HOUR)
        one.clock[0] -= 2 * HOUR
        for _ in range(4):
            await one.later(HOUR / 2)
        assert moments(one) == ["21 01:00"]
        await one.later(HOUR)
        assert moments(one) == ["21 01:00", "21 02:00"]

    story(tell)


def test_ten_thousand_idle_schedules_cost_one_look(story: Any):
    async def tell(one: Waking) -> None:
        id = int((await one.made("schedules", HOURLY))["id"])
        with one.database.transaction() as tx:
            kept = store.schedules.get(tx, TENANT, id)
            assert kept is not None
            for number in range(10_000):
                store._put_timer(tx, [(TENANT, number + 1, 1, at("2027-01-01"), 0, "")])
        plan = "EXPLAIN QUERY PLAN " if one.database.sqlite else "EXPLAIN "
        with one.database.reading() as tx:
            found = tx.all(Statement(plan + "SELECT MIN(due) FROM workflow_timers WHERE due > 0"))
        assert "ix_workflow_timers_due" in str(found)
        await one.later(HOUR)
        assert moments(one) == ["21 01:00"]

    story(tell)


def test_the_keeper_fires_when_the_moment_comes(story: Any):
    async def tell(one: Waking) -> None:
        await one.made("schedules", HOURLY)
        keeping = asyncio.ensure_future(one.clockwork.keep())
        try:
            one.clock[0] = BEGUN + HOUR - 0.01
            await asyncio.sleep(0.05)
            assert one.target.asked == []
            one.clock[0] = BEGUN + HOUR
            async with asyncio.timeout(10):
                await one.target.came.wait()
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
        assert moments(one) == ["21 01:00"]
        assert 0 < max(one.slept) <= 1

    story(tell)
