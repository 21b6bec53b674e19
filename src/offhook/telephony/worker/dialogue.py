"""A leg's dialogue, on sippy's user agent: what it says and is told, in words that are not sippy's.

sippy's machine carries the hard part (transactions, retransmissions, CANCEL and its races). Held back or added here:
what is sent goes to the address the other side speaks from, methods are few, a re-INVITE without an offer gets one, a
second 2xx is acknowledged and ended.
"""

import contextlib
import secrets
from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from offhook.telephony.port import Address
from offhook.telephony.worker import wire

# sippy's loop belongs to the thread that imports it first: `wire` is that import.
from sippy.CCEvents import (  # isort: skip
    CCEventConnect, CCEventDisconnect, CCEventFail, CCEventPreConnect, CCEventRedirect, CCEventRing, CCEventTry,
    CCEventUpdate,
)  # fmt: skip
from sippy.MsgBody import MsgBody  # isort: skip
from sippy.SipAddress import SipAddress  # isort: skip
from sippy.SipCallId import SipCallId  # isort: skip
from sippy.SipContact import SipContact  # isort: skip
from sippy.SipContentType import SipContentType  # isort: skip
from sippy.SipFrom import SipFrom  # isort: skip
from sippy.SipGenericHF import SipGenericHF  # isort: skip
from sippy.SipHeader import SipHeader  # isort: skip
from sippy.SipTo import SipTo  # isort: skip
from sippy.SipURL import SipURL  # isort: skip
from sippy.UA import UA  # isort: skip
from sippy.UaStateConnected import UaStateConnected  # isort: skip

from offhook.telephony.worker.answers import ALLOW, OTHERS, phrase
from offhook.telephony.worker.bounds import UNANSWERED, is_hidden
from offhook.telephony.worker.legs import HOPS
from offhook.telephony.worker.packet import Packet, party

SDP = "application/sdp"
BY_REFERENCE = "Content-ID: <location@offhook>\r\nContent-Disposition: by-reference;handling=optional\r\n"
"""Of a part that a header names: who cannot read it may leave it (RFC 5621 section 9; else RFC 3261 section 20.11 would
have the call refused).
"""
MOST_FORKS = 10
"""Places of one call that answer behind the first: each is told to end, more are left to find out by themselves."""
REPLACES = "replaces"
"""Telephones connect two of their calls only where this is said (RFC 3891 section 6.2); it is taken in Refer-To."""


def _nobody(_: str) -> None:
    """Told a Call-ID that nobody needs to know."""


class Hears(Protocol):
    """Who is told what happens in a dialogue. A description is None where none was sent. It may be one that `helps`."""

    helps: bool

    def arrived(self) -> None:
        """The call is there, and 100 was sent."""

    def progressed(self, code: int, description: bytes | None) -> None:
        """The other side is rung (1xx)."""

    def taken(self, description: bytes | None) -> None:
        """The other side took the call (2xx), and has been told that we know."""

    def confirmed(self, description: bytes | None) -> None:
        """The other side knows that we took the call (ACK)."""

    def failed(self, code: int) -> None:
        """The other side refused, or did not answer at all (408)."""

    def left(self) -> None:
        """The other side ended it (BYE, CANCEL), or never acknowledged."""

    def gone(self) -> None:
        """The other side does not answer any more, or knows of no call."""

    def offered(self, description: bytes) -> None:
        """The other side wants sound changed (re-INVITE): answered by `agree` or `disagree`."""

    def informed(self, packet: Packet) -> None:
        """INFO came, and was taken."""

    def referred(self, packet: Packet) -> int:
        """REFER came: what to answer, 0 for later (`refer`)."""

    def buried(self) -> None:
        """Nothing of the dialogue is known any more."""


class Connected(UaStateConnected):  # type: ignore[misc]
    """A call that is there, with another answer to a re-INVITE that offers nothing."""

    def _invited(self, request: Any) -> Any:
        if request.getBody() is not None:
            return self._recvRequestInvite(request)
        self.ua.uasResp = request.genResponse(100, "Trying")
        self.ua.sendUasResponse(200, "OK", self.ua.lSDP, (self.ua.lContact,), ack_wait=True)
        return (self.ua.UaStateConnected,)

    recv_request_handlers: ClassVar[dict[str, Any]] = {**UaStateConnected.recv_request_handlers, "INVITE": _invited}


class Placed(CCEventTry):  # type: ignore[misc]
    """A call of ours, with its own addresses put in before it leaves."""

    setup: Callable[[Any], None]

    def onUacSetupComplete(self, agent: Any) -> None:  # noqa: N802
        """sippy's moment for that."""
        self.setup(agent)


