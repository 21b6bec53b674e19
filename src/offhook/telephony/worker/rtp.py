"""Packets of sound (RFC 3550), keys (RFC 4733), and whose packets are taken. Pure: bytes and moments in, answers out.

Moments are seconds of a clock that only goes forward. Nothing here raises for what somebody sent.
"""

import struct
from collections import deque

from offhook.telephony.port import Address

MOST = 1_500
"""Bytes of one packet; longer ones are nobody's sound."""

MOVED = 2.0
"""Seconds without a packet after which a stream that goes on may come from another port: a NAT that forgot."""

CHANGED = 0.1
"""Seconds without a packet after which another stream may take the place of the one that was heard."""

PRESSED = 0.2
"""Seconds without news after which a key is let go: all packets that said so were lost (RFC 4733 section 2.5.2.2)."""

DROPOUT, MISORDER = 3_000, 100
"""RFC 3550 appendix A.1: how far a number may jump ahead, and back, before it is a new beginning."""

KEYS = "0123456789*#ABCD"
_HEADER = struct.Struct("!BBHII")
Packet = tuple[int, bool, int, int, int, bytes]
"""Payload type, marker, number, timestamp, source, payload."""


def read(content: bytes) -> Packet | None:
    """What a packet says; None for what is none. Extensions and sources that contributed are left out."""
    if len(content) < 12 or len(content) > MOST:
        return None
    first, second, number, stamp, source = _HEADER.unpack_from(content)
    if first == 0x80:
        return second & 0x7F, second > 0x7F, number, stamp, source, content[12:]
    if first >> 6 != 2:
        return None
    start, end = 12 + 4 * (first & 0x0F), len(content)
    if first & 0x10:
        if start + 4 > end:
            return None
        start += 4 + 4 * int.from_bytes(content[start + 2 : start + 4], "big")
    if first & 0x20:
        end -= content[-1] or end
    if start > end:
        return None
    return second & 0x7F, second > 0x7F, number, stamp, source, content[start:end]


def written(kind: int, marker: bool, number: int, stamp: int, source: int, payload: bytes) -> bytes:
    """A packet."""
    return _HEADER.pack(0x80, kind | 0x80 if marker else kind, number & 0xFFFF, stamp & 0xFFFFFFFF, source) + payload


class Peer:
    """Whose packets are taken: one host's, one port's, one stream's (`source`).

    The host is the one that was negotiated. Its port is the one that was negotiated too, or, as behind a NAT, the one
    from which its first packets come; should the negotiated one speak up after all, it is that. Another port is
    followed only by the stream that was heard before, and only when its old one has been quiet for `MOVED`; another
    stream is listened to only from the same port and when the one before has been quiet for `CHANGED`. So neither a
    stranger nor a neighbour of the same host gets a word in while somebody speaks, nor is anything sent to them.
    """

    __slots__ = ("address", "at", "last", "source")

    def __init__(self, address: Address) -> None:
        self.address = address
        self.at: Address | None = None
        """Where packets come from, once some did."""
        self.source: int | None = None
        self.last = 0.0

    @property
    def to(self) -> Address:
        """Where packets go."""
        return self.at or self.address

    def forget(self) -> None:
        """Be ready for another stream at once: something new was negotiated."""
        self.source = None

    def takes(self, at: Address, source: int, now: float) -> bool:
        """Whether a packet is the other side's, and remember that it came if it is."""
        if at != self.at:
            if at[0] != self.address[0]:
                return False
            follows = source == self.source and now - self.last >= MOVED
            if self.at is not None and at != self.address and not follows:
                return False
            self.at = at
        elif source != self.source and self.source is not None and now - self.last < CHANGED:
            return False
        self.source, self.last = source, now
        return True


