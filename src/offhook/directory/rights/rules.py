"""What the user of a key may change. Pure: who they are and what a request touches is read elsewhere.

Scopes bound a key; these rules bound the user whose key it is, whatever its scopes. An operation that stands in no
table here, new ones among them, is for company admins and the company's own keys. docs/algorithms/rights.md has the
tables in words.
"""

from collections.abc import Mapping, Sequence

import msgspec

from offhook.directory.policies.model import Level, Permission

Fields = frozenset[str] | None
"""The fields of a body that may be sent, nested ones as `a.b`; None for all."""

ALL: Fields = None
NONE: Fields = frozenset()

OWN: Mapping[str, Fields] = {
    "users.update": frozenset(
        {"first_name", "last_name", "job_title", "phone_numbers", "forwarding_numbers", "presence_status"}
    ),
    "users.toggle_dnd": ALL,
    "users.update_status": ALL,
    "caller_id.users.post": ALL,
    "users.e911.update": ALL,
    "callcenters.operators.dutystatus": ALL,
    "numbers.assign_user_number.post": ALL,
    "numbers.user_unassign_number.post": ALL,
    "call.call": ALL,
    "users.update_active_call": ALL,
    "contacts.create": ALL,
    "contacts.update": ALL,
    "contacts.delete": ALL,
}
"""What anybody may do to themselves and to contacts of their own."""

_ADMINS = frozenset({"is_super_admin", "admin_office_ids"})

OFFICE: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(
        (
            "users.create", "users.delete", "users.toggle_dnd", "users.update_status", "users.move_office.patch",
            "caller_id.users.post", "users.e911.update", "callcenters.operators.dutystatus",
            "rooms.post", "rooms.patch", "rooms.delete",
            "departments.create", "departments.update", "departments.delete",
            "callcenters.create", "callcenters.update", "callcenters.delete",
            "callrouters.create", "callrouters.update", "callrouters.delete",
            "offices.operators.post", "offices.operators.delete",
            "departments.operators.post", "departments.operators.delete",
            "callcenters.operators.post", "callcenters.operators.delete", "callcenters.operators.skilllevel",
            "numbers.assign_office_number.post", "numbers.office_unassign_number.post",
            "numbers.assign_user_number.post", "numbers.user_unassign_number.post",
            "numbers.assign_room_number.post", "numbers.room_unassign_number.post",
            "numbers.assign_call_router_number.post", "offhook.callrouters.unassign_number",
            "offhook.departments.assign_number", "offhook.departments.unassign_number",
            "offhook.callcenters.assign_number", "offhook.callcenters.unassign_number",
            "offices.update", "offices.e911.update",
            "offhook.offices.days.set", "offhook.offices.days.delete", "offhook.offices.holidays.import",
        ),
        frozenset[str](),
    ),
    "users.update": _ADMINS,
}  # fmt: skip
"""What admins of an office may do there, each with the fields that are not theirs to send."""

