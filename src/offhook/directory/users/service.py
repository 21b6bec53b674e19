"""What can be done with a user. Lines, numbers, memberships and the user change in one transaction, or not at all."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from offhook.access import store as keys
from offhook.access.gate import reply_of
from offhook.access.model import Principal
from offhook.directory import e911, pointers
from offhook.directory.assignment import service as assignment
from offhook.directory.contacts.store import contacts
from offhook.directory.keeper import tell
from offhook.directory.lines.model import Target
from offhook.directory.offices import OfficeCard, no_such
from offhook.directory.operators import store as operators
from offhook.directory.operators.service import leave
from offhook.directory.operators.store import Operator
from offhook.directory.paths import ForceQuery, etag
from offhook.directory.people import users_out
from offhook.directory.users import rules, store, wire
from offhook.directory.users.licensing import AGENTS, KEEPER, holding_of, settle
from offhook.directory.users.model import BLOCKED, SUPPORT, License, User
from offhook.directory.users.store import users
from offhook.directory.work import Holder, Holding, Page, Work, refuse
from offhook.emergency.model import CivicAddress
from offhook.events.model import Word
from offhook.kit import clock
from offhook.kit.errors import Conflict, Forbidden, Invalid, Notice, Violation, shown
from offhook.kit.operation import Call, Reply
from offhook.kit.phones import check_e164, check_phone
from offhook.kit.wire import to_int64
from offhook.numbers import store as inventory
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept

INTERNAL = "803"
"""How numbers begin that ring inside the company only; they go with a user to any country."""

_YEAR = 366 * 86_400
_BATCH = 500


def user_id(call: Call, text: int | str | None = None, location: str = "id") -> int:
    """The user that a path (or `text`) names, by id or as `me`; Invalid if it is neither, or nobody is `me`."""
    text = call.params[location] if text is None else text
    if text == "me":
        mine: int | None = call.principal.user_id
        if mine is None:
            message = (
                "`me` needs a user-level key, and this one is the company's: send the user's id, or make a key with "
                "offhook key create --user EMAIL."
            )
            raise Invalid.of([Violation(location=location, message=message, sent="me")])
        return mine
    number = to_int64(text)
    if number is None:
        message = "Must be a 64-bit integer, written with digits, or me."
        raise Invalid.of([Violation(location=location, message=message, sent=shown(text))])
    return number


def give_address(tx: Transaction, call: Call, at: datetime, office_id: int, address: CivicAddress) -> None:
    """Make `address` the emergency address of every user of an office, with an event each."""
    tenant_id, word = call.principal.tenant_id, Word.USER_EMERGENCY_ADDRESS_UPDATED
    ids = users.ids(tx, tenant_id, office_id=office_id)
    for start in range(0, len(ids), _BATCH):
        found = users.get_many(tx, tenant_id, ids[start : start + _BATCH])
        changes = [(kept, msgspec.structs.replace(kept.value, e911_address=address)) for kept in found]
        KEEPER.change_many(tx, call, at, changes, word)


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
        at, id = clock.now(), user_id(call)

        def read(tx: Transaction) -> tuple[Kept[User], wire.UserOut]:
            kept = KEEPER.get(tx, call.principal.tenant_id, id)
            return kept, self.out(tx, call, kept, at)

        kept, out = await self._work.reader.run(read)
        return reply_of(out, headers=etag(kept))

    async def page(self, call: Call) -> Reply:
        """A page of users; an e-mail address or a number finds at most one."""
        query: wire.UserListQuery = call.query or wire.UserListQuery()
        at, tenant_id, company_id = clock.now(), call.principal.tenant_id, call.principal.company_id
        number = _number_asked(query.number)
        filters = {
            name: value
            for name, value in (
                ("state", query.state),
                ("company_admin", query.company_admin),
                ("email", query.email and query.email.strip().casefold()),
                ("number", number),
            )
            if value is not None
        }

        def find(tx: Transaction, after: int, limit: int) -> Sequence[Kept[User]]:
            if query.email is None and number is None:
                return _behind(tx, tenant_id, after, limit, query)
            owners = set[int | None]()
            if query.email is not None:
                owners.add(store.by_email(tx, tenant_id, query.email.strip()))
            if number is not None:
                row = inventory.get(tx, tenant_id, number)
                owners.add(row.target_id if row is not None and row.target_type == "user" else None)
            owner = owners.pop() if len(owners) == 1 else None
            kept = users.get(tx, tenant_id, owner) if owner is not None and owner > after else None
            return [kept] if kept is not None and _asked_for(kept, query) else []

        def shown_with(tx: Transaction, after: int, limit: int) -> list[wire.UserOut]:
            return users_out(tx, find(tx, after, limit), company_id, at)

        page: Page[wire.UserOut] = await self._work.page(
            call, "users", shown_with, cursor=query.cursor, filters=filters, position=lambda one: int(one.id)
        )
        return reply_of(wire.UserPage(items=list(page.items), cursor=page.cursor))

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
            made = self._new(tx, tenant_id, body, found)
            refuse(found)
            assert made is not None
            user, card = made
            _refuse_taken(tx, tenant_id, None, {"email": user.emails[0]}, None)
            id, user = self._work.ids.new(), msgspec.structs.replace(user, activated_at=clock.milliseconds(at))
            if body.auto_assign and (number := _new_number(tx, tenant_id, card, notices, "auto_assign", abroad=True)):
                assignment.take(tx, call, at, ("user", id), holding_of(user), number, location="auto_assign")
                user = msgspec.structs.replace(user, phone_numbers=(number,))
            kept = KEEPER.add(tx, call, at, id, user)
            settle(tx, tenant_id, None, kept)
            store.keep_emails(tx, tenant_id, id, user.emails)
            return self.out(tx, call, kept, at)

        return await self._work.create(call, make)

    def _new(
        self, tx: Transaction, tenant_id: int, body: wire.UserIn, found: list[Violation]
    ) -> tuple[User, OfficeCard] | None:
        """The user that a body describes and their office; None if there is a fault, which goes to `found`."""
        email = rules.email(body.email, "email", found)
        first, last = rules.name(body.first_name, "first_name", found), rules.name(body.last_name, "last_name", found)
        card = self._office(tx, tenant_id, body.office_id, found)
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
        )
        return user, card

    async def check_new(self, call: Call) -> Sequence[Violation]:
        """What the rules have against a new user, by themselves."""
        tenant_id, found = call.principal.tenant_id, list[Violation]()
        await self._work.reader.run(lambda tx: self._new(tx, tenant_id, call.body, found))
        return found

    # Changing

    async def check_update(self, call: Call) -> Sequence[Violation]:
        """What the rules have against a change, by themselves."""
        tenant_id, id, found = call.principal.tenant_id, user_id(call), list[Violation]()

        def run(tx: Transaction) -> None:
            self._changes(tx, KEEPER.get(tx, tenant_id, id), call.body, found, [])
            if call.body.office_id is not None:
                self._office(tx, tenant_id, call.body.office_id, found)

        await self._work.reader.run(run)
        return found

    async def update(self, call: Call) -> Reply:
        """Change what is sent; moving, suspending and all else are one transaction, each with its own event."""
        body: wire.UserPatch = call.body
        at, tenant_id, id = clock.now(), call.principal.tenant_id, user_id(call)
        follow = msgspec.structs.replace(call, if_match=None)
        _refuse_privileges(call.principal, body)

        def run(tx: Transaction, notices: list[Notice]) -> tuple[Kept[User], wire.UserOut]:
            before = KEEPER.get(tx, tenant_id, id)
            KEEPER.refuse_old(call, before)
            found: list[Violation] = []
            changes = self._changes(tx, before, body, found, notices)
            card = None if body.office_id is None else self._office(tx, tenant_id, body.office_id, found)
            refuse(found)
            self._refuse_agent(tx, before, changes.get("license"))
            places = {f"emails[{index}]": email for index, email in enumerate(changes.get("emails", ()))}
            _refuse_taken(tx, tenant_id, id, places, changes.get("extension"))
            kept = before
            if card is not None:
                kept = self._move(tx, follow, at, kept, card, notices)
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
            places = ", ".join(f"{pointers.PATHS.get(row[0], row[0])}/{row[1]}.{row[2]}" for row in callers[:3])
            text = f"Calls are sent here by {places}; a suspended user takes none."
            notices.append(Notice("calls_not_taken", "state", text))
        return KEEPER.change(tx, call, at, before, before.value, state=state, word=Word.USER_SUSPENDED)

    async def move(self, call: Call) -> Reply:
        """Move a user to another office of the company."""
        body: wire.MoveIn = call.body
        at, tenant_id, id = clock.now(), call.principal.tenant_id, user_id(call)

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
                kept = self._move(tx, msgspec.structs.replace(call, if_match=None), at, before, card, notices)
                settle(tx, tenant_id, before, kept, "office_id")
            return kept, self.out(tx, call, kept, at)

        kept, out = await self._work.change(call, run)
        return reply_of(out, headers=etag(kept))

    def _move(
        self, tx: Transaction, call: Call, at: datetime, before: Kept[User], card: OfficeCard, notices: list[Notice]
    ) -> Kept[User]:
        """Put a user into another office. The lines are the caller's to settle."""
        user = before.value
        if card.id == user.office_id:
            return before
        moved = msgspec.structs.replace(user, office_id=card.id, country=card.country, timezone=card.timezone)
        if card.country != user.country:
            kept = tuple(one for one in user.phone_numbers if one.lstrip("+").startswith(INTERNAL))
            if kept != user.phone_numbers:
                for number in user.phone_numbers:
                    if number not in kept:
                        assignment.leave(tx, call, at, number)
                fresh = _new_number(tx, before.tenant_id, card, notices, "office_id", abroad=False)
                if fresh is not None:
                    assignment.take(tx, call, at, ("user", before.id), holding_of(moved), fresh, location="office_id")
                moved = msgspec.structs.replace(moved, phone_numbers=(fresh, *kept) if fresh else kept)
        moved = self._moved_address(tx, before, card, moved, notices)
        return KEEPER.change(tx, call, at, before, moved, word=Word.USER_MOVED)

    def _moved_address(
        self, tx: Transaction, before: Kept[User], card: OfficeCard, moved: User, notices: list[Notice]
    ) -> User:
        """A moved user without an emergency address that holds no longer: the old office's, or one abroad."""
        address = moved.e911_address
        if address is None:
            return moved
        old = self._work.office(tx, before.tenant_id, before.value.office_id)
        if card.country != before.value.country:
            why = f"It was in {before.value.country}"
        elif old is not None and old.e911_address == address:
            why = f"It was that of the office {old.name}"
        else:
            text = "They keep the emergency address of their own; change it if they sit elsewhere now."
            notices.append(Notice("emergency_address_kept", "office_id", text))
            return moved
        text = f"{why}; help is sent to the new office's until they have one of their own."
        notices.append(Notice("emergency_address_dropped", "office_id", text))
        return msgspec.structs.replace(moved, e911_address=None)

    async def delete(self, call: Call) -> Reply:
        """Delete a user that no calls are sent to, or with `force` one that they are."""
        query: ForceQuery = call.query or ForceQuery()
        at, tenant_id, id = clock.now(), call.principal.tenant_id, user_id(call)

        def run(tx: Transaction, notices: list[Notice]) -> wire.UserOut:
            before = KEEPER.get(tx, tenant_id, id)
            KEEPER.refuse_old(call, before)
            name, target = f"the user {before.value.display_name}", Target("user", id)
            pointers.free(tx, call, at, target, name, self._work.repointers, notices, force=query.force)
            for contact in contacts.ids(tx, tenant_id, owner_id=id):
                own = Target("contact", contact)
                pointers.free(
                    tx, call, at, own, f"a contact of {name}", self._work.repointers, notices, force=query.force
                )
            leave(tx, call, at, operators.of_member(tx, tenant_id, "user", id), notices)
            self._work.end(tx, call, at, target)
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

    # Do-not-disturb and status

    async def set_dnd(self, call: Call) -> Reply:
        """Switch do-not-disturb, of the user or for one group that they are in."""
        body: wire.DndIn = call.body
        at, tenant_id, id = clock.now(), call.principal.tenant_id, user_id(call)
        if (body.group_id is None) != (body.group_type is None):
            lacking = "group_id" if body.group_id is None else "group_type"
            text = "Send group_id and group_type together, or neither."
            raise Invalid.of([Violation(location=lacking, reason="required", message=text)])

        def run(tx: Transaction, _notices: list[Notice]) -> wire.DndOut:
            before = KEEPER.get(tx, tenant_id, id)
            KEEPER.refuse_old(call, before)
            if body.group_id is None or body.group_type is None:
                value = msgspec.structs.replace(before.value, do_not_disturb=body.do_not_disturb)
                KEEPER.change(tx, call, at, before, value, word=Word.USER_DO_NOT_DISTURB_UPDATED)
                return wire.DndOut(id=str(id), do_not_disturb=body.do_not_disturb)
            group_id = to_int64(body.group_id) or 0
            membership = operators.get(tx, tenant_id, body.group_type, group_id, "user", id)
            if membership is None:
                text = f"The user is in no {body.group_type} of this id; add them as an operator first."
                place = Violation(location="group_id", reason="notFound", message=text, sent=shown(body.group_id))
                raise Invalid.of([place])
            out = wire.DndOut(
                id=str(id), do_not_disturb=body.do_not_disturb, group_id=str(group_id), group_type=body.group_type
            )
            if membership.do_not_disturb != body.do_not_disturb:
                operators.change(tx, msgspec.structs.replace(membership, do_not_disturb=body.do_not_disturb))
                was = msgspec.structs.replace(out, do_not_disturb=membership.do_not_disturb)
                tell(tx, call, at, Word.USER_DO_NOT_DISTURB_UPDATED, id, before=was, after=out)
            return out

        return reply_of(await self._work.change(call, run))

    async def set_status(self, call: Call) -> Reply:
        """Set or remove the status message, for good or for a time."""
        body: wire.StatusIn = call.body
        at, tenant_id, id = clock.now(), call.principal.tenant_id, user_id(call)
        found: list[Violation] = []
        message = rules.name(body.status_message, "status_message", found) or ""
        seconds = None if body.expiration is None else to_int64(body.expiration)
        if body.expiration is not None and (seconds is None or not 0 < seconds <= _YEAR):
            text = f"Must be seconds from now, 1 to {_YEAR}; leave it out for a status that stays."
            found.append(Violation(location="expiration", message=text, sent=shown(body.expiration)))
        refuse(found)
        until = clock.milliseconds(at) + seconds * 1000 if seconds and message else 0

        def run(tx: Transaction, _notices: list[Notice]) -> None:
            before = KEEPER.get(tx, tenant_id, id)
            value = msgspec.structs.replace(before.value, status_message=message, status_until=until)
            KEEPER.change(tx, call, at, before, value)

        await self._work.change(call, run)
        return reply_of(wire.StatusOut(id=str(id), status_message=message, expiration=str(seconds) if until else None))

    # Caller ID and personas

    async def caller_id(self, call: Call) -> Reply:
        """What the user's calls show, and what they may show."""
        id = user_id(call)
        return reply_of(
            await self._work.reader.run(lambda tx: self._caller_ids(tx, KEEPER.get(tx, call.principal.tenant_id, id)))
        )

    async def set_caller_id(self, call: Call) -> Reply:
        """Choose what the user's calls show."""
        body: wire.CallerIdIn = call.body
        at, tenant_id, id = clock.now(), call.principal.tenant_id, user_id(call)
        wanted, fault = body.caller_id.strip(), None
        if wanted.lower() == BLOCKED:
            wanted = BLOCKED
        else:
            number, fault = check_e164(wanted, "caller_id")
            wanted = number or ""

        def run(tx: Transaction, _notices: list[Notice]) -> wire.CallerIdOut:
            before = KEEPER.get(tx, tenant_id, id)
            if fault is not None:
                raise Invalid.of([fault])
            choices = _choices(self._caller_ids(tx, before))
            if wanted != BLOCKED and wanted not in choices:
                text = f"Must be one of the user's choices: {', '.join([*choices[:20], BLOCKED])}."
                raise Invalid.of([Violation(location="caller_id", message=text, sent=wanted)])
            value = msgspec.structs.replace(before.value, caller_id=wanted)
            after = KEEPER.change(tx, call, at, before, value, word=Word.USER_CALLER_ID_UPDATED)
            return self._caller_ids(tx, after)

        return reply_of(await self._work.change(call, run))

    def _caller_ids(self, tx: Transaction, kept: Kept[User]) -> wire.CallerIdOut:
        user = kept.value
        card = self._work.office(tx, kept.tenant_id, user.office_id)
        groups = [
            wire.CallerIdGroup(caller_id=number, display_name=holding.name)
            for _, holding in self._groups(tx, kept)
            for number in holding.phone_numbers
        ]
        out = wire.CallerIdOut(
            id=str(kept.id),
            primary_phone=user.phone_numbers[0] if user.phone_numbers else None,
            phone_numbers=user.phone_numbers,
            office_main_line=card.main_line if card is not None else None,
            groups=tuple(groups),
            forwarding_numbers=user.forwarding_numbers,
        )
        shown_number = rules.caller_id(user, out.office_main_line, [group.caller_id for group in groups])
        return msgspec.structs.replace(out, caller_id=shown_number)

    def _groups(self, tx: Transaction, kept: Kept[User]) -> Iterable[tuple[Operator, Holding]]:
        """The groups that a user is in, with what each is called and its numbers."""
        for one in operators.of_member(tx, kept.tenant_id, "user", kept.id):
            holding = None
            if one.group_type == "office":
                card = self._work.office(tx, kept.tenant_id, one.group_id)
                if card is not None:
                    holding = Holding(office_id=card.id, name=card.name, phone_numbers=card.phone_numbers)
            elif (holder := self._work.holders.get(one.group_type)) is not None:
                holding = holder.get(tx, kept.tenant_id, one.group_id)
            if holding is not None:
                yield one, holding

    async def personas(self, call: Call) -> Reply:
        """Whom the user can call as: themselves, and each group that they are in."""
        id = user_id(call)

        def read(tx: Transaction) -> wire.PersonaList:
            kept = KEEPER.get(tx, call.principal.tenant_id, id)
            user = kept.value
            first = wire.PersonaOut(
                id=str(id),
                type="user",
                name=user.display_name,
                caller_id=self._caller_ids(tx, kept).caller_id,
                phone_numbers=user.phone_numbers,
            )
            return wire.PersonaList(
                items=[
                    first,
                    *(
                        wire.PersonaOut(
                            id=str(one.group_id),
                            type=one.group_type,
                            name=holding.name,
                            caller_id=holding.phone_numbers[0] if holding.phone_numbers else None,
                            phone_numbers=holding.phone_numbers,
                        )
                        for one, holding in self._groups(tx, kept)
                    ),
                ]
            )

        return reply_of(await self._work.reader.run(read))

    # Emergency address

    async def address(self, call: Call) -> Reply:
        """Where help is sent for the user: their own address, or else the office's."""
        id = user_id(call)

        def read(tx: Transaction) -> tuple[Kept[User], CivicAddress | None]:
            kept = KEEPER.get(tx, call.principal.tenant_id, id)
            if kept.value.e911_address is not None:
                return kept, kept.value.e911_address
            card = self._work.office(tx, kept.tenant_id, kept.value.office_id)
            return kept, card.e911_address if card is not None else None

        kept, address = await self._work.reader.run(read)
        return reply_of(e911.e911_out(address) or e911.E911Out(), headers=etag(kept))

    async def set_address(self, call: Call) -> Reply:
        """Set the user's own emergency address, by the rules of their office's country."""
        body: e911.E911In = call.body
        at, tenant_id, id = clock.now(), call.principal.tenant_id, user_id(call)

        def run(tx: Transaction, notices: list[Notice]) -> Kept[User]:
            before = KEEPER.get(tx, tenant_id, id)
            address = e911.address_of(before.value.country, body, notices)
            value = msgspec.structs.replace(before.value, e911_address=address)
            return KEEPER.change(tx, call, at, before, value, word=Word.USER_EMERGENCY_ADDRESS_UPDATED)

        kept = await self._work.change(call, run)
        return reply_of(e911.e911_out(kept.value.e911_address) or e911.E911Out(), headers=etag(kept))

    async def check_address(self, call: Call) -> Sequence[Violation]:
        """What the rules have against a new emergency address, by themselves."""
        tenant_id, id = call.principal.tenant_id, user_id(call)
        kept = await self._work.reader.run(lambda tx: KEEPER.get(tx, tenant_id, id))
        return e911.faults_of(kept.value.country, call.body)

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


