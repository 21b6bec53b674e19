"""What can be asked of tapes: lists, one of them, its sound or a part of it, a link to it, marking, deleting.

The key of a user who is no company admin hears what that user may: their own box, those of lines that they answer for
or whose office they administer, and recordings that they are on. To them nothing else is there.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from offhook.access.gate import reply_of
from offhook.access.model import Principal
from offhook.calls import store as calls
from offhook.calls.callers import names_of, outside
from offhook.calls.tapes import ranges, store, wire
from offhook.calls.tapes.keeping import Tapes, happened
from offhook.calls.tapes.links import Links
from offhook.calls.tapes.model import Kind, Tape
from offhook.directory.lines.model import Target
from offhook.directory.paths import id_of
from offhook.directory.users.store import users
from offhook.events import store as outbox
from offhook.events.model import Actor, Word
from offhook.kit import clock
from offhook.kit.cursor import Cursors
from offhook.kit.errors import Forbidden, Invalid, NotFound, RangeNotSatisfiable, Violation
from offhook.kit.operation import Call, Reply
from offhook.kit.wire import int64_at
from offhook.routing.model import Company, who_of
from offhook.routing.turn import name_of
from offhook.storage.batches import Reader, Writer
from offhook.storage.database import Transaction

V1 = "/api/offhook/v1"
PATHS: dict[Kind, str] = {"voicemail": V1 + "/voicemails", "recording": V1 + "/recordings"}
NOUNS: dict[Kind, str] = {"voicemail": "voicemail", "recording": "recording"}
_NEWEST = 2**62


@dataclass(frozen=True, slots=True)
class Listening:
    """Over the tapes of a store. `address` is where this server is reached, "" if that is not known."""

    reader: Reader
    writer: Writer
    cursors: Cursors
    company: Callable[[int], Awaitable[Company]]
    tapes: Tapes
    links: Links
    address: str = ""

    async def page(self, call: Call, kind: Kind) -> Reply:
        """A page of a list."""
        query: wire.TapeQuery = call.query or (wire.VoicemailQuery() if kind == "voicemail" else wire.TapeQuery())
        tenant, unread = call.principal.tenant_id, getattr(query, "unread", False)
        box = _box(query)
        office_id, call_id = _number(query.office_id, "office_id"), _number(query.call_id, "call_id")
        filters = [box and [box.type, box.id], office_id, call_id, unread]
        before = self.cursors.open(query.cursor, PATHS[kind], tenant, filters) if query.cursor else _NEWEST
        config = await self.company(tenant)

        def find(tx: Transaction) -> list[Tape]:
            found = store.page(
                tx, tenant, kind, before, query.limit + 1, box=box, office_id=office_id, call_id=call_id,
                unread=unread, only=_only(tx, call.principal, config),
            )  # fmt: skip
            return _proven(tx, tenant, found)

        found = await self.reader.run(find)
        here = found[: query.limit]
        cursor = self.cursors.seal(PATHS[kind], tenant, filters, here[-1].id) if len(found) > query.limit else None
        names = _names(config, here)
        items: Any = [self._out(one, config, names) for one in here]
        page: Any = wire.VoicemailPage if kind == "voicemail" else wire.RecordingPage
        return reply_of(page(items=items, cursor=cursor))

    async def get(self, call: Call, kind: Kind) -> Reply:
        """One."""
        config = await self.company(call.principal.tenant_id)
        return reply_of(self._out(await self._one(call, kind, config), config))

    async def mark(self, call: Call) -> Reply:
        """Mark a message as read, or as unread."""
        body: wire.VoicemailPatch = call.body
        principal, config = call.principal, await self.company(call.principal.tenant_id)

        def run(tx: Transaction) -> Tape:
            tape = _found(tx, call, "voicemail", config)
            if (tape.heard > 0) == body.read:
                return tape
            after = msgspec.structs.replace(tape, heard=clock.milliseconds(clock.now()) if body.read else 0)
            store.heard(tx, tape.tenant_id, tape.id, after.heard)
            outbox.append(tx, [happened(
                after, Word.VOICEMAIL_UPDATED, Actor.of(principal), before=tape, after=True, request_id=call.request_id
            )])  # fmt: skip
            return after

        return reply_of(self._out(await self.writer.run(run), config))

    async def delete(self, call: Call, kind: Kind) -> Reply:
        """Take one away, with its sound and all links to it."""
        config = await self.company(call.principal.tenant_id)
        tape = await self._one(call, kind, config)
        await self.tapes.delete(tape, Actor.of(call.principal), call.request_id)
        return reply_of(self._out(tape, config))

    async def link(self, call: Call, kind: Kind) -> Reply:
        """A link that plays it without a key."""
        body: wire.LinkIn = call.body or wire.LinkIn()
        tape = await self._one(call, kind, await self.company(call.principal.tenant_id))
        sealed, until = self.links.seal(call.principal, tape, body.seconds)
        expires = datetime.fromtimestamp(until, UTC).isoformat()
        return reply_of(wire.LinkOut(url=f"{self.address}{V1}/sounds/{sealed}", expires=expires))

    async def sound(self, call: Call, kind: Kind) -> Reply:
        """What it sounds like, or a part of that."""
        return await self._sound(call, await self._one(call, kind, await self.company(call.principal.tenant_id)))

    async def linked(self, call: Call) -> Reply:
        """The same by a link."""
        tape = await self.links.tape(call.principal.tenant_id, call.principal.key_id)
        if tape is None:
            raise NotFound("This link is none of this server, or no longer good.")
        return await self._sound(call, tape)

    async def _sound(self, call: Call, tape: Tape) -> Reply:
        etag, modified = f'"{tape.digest}"', ranges.http_date(tape.at)
        asked = call.range
        if asked and call.if_range and not ranges.fits(call.if_range, etag, modified):
            asked = ""
        try:
            part = ranges.chosen(asked, tape.size) if asked else None
        except ranges.Beyond:
            raise RangeNotSatisfiable(
                f"This has {tape.size} bytes; the part that was asked for is behind its end.",
                headers=[("Content-Range", f"bytes */{tape.size}"), ("Accept-Ranges", "bytes")],
            ) from None
        start, stop = part or (0, tape.size)
        headers = [
            (b"accept-ranges", b"bytes"),
            (b"content-length", b"%d" % (stop - start)),
            (b"etag", etag.encode()),
            (b"last-modified", modified.encode()),
            (b"content-disposition", b'inline; filename="%d.wav"' % tape.id),
        ]
        if part is not None:
            headers.append((b"content-range", b"bytes %d-%d/%d" % (start, stop - 1, tape.size)))
        return Reply(
            body=b"",
            status=206 if part is not None else 200,
            headers=tuple(headers),
            media=b"audio/wav",
            stream=await _begun(self.tapes.shelf.read(tape.name, start, stop)),
        )

    async def _one(self, call: Call, kind: Kind, config: Company) -> Tape:
        return await self.reader.run(lambda tx: _found(tx, call, kind, config))

    def _out(self, tape: Tape, config: Company, names: Mapping[int, str] | None = None) -> wire.TapeOut:
        known = _names(config, [tape]) if names is None else names
        common: dict[str, Any] = {
            "id": str(tape.id),
            "call_id": str(tape.call_id),
            "target_type": tape.box.type,
            "target_id": str(tape.box.id),
            "target_name": name_of(config, tape.box),
            "office_id": str(tape.office_id) if tape.office_id else None,
            "caller": tape.caller,
            "caller_name": known[tape.id],
            "began": _iso(tape.at),
            "seconds": tape.milliseconds / 1000,
            "size": tape.size,
            "digest": tape.digest,
            "sound": f"{PATHS[tape.kind]}/{tape.id}/sound",
            "users": tape.who.split(),
        }
        if tape.kind == "recording":
            return wire.RecordingOut(**common)
        heard = _iso(tape.heard) if tape.heard else None
        return wire.VoicemailOut(**common, read=tape.heard > 0, read_at=heard)


async def _begun(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same once its first piece is there, so that what cannot be read is refused before anything is sent."""
    first = await anext(pieces)

    async def all_of_it() -> AsyncIterator[bytes]:
        try:
            yield first
            async for piece in pieces:
                yield piece
        finally:
            close = getattr(pieces, "aclose", None)
            if close is not None:
                await close()

    return all_of_it()


