"""What can be done with schedules, triggers and hooks: kept, changed, paused, tried. What they start is elsewhere."""

import secrets as random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from offhook.access.doing import Doing, Done, refuse, rehearsed
from offhook.access.gate import reply_of
from offhook.access.idempotency import Outcome
from offhook.catalog.credentials.resealing import Resealed, resealed
from offhook.catalog.credentials.vault import Vault
from offhook.catalog.keeping import etag, id_of, iso
from offhook.events.keeper import Keeper, shown, tell
from offhook.events.model import Word
from offhook.kit import clock
from offhook.kit.errors import Conflict, Invalid, Notice, Violation
from offhook.kit.errors import shown as brief
from offhook.kit.operation import Call, Reply, WarningOut
from offhook.kit.wire import encode
from offhook.kit.zones import moment_of, zone
from offhook.storage.database import Transaction
from offhook.storage.documents import Documents, Kept
from offhook.workflows.definitions.store import version as definition_version
from offhook.workflows.expressions.scripts import Language, NotNow, ScriptError, Scripts
from offhook.workflows.triggers import checking, rules, signing, store, wire
from offhook.workflows.triggers.checking import Found
from offhook.workflows.triggers.cron import Cron
from offhook.workflows.triggers.model import Heard, Hook, Planned, Ran, Schedule, Start, Trigger
from offhook.workflows.triggers.timing import MOST_INPUT, cron_of, schedule_data

MOST_SCHEDULES, MOST_TRIGGERS, MOST_HOOKS = 10_000, 100, 500

HOOKS = "/api/offhook/v1/workflows/hooks"
T = TypeVar("T")


def _told(tx: Transaction, kept: Kept[Any]) -> dict[str, Any]:
    """What events keep: all but what is secret, and inputs, which may be long."""
    hidden = ("input", "digest", "sealed", "company_id", "environment")
    return {name: value for name, value in shown(tx, kept).items() if name not in hidden}


SCHEDULES = Keeper(
    "schedule",
    store.schedules,
    _told,
    Word.WORKFLOW_SCHEDULE_CREATED,
    Word.WORKFLOW_SCHEDULE_UPDATED,
    Word.WORKFLOW_SCHEDULE_DELETED,
)
TRIGGERS = Keeper(
    "trigger",
    store.triggers,
    _told,
    Word.WORKFLOW_TRIGGER_CREATED,
    Word.WORKFLOW_TRIGGER_UPDATED,
    Word.WORKFLOW_TRIGGER_DELETED,
)
HOOK_KEEPER = Keeper(
    "hook", store.hooks, _told, Word.WORKFLOW_HOOK_CREATED, Word.WORKFLOW_HOOK_UPDATED, Word.WORKFLOW_HOOK_DELETED
)


