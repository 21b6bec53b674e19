"""What an office must be: every rule of the seed's fields and of the decisions on them. Pure, and all at once.

The wire form has already settled types, required fields and enumerations. A rule that fails names its field and the
mend; a choice made for the caller is a notice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import get_args

import msgspec

from offhook.billing.model import Contact
from offhook.emergency.model import BILLING, CheckedAddress
from offhook.emergency.rules import check_address, resolve_emergency
from offhook.hours.model import DAYS
from offhook.hours.rules import DEFAULT_WEEK, overlaps, parse_day
from offhook.kit.countries import COUNTRY_ZONES, only_zone
from offhook.kit.errors import Invalid, Notice, Violation, shown
from offhook.kit.mail import check_email
from offhook.kit.phones import check_e164, check_phone
from offhook.kit.text import multi_line, single_line
from offhook.kit.wire import to_int64
from offhook.kit.zones import nearest, zone
from offhook.offices import wire
from offhook.offices.model import Office, Target
from offhook.offices.wire import MenuKeyOut as Key
from offhook.offices.wire import MenuOptionsOut as Choice
from offhook.offices.wire import RoutingStateOut as Routing

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

DEFAULT_MENU = (
    Key(input="0", options=Choice(action="operator")),
    Key(input="1", options=Choice(action="directory")),
)
"""The keys of a menu that was asked for in the older form, which cannot name any."""

_STRATEGY: wire.Strategy = "simultaneous"
_STOCK_CLOSED = Routing(action="voicemail", try_dial_operators=False, operator_routing=_STRATEGY)


@dataclass(frozen=True, slots=True)
class Home:
    """What a company's other offices take from its primary one."""

    office_id: int
    timezone: str
    currency: str
    version: int = 0


def check(body: wire.OfficeIn, home: Home | None, notices: list[Notice]) -> Office:
    """The office that `body` asks for, its defaults filled in; Invalid with every violation.

    `home` is the company's primary office, None when this is to become it. Order and wording of the rules follow the
    seed page; docs/algorithms has a page for hours, emergency addresses and routing fields.
    """
    found: list[Violation] = []
    name = _line(body.name, "name", found)
    description = _description(body.group_description, found)
    timezone = _timezone(body.timezone, body.country, home, found, notices)
    week = _week(body, None, found, notices)
    ring = _ring_seconds(body.ring_seconds, found)
    contact = _contact(body.billing_contact, body.country, found)
    billing = _billing_address(body.billing_address, found)
    emergency, faults, remarks = resolve_emergency(
        body.country,
        billing,
        None if body.e911_address is None else msgspec.structs.asdict(body.e911_address),
        body.use_same_address,
    )
    found += faults
    notices += remarks
    mainline = _mainline(body.mainline_number, found, notices)
    open_state, closed_state, first, fallback = _routing(body, found, notices)
    _check_billing(body, home, found, notices)
    if found:
        raise Invalid.of(found)
    assert name is not None
    assert timezone is not None
    assert billing is not None
    intelligence = body.voice_intelligence
    return Office(
        name=name,
        country=body.country,
        currency=body.currency,
        timezone=timezone,
        hours_on=bool(body.hours_on),
        week=week,
        first_action=first,
        no_operators_action=fallback,
        ring_seconds=ring,
        open=open_state,
        closed=closed_state,
        billing_address=billing.as_sent,
        plan_period=body.plan_period,
        annual_commit_monthly_billing=body.annual_commit_monthly_billing,
        unified_billing=body.unified_billing,
        invoiced=body.invoiced,
        billing_contact=contact,
        e911_address=emergency,
        use_same_address=bool(body.use_same_address),
        group_description=description,
        mainline_number=mainline,
        phone_numbers=(mainline,) if mainline else (),
        international_enabled=bool(body.international_enabled),
        auto_call_recording=bool(body.auto_call_recording),
        auto_start_vi=intelligence is None or intelligence.auto_start is not False,
        allow_pause_vi=intelligence is None or intelligence.allow_pause is not False,
    )


def change_week(office: Office, patch: wire.WeekPatch, notices: list[Notice]) -> Office:
    """`office` with the hours that `patch` names; Invalid with every violation. Days it does not name stay."""
    found: list[Violation] = []
    hours_on = office.hours_on if patch.hours_on is None else patch.hours_on
    week = _week(patch, office, found, notices)
    if found:
        raise Invalid.of(found)
    return msgspec.structs.replace(office, hours_on=hours_on, week=week)


