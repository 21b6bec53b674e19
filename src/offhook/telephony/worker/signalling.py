"""The worker's middle: packets come in and are judged, commands come in and are done, legs are kept.

The order for a packet is the order of cost: bounds, reading, copies of what is known, who sent it, and only then sippy.
Strangers get the same challenge for everything, made without memory; REGISTER and OPTIONS never reach sippy at all.
"""

import gc
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from offhook.telephony import port
from offhook.telephony.port import Address
from offhook.telephony.worker import answers, digest, sdp, wire
from offhook.telephony.worker.accounts import Accounts
from offhook.telephony.worker.bounds import Buckets, Refused
from offhook.telephony.worker.dialogue import Dialogue, acknowledged
from offhook.telephony.worker.legs import Leg
from offhook.telephony.worker.packet import Malformed, Packet, Party, Uri, party, read, readable, split, unescaped, uri
from offhook.telephony.worker.registrar import Registrar
from offhook.telephony.worker.sound import PCMU, Media, NoPort

COPIES = 20_000
COPY_LIFE = 32.0
MULTIPART = "multipart/mixed"
SUPPORTED: tuple[str, ...] = ()
Key = tuple[str, str, int]


class Caller(msgspec.Struct, frozen=True):
    """Who a request is from, proven."""

    username: str = ""
    trunk: int = 0


class Invite(msgspec.Struct):
    """An INVITE that is on its way through sippy."""

    packet: Packet
    source: Address
    caller: Caller
    offer: sdp.Description | None


