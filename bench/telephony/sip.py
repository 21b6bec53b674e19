"""SIP for a load generator: messages made from templates, and read as far as a scripted telephone needs. Pure.

It is no SIP stack: it knows the one peer that it measures, and reads header fields by the names that peer writes.
"""

from hashlib import md5
from secrets import token_hex

BRANCH = "z9hG4bK"
HOST = "127.0.0.1"


class Message:
    """What came. `code` is 0 for a request; fields are as they came, for an answer to repeat them."""

    __slots__ = ("call_id", "callee", "caller", "code", "contact", "content", "cseq", "method", "target", "vias")

    def __init__(self, content: bytes) -> None:
        self.content = content
        end = content.find(b"\r\n\r\n")
        first, *lines = content[:end].split(b"\r\n")
        if first.startswith(b"SIP/2.0 "):
            self.code, self.method, self.target = int(first[8:11]), b"", b""
        else:
            self.code = 0
            self.method, self.target, _ = first.split(b" ", 2)
        vias: list[bytes] = []
        self.call_id = self.caller = self.callee = self.cseq = self.contact = b""
        for line in lines:
            name, _, value = line.partition(b": ")
            if name == b"Via":
                vias.append(line)
            elif name == b"From":
                self.caller = value
            elif name == b"To":
                self.callee = value
            elif name == b"Call-ID":
                self.call_id = value
            elif name == b"CSeq":
                self.cseq = value
                if self.code:
                    self.method = value.partition(b" ")[2]
            elif name == b"Contact":
                self.contact = value[value.find(b"<") + 1 : value.find(b">")]
        self.vias = b"\r\n".join(vias)

    @property
    def user(self) -> bytes:
        """The user part of a request's target."""
        return self.target[4 : self.target.find(b"@")]

    @property
    def sound(self) -> tuple[str, int]:
        """Where the sender of a description hears."""
        host = self.content.find(b"c=IN IP4 ") + 9
        port = self.content.find(b"m=audio ") + 8
        if host < 9 or port < 8:
            raise ValueError("There is no description of sound.")
        address = self.content[host : self.content.find(b"\r\n", host)].decode()
        return address, int(self.content[port : self.content.find(b" ", port)])


def branch() -> str:
    """A new one."""
    return BRANCH + token_hex(8)


def description(port: int) -> bytes:
    """A description of G.711 at a port."""
    return (
        f"v=0\r\no=- 1 1 IN IP4 {HOST}\r\ns=-\r\nc=IN IP4 {HOST}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\n"
        "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
    ).encode()


def request(
    method: str,
    target: str,
    port: int,
    caller: str,
    callee: str,
    call_id: str,
    sequence: int,
    *,
    via: str = "",
    contact: str = "",
    more: tuple[str, ...] = (),
    body: bytes = b"",
) -> bytes:
    """A request from `port`; `via` is the branch of an INVITE whose ACK this is, else a new one is taken."""
    lines = [
        f"{method} {target} SIP/2.0",
        f"Via: SIP/2.0/UDP {HOST}:{port};rport;branch={via or branch()}",
        "Max-Forwards: 70",
        f"From: {caller}",
        f"To: {callee}",
        f"Call-ID: {call_id}",
        f"CSeq: {sequence} {method}",
        *more,
    ]
    if contact:
        lines.append(f"Contact: <{contact}>")
    if body:
        lines.append("Content-Type: application/sdp")
    lines.append(f"Content-Length: {len(body)}\r\n\r\n")
    return "\r\n".join(lines).encode() + body


def answer(asked: Message, code: int, words: str, tag: str = "", contact: str = "", body: bytes = b"") -> bytes:
    """An answer to a request, with `tag` where the To has none yet."""
    to = asked.callee if not tag or b";tag=" in asked.callee else asked.callee + b";tag=" + tag.encode()
    head = b"SIP/2.0 %d %s\r\n%s\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\n" % (
        code, words.encode(), asked.vias, asked.caller, to, asked.call_id, asked.cseq,
    )  # fmt: skip
    if contact:
        head += b"Contact: <%s>\r\n" % contact.encode()
    if body:
        head += b"Content-Type: application/sdp\r\n"
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def proof(challenge: bytes, username: str, password: str, method: str, uri: str) -> str:
    """An Authorization field that answers a challenge by MD5 (RFC 2617 section 3.2.2)."""
    given = challenge.decode()

    def value(name: str) -> str:
        start = given.find(f'{name}="') + len(name) + 2
        return given[start : given.find('"', start)]

    def made(text: str) -> str:
        return md5(text.encode(), usedforsecurity=False).hexdigest()

    realm, nonce, cnonce = value("realm"), value("nonce"), token_hex(4)
    whole = f"{made(f'{username}:{realm}:{password}')}:{nonce}:00000001:{cnonce}:auth:{made(f'{method}:{uri}')}"
    return (
        f'Authorization: Digest username="{username}", realm="{realm}", nonce="{nonce}", uri="{uri}", '
        f'response="{made(whole)}", algorithm=MD5, qop=auth, nc=00000001, cnonce="{cnonce}"'
    )


def challenges(content: bytes) -> list[bytes]:
    """The values of WWW-Authenticate."""
    head = content.partition(b"\r\n\r\n")[0]
    name = b"WWW-Authenticate: "
    return [line[len(name) :] for line in head.split(b"\r\n") if line.startswith(name)]
