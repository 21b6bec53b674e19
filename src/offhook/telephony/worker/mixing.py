"""Several who hear each other: of what all of them said in 20 ms, for each what the others said. Pure.

Samples of G.711 are added and taken away as numbers of 14 bits (ITU-T G.711 has no more), and what is too loud for it
is as loud as it gets. All is done by tables and by `map`, so that a conference of three costs little in an interpreter.
"""

from array import array
from bisect import bisect_left
from collections.abc import Mapping
from operator import add, sub

from offhook.telephony.port import TOGETHER
from offhook.telephony.worker import g711
from offhook.telephony.worker.sound import PCMA, PCMU

FRAME = 160
"""Samples of 20 ms."""

READY, LONGEST = 2 * FRAME, 6 * FRAME
"""Samples that are waited for before one who begins is heard, so that packets may come unevenly; and that may wait."""

_LEVELS = 8_192
"""Of either sign, in 14 bits."""


def _encoding(codec: int) -> bytes:
    """The byte for every sum there can be, found by `table[sum]`: a sum below 0 counts from the end of the table."""
    # µ-law has two bytes for 0, of which silence is the greater one.
    levels = sorted((sample // 4, -code) for code, sample in enumerate(g711.SAMPLES[codec]))
    sizes = [level for level, _ in levels]
    most = TOGETHER * _LEVELS

    def nearest(sample: int) -> int:
        at = min(max(bisect_left(sizes, sample), 1), len(sizes) - 1)
        return -levels[at if sizes[at] - sample < sample - sizes[at - 1] else at - 1][1]

    middle = [nearest(sample) for sample in range(-_LEVELS, _LEVELS)]
    loud, low = bytes([nearest(most)]), bytes([nearest(-most)])
    return bytes(middle[_LEVELS:]) + loud * (most - _LEVELS) + low * (most - _LEVELS) + bytes(middle[:_LEVELS])


_LINEAR = {codec: array("h", [sample // 4 for sample in g711.SAMPLES[codec]]) for codec in (PCMU, PCMA)}
_CODES = {codec: _encoding(codec) for codec in (PCMU, PCMA)}


class Said:
    """What one of them said and was not heard yet."""

    __slots__ = ("_codec", "_heard", "_waiting")

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._codec = PCMU
        self._heard = False

    def say(self, codec: int, payload: bytes) -> None:
        """A packet of theirs. Of what waits too long the oldest is never heard."""
        if codec != self._codec:
            self._waiting[:] = g711.translated(bytes(self._waiting), self._codec, codec)
            self._codec = codec
        self._waiting += payload
        if len(self._waiting) > LONGEST:
            del self._waiting[: len(self._waiting) - LONGEST + FRAME]

    def next(self) -> list[int] | None:
        """Their next 20 ms as samples; None while they say nothing."""
        if not self._heard and len(self._waiting) < READY:
            return None
        self._heard = len(self._waiting) >= FRAME
        if not self._heard:
            return None
        frame = self._waiting[:FRAME]
        del self._waiting[:FRAME]
        return list(map(_LINEAR[self._codec].__getitem__, frame))


def mixed(said: Mapping[int, list[int] | None], codecs: Mapping[int, int]) -> dict[int, bytes]:
    """20 ms for each of `codecs`, in the codec that they speak: what all the others of `said` say at once."""
    speaking = [samples for samples in said.values() if samples is not None]
    if not speaking:
        return {one: g711.SILENCE[codec] * FRAME for one, codec in codecs.items()}
    total = speaking[0]
    for samples in speaking[1:]:
        total = list(map(add, total, samples))
    found: dict[int, bytes] = {}
    for_all: dict[int, bytes] = {}
    for one, codec in codecs.items():
        own = said.get(one)
        if own is not None:
            found[one] = bytes(map(_CODES[codec].__getitem__, map(sub, total, own)))
            continue
        if codec not in for_all:
            for_all[codec] = bytes(map(_CODES[codec].__getitem__, total))
        found[one] = for_all[codec]
    return found
