"""Packets, whose they are, how many are missing, and keys out of them."""

import random
import struct

import pytest

from offhook.telephony.worker import rtp
from offhook.telephony.worker.rtp import Keys, Peer, Reception

HERE, NEIGHBOUR, STRANGER = ("192.0.2.1", 4_000), ("192.0.2.1", 5_000), ("198.51.100.9", 4_000)
OURS, THEIRS = 0xAAAA, 0xBBBB


def packet(first: int = 0x80, rest: bytes = b"sound") -> bytes:
    return bytes([first]) + struct.pack("!BHII", 0x80 | 101, 7, 8, 9) + rest


@pytest.mark.parametrize(
    ("content", "payload"),
    [
        (packet(), b"sound"),
        (packet(rest=b""), b""),
        (packet(0x82, bytes(8) + b"sound"), b"sound"),
        (packet(0x90, b"\xbe\xde\x00\x01" + bytes(4) + b"sound"), b"sound"),
        (packet(0xA0, b"sound\0\0\3"), b"sound"),
    ],
)
def test_a_packet_is_read(content: bytes, payload: bytes) -> None:
    assert rtp.read(content) == (101, True, 7, 8, 9, payload)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        packet()[:11],
        packet(0x00),
        packet(0x40),
        packet(0x8F),
        packet(0x90, b"\xbe"),
        packet(0x90, b"\xbe\xde\xff\xff"),
        packet(0xA0, b"\0"),
        packet(0xA0, b"\xff"),
        packet(rest=bytes(rtp.MOST)),
    ],
)
def test_what_is_no_packet_is_none(content: bytes) -> None:
    assert rtp.read(content) is None


def test_whatever_comes_nothing_is_raised() -> None:
    numbers = random.Random(4)
    for _ in range(20_000):
        content = numbers.randbytes(numbers.randrange(64))
        rtp.read(content)
        Keys().heard(1, content, 0.0)


def test_a_packet_that_is_written_is_read_again() -> None:
    assert rtp.read(rtp.written(8, True, 0x1_0001, 0x1_0000_0002, 3, b"x")) == (8, True, 1, 2, 3, b"x")


# Whose packets are taken


def test_only_the_host_that_was_negotiated_is_listened_to() -> None:
    peer = Peer(HERE)
    assert not peer.takes(STRANGER, THEIRS, 0.0)
    assert peer.to == HERE
    assert peer.takes(HERE, OURS, 0.1)
    assert not peer.takes(STRANGER, OURS, 90.0)
    assert peer.to == HERE


def test_behind_a_nat_packets_come_from_and_go_to_another_port() -> None:
    peer = Peer(HERE)
    assert peer.takes(NEIGHBOUR, OURS, 0.0)
    assert peer.to == NEIGHBOUR


def test_the_port_that_was_negotiated_wins_over_one_that_was_quicker() -> None:
    peer = Peer(HERE)
    assert peer.takes(NEIGHBOUR, THEIRS, 0.0)
    assert peer.takes(HERE, OURS, 0.01)
    assert not peer.takes(NEIGHBOUR, THEIRS, 0.02)
    assert peer.to == HERE


def test_a_neighbour_gets_no_word_in_whatever_source_it_claims() -> None:
    peer = Peer(HERE)
    for step in range(200):
        assert peer.takes(HERE, OURS, step * 0.02)
        assert not peer.takes(NEIGHBOUR, OURS, step * 0.02 + 0.01)
        assert not peer.takes(NEIGHBOUR, THEIRS, step * 0.02 + 0.01)
        assert not peer.takes(HERE, THEIRS, step * 0.02 + 0.01), "A forged sender that does not know the source."
    assert not peer.takes(NEIGHBOUR, THEIRS, 90.0), "However long it was quiet."


def test_a_nat_that_forgot_is_followed_when_its_old_port_is_quiet() -> None:
    peer = Peer(HERE)
    assert peer.takes(HERE, OURS, 0.0)
    assert not peer.takes(NEIGHBOUR, OURS, rtp.MOVED - 0.01)
    assert peer.takes(NEIGHBOUR, OURS, rtp.MOVED)
    assert peer.to == NEIGHBOUR


def test_a_carrier_that_connects_somebody_else_is_heard_when_the_first_is_done() -> None:
    peer = Peer(HERE)
    assert peer.takes(HERE, OURS, 0.0)
    assert not peer.takes(HERE, THEIRS, 0.02)
    assert peer.takes(HERE, THEIRS, rtp.CHANGED)
    assert not peer.takes(HERE, OURS, rtp.CHANGED + 0.02)


def test_what_was_negotiated_anew_may_begin_at_once() -> None:
    peer = Peer(HERE)
    assert peer.takes(HERE, OURS, 0.0)
    peer.forget()
    assert peer.takes(HERE, THEIRS, 0.02)


