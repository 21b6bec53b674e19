"""A call that is sent on: REFER of a telephone, a wish of an API, and legs that go from one call to another.

Whether somebody may is decided like all else of a call (routing/transfers.py), asked by an event and answered by verbs:
LetGo or HandOn if so, Deny if not. Here legs are moved and told, and nothing is allowed.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import ref

import structlog

from offhook.calls.legs.wishes import Granted, TransferTo
from offhook.kit import clock
from offhook.kit.errors import Refusal, Unavailable
from offhook.kit.weakly import alive
from offhook.routing import plan
from offhook.routing.outbound import keys_of
from offhook.routing.plan import Deny, Handed, HandOn, Joined, Transferred, Verb
from offhook.telephony import parking, port
from offhook.telephony.house import House, Other

if TYPE_CHECKING:
    from offhook.telephony.telephone import Telephone

LONGEST_SENDING = 50.0
"""Seconds for which who sent a call on is told how it goes; NOTIFY promises 60 (RFC 3515 section 2.4)."""

DECIDING_SECONDS = 10.0
"""In which it must be known whether a call may be sent on; the telephone that asked waits no longer than 30."""

MOST = 50
"""Times that the telephones of one call may ask."""

DECLINED = 603
CODES = {"forbidden": 403, "unallocated": 404}
PEOPLE = ("user:", "room:")
_LONGEST_NUMBER = 64

log = structlog.get_logger("offhook.telephony")


class Sender:
    """The leg of who sent a call on, until it is known how that went (RFC 3515 section 2.4.4)."""

    def __init__(self, house: House, leg: int) -> None:
        self.leg = leg
        self._house = house
        self._timer: asyncio.Task[None] | None = None
        self._begun = self._over = False
        self._left: port.Down | None = None

    def begin(self) -> None:
        """Their wish is granted: they are in the call no more."""
        if not self._begun and not self._over:
            self._begun = True
            self._house.legs.hold(self.leg, self._heard)
            self._house.legs.tell(port.Refer(leg=self.leg, code=202))
            self._house.legs.tell(port.Part(self.leg))
            self._timer = asyncio.ensure_future(self._let_go())

    def refuse(self, code: int) -> None:
        """It is not, and they talk on."""
        self._house.legs.tell(port.Refer(leg=self.leg, code=code))

    def went(self, code: int) -> None:
        """How it went, which is all that they stayed for."""
        if self._begun and not self._over:
            self._stop()
            self._house.legs.tell(port.Refer(leg=self.leg, code=code))
            self._end()

    def failed(self, code: int, heard: Callable[[port.Event], None]) -> None:
        """It did not begin although it was granted: they are told, and have their leg again, unless they have left."""
        self._over = True
        self._stop()
        self.refuse(code)
        if self._left is not None:
            heard(self._left)
        else:
            self._house.legs.hold(self.leg, heard)

    def _stop(self) -> None:
        """Wait no longer."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    async def _let_go(self) -> None:
        await self._house.sleep(LONGEST_SENDING)
        self._timer = None
        self._end()

    def _end(self) -> None:
        if not self._over:
            self._over = True
            self._house.legs.tell(port.Drop(self.leg))
            # It may have been over before it was held, and then nobody says so any more.
            self._house.legs.let_go(self.leg)

    def _heard(self, event: port.Event) -> None:
        if isinstance(event, port.Down):
            self._over, self._left = True, event
            self._stop()
        elif isinstance(event, port.Referred):
            self.refuse(DECLINED)


