"""Files that are played: raw G.711, read once, and cut into what one packet carries."""

import math
from collections import OrderedDict
from pathlib import Path

from offhook.telephony.worker import g711
from offhook.telephony.worker.sound import PCMA, PCMU

LONGEST = 32 * 1024 * 1024
"""Bytes of one file: more than an hour."""

KEPT = 64 * 1024 * 1024
"""Bytes of all files that are kept in memory."""

FRAME = 160
"""Samples of one packet: 20 ms."""


class NoClip(Exception):
    """It cannot be played; the text says why."""


class Clips:
    """Files that were played before; one that was written anew is read anew."""

    def __init__(self) -> None:
        self._clips: OrderedDict[tuple[str, int, int], bytes] = OrderedDict()
        self._size = 0

    def get(self, name: str, codec: int) -> bytes:
        """The sound of `name` in `codec`, from the file that has it, else translated from the other one's. NoClip."""
        for has in (codec, PCMA if codec == PCMU else PCMU):
            content = self._read(f"{name}.{g711.ENDING[has]}")
            if content is not None:
                return g711.translated(content, has, codec)
        raise NoClip("there is no such file")

    def _read(self, path: str) -> bytes | None:
        try:
            file = Path(path).stat()
            key = (path, file.st_mtime_ns, file.st_size)
            if key in self._clips:
                self._clips.move_to_end(key)
                return self._clips[key]
            if file.st_size > LONGEST:
                raise NoClip("it is too long")
            content = Path(path).read_bytes()
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as fault:
            raise NoClip(getattr(fault, "strerror", None) or "its name is none") from None
        self._clips[key] = content
        self._size += len(content)
        while self._size > KEPT and len(self._clips) > 1:
            _, dropped = self._clips.popitem(last=False)
            self._size -= len(dropped)
        return content


class Playing:
    """What a leg hears: sound from its beginning, so many times (0 for ever). `due` is when its next packet goes."""

    __slots__ = ("_at", "_codec", "_content", "_total", "due", "token")

    def __init__(self, token: int, content: bytes, codec: int, times: int, due: float) -> None:
        self.token, self.due = token, due
        self._content, self._codec, self._at = content, codec, 0
        self._total = len(content) * times or math.inf

    def next(self, codec: int) -> bytes | None:
        """The next packet's sound in `codec`, the last one filled up with silence; None at the end."""
        if self._at >= self._total:
            return None
        start = self._at % len(self._content)
        frame = self._content[start : start + FRAME]
        while len(frame) < FRAME and self._at + len(frame) < self._total:
            frame += self._content[: FRAME - len(frame)]
        self._at += FRAME
        return g711.translated(frame.ljust(FRAME, g711.SILENCE[self._codec]), self._codec, codec)
