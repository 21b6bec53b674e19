"""Offhook's own API document as the workbench has it: at this server's address, its limits told in words. Pure."""

from collections.abc import Mapping
from typing import Any

_WINDOWS = {1: "second", 60: "minute", 3600: "hour", 86400: "day"}


def own(document: Mapping[str, Any], address: str) -> dict[str, Any]:
    """The document with `address` ("" if it is not known) as its server, and the rate limit in each description."""
    paths = {
        path: {
            method: _told(operation) if isinstance(operation, Mapping) else operation
            for method, operation in item.items()
        }
        for path, item in document["paths"].items()
    }
    return {**document, "servers": [{"url": address or "/"}], "paths": paths}


def _told(operation: Mapping[str, Any]) -> dict[str, Any]:
    limits = [
        f"{count} per {_WINDOWS.get(seconds, f'{seconds} seconds')}"
        for count, seconds in operation.get("x-ratelimit", ())
    ]
    if not limits:
        return dict(operation)
    said = f"Rate limit: {' and '.join(limits)}."
    text = operation.get("description", "")
    return {**operation, "description": f"{text}\n\n{said}" if text else said}
