"""Sound between real sockets, by the process that carries it."""

import os
import random
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile

from offhook.telephony.worker.media import EngineMedia
from offhook.telephony.worker.sound import PCMA, PCMU, NoPort
from tests.telephony.worker.rtp_peers import FRAME, Came, Ear, Peer, Sender, clip, encoded, hertz, pause, tone

LEG, OTHER = 2, 4


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def media(ear: Ear) -> Iterator[EngineMedia]:
    media = EngineMedia(ear, silence=0.4)
    yield media
    media.close()


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer()
    yield peer
    peer.close()


@pytest.fixture
def other() -> Iterator[Peer]:
    peer = Peer(events=96, stream=Sender(source=0x9999, number=7))
    yield peer
    peer.close()


def bridged(media: EngineMedia, peer: Peer, other: Peer) -> tuple[tuple[str, int], tuple[str, int]]:
    """Two legs that hear each other: where each is to speak to."""
    to, to_other = media.open(LEG), media.open(OTHER)
    media.agree(LEG, peer.voice)
    media.agree(OTHER, other.voice)
    media.connect(LEG, OTHER)
    return to, to_other


def both_say(peer: Peer, to: tuple[str, int], other: Peer, to_other: tuple[str, int], seconds: float = 0.5) -> None:
    speaking = threading.Thread(target=other.say, args=(to_other, tone(1_000, seconds)))
    speaking.start()
    peer.say(to, tone(440, seconds))
    speaking.join()


def test_two_legs_hear_each_other(media: EngineMedia, peer: Peer, other: Peer) -> None:
    to, to_other = bridged(media, peer, other)
    both_say(peer, to, other, to_other)
    peer.wait(25)
    other.wait(25)
    assert hertz(other.heard) == pytest.approx(440, abs=5)
    assert hertz(peer.heard) == pytest.approx(1_000, abs=5)
    assert {each.at for each in peer.came} == {to}, "It comes from where it is to be sent to: it is symmetric."


def test_a_prompt_is_heard_from_its_beginning_to_its_end(
    media: EngineMedia, ear: Ear, peer: Peer, tmp_path: Path
) -> None:
    media.open(LEG)
    media.agree(LEG, peer.voice)
    samples = np.concatenate([tone(300, 0.3), tone(700, 0.3)])
    media.play(LEG, 7, (clip(tmp_path, "a", samples),), 1)
    assert ear.wait("played") == [(LEG, 7, "")]
    packets = peer.wait(30)
    assert b"".join(each.payload for each in packets) == encoded(samples)
    assert ear.moment("played") >= packets[-1].moment


def test_a_prompt_begins_within_20_ms(media: EngineMedia, peer: Peer, tmp_path: Path) -> None:
    media.open(LEG)
    media.agree(LEG, peer.voice)
    file = clip(tmp_path, "a", tone(300, 5))
    taken = []
    for turn in range(5):
        asked, before = time.monotonic(), len(peer.came)
        media.play(LEG, turn, (file,), 1)
        began = next(each for each in peer.wait(before + 2)[before:] if each.marker)
        taken.append(began.moment - asked)
    assert min(taken) < 0.02, "The others wait for a core, not for a turn."


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


@pytest.mark.parametrize(("codec", "other_codec"), [(PCMU, PCMA), (PCMA, PCMU), (PCMA, PCMA)])
def test_legs_of_two_codecs_hear_each_other(media: EngineMedia, codec: int, other_codec: int) -> None:
    peer, other = Peer(codec=codec), Peer(codec=other_codec)
    to, to_other = bridged(media, peer, other)
    both_say(peer, to, other, to_other)
    peer.wait(25, kind=codec)
    other.wait(25, kind=other_codec)
    assert hertz(other.heard) == pytest.approx(440, abs=5)
    assert hertz(peer.heard) == pytest.approx(1_000, abs=5)
    assert len(peer.heard) == 25 * FRAME


# Files that are played


