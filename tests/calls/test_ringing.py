"""Live calls: who rings, who gets the call, and who is free again."""

import asyncio
from typing import Any

from offhook.calls.call import Parts
from offhook.calls.session import Calls
from offhook.routing.model import Choice
from offhook.routing.plan import (
    Answered,
    Bridge,
    Ended,
    Gather,
    HungUp,
    Incoming,
    NotAnswered,
    Pressed,
    Recorded,
    Release,
    Reserve,
    Reserved,
    Ring,
    Verb,
    Voicemail,
)
from tests.api.desk import Company
from tests.calls.scripted import (
    ANA,
    BOB,
    CALLER,
    CYD,
    LISBON,
    SALES,
    TURNS,
    Phone,
    Process,
    lisbon,
    nothing_said,
    sales,
    talks,
    who,
)
from tests.routing.companies import routing


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
        # Their place is taken before they are asked to hold.
        assert (await phone.given(Reserve)).seconds == 0
        assert (await phone.given(Reserve)).seconds > 0
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


def test_who_is_rung_for_a_caller_that_leaves_the_queue_by_its_key_is_so_no_more(company: Company):
    process = Process(company, *sales(ANA, open=routing("menu", keys={"1": Choice("voicemail")})))

    async def story() -> None:
        first, _ = await talks(process, SALES)
        second, phone = await process.rings(SALES)
        await process.settle()
        process.calls.happened(first, Ended(process.at))
        await process.calls.over(first)
        await phone.given(Ring)
        assert process.calls.leg_of(second, "user:1")
        process.calls.happened(second, Pressed(process.at, "*"))
        await phone.given(Gather)
        await process.settle()
        assert (process.held(), process.calls.leg_of(second, "user:1")) == ({}, 0)
        assert "left_by_key" in [
            reason["code"] for step in (await process.told(second))["steps"] for reason in step["reasons"]
        ]

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


class Pacing(Phone):
    """A telephone that says how far it is."""

    def __init__(self) -> None:
        super().__init__()
        self.there = asyncio.Event()
        self.saying = False

    @property
    def tells(self) -> bool:
        return self.saying

    async def comes_to(self, verb: Verb) -> None:
        assert verb in self.verbs
        await self.there.wait()


def test_nobody_is_reserved_before_the_caller_has_heard_what_comes_first(company: Company):
    process = Process(company, *lisbon(ANA, record=True))

    async def story() -> None:
        phone = Pacing()
        id = await process.calls.begin(process.tenant, Incoming(process.at, CALLER, target=LISBON), phone)
        await phone.given(Reserve)
        await process.settle()
        assert phone.kinds == ["Answer", "Play", "Reserve"]
        assert process.held() == {}
        phone.there.set()
        await phone.given(Ring)
        assert process.held() == {"user:1": f"{id}"}
        process.calls.happened(id, HungUp(process.at))
        await process.calls.over(id)
        assert process.held() == {}

    process.run(story())


def test_nobody_is_reserved_while_something_of_before_is_still_to_be_said(company: Company):
    process = Process(company, *lisbon(ANA))

    async def story() -> None:
        phone = Pacing()
        phone.saying = True
        id = await process.calls.begin(process.tenant, Incoming(process.at, CALLER, target=LISBON), phone)
        await phone.given(Reserve)
        await process.settle()
        assert (phone.kinds, process.held()) == (["Reserve"], {})
        phone.there.set()
        await phone.given(Ring)
        process.calls.happened(id, HungUp(process.at))
        await process.calls.over(id)

    process.run(story())


def test_nobody_is_reserved_for_a_caller_who_leaves_while_they_are_told_something(company: Company):
    process = Process(company, *lisbon(ANA, record=True))

    async def story() -> None:
        phone = Pacing()
        id = await process.calls.begin(process.tenant, Incoming(process.at, CALLER, target=LISBON), phone)
        await phone.given(Reserve)
        process.calls.happened(id, HungUp(process.at))
        await process.calls.over(id)
        phone.there.set()
        await process.settle()
        assert (process.held(), process.waiting()) == ({}, [])
        _, answer = await process.retold(id)
        assert answer["outcome"] == "abandoned"

    process.run(story())