# How many are missing


def heard(reception: Reception, numbers: list[int], source: int = OURS) -> None:
    for place, number in enumerate(numbers):
        reception.heard(source, number & 0xFFFF, place * 160, place * 0.02)


@pytest.mark.parametrize(
    ("numbers", "lost"),
    [
        (list(range(100)), 0),
        (list(range(65_500, 65_600)), 0),
        ([1, 2, 5, 6], 2),
        ([65_534, 2], 3),
        ([1, 3, 2, 4], 0),
        ([1, 1, 2, 2, 5], 0),
        ([65_535, 65_534, 0], 0),
    ],
)
def test_what_never_came_is_counted(numbers: list[int], lost: int) -> None:
    reception = Reception()
    heard(reception, numbers)
    assert (reception.received, reception.lost) == (len(numbers), lost)


def test_a_number_from_nowhere_counts_only_when_the_next_follows() -> None:
    reception = Reception()
    heard(reception, [1, 2, 30_000, 3, 40_000, 40_001, 40_004])
    assert reception.lost == 2
    assert reception.received == 5


def test_another_stream_begins_anew_and_what_was_lost_stays_lost() -> None:
    reception = Reception()
    heard(reception, [1, 5])
    heard(reception, [60_000, 60_002], THEIRS)
    assert reception.lost == 4
    assert reception.received == 4


def test_jitter_is_that_of_the_standard() -> None:
    even, uneven = Reception(), Reception()
    for place in range(200):
        even.heard(OURS, place, place * 160, place * 0.02)
        uneven.heard(OURS, place, place * 160, place * 0.02 + (0.01 if place % 2 else 0))
    assert even.jitter < 1
    assert uneven.jitter == pytest.approx(80, abs=3)


# Keys


def event(code: int, duration: int, ended: bool = False) -> bytes:
    return struct.pack("!BBH", code, 0x80 * ended | 10, duration)


def test_a_key_is_told_once_when_it_is_let_go() -> None:
    keys = Keys()
    assert keys.heard(100, event(5, 160), 0.0) == ""
    assert keys.heard(100, event(5, 320), 0.02) == ""
    assert keys.heard(100, event(5, 320, ended=True), 0.04) == "5"
    assert keys.heard(100, event(5, 320, ended=True), 0.06) == ""
    assert keys.heard(100, event(5, 160), 0.08) == "", "A packet that was late."
    assert keys.overdue(9.0) == ""


def test_the_same_key_pressed_twice_is_told_twice() -> None:
    keys = Keys()
    assert keys.heard(100, event(5, 160, ended=True), 0.0) == "5"
    assert keys.heard(900, event(5, 160, ended=True), 0.1) == "5"


def test_a_late_end_of_the_key_before_is_not_told_again() -> None:
    keys = Keys()
    assert keys.heard(100, event(1, 160, ended=True), 0.0) == "1"
    assert keys.heard(900, event(2, 160), 0.1) == ""
    assert keys.heard(100, event(1, 160, ended=True), 0.12) == ""
    assert keys.heard(900, event(2, 320, ended=True), 0.14) == "2"


def test_a_key_whose_end_was_lost_is_told_when_another_is_pressed() -> None:
    keys = Keys()
    keys.heard(100, event(1, 160), 0.0)
    assert keys.heard(900, event(2, 160), 0.1) == "1"
    assert keys.heard(900, event(2, 160, ended=True), 0.12) == "2"


def test_a_key_whose_end_was_lost_is_told_after_a_while() -> None:
    keys = Keys()
    keys.heard(100, event(11, 160), 1.0)
    assert keys.overdue(1.0 + rtp.PRESSED - 0.01) == ""
    assert keys.pressed
    assert keys.overdue(1.01 + rtp.PRESSED) == "#"
    assert keys.overdue(1.02 + rtp.PRESSED) == ""
    assert keys.heard(100, event(11, 320, ended=True), 1.5) == ""


def test_a_key_that_is_held_long_is_one_key() -> None:
    keys = Keys()
    assert keys.heard(100, event(3, 0xFFFF), 0.0) == ""
    assert keys.heard(100 + 0xFFFF, event(3, 160), 0.05) == ""
    assert keys.heard(100 + 0xFFFF, event(3, 320, ended=True), 0.1) == "3"
    assert keys.heard(100, event(3, 0xFFFF), 0.15) == ""


@pytest.mark.parametrize("payload", [b"", b"\x05\x80\0", event(16, 160, ended=True), event(255, 160, ended=True)])
def test_what_is_no_key_is_none(payload: bytes) -> None:
    assert Keys().heard(1, payload, 0.0) == ""
