"""What checking finds: violations, which keep a definition out, and notices, which do not."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from offhook.kit.errors import Notice, Violation, shown
from offhook.kit.wire import meant

MOST = 500
"""The most that is collected of each kind; what is beyond is left out."""

_MOST_MEANT, _MOST_WORDS = 100, 300


class Checked:
    """Collects violations and notices, each with its place."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []
        self.notices: list[Notice] = []
        self._places: set[tuple[str, str]] = set()
        self._asked = 0

    def fault(self, place: str, code: str, message: str, sent: Any = None, *, hidden: bool = False) -> None:
        """A rule that is broken at `place`. What may be a secret is not `shown`."""
        if (place, code) in self._places or len(self.violations) >= MOST:
            return
        self._places.add((place, code))
        told = None if sent is None or hidden else shown(sent)
        self.violations.append(Violation(location=place, message=message, reason=code, sent=told))

    def notice(self, place: str, code: str, message: str) -> None:
        """Something that is likely not meant, or does nothing."""
        if len(self.notices) < MOST and (place, code) not in self._places:
            self._places.add((place, code))
            self.notices.append(Notice(code, place, message))

    def near(self, sent: Any, allowed: Iterable[str]) -> str:
        """ " Did you mean this?", or nothing; asked at most a hundred times, since it takes long among many words."""
        self._asked += 1
        return meant(sent, set(islice(allowed, _MOST_WORDS))) if self._asked <= _MOST_MEANT else ""

    def sort(self, raw: Mapping[str, Any]) -> None:
        """Put all in the order in which a reader of the definition comes to it; what is missing where it would be."""
        self.violations.sort(key=lambda one: tuple(_steps(raw, one.location)))
        self.notices.sort(key=lambda one: tuple(_steps(raw, one.field)))

    @property
    def good(self) -> bool:
        """Whether nothing keeps it out."""
        return not self.violations


def _steps(value: Any, place: str) -> Iterator[int]:
    """The numbers of the members that lead to a place, as far as it is there."""
    for part in place.replace("[", ".[").split("."):
        if isinstance(value, list) and part.startswith("[") and part[1:-1].isdecimal():
            number = int(part[1:-1])
            yield number
            value = value[number] if number < len(value) else None
        elif isinstance(value, dict) and part in value:
            yield list(value).index(part)
            value = value[part]
        else:
            return
