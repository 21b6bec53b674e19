"""What is sent to give numbers to targets and to take them back."""

from typing import Annotated, Literal

import msgspec

from offhook.kit.wire import Int64

Meta = msgspec.Meta

TargetType = Literal[
    "callcenter", "callrouter", "channel", "coachinggroup", "coachingteam", "department", "office", "room",
    "staffgroup", "unknown", "user",
]  # fmt: skip
SwapType = Literal["area_code", "auto", "provided_number"]

_Number = Annotated[Annotated[str, Meta(max_length=64)] | None, Meta(description="A free number, E.164.")]
_AreaCode = Annotated[
    Annotated[str, Meta(max_length=16)] | None,
    Meta(description="Any free number of this area, digits only.", examples=["415"]),
]
_Primary = Annotated[
    bool | None, Meta(description="Whether it comes first among the target's numbers; true unless said.")
]
_TargetType = Annotated[TargetType, Meta(description="The kind of the target.", extra={"stand_in": "office"})]
_TargetId = Annotated[Int64, Meta(description="The id of the target.")]


class AssignIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Which number to assign: one, or any of an area, or any at all."""

    number: _Number = None
    area_code: _AreaCode = None
    primary: _Primary = None


class AssignTargetIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Whom to assign the number in the path."""

    target_type: _TargetType
    target_id: _TargetId
    primary: _Primary = None


class AssignAnyIn(AssignIn, kw_only=True, omit_defaults=True):
    """Which number to assign, and whom."""

    target_type: _TargetType
    target_id: _TargetId


class UnassignIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Which number to take back."""

    number: Annotated[Annotated[str, Meta(max_length=64)], Meta(description="A number that it has, E.164.")]


class SwapDetails(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What the number is exchanged for."""

    type: Annotated[
        SwapType | None,
        Meta(description="A number of an area, any, or the one that is named; auto unless said."),
    ] = None
    area_code: Annotated[_AreaCode, Meta(description="With the type area_code: which area.")] = None
    number: Annotated[_Number, Meta(description="With the type provided_number: which number, E.164.")] = None


class SwapTarget(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Whose number is exchanged."""

    target_type: _TargetType
    target_id: _TargetId


class SwapIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Whose primary number to exchange, and for what."""

    target: Annotated[SwapTarget, Meta(description="Whose primary number.")]
    swap_details: Annotated[SwapDetails | None, Meta(description="For what; any number unless said.")] = None


class DeleteQuery(msgspec.Struct):
    """How to take a number back."""

    release: Annotated[
        bool, Meta(description="Also take it out of the inventory; a carrier that sold it gets it back.")
    ] = False
