"""How large, deep and manifold a document may be, and the problems that are noted of it. Pure."""

from typing import Any

from offhook.catalog.model import Problem
from offhook.kit.errors import Invalid, Violation

MIB = 1024 * 1024
MOST_BYTES = 50 * MIB
MOST_DEPTH = 200
MOST_NODES = 3_000_000
MOST_PROBLEMS = 200
MOST_COUNTED = 100_000
_TEXT = 300


class Problems:
    """The first 200 problems of a document; of the rest only the number is kept."""

    def __init__(self) -> None:
        self._listed: list[Problem] = []
        self._seen: set[tuple[str, str]] = set()
        self._more = 0

    def note(self, pointer: str, text: str) -> None:
        """Note what is wrong where; the same is noted once."""
        problem = (pointer[:_TEXT], text if len(text) <= _TEXT else text[: _TEXT - 1] + "…")
        if problem in self._seen:
            return
        if len(self._listed) >= MOST_PROBLEMS:
            self._more += 1
            return
        self._seen.add(problem)
        self._listed.append(Problem(*problem))

    def count(self) -> None:
        """Count a problem that is not listed, since the list is full."""
        self._more += 1

    @property
    def enough(self) -> bool:
        """Whether there are so many that no more are looked for."""
        return self._more >= MOST_COUNTED

    @property
    def full(self) -> bool:
        """Whether no further problem is listed."""
        return len(self._listed) >= MOST_PROBLEMS

    def listed(self) -> tuple[Problem, ...]:
        """What was noted, and at the end how many problems there were besides."""
        if not self._more:
            return tuple(self._listed)
        least = "At least " if self.enough else ""
        return (*self._listed, Problem("", f"{least}{self._more:,} more problems are not listed."))


def refused(message: str, location: str = "document", sent: str | None = None) -> Invalid:
    """The refusal of a document, with its place ("line 3, column 7") and what to do."""
    return Invalid.of([Violation(location=location, message=message, sent=sent)])


def check_tree(value: Any) -> None:
    """Invalid if the tree is deeper than 200 levels or has more than 3 million values."""
    level, depth, nodes = [value], 0, 0
    while level:
        depth += 1
        nodes += len(level)
        if depth > MOST_DEPTH:
            raise too_deep()
        if nodes > MOST_NODES:
            raise too_many()
        below: list[Any] = []
        for each in level:
            if type(each) is dict:
                below.extend(each.values())
            elif type(each) is list:
                below.extend(each)
        level = below


def too_deep(location: str = "document") -> Invalid:
    """The refusal of a document that is nested too deeply."""
    return refused(f"The document is nested deeper than {MOST_DEPTH} levels; name parts of it with $ref.", location)


def too_many(location: str = "document") -> Invalid:
    """The refusal of a document with too many values, aliases counted as often as they are used."""
    return refused(
        f"The document has more than {MOST_NODES:,} values, aliases counted as often as they are used; split it.",
        location,
    )
