"""Time zones by name: any name of the tz database, old ones (US/Pacific) included, and nothing else.

Data come from the tzdata package, not from the machine, so that every server of an estate keeps the same clock.
Whoever sets PYTHONTZPATH chooses otherwise, for the whole process.
"""

import difflib
import os
import zoneinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

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


@lru_cache(maxsize=256)
def nearest(name: str) -> tuple[str, ...]:
    """Up to three names that may have been meant by `name`: `nearest("lisbon")[0] == "Europe/Lisbon"`."""
    folded = name[:64].strip().casefold().replace(" ", "_")
    best = [_FOLDED.get(folded), _LAST.get(folded)]
    close = difflib.get_close_matches(folded, _FOLDED, n=3, cutoff=0.7)
    found = dict.fromkeys(one for one in (*best, *(_FOLDED[key] for key in close)) if one)
    return tuple(found)[:3]
