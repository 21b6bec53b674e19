"""Recordings: WAV files of G.711, of one side or of both (two channels), laid by the timestamps of their packets.

While it is recorded each side is a file of its own beside `path`, silence where nothing came. At the end they become
one, which is synced and gets its name only when it is whole: whoever finds `path` finds all of it. Where that cannot be
written the sides stay, to be found by whoever has room for them. All writing is done by a thread of its own, so that no
disk holds up anybody's sound.
"""

import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from offhook.calls.tapes import parts
from offhook.telephony.worker import g711
from offhook.telephony.worker.sound import PCMA, PCMU

SLACK = 2 * g711.RATE
"""Samples by which a timestamp may differ from the clock; beyond that the clock counts."""

LONGEST = 4 * 3_600 * g711.RATE
"""Samples; what comes later is not written, and the recording says so."""

TOO_LONG = "it is longer than can be kept"

PIECE = parts.PIECE
KEPT = 4_000
"""Bytes of a side that are kept until they are written: half a second."""

WAITING = 4_000
"""Pieces that may wait for the disk, of all recordings: with more, it does not keep up, and they are at fault."""

SLOT = 160
"""Samples, 20 ms, that are said something in or not."""

ABOVE = 2
"""Steps of 6 dB by which what is said in a low voice stands out of what the line hums."""

ENCODINGS: dict[int, parts.Encoding] = {PCMU: "ulaw", PCMA: "alaw"}

Done = Callable[[float, str], None]


def said(levels: Iterable[int]) -> float:
    """Seconds in which something was said, of slots by how loud they are, as `g711.level` says.

    What is loud is speech. Below that it is what stands out of the quietest fifth: who speaks in a low voice, or far
    from the telephone, pauses; a line that hums does not.
    """
    counts = Counter(levels)
    left, floor = counts.total() // 5, 0
    for level in sorted(counts):
        floor = level
        left -= counts[level]
        if left < 0:
            break
    least = min(floor + ABOVE, g711.LOUD)
    return sum(count for level, count in counts.items() if level >= least) * SLOT / g711.RATE


def rescued(path: str) -> float | None:
    """Make a recording of what a process left that was killed while it wrote: how long was spoken, None for nothing."""
    files, encoding = parts.sides(Path(path))
    codec = PCMU if encoding == "ulaw" else PCMA
    levels: list[int] = []
    for file in files:
        content = file.read_bytes()
        slots = [g711.level(content[at : at + SLOT], codec) for at in range(0, len(content), SLOT)]
        longer, shorter = sorted((levels, slots), key=len, reverse=True)
        levels = [*map(max, longer, shorter), *longer[len(shorter) :]]
    return said(levels) if parts.rescue(Path(path)) else None


class Side:
    """Where on the tape the packets of one side go: at their timestamps, which begin at the clock's."""

    __slots__ = ("_base", "_source", "file", "kept", "written")

    def __init__(self, file: Path) -> None:
        self.file = file
        self.kept: list[tuple[int, bytes]] = []
        self.written = 0
        self._source: object = None
        self._base = 0

    def place(self, source: object, stamp: int, clock: int) -> int:
        """The sample at which it goes; `clock` is how many have passed. Another source begins at the clock's."""
        if source == self._source:
            at = (stamp - self._base + 0x80000000 & 0xFFFFFFFF) - 0x80000000
            if abs(at - clock) <= SLACK:
                return at
        self._source, self._base = source, stamp - clock
        return clock


class Tape:
    """One recording. `lay` is told each packet; `done` is called by the writing thread, with seconds and a fault.

    With a fault it is not all there: what came until then is at `path`, or with 0 seconds still on its sides.
    """

    def __init__(self, desk: "Desk", path: str, both: bool, codec: int, now: float, done: Done) -> None:
        self.path, self.codec, self.done = Path(path), codec, done
        names = parts.SIDES[: 1 + both]
        self.sides = [Side(parts.side(self.path, name, ENCODINGS[codec])) for name in names]
        self.fault, self.broken = "", False
        self._desk, self._began = desk, now
        self._said = bytearray()
        self._ended = False

    @property
    def both(self) -> bool:
        """Whether it has both sides."""
        return len(self.sides) > 1

    @property
    def seconds(self) -> float:
        """In which something was said, on either side."""
        return said(self._said)

    def lay(self, side: int, source: object, stamp: int, codec: int, payload: bytes, now: float) -> None:
        """Put what came (0) or was sent (1) at its place."""
        taped = self.sides[side]
        at = taped.place(source, stamp, round((now - self._began) * g711.RATE))
        payload = g711.translated(payload, codec, self.codec)
        if at < 0:
            at, payload = 0, payload[-at:]
        if self._ended or not payload:
            return
        if at + len(payload) > LONGEST:
            self.fault = self.fault or TOO_LONG
            return
        first, last = at // SLOT, (at + len(payload) - 1) // SLOT + 1
        if last > len(self._said):
            self._said.extend(bytes(last - len(self._said)))
        loud = g711.level(payload, self.codec)
        for slot in range(first, last):
            self._said[slot] = max(self._said[slot], loud)
        taped.kept.append((at, payload))
        if len(taped.kept) * len(payload) >= KEPT:
            self._write(taped)

    def end(self) -> None:
        """Nothing more comes; `done` follows."""
        if not self._ended:
            self._ended = True
            for side in self.sides:
                self._write(side)
            self._desk.finish(self)

    def _write(self, side: Side) -> None:
        kept, side.kept = side.kept, []
        if kept and not self._desk.write(side, kept, self):
            self.fault = self.fault or "the disk does not keep up"


class Desk:
    """The thread that writes."""

    def __init__(self) -> None:
        self._work: queue.Queue[tuple[Tape, Side | None, list[tuple[int, bytes]]] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="recordings", daemon=True)
        self._thread.start()

    def write(self, side: Side, pieces: list[tuple[int, bytes]], tape: Tape) -> bool:
        """Have pieces written at their places; False if too much waits already."""
        if self._work.qsize() >= WAITING:
            return False
        self._work.put((tape, side, pieces))
        return True

    def finish(self, tape: Tape) -> None:
        """Have it made whole."""
        self._work.put((tape, None, []))

    def close(self) -> None:
        """Write all that waits, and end."""
        self._work.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            tape, side, pieces = work
            whole = False
            try:
                if side is not None:
                    # What follows a piece that is not there would be laid behind nothing.
                    if not tape.broken:
                        _lay(side, pieces, g711.SILENCE[tape.codec])
                    continue
                parts.make_whole(tape.path, [each.file for each in tape.sides], ENCODINGS[tape.codec])
                whole = True
            except Exception as fault:
                # Whatever it is, others are recorded on.
                tape.fault = tape.fault or getattr(fault, "strerror", None) or "it could not be written"
                tape.broken = True
            if side is None:
                for each in tape.sides if whole else ():
                    with suppress(OSError):
                        each.file.unlink(missing_ok=True)
                tape.done(tape.seconds if whole else 0.0, tape.fault)


def _lay(side: Side, pieces: list[tuple[int, bytes]], silence: bytes) -> None:
    """Write pieces at their places, and silence where none is."""
    with side.file.open("r+b" if side.written else "w+b") as file:
        for at, piece in pieces:
            file.seek(min(at, side.written))
            for gap in range(side.written, at, PIECE):
                file.write(silence * min(PIECE, at - gap))
            file.seek(at)
            file.write(piece)
            side.written = max(side.written, at + len(piece))
