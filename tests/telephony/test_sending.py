"""What becomes of the legs when a call is sent on, on a worker that the test plays; what is decided the test says."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from weakref import ref

import msgspec
import pytest
from structlog.testing import capture_logs

from offhook.calls.legs.wishes import Granted, TransferTo
from offhook.directory.lines.model import Target
from offhook.kit.errors import Unavailable
from offhook.routing import plan
from offhook.telephony import port, sending
from offhook.telephony.exchange import Exchange
from offhook.telephony.telephone import Telephone
from tests.telephony.scripted import CALL, CALLER, TENANT, Told, gone, leg, prompt, step

SECOND, SECOND_CALLER = 78, 3
"""Another call, and the leg of its caller."""

ANA, BOB, CYD = "user:1", "user:2", "user:3"
NUMBER = "+14155550123"


class Two(Told):
    """A call and, where it is begun, a second one; and calls that come of them."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[tuple[plan.First, Telephone]] = []
        self.refuses = False
        self.left: list[int] = []
        self.naming: asyncio.Future[None] | None = None
        """Until which nobody's name is known."""
        self.beginning: asyncio.Future[None] | None = None
        """Until which no call begins."""
        self.of: dict[int, list[plan.Event]] = {}
        self.house = replace(self.telephone._house, exchange=Exchange(self, self._named))
        self.telephone = self.phone(CALLER, "", "")

    def let_go(self, leg: int) -> None:
        self.left.append(leg)

    async def _named(self, tenant_id: int, who: str) -> tuple[str, str]:
        if self.naming is not None:
            await self.naming
        return f"10{who[-1]}", who

    def phone(self, caller: int, who: str, dialled: str) -> Telephone:
        made = Telephone(self.house, TENANT, caller, ("+14155550100", "Zoe"), who=who, dialled=dialled)
        self._heard[caller] = made.heard
        return made

    def _happened(self, call_id: int, event: plan.Event) -> bool:
        self.of.setdefault(call_id, []).append(msgspec.structs.replace(event, at=0))
        return True

    def heard(self, call_id: int = CALL) -> list[plan.Event]:
        """What a call told, since this was asked last."""
        return self.of.pop(call_id, [])

    # Calls

    async def begin(self, tenant_id: int, first: plan.First, telephone: Telephone) -> int:
        assert tenant_id == TENANT
        if self.beginning is not None:
            await self.beginning
        if self.refuses:
            raise Unavailable("The server is stopping.")
        self.begun.append((msgspec.structs.replace(first, at=0), telephone))
        return 99

    async def over(self, id: int) -> None:
        return None

    # The test's side

    async def talk(self, who: str = ANA, device: str = "desk") -> int:
        """The caller talks with somebody; their leg."""
        return await self._talk(self.telephone, CALL, CALLER, who, device)

    async def talk_too(self, telephone: Telephone, who: str, device: str = "hall") -> int:
        """The caller of the second call talks with somebody."""
        return await self._talk(telephone, SECOND, SECOND_CALLER, who, device)

    async def _talk(self, telephone: Telephone, id: int, caller: int, who: str, device: str) -> int:
        numbers = () if ":" in who else (who,)
        devices = (device,) if ":" in who else ()
        telephone.do(id, (plan.Ring("parallel", (leg(who, *devices, numbers=numbers),), 20),))
        await self.settled()
        [dial] = self.told(port.Dial)
        await self.say(port.Up(dial.leg))
        telephone.do(id, (plan.Bridge(who),))
        await self.settled()
        await self.say(port.Up(caller))
        self.told(port.Connect)
        self.of.clear()
        return dial.leg

    async def refers(self, leg: int, target: str = "102", replaces: int = 0) -> None:
        await self.say(port.Referred(leg=leg, target=target, replaces=replaces))

    async def decided(self, *verbs: plan.Verb, telephone: Telephone | None = None, call: int = CALL) -> None:
        (telephone or self.telephone).do(call, verbs)
        await self.settled()


