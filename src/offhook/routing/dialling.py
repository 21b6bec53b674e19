"""What somebody dials: a number at home or abroad, as the telephone library reads it. Pure."""

from functools import lru_cache

import phonenumbers


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
