"""Sound between real sockets, by the process that carries it."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from offhook.telephony.worker.media import EngineMedia
from offhook.telephony.worker.sound import PCMA, PCMU
from tests.telephony.worker.rtp_peers import FRAME, Ear, Peer, Sender, clip, encoded, hertz, tone

LEG, OTHER = 2, 4


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def media(ear: Ear) -> Iterator[EngineMedia]:
    media = EngineMedia(ear, ports=(31_000, 31_998), silence=0.4)
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
    assert path.read_bytes()[58:][-4_000:] == encoded(tone(440, 0.5))
    assert [each.name for each in tmp_path.iterdir()] == ["message.wav"]


def test_a_leg_that_says_nothing_is_silent(media: EngineMedia, ear: Ear, peer: Peer) -> None:
    to = media.open(LEG)
    media.agree(LEG, peer.voice)
    peer.say(to, tone(440, 0.2))
    said = time.monotonic()
    assert ear.wait("silent") == [(LEG,)]
    assert 0.3 < ear.moment("silent") - said < 0.7


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
