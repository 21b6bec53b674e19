"""Legs hear each other, in their codecs, and nobody else; what is lost is counted, who says nothing is told of."""

import struct
import time
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from offhook.telephony.worker.engine import TICK
from offhook.telephony.worker.media import EngineMedia
from offhook.telephony.worker.sound import PCMA, PCMU
from tests.telephony.worker.media.bridge import LEG, OTHER, Telephone, both_say, bridged, stranger, until
from tests.telephony.worker.rtp_peers import FRAME, Ear, Peer, Sender, clip, encoded, hertz, pause, tone


def test_two_legs_hear_each_other(media: EngineMedia, peer: Peer, other: Peer) -> None:
    to, to_other = bridged(media, peer, other)
    both_say(peer, to, other, to_other)
    peer.wait(25)
    other.wait(25)
    assert hertz(other.heard) == pytest.approx(440, abs=5)
    assert hertz(peer.heard) == pytest.approx(1_000, abs=5)
    assert {each.at for each in peer.came} == {to}, "It comes from where it is to be sent to: it is symmetric."


@pytest.mark.parametrize(("codec", "other_codec"), [(PCMU, PCMA), (PCMA, PCMU), (PCMA, PCMA)])
def test_legs_of_two_codecs_hear_each_other(
    media: EngineMedia, telephone: Telephone, codec: int, other_codec: int
) -> None:
    peer, other = telephone(codec=codec), telephone(codec=other_codec)
    to, to_other = bridged(media, peer, other)
    both_say(peer, to, other, to_other)
    peer.wait(25, kind=codec)
    other.wait(25, kind=other_codec)
    assert hertz(other.heard) == pytest.approx(440, abs=5)
    assert hertz(peer.heard) == pytest.approx(1_000, abs=5)
    assert len(peer.heard) == 25 * FRAME


def test_a_leg_hears_one_stream_whoever_speaks_in_it(
    media: EngineMedia, ear: Ear, telephone: Telephone, peer: Peer, other: Peer, tmp_path: Path
) -> None:
    """A prompt, then one telephone, then another: one source, numbers that follow, timestamps of real time."""
    third = telephone(stream=Sender(source=77, number=40_000, stamp=9))
    media.open(LEG)
    media.agree(LEG, peer.voice)
    prompt, asked = clip(tmp_path, "a", tone(300, 0.2)), time.monotonic()
    media.play(LEG, 7, (prompt,), 1)
    ear.wait("played")
    for leg, speaker in ((OTHER, other), (6, third)):
        before = len(peer.came)
        to = media.open(leg)
        media.agree(leg, speaker.voice)
        media.connect(LEG, leg)
        said = time.monotonic()
        speaker.say(to, tone(700, 0.2))
        peer.wait(before + 10)
    packets = peer.came
    assert len({each.source for each in packets}) == 1
    assert [(later.number - one.number) & 0xFFFF for one, later in pairwise(packets)] == [1] * (len(packets) - 1)
    assert [place for place, each in enumerate(packets) if each.marker] == [0, 10, 20]
    # The first was sent between when that was asked and when it came, the last one 9 after the first of its speaker's.
    least, most = said + 9 * TICK - packets[0].moment, packets[-1].moment - asked
    assert least - 0.1 <= ((packets[-1].stamp - packets[0].stamp) & 0xFFFFFFFF) / 8_000 <= most + 0.1


def test_connecting_stops_what_is_played_and_parts_who_was_heard_before(
    media: EngineMedia, ear: Ear, telephone: Telephone, peer: Peer, other: Peer, tmp_path: Path
) -> None:
    third = telephone(stream=Sender(source=77))
    to, to_other = bridged(media, peer, other)
    to_third = media.open(6)
    media.agree(6, third.voice)
    media.play(6, 7, (clip(tmp_path, "a", tone(300, 60)),), 0)
    third.wait(3)
    media.connect(LEG, 6)
    both_say(peer, to, third, to_third, 0.2)
    other.say(to_other, tone(2_000, 0.1))
    both_say(peer, to, third, to_third, 0.2)
    assert len(peer.wait(20)) == 20
    assert hertz(peer.heard) == pytest.approx(1_000, abs=20)
    assert hertz(third.heard[-1_000:]) == pytest.approx(440, abs=20)
    assert other.came == []
    assert ear.of("played") == []


def test_legs_that_are_parted_hear_nobody(media: EngineMedia, ear: Ear, peer: Peer, other: Peer) -> None:
    to, to_other = bridged(media, peer, other)
    media.part(OTHER)
    peer.say(to, tone(440, 0.1))
    other.say(to_other, tone(440, 0.1))
    peer.press(to, "1")
    ear.wait("key")
    assert peer.came == other.came == []


def test_music_on_hold_is_heard_in_place_of_the_other_until_they_are_connected_again(
    media: EngineMedia, peer: Peer, other: Peer, tmp_path: Path
) -> None:
    to, to_other = bridged(media, peer, other)
    music = encoded(tone(300, 0.1))
    media.play(LEG, 7, (clip(tmp_path, "music", tone(300, 0.1)),), 0)
    peer.wait(2)
    both_say(peer, to, other, to_other, 0.3)
    assert {each.payload for each in peer.came} <= {music[at : at + FRAME] for at in range(0, len(music), FRAME)}
    media.connect(LEG, OTHER)
    before = len(peer.came)
    both_say(peer, to, other, to_other, 0.3)
    peer.wait(before + 15)
    assert hertz(peer.heard[-2_000:]) == pytest.approx(1_000, abs=20)


