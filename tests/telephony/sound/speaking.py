"""Engines for tests: real programs that speak a text as beeps, or that misbehave."""

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from offhook.telephony.sound.engines import Engine
from offhook.telephony.sound.samples import Samples, of_mu
from offhook.telephony.sound.sounds import Sounds

T = TypeVar("T")

SPEAKER = """
import math, os, struct, sys, time
text = sys.stdin.read().rstrip("\\n")
with open({notes!r}, "a") as notes:
    notes.write(text + "\\n")
rate, hertz, seconds = 16000, 700 + 10 * (len(text) % 30), 0.2 + 0.01 * len(text)
sound = b"".join(
    struct.pack("<h", round(3000 * math.sin(2 * math.pi * hertz * n / rate))) for n in range(round(seconds * rate))
)
head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 0xFFFFFFFF, b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16,
                   b"data", 0xFFFFFFFF)
"""
SPEAKS = "sys.stdout.buffer.write(head + sound)"


class Speaker:
    """An engine that notes which texts it was given; `then` is what it does with `head` and `sound`."""

    def __init__(self, folder: Path, then: str = SPEAKS, *, seconds: float = 15.0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.notes = folder / "notes"
        program = folder / "speaker.py"
        program.write_text(SPEAKER.format(notes=str(self.notes)) + then + "\n")
        self.engine = Engine("speaker", (sys.executable, "-I", "-S", str(program)), seconds=seconds)

    @property
    def texts(self) -> list[str]:
        """What it was given to speak."""
        return self.notes.read_text().splitlines() if self.notes.exists() else []


OWN: list[Path] = []
"""Where the sounds that are ours are, made once for all tests."""


def own_there(folder: Path) -> None:
    """Have the sounds that are ours in a folder of sounds."""
    folder.mkdir()
    (folder / OWN[0].name).symlink_to(OWN[0])


async def no_recording(_tenant_id: int, _digest: str) -> bytes | None:
    """A store without recordings."""
    return None


def with_sounds(sounds: Sounds, doing: Coroutine[Any, Any, T]) -> T:
    """Do something while sounds are there."""

    async def run() -> T:
        await sounds.start()
        try:
            return await doing
        finally:
            await sounds.close()

    return asyncio.run(run())


def heard(file: str) -> Samples:
    """What a worker would play."""
    return of_mu(Path(file + ".ulaw").read_bytes())


def pitch(samples: Samples) -> float:
    """The loudest frequency in Hz."""
    powers = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 16 * 8000))
    return float(np.argmax(powers)) / 16


def strength(samples: Samples, hertz: float) -> float:
    """The amplitude of one frequency."""
    time = np.arange(len(samples)) / 8000
    return float(2 * abs(np.mean(samples * np.exp(-2j * np.pi * hertz * time))))
