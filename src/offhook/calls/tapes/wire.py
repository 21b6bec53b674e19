"""Messages and recordings on the wire."""

from typing import Annotated, Literal

import msgspec

from offhook.kit.wire import Int64, Int64Text

Meta = msgspec.Meta
Box = Literal["office", "department", "callcenter", "callrouter", "user", "room"]


class TapeOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A message or a recording; `sound` is the path of what it sounds like."""

    id: Int64Text
    call_id: Int64Text
    target_type: str
    target_id: Int64Text
    target_name: str
    office_id: Int64Text | None = None
    caller: Annotated[str, Meta(description='A number, or of the company\'s own people as "user:1"; "" if hidden.')]
    caller_name: Annotated[str, Meta(description="Who that is: one of them, or a contact that calls are sent to.")] = ""
    began: str
    seconds: float
    size: int
    digest: Annotated[str, Meta(description="SHA-256 of the file, in hex.")]
    sound: str
    users: list[str] = []
    """Who of the company is on a recording, as `user:1`."""


class VoicemailOut(TapeOut, kw_only=True, omit_defaults=True):
    """A message in a box; `read` since `read_at`."""

    read: bool
    read_at: str | None = None


class RecordingOut(TapeOut, kw_only=True, omit_defaults=True):
    """The recording of a call."""


class VoicemailPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of messages, the latest first."""

    items: list[VoicemailOut] = []
    cursor: str | None = None


class RecordingPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of recordings, the latest first."""

    items: list[RecordingOut] = []
    cursor: str | None = None


class TapeQuery(msgspec.Struct, kw_only=True):
    """Which ones, and which page of them."""

    target_type: Annotated[Box | None, Meta(description="With `target_id`: only those of this box or line.")] = None
    target_id: Annotated[Int64 | None, Meta(description="With `target_type`.")] = None
    office_id: Annotated[Int64 | None, Meta(description="Only those of this office and all that is in it.")] = None
    call_id: Annotated[Int64 | None, Meta(description="Only those of this call.")] = None
    cursor: Annotated[str | None, Meta(description="The cursor of the page before.")] = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class VoicemailQuery(TapeQuery, kw_only=True):
    """The same of messages."""

    unread: Annotated[bool, Meta(description="Only those that are not marked as read.")] = False


class VoicemailPatch(msgspec.Struct, kw_only=True):
    """What to change of a message."""

    read: Annotated[bool, Meta(description="Whether it is marked as read.")]


class LinkIn(msgspec.Struct, kw_only=True):
    """For how long a link is good."""

    seconds: Annotated[int, Meta(ge=1, le=604_800, description="Up to seven days.")] = 3600


class LinkOut(msgspec.Struct, kw_only=True):
    """A link that plays one tape, without a key, until `expires` or until the tape is deleted."""

    url: str
    expires: str
