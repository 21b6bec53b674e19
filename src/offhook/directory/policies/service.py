"""What can be done with an access control policy, and who gets it."""

from datetime import datetime

import msgspec

from offhook.access.doing import Page, refuse
from offhook.access.gate import reply_of
from offhook.directory import targets
from offhook.directory.lines.model import Target
from offhook.directory.offices import no_such
from offhook.directory.paths import etag, id_of
from offhook.directory.people import admin_in, user_in, users_out
from offhook.directory.policies import store, wire
from offhook.directory.policies.model import Permission, Policy
from offhook.directory.policies.store import Assignment, policies
from offhook.directory.rights.rules import idle
from offhook.directory.users.model import User
from offhook.directory.users.store import users
from offhook.directory.work import Work
from offhook.events.keeper import Keeper, shown, tell
from offhook.events.model import Word
from offhook.kit import clock
from offhook.kit.errors import Conflict, NotFound, Notice, Violation
from offhook.kit.operation import Call, Reply
from offhook.kit.text import single_line
from offhook.kit.wire import to_int64
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept

NAME_LIMIT, DESCRIPTION_LIMIT = 50, 200


class Policies:
    """The access control policies of all companies. A deleted one can be read and brought back, but nobody has it."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self.keeper: Keeper[Policy] = Keeper(
            noun="access control policy",
            documents=policies,
            show=shown,
            created=Word.POLICY_CREATED,
            updated=Word.POLICY_UPDATED,
            deleted=Word.POLICY_DELETED,
        )
        work.gone.append(self._gone)

    async def create(self, call: Call) -> Reply:
        """Make a policy that a company admin owns."""
        body: wire.PolicyIn = call.body
        at, tenant_id = clock.now(), call.principal.tenant_id

        def make(tx: Transaction, notices: list[Notice]) -> msgspec.Struct:
            found: list[Violation] = []
            name, description = _texts(body, found)
            owner = admin_in(tx, tenant_id, body.owner_id, "owner_id", found)
            refuse(found)
            assert owner is not None
            policy = Policy(
                name=name or "",
                owner_id=owner.id,
                permission_sets=_permissions(body.permission_sets),
                target_type=body.target_type or "company",
                description=description or "",
            )
            _warn_of_idle(policy, "permission_sets", notices)
            return self.out(call, self.keeper.add(tx, call, at, self._work.ids.new(), policy))

        return await self._work.create(call, make)

    async def get(self, call: Call) -> Reply:
        """One policy, deleted or not."""
        kept = await self._work.reader.run(lambda tx: self._find(tx, call))
        return reply_of(self.out(call, kept), headers=etag(kept))

    async def page(self, call: Call) -> Reply:
        """A page of policies."""
        query: wire.PolicyListQuery = call.query or wire.PolicyListQuery()
        tenant_id, deleted = call.principal.tenant_id, query.include_deleted
        page = await self._work.page(
            call,
            "policies",
            lambda tx, after, limit: policies.page(tx, tenant_id, after, limit, even_deleted=deleted),
            cursor=query.cursor,
            filters={"include_deleted": deleted},
        )
        return reply_of(wire.PolicyPage(items=[self.out(call, kept) for kept in page.items], cursor=page.cursor))

    async def change(self, call: Call) -> Reply:
        """Change a policy, or bring a deleted one back."""
        body: wire.PolicyPatch = call.body
        at, tenant_id = clock.now(), call.principal.tenant_id

        def run(tx: Transaction, notices: list[Notice]) -> Kept[Policy]:
            before = self._find(tx, call)
            if body.state is None:
                _refuse_deleted(before)
            found: list[Violation] = []
            name, description = _texts(body, found)
            by = None if body.user_id is None else admin_in(tx, tenant_id, body.user_id, "user_id", found)
            refuse(found)
            policy = before.value
            after = msgspec.structs.replace(
                policy,
                name=policy.name if name is None else name,
                description=policy.description if description is None else description,
                permission_sets=policy.permission_sets
                if body.permission_sets is None
                else _permissions(body.permission_sets),
            )
            if by is not None and (after != policy or before.state == "deleted"):
                after = msgspec.structs.replace(after, updated_by=by.id)
            if body.permission_sets is not None:
                _warn_of_idle(after, "permission_sets", notices)
            return self.keeper.change(tx, call, at, before, after, state="active")

        kept = await self._work.change(call, run)
        return reply_of(self.out(call, kept), headers=etag(kept))

    async def delete(self, call: Call) -> Reply:
        """Delete a policy: nobody has it any more."""
        at = clock.now()

        def run(tx: Transaction, _notices: list[Notice]) -> Kept[Policy]:
            before = self._find(tx, call)
            if before.state == "deleted":
                return before
            store.unassign_everybody(tx, before.tenant_id, before.id)
            return self.keeper.remove(tx, call, at, before)

        return reply_of(self.out(call, await self._work.change(call, run)))

    async def assign(self, call: Call) -> Reply:
        """Give a user a policy; one who has it there keeps it."""
        body: wire.AssignIn = call.body
        at, tenant_id = clock.now(), call.principal.tenant_id

        def make(tx: Transaction, notices: list[Notice]) -> msgspec.Struct:
            policy = self._find(tx, call)
            _refuse_deleted(policy)
            found: list[Violation] = []
            user = user_in(tx, tenant_id, body.user_id, "user_id", found)
            target = self._target(tx, call, policy.value, body, found)
            refuse(found)
            assert user is not None
            assert target is not None
            _warn_of_idle(policy.value, "user_id", notices)
            one = _assignment(policy, user.id, target)
            if one not in store.assignments(tx, tenant_id, policy.id, user.id, user.id):
                store.assign(tx, one)
                tell(tx, call, at, Word.POLICY_ASSIGNED, policy.id, after=_shown(one))
            return self._assigned(tx, call, at, policy.id, user)

        return await self._work.create(call, make)

    async def unassign(self, call: Call) -> Reply:
        """Take a policy from a user, at one target or at all."""
        body: wire.UnassignIn = call.body
        at, tenant_id = clock.now(), call.principal.tenant_id

        def run(tx: Transaction, _notices: list[Notice]) -> wire.PolicyAssignmentOut:
            policy = self._find(tx, call)
            found: list[Violation] = []
            user = user_in(tx, tenant_id, body.user_id, "user_id", found)
            target = None if body.unassign_all else self._target(tx, call, policy.value, body, found)
            refuse(found)
            assert user is not None
            held = store.assignments(tx, tenant_id, policy.id, user.id, user.id)
            ended = [one for one in held if target is None or one == _assignment(policy, user.id, target)]
            if not ended:
                raise NotFound(f"The user {user.id} does not have this policy there.")
            for one in ended:
                self._end(tx, call, at, one)
            return self._assigned(tx, call, at, policy.id, user)

        return reply_of(await self._work.change(call, run))

    async def assignment_page(self, call: Call) -> Reply:
        """A page of the users who have a policy, each with where."""
        query: wire.PolicyAssignmentListQuery = call.query or wire.PolicyAssignmentListQuery()
        tenant_id, id, company_id = call.principal.tenant_id, id_of(call), call.principal.company_id
        at = clock.now()

        def find(tx: Transaction, after: int, limit: int) -> list[tuple[int, wire.PolicyAssignmentOut]]:
            self._find(tx, call)
            ids = store.users_with(tx, tenant_id, id, after, limit)
            if not ids:
                return []
            held: dict[int, list[Assignment]] = {}
            for one in store.assignments(tx, tenant_id, id, ids[0], ids[-1]):
                held.setdefault(one.user_id, []).append(one)
            found = users.get_many(tx, tenant_id, ids)
            shown = users_out(tx, found, company_id, at)
            return [(user.id, wire.assignment_out(out, held[user.id])) for user, out in zip(found, shown, strict=True)]

        page: Page[tuple[int, wire.PolicyAssignmentOut]] = await self._work.page(
            call,
            "policy assignments",
            find,
            cursor=query.cursor,
            filters={"policy": id},
            position=lambda one: one[0],
        )
        return reply_of(wire.PolicyAssignmentPage(items=[one for _, one in page.items], cursor=page.cursor))

    def out(self, call: Call, kept: Kept[Policy]) -> wire.PolicyOut:
        """A policy as v2 answers it."""
        return wire.policy_out(kept, call.principal.company_id)

    def _find(self, tx: Transaction, call: Call) -> Kept[Policy]:
        """The policy that the path names, even a deleted one."""
        id = id_of(call)
        kept = policies.get(tx, call.principal.tenant_id, id, even_deleted=True)
        if kept is None:
            raise self.keeper.missing(id)
        return kept

    def _target(
        self, tx: Transaction, call: Call, policy: Policy, body: wire.AssignIn, found: list[Violation]
    ) -> Target | None:
        """Where a body wants a policy to hold, which must be at the policy's own level."""
        level, sent = policy.target_type, body.target_id
        if body.target_type is not None and body.target_type != level:
            text = f"This policy holds for a target of the kind {level}; leave target_type out, or send that."
            found.append(Violation(location="target_type", message=text, sent=body.target_type))
            return None
        if level == "company":
            company_id = call.principal.company_id
            if sent is not None and to_int64(sent) != company_id:
                text = "This policy holds for the whole company: leave target_id out."
                found.append(Violation(location="target_id", message=text, sent=str(sent)))
            return Target("company", company_id)
        if sent is None:
            text = f"Which {level}? Send target_id."
            found.append(Violation(location="target_id", reason="required", message=text))
            return None
        target = Target(level, to_int64(sent) or 0)
        if targets.state_of(tx, call.principal.tenant_id, target, self._work.office) is None:
            found.append(no_such("target_id", level, sent))
        return target

    def _assigned(
        self, tx: Transaction, call: Call, at: datetime, policy_id: int, user: Kept[User]
    ) -> wire.PolicyAssignmentOut:
        held = store.assignments(tx, user.tenant_id, policy_id, user.id, user.id)
        (shown,) = users_out(tx, [user], call.principal.company_id, at)
        return wire.assignment_out(shown, held)

    def _end(self, tx: Transaction, call: Call, at: datetime, one: Assignment) -> None:
        store.unassign(tx, one)
        tell(tx, call, at, Word.POLICY_UNASSIGNED, one.policy_id, before=_shown(one))

    def _gone(
        self, tx: Transaction, call: Call, at: datetime, target: Target, notices: list[Notice], *, force: bool
    ) -> None:
        """A user who is gone has no policy; none holds at an office or call center that is gone."""
        tenant_id = call.principal.tenant_id
        if target.type == "user":
            ended = store.of_user(tx, tenant_id, target.id)
            for kept in policies.all(tx, tenant_id):
                if kept.value.owner_id == target.id:
                    text = (
                        f"The policy {kept.value.name} goes on with an owner who is gone; make a new one of another's."
                    )
                    notices.append(Notice("policy_without_owner", f"accesscontrolpolicies/{kept.id}.owner_id", text))
        else:
            ended = store.at_target(tx, tenant_id, target.type, target.id)
        for one in ended:
            self._end(tx, call, at, one)


