"""A channel as it is kept."""

from typing import Literal

import msgspec

Privacy = Literal["private", "public"]


class Channel(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A conversation that users belong to. `owner_id` is a user, 0 if it has no owner."""

    name: str
    description: str
    privacy_type: Privacy
    owner_id: int = 0
