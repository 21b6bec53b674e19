"""What a request carries and insists on, and why an INVITE is not taken for that (RFC 3261 section 8.2). Pure."""

from offhook.telephony.worker import sdp
from offhook.telephony.worker.legs import HOPS
from offhook.telephony.worker.packet import Packet, party, split

SDP = "application/sdp"
MULTIPART = "multipart/mixed"
MOST_PARTS = 16


def words(value: str) -> list[str]:
    """Of a list of words, in lower case."""
    return [word.strip().lower() for word in value.split(",") if word.strip()]


def judged(packet: Packet) -> tuple[int, sdp.Description | None]:
    """Why an INVITE that begins a call is not taken (0: it is), and what it offers. None takes the place of another
    call (RFC 3891).
    """
    if packet.all("replaces"):
        return 481, None
    contact = party(packet.first("contact"))
    if contact is None or contact.uri.scheme != "sip" or len(packet.all("contact")) != 1:
        return 400, None
    if refused := unread(packet):
        return refused, None
    accepts = [word.partition(";")[0].strip() for value in packet.all("accept") for word in words(value)]
    if accepts and not {SDP, "application/*", "*/*"} & set(accepts):
        return 406, None
    description = described(packet)
    if description is None:
        return 0, None
    offer = sdp.read(description)
    return (488, None) if offer is None else (0, offer)


def unread(packet: Packet) -> int:
    """The code for a body that is not understood, 0 if it is or there is none."""
    if packet.first("content-encoding") not in ("", "identity"):
        return 415
    return 415 if packet.body and described(packet) is None else 0


def described(packet: Packet) -> bytes | None:
    """A body's description of sound, also from among several parts (RFC 2046 section 5.1)."""
    if not packet.body:
        return None
    kind, _, rest = packet.first("content-type").partition(";")
    if kind.strip().lower() == SDP:
        return packet.body
    if kind.strip().lower() != MULTIPART:
        return None
    boundary = ""
    for part in split(rest, ";"):
        name, _, value = part.strip().partition("=")
        if name.strip().lower() == "boundary":
            boundary = value.strip().strip('"')
    if not boundary or len(boundary) > 70:
        return None
    parts = (b"\r\n" + packet.body).split(b"\r\n--" + boundary.encode("latin-1", "replace"), MOST_PARTS)
    for section in parts[1:-1]:
        head, blank, content = section.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").lower().split("\r\n")
        if blank and any(line.replace(" ", "").startswith(f"content-type:{SDP}") for line in lines):
            return content + b"\r\n"
    return None


def unsupported(packet: Packet) -> list[str]:
    """The extensions that a request insists on: we know none of those that one may (RFC 3261 section 8.2.2.3)."""
    return [word for value in packet.all("require") for word in words(value)]


def hops(packet: Packet) -> int:
    """How often a request may still be passed on; never more than we would say ourselves (RFC 7332 section 5)."""
    return min(int(packet.first("max-forwards") or HOPS), HOPS)
