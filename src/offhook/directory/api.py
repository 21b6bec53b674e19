"""All routes of the directory, subject by subject."""

from offhook.directory.groups import api as groups
from offhook.directory.operators import api as operators
from offhook.directory.rooms import api as rooms
from offhook.directory.work import Work
from offhook.kit.operation import Operation


def operations(work: Work) -> list[Operation]:
    """The operations of the directory."""
    return [
        *rooms.operations(work),
        *groups.operations(work),
        *operators.operations(work),
    ]
