"""The company as a file: written, compared with what there is, made so. By the API, as all commands.

The file is read here, so that every fault has its line and column; what it means is the server's to judge.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.text import Text as Line

from offhook.cli.common import (
    AsJson,
    emit,
    err,
    following,
    out,
    read_file,
    say,
    warn,
    write_private,
)
from offhook.cli.way import Way, again, by_api, run
from offhook.client import Answer, Client, Refused, body_of
from offhook.configuration.wire import NOUNS, PATH
from offhook.kit.errors import Notice, Refusal

DIFFERS = 2
_ASKED = ("y", "yes")
_SIGNS = {"create": ("+", "green"), "change": ("~", "yellow"), "delete": ("-", "red")}

File = Annotated[Path, typer.Argument(help="The company as YAML or JSON; - reads standard input.")]
Prune = Annotated[
    bool,
    typer.Option(
        "--prune",
        help="Delete what the file's sections do not mention, and put fields that are left out back to their defaults.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("export")(export)
    app.command("plan")(plan)
    app.command("apply")(apply)


@by_api
def export(
    way: Way,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write to this file, for its owner alone, not to standard output.", metavar="FILE"
        ),
    ] = None,
    ids: Annotated[
        bool, typer.Option("--ids", help="Write the id of each record, so that it can be renamed in the file.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the whole company as YAML: a file to read, to keep, and to apply again."""
    from offhook.configuration import text

    async def work(client: Client) -> Answer:
        return await client.call("GET", PATH, query={"ids": "true"} if ids else None)

    document = _waiting("Reading the company", lambda: run(way, work, of_key=True)).document
    written = body_of(document) + b"\n" if as_json else text.write(document).encode()
    if output is None:
        sys.stdout.write(written.decode())
        return
    write_private(output, written)
    records = sum(len(section) for name, section in document.items() if isinstance(section, dict) and name != "company")
    say(f"{records:,} records are in {output}.", "green", to=err)
    following(f"change what shall be otherwise, then offhook plan {output}{again(way)}")


@by_api
def plan(
    way: Way,
    file: File,
    prune: Prune = False,
    as_json: AsJson = False,
) -> None:
    """Say what applying a file would change. Ends with 0 if nothing, with 2 if something, with 1 if it is refused."""
    source = _Source(file)
    found = source.ask(way, "/plan", {"prune": prune}, f"Comparing {file} with the company")
    if as_json:
        emit(found)
    else:
        _show(found)
        if found["differs"]:
            options = f"{' --prune' if prune else ''}{again(way)}"
            # What came on standard input is used up.
            from_input = str(file) == "-"
            following(
                f"save it to a file, then offhook apply FILE{options}"
                if from_input
                else f"offhook apply {file}{options}"
            )
    if found["differs"]:
        raise typer.Exit(DIFFERS)


