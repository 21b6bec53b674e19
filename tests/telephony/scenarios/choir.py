"""Whose voices are heard at once, by their pitch: for calls of more than two."""

import asyncio
from collections import deque
from collections.abc import Iterable

import numpy as np

from offhook.telephony.worker import g711
from tests.telephony.scenarios.handset import Talk
from tests.telephony.worker.rtp_peers import decoded

WINDOW = 10
"""Packets of 20 ms in which voices are looked for; they are there if they are so twice in a row."""

LOUD = 400.0
"""How loud a voice is at least, of its own 8,000: nobody else's tone is as loud at its pitch."""

PATIENCE = 8.0


class Choir:
    """Listens in place of a talk's ear. `voices` are by who speaks, in Hz."""

    def __init__(self, talk: Talk, voices: dict[str, float]) -> None:
        self._voices = voices
        self._frames: list[bytes] = []
        self._before: frozenset[str] | None = None
        self._now: frozenset[str] = frozenset()
        self._changed = asyncio.Event()
        self.lately: deque[frozenset[str]] = deque(maxlen=20)
        talk.ear = self  # type: ignore[assignment]

    def take(self, frame: bytes) -> None:
        """The next 20 ms."""
        self._frames.append(frame)
        if len(self._frames) < WINDOW:
            return
        found = voices_in(b"".join(self._frames), self._voices)
        self._frames = []
        self.lately.append(found)
        if found == self._before and found != self._now:
            self._now = found
            self._changed.set()
        self._before = found

    async def hears(self, *who: str) -> None:
        """Wait until these are heard, and nobody else."""
        try:
            async with asyncio.timeout(PATIENCE):
                while self._now != frozenset(who):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"{sorted(who)} are not heard, but {[sorted(one) for one in self.lately]}.") from None


def voices_in(content: bytes, voices: dict[str, float]) -> frozenset[str]:
    """Who is heard in G.711."""
    samples = decoded(content).astype(float) * np.hanning(len(content))
    moments = np.arange(len(samples)) / g711.RATE
    return frozenset(_loud(samples, moments, voices.items()))


def _loud(samples: np.ndarray, moments: np.ndarray, voices: Iterable[tuple[str, float]]) -> list[str]:
    return [
        who
        for who, hertz in voices
        if abs(np.dot(samples, np.exp(-2j * np.pi * hertz * moments))) * 4 / len(samples) > LOUD
    ]
