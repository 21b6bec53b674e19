"""A number as the inventory has it: what its digits say, whose pool it is of, who has it, and what that costs."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from offhook.kit.phones import Kind

Status = Literal[
    "available",
    "call_center",
    "call_router",
    "department",
    "dynamic_caller",
    "office",
    "pending",
    "porting",
    "room",
    "user",
]

STATUSES: Mapping[str, Status] = {
    "callcenter": "call_center",
    "callrouter": "call_router",
    "department": "department",
    "office": "office",
    "room": "room",
    "user": "user",
}
"""By the kind of what has a number: the status that v2 gives it."""


class Number(msgspec.Struct, frozen=True, kw_only=True):
    """A number of a company.

    `country` is upper-case. `office_id` is the office whose pool it is of, 0 for the company's. `target_type` is empty
    while nobody has it; `target_office_id` is the target's office, whose plan it uses the line `line` of, "" if it is
    included there. `added_at` is in milliseconds since 1970 UTC.
    """

    e164: str
    type: Kind
    country: str
    area_code: str
    office_id: int = 0
    status: Status = "available"
    target_type: str = ""
    target_id: int = 0
    target_office_id: int = 0
    line: str = ""
    added_at: int = 0

    @property
    def tollfree(self) -> bool:
        return self.type == "tollfree"
