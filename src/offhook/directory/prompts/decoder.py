"""The program that turns an uploaded recording into what telephony plays: 8 kHz, mono, 16 bits, in a WAV file.

It runs in a process of its own, with bounds on memory and time, because decoders are native code that reads strangers'
files (docs/decisions/0016). The recording comes on standard input; standard output gets a line of JSON, `fault` or what
was found, and after the latter the WAV file. It must import nothing of Offhook, so that it starts quickly.
"""

import io
import json
import resource
import struct
import sys
import wave
from typing import Any

MAX_SECONDS = 600
MIN_SECONDS = 0.1
RATE = 8000
TAKEN = "send an MP3 or a WAV file"

_MEMORY = 1024 * 1024 * 1024
_CPU_SECONDS = 20
_OUTPUT = 2 * RATE * (MAX_SECONDS + 10)
_BLOCK = 65_536
_RATES = range(4000, 192_001)
_MAX_CHANNELS = 8
_MAX_JUNK = 65_536
_GIVE_UP = 0.25

_KINDS = (
    (0, b"OggS", "an Ogg file"),
    (0, b"fLaC", "a FLAC file"),
    (4, b"ftyp", "an MP4 file (M4A, AAC)"),
    (0, b"FORM", "an AIFF file"),
    (0, b"caff", "a CAF file"),
    (0, b"#!AMR", "an AMR file"),
    (0, b".snd", "an AU file"),
    (0, b"0&\xb2u", "a WMA file"),
    (0, b"\x1aE\xdf\xa3", "a Matroska or WebM file"),
    (0, b"RIFX", "a WAV file in big-endian order"),
    (0, b"RF64", "a WAV file in its 64-bit form"),
    (0, b"RIFF", "a RIFF file, but no WAV"),
    (0, b"%PDF", "a PDF document"),
    (0, b"\x89PNG", "a PNG image"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"GIF8", "a GIF image"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
)
_CODECS = {
    0x0001: "PCM",
    0x0002: "MS ADPCM",
    0x0003: "float",
    0x0006: "A-law",
    0x0007: "mu-law",
    0x0011: "IMA ADPCM",
    0x0031: "GSM 6.10",
}
_UNCOMPRESSED = (1, 3, 6, 7)
_EXTENSIBLE = 0xFFFE
_NAMED_CODECS = {0x0050: "MPEG", 0x0055: "MP3", 0x0161: "WMA", 0x00FF: "AAC", 0x674F: "Ogg Vorbis"}

_BITRATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BITRATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_MP3_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_TRAILERS = (b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"ID3", b"3DI")


class Fault(Exception):
    """Why a recording is not taken: what was found, and what would be."""


class Found:
    """What a recording is, before it is decoded: its media type, where its sound stands, and bytes to be skipped."""

    def __init__(self, media: str, start: int, end: int, damaged: int = 0) -> None:
        self.media = media
        self.start = start
        self.end = end
        self.damaged = damaged


# What it is


def examine(data: bytes) -> Found:
    """What `data` is, by its structure alone; Fault unless it is a whole MP3 or WAV file of a length that is taken."""
    if not data:
        raise Fault(f"The file is empty; {TAKEN}.")
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return _wav(data)
    for offset, sign, name in _KINDS:
        if data[offset : offset + len(sign)] == sign:
            raise Fault(f"This is {name}; {TAKEN}.")
    start = _past_tags(data)
    first = _first_frame(data, start)
    if first is None:
        raise Fault(f"This is {_guess(data, start)}; {TAKEN}.")
    return _mp3(data, first)


def _guess(data: bytes, start: int) -> str:
    if start:
        return "a file with an ID3 tag, but without MP3 frames"
    if data[0] == 0xFF and len(data) > 1 and data[1] & 0xF6 == 0xF0:
        return "an AAC stream"
    if data[0] == 0xFF and len(data) > 1 and data[1] & 0xE0 == 0xE0 and data[1] & 0x06 in (0x04, 0x06):
        return "MPEG audio of another layer than MP3"
    try:
        beginning = data[:512].decode()
    except UnicodeDecodeError:
        beginning = ""
    if beginning and all(c.isprintable() or c.isspace() for c in beginning):
        return "a text"
    return f"no sound file that is known (it begins with the bytes {data[:4].hex(' ')})"


def _seconds_fit(seconds: float) -> None:
    if seconds > MAX_SECONDS:
        raise Fault(f"The sound lasts {seconds:,.0f} seconds; it may last {MAX_SECONDS}.")


def _wav(data: bytes) -> Found:
    """Walk the chunks of a WAV file up to its sound."""
    at, layout = 12, None
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        at += 8
        if name == b"data":
            break
        if at + size > len(data):
            raise Fault("This WAV file is cut off before its sound begins; send the whole file.")
        if name == b"fmt ":
            layout = _layout(data[at : at + size])
        at += size + size % 2
    else:
        raise Fault("This WAV file has no sound in it (no data chunk), or is cut off before it; send the whole file.")
    if layout is None:
        raise Fault("This WAV file does not say how its sound is written (no fmt chunk); write it anew.")
    codec, channels, rate, block = layout
    there = len(data) - at
    if size > there:
        raise Fault(
            f"This WAV file is cut off: it promises {size:,} bytes of sound and has {there:,}. Send the whole file; "
            "one that was written to a pipe must be written to a file instead."
        )
    if codec in _UNCOMPRESSED:
        _seconds_fit(size / block / rate)
    elif channels > 2:
        raise Fault(f"This WAV file has {channels} channels of {_CODECS[codec]}; it may have one or two.")
    return Found("audio/wav", 0, len(data))


def _layout(chunk: bytes) -> tuple[int, int, int, int]:
    if len(chunk) < 16:
        raise Fault("This WAV file does not say how its sound is written (its fmt chunk is too short); write it anew.")
    codec, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", chunk)
    if codec == _EXTENSIBLE and len(chunk) >= 26:
        codec = struct.unpack_from("<H", chunk, 24)[0]
    if codec not in _CODECS:
        name = _NAMED_CODECS.get(codec, "an unknown kind")
        raise Fault(f"This WAV file holds sound of {name} (0x{codec:04x}); write it as PCM, or send an MP3 file.")
    if not 1 <= channels <= _MAX_CHANNELS:
        raise Fault(f"This WAV file has {channels} channels; it may have 1 to {_MAX_CHANNELS}.")
    if rate not in _RATES:
        raise Fault(f"This WAV file has {rate:,} samples a second; it may have {_RATES[0]:,} to {_RATES[-1]:,}.")
    if block == 0 or (codec in _UNCOMPRESSED and (bits not in (8, 16, 24, 32, 64) or block != channels * bits // 8)):
        raise Fault(f"This WAV file's blocks of {block} bytes do not hold {channels} samples of {bits} bits.")
    return codec, channels, rate, block


def _past_tags(data: bytes) -> int:
    """Where the ID3 tags at the beginning end."""
    at = 0
    while data[at : at + 3] == b"ID3" and at + 10 <= len(data):
        size = 0
        for byte in data[at + 6 : at + 10]:
            size = size << 7 | byte & 0x7F
        at += 10 + size + (10 if data[at + 5] & 0x10 else 0)
        if at >= len(data):
            raise Fault("This MP3 file is cut off: it ends within its ID3 tag. Send the whole file.")
    return at


def _frame(data: bytes, at: int) -> tuple[int, int, int] | None:
    """The version, rate and length of the MP3 frame whose header stands at `at`, or None."""
    if at + 4 > len(data) or data[at] != 0xFF:
        return None
    second, third = data[at + 1], data[at + 2]
    version, rate_index, bitrate_index = second >> 3 & 3, third >> 2 & 3, third >> 4
    if second & 0xE6 != 0xE2 or version == 1 or rate_index == 3 or not 0 < bitrate_index < 15:
        return None
    rate = _MP3_RATES[version][rate_index]
    bitrate = (_BITRATES_1 if version == 3 else _BITRATES_2)[bitrate_index]
    return version, rate, (144_000 if version == 3 else 72_000) * bitrate // rate + (third >> 1 & 1)


def _first_frame(data: bytes, start: int, last: int = _MAX_JUNK, like: tuple[int, int] | None = None) -> int | None:
    """The first place from `start` on with a frame that a second one of its kind follows, or that ends the file."""
    at = data.find(b"\xff", start, start + last)
    while at >= 0:
        frame = _frame(data, at)
        if frame is not None and (like is None or frame[:2] == like):
            following = at + frame[2]
            second = _frame(data, following)
            if following == len(data) or (second is not None and second[:2] == frame[:2]):
                return at
        at = data.find(b"\xff", at + 1, start + last)
    return None


def _mp3(data: bytes, start: int) -> Found:
    """Walk the frames of an MP3 file to its end."""
    first = _frame(data, start)
    assert first is not None
    version, rate, _ = first
    like = (version, rate)
    at, frames, damaged, end = start, 0, 0, len(data)
    while at < end:
        frame = _frame(data, at)
        if frame is not None and frame[:2] == like:
            if at + frame[2] > end:
                raise Fault(
                    f"This MP3 file is cut off: its last frame has {end - at} of {frame[2]} bytes. Send the whole file."
                )
            at += frame[2]
            frames += 1
            continue
        if data.startswith(_TRAILERS, at) or not data[at : at + _MAX_JUNK].strip(b"\0"):
            end = at
            break
        following = _first_frame(data, at, end - at, like)
        damaged += (end if following is None else following) - at
        if following is None:
            end = at
            break
        at = following
        if damaged > _GIVE_UP * len(data):
            raise Fault(f"This MP3 file is damaged: {damaged:,} bytes of it are no MP3. Write it anew.")
    promised = _promised_frames(data[start : start + first[2]])
    if promised is not None and not damaged and frames + 1 < promised:
        raise Fault(f"This MP3 file is cut off: it promises {promised:,} frames and has {frames:,}. Send all of it.")
    _seconds_fit(frames * (1152 if version == 3 else 576) / rate)
    return Found("audio/mpeg", start, end, damaged)


def _promised_frames(frame: bytes) -> int | None:
    """How many frames the file has, by the header that encoders put into the first one."""
    for sign in (b"Xing", b"Info"):
        at = frame.find(sign, 4, 64)
        if at >= 0 and len(frame) >= at + 12 and frame[at + 7] & 1:
            return int.from_bytes(frame[at + 8 : at + 12], "big")
    return None


# What it sounds like


def decode(data: bytes, found: Found) -> bytes:
    """The sound as 16-bit samples at RATE, mono; Fault if it cannot be decoded, or is longer or shorter than taken."""
    import numpy as np
    import soundfile
    import soxr

    name = "MP3" if found.media == "audio/mpeg" else "WAV"
    parts: list[Any] = []
    length = 0
    try:
        with soundfile.SoundFile(io.BytesIO(data[found.start : found.end])) as file:
            if not file.format.startswith(name):
                raise Fault(f"This looks like {name}, but is {file.format}; {TAKEN}.")
            stream = None if file.samplerate == RATE else soxr.ResampleStream(file.samplerate, RATE, 1, "float32")
            while True:
                block = file.read(_BLOCK, dtype="float32", always_2d=True)
                last = len(block) == 0
                mono = np.clip(np.nan_to_num(block.mean(axis=1, dtype="float32") if not last else block[:, 0]), -1, 1)
                if stream is not None:
                    mono = stream.resample_chunk(mono, last=last)
                parts.append(np.rint(np.clip(mono, -1, 1) * 32767).astype("<i2").tobytes())
                length += len(mono)
                if length > RATE * MAX_SECONDS + RATE // 2:
                    raise Fault(f"The sound lasts longer than the {MAX_SECONDS} seconds that it may.")
                if last:
                    break
    except (soundfile.SoundFileError, ValueError, RuntimeError):
        raise Fault(f"This {name} file is damaged and cannot be decoded; write it anew.") from None
    if length < RATE * MIN_SECONDS:
        raise Fault(f"The sound lasts {length / RATE:.3f} seconds; it must last at least {MIN_SECONDS}.")
    return b"".join(parts)


def wav(samples: bytes) -> bytes:
    """A WAV file of 16-bit samples at RATE, mono."""
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(RATE)
        written.writeframes(samples)
    return file.getvalue()


def _bound(kind: int, most: int) -> None:
    hard = resource.getrlimit(kind)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))


def bind() -> None:
    """Bound what this process may use, whatever a decoder is made to do."""
    _bound(resource.RLIMIT_CORE, 0)
    _bound(resource.RLIMIT_CPU, _CPU_SECONDS)
    _bound(resource.RLIMIT_AS, _MEMORY)
    _bound(resource.RLIMIT_FSIZE, _OUTPUT + 65_536)


def main() -> None:
    """Read a recording, write what became of it."""
    bind()
    data = sys.stdin.buffer.read()
    out = sys.stdout.buffer
    try:
        found = examine(data)
        samples = decode(data, found)
    except Fault as fault:
        out.write(json.dumps({"fault": str(fault)}).encode() + b"\n")
        return
    about = {"media": found.media, "milliseconds": len(samples) // 2 * 1000 // RATE, "damaged": found.damaged}
    out.write(json.dumps(about).encode() + b"\n" + wav(samples))


if __name__ == "__main__":
    main()
