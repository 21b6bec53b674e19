"""What can be done with a channel and its members."""

from datetime import datetime

import msgspec

from offhook.access.doing import Done, Page, refuse
from offhook.access.gate import reply_of
from offhook.directory import members, pointers
from offhook.directory.channels import wire
from offhook.directory.channels.model import Channel
from offhook.directory.channels.store import channels
from offhook.directory.lines.model import Target
from offhook.directory.lines.rules import line
from offhook.directory.members import Member, with_users
from offhook.directory.paths import ForceQuery, etag, id_of
from offhook.directory.people import user_in
from offhook.directory.users.model import User
from offhook.directory.work import Work
from offhook.events.keeper import Keeper, shown, tell
from offhook.events.model import Word
from offhook.kit import clock
from offhook.kit.errors import NotFound, Notice, Violation
from offhook.kit.operation import Call, Reply
from offhook.kit.text import multi_line
from offhook.kit.wire import to_int64
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept

DESCRIPTION_LIMIT = 1024


class Channels:
    """The channels of all companies."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self.keeper: Keeper[Channel] = Keeper(
            noun="channel",
            documents=channels,
            show=shown,
            created=Word.CHANNEL_CREATED,
            updated=Word.CHANNEL_UPDATED,
            deleted=Word.CHANNEL_DELETED,
        )
        work.gone.append(self._gone)

    async def create(self, call: Call) -> Reply:
        """Make a channel; its owner is its first member."""
        body: wire.ChannelIn = call.body
        at, tenant_id = clock.now(), call.principal.tenant_id

        def make(tx: Transaction, _notices: list[Notice]) -> msgspec.Struct:
            found: list[Violation] = []
            name = line(body.name, "name", found)
            description, fault = multi_line(body.description, "description", DESCRIPTION_LIMIT)
            if fault is not None:
                found.append(fault)
            owner = None if body.user_id is None else user_in(tx, tenant_id, body.user_id, "user_id", found)
            refuse(found)
            channel = Channel(
                name=name or "",
                description=description or "",
                privacy_type=body.privacy_type,
                owner_id=owner.id if owner else 0,
            )
            kept = self.keeper.add(tx, call, at, self._work.ids.new(), channel)
            if owner is not None:
                self._join(tx, call, at, kept.id, owner.id)
            return wire.channel_out(kept)

        return await self._work.create(call, make)

    async def get(self, call: Call) -> Reply:
        """One channel."""
        tenant_id, id = call.principal.tenant_id, id_of(call)
        kept = await self._work.reader.run(lambda tx: self.keeper.get(tx, tenant_id, id))
        return reply_of(wire.channel_out(kept), headers=etag(kept))

    async def page(self, call: Call) -> Reply:
        """A page of channels in one state."""
        query: wire.ChannelListQuery = call.query or wire.ChannelListQuery()
        tenant_id, filters = call.principal.tenant_id, {"state": query.state}
        page = await self._work.page(
            call,
            "channels",
            lambda tx, after, limit: channels.page(tx, tenant_id, after, limit, filters, even_deleted=True),
            cursor=query.cursor,
            filters=filters,
        )
        return reply_of(wire.ChannelPage(items=[wire.channel_out(kept) for kept in page.items], cursor=page.cursor))

    async def delete(self, call: Call) -> Reply:
        """Delete a channel that no calls are sent to, or with `force` one that they are."""
        query: ForceQuery = call.query or ForceQuery()
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction, notices: list[Notice]) -> None:
            before = self.keeper.get(tx, tenant_id, id)
            name, target = f"the channel {before.value.name}", Target("channel", id)
            pointers.free(tx, call, at, target, name, self._work, notices, force=query.force)
            members.remove_group(tx, tenant_id, "channel", id)
            self.keeper.remove(tx, call, at, before)

        await self._work.change(call, run)
        return reply_of(Done())

    async def member_page(self, call: Call) -> Reply:
        """A page of a channel's members, in the order of joining."""
        query: wire.ChannelMemberListQuery = call.query or wire.ChannelMemberListQuery()
        tenant_id, id = call.principal.tenant_id, id_of(call)

        def find(tx: Transaction, after: int, limit: int) -> list[tuple[Member, Kept[User]]]:
            self.keeper.get(tx, tenant_id, id)
            return with_users(tx, members.page(tx, tenant_id, "channel", id, after, limit))

        page: Page[tuple[Member, Kept[User]]] = await self._work.page(
            call,
            "channel members",
            find,
            cursor=query.cursor,
            filters={"channel": id},
            position=lambda one: one[0].seq,
        )
        items = [wire.member_out(user) for _, user in page.items]
        return reply_of(wire.ChannelMemberPage(items=items, cursor=page.cursor))

    async def add_member(self, call: Call) -> Reply:
        """Add a user to a channel; one who is in it stays."""
        body: wire.ChannelMemberIn = call.body
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def make(tx: Transaction, _notices: list[Notice]) -> msgspec.Struct:
            self.keeper.get(tx, tenant_id, id)
            found: list[Violation] = []
            user = user_in(tx, tenant_id, body.user_id, "user_id", found)
            refuse(found)
            assert user is not None
            if members.get(tx, tenant_id, "channel", id, user.id) is None:
                self._join(tx, call, at, id, user.id)
            return wire.member_out(user)

        return await self._work.create(call, make)

    async def remove_member(self, call: Call) -> Reply:
        """Take a user out of a channel."""
        body: wire.ChannelMemberIn = call.body
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction, _notices: list[Notice]) -> None:
            self.keeper.get(tx, tenant_id, id)
            user_id = to_int64(body.user_id) or 0
            if members.get(tx, tenant_id, "channel", id, user_id) is None:
                raise NotFound(f"The user {body.user_id} is not in this channel.")
            self._leave(tx, call, at, id, user_id)

        await self._work.change(call, run)
        return reply_of(Done())

    def _join(self, tx: Transaction, call: Call, at: datetime, id: int, user_id: int) -> None:
        tenant_id, seq = call.principal.tenant_id, self._work.ids.new()
        members.add(tx, Member(tenant_id=tenant_id, group_type="channel", group_id=id, user_id=user_id, seq=seq))
        tell(tx, call, at, Word.CHANNEL_MEMBER_ADDED, id, after={"user_id": str(user_id)})

    def _leave(self, tx: Transaction, call: Call, at: datetime, id: int, user_id: int) -> None:
        members.remove(tx, call.principal.tenant_id, "channel", id, user_id)
        tell(tx, call, at, Word.CHANNEL_MEMBER_REMOVED, id, before={"user_id": str(user_id)})

    def _gone(
        self, tx: Transaction, call: Call, at: datetime, target: Target, notices: list[Notice], *, force: bool
    ) -> None:
        """A user who is gone is in no channel, and owns none."""
        if target.type != "user":
            return
        tenant_id = call.principal.tenant_id
        for one in members.of_user(tx, tenant_id, "channel", target.id):
            self._leave(tx, call, at, one.group_id, target.id)
        for kept in channels.get_many(tx, tenant_id, channels.ids(tx, tenant_id, owner_id=target.id)):
            self.keeper.change(tx, call, at, kept, msgspec.structs.replace(kept.value, owner_id=0))
