"""What can be done with a contact."""

from datetime import datetime

import msgspec

from offhook.access import store as access
from offhook.access.doing import refuse
from offhook.access.gate import reply_of
from offhook.directory import pointers
from offhook.directory.contacts import rules, wire
from offhook.directory.contacts.model import Contact, uid_of
from offhook.directory.contacts.store import contacts
from offhook.directory.lines.model import Target
from offhook.directory.paths import ForceQuery, etag
from offhook.directory.people import user_in
from offhook.directory.work import Work
from offhook.events.keeper import Keeper, shown
from offhook.events.model import Word
from offhook.kit import clock
from offhook.kit.errors import Notice, Violation
from offhook.kit.operation import Call, Reply
from offhook.kit.wire import to_int64
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept


class Contacts:
    """The contacts of all companies."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self.keeper: Keeper[Contact] = Keeper(
            noun="contact",
            documents=contacts,
            show=shown,
            created=Word.CONTACT_CREATED,
            updated=Word.CONTACT_UPDATED,
            deleted=Word.CONTACT_DELETED,
        )
        work.gone.append(self._gone)

    async def create(self, call: Call) -> Reply:
        """Make a contact of the company's, or of one of its users."""
        body: wire.ContactIn = call.body
        at, tenant_id = clock.now(), call.principal.tenant_id

        def make(tx: Transaction, notices: list[Notice]) -> msgspec.Struct:
            found: list[Violation] = []
            contact = rules.contact(body, Contact(), _country(tx, call), found, notices)
            if body.owner_id is not None:
                owner = user_in(tx, tenant_id, body.owner_id, "owner_id", found)
                contact = msgspec.structs.replace(contact, owner_id=owner.id if owner else 0)
            refuse(found)
            return self.out(call, self.keeper.add(tx, call, at, self._work.ids.new(), contact))

        return await self._work.create(call, make)

    async def put(self, call: Call) -> Reply:
        """Make the shared contact of a uid, or make it what the body says."""
        body: wire.ContactUidIn = call.body
        at, tenant_id = clock.now(), call.principal.tenant_id

        def make(tx: Transaction, notices: list[Notice]) -> msgspec.Struct:
            found: list[Violation] = []
            uid = rules.uid(body.uid, found)
            contact = rules.contact(body, Contact(uid=uid), _country(tx, call), found, notices)
            refuse(found)
            before = contacts.first(tx, tenant_id, uid=uid)
            if before is None:
                return self.out(call, self.keeper.add(tx, call, at, self._work.ids.new(), contact))
            _warn_if_silenced(tx, before, contact, notices)
            return self.out(call, self.keeper.change(tx, call, at, before, contact))

        return await self._work.create(call, make)

    async def get(self, call: Call) -> Reply:
        """One contact."""
        kept = await self._work.reader.run(lambda tx: self._find(tx, call))
        return reply_of(self.out(call, kept), headers=etag(kept))

    async def get_whole(self, call: Call) -> Reply:
        """One contact with what v2 leaves out."""
        kept = await self._work.reader.run(lambda tx: self._find(tx, call))
        return reply_of(wire.contact_whole(kept, call.principal.company_id), headers=etag(kept))

    async def page(self, call: Call) -> Reply:
        """A page of contacts: the shared ones, those of one user, or all."""
        query: wire.ContactListQuery = call.query or wire.ContactListQuery()
        tenant_id = call.principal.tenant_id
        filters: dict[str, int] = {}
        if query.owner_id is not None:
            # Nobody's contacts are the shared ones, which this parameter does not ask for.
            filters["owner_id"] = query.owner_id or -1
        elif not query.include_local:
            filters["owner_id"] = 0
        page = await self._work.page(
            call,
            "contacts",
            lambda tx, after, limit: contacts.page(tx, tenant_id, after, limit, filters),
            cursor=query.cursor,
            filters=filters,
        )
        return reply_of(wire.ContactPage(items=[self.out(call, kept) for kept in page.items], cursor=page.cursor))

    async def change(self, call: Call) -> Reply:
        """Change a contact."""
        body: wire.ContactPatch = call.body
        at = clock.now()

        def run(tx: Transaction, notices: list[Notice]) -> Kept[Contact]:
            before = self._find(tx, call)
            found: list[Violation] = []
            contact = rules.contact(body, before.value, _country(tx, call), found, notices)
            refuse(found)
            _warn_if_silenced(tx, before, contact, notices)
            return self.keeper.change(tx, call, at, before, contact)

        kept = await self._work.change(call, run)
        return reply_of(self.out(call, kept), headers=etag(kept))

    async def delete(self, call: Call) -> Reply:
        """Delete a contact that no calls are sent to, or with `force` one that they are."""
        query: ForceQuery = call.query or ForceQuery()
        at = clock.now()

        def run(tx: Transaction, notices: list[Notice]) -> Kept[Contact]:
            before = self._find(tx, call)
            self._free(tx, call, at, before, notices, force=query.force)
            return self.keeper.remove(tx, call, at, before)

        return reply_of(self.out(call, await self._work.change(call, run)))

    def out(self, call: Call, kept: Kept[Contact]) -> wire.ContactOut:
        """A contact as v2 answers it."""
        return wire.contact_out(kept, call.principal.company_id)

    def _find(self, tx: Transaction, call: Call) -> Kept[Contact]:
        """The contact that the path names, by its number or by its uid."""
        text, tenant_id = str(call.params["id"]), call.principal.tenant_id
        uid = uid_of(text, call.principal.company_id)
        if uid:
            kept = contacts.first(tx, tenant_id, uid=uid)
        else:
            kept = contacts.get(tx, tenant_id, to_int64(text) or 0)
        if kept is None:
            raise self.keeper.missing(text)
        return kept

    def _free(
        self, tx: Transaction, call: Call, at: datetime, kept: Kept[Contact], notices: list[Notice], *, force: bool
    ) -> None:
        name, target = f"the contact {kept.value.display_name}", Target("contact", kept.id)
        pointers.free(tx, call, at, target, name, self._work, notices, force=force)

    def _gone(
        self, tx: Transaction, call: Call, at: datetime, target: Target, notices: list[Notice], *, force: bool
    ) -> None:
        """A user's own contacts go with the user."""
        if target.type != "user":
            return
        tenant_id = call.principal.tenant_id
        for kept in contacts.get_many(tx, tenant_id, contacts.ids(tx, tenant_id, owner_id=target.id)):
            self._free(tx, call, at, kept, notices, force=force)
            self.keeper.remove(tx, call, at, kept)


def _country(tx: Transaction, call: Call) -> str:
    company = access.company(tx, call.principal.company_id)
    return company.country if company is not None else ""


def _warn_if_silenced(tx: Transaction, before: Kept[Contact], after: Contact, notices: list[Notice]) -> None:
    """Warn if a contact that calls are sent to loses its last telephone number."""
    if before.value.phones and not after.phones:
        callers = pointers.pointing_at(tx, before.tenant_id, Target("contact", before.id))
        if callers:
            text = f"Calls are sent here by {', '.join(pointers.places(callers[:3]))}; they go to voicemail now."
            notices.append(Notice("target_unreachable", "phones", text))
