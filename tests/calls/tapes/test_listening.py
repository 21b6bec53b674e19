"""Messages and recordings as the API has them: lists, sound in parts, links, marking, deleting."""

import hashlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from offhook.calls import store as calls
from offhook.calls.tapes.links import Links
from offhook.directory.lines.model import Target
from offhook.kit import clock
from offhook.storage.database import Statement
from tests.api.desk import Company
from tests.calls.tapes.sounds import CALLER, V1, call, left, primary, wav
from tests.directory.people import hired

ASKED: list[tuple[str, int, int]] = [
    ("bytes=0-0", 0, 1),
    ("bytes=0-99", 0, 100),
    ("bytes=44-", 44, 12044),
    ("bytes=-1", 12043, 12044),
    ("bytes=-500", 11544, 12044),
    ("bytes=-99999", 0, 12044),
    ("bytes=12000-99999", 12000, 12044),
    ("Bytes = 5-6", 5, 7),
]


def test_a_message_is_listed_with_who_left_it_and_heard(company: Company):
    box = primary(company)
    id = left(company, box)
    [found] = company.live.get(f"{V1}/voicemails").json["items"]
    assert found["id"] == id
    assert (found["caller"], found["seconds"], found["read"]) == (CALLER, 1.5, False)
    assert (found["target_type"], found["target_id"], found["office_id"]) == ("office", str(box.id), str(box.id))
    assert found["target_name"] == "Head office"
    heard = company.live.get(found["sound"])
    assert heard.status == 200
    assert heard.response.content == wav(1.5)
    assert heard.headers["content-type"] == "audio/wav"
    assert heard.headers["content-length"] == str(len(wav(1.5)))
    assert heard.headers["accept-ranges"] == "bytes"
    assert heard.headers["etag"] == f'"{hashlib.sha256(wav(1.5)).hexdigest()}"'
    [told] = [one for one in company.live.events() if one["event"] == "voicemail.left"]
    assert told["subject_id"] == id
    assert told["after"]["caller"] == CALLER
    assert "name" not in told["after"]


def test_people_of_the_company_are_told_by_name(embedded: Company):
    ann = hired(embedded)
    box = primary(embedded)
    left(embedded, box, who=f"user:{ann}")
    left(embedded, box)
    found = embedded.live.get(f"{V1}/voicemails").json["items"]
    assert [one.get("caller_name", "") for one in found] == ["", "Ann Lee"]
    one = embedded.live.get(f"{V1}/voicemails/{found[1]['id']}").json
    assert (one["caller"], one["caller_name"]) == (f"user:{ann}", "Ann Lee")


def test_a_caller_whose_call_is_forgotten_is_not_told_by_name(embedded: Company):
    ann = hired(embedded)
    id = left(embedded, primary(embedded), who=f"user:{ann}")
    call_id = int(embedded.live.get(f"{V1}/voicemails/{id}").json["call_id"])
    gone = [(embedded.tenant(), call_id)]
    embedded.desk.transact(lambda tx: calls.forget(tx, gone))
    one = embedded.live.get(f"{V1}/voicemails/{id}").json
    assert (one["caller"], one.get("caller_name", "")) == (f"user%3A{ann}", "")


def test_nobody_from_outside_is_told_by_the_name_of_one_of_the_company(embedded: Company):
    ann = hired(embedded)
    id = left(embedded, primary(embedded), caller=f"user:{ann}")
    # As older ones stand in the store.
    change = Statement("UPDATE tapes SET caller = ? WHERE id = ?")
    for caller in (None, f"user:{ann}"):
        if caller is not None:
            embedded.desk.transact(lambda tx, caller=caller: tx.change(change, caller, int(id)))
        [listed] = embedded.live.get(f"{V1}/voicemails").json["items"]
        for one in (listed, embedded.live.get(f"{V1}/voicemails/{id}").json):
            assert (one["caller"], one.get("caller_name", "")) == (f"user%3A{ann}", "")
    marked = embedded.live.patch(f"{V1}/voicemails/{id}", {"read": True}).json
    assert (marked["caller"], marked.get("caller_name", "")) == (f"user%3A{ann}", "")


