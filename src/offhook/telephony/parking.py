"""Putting a call on park and taking it off, as its telephones have it: `Park` carried out, and wishes passed on.

What becomes of it is decided in `routing/parking.py`; who wishes something is told what was decided.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from offhook.calls.legs.wishes import OVER, Granted
from offhook.kit import clock
from offhook.kit.errors import Unavailable
from offhook.routing import plan
from offhook.routing.trace import Step

CODE = "*68"
"""What a telephone sends a call on to that puts it on park."""

PATIENCE = 5.0
"""Seconds in which who takes a call is rung, once that is decided; who asks for it waits a little longer."""

Decide = Callable[[plan.Event], Awaitable[Step | None]]


def now() -> int:
    """The moment of an event."""
    return clock.milliseconds(clock.now())


def refused(step: Step) -> Granted:
    """That something was decided against, and why."""
    said = [reason.text for reason in step.reasons if reason.code != "ignored"]
    return Granted(refused=" ".join(said) or "The call is not where that can be done.")


class Parking:
    """For one call. `decide` tells it something, Unavailable where it does not get round to that; `leg_of` is the id of
    one who is rung for it.
    """

    def __init__(self, decide: Decide, leg_of: Callable[[str], int]) -> None:
        self._decide, self._leg_of = decide, leg_of
        self._rung: asyncio.Future[bool] | None = None
        self._over = False

    async def park(self, *, caller: bool = False) -> Granted:
        """Whoever has the call puts it on park, `caller` if who called wishes it: they are let go.

        Everybody may take it off again, they too.
        """
        step = await self._decide(plan.Parked(now(), caller=caller))
        if step is None:
            return OVER
        return Granted() if any(isinstance(verb, plan.Park) for verb in step.verbs) else refused(step)

    async def take(self, who: str) -> Granted:
        """Ring "user:1" for it; granted once it rings there."""
        if self._rung is not None:
            return Granted(refused="Somebody is just rung for it: try again if the call stays on park.")
        rung = self._rung = asyncio.get_running_loop().create_future()
        try:
            step = await self._decide(plan.Unparked(now(), who))
            if step is None or not step.verbs:
                return OVER if step is None else refused(step)
            async with asyncio.timeout(PATIENCE):
                if await rung:
                    return Granted(call_id=self._leg_of(who))
            if self._over:
                return OVER
        except TimeoutError:
            raise Unavailable("It is not known yet whether the user can be rung: look at the call.") from None
        finally:
            self._rung = None
        return Granted(refused="The user is in another call, or could not be rung: the call stays on park.")

    def end(self) -> None:
        """The call is over: nobody is rung for it any more."""
        self._over = True
        if self._rung is not None and not self._rung.done():
            self._rung.set_result(False)

    def given(self, verbs: Iterable[plan.Verb]) -> None:
        """The call goes on with these."""
        if self._rung is None or self._rung.done():
            return
        kinds = {type(verb) for verb in verbs}
        if kinds & {plan.Ring, plan.Park, plan.Voicemail, plan.Hangup}:
            self._rung.set_result(plan.Ring in kinds)
