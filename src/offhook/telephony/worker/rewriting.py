"""Messages as sippy gets them: only what it needs of what was read, in one form. Pure."""

import msgspec

from offhook.telephony.port import Address
from offhook.telephony.worker import answers, bodies
from offhook.telephony.worker.bounds import UNANSWERED
from offhook.telephony.worker.packet import Packet, Party, Uri, party, split


def printable(text: str) -> str:
    """A text without what no line of a message may hold."""
    return "".join(letter for letter in text if " " <= letter < "\x7f")


def sip(target: Uri, address: Address) -> str:
    """A URI that goes into a request line; a number's is one of the host it is sent to."""
    if target.scheme != "tel":
        return msgspec.structs.replace(target, scheme="sip").text
    return f"sip:{target.user}@{address[0]}:{address[1]}"


def for_sippy(packet: Packet, source: Address) -> str:
    """A message as sippy gets it: only what it needs, in one form, with where it came from in its Via."""
    if packet.code:
        lines = [f"SIP/2.0 {packet.code} {printable(packet.reason) or answers.phrase(packet.code)}"]
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
    if packet.method == "INVITE":
        lines.append(f"Expires: {packet.first('expires').lstrip('0') or UNANSWERED}")
    body = bodies.described(packet) or b""
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
