"""Texts that people wrote: one line of them, or several, without anything that would break the place they end up in.

A name goes into lists, SIP headers, invoices and logs, so control characters are refused rather than removed. What
joins letters and emoji (ZWJ, variation selectors, direction marks) is part of how people write, and stays.
"""

import re
import unicodedata
from collections.abc import Sequence

from offhook.kit.errors import Violation, shown

Checked = tuple[str | None, Violation | None]

_BREAKS = frozenset({"Cc", "Zl", "Zp", "Cs"})
_LINES = frozenset("\n\r\t\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}\x85")
_UNSEEN = frozenset({"Cf", "Zs", "Mn", "Me"})


def _named(character: str, at: int) -> str:
    """A character that cannot be shown, as `a line feed (U+000A) as character 7`."""
    known = {"\n": "a line feed", "\r": "a carriage return", "\t": "a tab", "\0": "a NUL"}
    category = unicodedata.category(character)
    kind = {"Zl": "a line separator", "Zp": "a paragraph separator", "Cs": "half a surrogate pair"}
    what = known.get(character) or kind.get(category, "a control character")
    return f"{what} (U+{ord(character):04X}) as character {at + 1}"


def single_line(text: str, location: str, limit: int = 256) -> Checked:
    """`text` without the spaces around it, or why it is not one line: `("Lisbon", None)` or `(None, violation)`.

    A line: at least one visible character, at most `limit` characters (code points, after trimming), no character of
    the Unicode categories Cc, Zl, Zp and Cs, not even at its ends.
    """
    if text.isprintable():
        line = text.strip(" ")
        visible = bool(line)
    else:
        for at, character in enumerate(text[: 4 * limit]):
            if unicodedata.category(character) in _BREAKS:
                found = _named(character, at)
                message = f"Must be a single line without control characters, but has {found}; remove it."
                return None, Violation(location=location, message=message, sent=shown(text))
        line = text.strip()
        visible = any(unicodedata.category(character) not in _UNSEEN for character in line[: 4 * limit])
    if len(line) > limit:
        message = f"Must have at most {limit} characters, but has {len(line)}; shorten it."
        return None, Violation(location=location, message=message, sent=shown(line))
    if not visible:
        return None, Violation(location=location, message="Must not be empty; write a text.", sent=shown(text))
    return line, None


def multi_line(text: str, location: str, limit: int) -> Checked:
    """`text` as it is, or why it is no description: `("", None)` or `(None, violation)`.

    Line breaks and tabs are allowed, other control characters and lone surrogates are not; at most `limit` characters;
    empty is fine.
    """
    if len(text) > limit:
        message = f"Must have at most {limit} characters, but has {len(text)}; shorten it."
        return None, Violation(location=location, message=message, sent=shown(text))
    if not text.isprintable():
        for at, character in enumerate(text):
            if character not in _LINES and unicodedata.category(character) in _BREAKS:
                found = _named(character, at)
                message = f"May have line breaks and tabs, but no other control characters: remove {found}."
                return None, Violation(location=location, message=message, sent=shown(text))
    return text, None


def slug(text: str, limit: int) -> str:
    """`text` as a word for addresses: "Café & Más 2" is "cafe-mas-2"; "" if nothing of it is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:limit].strip("-")


def enumerated(parts: Sequence[str], last: str = "and") -> str:
    """Parts of a sentence: `2 rooms, 20 users and 1 department`."""
    return f" {last} ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