class Signalling:
    """All legs and registrations of a worker. `say` tells the server; `ended` is called when nothing is left after
    Close.
    """

    def __init__(
        self,
        listen: Address,
        host: str,
        make_media: Callable[["Signalling"], Media],
        say: Callable[[port.Event], None],
        ended: Callable[[], None],
    ) -> None:
        self._say = say
        self._ended = ended
        self._key = secrets.token_bytes(32)
        self.refused = Refused()
        self._faults: dict[str, int] = {}
        self._faulted = False
        self.legs: dict[int, Leg] = {}
        self._number = -1
        self._trunks: dict[int, port.Trunk] = {}
        self._limits = port.Limits()
        self._digests = digest.Digests("offhook", wire.now)
        self._accounts = Accounts(say, wire.now)
        self._registrar = Registrar(self._final, say)
        self._guesses = Buckets(5, 50, wire.now)
        self._copies: dict[tuple[str, ...], tuple[float, bytes, Address]] = {}
        self._dialogues: dict[tuple[str, str], Dialogue] = {}
        """By Call-ID and our tag."""
        self._invites: dict[Key, tuple[str, Dialogue, Leg]] = {}
        """What came in: its branch, and what became of it."""
        self._keys: dict[int, Key] = {}
        self._invite: Invite | None = None
        self._closing = False
        self._figures, self._quiet = False, True
        self.manager = wire.started(listen, host, self.taken, self.fault, self.refused.add)
        self.manager.acknowledged = acknowledged
        self.manager.asked = self._asked
        self._buckets()
        self._media = make_media(self)
        wire.every(1.0, self._second)
        say(port.Ready(address=wire.bound(self.manager), media=self._media.name))

    def fault(self, what: str) -> None:
        """Count something that went wrong; said at once, and then once a second."""
        what = "".join(letter for letter in what if letter.isprintable())[:300]
        if not self._faults and not self._faulted:
            self._faulted = True
            self._say(port.Fault(what))
            return
        if len(self._faults) < 100 or what in self._faults:
            self._faults[what] = self._faults.get(what, 0) + 1

    # Heard from media, on any thread

    def key(self, leg: int, key: str) -> None:
        wire.from_thread(self._tell_of, leg, port.Key(leg, key))

    def played(self, leg: int, token: int, fault: str) -> None:
        wire.from_thread(self._tell_of, leg, port.Played(leg, token, fault))

    def recorded(self, leg: int, path: str, seconds: float, fault: str) -> None:
        wire.from_thread(self._say, port.Recorded(leg=leg, path=path, seconds=seconds, fault=fault))

    def silent(self, leg: int) -> None:
        wire.from_thread(self._silent, leg)

    def ended(self, leg: int, codec: str, received: int, lost: int) -> None:
        wire.from_thread(self._say, port.Sound(leg=leg, codec=codec, received=received, lost=lost))

    def _tell_of(self, leg: int, event: port.Event) -> None:
        if leg in self.legs and not self.legs[leg].over:
            self._say(event)

    def _silent(self, leg: int) -> None:
        if leg in self.legs:
            self.legs[leg].silent()

    # Packets

    def taken(self, content: bytes, source: Address) -> None:
        """A datagram."""
        if not content.strip(b"\r\n\0 "):
            return
        try:
            packet = read(content)
        except Malformed as wrong:
            self.refused.add("malformed")
            if wrong.code and wrong.packet is not None and wrong.packet.method not in ("", "ACK"):
                self._answer(wrong.packet, source, wrong.code, reason=_printable(str(wrong)))
            return
        if packet.code:
            self._response(packet, source)
        elif packet.method == "ACK":
            self._within(packet, source)
        elif packet.method == "CANCEL":
            self._cancel(packet, source)
        elif not self._copy(packet, source):
            self._request(packet, source)

    def _response(self, packet: Packet, source: Address) -> None:
        """An answer to what we sent. A 2xx that nobody waits for any more is acknowledged all the same."""
        if not (packet.caller and packet.callee):
            return
        agent = self._dialogues.get((packet.call_id, packet.from_tag))
        if agent is None:
            self.refused.add("unknown answer")
            return
        if 200 <= packet.code < 300 and packet.sequence_method == "INVITE":
            tid = (packet.call_id, packet.from_tag, packet.sequence, "INVITE", packet.branch)
            transaction = self.manager.tclient.get(tid)
            if transaction is None or transaction.state.__name__ not in ("TRYING", "RINGING"):
                if packet.to_tag:
                    agent.again(packet)
                return
        self.manager.give(_for_sippy(packet, source), source)

    def _copy(self, packet: Packet, source: Address) -> bool:
        """Whether it was there before, and has been answered the same again."""
        copy = self._copies.get(_copy_key(packet, source))
        if copy is None or wire.now() - copy[0] > COPY_LIFE:
            return False
        if copy[1]:
            wire.socket_of(self.manager).send_to(copy[1], copy[2])
        return True

    def _cancel(self, packet: Packet, source: Address) -> None:
        found = self._invites.get((packet.call_id, packet.from_tag, packet.sequence))
        if found is None or found[0] != packet.branch or found[2].source[0] != source[0]:
            self._answer(packet, source, 481)
        elif found[2].state != "early":
            self._answer(packet, source, 200)
        else:
            self.manager.give(_for_sippy(packet, source), source)

    def _request(self, packet: Packet, source: Address) -> None:
        if packet.to_tag:
            self._within(packet, source)
            return
        if packet.method == "INVITE":
            key = (packet.call_id, packet.from_tag, packet.sequence)
            found = self._invites.get(key)
            if found is not None:
                if found[0] == packet.branch:
                    self.manager.give(_for_sippy(packet, source), source)
                else:
                    self._answer(packet, source, 482)
                return
        self._who(packet, source, lambda caller: self._proven(packet, source, caller))

    def _within(self, packet: Packet, source: Address) -> None:
        """A request of a dialogue, or that says it is of one."""
        agent = self._dialogues.get((packet.call_id, packet.to_tag)) if packet.to_tag else None
        if packet.method == "ACK":
            if agent is not None:
                self.manager.give(_for_sippy(packet, source), source)
            return
        if agent is None or agent.isDead():
            self._answer(packet, source, 481)
            return
        text = _for_sippy(packet, source)
        if packet.method == "INVITE":
            # sippy would answer the second of two with one number in a transaction of the first one's name.
            number, before = agent.reinvited
            if packet.sequence < number or (packet.sequence == number and text != before):
                self._answer(packet, source, 500 if packet.sequence < number else 482)
                return
            agent.reinvited = packet.sequence, text
        agent.arriving = packet
        if not self.manager.give(text, source):
            self._answer(packet, source, 400)
        agent.arriving = None

    # Who it is from

    def _who(self, packet: Packet, source: Address, then: Callable[[Caller], None]) -> None:
        trunks = self._trunks_at(source)
        if (unproven := next((trunk for trunk in trunks if not trunk.proves), None)) is not None:
            then(Caller(trunk=unproven.id))
            return
        credentials = next((c for v in packet.all("authorization") if (c := digest.read(v)) is not None), None)
        if credentials is None or self._digests.fresh(credentials) is None or not self._guesses.take(source[0]):
            self._challenge(packet, source)
            return
        name = credentials.username
        if (trunk := next((trunk for trunk in trunks if trunk.proves == name), None)) is not None:
            self._judge(packet, source, credentials, trunk.digests, Caller(trunk=trunk.id), then)
            return
        if len(name) > 64 or not name.isprintable():
            self._challenge(packet, source)
            return

        def told(digests: Mapping[str, str]) -> None:
            self._judge(packet, source, credentials, digests, Caller(username=name), then)

        if not self._accounts.ask(name, told):
            self._answer(packet, source, 503, (("Retry-After", "5"),))

    def _judge(
        self,
        packet: Packet,
        source: Address,
        credentials: digest.Credentials,
        digests: Mapping[str, str],
        caller: Caller,
        then: Callable[[Caller], None],
    ) -> None:
        if self._copy(packet, source) or (packet.call_id, packet.from_tag, packet.sequence) in self._invites:
            return
        proven = self._digests.proven(credentials, packet.method, packet.uri, digests)
        if proven:
            self._guesses.give(source[0])
            if (buckets := wire.socket_of(self.manager).buckets) is not None:
                buckets.know(source[0])
            then(caller)
        else:
            self._challenge(packet, source, stale=proven is None)

    def _challenge(self, packet: Packet, source: Address, stale: bool = False) -> None:
        self.refused.add("stale" if stale else "challenged")
        self._answer(packet, source, 401, self._digests.challenge(stale))

    def _trunks_at(self, source: Address) -> list[port.Trunk]:
        """The carriers that send from there."""
        host, number = source
        return [one for one in self._trunks.values() if {(host, 0), (host, number)} & set(one.addresses)]

    # What it wants

    def _proven(self, packet: Packet, source: Address, caller: Caller) -> None:
        if extensions := [word for value in packet.all("require") for word in _words(value) if word not in SUPPORTED]:
            self._answer(packet, source, 420, (("Unsupported", _printable(", ".join(extensions))[:200]),))
        elif packet.method == "REGISTER" and caller.username:
            self._hold(packet, source)
            self._registrar.register(packet, source, caller.username)
        elif packet.method == "OPTIONS":
            self._answer(packet, source, 200, (("Allow", answers.ALLOW), ("Accept", "application/sdp")))
        elif packet.method == "INVITE":
            self._called(packet, source, caller)
        elif packet.method in ("BYE", "INFO", "REFER", "NOTIFY", "UPDATE", "PRACK"):
            self._answer(packet, source, 481)
        else:
            known = packet.method in (*answers.KNOWN, *answers.OTHERS)
            self._answer(packet, source, 405 if known else 501, (("Allow", answers.ALLOW),))

    def _called(self, packet: Packet, source: Address, caller: Caller) -> None:
        refusal, offer = self._judged(packet)
        early = sum(
            1 for leg in self.legs.values() if leg.incoming and leg.state == "early" and leg.source[0] == source[0]
        )
        headers: tuple[tuple[str, str], ...] = ()
        if not refusal and (len(self.legs) >= self._limits.legs or self._closing):
            refusal, headers = 503, (("Retry-After", "10"),)
            self.refused.add("too many legs")
        elif not refusal and early >= self._limits.early:
            refusal, headers = 503, (("Retry-After", "10"),)
            self.refused.add("too many early calls")
        if refusal:
            if refusal == 415:
                headers = (("Accept", "application/sdp"),)
            self._answer(packet, source, refusal, headers)
            return
        self._invite = Invite(packet, source, caller, offer)
        given = self.manager.give(_for_sippy(packet, source), source)
        if self._unasked() or not given:
            self._answer(packet, source, 400)

    def _unasked(self) -> bool:
        """Whether sippy never came with the INVITE that it was given."""
        left, self._invite = self._invite is not None, None
        return left

    def _judged(self, packet: Packet) -> tuple[int, sdp.Description | None]:
        """Why an INVITE is not taken (0: it is), and what it offers. None takes the place of another (RFC 3891)."""
        if packet.all("replaces"):
            return 481, None
        contact = party(packet.first("contact"))
        if contact is None or contact.uri.scheme != "sip" or len(packet.all("contact")) != 1:
            return 400, None
        if packet.first("content-encoding") not in ("", "identity"):
            return 415, None
        accepts = [word.partition(";")[0].strip() for value in packet.all("accept") for word in _words(value)]
        if accepts and not {"application/sdp", "application/*", "*/*"} & set(accepts):
            return 406, None
        if not packet.body:
            return 0, None
        kind = packet.first("content-type").partition(";")[0].strip().lower()
        if kind not in ("application/sdp", MULTIPART):
            return 415, None
        description = described(packet)
        if description is None:
            return 415, None
        offer = sdp.read(description)
        return (488, None) if offer is None else (0, offer)

    def _asked(self, request: Any, transaction: Any) -> Any:
        """sippy has a request that is of no dialogue."""
        invite, self._invite = self._invite, None
        if invite is None or request.getMethod() != "INVITE":
            return request.genResponse(481, answers.phrase(481)), None, None
        self._number += 2
        leg = self._leg(Leg(
            self._number, self._media, self._say, invite.source, incoming=True, username=invite.caller.username,
            trunk=invite.caller.trunk, offer=invite.offer,
        ))  # fmt: skip
        try:
            leg.local = self._media.open(leg.number)
        except NoPort:
            self.refused.add("no port")
            return request.genResponse(503, answers.phrase(503)), None, None
        agent = Dialogue(self.manager, leg, invite.source, trusted=bool(invite.caller.trunk))
        leg.dialogue = agent
        packet = invite.packet
        agent.reinvited = packet.sequence, ""
        key = (packet.call_id, packet.from_tag, packet.sequence)
        self.legs[leg.number] = leg
        self._dialogues[packet.call_id, agent.lTag] = agent
        self._invites[key] = packet.branch, agent, leg
        self._keys[leg.number] = key
        target, who = packet.uri, packet.caller
        leg.on_arrived = lambda: self._say(port.Incoming(
            leg=leg.number,
            caller=unescaped(who.uri.user if who else ""),
            dialled=unescaped(target.user if target else ""),
            source=invite.source,
            display=readable(who.display if who else ""),
            username=invite.caller.username,
            trunk=invite.caller.trunk,
            call_id=readable(packet.call_id),
        ))  # fmt: skip
        try:
            return agent.recvRequest(request, transaction)
        except Exception:
            leg.state = "over"
            self._media.release(leg.number)
            self.legs.pop(leg.number, None)
            self._buried(leg)
            raise

    def _leg(self, leg: Leg) -> Leg:
        leg.on_over = self._over
        leg.on_buried = self._buried
        leg.find = self._replaced
        return leg

    def _over(self, leg: Leg) -> None:
        self.legs.pop(leg.number, None)

    def _buried(self, leg: Leg) -> None:
        key = self._keys.pop(leg.number, None)
        if key is not None:
            self._invites.pop(key, None)
        agent = leg.dialogue
        if agent is not None:
            self._dialogues.pop((str(agent.cId), agent.lTag), None)
        leg.forget()

    def _replaced(self, text: str) -> int:
        """The leg that a Replaces names (RFC 3891): a Call-ID, and our tag as to-tag or from-tag. 0 for none."""
        call_id, *rest = text.split(";")
        tags = dict(part.partition("=")[::2] for part in rest)
        for name in ("to-tag", "from-tag"):
            agent = self._dialogues.get((call_id, tags.get(name, "")))
            if agent is not None and isinstance(agent.hears, Leg) and not agent.hears.over:
                return agent.hears.number
        return 0

    # Answers

    def _answer(
        self,
        packet: Packet,
        source: Address,
        code: int,
        headers: tuple[tuple[str, str], ...] = (),
        reason: str = "",
    ) -> bytes:
        content = answers.answer(packet, source, self._key, code, headers, reason)
        wire.socket_of(self.manager).send_to(content, answers.back_to(packet, source))
        return content

    def _hold(self, packet: Packet, source: Address) -> None:
        """Copies of it say nothing until it is answered."""
        self._copies[_copy_key(packet, source)] = wire.now(), b"", source
        while len(self._copies) > COPIES:
            del self._copies[next(iter(self._copies))]

    def _final(self, packet: Packet, source: Address, code: int, headers: tuple[tuple[str, str], ...]) -> None:
        content = self._answer(packet, source, code, headers)
        self._copies[_copy_key(packet, source)] = wire.now(), content, answers.back_to(packet, source)

    # Commands

    def told(self, command: port.Command) -> None:
        """Do what the server says."""
        try:
            self._do(command)
        except Exception as error:
            self.fault(f"{type(error).__name__} in {type(command).__name__}: {error}")
            leg = self.legs.get(getattr(command, "leg", 0))
            if isinstance(command, port.Dial) and (leg is None or leg.state == "early"):
                self._not_dialled(command, 500, "failed")

    def _do(self, command: port.Command) -> None:
        match command:
            case port.Configure():
                self._configure(command)
            case port.Account():
                self._accounts.told(command)
            case port.Registered():
                self._registrar.registered(command)
            case port.Dial():
                self._dial(command)
            case port.Close():
                self._close(command.seconds)
            case _:
                leg = self.legs.get(command.leg)
                if leg is not None:
                    self._do_with(leg, command)

    def _do_with(self, leg: Leg, command: port.Command) -> None:
        match command:
            case port.Ring():
                leg.ring(command.early)
            case port.Answer():
                leg.answer()
            case port.Drop():
                leg.drop(command.code, command.reason)
            case port.Connect():
                if command.other in self.legs:
                    self._media.connect(leg.number, command.other)
            case port.Join():
                self._media.join((leg.number, *(other for other in command.others if other in self.legs)))
            case port.Part():
                self._media.part(leg.number)
            case port.Play():
                self._media.play(leg.number, command.token, command.files, command.times)
            case port.Stop():
                self._media.stop(leg.number)
            case port.Record():
                self._media.record(leg.number, command.path, command.both)
            case port.StopRecording():
                self._media.stop_recording(leg.number)
            case port.Refer():
                if leg.dialogue is not None:
                    leg.dialogue.refer(command.code)

    def _configure(self, told: port.Configure) -> None:
        self._trunks = {trunk.id: trunk for trunk in told.trunks}
        self._limits = told.limits
        if told.realm != self._digests.realm:
            self._digests = digest.Digests(told.realm, wire.now)
            self._accounts.forget()
        self._buckets()

    def _buckets(self) -> None:
        buckets = Buckets(self._limits.packets, self._limits.burst, wire.now)
        before = wire.socket_of(self.manager).buckets
        for host in before.known if before is not None else ():
            buckets.know(host)
        for trunk in self._trunks.values():
            for host, _ in trunk.addresses:
                buckets.know(host)
        wire.socket_of(self.manager).buckets = buckets

    def _dial(self, told: port.Dial) -> None:
        if told.leg in self.legs:
            return
        target = uri(told.uri)
        # Callers are refused at the bound; those who were let in may still be connected with somebody.
        if target is None or self._closing or len(self.legs) >= 2 * self._limits.legs:
            self._not_dialled(told, 404 if target is None else 503, "not found" if target is None else "failed")
            return
        leg = self._leg(Leg(told.leg, self._media, self._say, told.address, incoming=False, trunk=told.trunk))
        try:
            leg.local = self._media.open(leg.number)
        except NoPort:
            self._not_dialled(told, 503, "failed")
            return
        trunk = self._trunks.get(told.trunk)
        agent = Dialogue(
            self.manager,
            leg,
            told.address,
            trusted=trunk is not None,
            username=(trunk.username or None) if trunk else None,
            password=(trunk.password or None) if trunk else None,
            nh_address=told.address,
        )
        leg.dialogue = agent
        self.legs[leg.number] = leg
        caller = self.legs.get(told.caller)
        first = caller.codec if caller is not None else PCMU
        agent.placing = lambda call_id: self._dialogues.__setitem__((call_id, agent.lTag), agent)
        agent.place(
            _sip(target, told.address),
            told.number,
            told.display,
            leg.offer(first),
            (told.body_type, told.body) if told.body else None,
            told.headers,
            trunk.domain if trunk else "",
        )

    def _not_dialled(self, told: port.Dial, code: int, cause: str) -> None:
        leg = self.legs.pop(told.leg, None)
        if leg is not None:
            leg.state = "over"
            for key in [key for key, agent in self._dialogues.items() if agent.hears is leg]:
                del self._dialogues[key]
        self._media.release(told.leg)
        self._say(port.Down(leg=told.leg, code=code, cause=cause))

    def _close(self, seconds: float) -> None:
        if self._closing:
            return
        self._closing = True
        for leg in list(self.legs.values()):
            leg.drop(503, "")
        self._last(wire.now() + seconds)

    def _last(self, end: float) -> None:
        """End once all that was sent has been answered, or at `end`."""
        waiting = any(t.state.__name__ in ("TRYING", "RINGING") for t in self.manager.tclient.values())
        if waiting and wire.now() < end:
            wire.later(0.05, self._last, end)
        else:
            self._ended()

    def shut(self) -> None:
        """Give back sockets and threads, after the loop has ended."""
        self._media.close()
        self.manager.shutdown()

    def _second(self) -> None:
        faults, self._faults, self._faulted = self._faults, {}, False
        for what, count in faults.items():
            self._say(port.Fault(what, count))
        refused = self.refused.said()
        transactions = len(self.manager.tclient) + len(self.manager.tserver)
        going = bool(self.legs or refused or transactions)
        if going or self._figures:
            received, lost = self._media.figures()
            self._say(port.Figures(
                legs=len(self.legs), received=received, lost=lost, refused=refused, transactions=transactions,
                strangers=self._media.strangers(),
            ))  # fmt: skip
        self._figures = going
        if (quiet := not going and not self._dialogues) and not self._quiet:
            # Nobody waits for this now, and little is looked through.
            gc.collect()
        self._quiet = quiet
        if len(self._copies) > 1000:
            due = wire.now() - COPY_LIFE
            self._copies = {key: copy for key, copy in self._copies.items() if copy[0] > due}


