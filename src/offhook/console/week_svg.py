"""A week of opening hours as a picture and as a table. Pure.

The picture is for the eye; the page has the same hours as a table.
"""

from collections.abc import Sequence

from markupsafe import Markup

from offhook.hours import picture
from offhook.hours.model import ALL_DAY, DAY_MINUTES, DAYS, Period
from offhook.hours.rules import format_period, parse_day

_LABEL = "Opening hours of the week, the same as in the table"


def drawn(week: Sequence[Sequence[str]], *, always: bool = False, now: tuple[int, int] | None = None) -> Markup:
    """The SVG of a week (Monday first, each day a list as the API has it); `always` opens it around the clock.

    `now` is (weekday, minute): a line in that day's row.
    """
    shut = picture.Stretch(0, DAY_MINUTES, "closed")
    days = [
        picture.Day(name[:3].capitalize(), [shut, *(picture.Stretch(start, end, "open") for start, end in stretches)])
        for name, stretches in zip(DAYS, rows(week, always=always), strict=True)
    ]
    size = f'width="100%" height="{picture.height(len(DAYS))}"'
    return Markup(  # noqa: S704 - the day's names and numbers are ours
        f'<svg class="week" role="img" aria-label="{_LABEL}" {size}>{picture.drawn(days, now=now)}</svg>'
    )


def rows(week: Sequence[Sequence[str]], *, always: bool = False) -> list[list[Period]]:
    """For each day the stretches of it that are open, within 0 to 1440; a night is cut at midnight."""
    found: list[list[Period]] = [[] for _ in DAYS]
    for index, entries in enumerate(week):
        periods = ALL_DAY if always else parse_day(entries, "")[0]
        for start, end in periods:
            found[index].append((start, min(end, DAY_MINUTES)))
            if end > DAY_MINUTES:
                found[(index + 1) % len(DAYS)].insert(0, (0, end - DAY_MINUTES))
    return found


def table(week: Sequence[Sequence[str]], *, always: bool = False) -> list[tuple[str, str]]:
    """(day, hours in words) of a week."""
    texts = [", ".join(map(format_period, ALL_DAY if always else parse_day(day, "")[0])) or "closed" for day in week]
    return [(name.capitalize(), text.replace("-", "–")) for name, text in zip(DAYS, texts, strict=True)]
