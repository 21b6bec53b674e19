"""The sound of voice prompts: heard as telephones play them; what is no recording is refused and breaks nothing."""

import array
import base64
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.directory.prompts import audio, decoder, rules
from offhook.directory.prompts.audio import Unusable
from offhook.kit.errors import Violation
from tests.api.desk import Company, Desk
from tests.directory.recordings import (
    BEEP,
    IVRS,
    PROMPTS,
    SONG,
    eight_bits,
    heard,
    ivr,
    kept,
    listed,
    loudness,
    mp3,
    place,
    tone,
    uploaded,
    wav,
)

# What is heard


@pytest.mark.parametrize(
    ("file", "seconds"),
    [
        pytest.param(wav(tone(440, 1.0)), 1.0, id="WAV as it is played"),
        pytest.param(wav(tone(440, 1.0, 48000, 2), 48000, 2), 1.0, id="WAV 48 kHz stereo"),
        pytest.param(wav(tone(440, 1.0, 11025), 11025), 1.0, id="WAV 11 kHz"),
        pytest.param(wav(eight_bits(tone(440, 1.0, 44100)), 44100, 1, 1), 1.0, id="WAV 8 bits"),
        pytest.param(mp3(tone(440, 1.0, 44100)), 1.0, id="MP3 44 kHz"),
        pytest.param(mp3(tone(440, 1.0, 48000, 2), 48000, 2, 128), 1.0, id="MP3 48 kHz stereo"),
        pytest.param(mp3(tone(440, 1.0, 16000), 16000, 1, 16), 1.0, id="MP3 16 kHz"),
        pytest.param(b"ID3\x04\0\0\0\0\x01\0" + bytes(128) + SONG + b"TAG" + bytes(125), 1.0, id="MP3 with tags"),
    ],
)  # fmt: skip
def test_a_tone_is_heard_at_its_pitch_and_length(embedded: Company, file: bytes, seconds: float):
    id = uploaded(embedded, file)
    answer = embedded.live.get(f"{PROMPTS}/{id}/audio")
    samples = heard(answer)
    # An MP3 encoder pads at both ends.
    assert seconds - 0.01 <= len(samples) / 8000 <= seconds + 0.16
    middle = samples[2000:6000]
    assert loudness(middle, 440) == pytest.approx(0.4, rel=0.1)
    assert max(loudness(middle, hertz) for hertz in (220, 400, 480, 880, 1320, 3000)) < 0.01
    assert answer.headers["etag"] == f'"{embedded.live.get(f"{PROMPTS}/{id}").json["digest"]}"'


def test_what_is_too_high_for_a_telephone_is_left_out_not_folded_down(embedded: Company):
    mixed = array.array("h", tone(440, 1.0, 48000))
    high = array.array("h", tone(5000, 1.0, 48000))
    file = wav(array.array("h", (a + b for a, b in zip(mixed, high, strict=True))).tobytes(), 48000)
    middle = heard(embedded.live.get(f"{PROMPTS}/{uploaded(embedded, file)}/audio"))[2000:6000]
    assert loudness(middle, 440) == pytest.approx(0.4, rel=0.05)
    assert loudness(middle, 3000) < 0.001


def test_channels_are_mixed(embedded: Company):
    left = array.array("h", tone(440, 1.0))
    right = array.array("h", tone(1000, 1.0))
    both = array.array("h", (sample for pair in zip(left, right, strict=True) for sample in pair))
    id = uploaded(embedded, wav(both.tobytes(), channels=2))
    middle = heard(embedded.live.get(f"{PROMPTS}/{id}/audio"))[2000:6000]
    assert loudness(middle, 440) == pytest.approx(0.2, rel=0.05)
    assert loudness(middle, 1000) == pytest.approx(0.2, rel=0.05)


def test_a_file_with_a_scar_is_taken_and_said_to_have_one(embedded: Company):
    made = embedded.live.post(IVRS, ivr(embedded, SONG[:4000] + b"scratch" * 50 + SONG[4000:]))
    assert (made.status, made.codes) == (200, {"damaged_audio"})


# What is refused


def chunk(name: bytes, data: bytes, size: int | None = None) -> bytes:
    return name + struct.pack("<I", len(data) if size is None else size) + data


def riff(*chunks: bytes) -> bytes:
    inside = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(inside)) + inside


def layout(codec: int = 1, channels: int = 1, rate: int = 8000, bits: int = 16) -> bytes:
    block = channels * bits // 8
    return chunk(b"fmt ", struct.pack("<HHIIHH", codec, channels, rate, rate * block % 2**32, block % 2**16, bits))


