"""What is noted of every leg as it goes on: for a call's record, and for figures.

It only listens, so nothing of a call waits for it. What a call's telephones told is written once all of them are over,
together with that of other calls; what cannot be written waits for the store, in bounds.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import msgspec
import structlog
from prometheus_client import Histogram

from offhook.calls.wires.model import WENT_ON, Wire, Wires
from offhook.kit import clock
from offhook.kit.errors import Refusal
from offhook.routing.plan import Prompt
from offhook.routing.trace import mark_of
from offhook.telephony import port
from offhook.telephony.port import DIED

WRITE_SECONDS = 1.0
SOUND_SECONDS = 2.0
"""In which what became of its sound is heard of a leg that is over; without it the rest is written."""

STRANGERS = 1_000
"""Legs that are nobody's yet; the oldest is forgotten."""

UNWRITTEN = 5_000
"""Calls that wait for the store; the oldest are forgotten, which is told."""

SPELLS = 50
"""Holds, transfers and beeps of a leg that are noted."""

ANSWERED = Histogram(
    "offhook_call_answer_seconds",
    "From a call's coming in from outside to the first person who has it.",
    buckets=(1, 2, 3, 5, 7.5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600),
)
RANG = Histogram(
    "offhook_leg_ring_seconds",
    "From an INVITE to the first 18x or 200 of whom it calls.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32),
)

log = structlog.get_logger("offhook.telephony")


@dataclass(slots=True)
class _Leg:
    """One leg. `dialled` and `due` are of the monotonic clock; `due` is when nothing more is waited for."""

    wire: Wire
    dialled: float
    incoming: bool = False
    call: "_Call | None" = None
    due: float | None = None
    whole: bool = False

    def note(self, **changes: object) -> None:
        """Put something down."""
        self.wire = msgspec.structs.replace(self.wire, **changes)


@dataclass(slots=True)
class _Call:
    tenant_id: int
    id: int
    legs: list[_Leg] = field(default_factory=list)
    came: float | None = None
    """When it came in from outside, until somebody has it."""


