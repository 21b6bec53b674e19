"""Swagger 2.0 in the shape of OpenAPI 3.1, without loss: what has no place there is kept under `x-` names. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from offhook.catalog.documents.limits import MOST_NODES, Problems, too_many
from offhook.catalog.model import METHODS, Tree, pointer_to

_ROOTS = {
    "#/definitions": "#/components/schemas",
    "#/parameters": "#/components/parameters",
    "#/responses": "#/components/responses",
    "#/securityDefinitions": "#/components/securitySchemes",
}
_MOVED = {"swagger", "host", "basePath", "schemes", "consumes", "produces", "definitions", "parameters", "responses",
          "securityDefinitions", "paths"}  # fmt: skip
_OF_OPERATION = {"parameters", "responses", "consumes", "produces", "schemes"}
_ABOUT = ("name", "in", "description", "required", "allowEmptyValue", "deprecated", "example", "examples")
_STYLES = {"csv": ("form", False), "multi": ("form", True), "ssv": ("spaceDelimited", False),
           "pipes": ("pipeDelimited", False)}  # fmt: skip
_FLOWS = {"implicit": "implicit", "password": "password", "application": "clientCredentials",
          "accessCode": "authorizationCode"}  # fmt: skip
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_BYTES = "application/octet-stream"
_MOST_MEDIA = 50
"""The most media types, and schemes, that are taken of one list."""


def upgraded(swagger: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """The document as a tree in 3.1 shape; what cannot be carried over is noted, with its pointer in what was sent."""
    return _Upgrade(swagger, problems).document()


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return list(dict.fromkeys(each for each in values if isinstance(each, str) and each))[:_MOST_MEDIA]


def _moved(ref: str) -> str:
    for old, new in _ROOTS.items():
        if ref == old or ref.startswith(old + "/"):
            return new + ref[len(old) :]
    return ref


def _rewritten(value: Any) -> Any:
    """A copy in which every reference goes to where its target now stands, and files are binary text."""
    if isinstance(value, dict):
        copy = {name: _rewritten(inner) for name, inner in value.items()}
        ref = copy.get("$ref")
        if isinstance(ref, str):
            copy["$ref"] = _moved(ref)
        return copy
    if isinstance(value, list):
        return [_rewritten(inner) for inner in value]
    return value


def _filed(schema: dict[str, Any]) -> dict[str, Any]:
    if schema.get("type") == "file":
        return {**schema, "type": "string", "format": "binary"}
    return schema


class _Upgrade:
    def __init__(self, swagger: Mapping[str, Any], problems: Problems) -> None:
        self._from = swagger
        self._tree = Tree(swagger)
        self._problems = problems
        self._consumes = _texts(swagger.get("consumes"))
        self._produces = _texts(swagger.get("produces"))
        self._copies: dict[int, Any] = {}
        self._media = 0
        for name in ("consumes", "produces", "schemes"):
            if isinstance(swagger.get(name), list) and len(swagger[name]) > _MOST_MEDIA:
                problems.note(pointer_to(name), f"Only the first {_MOST_MEDIA} are taken.")

    def document(self) -> dict[str, Any]:
        source = self._from
        kept = {name: _rewritten(value) for name, value in source.items() if name not in _MOVED}
        paths = source.get("paths")
        found: dict[str, Any] = {"openapi": "3.1.0", **kept, "servers": self._servers(source.get("schemes"))}
        found["paths"] = paths
        if isinstance(paths, dict):
            found["paths"] = {path: self._item(item, pointer_to("paths", path)) for path, item in paths.items()}
        components = self._components()
        if components:
            found["components"] = {**_mapping(kept.get("components")), **components}
        return found

    def _count(self, media: int) -> None:
        """Invalid once there are more media types, each of one operation, than a document has place for."""
        self._media += media
        if 2 * self._media > MOST_NODES:
            raise too_many()

    def _schema(self, value: Any) -> Any:
        """A copy in the new shape, made once for each part of what was sent, however often that is referred to."""
        if not isinstance(value, dict | list):
            return value
        known = self._copies.get(id(value))
        if known is None:
            known = _rewritten(value)
            known = _filed(known) if isinstance(known, dict) else known
            self._copies[id(value)] = known
        return known

    def _servers(self, schemes: Any) -> list[dict[str, Any]]:
        base = self._from.get("basePath")
        path = base if isinstance(base, str) else ""
        path = path if path.startswith("/") or not path else "/" + path
        host = self._from.get("host")
        if not isinstance(host, str) or not host:
            return [{"url": path or "/"}]
        named = _texts(schemes)
        if not named:
            return [{"url": f"//{host}{path}"}]
        return [{"url": f"{scheme}://{host}{path}"} for scheme in named]

    def _components(self) -> dict[str, Any]:
        source = self._from
        found: dict[str, Any] = {}
        if "definitions" in source:
            definitions = source["definitions"]
            if isinstance(definitions, dict):
                found["schemas"] = {name: self._schema(schema) for name, schema in definitions.items()}
            else:
                found["schemas"] = definitions
        shared = _mapping(source.get("parameters"))
        plain, bodies = {}, {}
        for name, parameter in shared.items():
            place = parameter.get("in") if isinstance(parameter, dict) else None
            if place in ("body", "formData"):
                bodies[name] = self._body([parameter], self._consumes)
            else:
                plain[name] = self._parameter(parameter)
        if plain:
            found["parameters"] = plain
        if bodies:
            found["requestBodies"] = bodies
        responses = source.get("responses")
        if isinstance(responses, dict):
            found["responses"] = {name: self._response(each, self._produces) for name, each in responses.items()}
        schemes = source.get("securityDefinitions")
        if isinstance(schemes, dict):
            found["securitySchemes"] = {name: _security(scheme) for name, scheme in schemes.items()}
        return found

    def _item(self, item: Any, pointer: str) -> Any:
        if not isinstance(item, dict):
            return item
        found: dict[str, Any] = {}
        plain, inner = self._parted(item.get("parameters"))
        for name, value in item.items():
            if name == "parameters":
                if plain:
                    found[name] = plain
                elif not isinstance(value, list):
                    found[name] = value
            elif name.upper() in METHODS:
                found[name] = self._operation(value, inner, pointer + pointer_to(name))
            else:
                found[name] = _rewritten(value)
        return found

    def _operation(self, operation: Any, inherited: list[dict[str, Any]], pointer: str) -> Any:
        if not isinstance(operation, dict):
            return operation
        found = {name: _rewritten(value) for name, value in operation.items() if name not in _OF_OPERATION}
        if "schemes" in operation:
            found["servers"] = self._servers(operation["schemes"])
        consumes = _texts(operation.get("consumes")) or self._consumes
        produces = _texts(operation.get("produces")) or self._produces
        plain, inner = self._parted(operation.get("parameters"))
        if plain:
            found["parameters"] = plain
        elif "parameters" in operation and not isinstance(operation["parameters"], list):
            found["parameters"] = operation["parameters"]
        sent = self._with_inherited(inner, inherited)
        if sent:
            if len({parameter.get("in") for parameter in sent}) > 1:
                self._problems.note(pointer, "It has both a body and form fields; the form fields are left out.")
            found["requestBody"] = self._body(sent, consumes)
        responses = operation.get("responses")
        if isinstance(responses, dict):
            found["responses"] = {
                status: value if status.startswith("x-") else self._response(value, produces)
                for status, value in responses.items()
            }
        elif "responses" in operation:
            found["responses"] = responses
        return found

    @staticmethod
    def _with_inherited(own: list[dict[str, Any]], inherited: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if not inherited:
            return own
        names = {(parameter.get("in"), parameter.get("name")) for parameter in own}
        if any(place == "body" for place, _ in names):
            return own
        return [each for each in inherited if (each.get("in"), each.get("name")) not in names] + own

    def _parted(self, parameters: Any) -> tuple[list[Any], list[dict[str, Any]]]:
        """The parameters that remain such, and those that are now a request body, which are resolved."""
        plain: list[Any] = []
        inner: list[dict[str, Any]] = []
        for parameter in parameters if isinstance(parameters, list) else []:
            target = self._target(parameter)
            if target.get("in") in ("body", "formData"):
                inner.append(target)
            else:
                plain.append(self._parameter(parameter))
        return plain, inner

    def _target(self, value: Any) -> dict[str, Any]:
        for _ in range(20):
            ref = value.get("$ref") if isinstance(value, dict) else None
            if not isinstance(ref, str) or not ref.startswith("#"):
                break
            try:
                value = self._tree.at(ref[1:])
            except KeyError:
                break
        return _mapping(value)

    def _parameter(self, parameter: Any) -> Any:
        if not isinstance(parameter, dict) or "$ref" in parameter or "schema" in parameter or "content" in parameter:
            return _rewritten(parameter)
        found: dict[str, Any] = {}
        schema: dict[str, Any] = {}
        for name, value in parameter.items():
            if name == "collectionFormat":
                continue
            to = found if name in _ABOUT or (name.startswith("x-") and name != "x-nullable") else schema
            to[name] = _rewritten(value)
        found["schema"] = _filed(schema)
        way = parameter.get("collectionFormat", "csv" if parameter.get("type") == "array" else None)
        if isinstance(way, str) and way in _STYLES:
            style, explode = _STYLES[way]
            if parameter.get("in") in ("path", "header") and style == "form":
                style = "simple"
            found |= {"style": style, "explode": explode}
        elif way is not None:
            found["x-collectionFormat"] = way
        return found

    def _body(self, parameters: list[dict[str, Any]], consumes: list[str]) -> dict[str, Any]:
        whole = next((each for each in parameters if each.get("in") == "body"), None)
        if whole is not None:
            extra = {name: value for name, value in whole.items() if name.startswith("x-")}
            self._count(len(consumes))
            media = {"schema": self._schema(whole.get("schema", {}))}
            found = {**extra, "content": dict.fromkeys(consumes or ["application/json"], media)}
            if isinstance(whole.get("name"), str):
                found["x-body-name"] = whole["name"]
            return _about(whole, found)
        properties: dict[str, Any] = {}
        required = []
        encoding: dict[str, Any] = {}
        for parameter in parameters:
            name = str(parameter.get("name", ""))
            properties[name] = self._form_field(parameter)
            if parameter.get("required") is True:
                required.append(name)
            if parameter.get("collectionFormat") in _STYLES:
                style, explode = _STYLES[parameter["collectionFormat"]]
                encoding[name] = {"style": style, "explode": explode}
        schema: dict[str, Any] = {"type": "object", "properties": properties}
        if required:
            schema["required"] = required
        has_file = any(parameter.get("type") == "file" for parameter in parameters)
        forms = [each for each in consumes if each in (_FORM, _MULTIPART)]
        if has_file:
            forms = [_MULTIPART]
        form: dict[str, Any] = {"schema": schema, "encoding": encoding} if encoding else {"schema": schema}
        return {"required": bool(required), "content": dict.fromkeys(forms or [_FORM], form)}

    def _form_field(self, parameter: dict[str, Any]) -> dict[str, Any]:
        left_out = ("name", "in", "required", "collectionFormat", "allowEmptyValue")
        return _filed({name: self._schema(value) for name, value in parameter.items() if name not in left_out})

    def _response(self, response: Any, produces: list[str]) -> Any:
        if not isinstance(response, dict) or "$ref" in response:
            return _rewritten(response)
        found = {
            name: _rewritten(value) for name, value in response.items() if name not in ("schema", "headers", "examples")
        }
        schema = response.get("schema")
        examples = response.get("examples")
        given = {name: value for name, value in _mapping(examples).items() if "/" in name}
        content: dict[str, Any] = {}
        if schema is not None:
            is_file = isinstance(schema, dict) and schema.get("type") == "file"
            for media in produces or ([_BYTES] if is_file else ["application/json"]):
                content[media] = {"schema": self._schema(schema)}
        self._count(len(content))
        for media, example in given.items():
            content.setdefault(media, {"schema": self._schema(schema)} if schema is not None else {})["example"] = (
                example
            )
        if examples is not None and not given:
            found["x-examples"] = examples
        if content:
            found["content"] = content
        headers = response.get("headers")
        if isinstance(headers, dict):
            found["headers"] = {name: _header(header) for name, header in headers.items()}
        elif headers is not None:
            found["headers"] = headers
        return found


def _about(parameter: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    for name in ("description", "required"):
        if name in parameter:
            found[name] = parameter[name]
    return found


def _header(header: Any) -> Any:
    if not isinstance(header, dict) or "$ref" in header:
        return _rewritten(header)
    schema = {name: _rewritten(value) for name, value in header.items() if name != "description"}
    return {**({"description": header["description"]} if "description" in header else {}), "schema": schema}


def _security(scheme: Any) -> Any:
    if not isinstance(scheme, dict):
        return scheme
    kind = scheme.get("type")
    if kind == "basic":
        return {**scheme, "type": "http", "scheme": "basic"}
    if kind != "oauth2":
        return dict(scheme)
    inner = ("flow", "authorizationUrl", "tokenUrl", "scopes")
    name = scheme.get("flow")
    flow = {part: scheme[part] for part in inner[1:] if part in scheme}
    flow.setdefault("scopes", {})
    others: Iterable[tuple[str, Any]] = ((part, value) for part, value in scheme.items() if part not in inner)
    return {**dict(others), "flows": {_FLOWS.get(name, "implicit") if isinstance(name, str) else "implicit": flow}}
