"""API documents, by the API: imported, listed, searched, and their reference read as aligned text.

What comes from documents is somebody else's: no control character of it reaches the terminal.
"""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.table import Table
from rich.text import Text

from offhook.cli.common import AsJson, NotThere, emit, err, facts, following, out, read_file, say, table, warn
from offhook.cli.lines import V1
from offhook.cli.way import DryRun, Way, again, by_api, run, warning
from offhook.client import Answer, Client, Refused, body_of
from offhook.kit.errors import Refusal, shown

app = typer.Typer(no_args_is_help=True, help="APIs: find one, read it, have a request prepared, try it.")

APIS = f"{V1}/apis"
OWN = "offhook"
_FIRST_PROBLEMS = 5
_FIRST_CHANGES = 20
_MOST_VALUES = 200
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

Headers = Annotated[
    list[str] | None, typer.Option("--header", help='As "Name: value"; repeat it.', metavar='"NAME: VALUE"')
]


def clean(text: str) -> str:
    """A text from elsewhere without the characters that would steer a terminal."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def line_of(text: str) -> str:
    """The same on one line."""
    return clean(" ".join(text.split()))


def brief(text: str, most: int) -> str:
    """The beginning of a text on one line, of at most so many characters."""
    line = line_of(text)
    return line if len(line) <= most else f"{line[: most - 1]}…"


def header_of(text: str) -> tuple[str, str]:
    """The name and value that `X-Team: sales` writes. What was sent is not repeated: it may be a secret."""
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise Refusal('A header is written as "Name: value".')
    return name.strip(), value.strip()


def called(api: str, key: str, *, built_in: bool | None = None) -> str:
    """An operation as commands take it: Offhook's own by its key alone."""
    own = api == OWN if built_in is None else built_in
    return shlex.quote(key if own else f"{api}.{key}")


# Import


