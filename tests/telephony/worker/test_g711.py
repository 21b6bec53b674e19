"""G.711 agrees with libsndfile's, and silence is told from speech."""

from io import BytesIO

import numpy as np
import pytest
import soundfile

from offhook.telephony.worker import g711
from offhook.telephony.worker.sound import PCMA, PCMU
from tests.telephony.worker.rtp_peers import decoded, encoded, tone

SUBTYPE = {PCMU: "ULAW", PCMA: "ALAW"}


@pytest.mark.parametrize("codec", [PCMU, PCMA])
def test_samples_are_those_of_the_reference(codec: int) -> None:
    samples, _ = soundfile.read(
        BytesIO(bytes(range(256))), dtype="int16", format="RAW", subtype=SUBTYPE[codec], samplerate=8_000, channels=1
    )
    assert samples.tolist() == list(g711.SAMPLES[codec])


@pytest.mark.parametrize(("codec", "into"), [(PCMU, PCMA), (PCMA, PCMU)])
def test_a_translation_is_as_near_as_it_can_be(codec: int, into: int) -> None:
    content = bytes(range(256))
    before, after = decoded(content, codec), decoded(g711.translated(content, codec, into), into)
    nearest = [min(abs(int(one) - sample) for sample in g711.SAMPLES[into]) for one in before]
    assert np.abs(before.astype(int) - after).tolist() == nearest


def test_what_needs_no_translation_is_left_as_it_is() -> None:
    content = bytes(range(256))
    assert g711.translated(content, PCMA, PCMA) is content


@pytest.mark.parametrize("codec", [PCMU, PCMA])
def test_silence_is_no_speech(codec: int) -> None:
    noise = np.random.default_rng(1).integers(-20, 20, 160).astype(np.int16)
    assert g711.level(g711.SILENCE[codec] * 160, codec) == 0
    assert g711.level(encoded(noise, codec), codec) == 0
    assert np.abs(decoded(g711.SILENCE[codec], codec)).max() <= 8


@pytest.mark.parametrize("codec", [PCMU, PCMA])
def test_each_step_of_loudness_is_6_decibels(codec: int) -> None:
    tones = [tone(300, 0.1, level=1.4 * each) for each in (16, *g711.LEVELS)]
    assert [g711.level(encoded(each, codec), codec) for each in tones] == [0, 1, 2, 3, g711.LOUD]
    assert g711.level(encoded(tone(300, 0.1, level=8_000), codec), codec) == g711.LOUD
