"""Cuts an import file into requests: whole records, in order, few enough for one body, whatever the file's size.

What a record holds is the server's to judge. Here only its end is looked for, as the server looks for it: a JSON record
is a line, a row of a table goes on while a quote is open.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from offhook.kit.errors import Refusal
from offhook.kit.records import MAX_RECORD

RECORDS = 200
BYTES = 768 * 1024
_BOM = b"\xef\xbb\xbf"
_TOO_LONG = f"A record may have {MAX_RECORD} bytes; this one has more."


@dataclass(slots=True)
class Chunk:
    """A body, what to add to its line numbers to get the file's, and the place in the file behind it.

    `unsendable` holds records that no body can hold, as (line, why).
    """

    body: bytes = b""
    offset: int = 0
    end: int = 0
    unsendable: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A record with the line on which it begins; `raw` None if it is too long to send."""

    line: int
    lines: int
    raw: bytes | None
    end: int


def chunks(source: IO[bytes], *, table: bool, records: int = RECORDS) -> Iterator[Chunk]:
    """The requests of a file; each body of a table begins with the table's first row. Blank lines stay where they are,
    so that numbers add up.
    """
    pieces = _pieces(source, table=table)
    header = b""
    header_lines = 0
    if table:
        first = next((piece for piece in pieces if piece.raw is None or piece.raw.strip()), None)
        if first is None:
            return
        if first.raw is None:
            raise Refusal(f"The first row must name the fields. {_TOO_LONG}")
        header, header_lines = first.raw.rstrip(b"\r\n") + b"\n", first.lines
    chunk, count, size, following = Chunk(), 0, 0, 0
    parts: list[bytes] = []
    for piece in pieces:
        # In place of a record that cannot be sent the body has an empty line, for the numbers behind it.
        raw = b"\n" if piece.raw is None else piece.raw
        if parts and (count == records or size + len(raw) > BYTES):
            yield _closed(chunk, header, parts, following)
            chunk, count, size, parts = Chunk(), 0, 0, []
        if not parts:
            chunk.offset = piece.line - 1 - header_lines
        if piece.raw is None:
            chunk.unsendable.append((piece.line, _TOO_LONG))
        parts.append(raw)
        count, size, following = count + bool(raw.strip()), size + len(raw), piece.end
    if parts:
        yield _closed(chunk, header, parts, following)


def _closed(chunk: Chunk, header: bytes, parts: list[bytes], end: int) -> Chunk:
    body = b"".join(parts)
    chunk.body, chunk.end = (header + body if body.strip() else b""), end
    return chunk


def _pieces(source: IO[bytes], *, table: bool) -> Iterator[_Piece]:
    """Records, blank lines among them. A quote that is never closed spoils its own line only."""
    lines = _Lines(source)
    while (line := lines.next()) is not None:
        if line.raw is None or not table or line.raw.count(b'"') % 2 == 0:
            yield _Piece(line.number, 1, line.raw, line.end)
            continue
        taken, size, quotes = [line], len(line.raw), 1
        while quotes % 2 and size <= MAX_RECORD and (more := lines.next()) is not None:
            taken.append(more)
            if more.raw is None:
                break
            size, quotes = size + len(more.raw), quotes + more.raw.count(b'"')
        if quotes % 2 or size > MAX_RECORD:
            lines.give_back(taken[1:])
            yield _Piece(line.number, 1, line.raw, line.end)
        else:
            raw = b"".join(one.raw or b"" for one in taken)
            yield _Piece(line.number, len(taken), raw, taken[-1].end)


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    raw: bytes | None
    end: int


class _Lines:
    """Lines of a file, of which one that is longer than a record is passed over without being kept."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._number = 0
        self._end = 0
        self._returned: deque[_Line] = deque()

    def next(self) -> _Line | None:
        if self._returned:
            return self._returned.popleft()
        raw = self._source.readline(MAX_RECORD + 2)
        if not raw:
            return None
        self._number += 1
        self._end += len(raw)
        if raw.endswith(b"\n") or len(raw) <= MAX_RECORD:
            if self._number == 1:
                raw = raw.removeprefix(_BOM)
            return _Line(self._number, raw if raw.endswith(b"\n") else raw + b"\n", self._end)
        while not raw.endswith(b"\n") and raw:
            raw = self._source.readline(MAX_RECORD)
            self._end += len(raw)
        return _Line(self._number, None, self._end)

    def give_back(self, lines: list[_Line]) -> None:
        self._returned.extendleft(reversed(lines))
