"""Reports about sound (RFC 3550 section 6): what was sent, and how much of the other side's came. Pure.

We report for each leg as the end that we are: a leg's sound has a source of ours, whoever is heard in it.
"""

import struct

from offhook.telephony.worker.rtp import Reception

EVERY = 5.0
"""Seconds between two reports."""

SENDER, RECEIVER, DESCRIPTION, BYE = 200, 201, 202, 203
_SINCE_1900 = 2_208_988_800


def report(
    source: int, reception: Reception, *, at: float, stamp: int, packets: int, octets: int, heard: tuple[int, float]
) -> bytes:
    """A sender's report with a block about the other side, and our name.

    `at` is seconds since 1970, `stamp` the timestamp of that moment; `heard` the middle of the last report's time and
    how many seconds ago that came.
    """
    block = _block(reception, heard)
    if packets:
        seconds = int(at)
        fraction = int((at - seconds) * (1 << 32))
        content = struct.pack(
            "!IIIIII", source, seconds + _SINCE_1900 & 0xFFFFFFFF, fraction, stamp & 0xFFFFFFFF,
            packets & 0xFFFFFFFF, octets & 0xFFFFFFFF,
        )  # fmt: skip
        said = _packet(SENDER, bool(block), content + block)
    else:
        said = _packet(RECEIVER, bool(block), source.to_bytes(4, "big") + block)
    name = f"{source:08x}@offhook".encode()
    item = b"\1" + len(name).to_bytes(1, "big") + name + b"\0"
    return said + _packet(DESCRIPTION, 1, source.to_bytes(4, "big") + item.ljust(-(-len(item) // 4) * 4, b"\0"))


def bye(source: int) -> bytes:
    """That there will be no more."""
    return _packet(RECEIVER, 0, source.to_bytes(4, "big")) + _packet(BYE, 1, source.to_bytes(4, "big"))


def read(content: bytes) -> tuple[int, int] | None:
    """Who sent a report, and the middle of its time if it says one (else 0); None for what is no report."""
    if len(content) < 8 or len(content) > 1_500 or content[0] >> 6 != 2 or content[1] not in (SENDER, RECEIVER):
        return None
    middle = int.from_bytes(content[10:14], "big") if content[1] == SENDER and len(content) >= 28 else 0
    return int.from_bytes(content[4:8], "big"), middle


def _block(reception: Reception, heard: tuple[int, float]) -> bytes:
    """What came of the source that is heard now; nothing if there is none."""
    if reception.source is None:
        return b""
    expected, received = reception.expected, reception.received_here
    before, had = reception.reported
    reception.reported = (expected, received)
    lost = max((expected - before) - (received - had), 0)
    fraction = min(lost * 256 // (expected - before), 255) if expected > before else 0
    total = max(min(expected - received, 0x7FFFFF), -0x800000) & 0xFFFFFF
    middle, ago = heard
    return struct.pack(
        "!IIIIII", reception.source, fraction << 24 | total, reception.cycles + reception.highest & 0xFFFFFFFF,
        int(reception.jitter), middle, min(int(ago * 65_536), 0xFFFFFFFF) if middle else 0,
    )  # fmt: skip


def _packet(kind: int, count: int, content: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | count, kind, len(content) // 4) + content