class Sending:
    """What of one call's telephones has to do with its being sent on."""

    def __init__(self, telephone: "Telephone", house: House) -> None:
        self._whole, self._house = ref(telephone), house
        self._asked: asyncio.Future[Deny | None] | None = None
        self._by = ""
        """Who wishes it, while that is not decided."""
        self._put_off: list[Callable[[], None]] = []
        self._sender: Sender | None = None
        self._from: Telephone | None = None
        """The call whose other side comes into this one."""
        self._handing = False
        """Whether the side that was called is to go on as a call of its own, from the decision on."""
        self._closed = False
        self._count = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def _telephone(self) -> "Telephone":
        return alive(self._whole)

    @property
    def busy(self) -> bool:
        """Whether it is just being sent on: another wish would take the place of what is decided, or done."""
        return bool(self._by) or self._handing

    # Asked for

    def referred(self, event: port.Referred, by: str) -> None:
        """A telephone asks for it; `by` is whose it is, "" for somebody outside."""
        telephone = self._telephone
        may = by.startswith(PEOPLE) and telephone.talking is not None and not telephone.helping
        if not may or self.busy or self._count >= MOST:
            self._house.legs.tell(port.Refer(leg=event.leg, code=DECLINED))
            return
        self._count += 1
        # Both sides may ask in one moment: from here on the other one is refused.
        self._by = by
        there = self._consulted(telephone, event, by)
        if there is not None:
            # Who hangs up their other call right behind the wish has connected the two all the same.
            there.sending._by = by
        self._start(self._refer(telephone, event, by, there))

    def _consulted(self, telephone: "Telephone", event: port.Referred, by: str) -> "Telephone | None":
        """The other call of `by`, of which one talks with them who is to be connected; None where it cannot be that."""
        there = self._house.exchange.of_leg(telephone.tenant_id, event.replaces) if event.replaces else None
        if there is None or there is telephone or there.on(event.replaces) != by:
            return None
        return there if there.talking is not None and not there.helping and not there.sending.busy else None

    async def grant(self, wish: TransferTo) -> Granted:
        """An API asks for it."""
        telephone = self._telephone
        other = telephone.talking
        if other is None:
            return Granted(refused="Nobody talks in this call.")
        if telephone.helping:
            return Granted(refused="A call for help goes on with who made it.")
        if self.busy:
            return Granted(refused="The call is just being sent on.")
        if self._count >= MOST:
            return Granted(refused=f"It was asked {MOST} times in this call, which is as often as it may be.")
        self._count += 1
        by = wish.by or other.who
        if wish.call_id:
            there = self._house.exchange.of_call(telephone.tenant_id, wish.call_id)
            denied = await self._join(there, by, None) if there is not telephone else _theirs()
        else:
            box, music = wish.state == "voicemail", wish.state == "hold"
            denied = await self._ask(
                Transferred(_now(), by, wish.number, wish.target, box=box, music=music, asked=True), by
            )
        return Granted(refused=denied.text if denied is not None else "")

    async def _refer(self, telephone: "Telephone", event: port.Referred, by: str, there: "Telephone | None") -> None:
        sender = Sender(self._house, event.leg)
        try:
            if there is not None:
                denied = await self._connect(there, by, sender)
            else:
                denied = await self._wish(event, by, sender)
        except Unavailable as fault:
            denied = Deny(fault.message)
        except Exception:
            log.exception("transfer_failed", call_id=telephone.call_id)
            self._sender = None
            sender.refuse(500)
            self.rest(run=True)
            return
        if denied is not None:
            # Who tries where a company's calls may be sent to is seen by whoever reads the log, too.
            log.warning("transfer_denied", call_id=telephone.call_id, by=by, cause=denied.text)
            self._sender = None
            sender.refuse(CODES[denied.cause])
            self.rest(run=True)

    async def _connect(self, there: "Telephone", by: str, sender: Sender) -> Deny | None:
        """Connect the two sides of calls that are both put off from their end already."""
        denied: Deny | None = _theirs()
        try:
            denied = await self._join(there, by, sender, claimed=True)
        finally:
            if denied is not None:
                there.sending.rest(run=True)
        return denied

    async def _wish(self, event: port.Referred, by: str, sender: Sender) -> Deny | None:
        exchange, telephone = self._house.exchange, self._telephone
        dialled = keys_of(event.target)[:_LONGEST_NUMBER]
        if event.replaces:
            there = exchange.of_leg(telephone.tenant_id, event.replaces)
            if there is None or there is telephone or there.on(event.replaces) != by or there.helping:
                return _theirs()
            if there.talking is not None or (there.other is not None and there.other.down is not None):
                # Whose other side has just left is connected with nobody.
                return await self._join(there, by, sender)
            if telephone.together.crowded:
                return _crowd()
            # Who they would have connected still rings (RFC 5589 section 7.6): the call is sent on to them instead.
            dialled = there.dialled
            there.give_up()
            await exchange.over(there.call_id)
        self._sender = sender
        if dialled == parking.CODE:
            granted = await telephone.parking.park(caller=by == telephone.who)
            if granted.refused:
                return Deny(granted.refused)
            self.rest(run=False)
            return None
        return await self._ask(Transferred(_now(), by, dialled), by)

    async def _ask(self, event: Transferred | Joined, by: str) -> Deny | None:
        """Have it decided: None if it is so, or why not."""
        if self._closed:
            return Deny("The call is over.")
        self._by = by
        self._asked = asyncio.get_running_loop().create_future()
        self._telephone.tell(event)
        denied: Deny | None = Deny("It could not be decided in time.")
        try:
            for _ in range(2):
                with suppress(TimeoutError):
                    async with asyncio.timeout(DECIDING_SECONDS):
                        denied = await asyncio.shield(self._asked)
                        break
                log.error("transfer_not_decided", call_id=self._telephone.call_id)
                # What is just being decided is waited for: it will be done.
                if self._house.withdraw(self._telephone.call_id, event):
                    break
        finally:
            self._asked = None
            self.rest(run=denied is not None)
        return denied

    # Decided

    def decided(self, verbs: tuple[Verb, ...]) -> tuple[Verb, ...]:
        """What a decision says of a wish; the verbs that are to be carried out."""
        denied = next((verb for verb in verbs if isinstance(verb, Deny)), None)
        self._handing = self._handing or any(isinstance(verb, HandOn) for verb in verbs)
        if denied is not None or any(isinstance(verb, plan.LetGo | HandOn) for verb in verbs):
            self._settle(denied)
        return tuple([verb for verb in verbs if not isinstance(verb, Deny)])

    def closed(self) -> None:
        """The call is over."""
        self._closed = True
        self._settle(Deny("The call is over."))
        # Whoever left while it was asked for is in no call any more.
        self._put_off = []
        if self._from is not None:
            origin, self._from = self._from, None
            origin.sending.rest(run=True)
        self.went(487)

    def _settle(self, denied: Deny | None) -> None:
        if self._asked is not None and not self._asked.done():
            self._asked.set_result(denied)

    def put_off(self, who: str, then: Callable[[], None]) -> bool:
        """Whether somebody's leaving is seen to later, as it is not decided yet what they wish for."""
        asks = bool(self._by) and who == self._by
        if not asks and not (self._handing and who == self._telephone.who):
            return False
        self._put_off.append(then)
        return True

    def rest(self, *, run: bool) -> None:
        """It is decided; `run` what was put off if nothing changes."""
        self._by, late = "", self._put_off
        self._put_off = []
        for then in late if run else ():
            then()

    # Done

    def let_go(self) -> None:
        """Whom the caller talked with is in the call no more; who came for them is."""
        telephone = self._telephone
        telephone.stop_taping()
        other = telephone.part_with()
        self._house.legs.tell(port.Part(telephone.caller))
        if self._sender is not None:
            self._sender.begin()
        if other is not None and (self._sender is None or self._sender.leg != other.leg):
            self._house.legs.tell(port.Drop(other.leg))
        if self._from is not None:
            origin, self._from = self._from, None
            telephone.take(origin.sending.give(telephone.call_id, self._sender))

    def parks(self, leg: int) -> bool:
        """Whether who leaves the call on park by this leg did so by their telephone: they are told, and let go."""
        sender = self._sender
        if sender is None or sender.leg != leg:
            return False
        self._sender = None
        sender.begin()
        sender.went(200)
        return True

    def give(self, call_id: int, sender: Sender | None) -> Other:
        """The side of this call that goes on in the other one; this one is over."""
        telephone = self._telephone
        other = telephone.part_with()
        if self._by == telephone.who:
            given = other or Other(0, "", down=port.Down(leg=0))
            if sender is None or sender.leg != telephone.caller:
                self._house.legs.tell(port.Drop(telephone.caller))
        else:
            given = Other(telephone.caller, telephone.who or _number_of(telephone), up=True)
            if other is not None and (sender is None or sender.leg != other.leg):
                self._house.legs.tell(port.Drop(other.leg))
        telephone.end(Handed(_now(), str(call_id)))
        return given

    async def hand_on(self, verb: HandOn) -> None:
        """The side that was called goes on as a call of its own."""
        telephone, sender = self._telephone, self._sender
        self._sender = None
        shown = await self._shown(verb.party)
        # Nothing may be waited for between these two: who leaves in between would be missed by both calls.
        other = telephone.part_with()
        if other is None:
            if sender is not None:
                sender.refuse(480)
            telephone.tell(plan.Ended(_now()))
            return
        made = self._made(verb.party, other, shown)
        made.sending.adopt(sender)
        telephone.stop_taping()
        try:
            call_id = await self._house.exchange.begin(verb.first, made)
        except Refusal as refusal:
            log.warning("call_not_handed_on", call_id=telephone.call_id, cause=refusal.message)
            await self._back(other, sender)
            return
        if sender is None:
            self._house.legs.tell(port.Drop(telephone.caller))
        telephone.end(Handed(_now(), str(call_id)))

    async def _back(self, other: Other, sender: Sender | None) -> None:
        """It could not begin: the two talk on."""
        telephone = self._telephone
        telephone.take(other)
        self._handing = False
        self.rest(run=True)
        if sender is not None:
            sender.failed(500, telephone.heard)
        await telephone.talk_on()

    async def _shown(self, party: str) -> tuple[str, str]:
        """Number and name that others see of somebody; none where the store cannot tell."""
        if not party.startswith(PEOPLE):
            return party, ""
        try:
            return await self._house.exchange.shown(self._telephone.tenant_id, party)
        except Refusal as refusal:
            log.warning("name_not_read", call_id=self._telephone.call_id, cause=refusal.message)
            return "", ""

    async def _kept_out(self, *people: str) -> str:
        """Why some of them may not be connected; where the store cannot tell, that is decided once they are."""
        try:
            return await self._house.exchange.kept_out(self._telephone.tenant_id, people)
        except Refusal as refusal:
            log.warning("people_not_read", call_id=self._telephone.call_id, cause=refusal.message)
            return ""

    def _made(self, party: str, other: Other, shown: tuple[str, str]) -> "Telephone":
        """The telephones of a new call, whose caller is on a leg of this one."""
        house, telephone = self._house, self._telephone
        made = telephone.another(other.leg, shown, party if party.startswith(PEOPLE) else "")
        house.legs.hold(other.leg, made.heard)
        house.legs.tell(port.Part(other.leg))
        return made

    # Connected with another call (attended)

    async def _join(
        self, there: "Telephone | None", by: str, sender: Sender | None, *, claimed: bool = False
    ) -> Deny | None:
        """Connect the other sides of this call and another one, in both of which `by` is (RFC 5589 section 7)."""
        here = self._telephone
        if there is None or there.talking is None or there.helping or here.helping:
            return _theirs()
        if there.sending.busy and not claimed:
            return _theirs()
        if here.together.crowded or there.together.crowded:
            return _crowd()
        if by not in (here.who, here.with_whom) or by not in (there.who, there.with_whom) or not by:
            return _theirs()
        if by == here.who and by == there.who:
            return await self._both_called(there, by, sender)
        stays, goes = (here, there) if by == here.with_whom else (there, here)
        return await stays.sending._takes(goes, by, sender)

    async def _takes(self, goes: "Telephone", by: str, sender: Sender | None) -> Deny | None:
        who = goes.with_whom if by == goes.who else goes.who or _number_of(goes)
        self._sender, self._from = sender, goes
        goes.sending._by = by
        denied: Deny | None = Deny("It could not be decided.")
        try:
            denied = await self._ask(Joined(_now(), by, who, str(goes.call_id)), by)
        finally:
            if denied is not None:
                self._sender = self._from = None
                goes.sending.rest(run=True)
        return denied

    async def _both_called(self, there: "Telephone", by: str, sender: Sender | None) -> Deny | None:
        """Both were called by who connects them: that is a call of its own."""
        here = self._telephone
        party, who = here.with_whom, there.with_whom
        # Who hangs up both of their calls at once has connected them all the same.
        self._by = there.sending._by = by
        try:
            shown, why = await self._shown(party), await self._kept_out(by, party, who)
        except BaseException:
            self._rest_both(there)
            raise
        if why or here.talking is None or there.talking is None:
            self._rest_both(there)
            return Deny(why) if why else _theirs()
        first, second = here.part_with(), there.part_with()
        assert first is not None
        assert second is not None
        here.stop_taping()
        there.stop_taping()
        made = self._made(party, first, shown)
        made.take(second)
        if sender is not None:
            sender.begin()
        made.sending.adopt(sender)
        try:
            call_id = await self._house.exchange.begin(Joined(_now(), by, who, str(there.call_id), party), made)
        except Refusal as refusal:
            log.warning("calls_not_connected", call_id=here.call_id, cause=refusal.message)
            for one, other in ((here, first), (there, second)):
                one.take(other)
                self._house.legs.tell(port.Connect(one.caller, other.leg))
            if sender is not None:
                sender.failed(500, here.heard)
            self._rest_both(there)
            return None if sender is not None else Deny(refusal.message)
        for one in (here, there):
            if sender is None or sender.leg != one.caller:
                self._house.legs.tell(port.Drop(one.caller))
            one.end(Handed(_now(), str(call_id)))
        return None

    def _rest_both(self, there: "Telephone") -> None:
        """The two calls are as they were."""
        self.rest(run=True)
        there.sending.rest(run=True)

    # How it went

    def adopt(self, sender: Sender | None) -> None:
        """Who sent this call on, out of another one."""
        self._sender = sender
        if sender is not None:
            sender.begin()

    def told(self, event: plan.Event) -> None:
        """Something happened in the call: somebody is there."""
        if isinstance(event, plan.Answered):
            self.went(200)

    def begins(self, verb: Verb) -> None:
        """A verb is carried out: the house itself is there, or nobody was."""
        if isinstance(verb, plan.Play | plan.Gather | plan.Voicemail | plan.Bridge):
            self.went(200)
        elif isinstance(verb, plan.CameBack):
            self.went(480)

    def went(self, code: int) -> None:
        """Tell who sent the call on."""
        if self._sender is not None and self._asked is None:
            self._sender.went(code)
            self._sender = None

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _number_of(telephone: "Telephone") -> str:
    """The number of a caller from outside, as calls name one who is nobody of the company."""
    return keys_of(telephone.shown[0])[:_LONGEST_NUMBER] or "unknown"


def _crowd() -> Deny:
    return Deny("More than two are in a call, or asked into it.")


def _theirs() -> Deny:
    return Deny("Who wishes it is not in both of two calls that can be connected.")


def _now() -> int:
    return clock.milliseconds(clock.now())
