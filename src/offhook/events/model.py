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
    OFFICE_DELETED = "office.deleted"
    NUMBER_ADDED = "number.added"
    NUMBER_ASSIGNED = "number.assigned"
    NUMBER_RELEASED = "number.released"


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
