"""Telephone numbers as people and machines write them, brought to E.164 or refused with what to write instead.

Validity is the phone library's verdict; numbers that a regulator keeps for fiction pass too, since that is what a
sandbox rings. Whether a number is free, or ours, is not known here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import phonenumbers
from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    NumberParseException,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
)
from phonenumbers.shortnumberinfo import is_emergency_number

from offhook.kit.countries import COUNTRIES
from offhook.kit.errors import Violation, shown
from offhook.kit.fiction import is_fictional

LENGTH = 32
"""Longer texts are refused unread: E.164 has 15 digits, the rest is room for spaces and brackets."""

_REGIONS = frozenset(phonenumbers.SUPPORTED_REGIONS)
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_EXTENSION = re.compile(r"(?i)(\d|\))\s*(x|ext|extn|extension|anexo|ramal|poste|;|,|#|~)")
_EXAMPLE = "+14155550100"
_NO_COUNTRY = "begins with a country calling code that does not exist"

Verdict = tuple[str | None, str]


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


@dataclass(frozen=True, slots=True)
class _Dialling:
    """A region's patterns: the prefix that parsing may strip, any number, and (lengths, pattern) of its line types."""

    prefix: re.Pattern[str] | None
    anything: re.Pattern[str]
    lines: tuple[tuple[frozenset[int], re.Pattern[str]], ...]


@lru_cache(maxsize=300)
def _dialling(region: str) -> _Dialling | None:
    metadata = PhoneMetadata.metadata_for_region(region, None)
    if metadata is None or metadata.general_desc is None or metadata.general_desc.national_number_pattern is None:
        return None
    prefix = metadata.national_prefix_for_parsing
    kinds = [
        (frozenset(kind.possible_length), re.compile(kind.national_number_pattern))
        for kind in (metadata.fixed_line, metadata.mobile)
        if kind is not None and kind.national_number_pattern is not None
    ]
    return _Dialling(
        prefix=re.compile(prefix) if prefix else None,
        anything=re.compile(metadata.general_desc.national_number_pattern),
        lines=tuple(kinds),
    )


def _in_use(text: str, region: str | None) -> bool:
    """Whether `text`, plain E.164, is a fixed or mobile number that the library would take and leave as it is.

    False only means that the library has to be asked. It parses, then tries ten kinds of line in turn (about 20 us);
    nearly all contacts are plain, and fixed or mobile.
    """
    for length in (2, 3, 4):
        regions = COUNTRY_CODE_TO_REGION_CODE.get(int(text[1:length]))
        if regions is not None:
            break
    else:
        return False
    main = _dialling(regions[0])
    national = text[length:]
    if main is None or (main.prefix is not None and main.prefix.match(national)):
        return False
    own = _dialling(region) if region in regions[1:] and region is not None else main
    return (
        own is not None
        and own.anything.fullmatch(national) is not None
        and any(len(national) in lengths and pattern.fullmatch(national) for lengths, pattern in own.lines)
    )


def _possible(number: PhoneNumber) -> str:
    """Why a number that is not valid is not, as a clause."""
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason == ValidationResult.TOO_SHORT:
        return "has too few digits"
    if reason == ValidationResult.TOO_LONG:
        return "has too many digits"
    if reason == ValidationResult.INVALID_COUNTRY_CODE:
        return _NO_COUNTRY
    return "is not in any range that is in use"


def _accepted(number: PhoneNumber) -> bool:
    if phonenumbers.is_valid_number(number):
        return True
    return is_fictional(_e164(number)) and phonenumbers.is_possible_number(number)


