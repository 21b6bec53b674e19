"""What all commands share: options, the two consoles, how a refusal is said.

Standard output carries the answer, standard error all that is said about it. With --json standard output is one JSON
object, whether the command succeeded or was refused.
"""

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from offhook.kit.errors import NotFound, Notice, Refusal, Violation, shown
from offhook.kit.settings import Settings
from offhook.kit.wire import encode

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


_WHOLE = ("ID", "KEY", "NUMBER", "SETTING")
"""Columns to copy from, whose cells are never broken."""

_CROWDED = 1.5


class State:
    """What holds for this run: whether it answers in JSON, set by the option, and what is told of where it asked."""

    json = False
    afterwards: Callable[[], None] | None = None
    """What a refusal is to be followed by."""
    completed: Callable[[str], str] = str
    """What is said, with the options in the commands it names that lead to where this one asked."""


class NotThere(NotFound):
    """What a word of a command should mean is not where the command looked.

    `step` is the command to go on with, and `does` what it does, as "shows the users"; "" where none is proposed.
    """

    def __init__(self, message: str, step: str = "", does: str = "") -> None:
        super().__init__(message)
        self._step, self._does = step, does

    def told(self, options: str) -> str:
        """In words, with the `options` that lead to where the command looked."""
        return f"{self.message}; {self._step}{options} {self._does}." if self._step else self.message


def _answer_in_json(value: bool) -> bool:
    State.json = value
    return value


AsJson = Annotated[
    bool, typer.Option("--json", callback=_answer_in_json, help="One JSON object on standard output, for scripts.")
]
DEFAULTS = Settings()
"""What holds where neither an option nor the environment nor a file says otherwise."""

Data = Annotated[
    str | None,
    typer.Option(help="Folder of the database and its locks.", metavar="FOLDER", show_default=DEFAULTS.data),
]
DatabaseUrl = Annotated[
    str | None, typer.Option(help="postgresql://… instead of SQLite in the data folder.", metavar="URL")
]
ConfigFile = Annotated[Path | None, typer.Option(help="Settings file, TOML.", metavar="FILE")]
CompanyId = Annotated[
    int | None, typer.Option("--company", help="Id of the company, if there are several.", show_default="the only one")
]
InEnvironment = Annotated[
    Literal["live", "sandbox"], typer.Option("--environment", "-e", help="live, or sandbox for trying things out.")
]


# What is said


def emit(document: Any) -> None:
    """The one JSON object of --json."""
    sys.stdout.write(encode(document).decode() + "\n")


def say(text: str = "", style: str = "", *, to: Console = out) -> None:
    """A line as it stands: no markup is read in it, and no word is broken."""
    to.print(Text(text, style), soft_wrap=True)


def following(*steps: str) -> None:
    """What to do next."""
    err.print(Text("Next  ", "bold") + Text(steps[0]), soft_wrap=True)
    for step in steps[1:]:
        say("      " + step, to=err)


