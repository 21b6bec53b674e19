"""Where numbers come from when no pool has one: a carrier. Asked outside of every transaction, as it may be far away.

A number that was ordered and then cannot be used is given back. Should the process die between the two, the carrier's
list still has it, and importing that list brings it into the inventory.
"""

from collections.abc import Iterator
from typing import Protocol

from offhook.kit.fiction import RANGES, Range
from offhook.kit.phones import about
from offhook.numbers import store
from offhook.numbers.fiction import is_fictional, ranges_of
from offhook.storage.batches import Reader


class Carrier(Protocol):
    """Who sells numbers. `country` is upper-case, `area_code` None is any. A sandbox has one of its own."""

    def country(self, country: str) -> str:
        """The country whose numbers serve an office in `country`."""

    async def search(self, tenant_id: int, country: str, area_code: str | None) -> str | None:
        """A number that could be ordered, in E.164; None if there is none. Orders nothing."""

    async def order(self, tenant_id: int, country: str, area_code: str | None) -> str | None:
        """Order a number for a company; None if there is none."""

    async def release(self, tenant_id: int, number: str) -> None:
        """Give a number back."""


class StaticCarrier:
    """Numbers of one's own SIP trunks: there are those that were imported, and no others to order."""

    def country(self, country: str) -> str:
        return country

    async def search(self, tenant_id: int, country: str, area_code: str | None) -> str | None:
        return None

    async def order(self, tenant_id: int, country: str, area_code: str | None) -> str | None:
        return None

    async def release(self, tenant_id: int, number: str) -> None:
        """The trunk keeps it; importing it again brings it back."""


class SandboxCarrier:
    """Sells each sandbox the fictional numbers that it does not have yet, while the supply lasts.

    A number on order is not offered twice, so that orders that are under way at once get different ones.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._on_order: set[tuple[int, str]] = set()

    def country(self, country: str) -> str:
        return country if country in RANGES else "US"

    async def search(self, tenant_id: int, country: str, area_code: str | None) -> str | None:
        return await self._first(tenant_id, country, area_code, keep=False)

    async def order(self, tenant_id: int, country: str, area_code: str | None) -> str | None:
        return await self._first(tenant_id, country, area_code, keep=True)

    async def release(self, tenant_id: int, number: str) -> None:
        self._on_order.discard((tenant_id, number))

    async def _first(self, tenant_id: int, country: str, area_code: str | None, *, keep: bool) -> str | None:
        offered = self._offered(country, area_code)
        while part := [number for number, _ in zip(offered, range(_PART), strict=False)]:
            had = await self._reader.run(lambda tx, part=part: store.get_many(tx, tenant_id, part))  # type: ignore[misc]
            # What came into the inventory is on order no longer.
            self._on_order -= {(tenant_id, number) for number in had}
            for number in part:
                if number not in had and (tenant_id, number) not in self._on_order:
                    if keep:
                        self._on_order.add((tenant_id, number))
                    return number
        return None

    @staticmethod
    def _offered(country: str, area_code: str | None) -> Iterator[str]:
        ranges = [one for one in ranges_of(country) if _sold(one, country, area_code)]
        if not ranges and area_code is not None and f"{country}{area_code}".isalnum():
            # In North America every area has numbers for fiction, not only those that are listed.
            anywhere = Range(f"+1{area_code}555", 4, 100, 199)
            if is_fictional(anywhere.number(0)) and about(anywhere.number(0)).country == country:
                ranges = [anywhere]
        serial = 0
        while here := [one for one in ranges if serial < len(one)]:
            yield from (one.number(serial) for one in here)
            serial += 1


_PART = 100


def _sold(one: Range, country: str, area_code: str | None) -> bool:
    found = about(one.number(0))
    if area_code is None:
        return found.kind != "tollfree" and found.country == country
    return found.area_code == area_code and found.country == country
