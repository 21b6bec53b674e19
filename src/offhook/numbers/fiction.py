"""Numbers for a sandbox: made up, yet well-formed, and never anybody's.

They come from the ranges of kit/fiction.py, always the same ones in the same order, so that examples and tests can
name them. Example numbers of a phone library would not do: those may be real people's.
"""

from itertools import count as serials
from itertools import islice

from offhook.kit.fiction import RANGES, Range, is_fictional

__all__ = ["fictional_numbers", "is_fictional", "ranges_of", "supply"]


def ranges_of(country: str) -> tuple[Range, ...]:
    """The country's own ranges; where no regulator has published any, those of the US."""
    return RANGES.get(country.upper(), RANGES["US"])


def supply(country: str) -> int:
    """How many distinct numbers `fictional_numbers` can give for a country (US: 1000)."""
    return sum(len(one) for one in ranges_of(country))


def fictional_numbers(country: str, count: int) -> list[str]:
    """The first `count` fictional numbers of a country in E.164, distinct, always the same.

    They go round the country's ranges, so that ten US numbers have ten area codes: +14155550100, +12125550100, ...
    ValueError if `count` is negative or more than `supply(country)`.
    """
    if not 0 <= count <= supply(country):
        raise ValueError(f"{country} has {supply(country)} fictional numbers, not {count}")
    ranges = ranges_of(country)
    rounds = (one.number(serial) for serial in serials() for one in ranges if serial < len(one))
    return list(islice(rounds, count))
