"""The paths inside expressions: `workflow.input.items[0].id`, and JSONPath with filters, wildcards and `..`.

A path that leads to one place is walked here, which takes about a microsecond. Any other goes to the JSONPath engine,
about a hundred times slower, with its work counted: a filter of a stranger over a long list ends with a PathError, not
with a server that stands still. Regular expressions in filters are refused, because nothing here could stop one.
"""

import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

import jsonpath
import msgspec
from jsonpath.filter import BaseExpression, FilterQuery
from jsonpath.match import JSONPathMatch, NodeList
from jsonpath.parse import Parser
from jsonpath.path import JSONPath
from jsonpath.stream import TokenStream

LENGTH = 2_000
"""How many characters a path may have."""
WORK = 200_000
"""How many steps the queries of one value may take: a step is a node looked at, or 20 values compared."""
RESULTS = 20_000
"""How many values one query may give."""


class PathError(Exception):
    """Why a path cannot be read, or was not followed to its end."""


class Work:
    """What queries may still do; each step is taken off."""

    def __init__(self, left: int = WORK) -> None:
        self.left = left

    def take(self, steps: int) -> None:
        """PathError if there is no more left."""
        self.left -= steps
        if self.left < 0:
            raise PathError(
                f"looks at more than the {WORK:,} values that it may; narrow the path, or use JSON_JQ_TRANSFORM"
            )


class Path(msgspec.Struct, frozen=True):
    """A path that was read: its steps up to the first that may lead to several places, and a query if there is one.

    `root` is the first name, "" if there is none. `function` is what is done to the found, if the path ends in a call.
    """

    steps: tuple[str | int, ...]
    query: "_Query | None"
    function: str

    @property
    def root(self) -> str:
        first = self.steps[0] if self.steps else ""
        return first if isinstance(first, str) else ""

    def find(self, data: Mapping[str, Any], work: Work) -> Any:
        """What stands there: the value, None if nothing does, or a list if the path may lead to several places."""
        found = walk(self.steps, data) if self.query is None else self.query.find(data, work)
        return FUNCTIONS[self.function](found) if self.function else found


def walk(steps: Iterable[str | int], value: Any) -> Any:
    """Follow names and indices, counted from the end if negative; None where there is nothing."""
    for step in steps:
        if type(step) is str:
            if type(value) is dict or isinstance(value, Mapping):
                value = value.get(step)
            else:
                return None
        elif type(value) is list and -len(value) <= step < len(value):  # type: ignore[operator]
            value = value[step]  # type: ignore[index]
        else:
            return None
    return value


# Reading a path

_NAME = r"[^\s.\[\]()'\"`*?,|&{}]+"
_SEGMENT = re.compile(
    rf"""(?P<first>{_NAME})(?=[.\[]|$)
      |  \.(?P<name>{_NAME})(?P<call>\(\)$)?
      |  \[\s*(?:(?P<index>-?\d{{1,9}})|(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"))\s*\]
      |  (?P<many>\.\*|\.\.\*)
      |  \.\.(?P<below>{_NAME})
      |  (?P<dots>\.\.)?(?P<open>\[)""",
    re.VERBOSE | re.DOTALL,
)
_INSIDE = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[\[\]]", re.DOTALL)


@lru_cache(maxsize=4_096)
def compiled(text: str) -> Path:
    """The path that `text` writes; PathError if it writes none. A leading `$` may be left out, as in Conductor."""
    if len(text) > LENGTH:
        raise PathError(f"has {len(text):,} characters; a path may have {LENGTH:,}")
    rest = text[1:] if re.match(r"\$(?=[.\[]|$)", text) else f".{text}" if text[:1] not in (".", "[") else text
    steps: list[str | int] = []
    query: list[str] = ["$"]
    at, plain, function = 0, True, ""
    while at < len(rest):
        found = _SEGMENT.match(rest, at)
        if found is None or found["first"] is not None:
            raise PathError(f"cannot be read at {rest[at : at + 20].removeprefix('.')!r}")
        at = found.end()
        if found["call"]:
            function = found["name"]
            if function not in FUNCTIONS:
                raise PathError(f"has no function {function}(); there are {', '.join(FUNCTIONS)}")
            break
        step = _step(found)
        if step is not None:
            query.append(f"[{json.dumps(step)}]")
            if plain:
                steps.append(step)
            continue
        plain = False
        if found["open"]:
            end = _bracket(rest, at)
            query.append((found["dots"] or "") + rest[at - 1 : end])
            at = end
        else:
            query.append(found["many"] or f"..[{json.dumps(found['below'])}]")
    return Path(tuple(steps), None if plain else _Query("".join(query)), function)


