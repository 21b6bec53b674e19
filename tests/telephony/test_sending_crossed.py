"""What crosses a call's being sent on: a second wish, and whoever leaves in the moment of it."""

import asyncio

import pytest

from offhook.calls.legs.wishes import Add, TransferTo
from offhook.kit.errors import Unavailable
from offhook.routing import plan
from offhook.telephony import port
from offhook.telephony.telephone import Telephone
from tests.telephony.scripted import CALL, CALLER, TENANT
from tests.telephony.test_sending import (
    ANA,
    BOB,
    CYD,
    NUMBER,
    SECOND,
    SECOND_CALLER,
    Two,
    consulted,
    moved,
    played,
)

HANDS_ON = plan.HandOn(BOB, plan.Transferred(0, ANA, "103", party=BOB))


async def bob_is_called(one: Two) -> tuple[Telephone, int]:
    """Ana has called Bob and is about to hand him on: the telephone of that call, and his leg."""
    second = one.phone(SECOND_CALLER, ANA, "102")
    return second, await one.talk_too(second, BOB)


async def handed_on(one: Two, second: Telephone) -> None:
    """Ana asks for it, and it is decided so."""
    await one.refers(SECOND_CALLER, "103")
    await one.decided(HANDS_ON, telephone=second, call=SECOND)


def test_of_two_who_ask_in_the_same_moment_the_first_is_let_go_and_the_other_refused():
    async def story(one: Two) -> None:
        second, bob = await bob_is_called(one)
        one._heard[bob](port.Referred(leg=bob, target="103"))
        await one.refers(SECOND_CALLER, "104")
        assert moved(one) == [port.Refer(leg=SECOND_CALLER, code=603)]
        assert one.heard(SECOND) == [plan.Transferred(0, BOB, "103")]
        await one.decided(plan.LetGo(BOB), plan.Transfer(NUMBER), telephone=second, call=SECOND)
        assert moved(one)[:3] == [port.Part(SECOND_CALLER), port.Refer(leg=bob, code=202), port.Part(bob)]
        second.do(SECOND, (plan.Hangup(),))
        await second.over()

    played(story)


def test_a_caller_who_leaves_right_behind_the_wish_has_hung_up_and_nothing_is_asked():
    async def story(one: Two) -> None:
        ana = await one.talk()
        one._heard[ana](port.Referred(leg=ana, target="102"))
        await one.say(port.Down(leg=CALLER))
        assert one.heard() == [plan.HungUp(0)]
        assert one.telephone.sending._asked is None, "nobody waits for what is never decided"

    played(story)


def test_who_hangs_up_their_other_call_right_behind_the_wish_has_connected_the_two():
    async def story(one: Two) -> None:
        ana, bob, _ = await consulted(one)
        one._heard[ana](port.Referred(leg=ana, target="102", replaces=SECOND_CALLER))
        await one.say(port.Down(leg=SECOND_CALLER))
        assert one.heard() == [plan.Joined(0, ANA, BOB, str(SECOND))]
        await one.decided(plan.LetGo(ANA), plan.Bridge(BOB))
        assert one.commands[-1] == port.Connect(CALLER, bob)
        assert one.heard(SECOND) == [plan.Handed(0, str(CALL))]

    played(story)


def test_a_third_who_leaves_right_behind_the_wish_is_not_rung_again():
    async def story(one: Two) -> None:
        ana, bob, _ = await consulted(one)
        one._heard[ana](port.Referred(leg=ana, target="102", replaces=SECOND_CALLER))
        await one.say(port.Down(leg=bob))
        assert port.Refer(leg=ana, code=403) in one.commands
        assert one.heard() == []
        assert one.heard(SECOND) == [plan.Ended(0)]

    played(story)


@pytest.mark.parametrize("again", ["telephone", "api"])
def test_what_is_just_handed_on_is_neither_sent_on_again_nor_parked(again: str):
    async def story(one: Two) -> None:
        second, bob = await bob_is_called(one)
        await one.refers(SECOND_CALLER, "103")
        second.do(SECOND, (HANDS_ON,))
        if again == "telephone":
            for _ in range(5):
                second.heard(port.Referred(leg=SECOND_CALLER, target="104"))
                await asyncio.sleep(0)
        else:
            wishes = TransferTo(leg_id=1, number=NUMBER), TransferTo(leg_id=1, state="parked"), Add(number=NUMBER)
            for wish in wishes:
                assert (await second.grant(wish)).refused == "The call is just being sent on."
        await one.settled()
        assert [made.caller for _, made in one.begun] == [bob]
        assert one.heard(SECOND) == [plan.Transferred(0, ANA, "103"), plan.Handed(0, "99")]

    played(story)


def test_who_is_handed_on_and_leaves_while_their_name_is_looked_up_is_missed_by_nobody():
    async def story(one: Two) -> None:
        second, bob = await bob_is_called(one)
        one.naming = asyncio.get_running_loop().create_future()
        await handed_on(one, second)
        await one.say(port.Down(leg=bob))
        one.naming.set_result(None)
        await one.settled()
        assert one.begun == []
        assert one.heard(SECOND)[1:] == [plan.Ended(0)]
        await one.decided(plan.Hangup(), telephone=second, call=SECOND)

    played(story)


