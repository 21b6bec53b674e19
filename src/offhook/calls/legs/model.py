"""A leg of a call: what was dialled, or one who was rung for it. Pure."""

from typing import Literal

import msgspec

from offhook.directory.lines.model import Target
from offhook.routing.state import NOWHERE

Direction = Literal["inbound", "outbound"]
State = Literal["calling", "ringing", "connected", "parked", "voicemail", "missed", "hangup"]
"""Those of v2's states that occur: of a leg that is over, `missed` if it was never connected, else `hangup`."""


class CallLeg(msgspec.Struct, frozen=True, kw_only=True):
    """One leg. Moments are milliseconds since 1970 UTC, 0 for what has not happened.

    The one of what was dialled has the call's own id. `external` is a number outside, `internal` one of the company's.
    `device` is the telephone that took the call. `cause` says in a word why it ended.
    """

    id: int
    tenant_id: int
    call_id: int
    target: Target = NOWHERE
    direction: Direction
    external: str = ""
    internal: str = ""
    device: str = ""
    state: State = "calling"
    began: int
    rang: int = 0
    connected: int = 0
    ended: int = 0
    cause: str = ""

    @property
    def entry(self) -> bool:
        """Whether it is that of what was dialled."""
        return self.id == self.call_id


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What telephones tell of one who is rung ("user:1"): a `device` of theirs rings, or took the call."""

    at: int
    who: str
    device: str
    what: Literal["rang", "answered"]
