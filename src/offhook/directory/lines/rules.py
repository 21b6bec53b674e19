"""What the line of a group must be: hours, ring seconds, routing, menu. Pure, and one for offices, departments and call
centers alike. A rule that fails names its field and the mend; a choice made for the caller is a notice.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import get_args

import msgspec

from offhook.directory.lines import wire
from offhook.directory.lines.model import Target, Week, target_of
from offhook.directory.lines.wire import MenuKeyOut as Key
from offhook.directory.lines.wire import MenuOptionsOut as Choice
from offhook.directory.lines.wire import RoutingStateOut as Routing
from offhook.hours.model import DAYS
from offhook.hours.rules import DEFAULT_WEEK, overlaps, parse_day
from offhook.kit.errors import Notice, Violation, shown
from offhook.kit.text import enumerated, multi_line, single_line
from offhook.kit.wire import to_int64

RING_SECONDS = 30
MIN_RING, MAX_RING = 10, 45
DESCRIPTION_LIMIT = 256
DAY_FIELDS = tuple(f"{day}_hours" for day in DAYS)
_NO_DAYS = (None,) * len(DAYS)
_USUAL_WEEK = len(DAYS) * len("08:00 12:00 14:00 18:00".replace(" ", ""))
"""Characters in the lists of a week that is worth remembering."""

_ANY_TARGET = (
    "user", "room", "department", "callcenter", "office", "callrouter", "contact", "contactgroup", "channel",
    "coachinggroup", "staffgroup",
)  # fmt: skip

TARGETS: dict[str, tuple[str, ...]] = {
    "department": ("office", "department", "callcenter"),
    "bridge_target": _ANY_TARGET,
    "person": ("user",),
}
"""The actions that need a target, and the kinds that each takes; `unknown` is taken by all, with a warning."""

OPTIONAL_TARGETS: dict[str, tuple[str, ...]] = {"voicemail": ("user", "department", "callcenter", "office")}
"""The actions that may name a target: whose voicemail box it is."""

_DIGITS = frozenset("0123456789")
_PLAIN: dict[str | None, Choice] = {
    action: Choice(action=action) for action in get_args(wire.Action) if action not in TARGETS
}
"""What a key without a target does, made once for each action that needs none."""


STRATEGY: wire.Strategy = "simultaneous"


def line(text: str | None, location: str, found: list[Violation], limit: int = 256) -> str | None:
    if text is None:
        return None
    value, fault = single_line(text, location, limit)
    if fault is not None:
        found.append(fault)
    return value


def description(text: str | None, found: list[Violation]) -> str:
    if text is None:
        return ""
    value, fault = multi_line(text, "group_description", DESCRIPTION_LIMIT)
    if fault is not None:
        found.append(fault)
    return value or ""


def read_week(
    body: wire.WeekIn, before: Week | None, before_on: bool, found: list[Violation], notices: list[Notice]
) -> Week:
    """The seven lists that `body` makes of those before, or of the usual ones where there were none."""
    sent = (
        body.monday_hours,
        body.tuesday_hours,
        body.wednesday_hours,
        body.thursday_hours,
        body.friday_hours,
        body.saturday_hours,
        body.sunday_hours,
    )
    if before is not None and sent == _NO_DAYS and body.hours_on is None:
        return before
    hours_on = body.hours_on if body.hours_on is not None else before_on
    kept = before if before is not None else DEFAULT_WEEK
    if before is None and sent == _NO_DAYS:
        return kept
    week = tuple([kept[index] if day is None else tuple(day) for index, day in enumerate(sent)])
    if hours_on and len("".join(map("".join, week))) <= _USUAL_WEEK and _is_plain(week):
        return week
    periods = []
    for field, day in zip(DAY_FIELDS, week, strict=True):
        parsed, faults = parse_day(day, field)
        found += faults
        periods.append(parsed)
    if not hours_on:
        if any(day is not None for day in sent):
            text = "Kept but without effect while hours_on is false: calls are taken at any hour."
            names = [field for field, day in zip(DAY_FIELDS, sent, strict=True) if day is not None]
            notices.append(Notice("hours_ignored", names[0] if len(names) == 1 else "hours_on", text))
    elif not any(week):
        notices.append(Notice("never_open", "hours_on", "hours_on is true and no day has hours: the line never opens."))
    else:
        notices += [Notice("hours_overlap", DAY_FIELDS[index], text) for index, text in overlaps(periods)]
    return week


@lru_cache(maxsize=2048)
def _is_plain(week: tuple[tuple[str, ...], ...]) -> bool:
    """Whether there is nothing to say of a week that counts: most offices keep one of a few."""
    parsed = [parse_day(day, "") for day in week]
    return any(week) and not any(faults for _, faults in parsed) and not overlaps([periods for periods, _ in parsed])


def ring_seconds(value: int | str | None, found: list[Violation]) -> int:
    return whole(value, "ring_seconds", RING_SECONDS, MIN_RING, MAX_RING, found, unit=" of seconds")


def whole(
    value: int | str | None,
    location: str,
    default: int,
    least: int,
    most: int,
    found: list[Violation],
    unit: str = "",
) -> int:
    """A whole number within bounds, given as a number or as text; `default` where none was sent or it does not fit."""
    if value is None:
        return default
    number = to_int64(value)
    if number is not None and least <= number <= most:
        return number
    text = f"Must be a whole number{unit} from {least} to {most}."
    found.append(Violation(location=location, message=text, sent=shown(value)))
    return default


def routing(
    options: wire.RoutingOptions,
    found: list[Violation],
    notices: list[Notice],
    strategy: wire.Strategy = STRATEGY,
) -> tuple[Routing, Routing]:
    """Both states, open and closed; `strategy` is the order of operators where none is sent."""
    opened = routing_state(options.open, "routing_options.open", found, notices, strategy)
    return opened, routing_state(options.closed, "routing_options.closed", found, notices, strategy)


def intelligence(sent: wire.VoiceIntelligence | None, before: tuple[bool, bool] = (True, True)) -> tuple[bool, bool]:
    """Live transcription, as (starts by itself, may be stopped in a call); what is not sent stays as `before`."""
    if sent is None:
        return before
    return (
        before[0] if sent.auto_start is None else sent.auto_start,
        before[1] if sent.allow_pause is None else sent.allow_pause,
    )


def routing_state(
    state: wire.RoutingState,
    location: str,
    found: list[Violation],
    notices: list[Notice],
    strategy: wire.Strategy = STRATEGY,
) -> Routing:
    choice = _choice(state.action, state.action_target_type, state.action_target_id, location, found, notices)
    keys = _keys(state.dtmf or (), f"{location}.dtmf", found, notices)
    if state.action == "menu" and not any(key.input is not None for key in keys):
        text = "The menu has no keys: every caller ends in voicemail."
        notices.append(Notice("menu_without_keys", f"{location}.dtmf", text))
    if state.action == "disabled":
        warn_disabled(f"{location}.action", notices)
    return Routing(
        action=state.action,
        try_dial_operators=state.try_dial_operators,
        action_target_type=choice.action_target_type,
        action_target_id=choice.action_target_id,
        operator_routing=state.operator_routing or strategy,
        dtmf=keys,
    )


def warn_disabled(field: str, notices: list[Notice]) -> None:
    notices.append(Notice("action_disabled", field, "The caller hears that nobody is available, then the call ends."))


def _keys(
    items: Sequence[wire.MenuKey], location: str, found: list[Violation], notices: list[Notice]
) -> tuple[Key, ...]:
    first: dict[str, int] = {}
    keys = []
    for index, item in enumerate(items):
        pressed, options = item.input, item.options
        if pressed in _DIGITS and pressed not in first:
            first[pressed] = index
        else:
            _explain_input(pressed, first, location, index, found, notices)
        if options is None or options.action_target_type is not None or options.action_target_id is not None:
            choice = _key_choice(options, f"{location}[{index}].options", found, notices)
        else:
            choice = _PLAIN.get(options.action) or _key_choice(options, f"{location}[{index}].options", found, notices)
        keys.append(Key(input=pressed, options=choice))
    return tuple(keys)


def _explain_input(
    pressed: str | None,
    first: dict[str, int],
    location: str,
    index: int,
    found: list[Violation],
    notices: list[Notice],
) -> None:
    """Say why an entry's key is none of its own."""
    place = f"{location}[{index}].input"
    if pressed is None:
        notices.append(Notice("menu_key_missing", place, "This entry has no key and is never reached."))
    elif pressed in first:
        text = f"The key {pressed} is already used by {location}[{first[pressed]}]; each key can do one thing."
        found.append(Violation(location=place, message=text, sent=pressed, reason="duplicate"))
    else:
        found.append(Violation(location=place, message='Must be one key from "0" to "9".', sent=shown(pressed)))


