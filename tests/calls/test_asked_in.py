"""Who is asked into a call is reserved for it like all who are rung: by one call, and not while they are in one."""

import asyncio

from offhook.directory.lines.model import Target
from offhook.routing.plan import CameIn, HungUp, Invite, Invited, Ring, StayedOut, Voicemail
from tests.api.desk import Company
from tests.calls.scripted import ANA, BOB, CYD, Process, lisbon, talks

BOBS = Target("user", 2)


def test_who_is_rung_to_come_in_is_rung_by_no_other_call(embedded: Company):
    process = Process(embedded, *lisbon(ANA), BOB)

    async def story() -> None:
        id, phone = await talks(process)
        step = await process.calls.decided(id, Invited(process.at, target=BOBS))
        assert step is not None
        assert [type(verb) for verb in step.verbs] == [Invite]
        assert phone.kinds[-1] == "Invite"
        await process.settle()
        assert process.held() == {"user:1": f"{id}*", "user:2": f"{id}"}
        _, other = await process.rings(BOBS)
        await other.given(Voicemail)
        assert "Ring" not in other.kinds
        process.calls.happened(id, StayedOut(process.at, "user:2"))
        await process.settle()
        assert process.held() == {"user:1": f"{id}*"}
        third, again = await process.rings(BOBS)
        await again.given(Ring)
        process.calls.happened(third, HungUp(process.at))
        await process.calls.over(third)

    process.run(story())


def test_who_is_in_another_call_is_not_rung_and_who_asks_is_told(embedded: Company):
    process = Process(embedded, *lisbon(ANA), BOB, CYD)

    async def story() -> None:
        id, phone = await talks(process)
        busy, _ = await process.dials("user:2", "+14155550123")
        await process.settle()
        step = await process.calls.decided(id, Invited(process.at, target=BOBS))
        assert step is not None
        assert step.verbs == ()
        assert [reason.text for reason in step.reasons] == ["Bob Stone is in a call."]
        assert "Invite" not in phone.kinds
        process.calls.happened(busy, HungUp(process.at))
        await process.calls.over(busy)
        # The two talk on, and may ask again.
        step = await process.calls.decided(id, Invited(process.at, target=BOBS))
        assert step is not None
        assert [type(verb) for verb in step.verbs] == [Invite]
        process.calls.happened(id, CameIn(process.at, "user:2", "user:2"))
        await process.settle()
        assert process.held() == {"user:1": f"{id}*", "user:2": f"{id}*"}
        process.calls.happened(id, HungUp(process.at))
        await process.calls.over(id)
        await process.settle()
        assert process.held() == {}

    process.run(story())


def test_a_call_that_ends_while_somebody_is_asked_in_keeps_nobody(embedded: Company):
    process = Process(embedded, *lisbon(ANA), BOB)

    async def story() -> None:
        id, _ = await talks(process)
        process.calls.happened(id, Invited(process.at, target=BOBS))
        process.calls.happened(id, HungUp(process.at))
        await process.calls.over(id)
        await process.settle()
        assert process.held() == {}

    process.run(story())


def test_nobody_asks_for_people_any_more_once_the_call_is_over(embedded: Company):
    process = Process(embedded, *lisbon(ANA), BOB)

    async def story() -> None:
        id, _ = await talks(process)
        call = process.calls.find(id)
        assert call is not None
        process.store.hanging = True
        process.calls.happened(id, Invited(process.at, target=BOBS))
        while not call._inviting:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await process.settle()
        process.store.hanging = False
        process.calls.happened(id, HungUp(process.at))
        await process.calls.over(id)
        await process.settle()
        assert [task.cancelled() for task, _ in call._inviting.values()] == [True]

    process.run(story())


def test_whom_the_store_cannot_reserve_is_not_rung(embedded: Company):
    process = Process(embedded, *lisbon(ANA), BOB)

    async def story() -> None:
        id, phone = await talks(process)
        process.store.away = True
        step = await process.calls.decided(id, Invited(process.at, target=BOBS))
        assert step is not None
        assert "Invite" not in phone.kinds
        assert [reason.code for reason in step.reasons] == ["invite_refused"]
        assert phone.kinds[-1] == "Bridge"

    process.run(story())
