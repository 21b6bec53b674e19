"""Keeps what is recorded: sound onto the shelf, then a row and its event, so that there is never a row without sound.

What is being recorded stands in the folder of new tapes, beside a note of what it is. The note goes last: whatever is
cut off in between, by whoever ends, the next look at the folder brings to its end. Deleting goes the other way round:
the row says that it is gone, then the sound goes, then the row.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec
import structlog

from offhook.calls import store as calls
from offhook.calls.callers import caller_of
from offhook.calls.model import Kept
from offhook.calls.tapes import parts, store, wav
from offhook.calls.tapes.model import Pending, Sound, Tape, told
from offhook.calls.tapes.shelf import Shelf
from offhook.directory.lines.model import Target
from offhook.events import store as outbox
from offhook.events.model import SYSTEM, Actor, Event, Word
from offhook.kit import clock
from offhook.kit.errors import Refusal, Unavailable
from offhook.kit.ids import Ids
from offhook.kit.wire import encode
from offhook.routing.model import Company, target_of_who, who_of
from offhook.routing.state import NOWHERE, CallState
from offhook.storage.batches import Reader, Writer
from offhook.storage.database import Transaction

AT_ONCE = 100
"""Tapes that one transaction takes away."""

ABANDONED_SECONDS = 120.0
"""A file that nobody wrote to for so long, of a call that is over, was left behind by a process that ended."""

NEVER_SECONDS = 2 * 86_400.0
"""A note without sound is kept for so long: longer than any call."""

SHORTEST = 500
"""Milliseconds below which what was left behind is thrown away: nothing can have been said."""

_DAY_MS = 86_400_000
_PEOPLE = ("user:", "room:")
_note = msgspec.json.Decoder(Pending).decode

log = structlog.get_logger("offhook.calls")


class Tapes:
    """All tapes of a store. `folder` is where this machine's are recorded; days are how long each kind is kept."""

    def __init__(
        self,
        reader: Reader,
        writer: Writer,
        ids: Ids,
        company: Callable[[int], Awaitable[Company]],
        shelf: Shelf,
        folder: Path,
        *,
        voicemail_days: int,
        recordings_days: int,
        wall: Callable[[], float] = clock.wall,
    ) -> None:
        self._reader, self._writer, self._ids, self._company = reader, writer, ids, company
        self.shelf = shelf
        self._folder = folder.resolve()
        self._days = {"voicemail": voicemail_days, "recording": recordings_days}
        self._wall = wall
        self._begun: dict[str, Pending] = {}
        self._owed: dict[str, Pending] = {}
        self._keeping: set[str] = set()
        """What is just being kept: a bucket may take longer than it is to the next look."""
        self._unread: dict[str, str] = {}
        """Notes that the last look could not read, and why."""

    # What telephones ask: `telephony/telephone.py`

    def new_message(self, tenant_id: int, call_id: int, box: Target) -> str:
        """The path of a message that is about to be left."""
        return self._new(Pending(
            id=self._ids.new(), tenant_id=tenant_id, call_id=call_id, kind="voicemail", box=box,
            name=secrets.token_urlsafe(24), at=self._now(),
        ))  # fmt: skip

    def new_recording(self, tenant_id: int, call_id: int) -> str:
        """The path of a recording that is about to begin."""
        return self._new(Pending(
            id=self._ids.new(), tenant_id=tenant_id, call_id=call_id, kind="recording",
            name=secrets.token_urlsafe(24), at=self._now(),
        ))  # fmt: skip

    async def recording_begun(self, path: str) -> None:
        """It goes on: it is of the line that has the call now, which may send it on to another before it is kept."""
        pending = self._begun.get(path)
        if pending is None:
            return
        try:
            call = await self._reader.run(lambda tx: calls.get(tx, pending.tenant_id, pending.call_id))
        except Refusal as refusal:
            log.warning("tape_not_placed", call_id=pending.call_id, cause=refusal.message)
            return
        box = box_of(call.state) if call is not None else NOWHERE
        if box != NOWHERE and path in self._begun:
            self._begun[path] = msgspec.structs.replace(pending, box=box)

    async def message_left(self, tenant_id: int, call_id: int, box: Target, path: str, seconds: float) -> None:
        """A message is whole; with 0 seconds it is thrown away. What cannot be kept now is kept later."""
        await self._ended(path, seconds)

    async def recording_made(
        self, tenant_id: int, call_id: int, path: str, seconds: float, people: tuple[str, ...] = ()
    ) -> None:
        """A recording is whole; the same holds for it. `people` are on it: by now others may have the call."""
        await self._ended(path, seconds, tuple([one for one in people if one.startswith(_PEOPLE)]))

    def _new(self, pending: Pending) -> str:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._put_note(pending)
        path = str(self._sound(pending))
        self._begun[path] = pending
        return path

    async def _ended(self, path: str, seconds: float, who: tuple[str, ...] = ()) -> None:
        pending = self._begun.pop(path, None)
        if pending is None:
            log.error("tape_unknown", path=Path(path).name)
            return
        if seconds <= 0:
            await self._discard(pending)
            return
        await self._try(msgspec.structs.replace(pending, who=who))

    # Keeping

    async def _try(self, pending: Pending) -> bool:
        """Keep it, or try again with the next look. False where shelf or store are away, for all others too."""
        if pending.name in self._keeping:
            return True
        self._owed[pending.name] = pending
        self._keeping.add(pending.name)
        try:
            await self._keep(pending)
        except (Refusal, OSError) as fault:
            log.error("tape_not_kept", call_id=pending.call_id, mend="it is tried again", cause=str(fault))
            return not isinstance(fault, Unavailable)
        except ValueError as fault:
            log.error("tape_unreadable", call_id=pending.call_id, cause=str(fault))
            await self._discard(pending)
        finally:
            self._keeping.discard(pending.name)
        del self._owed[pending.name]
        return True

    async def _keep(self, pending: Pending) -> None:
        """Go on from wherever it has come to; ValueError if there is no sound."""
        path = self._sound(pending)
        try:
            sound = await asyncio.to_thread(wav.measure, path)
        except FileNotFoundError:
            sound = await self._on_shelf(pending)
            await self._enter(pending, sound)
            return
        note = msgspec.structs.replace(pending, sound=sound)
        await asyncio.to_thread(self._put_note, note)
        await self.shelf.put(pending.name, path)
        await self._enter(pending, sound)

    async def _on_shelf(self, pending: Pending) -> Sound:
        """What the sound is that went onto the shelf before."""
        with contextlib.suppress(FileNotFoundError, msgspec.MsgspecError):
            note = _note(await asyncio.to_thread(self._note(pending).read_bytes))
            if note.sound is not None and await self.shelf.has(note.name):
                return note.sound
        raise ValueError("nothing was written")

    async def _enter(self, pending: Pending, sound: Sound) -> None:
        """The row of a tape whose sound is on the shelf; then nothing is to be done for it any more."""
        config = await self._company(pending.tenant_id)

        def enter(tx: Transaction) -> None:
            call = calls.get(tx, pending.tenant_id, pending.call_id)
            tape = taped(pending, sound, call, config)
            if store.add(tx, tape):
                outbox.append(tx, [happened(tape, LEFT[tape.kind], SYSTEM, after=True)])

        await self._writer.run(enter)
        await asyncio.to_thread(self._note(pending).unlink, missing_ok=True)

    async def _discard(self, pending: Pending) -> None:
        """Throw it away. What cannot go stays with its note, and is found by the next look."""
        try:
            await asyncio.to_thread(self._throw_away, pending)
        except OSError as fault:
            log.error("tape_not_thrown_away", call_id=pending.call_id, mend="it is tried again", cause=str(fault))

    def _throw_away(self, pending: Pending) -> None:
        parts.remove(self._sound(pending))
        self._sound(pending).unlink(missing_ok=True)
        self._note(pending).with_suffix(".begun").unlink(missing_ok=True)
        self._note(pending).unlink(missing_ok=True)

    # Deleting

    async def delete(self, tape: Tape, actor: Actor, request_id: str = "") -> None:
        """Take one away, and its sound; what of it cannot go now goes with the next look."""
        await self._writer.run(lambda tx: self._goes(tx, [tape], actor, request_id))
        await self.clear([(tape.tenant_id, tape.id, tape.name)])

    def _goes(self, tx: Transaction, tapes: Sequence[Tape], actor: Actor, request_id: str = "") -> None:
        at = self._now()
        gone = [one for one in tapes if store.goes(tx, one.tenant_id, one.id, at)]
        if gone:
            outbox.append(tx, [happened(one, DELETED[one.kind], actor, request_id=request_id) for one in gone])

    async def clear(self, gone: Sequence[tuple[int, int, str]]) -> bool:
        """Remove the sound of deleted tapes, and then their rows, until the shelf is away; whether it is there."""
        cleared, there = [], True
        for tenant_id, id, name in gone:
            try:
                await self.shelf.remove(name)
            except (Refusal, OSError) as fault:
                log.error("tape_not_removed", tape=id, mend="it is tried again", cause=str(fault))
                if isinstance(fault, Unavailable):
                    there = False
                    break
            else:
                cleared.append((tenant_id, id))
        if cleared:
            await self._writer.aside(lambda tx: store.forget(tx, cleared))
        return there

    # Now and then

    async def look(self) -> None:
        """Bring to its end what was cut off, and take away what is older than its days. For housekeeping."""
        for pending in list(self._owed.values()):
            if not await self._try(pending):
                break
        for pending in await asyncio.to_thread(self._left_behind):
            if not await self._adopt(pending):
                break
        there = await self._clear_all()
        for kind, days in self._days.items():
            before = self._now() - days * _DAY_MS
            while old := await self._reader.run(lambda tx, k=kind, b=before: store.old(tx, k, b, AT_ONCE)):  # type: ignore[misc]
                await self._writer.aside(lambda tx, tapes=old: self._goes(tx, tapes, SYSTEM))  # type: ignore[misc]
                there = there and await self.clear([(one.tenant_id, one.id, one.name) for one in old])

    async def _clear_all(self) -> bool:
        """Remove all that is deleted and can be, each tried once; whether the shelf is there."""
        after, there = (0, 0, 0), True
        while there and (gone := await self._reader.run(lambda tx, a=after: store.gone(tx, a, AT_ONCE))):  # type: ignore[misc]
            there = await self.clear([one[1:] for one in gone])
            after = gone[-1][:3]
        return there

    def _left_behind(self) -> list[Pending]:
        """Notes of tapes whose sound nobody has written to for a while: of processes that died, here or elsewhere."""
        found, unread = [], {}
        for note in self._folder.glob("*.json") if self._folder.is_dir() else ():
            try:
                pending = _note(note.read_bytes())
                if note != self._note(pending):
                    raise ValueError("it is the note of another file")
                if pending.name in self._owed:
                    continue
                written = parts.written(self._sound(pending)) or note.stat().st_mtime
                if self._wall() - written > ABANDONED_SECONDS:
                    found.append(pending)
            except FileNotFoundError:
                # It was brought to its end meanwhile.
                continue
            except (OSError, ValueError, msgspec.MsgspecError) as fault:
                unread[note.name] = str(fault)
        self._tell_unread(unread)
        return found

    def _tell_unread(self, unread: dict[str, str]) -> None:
        """Of whose call they are nobody knows, so that they stay where they are: said once of each."""
        for name in unread.keys() - self._unread:
            there = parts.written((self._folder / name).with_suffix(".wav")) > 0
            log.error(
                "tape_note_unreadable", path=name, sound=there, cause=unread[name],
                mend="mend the note, or move it away with the sound that is beside it",
            )  # fmt: skip
        self._unread = unread

    async def _adopt(self, pending: Pending) -> bool:
        """Bring it to its end, if its call is over; False as of `_try`."""
        call = await self._reader.run(lambda tx: calls.get(tx, pending.tenant_id, pending.call_id))
        if call is not None and not call.ended:
            return True
        path = self._sound(pending)
        self._begun.pop(str(path), None)
        try:
            exists = await asyncio.to_thread(parts.rescue, path) or await asyncio.to_thread(path.exists)
            if not exists and pending.sound is None:
                # Its sound may be elsewhere until it is whole.
                if self._wall() * 1000 - pending.at > NEVER_SECONDS * 1000:
                    log.error(
                        "tape_without_sound", call_id=pending.call_id, kind=pending.kind,
                        cause="nothing of it was found in two days",
                    )  # fmt: skip
                    await self._discard(pending)
            elif exists and (await asyncio.to_thread(wav.measure, path)).milliseconds < SHORTEST:
                await self._discard(pending)
            else:
                await self._keep(pending)
                log.warning("tape_found", call_id=pending.call_id, kind=pending.kind)
        except (Refusal, OSError) as fault:
            log.error("tape_not_kept", call_id=pending.call_id, mend="it is tried again", cause=str(fault))
            return not isinstance(fault, Unavailable)
        except ValueError as fault:
            log.error("tape_unreadable", call_id=pending.call_id, cause=str(fault))
            await self._discard(pending)
        return True

    def _sound(self, pending: Pending) -> Path:
        return self._folder / f"{pending.name}.wav"

    def _note(self, pending: Pending) -> Path:
        return self._folder / f"{pending.name}.json"

    def _put_note(self, pending: Pending) -> None:
        """Whole, or as it was: of half a note nobody would find the sound."""
        begun = self._folder / f"{pending.name}.begun"
        begun.write_bytes(msgspec.json.encode(pending))
        begun.replace(self._note(pending))

    def _now(self) -> int:
        return int(self._wall() * 1000)