@lru_cache(maxsize=4096)
def _judge(text: str, region: str | None) -> Verdict:
    """`(e164, "")` or `(None, what is wrong)`; `text` is trimmed and at most LENGTH long."""
    form = "write it in E.164" + (f" or as dialled within {region}" if region else "") + f", e.g. {_EXAMPLE}"
    if _EXTENSION.search(text):
        return None, f"Must be a number without an extension; {form}."
    if any(character.isalpha() for character in text):
        return None, f"Must be digits, not letters; {form}."
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException as error:
        if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
            missing = not text.lstrip(" (").startswith(("+", "\N{FULLWIDTH PLUS SIGN}"))
            why = "has no country calling code" if missing and region is None else _NO_COUNTRY
            return None, f"The number {why}; {form}."
        return None, f"Must be a telephone number; {form}."
    if number.extension:
        return None, f"Must be a number without an extension; {form}."
    if not _accepted(number):
        return None, f"The number {_possible(number)}; check it, and {form}."
    return _e164(number), ""


def check_phone(text: str, country: str, location: str) -> tuple[str | None, Violation | None]:
    """A contact's number in E.164: `check_phone("020 7946 0123", "GB", ...)` gives `("+442079460123", None)`.

    `text` is E.164 or national in `country` (upper-case; one without a dialling plan, such as DP, allows E.164 only).
    Extensions, letters and more than 32 characters are refused.
    """
    if len(text) > LENGTH:
        message = f"Must have at most {LENGTH} characters; write it in E.164, e.g. {_EXAMPLE}."
        return None, Violation(location=location, message=message, sent=shown(text))
    line, region = text.strip(), country if country in _REGIONS else None
    if _E164.fullmatch(line) and _in_use(line, region):
        return line, None
    number, fault = _judge(line, region)
    if number is None:
        return None, Violation(location=location, message=fault, sent=shown(text))
    return number, None


@lru_cache(maxsize=4096)
def _judge_strict(text: str) -> Verdict:
    if _E164.fullmatch(text):
        number, fault = _judge(text, None)
        if number is None or number == text:
            return number, fault
        return None, f"Must be E.164 without a trunk prefix; did you mean {number}?"
    bare = re.sub(r"[\s().\-/]", "", text) if text.isascii() else ""
    guess = "+" + (bare[2:] if bare.startswith("00") else bare.lstrip("+"))
    meant = _judge(guess, None)[0] if _E164.fullmatch(guess) else None
    hint = f"did you mean {meant}?" if meant else f'write "+", country code and number without spaces, e.g. {_EXAMPLE}.'
    return None, f"Must be E.164; {hint}"


def check_e164(text: str, location: str) -> tuple[str | None, Violation | None]:
    """A main line: exactly "+" and 7 to 15 digits, valid or kept for fiction; a refusal says what was likely meant."""
    if len(text) > LENGTH:
        message = f'Must be E.164: "+" and at most 15 digits, e.g. {_EXAMPLE}.'
        return None, Violation(location=location, message=message, sent=shown(text))
    if _E164.fullmatch(text) and _in_use(text, None):
        return text, None
    number, fault = _judge_strict(text)
    if number is None:
        return None, Violation(location=location, message=fault, sent=shown(text))
    return number, None


Kind = Literal["free", "local", "mobile", "softbank", "tollfree"]
"""What v2 calls the kinds of numbers. `free` and `softbank` cannot be told from the digits."""


@dataclass(frozen=True, slots=True)
class About:
    """What the digits of a number say. `country` is upper-case; "001" for numbers of no country, such as +800."""

    kind: Kind
    country: str
    area_code: str


def about(e164: str) -> About:
    """Kind, country and area code of an accepted number: `about("+14155550100")` is local, US, 415.

    The area code is the geographic one, else the national destination code: 800 of +18005551234, "" if there is none.
    """
    number = phonenumbers.parse(e164)
    region = phonenumbers.region_code_for_number(number)
    if region is None and number.country_code is not None:  # kept for fiction, and in no range that is in use
        region = phonenumbers.region_code_for_country_code(number.country_code)
    length = phonenumbers.length_of_geographical_area_code(number)
    if not length and region != "001":
        length = phonenumbers.length_of_national_destination_code(number)
    national = phonenumbers.national_significant_number(number)
    found = phonenumbers.number_type(number)
    assert region is not None
    kind: Kind = "local"
    if found == PhoneNumberType.TOLL_FREE:
        kind = "tollfree"
    elif found == PhoneNumberType.MOBILE or (
        found == PhoneNumberType.UNKNOWN and national[:1] in _mobile_beginnings(region)
    ):
        kind = "mobile"
    return About(kind, region, national[:length])


