"""Runs started on a Conductor server: what they go by is sent there first, and a key starts one run only.

Stock servers look at no idempotency key. So it is kept here that a start is under way before it is asked for, and with
its answer then. Where only the first is kept, the process ended between the two, or the server did not answer: the run
is looked for there by its correlation id. It is started again only once it would have been found, and by one request
of all that ask for it by then: whoever puts down first that it asks again.
"""

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from offhook.access import idempotency
from offhook.access.doing import Doing, rehearsed
from offhook.access.gate import reply_of
from offhook.access.idempotency import Claim, Outcome
from offhook.kit.errors import Conflict, NotFound, Notice, Refusal, Unavailable, shown
from offhook.kit.operation import Call, Reply
from offhook.kit.wire import encode, encode_sorted
from offhook.storage.database import Transaction
from offhook.workflows.definitions import store
from offhook.workflows.definitions.lint import exported
from offhook.workflows.machine.model import Found
from offhook.workflows.remote import shown as showing
from offhook.workflows.remote.conductor import Conductor
from offhook.workflows.remote.names import definition_for, marked, shown_id
from offhook.workflows.runs import wire
from offhook.workflows.runs.known import Texts

Raw = dict[str, Any]
MOST_SENT = 50
"""Definitions that a start sends: the one that is run, those that it starts, those that they start, ..."""

DOUBT_MS = 60_000
"""How long after it was asked for a run may be there and not be found: indexes of stock servers lag behind."""

SKEW_MS = 60_000
"""How far the clocks of both servers may be apart."""

MARK = "offhook"
"""The place in a definition's metadata where it stands what was sent."""


class _Pending(msgspec.Struct):
    """What is kept of a start until its answer is known: when it was asked for first, and when again (0: never; ms)."""

    pending_since: int
    again: int = 0

    @property
    def latest(self) -> int:
        """When it was asked for last (ms)."""
        return self.again or self.pending_since


