"""A telephone or carrier of a test's own hand: one UDP socket that says exactly what it is told to."""

import hashlib
import re
import secrets
import select
import socket
import time

from offhook.telephony.port import Address

WAIT = 5.0


class Message:
    """A message that came: its first line, fields by lower-case name, body."""

    def __init__(self, content: bytes, source: Address) -> None:
        self.content = content
        self.source = source
        head, _, self.body = content.partition(b"\r\n\r\n")
        self.line, *lines = head.decode().split("\r\n")
        self.fields = [(name.strip().lower(), value.strip()) for name, _, value in (x.partition(":") for x in lines)]
        words = self.line.split()
        self.code = int(words[1]) if words[0] == "SIP/2.0" else 0
        self.method = "" if self.code else words[0]

    def __getitem__(self, name: str) -> str:
        return next((value for key, value in self.fields if key == name), "")

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key == name]

    @property
    def what(self) -> str:
        """A method, or a code with the method it answers: "200 INVITE"."""
        return self.method or f"{self.code} {self['cseq'].partition(' ')[2]}"

    @property
    def to_tag(self) -> str:
        return tag(self["to"])

    @property
    def from_tag(self) -> str:
        return tag(self["from"])

    @property
    def branch(self) -> str:
        found = re.search(r"branch=([^;,\s]+)", self["via"])
        return found[1] if found else ""

    @property
    def contact(self) -> str:
        """The address of its Contact, without brackets."""
        return self["contact"].strip("<>")

    def __repr__(self) -> str:
        return f"<{self.what}>"


def tag(value: str) -> str:
    """A From's or To's tag."""
    found = re.search(r";tag=([^;]+)", value)
    return found[1] if found else ""


def sound(address: Address, direction: str = "sendrecv", codecs: str = "0 8 101", host: str = "") -> bytes:
    """A description of sound."""
    return (
        f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 {host or address[0]}\r\nt=0 0\r\n"
        f"m=audio {address[1]} RTP/AVP {codecs}\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
        f"a=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
    ).encode()


class Peer:
    """`log` is all that came, in order."""

    def __init__(self, worker: Address, host: str = "127.0.0.1") -> None:
        self.worker = worker
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.address: Address = self.socket.getsockname()
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.bind(("127.0.0.1", 0))
        self.log: list[Message] = []
        self._seen: list[Message] = []

    @property
    def sound(self) -> bytes:
        return sound(self.rtp.getsockname())

    @property
    def contact(self) -> str:
        return f"sip:phone@127.0.0.1:{self.address[1]}"

    def send(self, content: bytes) -> None:
        self.socket.sendto(content, self.worker)

    def hear(self, what: str, wait: float = WAIT) -> Message:
        """The next message of a kind ("INVITE", "200 INVITE"); others that come before it are kept."""
        end = time.monotonic() + wait
        while True:
            for message in self._seen:
                if message.what == what:
                    self._seen.remove(message)
                    return message
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                raise AssertionError(f"No {what} came, but {self.log}.")
            self._read()

    def first(self) -> Message:
        """Whatever comes next."""
        if not select.select([self.socket], [], [], WAIT)[0]:
            raise AssertionError("Nothing came.")
        self._read()
        return self.log[-1]

    def pump(self) -> list[Message]:
        """All that came so far."""
        while select.select([self.socket], [], [], 0)[0]:
            self._read()
        return self.log

    def _read(self) -> None:
        message = Message(*self.socket.recvfrom(65_536))
        self.log.append(message)
        self._seen.append(message)

    def forget(self) -> None:
        """Begin to hear anew."""
        self.pump()
        self.log, self._seen = [], []

    def fence(self) -> list[Message]:
        """All that came once an OPTIONS sent now was answered: what was caused before, and at once, is among it."""
        call_id = secrets.token_hex(8)
        asked = self.request("OPTIONS", call_id=call_id)
        for _ in range(3):
            # On a busy machine a packet may be lost, as its receiver has no room for it: so it is sent again.
            self.send(asked)
            while select.select([self.socket], [], [], WAIT)[0]:
                self._read()
                if self.log[-1]["call-id"] == call_id:
                    self._seen.remove(self.log.pop())
                    return self.log
        raise AssertionError("The worker does not answer.")

    def request(
        self,
        method: str,
        *,
        uri: str = "",
        call_id: str = "",
        sequence: int = 1,
        branch: str = "",
        from_tag: str = "f1",
        to_tag: str = "",
        to: str = "",
        caller: str = "",
        body: bytes = b"",
        kind: str = "application/sdp",
        headers: tuple[str, ...] = (),
        number: int = 0,
    ) -> bytes:
        """A request's bytes; `number` is CSeq's method's, if another."""
        del number
        uri = uri or f"sip:100@127.0.0.1:{self.worker[1]}"
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.address[1]};rport;branch={branch or 'z9hG4bK' + secrets.token_hex(8)}",
            f"From: {caller or f'<sip:phone@127.0.0.1:{self.address[1]}>'};tag={from_tag}",
            f"To: {to or '<sip:100@127.0.0.1>'}" + (f";tag={to_tag}" if to_tag else ""),
            f"Call-ID: {call_id or secrets.token_hex(8)}",
            f"CSeq: {sequence} {method}",
            "Max-Forwards: 70",
            *headers,
        ]
        if method in ("INVITE", "REFER") and not any(x.lower().startswith("contact:") for x in headers):
            lines.append(f"Contact: <{self.contact}>")
        if body:
            lines.append(f"Content-Type: {kind}")
        lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def answer(
        self,
        request: Message,
        code: int,
        *,
        tag: str = "t1",
        body: bytes = b"",
        headers: tuple[str, ...] = (),
        contact: str = "",
    ) -> bytes:
        """An answer's bytes to a request that came."""
        to = request["to"]
        if code > 100 and ";tag=" not in to:
            to += f";tag={tag}"
        lines = [f"SIP/2.0 {code} X", *(f"Via: {value}" for value in request.all("via"))]
        lines += [f"From: {request['from']}", f"To: {to}", f"Call-ID: {request['call-id']}", f"CSeq: {request['cseq']}"]
        if request["cseq"].endswith("INVITE") and 100 < code < 300:
            lines.append(f"Contact: <{contact or self.contact}>")
        lines += headers
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def reply(self, request: Message, code: int, **more: object) -> None:
        """Answer a request that came."""
        self.send(self.answer(request, code, **more))  # type: ignore[arg-type]

    def close(self) -> None:
        self.socket.close()
        self.rtp.close()


