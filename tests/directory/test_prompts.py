"""Voice prompts: uploaded as v2 has it, kept once, and gone with what they are for."""

import base64
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from dialpad.schemas.custom_ivr import (
    CreateCustomIvrMessage,
    CustomIvrCollection,
    CustomIvrDetailsProto,
    CustomIvrProto,
)
from sqlalchemy import select
from typing_extensions import get_type_hints

from offhook.directory.prompts import audio, rules, store
from offhook.directory.prompts.model import KINDS
from offhook.storage.backup import backup, restore
from offhook.storage.database import Database
from offhook.storage.tables import metadata
from tests.api.desk import Company, office
from tests.conftest import at
from tests.directory.recordings import (
    BEEP,
    BOOP,
    IVRS,
    PROMPTS,
    ROOMS,
    SONG,
    heard,
    ivr,
    kept,
    listed,
    place,
    room,
    selected,
    told,
    uploaded,
    wav,
)
from tests.published import misfits


@pytest.fixture(autouse=True, scope="module")
def decoded_once() -> Iterator[None]:
    """Each recording is decoded once: that takes a process, and is what test_recordings.py is about."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audio, "run", cache(audio.run))
        yield


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
        if not calls:  # what the process reads for itself meanwhile is not the look-up
            return result
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
