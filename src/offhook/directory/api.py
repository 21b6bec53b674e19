"""All routes of the directory, subject by subject."""

from offhook.directory.operators import store as operators_store  # noqa: F401 - declares its table
from offhook.directory.prompts import api as prompts
from offhook.directory.rooms import api as rooms
from offhook.directory.work import Work
from offhook.kit.operation import Operation


def operations(work: Work) -> list[Operation]:
    """The operations of the directory."""
    return [
        *rooms.operations(work),
        *prompts.operations(work),
    ]
