"""A SIP message as it came in a datagram, read strictly before anything else sees it (RFC 3261 sections 7, 20 and
25). Pure.

What can be understood so far that it can be answered, and is wrong, is refused with a code; what cannot is not
answered. Text is bytes read as Latin-1, so that what is echoed is echoed to the byte and a length is a length.
Nothing here raises anything but `Malformed`, and every pattern takes time in proportion to what it reads.
"""

import re

import msgspec

MOST = 16_384
"""Bytes of a message; longer ones are refused with 513."""
LINES = 128
FIELD = 4_096
"""Characters of one header field, unfolded."""
NAME = 256
"""Characters of a Call-ID, a tag, a branch."""

COMPACT = {
    "i": "call-id", "m": "contact", "e": "content-encoding", "l": "content-length", "c": "content-type", "f": "from",
    "s": "subject", "k": "supported", "t": "to", "v": "via", "o": "event", "r": "refer-to", "b": "referred-by",
    "x": "session-expires", "a": "accept-contact", "u": "allow-events", "j": "reject-contact",
    "d": "request-disposition",
}  # fmt: skip
ONCE = ("call-id", "content-length", "content-type", "cseq", "from", "max-forwards", "to", "expires")
"""Header fields of which a message has one at most, or none can say which is meant."""

WORD = r"[A-Za-z0-9\-.!%*_+`'~]+"
_REQUEST = re.compile(rf"({WORD}) ([^ \t<>\"]+) (SIP/[0-9]{{1,3}}\.[0-9]{{1,3}})", re.IGNORECASE)
_ANY_REQUEST = re.compile(rf"({WORD})[ \t].*SIP/[0-9]{{1,3}}\.[0-9]{{1,3}}[ \t]*", re.IGNORECASE)
_RESPONSE = re.compile(r"SIP/2\.0 ([1-6][0-9]{2})(?: (.*))?", re.IGNORECASE)
_HEADER = re.compile(rf"({WORD})[ \t]*:[ \t]*(.*)", re.DOTALL)
_VIA = re.compile(
    rf"SIP[ \t]*/[ \t]*2\.0[ \t]*/[ \t]*({WORD})[ \t]+"
    r"([A-Za-z0-9.\-_]+|\[[0-9A-Fa-f:.]+\])[ \t]*(?::[ \t]*([0-9]{1,10})[ \t]*)?((?:;.*)?)",
    re.IGNORECASE,
)
_PARAM = re.compile(rf"[ \t]*({WORD})[ \t]*(?:=[ \t]*((?:[A-Za-z0-9\-.!%*_+`'~:\[\]]+)|\"(?:[^\"\\]|\\.)*\"))?[ \t]*")
_CSEQ = re.compile(rf"([0-9]{{1,12}})[ \t]+({WORD})")
_SIP_URI = re.compile(
    r"(sips?):(?:([A-Za-z0-9\-_.!~*'()&=+$,;?/%#:\[\]]*)@)?([A-Za-z0-9.\-_]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,6}))?"
    r"((?:;[A-Za-z0-9\-_.!~*'()\[\]/:&+$%=]*)*)(\?[^<> \"]*)?",
    re.IGNORECASE,
)
_TEL_URI = re.compile(r"tel:(\+?[0-9A-Da-d*#().\-]{1,64})((?:;[A-Za-z0-9\-_.!~*'()\[\]/:&+$%=]*)*)", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_DISPLAY = re.compile(rf"(?:{WORD}[ \t]*)*")
_VISIBLE = re.compile(r"[\x21-\x7e]+")
_ENCLOSING = re.compile(r'["<>]')
_CONTROL = re.compile(r"(?<!\\)[\x00-\x08\x0a-\x1f\x7f]|[\r\n]")
"""What may stand in no field, or in quotes behind a backslash only."""


class Malformed(Exception):
    """A message that is refused with `code`; 0: it cannot be answered. `packet` is as much as was understood."""

    def __init__(self, code: int, reason: str, packet: "Packet | None" = None) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.packet = packet


class Uri(msgspec.Struct, frozen=True, kw_only=True):
    """A URI's parts; `user` as written, escapes and all. Of a number (tel:) the host is empty."""

    scheme: str
    user: str = ""
    host: str = ""
    port: int = 0
    params: str = ""
    """With the semicolon before each."""
    headers: str = ""

    @property
    def text(self) -> str:
        """As it is written, without its headers."""
        at = f"{self.user}@" if self.user else ""
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}:{at}{self.host}{port}{self.params}"


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """Of From, To, Contact, Refer-To: a name, an address, and the field's own parameters in lower-case names."""

    uri: Uri
    display: str = ""
    params: dict[str, str] = {}

    @property
    def tag(self) -> str:
        return self.params.get("tag", "")


