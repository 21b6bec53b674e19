"""Refusals: the form of v2, one entry for each fault, and no body that gets anything else out of the server."""

import json
from typing import Any

import msgspec
import pytest

from offhook.kit.operation import MIB
from tests.api.desk import OFFICES, WHOLE, Company, full, in_parts, office, placed

JSON = {"content-type": "application/json"}


def _raw(**changes: Any) -> bytes:
    return msgspec.json.encode(office(**changes))


def test_an_error_has_the_form_of_v2_with_the_place_and_what_was_sent(embedded: Company):
    answer = embedded.live.create(office(ring_seconds=99, country="Portugal"))
    assert answer.headers["content-type"] == "application/json"
    error = answer.json["error"]
    assert set(error) == {"code", "message", "errors"}
    assert error["code"] == 400
    assert error["message"].startswith("country: ")
    assert "1 more" in error["message"]
    country, ring = error["errors"]
    assert country["location"] == "country"
    assert country["locationType"] == "field"
    assert country["reason"] == "invalidParameter"
    assert country["sent"] == "Portugal"
    assert ring["sent"] == "99"
    assert "10" in ring["message"]
    assert "45" in ring["message"]


def test_an_error_about_no_field_names_none(embedded: Company):
    (entry,) = embedded.live.get(f"{OFFICES}/1").errors
    assert entry == {"domain": "global", "reason": "notFound", "message": entry["message"]}


@pytest.mark.parametrize(
    "sent", ["x" * 100_000, "🏢" * 5000, "a\nb\0c\x1b[31m", ["x"] * 10_000, {"a" * 5000: 1}, "\u202e\u2028"]
)
def test_what_was_sent_is_shortened_and_harmless(embedded: Company, sent: Any):
    for path in ("timezone", "billing_contact.email", "billing_address.region", "country"):
        answer = embedded.live.create(placed(full(), path, sent))
        assert path in answer.places
        for entry in answer.errors:
            assert len(entry.get("sent", "")) <= 120
            assert entry.get("sent", "").isprintable()
        assert len(answer.response.content) < 6000


@pytest.mark.parametrize(
    "fault",
    ["routing_options.open.dtmf[2].input", "routing_options.closed.dtmf[0].options.action", "monday_hours[3]",
     "e911_address.zip", "billing_contact.email", "voice_intelligence.auto_start"],
)  # fmt: skip
def test_a_fault_is_located_by_the_path_that_the_reference_writes(embedded: Company, fault: str):
    assert embedded.live.refused(placed(full(), fault, "?")) == [fault]


# Bodies that are no JSON document

