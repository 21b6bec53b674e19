"""Documents whose schemas multiply themselves: alternatives within alternatives, each of them three times."""

from collections.abc import Callable
from typing import Any

LEVELS = 18


def _next(level: int) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/L{level + 1}"}


SHAPES: dict[str, Callable[[int], dict[str, Any]]] = {
    "alternatives": lambda level: {"oneOf": [_next(level)] * 3},
    "named alternatives": lambda level: {"oneOf": [{"title": f"way {n}", **_next(level)} for n in range(3)]},
    "lists of alternatives": lambda level: {"oneOf": [{"type": "array", "items": _next(level)}] * 3},
    "parts of alternatives": lambda level: {
        "oneOf": [{"allOf": [_next(level), {"properties": {f"y{n}": {"type": "string"}}}]} for n in range(3)]
    },
    "parts": lambda level: {"allOf": [_next(level)] * 3},
    "fields with alternatives": lambda level: {
        "type": "object", "properties": {"p": {"anyOf": [_next(level)] * 3}}, "required": ["p"],
    },
}  # fmt: skip


def document(shape: str, levels: int = LEVELS) -> dict[str, Any]:
    """A document with one operation, `POST /a` by the key `a`, whose body and answer are of such a schema."""
    schemas = {f"L{level}": SHAPES[shape](level) for level in range(levels)}
    schemas[f"L{levels}"] = {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}
    content = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/L0"}}}}
    post = {"operationId": "a", "requestBody": content, "responses": {"200": {"description": "ok", **content}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Hostile", "version": "1"},
        "servers": [{"url": "https://hostile.example"}],
        "paths": {"/a": {"post": post}},
        "components": {"schemas": schemas},
    }
