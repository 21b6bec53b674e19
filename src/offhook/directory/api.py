"""All routes of the directory, subject by subject."""

from collections.abc import Mapping

from offhook.access.model import Environment
from offhook.directory.assignment import api as assignment
from offhook.directory.callrouters import api as callrouters
from offhook.directory.channels import api as channels
from offhook.directory.coaching import api as coaching
from offhook.directory.contacts import api as contacts
from offhook.directory.devices import api as devices
from offhook.directory.groups import api as groups
from offhook.directory.operators import api as operators
from offhook.directory.policies import api as policies
from offhook.directory.prompts import api as prompts
from offhook.directory.rooms import api as rooms
from offhook.directory.users import api as users
from offhook.directory.users import bulk as users_bulk
from offhook.directory.work import Work
from offhook.kit.operation import Operation
from offhook.numbers.carriers import Carrier


def operations(work: Work, carriers: Mapping[Environment, Carrier]) -> list[Operation]:
    """The operations of the directory; `carriers` sell numbers, by environment."""
    return [
        *assignment.operations(work, carriers),
        *rooms.operations(work),
        *callrouters.operations(work),
        *contacts.operations(work),
        *channels.operations(work),
        *coaching.operations(work),
        *policies.operations(work),
        *users.operations(work),
        *users_bulk.operations(work),
        *devices.operations(work),
        *groups.operations(work),
        *operators.operations(work),
        *prompts.operations(work),
    ]