class Schedules:
    """The schedules of all companies."""

    def __init__(self, work: Doing, start: Start, wall: Callable[[], float] = clock.wall) -> None:
        self._work, self._start, self._wall = work, start, wall

    async def create(self, call: Call) -> Reply:
        """Keep a schedule."""
        body: wire.ScheduleIn = call.body
        at = clock.now()
        found: Found = []
        value = await self._read(call, body, found)
        refuse(found)

        def make(tx: Transaction, notices: list[Notice]) -> msgspec.Struct:
            _look_round(tx, call, store.schedules, value, "schedules", MOST_SCHEDULES)
            kept = SCHEDULES.add(tx, call, at, self._work.ids.new(), value)
            due = self._due(value)
            store.put_timer(tx, kept, due)
            return _schedule_out(kept, due, None, None)

        return await self._work.create(call, make)

    async def page(self, call: Call) -> Reply:
        """A page of them, oldest first."""
        items, cursor = await _page(self._work, call, "workflows.schedules", store.schedules, _schedule_now)
        return reply_of(wire.SchedulePage(items=items, cursor=cursor))

    async def get(self, call: Call) -> Reply:
        """One of them."""
        tenant_id, id = call.principal.tenant_id, id_of(call)
        return await self._answer(await self._work.reader.run(lambda tx: SCHEDULES.get(tx, tenant_id, id)))

    async def update(self, call: Call) -> Reply:
        """Put a schedule in the place of one. Its next moment is found anew if its times were changed."""
        body: wire.ScheduleIn = call.body
        found: Found = []
        value = await self._read(call, body, found)
        refuse(found)

        def change(tx: Transaction, before: Kept[Schedule]) -> Schedule:
            _look_round(tx, call, store.schedules, value, "schedules", 0, before)
            return msgspec.structs.replace(value, by=before.value.by)

        return await self._changed(call, change)

    async def pause(self, call: Call) -> Reply:
        """Start nothing for now. What passes meanwhile is not made up for."""
        return await self._changed(
            call,
            lambda _, before: msgspec.structs.replace(before.value, paused=True),
            Word.WORKFLOW_SCHEDULE_PAUSED,
        )

    async def resume(self, call: Call) -> Reply:
        """Go on with the next moment from now."""
        return await self._changed(
            call,
            lambda _, before: msgspec.structs.replace(before.value, paused=False),
            Word.WORKFLOW_SCHEDULE_RESUMED,
        )

    async def delete(self, call: Call) -> Reply:
        """Delete a schedule; runs that it started go on."""
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction, _notices: list[Notice]) -> None:
            SCHEDULES.remove(tx, call, at, SCHEDULES.get(tx, tenant_id, id))
            store.drop_timer(tx, tenant_id, id)

        await self._work.change(call, run)
        return reply_of(Done())

    async def fire(self, call: Call) -> Reply:
        """Start a run now, whatever the time and the run before; once, if it comes with an Idempotency-Key."""
        tenant_id, id, at = call.principal.tenant_id, id_of(call), clock.now()
        now = clock.milliseconds(at)
        kept = await self._work.reader.run(lambda tx: SCHEDULES.get(tx, tenant_id, id))
        given, fault = rules.scheduled(kept.value.input, schedule_data(kept, now, False), MOST_INPUT)
        if fault:
            raise Conflict(f"No input can be made: {fault}")
        if call.dry_run:
            return rehearsed(call, Outcome(encode(wire.FiredOut(run_id="0")), tuple(call.notices)))
        by_hand = call.idempotency_key or self._work.ids.new()
        run_id = await self._start(
            tenant_id,
            kept.value.workflow,
            kept.value.version,
            given,
            idempotency=f"schedule:{id}:by hand:{by_hand}",
            by=call.principal.key_name,
            correlation=f"schedule:{id}",
        )
        about = {"name": kept.value.name, "moment": iso(now), "run_id": str(run_id)}

        def run(tx: Transaction, _notices: list[Notice]) -> None:
            tell(tx, call, at, Word.WORKFLOW_SCHEDULE_FIRED_BY_HAND, id, after=about)

        await self._work.change(call, run)
        return reply_of(wire.FiredOut(run_id=str(run_id)))

    async def preview(self, call: Call) -> Reply:
        """The next moments of an expression; nothing is kept."""
        query: wire.PreviewQuery = call.query
        found: Found = []
        cron = checking.cron_in(query.cron, query.timezone, found)
        after, notices = clock.now(), list[Notice]()
        if query.after is not None:
            try:
                after, notice = moment_of(query.after, cron.zone if cron is not None else zone("UTC"), "after")  # type: ignore[arg-type]
                after = after.astimezone(UTC)
                notices += [notice] if notice else []
                if not 1971 <= after.year <= 2199:
                    raise ValueError
            except (ValueError, OverflowError):
                message = "Must be a moment from 1971 to 2199, as 2026-12-24T18:00:00Z."
                found.append(Violation(location="after", message=message, sent=brief(query.after)))
        refuse(found)
        assert cron is not None
        items: list[wire.MomentOut] = []
        while len(items) < query.count:
            moment = cron.after(after)
            if moment is None:
                break
            after = moment
            local = moment.astimezone(cron.zone)
            items.append(wire.MomentOut(at=_text(moment), local=local.isoformat(), note=_note(cron, moment)))
        return reply_of(wire.PreviewOut(items=items, notices=[WarningOut(n.code, n.field, n.text) for n in notices]))

    async def check(self, call: Call) -> Sequence[Violation]:
        """What is wrong with a schedule, by the rules and by what the company has."""
        found: Found = []
        await self._read(call, call.body, found)
        return found

    async def _read(self, call: Call, body: wire.ScheduleIn, found: Found) -> Schedule:
        value = checking.schedule_of(body, _by(call), found, call.notices)
        await _known(self._work, call, value, found)
        return value

    async def _changed(
        self, call: Call, change: Callable[[Transaction, Kept[Schedule]], Schedule], word: Word | None = None
    ) -> Reply:
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction, _notices: list[Notice]) -> Kept[Schedule]:
            before = SCHEDULES.get(tx, tenant_id, id)
            after = SCHEDULES.change(tx, call, at, before, change(tx, before), word=word)
            timer = store.timer(tx, tenant_id, id)
            if after is not before and timer is not None:
                old, new = before.value, after.value
                same = (old.cron, old.zone, old.paused) == (new.cron, new.zone, new.paused)
                store.set_timer(tx, after, timer.due if same else self._due(new))
            return after

        return await self._answer(await self._work.change(call, run))

    def _due(self, value: Schedule) -> int:
        """A schedule's next moment from now; 0 if it is paused. By the real clock, by which it is fired."""
        return 0 if value.paused else rules.next_moment(cron_of(value), int(self._wall() * 1000))

    async def _answer(self, kept: Kept[Schedule]) -> Reply:
        return reply_of(await self._work.reader.run(lambda tx: _schedule_now(tx, kept)), headers=etag(kept))


