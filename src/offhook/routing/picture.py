"""Weeks as a picture: a row a day, midnight to midnight, coloured by whether anybody can be reached. Pure.

The colours stand as attributes beside class names, so that a page may restyle them and a file looks right by itself;
each colour has a pattern of its own, and each stretch says in words what it shows.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from zoneinfo import ZoneInfo

from offhook.routing.coverage import Stretch, Week

_LEFT, _TOP, _HOUR, _ROW, _GAP = 64, 40, 26, 22, 4
_WIDTH = _LEFT + 24 * _HOUR + 12
_DAY_MS = 86_400_000
_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_KINDS = {
    "reached": ("#2e7d4f", "somebody rings"),
    "by-key": ("#4f7fb5", "somebody rings behind a key"),
    "nobody": ("#c98a1b", "open, and nobody can be reached"),
    "shut": ("#b9bec6", "closed"),
}


def svg(weeks: Sequence[Week]) -> str:
    """The picture of some weeks, one below the other."""
    block = _TOP + 7 * (_ROW + _GAP) + 20
    height = block * max(len(weeks), 1) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        'role="img" font-family="system-ui, sans-serif" font-size="12" class="coverage">',
        "<title>Who can be reached when</title>",
        _patterns(),
    ]
    for number, week in enumerate(weeks):
        parts.append(_week(week, number * block))
    parts += [_legend(block * max(len(weeks), 1) + 6), "</svg>"]
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
    title = f"{week.name}, week of {week.first.isoformat()} ({week.timezone})"
    parts = [f'<text x="4" y="{top + 16}" font-weight="600" fill="currentColor">{escape(title)}</text>']
    for hour in range(0, 25, 3):
        x = _LEFT + hour * _HOUR
        parts.append(
            f'<text x="{x}" y="{top + 34}" text-anchor="middle" fill="currentColor" opacity="0.7">{hour:02}</text>'
        )
    for row in range(7):
        y = top + _TOP + row * (_ROW + _GAP)
        day = week.first + timedelta(days=row)
        label = f"{_NAMES[day.weekday()]} {day.day}"
        parts.append(f'<text x="4" y="{y + 15}" fill="currentColor">{label}</text>')
        begin = datetime(day.year, day.month, day.day, tzinfo=zone)
        following = day + timedelta(days=1)
        end = datetime(following.year, following.month, following.day, tzinfo=zone)
        parts += [
            _bar(one, y, max(one.start, _ms(begin)), min(one.end, _ms(end)), zone, _ms(end))
            for one in week.stretches
            if one.start < _ms(end) and one.end > _ms(begin)
        ]
    return "\n".join(parts)


def _bar(stretch: Stretch, y: int, start: int, end: int, zone: ZoneInfo, midnight: int) -> str:
    left, right = _hours(start, zone), 24.0 if end == midnight else _hours(end, zone)
    kind = kind_of(stretch)
    x, width = _LEFT + left * _HOUR, max((right - left) * _HOUR, 1)
    words = f"{_clock(start, zone)} to {'24:00' if end == midnight else _clock(end, zone)}: {told(stretch)}"
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_ROW}" fill="{_fill(kind)}">'
        f"<title>{escape(words)}</title></rect>"
    )


def _legend(top: int) -> str:
    parts, x = [], _LEFT
    for kind, (_, words) in _KINDS.items():
        parts.append(f'<rect class="{kind}" x="{x}" y="{top}" width="14" height="14" fill="{_fill(kind)}"/>')
        parts.append(f'<text x="{x + 20}" y="{top + 12}" fill="currentColor">{words}</text>')
        x += 28 + int(6.3 * len(words))
    return "\n".join(parts)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _wall(at: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone)


def _hours(at: int, zone: ZoneInfo) -> float:
    wall = _wall(at, zone)
    return wall.hour + wall.minute / 60


def _clock(at: int, zone: ZoneInfo) -> str:
    return _wall(at, zone).strftime("%H:%M")
