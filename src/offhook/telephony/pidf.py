"""Where help is to go, as a location object that goes along with an emergency call. Pure.

A PIDF-LO (RFC 4119, of a device as RFC 5491 wants it) with the civic address of RFC 5139, sent by value in the call as
RFC 6442 says. All of it is ASCII: what is not stands there as a reference, so that nothing on the way spoils it.
"""

import re
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5
from xml.sax.saxutils import escape, quoteattr

from offhook.emergency.model import CivicAddress
from offhook.kit import clock
from offhook.routing.plan import Transfer

CONTENT_TYPE = "application/pidf+xml"
CONTENT_ID = "location@offhook"
"""By which the headers of a call name the part of its body that this is."""

HEADERS = (("Geolocation", f"<cid:{CONTENT_ID}>"), ("Geolocation-Routing", "yes"))
"""RFC 6442 sections 4.1 and 4.2: here it is, and calls may be routed by it."""

ORDER = (
    "country", "A1", "A2", "A3", "A4", "A5", "A6", "PRM", "PRD", "RD", "STS", "POD", "POM", "RDSEC", "RDBR", "RDSUBBR",
    "HNO", "HNS", "LMK", "LOC", "FLR", "NAM", "PC", "BLD", "UNIT", "ROOM", "SEAT", "PLC", "PCN", "POBOX", "ADDCODE",
)  # fmt: skip
"""The order of elements in a civic address, which its schema demands (RFC 5139 section 4)."""

_PRESENCE = "urn:ietf:params:xml:ns:pidf"
_GEOPRIV = "urn:ietf:params:xml:ns:pidf:geopriv10"
_CIVIC = "urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr"
_POLICY = "urn:ietf:params:xml:ns:pidf:geopriv10:basicPolicy"
_DATA_MODEL = "urn:ietf:params:xml:ns:pidf:data-model"
_FLOOR = re.compile(r"(?i)(?:floor|fl\.?|level|etage)\s+(?P<before>\w{1,6})|(?P<after>\d{1,3})(?:st|nd|rd|th)\s+floor")
_UNIT = re.compile(r"(?i)(?:suite|ste\.?|unit|apt\.?|apartment|flat|office|#)\s*(?P<name>[\w-]{1,12})")
_AHEAD = re.compile(r"(?P<number>\d+)(?P<suffix>[A-Za-z]|-\d+|/\d+|\s(?:bis|ter))?,?\s+(?P<road>\S.*)")
_BEHIND = re.compile(r"(?P<road>\D.*?),?\s+(?P<number>\d+)(?P<suffix>\s?[A-Za-z]|-\d+|/\d+)?")
_NUMBER_AHEAD = frozenset("AU CA FR GB GG HK IE IM IN JE LU MC MY NZ PH SG US ZA".split())
"""Countries that write the house number before the road; the others write it behind."""

_UNWRITTEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def civic(address: CivicAddress) -> dict[str, str]:
    """An address by the elements of RFC 5139, in their order: `{"country": "US", "A1": "CA", "A3": ..., "RD": ...}`.

    The house number is told from the road where that is plain, by the country's way to write it (HNO is the number,
    HNS what stands behind it); else the whole line is the road. The second line is a floor or a unit where it says so,
    else further information (LOC).
    """
    line = address.address.strip()
    found = {"country": address.country.upper(), "A1": address.state, "A3": address.city, "PC": address.zip}
    match = (_AHEAD if found["country"] in _NUMBER_AHEAD else _BEHIND).fullmatch(line)
    found["RD"] = match["road"] if match else line
    if match:
        found["HNO"], found["HNS"] = match["number"], (match["suffix"] or "").strip()
    found |= _inside(address.address2.strip())
    clean = {name: " ".join(_clean(found.get(name, "")).split()) for name in ORDER}
    return {name: text for name, text in clean.items() if text}


def _inside(line: str) -> dict[str, str]:
    """A second line: where in the house."""
    if floor := _FLOOR.fullmatch(line):
        return {"FLR": floor["before"] or floor["after"]}
    if unit := _UNIT.fullmatch(line):
        return {"UNIT": unit["name"]}
    return {"LOC": line} if line else {}


def location(address: CivicAddress, entity: str, at: datetime) -> tuple[bytes, str]:
    """A document that says that `entity` (a URI) is at an address, and its media type; `at` is when that was known.

    The address was entered by its owner (method "Manual", RFC 4119 section 6.1), and may be passed on: a call for help
    goes through several hands.
    """
    entity = _clean(entity)
    parts = "".join(f"<ca:{name}>{escape(text)}</ca:{name}>" for name, text in civic(address).items())
    moment = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    document = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<presence xmlns="{_PRESENCE}" xmlns:gp="{_GEOPRIV}" xmlns:gbp="{_POLICY}" xmlns:ca="{_CIVIC}"'
        f' xmlns:dm="{_DATA_MODEL}" entity={quoteattr(entity)}>'
        '<dm:device id="telephone"><gp:geopriv>'
        f"<gp:location-info><ca:civicAddress>{parts}</ca:civicAddress></gp:location-info>"
        "<gp:usage-rules><gbp:retransmission-allowed>true</gbp:retransmission-allowed></gp:usage-rules>"
        "<gp:method>Manual</gp:method></gp:geopriv>"
        f"<dm:deviceID>{uuid5(NAMESPACE_URL, entity).urn}</dm:deviceID><dm:timestamp>{moment}</dm:timestamp>"
        "</dm:device></presence>"
    )
    return document.encode("ascii", "xmlcharrefreplace"), CONTENT_TYPE


def of_call(verb: Transfer) -> tuple[bytes, str]:
    """What goes along with an emergency call; nothing if no address is on record.

    Who hides their number is anonymous.
    """
    if verb.location is None:
        return b"", ""
    entity = f"tel:{verb.caller_id}" if verb.caller_id else "sip:anonymous@anonymous.invalid"
    return location(verb.location, entity, clock.now())


def _clean(text: str) -> str:
    """Without what no XML document may hold."""
    return _UNWRITTEN.sub("", text)
