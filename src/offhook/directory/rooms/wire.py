"""Rooms as v2 has them."""

from typing import Annotated

import msgspec

from offhook.directory.lines.wire import SingleLine, State
from offhook.directory.rooms.model import Room
from offhook.kit.wire import Int64, Int64Text
from offhook.storage.documents import Kept

Meta = msgspec.Meta


class RoomIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A room to create."""

    name: Annotated[SingleLine, Meta(description="The room's name.", examples=["Lobby"])]
    office_id: Annotated[Int64, Meta(description="The office that it is in.")]


class RoomPatch(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What to change of a room; what is not sent stays."""

    name: Annotated[SingleLine | None, Meta(description="The room's name.")] = None
    phone_numbers: Annotated[
        Annotated[list[str], Meta(max_length=100)] | None,
        Meta(description="Its numbers in a new order; one that is left out is unassigned."),
    ] = None


class RoomOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A room as v2 answers it."""

    id: Int64Text
    company_id: Int64Text
    office_id: Int64Text
    name: str
    country: Annotated[str, Meta(description="In lower case.")]
    state: State
    is_free: bool
    is_on_duty: bool
    phone_numbers: Annotated[tuple[str, ...], Meta(description="E.164, the primary one first.")] = ()


class RoomPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of rooms."""

    items: list[RoomOut] = []
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class RoomListQuery(msgspec.Struct):
    """Which rooms."""

    cursor: Annotated[str | None, Meta(description="The cursor of the page before.")] = None
    office_id: Annotated[int | None, Meta(description="Only rooms of this office.")] = None


def room_out(kept: Kept[Room], company_id: int) -> RoomOut:
    """A room as v2 answers it; one without a number of its own costs nothing, a deleted one is not there to be free."""
    room, active = kept.value, kept.state == "active"
    return RoomOut(
        id=str(kept.id),
        company_id=str(company_id),
        office_id=str(room.office_id),
        name=room.name,
        country=room.country.lower(),
        state=kept.state,  # type: ignore[arg-type]
        is_free=active and not room.phone_numbers,
        is_on_duty=active and room.is_on_duty,
        phone_numbers=room.phone_numbers,
    )
