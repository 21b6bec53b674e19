"""What the routes of the directory share: ids out of paths, ETags, and the question whether to delete by force."""

from typing import Annotated, Any

import msgspec

from offhook.kit.operation import Call
from offhook.storage.documents import Kept

V1 = "/api/offhook/v1"
V2 = "/api/v2"


class ForceQuery(msgspec.Struct):
    """How to delete."""

    force: Annotated[
        bool, msgspec.Meta(description="Delete even if calls are sent there; those go to voicemail then. Not in v2.")
    ] = False


def id_of(call: Call, name: str = "id") -> int:
    """The int64 that stands in the path."""
    number = call.params[name]
    assert isinstance(number, int)
    return number


def etag(kept: Kept[Any]) -> tuple[tuple[bytes, bytes], ...]:
    """The header that `If-Match` is held against."""
    return ((b"etag", b'"%d"' % kept.version),)
