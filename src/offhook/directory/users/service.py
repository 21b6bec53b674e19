"""What can be done with a user. Lines, numbers, memberships and the user change in one transaction, or not at all."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from offhook.access import store as keys
from offhook.access.doing import refuse
from offhook.access.gate import reply_of
from offhook.access.model import Principal
from offhook.directory import pointers
from offhook.directory.assignment import service as assignment
from offhook.directory.lines.model import Target
from offhook.directory.offices import OfficeCard, no_such
from offhook.directory.operators import store as operators
from offhook.directory.operators.service import leave
from offhook.directory.paths import ForceQuery, etag, id_of
from offhook.directory.people import users_out
from offhook.directory.users import rules, store, wire
from offhook.directory.users.licensing import AGENTS, KEEPER, holding_of, settle
from offhook.directory.users.model import SUPPORT, License, User
from offhook.directory.users.moving import INTERNAL, move, new_number
from offhook.directory.users.store import users
from offhook.directory.work import Holder, Holding, Work
from offhook.events.keeper import tell
from offhook.events.model import Word
from offhook.kit import clock
from offhook.kit.errors import Conflict, Forbidden, Notice, Violation, shown
from offhook.kit.operation import Call, Reply
from offhook.kit.wire import to_int64
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept


def forget_office(tx: Transaction, call: Call, at: datetime, office_id: int) -> None:
    """Nobody administers or answers for an office that is about to go."""
    tenant_id, call = call.principal.tenant_id, msgspec.structs.replace(call, if_match=None)
    for before in users.get_many(tx, tenant_id, users.ids(tx, tenant_id, is_office_admin=1)):
        left = tuple(id for id in before.value.admin_office_ids if id != office_id)
        KEEPER.change(tx, call, at, before, msgspec.structs.replace(before.value, admin_office_ids=left))


class Users:
    """The users of all companies."""

    def __init__(self, work: Work) -> None:
        self._work = work
        work.residents["users"] = lambda tx, tenant_id, office_id: users.count(tx, tenant_id, office_id=office_id)
        work.holders["user"] = Holder(get=_holding, keep=_keep_numbers)

    # Reading

    async def get(self, call: Call) -> Reply:
        """One user."""
        at, id = clock.now(), id_of(call)

        def read(tx: Transaction) -> tuple[Kept[User], wire.UserOut]:
            kept = KEEPER.get(tx, call.principal.tenant_id, id)
            return kept, self.out(tx, call, kept, at)

        kept, out = await self._work.reader.run(read)
        return reply_of(out, headers=etag(kept))

    def out(self, tx: Transaction, call: Call, kept: Kept[User], at: datetime) -> wire.UserOut:
        """One user as v2 answers it."""
        return users_out(tx, [kept], call.principal.company_id, at)[0]

    # Creating

    async def create(self, call: Call) -> Reply:
        """Make a user on a free line of an office's plan."""
        body: wire.UserIn = call.body
        at, tenant_id = clock.now(), call.principal.tenant_id

        def make(tx: Transaction, notices: list[Notice]) -> msgspec.Struct:
            found: list[Violation] = []
            made = self._new(tx, tenant_id, body, found, notices)
            refuse(found)
            assert made is not None
            user, card = made
            _refuse_taken(tx, tenant_id, None, {"email": user.emails[0]}, user.extension)
            id, user = self._work.ids.new(), msgspec.structs.replace(user, activated_at=clock.milliseconds(at))
            if body.auto_assign and (number := new_number(tx, tenant_id, card, notices, "auto_assign", abroad=True)):
                assignment.take(tx, call, at, ("user", id), holding_of(user), number, location="auto_assign")
                user = msgspec.structs.replace(user, phone_numbers=(number,))
            kept = KEEPER.add(tx, call, at, id, user)
            settle(tx, tenant_id, None, kept)
            store.keep_emails(tx, tenant_id, id, user.emails)
            return self.out(tx, call, kept, at)

        return await self._work.create(call, make)

    def _new(
        self, tx: Transaction, tenant_id: int, body: wire.UserIn, found: list[Violation], notices: list[Notice]
    ) -> tuple[User, OfficeCard] | None:
        """The user that a body describes and their office; None if there is a fault, which goes to `found`."""
        email = rules.email(body.email, "email", found)
        first, last = rules.name(body.first_name, "first_name", found), rules.name(body.last_name, "last_name", found)
        extension = rules.extension(body.extension, found)
        card = self._office(tx, tenant_id, body.office_id, found)
        if card is not None:
            rules.refuse_emergency(extension, card.country, found, notices)
        if found or card is None or email is None:
            return None
        user = User(
            office_id=card.id,
            emails=(email,),
            country=card.country,
            timezone=card.timezone,
            first_name=first or "",
            last_name=last or "",
            license=body.license or "talk",
            extension=extension or "",
        )
        return user, card

    async def check_new(self, call: Call) -> Sequence[Violation]:
        """What the rules have against a new user, by themselves."""
        tenant_id, found = call.principal.tenant_id, list[Violation]()
        await self._work.reader.run(lambda tx: self._new(tx, tenant_id, call.body, found, []))
        return found

    # Changing

    async def check_update(self, call: Call) -> Sequence[Violation]:
        """What the rules have against a change, by themselves."""
        tenant_id, id, found = call.principal.tenant_id, id_of(call), list[Violation]()

        def run(tx: Transaction) -> None:
            before = KEEPER.get(tx, tenant_id, id)
            changes, card = self._changes(tx, before, call.body, found, []), None
            if call.body.office_id is not None:
                card = self._office(tx, tenant_id, call.body.office_id, found)
            self._refuse_emergency(before.value, changes.get("extension"), card, found, [])

        await self._work.reader.run(run)
        return found

    async def update(self, call: Call) -> Reply:
        """Change what is sent; moving, suspending and all else are one transaction, each with its own event."""
        body: wire.UserPatch = call.body
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)
        follow = msgspec.structs.replace(call, if_match=None)
        _refuse_privileges(call.principal, body)

        def run(tx: Transaction, notices: list[Notice]) -> tuple[Kept[User], wire.UserOut]:
            before = KEEPER.get(tx, tenant_id, id)
            KEEPER.refuse_old(call, before)
            found: list[Violation] = []
            changes = self._changes(tx, before, body, found, notices)
            card = None if body.office_id is None else self._office(tx, tenant_id, body.office_id, found)
            self._refuse_emergency(before.value, changes.get("extension"), card, found, notices)
            refuse(found)
            self._refuse_agent(tx, before, changes.get("license"))
            places = {f"emails[{index}]": email for index, email in enumerate(changes.get("emails", ()))}
            _refuse_taken(tx, tenant_id, id, places, changes.get("extension"))
            kept = before
            if card is not None and "phone_numbers" not in changes:
                _refuse_numbers_abroad(before.value, card)
            if card is not None:
                kept = move(self._work, tx, follow, at, kept, card, notices, extension=changes.get("extension"))
            if "phone_numbers" in changes:
                changes["phone_numbers"] = rules.still_held(changes["phone_numbers"], before.value, kept.value)
            kept = KEEPER.change(tx, follow, at, kept, msgspec.structs.replace(kept.value, **changes))
            kept = self._set_state(tx, follow, at, kept, body.state, notices)
            for number in before.value.phone_numbers:
                if number not in kept.value.phone_numbers:
                    assignment.leave(tx, follow, at, number)
            included = holding_of(kept.value)
            assignment.settle(tx, tenant_id, ("user", id), included.first_line, included.phone_numbers)
            if kept.value.emails != before.value.emails:
                store.keep_emails(tx, tenant_id, id, kept.value.emails)
            place = "office_id" if card is not None else "license" if body.license is not None else "state"
            settle(tx, tenant_id, before, kept, place)
            return kept, self.out(tx, call, kept, at)

        kept, out = await self._work.change(call, run)
        return reply_of(out, headers=etag(kept))

    def _changes(
        self,
        tx: Transaction,
        before: Kept[User],
        body: wire.UserPatch,
        found: list[Violation],
        notices: list[Notice],
    ) -> dict[str, Any]:
        """The fields of the user that a body changes, checked; faults go to `found`."""
        user = before.value
        changes: dict[str, Any] = {
            "first_name": rules.name(body.first_name, "first_name", found),
            "last_name": rules.name(body.last_name, "last_name", found),
            "job_title": rules.name(body.job_title, "job_title", found),
            "extension": rules.extension(body.extension, found),
            "is_super_admin": body.is_super_admin,
            "international_dialing_enabled": body.international_dialing_enabled,
            "license": body.license,
        }
        if body.emails is not None:
            addresses = [rules.email(email, f"emails[{index}]", found) for index, email in enumerate(body.emails)]
            rules.refuse_twice([one and one.casefold() for one in addresses], "emails", found)
            if not body.emails:
                text = "Must have at least one address; the first one is the primary one."
                found.append(Violation(location="emails", reason="required", message=text))
            changes["emails"] = tuple(one for one in addresses if one is not None)
        if body.forwarding_numbers is not None:
            changes["forwarding_numbers"] = rules.forwarding(body.forwarding_numbers, user.country, found)
        if body.admin_office_ids is not None:
            changes["admin_office_ids"] = self._admin_of(tx, before.tenant_id, body.admin_office_ids, found)
        if body.phone_numbers is not None:
            changes["phone_numbers"] = rules.reordered(body.phone_numbers, user.phone_numbers, found)
        to_support = body.license in SUPPORT and user.license not in SUPPORT
        if to_support and body.keep_paid_numbers is False:
            changes["phone_numbers"] = ()
        elif body.keep_paid_numbers is False:
            text = "Counts only on a change to a support licence, which this is not."
            notices.append(Notice("ignored", "keep_paid_numbers", text))
        if body.presence_status is not None:
            text = "Nothing shows it any more; see PATCH /api/v2/users/{id}/status."
            notices.append(Notice("ignored", "presence_status", text))
        return {name: value for name, value in changes.items() if value is not None}

    @staticmethod
    def _refuse_emergency(
        user: User, wanted: str | None, card: OfficeCard | None, found: list[Violation], notices: list[Notice]
    ) -> None:
        """A fault if a new extension is an emergency number where the user is, or moves to; one that was had stays."""
        if wanted != user.extension:
            rules.refuse_emergency(wanted, user.country if card is None else card.country, found, notices)

    def _refuse_agent(self, tx: Transaction, before: Kept[User], wanted: License | None) -> None:
        """Conflict naming the call centers that a user answers for, if `wanted` does not let them."""
        if wanted in (None, before.value.license) or wanted in AGENTS:
            return
        groups = [
            one.group_id
            for one in operators.of_member(tx, before.tenant_id, "user", before.id)
            if one.group_type == "callcenter" and one.role == "operator"
        ]
        if groups:
            text = f"The user answers for call centers, which {wanted} does not allow: take them out first."
            raise Conflict(
                text,
                [Violation(location="license", reason="conflict", message=text, sent=wanted)]
                + [
                    Violation(location=f"callcenters/{id}.operators", reason="conflict", message="Has the user.")
                    for id in groups
                ],
            )

    def _set_state(
        self, tx: Transaction, call: Call, at: datetime, before: Kept[User], state: str | None, notices: list[Notice]
    ) -> Kept[User]:
        if state is None or state == before.state:
            return before
        if state == "active":
            value = msgspec.structs.replace(before.value, activated_at=clock.milliseconds(at))
            return KEEPER.change(tx, call, at, before, value, state=state, word=Word.USER_ACTIVATED)
        self._end_keys(tx, call, at, before.id)
        callers = pointers.pointing_at(tx, before.tenant_id, Target("user", before.id))
        if callers:
            text = f"Calls are sent here by {', '.join(pointers.places(callers[:3]))}; a suspended user takes none."
            notices.append(Notice("calls_not_taken", "state", text))
        return KEEPER.change(tx, call, at, before, before.value, state=state, word=Word.USER_SUSPENDED)

    async def move(self, call: Call) -> Reply:
        """Move a user to another office of the company."""
        body: wire.MoveIn = call.body
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction, notices: list[Notice]) -> tuple[Kept[User], wire.UserOut]:
            before = KEEPER.get(tx, tenant_id, id)
            KEEPER.refuse_old(call, before)
            kept, found = before, list[Violation]()
            if body.office_id is None:
                notices.append(Notice("ignored", "office_id", "No office was named, so the user stays."))
            else:
                card = self._office(tx, tenant_id, body.office_id, found)
                refuse(found)
                assert card is not None
                kept = move(self._work, tx, msgspec.structs.replace(call, if_match=None), at, before, card, notices)
                settle(tx, tenant_id, before, kept, "office_id")
            return kept, self.out(tx, call, kept, at)

        kept, out = await self._work.change(call, run)
        return reply_of(out, headers=etag(kept))

    async def delete(self, call: Call) -> Reply:
        """Delete a user that no calls are sent to, or with `force` one that they are."""
        query: ForceQuery = call.query or ForceQuery()
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction, notices: list[Notice]) -> wire.UserOut:
            before = KEEPER.get(tx, tenant_id, id)
            KEEPER.refuse_old(call, before)
            name, target = f"the user {before.value.display_name}", Target("user", id)
            pointers.free(tx, call, at, target, name, self._work, notices, force=query.force)
            leave(tx, call, at, operators.of_member(tx, tenant_id, "user", id), notices)
            self._work.end(tx, call, at, target, notices, force=query.force)
            assignment.release_all(tx, call, at, "user", id)
            store.keep_emails(tx, tenant_id, id, ())
            self._end_keys(tx, call, at, id)
            less = msgspec.structs.replace(
                before.value, phone_numbers=(), forwarding_numbers=(), admin_office_ids=(), is_super_admin=False
            )
            gone = KEEPER.remove(tx, call, at, before, less)
            settle(tx, tenant_id, before, gone)
            return self.out(tx, call, gone, at)

        return reply_of(await self._work.change(call, run))

    def _end_keys(self, tx: Transaction, call: Call, at: datetime, id: int) -> None:
        for key in keys.keys_of_user(tx, call.principal.tenant_id, id):
            keys.revoke(tx, key.id, int(clock.wall() * 1000))
            about = {"id": str(key.id), "name": key.name, "scopes": key.scopes}
            tell(tx, call, at, Word.KEY_REVOKED, key.id, before=about)

    # What bodies name

    def _office(self, tx: Transaction, tenant_id: int, sent: int | str, found: list[Violation]) -> OfficeCard | None:
        number = to_int64(sent)
        card = None if number is None else self._work.office(tx, tenant_id, number)
        if card is None:
            found.append(no_such("office_id", "office", sent))
        return card

    def _admin_of(
        self, tx: Transaction, tenant_id: int, sent: Sequence[int | str], found: list[Violation]
    ) -> tuple[int, ...]:
        offices: dict[int, None] = {}
        for index, one in enumerate(sent):
            number = to_int64(one)
            if number is None or self._work.office(tx, tenant_id, number) is None:
                found.append(no_such(f"admin_office_ids[{index}]", "office", one))
            else:
                offices[number] = None
        return tuple(offices)


