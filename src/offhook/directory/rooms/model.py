"""A room as it is kept."""

import msgspec


class Room(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place with a telephone. `country` is upper-case, that of its office; the first number is its primary one."""

    name: str
    office_id: int
    country: str
    phone_numbers: tuple[str, ...] = ()
    is_on_duty: bool = True
