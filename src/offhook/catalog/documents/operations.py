"""The operations of a document, as lists and the search know them. Pure, bounded, fast for the largest documents."""

import re
from collections import deque
from typing import Any

from offhook.catalog.model import METHODS, Document, Head, Method, Tree, pointer_to
from offhook.catalog.reference.described import described
from offhook.catalog.reference.resolving import Resolver, entries, items, text_of

MOST_WORDS = 400
MOST_OPERATIONS = 50_000
_MOST_SCHEMAS = 1_500
_ALL_SCHEMAS = 10_000_000
"""The most schemas that are looked at for all operations together; behind that only parameters give words."""

_MOST_DEPTH = 6
_MOST_MEDIA = 3
_LONGEST_WORD = 100
_SUMMARY = 500
_DESCRIPTION = 5_000
_METHODS: dict[str, Method] = {method: method for method in METHODS}
_IN_A_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._~-]{0,127}")


def heads(tree: dict[str, Any]) -> list[Head]:
    """The operations under `paths`, in the document's order, each method and path once; at most 50,000."""
    return _Listing(tree).heads()


def key_of(method: str, path: str) -> str:
    """A key made from method and path: key_of("POST", "/api/v2/offices/{id}") == "post-api-v2-offices-id"."""
    slug = re.sub(r"[^A-Za-z0-9]+", "-", path).strip("-").lower()[:100]
    return f"{method.lower()}-{slug}" if slug else method.lower()


class _Face:
    """What the search takes of one schema: its names, and the schemas below."""

    __slots__ = ("below", "names")

    def __init__(self, names: list[str], below: list[dict[str, Any]]) -> None:
        self.names = names
        self.below = below


