"""Simulated calls and weeks on the wire."""

from typing import Annotated, Any, Literal

import msgspec

from offhook.directory.lines.wire import TargetType
from offhook.kit.wire import Int64, Int64Text

Meta = msgspec.Meta

Text = Annotated[str, Meta(max_length=256)]
Seconds = Annotated[int, Meta(ge=0, le=36_000)]
CalledType = TargetType | Literal["coachingteam"]
Does = Literal["answers", "lets_it_ring", "declines", "is_busy", "is_unreachable"]


class PersonIn(msgspec.Struct, kw_only=True):
    """What one who may be rung does."""

    who: Annotated[
        Text, Meta(description="An id, an extension, an e-mail address, a name, or an id with its kind as room:123.")
    ]
    does: Annotated[Does, Meta(description="What they do when it rings.")] = "answers"
    after: Annotated[Seconds, Meta(description="Seconds of ringing until they answer.")] = 4
    busy_for: Annotated[
        Seconds | None,
        Meta(description="Seconds, from the beginning of the call, that they are in another one; null: all the time."),
    ] = 0


class RouterIn(msgspec.Struct, kw_only=True):
    """What a call router's web service would say; it is not asked."""

    id: Annotated[Int64, Meta(description="The call router.")]
    target_type: Annotated[CalledType, Meta(description="Kind of where it sends the call.")]
    target_id: Annotated[Int64, Meta(description="Id of where it sends the call.")]


class TakerIn(msgspec.Struct, kw_only=True):
    """Who takes a parked call."""

    who: Annotated[Text, Meta(description="A user, named as in `people`.")]
    after: Annotated[Seconds, Meta(description="Seconds on park until then.")] = 10


class SendsIn(msgspec.Struct, kw_only=True):
    """Somebody sends the call on."""

    to: Annotated[Text, Meta(description="What they dial: an extension or a number.")]
    by: Annotated[Text, Meta(description="Who does, named as `who` is; whoever talks, if not sent.")] = ""
    after: Annotated[Seconds, Meta(description="Seconds of talking until they do.")] = 10


class SimulateIn(msgspec.Struct, kw_only=True):
    """A call that is not made."""

    to: Annotated[
        Text | None, Meta(description="The number that is called, E.164 or as dialled in the primary office's country.")
    ] = None
    target_type: Annotated[CalledType | None, Meta(description="Instead of a number: the kind of what is called.")] = (
        None
    )
    target_id: Annotated[Int64 | None, Meta(description="And its id.")] = None
    caller: Annotated[Text, Meta(description="The number that calls; empty for a hidden one.")] = ""
    caller_user: Annotated[
        Text | None, Meta(description="Instead: a user or room of the company who dials `to`, named as `who` is.")
    ] = None
    at: Annotated[
        Text | None,
        Meta(
            description="When: 2026-12-24 17:59 on the clock of what is called, or with an offset. Now, if not sent.",
            examples=["2026-12-24 17:59"],
        ),
    ] = None
    press: Annotated[
        Annotated[list[Text], Meta(max_length=100)],
        Meta(description="What the caller presses each time that keys are asked for; an empty text presses nothing."),
    ] = []
    answer: Annotated[Literal["nobody", "everybody"], Meta(description="What those do who are not in `people`.")] = (
        "nobody"
    )
    people: Annotated[Annotated[list[PersonIn], Meta(max_length=500)], Meta(description="What single people do.")] = []
    routers: Annotated[
        Annotated[list[RouterIn], Meta(max_length=50)], Meta(description="What call routers say; others say nothing.")
    ] = []
    workflows: Annotated[
        Annotated[list[dict[str, Any]], Meta(max_length=50)],
        Meta(
            description="What the workflows say that lines hand the call to, in turn: their outputs. They are not run; "
            "what is not said here ends in voicemail.",
            examples=[[{"action": "gather", "say": "Your number, please.", "digits": 4}, {"action": "voicemail"}]],
        ),
    ] = []
    transfers: Annotated[
        Annotated[list[SendsIn], Meta(max_length=20)],
        Meta(
            description="Who sends the call on to whom, in turn, each once they talk. Where the caller does, the call "
            "ends as transferred: the other side goes on as a call of its own.",
            examples=[[{"by": "ann@example.com", "to": "102"}]],
        ),
    ] = []
    hang_up_after: Annotated[Seconds | None, Meta(description="When the caller gives up, in seconds.")] = None
    message_seconds: Annotated[
        Annotated[int, Meta(ge=0, le=600)], Meta(description="How long a message they leave.")
    ] = 10
    talk_seconds: Annotated[Seconds, Meta(description="How long they talk to who answers.")] = 60
    park_after: Annotated[
        Seconds | None, Meta(description="After how many seconds of talking the call is put on park.")
    ] = None
    unpark: Annotated[
        Annotated[list[TakerIn], Meta(max_length=50)], Meta(description="Who takes it off park, in turn.")
    ] = []
    seed: Annotated[
        Annotated[int, Meta(ge=0, le=2**53)], Meta(description="What a random order of operators comes from.")
    ] = 1


class PlaceOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a call is at."""

    type: str
    id: Int64Text
    name: str


class MomentOut(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a call's story: seconds since it began, the kind of line, the words."""

    seconds: float
    kind: Literal["came", "why", "rang", "heard", "did"]
    text: str


class RangOut(msgspec.Struct, frozen=True, kw_only=True):
    """A time that telephones rang: when, whose (`names` as `who`), for how long at most, and what came of it."""

    seconds: float
    who: list[str]
    names: list[str]
    for_seconds: int
    came_of_it: str


class TraceOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened to a call, and why."""

    id: str
    config_version: Int64Text
    began: str
    seconds: float
    outcome: str
    ends_at: PlaceOut
    story: list[MomentOut]
    rang: list[RangOut]
    steps: msgspec.Raw
    text: str
    mermaid: str
    called: PlaceOut | None = None


class CoverageQuery(msgspec.Struct, kw_only=True):
    """Which week."""

    week_of: Annotated[
        Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None,
        Meta(description="A date of the week to show, which begins on Monday; this week, if not sent."),
    ] = None
    format: Annotated[Literal["json", "svg"], Meta(description="json, or svg for a picture.")] = "json"


class KeyOut(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a key of the menu leads to, and where the call ends if nobody answers."""

    key: str
    rings: list[str]
    ends: str


class StretchOut(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which nothing changes, on the line's own clock with its offset."""

    start: str
    end: str
    open: bool
    why: str
    reachable: bool
    rings: list[str]
    keys: list[KeyOut]
    ends: str


class WeekOut(msgspec.Struct, frozen=True, kw_only=True):
    """A line's week."""

    line: PlaceOut
    timezone: str
    first_day: str
    stretches: list[StretchOut]


class CoverageOut(msgspec.Struct, frozen=True, kw_only=True):
    """Who is reachable when."""

    config_version: Int64Text
    weeks: list[WeekOut]
