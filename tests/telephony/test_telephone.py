"""What becomes of each verb on the legs of a worker that the test plays."""

import asyncio

import msgspec
import pytest

from offhook.calls.legs.model import Seen
from offhook.directory.lines.model import Target
from offhook.routing import plan
from offhook.telephony import port, telephone
from offhook.telephony.telephone import ELSEWHERE
from tests.telephony.scripted import CALLER, TWO, Told, leg, prompt, run

WAITS = plan.Reserve(Target("office", 1), "fixedorder", ("user:1",), (100,), 1, 1, seconds=20)


def test_the_first_to_answer_has_the_call_and_the_others_are_told_so():
    async def story(one: Told) -> None:
        await one.do(TWO)
        assert one.commands[0] == port.Ring(CALLER)
        first, second = one.told(port.Dial)
        assert (first.address, second.address, first.number) == (("10.0.0.1", 5060), ("10.0.0.4", 5060), "+14155550100")
        await one.say(port.Progress(second.leg, 180))
        await one.say(port.Up(second.leg))
        assert one.told(port.Drop) == [port.Drop(first.leg, reason=ELSEWHERE)]
        assert one.passed() == [plan.Answered(0, "user:2")]
        await one.do(plan.Bridge("user:2"))
        assert one.told(port.Answer) == [port.Answer(CALLER)]
        await one.say(port.Up(CALLER))
        assert one.told(port.Connect) == [port.Connect(CALLER, second.leg)]
        await one.say(port.Down(leg=first.leg, code=487, ours=True))
        assert one.passed() == []
        await one.say(port.Down(leg=second.leg))
        assert one.passed() == [plan.Ended(0)]

    run(story)


def test_who_lets_it_ring_is_rung_for_their_time_and_no_longer():
    async def story(one: Told) -> None:
        await one.do(TWO)
        dialled = [dial.leg for dial in one.told(port.Dial)]
        await one.later(19.9)
        assert one.passed() == []
        await one.later(0.1)
        assert [drop.leg for drop in one.told(port.Drop)] == dialled
        assert one.passed() == [plan.NotAnswered(0)]

    run(story)


def test_a_number_to_which_somebody_has_calls_forwarded_is_no_telephone_of_theirs():
    async def story(one: Told) -> None:
        await one.do(plan.Ring("parallel", (leg("user:1", numbers=("+14155550142",)),), 20))
        [dial] = one.told(port.Dial)
        await one.say(port.Up(dial.leg))
        assert one.seen == [Seen(at=0, who="user:1", device="", what="answered")]

    run(story)


def test_one_is_rung_behind_the_other():
    async def story(one: Told) -> None:
        await one.do(plan.Ring("serial", (leg("user:1", "desk"), leg("user:2", "nowhere"), leg("user:3", "hall")), 10))
        [first] = one.told(port.Dial)
        await one.later(10)
        assert one.commands[-2] == port.Drop(first.leg)
        [third] = one.told(port.Dial)
        await one.say(port.Down(leg=third.leg, code=486, cause="busy"))
        assert one.passed() == [plan.NotAnswered(0, {"user:2": "unreachable", "user:3": "busy"})]

    run(story)


@pytest.mark.parametrize(
    ("code", "why"), [(486, "busy"), (600, "busy"), (603, "declined"), (404, "unreachable"), (408, "unreachable")]
)
def test_why_nobody_answered_is_told_once_all_have_refused(code: int, why: plan.Missed):
    async def story(one: Told) -> None:
        await one.do(plan.Ring("parallel", (leg("user:1", "two"),), 20))
        first, second = one.told(port.Dial)
        await one.say(port.Down(leg=first.leg, code=code))
        assert one.passed() == []
        await one.say(port.Down(leg=second.leg, code=code))
        assert one.passed() == [plan.NotAnswered(0, {"user:1": why})]

    run(story)


def test_a_caller_who_leaves_is_rung_for_no_more():
    async def story(one: Told) -> None:
        await one.do(TWO)
        dialled = [dial.leg for dial in one.told(port.Dial)]
        await one.say(port.Down(leg=CALLER, code=487))
        assert [drop.leg for drop in one.told(port.Drop)] == dialled
        assert one.passed() == [plan.HungUp(0)]
        await one.say(port.Up(dialled[0]))
        assert one.passed() == []

    run(story)


def test_who_answered_and_left_before_being_connected_has_ended_the_call():
    async def story(one: Told) -> None:
        await one.do(plan.Ring("parallel", (leg("user:1", "desk"),), 20))
        [dial] = one.told(port.Dial)
        await one.say(port.Up(dial.leg))
        await one.say(port.Down(leg=dial.leg))
        assert one.passed() == [plan.Answered(0, "user:1")]
        await one.do(plan.Bridge("user:1"))
        assert one.passed() == [plan.Ended(0)]

    run(story)


