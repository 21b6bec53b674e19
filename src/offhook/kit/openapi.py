"""The OpenAPI 3.1 document of the operations that work: what a client generator, a tester or a reader can rely on.

Everything comes from the operations and the structs they name; nothing is written down twice. Operations that are not
built are left out, since a generated client should have no method that always fails.
"""

import inspect
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from offhook.kit.errors import PreconditionFailed, RateLimited
from offhook.kit.operation import JSON, Dialect, Nothing, Operation
from offhook.kit.router import Segment, public, segments

Schema = dict[str, Any]

# Keywords of JSON Schema whose value is one schema, a list of schemas, or a mapping of names to schemas.
_ONE = ("items", "additionalProperties")
_LIST = ("anyOf", "oneOf", "allOf", "prefixItems")
_NAMED = ("properties", "$defs")


class ErrorEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong, and where."""

    domain: Annotated[str, Meta(description="Always `global`.", examples=["global"])]
    reason: Annotated[str, Meta(description="A word for programs.", examples=["invalidParameter"])]
    message: Annotated[str, Meta(description="What is allowed, and what to do.")]
    location_type: Annotated[str | None, Meta(description="`field`, where there is a location.")] = msgspec.field(
        default=None, name="locationType"
    )
    location: Annotated[
        str | None,
        Meta(
            description="The path of the field, or the name of the parameter or header.",
            examples=["routing_options.open.dtmf[2].input"],
        ),
    ] = None
    sent: Annotated[str | None, Meta(description="What stood there, shortened.", examples=["12"])] = None


class ErrorDetail(msgspec.Struct, frozen=True, kw_only=True):
    """What was refused and why."""

    code: Annotated[int, Meta(description="The HTTP status.", examples=[400])]
    message: Annotated[str, Meta(description="The refusal in one sentence.")]
    errors: Annotated[list[ErrorEntry], Meta(description="Everything that is wrong with the request, at once.")]


class ErrorReply(msgspec.Struct, frozen=True):
    """The form of every refusal."""

    error: ErrorDetail


# Name of the reusable response, and when it comes.
_REFUSALS: dict[int, tuple[str, str]] = {
    400: ("BadRequest", "The request cannot be read, or breaks rules: `errors` names every offending place."),
    401: ("Unauthenticated", "The key is missing, unknown, revoked or expired."),
    403: ("Forbidden", "The key is good, but its scopes do not cover this."),
    404: ("NotFound", "There is nothing of that id that this key may know of."),
    405: ("MethodNotAllowed", "The path exists, the method does not: `Allow` lists those it has."),
    409: ("Conflict", "The request is well-formed, but the state of things forbids it."),
    412: ("PreconditionFailed", "`If-Match` names a version that is no longer the current one."),
    413: ("TooLarge", "The body is longer than the operation reads."),
    414: ("TooLongAddress", "The address with its query is longer than 8,192 bytes."),
    415: ("UnsupportedMedia", "The operation does not read this Content-Type."),
    416: ("RangeNotSatisfiable", "The part that `Range` asks for is not in the file: `Content-Range` tells its size."),
    429: ("RateLimited", "The company has used up this operation's limit: `Retry-After` says when to come back."),
    501: ("NotBuilt", "The operation is known, but this server does not have it yet."),
    503: ("Unavailable", "The store cannot take the request now. Nothing was changed, so it may be sent again."),
}

_HEADER_PARAMETERS: dict[str, dict[str, Any]] = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": (
            "Makes the request safe to repeat: the same key with the same body gets the first answer again, and"
            " creates nothing. The same key with another body is refused with 409."
        ),
        "schema": {"type": "string", "minLength": 1},
        "example": "3f6c1b6e-8d0e-4b7e-9a51-5f0c6a2f9d11",
    },
    "DryRun": {
        "name": "Offhook-Dry-Run",
        "in": "header",
        "description": "With `true`, every check runs and the answer shows what would be created; nothing is stored.",
        "schema": {"type": "boolean", "default": False},
    },
    "Clock": {
        "name": "Offhook-Clock",
        "in": "header",
        "description": "The moment by which the request is answered. Sandbox keys only.",
        "schema": {"type": "string", "format": "date-time"},
        "example": "2026-12-24T17:59:59Z",
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "description": "The `ETag` that you have seen. The request is refused with 412 if there is a newer version.",
        "schema": {"type": "string"},
        "example": '"7"',
    },
}

_REPLY_HEADERS: dict[str, dict[str, Any]] = {
    "Warning": {
        "description": "Something that was ignored, guessed or likely not meant: `code; field; text`. One header each.",
        "schema": {"type": "string"},
    },
    "RequestId": {"description": "The name of this request in the server's log.", "schema": {"type": "string"}},
    "RateLimit": {"description": "What is left of the limit now, and when it renews.", "schema": {"type": "string"}},
    "RateLimitPolicy": {"description": "The limit that applies to this operation.", "schema": {"type": "string"}},
    "RetryAfter": {"description": "Whole seconds until a request will pass.", "schema": {"type": "integer"}},
}

_RATE_LIMITED_HEADERS = {
    "Retry-After": {"$ref": "#/components/headers/RetryAfter"},
    "RateLimit": {"$ref": "#/components/headers/RateLimit"},
    "RateLimit-Policy": {"$ref": "#/components/headers/RateLimitPolicy"},
}


def document(
    operations: Iterable[Operation],
    *,
    title: str,
    version: str,
    description: str = "",
    tags: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The OpenAPI 3.1 document of those `operations` that have a handler, in their order.

    `tags` describes the tags that it knows, and sets their order; others follow. Raises ValueError if two operations
    share an id, and TypeError for a type that has no JSON Schema.
    """
    built = [operation for operation in operations if operation.handler is not None]
    seen: set[str] = set()
    for operation in built:
        if operation.id in seen:
            raise ValueError(f"two operations are called {operation.id}")
        seen.add(operation.id)
    schemas = _schemas(built)
    paths: dict[str, dict[str, Any]] = {}
    for operation in built:
        paths.setdefault(public(operation.path), {})[operation.method.lower()] = _operation(operation, schemas)
    dialects = {one.dialect.name: one.dialect for one in built if one.dialect is not None}
    refused = {(_dialect(one), status) for one in built for status in _statuses(one)}
    known = tags or {}
    used = dict.fromkeys(operation.tag for operation in built if operation.tag)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, **({"description": description} if description else {})},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"apikey": []}],
        "tags": [
            {"name": tag, **({"description": known[tag]} if tag in known else {})}
            for tag in [*(tag for tag in known if tag in used), *(tag for tag in used if tag not in known)]
        ],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": {
                name + _REFUSALS[status][0]: _refusal(status, schemas, dialects.get(name))
                for name, status in sorted(refused)
            },
            "parameters": _HEADER_PARAMETERS,
            "headers": _REPLY_HEADERS,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "`Authorization: Bearer KEY`, the way to prefer: addresses end up in logs.",
                },
                "apikey": {"type": "apiKey", "in": "query", "name": "apikey", "description": "`?apikey=KEY`"},
                **{
                    name: {
                        "type": "apiKey",
                        "in": "header",
                        "name": one.key_header,
                        "description": f"`{one.key_header.title()}: KEY`, as clients of {name} send it, to its API.",
                    }
                    for name, one in dialects.items()
                    if one.key_header
                },
            },
        },
    }


