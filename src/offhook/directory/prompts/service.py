"""What can be done with a prompt: upload it, choose it for a target's purpose, take it from there, listen to it."""

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import cast

import msgspec

from offhook.access.doing import PAGE, refuse
from offhook.access.gate import reply_of
from offhook.directory.lines.model import Target
from offhook.directory.offices import no_such
from offhook.directory.paths import etag, id_of
from offhook.directory.prompts import rules, store, wire
from offhook.directory.prompts.audio import Decoder, Unusable
from offhook.directory.prompts.model import BOTH, KINDS, TARGET_TYPES, Prompt, Sound, Use
from offhook.directory.targets import state_of
from offhook.directory.work import Work
from offhook.events.keeper import Keeper, tell
from offhook.events.model import Word
from offhook.kit import clock
from offhook.kit.errors import Conflict, Invalid, NotFound, Notice, Violation, shown
from offhook.kit.operation import Call, Reply
from offhook.kit.wire import to_int64
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept

_USES_SHOWN = 100


class _NotKept(Exception):
    """The recording that the company had a moment ago is gone: it must be decoded after all."""


class Prompts:
    """The prompts of all companies."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._decoder = Decoder()
        self.keeper: Keeper[Prompt] = Keeper(
            noun="prompt",
            documents=store.prompts,
            show=_kept_out,
            created=Word.PROMPT_CREATED,
            updated=Word.PROMPT_UPDATED,
            deleted=Word.PROMPT_DELETED,
        )
        work.gone.append(self.forget_target)

    async def create(self, call: Call) -> Reply:
        """Keep a recording, and have its target play it from now on."""
        body: wire.IvrIn = call.body
        at, tenant_id = clock.now(), call.principal.tenant_id
        kind, target = body.ivr_type, Target(body.target_type, to_int64(body.target_id) or 0)
        found: list[Violation] = []
        data, digest = await asyncio.to_thread(_file, body.file, found)
        name = rules.one_line(body.name, "name", rules.NAME_LIMIT, found)
        description = rules.one_line(body.description, "description", rules.DESCRIPTION_LIMIT, found)
        prompt = Prompt(digest=digest, name=name or "", description=description or "")
        sound: Sound | None = None
        known = await self._work.reader.run(lambda tx: store.recording(tx, tenant_id, digest)) if data else None
        if data and known is None:
            sound = await self._decoded(data, found)
        if found:
            found += await self._work.reader.run(lambda tx: self._target_faults(tx, tenant_id, target, body.target_id))
            raise Invalid.of(found)
        assert data is not None

        def make(tx: Transaction, notices: list[Notice]) -> msgspec.Struct:
            refuse(self._target_faults(tx, tenant_id, target, body.target_id))
            self._refuse_full(tx, tenant_id, target, kind)
            recording = store.recording(tx, tenant_id, digest)
            if recording is None:
                if sound is None:
                    raise _NotKept
                store.add_recording(tx, tenant_id, digest, data, sound)
                recording = store.recording(tx, tenant_id, digest)
                assert recording is not None
            if recording.damaged:
                text = f"{recording.damaged:,} bytes of the file are no MP3 and were skipped; listen to it."
                notices.append(Notice("damaged_audio", "file", text))
            if (notice := rules.never_played(target.type, kind)) is not None:
                notices.append(notice)
            kept = self.keeper.add(tx, call, at, self._work.ids.new(), prompt)
            store.add_use(tx, tenant_id, Use(target=target, kind=kind, prompt_id=kept.id))
            self._select(tx, call, at, target, kind, kept.id, BOTH)
            return _details_out(kept, selected=True)

        try:
            return await self._work.create(call, make)
        except _NotKept:
            sound = await self._decoded(data, found)
            refuse(found)
            return await self._work.create(call, make)

    async def of_target(self, call: Call) -> Reply:
        """A page of a target's prompts, by purpose: whole purposes, until there are a hundred prompts."""
        query: wire.IvrListQuery = call.query
        tenant_id, target = call.principal.tenant_id, Target(query.target_type, query.target_id)
        filters = [target.type, target.id]
        cursors = self._work.cursors
        after = cursors.open(query.cursor, "customivrs", tenant_id, filters) if query.cursor else 0

        def find(tx: Transaction) -> tuple[list[wire.IvrOut], int]:
            self._find_target(tx, tenant_id, target)
            counts = store.counts(tx, tenant_id, target)
            items: list[wire.IvrOut] = []
            listed = 0
            for place, kind in enumerate(KINDS, 1):
                if place <= after or kind not in counts:
                    continue
                if listed and listed + counts[kind] > PAGE:
                    return items, place - 1
                items.append(self._of_kind_out(tx, tenant_id, target, kind))
                listed += counts[kind]
            return items, 0

        items, position = await self._work.reader.run(find)
        cursor = cursors.seal("customivrs", tenant_id, filters, position) if position else None
        return reply_of(wire.IvrPage(items=items, cursor=cursor))

    async def change(self, call: Call) -> Reply:
        """Change a prompt's name or description."""
        body: wire.IvrPatch = call.body
        at, tenant_id = clock.now(), call.principal.tenant_id
        id = to_int64(str(call.params["ivr_id"]))
        if id is None:
            raise self.keeper.missing(shown(call.params["ivr_id"]))

        def run(tx: Transaction, _notices: list[Notice]) -> tuple[Kept[Prompt], bool]:
            before = self.keeper.get(tx, tenant_id, id)
            found: list[Violation] = []
            name = rules.one_line(body.name, "name", rules.NAME_LIMIT, found)
            description = rules.one_line(body.description, "description", rules.DESCRIPTION_LIMIT, found)
            refuse(found)
            prompt = before.value
            if name is not None:
                prompt = msgspec.structs.replace(prompt, name=name)
            if description is not None:
                prompt = msgspec.structs.replace(prompt, description=description)
            kept = self.keeper.change(tx, call, at, before, prompt)
            return kept, any(use.selected for use in store.of_prompt(tx, tenant_id, id, _USES_SHOWN))

        kept, selected = await self._work.change(call, run)
        return reply_of(_details_out(kept, selected=selected), headers=etag(kept))

    async def choose(self, call: Call) -> Reply:
        """Have a target play an uploaded prompt for a purpose, instead of the one that it played."""
        body: wire.IvrChoice = call.body
        at, tenant_id = clock.now(), call.principal.tenant_id
        target, kind = _place(call)
        prompt_id = to_int64(body.ivr_id) or 0

        def run(tx: Transaction, notices: list[Notice]) -> wire.IvrOut:
            self._find_target(tx, tenant_id, target)
            if store.prompts.get(tx, tenant_id, prompt_id) is None:
                text = "There is no prompt with this id in the company; GET /api/v2/customivrs lists a target's."
                raise Invalid.of(
                    [Violation(location="ivr_id", reason="notFound", message=text, sent=shown(body.ivr_id))]
                )
            directions: Sequence[wire.Direction] = BOTH
            if body.select_option is not None:
                if rules.takes_direction(target.type, kind):
                    directions = (body.select_option,)
                else:
                    text = "Only the recording notices of a call center differ by direction; it is played for both."
                    notices.append(Notice("select_option_ignored", "select_option", text))
            if (notice := rules.never_played(target.type, kind)) is not None:
                notices.append(notice)
            if store.use(tx, tenant_id, target, kind, prompt_id) is None:
                self._refuse_full(tx, tenant_id, target, kind)
                store.add_use(tx, tenant_id, Use(target=target, kind=kind, prompt_id=prompt_id))
            self._select(tx, call, at, target, kind, prompt_id, directions)
            return self._of_kind_out(tx, tenant_id, target, kind)

        return reply_of(await self._work.change(call, run))

    async def delete(self, call: Call) -> Reply:
        """Take a prompt from a target's purpose; one that nothing has any more is deleted, with its recording."""
        at, tenant_id = clock.now(), call.principal.tenant_id
        target, kind = _place(call)
        prompt_id = _named(call)

        def run(tx: Transaction, notices: list[Notice]) -> wire.IvrDetailsOut:
            self._find_target(tx, tenant_id, target)
            use = store.use(tx, tenant_id, target, kind, prompt_id)
            if use is None:
                raise NotFound(f"The {target.type} {target.id} has no prompt {prompt_id} for {kind}.")
            kept = self.keeper.get(tx, tenant_id, prompt_id)
            if not self._end(tx, call, at, use):
                other = store.of_prompt(tx, tenant_id, prompt_id, 1)[0]
                text = f"It is kept, as the {other.target.type} {other.target.id} has it for {other.kind}."
                notices.append(Notice("prompt_kept", "ivr_id", text))
            return _details_out(kept, selected=False)

        return reply_of(await self._work.change(call, run))

    async def get(self, call: Call) -> Reply:
        """A prompt, its recording, and where it is in use."""
        tenant_id, id = call.principal.tenant_id, id_of(call)

        def find(tx: Transaction) -> tuple[Kept[Prompt], wire.PromptOut]:
            kept = self.keeper.get(tx, tenant_id, id)
            uses = [_use_out(use) for use in store.of_prompt(tx, tenant_id, id, _USES_SHOWN)]
            known = msgspec.structs.asdict(_kept_out(tx, kept))
            return kept, wire.PromptOut(**known, uses=uses)

        kept, out = await self._work.reader.run(find)
        return reply_of(out, headers=etag(kept))

    async def page(self, call: Call) -> Reply:
        """A page of all prompts of the company."""
        query: wire.PromptListQuery = call.query or wire.PromptListQuery()
        tenant_id = call.principal.tenant_id

        def find(tx: Transaction, after: int, limit: int) -> list[tuple[int, wire.PromptKept]]:
            return [(kept.id, _kept_out(tx, kept)) for kept in store.prompts.page(tx, tenant_id, after, limit)]

        page = await self._work.page(call, "prompts", find, cursor=query.cursor, position=lambda one: one[0])
        return reply_of(wire.PromptPage(items=[out for _, out in page.items], cursor=page.cursor))

    async def audio(self, call: Call) -> Reply:
        """What callers hear: 8 kHz, mono, 16 bits."""
        tenant_id, id = call.principal.tenant_id, id_of(call)

        def find(tx: Transaction) -> tuple[str, bytes]:
            digest = self.keeper.get(tx, tenant_id, id).value.digest
            wav = store.wav(tx, tenant_id, digest)
            assert wav is not None, digest
            return digest, wav

        digest, wav = await self._work.reader.run(find)
        return Reply(body=wav, media=b"audio/wav", headers=((b"etag", f'"{digest}"'.encode()),))

    def forget_target(
        self, tx: Transaction, call: Call, at: datetime, target: Target, notices: list[Notice], *, force: bool
    ) -> None:
        """End what a target that is gone had: its prompts are deleted unless others have them too."""
        for use in store.of_target(tx, call.principal.tenant_id, target):
            self._end(tx, call, at, use)

    async def _decoded(self, data: bytes, found: list[Violation]) -> Sound | None:
        try:
            return await self._decoder.decode(data)
        except Unusable as why:
            found.append(Violation(location="file", message=str(why)))
            return None

    def _target_faults(self, tx: Transaction, tenant_id: int, target: Target, sent: int | str) -> list[Violation]:
        if state_of(tx, tenant_id, target, self._work.office) is not None:
            return []
        return [no_such("target_id", target.type, sent)]

    def _find_target(self, tx: Transaction, tenant_id: int, target: Target) -> None:
        if state_of(tx, tenant_id, target, self._work.office) is None:
            raise NotFound(f"There is no {target.type} {target.id}.")

    def _refuse_full(self, tx: Transaction, tenant_id: int, target: Target, kind: str) -> None:
        if store.counts(tx, tenant_id, target).get(kind, 0) >= rules.MAX_OF_KIND:
            raise Conflict(
                f"The {target.type} {target.id} has {rules.MAX_OF_KIND} prompts for {kind}; delete one of them first."
            )

    def _select(
        self,
        tx: Transaction,
        call: Call,
        at: datetime,
        target: Target,
        kind: wire.IvrType,
        prompt_id: int,
        directions: Sequence[wire.Direction],
    ) -> None:
        """Play a prompt that the target has for calls of the `directions`, and no other for these."""
        tenant_id = call.principal.tenant_id
        for use in sorted(store.of_kind(tx, tenant_id, target, kind), key=lambda one: one.prompt_id == prompt_id):
            chosen = use.prompt_id == prompt_id
            after = msgspec.structs.replace(use, **dict.fromkeys(directions, chosen))
            if after != use:
                store.change_use(tx, tenant_id, after)
                word = Word.PROMPT_ASSIGNED if chosen else Word.PROMPT_UNASSIGNED
                tell(tx, call, at, word, use.prompt_id, before=_use_out(use), after=_use_out(after))

    def _end(self, tx: Transaction, call: Call, at: datetime, use: Use) -> bool:
        """End a use, and the prompt with its last one; gives whether the prompt is deleted."""
        tenant_id = call.principal.tenant_id
        store.remove_use(tx, tenant_id, use)
        last = not store.of_prompt(tx, tenant_id, use.prompt_id, 1)
        if use.selected or not last:
            tell(tx, call, at, Word.PROMPT_UNASSIGNED, use.prompt_id, before=_use_out(use))
        if last:
            gone = self.keeper.remove(tx, call, at, self.keeper.get(tx, tenant_id, use.prompt_id))
            store.forget_recording(tx, tenant_id, gone.value.digest)
        return last

    def _of_kind_out(self, tx: Transaction, tenant_id: int, target: Target, kind: wire.IvrType) -> wire.IvrOut:
        uses = {use.prompt_id: use for use in store.of_kind(tx, tenant_id, target, kind)}
        found = store.prompts.get_many(tx, tenant_id, list(uses))
        return wire.IvrOut(ivr_type=kind, ivrs=[_details_out(kept, selected=uses[kept.id].selected) for kept in found])


