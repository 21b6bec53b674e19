"""Messages that are left, and calls that are recorded, by a worker that the test plays."""

import pytest
from structlog.testing import capture_logs

from offhook.calls.legs.wishes import Granted, HangUp, Taping
from offhook.routing import plan
from offhook.telephony import port
from offhook.telephony.worker import wav
from tests.telephony.scripted import BOX, CALLER, TWO, Told, leg, prompt, run


def test_a_pound_that_was_pressed_before_a_message_does_not_end_it():
    async def story(one: Told) -> None:
        await one.answered()
        await one.do(plan.Voicemail(BOX, prompt("greeting"), 180))
        await one.say(port.Key(CALLER, "#"))
        for _ in range(2):
            await one.say(port.Played(CALLER, one.told(port.Play)[0].token))
        assert one.told(port.StopRecording) == []
        await one.say(port.Key(CALLER, "#"))
        assert one.told(port.StopRecording) == [port.StopRecording(CALLER)]
        await one.say(port.Recorded(leg=CALLER, path="/tapes/office-5", seconds=1.0))

    run(story)


def test_a_message_is_kept_whole_when_the_caller_just_hangs_up():
    async def story(one: Told) -> None:
        await one.do(plan.Answer(), plan.Voicemail(BOX, prompt("greeting"), 180))
        await one.say(port.Up(CALLER))
        await one.say(port.Played(CALLER, one.told(port.Play)[0].token))
        await one.say(port.Played(CALLER, one.told(port.Play)[0].token))
        [record] = one.told(port.Record)
        assert (record.path, record.both) == ("/tapes/office-5", False)
        await one.say(port.Recorded(leg=CALLER, path=record.path, seconds=4.2))
        await one.say(port.Down(leg=CALLER))
        assert one.tapes == [("/tapes/office-5", 4.2)]
        assert one.passed() == [plan.Recorded(0, 4), plan.HungUp(0)]

    run(story)


def test_a_message_is_kept_although_the_caller_left_before_it_was_whole():
    async def story(one: Told) -> None:
        await one.answered()
        await one.greeted()
        await one.say(port.Down(leg=CALLER))
        await one.say(port.Recorded(leg=CALLER, path="/tapes/office-5", seconds=3.0))
        assert one.tapes == [("/tapes/office-5", 3.0)]
        assert one.passed() == [plan.Recorded(0, 3), plan.HungUp(0)]

    run(story)


def test_a_message_ends_by_a_key_or_when_it_is_too_long():
    async def story(one: Told) -> None:
        await one.answered()
        await one.greeted()
        await one.say(port.Key(CALLER, "1"))
        assert one.told(port.StopRecording) == []
        await one.later(180)
        assert one.told(port.StopRecording) == [port.StopRecording(CALLER)]
        await one.say(port.Recorded(leg=CALLER, path="/tapes/office-5", seconds=180.0))
        assert one.passed() == [plan.Recorded(0, 180)]

    run(story)


def test_a_call_that_is_recorded_is_so_once_it_is_answered():
    async def story(one: Told) -> None:
        await one.do(plan.Answer(), plan.Play(prompt("this call is recorded")), plan.Record(), TWO)
        await one.say(port.Up(CALLER))
        await one.say(port.Played(CALLER, one.told(port.Play)[0].token))
        dials = one.told(port.Dial)
        await one.say(port.Up(dials[0].leg))
        await one.do(plan.Bridge("user:1"))
        assert [(record.path, record.both) for record in one.told(port.Record)] == [("/tapes/call", True)]
        await one.say(port.Recorded(leg=CALLER, path="/tapes/call", seconds=60.0))
        assert one.tapes == [("/tapes/call", 60.0)]
        assert (one.taping, one.on_tape) == (["/tapes/call"], {"/tapes/call": ["user:1"]})

    run(story)