def test_all_that_is_to_be_said_is_heard_to_its_end_before_what_follows():
    async def story(one: Told) -> None:
        await one.answered()
        await one.do(plan.Play(prompt("welcome")), plan.Play(prompt("recorded")), WAITS)
        said: list[str] = []
        for again in (TWO, TWO):
            # Whatever is to be done next, and if it is told twice.
            await one.do(again)
            [played] = one.told(port.Play)
            said += played.files
            assert one.told(port.Dial) == []
            await one.say(port.Played(CALLER, played.token))
        assert said == ["/sounds/welcome", "/sounds/recorded"]
        assert len(one.told(port.Dial)) == 2

    run(story)


def test_what_is_said_waits_until_the_caller_knows_that_the_call_was_taken():
    async def story(one: Told) -> None:
        await one.do(plan.Answer(), plan.Play(prompt("recorded")), WAITS)
        await one.do(TWO)
        assert [type(command).__name__ for command in one.commands] == ["Answer"]
        await one.say(port.Up(CALLER))
        [played] = one.told(port.Play)
        assert one.told(port.Dial) == []
        await one.say(port.Played(CALLER, played.token))
        assert len(one.told(port.Dial)) == 2

    run(story)


def test_it_says_when_it_comes_to_a_verb():
    async def story(one: Told) -> None:
        await one.answered()
        await one.do(plan.Play(prompt("welcome")), plan.Play(prompt("recorded")), WAITS)
        coming = asyncio.ensure_future(one.telephone.comes_to(WAITS))
        for _ in range(2):
            await one.settled()
            assert not coming.done()
            [played] = one.told(port.Play)
            await one.say(port.Played(CALLER, played.token))
        await one.settled()
        assert coming.done()
        # Also where it was there before it was asked.
        await asyncio.wait_for(one.telephone.comes_to(WAITS), 5)
        # Never to what others took the place of.
        never = asyncio.ensure_future(one.telephone.comes_to(msgspec.structs.replace(WAITS)))
        await one.do(TWO)
        assert not never.done()
        never.cancel()

    run(story)


def test_hanging_up_waits_for_nothing():
    async def story(one: Told) -> None:
        await one.answered()
        await one.do(plan.Play(prompt("long")))
        await one.do(plan.Hangup("limit"))
        assert one.told(port.Drop) == [port.Drop(CALLER, 503)]

    run(story)


def test_a_goodbye_comes_behind_all_that_was_to_be_said():
    async def story(one: Told) -> None:
        await one.do(plan.Answer(), plan.Play(prompt("welcome")), WAITS)
        await one.do(plan.Play(prompt("goodbye")), plan.Hangup())
        await one.say(port.Up(CALLER))
        for text in ("welcome", "goodbye"):
            assert one.told(port.Drop) == []
            played = [each for each in one.commands if isinstance(each, port.Play)][-1]
            assert played.files == (f"/sounds/{text}",)
            await one.say(port.Played(CALLER, played.token))
        assert one.told(port.Drop) == [port.Drop(CALLER, 480)]

    run(story)


def test_help_that_is_asked_for_when_the_call_is_over_is_told_not_to_be_called():
    async def story(one: Told) -> None:
        await one.answered()
        await one.do(TWO)
        assert one.telephone.hang_up()
        one.passed()
        await one.do(plan.Transfer("911", "", emergency=True))
        assert one.passed() == [plan.HungUp(0, "it was over before a carrier was called")]

    run(story)


@pytest.mark.parametrize("verb", [msgspec.structs.replace(WAITS, keys="*"), msgspec.structs.replace(TWO, keys="*")])
def test_the_key_that_leaves_a_queue_is_told_once_also_while_somebody_is_rung(verb: plan.Verb):
    async def story(one: Told) -> None:
        await one.answered()
        await one.do(verb)
        for key in "5**":
            await one.say(port.Key(CALLER, key))
        assert one.passed() == [plan.Pressed(0, "*")]
        dialled = [dial.leg for dial in one.told(port.Dial)]
        await one.do(plan.Voicemail(Target("office", 5), prompt("greeting"), 180))
        assert [drop.leg for drop in one.told(port.Drop)] == dialled

    run(story)


def test_who_waits_on_hears_the_same_music_without_a_break():
    async def story(one: Told) -> None:
        await one.answered()
        hold = msgspec.structs.replace(WAITS, hear="hold_music", music="jazz")
        for verb in (
            hold,
            msgspec.structs.replace(hold, seconds=60),
            msgspec.structs.replace(TWO, hear="hold_music", music="jazz"),
        ):
            await one.do(verb)
        assert [played.files for played in one.told(port.Play)] == [("/sounds/jazz",)]
        await one.do(plan.Play(prompt("place")), hold)
        await one.say(port.Played(CALLER, one.told(port.Play)[0].token))
        assert [played.files for played in one.told(port.Play)] == [("/sounds/jazz",)]

    run(story)


def test_a_carrier_behind_one_that_was_heard_is_heard_to_ring():
    async def story(one: Told) -> None:
        await one.do(plan.Transfer("+14155550123", "+14155550100", country="PT"))
        [first] = one.told(port.Dial)
        await one.say(port.Progress(first.leg, 183))
        assert one.told(port.Connect) == [port.Connect(CALLER, first.leg)]
        await one.say(port.Down(leg=first.leg, code=503))
        [played] = one.told(port.Play)
        assert (played.leg, played.files, played.times) == (CALLER, ("/sounds/ringback-PT",), 0)

    run(story)


