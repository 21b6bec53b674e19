"""A user as it is kept, and the line of a plan that each licence uses. Pure."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from offhook.emergency.model import CivicAddress

License = Literal[
    "admins", "agents", "dpde_all", "dpde_one", "lite_lines", "lite_support_agents", "magenta_lines", "talk"
]

LINE_OF: Mapping[License, str] = {
    "talk": "talk_lines",  # a telephone with a number of its own
    "agents": "sell_lines",  # an agent of call centers, with a number of their own
    "lite_support_agents": "contact_center_lines",  # an agent of call centers, whose numbers cost extra
    # The plan has no counter for these: each is a person with a telephone and a number, so a talk line.
    "admins": "talk_lines",
    "dpde_all": "talk_lines",
    "dpde_one": "talk_lines",
    "lite_lines": "talk_lines",
    "magenta_lines": "talk_lines",
}
"""The kind of line of the office's plan that a user of each licence takes."""

SUPPORT: frozenset[License] = frozenset({"lite_support_agents"})
"""The licences that include no number: the first one uses an additional number line, as any further one does."""


BLOCKED = "blocked"
"""The caller ID of a user whose calls show none."""


class User(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person with a telephone. `country` is upper-case and `timezone` a tz name, those of the office.

    The first e-mail address and the first number are the primary ones. `caller_id` is a number, `blocked`, or empty
    for the usual one. Moments are milliseconds since 1970 UTC; `status_until` is 0 for a message that stays.
    """

    office_id: int
    emails: tuple[str, ...]
    country: str
    timezone: str
    first_name: str = ""
    last_name: str = ""
    job_title: str = ""
    license: License = "talk"
    extension: str = ""
    phone_numbers: tuple[str, ...] = ()
    forwarding_numbers: tuple[str, ...] = ()
    admin_office_ids: tuple[int, ...] = ()
    is_super_admin: bool = False
    international_dialing_enabled: bool = False
    do_not_disturb: bool = False
    caller_id: str = ""
    e911_address: CivicAddress | None = None
    status_message: str = ""
    status_until: int = 0
    on_duty: bool = True
    duty_reason: str = ""
    duty_started: int = 0
    on_duty_started: int = 0
    activated_at: int = 0
    language: str = "en"

    @property
    def display_name(self) -> str:
        """First and last name, or else the e-mail address."""
        return f"{self.first_name} {self.last_name}".strip() or self.emails[0]

    @property
    def first_line(self) -> str:
        """The kind of line that the first number uses, "" if the licence includes it."""
        return "additional_number_lines" if self.license in SUPPORT else ""
