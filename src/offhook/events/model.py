"""The audit words, `subject.action`, and the shape of an event. A word not listed here cannot be written."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from offhook.access.model import Principal


class Word(StrEnum):
    """All that can happen, so far."""

    COMPANY_CREATED = "company.created"
    KEY_CREATED = "key.created"
    KEY_REVOKED = "key.revoked"
    OFFICE_CREATED = "office.created"
    OFFICE_UPDATED = "office.updated"
    OFFICE_HOURS_UPDATED = "office.hours_updated"
    OFFICE_SPECIAL_DAYS_UPDATED = "office.special_days_updated"
    OFFICE_EMERGENCY_ADDRESS_UPDATED = "office.emergency_address_updated"
    OFFICE_OPENED_BY_HAND = "office.opened_by_hand"
    OFFICE_CLOSED_BY_HAND = "office.closed_by_hand"
    OFFICE_HAND_LIFTED = "office.hand_lifted"
    OFFICE_SCRIPT_ATTACHED = "office.script_attached"
    OFFICE_SCRIPT_DETACHED = "office.script_detached"
    OFFICE_DELETED = "office.deleted"
    OFFICE_POINTED_AT_VOICEMAIL = "office.pointed_at_voicemail"
    OFFICE_LICENCES_BOUGHT = "office.licences_bought"
    USER_CREATED = "user.created"
    USER_UPDATED = "user.updated"
    USER_SUSPENDED = "user.suspended"
    USER_ACTIVATED = "user.activated"
    USER_MOVED = "user.moved"
    USER_DO_NOT_DISTURB_UPDATED = "user.do_not_disturb_updated"
    USER_CALLER_ID_UPDATED = "user.caller_id_updated"
    USER_EMERGENCY_ADDRESS_UPDATED = "user.emergency_address_updated"
    USER_DUTY_UPDATED = "user.duty_updated"
    USER_DELETED = "user.deleted"
    ROOM_CREATED = "room.created"
    ROOM_UPDATED = "room.updated"
    ROOM_DELETED = "room.deleted"
    DEVICE_CREATED = "device.created"
    DEVICE_UPDATED = "device.updated"
    DEVICE_DELETED = "device.deleted"
    DEPARTMENT_CREATED = "department.created"
    DEPARTMENT_UPDATED = "department.updated"
    DEPARTMENT_POINTED_AT_VOICEMAIL = "department.pointed_at_voicemail"
    DEPARTMENT_OPENED_BY_HAND = "department.opened_by_hand"
    DEPARTMENT_CLOSED_BY_HAND = "department.closed_by_hand"
    DEPARTMENT_HAND_LIFTED = "department.hand_lifted"
    DEPARTMENT_SCRIPT_ATTACHED = "department.script_attached"
    DEPARTMENT_SCRIPT_DETACHED = "department.script_detached"
    DEPARTMENT_DELETED = "department.deleted"
    CALLCENTER_CREATED = "callcenter.created"
    CALLCENTER_UPDATED = "callcenter.updated"
    CALLCENTER_POINTED_AT_VOICEMAIL = "callcenter.pointed_at_voicemail"
    CALLCENTER_OPENED_BY_HAND = "callcenter.opened_by_hand"
    CALLCENTER_CLOSED_BY_HAND = "callcenter.closed_by_hand"
    CALLCENTER_HAND_LIFTED = "callcenter.hand_lifted"
    CALLCENTER_SCRIPT_ATTACHED = "callcenter.script_attached"
    CALLCENTER_SCRIPT_DETACHED = "callcenter.script_detached"
    CALLCENTER_DELETED = "callcenter.deleted"
    OPERATOR_ADDED = "operator.added"
    OPERATOR_UPDATED = "operator.updated"
    OPERATOR_REMOVED = "operator.removed"
    CALLROUTER_CREATED = "callrouter.created"
    CALLROUTER_UPDATED = "callrouter.updated"
    CALLROUTER_ERRORS_RESET = "callrouter.errors_reset"
    CALLROUTER_POINTED_AT_VOICEMAIL = "callrouter.pointed_at_voicemail"
    CALLROUTER_DISABLED = "callrouter.disabled"
    CALLROUTER_DELETED = "callrouter.deleted"
    CHANNEL_CREATED = "channel.created"
    CHANNEL_UPDATED = "channel.updated"
    CHANNEL_MEMBER_ADDED = "channel.member_added"
    CHANNEL_MEMBER_REMOVED = "channel.member_removed"
    CHANNEL_DELETED = "channel.deleted"
    CONTACT_CREATED = "contact.created"
    CONTACT_UPDATED = "contact.updated"
    CONTACT_DELETED = "contact.deleted"
    COACHING_TEAM_CREATED = "coaching_team.created"
    COACHING_TEAM_UPDATED = "coaching_team.updated"
    COACHING_TEAM_MEMBER_ADDED = "coaching_team.member_added"
    COACHING_TEAM_MEMBER_UPDATED = "coaching_team.member_updated"
    COACHING_TEAM_MEMBER_REMOVED = "coaching_team.member_removed"
    COACHING_TEAM_DELETED = "coaching_team.deleted"
    POLICY_CREATED = "policy.created"
    POLICY_UPDATED = "policy.updated"
    POLICY_ASSIGNED = "policy.assigned"
    POLICY_UNASSIGNED = "policy.unassigned"
    POLICY_DELETED = "policy.deleted"
    PROMPT_CREATED = "prompt.created"
    PROMPT_UPDATED = "prompt.updated"
    PROMPT_ASSIGNED = "prompt.assigned"
    PROMPT_UNASSIGNED = "prompt.unassigned"
    PROMPT_DELETED = "prompt.deleted"
    NUMBER_ADDED = "number.added"
    NUMBER_ASSIGNED = "number.assigned"
    NUMBER_RELEASED = "number.released"
    NUMBER_DELETED = "number.deleted"
    NUMBERS_IMPORTED = "numbers.imported"
    API_IMPORTED = "api.imported"
    API_DELETED = "api.deleted"
    API_EXAMPLE_CREATED = "api_example.created"
    API_EXAMPLE_DELETED = "api_example.deleted"
    CREDENTIAL_CREATED = "credential.created"
    CREDENTIAL_UPDATED = "credential.updated"
    CREDENTIAL_SEALED_AGAIN = "credential.sealed_again"
    CREDENTIAL_DELETED = "credential.deleted"
    REQUEST_CREATED = "request.created"
    REQUEST_UPDATED = "request.updated"
    REQUEST_DELETED = "request.deleted"
    WORKFLOW_DEFINITION_REGISTERED = "workflow_definition.registered"
    WORKFLOW_DEFINITION_UPDATED = "workflow_definition.updated"
    WORKFLOW_DEFINITION_DELETED = "workflow_definition.deleted"
    WORKFLOW_POLICY_REGISTERED = "workflow_policy.registered"
    WORKFLOW_POLICY_UPDATED = "workflow_policy.updated"
    WORKFLOW_POLICY_DELETED = "workflow_policy.deleted"
    WORKFLOW_RUN_PAUSED = "workflow_run.paused"
    WORKFLOW_RUN_RESUMED = "workflow_run.resumed"
    WORKFLOW_RUN_TERMINATED = "workflow_run.terminated"
    WORKFLOW_RUN_RETRIED = "workflow_run.retried"
    WORKFLOW_RUN_RESTARTED = "workflow_run.restarted"
    WORKFLOW_RUN_RERUN = "workflow_run.rerun"
    WORKFLOW_RUN_TASK_SKIPPED = "workflow_run.task_skipped"
    WORKFLOW_RUN_TASK_COMPLETED = "workflow_run.task_completed"
    WORKFLOW_RUN_DELETED = "workflow_run.deleted"
    WORKFLOW_SCHEDULE_CREATED = "workflow_schedule.created"
    WORKFLOW_SCHEDULE_UPDATED = "workflow_schedule.updated"
    WORKFLOW_SCHEDULE_PAUSED = "workflow_schedule.paused"
    WORKFLOW_SCHEDULE_RESUMED = "workflow_schedule.resumed"
    WORKFLOW_SCHEDULE_DELETED = "workflow_schedule.deleted"
    WORKFLOW_SCHEDULE_FIRED = "workflow_schedule.fired"
    WORKFLOW_SCHEDULE_FIRED_BY_HAND = "workflow_schedule.fired_by_hand"
    WORKFLOW_SCHEDULE_MISSED = "workflow_schedule.missed"
    WORKFLOW_SCHEDULE_SKIPPED = "workflow_schedule.skipped"
    WORKFLOW_SCHEDULE_FAILED = "workflow_schedule.failed"
    WORKFLOW_TRIGGER_CREATED = "workflow_trigger.created"
    WORKFLOW_TRIGGER_UPDATED = "workflow_trigger.updated"
    WORKFLOW_TRIGGER_PAUSED = "workflow_trigger.paused"
    WORKFLOW_TRIGGER_RESUMED = "workflow_trigger.resumed"
    WORKFLOW_TRIGGER_DELETED = "workflow_trigger.deleted"
    WORKFLOW_TRIGGER_FIRED = "workflow_trigger.fired"
    WORKFLOW_TRIGGER_FAILED = "workflow_trigger.failed"
    WORKFLOW_TRIGGER_STOPPED = "workflow_trigger.stopped"
    WORKFLOW_HOOK_CREATED = "workflow_hook.created"
    WORKFLOW_HOOK_UPDATED = "workflow_hook.updated"
    WORKFLOW_HOOK_SECRET_CHANGED = "workflow_hook.secret_changed"  # noqa: S105 - a word
    WORKFLOW_HOOK_SEALED_AGAIN = "workflow_hook.sealed_again"
    WORKFLOW_HOOK_DELETED = "workflow_hook.deleted"
    PHONE_PASSWORD_CHANGED = "phone.password_changed"  # noqa: S105 - a word
    TRUNK_CREATED = "trunk.created"
    TRUNK_UPDATED = "trunk.updated"
    TRUNK_SEALED_AGAIN = "trunk.sealed_again"
    TRUNK_DELETED = "trunk.deleted"
    EMERGENCY_CALL_PLACED = "emergency_call.placed"
    EMERGENCY_CALL_FAILED = "emergency_call.failed"
    VOICEMAIL_LEFT = "voicemail.left"
    VOICEMAIL_UPDATED = "voicemail.updated"
    VOICEMAIL_DELETED = "voicemail.deleted"
    RECORDING_MADE = "recording.made"
    RECORDING_DELETED = "recording.deleted"


Show = Callable[[str, int], bytes]
"""From a stored document and the event's moment (milliseconds) to the JSON that the API shows for it."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: a key, by id and name, or the command line on the machine itself."""

    key_id: int
    name: str

    @classmethod
    def of(cls, principal: Principal) -> "Actor":
        return cls(principal.key_id, principal.key_name)


SYSTEM = Actor(0, "offhook")


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One change; `at` in milliseconds.

    `before` and `after` are JSON documents, empty where there was or is nothing. A subject may keep them in its own
    stored form, which costs a hot path nothing, and give the API a `Show` that tells what they say.
    """

    tenant_id: int
    word: Word
    subject_id: str
    actor: Actor
    at: int
    request_id: str = ""
    before: str = ""
    after: str = ""
