"""What becomes of a REGISTER by RFC 3261 section 10.3, pure: from what is known and what is asked to what is kept.

All of it holds or none: a request of which one contact is refused changes nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from offhook.telephony.phones.model import Contact
from offhook.telephony.port import Register

LEAST_SECONDS, MOST_SECONDS = 60, 3600
"""How long a contact is kept at least and at most. Who asks for less is told so (423), who asks for more gets less."""

MOST_CONTACTS = 5
"""Of one telephone. A further one takes the place of the one that would end first."""

MOST_URI, MOST_CALL_ID, MOST_AGENT = 512, 256, 128
"""Characters that are kept of what a telephone says."""

MOST_SEQUENCE = 2**31 - 1
"""RFC 3261 section 8.1.1.5: less than 2**31."""

_BAD_REQUEST, _TOO_BRIEF, _OUT_OF_ORDER = 400, 423, 500
_OK = 200
_URI = re.compile(
    r"(?P<scheme>sips?):(?:(?P<user>[^@;?<>\"\s]*)@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<parameters>(?:;[^;?<>\"\s]+)*)(?:\?(?P<headers>[^<>\"\s]*))?",
    re.IGNORECASE | re.ASCII,
)
_MUST_AGREE = ("user", "ttl", "method", "maddr", "transport")
"""Parameters in which two URIs are the same only if both have them (RFC 3261 section 19.1.4)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer's code, and what the telephone is reached at from now on; unchanged where the code is no 200."""

    code: int
    contacts: tuple[Contact, ...]


def register(known: Sequence[Contact], asked: Register, now: int) -> Outcome:
    """What a telephone is reached at after `asked`, at `now` (milliseconds); `known` may hold some whose time is over.

    A request without contacts asks and changes nothing.
    """
    before = tuple(one for one in known if one.until > now)
    if not 0 <= asked.sequence <= MOST_SEQUENCE or not _is_call_id(asked.call_id):
        return Outcome(_BAD_REQUEST, before)
    if asked.everything:
        return _everything(before, asked)
    if len(asked.contacts) > MOST_CONTACTS:
        return Outcome(_BAD_REQUEST, before)
    kept = list(before)
    for uri, seconds in asked.contacts:
        if not is_usable(uri) or seconds < 0:
            return Outcome(_BAD_REQUEST, before)
        if 0 < seconds < LEAST_SECONDS:
            return Outcome(_TOO_BRIEF, before)
        old = next((one for one in kept if same_uri(one.uri, uri)), None)
        if old is not None:
            if old in before and not _is_newer(asked, old):
                return Outcome(_OUT_OF_ORDER, before)
            kept.remove(old)
        if seconds:
            kept.append(_contact(uri, min(seconds, MOST_SECONDS), asked, now, old))
    return Outcome(_OK, tuple(kept[-MOST_CONTACTS:]))


def _is_call_id(text: str) -> bool:
    return 0 < len(text) <= MOST_CALL_ID and text.isprintable()


def _everything(before: tuple[Contact, ...], asked: Register) -> Outcome:
    """`Contact: *`, which stands alone; the worker has seen that it expires at once."""
    if asked.contacts:
        return Outcome(_BAD_REQUEST, before)
    if not all(_is_newer(asked, one) for one in before):
        return Outcome(_OUT_OF_ORDER, before)
    return Outcome(_OK, ())


def _is_newer(asked: Register, known: Contact) -> bool:
    return asked.call_id != known.call_id or asked.sequence > known.sequence


def _contact(uri: str, seconds: int, asked: Register, now: int, old: Contact | None) -> Contact:
    host, port = asked.source
    return Contact(
        uri=uri, host=host, port=port, until=now + seconds * 1000, call_id=asked.call_id, sequence=asked.sequence,
        agent=cleaned(asked.agent), since=now if old is None else old.since,
    )  # fmt: skip


def cleaned(agent: str) -> str:
    """What a telephone says it is, as far as it can be shown."""
    return "".join(one for one in agent[:MOST_AGENT] if one.isprintable()).strip()


def is_usable(uri: str) -> bool:
    """Whether requests can be sent to a URI: sip or sips, in characters that stand in a request's first line."""
    found = _URI.fullmatch(uri) if len(uri) <= MOST_URI and uri.isascii() and uri.isprintable() else None
    return found is not None and (found["port"] is None or 0 < int(found["port"]) < 65536)


def same_uri(one: str, other: str) -> bool:
    """Whether two URIs name the same place by RFC 3261 section 19.1.4."""
    a, b = _URI.fullmatch(one), _URI.fullmatch(other)
    if a is None or b is None:
        return one == other
    if any((a[part] or "").lower() != (b[part] or "").lower() for part in ("scheme", "host")):
        return False
    if any(a[part] != b[part] for part in ("user", "headers")) or int(a["port"] or 0) != int(b["port"] or 0):
        return False
    ours, theirs = _parameters(a["parameters"]), _parameters(b["parameters"])
    return all(
        ours.get(name) == theirs.get(name)
        for name in ours.keys() | theirs.keys()
        if name in _MUST_AGREE or (name in ours and name in theirs)
    )


def _parameters(text: str) -> dict[str, str]:
    pairs = (one.partition("=") for one in text.lower().split(";") if one)
    return {name: value for name, _, value in pairs}