@pytest.mark.parametrize(("asked", "start", "stop"), ASKED)
def test_a_part_is_given_byte_for_byte(embedded: Company, asked: str, start: int, stop: int):
    path = f"{V1}/voicemails/{left(embedded, primary(embedded))}/sound"
    got = embedded.live.get(path, headers={"range": asked})
    assert got.status == 206
    assert got.response.content == wav(1.5)[start:stop]
    assert got.headers["content-range"] == f"bytes {start}-{stop - 1}/12044"
    assert got.headers["content-length"] == str(stop - start)


@pytest.mark.parametrize("asked", ["bytes=12044-", "bytes=99999-100000", "bytes=-0"])
def test_a_part_that_is_not_there_is_refused_with_the_size(embedded: Company, asked: str):
    got = embedded.live.get(f"{V1}/voicemails/{left(embedded, primary(embedded))}/sound", headers={"range": asked})
    assert got.status == 416
    assert got.headers["content-range"] == "bytes */12044"
    assert got.errors[0]["reason"] == "requestedRangeNotSatisfiable"


@pytest.mark.parametrize(
    "asked", ["bytes=5-2", "bytes=-", "bytes=a-b", "bytes=0-1,5-6", "pages=1-2", "", "bytes=" + "9" * 90 + "-"]
)
def test_what_is_no_range_is_answered_with_all_of_it(embedded: Company, asked: str):
    got = embedded.live.get(f"{V1}/voicemails/{left(embedded, primary(embedded))}/sound", headers={"range": asked})
    assert (got.status, got.response.content) == (200, wav(1.5))


def test_a_part_is_given_only_of_the_file_that_the_player_knows(embedded: Company):
    path = f"{V1}/voicemails/{left(embedded, primary(embedded))}/sound"
    known = embedded.live.get(path)
    for condition, status in (
        (known.headers["etag"], 206),
        (known.headers["last-modified"], 206),
        ('"another"', 200),
        ("W/" + known.headers["etag"], 200),
        ("Tue, 01 Jan 2019 00:00:00 GMT", 200),
    ):
        got = embedded.live.get(path, headers={"range": "bytes=1-2", "if-range": condition})
        assert got.status == status, condition
        assert got.response.content == (wav(1.5)[1:3] if status == 206 else wav(1.5))
    # Who no longer has the file they know gets all of it, even where their part is behind its end.
    assert embedded.live.get(path, headers={"range": "bytes=99999-", "if-range": '"x"'}).status == 200


def test_messages_are_found_by_box_office_call_and_whether_they_were_read(company: Company):
    line = primary(company)
    user = _user(company, "ana")
    first, second = left(company, line), left(company, user)
    assert _ids(company, f"target_type=user&target_id={user.id}") == [second]
    assert _ids(company, f"office_id={line.id}") == [second, first]
    assert company.live.patch(f"{V1}/voicemails/{first}", {"read": True}).json["read_at"]
    assert _ids(company, "unread=true") == [second]
    assert _ids(company, "limit=1") == [second]
    cursor = company.live.get(f"{V1}/voicemails?limit=1").json["cursor"]
    assert _ids(company, f"limit=1&cursor={cursor}") == [first]
    assert "read_at" not in company.live.patch(f"{V1}/voicemails/{first}", {"read": False}).json
    words = [one["event"] for one in company.live.events() if one["event"].startswith("voicemail.")]
    assert words == ["voicemail.left", "voicemail.left", "voicemail.updated", "voicemail.updated"]
    assert company.live.get(f"{V1}/voicemails?target_type=user").places == ["target_id"]


@pytest.mark.parametrize(
    ("query", "place"),
    [("target_type=user&target_id=NIL", "target_id"), ("office_id=x", "office_id"), ("call_id=1.5", "call_id")],
)
def test_what_is_no_number_is_refused_and_not_taken_for_nothing(embedded: Company, query: str, place: str):
    for noun in ("voicemails", "recordings"):
        answer = embedded.live.get(f"{V1}/{noun}?{query}")
        assert (answer.status, answer.places) == (400, [place])


def test_a_message_that_is_deleted_is_gone_with_its_sound_and_its_links(company: Company):
    id = left(company, primary(company))
    kept = _files(company)
    link = company.live.post(f"{V1}/voicemails/{id}/link").json
    assert company.live.get(_path(link)).status == 200
    assert company.live.delete(f"{V1}/voicemails/{id}").status == 200
    assert len(_files(company)) == len(kept) - 1
    assert _ids(company, "") == []
    for path in (f"/voicemails/{id}", f"/voicemails/{id}/sound"):
        assert company.live.get(V1 + path).status == 404
    assert company.live.delete(f"{V1}/voicemails/{id}").status == 404
    assert company.live.get(_path(link)).status == 404
    assert company.live.events()[-1]["event"] == "voicemail.deleted"


