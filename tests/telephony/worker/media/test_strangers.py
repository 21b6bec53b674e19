"""Whoever is not of the call: they say nothing in it, hear nothing of it, and do no harm."""

import random
import threading
import time
from contextlib import closing

import pytest

from offhook.telephony.worker.engine import SWEEP
from offhook.telephony.worker.leg import BUDGET
from offhook.telephony.worker.media import EngineMedia
from tests.telephony.worker.media.bridge import Telephone, both_say, bridged, stranger, until
from tests.telephony.worker.rtp_peers import FRAME, Came, Ear, Peer, decoded, hertz, tone


@pytest.mark.parametrize("host", ["127.0.0.2", "127.0.0.1"])
def test_a_third_socket_neither_gets_a_word_in_nor_hears_one(
    media: EngineMedia, ear: Ear, telephone: Telephone, peer: Peer, other: Peer, host: str
) -> None:
    """Not before the call's own packets, not between them, not with their source; from another host or the same."""
    to, to_other = bridged(media, peer, other)
    bad = stranger(telephone, host)
    if host != peer.host:
        bad.say(to, tone(2_000, 0.1), pace=0)
    peer.say(to, tone(440, 0.04))
    injecting = threading.Thread(target=bad.say, args=(to, tone(2_000, 0.5), 0.01))
    injecting.start()
    both_say(peer, to, other, to_other)
    injecting.join()
    bad.stream.source = peer.stream.source
    bad.stream.number, bad.stream.stamp = peer.stream.number, peer.stream.stamp
    bad.press(to, "1")
    bad.say(to, tone(2_000, 0.1))
    both_say(peer, to, other, to_other, 0.1)
    peer.wait(30)
    other.wait(32)
    assert bad.came == []
    assert ear.of("key") == []
    assert len(other.came) == 32
    assert hertz(other.heard) == pytest.approx(440, abs=5)
    assert hertz(peer.heard) == pytest.approx(1_000, abs=5)


def test_rubbish_harms_nobody(ear: Ear, peer: Peer, other: Peer) -> None:
    faults: list[str] = []
    numbers = random.Random(5)
    with closing(EngineMedia(ear, fault=lambda what, count: faults.append(what))) as media:
        to, to_other = bridged(media, peer, other)
        peer.say(to, tone(440, 0.02))
        other.wait(1)
        for _ in range(3_000):
            content = bytearray(peer.stream.packet(numbers.choice([0, 8, 101, 13]), numbers.randbytes(4)))
            for _ in range(numbers.randrange(8)):
                content[numbers.randrange(len(content))] = numbers.randrange(256)
            content = content[: numbers.randrange(len(content) + 1)]
            where = numbers.choice([to, (to[0], to[1] + 1)])
            numbers.choice([peer.socket, peer.reports]).sendto(content, where)

        def frames() -> list[Came]:
            """What was said, and is no rubbish."""
            return [each for each in other.came if len(each.payload) == FRAME]

        def heard_again() -> bool:
            peer.say(to, tone(440, 0.02))
            return len(frames()) > 1

        until(heard_again)
        before = len(frames())
        both_say(peer, to, other, to_other)
        until(lambda: len(frames()) >= before + 25)
        peer.wait(25)
    assert faults == []
    assert hertz(decoded(b"".join(each.payload for each in frames()[-25:]))) == pytest.approx(440, abs=5)
    assert hertz(peer.heard) == pytest.approx(1_000, abs=5)


def test_a_flood_is_not_heard_by_others(
    media_of_its_own: EngineMedia, ear: Ear, telephone: Telephone, peer: Peer, other: Peer
) -> None:
    media = media_of_its_own
    to, to_other = bridged(media, peer, other)
    bad = stranger(telephone, "127.0.0.2")
    flooded = media.open(6)
    media.agree(6, bad.voice)
    ends = threading.Event()

    def flood() -> None:
        while not ends.is_set():
            bad.socket.sendto(bad.stream.sound(bytes(FRAME)), flooded)

    began = time.monotonic()
    flooding = threading.Thread(target=flood)
    flooding.start()
    both_say(peer, to, other, to_other)
    ends.set()
    flooding.join()
    peer.wait(25)
    other.wait(25)
    media.release(6)
    [(_, _, received, _)] = ear.wait("ended")
    looks = 2 + int((time.monotonic() - began) / SWEEP)
    assert isinstance(received, int)
    assert BUDGET <= received <= BUDGET * looks, "No more is taken of a leg between two looks."
    until(lambda: media.figures()[0] == 50 + received)
    assert media.strangers() == 0
    to = media.open(8)
    media.agree(8, peer.voice)
    bad.socket.sendto(bad.stream.sound(bytes(FRAME)), to)
    until(lambda: media.strangers() == 1)
