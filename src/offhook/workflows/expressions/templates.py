"""Expressions in the values of a definition, `${workflow.input.x}` or `${ref.output.response.body.id}`, as in
Conductor.

Pure: data comes from the caller, nothing is read from the process, its environment or a clock. What an expression may
say is in docs/algorithms/expressions.md. JSONata inside `${jsonata: ...}` is not evaluated here but apart
(resolving.py), and its answers are handed in.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Literal

import msgspec

from offhook.workflows.expressions.paths import Path, PathError, Work, compiled

LENGTH = 4_000
"""How many characters may stand between the braces of one expression."""
COUNT = 1_000
"""How many expressions one string may have."""
NESTED = 8
"""How deep expressions may be nested in one another."""
DEPTH = 100
"""How deep lists and objects may be nested around an expression."""
MOST = 10 * 1024 * 1024
"""How large a resolved value may be, counted as JSON, unless the caller says otherwise: Conductor's hard limit."""

JSONATA = "jsonata:"

_WHOLE_CACHED = 2 * LENGTH
_SECRET = re.compile(
    r"workflow\s*\.\s*secrets(?=[.\s\[]|$)|\[\s*['\"]workflow['\"]\s*\]\s*(\.\s*secrets|\[\s*['\"]secrets)"
)
_SECRET_NAME = re.compile(r"workflow\.secrets\.([A-Za-z0-9_.\-]{1,200})")
_KEPT = re.compile(r"\$\{workflow\.secrets\.([A-Za-z0-9_.\-]{1,200})\}")
_INSIDE = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`|[{}]", re.DOTALL)
_BRACES = re.compile(r"[{}]")
_HEAD = re.compile(r"(?:\$\.)?([^\s.\[\]()'\"`*?,|&{}$]+)[.\[]|\[\s*['\"]([^'\"]+)['\"]\s*\]")
_OUTSIDE = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`", re.DOTALL)


class ExpressionError(Exception):
    """Why a value cannot be resolved: where in it, and what is wrong, in words for who wrote it."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(f"{place}: {message}" if place else message)
        self.place = place
        self.message = message


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """An expression of a value, for checks.

    `place` is where it stands ("inputParameters.body.items[0]"); `expression` what stands between the braces. `root` is
    the first name of its path, "workflow" or a task's reference name, "" where that is only known at run time; JSONata
    that reads several has one reference each. `fault` says why it is refused, "" if it is not; `spaces` that a stock
    Conductor refuses it, because it has spaces.
    """

    place: str
    expression: str
    root: str
    fault: str = ""
    spaces: bool = False
    jsonata: bool = False


# Reading a string

Kind = Literal["path", "nested", "secret", "jsonata", "blank"]


class _Expression(msgspec.Struct, frozen=True):
    """What stands between two braces. `fault` says why it has no meaning; it is told when it is asked for."""

    source: str
    kind: Kind
    path: Path | None = None
    inner: "_Template | None" = None
    fault: str = ""


class _Template(msgspec.Struct, frozen=True):
    """A string in parts. `unbalanced` is the first place where an expression is opened and not closed, else -1."""

    parts: tuple[str | _Expression, ...]
    unbalanced: int = -1

    @property
    def whole(self) -> bool:
        return len(self.parts) == 1 and not isinstance(self.parts[0], str)

    def expressions(self) -> Iterator[_Expression]:
        """All expressions, nested ones behind what they stand in."""
        for part in self.parts:
            if not isinstance(part, str):
                yield part
                if part.inner is not None:
                    yield from part.inner.expressions()


class _Refused(Exception):
    """Why a string is not read at all."""


def _template(text: str) -> _Template:
    return _cached(text) if len(text) <= _WHOLE_CACHED else _read(text, 0)


def _read(text: str, depth: int) -> _Template:
    parts: list[str | _Expression] = []
    literal: list[str] = []
    at, count, unbalanced = 0, 0, -1
    while (found := text.find("${", at)) >= 0:
        count += 1
        if count > COUNT:
            raise _Refused(f"has more than the {COUNT:,} expressions that one string may have")
        if found > at and text[found - 1] == "$":
            literal += (text[at : found - 1], "${")
            at = found + 2
            continue
        literal.append(text[at:found])
        end = _end(text, found + 2)
        if end < 0:
            unbalanced = found if unbalanced < 0 else unbalanced
            literal.append("${")
            at = found + 2
            continue
        if any(literal):
            parts.append("".join(literal))
        literal = []
        parts.append(_expression(text[found + 2 : end], depth))
        at = end + 1
    literal.append(text[at:])
    if any(literal) or not parts:
        parts.append("".join(literal))
    return _Template(tuple(parts), unbalanced)


_cached = lru_cache(maxsize=2_048)(lambda text: _read(text, 0))


def _end(text: str, start: int) -> int:
    """Where the brace stands that closes what was opened before `start`; -1 if none does within LENGTH characters.

    Braces in quotes do not count, unless that leaves the expression open.
    """
    for pattern in (_INSIDE, _BRACES):
        depth = 1
        for found in pattern.finditer(text, start, start + LENGTH + 1):
            depth += {"{": 1, "}": -1}.get(found[0], 0)
            if depth == 0:
                return found.start()
    return -1


def _expression(raw: str, depth: int) -> _Expression:
    source = raw.strip()
    if not source:
        return _Expression(raw, "blank")
    if source.startswith(JSONATA):
        return _Expression(raw, "jsonata")
    if "${" in source:
        if depth >= NESTED:
            return _Expression(raw, "nested", fault=f"is nested deeper than the {NESTED} levels that it may be")
        inner = _read(source, depth + 1)
        fault = ""
        if _SECRET.match(source) or any(one.kind == "secret" for one in inner.expressions()):
            fault = "computes the name of a secret, or a path from one; write the secret's name out"
        return _Expression(raw, "nested", inner=inner, fault=fault)
    if _SECRET.match(source):
        fault = "" if _SECRET_NAME.fullmatch(source) else "is no name of a secret: ${workflow.secrets.NAME}"
        return _Expression(raw, "secret", fault=fault)
    try:
        return _Expression(raw, "path", path=compiled(source))
    except PathError as error:
        return _Expression(raw, "path", fault=str(error))


# Resolving


def resolve(
    value: Any,
    data: Mapping[str, Any],
    *,
    most: int = MOST,
    answers: Mapping[str, Any] | None = None,
    place: str = "",
) -> Any:
    """`value` with every expression in it replaced by what it gives for `data`; ExpressionError if one cannot be.

    `data` is {"workflow": {...}, "<reference name>": {...}}. `most` bounds the size of the result, counted as JSON.
    `answers` are the results of JSONata by its source. `place` is what places in errors begin with. Parts of `data`
    stand in the result as they are, not copied. Secrets stay as they are written.
    """
    return _Resolving(data, most, answers or {}, place).value(value)


class _Resolving:
    def __init__(self, data: Mapping[str, Any], most: int, answers: Mapping[str, Any], place: str) -> None:
        self.data = data
        self.most = most
        self.left = most
        self.answers = answers
        self.start = place
        self.at: list[str | int] = []
        self.work = Work()

    def error(self, message: str) -> ExpressionError:
        return ExpressionError(_place(self.start, self.at), message)

    def value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.string(value)
        if isinstance(value, dict):
            return self.within(value, list(value.items()), dict)
        if isinstance(value, list | tuple):
            return self.within(value, list(enumerate(value)), lambda pairs: [one for _, one in pairs])
        self.take(5)
        return value

    def within(self, value: Any, members: list[tuple[Any, Any]], made: Callable[[list[tuple[Any, Any]]], Any]) -> Any:
        if len(self.at) >= DEPTH:
            raise self.error(f"is nested deeper than the {DEPTH} levels that it may be.")
        self.take(2)
        done = []
        for key, one in members:
            self.at.append(key)
            self.take(1 if isinstance(key, int) else len(str(key)) + 4)
            done.append((key, self.value(one)))
            self.at.pop()
        return made(done)

    def string(self, text: str) -> Any:
        if "${" not in text:
            self.take(len(text) + 2)
            return text
        try:
            template = _template(text)
            if template.whole:
                found = self.one(template.parts[0])
                self.take(self.size(found))
                return found
            return self.joined(template)
        except (_Refused, PathError) as refused:
            raise self.error(f"{_shown(text)} {refused}.") from None

    def joined(self, template: _Template) -> str:
        parts = []
        for part in template.parts:
            text = part if isinstance(part, str) else _text(self.one(part))
            self.take(len(text))
            parts.append(text)
        return "".join(parts)

    def one(self, part: Any) -> Any:
        """What an expression gives."""
        if part.fault:
            raise PathError(part.fault)
        if part.kind == "path":
            return part.path.find(self.data, self.work)
        if part.kind == "blank":
            return ""
        if part.kind == "secret":
            return "${" + part.source.strip() + "}"
        if part.kind == "jsonata":
            source = jsonata_source(part.source)
            if source not in self.answers:
                raise PathError("is JSONata, which this place does not take")
            return self.answers[source]
        path = self.joined(part.inner).strip()
        if not path:
            return ""
        if path.startswith(JSONATA) or _SECRET.match(path):
            raise PathError("is computed and names a secret, or JSONata; write that out")
        return compiled(path).find(self.data, self.work)

    def take(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise self.error(f"makes the whole larger than the {self.most:,} characters that it may have.")

    def size(self, value: Any) -> int:
        if isinstance(value, str):
            return len(value) + 2
        if not isinstance(value, list | dict):
            return 5
        return len(_text(value))


def _text(value: Any) -> str:
    """A value in the middle of a string: strings as they are, all else as compact JSON."""
    if isinstance(value, str):
        return value
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, OverflowError, RecursionError):
        pass
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    except RecursionError:
        raise PathError("gives a value that is nested too deeply") from None
    except (TypeError, ValueError):
        raise PathError("gives a value that is no JSON") from None


def _place(start: str, at: list[str | int]) -> str:
    text = start
    for key in at:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else str(key)
    return text[:500]


def _shown(text: str) -> str:
    return text if len(text) <= 120 else text[:119] + "…"


# Secrets


def with_secrets(
    value: Any,
    lookup: Callable[[str], str | None],
    *,
    template: Any = msgspec.UNSET,
    place: str = "",
    refuse: bool = False,
) -> tuple[Any, dict[str, str]]:
    """A resolved value with its secrets put in, and those that were, by name. Never kept: only for who does the task.

    `lookup` gives a secret by name, None if there is none, which is an ExpressionError. With `template`, the value as
    the definition has it, a secret is put in only where the definition itself asks for that one. Without, it is also
    put in where the text came from the run's data, as Conductor does: who starts a run could then have any secret sent
    anywhere. Where the definition does not ask for one that the data names, the text stays; with `refuse` it is an
    ExpressionError, unless the definition itself writes that text (`$${workflow.secrets.NAME}`).
    """
    used: dict[str, str] = {}
    at: list[str | int] = []

    def found(text: str, by: Any) -> str:
        allowed = None if by is msgspec.UNSET else _asked(by)

        def put(match: re.Match[str]) -> str:
            name = match[1]
            if allowed is not None and name not in allowed:
                if refuse and not (isinstance(by, str) and f"${match[0]}" in by):
                    raise ExpressionError(
                        _place(place, at),
                        f"would be sent with the text {_shown(match[0])}, which came here as data. A secret is put in "
                        "only where the definition's own HTTP task writes it: write it there.",
                    )
                return match[0]
            secret = lookup(name)
            if secret is None:
                raise ExpressionError(_place(place, at), f"there is no secret {name}; add it, or correct its name.")
            used[name] = secret
            return secret

        return _KEPT.sub(put, text)

    def walk(one: Any, by: Any, depth: int) -> Any:
        if isinstance(one, str):
            if "${workflow.secrets." not in one:
                return one
            return found(one, by)
        if depth > DEPTH * 10:
            raise ExpressionError(_place(place, at), "is nested too deeply.")
        if isinstance(one, dict):
            done: Any = {}
            for key, member in one.items():
                at.append(key)
                done[key] = walk(member, _member(by, key), depth + 1)
                at.pop()
            return done
        if isinstance(one, list):
            done = []
            for number, member in enumerate(one):
                at.append(number)
                done.append(walk(member, _member(by, number), depth + 1))
                at.pop()
            return done
        return one

    try:
        return walk(value, template, 0), used
    except RecursionError:
        raise ExpressionError(place, "is nested too deeply.") from None


def _member(template: Any, key: Any) -> Any:
    """The part of a template that a part of its value came from; None if the definition does not write that part."""
    if template is msgspec.UNSET:
        return template
    if isinstance(template, dict):
        return template.get(key)
    if isinstance(template, list) and isinstance(key, int) and key < len(template):
        return template[key]
    return None


def _asked(template: Any) -> frozenset[str]:
    """The names of the secrets that a string of a definition asks for."""
    if not isinstance(template, str) or "${" not in template:
        return frozenset()
    try:
        expressions = list(_template(template).expressions())
    except _Refused:
        return frozenset()
    return frozenset(
        one.source.strip().removeprefix("workflow.secrets.")
        for one in expressions
        if one.kind == "secret" and not one.fault
    )


# Looking without resolving


def references(value: Any, place: str = "") -> list[Reference]:
    """All expressions in a value of a definition, also those that are faulty, in the order of reading."""
    found: list[Reference] = []
    for where, text in _strings(value, place):
        if text is None:
            found.append(Reference(place=where, expression="", root="", fault=f"is nested deeper than {DEPTH} levels"))
            continue
        try:
            template = _template(text)
        except _Refused as refused:
            found.append(Reference(place=where, expression=_shown(text), root="", fault=str(refused)))
            continue
        if template.unbalanced >= 0:
            rest = text[template.unbalanced :]
            long = f" within {LENGTH:,} characters" if len(rest) > LENGTH else ""
            fault = f"is opened with ${{ and not closed with }}{long}; close it, or write $${{ for the characters"
            found.append(Reference(place=where, expression=_shown(rest), root="", fault=fault))
        for one in template.expressions():
            found.extend(_references(where, one))
    return found


def _references(place: str, one: _Expression) -> Iterator[Reference]:
    if one.kind == "blank":
        return
    if one.kind == "jsonata":
        roots, fault = _jsonata_roots(jsonata_source(one.source))
        for root in roots or ("",):
            yield Reference(place=place, expression=one.source, root=root, fault=fault, spaces=True, jsonata=True)
        return
    spaces = bool(re.search(r"\s", one.source))
    if one.kind == "nested":
        head = _HEAD.match(one.source.strip())
        root = (head[1] or head[2]) if head else ""
    else:
        root = "workflow" if one.kind == "secret" else one.path.root if one.path is not None else ""
    fault = one.fault
    if one.kind == "path" and fault and re.search(r"\s", _OUTSIDE.sub("", one.source.strip())):
        fault = f"has a space; leave it out, or write the name as ['...'] ({fault})"
    yield Reference(place=place, expression=one.source, root=root, fault=fault, spaces=spaces)


@lru_cache(maxsize=1_024)
def _jsonata_roots(source: str) -> tuple[tuple[str, ...], str]:
    import jlens

    try:
        read = jlens.Expression(source).reads().get("input", {})
    except jlens.JlensError as error:
        return (), f"is no JSONata: {str(error)[:200]}"
    return (tuple(sorted(read)) if isinstance(read, dict) else ()), ""


def uses_jsonata(value: Any) -> bool:
    """Whether a value of a definition has JSONata in it, which a stock Conductor has not."""
    return bool(jsonata(value))


def jsonata(value: Any) -> list[str]:
    """The sources of all JSONata in a value, each once."""
    found: dict[str, None] = {}
    for _, text in _strings(value, ""):
        if text is not None and JSONATA in text:
            try:
                expressions = list(_template(text).expressions())
            except _Refused:
                continue
            found.update({jsonata_source(one.source): None for one in expressions if one.kind == "jsonata"})
    return list(found)


def jsonata_source(expression: str) -> str:
    """The JSONata of `jsonata: ...`."""
    return expression.strip().removeprefix(JSONATA).strip()


def _strings(value: Any, place: str) -> Iterator[tuple[str, str | None]]:
    """All strings of a value with an expression in them, each with its place; None for what is nested too deeply."""
    todo: list[tuple[str, Any, int]] = [(place, value, 0)]
    while todo:
        where, one, depth = todo.pop()
        if isinstance(one, str):
            if "${" in one:
                yield where, one
        elif isinstance(one, dict | list) and depth >= DEPTH:
            yield where, None
        elif isinstance(one, dict):
            members = [(f"{where}.{key}" if where else str(key), member, depth + 1) for key, member in one.items()]
            todo.extend(reversed(members))
        elif isinstance(one, list):
            todo.extend(reversed([(f"{where}[{n}]", member, depth + 1) for n, member in enumerate(one)]))
