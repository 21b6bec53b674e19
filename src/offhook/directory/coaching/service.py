"""What can be done with a coaching team and its members."""

from datetime import datetime

import msgspec

from offhook.access.doing import Page, refuse
from offhook.access.gate import reply_of
from offhook.directory import members, pointers
from offhook.directory.coaching import wire
from offhook.directory.coaching.model import CoachingTeam
from offhook.directory.coaching.store import teams
from offhook.directory.lines.model import Target
from offhook.directory.lines.rules import DESCRIPTION_LIMIT, line, ring_seconds
from offhook.directory.members import Member, with_users
from offhook.directory.offices import no_such
from offhook.directory.paths import ForceQuery, etag, id_of
from offhook.directory.people import user_in, users_out
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


class CoachingTeams:
    """The coaching teams of all companies."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self.keeper: Keeper[CoachingTeam] = Keeper(
            noun="coaching team",
            documents=teams,
            show=shown,
            created=Word.COACHING_TEAM_CREATED,
            updated=Word.COACHING_TEAM_UPDATED,
            deleted=Word.COACHING_TEAM_DELETED,
        )
        work.gone.append(self._gone)

    async def create(self, call: Call) -> Reply:
        """Make a coaching team in an office of the company."""
        at = clock.now()

        def make(tx: Transaction, _notices: list[Notice]) -> msgspec.Struct:
            team = self._read(tx, call, call.body, CoachingTeam(name="", office_id=0, country=""))
            return self.out(call, self.keeper.add(tx, call, at, self._work.ids.new(), team))

        return await self._work.create(call, make)

    async def get(self, call: Call) -> Reply:
        """One coaching team."""
        tenant_id, id = call.principal.tenant_id, id_of(call)
        kept = await self._work.reader.run(lambda tx: self.keeper.get(tx, tenant_id, id))
        return reply_of(self.out(call, kept), headers=etag(kept))

    async def page(self, call: Call) -> Reply:
        """A page of the company's coaching teams."""
        return await self._page(call, None)

    async def page_of_office(self, call: Call) -> Reply:
        """A page of an office's coaching teams."""
        return await self._page(call, id_of(call, "office_id"))

    async def _page(self, call: Call, office_id: int | None) -> Reply:
        query: wire.CoachingTeamListQuery = call.query or wire.CoachingTeamListQuery()
        tenant_id = call.principal.tenant_id
        filters = {} if office_id is None else {"office_id": office_id}

        def find(tx: Transaction, after: int, limit: int) -> list[Kept[CoachingTeam]]:
            if office_id is not None and self._work.office(tx, tenant_id, office_id) is None:
                raise NotFound(f"There is no office {office_id}.")
            return teams.page(tx, tenant_id, after, limit, filters)

        page = await self._work.page(call, "coaching teams", find, cursor=query.cursor, filters=filters)
        items = [self.out(call, kept) for kept in page.items]
        return reply_of(wire.CoachingTeamPage(items=items, cursor=page.cursor))

    async def change(self, call: Call) -> Reply:
        """Change a coaching team."""
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction, _notices: list[Notice]) -> Kept[CoachingTeam]:
            before = self.keeper.get(tx, tenant_id, id)
            return self.keeper.change(tx, call, at, before, self._read(tx, call, call.body, before.value))

        kept = await self._work.change(call, run)
        return reply_of(self.out(call, kept), headers=etag(kept))

    async def delete(self, call: Call) -> Reply:
        """Delete a coaching team that no calls are sent to, or with `force` one that they are."""
        query: ForceQuery = call.query or ForceQuery()
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction, notices: list[Notice]) -> Kept[CoachingTeam]:
            return self._remove(tx, call, at, self.keeper.get(tx, tenant_id, id), notices, force=query.force)

        return reply_of(self.out(call, await self._work.change(call, run)))

    async def member_page(self, call: Call) -> Reply:
        """A page of a coaching team's members, in the order of joining."""
        query: wire.CoachingTeamListQuery = call.query or wire.CoachingTeamListQuery()
        tenant_id, id = call.principal.tenant_id, id_of(call)

        company_id, at = call.principal.company_id, clock.now()

        def find(tx: Transaction, after: int, limit: int) -> list[tuple[Member, wire.CoachingMemberOut]]:
            self.keeper.get(tx, tenant_id, id)
            found = with_users(tx, members.page(tx, tenant_id, "coachinggroup", id, after, limit))
            shown = users_out(tx, [user for _, user in found], company_id, at)
            return [(one, wire.member_out(out, one.role)) for (one, _), out in zip(found, shown, strict=True)]

        page: Page[tuple[Member, wire.CoachingMemberOut]] = await self._work.page(
            call,
            "coaching team members",
            find,
            cursor=query.cursor,
            filters={"team": id},
            position=lambda one: one[0].seq,
        )
        return reply_of(wire.CoachingMemberPage(items=[out for _, out in page.items], cursor=page.cursor))

    async def add_member(self, call: Call) -> Reply:
        """Add a user to a coaching team; one who is in it gets the new role."""
        body: wire.CoachingMemberIn = call.body
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def make(tx: Transaction, _notices: list[Notice]) -> msgspec.Struct:
            self.keeper.get(tx, tenant_id, id)
            found: list[Violation] = []
            user = user_in(tx, tenant_id, body.member_id, "member_id", found)
            refuse(found)
            assert user is not None
            before = members.get(tx, tenant_id, "coachinggroup", id, user.id)
            one = Member(
                tenant_id=tenant_id,
                group_type="coachinggroup",
                group_id=id,
                user_id=user.id,
                seq=before.seq if before else self._work.ids.new(),
                role=body.role,
            )
            if before is None:
                members.add(tx, one)
                tell(tx, call, at, Word.COACHING_TEAM_MEMBER_ADDED, id, after=_shown(one))
            elif before != one:
                members.change(tx, one)
                tell(tx, call, at, Word.COACHING_TEAM_MEMBER_UPDATED, id, before=_shown(before), after=_shown(one))
            return wire.member_out(users_out(tx, [user], call.principal.company_id, at)[0], one.role)

        return await self._work.create(call, make)

    async def remove_member(self, call: Call) -> Reply:
        """Take a user out of a coaching team."""
        at, tenant_id = clock.now(), call.principal.tenant_id
        id, user_id = id_of(call), id_of(call, "member_id")

        def run(tx: Transaction, _notices: list[Notice]) -> wire.CoachingMemberOut:
            self.keeper.get(tx, tenant_id, id)
            one = members.get(tx, tenant_id, "coachinggroup", id, user_id)
            user = with_users(tx, [one]) if one is not None else []
            if one is None or not user:
                raise NotFound(f"The user {user_id} is not in this coaching team.")
            self._leave(tx, call, at, one)
            return wire.member_out(users_out(tx, [user[0][1]], call.principal.company_id, at)[0], one.role)

        return reply_of(await self._work.change(call, run))

    def out(self, call: Call, kept: Kept[CoachingTeam]) -> wire.CoachingTeamOut:
        """A coaching team as v2 answers it."""
        return wire.team_out(kept, call.principal.company_id)

    def _read(
        self, tx: Transaction, call: Call, body: wire.CoachingTeamIn | wire.CoachingTeamPatch, before: CoachingTeam
    ) -> CoachingTeam:
        """`before` with what a body changes; Invalid with all that is wrong with it."""
        found: list[Violation] = []
        changes: dict[str, object] = {}
        if body.name is not None:
            changes["name"] = line(body.name, "name", found)
        if body.office_id is not None:
            card = self._work.office(tx, call.principal.tenant_id, to_int64(body.office_id) or 0)
            if card is None:
                found.append(no_such("office_id", "office", body.office_id))
            else:
                changes |= {"office_id": card.id, "country": card.country}
        if body.team_description is not None:
            text, fault = multi_line(body.team_description, "team_description", DESCRIPTION_LIMIT)
            changes["team_description"] = text
            if fault is not None:
                found.append(fault)
        if body.allow_trainee_eavesdrop is not None:
            changes["allow_trainee_eavesdrop"] = body.allow_trainee_eavesdrop
        if body.ring_seconds is not None:
            changes["ring_seconds"] = ring_seconds(body.ring_seconds, found)
        refuse(found)
        return msgspec.structs.replace(before, **changes)

    def _leave(self, tx: Transaction, call: Call, at: datetime, one: Member) -> None:
        members.remove(tx, one.tenant_id, "coachinggroup", one.group_id, one.user_id)
        tell(tx, call, at, Word.COACHING_TEAM_MEMBER_REMOVED, one.group_id, before=_shown(one))

    def _remove(
        self,
        tx: Transaction,
        call: Call,
        at: datetime,
        before: Kept[CoachingTeam],
        notices: list[Notice],
        *,
        force: bool,
    ) -> Kept[CoachingTeam]:
        name, target = f"the coaching team {before.value.name}", Target("coachinggroup", before.id)
        pointers.free(tx, call, at, target, name, self._work, notices, force=force)
        members.remove_group(tx, call.principal.tenant_id, "coachinggroup", before.id)
        gone = self.keeper.remove(tx, call, at, before)
        for kind in ("coachinggroup", "coachingteam"):  # Both are spelt in v2.
            self._work.end(tx, call, at, Target(kind, before.id), notices, force=force)
        return gone

    def _gone(
        self, tx: Transaction, call: Call, at: datetime, target: Target, notices: list[Notice], *, force: bool
    ) -> None:
        """A user who is gone is in no team; an office that is gone has none."""
        tenant_id = call.principal.tenant_id
        if target.type == "user":
            for one in members.of_user(tx, tenant_id, "coachinggroup", target.id):
                self._leave(tx, call, at, one)
        elif target.type == "office":
            for kept in teams.get_many(tx, tenant_id, teams.ids(tx, tenant_id, office_id=target.id)):
                self._remove(tx, call, at, kept, notices, force=force)


def _shown(one: Member) -> dict[str, str]:
    return {"user_id": str(one.user_id), "role": one.role}
