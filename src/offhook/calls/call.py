"""One call under way: what a telephone tells of it goes to `decide`, what that asks for goes to the telephone, to the
reservations or to a company's web service, and every step is kept before it is carried out.

A call goes on when the store cannot be written: what happened is kept as soon as it can be, and an emergency call is
carried out before anything is written at all.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
import structlog

from offhook.calls import helping, store
from offhook.calls.legs.ledger import Ledger
from offhook.calls.legs.model import Seen
from offhook.calls.legs.wishes import Taping, Wish
from offhook.calls.model import Ends, Kept, Paces, Telephone
from offhook.events.model import SYSTEM, Word
from offhook.events.model import Event as Happening
from offhook.kit import clock
from offhook.kit.errors import Refusal, Unavailable
from offhook.kit.wire import encode
from offhook.routing.model import Company
from offhook.routing.outbound import helps_anywhere
from offhook.routing.plan import (
    Answer,
    Ask,
    AskScript,
    Ended,
    Event,
    First,
    Hangup,
    HungUp,
    Notify,
    Outgoing,
    Play,
    Release,
    Reserve,
    Reserved,
    Told,
    Transfer,
    Verb,
)
from offhook.routing.state import CallState, Phase, new_call
from offhook.routing.trace import Step, step
from offhook.routing.turn import MAX_STEPS
from offhook.storage.batches import Writer

LEASE_MS = 60_000
"""How long a call of a worker that died still counts as under way."""

PATIENCE_SECONDS = 2.0
"""How long a caller waits for the store to take a step, before the call goes on without it."""

FIRST_SECONDS = 10.0
"""How long a call waits to begin where nothing is known of its company yet: a large one is read in about a second."""

DECIDING_SECONDS = 5.0
"""In which a wish is looked at, and once more in which it is decided; who asks for it waits a little longer."""

_RETRY = [("Retry-After", "1")]
log = structlog.get_logger("offhook.calls")

Question = Reserve | Ask | AskScript
CompanyOf = Callable[[int], Awaitable[Company]]
"""From a tenant id to the company as calls see it now."""

AskRouter = Callable[[int, int, Ask, CallState], Awaitable[Told]]
"""From (tenant id, call id, what to ask, the call) to what the web service said, or why it said nothing."""


AskWorkflow = Callable[[int, int, AskScript, CallState], Awaitable[Told]]
"""The same of the workflow of a line."""


async def _no_workflows(_tenant_id: int, _call_id: int, _verb: AskScript, _state: CallState) -> Told:
    return Told(clock.milliseconds(clock.now()), fault="no workflow can be asked here")


class Holding(Protocol):
    """Who reserves operators: `routing/reservations.py`."""

    async def reserve(self, tenant_id: int, call_id: str, verb: Reserve, now: int) -> Reserved: ...
    def release(self, tenant_id: int, call_id: str, verb: Release, now: int) -> Coroutine[Any, Any, None]: ...
    def finish(self, tenant_id: int, call_id: str, now: int) -> Coroutine[Any, Any, None]: ...
    async def renew(self, tenant_id: int, call_ids: Iterable[str]) -> None: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What every call needs."""

    writer: Writer
    company: CompanyOf
    holding: Holding
    ask: AskRouter
    ask_workflow: AskWorkflow = _no_workflows
    patience: float = PATIENCE_SECONDS
    first: float = FIRST_SECONDS
    wall: Callable[[], float] = clock.wall