_POSSIBLE: Mapping[int, frozenset[Kind]] = {
    PhoneNumberType.FIXED_LINE: frozenset({"local", "free", "softbank"}),
    PhoneNumberType.MOBILE: frozenset({"mobile", "free", "softbank"}),
    PhoneNumberType.FIXED_LINE_OR_MOBILE: frozenset({"local", "mobile", "free", "softbank"}),
    PhoneNumberType.TOLL_FREE: frozenset({"tollfree"}),
}
"""What a number of each type of the library's can be. Of the other types (VoIP, shared cost...) nothing is sure."""


def kind_fault(e164: str, kind: Kind) -> tuple[str, bool]:
    """Why an accepted number is hardly of a kind, as a clause, and whether that is sure; ("", False) if it may be.

    `kind_fault("+18005550100", "local")` gives `("it is a toll-free number", True)`.
    """
    possible = _POSSIBLE.get(phonenumbers.number_type(phonenumbers.parse(e164)))
    guess = about(e164).kind
    if possible is not None:
        return ("", False) if kind in possible else (f"it is a {_WORDS[guess]} number", True)
    if kind in (guess, "free", "softbank"):
        return "", False
    return f"it looks like a {_WORDS[guess]} number", False


_WORDS: Mapping[Kind, str] = {"local": "local", "mobile": "mobile", "tollfree": "toll-free"}


@lru_cache(maxsize=300)
def _mobile_beginnings(region: str) -> str:
    """The first digit of the region's mobile numbers, if no fixed number begins with it."""
    mobile, fixed = (
        phonenumbers.example_number_for_type(region, kind)
        for kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE)
    )
    if mobile is None or fixed is None:
        return ""
    first, other = (phonenumbers.national_significant_number(one)[:1] for one in (mobile, fixed))
    return first if first != other else ""


_LINE_TESTS: Mapping[str, frozenset[str]] = {"US": frozenset({"933"}), "CA": frozenset({"933"})}
"""Numbers that say back the address which an emergency call would send: dialled as emergency numbers are."""

_LONGEST_EMERGENCY = 6


def is_line_test(digits: str, country: str) -> bool:
    """Whether `digits` only say back the address that an emergency call from `country` would give."""
    return digits in _LINE_TESTS.get(country, ())


@lru_cache(maxsize=4096)
def is_emergency(digits: str, country: str) -> bool:
    """Whether `digits`, as dialled in `country` (upper-case code), call for help, or try out that they would."""
    if not digits.isascii() or not digits.isdecimal() or len(digits) > _LONGEST_EMERGENCY:
        return False
    return is_line_test(digits, country) or bool(is_emergency_number(digits, country))


@lru_cache(maxsize=2048)
def emergency_in(digits: str) -> tuple[str, ...]:
    """The countries of the API in which digits are an emergency number: `emergency_in("000")` is `("AU",)`.

    The library's verdict, and what tests a line's emergency address. Reads the short numbers of all countries at its
    first use, which takes about 30 ms.
    """
    return tuple(country for country in sorted(COUNTRIES) if is_emergency(digits, country))


def has_plan(country: str) -> bool:
    """Whether a country, upper-case, has a dialling plan; DP has none."""
    return country in _REGIONS


def national(e164: str) -> str:
    """A number as its own country writes it: `(415) 555-0100`."""
    return phonenumbers.format_number(phonenumbers.parse(e164), PhoneNumberFormat.NATIONAL)


def warm(countries: tuple[str, ...] = ("US",)) -> None:
    """Load what the library loads at first use (about 3 ms, and 0.1 ms a country), before a caller waits for it."""
    for country in countries:
        number = phonenumbers.example_number(country) if country in _REGIONS else None
        if number is not None:
            phonenumbers.is_valid_number(phonenumbers.parse(_e164(number), country))
            _in_use(_e164(number), country)