def _step(found: re.Match[str]) -> str | int | None:
    if found["name"] is not None:
        return found["name"]
    if found["index"] is not None:
        return int(found["index"])
    if found["quoted"] is not None:
        return _unquoted(found["quoted"])
    return None


def _unquoted(text: str) -> str:
    inner = text[1:-1]
    if "\\" not in inner:
        return inner
    if text[0] == "'":
        inner = re.sub(r"\\(.)|\"", lambda m: "'" if m[0] == "\\'" else '\\"' if m[0] == '"' else m[0], inner)
    try:
        name = json.loads(f'"{inner}"', strict=False)
        name.encode()
    except ValueError:
        raise PathError(f"has a name that cannot be read: {text[:40]}") from None
    return str(name)


def _bracket(text: str, at: int) -> int:
    """Where the bracket that was opened before `at` is closed, past it."""
    depth = 1
    for found in _INSIDE.finditer(text, at):
        depth += {"[": 1, "]": -1}.get(found[0], 0)
        if depth == 0:
            return found.end()
    raise PathError("has a bracket that is not closed")


# The engine

_at_work = threading.local()


def _take(steps: int) -> None:
    work: Work = _at_work.work
    work.take(steps)


class _Node(JSONPathMatch):
    """A node that counts, and keeps no record of how it was reached."""

    __slots__ = ()

    def __init__(self, *, filter_context: Any, obj: object, root: Any, parent: Any, path: str, parts: Any) -> None:
        _take(1)
        self._filter_context = filter_context
        self.obj = obj
        self.root = root
        self.parent = None
        self.parts = ()
        self.path = ""
        self.children = []

    def add_child(self, *children: JSONPathMatch) -> None:
        """Nobody asks for children."""

    def new_child(self, obj: object, key: int | str) -> "_Node":
        return _Node(filter_context=self._filter_context, obj=obj, root=self.root, parent=None, path="", parts=())


class _Counted(JSONPath):
    """A path whose nodes count. Strings are values to it, never documents to be parsed."""

    __slots__ = ()

    def finditer(self, data: Any, *, filter_context: Any = None) -> Iterable[JSONPathMatch]:
        nodes: Iterable[JSONPathMatch] = [
            _Node(filter_context=filter_context or {}, obj=data, root=data, parent=None, path="", parts=())
        ]
        for segment in self.segments:
            nodes = segment.resolve(nodes)
        return nodes


class _Grammar(Parser):
    def parse_regex(self, stream: TokenStream) -> BaseExpression:
        raise PathError(_NO_PATTERN)


_NO_PATTERN = "has a regular expression, which paths are not searched with; use JSON_JQ_TRANSFORM or JSONata"


