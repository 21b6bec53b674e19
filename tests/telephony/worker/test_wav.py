"""Recordings as files: where packets go on the tape, and that there is a whole file or none."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from offhook.calls.tapes import parts
from offhook.telephony.worker import g711, wav
from offhook.telephony.worker.sound import PCMA, PCMU
from offhook.telephony.worker.wav import Desk, Tape
from tests.telephony.worker.rtp_peers import Samples, decoded, encoded, hertz, tone

FRAME = 160
SOURCE = 1


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.close()


class Recording:
    """A tape that is laid by hand, at moments that are said."""

    def __init__(self, desk: Desk, path: Path, both: bool = False, codec: int = PCMU) -> None:
        self.path = path
        self.ended = threading.Event()
        self.seconds, self.fault = -1.0, ""
        self.tape = Tape(desk, str(path), both, codec, 100.0, self._done)

    def _done(self, seconds: float, fault: str) -> None:
        self.seconds, self.fault = seconds, fault
        self.ended.set()

    def lay(self, samples: Samples, at: float, stamp: int, source: int = SOURCE, side: int = 0) -> None:
        """Packets of 20 ms, the first one at `at` seconds of the recording."""
        for place in range(0, len(samples), FRAME):
            moment = 100.0 + at + place / 8_000
            self.tape.lay(
                side, source, stamp + place & 0xFFFFFFFF, PCMU, encoded(samples[place : place + FRAME]), moment
            )

    def end(self) -> Samples:
        self.tape.end()
        assert self.ended.wait(10)
        if self.fault:
            return np.zeros(0, dtype=np.int16)
        samples: Samples = soundfile.read(self.path, dtype="int16")[0]
        return samples


def test_packets_out_of_order_are_put_where_they_belong(desk: Desk, tmp_path: Path) -> None:
    recording = Recording(desk, tmp_path / "a.wav")
    samples = tone(440, 0.2)
    for place in (0, 2, 1, 3, 5, 4, 4, 9, 8, 7, 6):
        recording.lay(samples[place * FRAME : (place + 1) * FRAME], 0.02 * place, 1_000 + place * FRAME)
    assert encoded(recording.end()) == encoded(samples)


def test_what_was_lost_is_silence_of_the_same_length(desk: Desk, tmp_path: Path) -> None:
    recording = Recording(desk, tmp_path / "a.wav")
    recording.lay(tone(440, 0.1), 0.0, 0xFFFFFF00)
    recording.lay(tone(440, 0.1), 1.1, 0xFFFFFF00 + 8_800 & 0xFFFFFFFF)
    samples = recording.end()
    assert len(samples) == 9_600
    assert not samples[800:8_800].any()
    assert hertz(samples[8_800:]) == pytest.approx(440, abs=20)
    assert recording.seconds == pytest.approx(0.2)


def test_what_comes_late_begins_at_its_moment(desk: Desk, tmp_path: Path) -> None:
    recording = Recording(desk, tmp_path / "a.wav")
    recording.lay(tone(440, 0.1), 0.5, 77)
    samples = recording.end()
    assert len(samples) == 4_800
    assert not samples[:4_000].any()


def test_another_source_begins_at_its_moment(desk: Desk, tmp_path: Path) -> None:
    recording = Recording(desk, tmp_path / "a.wav")
    recording.lay(tone(440, 0.1), 0.0, 5_000_000)
    recording.lay(tone(1_000, 0.1), 0.1, 9, source=2)
    samples = recording.end()
    assert len(samples) == 1_600
    assert hertz(samples[800:]) == pytest.approx(1_000, abs=20)


def test_a_timestamp_from_nowhere_makes_no_file_of_hours(desk: Desk, tmp_path: Path) -> None:
    recording = Recording(desk, tmp_path / "a.wav")
    recording.lay(tone(440, 0.02), 0.0, 0)
    for place in range(1, 50):
        recording.lay(tone(440, 0.02), 0.02 * place, place * 123_456_789)
    assert len(recording.end()) == 8_000


def test_a_timestamp_before_the_beginning_is_cut_off(desk: Desk, tmp_path: Path) -> None:
    recording = Recording(desk, tmp_path / "a.wav")
    recording.lay(tone(440, 0.02), 0.01, 1_000)
    recording.lay(tone(440, 0.02), 0.03, 840)
    samples = recording.end()
    assert encoded(samples[80:240]) == encoded(tone(440, 0.02))
    assert encoded(samples[:80]) == encoded(tone(440, 0.02)[80:])


def test_a_codec_that_changes_does_not_change_the_file(desk: Desk, tmp_path: Path) -> None:
    recording = Recording(desk, tmp_path / "a.wav", codec=PCMA)
    recording.lay(tone(440, 0.2), 0.0, 0)
    samples = recording.end()
    assert soundfile.info(tmp_path / "a.wav").subtype == "ALAW"
    assert hertz(samples) == pytest.approx(440, abs=10)


def test_silence_is_not_counted_as_something_said(desk: Desk, tmp_path: Path) -> None:
    recording = Recording(desk, tmp_path / "a.wav")
    recording.lay(tone(440, 0.2), 0.0, 0)
    recording.lay(np.zeros(8_000, dtype=np.int16), 0.2, 1_600)
    recording.lay(tone(440, 0.2), 1.2, 9_600)
    assert len(recording.end()) == 11_200
    assert recording.seconds == pytest.approx(0.4)


def test_a_low_voice_is_heard_as_it_pauses(desk: Desk, tmp_path: Path) -> None:
    recording = Recording(desk, tmp_path / "a.wav")
    for word in range(4):
        recording.lay(tone(440, 0.3, level=150), word * 0.5, word * 4_000)
        recording.lay(tone(100, 0.2, level=12), word * 0.5 + 0.3, word * 4_000 + 2_400)
    recording.end()
    assert recording.seconds == pytest.approx(1.2)


@pytest.mark.parametrize("level", [0, 10, 40, 90, 240])
def test_a_line_that_hums_says_nothing(desk: Desk, tmp_path: Path, level: float) -> None:
    recording = Recording(desk, tmp_path / "a.wav")
    recording.lay(tone(100, 3, level=level), 0.0, 0)
    recording.end()
    assert recording.seconds == 0


def test_a_loud_line_does_not_hide_who_speaks(desk: Desk, tmp_path: Path) -> None:
    recording = Recording(desk, tmp_path / "a.wav")
    recording.lay(tone(100, 1, level=200), 0.0, 0)
    recording.lay(tone(440, 1, level=2_000), 1.0, 8_000)
    recording.end()
    assert recording.seconds == pytest.approx(1.0)


def test_a_recording_of_nothing_is_a_file_of_nothing(desk: Desk, tmp_path: Path) -> None:
    recording = Recording(desk, tmp_path / "a.wav", both=True)
    assert len(recording.end()) == 0
    assert recording.seconds == 0


def test_two_sides_that_overlap_are_counted_once(desk: Desk, tmp_path: Path) -> None:
    recording = Recording(desk, tmp_path / "a.wav", both=True)
    recording.lay(tone(440, 0.2), 0.0, 0)
    recording.lay(tone(1_000, 0.2), 0.1, 0, side=1)
    samples = recording.end()
    assert samples.shape == (2_400, 2)
    assert recording.seconds == pytest.approx(0.3)
    assert hertz(samples[800:, 1]) == pytest.approx(1_000, abs=20)
    assert not samples[1_600:, 0].any()


def test_an_hour_of_both_sides_is_whole(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wav, "WAITING", 10_000)
    recording = Recording(desk, tmp_path / "a.wav", both=True)
    packet = encoded(tone(400, 1))
    for second in range(3_600):
        for side in (0, 1):
            recording.tape.lay(side, SOURCE, second * 8_000, PCMU, packet, 100.0 + second)
    assert len(recording.end()) == 3_600 * 8_000
    assert recording.seconds == 3_600


@pytest.mark.parametrize("both", [False, True])
def test_what_is_longer_than_can_be_kept_says_so_and_is_kept_until_there(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, both: bool
) -> None:
    monkeypatch.setattr(wav, "LONGEST", 8_000)
    recording = Recording(desk, tmp_path / "a.wav", both=both)
    recording.lay(tone(440, 1), 0.0, 0, side=int(both))
    assert recording.tape.fault == ""
    recording.lay(tone(440, 1), 1.0, 8_000, side=int(both))
    recording.end()
    assert recording.fault == wav.TOO_LONG
    assert recording.seconds == pytest.approx(1.0)
    assert len(soundfile.read(tmp_path / "a.wav", dtype="int16")[0]) == 8_000


def test_what_comes_after_a_recording_ended_is_no_fault_of_it(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wav, "LONGEST", 8_000)
    recording = Recording(desk, tmp_path / "a.wav")
    recording.lay(tone(440, 1), 0.0, 0)
    recording.end()
    recording.lay(tone(440, 1), 1.0, 8_000)
    assert (recording.fault, recording.tape.fault) == ("", "")


def test_no_name_is_given_to_half_a_file(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = Recording(desk, tmp_path / "a.wav")
    recording.lay(tone(440, 0.2), 0.0, 0)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    recording.end()
    assert recording.fault == "No space left on device"
    assert recording.seconds == 0
    assert list(tmp_path.glob("*.wav")) == []


def test_what_a_full_disk_has_of_a_recording_is_kept_until_there_is_room_for_it(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = Recording(desk, tmp_path / "a.wav", both=True)
    recording.lay(tone(440, 1), 0.0, 0)
    recording.lay(tone(1_000, 1), 0.0, 0, side=1)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        # What was laid until now is on the disk, and nothing of what follows, nor the whole.
        recording.tape._write(recording.tape.sides[0])
        recording.tape._write(recording.tape.sides[1])
        waited = threading.Event()
        desk._work.put((Tape(desk, str(tmp_path / "b"), False, PCMU, 0.0, lambda *_: waited.set()), None, []))
        assert waited.wait(10)
        patched.setattr(wav, "_lay", full)
        patched.setattr(os, "fsync", full)
        recording.lay(tone(440, 1), 1.0, 8_000)
        recording.end()
    assert (recording.fault, recording.seconds) == ("No space left on device", 0)
    assert not (tmp_path / "a.wav").exists()
    assert not (tmp_path / "a.wav.part").exists()
    assert parts.rescue(tmp_path / "a.wav")
    samples = soundfile.read(tmp_path / "a.wav", dtype="int16")[0]
    assert samples.shape == (8_000, 2)
    assert hertz(samples[:, 0]) == pytest.approx(440, abs=10)
    assert sorted(one.name for one in tmp_path.glob("a*")) == ["a.wav"]


def test_a_disk_that_does_not_keep_up_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wav, "WAITING", 3)
    held = threading.Event()
    lay = wav._lay

    def slow(*arguments: object) -> None:
        held.wait(10)
        lay(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(wav, "_lay", slow)
    desk = Desk()
    recording = Recording(desk, tmp_path / "a.wav")
    recording.lay(tone(440, 5), 0.0, 0)
    held.set()
    recording.end()
    desk.close()
    assert recording.fault == "the disk does not keep up"
    # What was written is kept, and there is nothing else.
    assert [one.name for one in tmp_path.iterdir()] == ["a.wav"]
    samples = soundfile.read(tmp_path / "a.wav", dtype="int16")[0]
    assert 0 < len(samples) < 5 * 8_000
    assert hertz(samples[:4_000]) == pytest.approx(440, abs=10)
    assert recording.seconds > 0


def test_the_head_is_that_of_the_format() -> None:
    content = parts.header("ulaw", 2, 3) + b"\xff" * 6
    assert content[:4] + content[8:16] == b"RIFFWAVEfmt "
    assert int.from_bytes(content[4:8], "little") == len(content) - 8
    assert decoded(content[58:], PCMU).tolist() == [0] * 6
    assert g711.RATE.to_bytes(4, "little") == content[24:28]


def test_a_fault_of_one_recording_ends_no_others(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Recording(desk, tmp_path / "a.wav"), Recording(desk, tmp_path / "b.wav")
    for one in (first, second):
        one.lay(tone(440, 0.2), 0.0, 0)

    def broken(*_: object) -> None:
        raise ValueError("a fault of ours")

    with monkeypatch.context() as patched:
        patched.setattr(parts, "make_whole", broken)
        first.end()
    assert first.fault == "it could not be written"
    assert len(second.end()) == 1_600
