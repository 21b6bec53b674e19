"""The OpenAPI document: valid, whole, and made of nothing but the operations and their structs."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import jsonschema_rs
import msgspec
import pytest
from msgspec import Meta
from schemathesis.specs.openapi.definitions import OPENAPI_31

from offhook.kit.openapi import document, encoded
from offhook.kit.operation import Call, Limit, Operation, Reply
from offhook.kit.wire import Int64, Int64Text


class Options(msgspec.Struct):
    """What a key does."""

    action: Annotated[Literal["voicemail", "menu", "operator"] | None, Meta(description="What happens.")] = None
    target_id: Annotated[Int64 | None, Meta(description="Who is called.")] = None


class Key(msgspec.Struct):
    input: Annotated[str, Meta(description="The key.", pattern="^[0-9]$", examples=["1"])] | None = None
    options: Options | None = None


class Office(msgspec.Struct, kw_only=True):
    """An office,

    as one creates it.
    """

    name: Annotated[str, Meta(description="One line.", max_length=256, examples=["Lisbon"])]
    currency: Literal["USD", "EUR"]
    hours: Annotated[list[str], Meta(extra_json_schema={"default": ["08:00", "18:00"]})] | None = None
    menu: list[Key] | None = None
    # Members that are called like keywords of JSON Schema are still members.
    description: str | None = None
    default: bool | None = None


class Created(msgspec.Struct):
    id: Int64Text
    office: Office


class Filter(msgspec.Struct):
    """Which offices."""

    cursor: Annotated[str | None, Meta(description="Where to go on.")] = None
    active_only: Annotated[bool, Meta(description="Only those that take calls.")] = False
    limit: Annotated[int, Meta(description="How many.", ge=1, le=100)] | None = None
    state: Literal["active", "pending"] | None = None


async def answer(call: Call) -> Reply:
    raise NotImplementedError


OPERATIONS = [
    Operation(
        id="offices.list",
        method="GET",
        path="/api/v2/offices",
        summary="List offices",
        handler=answer,
        tag="Offices",
        query=Filter,
        reply=list[Created],
    ),
    Operation(
        id="offices.create",
        method="POST",
        path="/api/v2/offices",
        summary="Create an office",
        description="""Creates it.

        At once.""",
        handler=answer,
        tag="Offices",
        scope="offices:write",
        limit=Limit(100, 60),
        body=Office,
        reply=Created,
        reply_description="The office.",
        creates=True,
        examples={"The least there can be": {"name": "Lisbon", "currency": "EUR"}},
    ),
    Operation(
        id="offices.update",
        method="PATCH",
        path="/api/v2/offices/{id}",
        summary="Change an office",
        handler=answer,
        tag="Offices",
        body=Office,
        reply=Created,
        refusals=(412,),
    ),
    Operation(
        id="users.numbers",
        method="DELETE",
        path="/api/v2/users/{id:user}/numbers/{number_id}",
        summary="Take a number away",
        handler=answer,
        tag="Users",
        refusals=(409,),
    ),
    Operation(
        id="offices.import",
        method="POST",
        path="/api/offhook/v1/offices/import",
        summary="Import offices",
        handler=answer,
        media=("application/x-ndjson", "text/csv"),
    ),
    Operation(id="sms.send", method="POST", path="/api/v2/sms", summary="Send a text message"),
]


def made(*operations: Operation) -> dict[str, Any]:
    return document(operations or OPERATIONS, title="Offhook", version="1", tags={"Offices": "Where people work."})


DOCUMENT = made()
LIST = DOCUMENT["paths"]["/api/v2/offices"]["get"]
CREATE = DOCUMENT["paths"]["/api/v2/offices"]["post"]
UPDATE = DOCUMENT["paths"]["/api/v2/offices/{id}"]["patch"]
SCHEMAS = DOCUMENT["components"]["schemas"]


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(reference := value.get("$ref"), str):
            yield reference
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def resolved(reference: str) -> Any:
    value: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        value = value[part]
    return value


def schema_of(name: str) -> dict[str, Any]:
    return {**SCHEMAS[name], "components": DOCUMENT["components"]}


def headers_of(operation: dict[str, Any]) -> list[str]:
    found = [resolved(p["$ref"]) for p in operation["parameters"] if "$ref" in p]
    assert all(parameter["in"] == "header" for parameter in found)
    return [parameter["name"] for parameter in found]


def test_it_is_a_valid_openapi_3_1_document() -> None:
    jsonschema_rs.Draft202012Validator(OPENAPI_31, validate_formats=True).validate(DOCUMENT)
    assert DOCUMENT["openapi"] == "3.1.0"


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_schema_is_a_valid_json_schema(name: str) -> None:
    jsonschema_rs.Draft202012Validator(schema_of(name))


def test_every_reference_leads_somewhere() -> None:
    found = set(references(DOCUMENT))
    assert "#/components/schemas/Office" in found
    for reference in found:
        assert resolved(reference)


def test_every_placeholder_in_a_path_is_a_required_parameter() -> None:
    for path, methods in DOCUMENT["paths"].items():
        for operation in methods.values():
            named = {p["name"] for p in operation.get("parameters", []) if p.get("in") == "path" and p["required"]}
            assert named == set(re.findall(r"{(\w+)}", path))


def test_an_operation_that_is_not_built_is_left_out() -> None:
    assert "/api/v2/sms" not in DOCUMENT["paths"]
    assert len(DOCUMENT["paths"]) == 4


def test_two_operations_of_one_name_are_a_mistake() -> None:
    with pytest.raises(ValueError, match=r"offices\.list"):
        made(OPERATIONS[0], OPERATIONS[0])


def test_the_path_is_written_without_the_marker_of_text_ids() -> None:
    parameters = DOCUMENT["paths"]["/api/v2/users/{id}/numbers/{number_id}"]["delete"]["parameters"]
    assert [(p["name"], p["schema"]["type"]) for p in parameters[:2]] == [("id", "string"), ("number_id", "integer")]


def test_query_parameters_come_from_their_struct_and_are_never_null() -> None:
    parameters = {p["name"]: p for p in LIST["parameters"] if p.get("in") == "query"}
    assert list(parameters) == ["cursor", "active_only", "limit", "state"]
    assert parameters["cursor"]["description"] == "Where to go on."
    assert parameters["active_only"]["schema"] == {"type": "boolean", "default": False}
    assert parameters["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 100}
    assert parameters["state"]["schema"] == {"type": "string", "enum": ["active", "pending"]}
    assert "Filter" not in SCHEMAS


def test_a_create_takes_a_body_with_examples_that_fit_it() -> None:
    content = CREATE["requestBody"]["content"]["application/json"]
    assert content["schema"] == {"$ref": "#/components/schemas/Office"}
    example = content["examples"]["the-least-there-can-be"]
    assert example["summary"] == "The least there can be"
    jsonschema_rs.Draft202012Validator(schema_of("Office")).validate(example["value"])


def test_fields_carry_what_their_struct_says_of_them() -> None:
    office = SCHEMAS["Office"]
    assert office["required"] == ["name", "currency"]
    assert office["description"] == "An office,\n\nas one creates it."
    assert office["properties"]["name"]["description"] == "One line."
    assert office["properties"]["name"]["maxLength"] == 256
    assert office["properties"]["currency"] == {"type": "string", "enum": ["EUR", "USD"]}
    assert office["properties"]["hours"]["anyOf"][0]["default"] == ["08:00", "18:00"]
    assert set(office["properties"]) == {"name", "currency", "hours", "menu", "description", "default"}
    assert SCHEMAS["Created"]["properties"]["id"]["format"] == "int64"


def test_an_absent_value_is_no_default() -> None:
    assert "default" not in SCHEMAS["Key"]["properties"]["options"]


def test_an_upload_that_is_not_json_is_text_in_its_own_media_types() -> None:
    body = DOCUMENT["paths"]["/api/offhook/v1/offices/import"]["post"]["requestBody"]
    assert list(body["content"]) == ["application/x-ndjson", "text/csv"]


def test_headers_are_offered_where_they_work() -> None:
    assert headers_of(LIST) == ["Offhook-Clock"]
    assert headers_of(CREATE) == ["Idempotency-Key", "Offhook-Dry-Run", "Offhook-Clock"]
    assert headers_of(UPDATE) == ["If-Match", "Offhook-Clock"]


@pytest.mark.parametrize(
    ("path", "method", "statuses"),
    [
        ("/api/v2/offices", "get", "200 400 401 403 414 429"),
        ("/api/v2/offices", "post", "200 400 401 403 409 413 414 415 429 503"),
        ("/api/v2/offices/{id}", "patch", "200 400 401 403 404 412 413 414 415 429 503"),
        ("/api/v2/users/{id}/numbers/{number_id}", "delete", "200 400 401 403 404 409 414 429 503"),
        ("/api/offhook/v1/offices/import", "post", "200 400 401 403 413 414 415 429 503"),
    ],
)
def test_an_operation_lists_the_refusals_that_fit_it(path: str, method: str, statuses: str) -> None:
    assert list(DOCUMENT["paths"][path][method]["responses"]) == statuses.split()


def test_every_refusal_has_the_v2_form() -> None:
    answer = {
        "error": {
            "code": 400,
            "message": "No.",
            "errors": [
                {
                    "domain": "global",
                    "reason": "invalidParameter",
                    "message": "No.",
                    "locationType": "field",
                    "location": "name",
                    "sent": "",
                }
            ],
        }
    }
    for response in DOCUMENT["components"]["responses"].values():
        assert response["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/ErrorReply"}
    jsonschema_rs.Draft202012Validator(schema_of("ErrorReply")).validate(answer)


def test_a_refusal_for_the_limit_says_when_to_come_back() -> None:
    limited = DOCUMENT["components"]["responses"]["RateLimited"]["headers"]
    assert list(limited) == ["Retry-After", "RateLimit", "RateLimit-Policy"]


def test_limits_and_scopes_are_in_the_document() -> None:
    assert CREATE["x-ratelimit"] == [[100, 60]]
    assert CREATE["x-scope"] == "offices:write"
    assert LIST["x-ratelimit"] == [[1200, 60]]


def test_a_key_goes_into_the_header_or_the_address() -> None:
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert schemes["bearer"]["scheme"] == "bearer"
    assert (schemes["apikey"]["in"], schemes["apikey"]["name"]) == ("query", "apikey")
    assert DOCUMENT["security"] == [{"bearer": []}, {"apikey": []}]
    assert DOCUMENT["servers"] == [{"url": "/"}]
    assert all(one["description"] for one in schemes.values())


def test_tags_stand_in_the_order_of_their_descriptions_then_of_the_operations() -> None:
    assert DOCUMENT["tags"] == [{"name": "Offices", "description": "Where people work."}, {"name": "Users"}]
    order = {"Nobody": "Unused.", "Users": "People.", "Offices": "Places."}
    assert [tag["name"] for tag in document(OPERATIONS, title="", version="", tags=order)["tags"]] == [
        "Users",
        "Offices",
    ]


def test_the_same_operations_give_the_same_bytes() -> None:
    assert encoded(made()) == encoded(DOCUMENT)
    assert msgspec.json.decode(encoded(DOCUMENT)) == DOCUMENT
