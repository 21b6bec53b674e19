"""A carrier as it is kept. Its passwords are sealed by the vault."""

import ipaddress
from dataclasses import dataclass

import msgspec

PORT = 5060
"""Of SIP where none is named (RFC 3261 section 19.1.2)."""

ENABLED, DISABLED = "active", "disabled"


class Trunk(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A carrier. Calls come in from `addresses`, as `Source` writes them, and with `inbound_username` only proven.

    Calls go out to `proxy` (host:port), to numbers that begin with one of `prefixes` ("+1", "+4420"), and abroad, as
    seen from `country` (upper-case), only if `international`; emergency calls too where `emergency`. `sealed` holds
    `password` and `inbound_password`, as far as there are any. `most_calls` go on by it at once, in or out.
    """

    name: str
    country: str
    addresses: tuple[str, ...] = ()
    inbound_username: str = ""
    proxy: str = ""
    domain: str = ""
    username: str = ""
    sealed: str = ""
    prefixes: tuple[str, ...] = ()
    international: bool = False
    emergency: bool = False
    most_calls: int = 10


@dataclass(frozen=True, slots=True)
class Source:
    """Where calls come from: a network, of one address or a few, and a port, 0 for any."""

    network: ipaddress.IPv4Network | ipaddress.IPv6Network
    port: int = 0

    def __str__(self) -> str:
        if not self.port:
            return self.host
        return f"[{self.host}]:{self.port}" if self.network.version == 6 else f"{self.host}:{self.port}"

    @property
    def host(self) -> str:
        """Its address, or the network with how many of its bits count."""
        return str(self.network.network_address if self.network.num_addresses == 1 else self.network)

    @property
    def bounds(self) -> tuple[str, str]:
        """Its first and last address as texts of equal length that sort as addresses do, and by version."""
        first, last = (int(self.network[at]) for at in (0, -1))
        return f"{self.network.version}{first:032x}", f"{self.network.version}{last:032x}"
