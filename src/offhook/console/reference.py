"""The API reference as web pages, an index and one a tag, rendered from the OpenAPI document.

It needs nothing from elsewhere: no CDN, no build, no inline script or style, so that a strict Content-Security-Policy
holds. Without JavaScript everything can still be read; with it, operations can be filtered and commands copied.
"""

import hashlib
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import jinja2
from markupsafe import Markup

HOME = "/docs"
ASSET_PATH = "/docs/assets/"
_HERE = Path(__file__).parent
_MEDIA = {".css": "text/css", ".js": "text/javascript"}

Schema = Mapping[str, Any]


class Asset(NamedTuple):
    """A file that the page loads from ASSET_PATH + name; the page's address for it changes with its bytes."""

    name: str
    content: bytes
    media: str

    @property
    def address(self) -> str:
        return f"{ASSET_PATH}{self.name}?v={hashlib.sha256(self.content).hexdigest()[:12]}"


def _asset(name: str) -> Asset:
    return Asset(name, (_HERE / "static" / name).read_bytes(), _MEDIA[Path(name).suffix])


ASSETS = (_asset("reference.css"), _asset("reference.js"))


@dataclass(frozen=True, slots=True)
class Field:
    """One row of a table: a parameter, a header, or a field by its dotted path, where `[]` is any member of a list."""

    name: str
    type: str
    required: bool
    description: str
    values: tuple[str, ...]
    default: str
    rules: tuple[str, ...]
    example: str
    anchor: str

    @property
    def parent(self) -> str:
        """What stands before the field's own name: `routing_options.open.` of `routing_options.open.action`."""
        return self.name[: self.name.rfind(".") + 1]

    @property
    def own(self) -> str:
        return self.name[self.name.rfind(".") + 1 :]


@dataclass(frozen=True, slots=True)
class Example:
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Status:
    code: str
    text: str
    headers: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """An operation as the page shows it."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    scope: str
    limits: tuple[str, ...]
    parameters: tuple[Field, ...]
    headers: tuple[Field, ...]
    media: tuple[str, ...]
    body: tuple[Field, ...]
    examples: tuple[Example, ...]
    curl: str
    reply: Status
    reply_fields: tuple[Field, ...]
    refusals: tuple[Status, ...]

    @property
    def words(self) -> str:
        """What the filter looks through beside the summary: the path first, the operation, the names of all it takes.

        A name that is part of another one is found with that: each of them is on every page, for every operation.
        """
        found = f"{self.path} {self.method} {self.id}".lower()
        taken = {field.own.replace("[]", "").lower() for field in (*self.parameters, *self.headers, *self.body)}
        for name in sorted(taken, key=lambda name: (-len(name), name)):
            if name not in found:
                found += f" {name}"
        return found


@dataclass(frozen=True, slots=True)
class Group:
    """The operations of one tag."""

    name: str
    description: str
    operations: tuple[Shown, ...]

    @property
    def slug(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower())

    @property
    def anchor(self) -> str:
        return "tag-" + self.slug

    @property
    def address(self) -> str:
        """The path of the page that shows them."""
        return f"{HOME}/{self.slug}"


def render(document: Mapping[str, Any]) -> dict[str, bytes]:
    """The reference pages of an OpenAPI document by path, as HTML in UTF-8: HOME, which lists all operations, and one
    page a tag. Pure; takes some tenths of a second, so call it once.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["prose"] = prose
    environment.filters["breakable"] = breakable
    groups = tuple(_groups(document))
    shared = {
        "info": document["info"],
        "groups": groups,
        "group": None,
        "home": HOME,
        "css": ASSETS[0].address,
        "js": ASSETS[1].address,
    }
    index = environment.get_template("index.html").render(
        shared,
        count=sum(len(group.operations) for group in groups),
        schemes=document["components"]["securitySchemes"],
        error=tuple(_error_fields(document)),
    )
    template = environment.get_template("group.html")
    pages = {HOME: index.encode()}
    for before, group, after in zip((None, *groups[:-1]), groups, (*groups[1:], None), strict=True):
        pages[group.address] = template.render(shared, group=group, before=before, after=after).encode()
    return pages


