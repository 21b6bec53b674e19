"""A stored trace beside the simulated one of the same call in the same company: all that differs, each with its place.

Compared are how many steps there are; of each its event, its reasons with code and text, its verbs with all that they
say, in their order; what was called, where the call ended and how. As both are of one company, users, lines and devices
have the same ids in both, so these are compared too, and told by their names.

Not compared, as it cannot be equal:
- moments: `at` of events and reasons, `since` of verbs;
- `config`, the version of the configuration;
- `seed` of verbs, which must be that of their own call;
- the clock in texts, which must be that of the reason's own moment; in the first step, at which the house's clock still
  stands, it is compared;
- how long a caller has been in a queue in texts, which must be what the moments of the trace say;
- the `carrier` of events and the trunk that texts name by it, as no simulation knows of trunks;
- seconds that are measured: those of a message that was left, and of a `ring` and a `park` behind the call's first one,
  which have what is left of a time. They may be apart by what a machine needs that has other things to do, and the text
  must say the same number.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

LATE = 1.5
"""Real seconds by which what is measured may be apart from what is simulated."""

_WHOLE = ("called", "ends_at", "outcome")
_LEFT = ("ring", "park")
"""Verbs whose seconds are what is left, behind the first one of a call."""

_CLOCK = re.compile(r"\b(\w+day \d\d:\d\d)(?=, .*\(([\w/]+)\))")
_WAITED = re.compile(r"^After (\d+) s in the queue ")


@dataclass(frozen=True)
class Measured:
    """Seconds that are as long as they were."""

    seconds: int

    def __str__(self) -> str:
        return str(self.seconds)


def differences(planned: Any, stored: Any, names: Mapping[str, str], *, seed: int, pace: float) -> list[str]:
    """What of `stored` is not as in `planned`, which was simulated with `seed`; both as the API answers them.

    `names` are by "user:1"; the house's clock went `pace` times as fast as time.
    """
    wanted, got = _compared(planned, seed), _compared(stored, int(stored["id"]))
    found = list(_apart("", wanted, got, LATE * pace))
    return [_named(one, names) for one in found]


def _compared(trace: Any, seed: int) -> Any:
    """What is compared of a trace."""
    before: set[str] = set()
    queued, steps = 0, []
    for number, step in enumerate(trace["steps"]):
        event = {name: value for name, value in step["event"].items() if name not in ("at", "carrier")}
        carrier = step["event"].get("carrier")
        said: list[tuple[str, str]] = [(f", by the trunk {carrier}.", ".")] if carrier else []
        if event["event"] == "recorded":
            said.append((f" of {event['seconds']} s ", " of (measured) s "))
            event["seconds"] = Measured(event["seconds"])
        verbs = []
        for verb in step["verbs"]:
            one = {name: value for name, value in verb.items() if name != "since"}
            if one.get("seed") == seed:
                one["seed"] = "(the call's)"
            if one["do"] in _LEFT and one["do"] in before:
                said.append((f" for {one['seconds']} s at most", " for (measured) s at most"))
                one["seconds"] = Measured(one["seconds"])
            before.add(one["do"])
            verbs.append(one)
        reasons = []
        for reason in step["reasons"]:
            if reason["code"] == "carrier_called":
                # It says nothing but the trunk's name.
                continue
            text, at = reason["text"], reason["at"]
            queued = at if reason["code"] == "queued" else queued
            if (waited := _WAITED.match(text)) and int(waited[1]) == (at - queued) // 1000:
                text = text.replace(waited[1], "(measured)", 1)
            if number and (clock := _CLOCK.search(text)) and clock[1] == _wall(at, clock[2]):
                text = text.replace(clock[1], "(then)", 1)
            for exact, measured in said:
                text = text.replace(exact, measured)
            reasons.append({"code": reason["code"], "text": text})
        steps.append({"event": event, "reasons": reasons, "verbs": verbs})
    return {name: trace.get(name) for name in _WHOLE} | {"steps": steps}


def _wall(at: int, zone: str) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone)).strftime("%A %H:%M")


def _apart(place: str, wanted: Any, got: Any, late: float) -> Iterator[str]:
    match wanted, got:
        case dict(), dict():
            for name in sorted({*wanted, *got}):
                yield from _apart(f"{place}.{name}".lstrip("."), wanted.get(name), got.get(name), late)
        case list(), list():
            for number, (one, other) in enumerate(zip(wanted, got, strict=False)):
                yield from _apart(f"{place}[{number}]", one, other, late)
            if len(wanted) != len(got):
                both = min(len(wanted), len(got))
                yield f"{place}[{both}:]: {got[both:]}, not {wanted[both:]}"
        case Measured(), Measured() if abs(wanted.seconds - got.seconds) <= late:
            pass
        case _ if wanted != got:
            yield f"{place}: {got}, not {wanted}"


def _named(told: str, names: Mapping[str, str]) -> str:
    for who, name in names.items():
        told = told.replace(who, name)
    return told