def test_a_recording_is_the_lines_that_the_call_reached(company: Company):
    line, tapes = primary(company), company.desk.offhook.tapes
    user = _user(company, "ana")
    call_id = call(company, via=line, talking=f"user:{user.id}")
    path = tapes.new_recording(company.tenant(), call_id)
    Path(path).write_bytes(wav(2))
    company.desk.run(tapes.recording_made(company.tenant(), call_id, path, 2.0))
    [found] = company.live.get(f"{V1}/recordings?call_id={call_id}").json["items"]
    assert (found["target_id"], found["users"], found["seconds"]) == (str(line.id), [f"user:{user.id}"], 2.0)
    assert company.live.get(f"{V1}/voicemails/{found['id']}").status == 404
    assert company.live.get(found["sound"], headers={"range": "bytes=-3"}).response.content == wav(2)[-3:]
    assert company.live.delete(f"{V1}/recordings/{found['id']}").status == 200
    assert company.live.events()[-1]["event"] == "recording.deleted"


def test_a_recording_is_of_those_who_were_on_it_also_where_another_has_the_call_by_then(company: Company):
    ana, bob = _user(company, "ana"), _user(company, "bob")
    tapes = company.desk.offhook.tapes
    call_id = call(company, via=primary(company), talking=f"user:{bob.id}")
    path = tapes.new_recording(company.tenant(), call_id)
    Path(path).write_bytes(wav(2))
    people = ("", f"user:{ana.id}", "+14155550123")
    company.desk.run(tapes.recording_made(company.tenant(), call_id, path, 2.0, people))
    [found] = company.live.get(f"{V1}/recordings?call_id={call_id}").json["items"]
    assert found["users"] == [f"user:{ana.id}"]


def test_a_recording_is_of_the_line_that_had_the_call_then_and_not_of_the_one_it_is_sent_on_to(company: Company):
    desk, tenant, line = company.desk, company.tenant(), primary(company)
    tapes, call_id = desk.offhook.tapes, call(company, over=False, via=line)
    path = tapes.new_recording(tenant, call_id)
    Path(path).write_bytes(wav(2))
    desk.run(tapes.recording_begun(path))
    before = desk.transact(lambda tx: calls.get(tx, tenant, call_id))
    assert before is not None
    elsewhere = msgspec.structs.replace(before.state, via=Target("department", 5))
    after = msgspec.structs.replace(before, state=elsewhere)
    desk.transact(lambda tx: calls.keep(tx, after, [], before.began + 10**9))
    desk.run(tapes.recording_made(tenant, call_id, path, 2.0))
    [found] = company.live.get(f"{V1}/recordings?call_id={call_id}").json["items"]
    assert (found["target_type"], found["target_id"]) == ("office", str(line.id))


def test_a_users_key_hears_what_that_user_may(embedded: Company):
    line, ana, bob = primary(embedded), _user(embedded, "ana"), _user(embedded, "bob")
    of_line, of_ana, of_bob = left(embedded, line), left(embedded, ana), left(embedded, bob)
    hers = _key_of(embedded, ana.id)
    assert [one["id"] for one in hers.get(f"{V1}/voicemails").json["items"]] == [of_ana]
    for id, status in ((of_ana, 200), (of_bob, 404), (of_line, 404)):
        for path in ("", "/sound"):
            assert hers.get(f"{V1}/voicemails/{id}{path}").status == status
        assert hers.post(f"{V1}/voicemails/{id}/link").status == status
    body = {"operator_type": "user", "operator_id": str(ana.id)}
    assert embedded.live.post(f"/api/v2/offices/{line.id}/operators", body).status == 200
    assert [one["id"] for one in hers.get(f"{V1}/voicemails").json["items"]] == [of_ana, of_line]


# Links


def test_a_link_needs_no_key_and_opens_one_tape(company: Company):
    id = left(company, primary(company))
    made = company.live.post(f"{V1}/voicemails/{id}/link", {"seconds": 60}).json
    assert made["url"].startswith("http://127.0.0.1:8080/api/offhook/v1/sounds/")
    stranger = _stranger(company)
    got = stranger.get(_path(made), headers={"range": "bytes=10-19"})
    assert (got.status, got.response.content) == (206, wav(1.5)[10:20])
    assert stranger.get(f"{V1}/voicemails/{id}/sound").status == 401


