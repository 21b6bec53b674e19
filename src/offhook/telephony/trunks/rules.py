"""What a carrier must be, and which of a company's carriers a number is called by. Pure."""

import ipaddress
import re
from collections.abc import Callable, Iterable, Sequence

from offhook.kit.errors import Violation, shown
from offhook.kit.places import Allowed, is_public
from offhook.routing.dialling import is_home
from offhook.storage.documents import Kept
from offhook.telephony.trunks.model import ENABLED, PORT, Source, Trunk

MOST_ADDRESSES, MOST_PREFIXES, MOST_CALLS = 16, 300, 1000
MOST_HOSTS = 256
"""Addresses of one network; carriers name a few machines, and what is wider is others' too."""

MOST_SECRET = 200
_WHYS = 3
"""Of so many carriers it is said why they do not take a call."""

_PREFIX = re.compile(r"\+[1-9][0-9]{0,13}", re.ASCII)
_USERNAME = re.compile(r"[A-Za-z0-9._~!*'()+@-]{1,128}")
_NAME = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?"
)
_PLACE = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+(?:/[0-9]{1,3})?\]|[^:\[\]]+)(?::(?P<port>[0-9]{1,5}))?")
_ADDRESS = "Must be an address such as 203.0.113.7, 203.0.113.7:5060, 203.0.113.0/28 or [2001:db8::7]:5060"


def source(text: str) -> Source:
    """Where calls come from, out of its text; ValueError with what is wrong."""
    line = text.strip()
    if len(line) > 64:
        raise ValueError(_ADDRESS)
    host, port = _split(line)
    try:
        network = ipaddress.ip_network(host)
    except ValueError:
        try:
            wider = ipaddress.ip_network(host, strict=False)
        except ValueError:
            raise ValueError(_ADDRESS) from None
        raise ValueError(f"{_ADDRESS}; did you mean the network {wider}?") from None
    inner = network.network_address.ipv4_mapped if isinstance(network, ipaddress.IPv6Network) else None
    if inner is not None and network.prefixlen >= 96:
        network = ipaddress.ip_network(f"{inner}/{network.prefixlen - 96}")
    if network.num_addresses > MOST_HOSTS:
        raise ValueError(f"Must be a network of at most {MOST_HOSTS} addresses: name those that the carrier sends from")
    if network.network_address.is_unspecified or network.network_address.is_multicast:
        raise ValueError("Must be an address that somebody can send from")
    return Source(network, port)


def spoken_from(address: tuple[str, int]) -> Source:
    """Where a packet came from."""
    return Source(ipaddress.ip_network(address[0]), address[1])


def _split(line: str) -> tuple[str, int]:
    """The host and the port, 0 if none is named."""
    if line.count(":") > 1 and not line.startswith("["):
        return line, 0
    found = _PLACE.fullmatch(line)
    port = int(found["port"] or 0) if found is not None else 0
    if found is None or port > 65535 or (found["port"] is not None and not port):
        raise ValueError(_ADDRESS)
    return found["host"].strip("[]"), port


def check_addresses(texts: Sequence[str], found: list[Violation]) -> tuple[str, ...]:
    """Where calls come from, as it is kept, each once."""
    if len(texts) > MOST_ADDRESSES:
        found.append(Violation(location="addresses", message=f"Must be at most {MOST_ADDRESSES} addresses."))
    kept: dict[str, None] = {}
    for number, text in enumerate(texts[:MOST_ADDRESSES]):
        try:
            kept[str(source(text))] = None
        except ValueError as error:
            found.append(Violation(location=f"addresses[{number}]", message=f"{error}.", sent=shown(text)))
    return tuple(kept)


