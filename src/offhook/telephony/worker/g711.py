"""G.711, as bytes are turned into bytes: µ-law and A-law into each other, into samples, and what of it is silence.

All of it is tables, made once; nothing here is done sample by sample while a call is on.
"""

from array import array

from offhook.telephony.worker.sound import PCMA, PCMU

RATE = 8_000
"""Samples, which are bytes, a second."""

ENDING = {PCMU: "ulaw", PCMA: "alaw"}
"""How the name of a file ends that holds it."""

SILENCE = {PCMU: b"\xff", PCMA: b"\xd5"}
"""One sample of silence."""

LEVELS = (32, 64, 128, 256)
"""Samples, of 32,768, by which sound is louder or not, each step 6 dB; up to the last, 42 dB below the loudest, lines
may hum.
"""

LOUD = len(LEVELS)


def _ulaw(code: int) -> int:
    """The sample that a byte of µ-law stands for, of 16 bits (ITU-T G.711, table 2a)."""
    code = ~code & 0xFF
    size = (((code & 0x0F) << 3) + 0x84 << (code >> 4 & 7)) - 0x84
    return -size if code & 0x80 else size


def _alaw(code: int) -> int:
    """The sample that a byte of A-law stands for, of 16 bits (ITU-T G.711, table 1a)."""
    code ^= 0x55
    segment, size = code >> 4 & 7, (code & 0x0F) << 4
    size = size + 8 if segment == 0 else (size + 0x108) << segment - 1
    return size if code & 0x80 else -size


SAMPLES = {PCMU: array("h", map(_ulaw, range(256))), PCMA: array("h", map(_alaw, range(256)))}
"""The sample of 16 bits that each byte stands for."""


def _nearest(codec: int, sample: int) -> int:
    return min(range(256), key=lambda code: (abs(SAMPLES[codec][code] - sample), code))


_TO = {
    PCMA: bytes(_nearest(PCMA, sample) for sample in SAMPLES[PCMU]),
    PCMU: bytes(_nearest(PCMU, sample) for sample in SAMPLES[PCMA]),
}
_UP_TO = {
    codec: [bytes(code for code in range(256) if abs(samples[code]) <= level) for level in LEVELS]
    for codec, samples in SAMPLES.items()
}


def translated(content: bytes, codec: int, into: int) -> bytes:
    """The same sound in the other codec; as it is, if they are the same."""
    return content if codec == into else content.translate(_TO[into])


def level(content: bytes, codec: int) -> int:
    """How many of LEVELS more than a tenth of it is beyond: 0 for silence, LOUD for speech."""
    for step in range(LOUD, 0, -1):
        if 10 * len(content.translate(None, _UP_TO[codec][step - 1])) > len(content):
            return step
    return 0