def test_files_follow_each_other_without_a_gap_as_often_as_asked(
    media: EngineMedia, ear: Ear, peer: Peer, tmp_path: Path
) -> None:
    media.open(LEG)
    media.agree(LEG, peer.voice)
    one, two = encoded(tone(300, 0.0301)), encoded(tone(700, 0.0503))
    (tmp_path / "one.ulaw").write_bytes(one)
    (tmp_path / "two.ulaw").write_bytes(two)
    media.play(LEG, 7, (str(tmp_path / "one"), str(tmp_path / "two")), 3)
    ear.wait("played")
    packets = peer.wait(-(-3 * len(one + two) // FRAME))
    assert {len(each.payload) for each in packets} == {FRAME}
    assert b"".join(each.payload for each in packets).rstrip(b"\xff") == ((one + two) * 3).rstrip(b"\xff")
    assert consecutive(packets)


def test_music_goes_on_until_it_is_stopped_at_once(media: EngineMedia, ear: Ear, peer: Peer, tmp_path: Path) -> None:
    media.open(LEG)
    media.agree(LEG, peer.voice)
    media.play(LEG, 7, (clip(tmp_path, "music", tone(300, 0.1)),), 0)
    peer.wait(12)
    media.stop(LEG)
    stopped = time.monotonic()
    media.play(LEG, 8, (clip(tmp_path, "next", tone(700, 0.1)),), 1)
    assert ear.wait("played") == [(LEG, 8, "")], "Nothing is told of what was stopped."
    assert [each.marker for each in peer.came].count(True) == 2
    second = next(place for place, each in enumerate(peer.came) if each.marker and place)
    assert peer.came[second - 1].moment < stopped + 0.02


def test_a_file_that_is_not_there_is_told_at_once(media: EngineMedia, ear: Ear, peer: Peer, tmp_path: Path) -> None:
    media.open(LEG)
    media.agree(LEG, peer.voice)
    (tmp_path / "empty.ulaw").write_bytes(b"")
    for token, name in enumerate(("nowhere", "empty", "no\0name")):
        media.play(LEG, token, (str(tmp_path / name),), 1)
        ear.wait("played", token + 1)
    assert ear.of("played") == [
        (LEG, 0, "there is no such file"),
        (LEG, 1, "there is nothing in it"),
        (LEG, 2, "its name is none"),
    ]


@pytest.mark.parametrize("has", [PCMU, PCMA])
@pytest.mark.parametrize("speaks", [PCMU, PCMA])
def test_a_leg_hears_a_file_in_its_own_codec(
    media: EngineMedia, ear: Ear, tmp_path: Path, has: int, speaks: int
) -> None:
    peer = Peer(codec=speaks)
    media.open(LEG)
    media.agree(LEG, peer.voice)
    media.play(LEG, 7, (clip(tmp_path, "a", tone(440, 0.3), has),), 1)
    ear.wait("played")
    peer.wait(15)
    assert hertz(peer.heard) == pytest.approx(440, abs=5)
    assert np.abs(peer.heard.astype(int) - tone(440, 0.3)).max() < 600


def test_what_is_played_before_anything_is_agreed_begins_then(
    media: EngineMedia, ear: Ear, peer: Peer, tmp_path: Path
) -> None:
    media.open(LEG)
    samples = tone(440, 0.1)
    media.play(LEG, 7, (clip(tmp_path, "a", samples),), 1)
    media.agree(LEG, peer.voice)
    assert ear.wait("played") == [(LEG, 7, "")]
    assert b"".join(each.payload for each in peer.wait(5)) == encoded(samples)


def test_who_wants_to_hear_nothing_is_sent_nothing_and_the_prompt_still_ends(
    media: EngineMedia, ear: Ear, peer: Peer, tmp_path: Path
) -> None:
    media.open(LEG)
    media.agree(LEG, msgspec.structs.replace(peer.voice, hears=False))
    media.play(LEG, 7, (clip(tmp_path, "a", tone(440, 0.1)),), 1)
    assert ear.wait("played") == [(LEG, 7, "")]
    assert peer.came == []


# Who hears whom


def test_a_leg_hears_one_stream_whoever_speaks_in_it(
    media: EngineMedia, ear: Ear, peer: Peer, other: Peer, tmp_path: Path
) -> None:
    """A prompt, then one telephone, then another: one source, numbers that follow, timestamps of real time."""
    third = Peer(stream=Sender(source=77, number=40_000, stamp=9))
    media.open(LEG)
    media.agree(LEG, peer.voice)
    media.play(LEG, 7, (clip(tmp_path, "a", tone(300, 0.2)),), 1)
    ear.wait("played")
    for leg, speaker in ((OTHER, other), (6, third)):
        before = len(peer.came)
        to = media.open(leg)
        media.agree(leg, speaker.voice)
        media.connect(LEG, leg)
        speaker.say(to, tone(700, 0.2))
        peer.wait(before + 10)
    packets = peer.came
    assert len({each.source for each in packets}) == 1
    assert [(later.number - one.number) & 0xFFFF for one, later in pairwise(packets)] == [1] * (len(packets) - 1)
    assert [place for place, each in enumerate(packets) if each.marker] == [0, 10, 20]
    taken = packets[-1].moment - packets[0].moment
    assert ((packets[-1].stamp - packets[0].stamp) & 0xFFFFFFFF) / 8_000 == pytest.approx(taken, abs=0.1)
    third.close()


def test_connecting_stops_what_is_played_and_parts_who_was_heard_before(
    media: EngineMedia, ear: Ear, peer: Peer, other: Peer, tmp_path: Path
) -> None:
    third = Peer(stream=Sender(source=77))
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
    third.close()


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
    media: EngineMedia, ear: Ear, peer: Peer, other: Peer
) -> None:
    to, _ = bridged(media, peer, other)
    for place in range(50):
        packet = peer.stream.sound(encoded(tone(440, 0.02)))
        if place % 10 != 5:
            peer.socket.sendto(packet, to)
    packets = other.wait(45)
    assert [(later.number - one.number) & 0xFFFF for one, later in pairwise(packets)].count(2) == 5
    assert eventually(media.figures) == (45, 5)
    media.release(LEG)
    assert ear.wait("ended") == [(LEG, "PCMU", 45, 5)]
    assert eventually(media.figures) == (45, 5), "Those of a leg that is over are not forgotten."


# Keys


def test_a_side_that_knows_no_keys_is_sent_none_and_misses_nothing(media: EngineMedia, ear: Ear, peer: Peer) -> None:
    other = Peer(events=None)
    to, _ = bridged(media, peer, other)
    peer.say(to, tone(440, 0.1))
    peer.press(to, "9")
    peer.say(to, tone(440, 0.1))
    assert ear.wait("key") == [(LEG, "9")]
    packets = other.wait(10)
    assert {each.kind for each in packets} == {PCMU}
    assert [(later.number - one.number) & 0xFFFF for one, later in pairwise(packets)] == [1] * 9
    other.close()


def test_a_key_whose_end_is_lost_is_told_all_the_same(media: EngineMedia, ear: Ear, peer: Peer) -> None:
    to = media.open(LEG)
    media.agree(LEG, peer.voice)
    peer.press(to, "7", ends=0)
    assert ear.wait("key") == [(LEG, "7")]


def test_keys_beyond_all_reason_are_not_told(media: EngineMedia, ear: Ear, peer: Peer) -> None:
    to = media.open(LEG)
    media.agree(LEG, peer.voice)
    for _ in range(60):
        peer.press(to, "1", updates=0, ends=1)
    peer.say(to, tone(440, 0.2))
    assert 20 <= len(ear.wait("key", 20)) <= 40


# Strangers


def stranger(host: str) -> Peer:
    return Peer(host=host, stream=Sender(source=0xBAD))


@pytest.mark.parametrize("host", ["127.0.0.2", "127.0.0.1"])
def test_a_third_socket_neither_gets_a_word_in_nor_hears_one(
    media: EngineMedia, ear: Ear, peer: Peer, other: Peer, host: str
) -> None:
    """Not before the call's own packets, not between them, not with their source; from another host or the same."""
    to, to_other = bridged(media, peer, other)
    bad = stranger(host)
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
    bad.close()


def test_behind_a_nat_sound_comes_from_and_goes_to_another_port(media: EngineMedia, peer: Peer, other: Peer) -> None:
    to, to_other = media.open(LEG), media.open(OTHER)
    media.agree(LEG, msgspec.structs.replace(peer.voice, address=(peer.host, 9)))
    media.agree(OTHER, other.voice)
    media.connect(LEG, OTHER)
    both_say(peer, to, other, to_other)
    peer.wait(23)
    other.wait(25)
    assert hertz(peer.heard) == pytest.approx(1_000, abs=5)


def test_rubbish_harms_nobody(ear: Ear, peer: Peer, other: Peer) -> None:
    faults: list[str] = []
    media = EngineMedia(ear, fault=lambda what, count: faults.append(what))
    numbers = random.Random(5)
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
    began = len(other.came)
    pause(time.monotonic() + 0.3)
    both_say(peer, to, other, to_other)
    other.wait(began + 20)
    peer.wait(25)
    eventually(media.figures)
    media.close()
    assert faults == []
    assert hertz(peer.heard) == pytest.approx(1_000, abs=5)


def test_a_flood_is_not_heard_by_others(media: EngineMedia, peer: Peer, other: Peer) -> None:
    to, to_other = bridged(media, peer, other)
    bad = stranger("127.0.0.2")
    flooded = media.open(6)
    media.agree(6, bad.voice)
    ends = threading.Event()

    def flood() -> None:
        while not ends.is_set():
            bad.socket.sendto(bad.stream.sound(bytes(FRAME)), flooded)

    flooding = threading.Thread(target=flood)
    flooding.start()
    both_say(peer, to, other, to_other)
    ends.set()
    flooding.join()
    peer.wait(25)
    other.wait(25)
    received, _ = eventually(media.figures)
    assert received < 50 + 100 * 20, "No more is taken of a leg than a hundred packets in a tenth of a second."
    assert media.strangers() == 0
    media.agree(6, peer.voice)
    bad.socket.sendto(bad.stream.sound(bytes(FRAME)), flooded)
    eventually(media.figures)
    assert media.strangers() == 1
    bad.close()


# Recordings


def test_what_a_leg_says_is_recorded(media: EngineMedia, ear: Ear, peer: Peer, tmp_path: Path) -> None:
    to = media.open(LEG)
    media.agree(LEG, peer.voice)
    path = tmp_path / "message.wav"
    media.record(LEG, str(path), False)
    peer.say(to, tone(440, 0.5))
    media.stop_recording(LEG)
    ((leg, told, seconds, fault),) = ear.wait("recorded")
    assert (leg, told, fault) == (LEG, str(path), "")
    assert seconds == pytest.approx(0.5, abs=0.03)
    samples, _ = soundfile.read(path, dtype="int16")
    assert encoded(samples[-4_000:]) == encoded(tone(440, 0.5))
    assert [each.name for each in tmp_path.iterdir()] == ["message.wav"]


def test_both_sides_are_recorded_each_in_its_channel(
    media: EngineMedia, ear: Ear, peer: Peer, other: Peer, tmp_path: Path
) -> None:
    to, to_other = bridged(media, peer, other)
    path = tmp_path / "call.wav"
    media.record(LEG, str(path), True)
    both_say(peer, to, other, to_other)
    peer.wait(25)
    assert not path.exists(), "It has its name only when it is whole."
    media.release(LEG)
    ((_, _, seconds, fault),) = ear.wait("recorded")
    assert fault == ""
    assert seconds == pytest.approx(0.5, abs=0.1)
    samples, rate = soundfile.read(path, dtype="int16")
    assert rate == 8_000
    assert soundfile.info(path).subtype == "ULAW"
    assert hertz(samples[:, 0]) == pytest.approx(440, abs=5)
    assert hertz(samples[:, 1]) == pytest.approx(1_000, abs=5)


def test_a_prompt_is_on_the_recording_of_both_sides(media: EngineMedia, ear: Ear, tmp_path: Path) -> None:
    peer = Peer(codec=PCMA)
    media.open(LEG)
    media.agree(LEG, peer.voice)
    media.record(LEG, str(tmp_path / "call.wav"), True)
    media.play(LEG, 7, (clip(tmp_path, "a", tone(300, 0.3)),), 1)
    ear.wait("played")
    media.stop_recording(LEG)
    ear.wait("recorded")
    samples, _ = soundfile.read(tmp_path / "call.wav", dtype="int16")
    assert soundfile.info(tmp_path / "call.wav").subtype == "ALAW"
    assert hertz(samples[:, 1]) == pytest.approx(300, abs=5)
    assert not samples[:, 0].any() or np.abs(samples[:, 0]).max() <= 8, "They said nothing."


def test_a_recording_that_cannot_be_written_is_said_so(
    media: EngineMedia, ear: Ear, peer: Peer, tmp_path: Path
) -> None:
    to = media.open(LEG)
    media.agree(LEG, peer.voice)
    path = str(tmp_path / "nowhere" / "a.wav")
    media.record(LEG, path, False)
    peer.say(to, tone(440, 0.04))
    media.stop_recording(LEG)
    assert ear.wait("recorded") == [(LEG, path, 0.0, "No such file or directory")]


def test_a_second_recording_ends_the_first(media: EngineMedia, ear: Ear, peer: Peer, tmp_path: Path) -> None:
    to = media.open(LEG)
    media.agree(LEG, peer.voice)
    for name in ("one.wav", "two.wav"):
        media.record(LEG, str(tmp_path / name), False)
        peer.say(to, tone(440, 0.1))
    media.close()
    assert [each[1] for each in ear.wait("recorded", 2)] == [str(tmp_path / "one.wav"), str(tmp_path / "two.wav")]
    for name in ("one.wav", "two.wav"):
        # What was said of the first packet before it began is not on it.
        assert 800 - FRAME < len(soundfile.read(tmp_path / name)[0]) < 8_000


# Silence


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


# Reports


def test_a_telephone_is_told_how_much_of_it_came(media: EngineMedia, peer: Peer, tmp_path: Path) -> None:
    to = media.open(LEG)
    media.agree(LEG, peer.voice)
    for place in range(40):
        packet = peer.stream.sound(encoded(tone(440, 0.02)))
        if place % 4:
            peer.socket.sendto(packet, to)
    peer.reports.sendto(report(peer.stream.source, 0x1234_5678), (to[0], to[1] + 1))
    for bad, source in ((stranger("127.0.0.2"), peer.stream.source), (stranger("127.0.0.1"), 0xBAD)):
        bad.reports.sendto(report(source, 0xBAD0_0BAD), (to[0], to[1] + 1))
    media.play(LEG, 7, (clip(tmp_path, "a", tone(440, 0.1)),), 0)
    content, at = peer.reports.recvfrom(2_000)
    assert at == (to[0], to[1] + 1)
    kind, length, ours, packets = (
        content[1],
        *struct.unpack_from("!HI", content, 2),
        *struct.unpack_from("!I", content, 20),
    )
    source, lost, highest, jitter, last, since = struct.unpack_from("!IIIIII", content, 28)
    assert (kind, length, ours) == (200, 12, peer.came[0].source)
    assert packets == pytest.approx(len(peer.came), abs=2)
    assert source == peer.stream.source
    assert (lost >> 24, lost & 0xFFFFFF) == (9 * 256 // 39, 9)
    assert highest & 0xFFFF == peer.stream.number & 0xFFFF
    assert jitter >= 0
    assert last == 0x12345678
    assert 0 < since / 65_536 < 10
    media.release(LEG)
    content, _ = peer.reports.recvfrom(2_000)
    assert content[9] == 203, "It says that it is over."


# Ports, and the process


def test_ports_run_out_and_come_back(ear: Ear) -> None:
    first = free_ports(4)
    media = EngineMedia(ear, ports=(first, first + 2))
    ports = {media.open(2)[1], media.open(4)[1]}
    assert ports == {first, first + 2}
    with pytest.raises(NoPort):
        media.open(6)
    media.release(2)
    assert retried(lambda: media.open(6))[1] in ports
    media.close()


def test_a_port_that_somebody_else_has_is_passed_over(ear: Ear) -> None:
    first = free_ports(6)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as theirs:
        theirs.bind(("127.0.0.1", first + 3))
        media = EngineMedia(ear, ports=(first, first + 4))
        assert {media.open(2)[1], media.open(4)[1]} == {first, first + 4}
        media.close()


def test_what_is_told_the_other_side_may_be_another_address(ear: Ear) -> None:
    media = EngineMedia(ear, advertised="192.0.2.7")
    assert media.open(LEG)[0] == "192.0.2.7"
    media.close()


def test_a_leg_that_is_not_there_is_left_alone(media: EngineMedia, ear: Ear, peer: Peer, tmp_path: Path) -> None:
    media.connect(LEG, OTHER)
    media.open(LEG)
    media.connect(LEG, OTHER)
    for leg in (OTHER, LEG):
        media.release(leg)
        media.agree(leg, peer.voice)
        media.part(leg)
        media.play(leg, 1, ("a",), 1)
        media.stop(leg)
        media.record(leg, str(tmp_path / "a.wav"), False)
        media.stop_recording(leg)
        media.release(leg)
    media.close()
    # But who waits for a recording is told that there is none.
    recorded = [("recorded", leg, str(tmp_path / "a.wav"), 0.0, "") for leg in (OTHER, LEG)]
    assert sorted(ear.told) == sorted([*recorded, ("ended", LEG, "", 0, 0)]), "That the one is over which was there."


def test_should_the_process_end_all_is_told_and_the_next_call_finds_another(
    media: EngineMedia, ear: Ear, peer: Peer, tmp_path: Path
) -> None:
    media.open(LEG)
    media.agree(LEG, peer.voice)
    path = str(tmp_path / "a.wav")
    media.record(LEG, path, False)
    media.play(LEG, 7, (clip(tmp_path, "a", tone(440, 0.2)),), 0)
    peer.wait(2)
    os.kill(media.pid, signal.SIGKILL)
    assert ear.wait("recorded") == [(LEG, path, 0.0, "it was cut off")]
    assert ear.of("cut") == [(LEG,)]
    assert ear.of("played") == [(LEG, 7, "it was cut off")]
    other = Peer()
    retried(lambda: media.open(OTHER))
    media.agree(OTHER, other.voice)
    media.play(OTHER, 8, (str(tmp_path / "a"),), 1)
    other.wait(10)
    other.close()


def test_what_was_recorded_until_the_process_ended_is_whole(
    media: EngineMedia, ear: Ear, peer: Peer, tmp_path: Path
) -> None:
    to = media.open(LEG)
    media.agree(LEG, peer.voice)
    path = tmp_path / "a.wav"
    media.record(LEG, str(path), False)
    peer.say(to, tone(440, 1.2))
    until(lambda: any(tmp_path.iterdir()))
    os.kill(media.pid, signal.SIGKILL)
    [(_, told, seconds, fault)] = ear.wait("recorded")
    assert (told, fault) == (str(path), "")
    samples = soundfile.read(path, dtype="int16")[0]
    assert hertz(samples) == pytest.approx(440, abs=5)
    assert seconds == pytest.approx(len(samples) / 8_000, abs=0.03)
    assert 0.5 <= len(samples) / 8_000 <= 1.3
    assert [one.name for one in tmp_path.iterdir()] == ["a.wav"]


def test_it_ends_with_who_began_it(tmp_path: Path) -> None:
    media = EngineMedia(Ear())
    pid = media.pid
    media.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def free_ports(count: int) -> int:
    """The first of so many ports in a row that nobody has, an even one."""
    while True:
        first = random.randrange(20_000, 30_000, 2)
        with ExitStack() as stack, suppress(OSError):
            for number in range(first, first + count):
                each = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                each.bind(("127.0.0.1", number))
            return first


def report(source: int, middle: int) -> bytes:
    """A sender's report, with the middle of its time."""
    high, low = 0xAAAA0000 | middle >> 16, middle << 16 & 0xFFFFFFFF
    return struct.pack("!BBHIIIIII", 0x80, 200, 6, source, high, low, 0, 40, 6_400)


def consecutive(packets: list[Came]) -> bool:
    """Whether numbers and timestamps follow each other."""
    return all(
        (later.number - one.number) & 0xFFFF == 1 and (later.stamp - one.stamp) & 0xFFFFFFFF == FRAME
        for one, later in pairwise(packets)
    )


def eventually(figures: Callable[[], tuple[int, int]]) -> tuple[int, int]:
    """The figures, once they do not change any more: they are told each second."""
    pause(time.monotonic() + 1.3)
    return figures()


def until(happened: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    ends = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < ends
        pause(time.monotonic() + 0.02)


def retried(opened: Callable[[], tuple[str, int]]) -> tuple[str, int]:
    """A port, once there is one."""
    ends = time.monotonic() + 10
    while True:
        try:
            return opened()
        except NoPort:
            assert time.monotonic() < ends
            pause(time.monotonic() + 0.02)