class Call:
    """A call of a peer's to the worker, with what its next requests need."""

    def __init__(self, peer: Peer, *, body: bytes | None = None, headers: tuple[str, ...] = (), uri: str = "") -> None:
        self.peer = peer
        self.call_id = secrets.token_hex(8)
        self.branch = "z9hG4bK" + secrets.token_hex(8)
        self.sequence = 1
        self.to_tag = ""
        self.target = uri or f"sip:100@127.0.0.1:{peer.worker[1]}"
        self.invite = self.request(
            "INVITE", body=peer.sound if body is None else body, branch=self.branch, headers=headers
        )

    def request(self, method: str, *, branch: str = "", body: bytes = b"", sequence: int = 0, **more: object) -> bytes:
        return self.peer.request(
            method, uri=self.target, call_id=self.call_id, branch=branch, sequence=sequence or self.sequence,
            to_tag=self.to_tag, body=body, **more,  # type: ignore[arg-type]
        )  # fmt: skip

    def next(self, method: str, **more: object) -> None:
        """Send the dialogue's next request."""
        self.sequence += 1
        self.peer.send(self.request(method, **more))  # type: ignore[arg-type]

    def start(self) -> "Call":
        self.peer.send(self.invite)
        return self

    def cancel(self) -> None:
        self.peer.send(self.request("CANCEL", branch=self.branch))

    def heard(self, code: int) -> Message:
        """Wait for an answer to the INVITE."""
        message = self.peer.hear(f"{code} INVITE")
        if code > 100:
            self.to_tag = message.to_tag
        return message

    def ack(self, body: bytes = b"") -> None:
        """To a 2xx."""
        self.peer.send(self.request("ACK", body=body))

    def ack_refusal(self) -> None:
        """To anything else: of the INVITE's transaction."""
        self.peer.send(self.request("ACK", branch=self.branch))


def authorization(
    challenge: str,
    username: str,
    password: str,
    method: str,
    uri: str,
    *,
    count: int = 1,
    extra: str = "",
    qop: str = "auth",
) -> str:
    """An Authorization field that answers a challenge."""
    found = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))
    name = found["algorithm"]
    make = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[name]

    def made(text: str) -> str:
        return make(text.encode()).hexdigest()

    secret, asked = made(f"{username}:{found['realm']}:{password}"), made(f"{method}:{uri}")
    cnonce = secrets.token_hex(4)
    between = f"{count:08x}:{cnonce}:auth:" if qop else ""
    response = made(f"{secret}:{found['nonce']}:{between}{asked}")
    more = f', qop=auth, nc={count:08x}, cnonce="{cnonce}"' if qop else ""
    return (
        f'Digest username="{username}", realm="{found["realm"]}", nonce="{found["nonce"]}", uri="{uri}", '
        f'response="{response}", algorithm={name}{more}{extra}'
    )
