"""Music on hold, made here so that nobody's rights are touched: slow chords and single notes above them, 48 seconds.

It ends as it begins: what still sounds at its end is laid under its beginning, so that it goes round without a seam.
"""

import numpy as np

from offhook.telephony.sound.samples import RATE, Samples, levelled

BAR = 4.0
LEVEL_DB = -26.0
"""Below what is spoken: one waits beside it."""

_CHORDS = (
    (57, 60, 64, 67), (53, 57, 60, 64), (60, 64, 67, 71), (55, 59, 62, 66),
    (57, 60, 64, 67), (53, 57, 60, 64), (50, 57, 60, 65), (55, 59, 62, 67),
    (52, 55, 59, 64), (57, 60, 64, 71), (53, 57, 60, 67), (55, 60, 62, 67),
)  # fmt: skip
"""MIDI notes of the chord of each bar."""

_ORDER = (0, 2, 1, 3, 2, 3, 1, 2)
"""Which note of the chord is plucked at each half second, an octave higher."""

SECONDS = BAR * len(_CHORDS)


def hold_music() -> Samples:
    """The piece, once round."""
    made = np.zeros(round(SECONDS * RATE))
    for number, chord in enumerate(_CHORDS):
        for note in chord:
            _add(made, number * BAR, _pad(_hertz(note + 12), BAR + 2.0))
        for half, which in enumerate(_ORDER):
            if (number + half) % 5 == 4:
                continue
            _add(made, number * BAR + half * BAR / 8, _pluck(_hertz(chord[which] + 24), 3.0))
    return levelled(made.astype(np.float32), LEVEL_DB)


def _hertz(note: int) -> float:
    return float(440.0 * 2 ** ((note - 69) / 12))


def _add(made: "np.ndarray[tuple[int], np.dtype[np.float64]]", at: float, note: Samples) -> None:
    """Lay a note into the round: what is past the end goes on at the beginning."""
    places = (round(at * RATE) + np.arange(len(note))) % len(made)
    made[places] += note


def _pad(hertz: float, seconds: float) -> Samples:
    """A note that swells for a second, stays, and fades for two."""
    time = np.arange(round(seconds * RATE)) / RATE
    swell = np.minimum(1.0, np.minimum(time / 1.0, (seconds - time) / 2.0))
    wave = np.sin(2 * np.pi * hertz * time) + 0.35 * np.sin(4 * np.pi * hertz * time + 0.6)
    made: Samples = (0.05 * wave * swell).astype(np.float32)
    return made


def _pluck(hertz: float, seconds: float) -> Samples:
    """A note that is struck and dies away; its overtones die first."""
    time = np.arange(round(seconds * RATE)) / RATE
    wave = sum(
        np.sin(2 * np.pi * hertz * part * time) * np.exp(-time * (1.2 + part)) / part**1.5
        for part in (1, 2, 3)
        if hertz * part < RATE * 0.42
    )
    struck = np.minimum(1.0, time / 0.008) * np.minimum(1.0, (seconds - time) / 0.2)
    made: Samples = (0.12 * wave * struck).astype(np.float32)
    return made
