"""A value as XML, as OpenAPI's `xml` keyword has it: names, attributes, wrapped lists, namespaces. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from offhook.catalog.requests.model import written

MOST_DEPTH = 20
_NAME = re.compile(r"[A-Za-z_][\w.-]{0,200}")

Schema = Mapping[str, Any]
Resolve = Callable[[Any], Schema]


def as_xml(value: Any, schema: Any, resolve: Resolve) -> str:
    """The document of a value; `resolve` gives what a schema comes to, its references followed and its parts united."""
    reference = schema.get("$ref") if isinstance(schema, Mapping) else None
    called = reference.rpartition("/")[2] if isinstance(reference, str) else "root"
    lines: list[str] = ['<?xml version="1.0" encoding="UTF-8"?>']
    found = resolve(schema)
    if isinstance(value, list):
        told = {**_told(found), "wrapped": True}
        _add(lines, value, {**found, "xml": told}, called, resolve, 0)
    else:
        _add(lines, value, found, called, resolve, 0)
    return "\n".join(lines) + "\n"


def _told(schema: Schema) -> Schema:
    told = schema.get("xml")
    return told if isinstance(told, Mapping) else {}


def _add(lines: list[str], value: Any, schema: Schema, called: str, resolve: Resolve, depth: int) -> None:
    if depth > MOST_DEPTH:
        return
    told = _told(schema)
    name, space = _names(told, called)
    pad = "  " * depth
    if isinstance(value, list):
        inner = resolve(schema.get("items"))
        own = _told(inner).get("name")
        if told.get("wrapped") is True:
            lines.append(f"{pad}<{name}{space}>")
            for one in value:
                _add(lines, one, inner, str(own or name), resolve, depth + 1)
            lines.append(f"{pad}</{name}>")
        else:
            for one in value:
                _add(lines, one, inner, str(own or name), resolve, depth)
        return
    if not isinstance(value, dict):
        text = escape(written(value))
        lines.append(f"{pad}<{name}{space}>{text}</{name}>" if text else f"{pad}<{name}{space}/>")
        return
    properties = schema.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    parts = [(key, one, resolve(properties.get(key))) for key, one in value.items()]
    for key, one, inner in parts:
        if _is_attribute(one, inner):
            attribute, _ = _names(_told(inner), key)
            space += f" {attribute}={quoteattr(written(one))}"
    below = [(key, one, inner) for key, one, inner in parts if not _is_attribute(one, inner)]
    if not below:
        lines.append(f"{pad}<{name}{space}/>")
        return
    lines.append(f"{pad}<{name}{space}>")
    for key, one, inner in below:
        _add(lines, one, inner, key, resolve, depth + 1)
    lines.append(f"{pad}</{name}>")


def _is_attribute(value: Any, schema: Schema) -> bool:
    return _told(schema).get("attribute") is True and not isinstance(value, dict | list)


def _names(told: Schema, called: str) -> tuple[str, str]:
    """The name of an element with its prefix, and what declares its namespace."""
    name = str(told.get("name") or called)
    name = name if _NAME.fullmatch(name) else re.sub(r"[^\w.-]", "_", f"_{name}")[:200]
    prefix = str(told.get("prefix") or "")
    prefix = prefix if _NAME.fullmatch(prefix) else ""
    space = ""
    if isinstance(told.get("namespace"), str):
        space = f" xmlns{':' + prefix if prefix else ''}={quoteattr(told['namespace'])}"
    return (f"{prefix}:{name}" if prefix else name), space
