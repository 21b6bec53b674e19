"""What each of several hears: the others, all at once, and never themselves."""

import numpy as np
import pytest

from offhook.telephony.port import TOGETHER
from offhook.telephony.worker import g711
from offhook.telephony.worker.mixing import FRAME, LONGEST, READY, Said, mixed
from offhook.telephony.worker.sound import PCMA, PCMU
from tests.telephony.worker.rtp_peers import Samples, decoded, encoded, tone


def said(samples: Samples, codec: int = PCMU) -> list[int]:
    """20 ms that somebody says."""
    one = Said()
    one.say(codec, encoded(samples, codec).ljust(READY, g711.SILENCE[codec]))
    found = one.next()
    assert found is not None
    return found


def level(hertz: float, content: bytes, codec: int = PCMU) -> float:
    """How loud a tone is in what is heard."""
    samples = decoded(content, codec).astype(float)
    return float(abs(np.dot(samples, np.exp(-2j * np.pi * hertz * np.arange(len(samples)) / g711.RATE))))


@pytest.mark.parametrize("codec", [PCMU, PCMA])
def test_each_hears_the_others_and_not_themselves(codec: int) -> None:
    tones = {1: 500.0, 2: 1_000.0, 3: 1_500.0}
    heard = mixed(
        {who: said(tone(hertz, 0.02, 6_000), codec) for who, hertz in tones.items()}, dict.fromkeys(tones, codec)
    )
    for who, frame in heard.items():
        loud = {of for of, hertz in tones.items() if level(hertz, frame, codec) > 200_000}
        assert loud == set(tones) - {who}
        assert len(frame) == FRAME


@pytest.mark.parametrize("codec", [PCMU, PCMA])
def test_what_one_says_alone_is_heard_as_it_was_said(codec: int) -> None:
    every = bytes(code for code in range(256) if codec == PCMA or code != 0x7F)[:FRAME]
    one = Said()
    one.say(codec, every.ljust(READY, g711.SILENCE[codec]))
    assert mixed({1: one.next(), 2: None}, {2: codec})[2] == every.ljust(FRAME, g711.SILENCE[codec])


def test_what_is_too_loud_together_is_as_loud_as_it_gets() -> None:
    for sample, loudest in ((32_000, 32_124), (-32_000, -32_124)):
        each = said(np.full(FRAME, sample, dtype=np.int16))
        [frame] = mixed(dict.fromkeys(range(TOGETHER), each), {0: PCMU}).values()
        assert set(decoded(frame)) == {loudest}


def test_all_that_can_be_summed_has_its_nearest_value() -> None:
    """Against numpy: the sum of two others, held within 16 bits, at the nearest of the 256 values."""
    random = np.random.default_rng(1)
    one, two = (decoded(random.integers(0, 256, FRAME, dtype=np.uint8).tobytes()) for _ in range(2))
    [frame] = mixed({1: said(one), 2: said(two)}, {3: PCMU}).values()
    wanted = np.clip(one.astype(int) + two, -32_124, 32_124)
    distance = np.abs(decoded(frame).astype(int) - wanted)
    values = np.array(g711.SAMPLES[PCMU], dtype=int)
    assert (distance == np.abs(values[None, :] - wanted[:, None]).min(axis=1)).all()


def test_nobody_says_anything_and_silence_is_heard() -> None:
    assert mixed({1: None, 2: None}, {1: PCMU, 2: PCMA}) == {1: b"\xff" * FRAME, 2: b"\xd5" * FRAME}


def test_who_begins_is_heard_once_packets_may_come_unevenly_and_who_pauses_begins_anew() -> None:
    one = Said()
    one.say(PCMU, b"\x10" * FRAME)
    assert one.next() is None
    one.say(PCMU, b"\x10" * FRAME)
    assert one.next() is not None
    assert one.next() is not None
    assert one.next() is None
    one.say(PCMU, b"\x10" * FRAME)
    assert one.next() is None


def test_packets_of_any_length_are_heard_20_ms_at_a_time() -> None:
    one = Said()
    for _ in range(4):
        one.say(PCMU, b"\x10" * 100)
    found = [one.next() for _ in range(3)]
    assert [None if each is None else len(each) for each in found] == [FRAME, FRAME, None]


def test_of_what_waits_too_long_the_oldest_is_not_heard_and_nothing_grows() -> None:
    one = Said()
    for code in range(100):
        one.say(PCMU, bytes([code]) * FRAME)
        assert len(one._waiting) <= LONGEST
    [first] = set(one.next() or [])
    assert first in {g711.SAMPLES[PCMU][code] // 4 for code in range(94, 100)}


def test_who_changes_the_codec_is_heard_on() -> None:
    one = Said()
    one.say(PCMU, encoded(tone(500, 0.04)))
    one.say(PCMA, encoded(tone(500, 0.02), PCMA))
    [frame] = mixed({1: one.next()}, {2: PCMA}).values()
    assert level(500, frame, PCMA) > 200_000