@app.command("import")
@by_api
def import_api(
    way: Way,
    source: Annotated[
        str | None,
        typer.Argument(
            help="A file, a URL, or - for standard input. With --again it may be left out: where it came from.",
            metavar="FILE|URL|-",
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="What it is called; made of its title unless said.")] = None,
    header: Headers = None,
    again_of: Annotated[
        str | None, typer.Option("--again", help="The next version of this one, with a review.", metavar="NAME")
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Import an API document: OpenAPI 3.0 or 3.1, or Swagger 2.0, as JSON or YAML."""
    if source is None and again_of is None:
        raise Refusal("What is imported? A file, a URL, or - for standard input.")
    if name is not None and again_of is not None:
        raise Refusal("With --again the document keeps its name; leave --name out.")
    body: dict[str, Any] = {"name": name} if name is not None else {}
    if source is not None and re.match(r"https?://", source, re.IGNORECASE):
        body["url"] = source
    elif source is not None:
        body["document"] = _text(source)
    if header:
        if "document" in body:
            raise Refusal("Headers are sent where a document is fetched from; a file needs none.")
        body["headers"] = [dict(zip(("name", "value"), header_of(one), strict=True)) for one in header]
    path = APIS if again_of is None else f"{APIS}/{quote(again_of, safe='')}/versions"

    async def work(client: Client) -> Answer:
        if source is None and not (await client.call("GET", path.removesuffix("/versions"))).document.get("address"):
            raise Refusal(f"{shown(again_of)} came from no address; name a file or a URL.")
        return await client.call("POST", path, body=body_of(body), dry_run=dry_run)

    answer: Answer = run(way, work)
    found = answer.document
    if as_json:
        emit({**found, "warnings": [warning(notice) for notice in answer.notices]})
        return
    if dry_run:
        found = found["result"]
    api = found["api"]
    if found.get("same"):
        done = "is as it was: nothing was kept"
    elif dry_run:
        done = "would be imported; nothing was kept" if again_of is None else "was reviewed; nothing was kept"
    else:
        done = "is imported"
    say(f"{line_of(api['title'])} {done}.", "green bold")
    facts(_api_facts(api))
    if review := found.get("review"):
        _show_review(review)
    warn(answer.notices)
    _show_problems(found.get("problems", []), api.get("problems", 0))
    if dry_run:
        following("the same without --dry-run   imports it")
    else:
        following(f"offhook api show {shlex.quote(api['name'])}{again(way)}   lists its operations")


def _text(source: str) -> str:
    try:
        return read_file(Path(source)).decode()
    except UnicodeDecodeError:
        raise Refusal(f"{shown(source)} is not text in UTF-8.") from None


def _api_facts(api: Any) -> list[tuple[str, str]]:
    rows = [
        ("name", api["name"]),
        (
            "version",
            f"{api['version']}" + (f", its own {line_of(api['api_version'])}" if api.get("api_version") else ""),
        ),
        ("kind", api["kind"]),
        ("operations", f"{api['operations']:,}"),
        ("problems", f"{api.get('problems', 0):,}"),
    ]
    if api.get("address"):
        rows.append(("came from", line_of(api["address"])))
    return rows


def _show_problems(problems: Sequence[Any], count: int) -> None:
    if not problems:
        return
    some = "problem" if count == 1 else "problems"
    say(f"{count:,} {some} in the document; what can be used is used", "yellow bold", to=err)
    for one in problems[:_FIRST_PROBLEMS]:
        place = line_of(one["pointer"]) or "(document)"
        err.print(Text("  ") + Text(place, "bold") + Text(f"  {line_of(one['text'])}"), soft_wrap=True)
    if len(problems) > _FIRST_PROBLEMS:
        say("  --json lists them all.", to=err)


def _show_review(review: Any) -> None:
    """What a version adds, removes and changes, and what of it breaks clients."""
    kinds = ("added", "removed", "changed")
    counted = ", ".join(f"{len(review[kind]):,} {kind}" for kind in kinds)
    say(f"{counted}, {review['unchanged']:,} unchanged.", "bold")
    for kind, sign, style in (("added", "+", "green"), ("removed", "-", "red")):
        for head in review[kind][:_FIRST_CHANGES]:
            breaks = "   breaks clients" if kind == "removed" else ""
            say(f"  {sign} {_head(head)}{breaks}", style)
        _more(review[kind])
    for one in review["changed"][:_FIRST_CHANGES]:
        say(f"  ~ {_head(one['after'])}" + ("   breaks clients" if one.get("breaks") else ""), "yellow")
        for change in one["changes"][:_FIRST_CHANGES]:
            breaks = "   breaks clients" if change.get("breaks") else ""
            place = " ".join(filter(None, (change["place"], change["name"])))
            say(f"      {line_of(place)}: {line_of(change['text'])}{breaks}")
        hidden = len(one["changes"]) - _FIRST_CHANGES + one.get("more", 0)
        if hidden > 0:
            say(f"      and {hidden:,} more")
    _more(review["changed"])


def _head(head: Any) -> str:
    return line_of(f"{head['method']} {head['path']}")


def _more(listed: Sequence[Any]) -> None:
    if len(listed) > _FIRST_CHANGES:
        say(f"    and {len(listed) - _FIRST_CHANGES:,} more")


# What there is


@app.command("list")
@by_api
def list_apis(way: Way, as_json: AsJson = False) -> None:
    """List the API documents: Offhook's own, then the company's."""
    items = run(way, lambda client: all_apis(client))
    if as_json:
        emit({"items": items})
        return
    table(
        ("NAME", "TITLE", "VERSION", "KIND", "OPERATIONS", "PROBLEMS"),
        [
            (
                one["name"], line_of(one["title"]), str(one["version"]), one["kind"], f"{one['operations']:,}",
                f"{one.get('problems', 0):,}",
            )
            for one in items
        ],
    )  # fmt: skip
    following(
        f"offhook api search WORDS{again(way)}   finds operations in all of them",
        f"offhook api import FILE|URL{again(way)}   adds one",
    )


async def pages(
    client: Client, path: str, given: Mapping[str, str] | None = None, *, most: int | None = None
) -> list[Any]:
    """The items of all pages, or the first `most` of them."""
    found: list[Any] = []
    query = dict(given or {})
    while True:
        page = (await client.patiently(lambda: client.call("GET", path, query=query))).document
        found += page.get("items", [])
        if "cursor" not in page or (most is not None and len(found) >= most):
            return found[:most]
        query["cursor"] = page["cursor"]


async def all_apis(client: Client) -> list[Any]:
    """Every document, Offhook's own first."""
    await client.settled()
    return await pages(client, APIS)


@app.command()
@by_api
def search(
    way: Way,
    words: Annotated[list[str], typer.Argument(help="Words of a name, path, method, field; may be mistyped.")],
    api: Annotated[str | None, typer.Option("--api", help="Only in this document.", metavar="NAME")] = None,
    method: Annotated[str | None, typer.Option(help="Only with this method.", metavar="METHOD")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Search the operations of all API documents, best first."""
    query = {"q": " ".join(words), "limit": str(limit)}
    query |= {"api": api} if api is not None else {}
    query |= {"method": method.upper()} if method is not None else {}

    async def work(client: Client) -> Any:
        await client.settled()
        return (await client.call("GET", f"{V1}/api-operations", query=query)).document

    found = run(way, work)
    items = found["items"]
    if as_json:
        emit(found)
        return
    if found.get("without"):
        named = " and ".join(f'"{line_of(word)}"' for word in found["without"])
        say(f"Nothing has {named}; these are the hits of the other words.", "yellow", to=err)
    if not items:
        say("No operation was found.", "bold", to=err)
        following(f"offhook api list{again(way)}   says which APIs there are")
        return
    fitted(
        ("METHOD", "PATH", "SUMMARY", "API", "KEY"),
        [
            (one["method"], line_of(one["path"]), line_of(one.get("summary", "")), one["api"], one["key"])
            for one in items
        ],
    )
    first = items[0]
    name = called(first["api"], first["key"], built_in=first.get("built_in", False))
    following(f"offhook api show {name}{again(way)}   says all of the first")


async def operation(client: Client, word: str, *, apis: bool = False) -> Any:
    """The reference of the operation that `KEY` or `API.KEY` means, or with `apis` the document that `API` does.

    A key is looked for in Offhook's own document first, and must be of one document else.
    """
    await client.settled()
    if own := await _at(client, OWN, word):
        return own
    listed = await pages(client, APIS)
    names = sorted({one["name"] for one in listed}, key=len, reverse=True)
    for name in names:
        if word.startswith(f"{name}.") and (found := await _at(client, name, word[len(name) + 1 :])):
            return found
    if apis and word in names:
        return next(one for one in listed if one["name"] == word)
    query = {"q": word[:256], "limit": "100"}
    hits = (await client.call("GET", f"{V1}/api-operations", query=query)).document["items"] if word.strip() else []
    same = [one for one in hits if one["key"] == word]
    if len(same) == 1 and (found := await _at(client, same[0]["api"], word)):
        return found
    near = [called(one["api"], one["key"], built_in=one.get("built_in", False)) for one in same or hits[:3]]
    if same:
        raise Refusal(f"{shown(word)} is a key of several APIs; say which: {', '.join(near[:10])}.")
    meant = f" Did you mean {' or '.join(near)}?" if near else " offhook api search WORDS finds keys."
    raise NotThere(f"There is no operation {shown(word)}.{meant}")


async def _at(client: Client, api: str, key: str) -> Any:
    """The reference of an operation; None if it is not there."""
    if not key or "/" in key:
        return None
    try:
        path = f"{APIS}/{quote(api, safe='')}/operations/{quote(key, safe='')}"
        return (await client.call("GET", path)).document
    except Refused as refusal:
        if refusal.code in (400, 404):
            return None
        raise


# Reference


@app.command()
@by_api
def show(
    way: Way,
    word: Annotated[
        str, typer.Argument(help="An operation's key, API.KEY, or an API's name.", metavar="KEY|API.KEY|API")
    ],
    as_json: AsJson = False,
) -> None:
    """Show the reference of an operation, or the operations of an API."""

    async def work(client: Client) -> tuple[Any, list[Any]]:
        found = await operation(client, word, apis=True)
        if "reference" in found:
            return found, []
        return found, await pages(client, f"{APIS}/{quote(found['name'], safe='')}/operations")

    found, heads = run(way, work)
    if as_json:
        emit(found if "reference" in found else {**found, "items": heads})
        return
    if "reference" not in found:
        say(line_of(found["title"]), "bold")
        facts(_api_facts(found))
        say()
        fitted(
            ("METHOD", "PATH", "SUMMARY", "KEY"),
            [(one["method"], line_of(one["path"]), line_of(one.get("summary", "")), one["key"]) for one in heads],
        )
        if heads:
            name = called(found["name"], heads[0]["key"])
            following(f"offhook api show {name}{again(way)}   says all of the first")
        return
    _show_reference(found)
    name = called(found["api"], found["reference"]["head"]["key"])
    following(f"offhook api request {name}{again(way)}   prepares a request")


def _show_reference(found: Any) -> None:
    reference = found["reference"]
    head = reference["head"]
    say(_head(head) + ("   deprecated" if head.get("deprecated") else ""), "bold")
    facts([("API", f"{line_of(found['title'])}, version {found['version']}"), ("key", head["key"])])
    for text in (head.get("summary", ""), head.get("description", "")):
        if text.strip():
            say()
            say(clean(text.strip()))
    if servers := reference.get("servers"):
        _heading("Servers")
        for one in servers:
            say(f"  {line_of(one['url'])}  {line_of(one.get('description', ''))}".rstrip())
    if security := reference.get("security"):
        _heading("Credentials")
        for schemes in security:
            say("  " + (" and ".join(_scheme(one) for one in schemes) or "none is needed"))
    groups = ("Path parameters", "Query parameters", "Headers", "Cookies")
    for title, name in zip(groups, ("path_parameters", "query_parameters", "headers", "cookies"), strict=True):
        if fields := reference.get(name):
            _heading(title)
            _show_fields(fields)
    for body in reference.get("bodies", ()):
        _heading(f"Body, {line_of(body['media'])}{', required' if reference.get('body_required') else ''}")
        _show_body(body)
    _show_answers(reference.get("responses", ()))
    if cut := reference.get("cut"):
        say()
        say(f"The document has more of these than are shown: {', '.join(cut)}.", "yellow")


def _show_answers(responses: Iterable[Any]) -> None:
    """The answers; fields that another one has had are not repeated."""
    shown_at: dict[str, str] = {}
    for one in responses:
        _heading(f"Answer {one['status']}")
        if one.get("description"):
            say("  " + line_of(one["description"]))
        if one.get("headers"):
            _show_fields(one["headers"])
        for body in one.get("bodies", ()):
            known = shown_at.setdefault(repr((body["media"], body.get("fields"))), one["status"])
            if known == one["status"]:
                say(f"  {line_of(body['media'])}", "dim")
                _show_body(body)
            else:
                say(f"  {line_of(body['media'])}, with the fields of {known}", "dim")


def _show_body(body: Any) -> None:
    _show_fields(body.get("fields", ()))
    if body.get("more_fields"):
        say(f"  and {body['more_fields']:,} more fields", "dim")
    if body.get("more_choices"):
        say(f"  and {body['more_choices']:,} more alternatives", "dim")


def _heading(text: str) -> None:
    say()
    say(text, "bold")


def _scheme(one: Any) -> str:
    place = f" in the {one['place']} {line_of(one.get('parameter', ''))}" if one.get("place") else ""
    return f"{one['kind'].replace('_', ' ')}{place} ({line_of(one['name'])})"


_COLUMNS = ("NAME", "TYPE", "REQUIRED", "DEFAULT", "DESCRIPTION")
_WIDE = 120
"""Columns of a terminal on which a default has a column of its own."""


def _show_fields(fields: Sequence[Any]) -> None:
    """Fields in columns: within the terminal's width, elsewhere a line each."""
    if out.is_terminal and out.width < _WIDE:
        rows = []
        for field in fields:
            name, kind, required, default, text = _row(field)
            rows.append((name, kind, required, f"{text} Default: {default}.".strip() if default else text))
        fitted(tuple(one for one in _COLUMNS if one != "DEFAULT"), rows)
    elif fields:
        fitted(_COLUMNS, [_row(field) for field in fields])


def fitted(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table that is as wide as the terminal at most: its cells go on below, but a key is never broken."""
    longest = max(
        (len(cell) for row in rows for name, cell in zip(columns, row, strict=True) if name == "KEY"), default=0
    )
    if not out.is_terminal or longest > out.width // 2:
        table(columns, rows)
        return
    shape = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in columns:
        most = None if name in ("DESCRIPTION", "KEY") else max(out.width // 3, 12)
        shape.add_column(name, overflow="fold", no_wrap=name in ("KEY", "METHOD"), max_width=most)
    for row in rows:
        shape.add_row(*(Text(cell) for cell in row))
    out.print(shape)


def _plain(value: str) -> str:
    """A JSON text as a person writes it: words without quotes."""
    return value[1:-1] if re.fullmatch(r'"[\w./:+-]+"', value) else value


def _row(field: Any) -> tuple[str, ...]:
    said = []
    if field.get("deprecated"):
        said.append("Deprecated.")
    if field.get("read_only"):
        said.append("Read-only: not to be sent.")
    if field.get("write_only"):
        said.append("Write-only: never answered.")
    if field.get("recursive"):
        said.append("Has the fields of what it stands in.")
    if field.get("choice"):
        said.append(f"[{line_of(field['choice'])}]")
    if field.get("description"):
        said.append(line_of(field["description"]))
    if values := field.get("values"):
        more = f" and {len(values) - _MOST_VALUES:,} more" if len(values) > _MOST_VALUES else ""
        said.append(f"One of: {line_of(', '.join(_plain(one) for one in values[:_MOST_VALUES]))}{more}.")
    if limits := field.get("limits"):
        text = line_of("; ".join(limits))
        said.append(f"{text[:1].upper()}{text[1:]}.")
    if field.get("format"):
        said.append(f"Format: {line_of(field['format'])}.")
    kind = line_of(field["type"]) + (" or Null" if field.get("nullable") else "")
    required = "yes" if field["required"] else "no"
    return line_of(field["name"]), kind, required, line_of(field.get("default", "")), " ".join(said)


# Delete


@app.command()
@by_api
def delete(
    way: Way,
    name: Annotated[str, typer.Argument(help="Its name, as the list shows it.")],
    as_json: AsJson = False,
) -> None:
    """Delete an API document with all its versions. Saved requests that were made for it stay."""

    async def work(client: Client) -> Answer:
        return await client.call("DELETE", f"{APIS}/{quote(name, safe='')}")

    answer: Answer = run(way, work)
    if as_json:
        emit({"deleted": name, "warnings": [warning(notice) for notice in answer.notices]})
        return
    say(f"{shown(name)} is deleted, with all its versions.", "green bold")
    warn(answer.notices)
    following(f"offhook api list{again(way)}   shows what is left")
