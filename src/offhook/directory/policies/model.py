"""An access control policy as it is kept."""

from typing import Literal

import msgspec

Level = Literal["callcenter", "company", "office"]
Permission = Literal[
    "agent_settings_write", "agents_admins_manage_agents_settings_write", "agents_admins_skill_level_write",
    "auto_call_recording_and_transcription_settings_write", "business_hours_write",
    "call_blocking_spam_prevention_settings_write", "call_dispositions_settings_write",
    "call_routing_hours_settings_write", "cc_call_settings_write", "chrome_extension_compliance_settings_write",
    "csat_surveys_write", "dashboard_and_alerts_write", "dialpad_ai_settings_write", "holiday_hours_settings_write",
    "integrations_settings_write", "name_language_description_settings_write", "number_settings_write",
    "supervisor_settings_write",
]  # fmt: skip


class Policy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What its users may change, and at which level. `owner_id` and `updated_by` are users, 0 for none."""

    name: str
    owner_id: int
    permission_sets: tuple[Permission, ...]
    target_type: Level = "company"
    description: str = ""
    updated_by: int = 0


def with_reads(permissions: tuple[Permission, ...]) -> tuple[str, ...]:
    """The permissions with what they imply, in order: who may change a thing may read it."""
    return tuple(sorted({*permissions, *(one.removesuffix("write") + "read" for one in permissions)}))
