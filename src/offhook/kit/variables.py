"""Which OFFHOOK_ variables are read, all in one place, and which of an environment are not: those are said, as a name
that is misspelt changes nothing, and nobody would see why.
"""

import difflib
from collections.abc import Mapping

import msgspec

from offhook.kit.settings import FLAGS_ONLY, PREFIX, Settings

SETTINGS = frozenset(field.name.upper() for field in msgspec.structs.fields(Settings) if field.name not in FLAGS_ONLY)
OTHERS = frozenset({"CONFIG", "KEY", "TRACE", "URL"})
"""What commands read beside the settings."""

BEGINNINGS = ("SECRET_", "ENV_")
"""Of variables whose names go on: what workflows may have."""

OF_TESTS = frozenset({"PICTURES", "SHOTS"})
OF_TESTS_BEGINNING = "TEST_"
"""What only this repository's own tests read, whose servers and commands see it too."""

_NEAR = 0.6
_NEAR_WORD = 0.8


def is_read(variable: str) -> bool:
    """Whether something reads a variable; also of one that is none of ours."""
    name = variable.removeprefix(PREFIX)
    if name == variable or name in SETTINGS | OTHERS | OF_TESTS:
        return True
    return any(name.startswith(one) and name != one for one in (*BEGINNINGS, OF_TESTS_BEGINNING))


def unread(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables with our prefix that nothing reads, each with a sentence that says so and what may be meant.

    One that is empty counts as not set, as everywhere. No value is in a sentence: it may be a secret.
    """
    return {name: _told(name) for name in sorted(environ) if environ[name] and not is_read(name)}


def _told(variable: str) -> str:
    name = variable.removeprefix(PREFIX)
    if name.lower() in FLAGS_ONLY:
        return f"{variable} is not read: only the flag --{name.lower().replace('_', '-')} says that."
    meant = _meant(name)
    mend = f"Did you mean {PREFIX}{meant}?" if meant else "docs/configuration.md lists all that are."
    return f"{variable} is no variable of Offhook and changes nothing. {mend}"


def _meant(name: str) -> str:
    """The name that is nearest, "" if none is near."""
    if near := difflib.get_close_matches(name, sorted(SETTINGS | OTHERS), 1, _NEAR):
        return near[0]
    word, _, rest = name.partition("_")
    begins = difflib.get_close_matches(word, [one.rstrip("_") for one in BEGINNINGS], 1, _NEAR_WORD)
    return f"{begins[0]}_{rest}" if begins and rest else ""
