"""What crosses on the way, comes twice, too late or never, with a whole server behind it: calls end as they should."""

import asyncio

import pytest

from offhook.calls.call import Call
from offhook.routing.plan import Event, Joined
from offhook.routing.trace import Step
from tests.scenarios.stage import V2
from tests.telephony.faults.stage import MUSIC, TONE, Line, Stage, within
from tests.telephony.worker.peers import sound

SALES, SUPPORT, BOX = (
    "department Head office/Sales", "callcenter Head office/Support", "department Head office/Box",
)  # fmt: skip


async def two_ring(stage: Stage) -> tuple[Line, Line, Line]:
    """Somebody calls Sales, and both of its people are rung."""
    caller = stage.call(SALES)
    ann, bob = [await stage.desks[who].called() for who in ("ann", "bob")]
    await caller.gets("180 INVITE")
    return caller, ann, bob


async def ends(stage: Stage, outcome: str) -> None:
    record = await stage.record()
    assert record.outcome == outcome, record.texts
    await stage.empty()


def test_two_answer_at_once_and_one_has_the_call(stage: Stage) -> None:
    async def story() -> None:
        caller, ann, bob = await two_ring(stage)
        ann.answer()
        bob.answer()
        await within(caller.up)
        done, _ = await asyncio.wait(
            [asyncio.ensure_future(one.down.wait()) for one in (ann, bob)], return_when=asyncio.FIRST_COMPLETED
        )
        assert len(done) == 1
        loser, winner = (ann, bob) if ann.down.is_set() else (bob, ann)
        assert [what for what in loser.whats if what != "CANCEL"] in (["ACK", "BYE"], ["BYE", "ACK"])
        await stage.connected(caller, winner)
        assert [what for what in caller.whats if what == "200 INVITE"] == ["200 INVITE"]
        winner.hang_up()
        await within(caller.down)
        await ends(stage, "answered")

    stage.play(story())


def test_the_loser_answers_as_it_is_cancelled(stage: Stage) -> None:
    async def story() -> None:
        caller, ann, bob = await two_ring(stage)
        ann.obeys = False
        bob.answer()
        cancel = await ann.gets("CANCEL")
        assert cancel["reason"] == 'SIP;cause=200;text="Call completed elsewhere"'
        # It had taken the call before it read that.
        ann.say(200, sound=True)
        await ann.gets("ACK")
        await ann.gets("BYE")
        await stage.connected(caller, bob)
        caller.hang_up()
        await within(bob.down)
        await ends(stage, "answered")

    stage.play(story())


def test_a_second_200_of_a_fork_is_ended_and_the_call_goes_on(stage: Stage) -> None:
    async def story() -> None:
        caller, ann, bob = await two_ring(stage)
        bob.answer()
        await within(caller.up, bob.up, ann.down)
        bob.say(200, sound=True, tag="fork")
        assert (await bob.gets("ACK", 2)).to_tag == "fork"
        assert (await bob.gets("BYE")).to_tag == "fork"
        await stage.connected(caller, bob)
        caller.hang_up()
        await bob.gets("BYE", 2)
        await ends(stage, "answered")

    stage.play(story())


def test_a_lost_ack_is_sent_again_to_each_200(stage: Stage) -> None:
    async def story() -> None:
        caller, ann, bob = await two_ring(stage)
        bob.answer()
        await within(caller.up, bob.up, ann.down)
        for number in (2, 3):
            bob.answer_again()
            await bob.gets("ACK", number)
        await stage.connected(caller, bob)
        assert "BYE" not in bob.whats
        caller.hang_up()
        await within(bob.down)
        await ends(stage, "answered")

    stage.play(story())


def test_an_invite_that_comes_again_rings_nobody_twice(stage: Stage) -> None:
    async def story() -> None:
        caller, ann, bob = await two_ring(stage)
        caller.invite_once_more()
        await caller.gets("180 INVITE", 2)
        bob.answer()
        await within(caller.up, bob.up, ann.down)
        caller.invite_once_more()
        await stage.outside.known()
        assert stage.desks["bob"].calls.empty()
        assert len(await stage.ids_under_way()) == 1
        caller.hang_up()
        await within(bob.down)
        await ends(stage, "answered")

    stage.play(story())


def test_a_caller_who_never_acknowledges_hears_our_200_again(stage: Stage) -> None:
    async def story() -> None:
        caller = stage.call(SALES)
        caller.acknowledges = False
        bob = await stage.desks["bob"].called()
        bob.answer()
        await caller.gets("200 INVITE", 3)
        caller.acknowledge()
        await stage.connected(caller, bob)
        caller.hang_up()
        await within(bob.down)
        await ends(stage, "answered")

    stage.play(story())


@pytest.mark.long
def test_a_caller_who_never_acknowledges_at_all_is_cut_off(stage: Stage) -> None:
    async def story() -> None:
        caller = stage.call(SALES)
        caller.acknowledges = False
        bob = await stage.desks["bob"].called()
        bob.answer()
        async with asyncio.timeout(45):
            await bob.down.wait()
        record = await stage.record()
        assert record.texts[-1] == "The call was cut off after the talk: the caller never acknowledged the answer."
        await stage.empty()

    stage.play(story())


