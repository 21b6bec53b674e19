"""Voice prompts as v2 has them, which calls them custom IVRs, and what Offhook tells besides."""

from typing import Annotated, Literal

import msgspec

from offhook.directory.lines.wire import SingleLine
from offhook.kit.wire import Int64, Int64Text

Meta = msgspec.Meta

IvrType = Literal[
    "ASK_FIRST_OPERATOR_NOT_AVAILABLE", "AUTO_RECORDING", "CALLAI_AUTO_RECORDING", "CG_AUTO_RECORDING", "CLOSED",
    "CLOSED_DEPARTMENT_INTRO", "CLOSED_MENU", "CLOSED_MENU_OPTION", "CSAT_INTRO", "CSAT_OUTRO", "CSAT_PREAMBLE",
    "CSAT_QUESTION", "DEPARTMENT_INTRO", "GREETING", "HOLD_AGENT_READY", "HOLD_APPREC", "HOLD_CALLBACK_ACCEPT",
    "HOLD_CALLBACK_ACCEPTED", "HOLD_CALLBACK_CONFIRM", "HOLD_CALLBACK_CONFIRM_NUMBER",
    "HOLD_CALLBACK_DIFFERENT_NUMBER", "HOLD_CALLBACK_DIRECT", "HOLD_CALLBACK_FULFILLED",
    "HOLD_CALLBACK_INVALID_NUMBER", "HOLD_CALLBACK_KEYPAD", "HOLD_CALLBACK_REJECT", "HOLD_CALLBACK_REJECTED",
    "HOLD_CALLBACK_REQUEST", "HOLD_CALLBACK_REQUESTED", "HOLD_CALLBACK_SAME_NUMBER", "HOLD_CALLBACK_TRY_AGAIN",
    "HOLD_CALLBACK_UNDIALABLE", "HOLD_ESCAPE_VM_EIGHT", "HOLD_ESCAPE_VM_FIVE", "HOLD_ESCAPE_VM_FOUR",
    "HOLD_ESCAPE_VM_NINE", "HOLD_ESCAPE_VM_ONE", "HOLD_ESCAPE_VM_POUND", "HOLD_ESCAPE_VM_SEVEN", "HOLD_ESCAPE_VM_SIX",
    "HOLD_ESCAPE_VM_STAR", "HOLD_ESCAPE_VM_TEN", "HOLD_ESCAPE_VM_THREE", "HOLD_ESCAPE_VM_TWO", "HOLD_ESCAPE_VM_ZERO",
    "HOLD_INTERRUPT", "HOLD_INTRO", "HOLD_MUSIC", "HOLD_POSITION_EIGHT", "HOLD_POSITION_FIVE", "HOLD_POSITION_FOUR",
    "HOLD_POSITION_MORE", "HOLD_POSITION_NINE", "HOLD_POSITION_ONE", "HOLD_POSITION_SEVEN", "HOLD_POSITION_SIX",
    "HOLD_POSITION_TEN", "HOLD_POSITION_THREE", "HOLD_POSITION_TWO", "HOLD_POSITION_ZERO", "HOLD_WAIT", "MENU",
    "MENU_OPTION", "NEXT_TARGET", "VM_DROP_MESSAGE", "VM_UNAVAILABLE", "VM_UNAVAILABLE_CLOSED",
]  # fmt: skip
Owner = Literal["callcenter", "coachingteam", "department", "office", "user"]
TargetType = Literal[
    "callcenter", "callrouter", "channel", "coachinggroup", "coachingteam", "department", "office", "room",
    "staffgroup", "unknown", "user",
]  # fmt: skip
Direction = Literal["inbound", "outbound"]


class IvrIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A recording to keep, and to play for one purpose of one target."""

    file: Annotated[
        str,
        Meta(
            description="The recording, an MP3 or a WAV file of up to 8 MiB and 10 minutes, in base64.",
            extra_json_schema={"format": "byte"},
        ),
    ]
    ivr_type: Annotated[IvrType, Meta(description="When it is played.", examples=["MENU"])]
    target_type: Annotated[Owner, Meta(description="The kind of what plays it.")]
    target_id: Annotated[Int64, Meta(description="The id of what plays it.")]
    name: Annotated[SingleLine | None, Meta(description="A name, one line of up to 100 characters.")] = None
    description: Annotated[SingleLine | None, Meta(description="One line of up to 256 characters.")] = None


class IvrPatch(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What to change of a prompt; what is not sent stays."""

    name: Annotated[SingleLine | None, Meta(description='One line of up to 100 characters; "" removes it.')] = None
    description: Annotated[SingleLine | None, Meta(description='One line of up to 256; "" removes it.')] = None


class IvrChoice(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Which prompt."""

    ivr_id: Annotated[Int64, Meta(description="The prompt's id.")]
    select_option: Annotated[
        Direction | None,
        Meta(description="For the recording notices of a call center: calls of one direction only; both unless sent."),
    ] = None


class IvrChoiceOrQuery(IvrChoice, kw_only=True, omit_defaults=True):
    """Which prompt, unless the query names it."""

    ivr_id: Annotated[Int64 | None, Meta(description="The prompt's id.")] = None  # type: ignore[assignment]


class IvrQuery(msgspec.Struct):
    """Which prompt, for clients that send no body with DELETE."""

    ivr_id: Annotated[
        int | None, Meta(description="The prompt's id, for clients that send no body with DELETE. Not in v2.")
    ] = None


class IvrListQuery(msgspec.Struct):
    """Whose prompts."""

    target_type: Annotated[TargetType, Meta(description="The kind of what plays them.")]
    target_id: Annotated[int, Meta(description="The id of what plays them.")]
    cursor: Annotated[str | None, Meta(description="The cursor of the page before.")] = None


class IvrDetailsOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A prompt, as v2 answers it."""

    id: Int64Text
    date_added: Annotated[Int64Text, Meta(description="Milliseconds since 1970, UTC.")]
    selected: Annotated[bool, Meta(description="Whether it is the one that is played.")]
    name: str = ""
    description: str = ""


class IvrOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """All prompts that a target has for one purpose."""

    ivr_type: IvrType
    ivrs: list[IvrDetailsOut] = []


class IvrPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of a target's prompts."""

    items: list[IvrOut] = []
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class UseOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One target's use of a prompt for one purpose."""

    target_type: str
    target_id: Int64Text
    ivr_type: IvrType
    selected: Annotated[bool, Meta(description="Whether it is the one that is played; else it can be chosen.")]
    select_option: Annotated[Direction | None, Meta(description="The only direction, if not both.")] = None


class PromptKept(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A prompt and its recording, as events tell it."""

    id: Int64Text
    date_added: Annotated[Int64Text, Meta(description="Milliseconds since 1970, UTC.")]
    digest: Annotated[str, Meta(description="SHA-256 of the file as it was uploaded.")]
    media_type: Annotated[str, Meta(description="What was uploaded: audio/mpeg or audio/wav.")]
    size: Annotated[int, Meta(description="Bytes of the file as it was uploaded.")]
    seconds: Annotated[float, Meta(description="How long it lasts.")]
    name: str = ""
    description: str = ""


class PromptOut(PromptKept, kw_only=True, omit_defaults=True):
    """A prompt, its recording, and where it is in use."""

    uses: Annotated[list[UseOut], Meta(description="Where it is in use; the first 100.")] = []


class PromptPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of the company's prompts."""

    items: list[PromptKept] = []
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class PromptListQuery(msgspec.Struct):
    """Which prompts."""

    cursor: Annotated[str | None, Meta(description="The cursor of the page before.")] = None