@by_api
def apply(
    way: Way,
    file: File,
    prune: Prune = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change; store nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make the company what a file says: all of it or nothing. What is so already stays untouched."""
    source = _Source(file)
    planned = source.ask(way, "/plan", {"prune": prune}, f"Comparing {file} with the company")
    if dry_run or not planned["differs"]:
        emit(planned) if as_json else _show(planned)
        return
    if not as_json and yes:
        # Whoever does not want to be asked has seen the plan.
        _warn(planned)
    elif not as_json:
        _show(planned)
    if not yes:
        _confirm(planned, asks=str(file) != "-" and not as_json)
    many = len(planned["changes"])
    told = f"Applying {many:,} change{'' if many == 1 else 's'}"
    done = source.ask(way, "/apply", {"prune": prune, "fingerprint": planned["fingerprint"]}, told)
    if as_json:
        emit(done)
        return
    say(f"Applied: {_counted(done, ('created', 'changed', 'deleted'))}.", "green bold")


def _confirm(planned: Any, *, asks: bool) -> None:
    if not (asks and _at_a_terminal()):
        raise Refusal("Nothing was changed: without a terminal to ask on, say --yes.")
    style = "red bold" if planned["deleted"] else "bold"
    err.print(Line("Apply this? [y/N] ", style), end="")
    if sys.stdin.readline().strip().lower() not in _ASKED:
        raise Refusal("Nothing was changed.")


def _at_a_terminal() -> bool:
    return sys.stdin.isatty()


class _Source:
    """A file and what is asked of the server about it."""

    def __init__(self, file: Path) -> None:
        from offhook.configuration import text

        self._file = file
        self._text = _waiting(f"Reading {file}", lambda: text.read(read_file(file)))

    def ask(self, way: Way, path: str, options: dict[str, Any], told: str) -> Any:
        """The answer, or a refusal whose places are lines and columns of the file."""
        body = body_of({"document": self._text.value, **options})

        async def work(client: Client) -> Answer:
            return await client.patiently(
                lambda: client.call("POST", PATH + path, body=body),
                lambda seconds: say(f"The server asks to wait {seconds:.0f} s.", "yellow", to=err),
            )

        try:
            answer = _waiting(told, lambda: run(way, work, of_key=True)).document
        except Refused as refused:
            raise self._placed(refused) from None
        for warning in answer["warnings"]:
            warning |= self._at(warning["field"])
        return answer

    def _at(self, path: str) -> dict[str, int]:
        at = self._text.where(path)
        return {"line": at[0], "column": at[1]} if at else {}

    def _placed(self, refused: Refused) -> Refused:
        if not refused.violations:
            return refused
        for entry in refused.document["error"]["errors"]:
            entry |= self._at(entry.get("location", ""))
        violations = []
        for one in refused.violations:
            at = self._text.where(one.location)
            place = f"line {at[0]}, column {at[1]}: {one.location}" if at else one.location
            violations.append(msgspec.structs.replace(one, location=place))
        many = len(violations)
        message = (
            f"{'One place' if many == 1 else f'{many} places'} of {self._file} must be mended; nothing was changed."
        )
        return Refused(refused.code, message, violations, refused.document, refused.retry_after)


def _waiting(told: str, do: Callable[[], Any]) -> Any:
    """`do`, with a sign of life on a terminal."""
    with err.status(f"{told}…") if err.is_terminal else nullcontext():
        return do()


# A plan for people


def _show(planned: Any) -> None:
    for change in planned["changes"]:
        for line in _lines(change):
            out.print(line, soft_wrap=True)
    if planned["differs"]:
        if planned["changes"]:
            say()
        say(f"{_counted(planned, ('to create', 'to change', 'to delete'))}.", "bold")
    else:
        say("The company is as the file says: nothing to do.", "green")
    _warn(planned)


def _warn(planned: Any) -> None:
    warn(Notice(one["code"], _with_line(one), one["text"]) for one in planned["warnings"])


def _with_line(warning: Any) -> str:
    return f"line {warning['line']}: {warning['field']}" if "line" in warning else str(warning["field"])


def _counted(planned: Any, words: tuple[str, str, str]) -> str:
    counts = zip(("created", "changed", "deleted"), words, strict=True)
    return ", ".join(f"{planned[name]:,} {word}" for name, word in counts if planned[name]) or "nothing"


def _lines(change: Any) -> Iterator[Line]:
    sign, colour = _SIGNS[change["verb"]]
    noun = NOUNS.get(change["section"], change["section"])
    yield Line(f"{sign} {noun} ", colour) + Line(change["key"], f"bold {colour}")
    rows = [row for one in change.get("fields", []) for row in _rows(one, change["verb"])]
    width = max((len(name) for name, _, _ in rows), default=0)
    for name, before, after in rows:
        line = Line(f"    {name:<{width}}  ", "dim")
        if change["verb"] == "create":
            yield line + Line(after or "")
        else:
            yield line + Line(before or "(none)", "red") + Line(" → ", "dim") + Line(after or "(none)", "green")


def _rows(one: Any, verb: str) -> Iterator[tuple[str, str | None, str | None]]:
    """A field as (name, before, after); of a mapping only what differs in it, of a list its entries."""
    before, after = one.get("before"), one.get("after")
    old, new = dict(_leaves(one["field"], before)), dict(_leaves(one["field"], after))
    for name in dict.fromkeys([*old, *new]):
        if verb == "create" or old.get(name) != new.get(name):
            yield name, old.get(name), new.get(name)


def _leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for inner, one in value.items():
            yield from _leaves(f"{name}.{inner}", one)
    elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
        for index, one in enumerate(value, 1):
            yield f"{name} {index}", _entry(one)
    elif value is not None:
        yield name, _entry(value)


def _entry(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_entry(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(_entry(one) for one in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
