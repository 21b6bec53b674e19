"""A recording while it is made: each side is a file beside it, of which the whole is made, also by who finds them.

The sides say in their names what they are (`name.wav.in.ulaw.part`), so that nobody needs to be asked who may have
died. The whole is synced and gets its name only then: whoever finds `name.wav` finds all of it.
"""

import os
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Literal

Encoding = Literal["ulaw", "alaw"]
RATE = 8_000
"""Samples a second, each a byte (ITU-T G.711)."""

SIDES = ("in", "out")
"""What the recorded one said, and what they heard."""

FORMATS: dict[Encoding, int] = {"ulaw": 7, "alaw": 6}
"""WAVE_FORMAT_MULAW and WAVE_FORMAT_ALAW."""

SILENCE: dict[Encoding, bytes] = {"ulaw": b"\xff", "alaw": b"\xd5"}
PIECE = 65_536
PART = ".part"


def header(encoding: Encoding, channels: int, samples: int) -> bytes:
    """What stands before `samples` bytes of each of `channels`, interleaved."""
    size = channels * samples
    chunk = b"".join(
        number.to_bytes(length, "little")
        for number, length in (
            (FORMATS[encoding], 2), (channels, 2), (RATE, 4), (RATE * channels, 4), (channels, 2), (8, 2), (0, 2),
        )
    )  # fmt: skip
    return b"".join((
        b"RIFF", (50 + size + size % 2).to_bytes(4, "little"), b"WAVE",
        b"fmt ", len(chunk).to_bytes(4, "little"), chunk,
        b"fact\x04\0\0\0", samples.to_bytes(4, "little"),
        b"data", size.to_bytes(4, "little"),
    ))  # fmt: skip


def side(path: Path, name: str, encoding: Encoding) -> Path:
    """Where a side of the recording `path` is written until that is whole."""
    return path.with_name(f"{path.name}.{name}.{encoding}{PART}")


def sides(path: Path) -> tuple[list[Path], Encoding]:
    """The sides that there are of `path`, and how they are encoded; none if it was never begun, or is whole."""
    for encoding in FORMATS:
        found = [one for name in SIDES if (one := side(path, name, encoding)).exists()]
        if found:
            return found, encoding
    return [], "ulaw"


def make_whole(path: Path, files: Sequence[Path], encoding: Encoding) -> None:
    """Make `path` of its sides, the shorter one filled up with silence; one that is not there said nothing.

    OSError where that cannot be written, of which nothing stays.
    """
    whole = path.with_name(path.name + PART)
    try:
        _write(whole, files, encoding)
    except BaseException:
        with suppress(OSError):
            whole.unlink(missing_ok=True)
        raise
    whole.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write(whole: Path, files: Sequence[Path], encoding: Encoding) -> None:
    samples = max((file.stat().st_size for file in files if file.exists()), default=0)
    with whole.open("wb") as out, ExitStack() as stack:
        out.write(header(encoding, len(files), samples))
        opened = [stack.enter_context(file.open("rb")) if file.exists() else None for file in files]
        for start in range(0, samples, PIECE):
            size = min(PIECE, samples - start)
            piece = bytearray(len(files) * size)
            for place, file in enumerate(opened):
                piece[place :: len(files)] = (file.read(size) if file is not None else b"").ljust(
                    size, SILENCE[encoding]
                )
            out.write(piece)
        out.write(bytes(len(files) * samples % 2))
        out.flush()
        os.fsync(out.fileno())


def rescue(path: Path) -> bool:
    """Make `path` of what a process left that was killed while it recorded; False if there is nothing of it."""
    files, encoding = sides(path)
    if not path.exists():
        if not files:
            return False
        make_whole(path, files, encoding)
    remove(path)
    return True


def remove(path: Path) -> None:
    """Take away what `path` was to be made of."""
    for file in (*sides(path)[0], path.with_name(path.name + PART)):
        with suppress(FileNotFoundError):
            file.unlink()


def written(path: Path) -> float:
    """When anything of `path` was written last, in seconds since 1970 UTC; 0 if there is nothing."""
    times = [0.0]
    for file in (path, *sides(path)[0], path.with_name(path.name + PART)):
        with suppress(FileNotFoundError):
            times.append(file.stat().st_mtime)
    return max(times)
