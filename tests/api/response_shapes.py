"""The published answers as facts: the fields of each, their types on the wire, and which are always there.

A type is "int64" (a string of digits), "string", "boolean", "strings" (a list that is not empty), a tuple of allowed
words, or the fields of an object; `[fields]` is a list of such objects. A name that ends in "?" may be left out.
"""

from typing import Any

from tests.api.seed_fields import ACTIONS, DAYS, STRATEGIES, TARGET_TYPES

LINES = (
    "talk", "sell", "contact_center", "room", "tollfree_room", "fax", "additional_number", "tollfree_additional_number",
    "uberconference", "tollfree_uberconference",
)  # fmt: skip
SETTINGS = (
    "allow_device_guest_login", "block_caller_id_disabled", "bridged_target_recording_allowed",
    "disable_desk_phone_self_provision", "disable_ivr_voicemail", "no_recording_message_on_user_calls",
    "set_caller_id_disabled",
)  # fmt: skip
STATES = ("active", "cancelled", "deleted", "pending", "suspended")

TARGET = {"action_target_type?": TARGET_TYPES, "action_target_id?": "int64"}
ROUTING_STATE = {
    "action": ACTIONS,
    "try_dial_operators": "boolean",
    "operator_routing?": STRATEGIES,
    **TARGET,
    "dtmf?": [{"input?": "string", "options?": {"action?": ACTIONS, **TARGET}}],
}
E911 = dict.fromkeys(("address?", "address2?", "city?", "state?", "zip?", "country?"), "string")
OFFICE = {
    "id": "int64",
    "office_id": "int64",
    "name": "string",
    "country": "string",
    "timezone": "string",
    "state": STATES,
    "is_primary_office": "boolean",
    "availability_status": ("open", "closed", "holiday_open", "holiday_closed"),
    "first_action": ("menu", "operators"),
    "no_operators_action": ACTIONS,
    "ring_seconds": "int64",
    "routing_options": {"open": ROUTING_STATE, "closed": ROUTING_STATE},
    **{f"{day}_hours?": "strings" for day in DAYS},
    "phone_numbers?": "strings",
    "e911_address?": E911,
    "office_settings": dict.fromkeys(SETTINGS, "boolean"),
}
LICENCES = {f"{line}_lines": "int64" for line in LINES}
PLAN = {
    **LICENCES,
    "balance": "string",
    "next_billing_date": "int64",
    "ppu_address": dict.fromkeys(
        ("address_line_1", "address_line_2?", "city", "region", "postal_code", "country"), "string"
    ),
}
OFF_DUTY = {"id": "int64", "off_duty_statuses?": "strings"}
COMPANY = {
    "id": "int64",
    "name": "string",
    "country": "string",
    "account_type": ("enterprise", "free", "pro", "standard"),
    "office_count": "int64",
    "state": STATES,
    "admin_email?": "string",
    "domain?": "string",
}


def differences(value: Any, shape: Any, place: str = "") -> list[str]:
    """Where `value` is not of `shape`; empty if it is."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return [f"{place}: no object"]
        known = {name.removesuffix("?"): inner for name, inner in shape.items()}
        missing = [f"{place}.{name}: missing" for name in shape if not name.endswith("?") and name not in value]
        return missing + [
            found
            for name, inner in value.items()
            for found in (
                differences(inner, known[name], f"{place}.{name}") if name in known else [f"{place}.{name}: not known"]
            )
        ]
    if isinstance(shape, list):
        if not isinstance(value, list) or not value:
            return [f"{place}: no list, or an empty one"]
        return [found for index, one in enumerate(value) for found in differences(one, shape[0], f"{place}[{index}]")]
    if shape == "strings":
        good = isinstance(value, list) and value and all(isinstance(one, str) for one in value)
    elif shape == "boolean":
        good = isinstance(value, bool)
    elif shape == "int64":
        good = isinstance(value, str) and value.lstrip("-").isdigit() and str(int(value)) == value
    else:
        good = isinstance(value, str) and (shape == "string" or value in shape)
    return [] if good else [f"{place}: {value!r} is not {shape}"]
