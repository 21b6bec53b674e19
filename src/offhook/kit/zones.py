"""Time zones by name: any name of the tz database, old ones (US/Pacific) included, and nothing else.

Data come from the tzdata package, not from the machine, so that every server of an estate keeps the same clock.
Whoever sets PYTHONTZPATH chooses otherwise, for the whole process.
"""

import difflib
import os
import zoneinfo
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from offhook.kit.errors import Notice

if "PYTHONTZPATH" not in os.environ:
    zoneinfo.reset_tzpath(to=())

NAMES: frozenset[str] = frozenset(zoneinfo.available_timezones() - {"localtime"})
"""Every name that `zone` knows. Only these are ever looked up, so a name can never become a path."""

_FOLDED = {name.casefold(): name for name in sorted(NAMES)}
_LAST = {folded.rpartition("/")[2]: name for folded, name in _FOLDED.items() if "/" in folded}


@lru_cache(maxsize=1024)
def _load(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def zone(name: str) -> ZoneInfo | None:
    """The zone called exactly `name` (case matters, as in the tz database), or None."""
    return _load(name) if name in NAMES else None


def moment_of(text: str, here: ZoneInfo, field: str) -> tuple[datetime, Notice | None]:
    """The moment (aware) that an ISO 8601 text names, and what is to be said of it.

    Without an offset it is on the clock of `here`, which shows some times twice in a year and skips others: of the
    former the first is taken, for the latter the moment at which the clock was put on, by as much. ValueError or
    OverflowError if it is no moment.
    """
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is not None:
        return moment, None
    moment = moment.replace(tzinfo=here)
    again = moment.astimezone(UTC).astimezone(here)
    if again.replace(tzinfo=None) != moment.replace(tzinfo=None):
        words = f"The clock of {here.key} skips {text}; it shows {again:%Y-%m-%d %H:%M} then."
        return again, Notice("moment_skipped", field, words)
    if moment.utcoffset() != moment.replace(fold=1).utcoffset():
        words = f"The clock of {here.key} shows {text} twice; the first time was taken. Send it with an offset."
        return moment, Notice("moment_twice", field, words)
    return moment, None


@lru_cache(maxsize=256)
def nearest(name: str) -> tuple[str, ...]:
    """Up to three names that may have been meant by `name`: `nearest("lisbon")[0] == "Europe/Lisbon"`."""
    folded = name[:64].strip().casefold().replace(" ", "_")
    best = [_FOLDED.get(folded), _LAST.get(folded)]
    close = difflib.get_close_matches(folded, _FOLDED, n=3, cutoff=0.7)
    found = dict.fromkeys(one for one in (*best, *(_FOLDED[key] for key in close)) if one)
    return tuple(found)[:3]