class _Engine(jsonpath.JSONPathEnvironment):
    parser_class = _Grammar

    def setup_function_extensions(self) -> None:
        super().setup_function_extensions()
        del self.function_extensions["match"], self.function_extensions["search"]

    def is_truthy(self, obj: object) -> bool:
        _take(_at_work.unit)
        return super().is_truthy(obj)

    def compare(self, left: object, operator: str, right: object) -> bool:
        _take(1)
        if operator not in ("&&", "||"):
            left_value, right_value = _bare(left), _bare(right)
            if operator == "in":
                _take(_weight(right_value) // 20)
            elif operator == "contains":
                _take(_weight(left_value) // 20)
            elif isinstance(left_value, _MANY) and isinstance(right_value, _MANY):
                _take((_weight(left_value) + _weight(right_value)) // 20)
        return super().compare(left, operator, right)


_MANY = (str, list, dict)


def _bare(value: object) -> object:
    return value[0].obj if isinstance(value, NodeList) and len(value) == 1 else value


def _weight(value: object) -> int:
    """How much there is to compare in a value: the values of all its levels, and one for 50 characters of a string."""
    weight, todo = 0, [value]
    while todo:
        one: Any = todo.pop()
        if isinstance(one, _Node):
            one = one.obj
        if isinstance(one, str):
            weight += len(one) // 50
        elif isinstance(one, list | dict):
            weight += len(one)
            todo.extend(one.values() if isinstance(one, dict) else one)
            if weight > 20 * WORK:
                break
    return weight


_engine = _Engine(filter_caching=False)


def _counted(path: Any) -> _Counted:
    """The same path, with itself and all queries in its filters counted."""
    if not isinstance(path, JSONPath) or path.pseudo_root:
        raise PathError("cannot be read; write one path")
    for segment in path.segments:
        for selector in segment.selectors:
            if hasattr(selector, "query"):
                raise PathError("has a path in brackets; write it as a nested expression: ${a[${b}]}")
            todo: list[BaseExpression] = [selector.expression] if hasattr(selector, "expression") else []
            while todo:
                expression = todo.pop()
                if isinstance(expression, FilterQuery):
                    expression.path = _counted(expression.path)
                else:
                    todo.extend(expression.children())
    return _Counted(env=path.env, segments=path.segments)


class _Query:
    """A path for the engine."""

    def __init__(self, text: str) -> None:
        try:
            self._path = _counted(_engine.compile(text))
        except jsonpath.JSONPathNameError as error:
            raise PathError(_NO_PATTERN if re.search(r"'(match|search)'", str(error)) else _said(error)) from None
        except (jsonpath.JSONPathError, RecursionError, ValueError, OverflowError, TypeError) as error:
            raise PathError(_said(error)) from None
        self._unit = 1 + len(text) // 50

    def find(self, data: Any, work: Work) -> list[Any]:
        """All that it leads to, in the order of the data."""
        before = getattr(_at_work, "work", None), getattr(_at_work, "unit", 1)
        _at_work.work, _at_work.unit = work, self._unit
        found: list[Any] = []
        try:
            for node in self._path.finditer(data):
                if len(found) >= RESULTS:
                    raise PathError(f"gives more than the {RESULTS:,} values that it may")
                found.append(node.obj)
        except (jsonpath.JSONPathError, RecursionError, ValueError, OverflowError, TypeError) as error:
            raise PathError(_said(error)) from None
        finally:
            _at_work.work, _at_work.unit = before
        return found


def _said(error: Exception) -> str:
    said = str(error).partition("\n")[0][:200] if not isinstance(error, RecursionError) else "nested too deeply"
    return f"cannot be followed: {said}"


# Functions at the end of a path


def _length(value: Any) -> int | None:
    return len(value) if isinstance(value, list | dict | str) else None


def _numbers(of: Callable[[list[Any]], Any]) -> Callable[[Any], Any]:
    def apply(value: Any) -> Any:
        if not isinstance(value, list) or not value or not all(type(one) in (int, float) for one in value):
            return None
        try:
            return of(value)
        except OverflowError:
            return None

    return apply


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "length": _length,
    "size": _length,
    "keys": lambda value: list(value) if isinstance(value, dict) else None,
    "first": lambda value: value[0] if isinstance(value, list) and value else None,
    "last": lambda value: value[-1] if isinstance(value, list) and value else None,
    "min": _numbers(min),
    "max": _numbers(max),
    "sum": _numbers(sum),
    "avg": _numbers(lambda numbers: sum(numbers) / len(numbers)),
}
"""What may be called at the end of a path, as `items.length()`; None for what it is not meant for."""
