"""An API document as it is kept and read, whatever it was written in. Pure.

Whatever came in (OpenAPI 3.0 or 3.1, Swagger 2.0), a document is a tree in the shape of OpenAPI 3.1: `paths` with
operations that have `parameters`, `requestBody` and `responses`, and `components`. References stay as they are.
"""

from collections.abc import Mapping
from typing import Any, Literal, Protocol

import msgspec

Method = Literal["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"]
METHODS: tuple[Method, ...] = ("GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE")


class Problem(msgspec.Struct, frozen=True):
    """What a document breaks of its own rules, or what was left out of it: where (JSON pointer) and what."""

    pointer: str
    text: str


class Head(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An operation as lists and the search know it.

    `key` names it within its document: its operationId where that is unique and can stand in a path, else made from
    method and path ("post-api-v2-offices"). `pointer` is where it stands. `words` are what the search reads besides:
    names of parameters, body and response fields.
    """

    key: str
    method: Method
    path: str
    pointer: str
    summary: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    deprecated: bool = False
    words: tuple[str, ...] = ()


class Document(Protocol):
    """A document that is read piece by piece, since the largest ones are too large to be read whole for one page."""

    def at(self, pointer: str) -> Any:
        """What stands at a JSON pointer ("/components/schemas/Office"); KeyError if nothing does.

        What is given is shared: it must not be changed.
        """


class Field(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A row of a reference page.

    `name` is dotted, with `[]` behind arrays ("routing_options.open.dtmf[].input"), `{}` for any further name. `type`
    is as the seed writes it: String, Integer, Number, Boolean, Array, Object, Any, Null, with " or " between several.
    `values` and `default` are JSON texts ("\"monthly\"", "30"). `anchor` is an id unique on the page, the same for the
    same field of every version. `choice` says which alternative of a oneOf or anyOf the field belongs to.
    """

    name: str
    type: str
    required: bool
    anchor: str
    description: str = ""
    values: tuple[str, ...] = ()
    default: str = ""
    format: str = ""
    limits: tuple[str, ...] = ()
    example: str = ""
    nullable: bool = False
    deprecated: bool = False
    read_only: bool = False
    write_only: bool = False
    recursive: bool = False
    choice: str = ""


class Variable(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of a server's address that can be chosen."""

    name: str
    default: str = ""
    values: tuple[str, ...] = ()
    description: str = ""


class Server(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where an API is. `url` may be relative to where its document came from, and have {variables}."""

    url: str
    description: str = ""
    variables: tuple[Variable, ...] = ()


class Body(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A body in one media type; `examples` are JSON texts (or the text itself) by title.

    `more_fields` and `more_choices` are how many fields, and alternatives of a oneOf or anyOf, are not shown, at least.
    """

    media: str
    fields: tuple[Field, ...] = ()
    more_fields: int = 0
    more_choices: int = 0
    examples: tuple[tuple[str, str], ...] = ()


class Response(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What may come back for a status ("200", "4XX", "default")."""

    status: str
    description: str = ""
    headers: tuple[Field, ...] = ()
    bodies: tuple[Body, ...] = ()


class Scheme(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How an operation wants to know who asks; `kind` as the credentials have it, "other" for what is not built."""

    name: str
    kind: Literal["bearer", "basic", "api_key", "oauth2", "other"]
    place: Literal["", "header", "query", "cookie"] = ""
    parameter: str = ""
    token_url: str = ""
    scopes: tuple[str, ...] = ()
    description: str = ""


class Reference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that is said of an operation, in the order of a reference page. Descriptions are Markdown, as written.

    `security` are alternatives, each of schemes that are needed together; an empty alternative needs none. `cut` are
    lists that have more than is shown: "parameters", "body", "responses", "response 200", "response 200 header",
    "servers", "security".
    """

    head: Head
    servers: tuple[Server, ...] = ()
    path_parameters: tuple[Field, ...] = ()
    query_parameters: tuple[Field, ...] = ()
    headers: tuple[Field, ...] = ()
    cookies: tuple[Field, ...] = ()
    body_required: bool = False
    body_description: str = ""
    bodies: tuple[Body, ...] = ()
    responses: tuple[Response, ...] = ()
    security: tuple[tuple[Scheme, ...], ...] = ()
    problems: tuple[Problem, ...] = ()
    cut: tuple[str, ...] = ()


class Tree:
    """A document that is in memory."""

    __slots__ = ("_root",)

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root

    def at(self, pointer: str) -> Any:
        """What stands at a JSON pointer; KeyError if nothing does."""
        found: Any = self._root
        for part in parts_of(pointer):
            if isinstance(found, Mapping):
                found = found[part]
            elif isinstance(found, list) and part.isascii() and part.isdigit() and int(part[:9]) < len(found):
                found = found[int(part)]
            else:
                raise KeyError(pointer)
        return found


def parts_of(pointer: str) -> list[str]:
    """The names that a JSON pointer goes through (RFC 6901): parts_of("/paths/~1a") == ["paths", "/a"]."""
    if not pointer:
        return []
    if not pointer.startswith("/"):
        raise KeyError(pointer)
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")]


def pointer_to(*parts: str) -> str:
    """The inverse: pointer_to("paths", "/a") == "/paths/~1a"."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


class Sent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request as it goes out: the whole address, headers in their order, and the body as text or bytes.

    `fields` are those that a multipart body was made of.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str | bytes | None = None
    fields: tuple[tuple[str, str], ...] = ()