def played(story: Callable[[Two], Awaitable[None]]) -> None:
    async def told() -> list["ref[Telephone]"]:
        one = Two()
        await story(one)
        for telephone in [one.telephone, *(made for _, made in one.begun)]:
            telephone.do(telephone.call_id or CALL, (plan.Hangup(),))
            async with asyncio.timeout(5):
                await telephone.over()
            assert one.house.exchange.of_call(TENANT, telephone.call_id) is not telephone
        await one.settled()
        left = [ref(made) for _, made in one.begun]
        one.begun.clear()
        one.naming = None
        return left + one.let_all_go()

    gone(told)


def moved(one: Two) -> Sequence[port.Command]:
    """What was told of legs, but for sound."""
    kinds = port.Refer | port.Drop | port.Connect | port.Part
    found = [command for command in one.commands[one._seen :] if isinstance(command, kinds)]
    one._seen = len(one.commands)
    return found


def test_who_sends_the_call_on_hears_how_it_goes_and_is_let_go():
    async def story(one: Two) -> None:
        ana = await one.talk()
        await one.refers(ana, "102;x=<y>")
        assert one.heard() == [plan.Transferred(0, ANA, "102")]
        assert moved(one) == [], "it is not decided"
        await one.decided(plan.LetGo(ANA), plan.Ring("parallel", (leg(BOB, "hall"),), 20))
        assert moved(one) == [port.Part(CALLER), port.Refer(leg=ana, code=202), port.Part(ana)]
        [dial] = [command for command in one.commands if isinstance(command, port.Dial)][1:]
        await one.say(port.Up(dial.leg))
        assert moved(one) == [port.Refer(leg=ana, code=200), port.Drop(ana)]
        assert one.heard() == [plan.Answered(0, BOB)]
        await one.decided(plan.Bridge(BOB))
        assert moved(one) == [port.Connect(CALLER, dial.leg)]
        await one.say(port.Down(leg=ana))
        assert one.heard() == [], "who sent it is in the call no more"
        await one.say(port.Down(leg=dial.leg))
        assert one.heard() == [plan.Ended(0)]

    played(story)


def test_who_sends_the_call_on_to_the_code_parks_it_and_is_told_so_before_they_are_let_go():
    async def story(one: Two) -> None:
        ana = await one.talk()
        one.steps = [step(because="More than two are in the call."), step(plan.Park(300))]
        await one.refers(ana, "*68")
        assert moved(one) == [port.Refer(leg=ana, code=403)]
        await one.refers(ana, "*68")
        assert one.heard() == [plan.Parked(0), plan.Parked(0)]
        assert moved(one) == [
            port.Refer(leg=ana, code=202), port.Part(ana), port.Refer(leg=ana, code=200), port.Drop(ana)
        ]  # fmt: skip
        await one.later(300)
        assert one.heard() == [plan.ParkOver(0)]

    played(story)


def test_a_number_outside_is_called_and_its_answer_told():
    async def story(one: Two) -> None:
        ana = await one.talk()
        await one.refers(ana, NUMBER)
        await one.decided(plan.LetGo(ANA), plan.Transfer(NUMBER, "+14155550199"))
        [dial] = one.told(port.Dial)
        await one.say(port.Up(dial.leg))
        assert port.Refer(leg=ana, code=200) in one.commands
        assert port.Connect(CALLER, dial.leg) in one.commands
        assert one.heard()[1:] == [plan.Answered(0, NUMBER)]

    played(story)


def test_who_is_refused_talks_on():
    async def story(one: Two) -> None:
        ana = await one.talk()
        with capture_logs() as logs:
            for cause, code in (("forbidden", 403), ("unallocated", 404)):
                await one.refers(ana)
                await one.decided(plan.Deny("Not there.", cause))  # type: ignore[arg-type]
                assert moved(one) == [port.Refer(leg=ana, code=code)]
        assert [(told["event"], told["by"], told["cause"]) for told in logs] == [
            ("transfer_denied", ANA, "Not there.")
        ] * 2
        one.heard()
        await one.say(port.Down(leg=ana))
        assert one.heard() == [plan.Ended(0)]

    played(story)


