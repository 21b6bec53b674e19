"""One call on real telephones: the verbs that it is given, carried out with the legs of the SIP worker.

It decides nothing: who rings, how long and what follows was decided before. What comes of a verb it tells as an event.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import structlog

from offhook.calls.legs.model import Seen
from offhook.calls.legs.wishes import Granted, Taping, Wish
from offhook.directory.lines.model import Target
from offhook.kit import clock
from offhook.routing import plan
from offhook.routing.plan import Hear, Missed, Prompt, Verb
from offhook.telephony import pidf, port

LONGEST_SETUP = 40.0
"""Seconds in which a caller has to say that they know that the call was taken; the worker gives up before."""

REFUSALS = {"normal": 480, "unavailable": 480, "unallocated": 404, "forbidden": 403, "limit": 503}
"""What a caller is answered whose call ends before it was taken (RFC 3261 section 21)."""

_BUSY, _DECLINED = (486, 600), (603, 403)
ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'
"""RFC 3326: a telephone that is told so shows no missed call."""

log = structlog.get_logger("offhook.telephony")


@dataclass(frozen=True, slots=True)
class Way:
    """One way to somebody: a telephone where it registered, or a number by a carrier."""

    uri: str
    address: port.Address
    trunk: int = 0
    display: str = ""
    number: str = ""


class Ways(Protocol):
    """Who is reached where."""

    async def of_device(self, tenant_id: int, device_id: str) -> list[Way]:
        """Where a telephone is registered now; none if it is not."""

    async def of_number(self, tenant_id: int, number: str, *, emergency: bool) -> Way | None:
        """The carrier that a number may be called by; None if none may."""


class Sounds(Protocol):
    """What callers hear, as files that the worker can play."""

    async def of_prompt(self, tenant_id: int, prompt: Prompt) -> tuple[str, ...]:
        """A recording, or a text spoken."""

    def of_waiting(self, hear: Hear) -> tuple[str, ...]:
        """Ringback, or music on hold."""

    def tone(self) -> tuple[str, ...]:
        """After which a message is spoken."""


class Tapes(Protocol):
    """Where what is recorded goes."""

    def new_message(self, tenant_id: int, call_id: int, box: Target) -> str:
        """The path of a message that is about to be left."""

    async def message_left(self, tenant_id: int, call_id: int, box: Target, path: str, seconds: float) -> None:
        """It is whole; with 0 seconds it is thrown away."""

    def new_recording(self, tenant_id: int, call_id: int) -> str:
        """The path of a recording that is about to begin."""

    async def recording_made(self, tenant_id: int, call_id: int, path: str, seconds: float) -> None:
        """It is whole."""


class Legs(Protocol):
    """What a call asks of the worker."""

    def tell(self, command: port.Command) -> None: ...
    def new_leg(self, heard: Callable[[port.Event], None]) -> int: ...


@dataclass(frozen=True, slots=True)
class House:
    """What every call needs. `happened` and `seen` are those of `Calls`; `location` writes where help is to go, with
    its type.
    """

    legs: Legs
    ways: Ways
    sounds: Sounds
    tapes: Tapes
    happened: Callable[[int, plan.Event], bool]
    location: Callable[[plan.Transfer], tuple[bytes, str]]
    sleep: Callable[[float], Coroutine[Any, Any, None]] = clock.sleep
    seen: Callable[[int, Seen], None] = lambda _call_id, _seen: None


@dataclass(slots=True)
class _Leg:
    """Somebody who was dialled."""

    leg: int
    who: str
    device: str = ""
    up: bool = False
    down: port.Down | None = None


class Telephone:
    """The telephones of one call. `caller` is the leg that called, `shown` number and name that others see of it.

    It is `answered` where it was rung to call.
    """

    def __init__(
        self, house: House, tenant_id: int, caller: int, shown: tuple[str, str], *, answered: bool = False
    ) -> None:
        self._house, self._tenant_id = house, tenant_id
        self._caller, self._shown = caller, shown
        self._call_id = 0
        self._pending: tuple[Verb, ...] = ()
        self._given = asyncio.Event()
        self._doing: asyncio.Task[None] | None = None
        self._playing = False
        self._answered, self._gone = answered, False
        self._up = asyncio.Event()
        if answered:
            self._up.set()
        self._out: dict[int, _Leg] = {}
        self._other: _Leg | None = None
        self._news: asyncio.Queue[port.Event] = asyncio.Queue()
        self._keys: asyncio.Queue[str] = asyncio.Queue()
        self._enough = False
        self._token = 0
        self._played: dict[int, asyncio.Event] = {}
        self._tapes: dict[str, asyncio.Future[port.Recorded]] = {}
        self._recording = ""
        self._recordings: set[str] = set()
        self._record = False
        self._running: asyncio.Task[None] | None = None

    # What it is told to do

    def do(self, call_id: int, verbs: tuple[Verb, ...]) -> None:
        """Begin with `verbs`, and return at once."""
        first, self._call_id = not self._call_id, call_id
        if self._gone:
            if first:
                self._tell(plan.HungUp(_now()))
            return
        self._pending = verbs
        self._given.set()
        if self._running is None:
            self._running = asyncio.ensure_future(self._run())
        at_once = any(isinstance(verb, plan.Hangup) or _is_emergency(verb) for verb in verbs)
        if self._doing is not None and (at_once or not self._playing):
            self._doing.cancel()

    async def over(self) -> None:
        """Wait until nothing of it goes on."""
        if self._running is not None:
            await self._running

    async def _run(self) -> None:
        while not self._gone:
            await self._given.wait()
            self._given.clear()
            verbs, self._pending = self._pending, ()
            for verb in verbs:
                self._playing = isinstance(verb, plan.Play)
                self._doing = asyncio.ensure_future(self._carry_out(verb))
                await asyncio.wait({self._doing})
                if not self._doing.cancelled() and (fault := self._doing.exception()) is not None:
                    log.error("verb_failed", call_id=self._call_id, verb=type(verb).__name__, exc_info=fault)
                    self._failed(verb)
                self._doing = None
                if self._stopped():
                    break

    def _stopped(self) -> bool:
        return bool(self._pending) or self._gone

    def _failed(self, verb: Verb) -> None:
        """A fault of ours: what waits for an answer gets one, so that the call goes on to its end."""
        at = _now()
        match verb:
            case plan.Gather():
                self._tell(plan.Pressed(at))
            case plan.Ring():
                self._tell(plan.NotAnswered(at, {leg.who: "unreachable" for leg in verb.legs}))
            case plan.Transfer():
                self._tell(plan.NotAnswered(at, {verb.number: "unreachable"}))
            case plan.Bridge():
                self._tell(plan.Ended(at, fault="the telephones could not be connected"))
            case plan.Voicemail():
                self._tell(plan.Recorded(at))
            case _:
                pass

    async def _carry_out(self, verb: Verb) -> None:
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
                await self._bridge()
            case plan.Record():
                self._record = True
            case plan.Voicemail():
                await self._voicemail(verb)
            case plan.Transfer():
                await self._transfer(verb)
            case plan.Hangup():
                self._hang_up(REFUSALS[verb.cause])
            case _:
                raise TypeError(f"{type(verb).__name__} is no telephone's business")

    # What it is told by the worker

    def heard(self, event: port.Event) -> None:
        """Something happened on the caller's leg."""
        match event:
            case port.Up():
                self._up.set()
            case port.Key():
                self._keys.put_nowait(event.key)
            case port.Played():
                if (played := self._played.pop(event.token, None)) is not None:
                    played.set()
            case port.Recorded():
                if (taped := self._tapes.pop(event.path, None)) is not None:
                    taped.set_result(event)
                elif event.path in self._recordings:
                    self._taped(event)
            case port.Held():
                self._hold(self._other.leg if self._other is not None else 0, event.on)
            case port.Down():
                self._left()
            case _:
                pass

    def _of_other(self, event: port.Event) -> None:
        """Something happened on a leg that was dialled."""
        leg = self._out.get(getattr(event, "leg", 0))
        if leg is None:
            return
        match event:
            case port.Progress():
                self._show(leg, "rang")
            case port.Up():
                leg.up = True
                self._show(leg, "answered")
            case port.Down():
                leg.down = event
                del self._out[leg.leg]
            case port.Held():
                self._hold(self._caller, event.on)
                return
            case _:
                pass
        self._news.put_nowait(event)

    def _show(self, leg: _Leg, what: Literal["rang", "answered"]) -> None:
        self._house.seen(self._call_id, Seen(at=_now(), who=leg.who, device=leg.device, what=what))

    def _left(self) -> None:
        """The caller is gone: nobody is rung for them any more."""
        if self._gone:
            return
        self._gone = True
        self._up.set()
        if self._call_id:
            self._tell(plan.HungUp(_now()))
        self._stop_all()

    def _hang_up(self, code: int) -> None:
        self._house.legs.tell(port.Drop(self._caller, code))
        self._gone = True
        self._stop_all()

    def _stop_all(self) -> None:
        self._drop(self._out.values(), reason="")
        if self._doing is not None and asyncio.current_task() is not self._doing:
            self._doing.cancel()
        self._given.set()

    def _tell(self, event: plan.Event) -> None:
        self._house.happened(self._call_id, event)

    # Verbs

    async def _answer(self) -> None:
        if not self._answered:
            self._answered = True
            self._house.legs.tell(port.Answer(self._caller))
            async with asyncio.timeout(LONGEST_SETUP):
                await self._up.wait()
        if self._record:
            self._tape()

    def _tape(self) -> None:
        """Record from here on, if that is not done already."""
        if not self._recording:
            self._recording = self._house.tapes.new_recording(self._tenant_id, self._call_id)
            self._recordings.add(self._recording)
            self._house.legs.tell(port.Record(leg=self._caller, path=self._recording, both=True))

    async def grant(self, wish: Wish) -> Granted:
        """What an API asks of the call while it lasts: `calls/legs/wishes.py`."""
        if not isinstance(wish, Taping):
            return Granted(refused="The telephones of this call cannot do that.")
        if self._gone or not self._answered:
            return Granted(refused="Nobody talks yet." if not self._gone else "The call is over.")
        if wish.on:
            self._tape()
        elif self._recording:
            self._recording, self._record = "", False
            self._house.legs.tell(port.StopRecording(self._caller))
        return Granted()

    async def _play(self, prompt: Prompt) -> None:
        await self._sound(await self._house.sounds.of_prompt(self._tenant_id, prompt))

    async def _sound(self, files: tuple[str, ...]) -> None:
        """Play to the caller, to the end. Who called from within has to be answered for that, like anybody."""
        await self._answer()
        if not files:
            return
        self._token += 1
        played = self._played[self._token] = asyncio.Event()
        self._house.legs.tell(port.Play(leg=self._caller, token=self._token, files=files))
        try:
            await played.wait()
        except asyncio.CancelledError:
            self._house.legs.tell(port.Stop(self._caller))
            raise

    def _sound_for_ever(self, hear: Hear) -> None:
        """What a caller hears who waits; before the call is taken that is their own telephone's business."""
        if not self._answered:
            self._house.legs.tell(port.Ring(self._caller))
            return
        self._token += 1
        files = self._house.sounds.of_waiting(hear)
        self._house.legs.tell(port.Play(leg=self._caller, token=self._token, files=files, times=0))

    async def _gather(self, verb: plan.Gather) -> None:
        """Keys interrupt the prompt; the time for them runs from its end, and from each key.

        What was dialled on before is taken by whatever asks next, as simulations have it.
        """
        files = await self._house.sounds.of_prompt(self._tenant_id, verb.prompt)
        await self._answer()
        playing = asyncio.ensure_future(self._sound(files))
        pressing = asyncio.ensure_future(self._key())
        try:
            await asyncio.wait({playing, pressing}, return_when=asyncio.FIRST_COMPLETED)
            if not pressing.done():
                await self._within(verb.seconds, pressing)
            keys = ""
            while pressing.done():
                key = pressing.result()
                if key == "#" and verb.most > 1:
                    break
                keys += key
                if len(keys) >= verb.most:
                    self._enough = verb.most > 1
                    break
                pressing = asyncio.ensure_future(self._key())
                await self._within(verb.seconds, pressing)
        finally:
            await _given_up(playing, pressing)
        self._tell(plan.Pressed(_now(), keys))

    async def _key(self) -> str:
        """The next key. The `#` behind keys that were enough without it ends nothing any more."""
        key = await self._keys.get()
        if key == "#" and self._enough:
            self._enough = False
            key = await self._keys.get()
        self._enough = False
        return key

    def _forget_keys(self) -> None:
        """What was pressed so far was meant for nothing that follows."""
        self._enough = False
        while not self._keys.empty():
            self._keys.get_nowait()

    async def _within(self, seconds: float, *tasks: "asyncio.Future[Any]") -> None:
        timer = self._timer(seconds)
        await asyncio.wait({*tasks, timer}, return_when=asyncio.FIRST_COMPLETED)
        await _given_up(timer)

    def _timer(self, seconds: float) -> "asyncio.Future[None]":
        return asyncio.ensure_future(self._house.sleep(seconds))

    async def _wait(self, verb: plan.Reserve) -> None:
        """The caller waits until something else is to be done; a key of `keys` leaves."""
        if not verb.seconds and not verb.keys:
            return
        self._sound_for_ever(verb.hear)
        while verb.keys:
            key = await self._keys.get()
            if key in verb.keys:
                self._tell(plan.Pressed(_now(), key))
        await asyncio.Event().wait()

    async def _ring(self, verb: plan.Ring) -> None:
        self._sound_for_ever(verb.hear)
        why: dict[str, Missed] = {}
        for legs in [verb.legs] if verb.mode == "parallel" else [(leg,) for leg in verb.legs]:
            winner = await self._first(await self._dial_all(legs, why), verb.seconds, why)
            if winner is not None:
                self._other = winner
                self._tell(plan.Answered(_now(), winner.who))
                return
        self._tell(plan.NotAnswered(_now(), why))

    async def _dial_all(self, legs: Iterable[plan.Leg], why: dict[str, Missed]) -> list[_Leg]:
        made: list[_Leg] = []
        of_device, legs = self._house.ways.of_device, tuple(legs)
        devices = [device for leg in legs for device in leg.devices]
        # All at once, so that they are looked up together.
        found = await asyncio.gather(*(of_device(self._tenant_id, device) for device in devices))
        reached = dict(zip(devices, found, strict=True))
        for leg in legs:
            ways = [(way, device) for device in leg.devices for way in reached[device]]
            for number in leg.numbers:
                way = await self._house.ways.of_number(self._tenant_id, number, emergency=False)
                ways += [(way, number)] if way is not None else []
            if not ways:
                why[leg.who] = "unreachable"
            made += [self._dial(leg.who, way, device=device) for way, device in ways]
        return made

    def _dial(self, who: str, way: Way, body: tuple[bytes, str] = (b"", ""), device: str = "") -> _Leg:
        number, display = self._shown
        id = self._house.legs.new_leg(self._of_other)
        made = self._out[id] = _Leg(id, who, device)
        self._house.legs.tell(
            port.Dial(
                leg=id, caller=self._caller, uri=way.uri, address=way.address, number=way.number or number,
                display=way.display or display, trunk=way.trunk, body=body[0], body_type=body[1],
                headers=pidf.HEADERS if body[0] else (),
            )
        )  # fmt: skip
        return made

    async def _first(self, legs: list[_Leg], seconds: float, why: dict[str, Missed]) -> _Leg | None:
        """Who answers first; the others are told that they need not. Why those did not who said so."""
        going = {leg.leg: leg for leg in legs}
        timer = self._timer(seconds)
        try:
            while going:
                news: asyncio.Future[Any] = asyncio.ensure_future(self._news.get())
                await asyncio.wait({news, timer}, return_when=asyncio.FIRST_COMPLETED)
                if not news.done():
                    await _given_up(news)
                    return None
                leg = going.get(getattr(news.result(), "leg", 0))
                if leg is None:
                    continue
                if leg.down is not None:
                    del going[leg.leg]
                    if not any(one.who == leg.who for one in going.values()):
                        why[leg.who] = _missed(leg.down)
                elif leg.up:
                    del going[leg.leg]
                    self._drop(going.values(), reason=ELSEWHERE)
                    going = {}
                    return leg
            return None
        finally:
            await _given_up(timer)
            self._drop(going.values(), reason="")
            self._forget_keys()

    def _drop(self, legs: Iterable[_Leg], *, reason: str) -> None:
        for leg in list(legs):
            if self._out.pop(leg.leg, None) is not None:
                self._house.legs.tell(port.Drop(leg.leg, reason=reason))

    async def _bridge(self) -> None:
        other = self._other
        if other is None or other.down is not None:
            self._tell(plan.Ended(_now(), fault="" if other is not None else "nobody had answered"))
            return
        await self._answer()
        self._house.legs.tell(port.Connect(self._caller, other.leg))
        await self._until_down(other)
        self._other = None
        self._tell(plan.Ended(_now()))

    async def _until_down(self, leg: _Leg) -> None:
        while leg.down is None:
            await self._news.get()

    async def _voicemail(self, verb: plan.Voicemail) -> None:
        await self._answer()
        await self._play(verb.greeting)
        await self._sound(self._house.sounds.tone())
        tapes = self._house.tapes
        path = tapes.new_message(self._tenant_id, self._call_id, verb.box)
        taped = self._tapes[path] = asyncio.get_running_loop().create_future()
        self._forget_keys()
        self._house.legs.tell(port.Record(leg=self._caller, path=path))
        try:
            ending = asyncio.ensure_future(self._pound())
            await self._within(verb.seconds, ending, taped)
            await _given_up(ending)
        finally:
            # Also where the caller left: what they said is kept.
            self._house.legs.tell(port.StopRecording(self._caller))
            kept = asyncio.ensure_future(self._keep_message(verb.box, path, taped))
        await asyncio.shield(kept)

    async def _keep_message(self, box: Target, path: str, taped: "asyncio.Future[port.Recorded]") -> None:
        try:
            async with asyncio.timeout(LONGEST_SETUP):
                made = await taped
        except TimeoutError:
            made = port.Recorded(leg=self._caller, path=path, seconds=0, fault="the recording did not end")
        if made.fault:
            # What there is of it is found by the tapes themselves.
            log.error("message_not_recorded", call_id=self._call_id, cause=made.fault)
        else:
            await self._house.tapes.message_left(self._tenant_id, self._call_id, box, path, made.seconds)
        self._tell(plan.Recorded(_now(), round(made.seconds)))

    async def _pound(self) -> None:
        while await self._keys.get() != "#":
            pass

    async def _within_any(
        self, tasks: "set[asyncio.Future[None] | asyncio.Future[port.Recorded]]", seconds: float
    ) -> None:
        timer = asyncio.ensure_future(self._house.sleep(seconds))
        await asyncio.wait({*tasks, timer}, return_when=asyncio.FIRST_COMPLETED)
        await _given_up(timer)

    def _taped(self, made: port.Recorded) -> None:
        self._recordings.discard(made.path)
        if made.path == self._recording:
            self._recording = ""
        if made.fault:
            log.error("recording_cut_off", call_id=self._call_id, cause=made.fault)
            return
        kept = self._house.tapes.recording_made(self._tenant_id, self._call_id, made.path, made.seconds)
        task = asyncio.ensure_future(kept)
        task.add_done_callback(lambda done: done.exception() and log.error("recording_lost", exc_info=done.exception()))

    async def _transfer(self, verb: plan.Transfer) -> None:
        way = await self._house.ways.of_number(self._tenant_id, verb.number, emergency=verb.emergency)
        if way is None:
            self._tell(plan.NotAnswered(_now(), {verb.number: "unreachable"}))
            return
        self._sound_for_ever("ringback")
        body = self._house.location(verb) if verb.emergency else (b"", "")
        shown = Way(way.uri, way.address, way.trunk, number=verb.caller_id)
        why: dict[str, Missed] = {}
        leg = await self._first([self._dial(verb.number, shown, body)], LONGEST_RINGING, why)
        if leg is None:
            self._tell(plan.NotAnswered(_now(), why))
            return
        self._other = leg
        await self._answer()
        self._house.legs.tell(port.Connect(self._caller, leg.leg))
        self._tell(plan.Answered(_now(), verb.number))
        await self._until_down(leg)
        self._tell(plan.Ended(_now()))

    def _hold(self, leg: int, on: bool) -> None:
        """Who is put on hold hears music until their other side is back."""
        if not leg or self._other is None:
            return
        if on:
            self._token += 1
            files = self._house.sounds.of_waiting("hold_music")
            self._house.legs.tell(port.Play(leg=leg, token=self._token, files=files, times=0))
        else:
            self._house.legs.tell(port.Connect(self._caller, self._other.leg))


LONGEST_RINGING = 120.0
"""Seconds that a number outside may ring; its network gives up before."""


def _now() -> int:
    return clock.milliseconds(clock.now())


def _is_emergency(verb: Verb) -> bool:
    return isinstance(verb, plan.Transfer) and verb.emergency


def _missed(down: port.Down) -> Missed:
    if down.code in _BUSY:
        return "busy"
    return "declined" if down.code in _DECLINED else "unreachable" if down.code not in (0, 487) else "no_answer"


async def _given_up(*tasks: "asyncio.Future[Any]") -> None:
    """End what nobody waits for any more, and let it tidy up."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
