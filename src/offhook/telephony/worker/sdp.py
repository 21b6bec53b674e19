"""Descriptions of sound (RFC 4566) and what is agreed of them (RFC 3264), read strictly. Pure.

Only one thing is ever agreed on: one stream of G.711 over RTP/AVP to an address of four numbers, with telephone events.
A stream that is not that is answered with port 0 at its place (RFC 3264 section 6).
"""

import ipaddress
import re

import msgspec

from offhook.telephony.port import Address
from offhook.telephony.worker.sound import PCMA, PCMU, Voice

MOST = 8_192
LINES = 256
NAMES = {PCMU: "PCMU", PCMA: "PCMA"}
DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
OPPOSITE = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}
EVENTS = 101
_LINE = re.compile(r"([a-z])=(.*)")
_MEDIA = re.compile(r"([a-z]{1,32}) ([0-9]{1,5})(?:/[0-9]{1,5})? ([A-Za-z0-9/]{1,32})((?: [^ ]{1,32}){1,64})")
_RTPMAP = re.compile(r"rtpmap:([0-9]{1,3}) ([A-Za-z0-9\-.]{1,32})/([0-9]{1,6})(?:/([0-9]{1,2}))?")
_CONNECTION = re.compile(r"IN IP4 ([0-9.]{7,15})(?:/[0-9]{1,3}){0,2}")


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What the other side says of its sound. `streams` are all media lines, to be answered in their order."""

    address: Address
    codecs: tuple[int, ...]
    """Those that we speak, the one that is preferred first."""
    events: int | None
    direction: str
    streams: tuple[tuple[str, str, str], ...]
    """Kind, transport and formats of each media line."""
    place: int
    """Which of `streams` it is."""

    @property
    def held(self) -> bool:
        """Whether it has put us on hold (RFC 3264 section 8.4, and the address of zeros of RFC 2543)."""
        return self.direction in ("sendonly", "inactive") or self.address[0] == "0.0.0.0"  # noqa: S104  (no bind)

    def voice(self, codec: int) -> Voice:
        """What media is told of it."""
        held = self.held
        return Voice(
            address=self.address,
            codec=codec,
            events=self.events,
            sends=self.direction in ("sendrecv", "sendonly") and not held,
            hears=self.direction in ("sendrecv", "recvonly") and self.address[0] != "0.0.0.0",  # noqa: S104  (no bind)
        )


def read(content: bytes) -> Description | None:
    """A description with sound that we speak, else None."""
    if len(content) > MOST:
        return None
    lines = content.decode("latin-1").replace("\r\n", "\n").rstrip("\n").split("\n")
    if len(lines) > LINES or lines[0] != "v=0":
        return None
    shared: list[tuple[str, str]] = []
    streams: list[tuple[tuple[str, int, str, str], list[tuple[str, str]]]] = []
    for line in lines:
        said = _LINE.fullmatch(line)
        if said is None:
            return None
        if said[1] == "m":
            media = _MEDIA.fullmatch(said[2])
            if media is None or int(media[2]) > 65_535:
                return None
            streams.append(((media[1], int(media[2]), media[3], media[4].strip()), []))
        else:
            (streams[-1][1] if streams else shared).append((said[1], said[2]))
    for place, ((kind, number, transport, formats), own) in enumerate(streams):
        if kind == "audio" and number and transport == "RTP/AVP":
            all_streams = tuple((each[0], each[2], each[3]) for each, _ in streams)
            if (found := _sound(number, formats, shared, own, all_streams, place)) is not None:
                return found
    return None


def _sound(
    port: int,
    formats: str,
    shared: list[tuple[str, str]],
    own: list[tuple[str, str]],
    streams: tuple[tuple[str, str, str], ...],
    place: int,
) -> Description | None:
    host = _host(own) or _host(shared)
    if not host:
        return None
    names = {PCMU: "PCMU", PCMA: "PCMA"}
    direction = "sendrecv"
    for kind, value in (*shared, *own):
        if kind == "a" and value in DIRECTIONS:
            direction = value
        if kind == "a" and (said := _RTPMAP.fullmatch(value)) and int(said[1]) <= 127:
            names[int(said[1])] = said[2].upper() if said[3] == "8000" and said[4] in (None, "1") else ""
    codecs: list[int] = []
    events = None
    for one in formats.split():
        if not re.fullmatch("[0-9]{1,3}", one) or int(one) > 127:
            return None
        name = names.get(int(one), "")
        codec = {"PCMU": PCMU, "PCMA": PCMA}.get(name)
        if codec is not None and int(one) == codec and codec not in codecs:
            codecs.append(codec)
        elif name == "TELEPHONE-EVENT" and events is None and int(one) >= 96:
            events = int(one)
    if not codecs:
        return None
    return Description(
        address=(host, port), codecs=tuple(codecs), events=events, direction=direction, streams=streams, place=place
    )


def _host(lines: list[tuple[str, str]]) -> str:
    """The address of the connection line, "" for none and for what no packet may be sent to."""
    for kind, value in lines:
        if kind == "c" and (said := _CONNECTION.fullmatch(value)):
            try:
                address = ipaddress.IPv4Address(said[1])
            except ValueError:
                return ""
            if address.is_multicast or address == ipaddress.IPv4Address("255.255.255.255"):
                return ""
            return str(address)
    return ""


def write(
    local: Address,
    version: int,
    session: int,
    codecs: tuple[int, ...] = (PCMU, PCMA),
    events: int | None = EVENTS,
    direction: str = "sendrecv",
    answered: Description | None = None,
) -> bytes:
    """Our description; with `answered`, an answer to that offer with a line for each of its streams."""
    host, port = local
    lines = ["v=0", f"o=- {session} {version} IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0"]
    formats = [str(codec) for codec in codecs] + ([str(events)] if events is not None else [])
    sound = [f"m=audio {port} RTP/AVP {' '.join(formats)}"]
    sound += [f"a=rtpmap:{codec} {NAMES[codec]}/8000" for codec in codecs]
    if events is not None:
        sound += [f"a=rtpmap:{events} telephone-event/8000", f"a=fmtp:{events} 0-15"]
    sound += ["a=ptime:20", f"a={direction}"]
    if answered is None:
        return "\r\n".join([*lines, *sound, ""]).encode()
    for place, (kind, transport, all_formats) in enumerate(answered.streams):
        lines += sound if place == answered.place else [f"m={kind} 0 {transport} {all_formats}"]
    return "\r\n".join([*lines, ""]).encode("latin-1")


def chosen(theirs: Description) -> int:
    """The codec that is spoken: PCMU if they can, so that two legs seldom need a translation."""
    return PCMU if PCMU in theirs.codecs else theirs.codecs[0]
