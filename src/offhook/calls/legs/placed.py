"""Calls that were placed: their user is rung first, and the number is dialled once they answer.

They are calls from the moment in which they are placed, for all processes: under way, given up from any of them, lost
with the process that had them, and over with a reason where nobody took them.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import structlog
from msgspec.structs import replace

from offhook.calls import store as calls
from offhook.calls.call import LEASE_MS
from offhook.calls.legs import store
from offhook.calls.legs.model import CallLeg
from offhook.calls.model import Kept
from offhook.kit import clock
from offhook.kit.errors import Refusal
from offhook.routing.model import Company, target_of_who
from offhook.routing.plan import Event, HungUp, Leg, Missed, NotAnswered, Outgoing, Ring
from offhook.routing.state import Reason, new_call
from offhook.routing.trace import Step
from offhook.routing.turn import name_of
from offhook.storage.batches import Writer
from offhook.storage.database import Transaction

log = structlog.get_logger("offhook.calls")


@dataclass(frozen=True, slots=True)
class Placement:
    """A call that is placed: `who` ("user:1") is rung for `seconds` on these telephones, and `number` dialled then."""

    tenant_id: int
    id: int
    who: str
    devices: tuple[str, ...]
    number: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Unbegun:
    """Why one did not begin: its user did not take it, somebody gave it up, or there was a `fault`, in words."""

    missed: Missed = "no_answer"
    given_up: bool = False
    fault: str = ""


@dataclass(frozen=True, slots=True)
class _Rung:
    kept: Kept
    leg: CallLeg
    name: str


class Placed:
    """Over a store. `company` is as calls see it."""

    def __init__(
        self,
        writer: Writer,
        company: Callable[[int], Awaitable[Company]],
        wall: Callable[[], float] = clock.wall,
    ) -> None:
        self._writer, self._company, self._wall = writer, company, wall
        self._rung: dict[int, _Rung] = {}

    async def begun(self, call: Placement) -> None:
        """A user is about to be rung. Unavailable where that cannot be written."""
        config, at, wall = await self._company(call.tenant_id), _now(), int(self._wall() * 1000)
        target = target_of_who(call.who)
        name = name_of(config, target)
        state = replace(
            new_call(str(call.id), call.id), phase="ringing", began=at, now=at, who=call.who, dialled=call.number,
            reserved=(call.who,), config=config.version,
        )  # fmt: skip
        kept = Kept(
            id=call.id, tenant_id=call.tenant_id, began=at, ended=0, outcome="", caller=call.who, dialled=call.number,
            state=state,
        )  # fmt: skip
        leg = CallLeg(
            id=call.id, tenant_id=call.tenant_id, call_id=call.id, target=target, direction="outbound",
            external=call.number, began=at,
        )  # fmt: skip
        text = f"This call was placed by the API: {name} is rung first, and {call.number} is dialled once they answer."
        first = Step(
            event=Outgoing(at, call.who, call.number),
            reasons=(Reason(at, "placed", text),),
            verbs=(Ring("parallel", (Leg(call.who, name, call.devices),), call.seconds),),
            config=config.version,
        )
        unit = self._unit(kept, leg, 0, first, wall + LEASE_MS)

        def write(tx: Transaction) -> None:
            unit.run(tx)
            store.rings(tx, call.tenant_id, call.id, wall)

        await self._writer.aside(write)
        self._rung[call.id] = _Rung(kept, leg, name)

    async def over(self, tenant_id: int, id: int, why: Unbegun | None) -> None:
        """They are rung no more: it is a call like any other, or over, and why. What cannot be written is soon lost."""
        rung = self._rung.pop(id, None)
        unit = self._ended(rung, why) if rung is not None and why is not None else None

        def write(tx: Transaction) -> None:
            if unit is not None:
                unit.run(tx)
            store.take_away(tx, tenant_id, id)

        try:
            await self._writer.aside(write)
        except Refusal as refusal:
            log.warning("placed_call_not_forgotten", call_id=id, cause=refusal.message)

    def _ended(self, rung: _Rung, why: Unbegun) -> calls.Keep:
        kept, at = rung.kept, _now()
        outcome, cause, event, text = _told(kept.state.who, rung.name, why, at)
        state = replace(kept.state, phase="over", now=at, reserved=(), outcome=outcome)
        last = Step(event=event, reasons=(Reason(at, "placed", text),), verbs=(), config=state.config)
        over = replace(kept, ended=at, outcome=outcome, state=state)
        return self._unit(over, replace(rung.leg, state="missed", ended=at, cause=cause), 1, last, 0)

    def _unit(self, kept: Kept, leg: CallLeg, number: int, taken: Step, until: int) -> calls.Keep:
        written = calls.written(kept.tenant_id, kept.id, number, taken)
        return calls.Keep(calls.row_of(kept, until), (written,), legs=(leg,))


def _told(
    who: str, name: str, why: Unbegun, at: int
) -> tuple[Literal["failed", "abandoned", "not_answered"], str, Event, str]:
    """How the call ended, why its leg did, what happened, and all of it in words."""
    if why.fault:
        text = f"{name} was rung, but nothing was dialled: {why.fault}"
        return "failed", "refused", HungUp(at, cause=why.fault), text
    if why.given_up:
        text = f"It was hung up while {name} was still rung, so nothing was dialled."
        return "abandoned", "ended", HungUp(at, ours=True), text
    text = f"{name} did not take it ({why.missed.replace('_', ' ')}), so nothing was dialled."
    return "not_answered", why.missed, NotAnswered(at, {who: why.missed}), text


def _now() -> int:
    return clock.milliseconds(clock.now())