def encoded(of: Mapping[str, Any]) -> bytes:
    """The document as it is served; call it once, at start."""
    return msgspec.json.encode(of)


class _Schemas:
    """The schemas of all types that the operations name, made in one go so that equal names cannot clash."""

    def __init__(self, types: tuple[Any, ...], queries: tuple[Any, ...]) -> None:
        order = [*types, *(query for query in queries if query not in types)]
        found, components = msgspec.json.schema_components(order, ref_template="#/components/schemas/{name}")
        tidied = {name: _tidy(schema) for name, schema in components.items()}
        self._schemas: dict[Any, Schema] = dict(zip(order, (_tidy(schema) for schema in found), strict=True))
        # Query structs become parameters, so the document itself has no use for them.
        self._queries: dict[Any, Schema] = {query: tidied[_name(self._schemas[query])] for query in queries}
        unused = {_name(self._schemas[query]) for query in queries if query not in types}
        self.components = {name: tidied[name] for name in sorted(tidied) if name not in unused}

    def of(self, kind: Any) -> Schema:
        return self._schemas[kind]

    def query(self, kind: Any) -> Schema:
        return self._queries[kind]


def _schemas(operations: Iterable[Operation]) -> _Schemas:
    types: dict[Any, None] = {ErrorReply: None}
    queries: dict[Any, None] = {}
    for operation in operations:
        if operation.dialect is not None:
            types[operation.dialect.error] = None
        if operation.body is not None:
            types[operation.body] = None
        if operation.reply is not None:
            types[operation.reply] = None
        if operation.creates and operation.rehearsal is not None:
            types[operation.rehearsal] = None
        if operation.query is not Nothing:
            queries[operation.query] = None
    return _schemas_of(tuple(types), tuple(queries))


