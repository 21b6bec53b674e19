"""Swagger 2.0 becomes a tree in the shape of 3.1, and nothing of it is lost."""

from offhook.catalog.documents.limits import Problems
from offhook.catalog.documents.upgrading import upgraded


def up(**more):
    problems = Problems()
    return upgraded({"swagger": "2.0", "info": {"title": "T", "version": "1"}, "paths": {}, **more}, problems)


def operation(parameters, **more):
    shared = more.pop("root", {})
    found = up(paths={"/a": {"post": {"parameters": parameters, "responses": {}, **more}}}, **shared)
    return found["paths"]["/a"]["post"]


def test_host_base_path_and_schemes_are_servers():
    urls = [server["url"] for server in up(host="a.com", basePath="/v1", schemes=["https", "http"])["servers"]]
    assert urls == ["https://a.com/v1", "http://a.com/v1"]
    assert up(basePath="v1")["servers"] == [{"url": "/v1"}]
    assert up(host="a.com")["servers"] == [{"url": "//a.com"}]


def test_a_body_parameter_is_the_request_body_in_each_media_type():
    body = {
        "in": "body",
        "name": "pet",
        "required": True,
        "description": "A pet.",
        "schema": {"$ref": "#/definitions/Pet"},
    }
    found = operation([body], consumes=["application/json", "application/xml"])
    assert "parameters" not in found
    assert found["requestBody"] == {
        "required": True,
        "description": "A pet.",
        "x-body-name": "pet",
        "content": {
            media: {"schema": {"$ref": "#/components/schemas/Pet"}} for media in ("application/json", "application/xml")
        },
    }


def test_form_fields_are_a_form_and_a_file_makes_it_multipart():
    fields = [
        {"in": "formData", "name": "a", "type": "integer", "required": True, "maximum": 5},
        {"in": "formData", "name": "b", "type": "array", "items": {"type": "string"}, "collectionFormat": "pipes"},
    ]
    body = operation(fields)["requestBody"]
    form = body["content"]["application/x-www-form-urlencoded"]
    assert body["required"] is True
    assert form["schema"]["required"] == ["a"]
    assert form["schema"]["properties"]["a"] == {"type": "integer", "maximum": 5}
    assert form["encoding"]["b"] == {"style": "pipeDelimited", "explode": False}
    file = operation([{"in": "formData", "name": "f", "type": "file"}])["requestBody"]
    assert file["content"]["multipart/form-data"]["schema"]["properties"]["f"] == {"type": "string", "format": "binary"}


def test_lists_keep_how_they_are_written():
    def styled(**more):
        found = operation([{"name": "q", "in": "query", "type": "array", "items": {"type": "string"}, **more}])
        (parameter,) = found["parameters"]
        return parameter.get("style"), parameter.get("explode"), parameter.get("x-collectionFormat")

    assert styled() == ("form", False, None)
    assert styled(collectionFormat="multi") == ("form", True, None)
    assert styled(collectionFormat="ssv") == ("spaceDelimited", False, None)
    assert styled(collectionFormat="tsv") == (None, None, "tsv")
    assert styled(**{"in": "header"}) == ("simple", False, None)


def test_shared_parameters_responses_and_schemas_are_components_with_their_references():
    found = up(
        definitions={"A": {"properties": {"b": {"$ref": "#/definitions/B"}}}, "B": {"type": "string"}},
        parameters={
            "Q": {"name": "q", "in": "query", "type": "string"},
            "Body": {"name": "b", "in": "body", "schema": {"$ref": "#/definitions/A"}},
        },
        responses={"Gone": {"description": "gone", "schema": {"$ref": "#/definitions/A"}}},
        produces=["application/json"],
        paths={"/a": {"parameters": [{"$ref": "#/parameters/Body"}], "put": {
            "parameters": [{"$ref": "#/parameters/Q"}], "responses": {"404": {"$ref": "#/responses/Gone"}}}}},
    )  # fmt: skip
    put = found["paths"]["/a"]["put"]
    assert put["parameters"] == [{"$ref": "#/components/parameters/Q"}]
    assert put["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/A"}
    assert put["responses"]["404"] == {"$ref": "#/components/responses/Gone"}
    assert found["components"]["schemas"]["A"]["properties"]["b"] == {"$ref": "#/components/schemas/B"}
    assert found["components"]["responses"]["Gone"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/A"
    }
    assert "Body" in found["components"]["requestBodies"]
    assert found["components"]["parameters"]["Q"]["schema"] == {"type": "string"}


def test_responses_keep_headers_examples_and_files():
    headers = {"X-A": {"type": "integer", "description": "a"}}
    given = {"description": "ok", "schema": {"type": "file"}, "headers": headers, "examples": {"text/csv": "a,b"}}
    responses = {"200": given}
    found = operation([], responses=responses)["responses"]["200"]
    assert found["headers"]["X-A"] == {"description": "a", "schema": {"type": "integer"}}
    assert found["content"]["application/octet-stream"]["schema"] == {"type": "string", "format": "binary"}
    assert found["content"]["text/csv"]["example"] == "a,b"


def test_security_is_carried_over():
    found = up(
        securityDefinitions={
            "b": {"type": "basic"},
            "k": {"type": "apiKey", "in": "header", "name": "X-Key"},
            "o": {"type": "oauth2", "flow": "application", "tokenUrl": "https://t", "scopes": {"r": "read"}},
        }
    )["components"]["securitySchemes"]
    assert found["b"] == {"type": "http", "scheme": "basic"}
    assert found["k"] == {"type": "apiKey", "in": "header", "name": "X-Key"}
    assert found["o"] == {
        "type": "oauth2",
        "flows": {"clientCredentials": {"tokenUrl": "https://t", "scopes": {"r": "read"}}},
    }


def test_what_is_broken_is_left_as_it_is():
    found = up(
        paths={"/a": 5, "/b": {"get": 6, "post": {"parameters": {"a": 1}, "responses": []}}},
        definitions=[],
        parameters=3,
    )
    assert found["paths"]["/a"] == 5
    assert found["paths"]["/b"]["get"] == 6
    assert found["paths"]["/b"]["post"]["parameters"] == {"a": 1}


def test_a_body_that_many_operations_share_is_copied_once():
    big = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(50)}}
    paths = {f"/{n}": {"post": {"parameters": [{"$ref": "#/parameters/B"}], "responses": {}}} for n in range(50)}
    found = up(paths=paths, parameters={"B": {"in": "body", "name": "b", "schema": big}})
    schemas = {
        id(item["post"]["requestBody"]["content"]["application/json"]["schema"]) for item in found["paths"].values()
    }
    assert len(schemas) == 1