def test_who_was_answered_already_hears_what_a_network_says():
    async def story(one: Told) -> None:
        await one.answered()
        await one.do(plan.Transfer("+14155550123", "+14155550100"))
        [dial] = one.told(port.Dial)
        await one.say(port.Progress(dial.leg, 183))
        assert one.told(port.Connect) == [port.Connect(CALLER, dial.leg)]
        assert one.told(port.Ring) == []

    run(story)


def test_a_prompt_whose_end_is_never_told_holds_no_call(monkeypatch: pytest.MonkeyPatch):
    async def story(one: Told) -> None:
        monkeypatch.setattr(telephone, "LATE", 0.01)
        await one.answered()
        await one.do(plan.Play(prompt("recorded")), plan.Answer(), TWO)
        assert one.told(port.Dial) == []
        async with asyncio.timeout(5):
            await one.until(lambda: any(isinstance(each, port.Dial) for each in one.commands))

    run(story)


@pytest.mark.parametrize(
    ("cause", "ours", "told"),
    [
        ("left", False, plan.HungUp(0)),
        (port.DIED, False, plan.HungUp(0, port.DIED, lost=True)),
        (port.CUT, True, plan.HungUp(0, port.CUT, lost=True)),
        ("sound stopped", True, plan.HungUp(0, "nothing was heard of the caller any more")),
        ("never acknowledged", False, plan.HungUp(0, "the caller never acknowledged the answer")),
        ("ended", True, plan.HungUp(0, "the server stopped")),
    ],
)
def test_what_cut_a_caller_off_is_told(cause: str, ours: bool, told: plan.HungUp):
    async def story(one: Told) -> None:
        await one.answered()
        await one.do(TWO)
        await one.say(port.Down(leg=CALLER, cause=cause, ours=ours))
        assert one.passed() == [told]

    run(story)


def test_a_fault_that_ends_the_other_side_is_told_as_one():
    async def story(one: Told) -> None:
        await one.do(TWO)
        first, _ = one.told(port.Dial)
        await one.say(port.Up(first.leg))
        await one.do(plan.Bridge("user:1"))
        await one.say(port.Up(CALLER))
        await one.say(port.Down(leg=first.leg, cause=port.CUT, ours=True))
        assert one.passed() == [plan.Answered(0, "user:1"), plan.Ended(0, fault=port.CUT)]

    run(story)


def test_which_telephone_rang_and_which_took_the_call_is_seen():
    async def story(one: Told) -> None:
        await one.do(TWO)
        first, second = one.told(port.Dial)
        await one.say(port.Progress(second.leg, 180))
        await one.say(port.Up(first.leg))
        assert one.seen == [
            Seen(at=0, who="user:2", device="hall", what="rang"),
            Seen(at=0, who="user:1", device="desk", what="answered"),
        ]

    run(story)


def test_who_is_put_on_hold_hears_music_until_the_other_is_back():
    async def story(one: Told) -> None:
        await one.answered()
        await one.do(plan.Ring("parallel", (leg("user:1", "desk"),), 20))
        dial = one.told(port.Dial)[0]
        await one.say(port.Up(dial.leg))
        await one.do(plan.Bridge("user:1"))
        await one.say(port.Held(dial.leg, True))
        assert [(one_.leg, one_.times) for one_ in one.told(port.Play)[-1:]] == [(CALLER, 0)]
        await one.say(port.Held(dial.leg, False))
        assert one.told(port.Connect) == [port.Connect(CALLER, dial.leg)]

    run(story)


def test_a_worker_that_dies_ends_the_call():
    async def story(one: Told) -> None:
        await one.answered()
        await one.do(TWO)
        for dial in one.told(port.Dial):
            await one.say(port.Down(leg=dial.leg, cause="the telephone process ended"))
        await one.say(port.Down(leg=CALLER, cause="the telephone process ended"))
        assert one.passed()[-1] == plan.HungUp(0, port.DIED, lost=True)

    run(story)


def test_a_caller_who_left_before_anything_was_decided_has_hung_up():
    async def story(one: Told) -> None:
        await one.say(port.Down(leg=CALLER, code=487))
        assert one.passed() == []
        await one.do(TWO)
        assert one.passed() == [plan.HungUp(0)]
        assert one.commands == []

    run(story)


def test_prompts_that_are_beeps_to_the_caller_are_told_whatever_verb_plays_them():
    async def story(one: Told) -> None:
        await one.answered()
        for text in ("unspoken menu", "recorded menu"):
            await one.do(plan.Gather(prompt(text), 1, 5, "menu"))
            await one.say(port.Key(CALLER, "1"))
        await one.do(plan.Voicemail(Target("office", 5), prompt("unspoken greeting"), 180))
        assert one.beeped == [(CALLER, "unspoken menu"), (CALLER, "unspoken greeting")]

    run(story)