@pytest.mark.parametrize(
    ("verb", "code"),
    [(plan.CameBack(ANA), 480), (plan.Voicemail(Target("user", 2), prompt("greeting"), 180), 200),
     (plan.Gather(prompt("menu"), 1, 5, "menu"), 200)],
)  # fmt: skip
def test_what_the_house_does_itself_is_told_too(verb: plan.Verb, code: int):
    async def story(one: Two) -> None:
        ana = await one.talk()
        await one.refers(ana)
        await one.decided(plan.LetGo(ANA), verb)
        assert moved(one)[-2:] == [port.Refer(leg=ana, code=code), port.Drop(ana)]

    played(story)


def test_a_caller_who_leaves_while_it_rings_ends_what_was_told_of_it():
    async def story(one: Two) -> None:
        ana = await one.talk()
        await one.refers(ana)
        await one.decided(plan.LetGo(ANA), plan.Ring("parallel", (leg(BOB, "hall"),), 20))
        await one.say(port.Down(leg=CALLER))
        assert port.Refer(leg=ana, code=487) in one.commands
        assert one.heard()[-1] == plan.HungUp(0)

    played(story)


def test_nobody_is_kept_for_longer_than_they_are_told_anything():
    async def story(one: Two) -> None:
        ana = await one.talk()
        await one.refers(ana)
        await one.decided(plan.LetGo(ANA), plan.Reserve(Target("office", 5), "random", (), (), 1, 0, seconds=900))
        await one.later(sending.LONGEST_SENDING - 1)
        assert port.Drop(ana) not in one.commands
        await one.later(1)
        assert port.Drop(ana) in one.commands

    played(story)


def test_who_hangs_up_right_after_asking_has_sent_the_call_on_all_the_same():
    async def story(one: Two) -> None:
        ana = await one.talk()
        await one.refers(ana)
        await one.say(port.Down(leg=ana))
        assert one.heard() == [plan.Transferred(0, ANA, "102")]
        await one.decided(plan.LetGo(ANA), plan.Ring("parallel", (leg(BOB, "hall"),), 20))
        assert one.heard() == []
        await one.say(port.Up(one.told(port.Dial)[-1].leg))
        assert one.heard() == [plan.Answered(0, BOB)]
        assert one.left == [], "whose leg is over is told so, and not held"

    played(story)


def test_who_hangs_up_right_after_asking_and_was_refused_has_hung_up():
    async def story(one: Two) -> None:
        ana = await one.talk()
        await one.refers(ana)
        await one.say(port.Down(leg=ana))
        await one.decided(plan.Deny("No."))
        assert one.heard()[1:] == [plan.Ended(0)]

    played(story)


def test_callers_from_outside_and_numbers_outside_send_nobody_on():
    async def story(one: Two) -> None:
        number = await one.talk(NUMBER)
        for leg_ in (CALLER, number):
            await one.refers(leg_)
            assert moved(one) == [port.Refer(leg=leg_, code=603)]
        assert one.heard() == []

    played(story)


def test_nobody_is_sent_on_before_they_talk_and_no_call_for_help_is():
    async def story(one: Two) -> None:
        helped = one.phone(SECOND_CALLER, ANA, "911")
        helped.do(SECOND, (plan.Transfer("911", emergency=True),))
        await one.settled()
        [dial] = one.told(port.Dial)
        await one.refers(SECOND_CALLER)
        await one.say(port.Up(dial.leg))
        await one.say(port.Up(SECOND_CALLER))
        await one.refers(SECOND_CALLER)
        refused = [command for command in one.commands if isinstance(command, port.Refer)]
        assert refused == [port.Refer(leg=SECOND_CALLER, code=603)] * 2
        assert "for help" in (await helped.grant(TransferTo(leg_id=1, number=NUMBER))).refused
        assert one.heard(SECOND) == [plan.CarrierCalled(0), plan.Answered(0, "911")]

    played(story)


