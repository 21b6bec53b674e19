"""Ringing, busy and the tone before a message, by ear: their frequencies, how long they sound, how loud they are."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.telephony.sound import cadences, music, tones
from offhook.telephony.sound.beeps import BEEPS, STEPS, beeps_of
from offhook.telephony.sound.samples import Samples, loudness
from tests.telephony.sound.speaking import pitch, strength

KEYPAD = (697, 770, 852, 941, 1209, 1336, 1477, 1633)


def bursts(sound: Samples) -> list[tuple[float, float]]:
    """(from, to) of what sounds, in seconds."""
    frames = np.abs(sound[: len(sound) // 40 * 40]).reshape(-1, 40).max(axis=1) > 0.01
    edges = np.flatnonzero(np.diff(np.concatenate([[0], frames, [0]])))
    return [(start / 200, end / 200) for start, end in zip(edges[::2], edges[1::2], strict=True)]


@pytest.mark.parametrize(
    ("country", "hertz", "sounds", "whole"),
    [
        ("US", (440, 480), [(0.0, 2.0)], 6.0),
        ("GB", (400, 450), [(0.0, 0.4), (0.6, 1.0)], 3.0),
        ("FR", (440,), [(0.0, 1.5)], 5.0),
        ("DE", (425,), [(0.0, 1.0)], 5.0),
        ("UA", (425,), [(0.0, 1.0)], 5.0),
    ],
)
def test_it_rings_as_in_the_country(
    country: str, hertz: tuple[int, ...], sounds: list[tuple[float, float]], whole: float
):
    sound = tones.of_cadence(cadences.RINGING.get(country, cadences.USUAL_RINGING))
    assert len(sound) == whole * 8000
    assert np.allclose(bursts(sound), sounds, atol=0.011)
    ringing = sound[800:2400]
    for one in hertz:
        assert strength(ringing, one) == pytest.approx(10 ** (-18 / 20) * np.sqrt(2 / len(hertz)), rel=0.05)
    assert strength(ringing, 700) < 0.01


@pytest.mark.parametrize(("country", "hertz"), [("US", (480, 620)), ("GB", (400,)), ("PL", (425,))])
def test_it_is_busy_as_in_the_country(country: str, hertz: tuple[int, ...]):
    sound = tones.of_cadence(cadences.BUSY.get(country, cadences.USUAL_BUSY))
    for one in hertz:
        assert strength(sound[400:2400], one) > 0.1
    lengths = {round(end - start, 2) for start, end in bursts(sound)}
    assert lengths <= {0.37, 0.38, 0.5}


@pytest.mark.parametrize("cadence", [*cadences.RINGING.values(), *cadences.BUSY.values(), cadences.USUAL_RINGING])
def test_every_cadence_is_whole_packets_so_that_it_goes_round_without_a_gap(cadence: cadences.Cadence):
    sound = tones.of_cadence(cadence)
    assert len(sound) % 160 == 0
    assert loudness(sound) == pytest.approx(tones.LEVEL_DB, abs=0.5)
    assert np.abs(sound).max() < 0.5


def test_the_tone_before_a_message_is_one_beep_of_1000_hz():
    ((start, end),) = bursts(tones.beep())
    assert (start, end) == pytest.approx((0.1, 0.5), abs=0.011)
    assert pitch(tones.beep()) == pytest.approx(1000, abs=1)


def test_no_beep_is_taken_for_a_key():
    assert all(abs(step - key) / key > 0.02 for step in (*STEPS, 1000) for key in KEYPAD)


@given(st.text())
def test_a_prompt_has_beeps_that_can_be_counted_and_told_apart(text: str):
    beeps = beeps_of(text)
    assert beeps == beeps_of(text)
    assert len(beeps) == BEEPS
    assert all(one != other for one, other in pairwise(beeps))
    sound = tones.pattern(beeps)
    heard = bursts(sound)
    assert len(heard) == BEEPS
    for (start, end), hertz in zip(heard, beeps, strict=True):
        assert pitch(sound[int(start * 8000) : int(end * 8000)]) == pytest.approx(hertz, abs=4)


def test_prompts_that_differ_mostly_sound_different():
    assert len({beeps_of(f"MENU\0You have reached line {number}.") for number in range(100)}) > 80


# Music


@pytest.fixture(scope="module")
def piece() -> Samples:
    return music.hold_music()


def test_music_lasts_48_seconds_in_whole_packets_and_is_quieter_than_speech(piece: Samples):
    assert len(piece) == 48 * 8000
    assert loudness(piece) == pytest.approx(music.LEVEL_DB, abs=0.1)
    assert np.abs(piece).max() < 0.5


def test_music_never_stops_and_never_jumps(piece: Samples):
    seconds = piece.reshape(-1, 8000)
    levels = 20 * np.log10(np.sqrt((seconds**2).mean(axis=1)))
    assert levels.min() > music.LEVEL_DB - 8
    assert levels.max() < music.LEVEL_DB + 6


def test_music_goes_round_without_a_seam(piece: Samples):
    steps = np.abs(np.diff(np.concatenate([piece[-80:], piece[:80]])))
    assert steps[79] <= np.abs(np.diff(piece)).max()
    assert steps.max() < 0.15


def test_music_is_within_what_a_telephone_carries(piece: Samples):
    powers = np.abs(np.fft.rfft(piece)) ** 2
    hertz = np.fft.rfftfreq(len(piece), 1 / 8000)
    assert powers[(hertz > 200) & (hertz < 3400)].sum() / powers.sum() > 0.95
    assert max(strength(piece, key) for key in KEYPAD) < 0.02


def test_music_is_the_same_each_time(piece: Samples):
    assert (music.hold_music() == piece).all()
