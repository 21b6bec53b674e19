"""One call on real telephones: the verbs that it is given, carried out with the legs of the SIP worker.

It decides nothing: who rings, how long and what follows was decided before. What comes of a verb it tells as an event.
"""

import asyncio
from dataclasses import replace
from typing import Literal
from weakref import WeakMethod

import structlog

from offhook.calls.legs.model import Seen
from offhook.calls.legs.wishes import OVER, Add, Granted, Taping, TransferTo, Unpark, Wish
from offhook.directory.lines.model import Target
from offhook.kit import clock
from offhook.kit.weakly import weakly
from offhook.routing import plan
from offhook.routing.plan import Hear, Missed, Prompt, Verb
from offhook.routing.trace import Step
from offhook.telephony import causes, port
from offhook.telephony.carrying import Carried
from offhook.telephony.hearing import Hearing
from offhook.telephony.house import ELSEWHERE, House, Legs, Other, Sounds, Tapes, Way, Ways
from offhook.telephony.keys import Keys
from offhook.telephony.parking import Parking
from offhook.telephony.recording import Recording, message_kept
from offhook.telephony.ringing import LONGEST_FOR_HELP, LONGEST_RINGING, Ringing
from offhook.telephony.sending import PEOPLE, Sending
from offhook.telephony.sound import length
from offhook.telephony.together import Together
from offhook.telephony.turns import Turns, is_emergency
from offhook.telephony.waiting import given_up, within

LONGEST_SETUP = 40.0
"""Seconds in which a caller has to say that they know that the call was taken; the worker gives up before."""

TOO_LONG = "numbers outside had talked with nobody of the company for as long as outside_minutes allow"

LATE = 10.0
"""Seconds that the word of a prompt's end may come later than its end: who waits for it goes on without it then."""

REFUSALS = {"normal": 480, "unavailable": 480, "unallocated": 404, "forbidden": 403, "limit": 503}
"""What a caller is answered whose call ends before it was taken (RFC 3261 section 21)."""

__all__ = ["ELSEWHERE", "House", "Legs", "Sounds", "Tapes", "Telephone", "Way", "Ways"]
log = structlog.get_logger("offhook.telephony")


