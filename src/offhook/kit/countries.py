"""Countries and currencies that an office can be in, and what a country alone already says: its name, its time zones.

The zones come from the tz database's own table (zone.tab), names from its iso3166.tab, both out of the tzdata package.
"""

import zoneinfo
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from types import MappingProxyType

COUNTRIES: frozenset[str] = frozenset(
    "AR AT AU BD BE BG BH BR CA CH CI CL CN CO CR CY CZ DE DK DO DP EC EE EG ES FI FR GB GH GR GT HK HR HU ID IE IL IN "
    "IS IT JP KE KH KR KZ LK LT LU LV MA MD MM MT MX MY NG NL NO NZ PA PE PH PK PL PR PT PY RO RU SA SE SG SI SK SV TH "
    "TR TW UA US UY VE VN ZA".split()
)
"""The 84 codes of the v2 API: ISO 3166 alpha-2 and DP, which is no country, has no addresses and no dialling plan."""

CURRENCIES: frozenset[str] = frozenset({"AUD", "CAD", "EUR", "GBP", "JPY", "NZD", "USD"})
"""ISO 4217 codes that an office can be billed in."""

_TABLE_LIMIT = 256 * 1024


def _table(name: str) -> Iterator[list[str]]:
    """Rows of a tab-separated table of the tz database; without the package, of the system's copy; else nothing."""
    places = [Path(root) / name for root in zoneinfo.TZPATH]
    for place in (resources.files("tzdata").joinpath("zoneinfo", name), *places):
        if place.is_file():
            with place.open("rb") as file:
                text = file.read(_TABLE_LIMIT).decode("utf-8", "replace")
            return (row.split("\t") for row in text.splitlines() if row and not row.startswith("#"))
    return iter(())


def _zones() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in _table("zone.tab"):
        if len(row) >= 3:
            found[row[0]] = (*found.get(row[0], ()), row[2])
    return MappingProxyType(found)


COUNTRY_ZONES: Mapping[str, tuple[str, ...]] = _zones()
"""Country code to the tz names of its zones, in the table's order; a country that the table lacks is absent."""

COUNTRY_NAMES: Mapping[str, str] = MappingProxyType({row[0]: row[1] for row in _table("iso3166.tab") if len(row) >= 2})
"""ISO 3166 alpha-2 code to the country's English name, for all of the world."""


def only_zone(country: str) -> str | None:
    """The tz name of a country that has exactly one row in zone.tab, else None.

    None therefore also where all rows keep the same clock today (DE has Busingen beside Berlin).
    """
    zones = COUNTRY_ZONES.get(country, ())
    return zones[0] if len(zones) == 1 else None