class Triggers:
    """The triggers of all companies. `scripts` reads their expressions before they are kept."""

    def __init__(self, work: Doing, scripts: Scripts) -> None:
        self._work, self._scripts = work, scripts

    async def create(self, call: Call) -> Reply:
        """Keep a trigger; it looks at what happens from now on."""
        body: wire.TriggerIn = call.body
        at, tenant_id = clock.now(), call.principal.tenant_id
        found: Found = []
        value = await self._read(call, body, found)
        refuse(found)

        def make(tx: Transaction, _notices: list[Notice]) -> msgspec.Struct:
            _look_round(tx, call, store.triggers, value, "triggers", MOST_TRIGGERS)
            kept = TRIGGERS.add(tx, call, at, self._work.ids.new(), value)
            store.put_watch(tx, tenant_id, kept.id)
            store.follow(tx, tenant_id)
            return wire.trigger_out(kept, None, None, None)

        return await self._work.create(call, make)

    async def page(self, call: Call) -> Reply:
        """A page of them, oldest first."""
        items, cursor = await _page(self._work, call, "workflows.triggers", store.triggers, _trigger_now)
        return reply_of(wire.TriggerPage(items=items, cursor=cursor))

    async def get(self, call: Call) -> Reply:
        """One of them."""
        tenant_id, id = call.principal.tenant_id, id_of(call)
        return await self._answer(await self._work.reader.run(lambda tx: TRIGGERS.get(tx, tenant_id, id)))

    async def update(self, call: Call) -> Reply:
        """Put a trigger in the place of one."""
        body: wire.TriggerIn = call.body
        found: Found = []
        value = await self._read(call, body, found)
        refuse(found)

        def change(tx: Transaction, before: Kept[Trigger]) -> Trigger:
            _look_round(tx, call, store.triggers, value, "triggers", 0, before)
            stopped = before.value.stopped if value.paused else ""
            return msgspec.structs.replace(value, by=before.value.by, stopped=stopped)

        return await self._changed(call, change)

    async def pause(self, call: Call) -> Reply:
        """Start nothing for now. What happens meanwhile is not made up for."""
        return await self._changed(
            call, lambda _, before: msgspec.structs.replace(before.value, paused=True), Word.WORKFLOW_TRIGGER_PAUSED
        )

    async def resume(self, call: Call) -> Reply:
        """Look at what happens from now on, also after the server has stopped it."""
        return await self._changed(
            call,
            lambda _, before: msgspec.structs.replace(before.value, paused=False, stopped=""),
            Word.WORKFLOW_TRIGGER_RESUMED,
        )

    async def delete(self, call: Call) -> Reply:
        """Delete a trigger; runs that it started go on."""
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction, _notices: list[Notice]) -> None:
            TRIGGERS.remove(tx, call, at, TRIGGERS.get(tx, tenant_id, id))
            store.drop_watch(tx, tenant_id, id)
            store.follow(tx, tenant_id)

        await self._work.change(call, run)
        return reply_of(Done())

    async def check(self, call: Call) -> Sequence[Violation]:
        """What is wrong with a trigger, by the rules and by what the company has."""
        found: Found = []
        await self._read(call, call.body, found)
        return found

    async def _read(self, call: Call, body: wire.TriggerIn, found: Found) -> Trigger:
        value = checking.trigger_of(body, _by(call), found, await self._unreadable(call, body))
        await _known(self._work, call, value, found)
        return value

    async def _unreadable(self, call: Call, body: wire.TriggerIn) -> str:
        if not body.expression:
            return ""
        language: Language = "js" if body.language == "javascript" else "jsonata"
        try:
            return (await self._scripts.syntax(call.principal.tenant_id, [(language, body.expression)]))[0] or ""
        except NotNow as error:
            text = f"Whether the expression can be read was not found out: {error.message}"
            call.notices.append(Notice("scripts_not_checked", "expression", text))
            return ""
        except ScriptError as error:
            return error.message

    async def _changed(
        self, call: Call, change: Callable[[Transaction, Kept[Trigger]], Trigger], word: Word | None = None
    ) -> Reply:
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction, _notices: list[Notice]) -> Kept[Trigger]:
            before = TRIGGERS.get(tx, tenant_id, id)
            after = TRIGGERS.change(tx, call, at, before, change(tx, before), word=word)
            if before.value.paused and not after.value.paused:
                store.watch_from_now(tx, tenant_id, id)
            store.follow(tx, tenant_id)
            return after

        return await self._answer(await self._work.change(call, run))

    async def _answer(self, kept: Kept[Trigger]) -> Reply:
        return reply_of(await self._work.reader.run(lambda tx: _trigger_now(tx, kept)), headers=etag(kept))


