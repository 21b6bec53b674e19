"""A prompt as it is kept, its recording, and where it is in use."""

from typing import get_args

import msgspec

from offhook.directory.lines.model import Target
from offhook.directory.prompts.wire import Direction, IvrType, TargetType

KINDS: tuple[IvrType, ...] = get_args(IvrType)
"""Every purpose of a prompt, in the order of the alphabet."""

TARGET_TYPES: frozenset[str] = frozenset(get_args(TargetType))
BY_DIRECTION = frozenset({"AUTO_RECORDING", "CALLAI_AUTO_RECORDING", "CG_AUTO_RECORDING"})
"""The purposes for which a call center may have one prompt for inbound calls and another for outbound ones."""

BOTH: tuple[Direction, ...] = get_args(Direction)


class Prompt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A recording under a name. `digest` is the SHA-256 of the uploaded file, in hexadecimal."""

    digest: str
    name: str = ""
    description: str = ""


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an uploaded file. `damaged` counts its bytes that were no sound and were skipped."""

    media_type: str
    size: int
    milliseconds: int
    damaged: int = 0


class Sound(msgspec.Struct, frozen=True, kw_only=True):
    """A decoded recording: a WAV file of 8 kHz, mono, 16 bits."""

    media_type: str
    milliseconds: int
    damaged: int
    wav: bytes


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt that a target has for a purpose. It is played for calls of the directions that are true."""

    target: Target
    kind: IvrType
    prompt_id: int
    inbound: bool = False
    outbound: bool = False

    @property
    def selected(self) -> bool:
        return self.inbound or self.outbound

    @property
    def only(self) -> Direction | None:
        """The one direction that it is played for, None if both or neither."""
        if self.inbound == self.outbound:
            return None
        return "inbound" if self.inbound else "outbound"
