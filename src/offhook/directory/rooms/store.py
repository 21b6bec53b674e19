"""Where rooms are kept."""

from offhook.directory.rooms.model import Room
from offhook.storage.documents import Documents

rooms = Documents("rooms", Room, numbers={"office_id": lambda room: room.office_id})
