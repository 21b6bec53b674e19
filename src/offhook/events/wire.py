"""What the event log gives over HTTP."""

from typing import Annotated, Any

import msgspec

from offhook.kit.wire import Int64Text


class ActorOut(msgspec.Struct, omit_defaults=True):
    """Who made a change."""

    key_id: Annotated[Int64Text | None, msgspec.Meta(description="The API key; absent for the command line.")] = None
    name: Annotated[str | None, msgspec.Meta(description="The key's name.")] = None


class EventOut(msgspec.Struct, omit_defaults=True):
    """One change, as it was committed."""

    seq: Annotated[Int64Text, msgspec.Meta(description="Position in the log; larger is later.")]
    event: Annotated[str, msgspec.Meta(description="What happened, as subject.action.", examples=["office.created"])]
    subject_id: Annotated[str, msgspec.Meta(description="What it happened to: an id, or a number in E.164.")]
    at: Annotated[Int64Text, msgspec.Meta(description="When, in milliseconds since 1970 UTC.")]
    actor: ActorOut
    request_id: Annotated[str | None, msgspec.Meta(description="The request that caused it.")] = None
    before: Annotated[Any, msgspec.Meta(description="The subject before; absent if it did not exist.")] = None
    after: Annotated[Any, msgspec.Meta(description="The subject after; absent if it is gone.")] = None


class EventPage(msgspec.Struct, omit_defaults=True):
    """A page of the event log."""

    items: list[EventOut] = []
    cursor: Annotated[
        str | None, msgspec.Meta(description="Send it back to go on; keep it to poll for what comes.")
    ] = None


class EventQuery(msgspec.Struct):
    """Where to read."""

    cursor: Annotated[str | None, msgspec.Meta(description="The cursor of the page before.")] = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500, description="Events in a page.")] = 100
    newest_first: Annotated[bool, msgspec.Meta(description="Begin with what happened last and go back.")] = False
    subject_id: Annotated[
        Annotated[str, msgspec.Meta(max_length=64)] | None,
        msgspec.Meta(
            description="Only what happened to this id or number. A page may then be short, or empty, and still have a "
            "cursor: each looks at 2,000 events at most."
        ),
    ] = None
