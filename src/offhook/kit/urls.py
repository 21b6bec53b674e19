"""Web addresses that people send: http or https, a host, and nothing that hides where they lead.

Whether the address answers, and where the name of a host leads, is not known here.
"""

import ipaddress
import re
from typing import Literal
from urllib.parse import urlsplit

from offhook.kit.errors import Violation, shown

LENGTH = 2048
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
"""A last label that makes the whole host an IPv4 address in one of its unusual forms, as 127.1 or 0x7f000001."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_METADATA = frozenset(map(ipaddress.ip_address, ("100.100.100.200", "fd00:ec2::254", "fd20:ce::254")))
"""Where clouds tell a machine its own secrets, apart from the link-local addresses."""

Reach = Literal["anywhere", "inside", "never"]
"""How far an address leads: to the internet, as far as is known; to this machine or its network; to no service."""


def _host_fault(host: str) -> str:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return ""
    if not host.isascii():
        return "Must have its host in ASCII: write an international name in its xn-- form."
    labels = host.removesuffix(".").split(".")
    if len(host) > 253 or _NUMBER.fullmatch(labels[-1]) or not all(_LABEL.fullmatch(label) for label in labels):
        return "Must have a host name, such as https://example.com/path."
    return ""


def check_url(text: str, location: str) -> tuple[str | None, Violation | None]:
    """An http or https address without the spaces around it, or why it is none: `("https://example.com", None)`.

    A user name or password in it is refused, and not shown again.
    """
    url = text.strip(" ")
    message, secret = "", "@" in url
    if len(url) > LENGTH:
        message = f"Must have at most {LENGTH} characters, but has {len(url)}."
    elif not url.isprintable() or " " in url or "\\" in url:
        message = "Must be without spaces, backslashes and control characters."
    else:
        try:
            parts = urlsplit(url)
            host, _port = parts.hostname or "", parts.port
        except ValueError:
            message = "Must be a web address, such as https://example.com/path."
        else:
            if parts.scheme not in ("http", "https"):
                message = "Must begin with https:// or http://."
            elif "@" in parts.netloc:
                message = "Must be without a user name or password; leave out what stands before the @."
            else:
                secret, message = False, _host_fault(host)
    if message:
        return None, Violation(location=location, message=message, sent=None if secret else shown(url))
    return url, None


def reach(url: str) -> Reach:
    """How far an address that `check_url` took leads, by its host as it is written.

    Names lead `anywhere`, but for localhost. Of literal addresses, those that are unspecified, link-local, multicast or
    a cloud's metadata lead `never`, and all others outside the internet's own (RFC 6890) `inside`. An IPv4 address
    within an IPv6 one counts as itself.
    """
    host = urlsplit(url).hostname or ""
    try:
        address = _inner(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        return "inside" if host.removesuffix(".").rpartition(".")[2] == "localhost" else "anywhere"
    if address.is_unspecified or address.is_link_local or address.is_multicast or address in _METADATA:
        return "never"
    return "anywhere" if address.is_global else "inside"


def _inner(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IPv4 address that an IPv6 one stands for, if it is mapped, 6to4 or NAT64 (RFC 4291, 3056, 6052)."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
