"""All that a reference page says of one operation, read from its document piece by piece. Pure."""

import re
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from offhook.catalog.model import (
    Body,
    Document,
    Field,
    Head,
    Reference,
    Response,
    Scheme,
    Server,
    Variable,
    parts_of,
    pointer_to,
)
from offhook.catalog.reference.described import described
from offhook.catalog.reference.examples import Way, built
from offhook.catalog.reference.fields import MORE_VALUES, MOST_FIELDS, Flattener
from offhook.catalog.reference.resolving import Resolver, entries, items, text_of
from offhook.catalog.reference.texts import Anchors, brief, encoded
from offhook.catalog.work import Work
from offhook.kit.errors import shown

T = TypeVar("T")
CONTENT_TYPE = "The media type of the request body."
MOST_OF_RESPONSE = 1_000
"""The most rows of one body of a response; of the request it is MOST_FIELDS."""

_IGNORED_HEADERS = {"accept", "content-type", "authorization"}
_IN_BRACES = re.compile(r"\{([^{}/]{1,100})\}")
_MOST_PARAMETERS = 500
_MOST_MEDIA = 20
_MOST_RESPONSES = 60
_MOST_HEADERS = 100
_MOST_EXAMPLES = 10
_MOST_SERVERS = 100
_MOST_SECURITY = 30
_EXAMPLE = 50_000
_TEXT = 20_000


def reference(document: Document, pointer: str, head: Head, work: Work | None = None) -> Reference:
    """The reference of the operation at `pointer`; KeyError if nothing stands there.

    What would take more than `work` is left out; "alternatives" is in its `cut` then.
    """
    return _Page(document, pointer, work or Work()).reference(head)


