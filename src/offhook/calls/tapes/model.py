"""A tape: a message that somebody left, or the recording of a call. Pure."""

from typing import Literal, NamedTuple

import msgspec

from offhook.directory.lines.model import Target
from offhook.kit.wire import Int64Text

Kind = Literal["voicemail", "recording"]


class Sound(NamedTuple):
    """What a file says: how long it lasts, its size in bytes, its SHA-256 in hex."""

    milliseconds: int
    size: int
    digest: str


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A tape that is being recorded, as it stands beside the sound until the store has it.

    `name` is what its sound is called, with 192 random bits; `at` is milliseconds since 1970 UTC. `box` is where a
    message goes; of a recording it is found out when it is kept. `who` of the company are on it, once that is known.
    """

    id: int
    tenant_id: int
    call_id: int
    kind: Kind
    name: str
    at: int
    box: Target | None = None
    who: tuple[str, ...] = ()
    sound: Sound | None = None
    """What its file says, once it is whole."""


class Tape(msgspec.Struct, frozen=True, kw_only=True):
    """One that is kept. Moments are milliseconds since 1970 UTC.

    `box` has a message; of a recording it is the line that the call reached, or else the person who called. `who` are
    the people of the company on a recording, as "user:1 room:2". `digest` is the SHA-256 of the file of `size` bytes.
    `heard` is when a message was marked as read, 0 if it was not.
    """

    id: int
    tenant_id: int
    kind: Kind
    call_id: int
    box: Target
    office_id: int
    who: str
    caller: str
    name: str
    milliseconds: int
    size: int
    digest: str
    at: int
    heard: int = 0


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What an event says of a tape; never how its sound is found."""

    call_id: Int64Text
    target_type: str
    target_id: Int64Text
    caller: str
    milliseconds: int
    read: bool = False


def told(tape: Tape) -> Told:
    """What an event says of it."""
    return Told(
        call_id=str(tape.call_id),
        target_type=tape.box.type,
        target_id=str(tape.box.id),
        caller=tape.caller,
        milliseconds=tape.milliseconds,
        read=tape.heard > 0,
    )
