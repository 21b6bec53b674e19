"""All routes of the directory, subject by subject."""

from collections.abc import Mapping

from offhook.access.model import Environment
from offhook.directory.assignment import api as assignment
from offhook.directory.operators import store as operators_store  # noqa: F401 - declares its table
from offhook.directory.rooms import api as rooms
from offhook.directory.work import Work
from offhook.kit.operation import Operation
from offhook.numbers.carriers import Carrier


def operations(work: Work, carriers: Mapping[Environment, Carrier]) -> list[Operation]:
    """The operations of the directory; `carriers` sell numbers, by environment."""
    return [
        *assignment.operations(work, carriers),
        *rooms.operations(work),
    ]