def prose(text: str) -> Markup:
    """Plain text with paragraphs, lists of lines that begin with "- ", and `code`, as HTML."""
    blocks = []
    for block in re.split(r"\n\s*\n", text.strip()):
        if not block:
            continue
        lines = block.split("\n")
        if all(line.startswith(("- ", "  ")) for line in lines):
            items = re.split(r"(?:^|\n)- ", block)[1:]
            blocks.append(
                Markup("<ul>{}</ul>").format(Markup("").join(Markup("<li>{}</li>").format(_code(i)) for i in items))
            )
        else:
            blocks.append(Markup("<p>{}</p>").format(_code(block)))
    return Markup("").join(blocks)


def _code(text: str) -> Markup:
    parts = re.split(r"`([^`]+)`", text)
    return Markup("").join(Markup("<code>{}</code>").format(p) if i % 2 else p for i, p in enumerate(parts))


def breakable(text: str) -> Markup:
    """`text` with places where a long path may break: after a slash, a dot, an underscore."""
    return Markup("<wbr>").join(re.split(r"(?<=[/._])", text))


def _groups(document: Mapping[str, Any]) -> Iterator[Group]:
    known = {tag["name"]: tag.get("description", "") for tag in document.get("tags", ())}
    members: dict[str, list[Shown]] = {name: [] for name in known}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tag = (operation.get("tags") or ["Other"])[0]
            members.setdefault(tag, []).append(_shown(document, path, method.upper(), operation))
    for name, operations in members.items():
        if operations:
            yield Group(name, known.get(name, ""), tuple(operations))


def _shown(document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]) -> Shown:
    id = operation["operationId"]
    parameters = [_resolved(document, parameter) for parameter in operation.get("parameters", ())]
    content = operation.get("requestBody", {}).get("content", {})
    media = tuple(content)
    schema = next((content[kind]["schema"] for kind in media), None)
    examples = tuple(
        Example(example.get("summary", name), json.dumps(example["value"], indent=2, ensure_ascii=False))
        for kind in media
        for name, example in content[kind].get("examples", {}).items()
    )
    responses = {code: _resolved(document, response) for code, response in operation["responses"].items()}
    good = min(responses)
    reply_schema = responses[good].get("content", {}).get("application/json", {}).get("schema")
    if reply_schema is not None and "anyOf" in reply_schema:
        # The second is what a dry run answers, of which the first is a part.
        reply_schema = reply_schema["anyOf"][0]
    headers = [_parameter(document, f"{id}.header.", p) for p in parameters if p["in"] == "header"]
    if media:
        headers.insert(0, _content_type(id, media))
    return Shown(
        id=id,
        method=method,
        path=path,
        summary=operation.get("summary", id),
        description=operation.get("description", ""),
        scope=operation.get("x-scope", ""),
        limits=tuple(_limit(count, seconds) for count, seconds in operation.get("x-ratelimit", ())),
        parameters=tuple(_parameter(document, f"{id}.{p['in']}.", p) for p in parameters if p["in"] != "header"),
        headers=tuple(headers),
        media=media,
        body=tuple(_fields(document, schema, f"{id}.body.")) if schema else (),
        examples=examples,
        curl=_curl(
            method,
            path,
            media,
            examples,
            [p for p in parameters if p["in"] == "query" and p["required"]],
            keyless=operation.get("security") == [],
        ),
        reply=_status(document, f"{id}.reply-header.", good, responses[good]),
        reply_fields=tuple(_fields(document, reply_schema, f"{id}.reply.")) if reply_schema else (),
        refusals=tuple(
            _status(document, f"{id}.{code}-header.", code, response)
            for code, response in sorted(responses.items())
            if code != good
        ),
    )


