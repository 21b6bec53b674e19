"""What somebody dials: an emergency number, an own extension, a number at home or abroad. Pure.

Which numbers are emergency numbers is the telephone library's knowledge of each country; 933, with which addresses are
tried out in the United States and Canada, is the networks' own.
"""

from functools import lru_cache

import phonenumbers
from phonenumbers import shortnumberinfo

_TEST = {"US": frozenset({"933"}), "CA": frozenset({"933"})}
_LONGEST = 6


@lru_cache(maxsize=4096)
def is_emergency(digits: str, country: str) -> bool:
    """Whether `digits`, as dialled in `country` (upper-case code), call for help, or try out that they would."""
    if not digits.isascii() or not digits.isdecimal() or len(digits) > _LONGEST:
        return False
    return is_trial(digits, country) or bool(shortnumberinfo.is_emergency_number(digits, country))


def is_trial(digits: str, country: str) -> bool:
    """Whether `digits` only read back the address that an emergency call would give."""
    return digits in _TEST.get(country, ())


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


@lru_cache(maxsize=4096)
def is_home(number: str, country: str) -> bool:
    """Whether a number (E.164) has the calling code of `country`: the United States and Canada are one home."""
    code = phonenumbers.country_code_for_region(country)
    return bool(code) and number.startswith(f"+{code}")
