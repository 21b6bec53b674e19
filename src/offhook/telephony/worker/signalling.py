"""The worker's middle: packets come in and are judged, commands come in and are done, legs are kept.

The order for a packet is the order of cost: bounds, reading, copies of what is known, who sent it, and only then sippy.
Strangers get the same challenge for everything, made without memory; REGISTER and OPTIONS never reach sippy at all.
"""

import gc
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from offhook.telephony import port
from offhook.telephony.port import Address
from offhook.telephony.worker import answers, bodies, digest, sdp, wire
from offhook.telephony.worker.accounts import Accounts, may_be_a_username
from offhook.telephony.worker.answering import Answering
from offhook.telephony.worker.bounds import FOR_HELP, Buckets, Refused, Remembered, may_be_for_help, room
from offhook.telephony.worker.carriers import Carriers
from offhook.telephony.worker.dialogue import Dialogue, acknowledged
from offhook.telephony.worker.legs import Leg
from offhook.telephony.worker.packet import Malformed, Packet, number_of, read, readable, uri
from offhook.telephony.worker.registrar import Registrar
from offhook.telephony.worker.rewriting import for_sippy, printable, sip
from offhook.telephony.worker.sound import PCMU, Media, NoPort
from offhook.telephony.worker.unproven import Unproven

UNKNOWN = "no such telephone"
"""Why somebody is turned away whose username nobody has."""

REGISTERED_LIFE = 4000.0
"""Seconds for which a telephone's place is remembered: a little more than a registration lasts."""

Key = tuple[str, str, int]


class Caller(msgspec.Struct, frozen=True):
    """Who a request is from, proven."""

    username: str = ""
    trunk: int = 0
    digests: Mapping[str, str] = {}
    """By which a telephone proved it."""


class Invite(msgspec.Struct):
    """An INVITE that is on its way through sippy."""

    packet: Packet
    source: Address
    caller: Caller
    offer: sdp.Description | None
    crowded: bool = False