def _number(sent: int | str | None, location: str) -> int | None:
    return None if sent is None else int64_at(sent, location)


def _box(query: wire.TapeQuery) -> Target | None:
    if (query.target_type is None) != (query.target_id is None):
        missing = "target_id" if query.target_id is None else "target_type"
        text = "target_type and target_id go together; send both or none."
        raise Invalid.of([Violation(location=missing, message=text, reason="required")])
    if query.target_type is None or query.target_id is None:
        return None
    return Target(query.target_type, int64_at(query.target_id, "target_id"))


def _found(tx: Transaction, call: Call, kind: Kind, config: Company) -> Tape:
    tape = store.get(tx, call.principal.tenant_id, id_of(call))
    only = _only(tx, call.principal, config)
    if tape is None or tape.kind != kind or (only is not None and not _may_hear(tape, only)):
        raise NotFound(f"There is no {NOUNS[kind]} {id_of(call)}.")
    return _proven(tx, tape.tenant_id, [tape])[0]


def _proven(tx: Transaction, tenant_id: int, tapes: Sequence[Tape]) -> list[Tape]:
    """The same, with callers within the company only where the record of the call says who that was.

    Older tapes may have what a stranger sent as it was.
    """
    asked = {one.call_id for one in tapes if ":" in one.caller}
    who = {one.id: one.state.who for one in calls.several(tx, tenant_id, sorted(asked))}
    return [
        one
        if ":" not in one.caller or one.caller == who.get(one.call_id)
        else msgspec.structs.replace(one, caller=outside(one.caller))
        for one in tapes
    ]


def _names(config: Company, tapes: Sequence[Tape]) -> dict[int, str]:
    """Who their callers are, by the id of each; of tapes as `_proven` gives them."""
    return names_of(config, {one.id: (one.caller if ":" in one.caller else "", one.caller) for one in tapes})


def _only(tx: Transaction, principal: Principal, config: Company) -> tuple[str, tuple[Target, ...]] | None:
    """Which tapes are there for a key: as a person and boxes, or None for all of them."""
    if principal.user_id is None:
        return None
    kept = users.get(tx, principal.tenant_id, principal.user_id)
    if kept is None or kept.state != "active":
        raise Forbidden("The user whose key this is takes no part any more: they are suspended or gone.")
    if kept.value.is_super_admin:
        return None
    me = Target("user", principal.user_id)
    who, offices = who_of(me), kept.value.admin_office_ids
    lines = [line.target for line in config.lines.values() if line.office_id in offices or who in line.roster]
    return who, (me, *lines)


def _may_hear(tape: Tape, only: tuple[str, tuple[Target, ...]]) -> bool:
    who, boxes = only
    return tape.box in boxes or who in tape.who.split()


def _iso(moment: int) -> str:
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds")
