"""What callers hear, as files that the worker plays: `Sounds` of telephone.py over recordings, an engine, and tones.

A prompt's sound is made once, however many callers ask for it at once, and kept by what is in it. Whoever asks waits
for a moment; if it is not there by then, or cannot be made, they hear the next best: the text for a recording that is
gone, beeps for a text that is not spoken. The log says so, and the next caller hears what was made meanwhile.
"""

import asyncio
import hashlib
import os
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import structlog

from offhook.kit import clock
from offhook.kit.errors import Refusal
from offhook.routing.plan import Hear, Prompt
from offhook.telephony.sound.beeps import beeps_of
from offhook.telephony.sound.engines import Engine, Unspoken, says_anything, speakable
from offhook.telephony.sound.figures import HEARD, MADE, OTHERWISE
from offhook.telephony.sound.kept import Full, Kept

if TYPE_CHECKING:
    from offhook.telephony.sound.own import Own

FORM = "1"
"""Goes up when the same content is to sound otherwise: everything is then made again."""

PATIENCE = 2.0
"""Seconds that a caller waits for a sound that is not there yet; beeps, which are the last resort, get as long again
and take milliseconds."""

LONGEST_MAKING = 60.0
"""Seconds that whoever prepares a sound waits for it."""

AT_ONCE = 2
MOST_WAITING = 64
"""Sounds that are made at a time, and that may wait for it."""

FAILED_SECONDS = 30.0
"""For so long what could not be made is not tried again."""

SEEN_SECONDS = 5.0
"""For so long a sound that was there is not looked for again; much less than `kept.IN_USE_SECONDS`."""

MOST_SEEN = 4096

_BEEPS = "t-"
"""How the keys of beeps begin; those of all else are longer words."""

HEARD_OTHERWISE = "prompt_heard_otherwise"

log = structlog.get_logger("offhook.telephony")

T = TypeVar("T")
How = Literal["recording", "spoken", "tones", "nothing"]
Recording = Callable[[int, str], Awaitable[bytes | None]]
"""From a tenant and a digest to the WAV file of that recording, None if the company has not uploaded it."""

Make = Callable[[], Awaitable[tuple[bytes, bytes]]]


@dataclass(frozen=True, slots=True)
class Sound:
    """A prompt's sound: where it is (named without its end), what it is kept under, and what it was made from."""

    file: str
    key: str
    how: How


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to make a prompt's sound, and what it is kept under."""

    how: How
    key: str
    make: Make


class Unready(Exception):
    """It is not there, and why, in words for the log."""


