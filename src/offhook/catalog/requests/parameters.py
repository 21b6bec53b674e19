"""Parameters of a request: what is sent for each that is documented, and what its texts mean to its schema. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import msgspec

from offhook.catalog.model import Document
from offhook.catalog.requests.checker import Checker, check_json
from offhook.catalog.requests.converting import MOST_DEPTH
from offhook.catalog.requests.model import EXPRESSION, Pair, Prepared, is_json
from offhook.catalog.requests.told import at, resolved, schema_for
from offhook.catalog.work import Work
from offhook.kit.errors import Violation, shown


def documented(
    document: Document, pointer: str, operation: Mapping[str, Any], prepared: Prepared
) -> Iterator[tuple[str, Mapping[str, Any], list[Pair]]]:
    """Each parameter that is documented: its place, what is said of it, and what is sent for it."""
    above = at(document, pointer.rpartition("/")[0])
    told: dict[tuple[str, str], Mapping[str, Any]] = {}
    for group in (above.get("parameters"), operation.get("parameters")):
        for one in group if isinstance(group, list) else []:
            parameter = resolved(document, one)
            told[str(parameter.get("in")), str(parameter.get("name"))] = parameter
    sent = {"path": prepared.path_parameters, "query": prepared.query, "header": prepared.headers}
    sent["cookie"] = tuple(_cookies(prepared.headers))
    for (where, name), parameter in told.items():
        if where not in sent or (where == "header" and name.lower() in ("content-type", "accept", "authorization")):
            continue
        same = [
            pair
            for pair in sent[where]
            if pair.on and (pair.name == name or (where == "header" and pair.name.lower() == name.lower()))
        ]
        if where == "query" and not same:
            same = [pair for pair in prepared.query if pair.on and pair.name == f"{name}[]"]
            deep = [pair for pair in prepared.query if pair.on and pair.name.startswith(f"{name}[")]
            if deep and not same:
                if parameter.get("style") == "deepObject":
                    yield f"query.{name}", parameter, deep
                continue
        places = {"header": f"headers.{name}", "cookie": "headers.Cookie"}
        yield places.get(where, f"{where}.{name}"), parameter, same


def _cookies(headers: Sequence[Pair]) -> Iterator[Pair]:
    for header in headers:
        if header.on and header.name.lower() == "cookie":
            for part in header.value.split(";"):
                name, _, value = part.strip().partition("=")
                yield Pair(name, unquote(value))


def check_parameter(
    document: Document, place: str, told: Mapping[str, Any], pairs: list[Pair], work: Work
) -> list[Violation]:
    """What the pairs of a parameter break of what is told of it; that it is required if nothing is sent."""
    if not pairs:
        if told.get("in") == "query" and not separator_of(told) and _is_object(document, told, work):
            # Its fields have pairs of their own.
            return []
        if told.get("required") is True or place.startswith("path."):
            what = f"The cookie {shown(str(told.get('name')))} is" if told.get("in") == "cookie" else "Is"
            return [Violation(location=place, message=f"{what} required.")]
        return []
    if any(EXPRESSION.search(pair.value) for pair in pairs):
        return []
    schema, content = told.get("schema"), told.get("content")
    if isinstance(content, Mapping) and content:
        media = str(next(iter(content)))
        return (
            check_json(document, schema_for(content, media), pairs[-1].value, "request", work, place)
            if is_json(media)
            else []
        )
    if not isinstance(schema, Mapping):
        return []
    checker = Checker(document, schema, "request", work)
    if told.get("style") == "deepObject" and all("[" in pair.name for pair in pairs):
        return checker.faults(_deep(pairs, checker), place)
    value = _typed([pair.value for pair in pairs], checker.types(), checker, told)
    return checker.faults(value, place)


def _deep(pairs: list[Pair], checker: "Checker") -> dict[str, Any]:
    """The object that pairs such as `filter[owner][name]` are the fields of."""
    made: dict[str, Any] = {}
    for pair in pairs:
        *way, last = [step.removesuffix("]") for step in pair.name.split("[")[1:]][:MOST_DEPTH]
        several = last == "" and bool(way)
        if several:
            last = way.pop()
        inner = made
        for step in way:
            following = inner.setdefault(step, {})
            if not isinstance(following, dict):
                following = {}
            inner = following
        value = _one(pair.value, checker.types_at([*way, last], items=several))
        if several:
            before = inner.setdefault(last, [])
            if isinstance(before, list):
                before.append(value)
        else:
            inner[last] = value
    return made


def _typed(texts: list[str], types: frozenset[str], checker: "Checker", told: Mapping[str, Any]) -> Any:
    """What the texts of a parameter mean to a schema that takes these types."""
    if "array" in types and ("string" not in types or len(texts) > 1):
        separator = separator_of(told)
        several = texts if len(texts) > 1 or not separator else texts[0].split(separator)
        kinds = checker.item_types()
        return [_one(text, kinds) for text in several[:1000]]
    if types == {"object"} and texts[-1][:1] != "{" and "content" not in told:
        return _members(texts[-1], checker, exploded=told.get("explode") is True)
    return _one(texts[-1], types)


def _members(text: str, checker: "Checker", *, exploded: bool) -> dict[str, Any]:
    """The object that a text is: `a=1,b=2`, or `a,1,b,2` if it is not exploded."""
    parts = text.split(",")[:2000]
    if exploded:
        pairs = [(name, value) for name, _, value in (part.partition("=") for part in parts)]
    else:
        pairs = list(zip(parts[::2], [*parts[1::2], ""], strict=False))
    return {name: _one(value, checker.types_at([name])) for name, value in pairs}


def _is_object(document: Document, told: Mapping[str, Any], work: Work) -> bool:
    schema = told.get("schema")
    return isinstance(schema, Mapping) and Checker(document, schema, "request", work).types() == {"object"}


def separator_of(told: Mapping[str, Any]) -> str:
    """What stands between the members of an array in a parameter; "" if each has a pair of its own."""
    where = told.get("in")
    style = told.get("style", "form" if where in ("query", "cookie") else "simple")
    if where in ("query", "cookie") and told.get("explode", style == "form") is True:
        return ""
    return {"pipeDelimited": "|", "spaceDelimited": " "}.get(str(style), ",")


def _one(text: str, types: frozenset[str]) -> Any:
    if "string" in types and types.isdisjoint({"integer", "number", "boolean"}):
        return text
    if types & {"integer", "number"} and re.fullmatch(r"-?\d{1,18}", text):
        return int(text)
    if "number" in types and re.fullmatch(r"-?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,2})?", text):
        return float(text)
    if "boolean" in types and text in ("true", "false"):
        return text == "true"
    if types & {"object", "array"} and text[:1] in ("{", "["):
        try:
            return msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return text
    return text
