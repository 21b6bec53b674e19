"""Weeks as a picture: a row a day, midnight to midnight, coloured by whether anybody can be reached. Pure.

The colours stand as attributes beside class names, so that a page may restyle them and a file looks right by itself;
each colour has a pattern of its own, and each stretch says in words what it shows.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from html import escape
from zoneinfo import ZoneInfo

from offhook.hours import picture
from offhook.routing.coverage import DAYS, Stretch, Week

_WIDTH, _HEAD, _FOOT, _LINE = 700, 42, 24, 22
_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_KINDS = {
    "reached": ("#2e7d4f", "somebody rings"),
    "by-key": ("#4f7fb5", "rings behind a key"),
    "nobody": ("#c98a1b", "open, nobody reachable"),
    "shut": ("#b9bec6", "closed"),
}


def svg(weeks: Sequence[Week]) -> str:
    """The picture of some weeks, one below the other."""
    block = _HEAD + picture.height(DAYS) + _FOOT
    height = block * len(weeks) + 2 * _LINE + 6
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        'role="img" font-family="system-ui, sans-serif" font-size="12" class="week coverage">',
        "<title>Who can be reached when</title>",
        _patterns(),
    ]
    parts += [_week(week, number * block) for number, week in enumerate(weeks)]
    parts += [_legend(block * len(weeks) + 6), "</svg>"]
    return "\n".join(parts) + "\n"


def kind_of(stretch: Stretch) -> str:
    """Which of the colours a stretch has."""
    if stretch.rings:
        return "reached"
    if stretch.reachable:
        return "by-key"
    return "nobody" if stretch.open else "shut"


def told(stretch: Stretch) -> str:
    """What a stretch shows, in words."""
    who = (
        f"{', '.join(stretch.rings[:5])}{' and others' if len(stretch.rings) > 5 else ''} ring" if stretch.rings else ""
    )
    keys = "; ".join(f"key {key}: {', '.join(names[:3])}" for key, _, names in stretch.keys if names)
    return "; ".join(part for part in (stretch.why, who or "nobody rings", keys, f"then {stretch.ends}") if part)


def _patterns() -> str:
    return (
        '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect width="6" height="6" fill="#c98a1b"/><rect width="2" height="6" fill="#8a5a00"/></pattern>'
        '<pattern id="dots" width="6" height="6" patternUnits="userSpaceOnUse">'
        '<rect width="6" height="6" fill="#4f7fb5"/><circle cx="3" cy="3" r="1.2" fill="#dfeaf6"/></pattern></defs>'
    )


def _fill(kind: str) -> str:
    return {"nobody": "url(#hatch)", "by-key": "url(#dots)"}.get(kind, _KINDS[kind][0])


def _week(week: Week, top: int) -> str:
    zone = ZoneInfo(week.timezone)
    when = f"week of {week.first.isoformat()} ({week.timezone})"
    parts = [
        f'<text class="name" x="0" y="{top + 16}" font-size="14" font-weight="600" fill="currentColor">'
        f"{escape(week.name)}</text>",
        f'<text x="0" y="{top + 34}" fill="currentColor">{escape(when)}</text>',
    ]
    days = [_day(week, week.first + timedelta(days=row), zone) for row in range(DAYS)]
    parts.append(picture.drawn(days, top=top + _HEAD))
    return "\n".join(parts)


def _day(week: Week, day: date, zone: ZoneInfo) -> picture.Day:
    begin, end = (_ms(datetime(on.year, on.month, on.day, tzinfo=zone)) for on in (day, day + timedelta(days=1)))
    shown = [
        _bar(one, max(one.start, begin), min(one.end, end), zone, end)
        for one in week.stretches
        if one.start < end and one.end > begin
    ]
    return picture.Day(f"{_NAMES[day.weekday()]} {day.day}", shown)


def _bar(stretch: Stretch, start: int, end: int, zone: ZoneInfo, midnight: int) -> picture.Stretch:
    kind = kind_of(stretch)
    words = f"{_clock(start, zone)} to {'24:00' if end == midnight else _clock(end, zone)}: {told(stretch)}"
    first, last = _minutes(start, zone), 1440.0 if end == midnight else _minutes(end, zone)
    return picture.Stretch(first, max(last, first + 2), kind, words, _fill(kind))


def _legend(top: int) -> str:
    parts = []
    for number, (kind, (_, words)) in enumerate(_KINDS.items()):
        x, y = number % 2 * 50, top + number // 2 * _LINE
        box = f'<rect class="{kind}" width="14" height="14" fill="{_fill(kind)}"/>'
        parts.append(f'<svg x="{x}%" y="{y}">{box}<text x="20" y="12" fill="currentColor">{words}</text></svg>')
    return "\n".join(parts)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _wall(at: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone)


def _minutes(at: int, zone: ZoneInfo) -> float:
    wall = _wall(at, zone)
    return wall.hour * 60 + wall.minute


def _clock(at: int, zone: ZoneInfo) -> str:
    return _wall(at, zone).strftime("%H:%M")