def _key_choice(
    options: wire.MenuOptions | None, location: str, found: list[Violation], notices: list[Notice]
) -> Choice | None:
    """What a key does; None if it does nothing."""
    if options is not None and options.action is not None:
        return _choice(options.action, options.action_target_type, options.action_target_id, location, found, notices)
    if options is not None and (options.action_target_type or options.action_target_id is not None):
        text = "A target was sent without an action: send options.action."
        found.append(Violation(location=f"{location}.action", reason="required", message=text))
    else:
        notices.append(Notice("menu_key_disabled", location, "This key does nothing: no action."))
    return None


def _choice(
    action: wire.Action,
    kind: wire.TargetType | None,
    target_id: int | str | None,
    location: str,
    found: list[Violation],
    notices: list[Notice],
) -> Choice:
    """An action with its target, if it takes one and got one that fits."""
    needed, optional = TARGETS.get(action), OPTIONAL_TARGETS.get(action)
    number = to_int64(target_id) if target_id is not None else None
    bad_id = target_id is not None and (number is None or number <= 0)
    if bad_id:
        text = "Must be an id: a positive integer, as a number or a string of digits."
        found.append(Violation(location=f"{location}.action_target_id", message=text, sent=shown(target_id)))
    if kind is None and target_id is None:
        if needed is not None:
            text = f"{action} needs a target: send action_target_type ({', '.join(needed)}) and action_target_id."
            found.append(Violation(location=f"{location}.action_target_type", reason="required", message=text))
        return Choice(action=action)
    if needed is None and optional is None:
        text = f"{action} takes no target; the one sent was ignored."
        notices.append(Notice("target_ignored", f"{location}.action_target_id", text))
        return Choice(action=action)
    kinds = needed or optional or ()
    if kind is None:
        text = f"An id alone does not say what it is: send action_target_type ({', '.join(kinds)})."
        found.append(Violation(location=f"{location}.action_target_type", reason="required", message=text))
        return Choice(action=action)
    if kind == "unknown" and not bad_id:
        text = "The target is of an unknown kind: a call that reaches it goes to the office's voicemail."
        notices.append(Notice("target_unknown", f"{location}.action_target_type", text))
        return Choice(action=action, action_target_type=kind, action_target_id=str(number) if number else None)
    if kind not in (*kinds, "unknown"):
        text = f"{action} takes a target of the kind {enumerated(kinds, 'or')}."
        others = [one for one, taken in TARGETS.items() if kind in taken]
        if others:
            text += f" For {'an' if kind == 'office' else 'a'} {kind} send the action {enumerated(others, 'or')}."
        place = f"{location}.action_target_type"
        found.append(Violation(location=place, message=text, sent=kind, about=(f"{location}.action",)))
        return Choice(action=action)
    if target_id is None:
        text = f"Which {kind}? Send action_target_id."
        found.append(Violation(location=f"{location}.action_target_id", reason="required", message=text))
        return Choice(action=action)
    if bad_id:
        return Choice(action=action)
    return Choice(action=action, action_target_type=kind, action_target_id=str(number))


def unknown_target(location: str, target: Target) -> Violation:
    """The violation of a target that the company does not have."""
    return Violation(
        location=location,
        reason="notFound",
        message=f"There is no {target.type} with this id in the company.",
        sent=str(target.id),
    )


def repointed(routing: Routing, target: Target) -> Routing:
    """`routing` with the group's voicemail wherever it called `target`."""
    keys = tuple(
        Key(input=key.input, options=_TO_VOICEMAIL)
        if key.options is not None and target_of(key.options) == target
        else key
        for key in routing.dtmf
    )
    if target_of(routing) == target:
        return Routing(
            action="voicemail",
            try_dial_operators=routing.try_dial_operators,
            operator_routing=routing.operator_routing,
            dtmf=keys,
        )
    return msgspec.structs.replace(routing, dtmf=keys)


_TO_VOICEMAIL = Choice(action="voicemail")