_schemas_of = lru_cache(maxsize=4)(_Schemas)
"""Schemas follow from types alone: whoever makes several applications in a process shares them."""


def _name(reference: Schema) -> str:
    return str(reference["$ref"]).rsplit("/", 1)[1]


def _tidy(schema: Schema) -> Schema:
    """`schema` with clean descriptions, typed enumerations, items for every array, and no `default: null`.

    That default is no value on our wire.
    """
    tidied: Schema = {}
    values = schema.get("enum")
    if values and "type" not in schema and all(isinstance(value, str) for value in values):
        tidied["type"] = "string"
    for keyword, value in schema.items():
        if keyword == "description":
            tidied[keyword] = inspect.cleandoc(value)
        elif keyword in _ONE and isinstance(value, dict):
            tidied[keyword] = _tidy(value)
        elif keyword in _LIST:
            tidied[keyword] = [_tidy(inner) for inner in value]
        elif keyword in _NAMED:
            tidied[keyword] = {name: _tidy(inner) for name, inner in value.items()}
        elif keyword != "default" or value is not None:
            tidied[keyword] = value
    if schema.get("type") == "array" and not {"items", "prefixItems"} & schema.keys():
        tidied["items"] = {}
    return tidied


def _operation(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": inspect.cleandoc(operation.description),
        "tags": [operation.tag] if operation.tag else [],
        "parameters": [*_path_parameters(operation), *_query_parameters(operation, schemas), *_headers(operation)],
        "requestBody": _request_body(operation, schemas),
        "responses": {
            str(operation.reply_status): _reply(operation, schemas),
            **{
                str(status): {"$ref": f"#/components/responses/{_dialect(operation)}{_REFUSALS[status][0]}"}
                for status in _statuses(operation)
            },
        },
        "x-ratelimit": [[operation.limit.count, operation.limit.seconds]],
        "x-scope": operation.scope,
    }
    return {name: value for name, value in described.items() if value} | _security(operation)


def _security(operation: Operation) -> dict[str, Any]:
    """How the key comes, where that is not as in all of the document."""
    if operation.admit is not None:
        return {"security": []}
    if operation.dialect is None or not operation.dialect.key_header:
        return {}
    return {"security": [{name: []} for name in ("bearer", operation.dialect.name, "apikey")]}


def _dialect(operation: Operation) -> str:
    return "" if operation.dialect is None else operation.dialect.name


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    return [
        {
            "name": part.text,
            "in": "path",
            "required": True,
            "description": "The user's id, or `me` with a key of a user." if part.user else _id_description(part.text),
            "schema": _path_schema(part),
        }
        for part in segments(operation.path)
        if part.parameter
    ]


