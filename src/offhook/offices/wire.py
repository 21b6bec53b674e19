"""What goes over HTTP about an office, to the letter of v2; what v2 never returns is in `OfficeRecord`, additively."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args, get_type_hints

import msgspec

from offhook.billing.wire import AddressOut, PlanOut
from offhook.directory.e911 import E911AddressIn, E911In, E911Out
from offhook.directory.hands import ByHandOut
from offhook.directory.lines.wire import (
    Action,
    Availability,
    FirstAction,
    Hours,
    RoutingOptions,
    RoutingOptionsOut,
    ShortText,
    SingleLine,
    State,
    VoiceIntelligence,
    WeekIn,
)
from offhook.directory.operators.wire import OperatorIn
from offhook.directory.scripts import ScriptOut
from offhook.hours.model import DAYS
from offhook.kit.errors import Notice
from offhook.kit.operation import WarningOut
from offhook.kit.wire import Int64, Int64Text

Meta = msgspec.Meta

Country = Literal[
    "AR", "AT", "AU", "BD", "BE", "BG", "BH", "BR", "CA", "CH", "CI", "CL", "CN", "CO", "CR", "CY", "CZ", "DE", "DK",
    "DO", "DP", "EC", "EE", "EG", "ES", "FI", "FR", "GB", "GH", "GR", "GT", "HK", "HR", "HU", "ID", "IE", "IL", "IN",
    "IS", "IT", "JP", "KE", "KH", "KR", "KZ", "LK", "LT", "LU", "LV", "MA", "MD", "MM", "MT", "MX", "MY", "NG", "NL",
    "NO", "NZ", "PA", "PE", "PH", "PK", "PL", "PR", "PT", "PY", "RO", "RU", "SA", "SE", "SG", "SI", "SK", "SV", "TH",
    "TR", "TW", "UA", "US", "UY", "VE", "VN", "ZA",
]  # fmt: skip
Currency = Literal["AUD", "CAD", "EUR", "GBP", "JPY", "NZD", "USD"]
PlanPeriod = Literal["monthly", "yearly"]


class BillingContactIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Who gets the invoices."""

    email: Annotated[str, Meta(description="Address the invoices go to.", examples=["billing@example.com"])]
    name: Annotated[SingleLine, Meta(description="The person's name.", examples=["Ana Sousa"])]
    phone: Annotated[str | None, Meta(description="Phone number, E.164 or as dialled in the office's country.")] = None


class BillingAddressIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Where the office is billed; also the plan's place of primary use."""

    address_line_1: Annotated[SingleLine, Meta(description="Street and number.")]
    address_line_2: Annotated[SingleLine | None, Meta(description="Floor, suite, and the like.")] = None
    city: Annotated[SingleLine, Meta(description="City.")]
    region: Annotated[SingleLine, Meta(description="State, province or region, by code or name.")]
    postal_code: Annotated[SingleLine, Meta(description="Postal code, as the country writes it.")]
    country: Annotated[str, Meta(description="Country, a two-letter code.", examples=["US"], max_length=64)]


class E911UpdateIn(E911In, kw_only=True, omit_defaults=True):
    """A new emergency address of an office."""

    update_all: Annotated[bool | None, Meta(description="Also give it to every user of the office.")] = None


