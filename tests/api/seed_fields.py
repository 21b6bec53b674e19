"""The fields of a create as facts: path, JSON type, whether required, allowed values, default, one line or not.

Seventy paths. `[]` marks a list: the path of an hours list is that of the list itself.
"""

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["string", "integer", "boolean", "object", "hours", "menu"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `default` None says that none is stated."""

    path: str
    kind: Kind
    required: bool = False
    values: tuple[str, ...] = ()
    default: Any = None
    one_line: bool = False

    @property
    def place(self) -> str:
        """The path of its first occurrence: `dtmf[].input` is `dtmf[0].input`, a list is the list."""
        return self.path.removesuffix("[]").replace("[]", "[0]")


ACTIONS = (
    "bridge_target", "company_directory", "department", "directory", "disabled", "extension", "menu", "message",
    "operator", "person", "scripted_ivr", "voicemail",
)  # fmt: skip
NEWER_ACTIONS = ("last_name_company_directory", "last_name_directory")
"""Actions of the newer document of v2, which are not on the page."""

TARGET_TYPES = (
    "callcenter", "callrouter", "channel", "coachinggroup", "contact", "contactgroup", "department", "office", "room",
    "staffgroup", "unknown", "user",
)  # fmt: skip
STRATEGIES = ("fixedorder", "longestidle", "mostskilled", "random", "roundrobin", "simultaneous")
CURRENCIES = ("AUD", "CAD", "EUR", "GBP", "JPY", "NZD", "USD")
COUNTRIES = tuple(
    "AR AT AU BD BE BG BH BR CA CH CI CL CN CO CR CY CZ DE DK DO DP EC EE EG ES FI FR GB GH GR GT HK HR HU ID IE IL IN "
    "IS IT JP KE KH KR KZ LK LT LU LV MA MD MM MT MX MY NG NL NO NZ PA PE PH PK PL PR PT PY RO RU SA SE SG SI SK SV TH "
    "TR TW UA US UY VE VN ZA".split()
)
WORKDAY = ["08:00", "18:00"]
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
DAYS = (*WEEKDAYS, "saturday", "sunday")


def _line(path: str, required: bool = True) -> Field:
    return Field(path, "string", required, one_line=True)


def _state(name: str) -> tuple[Field, ...]:
    place = f"routing_options.{name}"
    options = f"{place}.dtmf[].options"
    return (
        Field(place, "object", True),
        Field(f"{place}.action", "string", True, ACTIONS),
        Field(f"{place}.action_target_type", "string", values=TARGET_TYPES),
        Field(f"{place}.action_target_id", "integer"),
        Field(f"{place}.try_dial_operators", "boolean", True),
        Field(f"{place}.operator_routing", "string", values=STRATEGIES),
        Field(f"{place}.dtmf[]", "menu"),
        Field(f"{place}.dtmf[].input", "string"),
        Field(options, "object"),
        Field(f"{options}.action", "string", values=ACTIONS),
        Field(f"{options}.action_target_type", "string", values=TARGET_TYPES),
        Field(f"{options}.action_target_id", "integer"),
    )


FIELDS: tuple[Field, ...] = (
    _line("name"),
    Field("country", "string", True, COUNTRIES),
    Field("currency", "string", True, CURRENCIES),
    Field("plan_period", "string", True, ("monthly", "yearly")),
    Field("unified_billing", "boolean", True),
    Field("invoiced", "boolean", True),
    Field("annual_commit_monthly_billing", "boolean", True),
    Field("billing_address", "object", True),
    _line("billing_address.address_line_1"),
    _line("billing_address.address_line_2", required=False),
    _line("billing_address.city"),
    _line("billing_address.region"),
    _line("billing_address.postal_code"),
    Field("billing_address.country", "string", True),
    Field("billing_contact", "object"),
    Field("billing_contact.email", "string", True),
    _line("billing_contact.name"),
    Field("billing_contact.phone", "string"),
    Field("e911_address", "object"),
    _line("e911_address.address"),
    _line("e911_address.address2", required=False),
    _line("e911_address.city"),
    _line("e911_address.state"),
    _line("e911_address.zip"),
    Field("e911_address.country", "string", True),
    Field("use_same_address", "boolean"),
    Field("timezone", "string"),
    Field("hours_on", "boolean", default=False),
    *(Field(f"{day}_hours[]", "hours", default=WORKDAY if day in WEEKDAYS else []) for day in DAYS),
    Field("ring_seconds", "integer"),
    Field("first_action", "string", values=("menu", "operators")),
    Field("no_operators_action", "string", values=ACTIONS),
    Field("routing_options", "object"),
    *_state("open"),
    *_state("closed"),
    Field("group_description", "string"),
    Field("mainline_number", "string"),
    Field("international_enabled", "boolean"),
    Field("auto_call_recording", "boolean", default=False),
    Field("voice_intelligence", "object"),
    Field("voice_intelligence.auto_start", "boolean", default=True),
    Field("voice_intelligence.allow_pause", "boolean", default=True),
)

WRONG: dict[Kind, tuple[Any, ...]] = {
    "string": (5, 1.5, True, [], {}, ["x"]),
    "integer": ("ten", "", " 30", "3e1", "30.0", "٣٠", 30.5, True, [], {}, 2**63, str(2**63), 10**30),
    "boolean": ("true", "", 0, 1, [], {}),
    "object": ("x", 5, True, [], [{}]),
    "hours": ("08:00", 5, True, {}),
    "menu": ("0", 5, True, {}),
}
"""Values of another type than a field's own."""


def every_field(target: str, number: str) -> dict[str, Any]:
    """A body with all seventy paths that is accepted; `target` is the id of an office, `number` one that is free."""

    def routed(**others: Any) -> dict[str, Any]:
        called = {"action_target_type": "office", "action_target_id": target}
        menu = [{"input": "1", "options": {"action": "voicemail", **called}}]
        return {"action": "department", **called, "operator_routing": "fixedorder", "dtmf": menu, **others}

    return {
        "name": "Ottawa",
        "country": "CA",
        "currency": "CAD",
        "plan_period": "monthly",
        "unified_billing": False,
        "invoiced": False,
        "annual_commit_monthly_billing": True,
        "billing_address": {
            "address_line_1": "111 Wellington St",
            "address_line_2": "Floor 2",
            "city": "Ottawa",
            "region": "ON",
            "postal_code": "K1A 0A9",
            "country": "CA",
        },
        "billing_contact": {"email": "bills@example.com", "name": "Ann Roy", "phone": "+16135550123"},
        "e911_address": {
            "address": "111 Wellington St",
            "address2": "Floor 2",
            "city": "Ottawa",
            "state": "ON",
            "zip": "K1A 0A9",
            "country": "CA",
        },
        "use_same_address": True,
        "timezone": "America/Toronto",
        "hours_on": True,
        "monday_hours": ["08:00", "12:00", "14:00", "18:00"],
        "tuesday_hours": ["00:00", "24:00"],
        "wednesday_hours": ["09:00", "17:30"],
        "thursday_hours": ["09:00", "17:31"],
        "friday_hours": ["22:00", "02:00"],
        "saturday_hours": ["10:00", "12:00"],
        "sunday_hours": ["11:00", "11:30"],
        "ring_seconds": 45,
        "first_action": "operators",
        "no_operators_action": "department",
        "routing_options": {
            "open": routed(try_dial_operators=True),
            "closed": routed(try_dial_operators=False, operator_routing="random"),
        },
        "group_description": "Two lines:\nsales, support",
        "mainline_number": number,
        "international_enabled": True,
        "auto_call_recording": True,
        "voice_intelligence": {"auto_start": False, "allow_pause": False},
    }
