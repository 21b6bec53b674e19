"""What an office must be: every rule of the seed's fields and of the decisions on them. Pure, and all at once.

The wire form has already settled types, required fields and enumerations. A rule that fails names its field and the
mend; a choice made for the caller is a notice.
"""

from dataclasses import dataclass
from functools import lru_cache

import msgspec

from offhook.billing.model import Contact
from offhook.directory.lines import rules as lines
from offhook.directory.lines.model import older_pair, usual
from offhook.directory.lines.wire import Action
from offhook.directory.lines.wire import MenuKeyOut as Key
from offhook.directory.lines.wire import MenuOptionsOut as Choice
from offhook.directory.lines.wire import RoutingStateOut as Routing
from offhook.directory.operators.rules import Joining, joinings
from offhook.emergency.model import BILLING, CheckedAddress
from offhook.emergency.rules import check_address, resolve_emergency
from offhook.kit.countries import COUNTRY_ZONES, only_zone
from offhook.kit.errors import Invalid, Notice, Violation, shown
from offhook.kit.mail import check_email
from offhook.kit.phones import check_e164, check_phone
from offhook.kit.zones import nearest, zone
from offhook.offices import wire
from offhook.offices.model import Office

DEFAULT_MENU = (
    Key(input="0", options=Choice(action="operator")),
    Key(input="1", options=Choice(action="directory")),
)
"""The keys of a menu that was asked for in the older form, which cannot name any."""

_STOCK_CLOSED = usual(lines.STRATEGY)[1]


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
    name = lines.line(body.name, "name", found)
    description = lines.description(body.group_description, found)
    timezone = _timezone(body.timezone, body.country, home, found, notices)
    week = lines.read_week(body, None, False, found, notices)
    ring = lines.ring_seconds(body.ring_seconds, found)
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
    if body.operators is not None:
        operators(body, found)
    if found:
        raise Invalid.of(found)
    assert name is not None
    assert timezone is not None
    assert billing is not None
    auto_start, allow_pause = lines.intelligence(body.voice_intelligence)
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
        auto_start_vi=auto_start,
        allow_pause_vi=allow_pause,
    )


def operators(body: wire.OfficeIn, found: list[Violation]) -> list[Joining]:
    """The office's first operators, in the order of joining; their faults go to `found`."""
    return joinings(body.operators or (), "operators", found)


def change_week(office: Office, patch: wire.OfficePatch, notices: list[Notice]) -> Office:
    """`office` with the hours that `patch` names; Invalid with every violation. Days it does not name stay."""
    found: list[Violation] = []
    hours_on = office.hours_on if patch.hours_on is None else patch.hours_on
    week = lines.read_week(patch, office.week, office.hours_on, found, notices)
    if found:
        raise Invalid.of(found)
    return msgspec.structs.replace(office, hours_on=hours_on, week=week)


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
                notices.append(Notice("timezone_elsewhere", "timezone", text, ("country",)))
            return name
        near = nearest(name)
        mend = f" Did you mean {' or '.join(near)}?" if near else " Write it as Area/City, such as Europe/Lisbon."
        found.append(Violation(location="timezone", message="Not a tz database name." + mend, sent=shown(name)))
        return None
    if (only := only_zone(country)) is not None:
        text = f"Not sent: {only}, the only zone of {country}, was taken."
        notices.append(Notice("timezone_default", "timezone", text, ("country",)))
        return only
    if home is not None:
        text = f"Not sent, and {country} has no single zone: {home.timezone}, the primary office's, was taken."
        notices.append(Notice("timezone_default", "timezone", text, ("country",)))
        return home.timezone
    found.append(
        Violation(location="timezone", reason="required", message=f"{country} has no single time zone: send one.")
    )
    return None


@lru_cache(maxsize=512)
def _countries_of(name: str) -> tuple[str, ...]:
    return tuple(country for country, zones in COUNTRY_ZONES.items() if name in zones)


def _contact(contact: wire.BillingContactIn | None, country: str, found: list[Violation]) -> Contact | None:
    if contact is None:
        return None
    email, fault = check_email(contact.email, "billing_contact.email")
    if fault is not None:
        found.append(fault)
    name = lines.line(contact.name, "billing_contact.name", found)
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
        notices.append(Notice("billed_monthly", "plan_period", text, ("annual_commit_monthly_billing",)))


def _routing(body: wire.OfficeIn, found: list[Violation], notices: list[Notice]) -> tuple[Routing, Routing, str, str]:
    """Both states and the older pair of fields that goes with them, as (open, closed, first, no operators)."""
    options = body.routing_options
    if options is None:
        return _older_form(body, found, notices)
    opened, closed = lines.routing(options, found, notices)
    first, fallback = older_pair(opened)
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
    if fallback in lines.TARGETS:
        kinds = ", ".join(lines.TARGETS[fallback])
        text = f"{fallback} needs a target ({kinds}), which only routing_options.open can name: send routing_options."
        about = ("routing_options",)
        found.append(Violation(location="no_operators_action", message=text, sent=fallback, about=about))
        return _STOCK_CLOSED, _STOCK_CLOSED, first, fallback
    action: Action = fallback
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
        lines.warn_disabled("no_operators_action", notices)
    opened = Routing(action=action, try_dial_operators=first == "operators", operator_routing=lines.STRATEGY, dtmf=keys)
    return opened, _STOCK_CLOSED, first, fallback
