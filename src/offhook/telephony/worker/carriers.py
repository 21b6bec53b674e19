"""Which carriers send from an address: as quick with thousands of networks as with one. Pure."""

import ipaddress
from collections.abc import Iterable
from contextlib import suppress

from offhook.telephony.port import Address, Trunk


class Carriers:
    """Carriers by where they send from. What is no IPv4 network is left out: nobody sends to us from there."""

    def __init__(self, trunks: Iterable[Trunk] = ()) -> None:
        self._trunks = {trunk.id: trunk for trunk in trunks}
        self._networks: dict[int, dict[int, list[tuple[int, int]]]] = {}
        """By the mask of a network, and by its first address: ports (0 for any) and ids."""
        for trunk in self._trunks.values():
            for host, port in trunk.addresses:
                with suppress(ValueError):
                    network = ipaddress.IPv4Network(host)
                    of_mask = self._networks.setdefault(int(network.netmask), {})
                    of_mask.setdefault(int(network.network_address), []).append((port, trunk.id))

    def get(self, id: int) -> Trunk | None:
        """One of them, by its id."""
        return self._trunks.get(id)

    def at(self, source: Address) -> list[Trunk]:
        """Those that send from there, in the order in which they were told."""
        host, number = int(ipaddress.IPv4Address(source[0])), source[1]
        ids = {
            id
            for mask, networks in self._networks.items()
            for port, id in networks.get(host & mask, ())
            if port in (0, number)
        }
        return [trunk for id, trunk in self._trunks.items() if id in ids] if ids else []