def _path_schema(part: Segment) -> dict[str, Any]:
    if part.user:
        return {"type": "string", "pattern": "^(me|-?[0-9]{1,19})$"}
    return {"type": "integer", "format": "int64"} if part.integer else {"type": "string", "minLength": 1}


def _id_description(name: str) -> str:
    """What a path parameter stands for, as far as its name tells: `call_center_id` is the call center's id."""
    if name == "id":
        return "Its id."
    words = name.removesuffix("_id").replace("_", " ")
    return f"The {words}'s id." if name.endswith("_id") else f"The {words}."


def _query_parameters(operation: Operation, schemas: _Schemas) -> list[dict[str, Any]]:
    if operation.query is Nothing:
        return []
    struct = schemas.query(operation.query)
    required = struct.get("required", [])
    parameters = []
    for name, schema in struct["properties"].items():
        bare = _without_null(schema)
        parameter = {"name": name, "in": "query", "required": name in required, "schema": bare}
        if description := bare.pop("description", None):
            parameter["description"] = description
        parameters.append(parameter)
    return parameters


def _without_null(schema: Schema) -> Schema:
    """A copy of `schema` for a place that cannot hold null, such as a query parameter."""
    options = [option for option in schema.get("anyOf", []) if option != {"type": "null"}]
    rest = {keyword: value for keyword, value in schema.items() if keyword != "anyOf"}
    if len(options) == 1:
        return {**options[0], **rest}
    return {**rest, "anyOf": options} if options else rest


def _headers(operation: Operation) -> list[dict[str, Any]]:
    names = []
    if operation.creates:
        names += ["IdempotencyKey", "DryRun"]
    if PreconditionFailed.status in operation.refusals:
        names.append("IfMatch")
    if operation.admit is None:
        names.append("Clock")
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def _request_body(operation: Operation, schemas: _Schemas) -> dict[str, Any] | None:
    if operation.body is None and operation.media == (JSON,):
        return None
    content: dict[str, Any] = {}
    for media in operation.media:
        if media != JSON or operation.body is None:
            content[media] = {"schema": {"type": "string"}}
            continue
        content[media] = {"schema": schemas.of(operation.body)}
        if operation.examples:
            content[media]["examples"] = {
                _slug(title): {"summary": title, "value": msgspec.to_builtins(value)}
                for title, value in operation.examples.items()
            }
    return {"required": operation.body_required, "content": content}


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "example"


def _reply(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    if operation.reply_media != JSON:
        content: dict[str, Any] = {operation.reply_media: {}}
    else:
        schema = {"type": "object"} if operation.reply is None else schemas.of(operation.reply)
        if operation.creates and operation.rehearsal is not None:
            schema = {"anyOf": [schema, schemas.of(operation.rehearsal)]}
        content = {JSON: {"schema": schema}}
    content |= {media: {} for media in operation.other_media}
    return {
        "description": operation.reply_description or "Done.",
        "headers": {
            "Offhook-Warning": {"$ref": "#/components/headers/Warning"},
            "X-Request-Id": {"$ref": "#/components/headers/RequestId"},
        },
        "content": content,
    }


def _refusal(status: int, schemas: _Schemas, dialect: Dialect | None) -> dict[str, Any]:
    response: dict[str, Any] = {"description": _REFUSALS[status][1]}
    if status == RateLimited.status:
        response["headers"] = _RATE_LIMITED_HEADERS
    response["content"] = {JSON: {"schema": schemas.of(ErrorReply if dialect is None else dialect.error)}}
    return response


def _statuses(operation: Operation) -> list[int]:
    """The refusals of an operation: its own, and those that follow from what it takes."""
    statuses = {400, 429, *operation.refusals}
    if operation.admit is None:
        statuses |= {401, 403}
    if "{" in operation.path:
        statuses.add(404)
    if operation.body is not None or operation.media != (JSON,):
        statuses |= {413, 415}
    if operation.query is not None:
        statuses.add(414)
    if operation.creates:
        statuses.add(409)
    if operation.ranged:
        statuses.add(416)
    if operation.method != "GET":
        statuses.add(503)
    return sorted(statuses)