class Dialogue(UA):  # type: ignore[misc]
    """One dialogue. All that is sent goes to `peer`, unless `trusted`: then Contact and Record-Route say where."""

    UaStateConnected = Connected
    rCSeq: int | None  # noqa: N815
    rUri: Any  # noqa: N815
    rTarget: Any  # noqa: N815
    routes: Any

    def __init__(self, manager: Any, hears: Hears, peer: Address, trusted: bool = False, **named: Any) -> None:
        super().__init__(manager.global_config, event_cb=self._event, dead_cbs=(self._dead,), **named)
        self.manager = manager
        self.hears = hears
        self.peer = peer
        self.trusted = trusted
        self.arriving: Packet | None = None
        self.invited: Any = None
        self.hops = HOPS
        self.reinvited = (-1, "")
        """Number and text of the other side's last INVITE."""
        self.ack: tuple[str, Address] | None = None
        self.heard_of = 0
        """The highest code that came back of what was sent; 0 if nothing did."""
        self._forks: set[str] = set()
        self._asking = False
        self.referring: Any = None
        self.subscription = 0
        self.placing: Callable[[str], None] = _nobody
        """Told the Call-ID before the INVITE leaves."""
        self.lContact = SipContact(address=SipAddress(url=self._own_url()))

    def _own_url(self) -> Any:
        host, port = wire.socket_of(self.manager).getSIPaddr()[0]
        return SipURL(host=host, port=port)

    # What the server asks for

    def place(
        self,
        uri: str,
        number: str,
        display: str,
        description: bytes,
        body: tuple[str, bytes] | None = None,
        headers: tuple[tuple[str, str], ...] = (),
        domain: str = "",
        hops: int = HOPS,
    ) -> None:
        """Call `uri`. `number` "" hides who calls (RFC 3323, RFC 3325); the call may be passed on `hops` times."""
        hidden = not number
        own = self._own_url()

        def setup(agent: Any) -> None:
            agent.rTarget = SipURL(uri)
            to = SipURL(uri)
            to.headers = to.transport = to.ttl = to.maddr = to.method = None
            to.other, to.port, to.lr = [], None, False
            agent.rUri = SipTo(address=SipAddress(url=to, hadbrace=True))
            host = domain or str(own.host)
            url = SipURL(username="anonymous" if hidden else number, host="anonymous.invalid" if hidden else host)
            name = "Anonymous" if hidden else _name(display)
            agent.lUri = SipFrom(address=SipAddress(url=url, hadbrace=True, name=name))
            agent.lUri.setTag(agent.lTag)
            agent.lContact = SipContact(address=SipAddress(url=self._own_url()))
            agent.late_media = False

        extra = [_header(name, value) for name, value in headers]
        if hidden:
            extra.append(_header("Privacy", "id"))
        extra += [_header("Allow", ALLOW), _header("Supported", REPLACES)]
        event = Placed((SipCallId(secrets.token_hex(16)), "offhook", "offhook", _body(description, body), None, ""))
        event.setup = setup
        event.extra_headers = extra
        self.hops = hops
        self.placing(str(event.getData()[0]))
        self.placing = _nobody
        self.recvEvent(event)

    def ring(self, code: int, description: bytes | None) -> None:
        """Tell the caller that it rings, with sound if there is a description."""
        self.recvEvent(CCEventRing((code, phrase(code), _body(description))))

    def answer(self, description: bytes) -> None:
        """Take the call."""
        event = CCEventPreConnect((200, "OK", _body(description)))
        event.extra_headers = [_header("Allow", ALLOW), _header("Supported", REPLACES)]
        self.recvEvent(event)

    def agree(self, description: bytes) -> None:
        """Take the change of sound."""
        self.recvEvent(CCEventConnect((200, "OK", _body(description))))

    def disagree(self, code: int) -> None:
        """Refuse the change of sound; all stays as it was."""
        self.recvEvent(CCEventFail((code, phrase(code))))

    def refuse(self, code: int, reason: str) -> None:
        """Refuse a call that is not taken yet."""
        event = CCEventFail((code, phrase(code)))
        event.extra_headers = [_header("Reason", reason)] if reason else None
        self.recvEvent(event)

    def end(self, reason: str) -> None:
        """CANCEL or BYE, whichever it has come to."""
        event = CCEventDisconnect()
        event.extra_headers = [_header("Reason", reason)] if reason else None
        self.recvEvent(event)

    def ask(self) -> None:
        """Ask whether the other side still knows of the call: `gone` follows if it does not, or says nothing."""
        if not self._asking and self.isConnected():
            self._asking = True
            self.newTransaction(self.genRequest("OPTIONS"), resp_cb=self._asked)

    def _asked(self, response: Any) -> None:
        code = response.getSCode()[0]
        self._asking = self._asking and code < 200
        if code in (408, 481) and self.isConnected():
            self.hears.gone()

    def refer(self, code: int) -> None:
        """Answer REFER, and later say how it went on (RFC 3515 section 2.4.4)."""
        if self.referring is not None:
            request, transaction = self.referring
            self.referring = None
            if transaction.tid is not None and transaction.tid in self.manager.tserver:
                response = request.genResponse(code, phrase(code))
                self.manager.sendResponse(response, transaction)
            if code == 202:
                self.subscription = request.getHFBody("cseq").getCSeqNum()
                self._notify(100, "active;expires=60")
        elif self.subscription and code >= 200 and self.isConnected():
            self._notify(code, "terminated;reason=noresource")
            self.subscription = 0

    def _notify(self, code: int, state: str) -> None:
        kind = SipContentType("message/sipfrag;version=2.0")
        kind.parse()
        body = MsgBody(f"SIP/2.0 {code} {phrase(code)}\r\n", kind)
        headers = [_header("Event", "refer"), _header("Subscription-State", state)]
        self.newTransaction(self.genRequest("NOTIFY", body, extra_headers=headers))

    # What sippy asks

    def newTransaction(self, request: Any, *rest: Any, **named: Any) -> Any:  # noqa: N802
        """A request on its way; a BYE that a carrier wants a proof for gets one."""
        if request.getMethod() == "BYE" and self.username is not None and "resp_cb" not in named:
            named["resp_cb"] = self._bye_answered
        return super().newTransaction(request, *rest, **named)

    def _bye_answered(self, response: Any) -> None:
        name = {401: "www-authenticate", 407: "proxy-authenticate"}.get(response.getSCode()[0])
        for challenge in response.getHFBodys(name) if name else ():
            supported, qop = challenge.supportedAlgorithm()
            if supported:
                request = self.genRequest("BYE", None, (challenge, qop))
                super().newTransaction(request, resp_cb=lambda _: None)
                return

    def genRequest(self, method: str, *rest: Any, **named: Any) -> Any:  # noqa: N802
        """A request, sent to where the other side speaks from."""
        if method == "INVITE":
            named["max_forwards"] = self.hops
        request = super().genRequest(method, *rest, **named)
        target = request.getTarget()
        request.setTarget((self.reached(target[0] if target else None), "udp"))
        request.delHFs("user-agent")
        if method == "INVITE":
            if self.hears.helps:
                request.getHFBody("expires").number = UNANSWERED
            self.invited = request
        return request

    def reached(self, address: Any) -> Address:
        """Where to send what should go to `address`: there if a carrier says so in numbers and it is no place of ours,
        else where it came from.
        """
        if self.trusted and address is not None:
            try:
                if not is_hidden(str(address[0]), self.peer[0]):
                    return str(address[0]), int(address[1])
            except (ValueError, TypeError):
                pass
        return self.peer

    def isYours(self, req: Any = None, call_id: Any = None, from_tag: Any = None, to_tag: Any = None) -> Any:  # noqa: N802
        """By Call-ID and tags only: a branch is another one for each request."""
        self.branch = None
        return super().isYours(req, call_id, from_tag, to_tag)

    def recvRequest(self, request: Any, transaction: Any) -> Any:  # noqa: N802
        """A request within the dialogue, or the one that makes it."""
        method = request.getMethod()
        if self.state is None or method == "BYE":
            return self._received(request, transaction)
        if method == "INVITE":
            if self.isConnected():
                return self._received(request, transaction)
            return self._reply(request, 491)
        number = request.getHFBody("cseq").getCSeqNum()
        if self.rCSeq is not None and self.rCSeq >= number:
            return self._reply(request, 500)
        self.rCSeq = number
        packet = self.arriving
        if method == "INFO" and packet is not None:
            self.hears.informed(packet)
            return self._reply(request, 200)
        if method == "OPTIONS":
            return self._reply(request, 200)
        if method == "REFER" and packet is not None and self.isConnected():
            code = 491 if self.referring else self.hears.referred(packet)
            if code:
                return self._reply(request, code)
            self.referring = (request, transaction)
            transaction.teE = wire.later(30.0, self.refer, 603)
            return None
        return self._reply(request, 405 if method in OTHERS or method == "REFER" else 501)

    def _received(self, request: Any, transaction: Any) -> Any:
        """sippy's; the way to answer that it gives a request, which holds the request, is taken off it behind."""
        try:
            return super().recvRequest(request, transaction)
        finally:
            vars(request).pop("sendResponse", None)

    def _reply(self, request: Any, code: int) -> Any:
        response = request.genResponse(code, phrase(code))
        response.appendHeader(_header("Allow", ALLOW))
        return response, None, None

    def sendUasResponse(self, code: int, reason: str, *rest: Any, **named: Any) -> None:  # noqa: N802
        """An answer, unless the transaction has had its last one."""
        with contextlib.suppress(KeyError, ValueError):
            super().sendUasResponse(code, reason, *rest, **named)

    def _event(self, event: Any, _: Any) -> None:
        hears = self.hears
        if isinstance(event, CCEventTry):
            hears.arrived()
        elif isinstance(event, CCEventRing):
            code, _, body = event.getData()
            hears.progressed(int(code), _bytes(body))
        elif isinstance(event, CCEventConnect):
            code, _, body = event.getData()
            if code == "ACK":
                hears.confirmed(_bytes(body))
            else:
                hears.taken(_bytes(body))
        elif isinstance(event, CCEventFail | CCEventRedirect):
            hears.failed(int(event.getData()[0]))
        elif isinstance(event, CCEventUpdate):
            hears.offered(_bytes(event.getData()) or b"")
        elif isinstance(event, CCEventDisconnect):
            hears.left()

    def _dead(self, _: Any) -> None:
        self.hears.buried()
        self.invited = None

    # What is no transaction of sippy's any more

    def again(self, packet: Packet) -> None:
        """A 2xx that no transaction waits for: the same one again is acknowledged again, another one ended."""
        mine = self.rUri.getTag() if self.rUri is not None else None
        if packet.to_tag == mine and self.ack is not None:
            wire.socket_of(self.manager).send_to(*self.ack)
            return
        if self.invited is None or (packet.to_tag not in self._forks and len(self._forks) >= MOST_FORKS):
            return
        contact = next(iter(packet.all("contact")), "")
        self._ended_fork(packet.to_tag, contact)

    def _ended_fork(self, tag: str, contact: str) -> None:
        where = party(contact)
        target = SipURL(where.uri.text) if where and where.uri.scheme == "sip" else self.invited.getRURI().getCopy()
        to = self.invited.getHFBody("to").getCopy()
        to.setTag(tag)
        ack = self.invited.genACK(to)
        ack.getHFBody("via").genBranch()
        ack.setRURI(target)
        server = wire.socket_of(self.manager)
        server.send_to(ack.localStr(server.getSIPaddr()), self.peer)
        if tag in self._forks:
            return
        self._forks.add(tag)
        kept = self.rUri, self.rTarget, self.routes
        self.rUri, self.rTarget, self.routes = to, target, []
        bye = self.genRequest("BYE")
        self.rUri, self.rTarget, self.routes = kept
        bye.setTarget((self.peer, "udp"))
        self.newTransaction(bye)


