"""What stands in the forms of schedules, triggers and hooks, and what the API is asked for by them. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from offhook.console.workflows import no_object, object_of

_WHOLE = "Must be a whole number, or empty."
_OBJECT = "Must be a JSON object."
TEXTS: Mapping[str, tuple[str, ...]] = {
    "schedules": ("name", "workflow", "cron", "timezone", "missed", "overlap"),
    "triggers": ("name", "workflow", "expression", "language"),
    "hooks": ("name", "workflow", "proof", "idempotency_header"),
}
NUMBERS: Mapping[str, tuple[str, ...]] = {
    "schedules": ("version",),
    "triggers": ("version", "most_per_minute"),
    "hooks": ("version",),
}
OBJECTS: Mapping[str, tuple[str, ...]] = {"schedules": ("input",), "triggers": ("where", "input"), "hooks": ()}
LISTS: Mapping[str, tuple[str, ...]] = {"schedules": (), "triggers": ("events", "not_by"), "hooks": ("headers",)}
FIRST: Mapping[str, Mapping[str, str]] = {
    "schedules": {"timezone": "UTC", "missed": "once", "overlap": "allow", "cron": "30 2 * * *"},
    "triggers": {"language": "javascript", "most_per_minute": "600"},
    "hooks": {"proof": "token"},
}


def filled(kind: str, it: Mapping[str, Any]) -> dict[str, str]:
    """What stands in the form of one that there is."""
    values = {name: str(it.get(name, "")) for name in (*TEXTS[kind], *NUMBERS[kind])}
    values |= {name: _written(it.get(name)) for name in OBJECTS[kind]}
    values |= {name: "\n".join(it.get(name, ())) for name in LISTS[kind]}
    return values | {"paused": "yes" if it["paused"] else ""}


def _written(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) if value else ""


def asked_for(kind: str, form: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """What the API is asked for, and what of the form cannot be said to it at all."""
    body: dict[str, Any] = {name: value for name in TEXTS[kind] if (value := form.get(name, "").strip())}
    faults: dict[str, list[str]] = {}
    for name in NUMBERS[kind]:
        text = form.get(name, "").strip()
        if text.isascii() and text.isdecimal() and len(text) < 10:
            body[name] = int(text)
        elif text:
            faults[name] = [_WHOLE]
    for name in OBJECTS[kind]:
        found = object_of(form.get(name, ""))
        if found is None:
            faults[name] = [no_object(form.get(name, ""), _OBJECT)]
        else:
            body[name] = found
    for name in LISTS[kind]:
        body[name] = [line.strip() for line in form.get(name, "").splitlines() if line.strip()]
    body |= {name: "" for name in ("name", "workflow", "cron") if name in TEXTS[kind] and name not in body}
    return body | {"paused": form.get("paused") == "yes"}, faults
