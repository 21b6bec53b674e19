"""The kinds of records that a file can hold, in the order in which they are made."""

from offhook.configuration.kind import Kind
from offhook.configuration.kinds.callrouters import CALLROUTERS
from offhook.configuration.kinds.groups import CALLCENTERS, DEPARTMENTS
from offhook.configuration.kinds.numbers import NUMBERS
from offhook.configuration.kinds.offices import OFFICES
from offhook.configuration.kinds.people import CHANNELS, COACHING_TEAMS, CONTACTS, POLICIES
from offhook.configuration.kinds.prompts import PROMPTS
from offhook.configuration.kinds.rooms import ROOMS
from offhook.configuration.kinds.users import USERS

KINDS: tuple[Kind, ...] = (
    OFFICES,
    NUMBERS,
    USERS,
    ROOMS,
    DEPARTMENTS,
    CALLCENTERS,
    CALLROUTERS,
    CHANNELS,
    COACHING_TEAMS,
    CONTACTS,
    PROMPTS,
    POLICIES,
)
