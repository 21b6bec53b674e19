"""The load: a carrier that calls in, and the telephones that are rung, in one process beside the server.

Every call goes to a group of two telephones and has one script: it comes in, both ring, one of them takes it, the other
is told to stop, the two talk, one of them hangs up. What does not go exactly so has failed, and says why. Calls are
begun at an even rate, whatever became of those before.

`python -m bench.telephony.generator` reads a `Plan` as one line of JSON from standard input, and then a line before
each part of it; it writes a line of JSON a second, and what it saw at the end.
"""

import gc
import heapq
import itertools
import math
import select
import socket
import sys
import time
from array import array
from collections import Counter, deque
from collections.abc import Callable
from secrets import token_hex
from typing import Any

import msgspec

from bench.load import quantile
from bench.telephony import sip
from bench.telephony.sip import HOST, Message
from bench.telephony.sound import Sound

T1, T2 = 0.5, 4.0
"""Seconds after which what was not answered is sent again, doubled up to the second (RFC 3261 section 17)."""

LIMIT = 32.0
"""Seconds that a call may take beyond ringing and talking: 64 times T1, after which every SIP transaction is over."""

BUFFER = 4 << 20
AT_ONCE = 64
"""Packets of a socket that are taken before timers are looked at again."""

RANG, TAKEN, KNOWN, STOPPED, LEFT, SAID = (1 << place for place in range(6))
WHOLE = RANG | TAKEN | KNOWN | STOPPED | LEFT | SAID
LACKS = {
    RANG: "180 to the caller", TAKEN: "200 to the caller", KNOWN: "ACK to who took it", STOPPED: "CANCEL and ACK to "
    "the other telephone", LEFT: "BYE to the other side", SAID: "200 to the BYE",
}  # fmt: skip


class Phone(msgspec.Struct):
    """What a telephone signs in with."""

    username: str
    password: str


class Group(msgspec.Struct):
    """A number, and the two who are rung for it."""

    number: str
    phones: tuple[Phone, Phone]


class Plan(msgspec.Struct):
    """What is to be done: calls at a rate, or so many that talk at once. Times are seconds."""

    worker: tuple[str, int]
    port: int
    """Where the carrier calls from."""
    groups: list[Group]
    rate: float = 0.0
    seconds: float = 0.0
    ring: float = 0.5
    talk: float = 0.5
    warm: int = 0
    """Calls before anything is measured, five a second."""
    bridged: int = 0
    sound: float = 0.0


class Seen(msgspec.Struct):
    """What came of it. Times are milliseconds, `cpu` seconds of this process."""

    offered: int = 0
    failed: int = 0
    faults: dict[str, int] = {}
    repeated_by_us: int = 0
    repeated_by_it: int = 0
    strays: int = 0
    ringing_p50: float = 0.0
    ringing_p99: float = 0.0
    taking_p50: float = 0.0
    taking_p99: float = 0.0
    late_p99: float = 0.0
    seconds: float = 0.0
    cpu: float = 0.0
    sent: int = 0
    heard: int = 0
    astray: int = 0


class Leg:
    """A telephone that is rung for a call."""

    __slots__ = ("call_id", "contact", "invite", "said", "tag")

    def __init__(self, contact: str) -> None:
        self.contact = contact
        self.call_id = b""
        self.invite: Message | None = None
        self.said = b""
        """Its last answer to the INVITE, for when that comes again."""
        self.tag = ""


