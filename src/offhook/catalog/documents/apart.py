"""Reads documents: small ones here, large ones in a process of its own, so that the server goes on answering.

The program is this module too. The document comes on standard input, what was read goes to standard output in lines:
what the document is or why it is none, its operations, and pointer and JSON of its pieces. It binds itself before it
reads, so that the worst is a refused document. It must not import the store.
"""

import asyncio
import hashlib
import os
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec
import structlog

import offhook
from offhook.catalog.documents import operations, reading
from offhook.catalog.documents.limits import refused
from offhook.catalog.documents.pieces import Pieces, cut
from offhook.catalog.model import Document, Head, Problem, Tree
from offhook.kit.errors import Invalid, Unavailable, Violation

log = structlog.get_logger("offhook.catalog")

AT_ONCE, WAITING = 2, 16
LARGE = 500_000
"""Bytes from which a document is read apart."""

SECONDS = 120
MEMORY = 3 * 1024**3
OUTPUT = 512 * 1024**2
WORDS = 4_000
"""Characters of an operation's words that go along."""

_ANCHOR = re.compile(rb"[\s\[{,]&[^\s&=]")
_TOO_MUCH = f"The document could not be read within {SECONDS} seconds and {MEMORY // 1024**3} GiB of memory; split it."


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a document says of itself, and how many operations it has; or what is wrong with it, if it is none."""

    faults: tuple[Violation, ...] = ()
    kind: str = ""
    title: str = ""
    version: str = ""
    problems: tuple[Problem, ...] = ()
    operations: int = 0


@dataclass(frozen=True)
class Cut:
    """A document that was read, and is ready to be kept. `heads` and `pieces` may be gone through repeatedly.

    Pieces are their pointer and their value, or its JSON as bytes.
    """

    raw: bytes
    digest: str
    told: Told
    heads: Iterable[Head]
    pieces: Iterable[tuple[str, Any]]
    tree: Document


class Readers:
    """Reads for all companies: so many large documents at a time; some more may wait, and others are sent away."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._here = 0

    async def read(self, document: str | bytes, name: str = "") -> Cut:
        """Read a document; Invalid if it is none, Unavailable if too many are being read."""
        if len(document) < LARGE:
            raw = _bytes(document)
            if not _ANCHOR.search(raw):
                return await asyncio.to_thread(read_here, raw, name)
        if self._here >= AT_ONCE + WAITING:
            raise Unavailable("Too many large documents are being read; try again.", headers=[("Retry-After", "5")])
        self._here += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(lambda: read_apart(_bytes(document), name))
        finally:
            self._here -= 1


def _bytes(document: str | bytes) -> bytes:
    return document if isinstance(document, bytes) else document.encode("utf-8", "surrogatepass")


def read_here(raw: bytes, name: str = "") -> Cut:
    """Read a document in this process; Invalid if it is none."""
    found = reading.read(raw, name)
    heads = operations.heads(found.tree)
    told = _told(found, len(heads))
    pieces = list(cut(found.tree))
    return Cut(raw, hashlib.sha256(raw).hexdigest(), told, heads, pieces, Tree(found.tree))


def _told(found: reading.Read, count: int) -> Told:
    return Told(kind=found.kind, title=found.title, version=found.version, problems=found.problems, operations=count)


def read_apart(raw: bytes, name: str = "", seconds: float = SECONDS) -> Cut:
    """The same by a process, which has ended when this returns. What it found stays in a file without a name."""
    output = tempfile.TemporaryFile()  # noqa: SIM115 - closed when what was cut is forgotten
    status: int | None
    try:
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-P", "-m", __name__, name],
            input=raw,
            stdout=output,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
            cwd="/",
            env={"PATH": os.defpath, "PYTHONPATH": str(Path(offhook.__file__).parents[1]), "PYTHONUTF8": "1"},
        )
        status = done.returncode
    except subprocess.TimeoutExpired:
        status = None
    except BrokenPipeError:
        status = -1
    told = None
    if status == 0:
        output.seek(0)
        told = msgspec.json.decode(output.readline(), type=Told)
        if told.faults:
            output.close()
            raise Invalid.of(told.faults)
    if told is None:
        output.close()
        log.warning("document_not_read", status="too slow" if status is None else status, bytes=len(raw))
        raise refused(_TOO_MUCH)
    heads = _Heads(_File(output), output.tell(), told.operations)
    pieces = _Pieces(heads.file, heads.end())
    return Cut(raw, hashlib.sha256(raw).hexdigest(), told, heads, pieces, Pieces(pieces.load))


class _File:
    """What the program wrote, line by line, for as long as somebody has it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def __del__(self) -> None:
        self._file.close()

    def line(self, at: int) -> tuple[bytes, int]:
        """The line at a place, and the place behind it."""
        self._file.seek(at)
        line = self._file.readline()
        return line, at + len(line)


class _Heads:
    """The operations, in the order of the document."""

    def __init__(self, file: _File, at: int, count: int) -> None:
        self.file, self._at, self._count = file, at, count

    def __iter__(self) -> Iterator[Head]:
        at = self._at
        for _ in range(self._count):
            line, at = self.file.line(at)
            yield msgspec.json.decode(line, type=Head)

    def end(self) -> int:
        """The place behind them."""
        at = self._at
        for _ in range(self._count):
            _, at = self.file.line(at)
        return at


class _Pieces:
    """The pieces, each with its pointer."""

    def __init__(self, file: _File, at: int) -> None:
        self._file, self._at = file, at
        self._places: dict[str, int] = {}

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        for pointer, at in self._all():
            yield pointer, self._file.line(at)[0]

    def load(self, pointer: str) -> Any:
        """The piece of a pointer; KeyError if there is none."""
        if not self._places:
            self._places = dict(self._all())
        return msgspec.json.decode(self._file.line(self._places[pointer])[0])

    def _all(self) -> Iterator[tuple[str, int]]:
        at = self._at
        while True:
            pointer, at = self._file.line(at)
            if not pointer:
                return
            yield msgspec.json.decode(pointer, type=str), at
            _, at = self._file.line(at)


# The program


def main() -> None:
    """Read what comes on standard input; the name of its file is the argument."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (OUTPUT, OUTPUT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out = sys.stdout.buffer
    encoder = msgspec.json.Encoder()
    try:
        found = reading.read(sys.stdin.buffer.read(), sys.argv[1])
    except Invalid as refusal:
        out.write(encoder.encode(Told(faults=refusal.violations)) + b"\n")
        return
    heads = operations.heads(found.tree)
    out.write(encoder.encode(_told(found, len(heads))) + b"\n")
    for head in heads:
        out.write(encoder.encode(msgspec.structs.replace(head, words=_within(head.words))) + b"\n")
    for pointer, value in cut(found.tree):
        out.write(encoder.encode(pointer) + b"\n" + encoder.encode(value) + b"\n")
    out.flush()


def _within(words: tuple[str, ...]) -> tuple[str, ...]:
    left = WORDS
    for number, word in enumerate(words):
        left -= len(word) + 1
        if left < 0:
            return words[:number]
    return words


if __name__ == "__main__":
    main()
