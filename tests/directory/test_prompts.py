"""Voice prompts: uploaded as v2 has it, heard as telephones play them, kept once, and gone with what they are for."""

import array
import base64
import io
import math
import struct
import wave
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, get_args

import lameenc
import pytest
from dialpad.schemas.custom_ivr import (
    CreateCustomIvrMessage,
    CustomIvrCollection,
    CustomIvrDetailsProto,
    CustomIvrProto,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from typing_extensions import get_type_hints

from offhook.directory.prompts import audio, decoder, rules, store
from offhook.directory.prompts.audio import Unusable
from offhook.directory.prompts.model import KINDS
from offhook.kit.errors import Violation
from offhook.storage.backup import backup, restore
from offhook.storage.database import Database
from offhook.storage.tables import metadata
from tests.api.desk import Answer, Api, Company, Desk, office
from tests.conftest import at
from tests.published import misfits

IVRS = "/api/v2/customivrs"
PROMPTS = "/api/offhook/v1/prompts"
ROOMS = "/api/v2/rooms"


# Recordings


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


# v2


def test_the_life_of_a_prompt(company: Company):
    with at("2026-06-20T19:18:00Z"):
        made = company.live.post(IVRS, ivr(company, name=" Hello ", description="The menu"))
    assert made.status == 200
    assert misfits(made.json, CustomIvrDetailsProto) == []
    id = made.json["id"]
    assert made.json == {
        "id": id,
        "date_added": "1781983080000",
        "selected": True,
        "name": "Hello",
        "description": "The menu",
    }
    page = company.live.get(f"{IVRS}?target_type=office&target_id={company.office_ids['live']}")
    assert misfits(page.json, CustomIvrCollection) == []
    assert page.json == {"items": [{"ivr_type": "MENU", "ivrs": [made.json]}]}

    renamed = company.live.patch(f"{IVRS}/{id}", {"name": "Good day"})
    assert misfits(renamed.json, CustomIvrDetailsProto) == []
    assert renamed.json == made.json | {"name": "Good day"}
    assert company.live.patch(f"{IVRS}/{id}", {"name": "x"}, headers={"if-match": '"1"'}).status == 412
    assert "description" not in company.live.patch(f"{IVRS}/{id}", {"description": ""}).json

    second = company.live.post(IVRS, ivr(company, BOOP)).json
    assert selected(company) == [second["id"]]
    chosen = company.live.patch(place(company), {"ivr_id": id})
    assert misfits(chosen.json, CustomIvrProto) == []
    assert (chosen.json["ivr_type"], [(one["id"], one["selected"]) for one in chosen.json["ivrs"]]) == (
        "MENU",
        [(id, True), (second["id"], False)],
    )
    gone = company.live.delete(place(company), {"ivr_id": id})
    assert misfits(gone.json, CustomIvrDetailsProto) == []
    assert (gone.json["id"], gone.json["selected"]) == (id, False)
    assert selected(company) == []
    assert [one["id"] for one in listed(company)["MENU"]] == [second["id"]]
    assert told(company.live, id) == [
        ("prompt.created", id),
        ("prompt.assigned", id),
        ("prompt.updated", id),
        ("prompt.updated", id),
        ("prompt.unassigned", id),
        ("prompt.assigned", id),
        ("prompt.unassigned", id),
        ("prompt.deleted", id),
    ]


def test_every_purpose_of_v2_is_known():
    published = get_type_hints(CreateCustomIvrMessage, include_extras=True)["ivr_type"]
    assert set(KINDS) == set(get_args(published))
    assert list(KINDS) == sorted(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_purpose_may_have_a_prompt(embedded: Company, kind: str):
    uploaded(embedded, ivr_type=kind)
    assert list(listed(embedded)) == [kind]


def test_no_event_has_the_recording_in_it(company: Company):
    uploaded(company)
    text = str(company.live.events())
    assert base64.b64encode(BEEP).decode()[60:120] not in text
    assert "prompt.created" in text


def test_every_fault_is_named_at_once(company: Company):
    body = {"file": "%%%", "ivr_type": "SONG", "target_type": "planet", "target_id": [], "name": "a\nb"}
    assert company.live.post(IVRS, body).places == ["ivr_type", "target_id", "target_type"]
    body = ivr(company, b"RIFF", name="a\nb", description="x" * 257, target_id="12")
    refused = company.live.post(IVRS, body)
    assert (refused.status, refused.places) == (400, ["description", "file", "name", "target_id"])
    assert company.live.post(IVRS, {}).places == ["file", "ivr_type", "target_id", "target_type"]
    assert company.live.post(IVRS, ivr(company, name="x" * 101)).places == ["name"]
    assert company.live.post(IVRS, ivr(company, target_type="department", target_id="7")).places == ["target_id"]
    assert company.live.post(IVRS, ivr(company, target_id="seven")).places == ["target_id"]
    assert company.live.get(IVRS).places == ["target_id", "target_type"]
    assert company.live.patch(f"{IVRS}/planet/1/SONG", {"ivr_id": 1}).places == ["ivr_type", "target_type"]
    assert company.live.delete(place(company)).places == ["ivr_id"]
    assert company.live.patch(place(company), {"ivr_id": "12"}).places == ["ivr_id"]
    assert kept(company) == 0


def test_what_is_not_there_is_not_found(company: Company):
    id = uploaded(company)
    for path in (f"{IVRS}/office/12/MENU", f"{IVRS}/staffgroup/12/MENU"):
        assert company.live.patch(path, {"ivr_id": id}).status == 404
        assert company.live.delete(path, {"ivr_id": id}).status == 404
    assert company.live.get(f"{IVRS}?target_type=office&target_id=12").status == 404
    assert company.live.delete(place(company, "GREETING"), {"ivr_id": id}).status == 404
    for path in (f"{IVRS}/12", f"{IVRS}/hello", f"{IVRS}/{10**30}"):
        assert company.live.patch(path, {"name": "x"}).status == 404
    assert company.live.get(f"{IVRS}?target_type=office&target_id={10**30}").status == 400
    assert company.live.delete(f"{place(company)}?ivr_id={10**30}").status == 400
    assert selected(company) == [id]


def test_a_prompt_is_deleted_by_clients_that_send_no_body(company: Company):
    first, second = uploaded(company), uploaded(company)
    assert company.live.delete(f"{place(company)}?ivr_id={first}", {"ivr_id": second}).places == ["ivr_id"]
    assert company.live.delete(f"{place(company)}?ivr_id={first}").status == 200
    assert company.live.delete(f"{place(company)}?ivr_id={second}", {"ivr_id": int(second)}).status == 200
    assert company.live.delete(f"{place(company)}?ivr_id={second}").status == 404
    assert listed(company) == {}


def test_a_call_center_may_record_each_direction_with_a_notice_of_its_own(company: Company):
    """Offices cannot: there the wish is ignored, and said to be."""
    first, second = uploaded(company, ivr_type="AUTO_RECORDING"), uploaded(company, ivr_type="AUTO_RECORDING")
    chosen = company.live.patch(place(company, "AUTO_RECORDING"), {"ivr_id": first, "select_option": "inbound"})
    assert chosen.codes == {"select_option_ignored"}
    assert selected(company, "AUTO_RECORDING") == [first]
    assert company.live.patch(place(company), {"ivr_id": first, "select_option": "up"}).places == ["select_option"]
    assert rules.takes_direction("callcenter", "AUTO_RECORDING")
    assert not rules.takes_direction("callcenter", "MENU")
    assert second


def test_a_message_to_drop_into_voicemail_is_of_no_use_to_an_office(company: Company):
    made = company.live.post(IVRS, ivr(company, ivr_type="VM_DROP_MESSAGE"))
    assert made.codes == {"never_played"}


def test_prompts_are_listed_by_purpose_and_no_purpose_is_split(embedded: Company):
    files = {"GREETING": 60, "MENU": 60, "NEXT_TARGET": 30, "VM_UNAVAILABLE": 10}
    made = {kind: [uploaded(embedded, ivr_type=kind) for _ in range(count)] for kind, count in files.items()}
    path = f"{IVRS}?target_type=office&target_id={embedded.office_ids['live']}"
    pages, cursor = [], ""
    while True:
        answer = embedded.live.get(f"{path}&cursor={cursor}").json
        pages.append({one["ivr_type"]: [ivr["id"] for ivr in one["ivrs"]] for one in answer["items"]})
        cursor = answer.get("cursor", "")
        if not cursor:
            break
    assert [list(page) for page in pages] == [["GREETING"], ["MENU", "NEXT_TARGET", "VM_UNAVAILABLE"]]
    assert pages[0] | pages[1] == made
    elsewhere = embedded.live.made(office(name="Other")).id
    first = embedded.live.get(path).json["cursor"]
    assert embedded.live.get(f"{IVRS}?target_type=office&target_id={elsewhere}&cursor={first}").places == ["cursor"]


def test_a_target_has_a_hundred_prompts_for_a_purpose_at_most(embedded: Company):
    ids = [uploaded(embedded) for _ in range(rules.MAX_OF_KIND)]
    assert embedded.live.post(IVRS, ivr(embedded)).status == 409
    other = uploaded(embedded, ivr_type="GREETING")
    assert embedded.live.patch(place(embedded), {"ivr_id": other}).status == 409
    assert embedded.live.patch(place(embedded), {"ivr_id": ids[0]}).status == 200
    assert kept(embedded) == 1


def test_a_prompt_is_made_once_for_one_key_and_not_at_all_in_a_dry_run(company: Company):
    dry = company.live.post(IVRS, ivr(company, name="Hello"), headers={"offhook-dry-run": "true"})
    assert (dry.json["dry_run"], dry.json["result"]["name"]) == (True, "Hello")
    assert (listed(company), kept(company)) == ({}, 0)
    refused = company.live.post(IVRS, ivr(company, b"text"), headers={"offhook-dry-run": "true"})
    assert refused.places == ["file"]
    headers = {"idempotency-key": "one"}
    first, again = (company.live.post(IVRS, ivr(company), headers=headers) for _ in range(2))
    assert first.json == again.json
    assert again.headers["offhook-replayed"] == "true"
    assert company.live.post(IVRS, ivr(company, BOOP), headers=headers).status == 409
    assert len(listed(company)["MENU"]) == 1


def test_two_who_choose_at_once_leave_one_chosen(company: Company):
    ids = [uploaded(company) for _ in range(6)]
    wishes = [company.live.sending("PATCH", place(company), {"ivr_id": id}) for id in ids * 2]
    assert {answer.status for answer in company.live.together(wishes)} == {200}
    assert len(selected(company)) == 1
    uploads = [company.live.sending("POST", IVRS, ivr(company, BOOP)) for _ in range(4)]
    assert {answer.status for answer in company.live.together(uploads)} == {200}
    assert len(selected(company)) == 1
    assert kept(company) == 2


# Which target


def test_a_prompt_may_serve_several_targets_and_goes_with_the_last(company: Company):
    id, lobby = uploaded(company), room(company)
    assert company.live.patch(place(company, "GREETING", lobby), {"ivr_id": id}).status == 200
    shown = company.live.get(f"{PROMPTS}/{id}").json
    assert [(one["target_type"], one["ivr_type"], one["selected"]) for one in shown["uses"]] == [
        ("office", "MENU", True),
        ("room", "GREETING", True),
    ]
    left = company.live.delete(place(company), {"ivr_id": id})
    assert (left.status, left.codes) == (200, {"prompt_kept"})
    assert (selected(company), selected(company, "GREETING", lobby), kept(company)) == ([], [id], 1)
    assert told(company.live, id)[-1] == ("prompt.unassigned", id)
    gone = company.live.delete(place(company, "GREETING", lobby), {"ivr_id": id})
    assert (gone.status, gone.codes) == (200, set())
    assert kept(company) == 0
    assert told(company.live, id)[-2:] == [("prompt.unassigned", id), ("prompt.deleted", id)]
    assert company.live.get(f"{PROMPTS}/{id}").status == 404


def test_what_a_deleted_room_played_ends_with_it(company: Company):
    lobby = room(company)
    shared, own = uploaded(company), uploaded(company, BOOP, ivr_type="GREETING")
    for kind, id in (("MENU", shared), ("GREETING", own)):
        assert company.live.patch(place(company, kind, lobby), {"ivr_id": id}).status == 200
    assert company.live.delete(place(company, "GREETING"), {"ivr_id": own}).status == 200
    assert company.live.patch(f"{IVRS}/{own}", {"name": "At another version than the room"}).status == 200
    version = company.live.get(f"{ROOMS}/{lobby[5:]}").headers["etag"]
    assert company.live.delete(f"{ROOMS}/{lobby[5:]}", headers={"if-match": version}).status == 200
    assert company.live.get(f"{PROMPTS}/{own}").status == 404
    assert [one["target_type"] for one in company.live.get(f"{PROMPTS}/{shared}").json["uses"]] == ["office"]
    assert kept(company) == 1
    assert told(company.live, own)[-1] == ("prompt.deleted", own)
    assert told(company.live, shared)[-1] == ("prompt.unassigned", shared)
    assert company.live.get(f"{IVRS}?target_type=room&target_id={lobby[5:]}").status == 404


def test_what_a_deleted_office_played_ends_with_it(company: Company):
    other = company.live.made(office(name="Other")).id
    id = uploaded(company, target_id=other)
    version = company.live.get(f"/api/offhook/v1/offices/{other}").headers["etag"]
    gone = company.live.delete(f"/api/offhook/v1/offices/{other}", headers={"if-match": version})
    assert gone.status == 200, gone
    assert (company.live.get(f"{PROMPTS}/{id}").status, kept(company)) == (404, 0)


def test_another_company_sees_nothing_of_it(company: Company):
    other = company.desk.found()
    id = uploaded(company)
    mine = uploaded(other)
    assert (kept(company), kept(other)) == (1, 1)
    for path in (f"{PROMPTS}/{id}", f"{PROMPTS}/{id}/audio"):
        assert other.live.get(path).status == 404
        assert company.sandbox.get(path).status == 404
    assert other.live.patch(f"{IVRS}/{id}", {"name": "x"}).status == 404
    assert other.live.patch(place(company), {"ivr_id": mine}).status == 404
    assert other.live.delete(place(company), {"ivr_id": id}).status == 404
    assert other.live.delete(place(other), {"ivr_id": id}).status == 404
    assert other.live.patch(place(other), {"ivr_id": id}).places == ["ivr_id"]
    assert other.live.post(IVRS, ivr(company)).places == ["target_id"]
    assert other.live.get(f"{IVRS}?target_type=office&target_id={company.office_ids['live']}").status == 404
    assert [one["id"] for one in other.live.get(PROMPTS).json["items"]] == [mine]
    assert other.live.delete(place(other), {"ivr_id": mine}).status == 200
    assert len(heard(company.live.get(f"{PROMPTS}/{id}/audio"))) == 4000


def test_a_key_that_only_reads_uploads_nothing(company: Company):
    reader = company.key("directory:read")
    assert reader.post(IVRS, ivr(company)).status == 403
    assert reader.get(PROMPTS).status == 200


# What is kept


def test_the_same_recording_is_kept_once(company: Company):
    first, second = uploaded(company, name="one"), uploaded(company, name="two", ivr_type="GREETING")
    other = uploaded(company, BOOP)
    assert kept(company) == 2
    digests = [company.live.get(f"{PROMPTS}/{id}").json["digest"] for id in (first, second, other)]
    assert digests[0] == digests[1] != digests[2]
    company.live.delete(place(company), {"ivr_id": first})
    assert kept(company) == 2
    company.live.delete(place(company, "GREETING"), {"ivr_id": second})
    assert kept(company) == 1
    assert company.live.get(f"{PROMPTS}/{other}/audio").status == 200
    assert company.live.get(f"{PROMPTS}/{uploaded(company, name='back')}/audio").status == 200


def test_a_recording_that_went_while_it_was_uploaded_again_is_kept_again(
    company: Company, monkeypatch: pytest.MonkeyPatch
):
    """The look-up before decoding may see what is gone by the time of the transaction."""
    first = uploaded(company)
    real, calls = store.recording, []

    def once_wrong(tx: Any, tenant_id: int, digest: str) -> Any:
        found = real(tx, tenant_id, digest)
        calls.append(found)
        if len(calls) == 1:
            assert found is not None
            return found
        return found

    monkeypatch.setattr(store, "recording", once_wrong)
    reading = company.desk.offhook.work.reader.run

    async def then_deleted(function: Any) -> Any:
        result = await reading(function)
        monkeypatch.setattr(company.desk.offhook.work.reader, "run", reading)
        gone = await company.live.sending("DELETE", place(company), {"ivr_id": first})
        assert gone.status == 200
        return result

    monkeypatch.setattr(company.desk.offhook.work.reader, "run", then_deleted)
    second = uploaded(company)
    assert kept(company) == 1
    assert len(heard(company.live.get(f"{PROMPTS}/{second}/audio"))) == 4000


def test_a_prompt_shows_its_recording_and_all_of_them_are_listed(embedded: Company):
    made = [uploaded(embedded, BEEP if index else SONG, ivr_type=KINDS[index % 2]) for index in range(101)]
    shown = embedded.live.get(f"{PROMPTS}/{made[0]}")
    assert shown.headers["etag"] == '"1"'
    assert (shown.json["media_type"], shown.json["size"]) == ("audio/mpeg", len(SONG))
    assert shown.json["seconds"] == pytest.approx(1.0, abs=0.1)
    first = embedded.live.get(PROMPTS).json
    second = embedded.live.get(f"{PROMPTS}?cursor={first['cursor']}").json
    assert [one["id"] for one in first["items"] + second["items"]] == made
    assert "cursor" not in second


def test_a_backup_brings_prompts_from_sqlite_to_postgresql(embedded: Company, postgres_url: str, tmp_path: Path):
    """Silence too, though an archive of little else looks much like one made to fill memory."""
    ids = [uploaded(embedded, file) for file in (SONG, wav(bytes(2 * 8000 * 200)), BEEP)]
    backup(embedded.desk.offhook.database, tmp_path / "whole.zip")
    with closing(Database(postgres_url)) as after:
        restore(after, tmp_path / "whole.zip")
        backup(after, tmp_path / "back.zip")

        def rows(database: Database) -> dict[str, list[tuple[Any, ...]]]:
            with database.reading() as tx:
                return {
                    name: [tuple(row) for row in tx.connection.execute(select(table).order_by(*table.primary_key))]
                    for name, table in metadata.tables.items()
                    if name.startswith("prompt")
                }

        before = rows(embedded.desk.offhook.database)
        assert rows(after) == before
        assert {int(id) for id in ids} <= {row[0] for row in before["prompts"]}
        assert wav(bytes(2 * 8000 * 200)) in [row[6] for row in before["prompt_recordings"]]


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