def _texts(body: wire.PolicyIn | wire.PolicyPatch, found: list[Violation]) -> tuple[str | None, str | None]:
    """Name and description as sent, None for what is not; an empty description is one."""
    name, fault = (None, None) if body.name is None else single_line(body.name, "name", NAME_LIMIT)
    if fault is not None:
        found.append(fault)
    if not body.description:
        return name, body.description
    description, fault = single_line(body.description, "description", DESCRIPTION_LIMIT)
    if fault is not None:
        found.append(fault)
    return name, description


def _permissions(sent: list[Permission]) -> tuple[Permission, ...]:
    return tuple(sorted(set(sent)))


def _warn_of_idle(policy: Policy, place: str, notices: list[Notice]) -> None:
    """A notice naming the permissions that let nobody do anything here, so that nobody counts on them."""
    if found := idle(policy.permission_sets, policy.target_type):
        text = f"Kept, and without effect here for a {policy.target_type}: {', '.join(found)}."
        notices.append(Notice("permission_without_effect", place, text))


def _refuse_deleted(kept: Kept[Policy]) -> None:
    if kept.state == "deleted":
        raise Conflict("This policy is deleted; bring it back first by changing its state to active.")


def _assignment(policy: Kept[Policy], user_id: int, target: Target) -> Assignment:
    return Assignment(
        tenant_id=policy.tenant_id,
        policy_id=policy.id,
        user_id=user_id,
        target_type=policy.value.target_type,
        target_id=target.id,
    )


def _shown(one: Assignment) -> dict[str, str]:
    return {"user_id": str(one.user_id), "target_type": one.target_type, "target_id": str(one.target_id)}
