"""`$ref` followed, within a document only, in bounded steps. Pure."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from offhook.catalog.model import Document, Problem
from offhook.kit.errors import shown

_MOST_HOPS = 50
_MOST_PROBLEMS = 50


def local(ref: str) -> str | None:
    """The JSON pointer of a reference into its own document: local("#/a%7Bb") == "/a{b"; None for another document."""
    if not ref.startswith("#"):
        return None
    return unquote(ref[1:])


class Resolver:
    """Follows references of one document, and keeps what it could not follow as `problems`."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._targets: dict[str, Any] = {}
        self.problems: list[Problem] = []

    def target(self, ref: Any) -> Any:
        """What one reference points at; KeyError if nothing in this document, which is noted."""
        if not isinstance(ref, str):
            raise KeyError("$ref")
        if ref not in self._targets:
            self._targets[ref] = self._found(ref)
        found = self._targets[ref]
        if isinstance(found, KeyError):
            raise KeyError(ref)
        return found

    def _found(self, ref: str) -> Any:
        pointer = local(ref)
        text = f"{shown(ref)} stands in another document, which is not read."
        if pointer is not None:
            try:
                return self._document.at(pointer)
            except KeyError:
                text = f"There is nothing at {shown(ref)}."
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Problem(pointer or "", text))
        return KeyError(ref)

    def mapping(self, value: Any) -> dict[str, Any]:
        """A parameter, response, header, body, example or path item behind its references; empty where there is none.

        A description or summary beside a reference is taken before that of its target.
        """
        beside: dict[str, Any] = {}
        for each in self._chain(value):
            value = each
            if "$ref" in each:
                for name in ("description", "summary"):
                    if isinstance(each.get(name), str):
                        beside.setdefault(name, each[name])
        if not isinstance(value, dict) or isinstance(value.get("$ref"), str):
            return {}
        return {**value, **beside} if beside else value

    def pointer(self, value: Any, pointer: str) -> str:
        """Where that what stands at `pointer` is really found: the end of its chain of references."""
        for each in self._chain(value):
            ref = each.get("$ref")
            if isinstance(ref, str):
                pointer = local(ref) or ""
        return pointer

    def _chain(self, value: Any) -> Iterator[dict[str, Any]]:
        """`value` and what its references lead to, one by one."""
        for _ in range(_MOST_HOPS):
            if not isinstance(value, dict):
                return
            yield value
            ref = value.get("$ref")
            if not isinstance(ref, str):
                return
            try:
                value = self.target(ref)
            except KeyError:
                return


def entries(value: Any) -> list[tuple[str, Any]]:
    """The entries of an object, without those of extensions; nothing for all else."""
    if not isinstance(value, dict):
        return []
    return [(name, inner) for name, inner in value.items() if not name.startswith("x-")]


def items(value: Any) -> list[Any]:
    """The entries of a list; nothing for all else."""
    return value if isinstance(value, list) else []


def text_of(value: Any) -> str:
    """Text as it is; nothing for all else."""
    return value if isinstance(value, str) else ""
