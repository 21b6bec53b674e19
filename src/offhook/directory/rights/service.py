"""Asks the rules of rights about a request: reads who the key's user is, and what the request touches."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from offhook.directory.assignment.service import NOUNS
from offhook.directory.contacts.model import uid_of
from offhook.directory.contacts.store import contacts
from offhook.directory.policies import store as policies
from offhook.directory.rights import rules
from offhook.directory.rights.rules import Grant, Person, Thing
from offhook.directory.users.model import User
from offhook.directory.users.store import users
from offhook.directory.work import Work
from offhook.kit.errors import Forbidden, NotFound, Violation
from offhook.kit.operation import Call, Operation
from offhook.kit.wire import to_int64
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept

_FIRST = re.compile(r"/(\w+)/\{(\w+)[:\w]*\}")
_KINDS = {
    "callcenters": "callcenter", "callrouters": "callrouter", "contacts": "contact", "departments": "department",
    "offices": "office", "operators": "user", "rooms": "room", "users": "user",
}  # fmt: skip
"""By the word before it in the path: the kind of what an id names."""


class Rights:
    """What users of keys may do, for the gate."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def __call__(self, call: Call, operation: Operation, *, whole: bool) -> None:
        """Nothing, if the user of the key may do this; else Forbidden, or NotFound for what the company does not have.

        While it is not `whole`, the body has not been read.
        """
        tenant_id, id, body = call.principal.tenant_id, call.principal.user_id, call.body if whole else None

        def read(tx: Transaction) -> rules.Verdict:
            kept = users.get(tx, tenant_id, id)
            if kept is None or kept.state != "active":
                raise Forbidden("The user whose key this is takes no part any more: they are suspended or gone.")
            person = self._person(tx, kept)
            if person.is_company_admin:
                return rules.Verdict(True)
            thing = self._thing(tx, call, operation)
            named, sent = list(self._named(tx, tenant_id, body)), list(_sent(body))
            return rules.judge(person, operation.id, thing, named, sent, whole=whole)

        verdict = await self._work.reader.run(read)
        if verdict.allowed:
            return
        who = f"a key of the company, or of a user who is a company admin{rules.wanted(operation.id)}"
        if verdict.fields:
            text = f"The user of this key may not change this; it takes {who}."
            places = [Violation(location=one, reason=Forbidden.reason, message=text) for one in verdict.fields]
            raise Forbidden(f"{verdict.fields[0]}: {text}", places)
        raise Forbidden(f"This key is a user's, who may change only what is theirs; this takes {who}.")

    def _person(self, tx: Transaction, kept: Kept[User]) -> Person:
        user = kept.value
        held = policies.of_user(tx, kept.tenant_id, kept.id)
        ids = [one.policy_id for one in held]
        known = {one.id: one.value for one in policies.policies.get_many(tx, kept.tenant_id, ids)}
        return Person(
            id=kept.id,
            is_company_admin=user.is_super_admin,
            office_ids=frozenset(user.admin_office_ids),
            grants=tuple(
                Grant(
                    permissions=known[one.policy_id].permission_sets,
                    level=one.target_type,
                    target_id=one.target_id,
                    office_id=self._office_of(tx, kept.tenant_id, one.target_type, one.target_id) or 0,
                )
                for one in held
                if one.policy_id in known
            ),
        )

    def _thing(self, tx: Transaction, call: Call, operation: Operation) -> Thing | None:
        """What the path names first, None if that is nothing with rights of its own; NotFound if it is not there."""
        found = _FIRST.search(operation.path)
        kind = _KINDS.get(found[1]) if found is not None else None
        if found is None or kind is None:
            return None
        tenant_id, sent = call.principal.tenant_id, call.params[found[2]]
        if kind == "contact":
            return _contact(tx, call, str(sent))
        thing = self._named_one(tx, tenant_id, kind, int(sent))
        if thing is None:
            raise NotFound(f"There is no {NOUNS[kind]} {sent}.")
        return thing

    def _named(self, tx: Transaction, tenant_id: int, body: Any) -> Iterator[Thing]:
        """The office, and the users and rooms, that a body names; what is not there is the operation's to refuse."""
        for field, kind in (
            ("office_id", "office"),
            ("owner_id", "user"),
            ("user_id", "user"),
            ("operator_id", getattr(body, "operator_type", "user")),
        ):
            number = to_int64(getattr(body, field, None) or 0)
            thing = self._named_one(tx, tenant_id, kind, number) if number else None
            if thing is not None:
                yield thing

    def _named_one(self, tx: Transaction, tenant_id: int, kind: str, id: int) -> Thing | None:
        office_id = self._office_of(tx, tenant_id, kind, id)
        if office_id is None:
            return None
        user = users.get(tx, tenant_id, id) if kind == "user" else None
        return Thing(kind=kind, id=id, office_id=office_id, above=user is not None and user.value.is_super_admin)

    def _office_of(self, tx: Transaction, tenant_id: int, kind: str, id: int) -> int | None:
        """The office that something is or is in; None if the company has no such thing."""
        holder = self._work.holders.get(kind)
        holding = holder.get(tx, tenant_id, id) if holder is not None else None
        return holding.office_id if holding is not None else None


def _contact(tx: Transaction, call: Call, text: str) -> Thing:
    """The owner of a contact, whose it is to change; of a shared one nobody."""
    tenant_id, id = call.principal.tenant_id, to_int64(text)
    if uid := uid_of(text, call.principal.company_id):
        kept = contacts.first(tx, tenant_id, uid=uid)
    else:
        kept = contacts.get(tx, tenant_id, id or 0)
    if kept is None:
        raise NotFound(f"There is no contact {text}.")
    return Thing(kind="user", id=kept.value.owner_id, office_id=0)


def _sent(body: Any) -> Iterator[str]:
    """The fields that a body sends, those of what is nested as `a.b`."""
    for name in getattr(body, "__struct_fields__", ()):
        value = getattr(body, name)
        if isinstance(value, msgspec.Struct):
            inner = [f"{name}.{one}" for one in value.__struct_fields__ if getattr(value, one) is not None]
            yield from inner or [name]
        elif value is not None:
            yield name