class Packet(msgspec.Struct, kw_only=True):
    """A message. A request has a `method`, a response a `code`; header names are long and in lower case."""

    method: str = ""
    uri: Uri | None = None
    code: int = 0
    reason: str = ""
    headers: list[tuple[str, str]] = msgspec.field(default_factory=list)
    body: bytes = b""
    via: tuple[str, str, int, dict[str, str]] = ("", "", 0, {})
    """Of the top Via: transport, host, port (0 if it names none), parameters."""
    below: list[str] = msgspec.field(default_factory=list)
    """The other Vias, written anew."""
    call_id: str = ""
    sequence: int = 0
    sequence_method: str = ""
    caller: Party | None = None
    callee: Party | None = None

    def all(self, name: str) -> list[str]:
        """Every value of a header field, from top to bottom."""
        return [value for key, value in self.headers if key == name]

    def first(self, name: str) -> str:
        """The first value of a header field, "" if there is none."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def branch(self) -> str:
        return self.via[3].get("branch", "")

    @property
    def from_tag(self) -> str:
        return self.caller.tag if self.caller else ""

    @property
    def to_tag(self) -> str:
        return self.callee.tag if self.callee else ""


def read(content: bytes) -> Packet:
    """A datagram's message. Malformed for what is none."""
    long = len(content) > MOST
    content = content[:MOST]
    head, blank, body = content.lstrip(b"\r\n").partition(b"\r\n\r\n")
    if not blank and not long:
        raise Malformed(0, "There is no end of the header.")
    try:
        head.decode()
    except UnicodeDecodeError:
        raise Malformed(0, "The header is no UTF-8.") from None
    lines = _unfolded(head.decode("latin-1"))
    packet = _start(lines[0])
    fault = _fields(packet, lines[1:])
    fault = _vias(packet, fault)
    for part in (_identity, _parties):
        fault = part(packet, fault)
    if long:
        fault = (513, "Message Too Large")
    fault = fault or _body(packet, body)
    if packet.code and fault:
        raise Malformed(0, fault[1])
    if fault:
        raise Malformed(fault[0], fault[1], packet)
    if packet.method and packet.method != packet.sequence_method:
        raise Malformed(400, "CSeq Method Differs", packet)
    return packet


Fault = tuple[int, str] | None


def _unfolded(text: str) -> list[str]:
    lines: list[str] = []
    for line in text.split("\r\n"):
        if line[:1] in (" ", "\t") and lines:
            lines[-1] += " " + line.strip(" \t")
        else:
            lines.append(line)
        if len(lines) > LINES:
            raise Malformed(0, "There are too many header fields.")
    return lines


def _start(line: str) -> Packet:
    if len(line) > FIELD:
        raise Malformed(0, "The first line is too long.")
    if said := _RESPONSE.fullmatch(line):
        return Packet(code=int(said[1]), reason=said[2] or "")
    if asked := _REQUEST.fullmatch(line):
        packet = Packet(method=asked[1])
        if asked[3].upper() != "SIP/2.0":
            packet.code = -505
        else:
            packet.uri = uri(asked[2])
            packet.code = 0 if packet.uri else -416 if _foreign(asked[2]) else -400
            if packet.uri and packet.uri.headers:
                packet.code = -400
        return packet
    if asked := _ANY_REQUEST.fullmatch(line):
        return Packet(method=asked[1], code=-400)
    raise Malformed(0, "That is no SIP.")


