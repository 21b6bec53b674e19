"""A call router as it is kept."""

from typing import Literal

import msgspec

from offhook.directory.lines.model import Target

TargetType = Literal[
    "callcenter", "callrouter", "channel", "coachinggroup", "coachingteam", "department", "office", "room",
    "staffgroup", "unknown", "user",
]  # fmt: skip


class CallRouter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line whose every call is decided by a web service of the company at `routing_url`.

    The default target takes the calls while the router is not enabled or its service fails. With a `secret` requests
    are signed. The first number is the primary one.
    """

    name: str
    office_id: int
    routing_url: str
    default_target_type: TargetType
    default_target_id: int
    enabled: bool = True
    secret: str = ""
    phone_numbers: tuple[str, ...] = ()

    @property
    def default_target(self) -> Target:
        """The default target by the name that routing has for its kind."""
        kind = "coachinggroup" if self.default_target_type == "coachingteam" else self.default_target_type
        return Target(kind, self.default_target_id)
