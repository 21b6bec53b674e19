"""Where a line hands calls to its workflow, read from its routing as answers have it. Pure."""

from collections.abc import Mapping
from typing import Any

ACTION = "scripted_ivr"


def places(options: Mapping[str, Any]) -> list[str]:
    """In words: `while open`, or `key 3 while closed` for a key of a menu; empty if no action asks a workflow."""
    found = []
    for state in ("open", "closed"):
        routing = options.get(state) or {}
        if routing.get("action") == ACTION:
            found.append(f"while {state}")
        if routing.get("action") == "menu":
            found += [
                f"key {key['input']} while {state}"
                for key in routing.get("dtmf") or ()
                if key.get("input") is not None and (key.get("options") or {}).get("action") == ACTION
            ]
    return found