class EmergencyPlaced(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the event of an emergency call says; `cause` is why it was not placed, where it was not."""

    call_id: str
    office_id: str | None
    caller: str
    number: str
    cause: str = ""


class Call:
    """Events come in one after the other, and each step is done before the next."""

    def __init__(self, parts: Parts, tenant_id: int, id: int, telephone: Telephone, new_id: Callable[[], int]) -> None:
        self.tenant_id = tenant_id
        self.id = id
        self.task: asyncio.Task[None]
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._parts = parts
        self.telephone = telephone
        self._ledger = Ledger(tenant_id, id, new_id)
        self._state = new_call(str(id), id)
        self._inbox: asyncio.Queue[tuple[Event, asyncio.Task[Event] | None]] = asyncio.Queue()
        self._untaken: dict[int, Event] = {}
        """What was told of, and is not looked at yet."""
        self._decided: dict[int, asyncio.Future[Step | None]] = {}
        self._config: Company | None = None
        self._question: tuple[Question, asyncio.Task[Event]] | None = None
        self._inviting: dict[str, tuple[asyncio.Task[Event], asyncio.Future[Step | None] | None]] = {}
        """By what was asked for: who reserves those that are asked in, and who waits to hear what was decided."""
        self._number = self._wishes = 0
        self._unkept: list[store.Written] = []
        self._doubtful = False
        self._owed: list[Release] = []
        self._held = True
        self.over = False

    def begin(self, first: First, rest: Callable[["Call"], None]) -> None:
        """Let it go; `begun` is done with its first step, and `rest` is told whenever what is kept has changed."""
        self._rest = rest
        self.task = asyncio.create_task(self._run(first))

    def tell(self, event: Event) -> None:
        """Something happened to it."""
        self._untaken[id(event)] = event
        self._inbox.put_nowait((event, None))

    def withdraw(self, event: Event) -> bool:
        """Let something not have been told that is not looked at yet; False if it was, so that it is decided."""
        return self._untaken.pop(id(event), None) is not None

    async def decided(self, event: Event) -> Step | None:
        """Tell it, and wait for what was decided and given to the telephone; None where it was over by then.

        Unavailable where it was not looked at in DECIDING_SECONDS, as the store is slow: then it never is.
        """
        if self.over:
            return None
        waiting: asyncio.Future[Step | None] = asyncio.get_running_loop().create_future()
        self._decided[id(event)] = waiting
        self.tell(event)
        try:
            for _ in range(2):
                with suppress(TimeoutError):
                    async with asyncio.timeout(DECIDING_SECONDS):
                        return await asyncio.shield(waiting)
                if self.withdraw(event):
                    raise Unavailable("The call could not get round to it in time; nothing was done.", headers=_RETRY)
            raise Unavailable("It is not known whether this was done: look at the call.", headers=_RETRY)
        finally:
            self.withdraw(event)
            self._decided.pop(id(event), None)

    def leg_of(self, who: str) -> int:
        """The leg of one ("user:1", a number) who is rung or in it; 0 if there is none."""
        return self._ledger.of(who)

    async def refusal(self, wish: Wish) -> str:
        """Why a wish of an API or a page is not for this call, as it is one for help; "" if it may be granted.

        The wish is in the trace by then, as are those before, within bounds.
        """
        if isinstance(wish, Taping) or not helping.guarded(self._state):
            return ""
        self._wishes += 1
        if self._wishes <= helping.MOST:
            with suppress(Unavailable):
                await self.decided(helping.wished(wish, clock.milliseconds(clock.now())))
        return helping.WHY

    def hang_up(self) -> None:
        """End it, whatever it has come to, for somebody who is not in it."""
        if isinstance(self.telephone, Ends) and self.telephone.hang_up():
            return
        self.telephone.do(self.id, (Hangup(),))
        self.tell(HungUp(clock.milliseconds(clock.now()), ours=True))

    def seen(self, seen: Seen) -> None:
        """A telephone of somebody who is rung rings, or took the call; kept with the next step."""
        self._ledger.seen(seen)

    @property
    def outgoing(self) -> bool:
        """Whether somebody of the company made it."""
        return self._state.who != ""

    @property
    def outcome(self) -> str:
        """How it ended; "" before that."""
        return self._state.outcome if self._state.phase == "over" else ""

    @property
    def behind(self) -> bool:
        """Whether something is to be written, or somebody to be given back, that the store could not take."""
        return bool(self._unkept or self._owed or (self.over and self._held))

    async def catch_up(self) -> None:
        """Write it now."""
        if self._unkept:
            await self._keep()
        if self.over and self._held:
            await self._finish()
        elif self._owed:
            await self._settle()

    async def _run(self, first: First) -> None:
        try:
            try:
                await self._step(first)
            except Refusal as refusal:
                self.begun.set_exception(refusal)
                self._held = False
                return
            except Exception as error:
                self._failed(first, error, self._state.phase)
            self.begun.set_result(None)
            while self._state.phase != "over":
                event, asked = await self._inbox.get()
                if asked is None and not self.withdraw(event):
                    # Nobody waits for it any more.
                    continue
                if asked is not None:
                    if self._question is None or asked is not self._question[1]:
                        continue
                    self._question = None
                before, taken = self._state.phase, None
                waiting = self._decided.get(id(event))
                if isinstance(event, Reserved) and event.asked in self._inviting:
                    _, waiting = self._inviting.pop(event.asked)
                try:
                    taken = await self._step(event)
                except Exception as error:
                    self._failed(event, error, before)
                if not self._invites(taken, waiting) and waiting is not None and not waiting.done():
                    waiting.set_result(taken)
            await self._end()
        finally:
            self.over = True
            for task, _ in self._inviting.values():
                task.cancel()
            for waiting in self._decided.values():
                if not waiting.done():
                    waiting.set_result(None)
            self._rest(self)

    def _invites(self, taken: Step | None, waiting: "asyncio.Future[Step | None] | None") -> bool:
        """Find out who of those that are asked in can be rung; who waits for the decision waits for that one."""
        verb = next((one for one in taken.verbs if _asks_in(one)), None) if taken is not None else None
        if not isinstance(verb, Reserve) or verb.asked in self._inviting:
            return False
        self._inviting[verb.asked] = asyncio.create_task(self._find_out(verb)), waiting
        return True

    def _failed(self, event: Event, error: Exception, before: Phase) -> None:
        """A fault of ours: two who talk go on talking, any other call ends."""
        log.error("call_failed", call_id=self.id, happened=type(event).__name__, exc_info=error)
        if before in ("talking", "out") and not isinstance(event, HungUp | Ended):
            return
        self._state = msgspec.structs.replace(self._state, phase="over", outcome="failed")
        with suppress(Exception):
            self._ledger.fail(self._state)
        with suppress(Exception):
            self.telephone.do(self.id, (Hangup("unavailable"),))

    async def _end(self) -> None:
        if self._state.outcome != "failed":
            return
        await self._stop_asking()
        await self._finish()
        try:
            await self._keep()
        except Exception:
            # Something in it cannot be written; that the call is over can be.
            log.exception("call_steps_lost", call_id=self.id)
            self._unkept = []
            self._ledger.changed.clear()
            await self._keep()

    def _note_legs(self, taken: Step, state: CallState) -> None:
        """No call ends because its legs cannot be noted."""
        try:
            self._ledger.after(taken, state)
        except Exception:
            log.exception("legs_not_noted", call_id=self.id)

    async def _step(self, event: Event) -> Step | None:
        """Take a step; None for one of too many that change nothing."""
        config = await self._company(event)
        after, taken = step(config, self._state, event)
        if self._number >= MAX_STEPS and not taken.verbs and after.phase == self._state.phase:
            # What changes nothing is told for so long, and no longer.
            return None
        self._state = after
        self._note_legs(taken, after)
        doing = tuple([
            verb for verb in taken.verbs
            if not (isinstance(verb, Release | Ask | AskScript | Notify) or _asks_in(verb))
        ])  # fmt: skip
        urgent = any(isinstance(verb, Transfer) and verb.emergency for verb in doing)
        if urgent:
            self.telephone.do(self.id, doing)
        notices = tuple([self._happening(verb) for verb in taken.verbs if isinstance(verb, Notify)])
        self._unkept.append(store.written(self.tenant_id, self.id, self._number, taken, notices))
        begins = self._number == 0
        self._number += 1
        if isinstance(event, Reserved) and self._owed:
            # Whoever was to be given back is now reserved anew.
            self._owed = [_but(one, event.members) for one in self._owed]
        question = next((verb for verb in taken.verbs if isinstance(verb, Question) and not _asks_in(verb)), None)
        if question is not None or after.phase not in ("reserving", "asking"):
            await self._stop_asking()
        releases = [verb for verb in taken.verbs if isinstance(verb, Release)]
        behind = isinstance(question, Reserve) and self._tells(taken.verbs)
        if isinstance(question, Reserve) and not (releases or self._owed or behind):
            # In one transaction with the step.
            self._ask(question)
            question = None
        self._owed += releases
        giving: list[asyncio.Future[None]] = []
        if after.phase == "over" or self._owed:
            # In one transaction with the step, too: the writer begins behind what the loop's next pass begins with.
            giving.append(asyncio.ensure_future(self._finish() if after.phase == "over" else self._settle()))
        try:
            await self._keep()
            if (doing or begins) and not urgent:
                # The first time also where only a service is asked: the caller may leave meanwhile.
                self.telephone.do(self.id, doing)
        finally:
            for one in giving:
                await one
        if question is not None:
            self._ask(question, behind)
        return taken

    async def _company(self, event: Event) -> Company:
        helps = isinstance(event, Outgoing) and helps_anywhere(event)
        parts, known = self._parts, self._config is not None
        try:
            async with asyncio.timeout(parts.patience if helps or known else parts.first):
                self._config = await parts.company(self.tenant_id)
        except Exception as fault:
            if not (helps or (known and isinstance(fault, Refusal | TimeoutError))):
                if isinstance(fault, TimeoutError):
                    raise Unavailable("The store does not answer.", headers=[("Retry-After", "1")]) from fault
                raise
            # Who dials for help gets it, also where nothing is known of the company.
            self._config = self._config or Company(self.tenant_id, version=0)
            log.error("call_decided_by_an_older_config", call_id=self.id, cause=str(fault) or "no answer in time")
        return self._config

    async def _keep(self) -> None:
        """Write the steps that are not yet written, and the events that they are."""
        state = self._state
        over = state.phase == "over"
        kept = Kept(
            id=self.id,
            tenant_id=self.tenant_id,
            began=state.began or state.now,
            ended=state.now if over else 0,
            outcome=state.outcome if over else "",
            caller=state.who or state.caller,
            dialled=state.dialled,
            state=state,
        )
        until = 0 if over else int(self._parts.wall() * 1000) + LEASE_MS
        legs = tuple(self._ledger.changed.values())
        unit = store.Keep(store.row_of(kept, until), tuple(self._unkept), again=self._doubtful, legs=legs)
        number = self._number
        try:
            async with asyncio.timeout(self._parts.patience):
                await self._parts.writer.submit(unit)
        except (Refusal, TimeoutError) as fault:
            # It may have been written all the same: what is written again takes its own place.
            self._doubtful = True
            log.error("call_step_not_kept", call_id=self.id, cause=str(fault) or type(fault).__name__)
        else:
            self._ledger.written(legs)
            self._unkept = [one for one in self._unkept if one.number >= number]
            self._doubtful = bool(self._unkept)
        self._rest(self)

    def _happening(self, notice: Notify) -> Happening:
        placed = EmergencyPlaced(
            call_id=str(self.id),
            office_id=str(notice.office_id) if notice.office_id else None,
            caller=notice.who,
            number=notice.number,
            cause=notice.fault,
        )
        return Happening(
            tenant_id=self.tenant_id,
            word=Word.EMERGENCY_CALL_FAILED if notice.fault else Word.EMERGENCY_CALL_PLACED,
            subject_id=str(self.id),
            actor=SYSTEM,
            at=self._state.now,
            after=encode(placed).decode(),
        )

    async def _settle(self) -> None:
        """Give back whom the call has no more, in the order in which it was said."""
        while self._owed:
            # The call itself and whoever catches up with it may be at this at once.
            first = self._owed[0]
            if not await self._gave(self._parts.holding.release(self.tenant_id, str(self.id), first, self._state.now)):
                break
            self._owed = [one for one in self._owed if one is not first]
        self._rest(self)

    async def _finish(self) -> None:
        """Give back all whom the call has."""
        if await self._gave(self._parts.holding.finish(self.tenant_id, str(self.id), self._state.now)):
            self._held, self._owed = False, []
        self._rest(self)

    async def _gave(self, back: Coroutine[Any, Any, None]) -> bool:
        """Whether the store took it. It may have done so all the same: to give back twice is as to do it once."""
        try:
            async with asyncio.timeout(self._parts.patience):
                await back
        except (Refusal, TimeoutError) as fault:
            log.error("operators_not_released", call_id=self.id, cause=str(fault) or type(fault).__name__)
            return False
        return True

    def _ask(self, verb: Question, behind: bool = False) -> None:
        self._question = (verb, asyncio.create_task(self._find_out(verb, behind)))

    async def _stop_asking(self) -> None:
        """Nothing is to be found out any more; whoever was reserved by it meanwhile is given back."""
        if self._question is None:
            return
        (verb, task), self._question = self._question, None
        task.cancel()
        # A place is given up in the store, which may hang.
        await asyncio.wait({task}, timeout=self._parts.patience)
        if not isinstance(verb, Reserve) or task.cancelled() or self._state.phase == "over":
            return
        answer = task.result() if task.done() else _unanswered(verb, "the store did not answer in time")
        if isinstance(answer, Reserved):
            # With a fault nobody knows whom the store gave.
            members = answer.members or (verb.members if answer.fault else ())
            if left := tuple([who for who in members if who != self._state.who]):
                self._owed.append(Release(left))
                if task.done():
                    await self._settle()

    def _tells(self, verbs: Sequence[Verb]) -> bool:
        """Whether the caller is told something first, by these verbs or by those before them."""
        before = isinstance(self.telephone, Paces) and self.telephone.tells
        return before or any(isinstance(verb, Answer | Play) for verb in verbs)

    async def _until_it_is_time(self, verb: Reserve) -> int:
        """The moment at which the caller has heard what stands before it: whoever is reserved is rung at once."""
        if isinstance(self.telephone, Paces):
            await self.telephone.comes_to(verb)
        return max(self._state.now, clock.milliseconds(clock.now()))

    async def _find_out(self, verb: Question, behind: bool = False) -> Event:
        """Answer what only the store or a web service knows, as an event; `behind` what the telephone does first."""
        try:
            if isinstance(verb, Reserve):
                now = await self._until_it_is_time(verb) if behind else self._state.now
                event: Event = await self._parts.holding.reserve(self.tenant_id, str(self.id), verb, now)
            elif isinstance(verb, Ask):
                event = await self._parts.ask(self.tenant_id, self.id, verb, self._state)
            else:
                event = await self._parts.ask_workflow(self.tenant_id, self.id, verb, self._state)
        except Refusal as refusal:
            event = _unanswered(verb, refusal.message)
        except Exception:
            log.exception("call_question_failed", call_id=self.id)
            event = _unanswered(verb, "it could not be asked")
        if isinstance(event, Reserved) and isinstance(verb, Reserve) and verb.asked:
            event = msgspec.structs.replace(event, asked=verb.asked)
            self.tell(event)
        else:
            self._inbox.put_nowait((event, asyncio.current_task()))
        return event


def _asks_in(verb: Verb) -> bool:
    """Whether it reserves who is asked into the call, which goes on meanwhile."""
    return isinstance(verb, Reserve) and bool(verb.asked)


def _unanswered(verb: Question, why: str) -> Event:
    at = clock.milliseconds(clock.now())
    return Reserved(at, fault=why) if isinstance(verb, Reserve) else Told(at, fault=why)


def _but(one: Release, members: Iterable[str]) -> Release:
    return Release(tuple([who for who in one.members if who not in members]), one.kept)
