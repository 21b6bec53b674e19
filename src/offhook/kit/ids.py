"""Ids: 53 bits, ordered by time, so that they survive JavaScript and new rows go to the end of an index.

From the top: 42 bits of milliseconds since 2024-01-01 (139 years), 6 bits of slot (64 processes over one store), 5 bits
of sequence. A burst beyond 32 ids in a millisecond borrows from the next one, so ids of one process never repeat or
step back, even when the system clock does. A slot is leased from the store (storage/slots.py).
"""

import threading

from offhook.kit import clock

EPOCH_MS = 1_704_067_200_000
SLOTS = 64
_SEQUENCE = 32


class Ids:
    """Issues ids for one process, to any of its threads."""

    def __init__(self, slot: int) -> None:
        if not 0 <= slot < SLOTS:
            raise ValueError(f"slot {slot} is not in 0..{SLOTS - 1}")
        self._slot = slot << 5
        self._millisecond = 0
        self._sequence = 0
        self._lock = threading.Lock()

    def move(self, slot: int) -> None:
        """Go on in another slot."""
        self._slot = slot << 5

    def new(self) -> int:
        """The next id, larger than every one this object has issued, to whichever thread."""
        with self._lock:
            millisecond = int(clock.wall() * 1000) - EPOCH_MS
            if millisecond > self._millisecond:
                self._millisecond, self._sequence = millisecond, 0
            elif self._sequence + 1 < _SEQUENCE:
                self._sequence += 1
            else:
                self._millisecond, self._sequence = self._millisecond + 1, 0
            return self._millisecond << 11 | self._slot | self._sequence