_HOURS = frozenset(
    {"hours_on", "keeps_office_days"}
    | {f"{day}_hours" for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")}
)


def _groups(*fields: str) -> dict[str, Fields]:
    return {"departments.update": frozenset(fields), "callcenters.update": frozenset(fields)}


PERMISSIONS: Mapping[Permission, Mapping[str, Fields]] = {
    "agents_admins_manage_agents_settings_write": dict.fromkeys(
        [f"{kind}.operators.{way}" for kind in ("offices", "departments", "callcenters") for way in ("post", "delete")]
    ),
    "agents_admins_skill_level_write": {"callcenters.operators.skilllevel": ALL},
    "auto_call_recording_and_transcription_settings_write": {
        "departments.update": frozenset({"auto_call_recording"}),
        "callcenters.update": frozenset({"advanced_settings.auto_call_recording"}),
    },
    "business_hours_write": {"offices.update": ALL, **_groups(*_HOURS)},
    "call_routing_hours_settings_write": {
        "offices.update": ALL,
        **_groups(*_HOURS, "routing_options", "ring_seconds"),
    },
    "cc_call_settings_write": {
        "callcenters.update": frozenset({"hold_queue", "advanced_settings.max_wrap_up_seconds"})
    },
    "dashboard_and_alerts_write": {"callcenters.update": frozenset({"alerts"})},
    "dialpad_ai_settings_write": _groups("voice_intelligence"),
    "holiday_hours_settings_write": {
        **dict.fromkeys(("offhook.offices.days.set", "offhook.offices.days.delete", "offhook.offices.holidays.import")),
        **_groups("keeps_office_days"),
    },
    "name_language_description_settings_write": _groups("name", "group_description"),
    "number_settings_write": dict.fromkeys(
        (
            "numbers.assign_office_number.post", "numbers.office_unassign_number.post",
            "offhook.departments.assign_number", "offhook.departments.unassign_number",
            "offhook.callcenters.assign_number", "offhook.callcenters.unassign_number",
        )
    ),
}  # fmt: skip
"""What each permission of a policy lets its users do, and with which fields. The others let them do nothing here."""


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """That a policy gives a user permissions at a target. `office_id` is that of the office that it is or is in."""

    permissions: tuple[Permission, ...]
    level: Level
    target_id: int
    office_id: int = 0


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Whose key it is: rank, the offices that they administer, and what policies give them."""

    id: int
    is_company_admin: bool = False
    office_ids: frozenset[int] = frozenset()
    grants: tuple[Grant, ...] = ()


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """What a request touches. `office_id` is the office that it is or is in; `above` marks a company admin."""

    kind: str
    id: int
    office_id: int
    above: bool = False


class Verdict(msgspec.Struct, frozen=True):
    """Whether a person may do it; if only with other fields, `fields` are those that they may not send."""

    allowed: bool
    fields: tuple[str, ...] = ()


def judge(
    person: Person,
    operation: str,
    thing: Thing | None,
    named: Sequence[Thing] = (),
    sent: Sequence[str] = (),
    *,
    whole: bool = True,
) -> Verdict:
    """Whether a person may carry out an operation on `thing`, the one in the path, with the fields `sent`.

    `named` are the offices, users and rooms that the body names, which must be theirs as well. Before the body is read,
    which is when it is not `whole`, what it may still name is not held against them.
    """
    if person.is_company_admin:
        return Verdict(True)
    touched = [*([] if thing is None else [thing]), *named]
    ways: list[tuple[Fields, frozenset[str]]] = []
    # Where the path says whose it is, the fields that are one's own to send name nobody.
    own = touched[:1] if thing is not None else touched
    if operation in OWN and (own or not whole) and all(_is(one, person) for one in own):
        ways.append((OWN[operation], frozenset()))
    administers = person.office_ids and (touched or not whole) and not (thing is not None and thing.above)
    if operation in OFFICE and administers and all(one.office_id in person.office_ids for one in touched):
        ways.append((ALL, OFFICE[operation]))
    ways += [
        (PERMISSIONS[permission][operation], frozenset())
        for grant in person.grants
        for permission in grant.permissions
        if operation in PERMISSIONS.get(permission, ()) and _covers(grant, thing, named)
    ]
    if not ways:
        return Verdict(False)
    refused = tuple(field for field in sent if not any(_may_send(field, *way) for way in ways))
    return Verdict(not refused, refused)


def _is(thing: Thing, person: Person) -> bool:
    return thing.kind == "user" and thing.id == person.id


def _may_send(field: str, may: Fields, never: frozenset[str]) -> bool:
    return field not in never and (may is None or field in may or field.partition(".")[0] in may)


def _covers(grant: Grant, thing: Thing | None, named: Sequence[Thing]) -> bool:
    """Whether a policy holds for a thing and whoever is named with it: people of the same office."""
    if thing is None or grant.level == "company":
        return thing is not None
    if grant.level == "office":
        return all(one.office_id == grant.target_id for one in (thing, *named))
    here = (thing.kind, thing.id) == ("callcenter", grant.target_id)
    return here and all(one.office_id == grant.office_id for one in named)


def idle(permissions: Sequence[Permission], level: Level) -> list[Permission]:
    """The permissions that let nobody do anything here at this level."""

    def works(permission: Permission) -> bool:
        operations = PERMISSIONS.get(permission, {})
        return any(level != "callcenter" or "callcenters." in operation for operation in operations)

    return [one for one in permissions if not works(one)]


def wanted(operation: str) -> str:
    """Who else may carry out an operation than `a user who is a company admin`, as the end of that sentence."""
    office = " or an admin of the office" if operation in OFFICE else ""
    policies = [name for name, operations in PERMISSIONS.items() if operation in operations]
    return office + (f", or has a policy with {' or '.join(policies)}" if policies else "")