def _foreign(text: str) -> bool:
    return bool(_SCHEME.match(text)) and not text.lower().startswith(("sip:", "sips:", "tel:"))


START_FAULTS = {505: "Version Not Supported", 416: "Unsupported URI Scheme", 400: "Bad Request Line"}


def _fields(packet: Packet, lines: list[str]) -> Fault:
    fault: Fault = None
    if packet.code < 0:
        fault = (-packet.code, START_FAULTS[-packet.code])
        packet.code = 0
    for line in lines:
        said = _HEADER.fullmatch(line)
        if said is None or len(line) > FIELD or _CONTROL.search(line):
            fault = fault or (400, "Bad Header Field")
            continue
        name = said[1].lower()
        packet.headers.append((COMPACT.get(name, name), said[2].rstrip(" \t")))
    names = [name for name, _ in packet.headers if name in ONCE]
    if len(names) != len(set(names)):
        twice = next(name for name in ONCE if names.count(name) > 1)
        fault = fault or (400, f"More Than One {twice.title()}")
    return fault


def _vias(packet: Packet, fault: Fault) -> Fault:
    """Nothing is answered without a Via that says where to; the others only go back as they came."""
    values = [part.strip() for value in packet.all("via") for part in split(value)]
    if not values:
        raise Malformed(0, "There is no Via.")
    said = _VIA.fullmatch(values[0])
    if said is None:
        raise Malformed(0, "The Via cannot be read.")
    if said[3] is not None and not 1 <= int(said[3]) <= 65_535:
        raise Malformed(0, "The Via's port is none.")
    params = parameters(said[4])
    if params is None or len(params.get("branch", "")) > NAME:
        params = {name: value for name, value in loose(said[4]).items() if len(value) <= NAME}
        fault = fault or (400, "Bad Via")
    packet.via = (said[1].upper(), said[2], int(said[3] or 0), params)
    for value in values[1:]:
        lower = _VIA.fullmatch(value)
        more = parameters(lower[4]) if lower else None
        if lower is None or more is None:
            fault = fault or (400, "Bad Via")
            continue
        number = f":{lower[3]}" if lower[3] else ""
        packet.below.append(f"SIP/2.0/{lower[1]} {lower[2]}{number}{written(more)}")
    return fault


def _identity(packet: Packet, fault: Fault) -> Fault:
    packet.call_id = packet.first("call-id")
    if not _VISIBLE.fullmatch(packet.call_id) or len(packet.call_id) > NAME:
        fault = fault or (400, "Bad Call-ID")
    said = _CSEQ.fullmatch(packet.first("cseq"))
    if said is None or int(said[1]) >= 1 << 31:
        return fault or (400, "Bad CSeq")
    packet.sequence, packet.sequence_method = int(said[1]), said[2]
    return fault


def _parties(packet: Packet, fault: Fault) -> Fault:
    for name in ("from", "to"):
        found = party(packet.first(name))
        if found is None or len(found.tag) > NAME:
            fault = fault or (400, f"Bad {name.title()}")
        if name == "from":
            packet.caller = found
        else:
            packet.callee = found
    for name, most in (("max-forwards", 255), ("expires", (1 << 32) - 1)):
        value = packet.first(name)
        if value and not (re.fullmatch("[0-9]{1,10}", value) and int(value) <= most):
            fault = fault or (400, f"Bad {name.title()}")
    return fault


def _body(packet: Packet, body: bytes) -> Fault:
    """A datagram's body is what Content-Length says; more than that is cut off, less is wrong (RFC 3261 section
    18.3).
    """
    size = packet.first("content-length")
    if not size:
        packet.body = body
        return None
    if not re.fullmatch("[0-9]{1,9}", size) or int(size) > len(body):
        return 400, "Bad Content-Length"
    packet.body = body[: int(size)]
    return None