class Tally:
    """Of one process. `write` stores; `keep` it going while serving, and `close` it after the worker."""

    def __init__(self, write: Callable[[Sequence[Wires]], Awaitable[object]]) -> None:
        self._write = write
        self._legs: dict[int, _Leg] = {}
        self._strangers: dict[int, _Leg] = {}
        self._calls: dict[int, _Call] = {}
        self._unwritten: list[Wires] = []
        self._writing = asyncio.Lock()
        self._before = (0, 0, 0)
        self._latest = port.Figures(legs=0)
        self.refused: Counter[str] = Counter()
        """SIP packets that were turned away, by why."""

    @property
    def packets(self) -> tuple[int, int, int]:
        """Of sound: those that came, never came, and were not taken, over all workers."""
        now = self._latest
        one, two, three = self._before
        return one + now.received, two + now.lost, three + now.strangers

    @property
    def transactions(self) -> int:
        """SIP requests that are not settled yet."""
        return self._latest.transactions

    # Told by the call

    def belongs(self, leg: int, tenant_id: int, call_id: int, who: str, device: str = "", address: str = "") -> None:
        """A leg is a call's from now on: of who called ("" for `who`), or of one who is rung.

        One that was another call's is over there, and has its sound here.
        """
        found = self._strangers.pop(leg, None) or self._legs.get(leg)
        if found is None:
            if not who:
                # Who called was heard of before: they left, and that is written already.
                return
            found = _Leg(Wire(began=_now()), clock.monotonic())
        call = self._calls.get(call_id)
        if call is None:
            call = self._calls[call_id] = _Call(tenant_id, call_id)
        if found.call is not None and found.call is not call:
            found = self._gone_on(found)
        found.note(who=who, device=device or found.wire.device, address=address or found.wire.address)
        self._legs[leg] = found
        if found.call is None:
            found.call = call
            call.legs.append(found)
            if found.incoming and not who and found.due is None:
                call.came = found.dialled

    def _gone_on(self, leg: _Leg) -> _Leg:
        """A leg as another call has it, to which it has gone."""
        wire = leg.wire
        onward = Wire(device=wire.device, address=wire.address, began=_now(), up=_now() if wire.up else 0)
        leg.note(ended=_now(), cause=WENT_ON, ours=True, held=_let_go(wire))
        leg.whole = True
        return _Leg(onward, leg.dialled, due=leg.due)

    def beeped(self, leg: int, prompt: Prompt) -> None:
        """A prompt was beeps to a leg."""
        found, mark = self._find(leg), mark_of(prompt)
        if found is not None and mark not in found.wire.beeped:
            found.note(beeped=(*found.wire.beeped, mark)[:SPELLS])

    # Told by the worker

    def heard(self, event: port.Event) -> None:
        """Something happened; no fault in noting it reaches the call."""
        try:
            self._heard(event)
        except Exception:
            log.exception("leg_not_noted")

    def _heard(self, event: port.Event) -> None:
        match event:
            case port.Figures():
                self._latest = event
                self.refused.update(event.refused)
            case port.Ready():
                self._begin_anew()
            case port.Incoming():
                leg = self._leg(event.leg)
                leg.incoming = not event.username
                leg.note(address=_written(event.source))
            case port.Progress() | port.Up():
                self._progressed(event)
            case port.Down():
                leg = self._leg(event.leg)
                leg.note(ended=_now(), code=event.code, cause=event.cause, ours=event.ours, held=_let_go(leg.wire))
                leg.due = clock.monotonic() + SOUND_SECONDS
            case port.Sound():
                known = self._find(event.leg)
                if known is not None and known.due is not None:
                    known.note(codec=event.codec, received=event.received, lost=event.lost)
                    known.whole = True
            case port.Held():
                leg = self._leg(event.leg)
                spells = leg.wire.held
                leg.note(held=(*spells, (_now(), 0)) if event.on and len(spells) < SPELLS else _let_go(leg.wire))
            case port.Referred():
                leg = self._leg(event.leg)
                leg.note(referred=(*leg.wire.referred, (_now(), event.target[:128]))[:SPELLS])
            case _:
                pass

    def _progressed(self, event: port.Progress | port.Up) -> None:
        leg, up = self._leg(event.leg), isinstance(event, port.Up)
        dialled = not leg.incoming and leg.wire.who != ""
        if dialled and not leg.wire.rang and not leg.wire.up:
            RANG.observe(clock.monotonic() - leg.dialled)
        if not up:
            leg.note(rang=leg.wire.rang or _now())
            return
        leg.note(up=leg.wire.up or _now())
        call = leg.call
        if dialled and call is not None and call.came is not None:
            ANSWERED.observe(clock.monotonic() - call.came)
            call.came = None

    def _find(self, number: int) -> _Leg | None:
        return self._legs.get(number) or self._strangers.get(number)

    def _leg(self, number: int) -> _Leg:
        """A leg, a new one if it is nobody's yet."""
        found = self._find(number)
        if found is None:
            found = self._strangers[number] = _Leg(Wire(began=_now()), clock.monotonic())
            if len(self._strangers) > STRANGERS:
                del self._strangers[next(iter(self._strangers))]
        return found

    def _begin_anew(self) -> None:
        """Another worker, which counts from nothing: what the one before had is over."""
        self._before, self._latest = self.packets, port.Figures(legs=0)
        self._strangers.clear()
        for leg in self._legs.values():
            if leg.due is None:
                leg.note(ended=_now(), cause=DIED, held=_let_go(leg.wire))
            leg.whole, leg.due = True, clock.monotonic()
        self._legs.clear()

    # Written

    async def keep(self) -> None:
        """Write what is whole, for as long as this goes on."""
        while True:
            await asyncio.sleep(WRITE_SECONDS)
            await self.flush()

    async def flush(self, *, all_of_it: bool = False) -> None:
        """Write what is whole; with `all_of_it` also that of which no more is waited for.

        What is just being written is waited for: what cannot be is not forgotten by whoever closes meanwhile.
        """
        async with self._writing:
            await self._flush(all_of_it)

    async def _flush(self, all_of_it: bool) -> None:
        taken: list[Wires] = []
        try:
            self._gather(clock.monotonic(), all_of_it)
            taken, self._unwritten = self._unwritten, []
            if taken:
                await self._write(taken)
        except Refusal as refusal:
            log.warning("legs_not_written", mend="it is tried again", cause=refusal.message)
            self._unwritten = taken + self._unwritten
            lost = len(self._unwritten) - UNWRITTEN
            if lost > 0:
                log.error("legs_lost", calls=lost, most=UNWRITTEN, cause="more calls than that wait for the store")
                del self._unwritten[:lost]
        except Exception:
            log.exception("legs_lost", calls=len(taken))
        except asyncio.CancelledError:
            # They are written by whoever closes; written twice they are the same.
            self._unwritten = taken + self._unwritten
            raise

    def _gather(self, at: float, all_of_it: bool) -> None:
        for number, leg in list(self._legs.items()):
            if leg.due is not None and (leg.whole or leg.due <= at or all_of_it):
                leg.whole = True
                del self._legs[number]
        for call in list(self._calls.values()):
            if all(leg.whole for leg in call.legs):
                del self._calls[call.id]
                self._unwritten.append(Wires(
                    tenant_id=call.tenant_id, call_id=call.id, wires=tuple([leg.wire for leg in call.legs])
                ))  # fmt: skip
                call.legs.clear()

    async def close(self) -> None:
        """Write what there is."""
        await self.flush(all_of_it=True)
        if self._unwritten:
            log.error("legs_not_written", calls=len(self._unwritten))


async def nowhere(_told: Sequence[Wires]) -> None:
    """Writes nothing, for who does not keep what is told."""


def _now() -> int:
    return clock.milliseconds(clock.now())


def _let_go(wire: Wire) -> tuple[tuple[int, int], ...]:
    """Its spells on hold, of which none goes on."""
    return tuple([(since, until or _now()) for since, until in wire.held])


def _written(address: port.Address) -> str:
    return f"{address[0]}:{address[1]}"
