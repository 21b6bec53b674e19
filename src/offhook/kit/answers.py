"""Answers of the API as whoever asked reads them: violations out of a refusal, notices out of warning headers."""

import re
from typing import Any
from urllib.parse import unquote

from offhook.kit.errors import Notice, Violation, shown

_ENCODED = re.compile(r"(?:%[89A-F][0-9A-F])+")


def violations_of(entries: list[Any]) -> list[Violation]:
    """The entries of an error in v2's form that name a place."""
    return [
        Violation(
            location=shown(str(entry["location"])),
            message=str(entry.get("message", "")),
            reason=str(entry.get("reason", "")),
            sent=None if entry.get("sent") is None else shown(str(entry["sent"])),
        )
        for entry in entries
        if isinstance(entry, dict) and entry.get("location")
    ]


def notice_of(line: str) -> Notice:
    """An `Offhook-Warning` header, `code; field; text`, what is not ASCII percent-encoded."""
    code, field, text = [*line.split("; ", 2), "", ""][:3]
    return Notice(code, _plain(field), _plain(text))


def _plain(text: str) -> str:
    return _ENCODED.sub(lambda found: unquote(found.group(), errors="replace"), text)