def _line(text: str | None, location: str, found: list[Violation]) -> str | None:
    if text is None:
        return None
    value, fault = single_line(text, location)
    if fault is not None:
        found.append(fault)
    return value


def _description(text: str | None, found: list[Violation]) -> str:
    if text is None:
        return ""
    value, fault = multi_line(text, "group_description", DESCRIPTION_LIMIT)
    if fault is not None:
        found.append(fault)
    return value or ""


def _timezone(
    name: str | None, country: str, home: Home | None, found: list[Violation], notices: list[Notice]
) -> str | None:
    if name is not None:
        if zone(name) is not None:
            here = COUNTRY_ZONES.get(country)
            if here and name not in here and (elsewhere := _countries_of(name)) and country not in elsewhere:
                text = (
                    f"{name} is a zone of {', '.join(elsewhere)}, not of {country}; the hours follow it all the same."
                )
                notices.append(Notice("timezone_elsewhere", "timezone", text))
            return name
        near = nearest(name)
        mend = f" Did you mean {' or '.join(near)}?" if near else " Write it as Area/City, such as Europe/Lisbon."
        found.append(Violation(location="timezone", message="Not a tz database name." + mend, sent=shown(name)))
        return None
    if (only := only_zone(country)) is not None:
        notices.append(
            Notice("timezone_default", "timezone", f"Not sent: {only}, the only zone of {country}, was taken.")
        )
        return only
    if home is not None:
        text = f"Not sent, and {country} has no single zone: {home.timezone}, the primary office's, was taken."
        notices.append(Notice("timezone_default", "timezone", text))
        return home.timezone
    found.append(
        Violation(location="timezone", reason="required", message=f"{country} has no single time zone: send one.")
    )
    return None


@lru_cache(maxsize=512)
def _countries_of(name: str) -> tuple[str, ...]:
    return tuple(country for country, zones in COUNTRY_ZONES.items() if name in zones)


def _week(
    body: wire.WeekIn, before: Office | None, found: list[Violation], notices: list[Notice]
) -> tuple[tuple[str, ...], ...]:
    sent = (
        body.monday_hours,
        body.tuesday_hours,
        body.wednesday_hours,
        body.thursday_hours,
        body.friday_hours,
        body.saturday_hours,
        body.sunday_hours,
    )
    hours_on = body.hours_on if body.hours_on is not None else before is not None and before.hours_on
    kept = before.week if before is not None else DEFAULT_WEEK
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
            text = "Kept but without effect while hours_on is false: the office takes calls at any hour."
            names = [field for field, day in zip(DAY_FIELDS, sent, strict=True) if day is not None]
            notices.append(Notice("hours_ignored", names[0] if len(names) == 1 else "hours_on", text))
    elif not any(week):
        notices.append(
            Notice("never_open", "hours_on", "hours_on is true and no day has hours: the office never opens.")
        )
    else:
        notices += [Notice("hours_overlap", DAY_FIELDS[index], text) for index, text in overlaps(periods)]
    return week


@lru_cache(maxsize=2048)
def _is_plain(week: tuple[tuple[str, ...], ...]) -> bool:
    """Whether there is nothing to say of a week that counts: most offices keep one of a few."""
    parsed = [parse_day(day, "") for day in week]
    return any(week) and not any(faults for _, faults in parsed) and not overlaps([periods for periods, _ in parsed])


def _ring_seconds(value: int | str | None, found: list[Violation]) -> int:
    if value is None:
        return RING_SECONDS
    seconds = to_int64(value)
    if seconds is not None and MIN_RING <= seconds <= MAX_RING:
        return seconds
    found.append(
        Violation(
            location="ring_seconds",
            message=f"Must be a whole number of seconds from {MIN_RING} to {MAX_RING}.",
            sent=shown(value),
        )
    )
    return RING_SECONDS


def _contact(contact: wire.BillingContactIn | None, country: str, found: list[Violation]) -> Contact | None:
    if contact is None:
        return None
    email, fault = check_email(contact.email, "billing_contact.email")
    if fault is not None:
        found.append(fault)
    name = _line(contact.name, "billing_contact.name", found)
    phone = None
    if contact.phone is not None and contact.phone != "":
        phone, fault = check_phone(contact.phone, country, "billing_contact.phone")
        if fault is not None:
            found.append(fault)
    return Contact(email or "", name or "", phone)


def _billing_address(address: wire.BillingAddressIn, found: list[Violation]) -> CheckedAddress | None:
    checked, faults = check_address(msgspec.structs.asdict(address), BILLING, "billing_address")
    found += faults
    return checked


