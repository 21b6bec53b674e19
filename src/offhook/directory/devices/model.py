"""A device as it is kept."""

from typing import Literal, get_args

import msgspec

OwnerType = Literal["room", "user"]
DeskPhoneType = Literal[
    "ata", "audiocodes", "c2t", "ciscompp", "dect", "grandstream", "mini", "mitel", "obi", "polyandroid", "polycom",
    "sip", "tickiot", "yealink",
]  # fmt: skip
DeviceType = Literal[
    "android", "ata", "audiocodes", "c2t", "ciscompp", "dect", "dpmroom", "grandstream", "harness",
    "iframe_cti_extension", "iframe_front", "iframe_hubspot", "iframe_ms_teams", "iframe_open_cti",
    "iframe_salesforce", "iframe_service_titan", "iframe_zendesk", "ipad", "iphone", "mini", "mitel", "msteams",
    "native", "obi", "packaged_app", "polyandroid", "polycom", "proxy", "public_api", "salesforce", "sip", "tickiot",
    "web", "yealink",
]  # fmt: skip

DESK_PHONES: frozenset[str] = frozenset(get_args(DeskPhoneType))
"""The kinds that v2 calls desk phones; all others are apps."""

MAX_DEVICES = 32
"""How many devices one user or room may have."""

ENABLED, DISABLED = "active", "disabled"
"""The states of a device: only one that is enabled rings."""


class Device(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A telephone of a user or a room, be it hardware or an app; in the state `active` while it may ring.

    `registered_at` is in milliseconds since 1970 UTC, 0 if it never did.
    """

    owner_type: OwnerType
    owner_id: int
    type: DeviceType
    name: str = ""
    app_version: str = ""
    phone_number: str = ""
    registered_at: int = 0
