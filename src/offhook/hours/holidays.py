"""Public holidays by country and region, from the `holidays` library, as special days an office may keep.

The library is a table with gaps: a year without an entry is said, never taken for a year without holidays. It is
imported when first asked, since that takes a third of a second.
"""

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from offhook.hours.model import SpecialDay
from offhook.kit.errors import Invalid, Notice, Violation, sentence, shown

if TYPE_CHECKING:
    from holidays import HolidayBase

MAX_YEARS = 10
FIRST_YEAR, LAST_YEAR = 1970, 2100

PSEUDO_COUNTRY = "DP"
"""In the API's list of countries, but no country: it has no law and so no holidays."""


@dataclass(frozen=True, slots=True)
class HolidayImport:
    """The holidays found, by date, all of them closed all day, and what the caller should know about them."""

    days: tuple[SpecialDay, ...]
    notices: tuple[Notice, ...]


def import_holidays(
    country: str, region: str | None, years: Sequence[int], language: str | None = None
) -> HolidayImport:
    """The public holidays of `country` (ISO 3166 alpha-2, any case) and `region` in `years` (1 to 10 of 1970..2100).

    `region` is the library's code or name of a part of the country ("CA", "US-CA", "Lisboa"); None leaves only what
    holds everywhere. `language` is a tag such as "en_US" or "pt"; None takes the country's own, so that names never
    depend on the machine's locale. Raises Invalid naming what is allowed.

    Notices: `holidays.no_data` for a year without any entry, `holidays.estimated` for dates that await the moon or a
    decree, `holidays.language` if the names are in another language than asked.
    """
    kind, violations = _country(country)
    wanted, year_faults = _years(years)
    violations += year_faults
    part: str | None = None
    if kind is not None and region is not None:
        part = _region(kind, region)
        if part is None:
            violations.append(_unknown_region(kind, region))
    if kind is None or violations:
        raise Invalid.of(violations)

    tongue = _language(kind, language)
    calendar = kind(subdiv=part, years=wanted, language=tongue, **_options(kind))
    place = f"{calendar.country}-{part}" if part else str(calendar.country)
    found = sorted((date, name) for date, name in calendar.items() if date.year in wanted)
    days = tuple(SpecialDay(date, "holiday", name, source=f"holidays:{place}") for date, name in found)

    notices = []
    marks = _estimate_marks(calendar)
    for year in wanted:
        of_year = [day for day in days if day.date.year == year]
        if not of_year:
            text = f"{place} {year}: no data, which is not the same as no holidays; enter them by hand"
            notices.append(Notice("holidays.no_data", "years", text))
        unsure = [day for day in of_year if any(mark in day.name for mark in marks)]
        if unsure:
            which = ", ".join(str(day.date) for day in unsure)
            text = f"{place} {year}: {len(unsure)} dates are estimated and may move by a day or two: {which}"
            notices.append(Notice("holidays.estimated", "years", text))
    if language is not None and not _same_tongue(language, tongue or "en"):
        known = ", ".join(kind.supported_languages) or "none to choose from"
        text = f"no names of {place} in {shown(language)}, those of its own are used; known: {known}"
        notices.append(Notice("holidays.language", "language", text))
    return HolidayImport(days, tuple(notices))


def regions(country: str) -> tuple[str, ...]:
    """The region codes that `import_holidays` knows for `country`; raises Invalid as it does."""
    kind, violations = _country(country)
    if kind is None:
        raise Invalid.of(violations)
    return tuple(kind.subdivisions)


def _country(country: str) -> tuple["type[HolidayBase] | None", list[Violation]]:
    import holidays
    from holidays.registry import EntityLoader

    code = country.upper()
    if code == PSEUDO_COUNTRY:
        message = "DP is no country and has no public holidays; name the country that counts, or enter days by hand"
        return None, [Violation(location="country", message=sentence(message), sent=shown(country))]
    if len(code) != 2 or code not in EntityLoader.get_country_codes(include_aliases=False):
        message = "no holidays are known for it; send an ISO 3166 code of two letters such as US, or enter days by hand"
        return None, [Violation(location="country", message=sentence(message), sent=shown(country))]
    return type(getattr(holidays, code)()), []


def _years(years: Sequence[int]) -> tuple[list[int], list[Violation]]:
    if not 1 <= len(years) <= MAX_YEARS:
        message = f"names {len(years)} years; send 1 to {MAX_YEARS} of them"
        return [], [Violation(location="years", message=sentence(message))]
    faults = [
        Violation(location=f"years[{index}]", message=f"Must be {FIRST_YEAR} to {LAST_YEAR}.", sent=shown(year))
        for index, year in enumerate(years)
        if not FIRST_YEAR <= year <= LAST_YEAR
    ]
    return sorted(set(years)), faults


def _region(kind: "type[HolidayBase]", region: str) -> str | None:
    """The library's code for `region`: a code or a name, in any case, with or without the country in front."""
    names = {alias.casefold(): code for alias, code in kind.subdivisions_aliases.items()}
    names |= {code.casefold(): code for code in kind.subdivisions}
    plain = region.strip().casefold()
    prefix = f"{getattr(kind, 'country', '')}-".casefold()
    return names.get(plain) or names.get(plain.removeprefix(prefix))


def _unknown_region(kind: "type[HolidayBase]", region: str) -> Violation:
    place = getattr(kind, "country", "the country")
    known = ", ".join(kind.subdivisions)
    allowed = f"send one of {known}" if known else f"{place} has one calendar for all; leave it out"
    message = f"not a part of {place} with holidays of its own; {allowed}"
    return Violation(location="region", message=sentence(message), sent=shown(region))


def _language(kind: "type[HolidayBase]", language: str | None) -> str | None:
    if language is not None:
        tag = language.replace("-", "_").casefold()
        for known in kind.supported_languages:
            if known.casefold() == tag:
                return known
        for known in sorted(kind.supported_languages, key=lambda name: (name != "en_US", name)):
            if _same_tongue(tag, known):
                return known
    return kind.default_language


def _same_tongue(one: str, other: str) -> bool:
    return one.casefold().replace("-", "_").split("_")[0] == other.casefold().split("_")[0]


def _options(kind: "type[HolidayBase]") -> dict[str, Any]:
    """Three countries leave the mark off estimated dates unless asked to put it on."""
    parameters: Iterable[str] = inspect.signature(kind.__init__).parameters
    return {name: True for name in parameters if name.endswith("_show_estimated")}


def _estimate_marks(calendar: "HolidayBase") -> set[str]:
    """What the names of estimated dates carry in the calendar's language: "(estimated)", "(estimé)"."""
    labels = ("estimated_label", "observed_estimated_label")
    texts = [calendar.tr(label) for name in labels if (label := getattr(calendar, name, None))]
    return {text.replace("%s", "").strip() for text in texts} | {"(estimated)"}
