"""Files are played: at once, without gaps, in the codec of who hears them, until they end or are stopped."""

import time
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest

from offhook.telephony.worker.engine import TICK
from offhook.telephony.worker.media import EngineMedia
from offhook.telephony.worker.sound import PCMA, PCMU
from tests.telephony.worker.media.bridge import LEG, OTHER, Telephone
from tests.telephony.worker.rtp_peers import FRAME, Came, Ear, Peer, clip, encoded, hertz, tone


def test_a_prompt_is_heard_from_its_beginning_to_its_end(
    media: EngineMedia, ear: Ear, peer: Peer, tmp_path: Path
) -> None:
    media.open(LEG)
    media.agree(LEG, peer.voice)
    samples = np.concatenate([tone(300, 0.3), tone(700, 0.3)])
    file, asked = clip(tmp_path, "a", samples), time.monotonic()
    media.play(LEG, 7, (file,), 1)
    assert ear.wait("played") == [(LEG, 7, "")]
    packets = peer.wait(30)
    assert b"".join(each.payload for each in packets) == encoded(samples)
    assert ear.moment("played") >= asked + 30 * TICK, "Its end is told when all of it was heard."


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


def test_music_goes_on_until_it_is_stopped_at_once(
    media: EngineMedia, ear: Ear, peer: Peer, other: Peer, tmp_path: Path
) -> None:
    for leg, whose in ((LEG, peer), (OTHER, other)):
        media.open(leg)
        media.agree(leg, whose.voice)
    music, following = clip(tmp_path, "music", tone(300, 0.1)), clip(tmp_path, "next", tone(700, 0.1))
    asked = time.monotonic()
    media.play(LEG, 7, (music,), 0)
    peer.wait(12)
    media.stop(LEG)
    stopped = time.monotonic()
    media.play(OTHER, 8, (following,), 1)
    assert ear.wait("played") == [(OTHER, 8, "")]
    assert len(peer.came) <= (stopped - asked) / TICK + 2, "Not a packet is sent behind it."
    media.play(LEG, 9, (following,), 1)
    assert ear.wait("played", 2)[1:] == [(LEG, 9, "")], "Nothing is told of what was stopped."
    assert [each.marker for each in peer.came].count(True) == 2


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
    media: EngineMedia, ear: Ear, telephone: Telephone, tmp_path: Path, has: int, speaks: int
) -> None:
    peer = telephone(codec=speaks)
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


def consecutive(packets: list[Came]) -> bool:
    """Whether numbers and timestamps follow each other."""
    return all(
        (later.number - one.number) & 0xFFFF == 1 and (later.stamp - one.stamp) & 0xFFFFFFFF == FRAME
        for one, later in pairwise(packets)
    )
