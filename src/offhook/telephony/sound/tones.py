"""Tones that say something by themselves: ringing, busy, speak now, and patterns that stand for what cannot be spoken.

Ringing and busy are a country's own, after ITU-T E.180 and its list of national tones; where that is not known, the
ones that E.180 recommends: 425 Hz, a second of ringing in five, half a second of busy in one.
"""

from dataclasses import dataclass
from math import gcd

import numpy as np

from offhook.telephony.sound.samples import FRAME, RATE, Samples

LEVEL_DB = -18.0
"""RMS, of full scale. E.180 has tones at about -10 dBm0, which is some 16 dB below full scale."""

_EDGE = 0.005
"""Seconds in which a tone swells and fades, so that it does not click."""


@dataclass(frozen=True, slots=True)
class Cadence:
    """Frequencies at once, and for how many seconds they sound and pause in turn; it begins anew at the end."""

    hertz: tuple[int, ...]
    seconds: tuple[float, ...]


_TWICE = (0.4, 0.2, 0.4, 2.0)
RINGING = {
    **dict.fromkeys(("US", "CA", "PR", "DO", "JM", "BS", "TT", "PH"), Cadence((440, 480), (2.0, 4.0))),
    **dict.fromkeys(("GB", "IE", "NZ", "IM", "JE", "GG"), Cadence((400, 450), _TWICE)),
    "AU": Cadence((400, 425), _TWICE),
    "HK": Cadence((440, 480), (0.4, 0.2, 0.4, 3.0)),
    **dict.fromkeys(("IN", "SG", "MY", "ZA"), Cadence((425,), _TWICE)),
    "FR": Cadence((440,), (1.5, 3.5)),
    "ES": Cadence((425,), (1.5, 3.0)),
    "AT": Cadence((420,), (1.0, 5.0)),
    **dict.fromkeys(("PT", "SE"), Cadence((425,), (1.0, 5.0))),
    "BE": Cadence((425,), (1.0, 3.0)),
    "HU": Cadence((425,), (1.25, 3.75)),
    "RU": Cadence((425,), (0.8, 3.2)),
    "JP": Cadence((384, 416), (1.0, 2.0)),
    **dict.fromkeys(("KR", "TW"), Cadence((440, 480), (1.0, 2.0))),
    "CN": Cadence((450,), (1.0, 4.0)),
    "TR": Cadence((450,), (2.0, 4.0)),
    **dict.fromkeys(("IL", "CL"), Cadence((400,), (1.0, 3.0))),
}
BUSY = {
    **dict.fromkeys(("US", "CA", "PR", "DO", "JM", "BS", "TT", "PH"), Cadence((480, 620), (0.5, 0.5))),
    **dict.fromkeys(("GB", "IM", "JE", "GG"), Cadence((400,), (0.375, 0.375))),
    "AU": Cadence((425,), (0.375, 0.375)),
    "DE": Cadence((425,), (0.48, 0.48)),
    "FR": Cadence((440,), (0.5, 0.5)),
    "AT": Cadence((420,), (0.4, 0.4)),
    "ES": Cadence((425,), (0.2, 0.2)),
    **dict.fromkeys(("SE", "DK"), Cadence((425,), (0.25, 0.25))),
    **dict.fromkeys(("NZ", "JP"), Cadence((400,), (0.5, 0.5))),
    "CN": Cadence((450,), (0.35, 0.35)),
}
USUAL_RINGING = Cadence((425,), (1.0, 4.0))
USUAL_BUSY = Cadence((425,), (0.5, 0.5))


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