def _copy_key(packet: Packet, source: Address) -> tuple[str, ...]:
    return (source[0], str(source[1]), packet.call_id, packet.branch, packet.from_tag, packet.first("cseq"))


def _words(value: str) -> list[str]:
    return [word.strip().lower() for word in value.split(",") if word.strip()]


def _printable(text: str) -> str:
    return "".join(letter for letter in text if " " <= letter < "\x7f")


def _sip(target: Uri, address: Address) -> str:
    """A URI that goes into a request line; a number's is one of the host it is sent to."""
    if target.scheme != "tel":
        return msgspec.structs.replace(target, scheme="sip").text
    return f"sip:{target.user}@{address[0]}:{address[1]}"


def described(packet: Packet) -> bytes | None:
    """A body's description of sound, also from among several parts (RFC 2046 section 5.1)."""
    kind, _, rest = packet.first("content-type").partition(";")
    if kind.strip().lower() == "application/sdp":
        return packet.body
    boundary = ""
    for part in split(rest, ";"):
        name, _, value = part.strip().partition("=")
        if name.lower() == "boundary":
            boundary = value.strip('"')
    if not boundary or len(boundary) > 70:
        return None
    for section in (b"\r\n" + packet.body).split(b"\r\n--" + boundary.encode("latin-1", "replace"), 16)[1:-1]:
        head, blank, content = section.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").lower().split("\r\n")
        if blank and any(line.replace(" ", "").startswith("content-type:application/sdp") for line in lines):
            return content + b"\r\n"
    return None