def test_a_telephone_that_asks_over_and_over_is_not_listened_to(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sending, "MOST", 2)

    async def story(one: Two) -> None:
        ana = await one.talk()
        for code in (403, 403, 603):
            await one.refers(ana)
            await one.decided(plan.Deny("No."))
            assert moved(one) == [port.Refer(leg=ana, code=code)]

    played(story)


def test_an_api_that_asks_over_and_over_is_not_listened_to(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sending, "MOST", 1)

    async def story(one: Two) -> None:
        await one.talk()
        asking = asyncio.ensure_future(one.telephone.grant(TransferTo(leg_id=1, number=NUMBER)))
        await one.settled()
        await one.decided(plan.Deny("It is abroad."))
        assert (await asking).refused == "It is abroad."
        assert "1 times" in (await one.telephone.grant(TransferTo(leg_id=1, number=NUMBER))).refused
        assert len(one.heard()) == 1

    played(story)


def test_what_is_not_decided_in_time_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sending, "DECIDING_SECONDS", 0.01)

    async def story(one: Two) -> None:
        ana = await one.talk()
        await one.refers(ana)
        async with asyncio.timeout(5):
            while one.commands[-1] != port.Refer(leg=ana, code=403):
                await one._more.wait()
                one._more.clear()

    played(story)


def test_what_is_just_being_decided_is_waited_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sending, "DECIDING_SECONDS", 0.02)

    async def story(one: Two) -> None:
        asked = asyncio.Event()

        def withdraw(_call_id: int, event: plan.Event) -> bool:
            assert isinstance(event, plan.Transferred)
            monkeypatch.setattr(sending, "DECIDING_SECONDS", 30)
            asked.set()
            return False

        one.house = replace(one.house, withdraw=withdraw)
        one.telephone = one.phone(CALLER, "", "")
        ana = await one.talk()
        await one.refers(ana)
        await asked.wait()
        await one.decided(plan.LetGo(ANA), plan.Ring("parallel", (leg(BOB, "hall"),), 20))
        assert port.Refer(leg=ana, code=202) in moved(one)

    played(story)


def test_a_recording_ends_where_others_come_in():
    async def story(one: Two) -> None:
        await one.decided(plan.Record())
        ana = await one.talk()
        await one.refers(ana)
        await one.decided(plan.LetGo(ANA), plan.Transfer(NUMBER))
        assert port.StopRecording(CALLER) in one.commands
        await one.say(port.Recorded(leg=CALLER, path="/tapes/call", seconds=5.0))
        assert one.on_tape == {"/tapes/call": [ANA]}

    played(story)


# The other side goes on


def test_whom_somebody_called_and_sends_on_is_the_caller_of_a_call_of_its_own():
    async def story(one: Two) -> None:
        second = one.phone(SECOND_CALLER, ANA, "102")
        bob = await one.talk_too(second, BOB)
        await one.refers(SECOND_CALLER, "103")
        assert one.heard(SECOND) == [plan.Transferred(0, ANA, "103")]
        first = plan.Transferred(0, ANA, "103", party=BOB)
        await one.decided(plan.HandOn(BOB, first), telephone=second, call=SECOND)
        assert moved(one) == [port.Part(bob), port.Refer(leg=SECOND_CALLER, code=202), port.Part(SECOND_CALLER)]
        [(begun, made)] = one.begun
        assert (begun, made.caller, made.who) == (first, bob, BOB)
        assert one.heard(SECOND) == [plan.Handed(0, "99")]
        await second.over()
        await one.decided(plan.Ring("parallel", (leg(CYD, "desk"),), 20), telephone=made, call=99)
        [dial] = one.told(port.Dial)
        assert (dial.caller, dial.number, dial.display) == (bob, "102", BOB)
        await one.say(port.Up(dial.leg))
        assert port.Refer(leg=SECOND_CALLER, code=200) in one.commands
        await one.say(port.Down(leg=bob))
        assert one.heard(99) == [plan.Answered(0, CYD), plan.HungUp(0)]

    played(story)