class Hooks:
    """The hooks of all companies. `vault` seals the secrets that signatures are made with."""

    def __init__(self, work: Doing, vault: Vault) -> None:
        self._work, self._vault = work, vault

    async def create(self, call: Call) -> Reply:
        """Keep a hook. A secret that is made for it is in the answer, this once."""
        body: wire.HookIn = call.body
        at = clock.now()
        found: Found = []
        value = await self._read(call, body, found)
        refuse(found)
        secret = body.secret or _new_secret()

        def run(tx: Transaction, _notices: list[Notice]) -> Kept[Hook]:
            _look_round(tx, call, store.hooks, value, "hooks", MOST_HOOKS)
            id = self._work.ids.new()
            return HOOK_KEEPER.add(tx, call, at, id, self._with_secret(call, id, value, secret))

        kept = await self._work.change(call, run)
        return reply_of(wire.HookMade(hook=_hook_out(kept, []), secret=None if body.secret else secret))

    async def page(self, call: Call) -> Reply:
        """A page of them, oldest first."""

        def out(tx: Transaction, kept: Kept[Hook]) -> wire.HookOut:
            return _hook_out(kept, store.heard_of(tx, kept.tenant_id, kept.id), whole=False)

        items, cursor = await _page(self._work, call, "workflows.hooks", store.hooks, out)
        return reply_of(wire.HookPage(items=items, cursor=cursor))

    async def get(self, call: Call) -> Reply:
        """One of them, without its secret."""
        tenant_id, id = call.principal.tenant_id, id_of(call)
        return await self._answer(await self._work.reader.run(lambda tx: HOOK_KEEPER.get(tx, tenant_id, id)))

    async def update(self, call: Call) -> Reply:
        """Put a hook in the place of one. Its secret stays; one of another kind of proof must be made anew."""
        body: wire.HookIn = call.body
        found: Found = []
        value = await self._read(call, body, found)
        if body.secret is not None:
            text = "Its secret is changed by rotate-secret."
            found.append(Violation(location="secret", message=text))
        refuse(found)

        def change(tx: Transaction, before: Kept[Hook]) -> Hook:
            _look_round(tx, call, store.hooks, value, "hooks", 0, before)
            old = before.value
            if (value.proof == "token") != (old.proof == "token"):
                text = f"A hook of the proof {old.proof} cannot become one of {value.proof}; make another."
                raise Conflict(text, [Violation(location="proof", message=text, reason="conflict")])
            return msgspec.structs.replace(value, digest=old.digest, sealed=old.sealed, by=old.by)

        return await self._answer(await self._changed(call, change))

    async def rotate(self, call: Call) -> Reply:
        """Give a hook a new secret; the one before is good no more."""
        body: wire.RotateIn = call.body or wire.RotateIn()
        found: Found = []
        if body.secret is not None:
            checking.check_secret(body.secret, found)
        refuse(found)
        secret = body.secret or _new_secret()

        def change(_tx: Transaction, before: Kept[Hook]) -> Hook:
            if body.secret is not None and before.value.proof == "token":
                text = "A token is made by the server; leave it out."
                raise Invalid.of([Violation(location="secret", message=text)])
            return self._with_secret(call, before.id, before.value, secret)

        kept = await self._changed(call, change, Word.WORKFLOW_HOOK_SECRET_CHANGED)
        made = wire.HookMade(hook=_hook_out(kept, await self._heard(kept)), secret=None if body.secret else secret)
        return reply_of(made, headers=etag(kept))

    def seal_again(self, tx: Transaction, call: Call, at: datetime) -> Resealed:
        """Seal the secrets of a company's hooks by the newest key; they stay the same."""

        def keep(before: Kept[Hook], sealed: str) -> None:
            value = msgspec.structs.replace(before.value, sealed=sealed)
            HOOK_KEEPER.change(tx, call, at, before, value, word=Word.WORKFLOW_HOOK_SEALED_AGAIN)

        return resealed(self._vault, store.hooks.all(tx, call.principal.tenant_id), keep)

    async def delete(self, call: Call) -> Reply:
        """Delete a hook; nothing that is secret stays."""
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction, _notices: list[Notice]) -> None:
            before = HOOK_KEEPER.get(tx, tenant_id, id)
            HOOK_KEEPER.remove(tx, call, at, before, msgspec.structs.replace(before.value, digest="", sealed=""))
            store.drop_calls(tx, tenant_id, id)

        await self._work.change(call, run)
        return reply_of(Done())

    async def _changed(
        self, call: Call, change: Callable[[Transaction, Kept[Hook]], Hook], word: Word | None = None
    ) -> Kept[Hook]:
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction, _notices: list[Notice]) -> Kept[Hook]:
            before = HOOK_KEEPER.get(tx, tenant_id, id)
            return HOOK_KEEPER.change(tx, call, at, before, change(tx, before), word=word)

        return await self._work.change(call, run)

    async def _answer(self, kept: Kept[Hook]) -> Reply:
        return reply_of(_hook_out(kept, await self._heard(kept)), headers=etag(kept))

    async def _heard(self, kept: Kept[Hook]) -> list[Heard]:
        return await self._work.reader.run(lambda tx: store.heard_of(tx, kept.tenant_id, kept.id))

    async def check(self, call: Call) -> Sequence[Violation]:
        """What is wrong with a hook, by the rules and by what the company has."""
        found: Found = []
        await self._read(call, call.body, found)
        return found

    async def _read(self, call: Call, body: wire.HookIn, found: Found) -> Hook:
        who = call.principal
        value = checking.hook_of(body, who.company_id, who.environment, _by(call), found)
        await _known(self._work, call, value, found)
        return value

    def _with_secret(self, call: Call, id: int, value: Hook, secret: str) -> Hook:
        if value.proof == "token":
            return msgspec.structs.replace(value, digest=signing.digest(secret))
        sealed = self._vault.seal(call.principal.tenant_id, id, {"secret": secret})
        return msgspec.structs.replace(value, sealed=sealed)


