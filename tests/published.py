"""Holds answers against the published schemas, as the stock SDK carries them: its typed dictionaries.

What it declares as an integer is a string of digits on the wire when it has 64 bits; a list is left out when empty.
"""

from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin

from typing_extensions import get_type_hints, is_typeddict

INT32 = frozenset({"code"})
"""The few integers that are none of 64 bits, and so stay numbers."""

ADDED: dict[str, dict[str, Any]] = {"ContactProto": {"target_id": int}}
"""Fields of ours that are not published, by schema."""


def misfits(value: Any, schema: Any, place: str = "") -> list[str]:
    """Where an answer is not as published; empty if it is."""
    origin: Any = get_origin(schema)
    inside: tuple[Any, ...] = get_args(schema)
    if origin in (Required, NotRequired, Annotated):
        return misfits(value, inside[0], place)
    if origin in (Union, UnionType):
        tried = [misfits(value, one, place) for one in inside if one is not NoneType]
        return min(tried, key=len)
    if origin is Literal:
        return [] if value in inside else [f"{place}: {value!r} is none of {', '.join(map(str, inside))}"]
    if origin in (list, tuple):
        if not isinstance(value, list) or not value:
            return [f"{place}: no list, or an empty one"]
        return [found for index, one in enumerate(value) for found in misfits(one, inside[0], f"{place}[{index}]")]
    if is_typeddict(schema):
        return _object(value, schema, place)
    if schema is bool:
        good = isinstance(value, bool)
    elif schema is int:
        if place.rpartition(".")[2] in INT32:
            good = isinstance(value, int)
        else:
            good = isinstance(value, str) and value.lstrip("-").isdigit() and str(int(value)) == value
    elif schema is str:
        good = isinstance(value, str)
    elif schema is float:
        good = isinstance(value, int | float) and not isinstance(value, bool)
    else:
        good = True
    return [] if good else [f"{place}: {value!r} is no {getattr(schema, '__name__', schema)}"]


def _object(value: Any, schema: Any, place: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{place}: no object"]
    hints = get_type_hints(schema, include_extras=True) | ADDED.get(schema.__name__, {})
    required: frozenset[str] = schema.__required_keys__
    missing = [f"{place}.{name}: missing" for name in required if name not in value]
    return missing + [
        found
        for name, one in value.items()
        for found in (misfits(one, hints[name], f"{place}.{name}") if name in hints else [f"{place}.{name}: unknown"])
    ]
