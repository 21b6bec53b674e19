"""Documents as they come in: JSON or YAML, whole or broken, friendly or not."""

import gzip
import json
import time
from typing import Any

import pytest

from offhook.catalog.documents import limits
from offhook.catalog.documents.operations import heads
from offhook.catalog.documents.reading import Read, read
from offhook.kit.errors import Invalid


def minimal(**more):
    paths = {"/a": {"get": {"responses": {"200": {"description": "fine"}}}}}
    return {"openapi": "3.0.3", "info": {"title": "T", "version": "1"}, "paths": paths, **more}


def read_json(document) -> Read:
    return read(json.dumps(document).encode())


def texts(found: Read) -> list[str]:
    return [problem.text for problem in found.problems]


def refusal(raw: bytes) -> tuple[str, str]:
    with pytest.raises(Invalid) as refused:
        read(raw)
    return refused.value.violations[0].location, refused.value.violations[0].message


def test_a_good_document_has_no_problems():
    found = read_json(minimal())
    assert (found.kind, found.title, found.version, found.problems) == ("OpenAPI 3.0.3", "T", "1", ())


def test_yaml_says_what_it_is_written_to_say():
    raw = b"""
openapi: 3.1.0
info: {title: Norway, version: 2024-01-01}
paths:
  /a:
    get:
      responses:
        200: {description: on}
        no: {description: 1_000}
x-values: [yes, on, no, 012, 1e3, 0x1F, ~, true, '5', 2001-12-14t21:59:43.10-05:00, .inf, -7, 123456789012345678901]
"""
    found = read(raw)
    assert found.version == "2024-01-01"
    assert list(found.tree["paths"]["/a"]["get"]["responses"]) == ["200", "no"]
    assert found.tree["paths"]["/a"]["get"]["responses"]["no"]["description"] == "1_000"
    expected = [
        "yes",
        "on",
        "no",
        12,
        1000.0,
        31,
        None,
        True,
        "5",
        "2001-12-14t21:59:43.10-05:00",
        ".inf",
        -7,
        1.2345678901234568e20,
    ]
    assert found.tree["x-values"] == expected


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_mark_at_the_beginning_says_the_encoding(encoding: str):
    assert (
        read(json.dumps(minimal(info={"title": "Ü", "version": "1"}), ensure_ascii=False).encode(encoding)).title == "Ü"
    )


def test_bad_utf_8_is_replaced_and_said():
    raw = json.dumps(minimal()).encode().replace(b'"T"', b'"\xff"')
    found = read(raw)
    assert found.title == "\ufffd"
    assert any("Line 1 is not UTF-8" in text for text in texts(found))


@pytest.mark.parametrize("marked", ['{"a": 1, "a": 2}', "{a: 1, a: 2}"])
def test_a_key_that_stands_twice_is_said(marked: str):
    raw = f'{{"openapi": "3.0.0", "paths": {{}}, "x": {marked}}}'.encode()
    assert any("more than once" in text for text in texts(read(raw)))


def test_json_with_a_comma_too_many_is_read_all_the_same():
    found = read(b'{"openapi": "3.0.0", "info": {"title": "T", "version": "1",}, "paths": {},}')
    assert found.title == "T"
    assert "read as YAML" in texts(found)[0]


