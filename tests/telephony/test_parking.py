"""A call is parked and taken off again, on the legs of a worker that the test plays."""

import asyncio

from offhook.calls.legs.wishes import OVER, Granted, TransferTo, Unpark
from offhook.directory.lines.model import Target
from offhook.routing import plan
from offhook.telephony import port
from tests.telephony.scripted import CALLER, LEGS, Told, leg, run, step

PARK = plan.Park(300, "d1")
TAKES = plan.Reserve(Target("user", 2), "simultaneous", ("user:2",), (100,), 1, 0, hear="hold_music")
RINGS = plan.Ring("parallel", (leg("user:2", "hall"),), 30, "hold_music", music="d1")


async def talks(one: Told) -> port.Dial:
    await one.answered()
    await one.do(plan.Ring("parallel", (leg("user:1", "desk"),), 20))
    [dial] = one.told(port.Dial)
    await one.say(port.Up(dial.leg))
    await one.do(plan.Bridge("user:1", music="d1"))
    one.passed()
    one.told(port.Connect)
    return dial


async def parked(one: Told) -> port.Dial:
    dial = await talks(one)
    one.steps = [step(PARK)]
    assert await one.telephone.grant(TransferTo(leg_id=LEGS["user:1"], state="parked")) == Granted()
    await one.settled()
    return dial


def test_who_parks_a_call_is_let_go_and_the_caller_hears_the_lines_music_until_it_is_over():
    async def story(one: Told) -> None:
        dial = await parked(one)
        assert one.passed() == [plan.Parked(0)]
        assert one.commands[-2:] == [
            port.Drop(dial.leg), port.Play(leg=CALLER, token=2, files=("/sounds/d1",), times=0)
        ]  # fmt: skip
        await one.later(299)
        assert one.passed() == []
        await one.later(1)
        assert one.passed() == [plan.ParkOver(0)]

    run(story)


def test_it_is_told_whose_wish_it_was():
    async def story(one: Told) -> None:
        await talks(one)
        one.steps = [step(because="Only who was called can do that.")]
        refused = await one.telephone.grant(TransferTo(leg_id=77, state="parked"))
        assert refused == Granted(refused="Only who was called can do that.")
        assert one.passed() == [plan.Parked(0, caller=True)]
        there = await one.telephone.grant(TransferTo(leg_id=77, state="parked", number="+14155550123"))
        assert "send no `to`" in there.refused

    run(story)


def test_who_takes_it_off_is_rung_and_connected():
    async def story(one: Told) -> None:
        await parked(one)
        one.steps = [step(TAKES)]
        wish = asyncio.ensure_future(one.telephone.grant(Unpark(user_id=2)))
        await one.settled()
        assert one.passed()[-1] == plan.Unparked(0, "user:2")
        assert not wish.done()
        await one.do(RINGS)
        assert await wish == Granted(call_id=LEGS["user:2"])
        [dial] = one.told(port.Dial)
        await one.say(port.Up(dial.leg))
        await one.do(plan.Bridge("user:2"))
        assert one.told(port.Connect) == [port.Connect(CALLER, dial.leg)]
        await one.later(400)
        assert one.passed() == [plan.Answered(0, "user:2")]

    run(story)


def test_who_cannot_be_rung_is_told_so():
    async def story(one: Told) -> None:
        await parked(one)
        one.steps = [step(because="Bob has no telephone."), step(TAKES), None]
        assert (await one.telephone.grant(Unpark(user_id=2))).refused == "Bob has no telephone."
        wish = asyncio.ensure_future(one.telephone.grant(Unpark(user_id=2)))
        await one.settled()
        await one.do(PARK)
        assert "stays on park" in (await wish).refused
        assert (await one.telephone.grant(Unpark(user_id=2))).refused == "The call is over."

    run(story)


def test_a_second_one_who_would_take_it_hears_that_somebody_is_rung_and_the_first_what_came_of_it():
    async def story(one: Told) -> None:
        await parked(one)
        one.steps = [step(TAKES)]
        first = asyncio.ensure_future(one.telephone.grant(Unpark(user_id=2)))
        await one.settled()
        assert "just rung" in (await one.telephone.grant(Unpark(user_id=1))).refused
        await one.do(RINGS)
        assert await first == Granted(call_id=LEGS["user:2"])
        one.steps = [step(because="Bob has no telephone.")]
        assert (await one.telephone.grant(Unpark(user_id=2))).refused == "Bob has no telephone."

    run(story)


def test_who_would_take_a_call_that_ends_meanwhile_is_told_so_at_once():
    async def story(one: Told) -> None:
        await parked(one)
        one.steps = [step(TAKES)]
        asking = asyncio.ensure_future(one.telephone.grant(Unpark(user_id=2)))
        await one.settled()
        await one.say(port.Down(leg=CALLER))
        assert asking.done()
        assert await asking == OVER

    run(story)


def test_a_caller_who_leaves_while_parked_has_hung_up():
    async def story(one: Told) -> None:
        await parked(one)
        one.passed()
        await one.say(port.Down(leg=CALLER))
        assert one.passed() == [plan.HungUp(0)]

    run(story)


def test_a_recording_that_is_not_there_yet_is_not_played_over_who_came_meanwhile():
    async def story(one: Told) -> None:
        one.fetching["d1"] = asyncio.get_running_loop().create_future()
        await parked(one)
        one.told(port.Play)
        await one.do(RINGS)
        await one.say(port.Up(one.told(port.Dial)[0].leg))
        await one.do(plan.Bridge("user:2"))
        one.fetching["d1"].set_result(None)
        await one.settled()
        assert one.told(port.Play) == []

    run(story)


def test_who_waits_hears_the_ringback_of_the_country_and_whom_the_other_holds_the_lines_music():
    async def story(one: Told) -> None:
        await one.answered()
        await one.do(plan.Ring("parallel", (leg("user:1", "desk"),), 20, country="GB"))
        assert one.told(port.Play)[-1].files == ("/sounds/ringback-GB",)

    async def held(one: Told) -> None:
        dial = await talks(one)
        await one.say(port.Held(dial.leg, True))
        assert [(told.leg, told.files) for told in one.told(port.Play)[-1:]] == [(CALLER, ("/sounds/d1",))]
        await one.say(port.Held(dial.leg, False))
        assert one.told(port.Connect) == [port.Connect(CALLER, dial.leg)]

    run(story)
    run(held)