def test_a_forged_link_an_old_one_and_anothers_are_one_answer(company: Company):
    id = left(company, primary(company))
    path = _path(company.live.post(f"{V1}/voicemails/{id}/link", {"seconds": 60}).json)
    stranger = _stranger(company)
    answers = [stranger.get(f"{V1}/sounds/{link}") for link in ("nothing", "%C3%88%F0%9B%8F%8D%07g", "a.%C3%88", "%FF")]
    head, signature = path.rsplit(".", 1)
    other = "A" if signature[0] != "A" else "B"
    answers.append(stranger.get(f"{head}.{other}{signature[1:]}"))
    answers.append(stranger.get(path[:-1]))
    offhook, tape = company.desk.offhook, _tape(company, id)
    principal = company.desk.run(offhook.access.authenticate(company.live.key))
    long_ago = Links("other secret", offhook.reader).seal(principal, tape, 60)[0]
    answers.append(stranger.get(f"{V1}/sounds/{long_ago}"))
    links = _links(company)
    old = Links.__new__(Links)
    old.__dict__.update(links.__dict__ | {"_wall": lambda: clock.wall() - 61})
    answers.append(stranger.get(f"{V1}/sounds/{old.seal(principal, tape, 60)[0]}"))
    # Signed for another company: that one has no such tape.
    elsewhere = company.desk.run(offhook.access.authenticate(company.desk.found().live.key))
    answers.append(stranger.get(f"{V1}/sounds/{links.seal(elsewhere, tape, 60)[0]}"))
    assert {one.status for one in answers} == {404}
    assert len({one.response.text for one in answers}) == 1
    assert stranger.get(f"{V1}/sounds/{links.seal(principal, tape, 60)[0]}").status == 200


def test_another_company_does_not_hear_it(company: Company):
    id, other = left(company, primary(company)), company.desk.found()
    for api in (other.live, company.sandbox):
        assert api.get(f"{V1}/voicemails").json == {}
        for path in (f"/voicemails/{id}", f"/voicemails/{id}/sound", f"/recordings/{id}"):
            assert api.get(V1 + path).status == 404
        assert api.delete(f"{V1}/voicemails/{id}").status == 404


def test_a_sound_that_somebody_took_from_the_disk_is_not_found(embedded: Company):
    id = left(embedded, primary(embedded))
    embedded.desk.run(embedded.desk.offhook.tapes.shelf.remove(_tape(embedded, id).name))
    assert embedded.live.get(f"{V1}/voicemails/{id}/sound").status == 404


def _ids(company: Company, query: str) -> list[str]:
    return [one["id"] for one in company.live.get(f"{V1}/voicemails?{query}").json.get("items", [])]


def _path(link: dict[str, Any]) -> str:
    return str(link["url"].removeprefix("http://127.0.0.1:8080"))


def _user(company: Company, name: str) -> Target:
    bought = company.live.post(f"{V1}/offices/{company.office_ids['live']}/licences", {"talk_lines": 1})
    assert bought.status == 200, bought
    body = {"office_id": str(company.office_ids["live"]), "email": f"{name}@example.com", "first_name": name}
    answer = company.live.post("/api/v2/users", body)
    assert answer.status == 200, answer
    return Target("user", int(answer.json["id"]))


def _files(company: Company) -> list[Path]:
    return sorted((Path(company.desk.offhook.settings.data) / "sound" / "kept").glob("*/*.wav"))


def _tape(company: Company, id: str) -> Any:
    from offhook.calls.tapes import store

    tenant = company.tenant()
    return company.desk.transact(lambda tx: store.get(tx, tenant, int(id)))


def _links(company: Company) -> Links:
    from offhook.storage import secrets

    offhook = company.desk.offhook
    return Links(secrets.get(offhook.database, "sound"), offhook.reader)


def _stranger(company: Company) -> Any:
    from tests.api.desk import Api

    return Api(company.desk, "")


def _key_of(company: Company, user_id: int) -> Any:
    from offhook.access import service as access
    from tests.api.desk import Api

    made = company.desk.transact(
        lambda tx: access.create_key(
            tx, company.desk.ids, company_id=company.id, environment="live", name="hers",
            scopes=("recordings:write",), expires_at=None, user_id=user_id,
        )
    )  # fmt: skip
    return Api(company.desk, made.secret)