@pytest.mark.parametrize(
    ("raw", "place", "word"),
    [
        (b"", "document", "empty"),
        (b'{"openapi": \n "3.0', "line 2, column 2", "Not JSON"),
        (b"openapi: 3.0.0\npaths: ]", "line 2, column 8", "Not YAML"),
        (b"a: &x [*x]", "line 1, column 8", "inside of what it stands for"),
        (b"a: *gone", "line 1, column 4", "no anchor"),
        (b"[1]", "document", "a list"),
        (b"just words", "document", "text"),
        (b'{"hello": 1}', "document", "no API document"),
        (b'{"swaggerVersion": "1.2"}', "document", "Swagger 1.x"),
        (gzip.compress(b"{}", mtime=0), "document", "packed with gzip"),
        (b"[" * 100_000, "document", "nested deeper"),
        (b"a: " + b"[" * 5_000, "line 1", "nested deeper"),
        (b'{"a":' * 5_000, "document", "nested deeper"),
        (b"? {a: 1}\n: 2", "line 1", "A key must be a word"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(raw: bytes, place: str, word: str):
    location, message = refusal(raw)
    assert location.startswith(place)
    assert word in message


def test_a_document_of_more_than_50_mib_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("offhook.catalog.documents.parsing.MOST_BYTES", 100)
    assert "MiB" in refusal(b" " * 101)[1]


def test_aliases_are_counted_as_often_as_they_are_used():
    lines = ["a0: &a0 [1,2,3,4,5,6,7,8,9]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    start = time.process_time()
    location, message = refusal("\n".join(["openapi: 3.0.0", "paths: {}", *lines]).encode())
    assert "aliases counted" in message
    assert location.startswith("line ")
    assert time.process_time() - start < 1


def test_too_many_values_are_refused_before_they_are_built():
    start = time.process_time()
    assert "values" in refusal(b'{"openapi":"3.0.0","x":[' + b"[]," * 3_100_000 + b"1]}")[1]
    assert time.process_time() - start < 3


def test_commas_in_text_are_no_values():
    assert read_json(minimal(x="," * 3_100_000)).title == "T"


def test_tags_are_not_executed():
    found = read(b"openapi: 3.0.0\npaths: {}\nx: !!python/object/apply:os.system [echo]\ny: !!str 5\n")
    assert found.tree["x"] == ["echo"]
    assert found.tree["y"] == "5"
    assert any("python/object" in text for text in texts(found))


def test_merged_keys_do_not_overwrite():
    found = read(b"openapi: 3.0.0\npaths: {}\nb: &b {p: 1, q: 2}\nc: {<<: *b, q: 3}\n")
    assert found.tree["c"] == {"q": 3, "p": 1}


def test_numbers_and_text_that_the_wire_cannot_carry_are_changed():
    found = read(b'{"openapi":"3.0.0","paths":{},"x":[1e999,12345678901234567890123,NaN,"\\ud800a"]}')
    assert found.tree["x"] == ["1e999", 1.2345678901234568e22, "NaN", "\ufffda"]


def test_what_a_real_document_breaks_is_listed_and_what_can_be_used_is_kept():
    operation = {
        "operationId": "twice",
        "parameters": [{"in": "query"}, "x", {"name": "q", "in": "query"}, {"$ref": "#/gone"}],
        "requestBody": {"content": {"application/json": {"schema": {"$ref": "other.yaml#/X"}}}},
        "responses": {"200": {"description": "", "content": {"a/b": {"schema": {
            "type": "object", "required": "a", "properties": {
                "a": {"type": "string", "required": True, "enum": "x"}, "b": {"type": "file"}, "c": 5,
                "d": {"$ref": "#/components/schemas/D", "nullable": True}, "e": {"type": "date"},
                "f": {"type": "array"},
            }}}}}},
    }  # fmt: skip
    document = minimal(
        info={},
        paths={"a": {"get": operation, "POST": {"operationId": "twice"}, "fetch": {}, "put": 3}, "/l": []},
        components={"schemas": {"D": {"type": ["string", "null"]}}, "parameters": []},
    )
    found = read_json(document)
    said = "\n".join(texts(found))
    expected = (
        "title is missing; version is missing; slash; without a name; parameter must be an object; neither schema nor"
        " content; nothing at #/gone; another document; twice; fetch; operation must; path must be an object;"
        " required must be a list; makes it required; enum must be a list; file; not 5; beside a $ref; type date;"
        " without items; small letters; responses are missing; parameters must be an object"
    )
    for word in expected.split("; "):
        assert word in said, word
    assert [(head.method, head.path) for head in heads(found.tree)] == [("GET", "/a"), ("POST", "/a"), ("PUT", "/a")]


def test_of_many_problems_two_hundred_are_listed_and_the_rest_is_counted():
    many = read_json(minimal(paths={str(number): {} for number in range(500)}))
    assert len(many.problems) == limits.MOST_PROBLEMS + 1
    assert many.problems[-1].text == "300 more problems are not listed."


def test_media_types_times_responses_are_bounded(monkeypatch: pytest.MonkeyPatch):
    paths: Any = {f"/{n}": {"get": {"responses": {"200": {"schema": {}}}}} for n in range(400)}
    produces = [f"a/{n}" for n in range(60)]
    monkeypatch.setattr("offhook.catalog.documents.upgrading.MOST_NODES", 30_000)
    assert "values" in refusal(json.dumps({"swagger": "2.0", "produces": produces, "paths": paths}).encode())[1]


def test_more_operations_than_are_listed_are_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("offhook.catalog.documents.checking.MOST_OPERATIONS", 1)
    paths: Any = {f"/{n}": {"get": {"responses": {}}} for n in range(2)}
    assert texts(read_json(minimal(paths=paths))) == ["Of 2 operations the first 1 are listed."]


@pytest.mark.parametrize(
    "document", [{"paths": {}}, {"openapi": "3.0.0"}, {"swagger": 2.0}, {"webhooks": {}}, {"openapi": None}]
)
def test_little_is_enough_to_be_a_document(document):
    assert read_json(document).title == "Untitled"


def test_the_name_of_the_file_is_the_title_of_a_document_without_one():
    assert read(b"swagger: '2.0'\npaths: {}", "pets.yaml").title == "pets.yaml"


def test_texts_that_cannot_be_shown_are_problems_with_their_place():
    tree = {"openapi": "3.1.0", "info": {"title": "a\0b", "version": "1"}, "paths": {"/x\0": {}}}
    found = read(json.dumps(tree).encode())
    places = {problem.pointer for problem in found.problems if "shown as" in problem.text}
    assert places == {"/info/title", "/paths/~1x\0"}
    assert not any("shown as" in one.text for one in read(b'{"openapi": "3.1.0", "paths": {}}').problems)