def split(value: str, at: str = ",") -> list[str]:
    """The parts of a list, without those separators that stand in quotes or angle brackets."""
    if at not in value:
        return [value]
    if not _ENCLOSING.search(value):
        return value.split(at)
    parts, start, quoted, angled, skip = [], 0, False, False, False
    for place, letter in enumerate(value):
        if skip:
            skip = False
        elif quoted:
            skip = letter == "\\"
            quoted = letter != '"'
        elif letter == '"':
            quoted = True
        elif letter in "<>":
            angled = letter == "<"
        elif letter == at and not angled:
            parts.append(value[start:place])
            start = place + 1
    return [*parts, value[start:]]


def parameters(text: str) -> dict[str, str] | None:
    """Of `;name=value;name`, names in lower case; None for what is not so."""
    found: dict[str, str] = {}
    if not text.strip(" \t"):
        return found
    first, *parts = split(text, ";")
    if first.strip(" \t"):
        return None
    for part in parts:
        said = _PARAM.fullmatch(part)
        if said is None:
            return None
        found[said[1].lower()] = said[2] or ""
    return found


def written(params: dict[str, str]) -> str:
    """Parameters as text."""
    return "".join(f";{name}={value}" if value else f";{name}" for name, value in params.items())


def loose(text: str) -> dict[str, str]:
    """What can be read of parameters that are wrong elsewhere."""
    found: dict[str, str] = {}
    for part in split(text, ";"):
        if said := _PARAM.fullmatch(part):
            found[said[1].lower()] = said[2] or ""
    return found


def uri(text: str) -> Uri | None:
    """A sip, sips or tel URI; None for any other and for none."""
    if said := _SIP_URI.fullmatch(text):
        port = int(said[4] or 0)
        if port > 65_535 or (said[4] and not port):
            return None
        return Uri(
            scheme=said[1].lower(),
            user=said[2] or "",
            host=said[3].lower(),
            port=port,
            params=said[5],
            headers=said[6] or "",
        )
    if said := _TEL_URI.fullmatch(text):
        return Uri(scheme="tel", user=said[1], params=said[2])
    return None


def party(text: str) -> Party | None:
    """The value of From, To, Contact or Refer-To; None for what is none, also for a URI of another kind."""
    text = text.strip(" \t")
    opening = _opening(text)
    if opening < 0:
        address, _, rest = text.partition(";")
        if "?" in address or "," in address:
            return None
        found, params = uri(address.rstrip(" \t")), parameters(f";{rest}" if rest else "")
        display = ""
    else:
        closing = text.find(">", opening)
        if closing < 0:
            return None
        found, params = uri(text[opening + 1 : closing]), parameters(text[closing + 1 :])
        display = text[:opening].strip(" \t")
        if display.startswith('"'):
            if len(display) < 2 or not re.fullmatch(r'"(?:[^"\\]|\\.)*"', display):
                return None
            display = re.sub(r"\\(.)", r"\1", display[1:-1])
        elif not _DISPLAY.fullmatch(display) and not any(letter > "\x7f" for letter in display):
            return None
    if found is None or params is None:
        return None
    return Party(uri=found, display=display, params=params)


def _opening(text: str) -> int:
    """Where the first angle bracket stands that is in no quotes, -1 if there is none."""
    if '"' not in text:
        return text.find("<")
    quoted = skip = False
    for place, letter in enumerate(text):
        if skip:
            skip = False
        elif quoted:
            skip = letter == "\\"
            quoted = letter != '"'
        elif letter == '"':
            quoted = True
        elif letter == "<":
            return place
    return -1


def unescaped(text: str) -> str:
    """A URI's user part as people read it: escapes resolved, no control characters, at most 128 characters."""
    raw = re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), text.encode("latin-1", "replace"))
    return "".join(letter for letter in raw.decode("utf-8", "replace") if letter.isprintable())[:128]


def number_of(target: Uri) -> str:
    """What somebody is called by in a URI: its user as people read it, without the parameters that a telephone number
    may bring along (RFC 3261 section 19.1.6), as in `911;phone-context=+1`.
    """
    return unescaped(target.user.partition(";")[0])


def readable(text: str) -> str:
    """A display name as people read it."""
    read = text.encode("latin-1", "replace").decode("utf-8", "replace")
    return "".join(letter for letter in read if letter.isprintable())[:128]
