"""Two runs held against each other: status, headers, JSON by its paths, times. Pure, and bounded."""

from typing import Any

import msgspec

from offhook.catalog.runs.model import Run
from offhook.catalog.runs.texts import header, text_of
from offhook.kit.errors import shown

MOST_CHANGES = 500
MOST_DEPTH = 60
MOST_VALUES = 200_000
_NOTHING = object()


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One difference. `path` as `items[0].name`, or a header's name; texts are short JSON, None where nothing is."""

    path: str
    before: str | None = None
    after: str | None = None


class Comparison(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is different in the second of two runs. `body` is None if the bodies are not both JSON.

    `same_body` compares them byte by byte. `more` says that there are further differences than the 500 that are listed.
    """

    status: tuple[int, int]
    headers: tuple[Change, ...] = ()
    body: tuple[Change, ...] | None = None
    same_body: bool = False
    times: dict[str, tuple[float, float]] = {}
    more: bool = False


def compare(first: Run, first_body: bytes, second: Run, second_body: bytes) -> Comparison:
    """What is different in `second`."""
    walking = _Walking()
    one, other = _json(first, first_body), _json(second, second_body)
    both = one is not _NOTHING and other is not _NOTHING
    if both:
        walking.go("", one, other, 0)
    times = {name: (getattr(first.times, name), getattr(second.times, name)) for name in first.times.__struct_fields__}
    return Comparison(
        status=(first.status, second.status),
        headers=_headers(first, second),
        body=tuple(walking.found) if both else None,
        same_body=first_body == second_body,
        times=times,
        more=walking.more,
    )


def _json(run: Run, body: bytes) -> Any:
    if run.cut or not body:
        return _NOTHING
    try:
        return msgspec.json.decode(text_of(body, header(run.headers, "content-type")).text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _NOTHING


def _headers(first: Run, second: Run) -> tuple[Change, ...]:
    before, after = _by_name(first), _by_name(second)
    return tuple(
        Change(path=name, before=before.get(name), after=after.get(name))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    )[:MOST_CHANGES]


def _by_name(run: Run) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in run.headers:
        name = name.lower()
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


class _Walking:
    """Goes through two values side by side."""

    def __init__(self) -> None:
        self.found: list[Change] = []
        self.more = False
        self._left = MOST_VALUES

    def go(self, path: str, one: Any, other: Any, depth: int) -> None:
        """Note what is different at and below a path."""
        self._left -= 1
        if self.more or self._left < 0:
            self.more = True
        elif isinstance(one, dict) and isinstance(other, dict) and depth < MOST_DEPTH:
            for name in [*one, *(name for name in other if name not in one)]:
                step = f"{path}.{name}" if path else name
                self.go(step, one.get(name, _NOTHING), other.get(name, _NOTHING), depth + 1)
        elif isinstance(one, list) and isinstance(other, list) and depth < MOST_DEPTH:
            for number in range(max(len(one), len(other))):
                before = one[number] if number < len(one) else _NOTHING
                after = other[number] if number < len(other) else _NOTHING
                self.go(f"{path}[{number}]", before, after, depth + 1)
        elif type(one) is not type(other) or one != other:
            self._note(path, one, other)

    def _note(self, path: str, one: Any, other: Any) -> None:
        if len(self.found) >= MOST_CHANGES:
            self.more = True
            return
        self.found.append(Change(path=shown(path), before=_text(one), after=_text(other)))


def _text(value: Any) -> str | None:
    return None if value is _NOTHING else shown(msgspec.json.encode(value).decode())