HOSTILE = {
    "nothing": (b"", "The file is empty"),
    "a text": (b"Thank you for calling.", "This is a text;"),
    "random bytes": (bytes((i * 197 + i // 7) % 251 for i in range(5000)), "no sound file that is known"),
    "an Ogg file": (b"OggS" + bytes(100), "an Ogg file"),
    "an M4A file": (b"\0\0\0\x20ftypM4A " + bytes(100), "an MP4 file"),
    "a FLAC file": (b"fLaC" + bytes(100), "a FLAC file"),
    "an AAC stream": (b"\xff\xf1\x50\x80" + bytes(100), "an AAC stream"),
    "an MP2 file": (b"\xff\xfd\x80\x04" + bytes(100), "another layer"),
    "a RIFF that is none": (b"RIFF\x04\0\0\0AVI ", "a RIFF file, but no WAV"),
    "only the beginning of a WAV": (BEEP[:30], "cut off before"),
    "a WAV cut off": (BEEP[:-100], "promises 8,000 bytes of sound and has 7,900"),
    "a WAV that promises everything": (riff(layout(), chunk(b"data", bytes(8000), 0xFFFFFFFF)), "4,294,967,295"),
    "a WAV whose first chunk promises everything": (riff(chunk(b"fmt ", bytes(16), 0xFFFFFFF0)), "cut off before"),
    "a WAV without a layout": (riff(chunk(b"data", bytes(8000))), "no fmt chunk"),
    "a WAV with half a layout": (riff(chunk(b"fmt ", bytes(8)), chunk(b"data", bytes(8000))), "too short"),
    "a WAV without sound": (riff(layout()), "no data chunk"),
    "a WAV of no samples": (wav(b""), "lasts 0.000 seconds"),
    "a WAV of one sample": (wav(b"\x10\x10", 48000), "lasts 0.000 seconds"),
    "a WAV without channels": (riff(layout(channels=0), chunk(b"data", bytes(8000))), "0 channels"),
    "a WAV of 60,000 channels": (riff(layout(channels=60000), chunk(b"data", bytes(120000))), "60000 channels"),
    "a WAV at no speed": (riff(layout(rate=0), chunk(b"data", bytes(8000))), "0 samples a second"),
    "a WAV at any speed": (riff(layout(rate=2**32 - 1), chunk(b"data", bytes(8000))), "4,294,967,295 samples"),
    "a WAV of 3 bits": (riff(layout(bits=3), chunk(b"data", bytes(8000))), "of 3 bits"),
    "MP3 in a WAV": (riff(layout(codec=0x55), chunk(b"data", bytes(8000))), "sound of MP3"),
    "a WAV too long": (wav(bytes(601 * 8000), width=1), "lasts 601 seconds"),
    "a packed WAV too long": (
        riff(
            chunk(b"fmt ", struct.pack("<HHIIHHHH", 0x11, 1, 4000, 2000, 256, 4, 2, 505)),
            chunk(b"fact", struct.pack("<I", 2_600_000)),
            chunk(b"data", bytes(256 * 5200)),
        ),
        "longer than the 600 seconds",
    ),
    "an MP3 cut off": (SONG[:-50], "cut off: its last frame"),
    "an MP3 that is only a tag": (b"ID3\x04\0\0\0\0\x01\0" + bytes(50), "ends within its ID3 tag"),
    "a tag, then no MP3": (b"ID3\x04\0\0\0\0\0\x10" + bytes(16) + bytes(500), "without MP3 frames"),
    "an MP3 that is mostly none": (SONG[:2000] + bytes(range(250)) * 40 + SONG[2000:4100], "damaged"),
    "an MP3 too long": (mp3(bytes(2 * 8000 * 20), 8000, 1, 8) * 31, "it may last 600"),
    "a WAV called MP3 by its tag": (b"ID3\x04\0\0\0\0\0\0" + BEEP, "without MP3 frames"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_is_no_recording_is_refused_and_said_to_be_what_it_is(embedded: Company, name: str):
    file, says = HOSTILE[name]
    refused = embedded.live.post(IVRS, ivr(embedded, file))
    assert (refused.status, refused.places) == (400, ["file"]), refused
    assert says in refused.errors[0]["message"]
    assert (listed(embedded), kept(embedded)) == ({}, 0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("not base64!", "has no '!'"),
        ("AAAAA", "cut off"),
        ("AA==AAAA", "padded in its midst"),
        ("ÄÄÄÄ", "has no 'Ä'"),
        ("data:audio/mpeg;base64,AAAA", "leave out what stands before"),
        ("  \n ", "The file is empty"),
    ],
)
def test_what_is_no_base64_is_refused(embedded: Company, text: str, says: str):
    refused = embedded.live.post(IVRS, ivr(embedded) | {"file": text})
    assert refused.places == ["file"]
    assert says in refused.errors[0]["message"]


@given(st.binary(min_size=1, max_size=200), st.booleans(), st.booleans(), st.booleans())
def test_base64_is_read_however_it_is_written(data: bytes, url: bool, padded: bool, lines: bool):
    text = (base64.urlsafe_b64encode if url else base64.b64encode)(data).decode()
    text = text if padded else text.rstrip("=")
    text = "\r\n".join(text[at : at + 76] for at in range(0, len(text), 76)) if lines else text
    found: list[Violation] = []
    assert rules.decoded(text, found) == data
    assert found == []


def test_a_file_that_is_too_large_is_refused_before_it_is_looked_at(embedded: Company):
    refused = embedded.live.post(IVRS, ivr(embedded, bytes(rules.MAX_FILE + 1)))
    assert refused.places == ["file"]
    assert "8,388,609 bytes" in refused.errors[0]["message"]
    assert embedded.live.post(IVRS, ivr(embedded, bytes(9_500_000))).status == 413


def decoded_by(folder: Path, program: str, seconds: float = 30.0) -> Any:
    """What becomes of a recording when `program` stands in the decoder's place; `decoder` is the real one's module."""
    script = folder / "program.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(Path(decoder.__file__).parent)!r}); import decoder\n{program}"
    )
    return audio.run(BEEP, str(script), seconds)


@pytest.mark.parametrize(
    "program",
    [
        pytest.param("import os; os.abort()", id="aborts"),
        pytest.param("import os; os.kill(os.getpid(), 11)", id="breaks its memory"),
        pytest.param("sys.exit(3)", id="gives up"),
        pytest.param("print('hello')", id="talks nonsense"),
        pytest.param("print('{\"media\": 1}')", id="talks half nonsense"),
        pytest.param("decoder.examine = lambda data: 1 / 0; decoder.main()", id="has a fault"),
        pytest.param(
            "import mmap; decoder.examine = lambda data: mmap.mmap(-1, 2 << 30) and decoder.Found('audio/wav', 0, 9)\n"
            "decoder.decode = lambda data, found: bytes(16000); decoder.main()",
            id="takes too much memory",
        ),
        pytest.param("decoder.wav = lambda samples: bytes(12 << 20); decoder.main()", id="writes too much"),
    ],
)
def test_a_decoder_that_breaks_breaks_nothing_else(tmp_path: Path, program: str):
    assert decoded_by(tmp_path, "decoder.main()").milliseconds == 500
    with pytest.raises(Unusable, match="could not be decoded"):
        decoded_by(tmp_path, program)


def test_a_decoder_that_does_not_end_is_ended(tmp_path: Path):
    with pytest.raises(Unusable, match="could not be decoded"):
        decoded_by(tmp_path, "import signal; signal.pause()", seconds=0.2)


def test_a_decoder_that_breaks_is_a_fault_of_the_file(embedded: Company, monkeypatch: pytest.MonkeyPatch):
    def broken(_data: bytes) -> Any:
        raise Unusable("The file could not be decoded; write it anew.")

    monkeypatch.setattr(audio, "run", broken)
    assert embedded.live.post(IVRS, ivr(embedded)).places == ["file"]


def test_more_uploads_than_can_wait_are_sent_away(embedded: Company, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(audio, "WAITING", 1)
    files = [wav(tone(400 + index, 0.2)) for index in range(8)]
    answers = embedded.live.together([embedded.live.sending("POST", IVRS, ivr(embedded, file)) for file in files])
    statuses = [answer.status for answer in answers]
    assert set(statuses) == {200, 503}
    assert all("retry-after" in answer.headers for answer in answers if answer.status == 503)
    assert embedded.live.post(IVRS, ivr(embedded)).status == 200


# Mutations


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good file with bytes replaced, a piece cut out, doubled, or a number in it made huge."""
    file = bytearray(draw(st.sampled_from([BEEP, SONG, wav(tone(440, 0.2, 48000, 2), 48000, 2), SONG[:1500]])))
    for _ in range(draw(st.integers(1, 8))):
        where = draw(st.integers(0, max(len(file) - 1, 0)))
        where = where if draw(st.booleans()) else where % 48
        match draw(st.sampled_from(["byte", "cut", "double", "number", "end"])):
            case "byte":
                file[where : where + 1] = draw(st.binary(min_size=1, max_size=1))
            case "cut":
                del file[where : where + draw(st.integers(1, 100))]
            case "double":
                file[where:where] = file[where : where + draw(st.integers(1, 3000))]
            case "number":
                file[where : where + 4] = struct.pack("<I", draw(st.sampled_from([0, 1, 2**16, 2**31, 2**32 - 1])))
            case "end":
                del file[where:]
    return bytes(file)


@pytest.fixture(scope="module")
def company_of_all(sqlite_desk: Desk) -> Company:
    """One company for all examples."""
    return sqlite_desk.found()


@settings(max_examples=60)
@given(file=mutated() | st.binary(max_size=2000))
def test_a_mutated_file_is_taken_or_refused_and_nothing_else(company_of_all: Company, file: bytes):
    answer = company_of_all.live.post(IVRS, ivr(company_of_all, file))
    assert answer.status in (200, 400), answer
    if answer.status == 200:
        samples = heard(company_of_all.live.get(f"{PROMPTS}/{answer.json['id']}/audio"))
        assert 0.1 <= len(samples) / 8000 <= 601
        company_of_all.live.delete(place(company_of_all), {"ivr_id": answer.json["id"]})


@given(file=mutated() | st.binary(max_size=3000))
@settings(max_examples=500)
def test_any_bytes_are_examined_without_breaking(file: bytes):
    with suppress(decoder.Fault):
        found = decoder.examine(file)
        assert 0 <= found.start < found.end <= len(file)
