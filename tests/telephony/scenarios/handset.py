"""Telephones and a carrier of the test's own hand that live on its event loop, with any number of calls each."""

import asyncio
import secrets
import socket
import struct
from collections.abc import Callable
from itertools import cycle

from offhook.telephony.port import Address
from tests.telephony.scenarios.ear import Ear
from tests.telephony.worker.peers import Message, Peer, authorization, sound
from tests.telephony.worker.rtp_peers import FRAME, Sender, encoded, tone

EVENTS = 101
KEYS = "0123456789*#ABCD"
WAIT = 30.0
"""Seconds in which what must come has come: a real telephone is a process that has to begin first."""


class Handset(Peer):
    """A telephone, or a carrier. What rings it goes to `rung`, and hears `voices`; it says a tone of `pitch` Hz."""

    def __init__(self, worker: Address, pitch: int, username: str = "", password: str = "") -> None:
        super().__init__(worker)
        self.pitch, self.username, self.password = pitch, username, password
        self.rung: Callable[[Talk], None] = lambda talk: None
        self.voices: dict[str, float] = {}
        self.info = ""
        """The type of the bodies of INFO that its keys are sent in; "" for telephone events."""
        self.talks: dict[str, Talk] = {}
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self.socket, self._arrived)
        self._answers: dict[str, asyncio.Future[Message]] = {}

    def _arrived(self) -> None:
        message = Message(*self.socket.recvfrom(65_536))
        call_id = message["call-id"]
        if (waiting := self._answers.get(call_id)) is not None and message.code >= 200:
            waiting.set_result(message)
            return
        talk = self.talks.get(call_id)
        if talk is None and message.method == "INVITE":
            talk = self.talks[call_id] = Talk(self, call_id, invite=message)
            self.reply(message, 180, tag=talk.tag)
            self.rung(talk)
        elif talk is not None:
            talk.take(message)

    async def register(self, seconds: int = 600) -> None:
        """Be reached for so long, having proven who it is; 0: no more."""
        call_id, uri = secrets.token_hex(8), f"sip:127.0.0.1:{self.worker[1]}"
        address = f"<sip:{self.username}@127.0.0.1>"
        contact = (f"Contact: <{self.contact}>", f"Expires: {seconds}")
        answer = await self._ask(call_id, 1, uri, address, contact)
        proof = authorization(answer["www-authenticate"], self.username, self.password, "REGISTER", uri)
        answer = await self._ask(call_id, 2, uri, address, (*contact, f"Authorization: {proof}"))
        assert answer.code == 200, answer.line

    async def known(self) -> None:
        """Wait until the worker knows this carrier's address, asking less often than it takes from strangers."""
        async with asyncio.timeout(WAIT):
            while (await self._ask(secrets.token_hex(8), 1, "", "", (), method="OPTIONS")).code != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def _ask(
        self, call_id: str, number: int, uri: str, address: str, headers: tuple[str, ...], method: str = "REGISTER"
    ) -> Message:
        answer = self._answers[call_id] = self._loop.create_future()
        self.send(self.request(
            method, uri=uri, call_id=call_id, sequence=number, to=address, caller=address, headers=headers,
        ))  # fmt: skip
        try:
            async with asyncio.timeout(WAIT):
                return await answer
        finally:
            del self._answers[call_id]

    def dial(
        self,
        number: str,
        shown: str = "",
        sounds: dict[str, bytes] | None = None,
        voices: dict[str, float] | None = None,
    ) -> "Talk":
        """Call; a carrier says who it is that calls, a telephone proves who it is. The rest is what its ear knows."""
        talk = Talk(self, secrets.token_hex(8), dialled=number, shown=shown, sounds=sounds, voices=voices)
        self.talks[talk.call_id] = talk
        talk.invite()
        return talk

    def close(self) -> None:
        self._loop.remove_reader(self.socket)
        for talk in self.talks.values():
            talk.close()
        super().close()


