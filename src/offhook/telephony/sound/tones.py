"""Tones that say something by themselves: cadences, the tone before a message, beeps that stand for a prompt."""

from math import gcd

import numpy as np

from offhook.telephony.sound.cadences import Cadence
from offhook.telephony.sound.samples import FRAME, RATE, Samples

LEVEL_DB = -18.0
"""RMS, of full scale. E.180 has tones at about -10 dBm0, which is some 16 dB below full scale."""

_EDGE = 0.005
"""Seconds in which a tone swells and fades, so that it does not click."""


def beep() -> Samples:
    """After which a message is spoken: 0.4 s of 1,000 Hz, and a short pause before it."""
    return np.concatenate([_pause(0.1), _tone((1000,), 0.4)])


def of_cadence(cadence: Cadence) -> Samples:
    """A cadence once through, or as often as it takes to come to whole packets, so that it goes round without a gap."""
    parts = [
        _pause(seconds) if index % 2 else _tone(cadence.hertz, seconds) for index, seconds in enumerate(cadence.seconds)
    ]
    once = np.concatenate(parts)
    return np.tile(once, FRAME // gcd(len(once), FRAME))


def pattern(hertz: tuple[int, ...]) -> Samples:
    """Beeps of 0.15 s one behind the other."""
    parts = [_pause(0.1)]
    for one in hertz:
        parts += [_tone((one,), 0.15), _pause(0.06)]
    return np.concatenate([*parts, _pause(0.2)])


def _pause(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.float32)


def _tone(hertz: tuple[int, ...], seconds: float) -> Samples:
    time = np.arange(round(seconds * RATE)) / RATE
    level = 10 ** (LEVEL_DB / 20) * np.sqrt(2 / len(hertz))
    waves = level * sum(np.sin(2 * np.pi * one * time) for one in hertz)
    edge = np.minimum(1.0, np.minimum(time, time[::-1]) / _EDGE)
    made: Samples = (waves * edge).astype(np.float32)
    return made
