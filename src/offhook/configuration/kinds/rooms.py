"""Rooms in a file."""

from offhook.configuration.kind import Kind
from offhook.configuration.kinds.devices import DEVICES, SETS_DEVICES
from offhook.configuration.kinds.numbers import HOLDS, NUMBERS_HELD, PHONE_NUMBERS
from offhook.configuration.kinds.parts import NAME, OFFICE, everything
from offhook.directory.rooms.store import rooms

ROOMS = Kind(
    section="rooms",
    type="room",
    implied=("office", "name"),
    fields=(OFFICE, NAME, PHONE_NUMBERS, DEVICES),
    load=everything(rooms, lambda room: room.name, lambda room: room.office_id),
    create="rooms.post",
    update="rooms.patch",
    delete="rooms.delete",
    specials=(HOLDS, SETS_DEVICES),
    uniques=(NUMBERS_HELD,),
)