def _for_sippy(packet: Packet, source: Address) -> str:
    """A message as sippy gets it: only what it needs, in one form, with where it came from in its Via."""
    if packet.code:
        lines = [f"SIP/2.0 {packet.code} {_printable(packet.reason) or answers.phrase(packet.code)}"]
        transport, host, number, params = packet.via
        text = "".join(f";{name}={value}" if value else f";{name}" for name, value in params.items())
        lines.append(f"Via: SIP/2.0/{transport} {host}" + (f":{number}" if number else "") + text)
    else:
        target = packet.uri or Uri(scheme="sip", host="invalid")
        if target.scheme == "tel":
            target = Uri(scheme="sip", user=target.user, host="tel.invalid")
        lines = [f"{packet.method} {msgspec.structs.replace(target, scheme='sip', params='').text} SIP/2.0"]
        lines.append(f"Via: {_via(packet, source)}")
    lines += [f"Via: {value}" for value in packet.below]
    for name, who in (("From", packet.caller), ("To", packet.callee)):
        if who is not None:
            lines.append(f"{name}: {_party(who)}")
    lines += [f"Call-ID: {packet.call_id}", f"CSeq: {packet.sequence} {packet.sequence_method}"]
    for value in packet.all("contact")[:1]:
        contact = party(value)
        if contact is not None and contact.uri.scheme == "sip":
            lines.append(f"Contact: <{contact.uri.text}>")
    for value in packet.all("record-route"):
        for part in split(value):
            route = party(part)
            if route is not None and route.uri.scheme == "sip":
                lines.append(f"Record-Route: <{route.uri.text}>")
    for name in ("WWW-Authenticate", "Proxy-Authenticate"):
        lines += [f"{name}: {value}" for value in packet.all(name.lower())[:4]]
    if packet.method == "INVITE" and packet.first("expires").strip("0"):
        lines.append(f"Expires: {packet.first('expires')}")
    body = (described(packet) or b"") if packet.body and packet.first("content-type") else b""
    if body:
        lines.append("Content-Type: application/sdp")
    lines.append(f"Content-Length: {len(body)}")
    # Python ends a line at U+0085 too, which is half of a letter in UTF-8.
    return "\r\n".join(lines).replace("\x85", "?") + "\r\n\r\n" + body.decode("latin-1")


def _via(packet: Packet, source: Address) -> str:
    """The top Via for sippy: it answers to what stands in `received` and `rport`."""
    text = answers.top_via(packet, source)
    return text if "rport" in packet.via[3] else f"{text};rport={answers.back_to(packet, source)[1]}"


def _party(who: Party) -> str:
    """From or To as sippy gets it; what it cannot echo is left out, and only the tag is compared (RFC 3261 section
    12).
    """
    target = who.uri
    if target.scheme == "tel":
        target = Uri(scheme="sip", user=target.user, host="tel.invalid")
    target = msgspec.structs.replace(target, scheme="sip", params="")
    display, tag = who.display, who.tag
    plain = bool(display) and all(" " <= letter < "\x7f" and letter not in '"\\<>,' for letter in display)
    return (f'"{display}" ' if plain else "") + f"<{target.text}>" + (f";tag={tag}" if tag else "")