LEFT = {"voicemail": Word.VOICEMAIL_LEFT, "recording": Word.RECORDING_MADE}
DELETED = {"voicemail": Word.VOICEMAIL_DELETED, "recording": Word.RECORDING_DELETED}


def happened(
    tape: Tape, word: Word, actor: Actor, *, before: Tape | None = None, after: bool = False, request_id: str = ""
) -> Event:
    """An event of a tape: `after` it is as it is here; otherwise it was so, and is gone."""
    was = before if after else tape
    return Event(
        tenant_id=tape.tenant_id,
        word=word,
        subject_id=str(tape.id),
        actor=actor,
        at=clock.milliseconds(clock.now()),
        request_id=request_id,
        before=encode(told(was)).decode() if was is not None else "",
        after=encode(told(tape)).decode() if after else "",
    )


def taped(pending: Pending, sound: Sound, call: Kept | None, config: Company) -> Tape:
    """The tape of a call, with what the call tells of whose it is."""
    state = call.state if call is not None else None
    box = pending.box or (box_of(state) if state is not None else NOWHERE)
    known = pending.who or ((state.who, state.talking) if state is not None else ())
    people = [one for one in known if one.startswith(_PEOPLE)]
    return Tape(
        id=pending.id,
        tenant_id=pending.tenant_id,
        kind=pending.kind,
        call_id=pending.call_id,
        box=box,
        office_id=office_of(config, box),
        who=" ".join(dict.fromkeys(people)) if pending.kind == "recording" else "",
        caller=caller_of(call) if call is not None else "",
        name=pending.name,
        milliseconds=sound.milliseconds,
        size=sound.size,
        digest=sound.digest,
        at=pending.at,
    )


def box_of(state: CallState) -> Target:
    """The line that a call is of, or else the person who made it."""
    line = next((one for one in (state.via, state.home) if one != NOWHERE), NOWHERE)
    return target_of_who(state.who) if state.who and line == NOWHERE else line


def office_of(config: Company, box: Target) -> int:
    """The office that a box is in; 0 if that is not known."""
    if box in config.lines:
        return config.lines[box].office_id
    if (person := config.people.get(who_of(box))) is not None:
        return person.office_id
    router = config.routers.get(box.id) if box.type == "callrouter" else None
    return router.office_id if router is not None else 0