def test_a_message_that_was_cut_off_is_left_to_be_found():
    async def story(one: Told) -> None:
        await one.answered()
        await one.greeted()
        await one.say(port.Down(leg=CALLER))
        await one.say(port.Recorded(leg=CALLER, path="/tapes/office-5", seconds=0, fault="it was cut off"))
        assert one.tapes == []
        assert one.passed() == [plan.HungUp(0)]

    run(story)


def test_a_message_of_less_than_a_second_is_one():
    async def story(one: Told) -> None:
        await one.answered()
        await one.greeted()
        await one.say(port.Recorded(leg=CALLER, path="/tapes/office-5", seconds=0.3))
        assert one.passed() == [plan.Recorded(0, 1)]

    run(story)


def test_a_message_that_cannot_be_kept_now_holds_no_call(monkeypatch: pytest.MonkeyPatch):
    async def story(one: Told) -> None:
        async def kept(*_: object) -> None:
            raise RuntimeError("a fault of ours")

        monkeypatch.setattr(one, "message_left", kept)
        await one.answered()
        await one.greeted()
        await one.say(port.Down(leg=CALLER))
        await one.say(port.Recorded(leg=CALLER, path="/tapes/office-5", seconds=2.0))
        assert one.passed() == [plan.Recorded(0, 2), plan.HungUp(0)]

    run(story)


def test_recording_is_begun_and_ended_while_two_talk_each_time_on_a_tape_of_its_own():
    async def story(one: Told) -> None:
        assert (await one.telephone.grant(Taping(on=True))).refused == "Nobody talks yet."
        await one.do(TWO)
        await one.say(port.Up(one.told(port.Dial)[0].leg))
        await one.do(plan.Bridge("user:1"))
        await one.say(port.Up(CALLER))
        for on in (True, True, False, False, True):
            assert await one.telephone.grant(Taping(on=on)) == Granted()
        assert [record.path for record in one.told(port.Record)] == ["/tapes/call", "/tapes/call-2"]
        assert [one for one in one.commands if isinstance(one, port.StopRecording)] == [port.StopRecording(CALLER)]
        await one.say(port.Recorded(leg=CALLER, path="/tapes/call", seconds=5.0))
        await one.say(port.Down(leg=CALLER))
        await one.say(port.Recorded(leg=CALLER, path="/tapes/call-2", seconds=7.0))
        assert one.tapes == [("/tapes/call", 5.0), ("/tapes/call-2", 7.0)]
        assert (await one.telephone.grant(Taping(on=True))).refused == "The call is over."
        assert (await one.telephone.grant(HangUp())).refused
        asked = [event.on for event in one.passed() if isinstance(event, plan.Taped)]
        assert asked == [True, True, False, False, True]

    run(story)


def taped(one: Told) -> list[tuple[str, str]]:
    """What was done about recordings, in turn."""
    return [
        (type(told).__name__, told.path if isinstance(told, port.Record) else "")
        for told in one.commands
        if isinstance(told, port.Record | port.StopRecording)
    ]


async def _parks(one: Told) -> None:
    """Two talk, and the call is put on park."""
    await one.do(TWO)
    await one.say(port.Up(one.told(port.Dial)[0].leg))
    await one.do(plan.Record(), plan.Bridge("user:1"))
    await one.say(port.Up(CALLER))
    assert taped(one) == [("Record", "/tapes/call")]
    await one.do(plan.Park(300, "d1"))


async def _unparks(one: Told, *verbs: plan.Verb) -> None:
    """Somebody else takes it off."""
    one.told(port.Dial)
    await one.do(plan.Ring("parallel", (leg("user:2", "hall"),), 30, "hold_music", music="d1"))
    await one.say(port.Up(one.told(port.Dial)[0].leg))
    await one.do(*verbs, plan.Bridge("user:2"))


