"""What goes over HTTP: the document with what to do about it, and what that changes or has changed."""

from typing import Annotated, Any, Literal

import msgspec

from offhook.directory.lines.wire import ShortText
from offhook.kit.wire import Int64Text

Meta = msgspec.Meta

PATH = "/api/offhook/v1/configuration"

NOUNS = {
    "offices": "office",
    "numbers": "number",
    "users": "user",
    "rooms": "room",
    "departments": "department",
    "callcenters": "call center",
    "callrouters": "call router",
    "channels": "channel",
    "coaching_teams": "coaching team",
    "contacts": "contact",
    "prompts": "voice prompt",
    "policies": "access control policy",
}
"""Each section of a document, and what people call one of its records."""

Verb = Literal["create", "change", "delete"]


class ConfigurationQuery(msgspec.Struct):
    """How the document is written."""

    ids: Annotated[bool, Meta(description="With the id of every record, by which it can be renamed.")] = False


class ConfigurationIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A company as it shall be."""

    document: Annotated[
        dict[str, Any],
        Meta(description="The document, as GET gives it. What it does not mention stays as it is, unless prune."),
    ]
    prune: Annotated[
        bool,
        Meta(
            description="Delete what the sections of the document do not mention, and set fields that its records do "
            "not mention back to their defaults."
        ),
    ] = False
    fingerprint: Annotated[
        ShortText | None,
        Meta(description="That of a plan or of GET's ETag: refused (409) if the company changed since."),
    ] = None


class ConfigurationOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A company as a document: sections of records by the names that people call them."""

    version: Literal[1]
    company: dict[str, Any]
    offices: dict[str, Any] = {}
    numbers: dict[str, Any] = {}
    users: dict[str, Any] = {}
    rooms: dict[str, Any] = {}
    departments: dict[str, Any] = {}
    callcenters: dict[str, Any] = {}
    callrouters: dict[str, Any] = {}
    channels: dict[str, Any] = {}
    coaching_teams: dict[str, Any] = {}
    contacts: dict[str, Any] = {}
    prompts: dict[str, Any] = {}
    policies: dict[str, Any] = {}


class FieldChange(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One field; a side that is absent has no value."""

    field: str
    before: Any = None
    after: Any = None


class RecordChange(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What becomes of one record."""

    verb: Verb
    section: str
    key: Annotated[str, Meta(description="What the record is called afterwards.")]
    id: Annotated[Int64Text | None, Meta(description="Absent in a plan's creates.")] = None
    fields: list[FieldChange] = []


class Warned(msgspec.Struct, kw_only=True):
    """Something ignored, guessed or likely not meant."""

    code: str
    field: str
    text: str


class PlanOut(msgspec.Struct, kw_only=True):
    """What a document changes."""

    differs: bool
    fingerprint: Annotated[str, Meta(description="Stands for the company: before, in a plan; after, in an apply.")]
    created: int
    changed: int
    deleted: int
    changes: list[RecordChange]
    warnings: list[Warned]