class Reception:
    """How many packets came of a stream, and how many did not (RFC 3550 appendices A.1, A.3 and A.8)."""

    __slots__ = (
        "_bad", "_base", "_transit", "cycles", "highest", "jitter", "lost_before", "received", "received_here",
        "reported", "source",
    )  # fmt: skip

    def __init__(self) -> None:
        self.source: int | None = None
        self.received = 0
        """Packets of all streams, one behind the other."""
        self.lost_before = 0
        self.received_here = self.highest = self.cycles = self._base = 0
        self._bad: int | None = None
        self.jitter = 0.0
        self._transit: int | None = None
        self.reported = (0, 0)

    def heard(self, source: int, number: int, stamp: int, now: float) -> None:
        """A packet came."""
        self.received += 1
        if source != self.source:
            self._begin(source, number)
        else:
            ahead = (number - self.highest) & 0xFFFF
            if ahead < DROPOUT:
                if number < self.highest:
                    self.cycles += 0x10000
                self.highest = number
            elif ahead <= 0x10000 - MISORDER:
                if number != self._bad:
                    self._bad = (number + 1) & 0xFFFF
                    self.received -= 1
                    return
                self._begin(source, number)
        self.received_here += 1
        transit = (int(now * 8000) - stamp) & 0xFFFFFFFF
        if self._transit is not None:
            step = abs((transit - self._transit + 0x80000000 & 0xFFFFFFFF) - 0x80000000)
            self.jitter += (min(step, 80_000) - self.jitter) / 16
        self._transit = transit

    def _begin(self, source: int, number: int) -> None:
        self.lost_before = self.lost
        self.source, self._bad, self._transit = source, None, None
        self._base = self.highest = number
        self.cycles = self.received_here = 0
        self.reported = (0, 0)

    @property
    def expected(self) -> int:
        """Packets that there should have been of the stream that is heard now."""
        return 0 if self.source is None else self.cycles + self.highest - self._base + 1

    @property
    def lost(self) -> int:
        """Packets that never came, of all streams; never less than none, however often others came twice."""
        return self.lost_before + max(self.expected - self.received_here, 0)


class Keys:
    """Keys out of the packets of telephone events: each is told once, when it is let go (RFC 4733 section 2.5)."""

    __slots__ = ("_duration", "_event", "_stamp", "_told", "last")

    def __init__(self) -> None:
        self._told: deque[int] = deque(maxlen=8)
        self._stamp: int | None = None
        self._event = 0
        self._duration = 0
        self.last = 0.0

    @property
    def pressed(self) -> bool:
        """Whether a key is down."""
        return self._stamp is not None

    def heard(self, stamp: int, payload: bytes, now: float) -> str:
        """What keys are known to be let go by this packet: none, one, or two when the end of the first was lost."""
        if len(payload) < 4 or payload[0] >= len(KEYS):
            return ""
        event, ended = payload[0], payload[1] & 0x80
        duration = int.from_bytes(payload[2:4], "big")
        let_go = ""
        if stamp != self._stamp:
            if stamp in self._told:
                return ""
            if self._goes_on(stamp, event):
                self._told.append(stamp)
                self._told.append(self._stamp or 0)
            else:
                let_go = self._let_go()
            self._stamp, self._event = stamp, event
        self._duration, self.last = duration, now
        return let_go + self._let_go() if ended else let_go

    def overdue(self, now: float) -> str:
        """The key that is down, when nothing was heard of it for long enough."""
        return self._let_go() if now - self.last >= PRESSED else ""

    def _let_go(self) -> str:
        if self._stamp is None:
            return ""
        self._told.append(self._stamp)
        self._stamp = None
        return KEYS[self._event]

    def _goes_on(self, stamp: int, event: int) -> bool:
        """Whether it is the next segment of a long event (section 2.5.1.3)."""
        return (
            self._stamp is not None
            and event == self._event
            and self._duration > 0xF000
            and abs((stamp - self._stamp & 0xFFFFFFFF) - self._duration) <= 8_000 // 5
        )
