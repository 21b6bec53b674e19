"""Telephone numbers that regulators keep free for films and books: what a sandbox may use without ringing anybody.

Only ranges that a regulator has published. Nothing here may be sent to a carrier: whoever dials asks `is_fictional`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers `prefix` + a serial of `digits` digits, from `first` to `last`, both included; prefix starts with +."""

    prefix: str
    digits: int
    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1

    def number(self, serial: int) -> str:
        """The number in E.164: `Range("+1415555", 4, 100, 199).number(0) == "+14155550100"`."""
        return f"{self.prefix}{self.first + serial:0{self.digits}d}"


def _ranges(prefixes: str, digits: int, first: int = 0, last: int | None = None) -> tuple[Range, ...]:
    return tuple(Range(one, digits, first, 10**digits - 1 if last is None else last) for one in prefixes.split())


def _nanp(areas: str) -> tuple[Range, ...]:
    """555-0100 to 555-0199 in each of these area codes."""
    return tuple(Range(f"+1{area}555", 4, 100, 199) for area in areas.split())


RANGES: Mapping[str, tuple[Range, ...]] = MappingProxyType(
    {
        # North American Numbering Plan Administration: 555-0100 to 555-0199 in every geographic area code. The area
        # codes here are a choice; `is_fictional` knows all of them.
        "US": _nanp("415 212 312 206 305 617 702 512 303 404"),
        "CA": _nanp("416 514 604 403 613 902"),
        "PR": _nanp("787 939"),
        "DO": _nanp("809 829 849"),
        # Ofcom, numbers for drama: London, Leeds, UK-wide, freephone, no area, mobile.
        "GB": (
            *_ranges("+442079460 +441134960 +443069990 +448081570 +441632960", 3),
            *_ranges("+447700900", 3),
        ),
        # ACMA, numbers for use in creative works: four regions twice; mobile and freephone are single numbers.
        "AU": (
            *_ranges("+6125550 +6135550 +6175550 +6185550 +6127010 +6137010 +6177010 +6187010", 4),
            *_ranges("+61491570", 3, 156, 159),
            *_ranges("+61491570", 3, 110, 110),
        ),
        # Arcep, decision 2018-0881, annex 1, 2.5.12: roots for audiovisual works, five regions and mobile.
        "FR": _ranges("+3319900 +3326191 +3335301 +3346571 +3353649 +3363998", 4),
        # Bundesnetzagentur, notice 148/2021: Berlin, Frankfurt, Hamburg, Cologne, Munich.
        "DE": _ranges("+493023125 +496990009 +494066969 +492214710 +498999998", 3),
        # Post- och telestyrelsen (2020): mobile 070-174 06 05 to 99.
        "SE": _ranges("+467017406", 2, 5, 99),
        # ComReg: 020 91x xxxx.
        "IE": _ranges("+3532091", 5),
    }
)
"""Country code to its ranges, those that serve best as an office's number first."""

_PREMIUM = _ranges("+449098790", 3)  # Ofcom too; known, but never handed out.


def _by_prefix() -> dict[str, list[Range]]:
    found: dict[str, list[Range]] = {}
    for one in (*(one for ranges in RANGES.values() for one in ranges), *_PREMIUM):
        found.setdefault(one.prefix, []).append(one)
    return found


_KNOWN = _by_prefix()
_LENGTHS = tuple(sorted({len(prefix) for prefix in _KNOWN}))
# Area codes that are no area: toll-free, premium, personal, carriers' own, and N11. 555-01xx is free only in areas.
_NO_AREA = frozenset(
    "800 822 833 844 855 866 877 888 900 500 521 522 523 524 525 526 527 528 529 533 544 566 577 588 600 700 710 555 "
    "211 311 411 511 611 711 811 911".split()
)


def is_fictional(e164: str) -> bool:
    """Whether `e164` ("+" and digits only) lies in a range that a regulator keeps free for fiction."""
    if not (e164.startswith("+") and e164.isascii() and e164[1:].isdigit()):
        return False
    if e164.startswith("+1"):
        area = e164[2:5]
        return len(e164) == 12 and e164[5:10] == "55501" and area[0] > "1" and area[1] != "9" and area not in _NO_AREA
    for length in _LENGTHS:
        for one in _KNOWN.get(e164[:length], ()):
            serial = e164[length:]
            if len(serial) == one.digits and one.first <= int(serial) <= one.last:
                return True
    return False
