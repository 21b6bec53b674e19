"""Request bodies that the reference page and the OpenAPI document show; each is accepted as it stands."""

from typing import Any

SMALL: dict[str, Any] = {
    "name": "Lisbon",
    "country": "PT",
    "currency": "EUR",
    "plan_period": "monthly",
    "unified_billing": False,
    "invoiced": True,
    "annual_commit_monthly_billing": False,
    "billing_address": {
        "address_line_1": "Rua Augusta 100",
        "city": "Lisboa",
        "region": "Lisboa",
        "postal_code": "1100-053",
        "country": "PT",
    },
    "timezone": "Europe/Lisbon",
    "hours_on": True,
    "monday_hours": ["09:00", "12:30", "14:00", "18:00"],
}

FULL: dict[str, Any] = {
    "name": "San Francisco",
    "country": "US",
    "currency": "USD",
    "plan_period": "monthly",
    "unified_billing": False,
    "invoiced": True,
    "annual_commit_monthly_billing": True,
    "billing_address": {
        "address_line_1": "3001 Bishop Drive",
        "address_line_2": "Suite 120",
        "city": "San Ramon",
        "region": "CA",
        "postal_code": "94583",
        "country": "US",
    },
    "billing_contact": {"name": "Ana Sousa", "email": "billing@example.com", "phone": "+14155550142"},
    "use_same_address": False,
    "e911_address": {
        "address": "1 Market Street",
        "address2": "Floor 4",
        "city": "San Francisco",
        "state": "CA",
        "zip": "94105",
        "country": "US",
    },
    "timezone": "America/Los_Angeles",
    "hours_on": True,
    "monday_hours": ["08:00", "12:00", "13:00", "18:00"],
    "tuesday_hours": ["08:00", "12:00", "13:00", "18:00"],
    "wednesday_hours": ["08:00", "12:00", "13:00", "18:00"],
    "thursday_hours": ["08:00", "12:00", "13:00", "18:00"],
    "friday_hours": ["08:00", "16:00"],
    "saturday_hours": ["10:00", "14:00"],
    "sunday_hours": [],
    "ring_seconds": 25,
    "first_action": "operators",
    "no_operators_action": "menu",
    "routing_options": {
        "open": {
            "try_dial_operators": True,
            "operator_routing": "longestidle",
            "action": "menu",
            "dtmf": [
                {"input": "0", "options": {"action": "operator"}},
                {"input": "1", "options": {"action": "directory"}},
                {"input": "2", "options": {"action": "extension"}},
                {"input": "9", "options": {"action": "voicemail"}},
            ],
        },
        "closed": {
            "try_dial_operators": False,
            "action": "voicemail",
        },
    },
    "group_description": "Sales and support for the west coast.",
    "international_enabled": True,
    "auto_call_recording": False,
    "voice_intelligence": {"auto_start": True, "allow_pause": True},
}

HEAD_OFFICE: dict[str, Any] = {
    **FULL,
    "name": "Head office",
    "no_operators_action": "voicemail",
    "routing_options": {
        "open": {"try_dial_operators": True, "operator_routing": "longestidle", "action": "voicemail"},
        "closed": {"try_dial_operators": False, "action": "voicemail"},
    },
}
"""The first office of a company that says nothing of its own: nobody is there yet who could be found by name."""

CREATE_EXAMPLES: dict[str, object] = {"A small office": SMALL, "Most fields": FULL}
