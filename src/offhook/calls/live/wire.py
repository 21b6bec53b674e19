"""Calls under way on the wire."""

from typing import Annotated, Literal

import msgspec

from offhook.kit.wire import Int64Text
from offhook.routing.wire import PlaceOut

Meta = msgspec.Meta


class WithOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody whom a call rings or has: `state` is ringing or connected. `call_id` is that of their leg."""

    call_id: Int64Text
    type: str
    id: str
    name: str
    state: str


class LiveCallOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A call under way. `since` is when it came to where it is now; `words` say where that is."""

    id: Int64Text
    direction: str
    began: str
    since: str
    caller: Annotated[str, Meta(description="A number, or of the company's own people nothing.")]
    caller_name: str
    dialled: str
    phase: str
    words: str
    line: PlaceOut | None = None
    at: PlaceOut | None = None
    people: list[WithOut] = []
    position: Annotated[int | None, Meta(description="In the queue of the line, from 1.")] = None
    emergency: Annotated[
        Literal["call", "test"] | None,
        Meta(description="A call for help, which no API ends, or one that only tests the emergency address."),
    ] = None


class LiveOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All calls under way, the latest first, as they were at the moment `at`; `more` there are that are not shown."""

    at: str
    items: list[LiveCallOut]
    more: int = 0


class WatchQuery(msgspec.Struct, kw_only=True):
    """For how long."""

    seconds: Annotated[
        int,
        Meta(ge=0, le=86_400, description="After which it ends; 0 ends it behind the first message."),
    ] = 3_600
