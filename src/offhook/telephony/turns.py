"""The verbs that a call's telephones were given: which is carried out now, which follow, and what takes whose place."""

import asyncio
from collections.abc import Sequence

from offhook.routing import plan
from offhook.routing.plan import Verb

SAID = plan.Answer | plan.Play
"""What is carried out in its turn, whatever is to be done next: of what a caller is told nothing is left out."""


class Turns:
    """Of one call; `now` is the verb that was begun last."""

    def __init__(self) -> None:
        self.now: Verb | None = None
        self._due: Sequence[Verb] = ()
        self._given: Sequence[Verb] = ()
        self._more = asyncio.Event()
        self._coming: tuple[Verb, asyncio.Event] | None = None

    def give(self, verbs: Sequence[Verb]) -> bool:
        """Have these follow, behind what a caller is still to be told; whether what is done now is left for them."""
        at_once = any(map(_waits_for_nothing, verbs))
        due = [] if at_once else [verb for verb in (*self._due, *self._given) if isinstance(verb, SAID)]
        self._due, self._given = (), (*due, *verbs)
        self._more.set()
        return at_once or not isinstance(self.now, SAID)

    def wake(self) -> None:
        """Whoever waits for more looks whether there is any sense in it."""
        self._more.set()

    async def given(self) -> None:
        """Wait for more, and take it on."""
        await self._more.wait()
        self._more.clear()
        self._due, self._given = self._given, ()

    def next(self) -> Verb | None:
        """The next one, which begins now; None if others take the place of the rest, or none is left."""
        if self._given or not self._due:
            return None
        self.now, *self._due = self._due
        if self._coming is not None and self._coming[0] is self.now:
            self._coming[1].set()
        return self.now

    def tells(self, *, doing: bool) -> bool:
        """Whether a caller is to be told something, or is just told it, if something is done now."""
        now = [self.now] if doing else []
        return any(isinstance(verb, SAID) for verb in (*now, *self._due, *self._given))

    async def comes_to(self, verb: Verb) -> None:
        """Wait until it begins; for ever if others take its place."""
        if self.now is not verb:
            self._coming = verb, asyncio.Event()
            await self._coming[1].wait()


def is_emergency(verb: Verb) -> bool:
    """Whether it calls for help."""
    return isinstance(verb, plan.Transfer) and verb.emergency


def _waits_for_nothing(verb: Verb) -> bool:
    """Whether a caller is not told first what they were to be told: who calls for help, and who is cut off."""
    return is_emergency(verb) or (isinstance(verb, plan.Hangup) and verb.cause != "normal")
