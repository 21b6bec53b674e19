"""WAV files into samples, their loudness, and G.711 there and back."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.telephony.sound import samples
from offhook.telephony.sound.samples import NoSound, encoded, levelled, loudness, of_mu, of_wav, to_wav
from tests.telephony.sound.speaking import pitch, strength


def sine(hertz: float, seconds: float, size: float = 0.5, rate: int = 8000) -> samples.Samples:
    return (size * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def wav(content: bytes, *, rate: int = 8000, channels: int = 1, promised: int | None = None, codec: int = 1) -> bytes:
    size = len(content) if promised is None else promised
    layout = struct.pack("<HHIIHH", codec, channels, rate, 2 * rate * channels, 2 * channels, 16)
    return b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + layout + b"data" + struct.pack("<I", size) + content


def pcm(sound: samples.Samples) -> bytes:
    return np.rint(sound * 32767).astype("<i2").tobytes()


# G.711


@pytest.mark.parametrize(
    ("sample", "mu", "a"),
    [
        # ITU-T G.711: silence, the loudest, and the sign.
        (0, 0xFF, 0xD5),
        (32767, 0x80, 0xAA),
        (-32768, 0x00, 0x2A),
        (-8, 0x7E, 0x55),
        (1000, 0xCE, 0xFA),
        (-1000, 0x4E, 0x7A),
    ],
)  # fmt: skip
def test_samples_are_the_bytes_of_the_recommendation(sample: int, mu: int, a: int):
    one = np.full(160, sample / 32767, np.float32)
    assert [content[0] for content in encoded(one)] == [mu, a]


def test_every_sample_is_written_as_the_nearest_value_there_is():
    every = np.arange(-32767, 32768)
    mu, a = encoded((every / 32767).astype(np.float32))
    for content, values in ((mu, samples._MU_VALUES), (a, samples._a_values())):
        written = values[np.frombuffer(content, np.uint8)[: len(every)]].astype(int)
        nearest = np.abs(values.astype(int)[None, :] - every[:, None]).min(axis=1)
        assert (np.abs(written - every) == nearest).all()


def test_what_is_played_is_whole_packets_of_20_ms_filled_up_with_silence():
    mu, a = encoded(sine(1000, 0.0301))
    assert (len(mu), len(a)) == (320, 320)
    assert mu.endswith(b"\xff" * 79)
    assert a.endswith(b"\xd5" * 79)


def test_a_tone_survives_mu_law():
    sound = sine(1004, 0.5)
    noise = of_mu(encoded(sound)[0]) - sound
    assert 10 * np.log10(np.mean(sound**2) / np.mean(noise**2)) > 36


# WAV


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
def test_a_tone_keeps_its_pitch_length_and_size_at_any_rate(rate: int):
    sound = of_wav(wav(pcm(sine(700, 1.0, rate=rate)), rate=rate), 60)
    assert len(sound) == pytest.approx(8000, abs=2)
    assert pitch(sound) == pytest.approx(700, abs=0.5)
    assert strength(sound[1000:7000], 700) == pytest.approx(0.5, rel=0.02)


def test_what_is_too_high_for_a_telephone_is_left_out():
    sound = of_wav(wav(pcm(sine(5500, 1.0, rate=22050)), rate=22050), 60)
    assert np.abs(sound[500:-500]).max() < 0.003


def test_channels_are_mixed():
    both = np.stack([sine(700, 0.5), -sine(700, 0.5)], axis=1)
    assert np.abs(of_wav(wav(pcm(both), channels=2), 60)).max() < 0.001


@pytest.mark.parametrize("promised", [0xFFFFFFFF, 0x7FFFF000, 16001])
def test_a_file_written_to_a_pipe_ends_where_it_ends(promised: int):
    assert len(of_wav(wav(pcm(sine(700, 1.0)), promised=promised), 60)) == 8000


def test_what_is_too_long_is_cut_off():
    assert len(of_wav(wav(pcm(sine(700, 3.0))), 1.5)) == 12000


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"RIFF",
        b"ID3\x04" + bytes(5000),
        wav(b""),
        wav(b"\0"),
        wav(bytes(100), codec=3),
        wav(bytes(100), rate=100),
        wav(bytes(100), channels=0),
        wav(bytes(100), channels=30000),
        b"RIFF\0\0\0\0WAVEdata\x08\0\0\0" + bytes(8),
        b"RIFF\0\0\0\0WAVEfmt \xff\xff\xff\xff" + bytes(100),
    ],
)
def test_what_is_no_sound_is_said_to_be_none(content: bytes):
    with pytest.raises(NoSound):
        of_wav(content, 60)


@given(st.binary(max_size=200), st.integers(0, 60), st.binary(max_size=8))
def test_a_damaged_file_is_a_bounded_sound_or_none(tail: bytes, at: int, put: bytes):
    content = bytearray(wav(pcm(sine(700, 0.1)) + tail, promised=0xFFFFFFFF))
    content[at : at + len(put)] = put
    try:
        sound = of_wav(bytes(content), 2.0)
    except NoSound:
        return
    assert 0 < len(sound) <= 16_001
    assert np.isfinite(levelled(sound)).all()


def test_a_player_is_given_what_a_worker_plays():
    sound = sine(700, 1.0)
    file = to_wav(sound)
    assert (file[:4], file[8:12], len(file)) == (b"RIFF", b"WAVE", 44 + 16000)
    assert np.abs(of_wav(file, 60) - sound).max() < 1e-4


# Loudness


@pytest.mark.parametrize("size", [0.02, 0.1, 0.9])
def test_quiet_and_loud_recordings_come_out_equally_loud(size: float):
    speech = np.concatenate([sine(700, 0.5, size), np.zeros(8000, np.float32), sine(900, 0.5, size)])
    assert loudness(levelled(speech)) == pytest.approx(samples.SPOKEN_DB, abs=0.3)


def test_pauses_do_not_count_as_quiet_speech():
    assert loudness(np.concatenate([sine(700, 1.0), np.zeros(40000, np.float32)])) == pytest.approx(-9.03, abs=0.1)


def test_one_click_does_not_hold_the_rest_down():
    speech = sine(700, 2.0, 0.05)
    speech[4000:4003] = 0.99
    made = levelled(speech)
    assert np.abs(made).max() <= 1.0
    assert strength(made[8000:], 700) > 0.12


def test_hum_is_not_made_loud_and_silence_stays_silent():
    assert loudness(levelled(sine(100, 1.0, 0.006))) < -22
    assert not levelled(np.zeros(800, np.float32)).any()


def test_a_constant_part_is_taken_out():
    assert abs(levelled(sine(700, 1.0, 0.2) + np.float32(0.3)).mean()) < 1e-3