def _mainline(number: str | None, found: list[Violation], notices: list[Notice]) -> str | None:
    if number is None or number == "":
        text = "Not sent: the office has no number, so nobody can call it from outside until one is assigned."
        notices.append(Notice("no_number", "mainline_number", text))
        return None
    value, fault = check_e164(number, "mainline_number")
    if fault is not None:
        found.append(fault)
    return value


def _check_billing(body: wire.OfficeIn, home: Home | None, found: list[Violation], notices: list[Notice]) -> None:
    if body.unified_billing and home is not None and body.currency != home.currency:
        text = (
            f"With unified_billing the charges go on the primary office's invoice, which is in {home.currency}: "
            f"send {home.currency}, or unified_billing false."
        )
        found.append(Violation(location="currency", message=text, sent=body.currency))
    if body.annual_commit_monthly_billing and body.plan_period == "yearly":
        text = "Twelve months are committed and invoiced monthly; plan_period yearly alone would be one invoice a year."
        notices.append(Notice("billed_monthly", "plan_period", text))


def _routing(body: wire.OfficeIn, found: list[Violation], notices: list[Notice]) -> tuple[Routing, Routing, str, str]:
    """Both states and the older pair of fields that goes with them, as (open, closed, first, no operators)."""
    options = body.routing_options
    if options is None:
        return _older_form(body, found, notices)
    opened = _state(options.open, "routing_options.open", found, notices)
    closed = _state(options.closed, "routing_options.closed", found, notices)
    first = "operators" if opened.try_dial_operators else "menu"
    fallback = opened.action
    for field, sent, kept in (
        ("first_action", body.first_action, first),
        ("no_operators_action", body.no_operators_action, fallback),
    ):
        if sent is not None and sent != kept:
            notices.append(Notice("routing_options_win", field, f"{sent} was sent, routing_options.open says {kept}."))
    return opened, closed, first, fallback


def _older_form(
    body: wire.OfficeIn, found: list[Violation], notices: list[Notice]
) -> tuple[Routing, Routing, str, str]:
    first = body.first_action or "operators"
    fallback = body.no_operators_action or ("menu" if first == "menu" else "voicemail")
    if fallback in TARGETS:
        kinds = ", ".join(TARGETS[fallback])
        text = f"{fallback} needs a target ({kinds}), which only routing_options.open can name: send routing_options."
        about = ("routing_options",)
        found.append(Violation(location="no_operators_action", message=text, sent=fallback, about=about))
        return _STOCK_CLOSED, _STOCK_CLOSED, first, fallback
    action: wire.Action = fallback
    if first == "menu":
        action = "menu"
        if body.no_operators_action not in (None, "menu"):
            text = f"Kept, but first_action menu comes first and ends in voicemail; {fallback} is never reached."
            notices.append(Notice("menu_first", "no_operators_action", text))
    keys: tuple[Key, ...] = ()
    if action == "menu":
        keys = DEFAULT_MENU
        text = "The menu was given the keys 0 (operator) and 1 (directory); send routing_options to choose them."
        notices.append(Notice("menu_default", "routing_options.open.dtmf", text))
    if action == "disabled":
        _warn_disabled("no_operators_action", notices)
    opened = Routing(action=action, try_dial_operators=first == "operators", operator_routing=_STRATEGY, dtmf=keys)
    return opened, _STOCK_CLOSED, first, fallback


def _state(state: wire.RoutingState, location: str, found: list[Violation], notices: list[Notice]) -> Routing:
    choice = _choice(state.action, state.action_target_type, state.action_target_id, location, found, notices)
    keys = _keys(state.dtmf or (), f"{location}.dtmf", found, notices)
    if state.action == "menu" and not any(key.input is not None for key in keys):
        text = "The menu has no keys: every caller ends in voicemail."
        notices.append(Notice("menu_without_keys", f"{location}.dtmf", text))
    if state.action == "disabled":
        _warn_disabled(f"{location}.action", notices)
    return Routing(
        action=state.action,
        try_dial_operators=state.try_dial_operators,
        action_target_type=choice.action_target_type,
        action_target_id=choice.action_target_id,
        operator_routing=state.operator_routing or _STRATEGY,
        dtmf=keys,
    )


def _warn_disabled(field: str, notices: list[Notice]) -> None:
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
        text = f"{action} takes a target of the kind {', '.join(kinds)}."
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