class Call:
    """One call and how far it has come."""

    __slots__ = (
        "ack", "answered_at", "began", "call_id", "callee", "caller", "done", "fault", "group", "hangs_up", "heard_bye",
        "legs", "number", "rung", "seen", "sound_at", "talking", "target", "waits", "winner",
    )  # fmt: skip

    def __init__(self, number: int, group: int, legs: tuple[Leg, Leg]) -> None:
        self.number, self.group, self.legs = number, group, legs
        self.winner = number % 2
        self.hangs_up = number // 2 % 2
        """0: the caller, 1: who took it."""
        self.call_id = f"{token_hex(8)}-{number}"
        self.caller = f"<sip:+1212555{number % 10_000:04}@{HOST}>;tag=c{number}"
        self.callee = ""
        self.target = ""
        self.ack = b""
        self.seen = 0
        self.rung = 0
        self.waits: set[str] = set()
        self.fault = ""
        self.done = self.talking = self.heard_bye = False
        self.began = self.answered_at = 0.0
        self.sound_at: tuple[str, int] | None = None


class Generator:
    """All calls of a plan. `say` is given lines for whoever started it."""

    def __init__(self, plan: Plan, say: Callable[[Any], None]) -> None:
        self._plan, self._say = plan, say
        self._carrier, self._phones = self._bound(plan.port), self._bound(0)
        self._carrier_at = self._carrier.getsockname()[1]
        self._phones_at = self._phones.getsockname()[1]
        self._poll = select.epoll()
        for each in (self._carrier, self._phones):
            self._poll.register(each.fileno(), select.EPOLLIN)
        self._timers: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._turn = itertools.count()
        self._calls: dict[bytes, tuple[Call, int]] = {}
        """By Call-ID, with which leg of it: 0 the caller, 1 and 2 the telephones."""
        self._at_group: dict[int, Call] = {}
        self._free: deque[int] = deque(range(len(plan.groups)))
        self._by_user = {
            phone.username.encode(): (group, place)
            for group, one in enumerate(plan.groups)
            for place, phone in enumerate(one.phones)
        }
        self._number = itertools.count()
        self.sound = Sound(plan.bridged)
        self._sink = self._bound(0)
        self._body = sip.description(self._sink.getsockname()[1])
        self._talking: list[Call] = []
        self._begin_anew()

    @staticmethod
    def _bound(port: int) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        made.bind((HOST, port))
        made.setblocking(False)
        return made

    def _begin_anew(self) -> None:
        self.seen = Seen()
        self._faults: Counter[str] = Counter()
        self._ringing, self._taking, self._late = array("d"), array("d"), array("d")
        self._over = 0
        self._began = time.monotonic()
        self._cpu = time.process_time()

    def close(self) -> None:
        """Give its ports back."""
        self._poll.close()
        self.sound.close()
        for each in (self._carrier, self._phones, self._sink):
            each.close()

    # The parts of a plan

    def register(self) -> None:
        """Sign every telephone in, a few at a time, as it would itself: what is not answered is sent again."""
        waiting = [phone for group in self._plan.groups for phone in group.phones]
        uri = f"sip:{self._plan.worker[0]}:{self._plan.worker[1]}"
        under_way: dict[bytes, tuple[Phone, int, bytes]] = {}
        end = time.monotonic() + 120
        while waiting or under_way:
            while waiting and len(under_way) < 16:
                self._register(under_way, waiting.pop(), uri, token_hex(8), 1)
            if not select.select([self._phones], [], [], 2 * T1)[0]:
                if time.monotonic() > end:
                    raise RuntimeError(f"{len(waiting) + len(under_way)} telephones could not register.")
                self._say({"silent": len(under_way)})
                for _, _, content in under_way.values():
                    self._send(self._phones, content)
                continue
            message = Message(self._phones.recv(65_536))
            phone, sequence, content = under_way.pop(message.call_id, (None, 0, b""))
            if phone is None:
                continue
            if message.code == 401 and sequence == 1:
                challenge = next(one for one in sip.challenges(message.content) if b"MD5" in one)
                proof = sip.proof(challenge, phone.username, phone.password, "REGISTER", uri)
                self._register(under_way, phone, uri, message.call_id.decode(), 2, proof)
            elif message.code == 401 and message.cseq == b"1 REGISTER":
                # An answer that came twice.
                under_way[message.call_id] = phone, sequence, content
            elif message.code != 200:
                raise RuntimeError(f"{phone.username} was answered {message.code}.")

    def _register(
        self,
        under_way: dict[bytes, tuple[Phone, int, bytes]],
        phone: Phone,
        uri: str,
        call_id: str,
        sequence: int,
        proof: str = "",
    ) -> None:
        who = f"<sip:{phone.username}@{HOST}>"
        content = sip.request(
            "REGISTER", uri, self._phones_at, f"{who};tag=r", who, call_id, sequence,
            contact=self._contact(phone.username), more=("Expires: 3600", *((proof,) if proof else ())),
        )  # fmt: skip
        under_way[call_id.encode()] = phone, sequence, content
        self._send(self._phones, content)

    def _contact(self, username: str) -> str:
        return f"sip:{username}@{HOST}:{self._phones_at}"

    def calls(self, rate: float, count: int) -> Seen:
        """`count` calls at an even rate; what became of them, once each is over or has failed."""
        self._begin_anew()
        began, told, started = time.monotonic(), time.monotonic(), 0
        while started < count or self._over < self.seen.offered:
            now = time.monotonic()
            while started < count and began + started / rate <= now:
                self._late.append(now - began - started / rate)
                self._start(self._plan.talk)
                started += 1
            due = began + started / rate if started < count else math.inf
            self._go_on(min(due, told + 1.0))
            if now - told >= 1.0:
                told += 1.0
                self._progress()
        self.seen.seconds = time.monotonic() - began
        return self._told()

    def bridged(self, ready: Callable[[], None]) -> Seen:
        """As many calls as may talk at once, sound both ways, and then the end of all; `ready` once all talk."""
        self._begin_anew()
        for number in range(self._plan.bridged):
            end = self._began + (number + 1) / 20
            self._start(math.inf)
            while time.monotonic() < end:
                self._go_on(end)
        end = time.monotonic() + LIMIT
        while len(self._talking) + self.seen.failed < self._plan.bridged and time.monotonic() < end:
            self._go_on(time.monotonic() + 0.2)
        talking = {call.number for call in self._talking}
        for call in list(self._at_group.values()):
            if call.number not in talking and not call.done:
                self._fail(call, "did not come to talk")
        ready()
        ends = []
        for call in self._talking:
            leg = call.legs[call.winner]
            assert call.sound_at is not None
            assert leg.invite is not None
            ends.append((call.number, call.sound_at, leg.invite.sound))
        self.sound.connect(ends)
        self.sound.run(self._plan.sound, lambda: self._go_on(0.0), self._progress)
        for call in self._talking:
            self._hang_up(call)
            self._later(LIMIT, self._late_by_now, call)
        while self._over < self.seen.offered:
            self._go_on(time.monotonic() + 0.2)
        self.seen.seconds = self._plan.sound
        self.seen.sent, self.seen.heard, self.seen.astray = self.sound.sent, self.sound.heard, self.sound.astray
        return self._told()

    def linger(self, seconds: float) -> None:
        """Answer the last of what is sent."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._go_on(end)

    def _told(self) -> Seen:
        seen = self.seen
        seen.cpu = time.process_time() - self._cpu
        seen.faults = dict(self._faults.most_common(20))
        ringing, taking, late = (sorted(one) for one in (self._ringing, self._taking, self._late))
        seen.ringing_p50, seen.ringing_p99 = quantile(ringing, 0.5) * 1000, quantile(ringing, 0.99) * 1000
        seen.taking_p50, seen.taking_p99 = quantile(taking, 0.5) * 1000, quantile(taking, 0.99) * 1000
        seen.late_p99 = quantile(late, 0.99) * 1000
        return seen

    def _progress(self) -> None:
        seen = self.seen
        self._say({"progress": [seen.offered, self._over, seen.failed, seen.repeated_by_it, self.sound.heard]})

    # The loop

    def _go_on(self, until: float) -> None:
        """Take what came and do what is due, waiting at most until then, or for the first of it."""
        now = time.monotonic()
        if self._timers:
            until = min(until, self._timers[0][0])
        for number, _ in self._poll.poll(max(until - now, 0.0)):
            if number == self._carrier.fileno():
                self._take(self._carrier, self._carrier_heard)
            else:
                self._take(self._phones, self._phone_heard)
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            _, _, do, what = heapq.heappop(self._timers)
            do(*what)

    @staticmethod
    def _take(skt: socket.socket, heard: Callable[[Message], None]) -> None:
        for _ in range(AT_ONCE):
            try:
                content = skt.recv(65_536)
            except BlockingIOError:
                return
            if b" " not in content.partition(b"\r\n")[0]:
                print(f"from {skt.getsockname()[1]}: {content[:60]!r} is no message of SIP", file=sys.stderr)
                continue
            heard(Message(content))

    def _later(self, seconds: float, do: Callable[..., None], *what: Any) -> None:
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._turn), do, what))

    def _send(self, skt: socket.socket, content: bytes) -> None:
        skt.sendto(content, self._plan.worker)

    def _send_until(self, call: Call, what: str, skt: socket.socket, content: bytes) -> None:
        """Send it, and again until it is answered."""
        call.waits.add(what)
        self._send(skt, content)
        self._later(T1, self._again, call, what, skt, content, T1)

    def _again(self, call: Call, what: str, skt: socket.socket, content: bytes, gap: float) -> None:
        if what in call.waits and not call.fault:
            self.seen.repeated_by_us += 1
            self._send(skt, content)
            gap = min(2 * gap, T2)
            self._later(gap, self._again, call, what, skt, content, gap)

    # A call

    def _start(self, talk: float) -> None:
        self.seen.offered += 1
        if not self._free:
            self._over += 1
            self.seen.failed += 1
            self._faults["no group was free, so many calls are not over"] += 1
            return
        group, number = self._free.popleft(), next(self._number)
        given = self._plan.groups[group]
        legs = (Leg(self._contact(given.phones[0].username)), Leg(self._contact(given.phones[1].username)))
        call = Call(number, group, legs)
        self._at_group[group] = call
        self._calls[call.call_id.encode()] = call, 0
        call.callee, call.target = f"<sip:{given.number}@{HOST}>", f"sip:{given.number}@{HOST}"
        bridged = math.isinf(talk)
        invite = sip.request(
            "INVITE", call.target, self._carrier_at, call.caller, call.callee, call.call_id, 1,
            contact=f"sip:{HOST}:{self._carrier_at}",
            body=sip.description(self.sound.port(number, 0)) if bridged else self._body,
        )  # fmt: skip
        call.talking = bridged
        call.began = time.monotonic()
        self._send_until(call, "INVITE", self._carrier, invite)
        if not bridged:
            self._later(self._plan.ring + talk + LIMIT, self._late_by_now, call)

    def _late_by_now(self, call: Call) -> None:
        if not call.done and not call.fault:
            self._fail(call, "without " + ", ".join(what for bit, what in LACKS.items() if not call.seen & bit))

    def _fail(self, call: Call, why: str) -> None:
        """It did not go as it should. Its group is left alone until the server must have forgotten it."""
        if call.fault or call.done:
            return
        call.fault = why
        self._faults[why] += 1
        self.seen.failed += 1
        self._over += 1
        self._later(LIMIT + 5, self._forget, call)

    def _reached(self, call: Call, bit: int) -> None:
        call.seen |= bit
        if call.seen == WHOLE and not call.done and not call.fault:
            call.done = True
            self._over += 1
            self._free.append(call.group)
            # What is sent again is answered for a while.
            self._later(LIMIT + 5, self._forget, call)

    def _forget(self, call: Call) -> None:
        for call_id in (call.call_id.encode(), *(leg.call_id for leg in call.legs)):
            self._calls.pop(call_id, None)
        if call.fault:
            self._free.append(call.group)

    def _connected(self, call: Call) -> None:
        """The caller knows that the call was taken, or the telephone does: when both do, they talk."""
        if not call.seen & TAKEN or not call.seen & KNOWN:
            return
        if call.talking:
            self._talking.append(call)
        else:
            self._later(self._plan.talk, self._hang_up, call)

    def _hang_up(self, call: Call) -> None:
        if call.fault:
            return
        if call.hangs_up == 0:
            self._send_until(call, "BYE", self._carrier, sip.request(
                "BYE", call.target, self._carrier_at, call.caller, call.callee, call.call_id, 2
            ))  # fmt: skip
            return
        leg = call.legs[call.winner]
        invite = leg.invite
        assert invite is not None
        self._send_until(call, "BYE", self._phones, sip.request(
            "BYE", invite.contact.decode(), self._phones_at, f"{invite.callee.decode()};tag={leg.tag}",
            invite.caller.decode(), invite.call_id.decode(), 1,
        ))  # fmt: skip

    def _bye_answered(self, call: Call, message: Message) -> None:
        call.waits.discard("BYE")
        if message.code != 200:
            self._fail(call, f"{message.code} to a BYE")
        self._reached(call, SAID)

    # What the carrier hears

    def _carrier_heard(self, message: Message) -> None:
        call, _ = self._calls.get(message.call_id, (None, 0))
        if call is None:
            self.seen.strays += 1
        elif not message.code:
            self._carrier_asked(call, message)
        elif message.method == b"BYE":
            self._bye_answered(call, message)
        elif message.method == b"INVITE":
            self._carrier_answered(call, message)

    def _carrier_asked(self, call: Call, message: Message) -> None:
        if message.method == b"BYE":
            self._ended(call, message, self._carrier, expected=call.hangs_up == 1)
        elif message.method != b"ACK":
            self._send(self._carrier, sip.answer(message, 501, "Not Implemented"))
            self._fail(call, f"{message.method.decode()} to the caller")

    def _ended(self, call: Call, message: Message, skt: socket.socket, *, expected: bool) -> None:
        self._send(skt, sip.answer(message, 200, "OK"))
        if call.heard_bye:
            self.seen.repeated_by_it += 1
        elif not expected or not ("BYE" in call.waits or call.seen & SAID):
            self._fail(call, "ended by the server")
        call.heard_bye = True
        self._reached(call, LEFT)

    def _carrier_answered(self, call: Call, message: Message) -> None:
        call.waits.discard("INVITE")
        code = message.code
        if code == 100:
            return
        call.callee = message.callee.decode()
        if code == 180 and not call.seen & TAKEN:
            self._reached(call, RANG)
        elif code == 200:
            if call.ack:
                self.seen.repeated_by_it += 1
                self._send(self._carrier, call.ack)
                return
            if not call.seen & RANG or not call.answered_at:
                self._fail(call, "200 before it rang, or before anybody took it")
            self._taking.append(time.monotonic() - call.answered_at)
            call.target = message.contact.decode()
            call.ack = sip.request(
                "ACK", call.target, self._carrier_at, call.caller, call.callee, call.call_id, 1
            )  # fmt: skip
            call.sound_at = message.sound
            self._send(self._carrier, call.ack)
            self._reached(call, TAKEN)
            self._connected(call)
        elif code >= 300:
            via = message.vias.partition(b"branch=")[2].partition(b";")[0].decode()
            self._send(self._carrier, sip.request(
                "ACK", call.target, self._carrier_at, call.caller, call.callee, call.call_id, 1, via=via
            ))  # fmt: skip
            self._fail(call, f"{code} to the caller")
        else:
            self._fail(call, f"{code} to the caller, late or unasked")

    # What telephones hear

    def _phone_heard(self, message: Message) -> None:
        call, which = self._calls.get(message.call_id, (None, 0))
        if call is None and message.method == b"INVITE" and not message.code:
            group, place = self._by_user.get(message.user, (-1, 0))
            call, which = self._at_group.get(group), place + 1
            if call is None or call.done or call.legs[place].invite is not None:
                # Somebody is rung who should not be: what is no call of this group has failed as one.
                self.seen.strays += 1
                return
            self._rung(call, call.legs[place], which, message)
            return
        if call is None:
            self.seen.strays += 1
            return
        leg, won = call.legs[which - 1], call.winner == which - 1
        if message.code:
            self._bye_answered(call, message)
        elif message.method == b"INVITE":
            self.seen.repeated_by_it += 1
            self._send(self._phones, leg.said)
        elif message.method == b"ACK":
            self._acknowledged(call, won=won)
        elif message.method == b"CANCEL":
            self._cancelled(call, leg, message, won=won)
        elif message.method == b"BYE":
            self._ended(call, message, self._phones, expected=won and call.hangs_up == 0)
        else:
            self._send(self._phones, sip.answer(message, 501, "Not Implemented"))
            self._fail(call, f"{message.method.decode()} to a telephone")

    def _rung(self, call: Call, leg: Leg, which: int, message: Message) -> None:
        leg.invite, leg.call_id, leg.tag = message, message.call_id, f"p{call.number}-{which}"
        self._calls[leg.call_id] = call, which
        leg.said = sip.answer(message, 180, "Ringing", leg.tag, leg.contact)
        self._send(self._phones, leg.said)
        call.rung += 1
        if call.rung == 2:
            self._ringing.append(time.monotonic() - call.began)
            self._later(self._plan.ring, self._answer, call)

    def _answer(self, call: Call) -> None:
        if call.fault:
            return
        leg = call.legs[call.winner]
        assert leg.invite is not None
        body = sip.description(self.sound.port(call.number, 1)) if call.talking else self._body
        leg.said = sip.answer(leg.invite, 200, "OK", leg.tag, leg.contact, body)
        call.answered_at = time.monotonic()
        self._send_until(call, "200", self._phones, leg.said)

    def _acknowledged(self, call: Call, *, won: bool) -> None:
        if not won:
            call.waits.discard("487")
            self._reached(call, STOPPED)
        elif call.seen & KNOWN:
            self.seen.repeated_by_it += 1
        else:
            call.waits.discard("200")
            if not call.answered_at:
                self._fail(call, "ACK before an answer")
            self._reached(call, KNOWN)
            self._connected(call)

    def _cancelled(self, call: Call, leg: Leg, message: Message, *, won: bool) -> None:
        self._send(self._phones, sip.answer(message, 200, "OK", leg.tag))
        if won or not call.answered_at:
            self._fail(call, "CANCEL to who took it" if won else "CANCEL before anybody took it")
            return
        assert leg.invite is not None
        if "487" in call.waits or call.seen & STOPPED:
            self.seen.repeated_by_it += 1
            self._send(self._phones, leg.said)
            return
        leg.said = sip.answer(leg.invite, 487, "Request Terminated", leg.tag)
        self._send_until(call, "487", self._phones, leg.said)


def main() -> None:
    """The command."""

    def say(what: Any) -> None:
        sys.stdout.buffer.write(msgspec.json.encode(what) + b"\n")
        sys.stdout.buffer.flush()

    plan = msgspec.json.decode(sys.stdin.buffer.readline(), type=Plan)
    generator = Generator(plan, say)
    generator.register()
    gc.collect()
    gc.freeze()
    gc.disable()
    if plan.warm:
        seen = generator.calls(5.0, plan.warm)
        say({"warm": seen})
    say({"phase": "ready"})
    sys.stdin.buffer.readline()
    if plan.bridged:
        say({"seen": generator.bridged(lambda: say({"phase": "talking"}))})
    else:
        say({"seen": generator.calls(plan.rate, round(plan.rate * plan.seconds))})
    generator.linger(1.0)


if __name__ == "__main__":
    main()