DEEP = b'{"a":' * 33 + b"1" + b"}" * 33
MALFORMED: dict[str, bytes] = {
    "nothing": b"",
    "spaces": b"  \n",
    "cut off": _raw()[:-1],
    "half": _raw()[:200],
    "two documents": _raw() + _raw(),
    "something behind it": _raw() + b" x",
    "NUL behind it": _raw() + b"\0",
    "byte order mark": b"\xef\xbb\xbf" + _raw(),
    "UTF-16": _raw().decode().encode("utf-16"),
    "Latin-1": json.dumps(office(name="Évora"), ensure_ascii=False).encode("latin-1"),
    "half a character": b'{"name":"\xc3"}',
    "overlong character": b'{"name":"\xc0\xaf"}',
    "encoded surrogate": b'{"name":"\xed\xa0\x80"}',
    "beyond Unicode": b'{"name":"\xf4\x90\x80\x80"}',
    "not UTF-8 in a key": b'{"\xff":1}',
    "lone high surrogate": b'{"name":"\\ud800"}',
    "lone low surrogate": b'{"name":"\\udc00"}',
    "surrogates the wrong way round": b'{"name":"\\udc00\\ud800"}',
    "lone surrogate in a key": b'{"\\ud800":1}',
    "bare line feed in a text": b'{"name":"a\nb"}',
    "NUL in a text": b'{"name":"a\0b"}',
    "unknown escape": b'{"name":"\\x41"}',
    "NaN": b'{"ring_seconds":NaN}',
    "Infinity": b'{"ring_seconds":Infinity}',
    "minus Infinity": b'{"ring_seconds":-Infinity}',
    "number too large": b'{"ring_seconds":1e400}',
    "number far too large": b'{"ring_seconds":1e999999999}',
    "5,000 digits": b'{"ring_seconds":' + b"1" * 5000 + b"}",
    "number with a nought in front": b'{"ring_seconds":010}',
    "number with a plus": b'{"ring_seconds":+10}',
    "hexadecimal": b'{"ring_seconds":0x10}',
    "comma too many": b'{"name":"x",}',
    "comma too few": b'{"name":"x" "country":"PT"}',
    "comment": b'{"name":"x"/* here */}',
    "single quotes": b"{'name':'x'}",
    "key without quotes": b'{name:"x"}',
    "None": b"None",
    "True": b"True",
    "33 objects deep": DEEP,
    "33 lists deep": b"[" * 33 + b"]" * 33,
    "33 deep in an unknown field": b'{"x":' + b"[" * 32 + b"]" * 32 + b"}",
    "100,000 lists deep": b"[" * 100_000 + b"]" * 100_000,
    "100,000 lists opened": b"[" * 100_000,
    "100,000 objects opened": b'{"a":' * 100_000,
}
TWICE: dict[str, bytes] = {
    "at the top": b'{"name":"a","name":"b"}',
    "equal ones": b'{"name":"a","name":"a"}',
    "inside": b'{"billing_address":{"city":"a","city":"b"}}',
    "in a list": b'{"days":[{"city":"a"},{"city":"a","city":"b"}]}',
    "written with an escape": b'{"name":"a","n\\u0061me":"b"}',
    "with an escape in both": b'{"\\u006eame":"a","n\\u0061me":"b"}',
    "hidden behind an escaped colon": b'{"name":"a","name":"\\u003a"}',
    "hidden behind escaped colons elsewhere": b'{"name":"a","x":"\\u003a\\u003A","name":"b"}',
    "with a colon in the key": b'{"a:b":1,"a:b":2}',
    "empty keys": b'{"":1,"":2}',
    "unknown fields": b'{"zzz":1,"zzz":[2]}',
    "beside a number of many digits": b'{"a":1,"a":2,"b":' + b"1" * 4000 + b"}",
    "long keys": b'{"' + b"k" * 5000 + b'":1,"' + b"k" * 5000 + b'":2}',
}


@pytest.mark.parametrize("what", MALFORMED)
def test_a_body_that_is_no_json_document_is_refused(embedded: Company, what: str):
    answer = embedded.live.post(OFFICES, content=MALFORMED[what])
    assert answer.status == 400, answer
    assert answer.errors[0]["reason"] == "badRequest"


@pytest.mark.parametrize("what", TWICE)
def test_a_key_that_stands_twice_is_refused(embedded: Company, what: str):
    answer = embedded.live.post(OFFICES, content=TWICE[what])
    assert answer.status == 400, answer
    assert "twice" in answer.json["error"]["message"]


@pytest.mark.parametrize("body", [b"[]", b'"name"', b"5", b"null", b"true", b"[{}]", b"1" + b"0" * 30])
def test_a_document_that_is_no_object_is_refused(embedded: Company, body: bytes):
    answer = embedded.live.post(OFFICES, content=body)
    assert answer.status == 400
    assert "object" in answer.json["error"]["message"]


