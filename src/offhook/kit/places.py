"""Which addresses calls out may go to: those of the open internet, and what an installation allows besides."""

import ipaddress
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_LOCAL_NAT64 = ipaddress.ip_network("64:ff9b:1::/48")
_PROTOCOLS = ipaddress.ip_network("192.0.0.0/24")
"""For protocols, not for services (RFC 6890); one cloud tells its machines their secrets there."""

_NOWHERE = (
    ipaddress.ip_network("fec0::/10"),
    ipaddress.ip_network("3fff::/20"),
    ipaddress.ip_network("192.88.99.0/24"),
)
"""Site-local addresses of before, those of documentation, and relays of before, which Python takes for global ones."""

_WIRE_SERVER = ipaddress.ip_address("168.63.129.16")
"""Where another one does; it stands among addresses of the internet."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Private places that may be called all the same: networks, and single ones as (host or address, port)."""

    networks: tuple[Network, ...] = ()
    places: frozenset[tuple[str, int]] = frozenset()

    @classmethod
    def read(cls, text: str) -> "Allowed":
        """From the setting: `10.1.0.0/16, 127.0.0.1:9000, hooks.internal:443`; ValueError naming what is neither."""
        networks: list[Network] = []
        places: set[tuple[str, int]] = set()
        for entry in filter(None, (part.strip() for part in text.split(","))):
            host, colon, port = entry.rpartition(":")
            if "/" in entry:
                networks.append(ipaddress.ip_network(entry))
            elif colon and port.isdecimal() and 0 < int(port) < 65536 and host:
                places.add((host.strip("[]").lower(), int(port)))
            else:
                raise ValueError(f"{entry} is neither a network (10.0.0.0/8) nor a host with its port (host:443)")
        return cls(tuple(networks), frozenset(places))

    def plus(self, *places: tuple[str, int]) -> "Allowed":
        """The same, with more places."""
        return Allowed(self.networks, self.places | {(host.strip("[]").lower(), port) for host, port in places})

    def permits(self, host: str, address: Address, port: int) -> bool:
        """Whether this private address may be called, by its network, its own text or the name it was asked by."""
        named = {(host.lower(), port), (str(address), port)}
        return bool(named & self.places) or any(
            address in network for network in self.networks if network.version == address.version
        )


def is_public(address: Address) -> bool:
    """Whether an address is one of the open internet, also where it is written inside another."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None or address in _LOCAL_NAT64:
            return False
    if address == _WIRE_SERVER or address in _PROTOCOLS or any(address in network for network in _NOWHERE):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)
