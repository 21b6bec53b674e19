"""The reference of offices.create, made from Offhook's own document, says what the seed page says, field by field."""

import time
from functools import cache

import pytest

from offhook.catalog.documents.operations import heads
from offhook.catalog.model import Reference, Tree
from offhook.catalog.reference.page import CONTENT_TYPE, reference
from offhook.catalog.reference.texts import encoded
from offhook.kit import openapi
from tests.api.seed_fields import FIELDS, NEWER_ACTIONS, WEEKDAYS, Field
from tests.docs.generate import operations

TYPES = {"hours": "Array", "menu": "Array"}
SAID = {
    **{f"{day}_hours[]": "08:00 to 18:00 unless said" for day in WEEKDAYS},
    **{f"{day}_hours[]": "closed unless said" for day in ("saturday", "sunday")},
    "voice_intelligence.auto_start": "true unless said",
    "voice_intelligence.allow_pause": "true unless said",
}
"""Defaults that stand in the description, as they do on the seed page."""


@cache
def page() -> Reference:
    document = openapi.document(operations(), title="Offhook", version="1")
    head = next(head for head in heads(document) if head.key == "offices.create")
    return reference(Tree(document), head.pointer, head)


def test_it_has_the_seeds_fields_and_besides_only_who_answers():
    (body,) = page().bodies
    named = {row.name for row in body.fields}
    assert {field.path for field in FIELDS} <= named
    assert {name.partition("[")[0] for name in named - {field.path for field in FIELDS}} == {"operators"}
    assert body.more_fields == 0


@pytest.mark.parametrize("field", [pytest.param(field, id=field.path) for field in FIELDS])
def test_a_field_has_the_seeds_type_values_and_default(field: Field):
    row = next(row for row in page().bodies[0].fields if row.name == field.path)
    assert row.type == TYPES.get(field.kind, field.kind.capitalize())
    assert row.required == field.required
    newer = {encoded(action) for action in NEWER_ACTIONS}
    assert set(row.values) - newer == {encoded(value) for value in field.values}
    if field.default is None or field.path in SAID:
        assert row.default == ""
        assert SAID.get(field.path, "") in row.description
    else:
        assert row.default == encoded(field.default)


def test_what_stands_above_the_fields_is_as_the_seed_has_it():
    head = page().head
    assert (head.method, head.path) == ("POST", "/api/v2/offices")
    assert head.description.endswith("\n\nRate limit: 1200 per minute.")
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
