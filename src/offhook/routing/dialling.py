"""What somebody dials: a number at home or abroad, as the telephone library reads it. Pure."""

from functools import lru_cache

import phonenumbers

from offhook.kit.fiction import is_fictional


@lru_cache(maxsize=4096)
def e164(dialled: str, country: str) -> str | None:
    """A number as dialled in `country`, in E.164; None if it can be none."""
    try:
        number = phonenumbers.parse(dialled, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


_HOME = {
    "US": frozenset({"US", "CA", "PR", "VI", "GU", "AS", "MP"}),
    "CA": frozenset({"CA", "US"}),
    "GB": frozenset({"GB", "GG", "JE", "IM"}),
}
"""Where calls from a country are at home besides: carriers there bill them as calls within the country."""


@lru_cache(maxsize=4096)
def is_home(number: str, country: str) -> bool:
    """Whether a number (E.164) is at home in `country`; a shared calling code is not enough: Jamaica has +1 too."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return False
    region = phonenumbers.region_code_for_number(parsed)
    if region is None and parsed.country_code is not None:
        # Reserved or unassigned digits of a code that only one country has are that country's.
        regions = phonenumbers.region_codes_for_country_code(parsed.country_code)
        region = regions[0] if len(regions) == 1 or is_fictional(number) else None
    return region is not None and region in _HOME.get(country, frozenset({country}))