def _error_fields(document: Mapping[str, Any]) -> Iterator[Field]:
    reference = {"$ref": "#/components/schemas/ErrorReply"}
    if "ErrorReply" in document["components"]["schemas"]:
        yield from _fields(document, reference, "error-form.")


def _status(document: Mapping[str, Any], prefix: str, code: str, response: Mapping[str, Any]) -> Status:
    headers = (
        _parameter(document, prefix, {"name": name, "in": "header", **_resolved(document, header)})
        for name, header in response.get("headers", {}).items()
    )
    return Status(code, response["description"], tuple(headers))


def _limit(count: int, seconds: int) -> str:
    window = {1: "second", 60: "minute", 3600: "hour", 86400: "day"}.get(seconds)
    if window is None:
        window = f"{seconds // 60} minutes" if seconds % 60 == 0 else f"{seconds} seconds"
    return f"{count} per {window}"


def _resolved(document: Mapping[str, Any], value: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = value.get("$ref")
    if reference is None:
        return value
    target: Any = document
    for part in reference.removeprefix("#/").split("/"):
        target = target[part]
    return {**target, **{keyword: inner for keyword, inner in value.items() if keyword != "$ref"}}


def _parameter(document: Mapping[str, Any], prefix: str, parameter: Mapping[str, Any]) -> Field:
    schema = {**parameter["schema"]}
    for keyword in ("description", "example"):
        if keyword in parameter:
            schema[keyword] = parameter[keyword]
    return _field(document, parameter["name"], schema, required=parameter.get("required", False), prefix=prefix)


def _content_type(id: str, media: tuple[str, ...]) -> Field:
    text = "The media type of the request body."
    values = media if len(media) > 1 else ()
    default = "" if values else json.dumps(media[0])
    return Field(
        "Content-Type", "String", True, text, values, default, (), "", _anchor(f"{id}.header.", "Content-Type")
    )


def _fields(document: Mapping[str, Any], schema: Schema, prefix: str) -> Iterator[Field]:
    """All fields within `schema`, each under its dotted path, parents first, in the order of the struct."""
    yield from _within(document, schema, "", prefix, ())


def _within(
    document: Mapping[str, Any], schema: Schema, path: str, prefix: str, through: tuple[str, ...]
) -> Iterator[Field]:
    seen: set[str] = set()
    for option in _options(document, schema):
        reference = option.get("$ref", "")
        if reference and reference in through:
            continue  # a structure that holds itself is shown once
        inner = _resolved(document, option)
        trail = (*through, reference) if reference else through
        if inner.get("type") == "array":
            items = _items(inner)
            if not path:
                yield _field(document, "[]", items, required=True, prefix=prefix)
            yield from _within(document, items, path or "[]", prefix, trail)
            continue
        members = dict(inner.get("properties", {}))
        if isinstance(extra := inner.get("additionalProperties"), Mapping):
            members["*"] = extra
        for name, member in members.items():
            if name in seen:
                continue
            seen.add(name)
            full = f"{path}.{name}" if path else name
            if _is_list(document, member):
                full += "[]"
            yield _field(document, full, member, required=name in inner.get("required", ()), prefix=prefix)
            yield from _within(document, member, full, prefix, trail)


def _options(document: Mapping[str, Any], schema: Schema) -> list[Schema]:
    """What a value may be, without null; a choice of two forms of one number is one thing."""
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema and "x-offhook-type" not in schema:
            return [option for option in schema[keyword] if option.get("type") != "null"]
    return [schema]


def _items(schema: Schema) -> Schema:
    """What an entry of a list may be. Of one whose places have each their own form, any of those."""
    if "prefixItems" in schema:
        return {"anyOf": schema["prefixItems"]}
    items = schema.get("items", {})
    return items if isinstance(items, Mapping) else {}


def _is_list(document: Mapping[str, Any], schema: Schema) -> bool:
    return any(_resolved(document, option).get("type") == "array" for option in _options(document, schema))


def _field(document: Mapping[str, Any], name: str, schema: Schema, *, required: bool, prefix: str) -> Field:
    options = [_resolved(document, option) for option in _options(document, schema)]
    # What the place says of itself goes before what the type says of itself.
    merged: dict[str, Any] = {**options[0], **schema} if len(options) == 1 else {**schema}
    subject = _resolved(document, _items(options[0]) if merged.get("type") == "array" else merged)
    values = tuple(str(value) for value in (merged.get("enum") or subject.get("enum") or ()))
    example = merged.get("example", next(iter(merged.get("examples", ())), None))
    return Field(
        name=name,
        type=" or ".join(dict.fromkeys(_type(document, option) for option in options)) or "Any",
        required=required,
        description=merged.get("description", ""),
        values=values,
        default=json.dumps(merged["default"], ensure_ascii=False) if merged.get("default") is not None else "",
        rules=tuple(_rules(merged)),
        example="" if example is None else example if isinstance(example, str) else json.dumps(example),
        anchor=_anchor(prefix, name),
    )


def _anchor(prefix: str, name: str) -> str:
    return quote(prefix + name.replace("[]", "*"), safe=".*-_")


_TYPES = {"string": "String", "integer": "Integer", "number": "Number", "boolean": "Boolean", "object": "Object"}


def _type(document: Mapping[str, Any], schema: Schema) -> str:
    if "x-offhook-type" in schema:
        return str(schema["x-offhook-type"])
    kind = schema.get("type")
    if kind == "array":
        inner = [_type(document, _resolved(document, option)) for option in _options(document, _items(schema))]
        return "Array of " + " or ".join(dict.fromkeys(inner))
    name = _TYPES.get(str(kind), "Any")
    if "format" in schema:
        name += f" ({schema['format']})"
    return name


def _rules(schema: Schema) -> Iterator[str]:
    """The constraints of a field in words. A rule that its subject states in words stands for the mechanical ones."""
    if "x-offhook-rule" in schema:
        yield str(schema["x-offhook-rule"])
        return
    unit = "entries" if schema.get("type") == "array" else "characters"
    least, most = (
        (schema.get("minItems"), schema.get("maxItems"))
        if unit == "entries"
        else (schema.get("minLength"), schema.get("maxLength"))
    )
    if least is not None and most is not None:
        yield f"{least} to {most} {unit}"
    elif most is not None:
        yield f"at most {most} {unit}"
    elif least == 1:
        yield "not empty"
    elif least is not None:
        yield f"at least {least} {unit}"
    if "pattern" in schema and "format" not in schema:
        yield f"matches {schema['pattern']}"
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        yield f"{low} to {high}"
    elif low is not None:
        yield f"{low} or more"
    elif high is not None:
        yield f"{high} or less"


def _curl(
    method: str,
    path: str,
    media: tuple[str, ...],
    examples: tuple[Example, ...],
    required: list[Mapping[str, Any]],
    *,
    keyless: bool,
) -> str:
    """A command to paste. The page's script puts the server's own address in the place of $OFFHOOK_URL."""
    address = "$OFFHOOK_URL" + re.sub(r"\{(\w+)\}", lambda found: found[1].upper(), path)
    if required:
        address += "?" + "&".join(f"{p['name']}={p['name'].upper()}" for p in required)
    verb = "" if method == "GET" else f"-X {method} "
    lines = [f'curl {verb}"{address}"']
    if not keyless:
        lines.append('-H "Authorization: Bearer $OFFHOOK_KEY"')
    if media:
        lines.append(f"-H 'Content-Type: {media[0]}'")
        if media[0] != "application/json":
            lines.append("--data-binary @FILE")
        else:
            body = examples[0].text if examples else "{}"
            lines.append("-d " + shlex.quote(body.replace("\n", "\n  ")))
    return " \\\n  ".join(lines)
