"""Importing a file through the API: cut into requests, sent one after the other, reported record by record."""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from offhook.cli.common import emit, err, following, out, say
from offhook.cli.records import Chunk, chunks
from offhook.cli.way import Way, again
from offhook.cli.way import run as run_on
from offhook.client import Client, body_of
from offhook.kit.errors import Notice, Refusal, shown
from offhook.kit.records import CSV, NDJSON

Report = Annotated[
    Path | None, typer.Option(help="Also write a JSON line for each record to this file.", metavar="FILE")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Name only records that were refused.")]


@dataclass(frozen=True, slots=True)
class Kind:
    """What is imported: its command, where it goes, how a record is named in the report, how many go in a request.

    `listing` shows afterwards what there is; `change` is how those are changed that were there, and stay as they are.
    """

    command: str
    path: str
    name: Callable[[Any], str]
    records: int
    listing: Callable[[Way], str] | None = None
    change: str = ""


def run(file: Path, way: Way, kind: Kind, *, report: Path | None, quiet: bool, dry_run: bool, as_json: bool) -> None:
    """Import a file, and say what became of each record; status 1 if any was refused."""
    media = {".csv": CSV, ".jsonl": NDJSON, ".ndjson": NDJSON}.get(file.suffix.lower())
    if media is None:
        raise Refusal(f"{file} is neither .jsonl (or .ndjson) nor .csv: its name's end says how to read it.")
    with _readable(file) as source, _writable(report) as kept:
        size = file.stat().st_size
        with _bar() as bar:
            task = bar.add_task(f"Importing {file.name}", total=size)
            # On one terminal the bar must know of the lines, or they would run into it.
            console = bar.console if out.is_terminal else out
            done = _Import(kind, console, quiet=quiet or as_json, kept=kept, keep=as_json)

            async def work(client: Client) -> None:
                for chunk in chunks(source, table=media == CSV, records=kind.records):
                    await done.send(client, chunk, media, dry_run, bar.console.print)
                    bar.update(task, completed=chunk.end)

            stopped: Refusal | None = None
            try:
                run_on(way, work)
            except Refusal as refusal:
                if not done.counts:
                    raise
                stopped = refusal
    if as_json:
        emit(
            {
                **{status: done.counts.get(status, 0) for status in _COLOURS},
                "complete": stopped is None,
                "records": done.records,
            }
        )
    else:
        done.summary()
    if stopped is not None:
        text = f"Stopped behind line {done.line}: {stopped.message} What is listed as created is stored; import again."
        raise Refusal(text, stopped.violations)
    refused = done.counts.get("refused", 0)
    if done.kept and kind.change and not as_json:
        say(f"{done.kept:,} that exist stay as they are. {kind.change}", "yellow", to=err)
    if refused and dry_run and not as_json:
        following(f"mend what would be refused, then offhook {kind.command} import {file}{again(way)}")
    elif refused and not as_json:
        following(f"mend what was refused and import {file} again{again(way)}: the others are found, not made twice")
    elif not as_json and dry_run:
        following(f"offhook {kind.command} import {file}{again(way)}")
    elif not as_json:
        following(f"offhook {kind.command} list{again(way)}" if kind.listing is None else kind.listing(way))
    if refused:
        raise typer.Exit(1)


KEPT = "kept_as_it_was"
"""Warned of at each field in which a record differs from what is there, which is not changed."""

_COLOURS = {"created": "green", "existing": "cyan", "would_create": "green", "refused": "red"}
_WORDS = {"would_create": "would be created"}


class _Import:
    """An import under way: what became of the records so far."""

    def __init__(self, kind: Kind, console: Console, *, quiet: bool, kept: IO[bytes] | None, keep: bool) -> None:
        self._kind = kind
        self._console = console
        self.counts: dict[str, int] = {}
        self.kept = 0
        self.line = 0
        self.records: list[Any] = []
        self._quiet = quiet
        self._report = kept
        self._keep = keep
        self._said: set[tuple[str, str]] = set()

    async def send(self, client: Client, chunk: Chunk, media: str, dry_run: bool, show: Callable[..., None]) -> None:
        """Import a chunk and report on each of its records."""
        records: list[Any] = []
        if chunk.body:

            def waiting(seconds: float) -> None:
                show(Text(f"The server asks to wait {seconds:.0f} s.", "yellow"))

            answer = await client.patiently(
                lambda: client.call("POST", self._kind.path, body=chunk.body, media=media, dry_run=dry_run), waiting
            )
            records = answer.document["records"]
            for record in records:
                record["line"] += chunk.offset
            self._warn_once(answer.notices, show)
        records += [
            {"line": line, "status": "refused", "errors": [{"location": "", "message": text, "reason": "badRequest"}]}
            for line, text in chunk.unsendable
        ]
        for record in sorted(records, key=lambda one: one["line"]):
            self.counts[record["status"]] = self.counts.get(record["status"], 0) + 1
            self.line = record["line"]
            self.kept += any(one["code"] == KEPT for one in record.get("warnings", []))
            if self._keep:
                self.records.append(record)
            if self._report is not None:
                self._report.write(body_of(record) + b"\n")
            if not self._quiet or (record["status"] == "refused" and not self._keep):
                for line in _lines(record, self._kind.name(record)):
                    self._console.print(line, soft_wrap=True)

    def _warn_once(self, notices: Iterable[Notice], show: Callable[..., None]) -> None:
        for notice in notices:
            if (notice.code, notice.field) not in self._said:
                self._said.add((notice.code, notice.field))
                show(Text(f"{notice.field or notice.code}  {notice.text}", "yellow"))

    def summary(self) -> None:
        """How many records became what."""
        total = sum(self.counts.values())
        parts = [f"{count:,} {_WORDS.get(word, word)}" for word in _COLOURS if (count := self.counts.get(word))]
        say(f"{total:,} record{'' if total == 1 else 's'}: {', '.join(parts) or 'nothing to import'}.", "bold", to=err)


def _lines(record: Any, name: str) -> list[Text]:
    """A record's line, and one for each thing wrong with it or guessed."""
    status = record["status"]
    head = Text(f"line {record['line']:<6} ", "dim") + Text(
        f"{_WORDS.get(status, status):<9}", _COLOURS.get(status, "")
    )
    kept = [one["field"] for one in record.get("warnings", []) if one["code"] == KEPT]
    differs = Text(f"  exists, differs in: {', '.join(kept)}", "yellow") if kept else Text()
    lines = [head + Text(f" {name}".rstrip()) + differs]
    for error in record.get("errors", []):
        sent = f" Sent: {shown(error['sent'])}" if error.get("sent") is not None else ""
        lines.append(
            Text(f"  {error['location'] or '(record)'}: ", "bold") + Text(error["message"]) + Text(sent, "dim")
        )
    for warning in record.get("warnings", []):
        if warning["code"] == KEPT:
            continue
        place = warning["field"] or warning["code"]
        lines.append(Text(f"  {place}: ", "yellow") + Text(warning["text"], "dim"))
    return lines


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )


def _readable(file: Path) -> IO[bytes]:
    try:
        return file.open("rb")
    except OSError as error:
        raise Refusal(f"{file} cannot be read: {error.strerror}.") from None


def _writable(report: Path | None) -> Any:
    if report is None:
        return nullcontext()
    try:
        return report.open("wb")
    except OSError as error:
        raise Refusal(f"{report} cannot be written: {error.strerror}.") from None
