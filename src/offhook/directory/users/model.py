"""A user as it is kept."""

from typing import Literal

import msgspec

from offhook.emergency.model import CivicAddress

License = Literal[
    "admins", "agents", "dpde_all", "dpde_one", "lite_lines", "lite_support_agents", "magenta_lines", "talk"
]


class User(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person with a telephone. `country` is upper-case and `timezone` a tz name, those of the office.

    The first e-mail address and the first number are the primary ones. Moments are milliseconds since 1970 UTC.
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
    on_duty: bool = True
    duty_reason: str = ""
    duty_started: int = 0
    on_duty_started: int = 0

    @property
    def display_name(self) -> str:
        """First and last name, or else the e-mail address."""
        return f"{self.first_name} {self.last_name}".strip() or self.emails[0]
