"""What can be called: whether a company has a target of a kind, and whether a call may be sent there."""

from collections.abc import Mapping, Sequence
from typing import Any

from offhook.directory.callrouters.store import callrouters
from offhook.directory.channels.store import channels
from offhook.directory.coaching.store import teams
from offhook.directory.contacts.store import contacts
from offhook.directory.groups.store import callcenters, departments
from offhook.directory.lines.model import Target
from offhook.directory.lines.rules import unknown_target
from offhook.directory.offices import OfficeOf
from offhook.directory.rooms.store import rooms
from offhook.directory.users.store import users
from offhook.kit.errors import Notice, Violation
from offhook.storage.database import Transaction
from offhook.storage.documents import Documents

KINDS: Mapping[str, Documents[Any]] = {
    "callrouter": callrouters,
    "channel": channels,
    "coachinggroup": teams,
    "coachingteam": teams,
    "contact": contacts,
    "room": rooms,
    "user": users,
    "department": departments,
    "callcenter": callcenters,
}
"""The kinds of the directory, and where each is kept. Nothing makes a contactgroup or a staffgroup."""


def state_of(tx: Transaction, tenant_id: int, target: Target, office: OfficeOf) -> str | None:
    """The state of a target (`active`, `suspended`...), None if the company has none of that kind and id."""
    if target.type == "office":
        card = office(tx, tenant_id, target.id)
        return card.state if card else None
    documents = KINDS.get(target.type)
    kept = documents.get(tx, tenant_id, target.id) if documents is not None else None
    return kept.state if kept else None


def name_of(tx: Transaction, tenant_id: int, target: Target, office: OfficeOf) -> str:
    """What people call a target; its kind and id if it has no name."""
    named: Any
    if target.type == "office":
        named = office(tx, tenant_id, target.id)
    else:
        documents = KINDS.get(target.type)
        kept = documents.get(tx, tenant_id, target.id) if documents is not None else None
        named = kept.value if kept else None
    found = getattr(named, "name", None) or getattr(named, "display_name", None)
    return found if isinstance(found, str) else f"{target.type} {target.id}"


def fault(tx: Transaction, tenant_id: int, place: str, target: Target, office: OfficeOf) -> Violation | None:
    """What is wrong with sending calls to `target`, which `place` names; None if nothing is.

    Targets of the kind `unknown` pass, as the rules have warned of them.
    """
    if target.type == "unknown":
        return None
    state = state_of(tx, tenant_id, target, office)
    if state is None:
        return unknown_target(place, target)
    if state != "active":
        text = f"This {target.type} is {state}: it takes no calls. Activate it, or name another."
        return Violation(location=place, reason="conflict", message=text, sent=str(target.id))
    return None


def warn_of_unreachable(
    tx: Transaction, tenant_id: int, pointed: Sequence[tuple[str, Target]], notices: list[Notice]
) -> None:
    """Warn of each of `pointed`, (field path, target), where nothing can ring: contacts without a telephone number."""
    ids = list(dict.fromkeys(target.id for _, target in pointed if target.type == "contact"))
    found = contacts.get_many(tx, tenant_id, ids) if ids else ()
    silent = {kept.id: kept.value.display_name for kept in found if not kept.value.phones}
    for place, target in pointed:
        if target.type == "contact" and target.id in silent:
            text = f"The contact {silent[target.id]} has no telephone number: calls to it go to the office's voicemail."
            notices.append(Notice("target_unreachable", place, text))