def test_who_called_and_hangs_up_at_once_does_not_take_the_other_side_along():
    async def story(one: Two) -> None:
        second = one.phone(SECOND_CALLER, ANA, "102")
        bob = await one.talk_too(second, BOB)
        await one.refers(SECOND_CALLER, "103")
        await one.say(port.Down(leg=SECOND_CALLER))
        await one.decided(plan.HandOn(BOB, plan.Transferred(0, ANA, "103", party=BOB)), telephone=second, call=SECOND)
        assert one.heard(SECOND)[1:] == [plan.Handed(0, "99")]
        assert port.Drop(bob) not in one.commands

    played(story)


def test_a_call_that_cannot_begin_leaves_the_two_where_they_were():
    async def story(one: Two) -> None:
        one.refuses = True
        second = one.phone(SECOND_CALLER, ANA, "102")
        bob = await one.talk_too(second, BOB)
        await one.refers(SECOND_CALLER, "103")
        await one.decided(plan.HandOn(BOB, plan.Transferred(0, ANA, "103", party=BOB)), telephone=second, call=SECOND)
        assert moved(one)[-2:] == [port.Refer(leg=SECOND_CALLER, code=500), port.Connect(SECOND_CALLER, bob)]
        one.heard(SECOND)
        await one.say(port.Down(leg=SECOND_CALLER))
        assert one.heard(SECOND) == [plan.HungUp(0)]

    played(story)


# Two calls become one


async def consulted(one: Two, who: str = BOB) -> tuple[int, int, Telephone]:
    """A caller talks with Ana, who has called somebody to ask: their legs, and that call."""
    ana = await one.talk()
    second = one.phone(SECOND_CALLER, ANA, "102")
    return ana, await one.talk_too(second, who), second


@pytest.mark.parametrize("by", ["first", "second"])
def test_who_talks_with_two_connects_them_by_either_of_their_legs(by: str):
    async def story(one: Two) -> None:
        ana, bob, second = await consulted(one)
        await one.say(port.Held(ana, True))
        asks, replaced = (ana, SECOND_CALLER) if by == "first" else (SECOND_CALLER, ana)
        await one.refers(asks, "102", replaced)
        assert one.heard() == [plan.Joined(0, ANA, BOB, str(SECOND))]
        moved(one)
        await one.decided(plan.LetGo(ANA), plan.Bridge(BOB))
        told = moved(one)
        assert told[-3:] == [port.Refer(leg=asks, code=200), port.Drop(asks), port.Connect(CALLER, bob)]
        assert port.Refer(leg=asks, code=202) in told
        assert port.Drop(replaced) in told
        assert one.heard(SECOND) == [plan.Handed(0, str(CALL))]
        await second.over()
        await one.say(port.Held(bob, True))
        assert one.told(port.Play)[-1].leg == CALLER, "who came in holds as any other"
        await one.say(port.Down(leg=bob))
        assert one.heard() == [plan.Ended(0)]

    played(story)


def test_two_callers_are_connected_by_who_was_called_by_both():
    async def story(one: Two) -> None:
        ana = await one.talk()
        second = one.phone(SECOND_CALLER, CYD, "101")
        other = await one.talk_too(second, ANA)
        await one.refers(ana, "103", other)
        assert one.heard() == [plan.Joined(0, ANA, CYD, str(SECOND))]
        await one.decided(plan.LetGo(ANA), plan.Bridge(CYD))
        assert moved(one)[-1] == port.Connect(CALLER, SECOND_CALLER)
        assert port.Drop(other) in one.commands
        await one.say(port.Down(leg=SECOND_CALLER))
        assert one.heard() == [plan.Ended(0)]

    played(story)