class Signalling:
    """All legs and registrations of a worker. `say` tells the server; `ended` is called when nothing is left after
    Close. Every `often` seconds whoever sends no sound is asked whether they are still there, and every `again` seconds
    whoever calls is told that it goes on. What is numbered is so behind `first`, which is even.
    """

    def __init__(
        self,
        listen: Address,
        host: str,
        make_media: Callable[["Signalling"], Media],
        say: Callable[[port.Event], None],
        ended: Callable[[], None],
        often: float = 300.0,
        first: int = 0,
        again: float = 55.0,
    ) -> None:
        self._say = say
        self._often, self._again = often, again
        self._ended = ended
        self.refused = Refused()
        self._unproven = Unproven(say, wire.now)
        self._faults: dict[str, int] = {}
        self._faulted = False
        self.legs: dict[int, Leg] = {}
        self._number = first - 1
        self._carriers = Carriers()
        self._coming: list[port.Trunk] = []
        """Carriers of a Configure whose rest is still to come."""
        self._limits = port.Limits()
        self._digests = digest.Digests("offhook", wire.now)
        self._accounts = Accounts(say, self.refused.add, wire.now)
        self._guesses = Buckets(5, 50, wire.now)
        self._registers, self._calls = Buckets(2, 60, wire.now), Buckets(10, 100, wire.now)
        """What one telephone may ask for, by its username: each REGISTER is written to disk, each call is kept."""
        self._urgent = Buckets(1, 10, wire.now)
        """And beyond that, where it may be calling for help."""
        self._telephones: Remembered[Address] = Remembered(REGISTERED_LIFE, wire.now)
        """From where telephones have registered: no carrier speaks from there, whoever says so."""
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
        self._answers = Answering(wire.socket_of(self.manager).send_to, wire.now)
        self._registrar = Registrar(self._answers.final, say, self.refused.add, first)
        self._buckets()
        self._media = make_media(self)
        wire.every(1.0, self._second)
        say(port.Ready(address=wire.bound(self.manager), media=self._media.name))

    def fault(self, what: str, count: int = 1) -> None:
        """Count something that went wrong, so often; said at once, and then once a second."""
        what = "".join(letter for letter in what if letter.isprintable())[:300]
        if not self._faults and not self._faulted:
            self._faulted = True
            self._say(port.Fault(what, count))
            return
        if len(self._faults) < 100 or what in self._faults:
            self._faults[what] = self._faults.get(what, 0) + count

    # Heard from media, on any thread

    def key(self, leg: int, key: str) -> None:
        wire.from_thread(self._tell_of, leg, port.Key(leg, key))

    def played(self, leg: int, token: int, fault: str) -> None:
        wire.from_thread(self._tell_of, leg, port.Played(leg, token, fault))

    def recorded(self, leg: int, path: str, seconds: float, fault: str) -> None:
        wire.from_thread(self._say, port.Recorded(leg=leg, path=path, seconds=seconds, fault=fault))

    def silent(self, leg: int) -> None:
        wire.from_thread(self._silent, leg)

    def cut(self, leg: int) -> None:
        wire.from_thread(self._cut, leg)

    def ended(self, leg: int, codec: str, received: int, lost: int) -> None:
        wire.from_thread(self._say, port.Sound(leg=leg, codec=codec, received=received, lost=lost))

    def _tell_of(self, leg: int, event: port.Event) -> None:
        if leg in self.legs and not self.legs[leg].over:
            self._say(event)

    def _cut(self, leg: int) -> None:
        if leg in self.legs:
            self.legs[leg].cut()

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
                self._answers.give(wrong.packet, source, wrong.code, reason=printable(str(wrong)))
            return
        if packet.code:
            self._response(packet, source)
        elif packet.method == "ACK":
            self._within(packet, source)
        elif packet.method == "CANCEL":
            self._cancel(packet, source)
        elif not self._answers.again(packet, source):
            self._request(packet, source)

    def _response(self, packet: Packet, source: Address) -> None:
        """An answer to what we sent. A 2xx that nobody waits for any more is acknowledged all the same."""
        if not (packet.caller and packet.callee):
            return
        agent = self._dialogues.get((packet.call_id, packet.from_tag))
        if agent is None:
            self.refused.add("unknown answer")
            return
        agent.heard_of = max(agent.heard_of, packet.code)
        if 200 <= packet.code < 300 and packet.sequence_method == "INVITE":
            tid = (packet.call_id, packet.from_tag, packet.sequence, "INVITE", packet.branch)
            transaction = self.manager.tclient.get(tid)
            if transaction is None or transaction.state.__name__ not in ("TRYING", "RINGING"):
                if packet.to_tag:
                    agent.again(packet)
                return
        self._give(packet, source, packet.from_tag)

    def _cancel(self, packet: Packet, source: Address) -> None:
        found = self._invites.get((packet.call_id, packet.from_tag, packet.sequence))
        if found is None or found[0] != packet.branch or found[2].source[0] != source[0]:
            self._answers.give(packet, source, 481)
        elif found[2].state != "early":
            self._answers.give(packet, source, 200)
        else:
            self._give(packet, source, packet.from_tag)

    def _request(self, packet: Packet, source: Address) -> None:
        if packet.to_tag:
            self._within(packet, source)
            return
        if packet.method == "INVITE":
            key = (packet.call_id, packet.from_tag, packet.sequence)
            found = self._invites.get(key)
            if found is not None:
                if found[0] == packet.branch:
                    self._give(packet, source, packet.from_tag)
                else:
                    self._answers.give(packet, source, 482)
                return
        self._who(packet, source, lambda caller: self._proven(packet, source, caller))

    def _within(self, packet: Packet, source: Address) -> None:
        """A request of a dialogue, or that says it is of one."""
        agent = self._dialogues.get((packet.call_id, packet.to_tag)) if packet.to_tag else None
        if packet.method == "ACK":
            if agent is not None:
                self._give(packet, source, packet.to_tag)
            return
        if agent is None or agent.isDead():
            self._answers.give(packet, source, 481)
            return
        if not self._in_time(packet, packet.to_tag):
            return
        text = for_sippy(packet, source)
        if packet.method == "INVITE":
            # sippy would answer the second of two with one number in a transaction of the first one's name.
            number, before = agent.reinvited
            if packet.sequence < number or (packet.sequence == number and text != before):
                self._answers.give(packet, source, 500 if packet.sequence < number else 482)
                return
            agent.reinvited = packet.sequence, text
            if refused := bodies.unread(packet) or (420 if bodies.unsupported(packet) else 0):
                self._answers.refuse(packet, source, refused)
                return
        agent.arriving = packet
        if not self.manager.give(text, source):
            self._answers.give(packet, source, 400)
        agent.arriving = None

    def _in_time(self, packet: Packet, tag: str) -> bool:
        """Whether no more is said in a dialogue, named by one of its tags, than two could have to say: sippy takes
        milliseconds for a message, which others wait.
        """
        if self._said.take(f"{packet.call_id}\0{tag}"):
            return True
        self.refused.add("too many messages of a call")
        return False

    def _give(self, packet: Packet, source: Address, tag: str) -> None:
        if self._in_time(packet, tag):
            self.manager.give(for_sippy(packet, source), source)

    # Who it is from

    def _who(self, packet: Packet, source: Address, then: Callable[[Caller], None]) -> None:
        # A carrier registers nowhere; and who names an address as a carrier's has not shown that it is one.
        telephone = packet.method == "REGISTER" or source in self._telephones
        trunks = [] if telephone else self._carriers.at(source)
        proofs = [proof for value in packet.all("authorization") if (proof := digest.read(value)) is not None]
        credentials = next((proof for proof in proofs if proof.realm == self._digests.realm), None)
        if credentials is not None and self._digests.fresh(credentials) is None:
            credentials = None
        unproven = next((trunk for trunk in trunks if not trunk.proves), None)
        if unproven is not None and credentials is None:
            self._of_carrier(packet, source, Caller(trunk=unproven.id), then)
            return
        if credentials is None:
            self._first(packet, source, bool(trunks))
            return
        self._unproven.proof(packet, source)
        name = credentials.username
        if not self._guesses.take(source[0]):
            self._turn_away(packet, source, name, "too many proofs were wrong from there")
            return
        if (trunk := next((trunk for trunk in trunks if trunk.proves == name), None)) is not None:
            self._judge(packet, source, credentials, trunk.digests, Caller(trunk=trunk.id), then)
            return
        if len(name) > 64 or not name.isprintable():
            self._turn_away(packet, source, name, UNKNOWN)
            return

        def told(digests: Mapping[str, str]) -> None:
            self._judge(packet, source, credentials, digests, Caller(username=name, digests=digests), then)

        if not self._accounts.ask(name, told):
            self._answers.give(packet, source, 503, (("Retry-After", "5"),))

    def _of_carrier(self, packet: Packet, source: Address, caller: Caller, then: Callable[[Caller], None]) -> None:
        """A carrier's address: it is the carrier, unless a call's From names a telephone of ours that is there too."""
        name = packet.caller.uri.user if packet.caller is not None else ""
        self._know(source[0])
        if packet.method != "INVITE" or not may_be_a_username(name):
            then(caller)
            return

        def told(digests: Mapping[str, str]) -> None:
            if self._was_there(packet, source):
                return
            if digests:
                self._challenge(packet, source)
            else:
                then(caller)

        if not self._accounts.ask(name, told):
            self._answers.give(packet, source, 503, (("Retry-After", "5"),))

    def _judge(
        self,
        packet: Packet,
        source: Address,
        credentials: digest.Credentials,
        digests: Mapping[str, str],
        caller: Caller,
        then: Callable[[Caller], None],
    ) -> None:
        if self._was_there(packet, source):
            return
        proven = self._digests.proven(credentials, packet.method, packet.uri, digests)
        if proven:
            self._guesses.give(source[0])
            self._know(source[0])
            then(caller)
        elif proven is None:
            self._challenge(packet, source, stale=True)
        else:
            name = credentials.username
            unknown = UNKNOWN if self._accounts.sure_of(name) else "the telephones cannot be looked up"
            self._turn_away(packet, source, name, "wrong password" if digests else unknown)

    def _was_there(self, packet: Packet, source: Address) -> bool:
        """Whether a copy of it came through while this one waited for the server's word."""
        key = (packet.call_id, packet.from_tag, packet.sequence)
        return self._answers.again(packet, source) or key in self._invites

    def _first(self, packet: Packet, source: Address, of_carrier: bool) -> None:
        """Ask for a proof, with which a telephone comes back; a carrier does not that thought it needs none."""
        if packet.method == "REGISTER":
            self._unproven.challenged(packet, source, "no password was given")
        elif packet.method == "INVITE" and not of_carrier and source not in self._telephones:
            self._unproven.challenged(packet, source, "no trunk that is enabled names this address")
        self._challenge(packet, source)

    def _turn_away(self, packet: Packet, source: Address, username: str, cause: str) -> None:
        """Answer as anybody is answered who is not known, and have the server told why."""
        self._unproven.add(packet, source, username, cause)
        self._challenge(packet, source)

    def _challenge(self, packet: Packet, source: Address, stale: bool = False) -> None:
        self.refused.add("stale" if stale else "challenged")
        self._answers.give(packet, source, 401, self._digests.challenge(stale))

    def _know(self, host: str) -> None:
        if (buckets := wire.socket_of(self.manager).buckets) is not None:
            buckets.know(host)

    # What it wants

    def _proven(self, packet: Packet, source: Address, caller: Caller) -> None:
        calls = self._calls if caller.username else self._carried
        asks = {"REGISTER": self._registers, "INVITE": calls}.get(packet.method)
        if bodies.unsupported(packet):
            self._answers.refuse(packet, source, 420)
        elif asks is not None and not (
            asks.take(caller.username or str(caller.trunk)) or self._may_be_urgent(packet, caller)
        ):
            self.refused.add("too many requests")
            self._answers.refuse(packet, source, 503)
        elif packet.method == "REGISTER" and caller.username:
            self._telephones.note(source)
            self._answers.hold(packet, source)
            self._registrar.register(packet, source, caller.username, port.mark(caller.digests))
        elif packet.method == "OPTIONS":
            self._answers.give(packet, source, 200, (("Allow", answers.ALLOW), ("Accept", "application/sdp")))
        elif packet.method == "INVITE":
            self._called(packet, source, caller)
        elif packet.method in ("BYE", "INFO", "REFER", "NOTIFY", "UPDATE", "PRACK"):
            self._answers.give(packet, source, 481)
        else:
            known = packet.method in (*answers.KNOWN, *answers.OTHERS)
            self._answers.give(packet, source, 405 if known else 501, (("Allow", answers.ALLOW),))

    def _may_be_urgent(self, packet: Packet, caller: Caller) -> bool:
        """Whether a telephone that called too often may be calling for help now, which only the server knows."""
        if packet.method != "INVITE" or not caller.username or packet.uri is None:
            return False
        return may_be_for_help(number_of(packet.uri)) and self._urgent.take(caller.username)

    def _called(self, packet: Packet, source: Address, caller: Caller) -> None:
        refusal, offer = bodies.judged(packet)
        if packet.first("max-forwards") and not int(packet.first("max-forwards")):
            refusal = 483
        early = sum(
            1 for leg in self.legs.values() if leg.incoming and leg.state == "early" and leg.source[0] == source[0]
        )
        crowded = ""
        if len(self.legs) >= room(self._limits.legs, self._media.ports) or self._closing:
            crowded = "too many legs"
        elif early >= self._limits.early:
            crowded = "too many early calls"
        # A telephone may be calling for help, which only the server knows.
        most = room(2 * self._limits.legs, self._media.ports) + FOR_HELP // 2
        helps = bool(caller.username) and len(self.legs) < most and not self._closing
        if not refusal and crowded and not helps:
            self.refused.add(crowded)
            refusal = 503
        if refusal:
            self._answers.refuse(packet, source, refusal)
            return
        self._invite = Invite(packet, source, caller, offer, bool(crowded))
        given = self.manager.give(for_sippy(packet, source), source)
        if self._unasked() or not given:
            self._answers.give(packet, source, 400)

    def _unasked(self) -> bool:
        """Whether sippy never came with the INVITE that it was given."""
        left, self._invite = self._invite is not None, None
        return left

    def _asked(self, request: Any, transaction: Any) -> Any:
        """sippy has a request that is of no dialogue."""
        invite, self._invite = self._invite, None
        if invite is None or request.getMethod() != "INVITE":
            return request.genResponse(481, answers.phrase(481)), None, None
        self._number += 2
        leg = self._leg(Leg(
            self._number, self._media, self._say, invite.source, incoming=True, username=invite.caller.username,
            trunk=invite.caller.trunk, offer=invite.offer, hops=bodies.hops(invite.packet),
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
            caller=number_of(who.uri) if who else "",
            dialled=number_of(target) if target else "",
            source=invite.source,
            display=readable(who.display if who else ""),
            username=invite.caller.username,
            trunk=invite.caller.trunk,
            call_id=readable(packet.call_id),
            crowded=invite.crowded,
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
            case port.Ping():
                self._say(port.Pong())
            case port.Close():
                self._close(command.seconds)
            case port.Join():
                self._media.join(tuple([leg for leg in (command.leg, *command.others) if leg in self.legs]))
            case _:
                leg = self.legs.get(command.leg)
                if leg is not None:
                    self._do_with(leg, command)
                elif isinstance(command, port.Record):
                    # Who waits for a recording is told that it is none.
                    self._say(port.Recorded(leg=command.leg, path=command.path, seconds=0))

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
        self._coming += told.trunks
        if told.more:
            return
        self._carriers, self._coming = Carriers(self._coming), []
        for place in told.telephones:
            self._telephones.note(place)
        if told.limits != self._limits:
            # Else strangers could begin anew whenever somebody changes a carrier.
            self._limits = told.limits
            self._buckets()
        if told.realm != self._digests.realm:
            self._digests = digest.Digests(told.realm, wire.now)
            self._accounts.forget()

    def _buckets(self) -> None:
        limits = self._limits
        self._carried = Buckets(limits.calls, 3 * limits.calls, wire.now)
        self._said = Buckets(limits.messages, 5 * limits.messages, wire.now)
        buckets = Buckets(limits.packets, limits.burst, wire.now)
        before = wire.socket_of(self.manager).buckets
        for host in before.known if before is not None else ():
            buckets.know(host)
        wire.socket_of(self.manager).buckets = buckets

    def _dial(self, told: port.Dial) -> None:
        if told.leg in self.legs:
            return
        target = uri(told.uri)
        # Callers are refused at the bound; those who were let in may still be connected with somebody.
        most = room(2 * self._limits.legs, self._media.ports) + (FOR_HELP if told.helps else 0)
        if target is None:
            self._not_dialled(told, 404, "not found")
            return
        if self._closing or len(self.legs) >= most:
            self.refused.add("too many legs")
            self._not_dialled(told, 503, "failed")
            return
        leg = self._leg(Leg(told.leg, self._media, self._say, told.address, incoming=False, trunk=told.trunk))
        try:
            leg.local = self._media.open(leg.number)
        except NoPort:
            self.refused.add("no port")
            self._not_dialled(told, 503, "failed")
            return
        trunk = self._carriers.get(told.trunk)
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
        leg.helps = told.helps
        first = leg.called_by(caller) if caller is not None else PCMU
        agent.placing = lambda call_id: self._dialogues.__setitem__((call_id, agent.lTag), agent)
        agent.place(
            sip(target, told.address),
            told.number,
            told.display,
            leg.offer(first),
            (told.body_type, told.body) if told.body else None,
            told.headers,
            trunk.domain if trunk else "",
            leg.hops,
        )
        for seconds, no_more_than in ((told.patience, 0), (told.trying, 100)):
            if seconds:
                wire.later(seconds, self._look_whether_heard, leg, agent, no_more_than)

    def _look_whether_heard(self, leg: Leg, agent: Dialogue, no_more_than: int) -> None:
        if not leg.over and agent.heard_of <= no_more_than:
            self._say(port.Unheard(leg.number))

    def _not_dialled(self, told: port.Dial, code: int, cause: str) -> None:
        leg = self.legs.pop(told.leg, None)
        if leg is not None:
            leg.state = "over"
            for key in [key for key, agent in self._dialogues.items() if agent.hears is leg]:
                del self._dialogues[key]
        self._media.release(told.leg)
        self._say(port.Down(leg=told.leg, code=code, cause=cause, ours=True))

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
        self._unproven.second()
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
        for leg in tuple(self.legs.values()):
            leg.look(wire.now(), self._often, self._again)
        self._answers.look_through()
