"""WAV files of calls: how long one is, and a head that says so where whoever wrote it did not come to its end.

Microsoft and IBM, Multimedia Programming Interface 1.0, "Resource Interchange File Format"; only what telephones need:
one `fmt ` chunk with a constant rate of bytes, then `data`.
"""

import hashlib
from pathlib import Path

from offhook.calls.tapes.model import Sound

_HEAD_BYTES = 4096
_PIECE = 1 << 20


def measure(path: Path) -> Sound:
    """The sound in a file, once its head is right. ValueError if it is no WAV file; OSError if it cannot be read."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        head = file.read(_HEAD_BYTES)
        at, rate = _data(head)
        told = int.from_bytes(head[at - 4 : at], "little")
        there = size - at
        if told > there or not told:
            # Whoever wrote it ended in the middle: what is there is the sound.
            told = there
            file.seek(4)
            file.write(min(size - 8, 0xFFFFFFFF).to_bytes(4, "little"))
            file.seek(at - 4)
            file.write(min(there, 0xFFFFFFFF).to_bytes(4, "little"))
            file.flush()
        file.seek(0)
        digest = hashlib.sha256()
        while piece := file.read(_PIECE):
            digest.update(piece)
    return Sound(told * 1000 // rate, size, digest.hexdigest())


def _data(head: bytes) -> tuple[int, int]:
    """Where the sound begins, and how many bytes of it are a second."""
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        raise ValueError("It is no WAV file.")
    at, rate = 12, 0
    while at + 8 <= len(head):
        name, length = head[at : at + 4], int.from_bytes(head[at + 4 : at + 8], "little")
        at += 8
        if name == b"data":
            if not rate:
                break
            return at, rate
        if name == b"fmt " and length >= 16:
            rate = int.from_bytes(head[at + 8 : at + 12], "little")
        at += length + length % 2
    raise ValueError("It is a WAV file without sound.")
