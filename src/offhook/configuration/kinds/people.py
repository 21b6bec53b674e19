"""People outside the company, and what its own belong to: contacts, channels, coaching teams, policies."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from offhook.configuration.kind import Field, Item, Kind, Special, Wanted, as_it_is, each, words
from offhook.configuration.kinds.parts import (
    NAME,
    OFFICE,
    everything,
    in_order,
    mapping,
    referring,
    send_target,
    target_text,
)
from offhook.configuration.names import Names
from offhook.directory import members
from offhook.directory.channels.store import channels
from offhook.directory.coaching.store import teams
from offhook.directory.contacts.store import contacts
from offhook.directory.policies import store as policy_store
from offhook.directory.policies.store import policies
from offhook.storage.database import Transaction

if TYPE_CHECKING:
    from offhook.configuration.run import Run

_ALL = 1_000_000
_LAST = 2**63 - 1


def user_field(
    path: str, wire: str, read: Callable[[Any], int], *, mutable: bool = True, required: bool = False
) -> Field:
    """A field that names a user by e-mail address."""

    def show(_tx: Transaction, item: Item, names: Names) -> str | None:
        id = read(item.value)
        return names.key("user", id) if id else None

    return Field(path, show=show, wire=wire, send=referring("user"), refers="user", mutable=mutable, required=required)


# Contacts


def _of_uid(run: "Run", answer: Any) -> int:
    text = str(answer["id"])
    if text.isdigit():
        return int(text)
    kept = contacts.first(run.tx, run.tenant_id, uid=text.partition("_uid_")[2])
    assert kept is not None
    return kept.id


CONTACTS = Kind(
    section="contacts",
    type="contact",
    implied=(),
    identity="uid",
    fields=(
        Field("uid", mutable=False),
        Field("first_name", cleared=""),
        Field("last_name", cleared=""),
        user_field("owner", "owner_id", lambda contact: contact.owner_id, mutable=False),
        Field("company_name", cleared=""),
        Field("job_title", cleared=""),
        Field("extension", cleared=""),
        Field("emails", normal=each(words), cleared=[]),
        Field("phones", normal=each(words), cleared=[]),
        Field("urls", normal=each(words), cleared=[]),
        Field("trunk_group", cleared=""),
    ),
    fixed={"first_name": "", "last_name": ""},
    load=everything(contacts, lambda contact: contact.uid or contact.display_name),
    create=lambda wanted: "contacts.create_with_uid" if wanted.given.get("uid") else "contacts.create",
    update="contacts.update",
    delete="contacts.delete",
    made=_of_uid,
)


# Members of channels and coaching teams, in the order of joining


def _members(tx: Transaction, tenant_id: int, group: members.GroupType, id: int) -> list[members.Member]:
    return members.page(tx, tenant_id, group, id, 0, _ALL)


def _channel_members(_tx: Transaction, item: Item, names: Names) -> list[str] | None:
    found = _members(_tx, item.tenant_id, "channel", item.id)
    return [names.key("user", one.user_id) for one in found] or None


def _set_channel_members(run: "Run", wanted: Wanted) -> None:
    listed = wanted.given["members"] or []
    users = [run.refer("user", key, f"members[{index}]") for index, key in enumerate(listed)]
    now = [one.user_id for one in _members(run.tx, run.tenant_id, "channel", wanted.id)]
    left, joined = in_order(now, users)
    for user in left:
        run.do("channels.members.delete", params={"id": wanted.id}, body={"user_id": user}, at="members")
    for user in joined:
        place = f"members[{users.index(user)}]"
        run.do("channels.members.post", params={"id": wanted.id}, body={"user_id": user}, at=place)


CHANNELS = Kind(
    section="channels",
    type="channel",
    fields=(
        NAME,
        Field("description"),
        Field("privacy_type", required=True),
        user_field("owner", "user_id", lambda channel: channel.owner_id, mutable=False),
        Field("members", show=_channel_members, normal=each(words), wire=""),
    ),
    fixed={"description": ""},
    load=everything(channels, lambda channel: channel.name),
    create="channels.post",
    update="",
    delete="channels.delete",
    specials=(Special(("members",), _set_channel_members),),
)


_MEMBER = mapping("user", "role")


def _normal_member(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = _MEMBER(value if isinstance(value, dict) else {"user": value})
    return found


def _team_members(tx: Transaction, item: Item, names: Names) -> list[dict[str, str]] | None:
    found = _members(tx, item.tenant_id, "coachinggroup", item.id)
    return [{"user": names.key("user", one.user_id), "role": one.role} for one in found] or None


def _set_team_members(run: "Run", wanted: Wanted) -> None:
    listed = wanted.given["members"] or []
    users = [run.refer("user", one.get("user"), f"members[{index}].user") for index, one in enumerate(listed)]
    now = {one.user_id: one.role for one in _members(run.tx, run.tenant_id, "coachinggroup", wanted.id)}
    left, joined = in_order(list(now), users)
    for user in left:
        run.do("offhook.coaching_teams.remove_member", params={"id": wanted.id, "member_id": user}, at="members")
    for index, (user, one) in enumerate(zip(users, listed, strict=True)):
        if user in joined or now.get(user) != one.get("role"):
            body = {"member_id": user, "role": one.get("role")}
            run.do("coaching_team.members.add", params={"id": wanted.id}, body=body, under=f"members[{index}]")


COACHING_TEAMS = Kind(
    section="coaching_teams",
    type="coachinggroup",
    implied=("office", "name"),
    fields=(
        Field("office", show=OFFICE.show, wire="office_id", send=referring("office"), refers="office"),
        NAME,
        Field("team_description", cleared=""),
        Field("allow_trainee_eavesdrop", False, normal=as_it_is),
        Field("ring_seconds", 30, normal=as_it_is),
        Field("members", show=_team_members, normal=each(_normal_member), wire=""),
    ),
    load=everything(teams, lambda team: team.name, lambda team: team.office_id),
    create="offhook.coaching_teams.create",
    update="offhook.coaching_teams.update",
    delete="offhook.coaching_teams.delete",
    specials=(Special(("members",), _set_team_members),),
)


# Policies

_ASSIGNMENT = mapping("user", "target")


def _normal_assignment(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = _ASSIGNMENT(value if isinstance(value, dict) else {"user": value})
    return found


def _assigned(tx: Transaction, tenant_id: int, policy_id: int) -> list[policy_store.Assignment]:
    return policy_store.assignments(tx, tenant_id, policy_id, 0, _LAST)


def _assignments(tx: Transaction, item: Item, names: Names) -> list[dict[str, str]] | None:
    found = []
    for one in _assigned(tx, item.tenant_id, item.id):
        entry = {"user": names.key("user", one.user_id)}
        if one.target_type != "company":
            entry["target"] = target_text(one.target_type, str(one.target_id), names) or ""
        found.append(entry)
    return sorted(found, key=lambda one: (one["user"], one.get("target", ""))) or None


def _normal_assignments(value: Any) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = each(_normal_assignment)(value)
    return sorted(listed, key=lambda one: (str(one.get("user")), str(one.get("target", ""))))


def _assign(run: "Run", wanted: Wanted) -> None:
    before: set[tuple[int, str, int]] = {
        (one.user_id, one.target_type, one.target_id) for one in _assigned(run.tx, run.tenant_id, wanted.id)
    }
    after: dict[tuple[int, str, int], int] = {}
    company = next((one[2] for one in before if one[1] == "company"), 0)
    for index, one in enumerate(wanted.given["assignments"] or []):
        user = run.refer("user", one.get("user"), f"assignments[{index}].user")
        if "target" not in one:
            mine = next((held for held in before if held[0] == user and held[1] == "company"), None)
            after[mine or (user, "company", company)] = index
            continue
        sent = send_target(run, one["target"], f"assignments[{index}]")
        after[user, sent["action_target_type"], int(sent.get("action_target_id", 0))] = index
    for user, word, id in sorted(before - after.keys()):
        run.do(
            "accesscontrolpolicies.unassign", params={"id": wanted.id}, body=_place(user, word, id), at="assignments"
        )
    for (user, word, id), index in after.items():
        if (user, word, id) not in before:
            ask = partial(run.do, "accesscontrolpolicies.assign", params={"id": wanted.id})
            ask(body=_place(user, word, id), under=f"assignments[{index}]")


def _place(user: int, word: str, id: int) -> dict[str, Any]:
    place = {"user_id": user, "target_type": word}
    return place if word == "company" else {**place, "target_id": id}


def _permissions(value: Any) -> list[Any]:
    listed: list[Any] = each(words)(value)
    return sorted(listed, key=str)


POLICIES = Kind(
    section="policies",
    type="policy",
    fields=(
        NAME,
        Field("description", cleared=""),
        user_field("owner", "owner_id", lambda policy: policy.owner_id, mutable=False, required=True),
        Field("target_type", "company", mutable=False),
        Field(
            "permission_sets",
            show=lambda _tx, item, _names: sorted(item.value.permission_sets),
            normal=_permissions,
            required=True,
        ),
        Field("assignments", show=_assignments, normal=_normal_assignments, wire=""),
    ),
    load=everything(policies, lambda policy: policy.name),
    create="accesscontrolpolicies.create",
    update="accesscontrolpolicies.update",
    delete="accesscontrolpolicies.delete",
    specials=(Special(("assignments",), _assign),),
)