def _name(display: str) -> str:
    """A display name for between quotes, as bytes read as Latin-1."""
    name = "".join(letter for letter in display if letter.isprintable() and letter not in '"\\')[:128]
    return name.encode().decode("latin-1")


def _header(name: str, value: str) -> Any:
    clean = "".join(letter for letter in value if letter.isprintable())
    return SipHeader(name=name, body=SipGenericHF(clean.encode().decode("latin-1"), name))


def _body(description: bytes | None, other: tuple[str, bytes] | None = None) -> Any:
    """A body for sippy: the description, with another part beside it if there is one (RFC 5621)."""
    if description is None:
        return None
    if other is None:
        return MsgBody(description.decode("latin-1"))
    boundary = secrets.token_hex(16)
    kind = SipContentType(f"multipart/mixed;boundary={boundary}")
    kind.parse()
    parts = [(SDP, "", description.decode("latin-1"))]
    parts.append((_clean(other[0]), BY_REFERENCE, other[1].decode("latin-1")))
    text = "".join(f"--{boundary}\r\nContent-Type: {name}\r\n{more}\r\n{part}\r\n" for name, more, part in parts)
    return MsgBody(f"{text}--{boundary}--\r\n", kind)


def _clean(value: str) -> str:
    return "".join(letter for letter in value if " " < letter < "\x7f")


def _bytes(body: Any) -> bytes | None:
    return None if body is None else str(body).encode("latin-1", "replace")


def acknowledged(transaction: Any, message: Any, address: Address) -> Address:
    """Where an ACK goes; it is kept for when the 2xx comes again."""
    agent = getattr(transaction.resp_cb, "__self__", None)
    if not isinstance(agent, Dialogue):
        return address
    to = agent.reached(address)
    if message.getMethod() == "ACK":
        agent.ack = (message.localStr(transaction.userv.getSIPaddr(), compact=transaction.compact), to)
    return to
