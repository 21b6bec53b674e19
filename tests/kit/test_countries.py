from zoneinfo import ZoneInfo

import pytest

from offhook.kit.countries import COUNTRIES, COUNTRY_NAMES, COUNTRY_ZONES, CURRENCIES, only_zone
from offhook.kit.zones import zone


def test_there_are_84_countries_and_7_currencies():
    assert len(COUNTRIES) == 84
    assert "DP" in COUNTRIES
    assert {"AUD", "CAD", "EUR", "GBP", "JPY", "NZD", "USD"} == CURRENCIES


def test_every_country_but_dp_has_a_name_and_known_zones():
    for country in COUNTRIES - {"DP"}:
        assert COUNTRY_NAMES[country]
        assert COUNTRY_ZONES[country]
        assert all(zone(name) == ZoneInfo(name) for name in COUNTRY_ZONES[country])


@pytest.mark.parametrize(
    ("country", "name"),
    [
        ("JP", "Asia/Tokyo"),
        ("FR", "Europe/Paris"),
        ("PR", "America/Puerto_Rico"),
        ("IN", "Asia/Kolkata"),
        ("US", None),
        ("PT", None),
        ("DE", None),
        ("DP", None),
        ("XX", None),
        ("", None),
    ],
)
def test_a_country_with_one_zone_says_which(country, name):
    assert only_zone(country) == name