class OfficeIn(WeekIn, kw_only=True, omit_defaults=True):
    """An office to create, or all of an office to replace."""

    name: Annotated[SingleLine, Meta(description="The office's name.", examples=["Lisbon"])]
    country: Annotated[
        Country, Meta(description="Where the office is; DP stands for no country.", extra={"stand_in": "DP"})
    ]
    currency: Annotated[Currency, Meta(description="What it is billed in.")]
    plan_period: Annotated[PlanPeriod, Meta(description="How often it is billed.")]
    unified_billing: Annotated[bool, Meta(description="Charge it on the primary office's invoice.")]
    invoiced: Annotated[bool, Meta(description="Pay by invoice; otherwise by card.")]
    annual_commit_monthly_billing: Annotated[bool, Meta(description="Bind for a year, bill each month.")]
    billing_address: Annotated[BillingAddressIn, Meta(description="Where it is billed.")]
    billing_contact: Annotated[BillingContactIn | None, Meta(description="Who gets the invoices.")] = None
    e911_address: Annotated[E911AddressIn | None, Meta(description="Where help is sent.")] = None
    use_same_address: Annotated[bool | None, Meta(description="Take the billing address as the emergency address.")] = (
        None
    )
    timezone: Annotated[
        ShortText | None, Meta(description="A tz database name, links included.", examples=["Europe/Lisbon"])
    ] = None
    ring_seconds: Annotated[
        Int64 | None, Meta(description="How long the line rings before the action, 10 to 45; 30 unless said.")
    ] = None
    first_action: Annotated[FirstAction | None, Meta(description="The older form of routing_options.open.")] = None
    no_operators_action: Annotated[
        Action | None, Meta(description="The older form of routing_options.open.action.")
    ] = None
    routing_options: Annotated[RoutingOptions | None, Meta(description="What happens to calls.")] = None
    group_description: Annotated[
        Annotated[str, Meta(max_length=4096)] | None,
        Meta(
            description="What the office is for, at most 256 characters.",
            extra_json_schema={"x-offhook-rule": "256 characters"},
        ),
    ] = None
    mainline_number: Annotated[
        ShortText | None, Meta(description="Its main line: a free number of the company, E.164.")
    ] = None
    international_enabled: Annotated[bool | None, Meta(description="Allow calls abroad; false unless said.")] = None
    auto_call_recording: (
        Annotated[bool, Meta(description="Record every call.", extra_json_schema={"default": False})] | None
    ) = None
    voice_intelligence: Annotated[VoiceIntelligence | None, Meta(description="Live transcription.")] = None
    operators: Annotated[
        Annotated[list[OperatorIn], Meta(max_length=500)] | None,
        Meta(description="Who answers for it, in the order of joining; only when it is created. Not in v2."),
    ] = None


def _changed_by(request: str) -> str:
    return f"PATCH changes hours_on and the hours of days only, so this was ignored; {request} changes it."


class OfficePatch(WeekIn, kw_only=True, omit_defaults=True):
    """Opening hours to change; a day that is not named keeps its hours."""

    elsewhere: ClassVar[Mapping[str, str]] = {
        **{
            field: _changed_by("PUT /api/offhook/v1/offices/{id}")
            for field in OfficeIn.__struct_fields__
            if field not in WeekIn.__struct_fields__
        },
        **dict.fromkeys(("e911_address", "use_same_address"), _changed_by("PUT /api/v2/offices/{id}/e911")),
        "operators": _changed_by("POST or DELETE /api/v2/offices/{id}/operators"),
    }


class OfficeSettings(msgspec.Struct, kw_only=True):
    """Switches of an office that v2 shows and cannot change."""

    allow_device_guest_login: bool = False
    block_caller_id_disabled: bool = False
    bridged_target_recording_allowed: bool = True
    disable_desk_phone_self_provision: bool = False
    disable_ivr_voicemail: bool = False
    no_recording_message_on_user_calls: bool = False
    set_caller_id_disabled: bool = False


class OfficeOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An office as v2 answers it."""

    id: Int64Text
    office_id: Annotated[Int64Text, Meta(description="The same as id.")]
    name: str
    country: Annotated[str, Meta(description="In lower case.")]
    timezone: str
    state: State
    is_primary_office: bool
    availability_status: Annotated[Availability, Meta(description="As of now, by the office's wall clock.")]
    first_action: FirstAction
    no_operators_action: Action
    ring_seconds: Int64Text
    routing_options: RoutingOptionsOut
    office_settings: OfficeSettings
    phone_numbers: Annotated[tuple[str, ...], Meta(description="E.164.")] = ()
    e911_address: E911Out | None = None
    monday_hours: tuple[str, ...] = ()
    tuesday_hours: tuple[str, ...] = ()
    wednesday_hours: tuple[str, ...] = ()
    thursday_hours: tuple[str, ...] = ()
    friday_hours: tuple[str, ...] = ()
    saturday_hours: tuple[str, ...] = ()
    sunday_hours: tuple[str, ...] = ()


class OfficeAndPlan(msgspec.Struct, kw_only=True):
    """An office and its plan."""

    office: OfficeOut
    plan: PlanOut


class OfficePage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of offices."""

    items: list[OfficeOut] = []
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class OffDutyStatuses(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Reasons that a person may give for being off duty."""

    id: Int64Text
    off_duty_statuses: list[str] = []


class OfficeListQuery(msgspec.Struct):
    """Which offices."""

    cursor: Annotated[str | None, Meta(description="The cursor of the page before.")] = None
    active_only: Annotated[bool, Meta(description="Only offices in the state active.")] = False
    limit: Annotated[int, Meta(ge=1, le=100, description="Offices in a page; not in v2.")] = 100
    name_search: Annotated[
        Annotated[str, Meta(max_length=256)] | None,
        Meta(
            description="Only those whose name holds this text, in capitals or not. A page may then be short, or "
            "empty, and still have a cursor. Not in v2."
        ),
    ] = None


class BillingContactOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Who gets the invoices."""

    email: str
    name: str
    phone: str | None = None


class BillingOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What was agreed on billing."""

    currency: Currency
    plan_period: PlanPeriod
    unified_billing: bool
    invoiced: bool
    annual_commit_monthly_billing: bool
    payment: Literal["invoice", "card"]
    invoice_office_id: Annotated[Int64Text, Meta(description="The office on whose invoice the charges go.")]
    committed_until: Annotated[Int64Text | None, Meta(description="End of the commitment, ms since 1970 UTC.")] = None
    address: AddressOut
    contact: BillingContactOut | None = None


class VoiceIntelligenceOut(msgspec.Struct, kw_only=True):
    """Live transcription."""

    auto_start: bool
    allow_pause: bool


class SpecialDayOut(msgspec.Struct, kw_only=True):
    """A day with hours of its own."""

    date: Annotated[str, Meta(description="YYYY-MM-DD, by the office's wall clock.")]
    kind: Literal["holiday", "override"]
    name: str
    hours: Annotated[list[str], Meta(description="As a day's hours; empty is closed all day.")]
    repeats_yearly: bool
    source: str


class OfficeExtras(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What v2 never returns of an office."""

    by_hand: Annotated[ByHandOut | None, Meta(description="If its main line was opened or closed by hand.")] = None
    script: Annotated[ScriptOut | None, Meta(description="The workflow of its scripted_ivr actions.")] = None
    hours_on: bool
    group_description: str
    mainline_number: str | None = None
    auto_call_recording: bool
    international_enabled: bool
    use_same_address: bool
    voice_intelligence: VoiceIntelligenceOut
    billing: BillingOut
    special_days: list[SpecialDayOut] = []
    version: Annotated[Int64Text, Meta(description="Counts changes; the ETag.")]
    created_at: Annotated[Int64Text, Meta(description="Milliseconds since 1970 UTC.")]
    updated_at: Annotated[Int64Text, Meta(description="Milliseconds since 1970 UTC.")]


def _both(name: str, *parts: type[msgspec.Struct]) -> Any:
    """A struct with the fields of all `parts`: only their description, for a body that is put together from them."""
    fields: list[Any] = []
    for part in parts:
        hints = get_type_hints(part, include_extras=True)
        for field in msgspec.structs.fields(part):
            default: Any = msgspec.field(default_factory=list) if field.default_factory is list else None
            fields.append(
                (field.name, hints[field.name]) if field.required else (field.name, hints[field.name], default)
            )
    about = "All that is stored of an office: what v2 answers, and what it never returns."
    return msgspec.defstruct(name, fields, kw_only=True, omit_defaults=True, namespace={"__doc__": about})


OfficeRecord = _both("OfficeRecord", OfficeOut, OfficeExtras)


READ_ONLY: Mapping[str, str] = {
    "id": "",
    "office_id": "",
    "state": "",
    "is_primary_office": "",
    "availability_status": "Its hours say so; PUT /api/offhook/v1/offices/{id}/by-hand opens and closes it.",
    "office_settings": "",
    "phone_numbers": "POST /api/v2/offices/{id}/assign_number and /unassign_number change them.",
    "by_hand": "PUT and DELETE /api/offhook/v1/offices/{id}/by-hand change it.",
    "script": "PUT and DELETE /api/offhook/v1/offices/{id}/script change it.",
    "special_days": "PUT and DELETE /api/offhook/v1/offices/{id}/special-days change them.",
    "version": "Send If-Match to be refused if somebody changed the office since.",
    "created_at": "",
    "updated_at": "",
    "billing.payment": "It follows from invoiced.",
    "billing.invoice_office_id": "It follows from unified_billing.",
    "billing.committed_until": "It follows from annual_commit_monthly_billing and plan_period.",
}
"""What an office shows and a replacement does not change, by path, and what changes it instead."""

_IN_BILLING: Mapping[str, str] = {
    "address": "billing_address",
    "contact": "billing_contact",
    **{
        name: name
        for name in ("currency", "plan_period", "unified_billing", "invoiced", "annual_commit_monthly_billing")
    },
}
"""The fields of a create that an office shows under `billing`, by their names there."""


def _as_shown(prefix: str) -> list[tuple[str, Any, Any]]:
    """The read-only fields directly under a prefix, which take anything: they are compared, not kept."""
    about = Meta(description="As it is shown; it is not changed here.")
    names = [path.removeprefix(prefix) for path in READ_ONLY if path.startswith(prefix)]
    return [(name, Annotated[Any, about], None) for name in names if "." not in name]


BillingShown: Any = msgspec.defstruct(
    "BillingShown",
    _as_shown("billing."),
    kw_only=True,
    omit_defaults=True,
    namespace={"__doc__": "Billing as an office shows it; the fields of a create may stand here, too."},
)

OfficeReplacement: Any = msgspec.defstruct(
    "OfficeReplacement",
    [
        *_as_shown(""),
        (
            "billing",
            Annotated[BillingShown | None, Meta(description="As it is shown: read as the create has it.")],
            None,
        ),
    ],
    bases=(OfficeIn,),
    kw_only=True,
    omit_defaults=True,
    namespace={"__doc__": "All of an office: the body of a create, or the office as it was read."},
)


def is_as_read(body: Any) -> bool:
    """Whether a body is an office as it was read, which has its id, and not a create's. What such a body says that was
    so before was not said by its client, who is not warned of it.
    """
    return isinstance(body, OfficeReplacement) and body.id is not None


def as_created(given: dict[str, Any], notices: list[Notice]) -> dict[str, Any]:
    """An office as it is shown, in the form of a create. A main line that is null is an empty one: it is given up; a
    day without hours, which an office does not show, is closed and not as it is in a create.
    """
    body = dict(given)
    if body.get("id") is not None:
        body |= {f"{day}_hours": [] for day in DAYS if body.get(f"{day}_hours") is None}
    if isinstance(country := body.get("country"), str) and country.upper() in get_args(Country):
        body["country"] = country.upper()
    if "mainline_number" in body and body["mainline_number"] is None:
        body["mainline_number"] = ""
    if isinstance(billing := body.get("billing"), dict):
        body["billing"] = {name: value for name, value in billing.items() if name not in _IN_BILLING}
        for inner, name in _IN_BILLING.items():
            value = billing.get(inner)
            if body.get(name) is None:
                body[name] = value
            elif value not in (None, body[name]):
                notices.append(Notice("ignored", f"billing.{inner}", f"{name} was sent too, and is what counts."))
    return body


RecordAndPlan: Any = msgspec.defstruct(
    "RecordAndPlan",
    [("office", OfficeRecord), ("plan", PlanOut)],
    kw_only=True,
    namespace={"__doc__": "An office with all that is stored, and its plan."},
)


class Deleted(msgspec.Struct, kw_only=True):
    """What was deleted."""

    id: Int64Text
    deleted: bool = True
    released_numbers: list[str] = []


class OpeningPeriodOut(msgspec.Struct, kw_only=True):
    """A stretch of time in which the office takes calls."""

    start: Annotated[str, Meta(description="First moment, by the office's wall clock with its offset.")]
    end: Annotated[str, Meta(description="First moment after it.")]
    kind: Literal["open", "holiday_open"]
    reason: str


class ChangeOut(msgspec.Struct, kw_only=True):
    """The next moment at which the office opens or closes."""

    at: str
    to: Availability


class OpeningPeriods(msgspec.Struct, kw_only=True, omit_defaults=True):
    """When the office is open."""

    timezone: str
    status: Annotated[Availability, Meta(description="As of now.")]
    explanation: Annotated[str, Meta(description="Why, in words.")]
    periods: list[OpeningPeriodOut] = []
    next_change: Annotated[ChangeOut | None, Meta(description="Absent if none comes within 400 days.")] = None


class PeriodsQuery(msgspec.Struct):
    """Between which moments."""

    start: Annotated[ShortText | None, Meta(description="A moment with its offset; now unless said.")] = None
    end: Annotated[ShortText | None, Meta(description="A moment with its offset; a week on unless said.")] = None


class SpecialDayIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A holiday, or a dated override of the week."""

    date: Annotated[str, Meta(description="YYYY-MM-DD.", max_length=32, examples=["2026-12-24"])]
    kind: Annotated[Literal["holiday", "override"], Meta(description="An override wins over a holiday.")] = "override"
    name: Annotated[SingleLine, Meta(description="What callers' traces call it.", examples=["Christmas Eve"])]
    hours: Annotated[Hours | None, Meta(description="As a day's hours; closed all day unless said.")] = None
    repeats_yearly: Annotated[bool | None, Meta(description="On the same date each year.")] = None


class SpecialDaysIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Days to set; another of the same date and kind is replaced."""

    days: Annotated[list[SpecialDayIn], Meta(min_length=1, max_length=400, description="The days.")]


class HolidaysIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Public holidays to import."""

    country: Annotated[ShortText | None, Meta(description="Two-letter code; the office's unless said.")] = None
    region: Annotated[ShortText | None, Meta(description="Region code, as CA for California.")] = None
    years: Annotated[
        Annotated[list[int], Meta(max_length=10)] | None, Meta(description="This year and the next unless said.")
    ] = None
    language: Annotated[ShortText | None, Meta(description="Language of the names, as en_US.")] = None
    hours: Annotated[Hours | None, Meta(description="Hours on those days; closed all day unless said.")] = None


class SpecialDaysOut(msgspec.Struct, kw_only=True):
    """The days of an office that have hours of their own."""

    id: Int64Text
    days: list[SpecialDayOut] = []


class SpecialDayQuery(msgspec.Struct):
    """Which of a date's entries."""

    kind: Annotated[Literal["holiday", "override"] | None, Meta(description="Both unless said.")] = None


class DryRun(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a create would do."""

    dry_run: bool
    office: OfficeOut
    plan: PlanOut
    warnings: list[WarningOut] = []
    opening_periods: Annotated[list[OpeningPeriodOut], Meta(description="The coming week.")] = []
    next_change: ChangeOut | None = None