def _new_secret() -> str:
    return "ohh_" + random.token_urlsafe(32)


def _by(call: Call) -> str:
    return str(call.principal.key_name)


async def _known(work: Doing, call: Call, value: Any, found: Found) -> None:
    """Add a fault if the company has no workflow as `value` starts."""
    tenant_id = call.principal.tenant_id
    fault = await work.reader.run(lambda tx: _no_workflow(tx, tenant_id, value))
    if fault is not None:
        found.append(fault)


def _no_workflow(tx: Transaction, tenant_id: int, value: Any) -> Violation | None:
    if definition_version(tx, tenant_id, value.workflow, value.version) is not None:
        return None
    which = f" in version {value.version}" if value.version else ""
    message = f"There is no workflow {brief(value.workflow)}{which}; register it first."
    location = "workflow" if value.version is None else "version"
    return Violation(location=location, message=message, sent=brief(value.workflow), about=("workflow",))


def _look_round(
    tx: Transaction, call: Call, documents: Documents[Any], value: Any, what: str, most: int, before: Any = None
) -> None:
    """Refuse what does not go with what the company has: an unknown workflow, a name that is taken, too many."""
    tenant_id = call.principal.tenant_id
    fault = _no_workflow(tx, tenant_id, value)
    if fault is not None:
        raise Invalid.of([fault])
    other = documents.first(tx, tenant_id, name=value.name)
    if other is not None and (before is None or other.id != before.id):
        text = f"{brief(value.name)} is the name of another; choose one that is free."
        raise Conflict(text, [Violation(location="name", message=text, reason="conflict")])
    if most and documents.count(tx, tenant_id) >= most:
        raise Conflict(f"A company may have {most:,} {what}; delete some that are not used.")


