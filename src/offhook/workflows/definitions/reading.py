"""A definition or a policy as it was sent -> what it says, once all of it is checked.

Sizes are bounded before anything is looked at: 1 MB, 32 levels of JSON (a task in a case of a switch takes three of
them), 2,000 tasks.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from offhook.kit.errors import Invalid, Malformed, Notice, TooLarge, Violation
from offhook.kit.wire import MAX_DEPTH, encode, parse
from offhook.workflows.definitions import rules
from offhook.workflows.definitions.checked import Checked
from offhook.workflows.definitions.model import Definition, Policy, converted, without_nulls

MOST_BYTES = 1_000_000


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """A definition that keeps every rule: as it was sent, as it is understood, and what is to be said of it."""

    raw: dict[str, Any]
    definition: Definition
    notices: tuple[Notice, ...] = ()


def read(source: str | bytes | Mapping[str, Any], policies: Mapping[str, Policy] | None = None) -> Read:
    """Read a definition from its JSON, or from a value that JSON was decoded to.

    `policies` are those registered by name, whose input templates complete tasks. Malformed or TooLarge for what is no
    JSON within the bounds, Invalid with every violation and its place for a definition that breaks rules.
    """
    raw = loaded(source)
    return accepted(raw, rules.check(raw, policies))


def accepted(raw: dict[str, Any], found: Checked) -> Read:
    """A definition that was checked; Invalid with all that was `found` to be wrong with it."""
    refuse(found)
    return Read(raw=raw, definition=_converted(raw), notices=tuple(found.notices))


def read_policy(source: str | bytes | Mapping[str, Any]) -> tuple[dict[str, Any], Policy, tuple[Notice, ...]]:
    """Read a policy (Conductor's task definition) that is to be registered by its name; refuses as `read` does."""
    raw = loaded(source)
    found = rules.check_policy(raw)
    refuse(found)
    return raw, msgspec.convert(without_nulls(raw), Policy, strict=False), tuple(found.notices)


def refuse(found: Checked) -> None:
    """Invalid with all violations, if there are any."""
    if found.violations:
        raise Invalid.of(found.violations)


def loaded(source: str | bytes | Mapping[str, Any]) -> dict[str, Any]:
    """The JSON object, within the bounds: no key twice, no NaN. A value that is given decoded is copied."""
    if isinstance(source, Mapping):
        _refuse_deep(source)
        try:
            source = encode(source)
        except (TypeError, ValueError, msgspec.MsgspecError, RecursionError) as error:
            raise Malformed(f"The definition cannot be written as JSON: {error}") from None
    try:
        data = source.encode() if isinstance(source, str) else bytes(source)
    except UnicodeEncodeError as error:
        raise Malformed(f"The definition is not valid text: {error}") from None
    if len(data) > MOST_BYTES:
        raise TooLarge(f"A definition has at most {MOST_BYTES:,} bytes; this one has {len(data):,}.")
    value = parse(data).value
    if not isinstance(value, dict):
        text = 'A definition is a JSON object, such as {"name": ..., "tasks": [...]}.'
        raise Invalid.of([Violation(location="", message=text)])
    return value


def _refuse_deep(value: Any) -> None:
    level, depth = [value], 0
    while level := [
        inner
        for outer in level
        for inner in (outer.values() if isinstance(outer, Mapping) else outer if isinstance(outer, list) else ())
        if isinstance(inner, Mapping | list)
    ]:
        depth += 1
        if depth > MAX_DEPTH or len(level) > MOST_BYTES:
            raise Malformed(f"The definition is nested deeper than {MAX_DEPTH} levels.")


def _converted(raw: dict[str, Any]) -> Definition:
    try:
        return converted(raw)
    except msgspec.ValidationError as error:
        raise Invalid.of([Violation(location="", message=f"The definition cannot be read: {error}.")]) from None
