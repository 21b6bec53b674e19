"""What a document breaks of its own rules: noted, never refused. Pure, without recursion, one look at each place."""

from collections.abc import Callable
from typing import Any

from offhook.catalog.documents.limits import Problems
from offhook.catalog.documents.operations import MOST_OPERATIONS
from offhook.catalog.model import METHODS, Tree, pointer_to
from offhook.catalog.reference.resolving import local
from offhook.kit.errors import shown

Path = tuple[Any, ...]
"""A place as (its parent's place, its name), which costs little for each of millions of places."""

_ITEM_KEYS = {"$ref", "summary", "description", "servers", "parameters"}
_PLACES = ("query", "path", "header", "cookie")
_TYPES = {"string", "integer", "number", "boolean", "array", "object", "null"}
_ONE = ("items", "additionalProperties", "not", "contains", "propertyNames", "if", "then", "else",
        "unevaluatedProperties", "unevaluatedItems", "additionalItems")  # fmt: skip
_SEVERAL = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_STRINGS = ("title", "description", "format", "pattern")
_BESIDE = {"$ref", "description", "summary"}


def check(tree: dict[str, Any], problems: Problems) -> None:
    """Note the problems of `tree` (3.1 shape)."""
    _Check(tree, problems).run()


def pointer_of(path: Path) -> str:
    """The JSON pointer of a place."""
    parts: list[str] = []
    while path:
        path, part = path
        parts.append(str(part))
    return pointer_to(*reversed(parts))


