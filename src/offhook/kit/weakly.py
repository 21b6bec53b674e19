"""Methods that a part is given by what it is a part of, without holding that: both go as soon as nobody needs them.

Held as they are, the two would hold each other, and only the garbage collector would find them, at a time that it
chooses and while everything waits.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar
from weakref import WeakMethod

P = ParamSpec("P")
R = TypeVar("R")


def weakly(method: Callable[P, R]) -> Callable[P, R]:
    """The bound method, whose object somebody else holds for as long as it is called; ReferenceError after that."""
    held = WeakMethod(method)

    def call(*args: P.args, **named: P.kwargs) -> R:
        return alive(held)(*args, **named)

    return call


def alive(held: Callable[[], R | None]) -> R:
    """What a weak reference leads to. ReferenceError if it is gone."""
    found = held()
    if found is None:
        raise ReferenceError("what this is a part of is gone")
    return found
