"""Calls from their first ring to their last, over a real store: who rings, who is free again, what is kept and when."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from offhook.calls import call as calls_call
from offhook.calls.call import Parts
from offhook.calls.session import RENEW_SECONDS, Calls
from offhook.directory.lines.model import Target
from offhook.kit.errors import Unavailable
from offhook.routing.plan import (
    Answered,
    Bridge,
    Ended,
    Gather,
    Hangup,
    HungUp,
    Incoming,
    NotAnswered,
    Outgoing,
    Pressed,
    Recorded,
    Release,
    Reserve,
    Reserved,
    Ring,
    Transfer,
    Voicemail,
)
from offhook.routing.turn import MAX_STEPS
from tests.api.desk import Company
from tests.calls.scripted import ANA, BOB, CYD, LISBON, SALES, Phone, Process, lisbon, nothing_said
from tests.directory.people import person
from tests.routing.companies import Queue, line, ms, office, routing
from tests.routing.companies import company as compiled
from tests.routing.test_snapshot import joined

BEGAN = ms("2026-11-24T10:00:00-08:00")
TURNS = routing(strategy="fixedorder")


def sales(*operators: Any, **more: Any) -> tuple[Any, ...]:
    """A call center with a queue that * leaves, and its people."""
    queue = Queue(most=5, seconds=120, escape="*")
    return (office(1, "Lisbon"), line("callcenter", 10, "Sales", operators, queue=queue, **more), *operators)


def who(ring: Ring) -> list[str]:
    return [leg.who for leg in ring.legs]


async def talks(process: Process, target: Any = LISBON) -> tuple[int, Phone]:
    """A call that the first one rung has taken."""
    id, phone = await process.rings(target)
    [first, *_] = who(await phone.given(Ring))
    process.calls.happened(id, Answered(process.at, first))
    await phone.given(Bridge)
    await process.settle()
    return id, phone


# Who rings, and who is free again


def test_an_answered_call(company: Company):
    process = Process(company, *lisbon(ANA))

    async def story() -> None:
        id, phone = await talks(process)
        assert process.held() == {"user:1": f"{id}*"}
        assert (await process.listed())[0]["phase"] == "talking"
        process.time.move(12)
        assert process.calls.happened(id, Ended(process.at))
        await process.calls.over(id)
        assert phone.kinds == ["Reserve", "Ring", "Answer", "Bridge", "Hangup"]
        assert process.held() == {}
        _, answer = await process.retold(id)
        assert (answer["outcome"], answer["seconds"]) == ("answered", 12.0)
        [shown] = await process.listed()
        assert (shown["id"], shown["phase"], shown["outcome"]) == (str(id), "over", "answered")
        assert not process.calls.happened(id, HungUp(process.at)), "it is over"

    process.run(story())


def test_nobody_answers_and_the_caller_leaves_a_message(company: Company):
    process = Process(company, *lisbon(ANA, BOB, open=TURNS))

    async def story() -> None:
        id, phone = await process.rings()
        for expected in (["user:1"], ["user:2"], ["user:1"]):
            assert who(await phone.given(Ring)) == expected
            assert list(process.held()) == expected
            process.time.move(10)
            process.calls.happened(id, NotAnswered(process.at))
        await phone.given(Voicemail)
        process.calls.happened(id, Recorded(process.at + 9_000, 9))
        await process.calls.over(id)
        assert process.held() == {}
        _, answer = await process.retold(id)
        assert answer["outcome"] == "voicemail"
        assert len(answer["rang"]) == 3

    process.run(story())


def test_a_caller_who_hangs_up_while_waiting_leaves_nobody_reserved(company: Company):
    process = Process(company, *sales(ANA))

    async def story() -> None:
        first, _ = await talks(process, SALES)
        second, phone = await process.rings(SALES)
        assert (await phone.given(Reserve)).wait_for == "whoever_is_rung"
        assert (await phone.given(Reserve)).wait_for == "whoever_is_free"
        await process.settle()
        assert process.waiting() == [str(second)]
        process.calls.happened(second, HungUp(process.at))
        await process.calls.over(second)
        assert process.waiting() == []
        process.calls.happened(first, Ended(process.at))
        await process.calls.over(first)
        await process.settle()
        assert process.held() == {}
        assert (await process.retold(second))[1]["outcome"] == "abandoned"

    process.run(story())


def test_somebody_who_becomes_free_in_the_moment_of_hanging_up_is_free_for_others(company: Company):
    process = Process(company, *sales(ANA))

    async def story() -> None:
        first, _ = await talks(process, SALES)
        second, phone = await process.rings(SALES)
        await process.settle()
        process.calls.happened(first, Ended(process.at))
        process.calls.happened(second, HungUp(process.at))
        await process.calls.over(first)
        await process.calls.over(second)
        await process.settle()
        assert process.held() == {}
        assert "Ring" not in phone.kinds
        assert who(await (await process.rings(SALES))[1].given(Ring)) == ["user:1"]

    process.run(story())


def test_a_key_leaves_the_queue_for_the_voicemail(company: Company):
    process = Process(company, *sales(ANA))

    async def story() -> None:
        await talks(process, SALES)
        id, phone = await process.rings(SALES)
        await phone.given(Reserve)
        waits = await phone.given(Reserve)
        assert (waits.hear, waits.keys) == ("hold_music", "*")
        await process.settle()
        process.calls.happened(id, Pressed(process.at, "7"))
        process.calls.happened(id, Pressed(process.at, "*"))
        await phone.given(Voicemail)
        await process.settle()
        assert process.waiting() == []
        process.calls.happened(id, HungUp(process.at))
        await process.calls.over(id)
        await process.retold(id)

    process.run(story())


def test_two_calls_at_once_ring_different_people(company: Company):
    process = Process(company, *lisbon(ANA, BOB, open=TURNS))

    async def story() -> None:
        (_, one), (_, other) = await asyncio.gather(process.rings(), process.rings())
        rung = [*who(await one.given(Ring)), *who(await other.given(Ring))]
        assert sorted(rung) == ["user:1", "user:2"]

    process.run(story())


def test_whoever_rang_too_is_free_when_another_one_answers(company: Company):
    process = Process(company, *lisbon(ANA, BOB, CYD))

    async def story() -> None:
        id, phone = await process.rings()
        assert who(await phone.given(Ring)) == ["user:1", "user:2", "user:3"]
        process.calls.happened(id, Answered(process.at, "user:2"))
        await phone.given(Bridge)
        await process.settle()
        assert process.held() == {"user:2": f"{id}*"}
        assert who(await (await process.rings())[1].given(Ring)) == ["user:1", "user:3"]

    process.run(story())


def test_an_answer_that_comes_behind_the_hang_up_changes_nothing(company: Company):
    process = Process(company, *lisbon(ANA))

    async def story() -> None:
        id, phone = await process.rings()
        await phone.given(Ring)
        process.calls.happened(id, HungUp(process.at))
        process.calls.happened(id, Answered(process.at, "user:1"))
        await process.calls.over(id)
        assert process.held() == {}
        assert phone.kinds[-1] == "Hangup"
        assert "Bridge" not in phone.kinds
        assert (await process.retold(id))[1]["outcome"] == "abandoned"

    process.run(story())


def test_somebody_who_answers_when_it_is_another_ones_turn_does_not_get_the_call(company: Company):
    process = Process(company, *lisbon(ANA, BOB, open=TURNS))

    async def story() -> None:
        id, phone = await process.rings()
        await phone.given(Ring)
        process.calls.happened(id, NotAnswered(process.at + 10_000))
        assert who(await phone.given(Ring)) == ["user:2"]
        process.calls.happened(id, Answered(process.at + 10_001, "user:1"))
        process.calls.happened(id, Answered(process.at + 11_000, "user:2"))
        assert (await phone.given(Bridge)).who == "user:2"
        await process.settle()
        assert process.held() == {"user:2": f"{id}*"}
        await process.retold(id)

    process.run(story())


class Slow:
    """A holding that answers when it is told to, and keeps who was given back."""

    def __init__(self) -> None:
        self.answers: list[asyncio.Future[Reserved]] = []
        self.released: list[str] = []

    async def reserve(self, tenant_id: int, call_id: str, verb: Reserve, now: int) -> Reserved:
        self.answers.append(asyncio.get_running_loop().create_future())
        return await self.answers[-1]

    async def release(self, tenant_id: int, call_id: str, verb: Release, now: int) -> None:
        self.released += verb.members

    async def finish(self, tenant_id: int, call_id: str, now: int) -> None: ...

    async def renew(self, tenant_id: int, call_ids: Any) -> None: ...


def test_whoever_was_reserved_in_the_moment_in_which_the_caller_left_the_queue_is_given_back(embedded: Company):
    process = Process(embedded, *sales(ANA))
    slow = Slow()

    async def story() -> None:
        writer: Any = process.store
        calls = Calls(Parts(writer, process._company, slow, nothing_said), process.desk.ids)
        phone = Phone()
        id = await calls.begin(process.tenant, Incoming(process.at, target=SALES), phone)
        await process.settle()
        slow.answers[0].set_result(Reserved(process.at, busy=("user:1",)))
        await phone.given(Reserve)
        await phone.given(Reserve)
        await process.settle()
        # While the first key is being kept, the second one and the answer come, in this order.
        calls.happened(id, Pressed(process.at, "7"))
        calls.happened(id, Pressed(process.at, "*"))
        slow.answers[1].set_result(Reserved(process.at, members=("user:1",)))
        await phone.given(Voicemail)
        await process.settle()
        assert slow.released == ["user:1"]
        assert "Ring" not in phone.kinds
        await calls.close()

    process.run(story())


# What decides


def test_a_change_counts_from_the_next_step_on_and_each_step_says_which_config_decided_it(embedded: Company):
    process = Process(embedded, *lisbon(ANA, BOB, open=TURNS))

    async def story() -> None:
        id, phone = await process.rings()
        assert who(await phone.given(Ring)) == ["user:1"]
        process.config = replace(compiled(*lisbon(ANA, CYD, open=TURNS), version=2), tenant_id=process.tenant)
        process.calls.happened(id, NotAnswered(process.at + 10_000))
        assert who(await phone.given(Ring)) == ["user:3"]
        process.config = None
        process.calls.happened(id, Answered(process.at + 12_000, "user:3"))
        await phone.given(Bridge)
        process.calls.happened(id, HungUp(process.at + 13_000))
        await process.calls.over(id)
        _, answer = await process.retold(id)
        assert [step["config"] for step in answer["steps"]] == [1, 1, 2, 2, 2, 2]

    process.run(story())


def test_the_steps_of_calls_make_nobody_read_the_company_again(company: Company):
    process = Process(company, *lisbon(ANA))
    changes = company.desk.offhook.writer.changes

    async def story() -> None:
        before = changes()
        id, phone = await process.rings()
        await phone.given(Ring)
        process.calls.happened(id, Answered(process.at, "user:1"))
        await phone.given(Bridge)
        process.calls.happened(id, HungUp(process.at))
        await process.calls.over(id)
        assert changes() == before
        await process.settle()
        assert changes() > before

    process.run(story())


def test_a_call_of_a_company_that_is_not_known_is_refused_while_the_store_is_away(embedded: Company):
    process = Process(embedded, *lisbon(ANA))
    process.config = None

    async def story() -> None:
        with pytest.raises(Unavailable):
            await process.rings()
        await process.settle()
        assert (process.calls.live, process.calls.behind) == (0, 0)

    process.run(story())


def test_what_strangers_write_into_a_caller_id_does_no_harm(company: Company):
    process = Process(company, *lisbon(ANA))

    async def story() -> None:
        id, phone = await process.rings(caller="\x00\ud800'; DROP TABLE calls;--" + "x" * 10_000)
        await phone.given(Ring)
        process.calls.happened(id, HungUp(process.at))
        await process.calls.over(id)
        await process.retold(id)
        [shown] = await process.listed()
        assert shown["caller"].startswith("'; DROP TABLE calls;--x")
        assert len(shown["caller"]) < 200

    process.run(story())


def test_only_what_telephones_can_know_is_taken_from_them(embedded: Company):
    process = Process(embedded, *lisbon(ANA))

    async def story() -> None:
        id, _ = await talks(process)
        assert not process.calls.happened(id, Reserved(process.at, ("user:2",)))
        assert not process.calls.happened(id, Incoming(process.at, target=LISBON))
        assert not process.calls.happened(id + 1, HungUp(process.at))

    process.run(story())


def test_somebody_who_presses_keys_for_an_hour_fills_no_store(embedded: Company):
    process = Process(embedded, *lisbon(ANA))

    async def story() -> None:
        id, _ = await talks(process)
        for number in range(MAX_STEPS + 50):
            process.calls.happened(id, Pressed(process.at + number, "1"))
        process.calls.happened(id, HungUp(process.at + 3_600_000))
        await process.calls.over(id)
        trace, answer = await process.retold(id)
        assert len(trace.steps) == MAX_STEPS + 1
        assert answer["outcome"] == "answered"

    process.run(story())


# The store is away


@pytest.mark.parametrize("how", ["away", "deaf", "hanging"])
def test_the_store_is_away_in_the_middle_of_a_call_which_goes_on_and_is_kept_later(company: Company, how: str):
    process = Process(company, *lisbon(ANA))

    async def story() -> None:
        id, phone = await process.rings()
        await phone.given(Ring)
        setattr(process.store, how, True)
        process.calls.happened(id, Answered(process.at, "user:1"))
        await phone.given(Bridge)
        process.calls.happened(id, Pressed(process.at, "5"))
        process.calls.happened(id, HungUp(process.at + 60_000))
        await phone.given(Hangup)
        await process.calls.over(id)
        assert (process.calls.live, process.calls.behind) == (0, 1)
        await process.calls.catch_up()
        assert process.calls.behind == 1
        setattr(process.store, how, False)
        await process.calls.catch_up()
        assert process.calls.behind == 0
        assert process.held() == {}
        trace, answer = await process.retold(id)
        assert [type(step.event) for step in trace.steps] == [Incoming, Reserved, Answered, Pressed, HungUp]
        assert answer["outcome"] == "answered"

    process.run(story())


def test_what_a_live_call_could_not_keep_is_written_without_waiting_for_its_next_step(embedded: Company):
    process = Process(embedded, *lisbon(ANA, BOB))

    async def story() -> None:
        keeping = asyncio.create_task(process.calls.keep())
        id, phone = await process.rings()
        await phone.given(Ring)
        process.store.away = True
        process.calls.happened(id, Answered(process.at, "user:1"))
        await phone.given(Bridge)
        await process.settle()
        assert sorted(process.held()) == ["user:1", "user:2"]
        process.store.away = False
        process.time.move(1)
        await process.settle()
        assert process.held() == {"user:1": f"{id}*"}
        assert process.numbers(id) == [0, 1, 2]
        keeping.cancel()

    process.run(story())


@pytest.mark.parametrize("how", ["away", "deaf", "hanging"])
def test_an_emergency_call_is_placed_at_once_and_told_of_when_the_store_is_back(company: Company, how: str):
    process = Process(company, *lisbon(ANA))

    async def story() -> None:
        setattr(process.store, how, True)
        id, phone = await process.dials("user:1", "911")
        placed = await phone.given(Transfer)
        assert (placed.emergency, placed.number) == (True, "911")
        setattr(process.store, how, False)
        await process.calls.catch_up()
        process.calls.happened(id, Ended(process.at + 90_000))
        await process.calls.over(id)
        await process.retold(id)
        events = await process.company.live.sending("GET", "/api/offhook/v1/events?limit=500")
        told = [one for one in events.json["items"] if one["event"] == "emergency_call.placed"]
        assert [(one["subject_id"]) for one in told] == [str(id)]

    process.run(story())


def test_an_emergency_call_is_with_the_telephone_before_anything_is_asked_of_the_store(embedded: Company):
    process = Process(embedded, *lisbon(ANA))
    asked: list[int] = []

    class First(Phone):
        def do(self, call_id: int, verbs: Any) -> None:
            asked.append(process.store.asked)
            super().do(call_id, verbs)

    async def story() -> None:
        phone = First()
        await process.calls.begin(process.tenant, Outgoing(process.at, "user:1", "911"), phone)
        assert isinstance(phone.verbs[0], Transfer)
        assert asked == [0]

    process.run(story())


def test_an_outgoing_call_began_when_it_began(company: Company):
    process = Process(company, *lisbon(ANA))

    async def story() -> None:
        began = process.at
        id, phone = await process.dials("user:1", "+14155550123")
        await phone.given(Transfer)
        process.time.move(40)
        process.calls.happened(id, Ended(process.at))
        await process.calls.over(id)
        _, answer = await process.retold(id)
        assert answer["seconds"] == 40
        [shown] = await process.listed()
        assert shown["began"] < shown["ended"]
        assert answer["began"] == shown["began"]
        assert began == process.at - 40_000

    process.run(story())


# Faults of ours


def test_a_call_whose_decision_fails_is_hung_up_and_frees_everybody(embedded: Company, monkeypatch: pytest.MonkeyPatch):
    process = Process(embedded, *lisbon(ANA))

    async def story() -> None:
        id, phone = await process.rings()
        await phone.given(Ring)
        monkeypatch.setattr(calls_call, "step", broken)
        process.calls.happened(id, Answered(process.at, "user:1"))
        assert (await phone.given(Hangup)).cause == "unavailable"
        await process.calls.over(id)
        assert process.held() == {}
        assert (await process.retold(id))[1]["outcome"] == "failed"

    process.run(story())


def broken(*_: Any) -> Any:
    raise KeyError("a fault of ours")


def test_two_who_talk_go_on_talking_when_something_fails(embedded: Company, monkeypatch: pytest.MonkeyPatch):
    process = Process(embedded, *lisbon(ANA))

    async def story() -> None:
        id, phone = await talks(process)
        with monkeypatch.context() as patch:
            patch.setattr(calls_call, "step", broken)
            process.calls.happened(id, Pressed(process.at, "1"))
            await process.settle()
        assert "Hangup" not in phone.kinds
        process.calls.happened(id, HungUp(process.at))
        await process.calls.over(id)
        assert (await process.retold(id))[1]["outcome"] == "answered"

    process.run(story())


def test_a_telephone_that_breaks_ends_its_call_and_no_other(embedded: Company):
    process = Process(embedded, *lisbon(ANA, BOB, open=TURNS))

    async def story() -> None:
        id, phone = await process.rings()
        await phone.given(Ring)
        other, _ = await talks(process)
        phone.broken = True
        process.calls.happened(id, Answered(process.at, "user:1"))
        await process.calls.over(id)
        assert process.held() == {"user:2": f"{other}*"}
        assert process.calls.live == 1

    process.run(story())


@pytest.mark.parametrize("target", [LISBON, SALES])
def test_a_store_that_fails_in_an_unheard_of_way_lets_nobody_wait_for_ever(
    embedded: Company, target: Any, monkeypatch: pytest.MonkeyPatch
):
    process = Process(embedded, *lisbon(ANA), *sales(ANA))

    async def story() -> None:
        async def fails(*_: Any) -> Any:
            raise ZeroDivisionError

        monkeypatch.setattr(process.reservations, "reserve", fails)
        _, phone = await process.rings(target)
        await phone.given(Voicemail)

    process.run(story())


# Processes that die, and the end


def test_a_call_of_a_process_that_died_is_ended_as_lost_by_another_one(company: Company):
    process = Process(company, *lisbon(ANA))
    other = Process(company, *lisbon(ANA), time=process.time)

    async def story() -> None:
        id, _ = await talks(process)
        await process.dies()
        process.time.move(59)
        assert await other.calls.sweep() == 0
        process.time.move(2)
        assert await other.calls.sweep() == 1
        assert await other.calls.sweep() == 0
        assert process.held() == {}
        [shown] = await process.listed()
        assert (shown["id"], shown["phase"], shown["outcome"]) == (str(id), "over", "lost")
        assert (await process.told(id))["outcome"] == "lost"
        assert who(await (await other.rings())[1].given(Ring)) == ["user:1"]
        await other.stop()

    process.run(story())


def test_operators_are_free_by_themselves_when_nobody_looks_after_a_dead_process(company: Company):
    process = Process(company, *lisbon(ANA))
    other = Process(company, *lisbon(ANA), time=process.time)

    async def story() -> None:
        await talks(process)
        await process.dies()
        process.time.move(61)
        assert who(await (await other.rings())[1].given(Ring)) == ["user:1"]
        await other.stop()

    process.run(story())


def test_calls_that_live_are_renewed_and_never_swept(company: Company):
    process = Process(company, *lisbon(ANA))
    other = Process(company, *lisbon(ANA), time=process.time)

    async def story() -> None:
        id, _ = await talks(process)
        keeping = [asyncio.create_task(one.calls.keep()) for one in (process, other)]
        for _ in range(200):
            await process.settle()
            process.time.move(1)
        await process.settle()
        assert process.held() == {"user:1": f"{id}*"}
        assert (await process.listed())[0]["phase"] == "talking"
        for task in keeping:
            task.cancel()
        await other.stop()

    process.run(story())


def test_when_the_store_was_away_for_long_all_renew_before_anybody_sweeps(embedded: Company):
    process = Process(embedded, *lisbon(ANA))
    other = Process(embedded, *lisbon(ANA), time=process.time)

    async def passes(seconds: float) -> None:
        for _ in range(int(seconds) + 1):
            await process.settle()
            process.time.move(1)
        await process.settle()

    async def story() -> None:
        id, _ = await talks(process)
        renewing, sweeping = (asyncio.create_task(one.calls.keep()) for one in (process, other))
        # A call of its own, so that the other process notices that the store is away.
        await other.rings()
        await passes(50)
        renewing.cancel()
        process.store.away = other.store.away = True
        await passes(100)
        process.store.away = other.store.away = False
        await passes(RENEW_SECONDS)
        await process.calls.renew()
        await passes(RENEW_SECONDS)
        assert {one["id"]: one["phase"] for one in await process.listed()}[str(id)] == "talking"
        await passes(60)
        assert {one["id"]: one["outcome"] for one in await process.listed() if "outcome" in one} == {str(id): "lost"}
        sweeping.cancel()
        await other.stop()

    process.run(story())


def test_a_call_that_was_taken_for_lost_and_goes_on_ends_as_it_ends(embedded: Company):
    process = Process(embedded, *lisbon(ANA))

    async def story() -> None:
        id, _ = await talks(process)
        process.time.move(61)
        assert await process.calls.sweep() == 1
        process.calls.happened(id, Ended(process.at))
        await process.calls.over(id)
        assert (await process.retold(id))[1]["outcome"] == "answered"

    process.run(story())


def test_the_keeping_of_calls_goes_on_whatever_fails(embedded: Company):
    process = Process(embedded, *lisbon(ANA))

    async def story() -> None:
        id, _ = await talks(process)
        failing = 0

        async def fails(*_: Any) -> None:
            nonlocal failing
            failing += 1
            raise ZeroDivisionError

        broken = pytest.MonkeyPatch()
        broken.setattr(process.reservations, "renew", fails)
        keeping = asyncio.create_task(process.calls.keep())
        for _ in range(int(RENEW_SECONDS) + 2):
            await process.settle()
            process.time.move(1)
        await process.settle()
        assert failing == 1
        broken.undo()
        for _ in range(50):
            await process.settle()
            process.time.move(1)
        assert process.held() == {"user:1": f"{id}*"}
        keeping.cancel()

    process.run(story())


def test_closing_hangs_up_all_calls_and_takes_no_more(company: Company):
    process = Process(company, *lisbon(ANA, BOB), *sales(ANA))

    async def story() -> None:
        talking, one = await talks(process)
        waiting, other = await process.rings(SALES)
        await process.settle()
        await process.calls.close()
        assert (one.kinds[-1], other.kinds[-1]) == ("Hangup", "Hangup")
        assert process.calls.live == 0
        assert process.held() == {}
        assert process.waiting() == []
        for id, outcome in ((talking, "answered"), (waiting, "abandoned")):
            assert (await process.retold(id))[1]["outcome"] == outcome
        with pytest.raises(Unavailable):
            await process.rings()

    process.run(story())


def test_closing_while_a_call_begins_leaves_nothing_behind(embedded: Company):
    process = Process(embedded, *lisbon(ANA))

    async def story() -> None:
        beginning = asyncio.create_task(process.rings())
        await asyncio.sleep(0)
        await process.calls.close()
        id, phone = await beginning
        assert phone.kinds[-1] == "Hangup"
        assert process.held() == {}
        await process.retold(id)

    process.run(story())


def test_whoever_gives_up_beginning_a_call_leaves_no_call_behind(embedded: Company):
    process = Process(embedded, *lisbon(ANA))

    async def story() -> None:
        beginning = asyncio.create_task(process.rings())
        await asyncio.sleep(0)
        beginning.cancel()
        await asyncio.gather(beginning, return_exceptions=True)
        while process.calls.live:
            await process.settle()
        assert process.held() == {}

    process.run(story())


# All of it together


def test_the_applications_own_calls_follow_what_is_changed_over_the_api(company: Company):
    calls, tenant, desk = company.desk.offhook.calls, company.tenant(), company.desk
    target = Target("office", company.office_ids["live"])
    ann, zoe = person(company, "Ann"), person(company, "Zoe")
    for one in (ann, zoe):
        assert company.live.patch(f"/api/v2/users/{one}", {"forwarding_numbers": ["+14155550123"]}).status == 200
        joined(company, one)
    first, second = Phone(), Phone()

    async def taken() -> int:
        id = await calls.begin(tenant, Incoming(BEGAN, target=target), first)
        assert who(await first.given(Ring)) == [f"user:{ann}"]
        calls.happened(id, Answered(BEGAN + 1_000, f"user:{ann}"))
        await first.given(Bridge)
        return id

    async def missed() -> list[str]:
        id = await calls.begin(tenant, Incoming(BEGAN + 2_000, target=target), second)
        await second.given(Gather)
        for call in (id, talking):
            calls.happened(call, HungUp(BEGAN + 3_000))
            await calls.over(call)
        answer = await company.live.sending("GET", f"/api/offhook/v1/calls/{id}/trace")
        return [one["text"] for one in answer.json["story"]]

    talking = desk.run(asyncio.wait_for(taken(), 20))
    assert company.live.patch(f"/api/v2/users/{zoe}/togglednd", {"do_not_disturb": True}).status == 200
    story = " ".join(desk.run(asyncio.wait_for(missed(), 20)))
    assert "Not rung: Zoe (does not want to be disturbed)" in story
    assert "Ann is in a call" in story