def test_two_whom_somebody_called_have_a_call_of_their_own():
    async def story(one: Two) -> None:
        one.telephone = one.phone(CALLER, ANA, "102")
        bob = await one.talk(BOB)
        second = one.phone(SECOND_CALLER, ANA, "103")
        cyd = await one.talk_too(second, CYD)
        await one.refers(CALLER, "103", SECOND_CALLER)
        [(begun, made)] = one.begun
        assert begun == plan.Joined(0, ANA, CYD, str(SECOND), BOB)
        assert (one.heard(), one.heard(SECOND)) == ([plan.Handed(0, "99")], [plan.Handed(0, "99")])
        await one.decided(plan.Bridge(CYD), telephone=made, call=99)
        assert one.commands[-1] == port.Connect(bob, cyd)
        assert port.Refer(leg=CALLER, code=200) in one.commands
        assert port.Drop(SECOND_CALLER) in one.commands
        await one.say(port.Down(leg=cyd))
        assert one.heard(99) == [plan.Ended(0)]

    played(story)


def test_two_of_whom_one_is_suspended_are_not_connected_and_both_calls_go_on():
    async def story(one: Two) -> None:
        asked: list[tuple[str, ...]] = []

        async def kept_out(tenant_id: int, people: Collection[str]) -> str:
            assert tenant_id == TENANT
            asked.append(tuple(people))
            return "Cyd is suspended."

        one.house.exchange.kept_out = kept_out
        one.telephone = one.phone(CALLER, ANA, "102")
        await one.talk(BOB)
        second = one.phone(SECOND_CALLER, ANA, "103")
        await one.talk_too(second, CYD)
        moved(one)
        await one.refers(CALLER, "103", SECOND_CALLER)
        assert asked == [(ANA, BOB, CYD)]
        granted = await one.telephone.grant(TransferTo(leg_id=1, by=ANA, call_id=SECOND))
        assert granted.refused == "Cyd is suspended."
        assert one.begun == []
        assert moved(one) == [port.Refer(leg=CALLER, code=403)]
        assert not one.telephone.sending.busy
        assert not second.sending.busy
        second.do(SECOND, (plan.Hangup(),))
        await second.over()

    played(story)


def test_calls_of_others_are_not_connected():
    async def story(one: Two) -> None:
        ana = await one.talk()
        second = one.phone(SECOND_CALLER, CYD, "102")
        bob = await one.talk_too(second, BOB)
        for replaced in (SECOND_CALLER, bob, ana, CALLER, 999):
            moved(one)
            await one.refers(ana, "102", replaced)
            assert moved(one) == [port.Refer(leg=ana, code=403)]
        assert one.of == {}

    played(story)


def test_who_is_asked_and_still_rings_is_whom_the_call_is_sent_on_to():
    async def story(one: Two) -> None:
        ana = await one.talk()
        second = one.phone(SECOND_CALLER, ANA, "102")
        second.do(SECOND, (plan.Ring("parallel", (leg(BOB, "hall"),), 20),))
        await one.settled()
        await one.refers(ana, "", SECOND_CALLER)
        assert port.Drop(SECOND_CALLER, 487) in one.commands
        assert one.heard(SECOND) == [plan.HungUp(0)]
        assert one.heard() == [plan.Transferred(0, ANA, "102")]
        await one.decided(plan.Deny("No."))

    played(story)


def test_whom_somebody_just_rings_is_not_given_up_for_a_call_of_several_which_is_not_sent_on():
    async def story(one: Two) -> None:
        ana = await one.talk()
        second = one.phone(SECOND_CALLER, ANA, "102")
        second.do(SECOND, (plan.Ring("parallel", (leg(BOB, "hall"),), 20),))
        await one.decided(plan.Invite(CYD, (leg(CYD, "hall"),), 30))
        await one.refers(ana, "", SECOND_CALLER)
        assert port.Refer(leg=ana, code=403) in one.commands
        assert port.Drop(SECOND_CALLER, 487) not in one.commands
        second.do(SECOND, (plan.Hangup(),))
        await second.over()

    played(story)