def _file(text: str, found: list[Violation]) -> tuple[bytes | None, str]:
    """The uploaded file and its digest."""
    data = rules.decoded(text, found)
    return data, hashlib.sha256(data).hexdigest() if data is not None else ""


def _place(call: Call) -> tuple[Target, wire.IvrType]:
    """The target and the purpose that stand in the path; Invalid if there are none of these names."""
    found: list[Violation] = []
    for name, allowed in (("target_type", sorted(TARGET_TYPES)), ("ivr_type", KINDS)):
        if call.params[name] not in allowed:
            text = f"Must be one of: {', '.join(allowed)}."
            found.append(Violation(location=name, message=text, sent=shown(call.params[name])))
    refuse(found)
    kind = cast(wire.IvrType, call.params["ivr_type"])
    return Target(str(call.params["target_type"]), id_of(call, "target_id")), kind


def _named(call: Call) -> int:
    """The prompt that the body or else the query names."""
    body: wire.IvrChoiceOrQuery = call.body or wire.IvrChoiceOrQuery()
    query: wire.IvrQuery = call.query or wire.IvrQuery()
    said = query.ivr_id if body.ivr_id is None else to_int64(body.ivr_id) or 0
    if said is None:
        text = "Say which prompt: ivr_id in the body, or in the query."
        raise Invalid.of([Violation(location="ivr_id", reason="required", message=text)])
    if query.ivr_id is not None and said != query.ivr_id:
        text = f"The body names another prompt than the query does ({query.ivr_id}); name one."
        raise Invalid.of([Violation(location="ivr_id", message=text, sent=shown(body.ivr_id))])
    return said


def _details_out(kept: Kept[Prompt], *, selected: bool) -> wire.IvrDetailsOut:
    return wire.IvrDetailsOut(
        id=str(kept.id),
        date_added=str(kept.created_at),
        selected=selected,
        name=kept.value.name,
        description=kept.value.description,
    )


def _kept_out(tx: Transaction, kept: Kept[Prompt]) -> wire.PromptKept:
    recording = store.recording(tx, kept.tenant_id, kept.value.digest)
    assert recording is not None, kept.id
    return wire.PromptKept(
        id=str(kept.id),
        date_added=str(kept.created_at),
        digest=kept.value.digest,
        media_type=recording.media_type,
        size=recording.size,
        seconds=recording.milliseconds / 1000,
        name=kept.value.name,
        description=kept.value.description,
    )


def _use_out(use: Use) -> wire.UseOut:
    return wire.UseOut(
        target_type=use.target.type,
        target_id=str(use.target.id),
        ivr_type=use.kind,
        selected=use.selected,
        select_option=use.only,
    )