@pytest.mark.parametrize(
    "number", [str(10**30), str(-(10**30)), "1e300", "1e-400", "-0", "9223372036854775808", "0.1", "1" * 4000]
)
def test_an_odd_number_is_refused_where_it_stands_and_unknown_fields_take_it(embedded: Company, number: str):
    for path in ("ring_seconds", "name", "hours_on", "billing_address", "monday_hours"):
        body = msgspec.json.encode({name: value for name, value in office().items() if name != path})
        raw = body.replace(b'{"', b'{"%s":%s,"' % (path.encode(), number.encode()), 1)
        answer = embedded.live.post(OFFICES, content=raw)
        assert answer.status == 400
        assert answer.places == [path]
    raw = _raw().replace(b'{"', b'{"odd":%s,"' % number.encode(), 1)
    assert embedded.live.post(OFFICES, content=raw).status == 200


def test_32_levels_are_read(embedded: Company):
    raw = _raw().replace(b'{"', b'{"deep":' + b"[" * 31 + b"]" * 31 + b',"', 1)
    assert embedded.live.post(OFFICES, content=raw).status == 200


def test_the_same_reader_stands_before_every_operation_with_a_body(embedded: Company):
    place = f"/{embedded.office_ids['live']}"
    for method, path in (
        ("PATCH", f"{OFFICES}{place}"),
        ("PUT", f"{OFFICES}{place}/e911"),
        ("PUT", f"{WHOLE}{place}"),
        ("PUT", f"{WHOLE}{place}/special-days"),
        ("POST", f"{WHOLE}{place}/holidays/import"),
    ):
        for raw in (b'{"a":1,"a":2}', b"[]", b"nonsense", b'{"name":"\xff"}', DEEP, b""):
            assert embedded.live.send(method, path, content=raw).status == 400, (method, path, raw)


# Media types, sizes, methods, paths


@pytest.mark.parametrize(
    "media", [None, "", "text/plain", "text/json", "application/x-www-form-urlencoded", "application/json5",
              "multipart/form-data; boundary=x", "application/jsonx", "*/*", "json"]
)  # fmt: skip
def test_a_body_of_another_media_type_is_415(embedded: Company, media: str | None):
    answer = embedded.live.post(OFFICES, content=_raw(), headers={"content-type": media})
    assert answer.status == 415
    assert answer.errors[0]["location"] == "Content-Type"
    assert "application/json" in answer.json["error"]["message"]


def _sized(size: int) -> bytes:
    """A good body of so many bytes."""
    raw = _raw()
    return raw[:-1] + b" " * (size - len(raw)) + b"}"


def test_a_body_of_one_mebibyte_is_read_and_a_byte_more_is_413(embedded: Company):
    assert embedded.live.post(OFFICES, content=_sized(MIB)).status == 200
    assert embedded.live.post(OFFICES, content=_sized(MIB + 1)).status == 413
    assert embedded.live.post(OFFICES, content=_sized(10 * MIB)).status == 413


def test_a_body_without_a_declared_length_is_counted(embedded: Company):
    def chunked(size: int) -> Any:
        raw = _sized(size)
        return in_parts(*(raw[index : index + 65536] for index in range(0, size, 65536)))

    assert embedded.live.post(OFFICES, content=chunked(MIB), headers=JSON).status == 200
    answer = embedded.live.post(OFFICES, content=chunked(MIB + 1), headers=JSON)
    assert answer.status == 413
    assert answer.errors[0]["reason"] == "uploadTooLarge"
    path = f"{WHOLE}/{embedded.office_ids['live']}"
    assert embedded.live.send("DELETE", path, content=chunked(2 * MIB), headers=JSON).status == 413