class Telephone:
    """The telephones of one call. `caller` is the leg that called, `shown` number and name that others see of it.

    It is `answered` where it was rung to call. `who` called, if that is somebody of the company, and `dialled` what.
    Its parts do not hold it: its legs do, what goes on in it, and `Calls`.
    """

    def __init__(
        self,
        house: House,
        tenant_id: int,
        caller: int,
        shown: tuple[str, str],
        *,
        answered: bool = False,
        who: str = "",
        dialled: str = "",
    ) -> None:
        self._house, self.tenant_id = house, tenant_id
        self._caller, self.shown = caller, shown
        self.who, self.dialled, self.helping = who, dialled, False
        self.sending = Sending(self, house)
        self._call_id = 0
        self._turns = Turns()
        self._doing: asyncio.Task[None] | None = None
        self._answered, self._gone = answered, False
        self._early, self._country = False, ""
        self._hears: tuple[str, str, str] | None = None
        """What the caller hears while they wait, from one wait or ring to the next."""
        self._up = asyncio.Event()
        if answered:
            self._up.set()
        self._ringing = Ringing(house, tenant_id, caller, shown, WeakMethod(self._of_other))
        self._other: Other | None = None
        self._keys = Keys()
        self._token = 0
        self._played: dict[int, asyncio.Event] = {}
        self._tapes: dict[str, asyncio.Future[port.Recorded]] = {}
        self._recording, self._music = Recording(house, tenant_id, caller, weakly(self._there)), ""
        self._hearing = Hearing(house, tenant_id, weakly(self._next_token))
        decide, leg_of = weakly(self._decide), weakly(self._leg_of)
        self.parking = Parking(decide, leg_of)
        self.together = Together(house, self, decide, leg_of)
        self._leaving = False
        self._bounding: asyncio.Future[None] | None = None
        self._end: plan.HungUp | None = None
        self._running: asyncio.Task[None] | None = None

    # What it is told to do

    def do(self, call_id: int, verbs: tuple[Verb, ...]) -> None:
        """Begin with `verbs`, and return at once; the first time there may be none yet."""
        first, self._call_id = not self._call_id, call_id
        if first:
            self._house.begun(self.tenant_id, call_id, self._caller, self._other)
        if self._gone:
            if first:
                self.tell(self._end or plan.HungUp(_now()))
            elif any(map(is_emergency, verbs)):
                # Whoever ended it knew nothing of that yet.
                self.tell(plan.HungUp(_now(), "it was over before a carrier was called"))
            return
        if first:
            self._house.exchange.enter(self)
            self._running = asyncio.ensure_future(self._run())
        verbs = self.sending.decided(verbs)
        if not verbs:
            return
        for verb in verbs:
            if isinstance(verb, plan.Invite):
                self.together.begin(verb)
        verbs = tuple([verb for verb in verbs if not isinstance(verb, plan.Invite)])
        if not verbs:
            return
        self.parking.given(verbs)
        left = self._turns.give(verbs)
        if left and self._doing is not None:
            self._doing.cancel()

    @property
    def tells(self) -> bool:
        """Whether the caller is still to be told something, or is just told it."""
        return self._turns.tells(doing=self._doing is not None)

    async def comes_to(self, verb: Verb) -> None:
        """Wait until it is carried out; for ever if others take its place."""
        await self._turns.comes_to(verb)

    def hang_up(self) -> bool:
        """End it for somebody outside the call, and tell so, behind a message that is being left; False before `do`."""
        if not self._call_id or self._gone:
            return self._leaving
        self._end = plan.HungUp(_now(), ours=True)
        if not self._leaving:
            self.tell(self._end)
        self._hang_up(REFUSALS["normal"])
        return True

    async def over(self) -> None:
        """Wait until nothing of it goes on."""
        if self._running is not None:
            await self._running

    async def _run(self) -> None:
        while not self._gone:
            await self._turns.given()
            # Who left in the moment in which verbs were given is rung for no more.
            while not self._is_gone() and (verb := self._turns.next()) is not None:
                if not isinstance(verb, plan.Reserve | plan.Ring):
                    self._hearing.end()
                    self._hears = None
                self._doing = asyncio.ensure_future(self._carry_out(verb))
                await asyncio.wait({self._doing})
                if not self._doing.cancelled() and (fault := self._doing.exception()) is not None:
                    log.error("verb_failed", call_id=self._call_id, verb=type(verb).__name__, exc_info=fault)
                    if (event := causes.failed(verb, _now())) is not None:
                        self.tell(event)
                self._doing = None
        self._house.exchange.leave(self)

    def _is_gone(self) -> bool:
        return self._gone

    async def _carry_out(self, verb: Verb) -> None:
        self.sending.begins(verb)
        match verb:
            case plan.Answer():
                await self._answer()
            case plan.Play():
                await self._play(verb.prompt)
            case plan.Gather():
                await self._gather(verb)
            case plan.Reserve():
                await self._wait(verb)
            case plan.Ring():
                await self._ring(verb)
            case plan.Bridge():
                await self._bridge(verb)
            case plan.Park():
                await self._park(verb)
            case plan.Record():
                self._recording.want()
            case plan.Voicemail():
                await self._voicemail(verb)
            case plan.Transfer():
                await self._transfer(verb)
            case plan.LetGo():
                self.sending.let_go()
            case plan.HandOn():
                await self.sending.hand_on(verb)
            case plan.CameBack():
                pass
            case plan.Hangup():
                self._hang_up(verb.code or REFUSALS[verb.cause])
            case _:
                raise TypeError(f"{type(verb).__name__} is no telephone's business")

    # What it is told by the worker

    def heard(self, event: port.Event) -> None:
        """Something happened on the caller's leg."""
        match event:
            case port.Up():
                self._up.set()
            case port.Key():
                self._keys.press(event.key)
            case port.Played():
                if (played := self._played.pop(event.token, None)) is not None:
                    played.set()
                if event.fault:
                    log.warning("prompt_not_played", call_id=self._call_id, cause=event.fault)
            case port.Recorded():
                if (taped := self._tapes.pop(event.path, None)) is not None:
                    # Who waited for it too long is gone.
                    if not taped.done():
                        taped.set_result(event)
                else:
                    self._recording.made(event, self._call_id)
            case port.Held():
                self._hold(self._other.leg if self._other is not None else 0, event.on)
            case port.Referred():
                self.sending.referred(event, self.who)
            case port.Down():
                if not self.sending.put_off(self.who, lambda: self._left(event)):
                    self._left(event)
            case _:
                pass

    def _of_other(self, event: port.Event) -> None:
        """Something happened on a leg that was dialled."""
        leg = self._ringing.out.get(getattr(event, "leg", 0))
        if isinstance(event, port.Recorded):
            self.heard(event)
        if leg is None:
            return
        match event:
            case port.Progress():
                self._show(leg, "rang")
                if event.code == 183 and leg.outside:
                    # What its network says before the answer: an announcement, or ringing as it is there.
                    if not self._answered:
                        self._early = True
                        self._house.legs.tell(port.Ring(self._caller, early=True))
                    self._hearing.end()
                    self._house.legs.tell(port.Connect(self._caller, leg.leg))
            case port.Up():
                leg.up = True
                self._show(leg, "answered")
            case port.Referred():
                self.sending.referred(event, leg.who if leg is self._other else "")
                return
            case port.Down():
                if leg is self._other and self.sending.put_off(leg.who, lambda: self._of_other(event)):
                    return
                leg.down = event
                del self._ringing.out[leg.leg]
                if leg.outside and not (leg.up or self._gone) and (self._early or self._answered):
                    # The next carrier may say nothing, or only that it rings.
                    self._hearing.begin(self._caller, "ringback", country=self._country)
            case port.Held():
                self._hold(self._caller, event.on)
                return
            case _:
                pass
        self._ringing.news.put_nowait(event)

    def _show(self, leg: Other, what: Literal["rang", "answered"]) -> None:
        self._house.seen(self._call_id, Seen(at=_now(), who=leg.who, device=leg.telephone, what=what))

    def _left(self, down: port.Down) -> None:
        """The caller is gone: nobody is rung for them any more. A message that they were leaving is kept first."""
        _, lost = cut = causes.cut_off(down)
        # What is lost by a fault of ours is lost for all of them.
        if self._gone or (not lost and self.together.without_caller()):
            return
        self._gone = True
        self._end = plan.HungUp(_now(), *cut)
        self._up.set()
        if self._call_id and not self._leaving:
            self.tell(self._end)
        self._stop_all()

    def _hang_up(self, code: int) -> None:
        self._house.legs.tell(port.Drop(self._caller, code))
        self._gone = True
        self._stop_all()

    def _stop_all(self) -> None:
        self.sending.closed()
        self._ringing.drop(self._ringing.out.values(), reason="")
        self.together.end()
        self.parking.end()
        self._hearing.end()
        if self._doing is not None and asyncio.current_task() is not self._doing:
            self._doing.cancel()
        self._turns.wake()

    def tell(self, event: plan.Event) -> None:
        """Something happened in the call."""
        self.sending.told(event)
        self._recording.note()
        if isinstance(event, plan.CameIn):
            # Music that is still to come would be all that one of them hears.
            self._hearing.end()
        if self._bounding is not None and isinstance(event, plan.Left) and (event.who or self.who).startswith(PEOPLE):
            # For so long numbers outside may talk from here on.
            self._bound()
        self._house.happened(self._call_id, event)

    def _there(self) -> tuple[str, ...]:
        """Who is in it: who called, whom they talk with, who was asked in; "" for nobody of the company."""
        return ("" if self.together.caller_left else self.who, self.with_whom, *self.together.whos)

    async def _decide(self, event: plan.Event) -> Step | None:
        return await self._house.decided(self._call_id, event)

    def _leg_of(self, who: str) -> int:
        return self._house.leg_of(self._call_id, who)

    def _next_token(self) -> int:
        self._token += 1
        return self._token

    # What those need who are asked in: `Of` of together.py

    @property
    def other(self) -> Other | None:
        """With whom the caller talks."""
        return self._other

    def heard_of_other(self, event: port.Event) -> None:
        """Something happened on a leg that became the other side."""
        self._of_other(event)

    def taped(self, made: port.Recorded) -> None:
        """A recording is whole."""
        self.heard(made)

    def take_over(self, other: Other) -> None:
        """Have somebody as the other side who was asked in."""
        self._other = self._ringing.out[other.leg] = other

    def record_on(self, leg: int) -> None:
        """A leg is gone: what was recorded on it is recorded on another from here on."""
        if self._recording.leg == leg and self._other is not None:
            self._recording.move(self._other.leg if self.together.caller_left else self._caller, self._call_id)

    # What other calls need of it

    @property
    def call_id(self) -> int:
        return self._call_id

    @property
    def caller(self) -> int:
        """The caller's leg."""
        return self._caller

    @property
    def talking(self) -> Other | None:
        """With whom the caller talks; None while they do not."""
        other = self._other
        return other if other is not None and other.down is None and self._up.is_set() and not self._gone else None

    @property
    def with_whom(self) -> str:
        """Who that is, "" for nobody."""
        return self.talking.who if self.talking is not None else ""

    def on(self, leg: int) -> str:
        """Who is on one of the two legs."""
        return self.who if leg == self._caller else self.with_whom

    def another(self, caller: int, shown: tuple[str, str], who: str) -> "Telephone":
        """The telephones of a call that comes of this one; its caller is there already."""
        return Telephone(self._house, self.tenant_id, caller, shown, answered=True, who=who)

    def part_with(self) -> Other | None:
        """With whom the caller talked, whose leg is none of this call's any more; None where that is nobody."""
        other, self._other = self._other, None
        if other is None or other.down is not None:
            return None
        self._ringing.out.pop(other.leg, None)
        return other

    def take(self, other: Other) -> None:
        """Somebody who is there already is whom the caller is to talk with."""
        self._other = other
        if other.down is None:
            self._ringing.out[other.leg] = other
            self._house.legs.hold(other.leg, self._of_other)
            self._house.joined(self.tenant_id, self._call_id, other)

    async def talk_on(self) -> None:
        """The two talk as before, until one leaves, if nobody has."""
        if not self._gone:
            await self._connected()

    def give_up(self) -> None:
        """Its caller leaves."""
        self._house.legs.tell(port.Drop(self._caller, 487))
        self._left(port.Down(leg=self._caller, code=487))

    def end(self, event: plan.Event) -> None:
        """It is over, and what is left of its legs with it, but not its caller's."""
        self._gone = True
        self.tell(event)
        self._stop_all()

    def stop_taping(self) -> None:
        """Record no more, until that is asked for again."""
        self._recording.stop()

    # Verbs

    async def _answer(self) -> None:
        if not self._answered:
            self._answered = True
            self._house.legs.tell(port.Answer(self._caller))
        if not self._up.is_set():
            async with asyncio.timeout(LONGEST_SETUP):
                await self._up.wait()
        if self._recording.wanted:
            self._recording.begin(self._call_id)

    async def grant(self, wish: Wish) -> Granted:
        """What an API asks of the call while it lasts: `calls/legs/wishes.py`."""
        if isinstance(wish, TransferTo) and wish.state != "parked":
            return await self.sending.grant(wish)
        if self._gone or not self._answered:
            return OVER if self._gone else Granted(refused="Nobody talks yet.")
        if self.sending.busy and isinstance(wish, TransferTo | Add):
            return Granted(refused="The call is just being sent on.")
        match wish:
            case Taping() if self._leaving:
                return Granted(refused="A message is being left: it is kept as that.")
            case Taping(on=on):
                self._recording.switch(self._call_id, on=on)
                self.tell(plan.Taped(_now(), on))
                return Granted()
            case TransferTo(state="parked") if not (wish.number or wish.target or wish.call_id):
                return await self.parking.park(caller=not self._is_of_other(wish.leg_id))
            case TransferTo(state="parked"):
                return Granted(refused="A call is parked where it is: send no `to`.")
            case Unpark():
                return await self.parking.take(f"user:{wish.user_id}")
            case Add():
                return await self.together.add(wish)
            case _:
                return Granted(refused="The telephones of this call cannot do that.")

    def _is_of_other(self, leg_id: int) -> bool:
        return self._other is not None and self._leg_of(self._other.who) == leg_id

    async def _play(self, prompt: Prompt) -> None:
        await self._sound(await self._house.prompt(self.tenant_id, self._caller, prompt))

    async def _sound(self, files: tuple[str, ...]) -> None:
        """Play to the caller, to the end. Who called from within has to be answered for that, like anybody."""
        await self._answer()
        if not files:
            return
        self._token = token = self._token + 1
        played = self._played[token] = asyncio.Event()
        self._house.legs.tell(port.Play(leg=self._caller, token=token, files=files))
        try:
            async with asyncio.timeout(length.seconds(files) + LATE):
                await played.wait()
        except TimeoutError:
            log.error("prompt_end_not_told", call_id=self._call_id)
        except asyncio.CancelledError:
            self._house.legs.tell(port.Stop(self._caller))
            raise
        finally:
            self._played.pop(token, None)

    def _sound_for_ever(self, hear: Hear, country: str = "", music: str = "") -> None:
        """What a caller hears who waits, without a break while they wait on.

        Before the call is taken that is their own telephone's business.
        """
        if not self._answered:
            self._house.legs.tell(port.Ring(self._caller))
            return
        if self._hears != (hear, country, music):
            self._hears = hear, country, music
            self._hearing.begin(self._caller, hear, country=country, music=music)

    async def _gather(self, verb: plan.Gather) -> None:
        files = await self._house.prompt(self.tenant_id, self._caller, verb.prompt)
        await self._answer()
        keys = await self._keys.gather(verb.most, verb.seconds, self._sound(files), self._house.sleep)
        self.tell(plan.Pressed(_now(), keys))

    async def _wait(self, verb: plan.Reserve) -> None:
        """The caller waits until something else is to be done; a key of `keys` leaves."""
        if not verb.seconds and not verb.keys:
            return
        self._sound_for_ever(verb.hear, verb.country, verb.music)
        await self._leaves(verb.keys)
        await asyncio.Event().wait()

    async def _leaves(self, keys: str) -> None:
        """Wait until one of these keys is pressed, and tell so: once, as others take their place then."""
        while keys:
            key = await self._keys.any()
            if key in keys:
                self.tell(plan.Pressed(_now(), key))
                return

    async def _ring(self, verb: plan.Ring) -> None:
        self._sound_for_ever(verb.hear, verb.country, verb.music)
        leaving = asyncio.ensure_future(self._leaves(verb.keys))
        try:
            await self._ring_all(verb)
        finally:
            await given_up(leaving)

    async def _ring_all(self, verb: plan.Ring) -> None:
        why: dict[str, Missed] = {}
        self._ringing.faults.clear()
        for legs in [verb.legs] if verb.mode == "parallel" else [(leg,) for leg in verb.legs]:
            winner = await self._first(await self._ringing.dial_all(self._call_id, legs, why), verb.seconds, why)
            if winner is not None:
                self._other = winner
                self.tell(plan.Answered(_now(), winner.who))
                return
        self.tell(plan.NotAnswered(_now(), why, fault="; ".join(self._ringing.faults)))

    async def _first(self, legs: list[Other], seconds: float, why: dict[str, Missed]) -> Other | None:
        """Who answers first; keys that were pressed meanwhile were meant for nothing that follows."""
        try:
            return await self._ringing.first(legs, seconds, why)
        finally:
            self._keys.forget()

    async def _park(self, verb: plan.Park) -> None:
        """The caller waits, and whom they talked with is let go; what is heard until it goes on is not recorded."""
        self._recording.pause()
        other = self.part_with()
        if other is not None and not self.sending.parks(other.leg):
            self._house.legs.tell(port.Drop(other.leg))
        self._sound_for_ever("hold_music", music=verb.music)
        await self._house.sleep(verb.seconds)
        self.tell(plan.ParkOver(_now()))

    async def _bridge(self, verb: plan.Bridge) -> None:
        self._music = verb.music
        await self._connected()

    async def _connected(self) -> None:
        other = self._other
        if other is None or other.down is not None:
            self.tell(plan.Ended(_now(), fault="" if other is not None else "nobody had answered"))
            return
        await self._answer()
        # Somebody may have been asked in while the caller did not know yet that the call was taken.
        self.together.connect()
        await self._talk(other)

    async def _talk(self, other: Other) -> None:
        """Wait until it is over; who was asked in goes on when the other side leaves."""
        self._bound()
        self._recording.go_on(self._call_id)
        try:
            while True:
                ended = await self._until_down(other)
                if not self.together.without_other() or self._other is None:
                    break
                other = self._other
        finally:
            self._bound(over=True)
        self._other = None
        self.tell(ended)

    def _bound(self, *, over: bool = False) -> None:
        """From now on, until it is `over`, numbers outside talk for as long as they may."""
        if self._bounding is not None:
            self._bounding.cancel()
        self._bounding = None if over else asyncio.ensure_future(self._until_too_long())

    async def _until_too_long(self) -> None:
        """End it once numbers outside have talked with each other, and nobody else, for as long as they may."""
        while True:
            await self._house.sleep(self._house.outside_seconds)
            if not any(who.startswith(PEOPLE) for who in self._there()):
                break
        self._end = plan.HungUp(_now(), cause=TOO_LONG)
        self.tell(self._end)
        self._hang_up(REFUSALS["normal"])

    async def _until_down(self, leg: Other) -> plan.Ended:
        while leg.down is None:
            await self._ringing.news.get()
        return plan.Ended(_now(), fault=causes.fault(leg.down))

    async def _voicemail(self, verb: plan.Voicemail) -> None:
        await self._answer()
        await self._play(verb.greeting)
        await self._sound(self._house.sounds.tone())
        tapes = self._house.tapes
        path = tapes.new_message(self.tenant_id, self._call_id, verb.box)
        taped = self._tapes[path] = asyncio.get_running_loop().create_future()
        self._keys.forget()
        self._leaving = True
        self._house.legs.tell(port.Record(leg=self._caller, path=path))
        try:
            ending = asyncio.ensure_future(self._pound())
            await within(self._house.sleep, verb.seconds, ending, taped)
            await given_up(ending)
        finally:
            # Also where the caller left: what they said is kept.
            self._house.legs.tell(port.StopRecording(self._caller))
            kept = asyncio.ensure_future(self._keep_message(verb.box, path, taped))
        await asyncio.shield(kept)

    async def _keep_message(self, box: Target, path: str, taped: "asyncio.Future[port.Recorded]") -> None:
        made = await message_kept(self._house, self.tenant_id, self._call_id, box, path, taped)
        self._leaving = False
        if made.seconds > 0 or not (made.fault and self._gone):
            self.tell(plan.Recorded(_now(), max(round(made.seconds), 1) if made.seconds > 0 else 0))
        if self._end is not None:
            self.tell(self._end)

    async def _pound(self) -> None:
        while await self._keys.any() != "#":
            pass

    async def _transfer(self, verb: plan.Transfer) -> None:
        why: dict[str, Missed] = {verb.number: "unreachable"}
        leg, carried = await self._outside(verb, why)
        if leg is None:
            self.tell(plan.NotAnswered(_now(), why, carried.answer, carried.fault))
            return
        self._other = leg
        await self._answer()
        self._house.legs.tell(port.Connect(self._caller, leg.leg))
        self.tell(plan.Answered(_now(), verb.number, carried.carrier))
        await self._talk(leg)

    async def _outside(self, verb: plan.Transfer, why: dict[str, Missed]) -> tuple[Other | None, Carried]:
        """Who answers outside, by the first carrier that takes it (`carrying.py`), which knows what came of it."""
        self.helping = verb.emergency and not verb.trial
        location = self._location(verb) if verb.emergency else (b"", "")

        def call(way: Way, body: tuple[bytes, str] = location) -> Other:
            shown = replace(way, number=verb.caller_id)
            dialled = self._ringing.dial(self._call_id, verb.number, shown, body, helps=verb.emergency)
            dialled.outside = True
            return dialled

        carried = Carried(
            self._house.ways, self.tenant_id, verb.number, call, call_id=self._call_id, emergency=verb.emergency,
            bare=(lambda way: call(way, (b"", ""))) if location[0] else None,
            told=lambda code, without, carrier: self.tell(plan.CarrierFailed(_now(), code, without, carrier)),
        )  # fmt: skip
        way = await carried.first()
        if way is None:
            return None, carried
        self._country = verb.country
        self._sound_for_ever("ringback", verb.country)
        why.clear()
        called = carried.call(way)
        if self.helping:
            self.tell(plan.CarrierCalled(_now(), way.carrier))
        return await self._first([called], LONGEST_FOR_HELP if self.helping else LONGEST_RINGING, why), carried

    def _location(self, verb: plan.Transfer) -> tuple[bytes, str]:
        """Where help is to go; a call for help goes out without, where that cannot be written."""
        try:
            return self._house.location(verb)
        except Exception:
            log.exception("location_not_written", call_id=self._call_id)
            return b"", ""

    def _hold(self, leg: int, on: bool) -> None:
        """Who is put on hold hears music until their other side is back."""
        if not leg or self._other is None or self._gone:
            return
        if self.together.more:
            # Who is on hold is not heard, and the others go on.
            return
        if on:
            self._hearing.begin(leg, "hold_music", music=self._music)
        else:
            self._hearing.end()
            self.together.connect()


def _now() -> int:
    return clock.milliseconds(clock.now())