@pytest.mark.parametrize("verbs", [(), (plan.Record(),)])
def test_nothing_is_recorded_while_a_call_is_on_park_and_it_is_recorded_again_once_two_talk(verbs: tuple[plan.Verb]):
    async def story(one: Told) -> None:
        await _parks(one)
        stopped = [("Record", "/tapes/call"), ("StopRecording", "")]
        assert taped(one) == stopped
        await one.say(port.Recorded(leg=CALLER, path="/tapes/call", seconds=5.0))
        await _unparks(one, *verbs)
        assert taped(one) == [*stopped, ("Record", "/tapes/call-2")]
        await one.say(port.Down(leg=CALLER))
        await one.say(port.Recorded(leg=CALLER, path="/tapes/call-2", seconds=7.0))
        assert one.tapes == [("/tapes/call", 5.0), ("/tapes/call-2", 7.0)]
        assert one.on_tape == {"/tapes/call": ["user:1"], "/tapes/call-2": ["user:2"]}

    run(story)


@pytest.mark.parametrize("verbs", [(), (plan.Record(),)])
@pytest.mark.parametrize(("wishes", "again"), [((False,), False), ((False, True), True), ((True,), True)])
def test_recording_that_is_switched_on_park_is_so_from_when_two_talk(
    wishes: tuple[bool, ...], again: bool, verbs: tuple[plan.Verb]
):
    async def story(one: Told) -> None:
        await _parks(one)
        for on in wishes:
            assert await one.telephone.grant(Taping(on=on)) == Granted()
        assert len(taped(one)) == 2
        await _unparks(one, *verbs)
        assert len(taped(one)) == 2 + again

    run(story)


@pytest.mark.parametrize("fault", ["the disk does not keep up", wav.TOO_LONG])
def test_what_there_is_of_a_recording_that_is_not_whole_is_kept_and_told(fault: str):
    async def some(one: Told) -> None:
        await _parks(one)
        with capture_logs() as logs:
            await one.say(port.Recorded(leg=CALLER, path="/tapes/call", seconds=5.0, fault=fault))
        assert [(told["event"], told["cause"]) for told in logs] == [("recording_cut_off", fault)]
        assert one.tapes == [("/tapes/call", 5.0)]

    async def nothing(one: Told) -> None:
        await _parks(one)
        await one.say(port.Recorded(leg=CALLER, path="/tapes/call", seconds=0, fault="No space left on device"))
        assert one.tapes == []

    async def message(one: Told) -> None:
        await one.answered()
        await one.greeted()
        await one.say(port.Down(leg=CALLER))
        with capture_logs() as logs:
            await one.say(port.Recorded(leg=CALLER, path="/tapes/office-5", seconds=3.0, fault=fault))
        assert [(told["event"], told["cause"]) for told in logs] == [("message_not_recorded", fault)]
        assert one.tapes == [("/tapes/office-5", 3.0)]
        assert one.passed() == [plan.Recorded(0, 3), plan.HungUp(0)]

    for story in (some, nothing, message):
        run(story)


def test_nothing_else_is_recorded_while_a_message_is_left():
    async def story(one: Told) -> None:
        await one.answered()
        await one.greeted()
        assert await one.telephone.grant(Taping(on=True)) == Granted(
            refused="A message is being left: it is kept as that."
        )
        assert len(one.told(port.Record)) == 1
        await one.say(port.Recorded(leg=CALLER, path="/tapes/office-5", seconds=1.0))

    run(story)


def test_a_call_goes_on_where_nothing_can_be_recorded():
    async def story(one: Told) -> None:
        def full(tenant_id: int, call_id: int) -> str:
            raise OSError(28, "No space left on device")

        one.new_recording = full  # type: ignore[method-assign]
        await one.answered()
        await one.do(plan.Ring("parallel", (leg("user:1", "desk"),), 20))
        [dial] = one.told(port.Dial)
        await one.say(port.Up(dial.leg))
        one.passed()
        with capture_logs() as logs:
            await one.do(plan.Record(), plan.Bridge("user:1"))
        assert [line["event"] for line in logs] == ["recording_not_begun"]
        assert one.told(port.Connect) == [port.Connect(CALLER, dial.leg)]
        assert one.passed() == []

    run(story)
