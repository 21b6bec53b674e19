"""A week of opening hours as a picture: a row a day, from midnight to midnight. Pure.

The picture is for the eye; the page has the same hours as a table. Colours are the style sheet's, by class. Places
across are percentages, so that the picture takes any width while its words keep their size.
"""

from collections.abc import Sequence

from markupsafe import Markup

from offhook.hours.model import ALL_DAY, DAY_MINUTES, DAYS, Period
from offhook.hours.rules import format_period, parse_day

TOP, ROW, BAR = 22, 24, 16
_GUTTER = 11.0
_HEIGHT = TOP + ROW * len(DAYS) + 2


def drawn(week: Sequence[Sequence[str]], *, always: bool = False, now: tuple[int, int] | None = None) -> Markup:
    """The SVG of a week (Monday first, each day a list as the API has it); `always` opens it around the clock.

    `now` is (weekday, minute): a line in that day's row.
    """
    parts = [Markup('<text class="axis" x="{}%" y="12">{}</text>').format(_across(0), "00")]
    for hour in range(6, 25, 6):
        anchor = "end" if hour == 24 else "middle"
        parts.append(
            Markup('<text class="axis" x="{}%" y="12" text-anchor="{}">{:02}</text>').format(
                _across(hour * 60), anchor, hour
            )
        )
    shown = rows(week, always=always)
    for index, (name, stretches) in enumerate(zip(DAYS, shown, strict=True)):
        top = TOP + index * ROW
        parts.append(Markup('<text class="day" x="0" y="{}">{}</text>').format(top + 13, name[:3].capitalize()))
        parts.append(
            Markup('<rect class="closed" x="{}%" y="{}" width="{}%" height="{}" rx="3"/>').format(
                _across(0), top, _wide(DAY_MINUTES), BAR
            )
        )
        for start, end in stretches:
            parts.append(
                Markup('<rect class="open" x="{}%" y="{}" width="{}%" height="{}" rx="3"/>').format(
                    _across(start), top, _wide(end - start), BAR
                )
            )
    rule = Markup('<line class="hour" x1="{0}%" x2="{0}%" y1="{1}" y2="{2}"/>')
    parts += [rule.format(_across(hour * 60), TOP, _HEIGHT - 10) for hour in (6, 12, 18)]
    if now is not None:
        top = TOP + now[0] * ROW
        parts.append(
            Markup('<line class="now" x1="{0}%" x2="{0}%" y1="{1}" y2="{2}"/>').format(
                _across(now[1]), top - 3, top + BAR + 3
            )
        )
    label = "Opening hours of the week, the same as in the table"
    return Markup('<svg class="week" role="img" aria-label="{}" width="100%" height="{}">{}</svg>').format(
        label, _HEIGHT, Markup("").join(parts)
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


def _across(minute: int) -> str:
    return f"{_GUTTER + (100 - _GUTTER) * minute / DAY_MINUTES:.2f}"


def _wide(minutes: int) -> str:
    return f"{(100 - _GUTTER) * minutes / DAY_MINUTES:.2f}"
