"""What speaks a text: flite or espeak-ng where this machine has them, a command of the settings, or nothing.

Each text is spoken by a process of its own that has ended when the sound is there. The text reaches it on standard
input alone, never among its arguments, where it could be taken for an option; the sound comes back as a WAV file on
standard output.
"""

import os
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import unicodedata
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from offhook.kit.settings import BadSettings, Settings
from offhook.telephony.sound import bounded

MOST_CHARACTERS = 1500
"""Of a text: about a minute and a half. What is longer is cut behind a word."""

SECONDS = 15.0
"""For one text, until the engine is ended."""

MOST_OUTPUT = 24 * 1024 * 1024
"""Bytes of WAV: four minutes at 48 kHz."""

MEMORY = 1024 * 1024 * 1024
MEMORY_OF_COMMAND = 8 * 1024 * 1024 * 1024
"""Address space. Neural voices map their models into it."""

_VOICES = {"flite": "slt", "espeak-ng": "en-us"}
_PROGRAM = str(Path(bounded.__file__).resolve())


class Unspoken(Exception):
    """Why a text has no sound, in words for the log."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A program that speaks. `name` is what pages call it, `command` what is run.

    `identity` is what its sounds are kept under: a text spoken by another program or voice is spoken anew.
    """

    name: str
    command: tuple[str, ...]
    memory: int = MEMORY
    seconds: float = SECONDS
    identity: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "identity", "\0".join((*self.command, *map(_mark, self.command))))


def engine_of(settings: Settings, path: str | None = None) -> Engine | None:
    """The engine that the settings choose, None for none. BadSettings for one that is not there.

    `auto` takes the command if there is one, else flite, else espeak-ng, whichever is found on `path` (PATH).
    """
    chosen, command = settings.speech, shlex.split(settings.speech_command)
    wanted = ("command", "flite", "espeak-ng") if chosen == "auto" else (chosen,) if chosen != "none" else ()
    for one in wanted:
        words = command if one == "command" else _words_of(one, settings.speech_voice)
        if not words:
            continue
        found = shutil.which(words[0], path=path)
        if found is not None:
            return Engine(
                one, (str(Path(found).absolute()), *words[1:]), MEMORY_OF_COMMAND if one == "command" else MEMORY
            )
        if chosen != "auto" or one == "command":
            raise BadSettings(
                f"{words[0]} is to speak prompts, but no such program is there; install it, or set speech."
            )
    return None


def _mark(word: str) -> str:
    """When a file was changed that a command names: a program that is upgraded, or a voice, sounds otherwise."""
    try:
        about = Path(word).stat()
    except (OSError, ValueError):
        return ""
    return f"{about.st_size} {about.st_mtime_ns}"


def _words_of(engine: str, voice: str) -> list[str]:
    voice = voice or _VOICES[engine]
    if engine == "flite":
        return ["flite", "-voice", voice, "-o", "/dev/stdout"]
    return ["espeak-ng", "-v", voice, "--stdin", "--stdout"]


def speakable(text: str) -> str:
    """One line of what is to be spoken: without control characters, at most MOST_CHARACTERS, cut behind a word."""
    plain = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in unicodedata.normalize("NFC", text))
    line = " ".join(plain.split())
    if len(line) > MOST_CHARACTERS:
        line = line[: MOST_CHARACTERS + 1].rpartition(" ")[0][:MOST_CHARACTERS] or line[:MOST_CHARACTERS]
    return line


def says_anything(text: str) -> bool:
    """Whether there is a letter or digit in it."""
    return any(c.isalnum() for c in text)


def spoken(engine: Engine, text: str, stop: int | None = None) -> bytes:
    """The WAV file of a text, by a process that has ended when this returns, with all that it started.

    Unspoken if it took too long, failed, gave nothing, or `stop` (a file) could be read. Whether what it gave is a
    sound, says `samples.of_wav`.
    """
    with tempfile.TemporaryDirectory(prefix="offhook-speech-") as home, tempfile.TemporaryFile() as output:
        with tempfile.TemporaryFile() as given:
            given.write(text.encode() + b"\n")
            given.seek(0)
            status = _run(engine, given, output, home, stop)
        size = output.seek(0, os.SEEK_END)
        if status is None:
            raise Unspoken(f"{engine.name} did not end within {engine.seconds:g} s")
        if status != 0:
            raise Unspoken(f"{engine.name} ended with {_status(status)}")
        if not size:
            raise Unspoken(f"{engine.name} wrote nothing")
        output.seek(0)
        return output.read(MOST_OUTPUT)


def _run(engine: Engine, given: IO[bytes], output: IO[bytes], home: str, stop: int | None) -> int | None:
    """Run it to its end; its status, None if it had to be ended."""
    bounds = [str(round(engine.seconds) + 1), str(engine.memory), str(MOST_OUTPUT)]
    process = subprocess.Popen(  # noqa: S603 - a program that the settings name
        [sys.executable, "-I", "-S", _PROGRAM, *bounds, *engine.command],
        stdin=given,
        stdout=output,
        stderr=subprocess.DEVNULL,
        cwd=home,
        env={"PATH": os.environ.get("PATH", os.defpath), "HOME": home, "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1"}
        | {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "ESPEAK_DATA_PATH") if name in os.environ},
        start_new_session=True,
    )
    try:
        # Not waited for yet: until then the number of its session is its own, and what it left behind can be ended.
        ending = os.pidfd_open(process.pid)
        # select takes none but the first thousand files of a process, of which a busy server has more.
        watched = select.poll()
        for file in (ending,) if stop is None else (ending, stop):
            watched.register(file, select.POLLIN)
        try:
            in_time = ending in [file for file, _ in watched.poll(engine.seconds * 1000)]
        finally:
            os.close(ending)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        status = process.wait()
    return status if in_time else None


def _status(status: int) -> str:
    return f"status {status}" if status > 0 else f"signal {signal.Signals(-status).name}"
