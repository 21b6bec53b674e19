"""Keys are told once each, and passed on to whom they can be told."""

import time
from itertools import pairwise

from offhook.telephony.worker.engine import KEYS, SWEEP
from offhook.telephony.worker.media import EngineMedia
from offhook.telephony.worker.sound import PCMU
from tests.telephony.worker.media.bridge import LEG, Telephone, bridged, until
from tests.telephony.worker.rtp_peers import Ear, Peer, tone


def test_a_key_is_told_once_and_passed_on_as_the_other_side_has_it(
    media: EngineMedia, ear: Ear, peer: Peer, other: Peer
) -> None:
    to, _ = bridged(media, peer, other)
    peer.say(to, tone(440, 0.1))
    peer.press(to, "5", copies=2)
    peer.press(to, "5")
    peer.press(to, "#")
    assert ear.wait("key", 3) == [(LEG, "5"), (LEG, "5"), (LEG, "#")]
    assert [each.payload[0] for each in other.wait(24, kind=96)] == [5] * 18 + [11] * 6
    assert not other.of(101)


def test_a_side_that_knows_no_keys_is_sent_none_and_misses_nothing(
    media: EngineMedia, ear: Ear, telephone: Telephone, peer: Peer
) -> None:
    other = telephone(events=None)
    to, _ = bridged(media, peer, other)
    peer.say(to, tone(440, 0.1))
    peer.press(to, "9")
    peer.say(to, tone(440, 0.1))
    assert ear.wait("key") == [(LEG, "9")]
    packets = other.wait(10)
    assert {each.kind for each in packets} == {PCMU}
    assert [(later.number - one.number) & 0xFFFF for one, later in pairwise(packets)] == [1] * 9


def test_a_key_whose_end_is_lost_is_told_all_the_same(media: EngineMedia, ear: Ear, peer: Peer) -> None:
    to = media.open(LEG)
    media.agree(LEG, peer.voice)
    peer.press(to, "7", ends=0)
    assert ear.wait("key") == [(LEG, "7")]


def test_keys_beyond_all_reason_are_not_told(media: EngineMedia, ear: Ear, peer: Peer) -> None:
    to = media.open(LEG)
    media.agree(LEG, peer.voice)
    began = time.monotonic()
    for _ in range(60):
        peer.press(to, "1", updates=0, ends=1)

    def asked_again() -> bool:
        peer.press(to, "2", updates=0, ends=1)
        return (LEG, "2") in ear.of("key")

    until(asked_again)
    told = [moment for each, moment in zip(ear.told, ear.moments, strict=True) if each == ("key", LEG, "1")]
    looks = 2 + int((told[-1] - began) / SWEEP)
    assert KEYS <= len(told) <= KEYS * looks, f"{len(told)} keys were told between {looks} looks at most."
