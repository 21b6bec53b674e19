"""What a line keeps: whom its routing calls, and its opening hours ready to ask. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Literal

import msgspec

from offhook.directory.lines.wire import Action, FirstAction, MenuOptionsOut, RoutingStateOut, Strategy
from offhook.hours.model import ByHand, Schedule, SpecialDay
from offhook.hours.rules import format_day, periods_of
from offhook.hours.schedule import next_turn
from offhook.kit.zones import zone

Week = tuple[tuple[str, ...], ...]
"""The seven lists of opening and closing times, Monday first."""


class Target(msgspec.Struct, frozen=True):
    """What an action calls; `id` is 0 where only the kind `unknown` was given."""

    type: str
    id: int


def usual(strategy: Strategy) -> tuple[RoutingStateOut, RoutingStateOut]:
    """The routing of a line that was given none, open and closed: operators while open, then voicemail."""
    opened = RoutingStateOut(action="voicemail", try_dial_operators=True, operator_routing=strategy)
    return opened, msgspec.structs.replace(opened, try_dial_operators=False)


def older_pair(opened: RoutingStateOut) -> tuple[FirstAction, Action]:
    """v2's older form of the open state, as (first_action, no_operators_action)."""
    return "operators" if opened.try_dial_operators else "menu", opened.action


def target_of(choice: MenuOptionsOut | RoutingStateOut) -> Target | None:
    """What a choice calls, if it calls anything."""
    if choice.action_target_type is None:
        return None
    return Target(choice.action_target_type, int(choice.action_target_id or 0))


def targets_of(opened: RoutingStateOut, closed: RoutingStateOut) -> list[tuple[str, Target]]:
    """Every target that a line's routing names, with the field path of its id."""
    found = []
    for state, routing in (("open", opened), ("closed", closed)):
        place = f"routing_options.{state}"
        if (target := target_of(routing)) is not None:
            found.append((f"{place}.action_target_id", target))
        for index, key in enumerate(routing.dtmf):
            if key.options is not None and (target := target_of(key.options)) is not None:
                found.append((f"{place}.dtmf[{index}].options.action_target_id", target))
    return found


def added(before: Sequence[tuple[str, Target]], after: Sequence[tuple[str, Target]]) -> list[tuple[str, Target]]:
    """Those of `after` that are not called before: where calls go already they may stay, whatever became of it."""
    known = {target for _, target in before}
    return [(place, target) for place, target in after if target not in known]


class KeptByHand(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line that was opened or closed by hand, as it is kept. Moments are milliseconds since 1970 UTC.

    `until` 0 is until it is lifted, or with `until_change` until the first change that the hours then had ahead.
    """

    open: bool
    since: int
    until: int = 0
    until_change: bool = False
    reason: str = ""
    by: str = ""


class KeptScript(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The workflow that a line hands calls to, by name, and how many seconds a caller waits for its answer."""

    workflow: str
    seconds: int = 5


@lru_cache(maxsize=1024)
def schedule(
    timezone: str,
    week: tuple[tuple[str, ...], ...],
    always_open: bool,
    days: tuple[SpecialDay, ...],
    kept: KeptByHand | None = None,
) -> Schedule:
    """Opening hours from their stored form, which rules.py has checked."""
    where = zone(timezone)
    assert where is not None, timezone
    by_rules = Schedule(where, tuple(periods_of(day) for day in week), always_open, days)
    return replace(by_rules, by_hand=by_hand(kept, by_rules)) if kept is not None else by_rules


def by_hand(kept: KeptByHand, by_rules: Schedule) -> ByHand:
    """What was done by hand, with the moment that it ends at by the hours that count otherwise."""
    since = datetime.fromtimestamp(kept.since / 1000, UTC)
    reason = f": {kept.reason}" if kept.reason else ""
    if kept.until_change:
        change = next_turn(by_rules, since)
        if change is not None:
            return ByHand(kept.open, since, change.at, f"until the next change, {_wall(change.at, by_rules)}{reason}")
    elif kept.until:
        until = datetime.fromtimestamp(kept.until / 1000, UTC)
        return ByHand(kept.open, since, until, f"until {_wall(until, by_rules)}{reason}")
    return ByHand(kept.open, since, None, f"until lifted{reason}")


def _wall(at: datetime, by_rules: Schedule) -> str:
    return f"{at.astimezone(by_rules.zone):%A %Y-%m-%d %H:%M}"


def days_to_json(days: tuple[SpecialDay, ...]) -> list[dict[str, Any]]:
    """Special days in their stored form."""
    return [
        {
            "date": day.date.isoformat(),
            "kind": day.kind,
            "name": day.name,
            "hours": format_day(day.periods),
            "yearly": day.repeats_yearly,
            "source": day.source,
        }
        for day in days
    ]


def days_from_json(rows: list[dict[str, Any]]) -> tuple[SpecialDay, ...]:
    """The inverse of `days_to_json`."""
    return tuple(
        _day(row["date"], row["kind"], row["name"], tuple(row["hours"]), row["yearly"], row["source"]) for row in rows
    )


@lru_cache(maxsize=4096)
def _day(
    day: str, kind: Literal["holiday", "override"], name: str, hours: tuple[str, ...], yearly: bool, source: str
) -> SpecialDay:
    """Offices share their holidays, and an office that is changed keeps most of its days: equal ones are one object."""
    return SpecialDay(date.fromisoformat(day), kind, name, periods_of(hours), yearly, source)
