"""Who answers for which group: joining, leaving, duty, skill. Offices, departments and call centers alike."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from offhook.access.doing import refuse
from offhook.access.gate import reply_of
from offhook.directory import targets
from offhook.directory.lines.model import Target
from offhook.directory.lines.rules import unknown_target
from offhook.directory.operators import rules, store, wire
from offhook.directory.operators.rules import Joining
from offhook.directory.operators.store import GroupType, Operator
from offhook.directory.paths import id_of
from offhook.directory.people import users_out
from offhook.directory.rooms.store import rooms
from offhook.directory.rooms.wire import room_out
from offhook.directory.users.licensing import AGENTS, KEEPER, change_license
from offhook.directory.users.model import User
from offhook.directory.users.store import users
from offhook.directory.work import Work
from offhook.events import store as events
from offhook.events.model import Actor, Event, Word
from offhook.kit import clock
from offhook.kit.errors import Conflict, NotFound, Notice, Violation
from offhook.kit.operation import Call, Handler, Reply
from offhook.kit.wire import encode
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept

NOUNS: dict[GroupType, str] = {"office": "office", "department": "department", "callcenter": "call center"}


class Operators:
    """The operators of all groups of all companies."""

    def __init__(self, work: Work) -> None:
        self._work = work

    # Lists

    def listing(self, kind: GroupType) -> Handler:
        """Everyone in a group of a kind, in the order of joining."""

        async def handle(call: Call) -> Reply:
            tenant_id, company_id, id = call.principal.tenant_id, call.principal.company_id, id_of(call)
            at = clock.now()

            def read(tx: Transaction) -> wire.OperatorsOut:
                self._group(tx, tenant_id, kind, id)
                members = store.of_group(tx, tenant_id, kind, id)
                ids = [one.member_id for one in members if one.member_type == "user"]
                places = [one.member_id for one in members if one.member_type == "room"]
                return wire.OperatorsOut(
                    users=users_out(tx, users.get_many(tx, tenant_id, ids), company_id, at),
                    rooms=[room_out(kept, company_id) for kept in rooms.get_many(tx, tenant_id, places)],
                )

            return reply_of(await self._work.reader.run(read))

        return handle

    # Joining and leaving

    def adding(self, kind: GroupType) -> Handler:
        """Add an operator to a group of a kind."""

        async def handle(call: Call) -> Reply:
            at, seq = clock.now(), self._work.ids.new()
            tenant_id, id = call.principal.tenant_id, id_of(call)

            def make(tx: Transaction, notices: list[Notice]) -> msgspec.Struct:
                self._group(tx, tenant_id, kind, id)
                found: list[Violation] = []
                joining = rules.agent(call.body, found) if kind == "callcenter" else rules.joining(call.body, found)
                refuse(found)
                refuse(faults(tx, tenant_id, [joining]))
                if store.get(tx, tenant_id, kind, id, joining.member_type, joining.member_id) is not None:
                    text = f"This {joining.member_type} is an operator of this {NOUNS[kind]} already."
                    sent = str(joining.member_id)
                    raise Conflict(
                        text, [Violation(location=joining.place, reason="conflict", message=text, sent=sent)]
                    )
                licence = self._licensed(tx, call, at, joining, notices) if kind == "callcenter" else ""
                one = operator(tenant_id, Target(kind, id), joining, seq, licence=licence)
                store.add(tx, [one])
                tell(tx, call, at, Word.OPERATOR_ADDED, [one])
                return self._member(tx, call, one)

            return await self._work.create(call, make)

        return handle

    def removing(self, kind: GroupType) -> Handler:
        """Remove an operator from a group of a kind."""

        async def handle(call: Call) -> Reply:
            at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)
            body: wire.OperatorRef | wire.AgentRef = call.body

            def run(tx: Transaction, notices: list[Notice]) -> wire.UserOrRoomOut:
                self._group(tx, tenant_id, kind, id)
                found: list[Violation] = []
                if isinstance(body, wire.AgentRef):
                    member = Target("user", rules.member_id(body.user_id, "user_id", found))
                else:
                    member = Target(body.operator_type, rules.member_id(body.operator_id, "operator_id", found))
                refuse(found)
                one = self._membership(tx, tenant_id, kind, id, member)
                answer = self._member(tx, call, one, removed=True)
                leave(tx, call, at, [one], notices)
                return answer

            return reply_of(await self._work.change(call, run))

        return handle

    # Skill

    async def skill(self, call: Call) -> Reply:
        """How skilled a user is in a call center."""
        tenant_id, center, user = call.principal.tenant_id, id_of(call, "call_center_id"), id_of(call, "user_id")

        def read(tx: Transaction) -> Operator:
            self._group(tx, tenant_id, "callcenter", center)
            return self._membership(tx, tenant_id, "callcenter", center, Target("user", user))

        return reply_of(_skill_out(await self._work.reader.run(read)))

    async def change_skill(self, call: Call) -> Reply:
        """Say how skilled a user is in a call center."""
        at, tenant_id = clock.now(), call.principal.tenant_id
        center, user = id_of(call, "call_center_id"), id_of(call, "user_id")

        def run(tx: Transaction, _notices: list[Notice]) -> Operator:
            self._group(tx, tenant_id, "callcenter", center)
            before = self._membership(tx, tenant_id, "callcenter", center, Target("user", user))
            found: list[Violation] = []
            after = msgspec.structs.replace(before, skill_level=rules.skill(call.body, found))
            refuse(found)
            if after != before:
                store.change(tx, after)
                tell(tx, call, at, Word.OPERATOR_UPDATED, [after], before=[before])
            return after

        return reply_of(_skill_out(await self._work.change(call, run)))

    # Duty

    async def duty(self, call: Call) -> Reply:
        """Whether a user is on duty."""
        tenant_id, id = call.principal.tenant_id, id_of(call)
        return reply_of(wire.duty_out(await self._work.reader.run(lambda tx: KEEPER.get(tx, tenant_id, id))))

    async def change_duty(self, call: Call) -> Reply:
        """Put a user on duty, or off with a reason."""
        body: wire.DutyIn = call.body
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)
        milliseconds = clock.milliseconds(at)

        def run(tx: Transaction, notices: list[Notice]) -> Kept[User]:
            before = KEEPER.get(tx, tenant_id, id)
            found: list[Violation] = []
            reason = rules.duty_reason(body, found, notices)
            refuse(found)
            user = before.value
            if (body.on_duty, reason) == (user.on_duty, user.duty_reason):
                return before
            after = msgspec.structs.replace(
                user,
                on_duty=body.on_duty,
                duty_reason=reason,
                duty_started=milliseconds,
                on_duty_started=milliseconds if body.on_duty else user.on_duty_started,
            )
            return KEEPER.change(tx, call, at, before, after, word=Word.USER_DUTY_UPDATED)

        return reply_of(wire.duty_out(await self._work.change(call, run)))

    # Inside

    def _group(self, tx: Transaction, tenant_id: int, kind: GroupType, id: int) -> None:
        if targets.state_of(tx, tenant_id, Target(kind, id), self._work.office) is None:
            raise NotFound(f"There is no {NOUNS[kind]} {id}.")

    def _membership(self, tx: Transaction, tenant_id: int, kind: GroupType, id: int, member: Target) -> Operator:
        one = store.get(tx, tenant_id, kind, id, member.type, member.id)
        if one is None:
            raise NotFound(f"The {NOUNS[kind]} {id} has no operator who is the {member.type} {member.id}.")
        return one

    def _member(self, tx: Transaction, call: Call, one: Operator, *, removed: bool = False) -> wire.UserOrRoomOut:
        documents = targets.KINDS[one.member_type]
        kept = documents.get(tx, one.tenant_id, one.member_id)
        assert kept is not None
        return wire.user_or_room_out(kept, call.principal.company_id, removed=removed)

    def _licensed(self, tx: Transaction, call: Call, at: datetime, joining: Joining, notices: list[Notice]) -> str:
        """The licence by which the user answers for call centers; given now to a user who has none such."""
        kept = KEEPER.get(tx, call.principal.tenant_id, joining.member_id)
        has = kept.value.license
        if has not in AGENTS:
            wanted = joining.license or "agents"
            where = "license_type"
            change_license(tx, call, at, kept, wanted, keep_numbers=joining.keep_numbers, location=where)
            return wanted
        if joining.license not in (None, has):
            text = f"The user has the licence {has} already, which serves; {joining.license} was ignored."
            notices.append(Notice("license_kept", "license_type", text))
        return has


def _skill_out(one: Operator) -> wire.SkillOut:
    return wire.SkillOut(call_center_id=str(one.group_id), user_id=str(one.member_id), skill_level=str(one.skill_level))


# What a change of a group or member does to memberships, in its transaction


def faults(tx: Transaction, tenant_id: int, joined: Sequence[Joining]) -> list[Violation]:
    """What keeps members from joining, each at its place: the company has no such one, or it takes no calls."""
    states: dict[Target, str] = {}
    for kind in {one.member_type for one in joined}:
        ids = [one.member_id for one in joined if one.member_type == kind]
        documents = targets.KINDS[kind]
        states |= {Target(kind, kept.id): kept.state for kept in documents.get_many(tx, tenant_id, ids)}
    found = []
    for one in joined:
        member = Target(one.member_type, one.member_id)
        state = states.get(member)
        if state is None:
            found.append(unknown_target(one.place, member))
        elif state != "active":
            text = f"This {member.type} is {state} and takes no calls: activate it first, or name another."
            found.append(Violation(location=one.place, reason="conflict", message=text, sent=str(member.id)))
    return found


def operator(tenant_id: int, group: Target, joining: Joining, seq: int, *, licence: str = "") -> Operator:
    """The membership that a joining makes."""
    return Operator(
        tenant_id=tenant_id,
        group_type=group.type,  # type: ignore[arg-type]
        group_id=group.id,
        member_type=joining.member_type,
        member_id=joining.member_id,
        seq=seq,
        role=joining.role,
        skill_level=joining.skill_level,
        license=licence,
    )


def leave(
    tx: Transaction, call: Call, at: datetime, members: Sequence[Operator], notices: list[Notice] | None = None
) -> None:
    """End memberships, with an event each; a group that nobody answers for any more is a notice."""
    for one in members:
        store.remove(tx, one)
    tell(tx, call, at, Word.OPERATOR_REMOVED, (), before=members)
    for one in members if notices is not None else ():
        if not store.of_group(tx, one.tenant_id, one.group_type, one.group_id):
            where = f"{one.group_type}s/{one.group_id}.operators"
            notices.append(Notice("group_empty", where, "Nobody answers there any more."))  # type: ignore[union-attr]


def leave_group(tx: Transaction, call: Call, at: datetime, group: Target) -> None:
    """End all memberships in a group that is about to go, with an event each."""
    tenant_id = call.principal.tenant_id
    members = store.of_group(tx, tenant_id, group.type, group.id)
    store.remove_group(tx, tenant_id, group.type, group.id)
    tell(tx, call, at, Word.OPERATOR_REMOVED, (), before=members)


def tell(
    tx: Transaction,
    call: Call,
    at: datetime,
    word: Word,
    after: Sequence[Operator],
    *,
    before: Sequence[Operator] = (),
) -> None:
    """Write an event for each membership: as it is now, as it was, or both."""
    actor, milliseconds = Actor.of(call.principal), clock.milliseconds(at)
    pairs: Iterable[tuple[Operator | None, Operator | None]]
    if before and after:
        pairs = zip(before, after, strict=True)
    else:
        pairs = [(one, None) for one in before] or [(None, one) for one in after]
    if told := [event(word, pair, actor, milliseconds, call.request_id) for pair in pairs]:
        events.append(tx, told)


def event(word: Word, pair: tuple[Operator | None, Operator | None], actor: Actor, at: int, request_id: str) -> Event:
    """The event of one membership, whose subject is its group; `pair` is before and after."""
    one: Any = pair[1] or pair[0]
    was, now = ("" if half is None else encode(wire.membership_shown(half)).decode() for half in pair)
    return Event(
        tenant_id=one.tenant_id,
        word=word,
        subject_id=str(one.group_id),
        actor=actor,
        at=at,
        request_id=request_id,
        before=was,
        after=now,
    )