def test_nobody_gives_up_what_a_colleague_is_just_ringing():
    async def story(one: Two) -> None:
        ana = await one.talk()
        second = one.phone(SECOND_CALLER, CYD, "102")
        second.do(SECOND, (plan.Ring("parallel", (leg(BOB, "hall"),), 20),))
        await one.settled()
        await one.refers(ana, "", SECOND_CALLER)
        assert moved(one) == [port.Refer(leg=ana, code=403)]
        assert one.of == {}

    played(story)


def test_a_caller_who_leaves_in_the_moment_of_it_leaves_the_other_call_as_it_was():
    async def story(one: Two) -> None:
        ana, bob, _ = await consulted(one)
        await one.refers(ana, "102", SECOND_CALLER)
        one.telephone.do(CALL, (plan.LetGo(ANA), plan.Bridge(BOB)))
        await one.say(port.Down(leg=CALLER))
        assert port.Drop(bob) not in one.commands
        await one.say(port.Down(leg=SECOND_CALLER))
        assert one.heard(SECOND) == [plan.HungUp(0)]

    played(story)


def test_two_that_are_refused_go_on():
    async def story(one: Two) -> None:
        ana, bob, _ = await consulted(one)
        await one.refers(ana, "102", SECOND_CALLER)
        await one.say(port.Down(leg=SECOND_CALLER))
        assert one.heard(SECOND) == [], "it is not decided"
        await one.decided(plan.Deny("No."))
        assert port.Refer(leg=ana, code=403) in one.commands
        assert one.heard(SECOND) == [plan.HungUp(0)]
        assert port.Drop(bob) in one.commands
        assert one.heard()[1:] == []

    played(story)


# An API asks


def test_an_api_sends_a_call_on_and_is_told_why_not():
    async def story(one: Two) -> None:
        ana = await one.talk()
        wish = TransferTo(leg_id=1, number=NUMBER, state="hold")
        asking = asyncio.ensure_future(one.telephone.grant(wish))
        await one.settled()
        assert one.heard() == [plan.Transferred(0, ANA, NUMBER, music=True, asked=True)]
        await one.decided(plan.Deny("It is abroad."))
        assert await asking == Granted(refused="It is abroad.")
        await one.refers(ana)
        await one.decided(plan.Deny("It is abroad."))
        assert moved(one) == [port.Refer(leg=ana, code=403)]
        one.heard()
        wish = TransferTo(leg_id=1, target=Target("user", 2), state="voicemail")
        asking = asyncio.ensure_future(one.telephone.grant(wish))
        await one.settled()
        assert one.heard() == [plan.Transferred(0, ANA, target=Target("user", 2), box=True, asked=True)]
        await one.decided(plan.LetGo(ANA), plan.Voicemail(Target("user", 2), prompt("greeting"), 180))
        assert await asking == Granted()
        assert moved(one)[-1] == port.Drop(ana)
        assert port.Refer(leg=ana, code=202) not in one.commands

    played(story)


def test_an_api_connects_two_calls_of_one_who_is_in_both():
    async def story(one: Two) -> None:
        _, bob, _ = await consulted(one)
        asking = asyncio.ensure_future(one.telephone.grant(TransferTo(leg_id=1, call_id=SECOND)))
        await one.settled()
        await one.decided(plan.LetGo(ANA), plan.Bridge(BOB))
        assert await asking == Granted()
        assert one.commands[-1] == port.Connect(CALLER, bob)
        for call_id in (CALL, SECOND, 12345):
            assert "two calls" in (await one.telephone.grant(TransferTo(leg_id=1, call_id=call_id))).refused

    played(story)


def test_what_cannot_be_says_so():
    async def story(one: Two) -> None:
        assert (await one.telephone.grant(TransferTo(leg_id=1, number=NUMBER))).refused == "Nobody talks in this call."
        await one.talk()
        asking = asyncio.ensure_future(one.telephone.grant(TransferTo(leg_id=1, number=NUMBER)))
        await one.settled()
        again = await one.telephone.grant(TransferTo(leg_id=1, number=NUMBER))
        assert again.refused == "The call is just being sent on."
        await one.say(port.Down(leg=CALLER))
        assert (await asking).refused == "The call is over."

    played(story)
