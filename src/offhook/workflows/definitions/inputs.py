"""Which inputs of a run the tasks of a definition read, by their expressions. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from offhook.workflows.definitions.places import JSONATA, expressions

_BEFORE = r"(?:^|[^\w.]|\$\.)workflow\.input"
_QUOTED = r"""\[\s*(?:'([^'\]]{1,255})'|"([^"\]]{1,255})")\s*\]"""
_READ = re.compile(rf"{_BEFORE}(?:\.([A-Za-z_][\w-]{{0,254}})|{_QUOTED})")
_READ_BY_JSONATA = re.compile(rf"{_BEFORE}(?:\.([A-Za-z_]\w{{0,254}})|{_QUOTED})")


def inputs_read(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the inputs, each once, in the order of reading: "office" for `${workflow.input.office.name}`.

    A workflow that is defined within a task has an input of its own, and is left out.
    """
    found: dict[str, None] = {}
    for text in _texts(raw.get("tasks")):
        if "workflow.input" in text:
            for one in expressions(text):
                pattern = _READ_BY_JSONATA if one.startswith(JSONATA) else _READ
                found |= {next(name for name in match.groups() if name): None for match in pattern.finditer(one)}
    return tuple(found)


def inputs_missing(raw: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[str, ...]:
    """Those that are read, and that neither `given` has nor the definition's inputTemplate completes."""
    template = raw.get("inputTemplate")
    known = {**(template if isinstance(template, Mapping) else {}), **given}
    return tuple(name for name in inputs_read(raw) if name not in known)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if name != "workflowDefinition":
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
