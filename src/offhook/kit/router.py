"""Finds the operation that a method and a path name, and reads the parameters out of the path.

Pure and total: any text at all gets an answer, none raises. What the answer means over HTTP (404, 405, 400) is the
gate's business.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import dropwhile
from types import MappingProxyType
from urllib.parse import unquote

import msgspec

from offhook.kit.errors import Violation, shown
from offhook.kit.operation import Operation

MAX_PATH = 2048
ME = "me"
PREFIXES = ("/api/v2", "/api/offhook/v1")
"""Under these the operations stand."""

_OF_A_PREFIX = re.compile(r"api|offhook|v\d", re.IGNORECASE)
_FAR = 3.0
_LONG_SEGMENT, _MANY_SEGMENTS = 40, 10
_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
_NO_PARAMS: Mapping[str, int | str] = MappingProxyType({})


class Match(msgspec.Struct):
    """What a known path stands for.

    `operation` is None if the path exists but not with this method; `allowed` then lists the methods it has, sorted.
    `violations` names the parameters that cannot be read, each with the parameter's name as its location; `params`
    then lacks them, as it lacks those in `mine`: users whom the path calls `me`, which only the caller's key can tell.
    """

    operation: Operation | None
    params: Mapping[str, int | str] = _NO_PARAMS
    allowed: tuple[str, ...] = ()
    violations: tuple[Violation, ...] = ()
    mine: tuple[str, ...] = ()


class Segment(msgspec.Struct, frozen=True):
    """One part of a path template: fixed text, or a parameter's name, and whether that parameter is an int64.

    A `user` is one that may also be written `me`.
    """

    text: str
    parameter: bool = False
    integer: bool = False
    user: bool = False


@lru_cache(maxsize=4096)
def segments(template: str) -> tuple[Segment, ...]:
    """The parts of a path template such as `/api/v2/offices/{id}`.

    `{id}` and names ending in `_id` are int64, other names text; `{id:text}` is an id that is not a number, `{id:user}`
    the int64 of a user, or `me`.
    """
    return tuple(_segment(part) for part in template.strip("/").split("/"))


def _segment(part: str) -> Segment:
    if not (part.startswith("{") and part.endswith("}")):
        return Segment(part)
    name, _, kind = part[1:-1].partition(":")
    integer = kind != "text" and (name == "id" or name.endswith("_id"))
    return Segment(name, True, integer, kind == "user")


def public(template: str) -> str:
    """`template` as people and documents write it: `/users/{id:user}` is `/users/{id}`."""
    return template.replace(":text}", "}").replace(":user}", "}")


class _Node:
    """What may follow a path's beginning: fixed segments, a parameter, or nothing more and then the methods."""

    __slots__ = ("fixed", "methods", "parameter")

    def __init__(self) -> None:
        self.fixed: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.methods: dict[str, tuple[Operation, tuple[Segment, ...]]] = {}