def test_a_length_that_is_declared_too_large_is_413_before_a_byte_is_read(embedded: Company):
    read = []

    async def watched() -> Any:
        read.append(True)
        yield b""

    answer = embedded.live.post(OFFICES, content=watched(), headers=JSON | {"content-length": str(MIB + 1)})
    assert answer.status == 413
    assert not read


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", OFFICES, "GET, POST"),
        ("PUT", OFFICES, "GET, POST"),
        ("OPTIONS", OFFICES, "GET, POST"),
        ("BREW", OFFICES, "GET, POST"),
        ("POST", f"{OFFICES}/primary", "GET"),
        ("PATCH", f"{OFFICES}/primary", "GET"),
        ("DELETE", f"{OFFICES}/5", "GET, PATCH"),
        ("POST", f"{OFFICES}/5/e911", "GET, PUT"),
        ("POST", f"{WHOLE}/5", "DELETE, GET, PUT"),
        ("POST", "/api/offhook/v1/events", "GET"),
    ],
)
def test_a_method_that_a_path_does_not_take_is_405_with_those_that_it_takes(
    embedded: Company, method: str, path: str, allowed: str
):
    answer = embedded.live.send(method, path)
    assert answer.status == 405
    assert answer.headers["allow"] == allowed
    if method != "HEAD":
        assert answer.errors[0]["reason"] == "methodNotAllowed"


@pytest.mark.parametrize(
    "path", ["/api/v2/office", "/api/v2/offices/", "/api/v2", "/api/", "/api/v3/offices", "/api/v2/offices/5/x/y",
             "/api/v2/offices//plan", "/api/v2/%2e%2e/offices", "/api/v2/offices%00", "/api/" + "x" * 5000]
)  # fmt: skip
def test_a_path_that_is_not_there_is_404_in_the_same_form(embedded: Company, path: str):
    answer = embedded.live.get(path)
    assert answer.status == 404
    assert answer.errors[0]["reason"] == "notFound"


def test_a_path_that_is_nearly_right_is_told_the_right_one(embedded: Company):
    message = embedded.live.get(f"{WHOLE}/12345/licenses").errors[0]["message"]
    assert f"Did you mean {WHOLE}/{{id}}/licences?" in message
    assert "/openapi.json" in message


def test_an_unknown_path_is_shown_short_and_without_a_key_in_it(embedded: Company):
    answer = embedded.live.get(f"/api/v2/{embedded.live.key}/{'x' * 1500}")
    message = answer.errors[0]["message"]
    assert embedded.live.key[12:] not in repr(answer.json)
    assert "Did you mean" not in message
    assert len(message) < 250


@pytest.mark.parametrize("value", ["tomorrow", "2026-12-24", "2026-12-24T17:59:59", "1970-01-01T00:00:00Z",
                                   "2200-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00",
                                   "1767225600"])  # fmt: skip
def test_a_clock_that_cannot_be_set_is_refused(embedded: Company, value: str):
    answer = embedded.sandbox.at(value).get(OFFICES)
    assert answer.status == 400
    assert answer.places == ["Offhook-Clock"]


@pytest.mark.parametrize("value", ["", "7", "abc", '"x"', '"1", "2"', '"99999999999999999999"', "-1", '"²"'])
def test_a_version_that_is_no_etag_is_refused(embedded: Company, value: str):
    place = f"{OFFICES}/{embedded.office_ids['live']}"
    answer = embedded.live.patch(place, {}, headers={"if-match": value.encode()})
    assert answer.status == 400 or (value == "7" and answer.status == 412)


def test_every_answer_has_a_request_id_of_its_own(embedded: Company):
    answers = [embedded.live.get(OFFICES), embedded.live.get("/api/none"), embedded.live.create({})]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3


@pytest.mark.parametrize(
    ("field", "sent", "meant"),
    [("country", "us", "US"), ("currency", "Usd", "USD"), ("plan_period", "montly", "monthly"), ("country", "x", "")],
)
def test_a_word_that_is_nearly_right_is_told_which_one_was_meant(embedded: Company, field: str, sent: str, meant: str):
    (entry,) = [one for one in embedded.live.create(office(**{field: sent})).errors if one["location"] == field]
    # What was likely meant comes first: what follows may be long.
    assert entry["message"].startswith((f"Did you mean {meant}? " if meant else "") + "Must be one of: ")