class _Listing:
    def __init__(self, tree: dict[str, Any]) -> None:
        self._tree = tree
        self._document: Document = Tree(tree)
        self._resolver = Resolver(self._document)
        self._faces: dict[int, _Face] = {}
        self._names: dict[tuple[int, ...], list[str]] = {}
        self._looked = 0

    def heads(self) -> list[Head]:
        found: list[tuple[Head, str]] = []
        for path, item in entries(self._tree.get("paths")):
            pointer = self._resolver.pointer(item, pointer_to("paths", path))
            item = self._resolver.mapping(item)
            shared = item.get("parameters")
            seen: set[str] = set()
            for name, operation in item.items():
                method = _METHODS.get(name.upper())
                if method is None or method in seen:
                    continue
                if len(found) >= MOST_OPERATIONS:
                    return _keyed(found)
                seen.add(method)
                head = self._head(method, path, pointer + pointer_to(name), operation, shared)
                found.append((head, _own_key(operation)))
        return _keyed(found)

    def _head(self, method: Method, path: str, pointer: str, operation: Any, shared: Any) -> Head:
        if not isinstance(operation, dict):
            operation = {}
        return Head(
            key="",
            method=method,
            path=path,
            pointer=pointer,
            summary=text_of(operation.get("summary"))[:_SUMMARY],
            description=described(operation, _DESCRIPTION),
            tags=tuple(tag for tag in items(operation.get("tags")) if isinstance(tag, str)),
            deprecated=operation.get("deprecated") is True,
            words=self._words(operation, shared),
        )

    def _words(self, operation: dict[str, Any], shared: Any) -> tuple[str, ...]:
        """Names of parameters, then of fields of the request and of what comes back, the outer ones first."""
        words: dict[str, None] = {}
        for parameter in [*items(shared), *items(operation.get("parameters"))][:MOST_WORDS]:
            found = self._resolver.mapping(parameter)
            name = found.get("name")
            if isinstance(name, str) and name:
                words[name[:_LONGEST_WORD]] = None
        roots = self._roots(operation.get("requestBody"))
        for status, response in entries(operation.get("responses"))[:20]:
            if status[:1] in ("2", "d"):
                roots += self._roots(response)
        known = tuple(map(id, roots))
        if known not in self._names:
            self._names[known] = self._below(roots)
        words.update(dict.fromkeys(self._names[known]))
        return tuple(words)[:MOST_WORDS]

    def _roots(self, holder: Any) -> list[dict[str, Any]]:
        """The schemas of a body or response."""
        found = []
        for _, media in entries(self._resolver.mapping(holder).get("content"))[:_MOST_MEDIA]:
            schema = self._schema(media.get("schema")) if isinstance(media, dict) else None
            if schema is not None:
                found.append(schema)
        return found

    def _below(self, roots: list[dict[str, Any]]) -> list[str]:
        """The names of fields that `roots` have, level by level."""
        words: dict[str, None] = {}
        queue = deque((schema, 0) for schema in roots)
        seen: set[int] = set()
        while queue and len(words) < MOST_WORDS and len(seen) < _MOST_SCHEMAS and self._looked < _ALL_SCHEMAS:
            schema, depth = queue.popleft()
            if id(schema) in seen:
                continue
            seen.add(id(schema))
            face = self._face(schema)
            self._looked += 1 + len(face.below)
            words.update(dict.fromkeys(face.names))
            if depth < _MOST_DEPTH:
                queue.extend([(below, depth + 1) for below in face.below if id(below) not in seen])
        return list(words)[:MOST_WORDS]

    def _schema(self, schema: Any) -> dict[str, Any] | None:
        """The schema behind a reference that stands alone; one with something beside is looked at itself."""
        for _ in range(20):
            if not isinstance(schema, dict):
                return None
            if len(schema) != 1 or not isinstance(schema.get("$ref"), str):
                return schema
            try:
                schema = self._resolver.target(schema["$ref"])
            except KeyError:
                return None
        return None

    def _face(self, schema: dict[str, Any]) -> _Face:
        known = self._faces.get(id(schema))
        if known is not None:
            return known
        names: list[str] = []
        below: list[Any] = []
        properties = schema.get("properties")
        if isinstance(properties, dict):
            names = [name[:_LONGEST_WORD] for name in list(properties)[:MOST_WORDS]]
            below = [inner for inner in list(properties.values())[:MOST_WORDS] if _has_more(inner)]
        for name in ("items", "additionalProperties"):
            inner = schema.get(name)
            if isinstance(inner, dict) and _has_more(inner):
                below.append(inner)
        for name in ("allOf", "oneOf", "anyOf", "prefixItems"):
            below.extend(items(schema.get(name))[:50])
        if isinstance(schema.get("$ref"), str):
            below.append({"$ref": schema["$ref"]})
        targets = [target for target in map(self._schema, below) if target is not None]
        face = _Face(names, list({id(target): target for target in targets}.values()))
        self._faces[id(schema)] = face
        return face


_MORE = {"$ref", "properties", "items", "additionalProperties", "allOf", "oneOf", "anyOf", "prefixItems"}


def _has_more(schema: Any) -> bool:
    return isinstance(schema, dict) and not _MORE.isdisjoint(schema)


def _own_key(operation: Any) -> str:
    own = operation.get("operationId") if isinstance(operation, dict) else None
    return own if isinstance(own, str) and _IN_A_PATH.fullmatch(own) else ""


def _keyed(found: list[tuple[Head, str]]) -> list[Head]:
    """Each head with a key of its own: an operationId that several have is nobody's."""
    counts: dict[str, int] = {}
    for _, own in found:
        counts[own] = counts.get(own, 0) + 1
    taken = {own for own, count in counts.items() if own and count == 1}
    next_number: dict[str, int] = {}
    keyed: list[Head] = []
    for head, own in found:
        key = own
        if own not in taken:
            base = key = key_of(head.method, head.path)
            number = next_number.get(base, 1)
            while key in taken:
                number += 1
                key = f"{base}-{number}"
            next_number[base] = number
            taken.add(key)
        keyed.append(_with_key(head, key))
    return keyed


def _with_key(head: Head, key: str) -> Head:
    return Head(
        key=key,
        method=head.method,
        path=head.path,
        pointer=head.pointer,
        summary=head.summary,
        description=head.description,
        tags=head.tags,
        deprecated=head.deprecated,
        words=head.words,
    )
