"""How a sound comes to be: from a recording, from an engine, or from tones. Blocks, and imports numpy: for threads."""

from offhook.telephony.sound import samples, tones
from offhook.telephony.sound.engines import MOST_CHARACTERS, Engine, Unspoken, spoken
from offhook.telephony.sound.samples import NoSound, of_wav

MOST_SPOKEN = 180.0
"""Seconds of a text spoken: what an engine makes of it is not taken on trust."""

MOST_RECORDED = 615.0
"""Seconds of a recording: a little more than may be uploaded."""

Encoded = tuple[bytes, bytes]


def of_recording(wav: bytes) -> Encoded:
    """A recording as it is played. Unspoken if there is nothing in it."""
    return _played(wav, MOST_RECORDED, "the recording")


def of_text(engine: Engine, text: str, stop: int) -> Encoded:
    """A text as it is played. Unspoken if the engine failed at it, or `stop` (a file) could be read."""
    assert len(text) <= MOST_CHARACTERS
    return _played(spoken(engine, text, stop), MOST_SPOKEN, engine.name)


def of_pattern(hertz: tuple[int, ...]) -> Encoded:
    """Beeps as they are played."""
    return samples.encoded(tones.pattern(hertz))


def to_wav(mu: bytes) -> bytes:
    """A WAV file of what is played."""
    return samples.to_wav(samples.of_mu(mu))


def _played(wav: bytes, most: float, whose: str) -> Encoded:
    try:
        heard = of_wav(wav, most)
    except NoSound as why:
        raise Unspoken(f"{whose} gave {why}") from None
    if samples.loudness(heard) == float("-inf"):
        raise Unspoken(f"{whose} gave silence")
    return samples.encoded(samples.levelled(heard))