def facts(rows: Iterable[tuple[str, str]], *, to: Console = out) -> None:
    """Names and values in two columns; a value is never broken, so that it can be copied."""
    listed = list(rows)
    width = max((len(name) for name, _ in listed), default=0)
    for name, value in listed:
        to.print(Text(f"{name:<{width}}  ", "dim") + Text(value), soft_wrap=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, to: Console = out) -> None:
    """Aligned columns. On a terminal long cells go on below, but never ids; elsewhere a row is one line, for grep.

    Where a terminal is far too narrow for the columns, each row becomes a paragraph.
    """
    listed = list(rows)
    widths = [max(cell_len(row[index]) for row in (columns, *listed)) for index in range(len(columns))]
    if not to.is_terminal:
        for row in (columns, *listed):
            say("  ".join(set_cell_size(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip(), to=to)
        return
    if sum(widths) + 2 * len(widths) > _CROWDED * to.width:
        for row in listed:
            facts(zip((name.lower() for name in columns), row, strict=True))
            say()
        return
    shape = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in columns:
        shape.add_column(name, overflow="fold", no_wrap=name in _WHOLE)
    for row in listed:
        shape.add_row(*(Text(cell) for cell in row))
    to.print(shape)


def warn(notices: Iterable[Notice]) -> None:
    """What was ignored, guessed or likely not meant."""
    listed = list(notices)
    if not listed:
        return
    say(f"{len(listed)} warning{'s' if len(listed) > 1 else ''}", "yellow bold", to=err)
    _entries((notice.field or notice.code, State.completed(notice.text), None) for notice in listed)


def refuse(message: str, violations: Iterable[Violation] = ()) -> None:
    """A refusal in words, with every place that must be mended."""
    listed = list(violations)
    if listed and (message.startswith(f"{listed[0].location}: ") or message == listed[0].message):
        # The message only repeats the first of them.
        message = "One place must be mended." if len(listed) == 1 else f"{len(listed)} places must be mended."
    say(message, "red bold", to=err)
    _entries((violation.location, violation.message, violation.sent) for violation in listed)


_ALIKE = 3
"""Of how many places of which the same is said each has its line; the rest share one."""

_NAMED = 12
"""How many of these that line names; of more it counts them."""


def _entries(entries: Iterable[tuple[str, str, str | None]]) -> None:
    """Places with what is said of each; where the same is said of many, most of them on one line."""
    listed = list(entries)
    alike: dict[str, list[str]] = {}
    for place, text, _ in listed:
        alike.setdefault(text, []).append(place or "(body)")
    told: Counter[str] = Counter()
    for place, text, sent in listed:
        told[text] += 1
        if len(alike[text]) <= _ALIKE + 1 or told[text] <= _ALIKE:
            _entry(place, text, sent)
        elif told[text] == len(alike[text]):
            more = alike[text][_ALIKE:]
            few = len(more) <= _NAMED
            say(f"  {', '.join(more)}  {text}" if few else f"  and {len(more):,} more: {text}", to=err)


def _entry(place: str, text: str, sent: str | None) -> None:
    line = Text("  ") + Text(place or "(body)", "bold") + Text(f"  {text}")
    if sent is not None:
        line += Text(f" Sent: {shown(sent)}", "dim")
    err.print(line, soft_wrap=True)


def moment(milliseconds: int | None, absent: str = "never") -> str:
    """A moment for people."""
    if milliseconds is None:
        return absent
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def when(text: str) -> str:
    """A moment for people, out of the form that /api/offhook/v1 has for it: `2026-11-26T08:00:05.123+00:00`."""
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def write_private(path: Path, content: bytes) -> None:
    """Replace a file in one step, so that a full disk leaves the old one. Nobody but its owner may read it."""
    part: Path | None = None
    try:
        handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.", suffix=".part")
        part = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        part.replace(path)
    except OSError as error:
        if part is not None:
            part.unlink(missing_ok=True)
        raise Refusal(f"{path} cannot be written: {error.strerror}.") from None


def read_file(path: Path) -> bytes:
    """All of a file; `-` is standard input."""
    if str(path) == "-":
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        raise Refusal(f"{path} cannot be read: {error.strerror}.") from None


def masked(value: str) -> str:
    """A URL without what is secret in it: its password and its parameters."""
    if "://" not in value:
        return value
    scheme, _, rest = value.partition("://")
    # By the last @, so that a password with a slash or a question mark in it is hidden as a whole.
    user, at, address = rest.rpartition("@")
    name, colon, _ = user.partition(":")
    address, mark, _ = address.partition("?")
    return f"{scheme}://{name}{':***' if colon else ''}{at}{address}{'?***' if mark else ''}"


def place(settings: Settings) -> str:
    """Where the store is, for people."""
    return masked(settings.database_url) if settings.database_url else settings.data
