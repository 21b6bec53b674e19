"""What a turn came to, carried out: attempts of tasks, and scripts that are asked. How they end is the next turn's.

What was carried out when a process died is carried out again by whoever has the run next: its attempt is still open.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol
from weakref import WeakValueDictionary

import msgspec
import structlog

from offhook.kit.errors import Refusal, Unavailable
from offhook.workflows.expressions.scripts import NotNow, ScriptError, Scripts
from offhook.workflows.machine import controls
from offhook.workflows.machine.model import Answer, Ask, Attempt, Outcome, Turn
from offhook.workflows.runs.known import Known
from offhook.workflows.runs.lease import Lease
from offhook.workflows.runs.live import Change, Live, Lives, Op, finishing
from offhook.workflows.tasks.place import Place

AT_ONCE = 128
"""How much is carried out at a time for a company: what one waits for takes no place of another."""

LONG_MS = 1_000
"""How long an attempt is carried out before its run says that it is under way."""

_WRONG = "Something went wrong here; the server's log says what."

log = structlog.get_logger("offhook.workflows")


class Performer(Protocol):
    """Carries out what takes time."""

    async def perform(self, tenant_id: int, attempt: Attempt, template: Mapping[str, Any], place: Place) -> Outcome:
        """The attempt's work. `template` is the task's input as the definition has it, {} if it was given as data.

        It has its `place`, which it may leave while it waits for what others keep from it.
        """


class Carrying:
    """Carries out for this process alone: what another one has it leaves to that."""

    def __init__(
        self,
        lives: Lives,
        lease: Lease,
        known: Known,
        performer: Performer,
        scripts: Scripts,
        now: Callable[[], int],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._lives, self._lease, self._known = lives, lease, known
        self._performer, self._scripts, self._now, self._sleep = performer, scripts, now, sleep
        self._places: WeakValueDictionary[int, asyncio.Semaphore] = WeakValueDictionary()
        self.begun: dict[int, tuple[int, Live]] = {}
        """Attempts that have their place, in order, since when: those that their runs do not say to be under way."""
        self.stopping = False

    def carry_out(self, live: Live, turn: Turn) -> None:
        """Begin what a turn wants that is on disk, and leave what it wants no more."""
        # Of what somebody else has said the end of, nobody waits for the answer.
        for id in (*turn.cancel, *(one.id for one in turn.changed if not one.open)):
            task = live.inflight.pop(id, None)
            if task is not None:
                task.cancel()
        if not turn.ask:
            live.answers.clear()
        if self.stopping or not self._lease.owner or self._lease.elsewhere(live):
            return
        for attempt in turn.perform:
            if attempt.id not in live.inflight and attempt.id not in live.told:
                assert live.definition is not None
                template = self._known.template(turn.state.run.definition, live.definition, attempt)
                live.inflight[attempt.id] = self._lives.spawn(self._perform(live, attempt, template))
        for ask in turn.ask:
            if ask.key not in live.asking and ask.key not in live.answers:
                live.asking[ask.key] = self._lives.spawn(self._ask(live, ask))

    def mark_begun(self, now: int) -> None:
        """Have it known of what takes long that it is under way; what is short costs no turn of its own."""
        while self.begun:
            id, (started, live) = next(iter(self.begun.items()))
            if 0 <= now - started < LONG_MS:
                return
            del self.begun[id]
            self._lives.put(live, Op(_beginning(id, started)))

    async def stop(self, seconds: float) -> None:
        """Begin nothing more, let attempts end for so long, then leave off."""
        self.stopping = True
        inflight = [task for live in self._lives for task in live.inflight.values()]
        if inflight:
            await asyncio.wait(inflight, timeout=seconds)
        for live in self._lives:
            for task in (*live.inflight.values(), *live.asking.values()):
                task.cancel()

    async def _perform(self, live: Live, attempt: Attempt, template: Mapping[str, Any]) -> None:
        places = self._places.setdefault(live.tenant_id, asyncio.Semaphore(AT_ONCE))
        place = Place(places, self._now, partial(self._under_way, live, attempt.id))
        try:
            await place.take()
            outcome = await self._performer.perform(live.tenant_id, attempt, template, place)
        except asyncio.CancelledError:
            live.inflight.pop(attempt.id, None)
            raise
        except Exception:
            log.exception("attempt_failed", run=str(live.id), task=attempt.key)
            outcome = Outcome(status="FAILED", reason=_WRONG)
        finally:
            place.leave()
        live.inflight.pop(attempt.id, None)
        outcome = msgspec.structs.replace(outcome, started=place.since or self._now())
        live.told.add(attempt.id)
        self._lives.put(live, Op(finishing(attempt.id, outcome), attempt=attempt.id))
        self._lives.keep(live)

    def _under_way(self, live: Live, id: int, since: int) -> None:
        """An attempt is under way since then; 0: it is not."""
        if since:
            self.begun[id] = since, live
        else:
            self.begun.pop(id, None)

    async def _ask(self, live: Live, ask: Ask) -> None:
        try:
            answer = await self._answer(live, ask)
        except asyncio.CancelledError:
            live.asking.pop(ask.key, None)
            raise
        except Unavailable as refusal:
            live.asking.pop(ask.key, None)
            log.warning("ask_put_off", run=str(live.id), cause=refusal.message)
            await self._sleep(1.0)
            self._lives.put(live, Op())
            return
        except Exception:
            log.exception("ask_failed", run=str(live.id))
            answer = Answer(error=_WRONG)
        live.asking.pop(ask.key, None)
        live.answers[ask.key] = answer
        self._lives.put(live, Op())
        self._lives.keep(live)

    async def _answer(self, live: Live, ask: Ask) -> Answer:
        try:
            if ask.language == "workflow":
                return Answer(await self._known.wanted(live.tenant_id, ask.bindings))
            evaluate = self._scripts.javascript if ask.language == "javascript" else self._scripts.jsonata
            given = ask.bindings
            return Answer(await evaluate(live.tenant_id, ask.script, given, now_ms=self._now(), seed=live.id))
        except NotNow as error:
            raise Unavailable(error.message) from None
        except ScriptError as error:
            return Answer(error=str(error))
        except Unavailable:
            raise
        except Refusal as refusal:
            places = "; ".join(f"{one.location}: {one.message}" for one in refusal.violations[:3])
            return Answer(error=f"{refusal.message} {places}".strip())


def _beginning(id: int, started: int) -> Change[bool]:
    return lambda state, _definition, _now: controls.began(state, id, started)
