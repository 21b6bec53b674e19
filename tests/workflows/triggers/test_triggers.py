"""Triggers: each event that fits starts one run, whoever looks, and whoever dies."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from offhook.events.model import Word
from offhook.workflows.triggers import following, store
from offhook.workflows.triggers.starting import LEASE_MS
from tests.workflows.triggers.waking import BEGUN, TENANT, V1, Waking

Make = Callable[..., Waking]
OFFICES = {"name": "offices", "workflow": "w", "events": ["office.created"]}
COUNTRY = '{"office":{"name":"Lisbon","country":"PT","size":3}}'


def words(one: Waking) -> list[str]:
    return [word.partition(".")[2] for word, _ in one.events("workflow_trigger")]


def test_an_event_starts_a_run_with_its_input(story: Any):
    async def tell(one: Waking) -> None:
        one.happened(Word.OFFICE_CREATED, "1")
        given = {
            "id": "${event.subject_id}",
            "text": "by ${event.actor.name}",
            "of": "${event.after.office.size}",
            "up": "${jsonata: $uppercase(event.after.office.name)}",
        }
        body = {**OFFICES, "version": 1, "input": given}
        made = await one.made("triggers", body)
        seq = one.happened(Word.OFFICE_CREATED, "2", after=COUNTRY, by="ann")
        one.happened(Word.OFFICE_UPDATED, "2")
        await one.later(1)
        await one.later(1)
        [run] = one.target.started
        assert run.input == {"id": "2", "text": "by ann", "of": 3, "up": "LISBON"}
        assert (run.workflow, run.version, run.by) == ("w", 1, "trigger offices")
        assert (run.key, run.correlation) == (f"event:{made['id']}:{seq}", f"trigger:{made['id']}")
        [(word, told)] = one.events("workflow_trigger")
        assert word == "workflow_trigger.fired"
        assert (told["run_id"], told["event"], told["event_seq"]) == ("1000", "office.created", str(seq))
        shown = (await one.send("GET", f"{V1}/triggers/{made['id']}")).json()["last"]
        assert (shown["outcome"], shown["run_id"]) == ("started", "1000")

    story(tell)


def test_several_triggers_and_many_events_are_each_one_run(make: Make, runner: asyncio.Runner):
    async def tell() -> None:
        clock = [BEGUN]
        both = [make(slot=n, clock=clock) for n in (1, 2)]
        both[0].register("w")
        for name in ("a", "b"):
            await both[0].made("triggers", {**OFFICES, "name": name})
        for _ in range(3):
            for number in range(following.PAGE + 7):
                both[0].happened(Word.OFFICE_CREATED, str(number))
            await asyncio.gather(*(one.clockwork.tick() for one in both))
            clock[0] += 61
        for one in both:
            await one.clockwork.tick()
        keys = [run.key for run in both[0].target.started]
        assert len(keys) == len(set(keys)) == 2 * 3 * (following.PAGE + 7)
        assert words(both[0]).count("fired") == len(keys)

    runner.run(tell())


def test_who_dies_after_any_step_leaves_it_to_the_others(make: Make, runner: asyncio.Runner):
    async def tell() -> None:
        clock = [BEGUN]
        dead, heir = make(slot=1, clock=clock), make(slot=2, clock=clock)
        dead.register("w")
        id = (await dead.made("triggers", OFFICES))["id"]
        first = dead.happened(Word.OFFICE_CREATED, "1")
        second = dead.happened(Word.OFFICE_CREATED, "2")
        # Dies before anything is written down, then when the starts are, then with one that was started.
        dead.target.forget.add(f"event:{id}:{first}")
        keep, dead.clockwork.following._keep = dead.clockwork.following._keep, _dies  # type: ignore[method-assign,assignment]
        with pytest.raises(asyncio.CancelledError):
            await dead.clockwork.tick()
        dead.clockwork.following._keep = keep  # type: ignore[method-assign]
        assert await dead.clockwork.following.look() == 2
        assert dead.target.asked == []
        with pytest.raises(asyncio.CancelledError):
            await dead.clockwork.starting.carry_out()
        clock[0] += LEASE_MS / 1000
        await heir.clockwork.tick()
        assert sorted(run.key for run in heir.target.started) == [f"event:{id}:{first}", f"event:{id}:{second}"]
        assert words(heir) == ["fired", "fired"]

    runner.run(tell())


def _dies(*_: Any) -> Any:
    raise asyncio.CancelledError


@pytest.mark.parametrize("what", ["pause", "delete", "make"])
def test_triggers_that_change_while_events_are_looked_at(make: Make, runner: asyncio.Runner, what: str):
    async def tell() -> None:
        one = make()
        one.register("w")
        id = (await one.made("triggers", OFFICES))["id"]
        await one.made("triggers", {**OFFICES, "name": "other", "events": ["user.*"]})
        one.happened(Word.OFFICE_CREATED, "1")
        decided, times = one.clockwork.following._decided, list[int]()

        async def slow(*given: Any) -> Any:
            found = await decided(*given)
            times.append(1)
            if len(times) == 1 and what == "make":
                await one.made("triggers", {**OFFICES, "name": "second"})
                one.happened(Word.OFFICE_CREATED, "2")
            elif len(times) == 1:
                way = {"pause": ("POST", "/pause"), "delete": ("DELETE", "")}[what]
                assert (await one.send(way[0], f"{V1}/triggers/{id}{way[1]}")).status_code == 200
            return found

        one.clockwork.following._decided = slow  # type: ignore[method-assign,assignment]
        for _ in range(3):
            await one.later(1)
        started = sorted((run.by, run.key.rpartition(":")[2]) for run in one.target.started)
        if what == "make":
            assert [by for by, _ in started] == ["trigger offices", "trigger offices", "trigger second"]
            assert started[1][1] == started[2][1], "the new one has what happened since"
        else:
            assert started == [], "once that is answered, nothing is started any more"

    runner.run(tell())


def test_a_circle_is_stopped_and_told(story: Any):
    async def tell(one: Waking) -> None:
        id = (await one.made("triggers", {**OFFICES, "events": ["office.updated"]}))["id"]
        for _ in range(40):
            # What each run does is to change the office again.
            if len(one.target.started) >= len([1 for word, _ in one.events("office.") if word]) - 1:
                one.happened(Word.OFFICE_UPDATED, "9")
            await one.later(1)
        assert len(one.target.started) == 10
        stopped = (await one.send("GET", f"{V1}/triggers/{id}")).json()
        assert stopped["paused"]
        assert "for office 9" in stopped["stopped"]
        assert words(one).count("stopped") == 1
        resumed = (await one.send("POST", f"{V1}/triggers/{id}/resume")).json()
        assert "stopped" not in resumed
        before = len(one.target.started)
        one.happened(Word.OFFICE_UPDATED, "9")
        await one.later(1)
        assert len(one.target.started) == before + 1, "what passed while it was stopped is not made up for"

    story(tell)


def test_many_subjects_are_fine_up_to_the_trigger_s_own_bound(story: Any):
    async def tell(one: Waking) -> None:
        await one.made("triggers", {**OFFICES, "most_per_minute": 30})
        for number in range(30):
            one.happened(Word.OFFICE_CREATED, str(number))
        await one.later(61)
        for number in range(31):
            one.happened(Word.OFFICE_CREATED, str(number))
        await one.later(1)
        assert len(one.target.started) == 60
        assert words(one).count("stopped") == 1
        [why] = [told["why"] for word, told in one.events("workflow_trigger") if word.endswith("stopped")]
        assert "30 runs" in why

    story(tell)


def test_what_triggers_do_starts_no_trigger(story: Any):
    async def tell(one: Waking) -> None:
        await one.made("triggers", {**OFFICES, "events": ["*"]})
        one.happened(Word.OFFICE_CREATED)
        for _ in range(5):
            await one.later(1)
        assert len(one.target.started) == 1

    story(tell)


def test_a_paused_trigger_makes_up_for_nothing(story: Any):
    async def tell(one: Waking) -> None:
        id = (await one.made("triggers", OFFICES))["id"]
        await one.send("POST", f"{V1}/triggers/{id}/pause")
        with one.database.reading() as tx:
            assert store.position(tx, TENANT) is None, "nobody's events are followed"
        one.happened(Word.OFFICE_CREATED, "1")
        await one.later(1)
        await one.send("POST", f"{V1}/triggers/{id}/resume")
        one.happened(Word.OFFICE_CREATED, "2")
        await one.later(1)
        assert len(one.target.started) == 1
        assert words(one) == ["paused", "resumed", "fired"]

    story(tell)


def test_a_deleted_trigger_starts_nothing(story: Any):
    async def tell(one: Waking) -> None:
        id = (await one.made("triggers", OFFICES))["id"]
        one.happened(Word.OFFICE_CREATED)
        assert (await one.send("DELETE", f"{V1}/triggers/{id}")).status_code == 200
        await one.later(1)
        assert one.target.asked == []

    story(tell)


def test_events_wait_while_too_many_starts_do(story: Any, monkeypatch: pytest.MonkeyPatch):
    async def tell(one: Waking) -> None:
        monkeypatch.setattr(following, "MOST_WAITING", 1)
        await one.made("triggers", OFFICES)
        one.happened(Word.OFFICE_CREATED, "1")
        await one.clockwork.following.look()
        one.happened(Word.OFFICE_CREATED, "2")
        assert await one.clockwork.following.look() == 0
        await one.clockwork.starting.carry_out()
        await one.later(1)
        assert len(one.target.started) == 2

    story(tell)


def test_the_keeper_notices_what_this_process_has_changed(story: Any):
    async def tell(one: Waking) -> None:
        keeping = asyncio.ensure_future(one.clockwork.keep())
        try:
            await one.made("triggers", OFFICES)
            one.happened(Word.OFFICE_CREATED)
            # The clock stands: it is no look by time that finds it.
            await one.writer.run(lambda _: None)
            async with asyncio.timeout(10):
                await one.target.came.wait()
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    story(tell)


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ({"where": {"after.office.size": 3, "after.office.country": "ES"}},
         "Its after.office.country is not what the condition (where) wants."),
        ({"expression": "$.event.after.office.size > 3"}, "The expression gave false."),
        ({"not_by": ["ann"]}, "It was made by the key ann, whose changes start nothing (not_by)."),
    ],
)  # fmt: skip
def test_an_event_that_is_passed_over_says_which_condition_it_did_not_fulfil(story: Any, condition: Any, why: str):
    async def tell(one: Waking) -> None:
        made = await one.made("triggers", {**OFFICES, **condition})
        assert "passed_over" not in made
        seq = one.happened(Word.OFFICE_CREATED, "2", after=COUNTRY, by="ann")
        one.happened(Word.OFFICE_UPDATED, "2", after=COUNTRY, by="ann")
        await one.later(1)
        shown = (await one.send("GET", f"{V1}/triggers/{made['id']}")).json()
        assert shown["passed_over"] == {
            "event": "office.created", "event_seq": str(seq), "moment": "2026-06-21T00:00:00.000+00:00", "why": why,
        }  # fmt: skip
        assert (one.target.started, "last" in shown) == ([], False)
        assert (await one.send("GET", f"{V1}/triggers")).json()["items"] == [shown]

    story(tell)
