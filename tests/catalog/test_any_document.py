"""Whatever is sent as a document is refused with a reason, or read, listed, cut and shown. Nothing else happens."""

import json
from contextlib import suppress
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.catalog.documents.comparing import compare
from offhook.catalog.documents.limits import Problems
from offhook.catalog.documents.operations import heads
from offhook.catalog.documents.parsing import parse
from offhook.catalog.documents.pieces import Pieces, cut
from offhook.catalog.documents.reading import read
from offhook.catalog.model import Tree
from offhook.catalog.reference.page import reference
from offhook.catalog.requests.building import prepare
from offhook.catalog.requests.checking import check, check_answer
from offhook.kit.errors import Invalid

WORDS = (
    "swagger openapi info paths components definitions parameters responses requestBody content schema schemas headers"
    " examples example properties items allOf anyOf oneOf additionalProperties required enum type $ref name in query"
    " body formData /a get post 200 default a/b security securitySchemes securityDefinitions servers url tags host"
    " schemes basePath consumes produces flows pathItems discriminator mapping const nullable collectionFormat format"
    " int64 string integer array object null title description operationId deprecated variables webhooks path"
    " #/components/schemas/name #/definitions/name #/components/parameters/name #/paths/~1a # #/ other.yaml x-a 2.0"
    " 3.1.0"
).split()
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-1, 2)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(WORDS)
)
ODD = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=25,
)
OPERATION = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("parameters", "requestBody", "responses", "servers", "security", "operationId"), ODD),
)
DOCUMENTS = st.fixed_dictionaries(
    {
        "paths": st.fixed_dictionaries({"/a": st.fixed_dictionaries({"post": OPERATION}, optional={"parameters": ODD})})
        | ODD
    },
    optional={
        "swagger": st.just("2.0"),
        "components": st.fixed_dictionaries(
            {}, optional={"schemas": st.fixed_dictionaries({"name": ODD}), "parameters": ODD}
        ),
        **dict.fromkeys(("openapi", "info", "definitions", "parameters", "responses", "securityDefinitions"), ODD),
        **dict.fromkeys(("servers", "security", "consumes", "produces", "host", "schemes", "webhooks"), ODD),
    },
)


def used(raw: bytes) -> Any:
    found = read(raw)
    listed = heads(found.tree)
    pieces = Pieces(dict(cut(found.tree)).__getitem__)
    for head in listed:
        told = reference(pieces, head.pointer, head)
        assert told == reference(Tree(found.tree), head.pointer, head)
        prepared = prepare(told, pieces, head.pointer)
        assert check(pieces, head.pointer, prepared) == check(Tree(found.tree), head.pointer, prepared)
        for body in (b"", b'{"name": ["${a}"]}'):
            check_answer(pieces, head.pointer, 200, "application/json", body)
    assert len({head.key for head in listed}) == len(listed)
    assert compare(Tree(found.tree), listed, pieces, listed).changed == ()
    return found


@settings(max_examples=100)
@given(DOCUMENTS)
def test_a_document_of_odd_parts_is_used_as_far_as_it_goes(document: Any):
    used(json.dumps(document).encode())


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_are_read_or_refused(raw: bytes):
    with suppress(Invalid):
        used(raw)


@given(st.text("abc:-[]{},&*!|>'\"#%@`?\n \t0123456789.~<", max_size=60))
def test_any_yaml_is_read_or_refused(text: str):
    with suppress(Invalid):
        used(b"openapi: 3.0.0\npaths:\n" + text.encode())


@given(ODD)
def test_yaml_means_what_was_written_into_it(value: Any):
    text = yaml.safe_dump({"value": value}, allow_unicode=True)
    assert parse(text.encode(), Problems()) == {"value": value}