def check_proxy(text: str, allowed: Allowed, found: list[Violation], *, sandbox: bool = False) -> str:
    """Where calls go to, as host:port; "" for nowhere.

    A private address must be one that the installation allows; of a `sandbox`, whose calls are for trying things out
    and must reach nobody, least of all for help, every address.
    """
    line = text.strip()
    if not line:
        return ""
    try:
        host, port = _split(line) if len(line) <= 260 else ("", 0)
    except ValueError:
        host, port = "", 0
    address = as_address(host)
    port = port or PORT
    if address is None and (not _NAME.fullmatch(host) or len(host) > 253 or host.rpartition(".")[2].isdecimal()):
        message = "Must be a host with or without a port, such as sip.example.com or 203.0.113.7:5060."
        found.append(Violation(location="proxy", message=message, sent=shown(text)))
    elif isinstance(address, ipaddress.IPv6Address):
        message = "Must be a name or an IPv4 address: calls go out by IPv4 only."
        found.append(Violation(location="proxy", message=message, sent=shown(text)))
    elif sandbox and not _is_named(host, address, port, allowed):
        message = (
            "A sandbox calls nobody real: must be a place that egress_allow in the server's settings names, as "
            "OFFHOOK_EGRESS_ALLOW=127.0.0.1:5070."
        )
        found.append(Violation(location="proxy", message=message, sent=shown(text)))
    elif address is not None and not may_send(host, address, port, allowed):
        message = "Must be an address on the open internet, or one that egress_allow in the server's settings names."
        found.append(Violation(location="proxy", message=message, sent=shown(text)))
    return f"[{host}]:{port}" if ":" in host else f"{host.lower()}:{port}"


def _is_named(
    host: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address | None, port: int, allowed: Allowed
) -> bool:
    if address is None:
        return (host.lower(), port) in allowed.places
    return allowed.permits(host, address, port)


def as_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address written as one; None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def may_send(host: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int, allowed: Allowed) -> bool:
    """Whether calls may go to an address: a company must not reach what is private to the server by naming it."""
    return is_public(address) or allowed.permits(host, address, port)


def place(proxy: str) -> tuple[str, int]:
    """Host and port of a kept proxy."""
    host, _, port = proxy.rpartition(":")
    return host.strip("[]"), int(port)


def check_domain(text: str, found: list[Violation]) -> str:
    """What stands behind the @ of numbers that are called; "" for the proxy's host."""
    line = text.strip().lower()
    if line and as_address(line) is None and (not _NAME.fullmatch(line) or len(line) > 253):
        message = "Must be a host name or an address, such as sip.example.com."
        found.append(Violation(location="domain", message=message, sent=shown(text)))
    return line


def check_username(text: str, location: str, found: list[Violation]) -> str:
    """A name that digests are made with."""
    line = text.strip()
    if line and not _USERNAME.fullmatch(line):
        message = "Must be 1 to 128 letters, digits and signs of a SIP username."
        found.append(Violation(location=location, message=message, sent=shown(text)))
    return line


def check_password(text: str, location: str, found: list[Violation]) -> str:
    """A password, which is not repeated in what is said of it."""
    if len(text) > MOST_SECRET or not text.isprintable():
        message = f"Must have at most {MOST_SECRET} characters, none of them a control character."
        found.append(Violation(location=location, message=message))
    return text


def check_prefixes(texts: Sequence[str], found: list[Violation]) -> tuple[str, ...]:
    """What numbers begin with that may be called, in order; what is in another of them besides is left out."""
    if len(texts) > MOST_PREFIXES:
        found.append(Violation(location="prefixes", message=f"Must be at most {MOST_PREFIXES} prefixes."))
    kept: list[str] = []
    for number, text in enumerate(texts[:MOST_PREFIXES]):
        line = re.sub(r"[\s().-]", "", text[:64])
        if not _PREFIX.fullmatch(line):
            message = "Must be the beginning of numbers in E.164, such as +1 or +4420."
            found.append(Violation(location=f"prefixes[{number}]", message=message, sent=shown(text)))
        else:
            kept.append(line)
    # A prefix sorts right before what begins with it.
    ordered: list[str] = []
    for prefix in sorted(kept):
        if not ordered or not prefix.startswith(ordered[-1]):
            ordered.append(prefix)
    return tuple(ordered)


