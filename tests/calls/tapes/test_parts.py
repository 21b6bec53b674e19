"""The sides of a recording become the whole, also for who finds them."""

from pathlib import Path

import pytest
import soundfile

from offhook.calls.tapes import parts, wav

ONE, OTHER = bytes([0x10]) * 8_000, bytes([0x90]) * 4_000


def left(path: Path, encoding: parts.Encoding = "ulaw", both: bool = True) -> None:
    """What a process that was killed left of a recording."""
    parts.side(path, "in", encoding).write_bytes(ONE)
    if both:
        parts.side(path, "out", encoding).write_bytes(OTHER)


@pytest.mark.parametrize(("encoding", "subtype"), [("ulaw", "ULAW"), ("alaw", "ALAW")])
def test_two_sides_become_two_channels_of_one_length(tmp_path: Path, encoding: parts.Encoding, subtype: str) -> None:
    path = tmp_path / "a.wav"
    left(path, encoding)
    assert parts.rescue(path)
    samples, rate = soundfile.read(path, dtype="int16")
    assert (samples.shape, rate, soundfile.info(path).subtype) == ((8_000, 2), 8_000, subtype)
    assert len(set(samples[:, 0].tolist())) == 1
    assert samples[:4_000, 1].all()
    assert abs(samples[4_000:, 1]).max() <= 8
    assert wav.measure(path).milliseconds == 1_000
    assert list(tmp_path.iterdir()) == [path]


def test_a_half_that_was_being_made_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    left(path, both=False)
    (tmp_path / "a.wav.part").write_bytes(b"RIFF")
    assert parts.rescue(path)
    assert wav.measure(path).milliseconds == 1_000
    assert list(tmp_path.iterdir()) == [path]


def test_a_whole_stays_as_it_is_and_its_sides_go(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"whole")
    left(path)
    assert parts.rescue(path)
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


def test_of_nothing_nothing_is_made(tmp_path: Path) -> None:
    assert not parts.rescue(tmp_path / "a.wav")
    assert parts.written(tmp_path / "a.wav") == 0
    parts.remove(tmp_path / "a.wav")
    assert list(tmp_path.iterdir()) == []