async def _page(
    work: Doing,
    call: Call,
    listing: str,
    documents: Documents[Any],
    out: Callable[[Transaction, Kept[Any]], T],
) -> tuple[list[T], str | None]:
    query: wire.ListQuery = call.query or wire.ListQuery()
    tenant_id = call.principal.tenant_id
    filters = {"workflow": query.workflow} if query.workflow is not None else {}

    def find(tx: Transaction, after: int, limit: int) -> list[tuple[int, T]]:
        return [(kept.id, out(tx, kept)) for kept in documents.page(tx, tenant_id, after, limit, filters)]

    page = await work.page(call, listing, find, cursor=query.cursor, filters=filters, position=lambda one: one[0])
    return [one for _, one in page.items], page.cursor


def _schedule_now(tx: Transaction, kept: Kept[Schedule]) -> wire.ScheduleOut:
    timer, put_off = store.timer(tx, kept.tenant_id, kept.id), store.put_off(tx, kept.tenant_id, kept.id)
    return _schedule_out(kept, timer.due if timer else 0, timer.ran if timer else None, put_off)


def _schedule_out(kept: Kept[Schedule], due: int, ran: Ran | None, put_off: Planned | None) -> wire.ScheduleOut:
    here = zone(kept.value.zone)
    local = rules.moment_of(due).astimezone(here).isoformat() if due and here is not None else None
    return wire.schedule_out(kept, due, local, ran, put_off)


def _trigger_now(tx: Transaction, kept: Kept[Trigger]) -> wire.TriggerOut:
    ran, passed = store.last_of(tx, kept.tenant_id, kept.id)
    return wire.trigger_out(kept, ran, passed, store.put_off(tx, kept.tenant_id, kept.id))


def _hook_out(kept: Kept[Hook], heard: list[Heard], *, whole: bool = True) -> wire.HookOut:
    return wire.hook_out(kept, f"{HOOKS}/{kept.id}", heard, whole=whole)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def _note(cron: Cron, moment: datetime) -> str:
    """What the clock does at a moment, if that matters."""
    local = moment.astimezone(cron.zone)
    if cron.named and cron.skipped(moment):
        return "The clock skips the time that is named; this is when it is put on."
    if local.fold:
        return "The clock shows this time twice; this is the second time."
    if local.replace(fold=1).utcoffset() != local.utcoffset():
        return "The clock shows this time twice; this is the first time."
    return ""