def check_whole(trunk: Trunk, secrets: Iterable[str], found: list[Violation]) -> None:
    """What fields mean for each other."""
    has = set(secrets)
    if (trunk.prefixes or trunk.emergency) and not trunk.proxy:
        where = "prefixes" if trunk.prefixes else "emergency"
        found.append(Violation(location=where, message="Calls go out to a proxy: name it.", about=("proxy",)))
    for name, password in (("username", "password"), ("inbound_username", "inbound_password")):
        if bool(getattr(trunk, name)) != (password in has):
            lacks, given = (password, name) if getattr(trunk, name) else (name, password)
            found.append(Violation(location=lacks, message=f"Goes with {given}.", about=(given,)))
    if trunk.inbound_username and not trunk.addresses:
        message = "Say where the carrier sends from: who else knows its password is not it."
        found.append(Violation(location="addresses", message=message, about=("inbound_username",)))


Load = Callable[[int], int]
"""How many calls go on by a trunk, by its id."""


def has_room(kept: Kept[Trunk], load: Load) -> bool:
    """Whether another call may go on by a carrier."""
    return load(kept.id) < kept.value.most_calls


def for_number(trunks: Sequence[Kept[Trunk]], number: str, load: Load) -> list[Kept[Trunk]]:
    """The carriers that a number (E.164) may be called by, the one whose prefix says most first, then the oldest."""
    fitting = [
        (-max(len(prefix) for prefix in kept.value.prefixes if number.startswith(prefix)), kept.id, kept)
        for kept in _outbound(trunks)
        if any(number.startswith(prefix) for prefix in kept.value.prefixes)
        and (kept.value.international or is_home(number, kept.value.country))
        and has_room(kept, load)
    ]
    return [kept for _, _, kept in sorted(fitting, key=lambda one: one[:2])]


def for_help(trunks: Sequence[Kept[Trunk]]) -> list[Kept[Trunk]]:
    """The carriers that an emergency call goes by: those that are for it, then those that carry other calls.

    No bound holds. One that may not carry it is better than none.
    """
    outbound = _outbound(trunks)
    return [kept for kept in outbound if kept.value.emergency] + [
        kept for kept in outbound if not kept.value.emergency and kept.value.prefixes
    ]


def why_none(trunks: Sequence[Kept[Trunk]], number: str, load: Load, *, emergency: bool = False) -> str:
    """Why a number, or help, is called by none of a company's carriers, as the end of a sentence."""
    if not trunks:
        return "the company has no trunk (offhook trunk add connects one)"
    if emergency:
        near = [kept for kept in trunks if kept.value.proxy and (kept.value.emergency or kept.value.prefixes)]
    else:
        near = [kept for kept in trunks if any(number.startswith(prefix) for prefix in kept.value.prefixes)]
    if not near:
        return f"no trunk takes {'calls for help' if emergency else number} (offhook trunk list shows them)"
    whys = [_why_not(kept, number, load, emergency=emergency) for kept in near[:_WHYS]]
    return "; ".join(whys) + (f"; and {len(near) - _WHYS} more" if len(near) > _WHYS else "")


def _why_not(kept: Kept[Trunk], number: str, load: Load, *, emergency: bool) -> str:
    """Why one does not, though by its prefixes it would."""
    trunk = kept.value
    if kept.state != ENABLED:
        return f"the trunk {trunk.name} that would take it is disabled"
    if not emergency and not (trunk.international or is_home(number, trunk.country)):
        return (
            f"it is abroad, seen from {trunk.country}, and the trunk {trunk.name} takes no calls abroad (international)"
        )
    if not emergency and not has_room(kept, load):
        return f"the trunk {trunk.name} has as many calls as it may ({trunk.most_calls})"
    return f"the proxy of the trunk {trunk.name} ({trunk.proxy}) is not found, or may not be called"


def _outbound(trunks: Sequence[Kept[Trunk]]) -> list[Kept[Trunk]]:
    return [kept for kept in trunks if kept.state == ENABLED and kept.value.proxy]
