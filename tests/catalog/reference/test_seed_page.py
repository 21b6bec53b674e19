"""The reference of offices.create, made from Offhook's own document, says what the seed page says, field by field."""

import time
from functools import cache

import pytest

from offhook.catalog.documents.operations import heads
from offhook.catalog.model import Reference, Tree
from offhook.catalog.reference.page import CONTENT_TYPE, reference
from offhook.catalog.reference.texts import encoded
from offhook.kit import openapi
from tests.api.seed_fields import FIELDS, NEWER_ACTIONS, Field
from tests.docs.generate import operations

TYPES = {"hours": "Array", "menu": "Array"}


@cache
def page() -> Reference:
    document = openapi.document(operations(), title="Offhook", version="1")
    head = next(head for head in heads(document) if head.key == "offices.create")
    return reference(Tree(document), head.pointer, head)


def test_it_has_the_seeds_fields_and_no_other():
    (body,) = page().bodies
    assert {row.name for row in body.fields} == {field.path for field in FIELDS}
    assert body.more_fields == 0
    assert len(body.fields) == 70


@pytest.mark.parametrize("field", [pytest.param(field, id=field.path) for field in FIELDS])
def test_a_field_has_the_seeds_type_values_and_default(field: Field):
    row = next(row for row in page().bodies[0].fields if row.name == field.path)
    assert row.type == TYPES.get(field.kind, field.kind.capitalize())
    assert row.required == field.required
    newer = {encoded(action) for action in NEWER_ACTIONS}
    assert set(row.values) - newer == {encoded(value) for value in field.values}
    if field.default is not None:
        assert row.default == encoded(field.default)


def test_what_stands_above_the_fields_is_as_the_seed_has_it():
    head = page().head
    assert (head.method, head.path) == ("POST", "/api/v2/offices")
    assert "1200" in head.description or "1,200" in head.description
    first = page().headers[0]
    assert (first.name, first.type, first.required) == ("Content-Type", "String", True)
    assert (first.default, first.description) == ('"application/json"', CONTENT_TYPE)
    assert page().body_required


def test_each_field_has_an_anchor_of_its_own_that_names_it():
    anchors = [row.anchor for row in page().bodies[0].fields]
    assert len(set(anchors)) == len(anchors)
    assert "body-routing_options.open.dtmf--.input" in anchors


def test_it_is_made_in_30_milliseconds():
    document = openapi.document(operations(), title="Offhook", version="1")
    head = next(head for head in heads(document) if head.key == "offices.create")
    took = []
    for _ in range(5):
        start = time.process_time()
        reference(Tree(document), head.pointer, head)
        took.append(time.process_time() - start)
    assert min(took) < 0.03