class Talk:
    """One call of a telephone. `up` once it was taken and both know, `down` once it is over, `code` if by a refusal."""

    def __init__(
        self,
        handset: Handset,
        call_id: str,
        *,
        invite: Message | None = None,
        dialled: str = "",
        shown: str = "",
        sounds: dict[str, bytes] | None = None,
        voices: dict[str, float] | None = None,
    ) -> None:
        self.handset, self.call_id, self.came, self.dialled = handset, call_id, invite, dialled
        self.tag = "t" + secrets.token_hex(4)
        self.began = asyncio.get_running_loop().time()
        self.ended = 0.0
        self.up, self.down, self.begun = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.code = 0
        self.heard: asyncio.Queue[str] = asyncio.Queue()
        self.referred: asyncio.Queue[int] = asyncio.Queue()
        """What REFER was answered, and how that is told to go."""
        self.ear = Ear(sounds or {}, handset.voices if voices is None else voices, self.heard.put_nowait)
        self._shown = shown or handset.username or "phone"
        self._branch = ""
        self._sequence = 1
        self._proof: tuple[str, ...] = ()
        self._there: Message | None = None
        self._last = b""
        self._theirs = ""
        self._rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._rtp.bind(("127.0.0.1", 0))
        self._rtp.setblocking(False)
        self._to: Address | None = None
        self._keys: asyncio.Queue[str] = asyncio.Queue()
        self._speaking: asyncio.Task[None] | None = None
        asyncio.get_running_loop().add_reader(self._rtp, self._hear)
        if invite is not None:
            self._agree(invite.body)

    # What it does

    def invite(self) -> None:
        """Send the INVITE, with what proves who it is if that was asked for."""
        self._branch = "z9hG4bK" + secrets.token_hex(8)
        self.handset.send(self._request("INVITE", branch=self._branch, body=self._sound, headers=self._proof))

    def answer(self) -> None:
        """Take the call."""
        assert self.came is not None
        self._reply(200, self._sound)

    def refuse(self, code: int) -> None:
        """Do not take it."""
        self._reply(code)
        self._over(code)

    def refer(self, to: str, replaces: "Talk | None" = None) -> None:
        """Send the other side on (RFC 3515), with `replaces` to whom that one is with (RFC 3891)."""
        self._sequence += 1
        also = (
            f"?Replaces={replaces.call_id}%3Bto-tag%3D{replaces.other_tag}%3Bfrom-tag%3D{replaces.tag}"
            if replaces
            else ""
        )
        self.handset.send(self._request("REFER", headers=(f"Refer-To: <sip:{to}@127.0.0.1{also}>",)))

    @property
    def other_tag(self) -> str:
        """The other side's tag."""
        return self.came.from_tag if self.came is not None else self._theirs

    def hang_up(self) -> None:
        """Leave, or give up."""
        if self.down.is_set():
            return
        if self.came is None and not self.up.is_set():
            self.handset.send(self._request("CANCEL", branch=self._branch))
            return
        self._sequence += 1
        self.handset.send(self._request("BYE"))
        self._over(0)

    def press(self, keys: str) -> None:
        """Press keys: by telephone events (RFC 4733), or by INFO with the body that the handset writes."""
        for key in keys:
            if self.handset.info:
                self._inform(key)
            else:
                self._keys.put_nowait(key)

    def _inform(self, key: str) -> None:
        kind = self.handset.info
        body = f"Signal={key}\r\nDuration=160\r\n" if kind == "application/dtmf-relay" else key
        self._sequence += 1
        self.handset.send(self._request("INFO", body=body.encode(), kind=kind))

    # What comes

    def take(self, message: Message) -> None:
        """A message of this call."""
        if message.code:
            if message["cseq"].endswith("INVITE"):
                self._answered(message)
            elif message["cseq"].endswith("REFER"):
                self.referred.put_nowait(message.code)
        elif message.method == "NOTIFY":
            self.handset.reply(message, 200, tag=self.tag)
            self.referred.put_nowait(int(message.body.split()[1]))
        elif message.method == "INVITE":
            self.handset.send(self._last or self.handset.answer(message, 180, tag=self.tag))
        elif message.method == "CANCEL":
            self.handset.reply(message, 200, tag=self.tag)
            if not self.ended and not self._last:
                self._reply(487)
                self._over(487)
        elif message.method == "ACK":
            if self._last.startswith(b"SIP/2.0 200"):
                self._is_up()
        elif message.method == "BYE":
            self.handset.reply(message, 200, tag=self.tag)
            self._over(0)
        else:
            self.handset.reply(message, 501, tag=self.tag)

    def _answered(self, message: Message) -> None:
        if message.code == 100:
            return
        if message.code == 401 and not self._proof:
            self._acknowledge(message)
            name, password = self.handset.username, self.handset.password
            proof = authorization(message["www-authenticate"], name, password, "INVITE", self._uri)
            self._sequence += 1
            self._proof = (f"Authorization: {proof}",)
            self.invite()
            return
        self._theirs = message.to_tag
        self.begun.set()
        if 200 <= message.code < 300:
            self._there = message
            self.handset.send(self._request("ACK"))
            self._agree(message.body)
            self._is_up()
        elif message.code >= 300:
            self._acknowledge(message)
            self._over(message.code)

    def _acknowledge(self, message: Message) -> None:
        self._there, before = message, self._there
        self.handset.send(self._request("ACK", branch=self._branch, uri=self._uri))
        self._there = before

    def _is_up(self) -> None:
        if not self.up.is_set():
            self.up.set()
            self._speaking = asyncio.ensure_future(self._speak())

    def _over(self, code: int) -> None:
        if not self.ended:
            self.ended, self.code = asyncio.get_running_loop().time(), code
            self.begun.set()
            self.down.set()
            if self._speaking is not None:
                self._speaking.cancel()

    # Sound

    def _hear(self) -> None:
        packet = self._rtp.recv(4_096)
        if packet[1] & 127 == 0:
            self.ear.take(packet[12:])

    def _agree(self, body: bytes) -> None:
        found = [line.split() for line in body.decode().splitlines() if line.startswith("m=audio")]
        if found:
            self._to = ("127.0.0.1", int(found[0][1]))

    async def _speak(self) -> None:
        """Say the tone, 20 ms at a time, and press keys in between."""
        said = encoded(tone(self.handset.pitch, 1.0))
        stream = Sender()
        due = asyncio.get_running_loop().time()
        for at in cycle(range(0, len(said), FRAME)):
            packets = [stream.sound(said[at : at + FRAME])]
            if not self._keys.empty():
                packets = self._pressed(stream, self._keys.get_nowait())
            for packet in packets:
                if self._to is not None:
                    self._rtp.sendto(packet, self._to)
                due += 0.02
                await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))

    @staticmethod
    def _pressed(stream: Sender, key: str) -> list[bytes]:
        packets = []
        for step in range(6):
            event = struct.pack("!BBH", KEYS.index(key), 0x80 * (step > 2) | 10, FRAME * min(step + 1, 4))
            packets.append(stream.packet(EVENTS, event, marker=step == 0))
        stream.stamp += 6 * FRAME
        return packets

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._rtp)
        if self._speaking is not None:
            self._speaking.cancel()
        self._rtp.close()

    # Messages

    @property
    def _sound(self) -> bytes:
        return sound(self._rtp.getsockname())

    @property
    def _uri(self) -> str:
        return f"sip:{self.dialled}@127.0.0.1:{self.handset.worker[1]}"

    def _reply(self, code: int, body: bytes = b"") -> None:
        assert self.came is not None
        self._last = self.handset.answer(self.came, code, tag=self.tag, body=body)
        self.handset.send(self._last)

    def _request(
        self,
        method: str,
        *,
        branch: str = "",
        body: bytes = b"",
        kind: str = "application/sdp",
        headers: tuple[str, ...] = (),
        uri: str = "",
    ) -> bytes:
        if self.came is not None:
            caller, to = (self.came[name].partition(";tag=")[0] for name in ("to", "from"))
            uri, to_tag = self.came.contact, self.came.from_tag
        else:
            caller, to = f"<sip:{self._shown}@127.0.0.1>", f"<sip:{self.dialled}@127.0.0.1>"
            to_tag = self._there.to_tag if self._there is not None else ""
            uri = uri or (self._there.contact if self._there is not None else self._uri)
        return self.handset.request(
            method, uri=uri, call_id=self.call_id, sequence=self._sequence, branch=branch, from_tag=self.tag,
            to_tag=to_tag, to=to, caller=caller, body=body, kind=kind, headers=headers,
        )  # fmt: skip
