"""What the services of the workbench share beside access/doing.py and events/keeper.py: paths, scopes, ids, moments."""

from datetime import UTC, datetime
from typing import Any

from offhook.kit.operation import Call
from offhook.storage.documents import Kept

V1 = "/api/offhook/v1"
READ, WRITE = "catalog:read", "catalog:write"


def id_of(call: Call, name: str = "id") -> int:
    """The int64 that stands in the path."""
    number = call.params[name]
    assert isinstance(number, int)
    return number


def etag(kept: Kept[Any]) -> tuple[tuple[bytes, bytes], ...]:
    """The header that `If-Match` is held against."""
    return ((b"etag", b'"%d"' % kept.version),)


def iso(moment: int) -> str:
    """Milliseconds since 1970 UTC as a date-time with its zone."""
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds")