class Starting:
    """Starts runs on the server, for all companies."""

    def __init__(self, work: Doing, texts: Texts, server: Conductor) -> None:
        self._work, self._texts, self._server = work, texts, server

    async def start(self, call: Call) -> Reply:
        """Start a run; once, if it comes with an Idempotency-Key."""
        body: wire.StartIn = call.body
        claim = None if call.dry_run else self._work.claim(call)
        if claim is not None:
            kept = await self._work.writer.run(lambda tx: idempotency.replay(tx, claim))
            if kept is not None and _pending(kept) is None:
                return _replayed(call, kept)
        found, definitions = await self._definitions(call, body)
        if call.dry_run:
            return rehearsed(call, Outcome(encode(_started("0", found)), tuple(call.notices)))
        await self._send(definitions)
        if claim is None:
            return reply_of(_started(await self._begin(call, found, "", body.correlation_id), found))
        return await self._once(call, claim, found)

    # What is run

    async def _definitions(self, call: Call, body: wire.StartIn) -> tuple[Found, list[Raw]]:
        """What is run, and all definitions that it needs there; what is lost on the way is said."""
        tenant_id = call.principal.tenant_id
        sent: tuple[Found, str] | None = None
        if body.definition is not None:
            sent = await asyncio.to_thread(self._texts.written_out, body.definition)

        def read(tx: Transaction) -> tuple[Found, list[Raw], list[Notice]]:
            policies = {one.value.name: one.value.raw for one in store.policies.all(tx, tenant_id)}
            if sent is not None:
                first, raw = sent[0], msgspec.json.decode(sent[1])
            else:
                kept = _kept(tx, tenant_id, str(body.workflow), body.version)
                if kept is None:
                    which = f" in version {body.version}" if body.version else ""
                    raise NotFound(f"There is no workflow {shown(body.workflow)}{which}.")
                first, raw = kept
            made: dict[tuple[str, int], Raw] = {}
            notices: list[Notice] = []
            waiting = [(first, raw)]
            while waiting:
                one, raw = waiting.pop()
                if (one.name, one.version) in made:
                    continue
                if len(made) == MOST_SENT:
                    raise Conflict(f"It needs more than {MOST_SENT} definitions, which is as many as a start sends.")
                form = exported({**raw, "version": one.version})
                made[one.name, one.version], others = definition_for(form.raw, tenant_id, policies)
                inside = "" if one is first else f"{one.name}."
                notices += [Notice(told.code, f"{inside}{told.field}", told.text) for told in form.notices]
                for name, version in others:
                    kept = _kept(tx, tenant_id, name, version)
                    if kept is not None:
                        waiting.append(kept)
                        continue
                    text = f"{shown(name)} is not registered here: it is not sent, and has to be there already."
                    notices.append(Notice("not_sent", f"{inside}tasks", text))
            return first, list(made.values()), notices

        first, definitions, notices = await self._work.reader.run(read)
        call.notices += notices
        return first, definitions

    async def _send(self, definitions: list[Raw]) -> None:
        """Have definitions be there as they are here. What is there already says in its metadata what was sent."""
        for one in definitions:
            one["metadata"] = {**(one.get("metadata") or {}), MARK: hashlib.sha256(encode_sorted(one)).hexdigest()}
        there = await asyncio.gather(*(self._server.definition(one["name"], one["version"]) for one in definitions))
        missing = [one for one, known in zip(definitions, there, strict=True) if _mark(known) != _mark(one)]
        if missing:
            # What is started comes before what starts it.
            await self._server.put(missing[::-1])

    # Once

    async def _begin(self, call: Call, found: Found, key: str, correlation: str) -> str:
        body: wire.StartIn = call.body
        name = marked(found.name, call.principal.tenant_id)
        try:
            return shown_id(await self._server.start(name, found.version, body.input, correlation, key))
        except Unavailable as refusal:
            text = f"{refusal.message} It is not known whether the run was started; look for it in the list of runs"
            again = ", or send the same request with the same Idempotency-Key again." if key else "."
            raise Unavailable(text + again, headers=[("Retry-After", "10")]) from None

    async def _once(self, call: Call, claim: Claim, found: Found) -> Reply:
        body: wire.StartIn = call.body
        key = showing.KEY + claim.digest.hex()[: showing.KEY_DIGITS]
        correlation = body.correlation_id or key
        told = tuple(call.notices)

        def intend(read: Outcome | None, intent: _Pending) -> Callable[[Transaction], Outcome | None]:
            """Puts the intent in the place of what was read, or gives what somebody else has put there."""

            def put(tx: Transaction) -> Outcome | None:
                there = idempotency.replay(tx, claim)
                if there is not None and (read is None or there.body != read.body):
                    return there
                idempotency.settle(tx, claim, Outcome(encode(intent), told))
                return None

            return put

        mine, id = _Pending(claim.at), None
        kept = await self._work.writer.run(intend(None, mine))
        if kept is not None:
            pending = _pending(kept)
            if pending is None:
                return _replayed(call, kept)
            id = await self._looked_for(call, found, correlation, key, pending.pending_since)
            if id is None:
                if claim.at - pending.latest < DOUBT_MS:
                    raise _doubt(pending, claim.at)
                mine = _Pending(pending.pending_since, claim.at)
                other = await self._work.writer.run(intend(kept, mine))
                if other is not None:
                    if (pending := _pending(other)) is None:
                        return _replayed(call, other)
                    raise _doubt(pending, claim.at)
        fresh = id is None
        if id is None:
            try:
                id = await self._begin(call, found, key, correlation)
            except Unavailable:
                raise
            except Refusal:
                await self._work.writer.run(lambda tx: _free(tx, claim, mine))
                raise
        answer = Outcome(encode(_started(id, found)), told)
        await self._work.writer.run(lambda tx: idempotency.settle(tx, claim, answer))
        return Reply(body=answer.body, headers=() if fresh else ((b"offhook-replayed", b"true"),))

    async def _looked_for(self, call: Call, found: Found, correlation: str, key: str, since: int) -> str | None:
        """The run that an earlier request with the key started, if there is one."""
        body: wire.StartIn = call.body
        runs = await self._server.correlated(marked(found.name, call.principal.tenant_id), correlation)
        fitting = []
        for one in runs:
            given, known = one.get("input"), one.get("idempotencyKey")
            started = showing.moment(one.get("createTime")) or showing.moment(one.get("startTime"))
            same = isinstance(given, dict) and all(given.get(name) == value for name, value in body.input.items())
            if (known == key if known else same) and started >= since - SKEW_MS:
                fitting.append((started, str(one.get("workflowId"))))
        return shown_id(min(fitting)[1]) if fitting else None


def _kept(tx: Transaction, tenant_id: int, name: str, version: int | None) -> tuple[Found, Raw] | None:
    kept = store.version(tx, tenant_id, name, version)
    raw = None if kept is None else store.raw_of(tx, tenant_id, kept.value.hash)
    return None if kept is None or raw is None else (Found(name, kept.value.number, kept.value.hash), raw)


def _mark(definition: Raw | None) -> Any:
    metadata = (definition or {}).get("metadata")
    return metadata.get(MARK) if isinstance(metadata, dict) else None


def _pending(kept: Outcome) -> _Pending | None:
    """A start that is under way, None if its answer is known."""
    told = msgspec.json.decode(kept.body)
    return msgspec.convert(told, _Pending) if "pending_since" in told else None


def _doubt(pending: _Pending, at: int) -> Unavailable:
    left = max(0, DOUBT_MS - max(0, at - pending.latest)) // 1000 + 1
    text = "A start with this key is under way, or lost its answer, and no such run is found there yet"
    return Unavailable(f"{text}; ask again in {left} s.", headers=[("Retry-After", str(left))])


def _free(tx: Transaction, claim: Claim, mine: _Pending) -> None:
    """Nothing was started: the key is free again, unless another request asks for it by now."""
    there = idempotency.replay(tx, claim)
    if there is not None and there.body == encode(mine):
        idempotency.settle(tx, claim, None)


def _started(id: str, found: Found) -> wire.StartedOut:
    return wire.StartedOut(id=id, engine="conductor", workflow=found.name, version=found.version, status="RUNNING")


def _replayed(call: Call, kept: Outcome) -> Reply:
    call.notices[:] = kept.notices
    return Reply(body=kept.body, headers=((b"offhook-replayed", b"true"),))