def _behind(tx: Transaction, tenant_id: int, after: int, limit: int, query: wire.UserListQuery) -> list[Kept[User]]:
    """Users behind an id, by state and by whether they administer the company."""
    filters = {} if query.company_admin is None else {"is_super_admin": int(query.company_admin)}
    if query.state is None:
        return users.page(tx, tenant_id, after, limit, filters)
    if query.state != "all":
        return users.page(tx, tenant_id, after, limit, {"state": query.state, **filters}, even_deleted=True)
    alive = users.page(tx, tenant_id, after, limit, filters)
    deleted = users.page(tx, tenant_id, after, limit, {"state": "deleted", **filters}, even_deleted=True)
    return sorted([*alive, *deleted], key=lambda kept: kept.id)[:limit]


def _asked_for(kept: Kept[User], query: wire.UserListQuery) -> bool:
    if query.company_admin is not None and kept.value.is_super_admin != query.company_admin:
        return False
    return query.state in (None, "all", kept.state)


def _number_asked(text: str | None) -> str | None:
    """The number of a query; its + may have come through as a space, or not at all."""
    if text is None:
        return None
    digits = text.strip()
    number, fault = check_phone(digits if digits.startswith("+") else f"+{digits}", "", "number")
    if fault is not None:
        raise Invalid.of([fault])
    return number


