"""Answers to a request that need no transaction: made from the request alone, the same for each time it is sent. Pure.

RFC 3261 sections 8.2.6 and 8.2.7. They go to the address that the request came from, and to no other that it may name.
"""

import hashlib
import hmac

from offhook.telephony.port import Address
from offhook.telephony.worker.packet import Packet

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, REFER, NOTIFY, REGISTER"
KNOWN = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "REFER", "REGISTER")
OTHERS = ("UPDATE", "PRACK", "SUBSCRIBE", "NOTIFY", "PUBLISH", "MESSAGE")
"""Methods that are known and not taken: 405; any other is 501."""
PHRASES = {
    100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 202: "Accepted", 400: "Bad Request",
    401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable",
    408: "Request Timeout", 410: "Gone", 413: "Request Entity Too Large", 415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension", 423: "Interval Too Brief", 480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist", 482: "Loop Detected", 483: "Too Many Hops",
    484: "Address Incomplete", 485: "Ambiguous", 486: "Busy Here",
    487: "Request Terminated", 488: "Not Acceptable Here", 491: "Request Pending", 500: "Server Internal Error",
    501: "Not Implemented", 503: "Service Unavailable", 505: "Version Not Supported", 513: "Message Too Large",
    600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere", 606: "Not Acceptable",
    607: "Unwanted", 608: "Rejected",
}  # fmt: skip


def phrase(code: int) -> str:
    """What a code is called."""
    return PHRASES.get(code, "Refused" if code >= 300 else "OK")


def top_via(packet: Packet, source: Address) -> str:
    """The top Via with where it came from (RFC 3261 section 18.2.1, RFC 3581), whatever it said of that itself."""
    transport, host, port, params = packet.via
    text = f"SIP/2.0/{transport} {host}" + (f":{port}" if port else "")
    for name, value in params.items():
        if name not in ("received", "rport"):
            text += f";{name}={value}" if value else f";{name}"
    if "rport" in params:
        text += f";rport={source[1]}"
    return f"{text};received={source[0]}"


def back_to(packet: Packet, source: Address) -> Address:
    """Where an answer goes: the host it came from, at the port it asks for."""
    if "rport" in packet.via[3]:
        return source
    return source[0], packet.via[2] or 5060


def tag(packet: Packet, key: bytes) -> str:
    """A To tag that is the same for each copy of the request, and that nobody else can make."""
    said = "\0".join((packet.call_id, packet.from_tag, packet.branch, packet.first("cseq")))
    return hmac.new(key, said.encode(), hashlib.sha256).hexdigest()[:24]


def answer(
    packet: Packet,
    source: Address,
    key: bytes,
    code: int,
    headers: tuple[tuple[str, str], ...] = (),
    reason: str = "",
) -> bytes:
    """The bytes of an answer. What the request lacks, the answer lacks too."""
    lines = [f"SIP/2.0 {code} {reason or phrase(code)}", f"Via: {top_via(packet, source)}"]
    lines += [f"Via: {value}" for value in packet.below]
    to = packet.first("to")
    if to and not packet.to_tag and code > 100:
        to += f";tag={tag(packet, key)}"
    for name, value in (
        ("From", packet.first("from")),
        ("To", to),
        ("Call-ID", packet.first("call-id")),
        ("CSeq", packet.first("cseq")),
    ):
        if value:
            lines.append(f"{name}: {value}")
    lines += [f"{name}: {value}" for name, value in headers]
    lines.append("Content-Length: 0\r\n\r\n")
    return "\r\n".join(lines).encode("latin-1")
