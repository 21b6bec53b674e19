"""Recordings of what legs say and hear."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from offhook.telephony.worker import plain
from offhook.telephony.worker.media import EngineMedia
from offhook.telephony.worker.sound import PCMA
from tests.telephony.worker.media.bridge import LEG, Telephone, both_say, bridged, until
from tests.telephony.worker.rtp_peers import FRAME, Ear, Peer, clip, encoded, hertz, tone


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


def test_what_is_longer_than_can_be_kept_says_so_where_sound_is_carried_by_a_thread_too(
    ear: Ear, peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, "LONGEST", 10 * FRAME)
    media = plain.Plain(ear, "127.0.0.1", "127.0.0.1")
    to = media.open(LEG)
    media.agree(LEG, peer.voice)
    for said, fault in ((0.1, ""), (0.5, plain.TOO_LONG)):
        path, before = str(tmp_path / f"{said}.wav"), media.figures()[0]
        media.record(LEG, path, False)
        peer.say(to, tone(440, said))
        until(lambda said=said, before=before: media.figures()[0] - before >= said * 50)  # type: ignore[misc]
        media.stop_recording(LEG)
        assert ear.of("recorded")[-1] == (LEG, path, min(said, 0.2), fault)
    media.close()


def test_both_sides_are_recorded_each_in_its_channel(
    media: EngineMedia, ear: Ear, peer: Peer, other: Peer, tmp_path: Path
) -> None:
    to, to_other = bridged(media, peer, other)
    path = tmp_path / "call.wav"
    media.record(LEG, str(path), True)
    took = both_say(peer, to, other, to_other)
    peer.wait(25)
    assert not path.exists(), "It has its name only when it is whole."
    media.release(LEG)
    ((_, _, seconds, fault),) = ear.wait("recorded")
    assert fault == ""
    assert isinstance(seconds, float)
    assert 0.4 <= seconds <= took + 0.1
    samples, rate = soundfile.read(path, dtype="int16")
    assert rate == 8_000
    assert soundfile.info(path).subtype == "ULAW"
    assert hertz(samples[:, 0]) == pytest.approx(440, abs=5)
    assert hertz(samples[:, 1]) == pytest.approx(1_000, abs=5)


def test_a_prompt_is_on_the_recording_of_both_sides(
    media: EngineMedia, ear: Ear, telephone: Telephone, tmp_path: Path
) -> None:
    peer = telephone(codec=PCMA)
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


def test_a_second_recording_ends_the_first(media_of_its_own: EngineMedia, ear: Ear, peer: Peer, tmp_path: Path) -> None:
    media = media_of_its_own
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
