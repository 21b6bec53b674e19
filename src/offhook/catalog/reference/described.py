"""What a document says of an operation in prose. Pure."""

from typing import Any

from offhook.catalog.reference.resolving import items, text_of


def described(operation: dict[str, Any], most: int) -> str:
    """The description, `most` characters of it, and behind it the rate limit where an extension says it in numbers.

    That is `x-ratelimit: [[1200, 60]]`, 1,200 requests in 60 seconds.
    """
    text = text_of(operation.get("description"))[:most]
    limits = [limit for limit in items(operation.get("x-ratelimit"))[:3] if _is_limit(limit)]
    said = ", ".join(f"{count} per {_PERIODS.get(seconds, f'{seconds} seconds')}" for count, seconds in limits)
    return f"{text}\n\nRate limit: {said}.".strip() if said else text


_PERIODS = {1: "second", 60: "minute", 3600: "hour", 86400: "day"}


def _is_limit(limit: Any) -> bool:
    return isinstance(limit, list) and len(limit) == 2 and all(type(number) is int for number in limit)
