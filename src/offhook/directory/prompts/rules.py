"""What an upload must be before anybody listens to it: base64, and its texts of one line. Pure."""

import binascii
import re

from offhook.directory.prompts.decoder import TAKEN
from offhook.directory.prompts.model import BY_DIRECTION
from offhook.kit.errors import Notice, Violation
from offhook.kit.text import single_line

MAX_FILE = 8 * 1024 * 1024
MAX_OF_KIND = 100
"""Prompts that a target may have for one purpose."""

NAME_LIMIT = 100
DESCRIPTION_LIMIT = 256

_FOREIGN = re.compile(r"[^A-Za-z0-9+/=]")


def decoded(text: str, found: list[Violation]) -> bytes | None:
    """The file that `text` holds in base64, padded or not; None and a violation if it holds none."""
    plain = "".join(text.split())
    if "-" in plain or "_" in plain:
        plain = plain.translate({ord("-"): "+", ord("_"): "/"})
    if plain.startswith("data:"):
        fault = 'Must be the base64 alone: leave out what stands before it ("data:…;base64,").'
    elif (foreign := _FOREIGN.search(plain)) is not None:
        fault = f"Must be base64, which has no {foreign.group()!r}: encode the bytes of the file."
    else:
        try:
            data = binascii.a2b_base64(plain.rstrip("=") + "=" * (-len(plain.rstrip("=")) % 4), strict_mode=True)
        except binascii.Error:
            fault = "Must be base64, and whole: this is cut off, or padded in its midst."
        else:
            if not data:
                fault = f"The file is empty; {TAKEN}."
            elif len(data) > MAX_FILE:
                fault = (
                    f"The file has {len(data):,} bytes; it may have {MAX_FILE:,}. An MP3 is smaller than a WAV file."
                )
            else:
                return data
    found.append(Violation(location="file", message=fault))
    return None


def one_line(text: str | None, location: str, limit: int, found: list[Violation]) -> str | None:
    """A text without the spaces around it, "" for an empty one, None if there is none or it is refused."""
    if not text:
        return text
    line, fault = single_line(text, location, limit)
    if fault is not None:
        found.append(fault)
    return line


def takes_direction(target_type: str, kind: str) -> bool:
    """Whether inbound and outbound calls may have prompts of their own."""
    return target_type == "callcenter" and kind in BY_DIRECTION


def never_played(target_type: str, kind: str) -> Notice | None:
    """The warning of a purpose that a kind of target does not have."""
    if kind != "VM_DROP_MESSAGE" or target_type == "user":
        return None
    text = f"Only a user leaves recorded messages in the voicemail of others; this {target_type} never plays it."
    return Notice("never_played", "ivr_type", text)
