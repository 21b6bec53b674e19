"""Calls on the wire."""

from typing import Annotated, Literal

import msgspec

from offhook.kit.wire import Int64Text


class CallOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A call: when, between whom, and how it ended; without `ended` it lasts.

    `caller` is a number, or of the company's own people as "user:1", which nobody from outside can pass for;
    `caller_name` who that is, "" if nobody known.
    `emergency` is there for a call for help ("call"), and for one that only tests the emergency address ("test").
    """

    id: Int64Text
    began: str
    caller: str
    caller_name: str
    dialled: str
    phase: str
    ended: str | None = None
    outcome: str | None = None
    emergency: Literal["call", "test"] | None = None


class CallPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of calls, the latest first."""

    items: list[CallOut] = []
    cursor: str | None = None


class CallQuery(msgspec.Struct, kw_only=True):
    """Which page."""

    cursor: Annotated[str | None, msgspec.Meta(description="The cursor of the page before.")] = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
