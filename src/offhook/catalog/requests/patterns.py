"""A text that a pattern matches, as short as it goes. Pure, and bounded: patterns come from documents."""

import re
from functools import lru_cache
from re import _parser as parser
from typing import Any

import jsonschema_rs

LONGEST_PATTERN = 500
LONGEST_TEXT = 1_000
_MOST_STEPS = 5_000
_LIKELY = "a1A0 -_.:/@+#xX,;!$%&*=?~^|'\"()[]{}<>\\`éß"
_CLASSES = {"CATEGORY_DIGIT": "1", "CATEGORY_WORD": "a", "CATEGORY_SPACE": " ", "CATEGORY_NOT_DIGIT": "a",
            "CATEGORY_NOT_WORD": "-", "CATEGORY_NOT_SPACE": "a"}  # fmt: skip


class _NoText(Exception):
    """The pattern has something that is not built, or is too long."""


@lru_cache(maxsize=256)
def matching(pattern: str, least: int = 0) -> str | None:
    """A text that matches, of at least so many characters if it can be so; None if none was found."""
    if len(pattern) > LONGEST_PATTERN:
        return None
    for more in range(2) if least else range(1):
        try:
            # Of repetitions as many as are needed, at first; then as many as the text needs.
            text = _Building(least if more else 0).text(parser.parse(pattern))
        except (_NoText, re.error, RecursionError, OverflowError):
            return None
        if len(text) >= least and _is_match(pattern, text):
            return text
    return None


def _is_match(pattern: str, text: str) -> bool:
    """By the library that checks requests, which is done in linear time."""
    try:
        options = jsonschema_rs.RegexOptions(size_limit=1_000_000, dfa_size_limit=1_000_000)
        checked = jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=options, offline=True)
        return bool(checked.is_valid(text))
    except (jsonschema_rs.ValidationError, ValueError):
        return False


class _Building:
    def __init__(self, repeated: int) -> None:
        self._repeated = repeated
        self._left = _MOST_STEPS
        self._groups: dict[int, str] = {}

    def text(self, parts: Any) -> str:
        """The text of a sequence."""
        made: list[str] = []
        length = 0
        for kind, given in parts:
            self._left -= 1
            one = self._one(str(kind), given)
            length += len(one)
            if self._left < 0 or length > LONGEST_TEXT:
                raise _NoText
            made.append(one)
        return "".join(made)

    def _one(self, kind: str, given: Any) -> str:
        if kind == "LITERAL":
            return chr(given)
        if kind == "NOT_LITERAL":
            return "b" if given == ord("a") else "a"
        if kind == "ANY":
            return "a"
        if kind == "IN":
            return self._of_class(given)
        if kind == "BRANCH":
            return self.text(given[1][0])
        if kind == "SUBPATTERN":
            number, _, _, inner = given
            text = self.text(inner)
            if number is not None:
                self._groups[number] = text
            return text
        if kind in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            least, most, inner = given
            count = int(max(least, min(int(most), self._repeated)))
            return "".join(self.text(inner) for _ in range(min(count, LONGEST_TEXT + 1)))
        if kind == "GROUPREF":
            return self._groups.get(given, "")
        if kind in ("AT", "ASSERT_NOT", "ASSERT"):
            # Whether that holds is seen in the end.
            return ""
        raise _NoText

    def _of_class(self, given: Any) -> str:
        negated = bool(given) and str(given[0][0]) == "NEGATE"
        if not negated:
            kind, value = str(given[0][0]), given[0][1]
            if kind == "LITERAL":
                return chr(value)
            if kind == "RANGE":
                return chr(value[0])
            if kind == "CATEGORY":
                return _CLASSES.get(str(value), "a")
            raise _NoText
        for one in _LIKELY:
            if not any(self._has(part, one) for part in given[1:]):
                return one
        raise _NoText

    @staticmethod
    def _has(part: Any, one: str) -> bool:
        kind, value = str(part[0]), part[1]
        if kind == "LITERAL":
            return bool(value == ord(one))
        if kind == "RANGE":
            return bool(value[0] <= ord(one) <= value[1])
        tests = {"DIGIT": one.isdigit(), "WORD": one.isalnum() or one == "_", "SPACE": one.isspace()}
        name = str(value).removeprefix("CATEGORY_")
        return not tests.get(name[4:], True) if name.startswith("NOT_") else tests.get(name, True)
