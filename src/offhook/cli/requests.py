"""Requests of API documents, by the API: prepared for an operation, filled in, checked, printed as code, tried."""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit

import msgspec
import typer

from offhook.cli.apis import APIS, Headers, called, clean, header_of, line_of, operation, pages
from offhook.cli.common import AsJson, NotThere, emit, err, facts, following, read_file, refuse, say
from offhook.cli.lines import V1
from offhook.cli.way import Way, again, by_api, run
from offhook.client import JSON, Client, body_of
from offhook.kit.errors import Refusal, Violation, shown

_STEP = re.compile(r'(?:^|\.)([^.\[\]"]+)|\[(\d{1,6})\]|(?:^|\.)?\["([^"]+)"\]')
_MISSING = object()
_FAULTS_SHOWN = 50
SAVED = f"{V1}/requests"
GOOD = 400

Pairs = list[tuple[str, str]]
Values = Annotated[
    list[str] | None,
    typer.Option("--value", help="Trial value of an expression: workflow.input.x=5.", metavar="NAME=VALUE"),
]
Form = Annotated[
    Literal["curl", "python", "task"], typer.Option("--as", help="Which code is printed, where nothing is sent.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(request)


@by_api
def request(
    way: Way,
    word: Annotated[str, typer.Argument(help="The operation: its key, or API.KEY.", metavar="KEY|API.KEY")],
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="A field of the body, as routing_options.open.action=voicemail or operators[0].role=admin. JSON where "
            "the value is JSON and the document does not say String; else text.",
            metavar="NAME=VALUE",
        ),
    ] = None,
    unset: Annotated[
        list[str] | None,
        typer.Option("--unset", help="A field of the body that is left out; before those of --set.", metavar="NAME"),
    ] = None,
    path: Annotated[
        list[str] | None, typer.Option("--path", help="A parameter of the path.", metavar="NAME=VALUE")
    ] = None,
    query: Annotated[
        list[str] | None, typer.Option("--query", help="A parameter of the query; repeat it.", metavar="NAME=VALUE")
    ] = None,
    header: Headers = None,
    body: Annotated[
        Path | None, typer.Option("--body", help="The whole body from a file; - is standard input.", metavar="FILE")
    ] = None,
    server: Annotated[
        str | None, typer.Option("--server", help="Another server than the document's first.", metavar="URL")
    ] = None,
    credential: Annotated[
        str | None, typer.Option("--credential", help="What it is sent with: a name or an id.", metavar="NAME")
    ] = None,
    value: Values = None,
    form: Form = "curl",
    send: Annotated[bool, typer.Option("--send", help="Send it from the server, and show what came back.")] = False,
    save: Annotated[
        str | None,
        typer.Option("--save", help="Keep it by this name; if there is one, as its next version.", metavar="NAME"),
    ] = None,
    collection: Annotated[
        str, typer.Option("--collection", help="With --save: the collection that it is in.", metavar="NAME")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Prepare a request for an operation, check it, and print it as code, or send it.

    Ends with 0 if nothing is wrong with it, and with --send for an answer below 400; with 1 otherwise.
    """
    fields = [named(one, "--set") for one in settings or ()]
    given = {
        "path_parameters": [named(one, "--path") for one in path or ()],
        "query": [named(one, "--query") for one in query or ()],
        "headers": [header_of(one) for one in header or ()],
    }
    values = trial_values(value)
    text = _body_text(body) if body is not None else None

    if collection and save is None:
        raise Refusal("--collection says where --save keeps it; say --save NAME too.")

    async def work(client: Client) -> tuple[Any, Any, Any, Any, Any]:
        found = await operation(client, word)
        api, key = found["api"], found["reference"]["head"]["key"]
        place = f"{APIS}/{quote(api, safe='')}/operations/{quote(key, safe='')}/prepared"
        query = {"version": str(found["version"])}
        prepared = (await client.call("GET", place, query=query)).document["request"]
        for group, pairs in given.items():
            prepared[group] = merged(prepared.get(group, []), pairs, folded=group == "headers")
        if server is not None:
            prepared["server"] = server
        if text is not None:
            prepared["body"] = text
        if unset:
            prepared["body"] = without(prepared.get("body", ""), unset)
        if fields:
            known = kinds(found["reference"], prepared.get("media", ""))
            prepared["body"] = filled(prepared.get("body", ""), fields, known)
        if prepared.get("body") and not prepared.get("media"):
            # The document knows of no body.
            prepared["media"] = JSON
        if credential is not None:
            prepared["credential_id"] = await _credential_id(client, credential)
        asked = {"request": prepared, "values": values}
        checked = (await client.call("POST", f"{V1}/requests/check", body=body_of(asked))).document
        kept = await _kept(client, save, collection, prepared) if save is not None else None
        ran = None
        if send and "code" in checked:
            of = {"saved_id": kept["id"]} if kept else {}
            ran = (await client.call("POST", f"{V1}/runs", body=body_of({**asked, **of}))).document
        return found, prepared, checked, kept, ran

    found, prepared, checked, kept, ran = run(way, work)
    faults = checked.get("faults", [])
    name = called(found["api"], found["reference"]["head"]["key"])
    if kept and not as_json:
        say(f"{line_of(kept['name'])} is kept, version {kept['version']}.", "green bold", to=err)
    if ran is not None:
        good = is_good(ran)
        if as_json:
            emit(ran)
        else:
            warn_of(faults)
            show_run(ran)
            _after(way, ran, name, credential, good=good)
    else:
        good = not faults and not send
        if as_json:
            emit({"request": prepared, **checked, "faults": faults} | ({"saved": kept} if kept else {}))
        else:
            show_code(checked, form, credential)
            warn_of(faults, sendable="code" in checked)
            if faults:
                following(f"offhook api show {name}{again(way)}   says what each field takes")
            elif kept:
                following(f"offhook api saved run {kept['id']}{again(way)}   sends it")
            else:
                following("the same with --send   sends it")
    if not good:
        raise typer.Exit(1)


async def _kept(client: Client, name: str, collection: str, prepared: Any) -> Any:
    """The request kept by name: a new one, or the next version of the one that is there."""
    body = body_of({"name": name, "collection": collection, "request": prepared})
    query = {"collection": collection} if collection else {"in_none": "true"}
    for one in await pages(client, SAVED, query):
        if one["name"] == name:
            return (await client.call("PUT", f"{SAVED}/{one['id']}", body=body)).document
    return (await client.call("POST", SAVED, body=body)).document


def is_good(ran: Any) -> bool:
    """Whether a run got an answer below 400."""
    return bool(ran["state"] == "done" and 0 < ran.get("status", 0) < GOOD)


# What is set


def named(text: str, option: str) -> tuple[str, str]:
    """The name and the value that `NAME=VALUE` writes."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise Refusal(f"{option} is written as NAME=VALUE; {shown(text)} is not.")
    return name.strip(), value


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _MISSING


def trial_values(given: Sequence[str] | None) -> dict[str, Any]:
    """What expressions stand for, as --value says it: JSON where it is JSON, else text."""
    return {name: _json_or_text(text) for name, text in (named(one, "--value") for one in given or ())}


def _json_or_text(text: str) -> Any:
    found = _json(text)
    return text if found is _MISSING else found


def _body_text(file: Path) -> str:
    try:
        return read_file(file).decode()
    except UnicodeDecodeError:
        raise Refusal(f"{file} is not text in UTF-8.") from None


def merged(there: Sequence[Mapping[str, Any]], given: Pairs, *, folded: bool) -> list[dict[str, Any]]:
    """Parameters with those that were given in the place of what had their names; `folded` names are headers'."""

    def same(name: str) -> str:
        return name.lower() if folded else name

    pairs: dict[str, Pairs] = {}
    for name, value in given:
        pairs.setdefault(same(name), []).append((name, value))
    result: list[dict[str, Any]] = []
    for one in there:
        if same(one["name"]) in pairs:
            result += [{"name": name, "value": value} for name, value in pairs.pop(same(one["name"]))]
        elif not any(same(one["name"]) == same(name) for name, _ in given):
            result.append(dict(one))
    return result + [{"name": name, "value": value} for rest in pairs.values() for name, value in rest]


def kinds(reference: Any, media: str) -> dict[str, str]:
    """The types of a body's fields, by names as "operators[].role"; of an array's members too, where they are said."""
    bodies = reference.get("bodies", [])
    body = next((one for one in bodies if one["media"] == media), bodies[0] if bodies else {})
    found: dict[str, str] = {}
    for field in body.get("fields", []):
        name = field["name"]
        kind = field["type"] + (" or Null" if field.get("nullable") else "")
        if field["type"] == "Array" and name.endswith("[]"):
            found[name.removesuffix("[]")] = kind
            members = [one.removeprefix("items: ") for one in field.get("limits", ()) if one.startswith("items: ")]
            kind = members[0] if members else ""
        found.setdefault(name, kind)
    return found


def filled(body: str, fields: Pairs, known: Mapping[str, str]) -> str:
    """A JSON body with fields set, by dotted names and [0]."""
    root = _root(body)
    for name, text in fields:
        steps = steps_of(name)
        if isinstance(steps[0], int) != isinstance(root, list):
            if root:
                raise Refusal(f"--set {shown(name)}: the body is {_what(root)}.")
            root = [] if isinstance(steps[0], int) else {}
        _put(root, steps, _valued(text, known.get(_general(steps), "")), name)
    return _written(root)


def without(body: str, names: Sequence[str]) -> str:
    """A JSON body without some fields; what is not there anyway is no fault."""
    root = _root(body)
    for name in names:
        *to, last = steps_of(name)
        at = root
        for step in to:
            at = _at(at, step)
        if _at(at, last) is not None or (isinstance(at, dict) and last in at):
            del at[last]
    return _written(root)


def _root(body: str) -> Any:
    root = _json(body) if body.strip() else {}
    if not isinstance(root, dict | list):
        raise Refusal("The body is no JSON object, so no field of it can be set; --body FILE gives the whole of it.")
    return root


def _written(root: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(root), indent=2).decode()


def _at(value: Any, step: str | int) -> Any:
    if isinstance(step, int):
        return value[step] if isinstance(value, list) and step < len(value) else None
    return value.get(step) if isinstance(value, dict) else None


def steps_of(name: str) -> list[str | int]:
    """The names and numbers that `routing_options.open.dtmf[0].input` goes through; ["a.b"] is a name with a dot."""
    steps: list[str | int] = []
    end = 0
    for match in _STEP.finditer(name):
        if match.start() != end:
            break
        end = match.end()
        steps.append(int(match[2]) if match[2] is not None else match[1] or match[3])
    if not steps or end != len(name):
        raise Refusal(f"--set {shown(name)}: a field is written as a.b[0].c.")
    return steps


def _general(steps: Sequence[str | int]) -> str:
    return "".join("[]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


def _valued(text: str, kind: str) -> Any:
    """A value as it was typed: what the document says is text is not read as a number, a word or an object."""
    found = _json(text)
    if found is _MISSING:
        return text
    alternatives = kind.split(" or ") if kind else []
    if "String" not in alternatives or set(alternatives) - {"String", "Null"}:
        return found
    return found if isinstance(found, str) or (found is None and "Null" in alternatives) else text


def _put(root: Any, steps: Sequence[str | int], value: Any, name: str) -> None:
    at = root
    for step, after in zip(steps, [*steps[1:], None], strict=True):
        if isinstance(step, int):
            if not isinstance(at, list):
                raise Refusal(f"--set {shown(name)}: what stands before [{step}] is {_what(at)}.")
            if step > len(at):
                raise Refusal(f"--set {shown(name)}: there are {len(at)} before it; the next one is [{len(at)}].")
            if step == len(at):
                at.append(None)
        elif not isinstance(at, dict):
            raise Refusal(f"--set {shown(name)}: what stands before {shown(step)} is {_what(at)}.")
        if after is None:
            at[step] = value
            return
        there = at[step] if isinstance(step, int) else at.get(step)
        if not isinstance(there, dict | list):
            there = [] if isinstance(after, int) else {}
            at[step] = there
        at = there


def _what(value: Any) -> str:
    return "a list: write [0] for its first" if isinstance(value, list) else "an object with names"


async def _credential_id(client: Client, word: str) -> str:
    listed = await pages(client, f"{V1}/credentials")
    for one in listed:
        if word in (one["name"], one["id"]):
            found: str = one["id"]
            return found
    names = ", ".join(shown(one["name"]) for one in listed[:10])
    known = f"there are {names}" if names else "there is none; offhook api credential add keeps one"
    raise NotThere(f"There is no credential {shown(word)}: {known}.")


# What is shown


def show_code(checked: Any, form: str, credential: str | None) -> None:
    """A request as code, on standard output; nothing if it cannot be sent."""
    if "code" not in checked:
        return
    code = checked["code"][{"curl": "curl", "python": "python", "task": "http_task"}[form]]
    sys.stdout.write(clean(code.rstrip("\n")) + "\n")
    if credential is not None:
        say(f"The credential {shown(credential)} is not in it; --send sends it along.", "dim", to=err)


def warn_of(faults: Sequence[Any], *, sendable: bool = True) -> None:
    """What a request breaks of its document, on standard error."""
    if not faults:
        return
    count = "One fault" if len(faults) == 1 else f"{len(faults):,} faults"
    refuse(
        f"{count} by its document." if sendable else "As it is, it cannot be sent.",
        [
            Violation(location=line_of(one["location"]), message=line_of(one["message"]), sent=one.get("sent") or None)
            for one in faults[:_FAULTS_SHOWN]
        ],
    )


def show_run(ran: Any) -> None:
    """What came back, on standard output; what is said about it, on standard error."""
    asked = ran["request"]
    say(f"{asked['method']} {line_of(asked['url'])}", "dim", to=err)
    for one in ran.get("redirects", ()):
        say(f"{one['status']} sent it on from {line_of(one['url'])}", "dim", to=err)
    if ran.get("status"):
        say(str(ran["status"]), "green bold" if ran["status"] < GOOD else "red bold")
        for one in ran.get("headers", ()):
            say(f"{line_of(one['name'])}: {line_of(one['value'])}")
        say()
        if "body_base64" in ran:
            say(f"{ran['kept']:,} bytes that are no text; --json has them.", "dim", to=err)
        elif ran.get("body"):
            sys.stdout.write(clean(ran["body"].rstrip("\n")) + "\n")
            sys.stdout.flush()
    if ran.get("error"):
        say(line_of(ran["error"]), "red bold", to=err)
    if ran.get("cut"):
        say(f"The body is cut: {ran['kept']:,} bytes of it are kept.", "yellow", to=err)
    rows = [("size", f"{ran.get('size', 0):,} bytes")] if ran.get("status") else []
    if times := ran.get("times"):
        names = (
            ("dns", "DNS"),
            ("connect", "connect"),
            ("tls", "TLS"),
            ("first_byte", "first byte"),
            ("whole", "whole"),
        )
        rows.append(("time", ", ".join(f"{shown_as} {times[name]:,.1f} ms" for name, shown_as in names)))
    rows.append(("run", ran["id"]))
    if ran.get("faults") == []:
        rows.append(("document", "the answer is as its document says"))
    facts(rows, to=err)
    if faults := ran.get("faults"):
        refuse(
            f"The answer breaks its document in {len(faults):,} place{'' if len(faults) == 1 else 's'}.",
            [
                Violation(
                    location=line_of(one["location"]), message=line_of(one["message"]), sent=one.get("sent") or None
                )
                for one in faults[:_FAULTS_SHOWN]
            ],
        )


def _after(way: Way, ran: Any, name: str, credential: str | None, *, good: bool) -> None:
    if ran.get("status") in (401, 403) and credential is None:
        host = urlsplit(ran["request"]["url"]).netloc.rpartition("@")[2]
        following(
            f"offhook api credential add NAME --kind bearer --host {host}{again(way)}   keeps what it asks for",
            "the same with --credential NAME   sends it along",
        )
    elif not ran.get("status"):
        following("the same with --server URL   asks another server")
    elif good:
        following(f"offhook api show {name}{again(way)}   says what the answer's fields mean")
    else:
        following(f"offhook api show {name}{again(way)}   says what it takes, and which answers there are")
