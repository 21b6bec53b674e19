"""Sound as numbers: out of WAV files, to a telephone's rate and loudness, and to G.711 and back.

Samples are float32 in a flat array, 1.0 being the loudest that G.711 can say; the rate is 8 kHz unless it is named.
"""

import struct

import numpy as np
import soxr
from numpy.typing import NDArray

RATE = 8000
FRAME = 160
"""Samples of 20 ms, which is what a packet carries; files are whole frames."""

SPOKEN_DB = -20.0
"""RMS of the parts of a prompt in which something is heard, of full scale: as loud as somebody who speaks up, with room
for the peaks of speech, which are some 18 dB above that."""

MOST_GAIN_DB = 24.0
"""What is quieter than this can make up for is noise or meant so."""

_KNEE = 0.5
_SILENT_DB = -50.0
_RATES = range(4000, 192_001)
_EXTENSIBLE = 0xFFFE

Samples = NDArray[np.float32]


class NoSound(Exception):
    """Why there is no sound in what should have been one."""


# Out of files


def of_wav(data: bytes, most_seconds: float) -> Samples:
    """The sound of a WAV file of 16-bit PCM, mixed to mono, at RATE; NoSound if it is none.

    Programs that write to a pipe cannot know how long it becomes: a size that is greater than what is there means up to
    the end. What is longer than `most_seconds` is cut off.
    """
    channels, rate, start, size = _layout(data)
    block = 2 * channels
    count = min(size, len(data) - start, int(most_seconds * rate) * block) // block
    if not count:
        raise NoSound("a WAV file without a sample")
    whole = np.frombuffer(data, "<i2", count * channels, start).reshape(count, channels)
    mono = whole.mean(axis=1, dtype=np.float32) / np.float32(32768)
    return mono if rate == RATE else resampled(mono, rate)


def _layout(data: bytes) -> tuple[int, int, int, int]:
    """(channels, rate, where the samples begin, their bytes as promised)."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise NoSound("no WAV file")
    at, found = 12, None
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        at += 8
        if name == b"data":
            if found is None:
                raise NoSound("a WAV file that does not say how it is written")
            return (*found, at, size)
        if name == b"fmt ":
            found = _written(data[at : at + size])
        at += size + size % 2
    raise NoSound("a WAV file without sound in it")


def _written(chunk: bytes) -> tuple[int, int]:
    if len(chunk) < 16:
        raise NoSound("a WAV file that does not say how it is written")
    codec, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if codec == _EXTENSIBLE and len(chunk) >= 26:
        codec = struct.unpack_from("<H", chunk, 24)[0]
    if codec != 1 or bits != 16:
        raise NoSound("a WAV file of something else than 16-bit PCM")
    if not 1 <= channels <= 8 or rate not in _RATES:
        raise NoSound(f"a WAV file of {channels} channels at {rate} Hz")
    return channels, rate


def resampled(samples: Samples, rate: int) -> Samples:
    """The same sound at RATE; what is too high for it is left out."""
    made: Samples = soxr.resample(samples, rate, RATE).astype(np.float32)
    return made


def to_wav(samples: Samples) -> bytes:
    """A WAV file of 16-bit samples at RATE, mono."""
    content = np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(content), b"WAVE", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16, b"data",
        len(content),
    )  # fmt: skip
    return head + content


# Loudness


def loudness(samples: Samples) -> float:
    """RMS in decibels of full scale over the frames in which something is heard; -inf for silence.

    Frames count that are at most 25 dB below the whole, as pauses say nothing about how loud somebody speaks: a short
    form of the speech level of ITU-T P.56.
    """
    if not len(samples):
        return float("-inf")
    padded = np.pad(samples, (0, -len(samples) % FRAME)).reshape(-1, FRAME)
    powers = np.mean(np.square(padded, dtype=np.float64), axis=1)
    loud = powers[powers > max(float(powers.mean()) * 10**-2.5, 10 ** (_SILENT_DB / 10))]
    return float(10 * np.log10(loud.mean())) if len(loud) else float("-inf")


def levelled(samples: Samples, level: float = SPOKEN_DB) -> Samples:
    """The same sound at `level`, without a constant part. Peaks are bent, so that one alone does not hold all down."""
    centred = samples - np.float32(samples.mean()) if len(samples) else samples
    now = loudness(centred)
    if now == float("-inf"):
        return centred
    louder = centred * np.float32(10 ** (min(level - now, MOST_GAIN_DB) / 20))
    over = np.abs(louder) - _KNEE
    bent = np.sign(louder) * (_KNEE + (1 - _KNEE) * np.tanh(np.maximum(over, 0) / (1 - _KNEE)))
    made: Samples = np.where(over > 0, bent, louder).astype(np.float32)
    return made


# G.711


def _mu_values() -> NDArray[np.int16]:
    """What each byte of mu-law says, at 16 bits: ITU-T G.711, table 2."""
    code = ~np.arange(256) & 255
    size = ((((code & 15) << 3) + 132) << ((code >> 4) & 7)) - 132
    return np.where(code & 128, -size, size).astype(np.int16)


def _a_values() -> NDArray[np.int16]:
    """The same of A-law, of which every second bit is turned over on the line: table 1."""
    code = np.arange(256) ^ 0x55
    segment, step = (code >> 4) & 7, (code & 15) << 4
    size = np.where(segment == 0, step + 8, (step + 0x108) << np.maximum(segment - 1, 0))
    return np.where(code & 128, size, -size).astype(np.int16)


def _nearest(values: NDArray[np.int16]) -> NDArray[np.uint8]:
    """From a 16-bit sample, as if unsigned, to the byte that says the nearest value; the positive one of two."""
    order = np.argsort(values, kind="stable")[::-1]
    sizes = -values[order].astype(np.float64)
    sample = -np.arange(65536).astype(np.uint16).view(np.int16).astype(np.float64)
    return order[np.searchsorted((sizes[1:] + sizes[:-1]) / 2, sample)].astype(np.uint8)


_MU_VALUES = _mu_values()
_MU, _A = _nearest(_MU_VALUES), _nearest(_a_values())


def encoded(samples: Samples) -> tuple[bytes, bytes]:
    """(mu-law, A-law) of whole frames, the last one filled up with silence."""
    filled = np.pad(samples, (0, -len(samples) % FRAME))
    index = np.rint(np.clip(filled, -1, 1) * 32767).astype(np.int16).view(np.uint16)
    return _MU[index].tobytes(), _A[index].tobytes()


def of_mu(content: bytes) -> Samples:
    """What mu-law says."""
    made: Samples = _MU_VALUES[np.frombuffer(content, np.uint8)].astype(np.float32) / np.float32(32768)
    return made
