"""A ladder on the wire."""

from typing import Annotated, Literal

import msgspec

from offhook.kit.wire import Int64Text

Meta = msgspec.Meta


class PhoneOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A telephone or carrier of a party. Seconds are since the call began; packets are of the sound that it sent."""

    device_id: str | None = None
    address: str | None = None
    began: float
    rang: float | None = None
    taken: float | None = None
    ended: float | None = None
    code: Annotated[int | None, Meta(description="The SIP status that it ended with, if it was never taken.")] = None
    cause: Annotated[str | None, Meta(description="Why it ended, as it told itself.")] = None
    words: Annotated[str | None, Meta(description="How its part in the call ended, for people.")] = None
    codec: str | None = None
    packets: int = 0
    lost: int = 0


class LegOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A leg of a party, as calls have it, also while it lasts. Seconds are since the call began.

    `state` is v2's, and `words` say it, or why the leg ended. `device_id` is the telephone that took the call.
    """

    began: float
    rang: float | None = None
    taken: float | None = None
    ended: float | None = None
    state: str
    words: str
    device_id: str | None = None


class PartyOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A column of the ladder. `cause` says why its last leg ended.

    What its telephones tell of themselves, `phones`, is there a second after all of the call's are over.
    """

    kind: str
    name: str
    id: str | None = None
    cause: str | None = None
    phones: list[PhoneOut] = []
    legs: list[LegOut] = []


class ArrowOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went between two parties, which are counted from 0; from one to itself it is a note."""

    seconds: float
    kind: str
    start: int
    end: int
    text: str
    tone: str = "plain"


class LadderOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A call between its parties. `over` once nothing follows; `cut` arrows are left out from the middle. `beeped`:
    beeps were heard in place of prompts, as they could not be spoken or played in time.
    """

    id: Int64Text
    began: str
    over: bool
    outcome: str
    parties: list[PartyOut]
    arrows: list[ArrowOut]
    text: str
    cut: int = 0
    beeped: bool = False
    emergency: Annotated[
        Literal["call", "test"] | None,
        Meta(description="A call for help, which no API ends, or one that only tests the emergency address."),
    ] = None
