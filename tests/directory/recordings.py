"""Recordings for tests: made, uploaded as prompts, and heard again."""

import array
import base64
import io
import math
import wave
from functools import cache
from typing import Any

import lameenc
from sqlalchemy import select

from offhook.directory.prompts import store
from tests.api.desk import Answer, Api, Company

IVRS = "/api/v2/customivrs"
PROMPTS = "/api/offhook/v1/prompts"
ROOMS = "/api/v2/rooms"


# Recordings


@cache
def tone(hertz: float, seconds: float, rate: int = 8000, channels: int = 1, peak: float = 0.4) -> bytes:
    """A sine in 16-bit samples, the same in every channel."""
    step = 2 * math.pi * hertz / rate
    samples = array.array("h")
    for index in range(round(rate * seconds)):
        samples.extend([round(32767 * peak * math.sin(step * index))] * channels)
    return samples.tobytes()


def wav(samples: bytes, rate: int = 8000, channels: int = 1, width: int = 2) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(channels)
        written.setsampwidth(width)
        written.setframerate(rate)
        written.writeframes(samples)
    return file.getvalue()


def eight_bits(samples: bytes) -> bytes:
    """16-bit samples as the unsigned bytes that a WAV file of 8 bits has."""
    return samples[1::2].translate(bytes((byte + 128) % 256 for byte in range(256)))


def mp3(samples: bytes, rate: int = 44100, channels: int = 1, kilobits: int = 64) -> bytes:
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_in_sample_rate(rate)
    encoder.set_channels(channels)
    encoder.set_bit_rate(kilobits)
    encoder.set_quality(7)
    return bytes(encoder.encode(samples) + encoder.flush())


BEEP = wav(tone(440, 0.5))
BOOP = wav(tone(880, 0.5))
SONG = mp3(tone(440, 1.0, 44100))


def loudness(samples: "array.array[int]", hertz: float, rate: int = 8000) -> float:
    """The amplitude of one frequency, of 1, by Goertzel's filter."""
    turn = 2 * math.cos(2 * math.pi * hertz / rate)
    before, last = 0.0, 0.0
    for sample in samples:
        before, last = last, sample / 32767 + turn * last - before
    power = before**2 + last**2 - turn * before * last
    return 2 * math.sqrt(max(power, 0)) / len(samples)


def heard(answer: Answer) -> "array.array[int]":
    """The samples of a prompt's audio, which must be what telephony plays."""
    assert answer.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(answer.response.content)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        return array.array("h", file.readframes(file.getnframes()))


# Requests


def ivr(company: Company, file: bytes = BEEP, **changes: Any) -> dict[str, Any]:
    body = {
        "file": base64.b64encode(file).decode(),
        "ivr_type": "MENU",
        "target_type": "office",
        "target_id": str(company.office_ids["live"]),
    }
    return body | changes


def uploaded(company: Company, file: bytes = BEEP, **changes: Any) -> str:
    made = company.live.post(IVRS, ivr(company, file, **changes))
    assert made.status == 200, made
    return str(made.json["id"])


def place(company: Company, kind: str = "MENU", target: str = "") -> str:
    return f"{IVRS}/{target or 'office/' + str(company.office_ids['live'])}/{kind}"


def listed(company: Company, target: str = "", **more: Any) -> dict[str, Any]:
    kind, _, id = (target or f"office/{company.office_ids['live']}").partition("/")
    answer = company.live.get(f"{IVRS}?target_type={kind}&target_id={id}")
    assert answer.status == 200, answer
    return {one["ivr_type"]: one["ivrs"] for one in answer.json.get("items", [])}


def selected(company: Company, kind: str = "MENU", target: str = "") -> list[str]:
    return [one["id"] for one in listed(company, target).get(kind, []) if one["selected"]]


def told(api: Api, *ids: str) -> list[tuple[str, str]]:
    return [
        (one["event"], one["subject_id"])
        for one in api.events()
        if one["event"].startswith("prompt.") and (not ids or one["subject_id"] in ids)
    ]


def room(company: Company) -> str:
    made = company.live.post(ROOMS, {"name": "Lobby", "office_id": str(company.office_ids["live"])})
    return f"room/{made.json['id']}"


def kept(company: Company) -> int:
    """How many recordings the company has."""
    tenant = company.tenant()
    query = select(store.recordings.c.digest).where(store.recordings.c.tenant_id == tenant)
    return len(company.desk.transact(lambda tx: tx.connection.execute(query).all()))
