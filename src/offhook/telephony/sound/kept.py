"""Sounds on disk, found by what is in them: a folder that several processes use at once, and that stays within a size.

A sound is two files of raw G.711 at 8 kHz, `<key>.ulaw` and `<key>.alaw`; who plays it takes the one that a telephone
speaks. They are written under other names and renamed when they are whole and on disk, so nobody finds half of one.
What was used longest ago goes first. All of it blocks: for threads.
"""

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from offhook.kit import clock

ENDS = (".ulaw", ".alaw")
IN_USE_SECONDS = 60.0
"""Who has just been told of a sound will open it: for so long it does not go, however full it is."""

_LEFT_SECONDS = 600.0
"""A file that was begun so long ago and is not done was left by a process that died."""

_BEGUN = ".begun"
_SHARE = 16


class Full(Exception):
    """There is no room, as everything that is kept was used just now."""


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    size: int
    used: float


class Kept:
    """The sounds of a folder, of at most `most` bytes and, for moments, what other processes write meanwhile."""

    def __init__(self, folder: Path, most: int) -> None:
        self._folder, self._most = folder.absolute(), most
        self._lock = threading.Lock()
        self._unseen = most
        """Bytes that may have come since the folder was last looked through; at first all of them."""

    def find(self, key: str) -> str:
        """The sound with this key as a worker plays it (without the end that says the encoding), "" if it is not there.

        It counts as used now.
        """
        found = self._folder / key
        paths = [found.with_suffix(end) for end in ENDS]
        try:
            first, second = (path.stat() for path in paths)
            if first.st_size != second.st_size or not first.st_size:
                return ""
            # When it was written stays: a worker takes what was written anew for another sound.
            now = int(clock.wall() * 1e9)
            for path, about in zip(paths, (first, second), strict=True):
                os.utime(path, ns=(now, about.st_mtime_ns))
        except OSError:
            return ""
        return str(found)

    def seconds(self, key: str) -> float:
        """How long it lasts; 0 if it is not there."""
        with suppress(OSError):
            return (self._folder / (key + ENDS[0])).stat().st_size / 8000
        return 0.0

    def read(self, key: str) -> bytes | None:
        """Its mu-law, None if it is not there."""
        return (self._folder / (key + ENDS[0])).read_bytes() if self.find(key) else None

    def add(self, key: str, encodings: tuple[bytes, bytes]) -> str:
        """Keep a sound, as (mu-law, A-law), and give it as `find` does. Full if there is no room; OSError of disks."""
        self._make_room(sum(map(len, encodings)))
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = self._folder / key
        for end, content in zip(ENDS, encodings, strict=True):
            _write(found.with_suffix(end), content)
        return str(found)

    def size(self) -> int:
        """Bytes that are kept."""
        return sum(one.size for one in self._files())

    def _make_room(self, needed: int) -> None:
        """See that `needed` bytes more are within bounds; the folder is looked through once in a sixteenth of them."""
        with self._lock:
            self._unseen += needed
            if self._unseen <= self._most // _SHARE:
                return
            now = clock.wall()
            files = sorted(self._files(), key=lambda one: one.used)
            size = sum(one.size for one in files) + needed
            for one in files:
                left = one.path.suffix == _BEGUN
                if now - one.used < (_LEFT_SECONDS if left else IN_USE_SECONDS):
                    continue
                if left or size + self._most // _SHARE > self._most:
                    with suppress(FileNotFoundError):
                        one.path.unlink()
                    size -= one.size
            if size > self._most:
                raise Full
            self._unseen = max(0, self._most // _SHARE - (self._most - size))

    def _files(self) -> Iterator[_File]:
        with suppress(FileNotFoundError), os.scandir(self._folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    about = entry.stat(follow_symlinks=False)
                    yield _File(Path(entry.path), about.st_size, max(about.st_atime, about.st_mtime))


def _write(path: Path, content: bytes) -> None:
    """Have a file there, whole and on disk, or not at all."""
    handle, begun = tempfile.mkstemp(dir=path.parent, suffix=_BEGUN)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(begun).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(begun).unlink()
        raise