def _refuse_privileges(principal: Principal, body: wire.UserPatch) -> None:
    """Forbidden if a key that is no admin's makes admins, or a user's own changes what the company pays or allows."""
    if principal.may("admin"):
        return
    kept = ["is_super_admin", "admin_office_ids"]
    if principal.user_id:
        kept += ["license", "state", "office_id", "international_dialing_enabled"]
    sent = [name for name in kept if getattr(body, name) is not None]
    if sent:
        text = "Only a key with the scope admin may change this."
        raise Forbidden(text, [Violation(location=name, reason=Forbidden.reason, message=text) for name in sent])


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


def _new_number(
    tx: Transaction, tenant_id: int, card: OfficeCard, notices: list[Notice], place: str, *, abroad: bool
) -> str | None:
    """A free number of the office's country, or with `abroad` of any if there is none; what is lacking is a notice."""
    free = assignment.pooled(tx, tenant_id, card.id, card.country)
    number = free.e164 if free is not None else None
    if number is None and abroad and (number := assignment.pooled_anywhere(tx, tenant_id, card.id)):
        text = f"The company has no free number of {card.country}: {number} was given."
        notices.append(Notice("number_abroad", place, text))
    elif number is None:
        text = "The company has no free number" + ("" if abroad else f" of {card.country}")
        notices.append(Notice("no_free_number", place, f"{text}: the user has none. Add one and assign it."))
    return number


def _choices(out: wire.CallerIdOut) -> list[str]:
    """The numbers that a user's calls may show."""
    all_of_them = (*out.phone_numbers, out.office_main_line, *(group.caller_id for group in out.groups))
    return list(dict.fromkeys(one for one in all_of_them if one))


def _holding(tx: Transaction, tenant_id: int, id: int) -> Holding | None:
    kept = users.get(tx, tenant_id, id)
    if kept is None:
        return None
    return holding_of(kept.value)


def _keep_numbers(tx: Transaction, call: Call, at: datetime, id: int, now: tuple[str, ...]) -> None:
    before = KEEPER.get(tx, call.principal.tenant_id, id)
    value = msgspec.structs.replace(before.value, phone_numbers=now)
    KEEPER.change(tx, msgspec.structs.replace(call, if_match=None), at, before, value)
