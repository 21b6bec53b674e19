"""Steps that have to wait for others."""

from collections.abc import Callable, Sequence
from typing import Any

from offhook.configuration.kind import Wanted
from offhook.kit.errors import Invalid, Violation


class Waiting(Exception):
    """A step needs a record of the file that is not there yet."""

    def __init__(self, on: Wanted) -> None:
        super().__init__(on.place)
        self.on = on


def gathered(parts: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each part gives; Invalid with the faults of all, or Waiting if there are none and one has to wait."""
    done: list[Any] = []
    found: list[Violation] = []
    wait: Waiting | None = None
    for part in parts:
        try:
            done.append(part())
        except Invalid as invalid:
            found += invalid.violations
        except Waiting as waiting:
            wait = waiting
    if found:
        raise Invalid.of(found)
    if wait is not None:
        raise wait
    return done
