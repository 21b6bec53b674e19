"""Three and more who hear each other, by the process that carries sound: real packets, each its own tone."""

import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from offhook.telephony.worker import g711
from offhook.telephony.worker.media import EngineMedia
from offhook.telephony.worker.plain import Plain
from offhook.telephony.worker.sound import PCMA, PCMU, Media
from tests.telephony.worker.rtp_peers import Ear, Peer, Samples, Sender, clip, hertz, tone

LEGS = (2, 4, 6)
TONES = {2: 500.0, 4: 1_000.0, 6: 1_500.0, 8: 2_000.0}
SECONDS = 0.5


@pytest.fixture(scope="module")
def ear() -> Ear:
    return Ear()


@pytest.fixture(scope="module")
def engine(ear: Ear) -> Iterator[EngineMedia]:
    """One process for all."""
    media = EngineMedia(ear, silence=30)
    yield media
    media.close()


@pytest.fixture(params=["engine", "plain"])
def media(request: pytest.FixtureRequest, ear: Ear) -> Iterator[Media]:
    """What carries sound, and the simpler one that tests have in its place."""
    if request.param == "engine":
        yield request.getfixturevalue("engine")
        return
    plain = Plain(ear, "127.0.0.1", "127.0.0.1")
    yield plain
    plain.close()


class Everybody:
    """Telephones with a leg each; two codecs among them."""

    def __init__(self, media: Media, *legs: int) -> None:
        self.peers = {
            leg: Peer(codec=PCMA if leg == 4 else PCMU, stream=Sender(source=leg, number=leg, stamp=leg))
            for leg in legs
        }
        self._media = media
        self.to = {}
        for leg, peer in self.peers.items():
            self.to[leg] = media.open(leg)
            media.agree(leg, peer.voice)

    def say(self, seconds: float = SECONDS) -> None:
        """All at once, each their own tone."""
        speaking = [
            threading.Thread(target=peer.say, args=(self.to[leg], tone(TONES[leg], seconds)))
            for leg, peer in self.peers.items()
        ]
        for one in speaking:
            one.start()
        for one in speaking:
            one.join()

    def hears(self, leg: int, since: int = 0) -> set[int]:
        """Whose tones a telephone heard."""
        peer = self.peers[leg]
        packets = peer.wait(since + 15, kind=peer.codec)[since:]
        samples = np.array([g711.SAMPLES[peer.codec][code] for each in packets for code in each.payload])
        return {of for of, pitch in TONES.items() if level(samples, pitch) > 800}

    def close(self) -> None:
        for leg, peer in self.peers.items():
            self._media.release(leg)
            peer.close()


def level(samples: Samples, pitch: float) -> float:
    """How loud a tone is, of its 8,000."""
    moments = np.arange(len(samples)) / g711.RATE
    return float(
        abs(np.dot(samples * np.hanning(len(samples)), np.exp(-2j * np.pi * pitch * moments))) * 4 / len(samples)
    )


def test_three_hear_each_other_in_their_own_codecs_and_not_themselves(media: Media) -> None:
    all_of_them = Everybody(media, *LEGS)
    media.join(LEGS)
    all_of_them.say()
    for leg in LEGS:
        assert all_of_them.hears(leg) == set(LEGS) - {leg}
    all_of_them.close()


def test_one_leaves_and_the_two_who_are_left_hear_each_other(media: Media) -> None:
    all_of_them = Everybody(media, *LEGS)
    media.join(LEGS)
    all_of_them.say(0.2)
    media.release(2)
    all_of_them.peers.pop(2).close()
    since = {leg: len(peer.came) for leg, peer in all_of_them.peers.items()}
    all_of_them.say(0.8)
    for leg, other in ((4, 6), (6, 4)):
        peer = all_of_them.peers[leg]
        peer.wait(since[leg] + 30, kind=peer.codec)
        assert all_of_them.hears(leg, since[leg] + 5) == {other}
    all_of_them.close()


def test_two_who_talk_are_joined_by_a_third_and_a_fourth(engine: EngineMedia) -> None:
    all_of_them = Everybody(engine, *TONES)
    engine.connect(2, 4)
    engine.join((2, 4, 6))
    engine.join((2, 4, 6, 8))
    all_of_them.say()
    for leg in TONES:
        assert all_of_them.hears(leg) == set(TONES) - {leg}
    all_of_them.close()


def test_two_of_three_are_connected_and_the_third_hears_nobody(engine: EngineMedia) -> None:
    all_of_them = Everybody(engine, *LEGS)
    engine.join(LEGS)
    engine.connect(2, 4)
    all_of_them.say()
    assert all_of_them.hears(2) == {4}
    assert all_of_them.hears(4) == {2}
    assert hertz(all_of_them.peers[6].heard) == 0.0
    all_of_them.close()


def test_each_is_sent_one_stream_without_gaps(engine: EngineMedia) -> None:
    all_of_them = Everybody(engine, *LEGS)
    engine.join(LEGS)
    all_of_them.say()
    packets = all_of_them.peers[2].wait(20)
    assert len({each.source for each in packets}) == 1
    assert [(each.number - packets[0].number) & 0xFFFF for each in packets] == list(range(len(packets)))
    assert {(b.stamp - a.stamp) & 0xFFFFFFFF for a, b in pairwise(packets)} == {160}
    all_of_them.close()


def test_what_is_played_to_one_is_heard_by_them_alone(engine: EngineMedia, tmp_path: Path) -> None:
    all_of_them = Everybody(engine, *LEGS)
    engine.join(LEGS)
    engine.play(2, 1, (clip(tmp_path, "music", tone(2_000, 5)),), 1)
    all_of_them.say()
    assert all_of_them.hears(2) == {8}
    assert all_of_them.hears(6) == {2, 4}
    all_of_them.close()


def test_a_recording_of_both_sides_has_all_of_them(engine: EngineMedia, ear: Ear, tmp_path: Path) -> None:
    all_of_them = Everybody(engine, *LEGS)
    engine.join(LEGS)
    path = tmp_path / "call.wav"
    engine.record(2, str(path), True)
    all_of_them.say(0.8)
    engine.stop_recording(2)
    [(_, _, seconds, fault)] = ear.wait("recorded")
    assert fault == ""
    assert isinstance(seconds, float)
    assert seconds > 0.5
    samples, _ = soundfile.read(path, dtype="int16")
    said, heard = samples[:, 0].astype(float), samples[:, 1].astype(float)
    assert {of for of, pitch in TONES.items() if level(said, pitch) > 800} == {2}
    assert {of for of, pitch in TONES.items() if level(heard, pitch) > 800} == {4, 6}
    all_of_them.close()