class Sounds:
    """The sounds of all companies of a process. `start` it before the first call, `close` it after the last."""

    def __init__(
        self,
        folder: Path,
        recording: Recording,
        *,
        engine: Engine | None,
        most: int,
        patience: float = PATIENCE,
        ticks: Callable[[], float] = clock.monotonic,
    ) -> None:
        self.engine = engine
        self._folder, self._recording, self._patience, self._ticks = folder, recording, patience, ticks
        self._kept = Kept(folder / "prompts", most)
        self._own: Own | None = None
        self._seen: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._failed: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._making: dict[str, asyncio.Task[str]] = {}
        self._makers = ThreadPoolExecutor(AT_ONCE, "sound")
        self._quick = ThreadPoolExecutor(2, "sounds")
        """For what takes moments, and must not wait behind an engine."""
        self._stop = -1
        self._starting: asyncio.Task[None] | None = None
        self.played: Counter[How] = Counter()
        """How often a prompt was given to be played, by what it was made from."""

    async def start(self) -> None:
        """Make what is ours, once; said in the log if that fails, as callers then hear nothing while they wait."""
        if self._starting is None:
            self._starting = asyncio.create_task(self._start())
        await asyncio.shield(self._starting)

    async def _start(self) -> None:
        try:
            self._own = await self._in(self._makers, _own, self._folder)
        except (OSError, Full) as fault:
            log.error("sounds_not_made", folder=str(self._folder), cause=str(fault) or "it is full")
        except Exception:
            # Calls are answered all the same.
            log.exception("sounds_not_made", folder=str(self._folder))
        if self.engine is None:
            log.warning("prompts_not_spoken", mend="install flite or espeak-ng, or set speech_command", heard="beeps")
        else:
            log.info("prompts_spoken", engine=self.engine.name, command=" ".join(self.engine.command))

    async def close(self) -> None:
        """End what is being made, engines too."""
        if self._stop >= 0:
            os.eventfd_write(self._stop, 1)
        for task in self._making.values():
            task.cancel()
        await asyncio.gather(*self._making.values(), return_exceptions=True)
        await asyncio.to_thread(self._makers.shutdown, cancel_futures=True)
        self._quick.shutdown()
        if self._stop >= 0:
            os.close(self._stop)
            self._stop = -1

    # Of telephone.py

    async def of_prompt(self, tenant_id: int, prompt: Prompt) -> tuple[str, ...]:
        """The files of a prompt, within PATIENCE; () only for one that says nothing."""
        sound = await self.sound(tenant_id, prompt, self._patience)
        self.played[sound.how] += 1
        HEARD.labels(sound.how).inc()
        return (sound.file,) if sound.file else ()

    def are_beeps(self, files: tuple[str, ...]) -> bool:
        """Whether these, of a prompt, are beeps in its place."""
        attention = self._own.attention if self._own is not None else None
        return any(one == attention or Path(one).name.startswith(_BEEPS) for one in files)

    def of_waiting(self, hear: Hear, country: str = "") -> tuple[str, ...]:
        """Ringback as in a country (an upper-case code), or music on hold; once through, to be played for ever."""
        if self._own is None:
            return ()
        if hear == "hold_music":
            return (self._own.music,)
        return (self._own.ringing.get(country, self._own.usual_ringing),)

    async def of_hold(self, tenant_id: int, music: str) -> tuple[str, ...]:
        """Music on hold: the recording with this digest, or ours where it cannot be had."""
        prompt = Prompt("", "HOLD_MUSIC", music)
        recording = self._ways(tenant_id, prompt)[0]
        try:
            return (await self._found(recording, self._patience),)
        except Unready as unready:
            self._say(HEARD_OTHERWISE, tenant_id, prompt, "our own music", [str(unready)])
            return self.of_waiting("hold_music")

    def tone(self) -> tuple[str, ...]:
        """After which a message is spoken."""
        return (self._own.beep,) if self._own is not None else ()

    def busy(self, country: str = "") -> tuple[str, ...]:
        """That somebody is busy; once through."""
        return (self._own.busy.get(country, self._own.usual_busy),) if self._own is not None else ()

    # One prompt

    def intended(self, prompt: Prompt) -> How:
        """What a prompt is to be made from, if that can be."""
        if prompt.recording:
            return "recording"
        if not prompt.text.strip():
            return "nothing"
        return "spoken" if self.engine is not None and says_anything(prompt.text) else "tones"

    async def prepare(self, tenant_id: int, prompt: Prompt) -> Sound:
        """Have a prompt's sound made before it is asked for."""
        return await self.sound(tenant_id, prompt, LONGEST_MAKING, "prompt_not_made")

    async def sound(self, tenant_id: int, prompt: Prompt, patience: float, event: str = HEARD_OTHERWISE) -> Sound:
        """The best that is there within `patience` seconds. It never fails: at worst it is a tone of our own.

        `event` is what the log calls it when that is not what it should be.
        """
        until = self._ticks() + patience
        why: list[str] = []
        for way in self._ways(tenant_id, prompt):
            try:
                left = PATIENCE if way.how == "tones" else max(0.0, until - self._ticks())
                found = Sound(await self._found(way, left), way.key, way.how)
            except Unready as unready:
                why.append(str(unready))
                continue
            if why:
                self._say(event, tenant_id, prompt, way.how, why)
            return found
        if not why:
            return Sound("", "", "nothing")
        self._say(event, tenant_id, prompt, "tones", why)
        return Sound(self._own.attention if self._own is not None else "", "", "tones")

    async def there(self, tenant_id: int, prompt: Prompt) -> tuple[float, str]:
        """(seconds of a prompt as it is meant to be, 0 if it is not made yet; why it could not be, when last tried)."""
        for way in self._ways(tenant_id, prompt)[:1]:
            _, why = self._failed.get(way.key, (0.0, ""))
            return await self._in(self._quick, self._kept.seconds, way.key), why
        return 0.0, ""

    async def wav(self, tenant_id: int, prompt: Prompt, patience: float) -> tuple[bytes, How]:
        """What a caller would hear, as a WAV file, and what it was made from; b"" for nothing."""
        sound = await self.sound(tenant_id, prompt, patience)
        return await self._in(self._quick, _wav, sound.file) if sound.file else b"", sound.how

    def _ways(self, tenant_id: int, prompt: Prompt) -> list[_Way]:
        """How a prompt can be made, the best first."""
        ways: list[_Way] = []
        text, engine = speakable(prompt.text), self.engine
        if prompt.recording:
            # Of its company only: knowing a digest is not having the recording.
            key = _key("r", str(tenant_id), prompt.recording)
            ways.append(_Way("recording", key, lambda: self._of_recording(tenant_id, prompt.recording)))
        if engine is not None and says_anything(text):
            ways.append(_Way("spoken", _key("s", engine.identity, text), lambda: self._of_text(engine, text)))
        if text or prompt.recording:
            beeps = beeps_of(f"{prompt.purpose}\0{text or prompt.recording}")
            key = "-".join([_BEEPS + FORM, *map(str, beeps)])
            ways.append(_Way("tones", key, lambda: self._in(self._quick, _of_beeps, beeps)))
        return ways

    async def _found(self, way: _Way, patience: float) -> str:
        """Where the sound is, made if it is not there. Unready if that failed, or takes longer than `patience`."""
        seen = self._seen.get(way.key)
        if seen is not None and seen[0] > self._ticks():
            return seen[1]
        if file := await self._in(self._quick, self._kept.find, way.key):
            return self._note(way.key, file)
        failed = self._failed.get(way.key)
        if failed is not None and failed[0] > self._ticks():
            raise Unready(failed[1])
        making = self._making.get(way.key)
        if making is None:
            if len(self._making) >= MOST_WAITING and way.how != "tones":
                raise Unready(f"{len(self._making)} others wait to be made")
            making = self._making[way.key] = asyncio.create_task(self._make(way))
            making.add_done_callback(lambda task: self._done(way.key, task))
        try:
            async with asyncio.timeout(patience):
                return await asyncio.shield(making)
        except TimeoutError:
            raise Unready("it was not made in time; it is played as soon as it is") from None

    async def _make(self, way: _Way) -> str:
        try:
            encodings = await way.make()
            file = await self._in(self._quick, self._kept.add, way.key, encodings)
            MADE.labels("made").inc()
            return self._note(way.key, file)
        except Unspoken as fault:
            why = str(fault)
        except Full:
            why = "there is no room for more sounds; raise sounds_megabytes"
        except OSError as fault:
            why = f"the data folder took no sound: {fault.strerror or fault}"
        except Refusal as refusal:
            why = refusal.message
        except Exception:
            log.exception("sound_failed", how=way.how, key=way.key)
            why = "a fault of Offhook's own"
        MADE.labels("failed").inc()
        self._failed[way.key] = (self._ticks() + FAILED_SECONDS, why)
        while len(self._failed) > MOST_SEEN:
            self._failed.popitem(last=False)
        raise Unready(why)

    def _done(self, key: str, task: "asyncio.Task[str]") -> None:
        del self._making[key]
        if not task.cancelled():
            # Whoever waited is told; where all went away, nobody needs to be.
            task.exception()

    def _note(self, key: str, file: str) -> str:
        self._seen[key] = (self._ticks() + SEEN_SECONDS, file)
        self._seen.move_to_end(key)
        while len(self._seen) > MOST_SEEN:
            self._seen.popitem(last=False)
        return file

    async def _of_recording(self, tenant_id: int, digest: str) -> tuple[bytes, bytes]:
        wav = await self._recording(tenant_id, digest)
        if wav is None:
            raise Unspoken("the company has no recording with this digest")
        return await self._in(self._makers, _of_recording, wav)

    async def _of_text(self, engine: Engine, text: str) -> tuple[bytes, bytes]:
        if self._stop < 0:
            self._stop = os.eventfd(0, os.EFD_CLOEXEC)
        return await self._in(self._makers, _of_text, engine, text, self._stop)

    async def _in(self, pool: ThreadPoolExecutor, work: Callable[..., T], *given: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, work, *given)

    def _say(self, event: str, tenant_id: int, prompt: Prompt, how: str, why: list[str]) -> None:
        if event == HEARD_OTHERWISE:
            OTHERWISE.inc()
        log.warning(
            event, tenant=str(tenant_id), purpose=prompt.purpose, text=prompt.text[:80], heard=how,
            cause="; ".join(why),
        )  # fmt: skip


def _key(kind: str, *content: str) -> str:
    return kind + hashlib.sha256("\0".join((FORM, *content)).encode()).hexdigest()


# In threads, as numpy is imported by whoever needs it first.


def _own(folder: Path) -> "Own":
    from offhook.telephony.sound.own import Own

    return Own(folder)


def _of_recording(wav: bytes) -> tuple[bytes, bytes]:
    from offhook.telephony.sound import making

    return making.of_recording(wav)


def _of_text(engine: Engine, text: str, stop: int) -> tuple[bytes, bytes]:
    from offhook.telephony.sound import making

    return making.of_text(engine, text, stop)


def _of_beeps(hertz: tuple[int, ...]) -> tuple[bytes, bytes]:
    from offhook.telephony.sound import making

    return making.of_pattern(hertz)


def _wav(file: str) -> bytes:
    from offhook.telephony.sound import making

    return making.to_wav(Path(file + ".ulaw").read_bytes())