class Router:
    """All operations, by path.

    A fixed segment wins over a parameter, whatever the method: `PATCH /offices/primary` is a wrong method, not an
    office whose id is "primary". A parameter takes one non-empty segment. A trailing slash is another path.
    """

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Node()
        self._fixed: dict[str, dict[str, Match]] = {}
        for operation in operations:
            self._add(operation)

    def _add(self, operation: Operation) -> None:
        parts = segments(operation.path)
        node = self._root
        for part in parts:
            if part.parameter:
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.fixed.setdefault(part.text, _Node())
        if operation.method in node.methods:
            other = node.methods[operation.method][0].id
            raise ValueError(f"{operation.method} {operation.path} is both {other} and {operation.id}")
        parameters = tuple(part for part in parts if part.parameter)
        node.methods[operation.method] = operation, parameters
        if not parameters:
            self._fixed.setdefault(operation.path, {})[operation.method] = Match(operation)

    def find(self, method: str, path: str) -> Match | None:
        """What `method` on `path` names, or None if the path is unknown or longer than 2,048 characters.

        `path` has no query and is still percent-encoded. Slashes doubled in front count as one, since clients join a
        base URL that ends in a slash with a path that begins with one.
        """
        if len(path) > MAX_PATH:
            return None
        if path[:2] == "//":
            path = "/" + path.lstrip("/")
        methods = self._fixed.get(path)
        if methods is not None:
            return methods.get(method) or Match(None, allowed=tuple(sorted(methods)))
        if path[:1] != "/":
            return None
        found = self._walk(path)
        if found is None:
            return None
        node, values = found
        known = node.methods.get(method)
        if known is None:
            return Match(None, allowed=tuple(sorted(node.methods)))
        return _matched(known[0], known[1], values)

    def near(self, method: str, path: str) -> str | None:
        """The template of the path that an unknown one was likely meant to be, or None if nothing is near it.

        As documents write it, so that nothing of what was asked is in it. Two words may be misspelt, or one and the
        prefix. Bounded: no path takes more than a few milliseconds.
        """
        parts = [unquote(part) for part in path[:MAX_PATH].split("/") if part]
        if len(path) > MAX_PATH or len(parts) > _MANY_SEGMENTS:
            return None
        found: list[tuple[float, bool, str]] = []
        for prefix in PREFIXES:
            start: _Node | None = self._root
            for part in segments(prefix):
                start = start.fixed.get(part.text) if start is not None else None
            if start is None:
                continue
            inside = path.startswith(prefix + "/")
            tail = parts[prefix.count("/") :] if inside else [*dropwhile(_OF_A_PREFIX.fullmatch, parts)]
            for cost, node in _nearly(start, tail, 0.0 if inside else 1.0):
                template = next(iter(node.methods.values()))[0].path
                found.append((cost, method not in node.methods, public(template)))
        return min(found)[2] if found else None

    def _walk(self, path: str) -> tuple[_Node, list[str]] | None:
        """The node that `path` ends at, and the parameters' values in order.

        Where a segment fits both as fixed text and as a parameter, the second is kept to come back to.
        """
        parts = path[1:].split("/")
        if "%" in path:
            parts = [unquote(part) for part in parts]
        node, index, values = self._root, 0, list[str]()
        postponed: list[tuple[_Node, int, list[str]]] = []
        while True:
            following: _Node | None = node
            while index < len(parts):
                part = parts[index]
                following = node.fixed.get(part)
                if following is None:
                    following = node.parameter
                    if following is None or not part:
                        following = None
                        break
                    values.append(part)
                elif node.parameter is not None:
                    postponed.append((node.parameter, index + 1, [*values, part]))
                node = following
                index += 1
            if following is not None and node.methods:
                return node, values
            if not postponed:
                return None
            node, index, values = postponed.pop()


def _nearly(node: _Node, parts: Sequence[str], cost: float) -> Iterator[tuple[float, _Node]]:
    """Where `parts` may lead from `node`, with how far that is from what they say."""
    if not parts:
        if node.methods:
            yield cost, node
        return
    part, rest = parts[0], parts[1:]
    if part in node.fixed:
        yield from _nearly(node.fixed[part], rest, cost)
    elif len(part) <= _LONG_SEGMENT:
        word = part.casefold()
        for name in difflib.get_close_matches(word, node.fixed, n=2, cutoff=0.75):
            further = cost + 2 - difflib.SequenceMatcher(None, name, word).ratio()
            if further < _FAR:
                yield from _nearly(node.fixed[name], rest, further)
    if node.parameter is not None:
        yield from _nearly(node.parameter, rest, cost)


def _matched(operation: Operation, parameters: tuple[Segment, ...], values: list[str]) -> Match:
    params: dict[str, int | str] = {}
    violations: list[Violation] = []
    mine: list[str] = []
    for parameter, value in zip(parameters, values, strict=True):
        if not parameter.integer:
            if value.isprintable():
                params[parameter.text] = value
            else:
                message = "Must be text without control characters."
                violations.append(Violation(location=parameter.text, message=message, sent=shown(value)))
        elif (number := _int64(value)) is not None:
            params[parameter.text] = number
        elif parameter.user and value == ME:
            mine.append(parameter.text)
        else:
            message = f"Must be a 64-bit integer, written with digits{', or me' if parameter.user else ''}."
            violations.append(Violation(location=parameter.text, message=message, sent=shown(value)))
    return Match(operation, params, (), tuple(violations), tuple(mine))


def _int64(text: str) -> int | None:
    digits = text[1:] if text[:1] == "-" else text
    if len(digits) > 19 or not digits.isdecimal() or not digits.isascii():
        return None
    number = int(text)
    return number if _INT64_MIN <= number <= _INT64_MAX else None