def _refuse_privileges(principal: Principal, body: wire.UserPatch) -> None:
    """Forbidden if a key without the scope admin makes admins."""
    if principal.may("admin"):
        return
    sent = [name for name in ("is_super_admin", "admin_office_ids") if getattr(body, name) is not None]
    if sent:
        text = "Only a key with the scope admin may change this."
        raise Forbidden(text, [Violation(location=name, reason=Forbidden.reason, message=text) for name in sent])


def _refuse_numbers_abroad(user: User, card: OfficeCard) -> None:
    """Conflict if a change of office would take a user's numbers away, which only a move may do."""
    lost = [number for number in user.phone_numbers if not number.lstrip("+").startswith(INTERNAL)]
    if card.country != user.country and lost:
        text = (
            f"The user has {', '.join(lost)}, and numbers do not go to {card.country}: unassign them first, or use "
            "PATCH /api/v2/users/{id}/move_office, which takes them away and gives a new one."
        )
        raise Conflict(text, [Violation(location="office_id", reason="conflict", message=text, sent=str(card.id))])


def _refuse_taken(
    tx: Transaction, tenant_id: int, id: int | None, addresses: dict[str, str], extension: str | None
) -> None:
    """Conflict naming whoever else has one of the e-mail addresses (by place) or the extension."""
    found: list[Violation] = []
    for place, address in addresses.items():
        owner = store.by_email(tx, tenant_id, address)
        if owner is not None and owner != id:
            found.append(_taken(place, address, users.get(tx, tenant_id, owner), owner))
    if extension:
        holder = users.first(tx, tenant_id, extension=extension)
        if holder is not None and holder.id != id:
            found.append(_taken("extension", extension, holder, holder.id))
    if found:
        raise Conflict(f"{found[0].location}: {found[0].message}", found)


def _taken(place: str, sent: str, holder: Kept[User] | None, id: int) -> Violation:
    name = f"{holder.value.display_name} (user {id})" if holder is not None else f"user {id}"
    return Violation(location=place, reason="conflict", message=f"{name} has it already.", sent=shown(sent))


def _holding(tx: Transaction, tenant_id: int, id: int) -> Holding | None:
    kept = users.get(tx, tenant_id, id)
    if kept is None:
        return None
    return holding_of(kept.value)


def _keep_numbers(tx: Transaction, call: Call, at: datetime, id: int, now: tuple[str, ...]) -> None:
    before = KEEPER.get(tx, call.principal.tenant_id, id)
    value = msgspec.structs.replace(before.value, phone_numbers=now)
    KEEPER.change(tx, msgspec.structs.replace(call, if_match=None), at, before, value)
