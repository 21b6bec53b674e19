"""What every line that rings a group has on the wire: hours, routing, menu. An office's main line, a department's and a
call center's say these things in the same words.
"""

from typing import Annotated, Literal

import msgspec

from offhook.kit.wire import Int64, Int64Text

Meta = msgspec.Meta

FirstAction = Literal["menu", "operators"]
Action = Literal[
    "bridge_target", "company_directory", "department", "directory", "disabled", "extension",
    "last_name_company_directory", "last_name_directory", "menu", "message", "operator", "person", "scripted_ivr",
    "voicemail",
]  # fmt: skip
Strategy = Literal["fixedorder", "longestidle", "mostskilled", "random", "roundrobin", "simultaneous"]
TargetType = Literal[
    "callcenter", "callrouter", "channel", "coachinggroup", "contact", "contactgroup", "department", "office", "room",
    "staffgroup", "unknown", "user",
]  # fmt: skip

Availability = Literal["open", "closed", "holiday_open", "holiday_closed"]
State = Literal["active", "cancelled", "deleted", "pending", "suspended"]

SingleLine = Annotated[str, Meta(max_length=1024, extra_json_schema={"x-offhook-rule": "single line, 256 characters"})]
ShortText = Annotated[str, Meta(max_length=64)]
Hours = Annotated[
    list[str], Meta(max_length=96, description="Opening and closing times in turn, HH:MM, in the office's time zone.")
]


class MenuOptions(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a menu key does."""

    action: Annotated[Action | None, Meta(description="What happens when the key is pressed.")] = None
    action_target_type: Annotated[TargetType | None, Meta(description="Kind of what is called.")] = None
    action_target_id: Annotated[Int64 | None, Meta(description="Id of what is called.")] = None


class MenuKey(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One key of a menu."""

    input: Annotated[ShortText | None, Meta(description="The key, 0 to 9; each at most once in a menu.")] = None
    options: Annotated[MenuOptions | None, Meta(description="What it does.")] = None


class RoutingState(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What happens to a call in one state of the office."""

    action: Annotated[
        Action,
        Meta(description="What happens when no operator answers, or none is tried.", extra={"stand_in": "voicemail"}),
    ]
    try_dial_operators: Annotated[bool, Meta(description="Whether operators are rung first.")]
    action_target_type: Annotated[TargetType | None, Meta(description="Kind of what the action calls.")] = None
    action_target_id: Annotated[Int64 | None, Meta(description="Id of what the action calls.")] = None
    operator_routing: Annotated[Strategy | None, Meta(description="Order in which operators ring.")] = None
    dtmf: Annotated[Annotated[list[MenuKey], Meta(max_length=32)] | None, Meta(description="The menu's keys.")] = None


class RoutingOptions(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What happens to calls, while open and while closed."""

    open: Annotated[RoutingState, Meta(description="While the office is open.")]
    closed: Annotated[RoutingState, Meta(description="While it is closed.")]


class VoiceIntelligence(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Live transcription and hints during calls."""

    auto_start: Annotated[bool | None, Meta(description="Start by itself; true unless said.")] = None
    allow_pause: Annotated[bool | None, Meta(description="Whether people may stop it in a call; true unless said.")] = (
        None
    )


class WeekIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Opening hours by day."""

    monday_hours: Annotated[Hours | None, Meta(description="Monday; 08:00 to 18:00 unless said.")] = None
    tuesday_hours: Annotated[Hours | None, Meta(description="Tuesday; 08:00 to 18:00 unless said.")] = None
    wednesday_hours: Annotated[Hours | None, Meta(description="Wednesday; 08:00 to 18:00 unless said.")] = None
    thursday_hours: Annotated[Hours | None, Meta(description="Thursday; 08:00 to 18:00 unless said.")] = None
    friday_hours: Annotated[Hours | None, Meta(description="Friday; 08:00 to 18:00 unless said.")] = None
    saturday_hours: Annotated[Hours | None, Meta(description="Saturday; closed unless said.")] = None
    sunday_hours: Annotated[Hours | None, Meta(description="Sunday; closed unless said.")] = None
    hours_on: (
        Annotated[
            bool,
            Meta(
                description="Whether the lists count; false takes calls at any hour.",
                extra_json_schema={"default": False},
            ),
        ]
        | None
    ) = None


class MenuOptionsOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a menu key does; also the form in which it is kept."""

    action: Action | None = None
    action_target_type: TargetType | None = None
    action_target_id: Int64Text | None = None


class MenuKeyOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One key of a menu; also the form in which it is kept."""

    input: str | None = None
    options: MenuOptionsOut | None = None


class RoutingStateOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happens to a call in one state of the office; also the form in which it is kept."""

    action: Action
    try_dial_operators: bool
    action_target_type: TargetType | None = None
    action_target_id: Int64Text | None = None
    operator_routing: Strategy | None = None
    dtmf: tuple[MenuKeyOut, ...] = ()


class RoutingOptionsOut(msgspec.Struct, kw_only=True):
    """What happens to calls, while open and while closed."""

    open: RoutingStateOut
    closed: RoutingStateOut
