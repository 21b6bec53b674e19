"""A document in pieces, since the largest are too large to be read whole for one page. Pure.

The pieces are: the root without what follows ("" its pointer), each path, each webhook, and each component.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from offhook.catalog.model import Tree, parts_of, pointer_to

_BY_NAME = ("paths", "webhooks", "definitions")
"""What is cut into its entries; `components` is cut into the entries of its entries."""

_KEPT = 256


def cut(tree: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The pieces of `tree`, each with its pointer; put together they are the tree."""
    components = tree.get("components")
    apart = {name for name in _BY_NAME if isinstance(tree.get(name), dict)}
    if isinstance(components, dict):
        apart.add("components")
    yield "", {name: value for name, value in tree.items() if name not in apart}
    for name in _BY_NAME:
        if name in apart:
            for key, value in tree[name].items():
                yield pointer_to(name, key), value
    if not isinstance(components, dict):
        return
    for section, values in components.items():
        if not isinstance(values, dict):
            yield pointer_to("components", section), values
            continue
        for name, value in values.items():
            yield pointer_to("components", section, name), value


class Pieces:
    """The document whose pieces `load` gives by their pointer (KeyError if there is none of that pointer).

    Pieces that were loaded are kept, the latest 256 of them. What is made of several pieces ("/components/schemas")
    is not found.
    """

    def __init__(self, load: Callable[[str], Any]) -> None:
        self._load = load
        self._kept: OrderedDict[str, tuple[bool, Any]] = OrderedDict()

    def at(self, pointer: str) -> Any:
        """What stands at a JSON pointer; KeyError if nothing does."""
        parts = parts_of(pointer)
        for length in _lengths(parts):
            found, piece = self._piece(pointer_to(*parts[:length]))
            if found:
                return Tree({"": piece}).at(pointer_to("", *parts[length:]))
        raise KeyError(pointer)

    def _piece(self, pointer: str) -> tuple[bool, Any]:
        if pointer in self._kept:
            self._kept.move_to_end(pointer)
            return self._kept[pointer]
        try:
            piece = (True, self._load(pointer))
        except KeyError:
            piece = (False, None)
        self._kept[pointer] = piece
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return piece


def _lengths(parts: list[str]) -> list[int]:
    """How many names the pointer of the piece may have in which `parts` is found, the longest first."""
    if parts[:1] == ["components"]:
        return [length for length in (3, 2, 1, 0) if length <= len(parts)]
    if parts and parts[0] in _BY_NAME:
        return [length for length in (2, 0) if length <= len(parts)]
    return [0]