class _Page:
    def __init__(self, document: Document, pointer: str, work: Work) -> None:
        self._document = document
        self._resolver = Resolver(document)
        self._work = work
        self._fields = Flattener(self._resolver, Anchors(), work)
        operation = document.at(pointer)
        self._operation: dict[str, Any] = operation if isinstance(operation, dict) else {}
        self._item = self._at(pointer_to(*parts_of(pointer)[:-1]))
        self._cut: dict[str, None] = {}

    def _at(self, pointer: str) -> dict[str, Any]:
        try:
            found = self._document.at(pointer)
        except KeyError:
            return {}
        return found if isinstance(found, dict) else {}

    def _first(self, found: Sequence[T], most: int, what: str) -> Sequence[T]:
        """The first ones of a list; that there are more is noted."""
        if len(found) > most:
            self._cut[what] = None
        return found[:most]

    def reference(self, head: Head) -> Reference:
        # Parameters first: they are few, and bodies may take all that there is to be spent.
        given = self._parameters(head.path)
        headers = self._rows(given, "header")
        in_path, in_query, cookies = (self._rows(given, place) for place in ("path", "query", "cookie"))
        body = self._resolver.mapping(self._operation.get("requestBody"))
        bodies = self._bodies(body.get("content"), "body", "sent")
        if bodies:
            more = len(_media(body.get("content"))) - len(bodies)
            media = Field(
                name="Content-Type",
                type="String",
                required=True,
                anchor="header-Content-Type",
                description=CONTENT_TYPE,
                values=tuple(encoded(each.media) for each in bodies) if len(bodies) > 1 else (),
                default=encoded(bodies[0].media),
                limits=(f"{more:,}{MORE_VALUES}",) if more else (),
            )
            headers = (media, *headers)
        found = Reference(
            head=msgspec.structs.replace(head, description=described(self._operation, _TEXT)),
            servers=self._servers(),
            path_parameters=in_path,
            query_parameters=in_query,
            headers=headers,
            cookies=cookies,
            body_required=body.get("required") is True,
            body_description=text_of(body.get("description"))[:_TEXT],
            bodies=bodies,
            responses=self._responses(),
            security=self._security(),
            problems=tuple(self._resolver.problems),
        )
        if self._work.cut:
            self._cut["alternatives"] = None
        return msgspec.structs.replace(found, cut=tuple(self._cut))

    def _parameters(self, path: str) -> Sequence[dict[str, Any]]:
        """Those of the path, then those of the operation, which take the place of one of the same name; then those
        that stand in the braces of the path and nowhere else."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for holder in (self._item, self._operation):
            for parameter in items(holder.get("parameters")):
                parameter = self._resolver.mapping(parameter)
                name, place = parameter.get("name"), parameter.get("in")
                if isinstance(name, str) and name and isinstance(place, str):
                    found[place, name] = parameter
        for name in _IN_BRACES.findall(path):
            found.setdefault(("path", name), {"name": name, "in": "path", "schema": {"type": "string"}})
        return self._first(list(found.values()), _MOST_PARAMETERS, "parameters")

    def _rows(self, parameters: Sequence[dict[str, Any]], place: str) -> tuple[Field, ...]:
        rows = []
        for parameter in parameters:
            if parameter["in"] != place or (place == "header" and parameter["name"].lower() in _IGNORED_HEADERS):
                continue
            required = place == "path" or parameter.get("required") is True
            rows.append(self._row(parameter, parameter["name"], place, required))
        return tuple(rows)

    def _row(self, holder: dict[str, Any], name: str, section: str, required: bool) -> Field:
        """The row of a parameter or header: what is said of itself goes before what its schema says."""
        schema = holder.get("schema")
        limits: tuple[str, ...] = ()
        if schema is None:
            for media, content in entries(holder.get("content"))[:1]:
                schema = content.get("schema") if isinstance(content, dict) else None
                limits = (f"written as {media[:80]}",)
        if schema is None and "type" in holder:
            schema = holder
        row = self._fields.row(schema, name, section, required=required)
        example = holder.get("example")
        if example is None:
            example = next((value for _, value in self._given(holder.get("examples"))), None)
        description = text_of(holder.get("description"))[:_TEXT] or row.description
        return Field(
            # Several values of one parameter are several of its name: the name stays as it is sent.
            name=name,
            type=row.type,
            required=required,
            anchor=row.anchor,
            description=description,
            values=row.values,
            default=row.default,
            format=row.format,
            limits=(*row.limits, *limits),
            example=brief(example) if example is not None else row.example,
            nullable=row.nullable,
            deprecated=row.deprecated or holder.get("deprecated") is True,
        )

    def _given(self, examples: Any) -> list[tuple[str, Any]]:
        """The values of an `examples` object by their titles; those that stand elsewhere are left out."""
        found = []
        if isinstance(examples, list):
            return [(f"Example {number}", value) for number, value in enumerate(examples[:_MOST_EXAMPLES], 1)]
        for name, example in entries(examples)[:_MOST_EXAMPLES]:
            example = self._resolver.mapping(example)
            if "value" in example:
                found.append((text_of(example.get("summary"))[:200] or name[:200], example["value"]))
        return found

    def _bodies(self, content: Any, section: str, way: Way) -> tuple[Body, ...]:
        bodies = []
        # A section of an answer's is called as its place: "response-200".
        listed = self._first(_media(content), _MOST_MEDIA, section.replace("-", " ", 1))
        for number, (media, value) in enumerate(listed):
            value = value if isinstance(value, dict) else {}
            schema = value.get("schema")
            place = section if number == 0 else f"{section}-{media}"
            most = MOST_FIELDS if way == "sent" else MOST_OF_RESPONSE
            fields: tuple[Field, ...] = ()
            more = choices = 0
            if schema is not None:
                fields, more = self._fields.rows(schema, place, most)
                choices = self._fields.more_choices
            examples = [("Example", value["example"])] if value.get("example") is not None else []
            examples += self._given(value.get("examples"))
            if not examples and schema is not None:
                made = built(self._fields.schemas, schema, way)
                examples = [] if made is None else [("Made from the schema", made)]
            shown_examples = tuple((title, _written(example, media)) for title, example in examples)
            bodies.append(
                Body(media=media[:200], fields=fields, more_fields=more, more_choices=choices, examples=shown_examples)
            )
        return tuple(bodies)

    def _responses(self) -> tuple[Response, ...]:
        found = []
        listed = self._first(entries(self._operation.get("responses")), _MOST_RESPONSES, "responses")
        for status, response in listed:
            response = self._resolver.mapping(response)
            section = f"response-{status[:20]}"
            headers = []
            given = entries_with_extensions(response.get("headers"))
            for name, header in self._first(given, _MOST_HEADERS, f"response {status[:20]} header"):
                header = self._resolver.mapping(header)
                headers.append(self._row(header, name, f"{section}-header", header.get("required") is True))
            found.append(
                Response(
                    status=status[:20],
                    description=text_of(response.get("description"))[:_TEXT],
                    headers=tuple(headers),
                    bodies=self._bodies(response.get("content"), section, "received"),
                )
            )
        return tuple(found)

    def _servers(self) -> tuple[Server, ...]:
        for holder in (self._operation, self._item, self._root()):
            given = self._first(items(holder.get("servers")), _MOST_SERVERS, "servers")
            found = [_server(each) for each in given]
            servers = tuple(each for each in found if each is not None)
            if servers:
                return servers
        return (Server(url="/"),)

    def _root(self) -> dict[str, Any]:
        return self._at("")

    def _security(self) -> tuple[tuple[Scheme, ...], ...]:
        given = self._operation.get("security")
        if not isinstance(given, list):
            given = items(self._root().get("security"))
        alternatives = [
            tuple(self._scheme(name, scopes) for name, scopes in list(each.items())[:20])
            for each in self._first(given, _MOST_SECURITY, "security")
            if isinstance(each, dict)
        ]
        return tuple(dict.fromkeys(alternatives))

    def _scheme(self, name: str, scopes: Any) -> Scheme:
        ref = "#" + pointer_to("components", "securitySchemes", name)
        return scheme_of(name, self._resolver.mapping({"$ref": ref.replace("%", "%25")}), scopes)


def _media(content: Any) -> list[tuple[str, Any]]:
    """The media types of a body; of those that begin with x-, only an extension has no slash."""
    found = entries_with_extensions(content)
    return [(media, value) for media, value in found if "/" in media or not media.startswith("x-")]


def entries_with_extensions(value: Any) -> list[tuple[str, Any]]:
    """The entries of an object whose names are headers, of which many begin with X-."""
    return list(value.items()) if isinstance(value, dict) else []


def scheme_of(name: str, scheme: dict[str, Any], scopes: Any) -> Scheme:
    """A security scheme as credentials know it."""
    kind = text_of(scheme.get("type")).lower()
    how = text_of(scheme.get("scheme")).lower()
    asked = tuple(scope for scope in items(scopes) if isinstance(scope, str))
    description = text_of(scheme.get("description"))[:_TEXT]
    if kind == "http" and how in ("bearer", "basic"):
        return Scheme(name=name, kind="bearer" if how == "bearer" else "basic", scopes=asked, description=description)
    place = scheme.get("in")
    if kind == "apikey" and (place == "header" or place == "query" or place == "cookie"):
        return Scheme(
            name=name,
            kind="api_key",
            place=place,
            parameter=text_of(scheme.get("name"))[:200],
            scopes=asked,
            description=description,
        )
    if kind == "oauth2":
        flows = scheme.get("flows")
        flows = flows if isinstance(flows, dict) else {}
        for flow in ("clientCredentials", "authorizationCode", "password", "implicit"):
            if isinstance(flows.get(flow), dict):
                url = text_of(flows[flow].get("tokenUrl"))[:2000]
                return Scheme(name=name, kind="oauth2", token_url=url, scopes=asked, description=description)
        return Scheme(name=name, kind="oauth2", scopes=asked, description=description)
    return Scheme(name=name, kind="other", scopes=asked, description=description)


def _server(server: Any) -> Server | None:
    url = server.get("url") if isinstance(server, dict) else None
    if not isinstance(url, str):
        return None
    variables = []
    for name, variable in entries(server.get("variables"))[:50]:
        variable = variable if isinstance(variable, dict) else {}
        values = tuple(_plain(value) for value in items(variable.get("enum"))[:500])
        default = _plain(variable.get("default"))
        text = text_of(variable.get("description"))[:_TEXT]
        variables.append(Variable(name=name[:200], default=default, values=values, description=text))
    return Server(url=url[:2000], description=text_of(server.get("description"))[:_TEXT], variables=tuple(variables))


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value[:500]
    return "" if value is None else shown(encoded(value))


def _written(example: Any, media: str) -> str:
    """An example as its media type has it: JSON, or the text itself."""
    if isinstance(example, str) and "json" not in media:
        return example[:_EXAMPLE]
    return brief(example, _EXAMPLE)