@pytest.mark.long
def test_an_answer_after_the_time_is_over_disturbs_no_message(stage: Stage) -> None:
    async def story() -> None:
        caller = stage.call("user bob@example.com")
        bob = await stage.desks["bob"].called()
        bob.obeys = False
        # A person rings for 30 s, which are 3 here; then their voicemail takes the message.
        cancel = await bob.gets("CANCEL")
        assert cancel["reason"] == ""
        bob.say(200, sound=True)
        await bob.gets("ACK")
        await bob.gets("BYE")
        await caller.hears(TONE)
        await stage.recorded()
        caller.press("#")
        await within(caller.down)
        record = await stage.record()
        assert record.outcome == "voicemail"
        [message] = await stage.tapes("voicemails", record.id)
        assert message["target_id"] == stage.ids["user bob@example.com"]
        await stage.empty()

    stage.play(story())


@pytest.mark.long
def test_a_telephone_that_dies_while_it_rings_holds_up_nobody(stage: Stage) -> None:
    async def story() -> None:
        caller = stage.call("user bobby@example.com")
        bobby = await stage.desks["bobby"].called()
        stage.desks["bobby"].deaf = True
        await caller.hears(TONE)
        await stage.recorded()
        caller.hang_up()
        record = await stage.record()
        assert record.outcome == "voicemail"
        await stage.empty()
        stage.desks["bobby"].deaf = False
        assert "CANCEL" not in bobby.whats

    stage.play(story())


def test_who_is_put_on_hold_hears_music_and_then_the_other_again(stage: Stage) -> None:
    async def story() -> None:
        caller, _, bob = await two_ring(stage)
        bob.answer()
        await stage.connected(caller, bob)
        bob.invite_again("sendonly")
        await bob.gets("200 INVITE")
        await caller.hears(MUSIC)
        bob.invite_again("sendrecv")
        await bob.gets("200 INVITE", 2)
        await caller.hears(bob.voice)
        caller.hang_up()
        await within(bob.down)
        await ends(stage, "answered")

    stage.play(story())


def test_a_caller_who_offers_nothing_is_offered_something(stage: Stage) -> None:
    async def story() -> None:
        caller = stage.outside.calls_number(stage.numbers[SALES], offers=False)
        bob = await stage.desks["bob"].called()
        bob.answer()
        assert b"m=audio" in (await caller.gets("200 INVITE")).body
        await stage.connected(caller, bob)
        caller.hang_up()
        await within(bob.down)
        await ends(stage, "answered")

    stage.play(story())


def test_a_caller_without_sound_is_refused_and_no_call(stage: Stage) -> None:
    async def story() -> None:
        for body in (
            sound(("127.0.0.1", 9)).replace(b"m=audio", b"m=video"),
            sound(("127.0.0.1", 9)).replace(b"m=audio 9 ", b"m=audio 0 "),
            b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n",
        ):
            caller = stage.outside.calls_number(stage.numbers[SALES], body=body)
            await within(caller.down)
            assert caller.code == 488
        assert await stage.ids_under_way() == []
        await stage.empty()

    stage.play(story())


def test_somebody_who_answers_without_sound_is_let_go_and_the_next_may_answer(stage: Stage) -> None:
    async def story() -> None:
        caller, ann, bob = await two_ring(stage)
        ann.say(200)
        await ann.gets("ACK")
        await ann.gets("BYE")
        bob.answer()
        await stage.connected(caller, bob)
        caller.hang_up()
        await within(bob.down)
        await ends(stage, "answered")

    stage.play(story())


def test_a_caller_of_whom_nothing_is_heard_any_more_is_cut_off(stage: Stage) -> None:
    async def story() -> None:
        caller, _, bob = await two_ring(stage)
        bob.answer()
        await stage.connected(caller, bob)
        caller.falls_silent()
        await within(caller.down, bob.down)
        record = await stage.record()
        assert record.outcome == "answered"
        assert record.texts[-1] == "The call was cut off after the talk: nothing was heard of the caller any more."
        await stage.empty()

    stage.play(story())


@pytest.mark.long
def test_somebody_who_was_called_and_falls_silent_ends_the_call(stage: Stage) -> None:
    async def story() -> None:
        caller, _, bob = await two_ring(stage)
        bob.answer()
        await stage.connected(caller, bob)
        bob.falls_silent()
        await within(bob.down, caller.down)
        await ends(stage, "answered")

    stage.play(story())


def test_a_user_who_takes_a_call_that_was_placed_and_hangs_up_at_once_leaves_nothing(stage: Stage) -> None:
    async def story() -> None:
        body = {"user_id": stage.ids["user ann@example.com"], "phone_number": "+14155550142"}
        await stage.ask("POST", f"{V2}/call", body)
        ann = await stage.desks["ann"].called()
        ann.answer()
        ann.hang_up()
        await within(ann.down)
        await stage.empty()

    stage.play(story())


def test_a_call_that_is_hung_up_while_its_sides_are_connected_with_others_ends_for_them(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    deciding, decided = asyncio.Event(), asyncio.Event()
    taken = Call._step

    async def slowly(self: Call, event: Event) -> Step | None:
        if isinstance(event, Joined):
            deciding.set()
            await decided.wait()
        return await taken(self, event)

    monkeypatch.setattr(Call, "_step", slowly)

    async def story() -> None:
        caller = stage.call("user ann@example.com")
        ann = await stage.desks["ann"].called()
        ann.answer()
        await stage.connected(caller, ann)
        asking = stage.desks["ann"].calls_number("102")
        bob = await stage.desks["bob"].called()
        bob.answer()
        await stage.connected(asking, bob)
        consulting = (await stage.ids_under_way())[0]
        ann.refer("102", asking)
        await within(deciding)
        await stage.ask("PUT", f"{V2}/call/{consulting}/actions/hangup")
        await within(bob.down)
        decided.set()
        await within(caller.down)
        await stage.empty()

    stage.play(story())