class _Check:
    def __init__(self, tree: dict[str, Any], problems: Problems) -> None:
        self._root = tree
        self._tree = Tree(tree)
        self._problems = problems
        self._refs: dict[str, bool] = {}
        self._operations = 0
        self._ids: dict[str, Path] = {}
        self._todo: list[tuple[Callable[[Any, Path], None], Any, Path]] = []

    def run(self) -> None:
        root = self._root
        self._info(root["info"])
        self._items(root["paths"], ((), "paths"))
        if isinstance(root.get("webhooks"), dict):
            self._items(root["webhooks"], ((), "webhooks"))
            if not root["paths"]:
                self._problems.note("/webhooks", "Webhooks are calls that the API makes; they are not listed.")
        self._components(root.get("components"))
        if "security" in root and not isinstance(root["security"], list):
            self._note(((), "security"), "security must be a list of objects; it is ignored.")
        if "servers" in root:
            self._servers(root["servers"], ((), "servers"))
        while self._todo and not self._problems.enough:
            step, value, path = self._todo.pop()
            step(value, path)
        if self._operations > MOST_OPERATIONS:
            text = f"Of {self._operations:,} operations the first {MOST_OPERATIONS:,} are listed."
            self._problems.note("/paths", text)

    def _note(self, path: Path, text: str) -> None:
        if self._problems.full:
            self._problems.count()
        else:
            self._problems.note(pointer_of(path), text)

    def _later(self, step: Callable[[Any, Path], None], value: Any, path: Path) -> None:
        self._todo.append((step, value, path))

    def _info(self, info: dict[str, Any]) -> None:
        for name in ("title", "version"):
            if name not in info:
                self._problems.note("/info", f"{name} is missing.")
            elif not isinstance(info[name], str):
                self._problems.note(f"/info/{name}", f"{name} must be text.")

    def _components(self, components: Any) -> None:
        if components is None:
            return
        path: Path = ((), "components")
        if not isinstance(components, dict):
            self._note(path, "components must be an object; it is ignored.")
            return
        steps: dict[str, Callable[[Any, Path], None]] = {
            "schemas": self._schema, "parameters": self._parameter, "responses": self._response,
            "requestBodies": self._body, "headers": self._header, "pathItems": self._item,
        }  # fmt: skip
        for section, entries in components.items():
            if section.startswith("x-"):
                continue
            if not isinstance(entries, dict):
                self._note((path, section), f"{section} must be an object; it is ignored.")
                continue
            if section in steps:
                for name, value in entries.items():
                    self._later(steps[section], value, ((path, section), name))

    def _items(self, items: dict[str, Any], path: Path) -> None:
        # The last is looked at first, so what stands first is put down last.
        for name in reversed(items):
            if not name.startswith("x-"):
                self._later(self._item, items[name], (path, name))

    def _item(self, item: Any, path: Path) -> None:
        if not isinstance(item, dict):
            self._note(path, "A path must be an object; it is ignored.")
            return
        if "$ref" in item:
            self._ref(item, path)
        for name, value in item.items():
            if name.upper() in METHODS:
                self._operations += 1
                if not name.islower():
                    self._note((path, name), f"A method is written in small letters: {name.lower()}.")
                self._later(self._operation, value, (path, name))
            elif name == "parameters":
                self._parameters(value, (path, name))
            elif name == "servers":
                self._servers(value, (path, name))
            elif name not in _ITEM_KEYS and not name.startswith("x-"):
                self._note((path, name), f"{shown(name)} is no method; it is ignored.")

    def _operation(self, operation: Any, path: Path) -> None:
        if not isinstance(operation, dict):
            self._note(path, "An operation must be an object; it is shown without anything.")
            return
        own = operation.get("operationId")
        if isinstance(own, str):
            if own in self._ids:
                self._note(path, f"The operationId {shown(own)} is that of {pointer_of(self._ids[own])} too.")
            else:
                self._ids[own] = path
        elif own is not None:
            self._note((path, "operationId"), "operationId must be text; it is ignored.")
        for name in ("summary", "description"):
            if not isinstance(operation.get(name, ""), str):
                self._note((path, name), f"{name} must be text; it is ignored.")
        tags = operation.get("tags", [])
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            self._note((path, "tags"), "tags must be a list of texts.")
        if "parameters" in operation:
            self._parameters(operation["parameters"], (path, "parameters"))
        if "requestBody" in operation:
            self._later(self._body, operation["requestBody"], (path, "requestBody"))
        responses = operation.get("responses")
        if responses is None:
            self._note(path, "responses are missing.")
        elif not isinstance(responses, dict):
            self._note((path, "responses"), "responses must be an object; they are ignored.")
        else:
            for status, response in responses.items():
                if not status.startswith("x-"):
                    self._later(self._response, response, ((path, "responses"), status))
        if "servers" in operation:
            self._servers(operation["servers"], (path, "servers"))
        if not isinstance(operation.get("security", []), list):
            self._note((path, "security"), "security must be a list of objects; it is ignored.")

    def _servers(self, servers: Any, path: Path) -> None:
        if not isinstance(servers, list):
            self._note(path, "servers must be a list; it is ignored.")
            return
        for index, server in enumerate(servers):
            if not isinstance(server, dict) or not isinstance(server.get("url"), str):
                self._note((path, index), "A server must be an object with a url; it is ignored.")

    def _parameters(self, parameters: Any, path: Path) -> None:
        if not isinstance(parameters, list):
            self._note(path, "parameters must be a list; it is ignored.")
            return
        for index, parameter in enumerate(parameters):
            self._later(self._parameter, parameter, (path, index))

    def _parameter(self, parameter: Any, path: Path) -> None:
        if not isinstance(parameter, dict):
            self._note(path, "A parameter must be an object; it is ignored.")
            return
        if "$ref" in parameter:
            self._ref(parameter, path)
            return
        name = parameter.get("name")
        if not isinstance(name, str) or not name:
            self._note(path, "A parameter without a name; it is ignored.")
        if parameter.get("in") not in _PLACES:
            self._note(path, f"A parameter must be in {', '.join(_PLACES)}; it is ignored.")
        elif parameter["in"] == "path" and parameter.get("required") is not True:
            self._note(path, f"The path parameter {shown(name)} must be required; it is taken so.")
        if "schema" not in parameter and "content" not in parameter:
            self._note(path, f"The parameter {shown(name)} has neither schema nor content; it may be anything.")
        self._typed(parameter, path)

    def _header(self, header: Any, path: Path) -> None:
        if not isinstance(header, dict):
            self._note(path, "A header must be an object; it is ignored.")
        elif "$ref" in header:
            self._ref(header, path)
        else:
            self._typed(header, path)

    def _typed(self, holder: dict[str, Any], path: Path) -> None:
        if "schema" in holder:
            self._later(self._schema, holder["schema"], (path, "schema"))
        if "content" in holder:
            self._content(holder["content"], (path, "content"))
        if "required" in holder and not isinstance(holder["required"], bool):
            self._note((path, "required"), "required must be true or false.")

    def _content(self, content: Any, path: Path) -> None:
        if not isinstance(content, dict):
            self._note(path, "content must be an object of media types; it is ignored.")
            return
        for media, value in content.items():
            if not isinstance(value, dict):
                self._note((path, media), "A media type must be an object; it is shown without fields.")
            elif "schema" in value:
                self._later(self._schema, value["schema"], ((path, media), "schema"))

    def _body(self, body: Any, path: Path) -> None:
        if not isinstance(body, dict):
            self._note(path, "A request body must be an object; it is ignored.")
        elif "$ref" in body:
            self._ref(body, path)
        elif "content" not in body:
            self._note(path, "A request body without content.")
        else:
            self._content(body["content"], (path, "content"))

    def _response(self, response: Any, path: Path) -> None:
        if not isinstance(response, dict):
            self._note(path, "A response must be an object; it is shown without anything.")
            return
        if "$ref" in response:
            self._ref(response, path)
            return
        if "content" in response:
            self._content(response["content"], (path, "content"))
        headers = response.get("headers", {})
        if not isinstance(headers, dict):
            self._note((path, "headers"), "headers must be an object; they are ignored.")
            return
        for name, header in headers.items():
            self._later(self._header, header, ((path, "headers"), name))

    def _schema(self, schema: Any, path: Path) -> None:
        if isinstance(schema, bool):
            return
        if not isinstance(schema, dict):
            self._note(path, f"A schema must be an object, not {shown(schema)}; it may be anything.")
            return
        if "$ref" in schema:
            self._ref(schema, path)
            if isinstance(schema["$ref"], str) and not schema.keys() <= _BESIDE:
                text = "What stands beside a $ref is ignored by many readers; here it is put together with its target."
                self._note(path, text)
        self._type(schema, path)
        if "required" in schema and not isinstance(schema["required"], list):
            text = "required must be a list of names; true at a property makes it required."
            self._note((path, "required"), text if isinstance(schema["required"], bool) else text.partition(";")[0])
        if "enum" in schema and not isinstance(schema["enum"], list):
            self._note((path, "enum"), "enum must be a list; it is ignored.")
        for name in _STRINGS:
            if name in schema and not isinstance(schema[name], str):
                self._note((path, name), f"{name} must be text; it is ignored.")
        for name in _ONE:
            if name in schema and not (name == "items" and isinstance(schema[name], list)):
                self._later(self._schema, schema[name], (path, name))
        for name in (*_SEVERAL, "items"):
            inner = schema.get(name)
            if isinstance(inner, list):
                for index, each in enumerate(inner):
                    self._later(self._schema, each, ((path, name), index))
            elif inner is not None and name != "items":
                self._note((path, name), f"{name} must be a list of schemas; it is ignored.")
        for name in _NAMED:
            inner = schema.get(name)
            if isinstance(inner, dict):
                for key, each in inner.items():
                    self._later(self._schema, each, ((path, name), key))
            elif inner is not None:
                self._note((path, name), f"{name} must be an object of schemas; it is ignored.")

    def _type(self, schema: dict[str, Any], path: Path) -> None:
        kinds = schema.get("type")
        if kinds is None:
            return
        for kind in kinds if isinstance(kinds, list) else [kinds]:
            if kind == "file":
                self._note((path, "type"), "The type file is of Swagger 2.0; it is read as binary text.")
            elif not isinstance(kind, str) or kind not in _TYPES:
                self._note((path, "type"), f"The type {shown(kind)} is none of JSON Schema.")
        if "array" in (kinds if isinstance(kinds, list) else [kinds]) and not schema.keys() & {
            "items", "prefixItems", "$ref", "allOf", "contains",
        }:  # fmt: skip
            self._note(path, "An array without items; they may be anything.")

    def _ref(self, holder: dict[str, Any], path: Path) -> None:
        ref = holder["$ref"]
        if not isinstance(ref, str):
            if not isinstance(ref, dict):
                self._note((path, "$ref"), "A $ref must be text; it is ignored.")
            return
        if ref in self._refs:
            if not self._refs[ref]:
                self._note((path, "$ref"), f"There is nothing at {shown(ref)}.")
            return
        pointer = local(ref)
        if pointer is None:
            self._refs[ref] = True
            self._note((path, "$ref"), f"{shown(ref)} stands in another document, which is not read.")
            return
        try:
            self._tree.at(pointer)
        except KeyError:
            self._refs[ref] = False
            self._note((path, "$ref"), f"There is nothing at {shown(ref)}.")
        else:
            self._refs[ref] = True