def test_somebody_whose_name_cannot_be_read_is_handed_on_all_the_same():
    async def story(one: Two) -> None:
        second, bob = await bob_is_called(one)
        one.naming = asyncio.get_running_loop().create_future()
        one.naming.set_exception(Unavailable("The store is away."))
        await handed_on(one, second)
        assert [made.caller for _, made in one.begun] == [bob]

    played(story)


def test_who_leaves_while_a_call_cannot_begin_has_hung_up_on_the_other_side():
    async def story(one: Two) -> None:
        one.refuses = True
        second, bob = await bob_is_called(one)
        one.beginning = asyncio.get_running_loop().create_future()
        await handed_on(one, second)
        await one.say(port.Down(leg=SECOND_CALLER))
        one.beginning.set_result(None)
        await one.settled()
        assert one.heard(SECOND)[1:] == [plan.HungUp(0)]
        assert moved(one)[-1] == port.Drop(bob, reason="")
        await second.over()

    played(story)


def test_who_connects_two_whom_they_called_and_hangs_both_up_at_once_has_not_hung_up_on_them():
    async def story(one: Two) -> None:
        one.telephone = one.phone(CALLER, ANA, "102")
        await one.talk(BOB)
        second = one.phone(SECOND_CALLER, ANA, "103")
        await one.talk_too(second, CYD)
        one.naming = asyncio.get_running_loop().create_future()
        await one.refers(CALLER, "103", SECOND_CALLER)
        await one.say(port.Down(leg=SECOND_CALLER))
        one.naming.set_result(None)
        await one.settled()
        assert len(one.begun) == 1
        assert (one.heard(), one.heard(SECOND)) == ([plan.Handed(0, "99")], [plan.Handed(0, "99")])

    played(story)


def test_two_that_cannot_be_connected_by_a_fault_of_ours_are_held_by_nothing():
    async def story(one: Two) -> None:
        one.telephone = one.phone(CALLER, ANA, "102")
        await one.talk(BOB)
        second = one.phone(SECOND_CALLER, ANA, "103")
        await one.talk_too(second, CYD)
        one.naming = asyncio.get_running_loop().create_future()
        one.naming.set_exception(RuntimeError("a fault of ours"))
        await one.refers(CALLER, "103", SECOND_CALLER)
        assert not one.telephone.sending.busy
        assert not second.sending.busy
        await one.say(port.Down(leg=SECOND_CALLER))
        assert one.heard(SECOND) == [plan.HungUp(0)]

    played(story)


def test_a_wish_of_two_calls_that_is_given_up_holds_neither():
    async def story(one: Two) -> None:
        await consulted(one)
        asking = asyncio.ensure_future(one.telephone.grant(TransferTo(leg_id=1, call_id=SECOND)))
        await one.settled()
        asking.cancel()
        await one.settled()
        second = one.house.exchange.of_call(TENANT, SECOND)
        assert second is not None
        assert not one.telephone.sending.busy
        assert not second.sending.busy
        await one.say(port.Down(leg=SECOND_CALLER))
        assert one.heard(SECOND) == [plan.HungUp(0)]

    played(story)


@pytest.mark.parametrize("both_called", [False, True])
def test_who_left_while_a_call_of_their_own_could_not_begin_has_left_all_the_same(both_called: bool):
    async def story(one: Two) -> None:
        one.refuses = True
        if both_called:
            one.telephone = one.phone(CALLER, ANA, "102")
            bob = await one.talk(BOB)
            second = one.phone(SECOND_CALLER, ANA, "103")
            await one.talk_too(second, CYD)
        else:
            second, bob = await bob_is_called(one)
        one.beginning = asyncio.get_running_loop().create_future()
        if both_called:
            await one.refers(CALLER, "103", SECOND_CALLER)
        else:
            await handed_on(one, second)
        # It is told to the call that was to begin, and by then to nobody else.
        await one.say(port.Down(leg=bob))
        one.beginning.set_result(None)
        await one.settled()
        assert (one.heard() if both_called else one.heard(SECOND))[-1:] == [plan.Ended(0)]
        second.do(SECOND, (plan.Hangup(),))
        await second.over()

    played(story)


@pytest.mark.parametrize("leaves", ["other side", "caller", "both, by an API"])
def test_who_is_to_come_out_of_a_call_that_ends_meanwhile_is_gone_for_the_other_call_too(leaves: str):
    async def story(one: Two) -> None:
        if leaves == "caller":
            ana, second = await one.talk(), one.phone(SECOND_CALLER, CYD, "101")
            goes, who = SECOND_CALLER, CYD
            await one.refers(ana, "103", await one.talk_too(second, ANA))
        else:
            ana, goes, second = await consulted(one)
            who = BOB
            await one.refers(ana, "102", SECOND_CALLER)
        if leaves == "both, by an API":
            assert second.hang_up()
            await one.say(port.Down(leg=SECOND_CALLER, ours=True))
        await one.say(port.Down(leg=goes))
        one.heard()
        # It was decided before that was known.
        await one.decided(plan.LetGo(ANA), plan.Bridge(who))
        assert plan.Ended(0) in one.heard()

    played(story)