def test_what_is_lost_on_the_way_is_seen_as_lost_and_counted(
    media_of_its_own: EngineMedia, ear: Ear, peer: Peer, other: Peer
) -> None:
    media = media_of_its_own
    to, to_other = bridged(media, peer, other)
    for place in range(50):
        packet = peer.stream.sound(encoded(tone(440, 0.02)))
        if place % 10 != 5:
            peer.socket.sendto(packet, to)
    packets = other.wait(45)
    assert [(later.number - one.number) & 0xFFFF for one, later in pairwise(packets)].count(2) == 5
    until(lambda: media.figures() == (45, 5))
    media.release(LEG)
    assert ear.wait("ended") == [(LEG, "PCMU", 45, 5)]
    other.say(to_other, tone(1_000, 0.02))
    # Those of a leg that is over are not forgotten.
    until(lambda: media.figures() == (46, 5))


def test_behind_a_nat_sound_comes_from_and_goes_to_another_port(media: EngineMedia, peer: Peer, other: Peer) -> None:
    to, to_other = media.open(LEG), media.open(OTHER)
    media.agree(LEG, msgspec.structs.replace(peer.voice, address=(peer.host, 9)))
    media.agree(OTHER, other.voice)
    media.connect(LEG, OTHER)
    peer.say(to, tone(440, 0.02))
    other.wait(1)
    both_say(peer, to, other, to_other)
    peer.wait(25)
    other.wait(26)
    assert hertz(peer.heard) == pytest.approx(1_000, abs=5)


def test_a_leg_that_says_nothing_is_silent(media: EngineMedia, ear: Ear, peer: Peer) -> None:
    to = media.open(LEG)
    media.agree(LEG, peer.voice)
    peer.say(to, tone(440, 0.2))
    said = time.monotonic()
    assert ear.wait("silent") == [(LEG,)]
    assert 0.3 < ear.moment("silent") - said < 3

    peer.say(to, tone(440, 0.04))
    ear.wait("silent", 2)


def test_who_is_held_is_not_missed(media: EngineMedia, ear: Ear, peer: Peer, other: Peer) -> None:
    media.open(LEG)
    media.open(OTHER)
    media.agree(LEG, msgspec.structs.replace(peer.voice, sends=False))
    media.agree(OTHER, other.voice)
    ear.wait("silent")
    pause(time.monotonic() + 0.2)
    assert ear.of("silent") == [(OTHER,)], "Nothing was ever heard of it, and it is told once."


def test_a_telephone_is_told_how_much_of_it_came(
    media: EngineMedia, telephone: Telephone, peer: Peer, tmp_path: Path
) -> None:
    to = media.open(LEG)
    media.agree(LEG, peer.voice)
    for place in range(40):
        packet = peer.stream.sound(encoded(tone(440, 0.02)))
        if place % 4:
            peer.socket.sendto(packet, to)
    peer.reports.sendto(report(peer.stream.source, 0x1234_5678), (to[0], to[1] + 1))
    for host, source in (("127.0.0.2", peer.stream.source), ("127.0.0.1", 0xBAD)):
        bad = stranger(telephone, host)
        bad.reports.sendto(report(source, 0xBAD0_0BAD), (to[0], to[1] + 1))
    media.play(LEG, 7, (clip(tmp_path, "a", tone(440, 0.1)),), 0)
    content, at = peer.reports.recvfrom(2_000)
    assert at == (to[0], to[1] + 1)
    kind, length, ours = content[1], *struct.unpack_from("!HI", content, 2)
    stamp, packets, octets = struct.unpack_from("!III", content, 16)
    source, lost, highest, jitter, last, since = struct.unpack_from("!IIIIII", content, 28)
    assert (kind, length, ours) == (200, 12, peer.came[0].source)
    sent = [each for each in peer.came if (stamp - each.stamp) & 0xFFFFFFFF < 1 << 31]
    assert packets == pytest.approx(len(sent), abs=2)
    assert octets == packets * FRAME
    assert source == peer.stream.source
    assert (lost >> 24, lost & 0xFFFFFF) == (9 * 256 // 39, 9)
    assert highest & 0xFFFF == peer.stream.number & 0xFFFF
    assert jitter >= 0
    assert last == 0x12345678
    assert 0 < since / 65_536 < 10
    media.release(LEG)
    content, _ = peer.reports.recvfrom(2_000)
    assert content[9] == 203, "It says that it is over."


def report(source: int, middle: int) -> bytes:
    """A sender's report, with the middle of its time."""
    high, low = 0xAAAA0000 | middle >> 16, middle << 16 & 0xFFFFFFFF
    return struct.pack("!BBHIIIIII", 0x80, 200, 6, source, high, low, 0, 40, 6_400)
